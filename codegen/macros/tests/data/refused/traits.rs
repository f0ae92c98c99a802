//! Traits with more in them than methods, and what is no trait.

use tchannel_macros::service;

#[service]
trait Items {
    type Key;
    const MOST: usize;
    helper!();
}

#[service]
trait Generic<T> {}

#[service]
trait Bounded where Self: Clone {}

#[service]
struct Structure;

fn main() {}
