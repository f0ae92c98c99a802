//! The answer to a unary call.

use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use serde::de::DeserializeOwned;
use tchannel_proto::{ResponseCode, Tracing, TransportHeaders, header_key};

use crate::handler::Reply;
use crate::scheme::{ErrorBody, Headers, SchemeError, json, msgpack, thrift};

/// A whole answer, be it content or an error of the application's own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Response {
    /// Ok or application error. Source: spec/protocol/call.md, "call res".
    pub code: ResponseCode,
    /// Transport headers.
    pub headers: TransportHeaders,
    /// Application headers, encoded as the arg scheme says.
    pub arg2: Bytes,
    /// The body, encoded as the arg scheme says.
    pub arg3: Bytes,
    /// The trace it belongs to.
    pub tracing: Tracing,
    /// The peer that answered: an instance, or the router in front of it.
    pub peer: ByteString,
    /// How often the call was tried.
    pub attempts: u32,
    /// How long it took until the answer was read, all attempts together.
    pub elapsed: Duration,
}

impl Response {
    /// An answer that a layer gives by itself, such as one that it has kept. `scheme` says how its args are encoded.
    pub fn made(scheme: &str, reply: Reply) -> Self {
        let headers = TransportHeaders::from_pairs([(header_key::ARG_SCHEME, scheme)]);
        Self {
            code: reply.code(),
            headers: headers.unwrap_or_default(),
            arg2: reply.arg2,
            arg3: reply.arg3,
            tracing: Tracing::default(),
            peer: ByteString::new(),
            attempts: 0,
            elapsed: Duration::ZERO,
        }
    }

    /// Whether the application was content.
    pub fn is_ok(&self) -> bool {
        self.code.is_ok()
    }

    /// The arg scheme, empty when the peer did not say.
    pub fn arg_scheme(&self) -> &str {
        self.headers.get(header_key::ARG_SCHEME).unwrap_or_default()
    }

    /// The body of a json or msgpack answer as a value.
    ///
    /// # Errors
    ///
    /// [`ResponseError::Application`] when it is an application error, [`ResponseError::Scheme`] when it can
    /// not be read.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, ResponseError> {
        if !self.is_ok() {
            return Err(self.application_error());
        }
        let decoded = if self.arg_scheme() == "msgpack" {
            msgpack::decode(&self.arg3)
        } else {
            json::decode(&self.arg3)
        };
        decoded.map_err(ResponseError::Scheme)
    }

    /// The application headers of a json, msgpack or thrift answer.
    ///
    /// # Errors
    ///
    /// [`SchemeError`] when they can not be read.
    pub fn application_headers(&self) -> Result<Headers, SchemeError> {
        match self.arg_scheme() {
            "msgpack" => msgpack::decode_headers(&self.arg2),
            "thrift" => thrift::decode_headers(&self.arg2),
            _ => json::decode_headers(&self.arg2),
        }
    }

    fn application_error(&self) -> ResponseError {
        let body: Result<ErrorBody, _> = if self.arg_scheme() == "msgpack" {
            msgpack::decode(&self.arg3)
        } else {
            json::decode(&self.arg3)
        };
        match body {
            Ok(ErrorBody { kind, message }) => ResponseError::Application { kind, message },
            Err(_) => {
                let message = String::from_utf8_lossy(&self.arg3).into_owned();
                ResponseError::Application {
                    kind: String::new(),
                    message,
                }
            }
        }
    }
}

/// Why an answer is not the value that was hoped for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// The application answered with an error of its own.
    #[error("application error {kind:?}: {message}")]
    Application {
        /// What kind of error it is, for programs; empty when the body does not say.
        kind: String,
        /// What happened, for people.
        message: String,
    },
    /// The args can not be read.
    #[error(transparent)]
    Scheme(SchemeError),
}
