//! What a client is told to do.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value as Json, json};

/// How a call finds its service.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// Straight to this address.
    Peer(SocketAddr),
    /// Through the router at this address.
    Router(SocketAddr),
}

/// One call, or many alike.
#[derive(Clone, Debug)]
pub struct Call {
    service: String,
    scheme: &'static str,
    method: String,
    args: Args,
    ttl: Duration,
    count: usize,
    is_recoded: bool,
}

/// The args of a call.
#[derive(Clone, Debug)]
pub enum Args {
    /// Bytes, as they go on the wire.
    Bytes {
        /// The bytes of arg2.
        arg2: Vec<u8>,
        /// The bytes of arg3.
        arg3: Vec<u8>,
    },
    /// Values for the client's own codec.
    Values {
        /// Application headers, an object of strings.
        headers: Json,
        /// The body; for Thrift an object of arguments by name.
        body: Json,
    },
}

impl Call {
    /// A call of a raw endpoint, with empty args.
    pub fn raw(service: &str, endpoint: &str) -> Self {
        let (arg2, arg3) = (Vec::new(), Vec::new());
        Self::new(service, "raw", endpoint, Args::Bytes { arg2, arg3 })
    }

    /// A call through the client's JSON codec; `headers` is an object of strings.
    pub fn json(service: &str, endpoint: &str, headers: Json, body: Json) -> Self {
        Self::new(service, "json", endpoint, Args::Values { headers, body })
    }

    /// A call through the client's Thrift codec, by a method of `peers/kv.thrift`.
    pub fn thrift(service: &str, method: &str, headers: Json, body: Json) -> Self {
        let method = format!("KeyValue::{method}");
        Self::new(service, "thrift", &method, Args::Values { headers, body })
    }

    /// A call by a method of `peers/torture.thrift`, its arguments and result passed through the client's
    /// Thrift codec: `arg3` is read by it before it is sent, and what it read is written again.
    pub fn recoded(service: &str, method: &str, arg3: &[u8]) -> Self {
        let (arg2, arg3) = (Vec::new(), arg3.to_owned());
        let method = format!("Torture::{method}");
        let mut call = Self::new(service, "thrift", &method, Args::Bytes { arg2, arg3 });
        call.is_recoded = true;
        call
    }

    fn new(service: &str, scheme: &'static str, method: &str, args: Args) -> Self {
        Self {
            service: service.to_owned(),
            scheme,
            method: method.to_owned(),
            args,
            ttl: DEFAULT_TTL,
            count: 1,
            is_recoded: false,
        }
    }

    /// With these raw bytes as arg2.
    pub fn arg2(mut self, bytes: &[u8]) -> Self {
        if let Args::Bytes { arg2, .. } = &mut self.args {
            *arg2 = bytes.to_owned();
        }
        self
    }

    /// With these raw bytes as arg3.
    pub fn arg3(mut self, bytes: &[u8]) -> Self {
        if let Args::Bytes { arg3, .. } = &mut self.args {
            *arg3 = bytes.to_owned();
        }
        self
    }

    /// With this deadline instead of [`DEFAULT_TTL`].
    pub fn within(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// So many of these calls, all at once. Each carries its number, four bytes, at the end of arg2.
    pub fn times(mut self, count: usize) -> Self {
        self.count = count;
        self
    }

    /// The service that is called.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The arg scheme, as the header `as` names it.
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// The endpoint, which is arg1.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The other two args.
    pub fn args(&self) -> &Args {
        &self.args
    }

    /// How many of these calls are made at once.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The deadline of the call.
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// What a client program reads.
    pub(crate) fn to_command(&self, way: Way) -> Json {
        let mut command = json!({
            "do": "call",
            "service": self.service,
            "caller": CALLER,
            "as": self.scheme,
            "method": self.method,
            "timeout_ms": u64::try_from(self.ttl.as_millis()).expect("a ttl is short"),
            "count": self.count,
            "concurrency": self.count,
        });
        if self.is_recoded {
            command["codec"] = true.into();
        }
        match way {
            Way::Peer(address) => command["peer"] = address.to_string().into(),
            Way::Router(address) => command["router"] = address.to_string().into(),
        }
        match &self.args {
            Args::Bytes { arg2, arg3 } => {
                name_bytes(&mut command, "arg2", arg2);
                name_bytes(&mut command, "arg3", arg3);
            }
            Args::Values { headers, body } => {
                command["headers"] = headers.clone();
                command["body"] = body.clone();
            }
        }
        command
    }
}

/// The deadline of a call that asks for none: nothing here should need it.
pub const DEFAULT_TTL: Duration = Duration::from_secs(30);

/// The name that every caller gives.
pub const CALLER: &str = "interop";

/// The bytes 0, 1 .. 250, 0, 1 .. up to this length. The period is prime and divides no frame size, so
/// that a lost or swapped fragment shows.
pub fn pattern(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}

/// Long args are named by their length.
fn name_bytes(command: &mut Json, arg: &str, bytes: &[u8]) {
    if bytes.len() > SPELT_OUT && bytes == pattern(bytes.len()) {
        command[format!("{arg}_len")] = bytes.len().into();
    } else {
        command[format!("{arg}_hex")] = hex(bytes).into();
    }
}

const SPELT_OUT: usize = 64;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
