//! How the args of one call are made and read: by a scheme alone, or by what the service publishes.

use hyperbahn::host_port::HostPort;
use hyperbahn::interface::{Interfaces, Method};
use serde_json::Value;
use tchannel_rt::Channel;

use super::args::CallArgs;
use super::scheme::{Args, Scheme, Shown, as_bytes};
use crate::cli::lookup::{self, Failure, LOOKUP_TTL, Lookup};

/// What is known of a service before it is called.
#[derive(Debug)]
pub(crate) enum Known {
    /// Nobody asked: the command line says how the args are encoded.
    Scheme(Scheme),
    /// What it publishes.
    Interfaces(Interfaces),
    /// It publishes nothing; what it answered when it was asked.
    Nothing(Vec<String>),
}

/// How the args of one call are made and read.
#[derive(Debug)]
pub(crate) enum Codec<'a> {
    /// Knowing the encoding only.
    Scheme(Scheme),
    /// Knowing the method.
    Method(Method<'a>),
}

/// Why a call is not made.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The command line is wrong.
    Usage(String),
    /// The service could not be asked for its interface.
    Lookup(Failure),
}

/// Finds out what has to be known for this call.
///
/// # Errors
///
/// [`Refusal`] when that is not to be had.
pub(crate) async fn know(
    args: &CallArgs,
    channel: &Channel,
    peers: &[HostPort],
    body: &[u8],
) -> Result<Known, Refusal> {
    match (&args.thrift, args.scheme) {
        (Some(path), None | Some(Scheme::Thrift)) => {
            let interfaces = lookup::open(path).map_err(Refusal::Usage)?;
            return Ok(Known::Interfaces(interfaces));
        }
        (Some(_), Some(other)) => {
            let name = other.name();
            return Err(Refusal::Usage(format!(
                "--thrift does not go with --as {name}"
            )));
        }
        (None, Some(Scheme::Thrift)) if !is_by_id(body) => {}
        (None, Some(scheme)) => return Ok(Known::Scheme(scheme)),
        (None, None) => {}
    }
    let method = &args.target.method;
    if method == "Meta::interfaces" {
        return Ok(Known::Scheme(Scheme::Json));
    }
    if method.starts_with("Meta::") {
        return Ok(Known::Interfaces(Interfaces::meta()));
    }
    let patience = args.ttl.max(LOOKUP_TTL);
    match lookup::ask(channel, peers, &args.target.service, patience).await {
        Ok(Lookup::Published(interfaces)) => Ok(Known::Interfaces(interfaces)),
        Ok(Lookup::Nothing(answers)) => Ok(Known::Nothing(answers)),
        Err(failure) => Err(Refusal::Lookup(failure)),
    }
}

/// Whether `body` is Thrift by field id and type, which needs no interface: `{"1":{"str":"abc"}}`.
fn is_by_id(body: &[u8]) -> bool {
    let body: Option<Value> = serde_json::from_slice(body).ok();
    let members = body.as_ref().and_then(Value::as_object);
    members.is_some_and(|members| {
        !members.is_empty() && members.keys().all(|name| name.parse::<i16>().is_ok())
    })
}

impl Known {
    /// How to call what `args` name.
    ///
    /// # Errors
    ///
    /// A sentence about the method that is not there, or about a body that nobody can encode.
    pub(crate) fn codec(&self, args: &CallArgs, body: &[u8]) -> Result<Codec<'_>, String> {
        let has_body = !matches!(body.trim_ascii(), b"" | b"null");
        match (self, args.scheme) {
            (Self::Scheme(scheme), _) => Ok(Codec::Scheme(*scheme)),
            (Self::Interfaces(interfaces), scheme) => match interfaces.find(&args.target.method) {
                Ok(method) => Ok(Codec::Method(method)),
                Err(_) if scheme.is_some() && !has_body => Ok(Codec::Scheme(Scheme::Thrift)),
                Err(unknown) => Err(format!(
                    "{}: {unknown}; what it does not publish is called with --as",
                    args.target.service
                )),
            },
            (Self::Nothing(answers), Some(Scheme::Thrift)) if has_body => Err(format!(
                "{} publishes no interface ({}): give --thrift FILE, or fields by id and type as in \
                 {{\"1\":{{\"str\":\"abc\"}}}}",
                args.target.service,
                answers.join("; ")
            )),
            (Self::Nothing(_), scheme) => Ok(Codec::Scheme(scheme.unwrap_or(Scheme::Json))),
        }
    }

    /// What to do about a request that the service refused.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Nothing(_) => Some(
                "it publishes no interface, so this went as it was typed: is --as right? \
                 --thrift FILE says what a Thrift service takes",
            ),
            _ => None,
        }
    }
}

impl Codec<'_> {
    /// The `as` header.
    pub(crate) fn scheme(&self) -> &'static str {
        match self {
            Self::Scheme(scheme) => scheme.name(),
            Self::Method(method) => method.scheme(),
        }
    }

    /// What is called: `service::method`, spelled out.
    pub(crate) fn target(&self, args: &CallArgs) -> String {
        match self {
            Self::Scheme(_) => args.target.to_string(),
            Self::Method(method) => format!("{}::{}", args.target.service, method.arg1()),
        }
    }

    /// The args for `body` as it was typed.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with the body or the headers.
    pub(crate) fn encode(&self, headers: &[(String, String)], body: &[u8]) -> Result<Args, String> {
        match self {
            Self::Scheme(scheme) => scheme.encode(headers, body),
            Self::Method(method) => {
                let body = match body.trim_ascii() {
                    b"" => Value::Null,
                    body => serde_json::from_slice(body).map_err(|error| {
                        format!("BODY is no JSON object of the arguments by name: {error}")
                    })?,
                };
                let headers = headers.iter().cloned().collect();
                Ok(Args {
                    arg2: by_name(method).encode_headers(&headers)?,
                    arg3: method.arguments(&body).map_err(|error| error.to_string())?,
                })
            }
        }
    }

    /// What an answer says; `is_ok` is what its code says. One that is not what the scheme or the interface
    /// promises is shown as bytes, with a note.
    pub(crate) fn shows(&self, is_ok: bool, args: &Args) -> Shown {
        let decoded = match self {
            Self::Scheme(scheme) => scheme.decode(args),
            Self::Method(method) => decode(method, is_ok, args),
        };
        decoded.unwrap_or_else(|reason| Shown {
            notes: vec![format!("the answer is shown as bytes: {reason}")],
            ..as_bytes(args)
        })
    }
}

fn decode(method: &Method<'_>, is_ok: bool, args: &Args) -> Result<Shown, String> {
    let answer = method.answer(is_ok, &args.arg3);
    let answer = answer.map_err(|error| error.to_string())?;
    Ok(Shown {
        headers: by_name(method).decode_headers(&args.arg2)?,
        body: answer.body.to_value(),
        text: answer.body.to_string().into(),
        notes: answer.notes,
        is_failure: false,
    })
}

/// The scheme whose headers the method has.
pub(crate) fn by_name(method: &Method<'_>) -> Scheme {
    match method.scheme() {
        "thrift" | "sthrift" => Scheme::Thrift,
        "msgpack" => Scheme::Msgpack,
        _ => Scheme::Json,
    }
}
