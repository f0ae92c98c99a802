//! `hyperbahn dev`: a router and demo services in one process.

mod demo;

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
  hyperbahn call flaky::echo";

/// Where the router listens.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DevArgs {
    /// Address of the router; port 0 lets the system choose
    #[arg(long, value_name = "H:P", default_value = DEFAULT_ROUTER, value_parser = NodeConfig::parse_listen)]
    pub(crate) listen: String,
}

/// Runs a router and the demo services until told to stop.
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
    let started = tokio::try_join!(
        Demo::echo(&router),
        Demo::echo(&router),
        Demo::flaky(&router)
    );
    let demos = match started {
        Ok((first, second, flaky)) => [first, second, flaky],
        Err(error) => return output::fail(error),
    };
    output::line(welcome(&program(), &router, &demos));
    serve::until_stopped(async {
        for demo in demos {
            demo.stop().await;
        }
        node.stop().await
    })
    .await
}

/// This program as it was called, so that the command to try can be copied whether it is installed or not.
fn program() -> String {
    std::env::args()
        .next()
        .unwrap_or_else(|| "hyperbahn".to_owned())
}

fn welcome(program: &str, router: &str, demos: &[Demo; 3]) -> String {
    let [first, second, flaky] = demos.each_ref().map(Demo::address);
    let flag = match router {
        DEFAULT_ROUTER => String::new(),
        other => format!(" --router {other}"),
    };
    format!(
        "router listens on {router}\n\
         demo    {first} and {second}\n\
         flaky   {flaky} (fails one call in five, on purpose)\n\
         \n\
         try: {program} call{flag} demo::echo '{{\"hello\":\"world\"}}'\n\
         \x20    {program} call{flag} flaky::echo\n\
         \n\
         Ctrl-C stops all of it"
    )
}
