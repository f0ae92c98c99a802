//! The flags of `hyperbahn call`, and what they come to.

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use hyperbahn::duration;

use super::scheme::Scheme;
use super::target::Target;
use crate::cli::routers::PeerArgs;

const EXAMPLES: &str = "\
Examples:
  hyperbahn call demo::echo '{\"hello\":\"world\"}'
  hyperbahn call keyvalue::get '{\"key\":\"abc\"}'
  hyperbahn call keyvalue::get '{\"key\":\"abc\"}' --thrift idl/keyvalue.thrift
  hyperbahn call keyvalue::KeyValue::get '{\"1\":{\"str\":\"abc\"}}' --as thrift
  hyperbahn call autobahn::hosts_v1 '{\"serviceName\":\"demo\"}' --json
  echo '{\"id\":7}' | hyperbahn call orders::find - --ttl 5s --header tenant=blue
  hyperbahn call demo::echo @body.bin --as raw --peer 127.0.0.1:4040

Without --as the service is asked for its interface: arguments go by name, and what it says decides how they
travel. 'hyperbahn describe SERVICE' shows what can be called. A service that publishes none takes JSON.
Of a method that streams, a request is an array or one value after another, from standard input one on each line
as it comes; an answer is one value on each line, as it comes. With --json each line is {\"body\": ..}, the last
one says how it ended.

Exit status:
  0 ok                 4 declined           8 unhealthy
  1 timeout            5 unexpected error   64 wrong command line
  2 cancelled          6 bad request        125 the tool itself failed
  3 busy               7 network error      126 the service answered that it failed
                                            127 the protocol was broken";

/// What is called, how, and through whom.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CallArgs {
    /// What to call: service::method
    pub(crate) target: Target,

    /// The body: text, @FILE, or - for standard input
    pub(crate) body: Option<String>,

    /// Whom to call.
    #[command(flatten)]
    pub(crate) peers: PeerArgs,

    /// How the args are encoded [default: as the service says, else json]
    #[arg(long = "as", value_name = "SCHEME", value_enum)]
    pub(crate) scheme: Option<Scheme>,

    /// The Thrift file of a service that does not publish its interface
    #[arg(long, value_name = "FILE")]
    pub(crate) thrift: Option<PathBuf>,

    /// How long the whole call may take, such as 500ms or 5s
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = ttl)]
    pub(crate) ttl: Duration,

    /// Application header; may be repeated
    #[arg(long = "header", value_name = "K=V", value_parser = header)]
    pub(crate) headers: Vec<(String, String)>,

    /// Who calls
    #[arg(long, value_name = "NAME", default_value = "hyperbahn-call")]
    pub(crate) cn: String,

    /// Shard key
    #[arg(long, value_name = "KEY")]
    pub(crate) sk: Option<String>,

    /// Print one JSON document: code, body, headers, peer and time
    #[arg(long)]
    pub(crate) json: bool,
}

impl CallArgs {
    /// Whether the body is typed while the call goes on.
    pub(crate) fn is_from_stdin(&self) -> bool {
        self.body.as_deref() == Some("-")
    }

    /// The bytes that were typed, or that stand where they were said to stand.
    pub(crate) fn body(&self) -> io::Result<Vec<u8>> {
        match self.body.as_deref() {
            None => Ok(Vec::new()),
            Some("-") => {
                let mut body = Vec::new();
                io::stdin().lock().read_to_end(&mut body)?;
                Ok(body)
            }
            Some(text) => match text.strip_prefix('@') {
                Some(path) => fs::read(path).map_err(|error| {
                    io::Error::new(error.kind(), format!("cannot read {path}: {error}"))
                }),
                None => Ok(text.as_bytes().to_vec()),
            },
        }
    }
}

/// A time of one millisecond at least.
pub(crate) fn ttl(text: &str) -> Result<Duration, String> {
    let ttl = duration::parse(text).filter(|ttl| *ttl >= Duration::from_millis(1));
    ttl.ok_or_else(|| format!("give {}, at least 1ms", duration::SHAPE))
}

fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("give name=value".to_owned()),
    }
}
