//! How the args of a method are written and read, whatever the scheme.

use std::convert::Infallible;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::scheme::thrift::{Returned, Struct, Throws, Unreadable, Value};
use crate::scheme::{Headers, SchemeError, json, msgpack, sthrift, thrift};

/// The functions between the bytes of a method and its types: `A` is what it takes, `T` what it gives, or one
/// of the values where that is a stream, and `E` what it throws.
///
/// Source: spec/schemes/thrift.md, "args"; spec/schemes/sthrift.md, "args".
#[derive(Debug)]
pub struct Format<A, T, E = Infallible> {
    pub(super) scheme: &'static Scheme,
    pub(super) request: Codec<A>,
    pub(super) response: Codec<T>,
    pub(super) encode_thrown: Encode<E>,
    pub(super) decode_thrown: fn(&Bytes) -> Result<E, Unreadable>,
}

/// What the methods of a scheme have in common.
#[derive(Debug)]
pub(super) struct Scheme {
    pub(super) name: &'static str,
    /// arg2 of most calls.
    no_headers: &'static [u8],
    encode_headers: fn(&Headers) -> Result<Bytes, SchemeError>,
    decode_headers: fn(&[u8]) -> Result<Headers, SchemeError>,
}

impl Scheme {
    pub(super) fn encode_headers(&self, headers: &Headers) -> Result<Bytes, SchemeError> {
        if headers.is_empty() {
            Ok(Bytes::from_static(self.no_headers))
        } else {
            (self.encode_headers)(headers)
        }
    }

    pub(super) fn decode_headers(&self, arg2: &[u8]) -> Result<Headers, SchemeError> {
        if arg2 == self.no_headers {
            Ok(Headers::new())
        } else {
            (self.decode_headers)(arg2)
        }
    }
}

#[derive(Debug)]
pub(super) struct Codec<T> {
    pub(super) encode: Encode<T>,
    pub(super) decode: fn(&Bytes) -> Result<T, SchemeError>,
}

pub(super) type Encode<T> = fn(&T) -> Result<Bytes, SchemeError>;

impl<A: Struct, T: Returned, E: Throws> Format<A, T, E> {
    /// Thrift: the argument struct in, a result out.
    #[must_use]
    pub fn thrift() -> Self {
        Self {
            scheme: &THRIFT,
            ..Self::sthrift(Codec::arguments(), Codec::returned())
        }
    }
}

impl<A: Value, T: Returned, E: Throws> Format<A, T, E> {
    /// Thrift: a stream of the only argument in, a result out.
    #[must_use]
    pub fn sthrift_request() -> Self {
        Self::sthrift(Codec::chunk(), Codec::returned())
    }
}

impl<A: Struct, T: Value, E: Throws> Format<A, T, E> {
    /// Thrift: the argument struct in, a stream of what the method returns out.
    #[must_use]
    pub fn sthrift_response() -> Self {
        Self::sthrift(Codec::arguments(), Codec::chunk())
    }
}

impl<A: Value, T: Value, E: Throws> Format<A, T, E> {
    /// Thrift: a stream of the only argument in, a stream of what the method returns out.
    #[must_use]
    pub fn sthrift_both() -> Self {
        Self::sthrift(Codec::chunk(), Codec::chunk())
    }
}

impl<A, T> Format<A, T>
where
    A: Serialize + DeserializeOwned,
    T: Serialize + DeserializeOwned,
{
    /// MessagePack, structs as maps, for a method that throws nothing.
    #[must_use]
    pub fn msgpack() -> Self {
        Self::new(&MSGPACK, Codec::msgpack(), Codec::msgpack())
    }

    /// JSON, for a method that throws nothing.
    #[must_use]
    pub fn json() -> Self {
        Self::new(&JSON, Codec::json(), Codec::json())
    }

    fn new(scheme: &'static Scheme, request: Codec<A>, response: Codec<T>) -> Self {
        Self {
            scheme,
            request,
            response,
            encode_thrown: |never| match *never {},
            decode_thrown: |_| Err(Unreadable::Undeclared),
        }
    }
}

impl<A, T, E> Format<A, T, E>
where
    A: Serialize + DeserializeOwned,
    T: Serialize + DeserializeOwned,
    E: Serialize + DeserializeOwned,
{
    /// MessagePack, for a method that throws; arg3 is then the value that is thrown.
    #[must_use]
    pub fn msgpack_throwing() -> Self {
        Self {
            scheme: &MSGPACK,
            request: Codec::msgpack(),
            response: Codec::msgpack(),
            encode_thrown: msgpack::encode,
            decode_thrown: |arg3| Ok(msgpack::decode(arg3)?),
        }
    }

    /// JSON, for a method that throws; arg3 is then the value that is thrown.
    #[must_use]
    pub fn json_throwing() -> Self {
        Self {
            scheme: &JSON,
            request: Codec::json(),
            response: Codec::json(),
            encode_thrown: json::encode,
            decode_thrown: |arg3| Ok(json::decode(arg3)?),
        }
    }
}

impl<A, T, E: Throws> Format<A, T, E> {
    fn sthrift(request: Codec<A>, response: Codec<T>) -> Self {
        Self {
            scheme: &STHRIFT,
            request,
            response,
            encode_thrown: thrift::encode_thrown,
            decode_thrown: thrift::decode_thrown,
        }
    }
}

impl<A, T, E> Clone for Format<A, T, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A, T, E> Copy for Format<A, T, E> {}

impl<T: Value> Codec<T> {
    fn chunk() -> Self {
        Self {
            encode: sthrift::encode,
            decode: sthrift::decode,
        }
    }
}

impl<T: Struct> Codec<T> {
    fn arguments() -> Self {
        Self {
            encode: thrift::encode,
            decode: thrift::decode,
        }
    }
}

impl<T: Returned> Codec<T> {
    fn returned() -> Self {
        Self {
            encode: thrift::encode_returned,
            decode: thrift::decode_returned,
        }
    }
}

impl<T: Serialize + DeserializeOwned> Codec<T> {
    fn msgpack() -> Self {
        Self {
            encode: msgpack::encode,
            decode: |bytes| msgpack::decode(bytes),
        }
    }

    fn json() -> Self {
        Self {
            encode: json::encode,
            decode: |bytes| json::decode(bytes),
        }
    }
}

impl<T> Clone for Codec<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Codec<T> {}

static THRIFT: Scheme = Scheme {
    name: "thrift",
    no_headers: b"\0\0",
    encode_headers: thrift::encode_headers,
    decode_headers: thrift::decode_headers,
};

static STHRIFT: Scheme = Scheme {
    name: "sthrift",
    no_headers: b"\0\0",
    encode_headers: thrift::encode_headers,
    decode_headers: thrift::decode_headers,
};

static MSGPACK: Scheme = Scheme {
    name: "msgpack",
    no_headers: b"\x80",
    encode_headers: |headers| Ok(msgpack::encode_headers(headers)),
    decode_headers: msgpack::decode_headers,
};

static JSON: Scheme = Scheme {
    name: "json",
    no_headers: b"{}",
    encode_headers: |headers| Ok(json::encode_headers(headers)),
    decode_headers: json::decode_headers,
};
