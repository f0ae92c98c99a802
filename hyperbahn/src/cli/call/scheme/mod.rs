//! From what was typed to the args of a call, and from the args of an answer to what is shown.
//!
//! People type and read JSON, whatever travels:
//!
//! | `--as` | BODY | arg3 |
//! | --- | --- | --- |
//! | `json` | JSON | as typed |
//! | `msgpack` | JSON; bytes are `{"$bytes":"base64"}` | the same value in MessagePack |
//! | `thrift` | `{"1":{"str":"abc"}}`: each field by id and type | the struct |
//! | `http` | `{"method":"POST","url":"/a","body":"text"}` | the body; the rest is in arg2 |
//! | `raw` | any bytes | as typed |

use std::fmt::Display;

use bytes::Bytes;
use clap::ValueEnum;
use hyperbahn::interface::msgpack as packed;
use hyperbahn::interface::thrift::untyped::{self as thrift_json, text_or_hex};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};
use tchannel_rt::scheme::{Headers, http, json, msgpack, thrift};

/// How the args of a call are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scheme {
    /// JSON headers and body
    Json,
    /// MessagePack headers and body; typed and shown as JSON
    Msgpack,
    /// Thrift headers and struct; typed and shown as JSON, by name, or with field ids and types
    Thrift,
    /// Bytes as they are
    Raw,
    /// An HTTP request; typed and shown as JSON
    Http,
}

/// Args two and three of a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Args {
    /// Application headers.
    pub arg2: Bytes,
    /// The body.
    pub arg3: Bytes,
}

/// What an answer says.
#[derive(Debug, PartialEq)]
pub(crate) struct Shown {
    /// Application headers, by name.
    pub headers: Value,
    /// The body as a value.
    pub body: Value,
    /// The body as it is printed.
    pub text: Bytes,
    /// What is not as it should be, each a sentence.
    pub notes: Vec<String>,
    /// Whether it says that the call failed, in the scheme's own way: an HTTP status from 400 up.
    pub is_failure: bool,
}

impl Scheme {
    /// The `as` header.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Msgpack => "msgpack",
            Self::Thrift => "thrift",
            Self::Raw => "raw",
            Self::Http => "http",
        }
    }

    /// The args for `body` as it was typed; an absent one is null, or no bytes.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with the body or the headers.
    pub(crate) fn encode(self, headers: &[(String, String)], body: &[u8]) -> Result<Args, String> {
        let by_name = || headers.iter().cloned().collect::<Headers>();
        match self {
            Self::Json => encode_json(&by_name(), body),
            Self::Msgpack => encode_msgpack(&by_name(), body),
            Self::Thrift => encode_thrift(&by_name(), body),
            Self::Http => encode_http(headers, body),
            Self::Raw if headers.is_empty() => Ok(Args {
                arg2: Bytes::new(),
                arg3: Bytes::copy_from_slice(body),
            }),
            Self::Raw => {
                Err("raw has no headers: leave out --header or choose another --as".into())
            }
        }
    }

    /// arg2 for these headers, in a scheme that has some.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with them.
    pub(crate) fn encode_headers(self, headers: &Headers) -> Result<Bytes, String> {
        match self {
            Self::Json => Ok(json::encode_headers(headers)),
            Self::Msgpack => Ok(msgpack::encode_headers(headers)),
            Self::Thrift => thrift::encode_headers(headers).map_err(sentence),
            Self::Raw | Self::Http => Err(format!("{} has no headers by name", self.name())),
        }
    }

    /// The headers in arg2 of an answer, in a scheme that has some.
    ///
    /// # Errors
    ///
    /// A sentence that says why they are none.
    pub(crate) fn decode_headers(self, arg2: &[u8]) -> Result<Value, String> {
        match self {
            Self::Json => json_headers(arg2),
            Self::Msgpack => Ok(by_name(&msgpack::decode_headers(arg2).map_err(sentence)?)),
            Self::Thrift => Ok(by_name(&thrift::decode_headers(arg2).map_err(sentence)?)),
            Self::Raw | Self::Http => Err(format!("{} has no headers by name", self.name())),
        }
    }

    /// What an answer in this scheme says.
    ///
    /// # Errors
    ///
    /// A sentence that says why the args are not what the scheme promises.
    pub(crate) fn decode(self, args: &Args) -> Result<Shown, String> {
        let Args { arg2, arg3 } = args;
        match self {
            Self::Json => Ok(Shown {
                headers: self.decode_headers(arg2)?,
                body: json::decode(arg3).map_err(sentence)?,
                // Go ends its bodies with a line end, and so does whoever prints them.
                text: arg3.slice_ref(arg3.trim_ascii_end()),
                notes: Vec::new(),
                is_failure: false,
            }),
            Self::Msgpack => {
                let body = packed::decode(arg3).map_err(sentence)?;
                Ok(Shown {
                    text: body.to_string().into(),
                    ..shown(self.decode_headers(arg2)?, body.to_value())
                })
            }
            Self::Thrift => {
                let body = thrift_json::decode(arg3).map_err(sentence)?;
                Ok(shown(self.decode_headers(arg2)?, body))
            }
            Self::Http => decode_http(args),
            Self::Raw => Ok(as_bytes(args)),
        }
    }
}

