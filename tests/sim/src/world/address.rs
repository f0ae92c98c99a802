//! Addresses of seats, each allocated once for all members of the process that know it.

use std::cell::RefCell;
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
        /// By seat.
        static TEXTS: RefCell<Vec<Arc<str>>> = RefCell::default();
    }
    TEXTS.with_borrow_mut(|texts| {
        let seat = seat_of(text);
        while texts.len() <= seat && seat < MOST_SEATS {
            texts.push(Arc::from(address(texts.len())));
        }
        let shared = texts.get(seat).filter(|shared| ***shared == *text);
        shared.map_or_else(|| Arc::from(text), Arc::clone)
    })
}

/// What lies beyond is no seat, whatever its address looks like.
const MOST_SEATS: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{address, intern, seat_of};

    #[test]
    fn every_address_leads_back_to_its_seat() {
        for seat in [0, 1, 255, 256, 4999, 65_535, 65_536] {
            assert_eq!(seat_of(&address(seat)), seat);
        }
    }

    #[test]
    fn those_who_know_an_address_share_it() {
        assert!(Arc::ptr_eq(
            &intern("10.0.1.2:7000"),
            &intern("10.0.1.2:7000")
        ));
        assert_eq!(*intern(""), *"");
        assert_eq!(*intern("10.0.1.2:8000"), *"10.0.1.2:8000");
        assert_eq!(*intern("10.255.255.255:7000"), *"10.255.255.255:7000");
    }
}
