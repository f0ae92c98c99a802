//! Promises of this crate as functions of bytes: they panic when one is broken.
//!
//! Property tests and fuzz targets call the same functions, so what one finds the other repeats.

pub(crate) mod input;
pub(crate) mod message;
pub(crate) mod operations;
pub(crate) mod reassembly;
pub(crate) mod router;
pub(crate) mod stream;
pub(crate) mod transfer;
pub(crate) mod world;
