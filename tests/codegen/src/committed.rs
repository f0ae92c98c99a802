//! The snapshots of `tchannel-codegen`, as if they had been committed here.

#[allow(dead_code, missing_docs, unreachable_pub, clippy::all)]
#[path = "../../../codegen/tests/data/keyvalue.rs"]
pub mod keyvalue;

#[allow(dead_code, missing_docs, unreachable_pub, clippy::all)]
#[path = "../../../codegen/tests/data/shared.rs"]
pub mod shared;

#[allow(dead_code, missing_docs, unreachable_pub, clippy::all)]
#[path = "../../../codegen/tests/data/streams.rs"]
pub mod streams;

#[allow(dead_code, missing_docs, unreachable_pub, clippy::all)]
#[path = "../../../codegen/tests/data/torture.rs"]
pub mod torture;

#[allow(dead_code, missing_docs, unreachable_pub, clippy::all)]
#[path = "../../../codegen/tests/data/with_serde.rs"]
pub mod with_serde;
