//! What the mesh says of itself: `hyperbahn members`, `exits`, `instances` and `services`.
//!
//! Each asks one router, which asks the others where it must, and shows the answer: to people as a table
//! with what is off below it, to programs as one JSON document.

mod ask;
mod connections;
pub(crate) mod exits;
pub(crate) mod instances;
pub(crate) mod members;
pub(crate) mod services;

use super::table::Table;

pub(crate) use ask::AskArgs;

/// "1 instance", "2 instances".
fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// A router that should have said what it knows and did not.
fn note_silent(table: &mut Table, router: &str, reason: &str) {
    table.note(format_args!("{router} did not answer: {reason}"));
}

/// A router that knows fewer instances of a service than others do.
fn note_behind(table: &mut Table, router: &str, known: usize, total: usize, service: &str) {
    let total = count(total, "instance");
    table.note(format_args!(
        "{router} knows {known} of {total} of {service}: it learns of the rest when they next advertise, \
         within about 3 minutes"
    ));
}
