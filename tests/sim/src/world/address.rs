//! Addresses of seats, each allocated once for all members of the process that know it.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

/// The address of a seat.
pub(super) fn address(seat: usize) -> String {
    format!(
        "10.{}.{}.{}:7000",
        seat >> 16,
        seat >> 8 & 0xff,
        seat & 0xff
    )
}

/// The seat of an address.
pub(super) fn seat_of(address: &str) -> usize {
    let mut seat = 0;
    let mut part = 0;
    for byte in address.bytes().skip("10.".len()) {
        match byte {
            b'0'..=b'9' => part = part * 10 + usize::from(byte - b'0'),
            b'.' => (seat, part) = (seat << 8 | part, 0),
            _ => break,
        }
    }
    seat << 8 | part
}

/// The one allocation of this text in this thread.
pub(super) fn intern(text: &str) -> Arc<str> {
    thread_local! {
        static TEXTS: RefCell<HashSet<Arc<str>>> = RefCell::default();
    }
    TEXTS.with_borrow_mut(|texts| {
        texts.get(text).cloned().unwrap_or_else(|| {
            let shared: Arc<str> = Arc::from(text);
            texts.insert(shared.clone());
            shared
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{address, seat_of};

    #[test]
    fn every_address_leads_back_to_its_seat() {
        for seat in [0, 1, 255, 256, 4999, 65_535, 65_536] {
            assert_eq!(seat_of(&address(seat)), seat);
        }
    }
}