/// An answer whose meaning is not known here.
pub(crate) fn as_bytes(args: &Args) -> Shown {
    let headers = match args.arg2.is_empty() {
        true => json!({}),
        false => json!({ "arg2": text_or_hex(&args.arg2) }),
    };
    Shown {
        headers,
        body: text_or_hex(&args.arg3),
        text: args.arg3.clone(),
        notes: Vec::new(),
        is_failure: false,
    }
}

fn shown(headers: Value, body: Value) -> Shown {
    let text = body.to_string().into();
    Shown {
        headers,
        body,
        text,
        notes: Vec::new(),
        is_failure: false,
    }
}

fn encode_json(headers: &Headers, body: &[u8]) -> Result<Args, String> {
    let _: IgnoredAny = parse(body)?;
    let body = match body.trim_ascii() {
        b"" => b"null",
        body => body,
    };
    Ok(Args {
        arg2: json::encode_headers(headers),
        arg3: Bytes::copy_from_slice(body),
    })
}

// Node sends headers that are no strings; whatever stands there is shown.
fn json_headers(arg2: &[u8]) -> Result<Value, String> {
    match json::decode(arg2).map_err(sentence)? {
        Value::Null => Ok(json!({})),
        headers => Ok(headers),
    }
}

fn encode_msgpack(headers: &Headers, body: &[u8]) -> Result<Args, String> {
    let body: Value = parse(body)?;
    Ok(Args {
        arg2: msgpack::encode_headers(headers),
        arg3: packed::encode(&body).map_err(sentence)?,
    })
}

fn encode_thrift(headers: &Headers, body: &[u8]) -> Result<Args, String> {
    let body = match parse(body)? {
        Value::Null => json!({}),
        body => body,
    };
    Ok(Args {
        arg2: thrift::encode_headers(headers).map_err(sentence)?,
        arg3: thrift_json::encode(&body)?,
    })
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct HttpRequest {
    method: String,
    url: String,
    body: String,
}

impl Default for HttpRequest {
    fn default() -> Self {
        Self {
            method: "GET".to_owned(),
            url: "/".to_owned(),
            body: String::new(),
        }
    }
}

fn encode_http(headers: &[(String, String)], body: &[u8]) -> Result<Args, String> {
    let request: Option<HttpRequest> = parse(body)?;
    let request = request.unwrap_or_default();
    let head = http::Request {
        method: request.method,
        url: request.url,
        headers: headers.iter().cloned().collect(),
    };
    Ok(Args {
        arg2: head
            .encode(http::VarintOrder::default())
            .map_err(sentence)?,
        arg3: request.body.into(),
    })
}

fn decode_http(args: &Args) -> Result<Shown, String> {
    let head = http::Response::decode(&args.arg2).map_err(sentence)?;
    let body = json!({
        "status": head.status,
        "message": head.message,
        "body": text_or_hex(&args.arg3),
    });
    let fields = head
        .headers
        .iter()
        .map(|(name, value)| json!([name, value]));
    Ok(Shown {
        is_failure: head.status >= 400,
        ..shown(fields.collect(), body)
    })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let body = match body.trim_ascii() {
        b"" => b"null",
        body => body,
    };
    serde_json::from_slice(body).map_err(|error| format!("BODY is not what --as needs: {error}"))
}

fn sentence(error: impl Display) -> String {
    error.to_string()
}

fn by_name(headers: &Headers) -> Value {
    headers
        .iter()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect()
}

#[cfg(test)]
mod tests;
