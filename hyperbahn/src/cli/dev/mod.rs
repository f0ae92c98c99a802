//! `hyperbahn dev`: a router and demo services in one process.

mod demo;

use std::sync::Arc;

use clap::Args;
use hyperbahn::config::{DEFAULT_ROUTER, NodeConfig};
use hyperbahn::node::Node;

use super::exit::Exit;
use super::{logs, output, serve};
use demo::Demo;

const EXAMPLES: &str = "\
Examples:
  hyperbahn dev
  hyperbahn dev --listen 127.0.0.1:0

Then, from another shell:
  hyperbahn call demo::echo '{\"hello\":\"world\"}'
  hyperbahn call demo::flaky";

/// Where the router listens.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DevArgs {
    /// Address of the router; port 0 lets the system choose
    #[arg(long, value_name = "H:P", default_value = DEFAULT_ROUTER, value_parser = NodeConfig::parse_listen)]
    pub(crate) listen: String,
}

/// Runs a router and two instances of `demo` until told to stop.
pub(crate) async fn run(args: DevArgs) -> Exit {
    logs::to_stderr("warn");
    let config = NodeConfig {
        listen: args.listen,
        ..NodeConfig::default()
    };
    let node = match Node::start(config).await {
        Ok(node) => node,
        Err(error) => {
            output::note("try: hyperbahn dev --listen 127.0.0.1:0");
            return output::fail(error);
        }
    };
    let router = node.address().to_string();
    let flakes = Arc::default();
    let first = Demo::start(&router, Arc::clone(&flakes));
    let demos = match tokio::try_join!(first, Demo::start(&router, flakes)) {
        Ok((first, second)) => [first, second],
        Err(error) => return output::fail(error),
    };
    output::line(welcome(&router, &demos));
    serve::until_stopped(async {
        for demo in demos {
            demo.stop().await;
        }
        node.stop().await
    })
    .await
}

fn welcome(router: &str, demos: &[Demo]) -> String {
    let instances: Vec<_> = demos.iter().map(Demo::address).collect();
    let instances = instances.join(" and ");
    let flag = match router {
        DEFAULT_ROUTER => String::new(),
        other => format!(" --router {other}"),
    };
    format!(
        "router listens on {router}\n\
         demo::echo and demo::flaky (fails one call in five) run at {instances}\n\
         \n\
         try: hyperbahn call{flag} demo::echo '{{\"hello\":\"world\"}}'\n\
         \x20    hyperbahn call{flag} demo::flaky\n\
         \n\
         Ctrl-C stops all of it"
    )
}
