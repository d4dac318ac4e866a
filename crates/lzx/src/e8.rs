//! The E8 filter: call targets of x86 code, made relative again.
//!
//! The encoder turned the operand of every byte E8 from relative to absolute, as if the chunk were the start of a file of
//! 12,000,000 bytes. There is no flag: it is on for every compressed chunk of a WIM, and it is never switched off.

/// The file size that the filter assumes.
const FILE_SIZE: i32 = 12_000_000;

/// An E8 byte this close to the end is not touched.
const TAIL: usize = 10;

/// Every byte of a word set to E8.
const E8_BYTES: u64 = 0xE8E8_E8E8_E8E8_E8E8;

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Undoes the filter on a whole chunk.
pub(crate) fn undo(chunk: &mut [u8]) {
    let Some(end) = chunk.len().checked_sub(TAIL) else {
        return;
    };
    let mut position = 0;
    while let Some(found) = find(chunk, position, end) {
        if let Some(operand) = chunk
            .get_mut(found + 1..)
            .and_then(|bytes| bytes.first_chunk_mut::<4>())
        {
            let place = found as i32;
            let value = i32::from_le_bytes(*operand);
            if (0..FILE_SIZE).contains(&value) {
                *operand = (value - place).to_le_bytes();
            } else if (-place..0).contains(&value) {
                *operand = (value + FILE_SIZE).to_le_bytes();
            }
        }
        position = found + 5;
    }
}

/// Position of the first E8 in `start..end`. `end` is at least 8 bytes before the end of `chunk`.
#[inline(always)]
fn find(chunk: &[u8], start: usize, end: usize) -> Option<usize> {
    let mut position = start;
    while position < end {
        let word = u64::from_le_bytes(*chunk.get(position..)?.first_chunk::<8>()?) ^ E8_BYTES;
        // The lowest bit that stands here is the top bit of the first zero byte.
        let zeros = word.wrapping_sub(LOW_BITS) & !word & HIGH_BITS;
        if zeros != 0 {
            let found = position + (zeros.trailing_zeros() / 8) as usize;
            return (found < end).then_some(found);
        }
        position += 8;
    }
    None
}
