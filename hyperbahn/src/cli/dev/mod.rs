//! `hyperbahn dev`: a mesh of routers and demo services in one process.

mod demo;
mod greeter;
mod keyvalue;
mod mesh;

use clap::Args;
use hyperbahn::config::{DEFAULT_ROUTER, NodeConfig};
use tchannel_rt::ChannelError;

use super::exit::Exit;
use super::{logs, output, serve};
use demo::Demo;
use mesh::Mesh;

const EXAMPLES: &str = "\
Examples:
  hyperbahn dev
  hyperbahn dev --nodes 5
  hyperbahn dev --listen 127.0.0.1:0

Then, from another shell:
  hyperbahn call demo::echo '{\"hello\":\"world\"}'
  hyperbahn describe keyvalue
  hyperbahn call greeter::hello '{\"name\":\"Ada\"}'
  hyperbahn call keyvalue::get '{\"key\":\"colour\"}'
  hyperbahn call flaky::echo
  hyperbahn members
  hyperbahn exits demo
  hyperbahn instances demo
  hyperbahn services";

/// How many routers, and where.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DevArgs {
    /// Address of the first router; port 0 lets the system choose. The others take free ports beside it
    #[arg(long, value_name = "H:P", default_value = DEFAULT_ROUTER, value_parser = NodeConfig::parse_listen)]
    pub(crate) listen: String,

    /// How many routers, from 1 to 100
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) nodes: u8,
}

/// Runs the mesh and the demo services until told to stop.
pub(crate) async fn run(args: DevArgs) -> Exit {
    logs::to_stderr("warn");
    let mesh = match Mesh::start(&args.listen, args.nodes.into()).await {
        Ok(mesh) => mesh,
        Err(error) => {
            output::note("try: hyperbahn dev --listen 127.0.0.1:0");
            return output::fail(error);
        }
    };
    let demos = match demos(&mesh.addresses()).await {
        Ok(demos) => demos,
        Err(error) => return output::fail(error),
    };
    output::line(welcome(&program(), &mesh.addresses(), &demos));
    serve::until_stopped(async {
        for demo in demos {
            demo.stop().await;
        }
        mesh.stop().await
    })
    .await
}

/// The demo services, each advertised at another router as far as there are others.
async fn demos(routers: &[&str]) -> Result<[Demo; 5], ChannelError> {
    let mut turn = routers.iter().cycle().copied();
    let mut router = || turn.next().expect("there is a router");
    let (first, second, flaky, keyvalue, greeter) = tokio::try_join!(
        Demo::echo(router()),
        Demo::echo(router()),
        Demo::flaky(router()),
        Demo::keyvalue(router()),
        Demo::greeter(router())
    )?;
    Ok([first, second, flaky, keyvalue, greeter])
}

/// This program as it was called, so that the command to try can be copied whether it is installed or not.
fn program() -> String {
    std::env::args()
        .next()
        .unwrap_or_else(|| "hyperbahn".to_owned())
}

fn welcome(program: &str, routers: &[&str], demos: &[Demo; 5]) -> String {
    let listening = routers
        .iter()
        .map(|router| format!("router listens on {router}\n"));
    let [first, second, flaky, keyvalue, greeter] = demos;
    // Whichever router is asked, the answer is the same.
    let [one, last] = [routers[0], routers[routers.len() - 1]].map(flag);
    format!(
        "{}\
         demo {first}\n\
         demo {second}\n\
         flaky {flaky}; it fails one call in five, on purpose\n\
         keyvalue {keyvalue}; its methods are those of a Thrift file\n\
         greeter {greeter}; its methods are those of a Rust trait\n\
         \n\
         try: {program} call{one} demo::echo '{{\"hello\":\"world\"}}'\n\
         \x20    {program} describe{one} keyvalue\n\
         \x20    {program} call{one} greeter::hello '{{\"name\":\"Ada\"}}'\n\
         \x20    {program} call{last} keyvalue::get '{{\"key\":\"colour\"}}'\n\
         \x20    {program} call{last} flaky::echo\n\
         \x20    {program} members{one}\n\
         \x20    {program} exits{one} demo\n\
         \x20    {program} instances{last} demo\n\
         \x20    {program} services{last}\n\
         \n\
         Ctrl-C stops all of it",
        listening.collect::<String>()
    )
}

fn flag(router: &str) -> String {
    match router {
        DEFAULT_ROUTER => String::new(),
        other => format!(" --router {other}"),
    }
}
