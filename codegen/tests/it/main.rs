//! What becomes of Thrift files: the code, and the complaints.

mod command;
mod complaints;
mod never_panics;
mod snapshots;
