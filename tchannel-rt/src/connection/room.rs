//! Room to read into: as much as the traffic fills, and the same bytes again once nobody holds slices of them.

use tchannel_proto::Decoder;

/// First read buffer, in bytes; it grows to [`CHUNK_MAX`] while reads fill it.
pub(super) const CHUNK_MIN: usize = 8 * 1024;
pub(super) const CHUNK_MAX: usize = 256 * 1024;
/// A buffer that others hold slices of is replaced when it has less room than this.
const SPARE_MIN: usize = 1024;

/// Gives the buffer of `decoder` room for `chunk` bytes in all if that takes no memory. A read that finds little
/// room brings little, and has to be followed by another.
pub(super) fn make_room(decoder: &mut Decoder, chunk: usize) {
    let missing = decoder.missing();
    let buffer = decoder.buffer_mut();
    let wanted = chunk.saturating_sub(buffer.len()).max(missing);
    if buffer.try_reclaim(wanted) {
        return;
    }
    let spare = buffer.capacity() - buffer.len();
    if spare < SPARE_MIN.max(missing) {
        buffer.reserve(wanted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of sixteen bytes, with nothing in it.
    const FRAME: [u8; 16] = [0, 16, 0xD0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0];

    /// Takes in so many frames, as one read brings them.
    fn read(decoder: &mut Decoder, frames: usize) {
        make_room(decoder, CHUNK_MIN);
        (0..frames).for_each(|_| decoder.buffer_mut().extend_from_slice(&FRAME));
    }

    fn spare(decoder: &mut Decoder) -> usize {
        let buffer = decoder.buffer_mut();
        buffer.capacity() - buffer.len()
    }

    #[test]
    fn each_read_finds_all_the_room_that_earlier_frames_have_left() {
        let mut decoder = Decoder::new();
        read(&mut decoder, 300);
        let first = decoder.buffer_mut().as_ptr();
        for _ in 0..10 {
            while decoder.next_frame().expect("frames").is_some() {}
            read(&mut decoder, 300);
            assert_eq!(decoder.buffer_mut().as_ptr(), first);
        }
        while decoder.next_frame().expect("frames").is_some() {}
        decoder.buffer_mut().extend_from_slice(&FRAME[..5]);
        make_room(&mut decoder, CHUNK_MIN);
        assert!(spare(&mut decoder) >= CHUNK_MIN - 5);
    }

    #[test]
    fn while_somebody_holds_a_frame_the_rest_of_the_buffer_is_used_up() {
        let mut decoder = Decoder::new();
        read(&mut decoder, 400);
        let held = decoder.next_frame().expect("frames");
        while decoder.next_frame().expect("frames").is_some() {}
        let left = spare(&mut decoder);
        make_room(&mut decoder, CHUNK_MIN);
        assert_eq!(spare(&mut decoder), left);
        read(&mut decoder, 50);
        while decoder.next_frame().expect("frames").is_some() {}
        make_room(&mut decoder, CHUNK_MIN);
        assert!(spare(&mut decoder) >= CHUNK_MIN);
        drop(held);
    }

    #[test]
    fn a_frame_that_has_begun_gets_room_for_its_rest() {
        let mut decoder = Decoder::new();
        make_room(&mut decoder, CHUNK_MIN);
        decoder
            .buffer_mut()
            .extend_from_slice(&u16::MAX.to_be_bytes());
        make_room(&mut decoder, CHUNK_MIN);
        assert!(spare(&mut decoder) >= usize::from(u16::MAX) - 2);
    }
}
