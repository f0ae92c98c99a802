//! Generated code at work.

mod bytes;
mod constants;
mod current;
mod evolution;
mod greeter;
mod inheritance;
mod json;
mod keyvalue;
mod meta;
mod streams;
mod torture;
mod traits;
