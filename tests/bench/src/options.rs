//! Flags, the same for every program that can be measured here.

use std::ffi::OsString;
use std::time::Duration;

use lexopt::prelude::{Long, Short, Value, ValueExt};

/// What a program was asked to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Mode {
    /// Answer every call with what it brought.
    Server(ServerOptions),
    /// Call as fast as answers come.
    Client(ClientOptions),
}

/// The end that answers.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerOptions {
    /// Where to listen on loopback. Default 0: the system chooses.
    pub port: u16,
    /// Threads that run it. Default 1.
    pub threads: usize,
    /// The router to be reached through. Default: none.
    pub advertise: Option<String>,
    /// The service to advertise. Default [`SERVICE`].
    pub service: String,
}

/// The end that calls.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientOptions {
    /// The server, `host:port`; empty when a router finds it.
    pub addr: String,
    /// The router to call through. Default: none.
    pub router: Option<String>,
    /// The service to call. Default [`SERVICE`].
    pub service: String,
    /// Threads that run it. Default 1.
    pub threads: usize,
    /// How to load it.
    pub load: Load,
}

/// A closed loop of calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Connections the calls are spread over. Default 1.
    pub conns: usize,
    /// Calls in flight in all, over all connections together. Default 1.
    pub inflight: usize,
    /// Bytes of a request, and of its answer. Default 32.
    pub payload: usize,
    /// What the args are. Default raw.
    pub scheme: Scheme,
    /// Time before anything is counted. Default 500 ms.
    pub warmup: Duration,
    /// Time that is counted. Default 2 s.
    pub duration: Duration,
}

/// What the args of the calls are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// Bytes as they are.
    #[default]
    Raw,
    /// A generated Thrift client and service.
    Thrift,
    /// MessagePack with named fields.
    Msgpack,
    /// A client and a service from a Rust trait.
    Trait,
}

/// The service when nobody names another.
pub const SERVICE: &str = "bench";

impl Default for Load {
    fn default() -> Self {
        Self {
            conns: 1,
            inflight: 1,
            payload: 32,
            scheme: Scheme::Raw,
            warmup: Duration::from_millis(500),
            duration: Duration::from_secs(2),
        }
    }
}

impl Mode {
    /// Reads the flags of this process.
    ///
    /// # Errors
    ///
    /// What is wrong with them, in a sentence.
    pub fn from_env() -> Result<Self, String> {
        Self::parse(std::env::args_os().skip(1))
    }

    /// Reads flags, without the name of the program.
    ///
    /// # Errors
    ///
    /// What is wrong with them, in a sentence.
    pub fn parse(args: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Self, String> {
        Flags::parse(args)
            .map_err(|error| error.to_string())?
            .mode()
    }
}

struct Flags {
    mode: String,
    port: u16,
    addr: String,
    threads: usize,
    advertise: Option<String>,
    router: Option<String>,
    service: String,
    load: Load,
}

impl Flags {
    fn parse(args: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Self, lexopt::Error> {
        let mut flags = Self {
            mode: String::new(),
            port: 0,
            addr: String::new(),
            threads: 1,
            advertise: None,
            router: None,
            service: SERVICE.to_owned(),
            load: Load::default(),
        };
        let mut parser = lexopt::Parser::from_args(args);
        while let Some(arg) = parser.next()? {
            match arg {
                Value(mode) if flags.mode.is_empty() => flags.mode = mode.string()?,
                Long("port") => flags.port = parser.value()?.parse()?,
                Long("addr") => flags.addr = parser.value()?.string()?,
                Long("threads") => flags.threads = parser.value()?.parse()?,
                Long("advertise") => flags.advertise = Some(parser.value()?.string()?),
                Long("router") => flags.router = Some(parser.value()?.string()?),
                Long("service") => flags.service = parser.value()?.string()?,
                Long("conns") => flags.load.conns = parser.value()?.parse()?,
                Long("inflight") => flags.load.inflight = parser.value()?.parse()?,
                Long("payload") => flags.load.payload = parser.value()?.parse()?,
                Long("scheme") => flags.load.scheme = parser.value()?.parse_with(scheme)?,
                Long("warmup-ms") => flags.load.warmup = parser.value()?.parse_with(millis)?,
                Long("duration-ms") => flags.load.duration = parser.value()?.parse_with(millis)?,
                Short('h') | Long("help") => flags.mode = "help".to_owned(),
                other => return Err(other.unexpected()),
            }
        }
        Ok(flags)
    }

    fn mode(self) -> Result<Mode, String> {
        match &*self.mode {
            "server" => Ok(Mode::Server(ServerOptions {
                port: self.port,
                threads: self.threads,
                advertise: self.advertise,
                service: self.service,
            })),
            "client" => self.client(),
            _ => Err(USAGE.to_owned()),
        }
    }

    fn client(self) -> Result<Mode, String> {
        if self.addr.is_empty() && self.router.is_none() {
            return Err("a client needs --addr H:P or --router H:P".to_owned());
        }
        if self.load.conns == 0 || self.load.inflight < self.load.conns {
            let (conns, inflight) = (self.load.conns, self.load.inflight);
            return Err(format!(
                "--inflight {inflight} calls can not keep --conns {conns} busy: \
                 at least one connection, and a call for each"
            ));
        }
        Ok(Mode::Client(ClientOptions {
            addr: self.addr,
            router: self.router,
            service: self.service,
            threads: self.threads,
            load: self.load,
        }))
    }
}

fn millis(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_millis)
}

fn scheme(text: &str) -> Result<Scheme, String> {
    match text {
        "raw" => Ok(Scheme::Raw),
        "thrift" => Ok(Scheme::Thrift),
        "msgpack" => Ok(Scheme::Msgpack),
        "trait" => Ok(Scheme::Trait),
        _ => Err(format!("{text:?} is no scheme: raw, thrift or msgpack")),
    }
}

const USAGE: &str = "\
usage:
  server --port 0 --threads N [--advertise H:P --service NAME]
  client --addr H:P --conns N --inflight C --payload BYTES --warmup-ms MS --duration-ms MS --threads N
         [--router H:P --service NAME] [--scheme raw|thrift|msgpack|trait]

A server prints `READY <port>` and echoes until it is killed. A client prints `START` and `STOP` around what
it counts, then one line of JSON. Times in it are microseconds, mbps is 10^6 bytes a second each way, and
--inflight counts the calls of all connections together.";

#[cfg(test)]
mod tests {
    use super::{Load, Mode};

    #[test]
    fn a_client_reads_its_load() {
        let args = "client --addr 127.0.0.1:1 --conns 2 --inflight 64 --payload 4096 --warmup-ms 1 --duration-ms 2";
        let Ok(Mode::Client(client)) = Mode::parse(args.split(' ')) else {
            panic!("these flags make a client");
        };
        let load = client.load;
        assert_eq!((load.conns, load.inflight, load.payload), (2, 64, 4096));
        assert_eq!(load.warmup.as_millis() + load.duration.as_millis(), 3);
        assert_eq!(load.scheme, Load::default().scheme);
    }

    #[test]
    fn what_can_not_run_is_refused_in_words() {
        for (args, expected) in [
            ("", "usage"),
            ("client", "--addr"),
            ("client --addr a:1 --conns 3 --inflight 2", "--inflight 2"),
            ("server --ports 1", "--ports"),
            ("client --addr a:1 --scheme soap", "soap"),
        ] {
            let refusal = Mode::parse(args.split_whitespace()).expect_err(args);
            assert!(refusal.contains(expected), "{args:?}: {refusal}");
        }
    }
}
