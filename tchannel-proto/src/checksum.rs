//! Checksums over args: four types, and how the value runs on from frame to frame.
//!
//! For CRC-32 and CRC-32C the value in a frame covers every arg byte of the message so far. Farmhash is
//! what deployed Node peers make of it: the fingerprint of the last chunk of the frame, nothing chained.
//!
//! Source: spec/protocol/checksums.md, "chaining".

use bytes::BufMut;
use crc_fast::{CrcAlgorithm, Digest, crc32_iscsi};
use tchannel_farmhash::fingerprint32;

use crate::cursor::{DecodeError, Reader};

/// Which checksum a message carries. Source: spec/protocol/checksums.md, "types".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ChecksumType {
    /// No checksum, no bytes.
    None = 0,
    /// IEEE CRC-32.
    Crc32 = 1,
    /// Farmhash fingerprint32; only Node peers understand it.
    Farmhash = 2,
    /// CRC-32C, Castagnoli. The default: every peer that verifies at all verifies this.
    #[default]
    Crc32c = 3,
}

impl ChecksumType {
    /// The type for the byte on the wire, if there is one.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::None,
            1 => Self::Crc32,
            2 => Self::Farmhash,
            3 => Self::Crc32c,
            _ => return None,
        })
    }

    /// Bytes of the value on the wire.
    pub fn value_size(self) -> usize {
        if self == Self::None { 0 } else { 4 }
    }
}

/// A checksum as it stands in a frame; the value of type `None` is 0 and takes no bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checksum {
    /// Its type.
    pub checksum_type: ChecksumType,
    /// Its value.
    pub value: u32,
}

impl Checksum {
    pub(crate) fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        let byte = reader.u8("checksum type")?;
        let checksum_type =
            ChecksumType::from_byte(byte).ok_or(DecodeError::ChecksumType { value: byte })?;
        let value = if checksum_type == ChecksumType::None {
            0
        } else {
            reader.u32("checksum")?
        };
        Ok(Self {
            checksum_type,
            value,
        })
    }

    pub(crate) fn encode(self, out: &mut impl BufMut) {
        out.put_u8(self.checksum_type as u8);
        if self.checksum_type != ChecksumType::None {
            out.put_u32(self.value);
        }
    }
}

/// The checksum of a message under way.
#[derive(Clone, Copy, Debug)]
pub struct RunningChecksum {
    checksum: Checksum,
}

impl RunningChecksum {
    /// Before the first chunk.
    pub fn new(checksum_type: ChecksumType) -> Self {
        Self {
            checksum: Checksum {
                checksum_type,
                value: 0,
            },
        }
    }

    /// Takes in the next chunk of a frame, in order.
    #[inline]
    pub fn update(&mut self, chunk: &[u8]) {
        let value = &mut self.checksum.value;
        match self.checksum.checksum_type {
            ChecksumType::None => {}
            ChecksumType::Crc32 | ChecksumType::Crc32c if chunk.is_empty() => {}
            ChecksumType::Crc32 => *value = crc32(*value, chunk),
            ChecksumType::Farmhash => *value = fingerprint32(chunk),
            ChecksumType::Crc32c => *value = crc32c(*value, chunk),
        }
    }

    /// What the frame that ends here carries.
    pub fn checksum(&self) -> Checksum {
        self.checksum
    }
}

// Each of these is a function of its own, so that none has to make room on the stack for what another one needs.

#[inline(never)]
fn crc32(value: u32, chunk: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(value);
    hasher.update(chunk);
    hasher.finalize()
}

/// CRC-32C of what `value` covers and `chunk` behind it.
fn crc32c(value: u32, chunk: &[u8]) -> u32 {
    match chunk.len() {
        // Its state and tables are not worth copying where nothing came before.
        _ if value == 0 => crc32c_of_one(chunk),
        0..=FEW => crc32c_of_few(value, chunk),
        _ => crc32c_of_many(value, chunk),
    }
}

#[inline(never)]
fn crc32c_of_one(chunk: &[u8]) -> u32 {
    crc32_iscsi(chunk)
}

#[inline(never)]
fn crc32c_of_many(value: u32, chunk: &[u8]) -> u32 {
    let state = u64::from(!value);
    let mut digest = Digest::new_with_init_state(CrcAlgorithm::Crc32Iscsi, state);
    digest.update(chunk);
    digest.finalize() as u32
}

/// The same for up to [`FEW`] bytes, for which setting up the other takes longer than the rest of it.
///
/// Whether a state is there to begin with or comes with the first four bytes is all the same. What of it fewer bytes do
/// not reach moves down by as many.
#[inline(never)]
fn crc32c_of_few(value: u32, chunk: &[u8]) -> u32 {
    let mut bytes = [0; FEW];
    bytes[..chunk.len()].copy_from_slice(chunk);
    let [a, b, c, d, ..] = &mut bytes;
    let [e, f, g, h] = value.to_le_bytes();
    (*a, *b, *c, *d) = (*a ^ e, *b ^ f, *c ^ g, *d ^ h);
    let unreached = value.checked_shr(8 * chunk.len() as u32).unwrap_or(0);
    crc32c_of_one(&bytes[..chunk.len()]) ^ unreached
}

/// So few bytes are copied rather than the state and tables of a digest.
const FEW: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_goes_on_over_chunks_of_any_size_as_if_they_were_one() {
        let bytes: Vec<u8> = (0..400_u16).map(|n| (n * 7 % 251) as u8).collect();
        let whole = crc32_iscsi(&bytes);
        for size in (1..=9).chain([FEW - 1, FEW, FEW + 1]) {
            let mut running = RunningChecksum::new(ChecksumType::Crc32c);
            bytes.chunks(size).for_each(|chunk| running.update(chunk));
            assert_eq!(running.checksum().value, whole, "chunks of {size} bytes");
        }
    }
}
