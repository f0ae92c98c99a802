//! Args survive being cut into frames, whatever their sizes.

use proptest::collection::vec;
use proptest::prelude::*;
use tchannel_proto::ChecksumType;

use crate::drive::reassembly::{Args, CHECKSUM_TYPES, check_any_frames, check_round_trip};

fn checksum_type() -> impl Strategy<Value = ChecksumType> {
    prop::sample::select(&CHECKSUM_TYPES[..])
}

fn small_args() -> impl Strategy<Value = Args> {
    let arg = || vec(any::<u8>(), 0..400);
    (vec(any::<u8>(), 0..20), arg(), arg()).prop_map(|(arg1, arg2, arg3)| Args { arg1, arg2, arg3 })
}

/// Sizes around the edge of a full frame, where an arg ends with little or no room behind it.
fn args_near_the_edge() -> impl Strategy<Value = Args> {
    let of_size = |size| std::iter::repeat_n(b'x', size).collect::<Vec<u8>>();
    let arg = move || {
        prop_oneof![0..4_usize, 65_400..65_540_usize, 131_000..131_100_usize].prop_map(of_size)
    };
    (
        prop_oneof![0..4_usize, Just(16_384)].prop_map(of_size),
        arg(),
        arg(),
    )
        .prop_map(|(arg1, arg2, arg3)| Args { arg1, arg2, arg3 })
}

proptest! {
    #![proptest_config(crate::config())]

    #[test]
    fn args_come_out_as_they_went_in_however_they_are_cut(
        args in small_args(),
        step in 1..500_usize,
        frame_size_max in 100..200_usize,
        checksum_type in checksum_type(),
    ) {
        check_round_trip(&args, step, frame_size_max, checksum_type);
    }

    #[test]
    fn args_that_end_near_the_edge_of_a_frame_come_out_whole(
        args in args_near_the_edge(),
        step in prop_oneof![60_000..70_000_usize, Just(1 << 20)],
        checksum_type in checksum_type(),
    ) {
        check_round_trip(&args, step, 65_535, checksum_type);
    }

    #[test]
    fn frames_that_nobody_would_send_never_panic_and_never_break_the_order_of_args(
        bytes in vec(any::<u8>(), 0..2_000),
    ) {
        check_any_frames(&bytes);
    }
}
