//! What becomes of Thrift files: the code, and the complaints.

mod command;
mod complaints;
mod idl;
mod never_panics;
mod snapshots;
