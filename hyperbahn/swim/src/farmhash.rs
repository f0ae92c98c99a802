//! FarmHash fingerprint32, of which the membership checksum is made.
//!
//! Four recipes by length, all made of one step that mixes a word into a state. Arithmetic wraps. Written
//! out here, since crates of floor 1 do not depend on each other.
//!
//! Source: spec/ringpop/checksum.md, "hash".

use std::num::Wrapping;

type Word = Wrapping<u32>;

/// The fingerprint of `bytes`, the same on every machine.
pub(crate) fn fingerprint32(bytes: &[u8]) -> u32 {
    let hash = match bytes.len() {
        0..=4 => up_to_4(bytes),
        5..=12 => up_to_12(bytes),
        13..=24 => up_to_24(bytes),
        _ => longer(bytes),
    };
    hash.0
}

fn up_to_4(bytes: &[u8]) -> Word {
    let (mut sum, mut mask) = (Wrapping(0), Wrapping(9));
    for byte in bytes {
        // Sign-extended, as the peers do it.
        sum = sum * SCRAMBLE + Wrapping(i32::from(byte.cast_signed()).cast_unsigned());
        mask ^= sum;
    }
    avalanche(mix(sum, mix(length(bytes), mask)))
}

fn up_to_12(bytes: &[u8]) -> Word {
    let n = bytes.len();
    let five = length(bytes) * Wrapping(5);
    let first = length(bytes) + word(bytes, 0);
    let last = five + word(bytes, n - 4);
    let middle = Wrapping(9) + word(bytes, (n / 2) & 4);
    avalanche(mix(middle, mix(last, mix(first, five))))
}

fn up_to_24(bytes: &[u8]) -> Word {
    let n = bytes.len();
    let words = [n / 2 - 4, 4, n - 8, n / 2, 0, n - 4].map(|at| word(bytes, at));
    let [low_middle, second, second_last, middle, first, last] = words;
    let mut side = rotate(low_middle, 12) + last;
    let mut state = mix(second_last, middle * SCRAMBLE + length(bytes)) + side;
    side = rotate(side, 3) + second_last;
    state = mix(first, state) + side;
    side = rotate(side + last, 12) + middle;
    avalanche(mix(second, state) + side)
}

/// Twenty bytes at a time into three states, which start from the last twenty.
fn longer(bytes: &[u8]) -> Word {
    let n = bytes.len();
    let tail = |back| scramble(word(bytes, n - back));
    let mut h = fold(fold(length(bytes), tail(4)), tail(16));
    let mut g = fold(fold(length(bytes) * SCRAMBLE, tail(8)), tail(12));
    let mut f = rotate(length(bytes) * SCRAMBLE + tail(20), 19) + Wrapping(113);
    for block in bytes[..n - 1].chunks_exact(20) {
        let [a, b, c, d, e] = [0, 4, 8, 12, 16].map(|at| word(block, at));
        h = mix(d, h + a) + e;
        g = mix(c, g + b) + a;
        f = mix(b + e * SCRAMBLE, f + c) + d;
        f += g;
        g += f;
    }
    let stir = |word| rotate(rotate(word, 11) * SCRAMBLE, 17) * SCRAMBLE;
    let fold_in = |state, word| rotate(spread(rotate(state + word, 19)), 17) * SCRAMBLE;
    fold_in(fold_in(h, stir(g)), stir(f))
}

/// One word into the state.
fn mix(word: Word, state: Word) -> Word {
    fold(state, scramble(word))
}

fn fold(state: Word, scrambled: Word) -> Word {
    spread(rotate(state ^ scrambled, 19))
}

fn spread(state: Word) -> Word {
    state * Wrapping(5) + Wrapping(0xe654_6b64)
}

fn scramble(word: Word) -> Word {
    rotate(word * SCRAMBLE, 17) * Wrapping(0x1b87_3593)
}

/// Every bit of the state into every bit of the result.
fn avalanche(mut state: Word) -> Word {
    state ^= state >> 16;
    state *= Wrapping(0x85eb_ca6b);
    state ^= state >> 13;
    state *= Wrapping(0xc2b2_ae35);
    state ^ state >> 16
}

fn rotate(word: Word, right: u32) -> Word {
    Wrapping(word.0.rotate_right(right))
}

fn length(bytes: &[u8]) -> Word {
    Wrapping(bytes.len() as u32)
}

/// The four bytes at `at`, little-endian.
fn word(bytes: &[u8], at: usize) -> Word {
    let bytes = bytes[at..]
        .first_chunk()
        .expect("each recipe stays within its lengths");
    Wrapping(u32::from_le_bytes(*bytes))
}

const SCRAMBLE: Word = Wrapping(0xcc9e_2d51);

#[cfg(test)]
mod tests {
    use super::fingerprint32;

    // Debug builds check for overflow; of the recorded inputs too few are large enough to provoke it.
    #[test]
    fn no_length_and_no_bytes_overflow() {
        for byte in [0x00, 0x7f, 0x80, 0xff] {
            for size in 0..200 {
                fingerprint32(&vec![byte; size]);
            }
        }
    }
}
