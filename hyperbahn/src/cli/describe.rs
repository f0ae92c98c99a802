//! `hyperbahn describe`: what a service can be asked.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use hyperbahn::host_port::HostPort;
use hyperbahn::interface::Interfaces;
use tchannel_rt::{Channel, ErrorCode};

use super::call::ttl;
use super::exit::Exit;
use super::lookup::{self, Failure, Lookup};
use super::routers::{self, PeerArgs};
use super::{logs, output};

const EXAMPLES: &str = "\
Examples:
  hyperbahn describe keyvalue
  hyperbahn describe keyvalue get
  hyperbahn describe keyvalue --json | jq '.interfaces[].methods[].name'
  hyperbahn describe keyvalue --peer 127.0.0.1:4040
  hyperbahn describe keyvalue --thrift idl/keyvalue.thrift

Services of this runtime publish what they are made from; so do Thrift services in Node that have a health check.
What others are made from is read from the file that --thrift names; the service is not asked then.
A ? stands behind the name of what may be left out.";

/// What to explain.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DescribeArgs {
    /// Service to ask
    service: String,

    /// Only this method, and the types it leads to
    method: Option<String>,

    #[command(flatten)]
    peers: PeerArgs,

    /// The Thrift file of a service that does not publish its interface
    #[arg(long, value_name = "FILE")]
    thrift: Option<PathBuf>,

    /// How long asking may take, such as 500ms or 5s
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = ttl)]
    ttl: Duration,

    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Asks, and prints what the answer says.
pub(crate) async fn run(args: DescribeArgs) -> Exit {
    logs::to_stderr("off");
    let (service, method) = names(&args);
    let interfaces = match interfaces(&args, service).await {
        Ok(interfaces) => interfaces,
        Err(exit) => return exit,
    };
    let described = match method {
        None => Ok(interfaces.describe(service)),
        Some(method) => interfaces.describe_method(service, method),
    };
    match described {
        Ok(described) if args.json => {
            let document = serde_json::to_string(&described);
            output::line(document.expect("text keys and plain values"));
            Exit::Success
        }
        Ok(described) => {
            output::line(described.text(&flags(&args)));
            Exit::Success
        }
        Err(unknown) => output::refuse(format_args!("{service}: {unknown}")),
    }
}

/// `service::method` is understood too, because `call` takes it so.
fn names(args: &DescribeArgs) -> (&str, Option<&str>) {
    match (&args.method, args.service.split_once("::")) {
        (None, Some((service, method))) => (service, Some(method)),
        (method, _) => (&args.service, method.as_deref()),
    }
}

/// Flags for a command that calls the same service.
fn flags(args: &DescribeArgs) -> String {
    let thrift = args.thrift.iter();
    let thrift = thrift.map(|path| format!(" --thrift {}", path.display()));
    args.peers.flags() + &thrift.collect::<String>()
}

async fn interfaces(args: &DescribeArgs, service: &str) -> Result<Interfaces, Exit> {
    if let Some(path) = &args.thrift {
        return lookup::open(path).map_err(output::fail);
    }
    let peers = args.peers.list().map_err(output::refuse)?;
    let channel = Channel::new("hyperbahn-cli");
    match lookup::ask(&channel, &peers, service, args.ttl).await {
        Ok(Lookup::Published(interfaces)) => Ok(interfaces),
        Ok(Lookup::Nothing(answers)) => {
            output::fail(format_args!("{service} publishes no interface"));
            answers.iter().for_each(output::note);
            output::note(
                "give its Thrift file by --thrift FILE, or call it with a scheme by 'hyperbahn call --as'",
            );
            Err(Exit::System(ErrorCode::BadRequest))
        }
        Err(failure) => Err(complain(args, service, &failure, &peers)),
    }
}

fn complain(args: &DescribeArgs, service: &str, failure: &Failure, peers: &[HostPort]) -> Exit {
    match failure {
        Failure::Call(error) => {
            let peer = error.peer().unwrap_or(peers[0].as_str());
            let (code, message) = (error.code(), error.message());
            output::fail(format_args!(
                "{service} can not be asked at {peer}: {code}: {message}"
            ));
            if args.peers.is_routed() && routers::is_unreachable(error) {
                output::note(routers::ADVICE);
            } else if code == ErrorCode::Declined {
                output::note("'hyperbahn services' lists what there is");
            }
            Exit::System(code)
        }
        Failure::Unreadable(reason) => output::fail(format_args!(
            "what {service} publishes can not be read: {reason}"
        )),
    }
}
