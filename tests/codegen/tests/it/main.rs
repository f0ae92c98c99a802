//! Generated code at work.

mod bytes;
mod current;
mod evolution;
mod inheritance;
mod json;
mod keyvalue;
mod meta;
mod streams;
mod torture;
