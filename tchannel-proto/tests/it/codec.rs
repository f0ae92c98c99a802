//! What is encoded is what is decoded, and no bytes panic.

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;
use tchannel_proto::{Decoder, MessageId};

use crate::drive::input::Input;
use crate::drive::{message, stream};

/// The frames of a few messages, one behind the other.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    vec(vec(any::<u8>(), 0..200), 1..8).prop_map(|choices| {
        choices
            .iter()
            .map(|bytes| message::any(&mut Input::new(bytes)))
            .flat_map(|message| message::encode(&message, MessageId(7)).into_bytes())
            .collect()
    })
}

proptest! {
    #![proptest_config(crate::config())]

    #[test]
    fn a_message_comes_out_as_it_went_in(bytes in vec(any::<u8>(), 0..2_000)) {
        message::check_round_trip(&bytes);
    }

    #[test]
    fn bytes_that_mean_nothing_never_panic(bytes in vec(any::<u8>(), 0..2_000)) {
        stream::check(&bytes);
    }

    #[test]
    fn frames_with_bytes_changed_on_the_way_never_panic(
        mut frames in frames(),
        changes in vec(any::<(prop::sample::Index, u8)>(), 0..4),
    ) {
        for (at, byte) in changes {
            let at = at.index(frames.len());
            frames[at] = byte;
        }
        stream::check(&frames);
    }

    #[test]
    fn a_stream_gives_the_same_frames_however_it_is_cut(
        frames in frames(),
        cuts in vec(1..100_usize, 1..20),
    ) {
        let mut decoder = Decoder::new();
        let mut out = BytesMut::new();
        let mut rest = &frames[..];
        for cut in cuts.iter().cycle() {
            let (piece, later) = rest.split_at((*cut).min(rest.len()));
            decoder.buffer_mut().extend_from_slice(piece);
            while let Some(frame) = decoder.next_frame().expect("these are whole frames") {
                out.extend_from_slice(frame.as_bytes());
            }
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(&out[..], &frames[..]);
        prop_assert_eq!(decoder.missing(), 16);
    }
}
