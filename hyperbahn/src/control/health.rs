//! `health_v1`, `Meta::health` and `Meta::versionInfo`: the router says that it runs, and what it is.
//!
//! Source: spec/hyperbahn/api.md, "health".

use tchannel_rt::scheme::thrift::Type;

use super::answer::Answer;
use super::json;
use super::read::{Command, Request};
use super::thrift;
use crate::routing::OwnService;

/// Takes any body: whoever asks, after the process or after its readiness for traffic, gets the
/// same answer.
pub(super) fn read(request: &Request<'_>) -> Result<Command, Answer> {
    Ok(Command::MetaHealth(request.service))
}

pub(super) fn answer() -> Answer {
    json::ok(&hello(OwnService::Autobahn))
}

pub(super) fn answer_meta(own: OwnService) -> Answer {
    Answer::Ok(thrift::body(|writer| {
        writer.write_field(Type::Struct, 0);
        writer.write_field(Type::Bool, 1);
        writer.write_bool(true);
        writer.write_field(Type::String, 2);
        writer.write_string(&hello(own));
        writer.write_stop();
        writer.write_stop();
    }))
}

pub(super) fn answer_version() -> Answer {
    const VERSION: [&str; 3] = [
        "rust",
        env!("CARGO_PKG_RUST_VERSION"),
        env!("CARGO_PKG_VERSION"),
    ];
    Answer::Ok(thrift::body(|writer| {
        writer.write_field(Type::Struct, 0);
        for (id, value) in (1..).zip(VERSION) {
            writer.write_field(Type::String, id);
            writer.write_string(value);
        }
        writer.write_stop();
        writer.write_stop();
    }))
}

fn hello(own: OwnService) -> String {
    format!("hello from {}\n", own.name())
}
