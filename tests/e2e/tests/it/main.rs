//! Real processes, real sockets: what operators do and what happens to them.

mod load;
mod scenarios;
