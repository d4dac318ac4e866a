//! The decoder: code lengths, then literals and matches.

use alloc::boxed::Box;

use crate::bits::BitReader;
use crate::copy::{SHORT_MATCH, copy_any, copy_exact, copy_short};
use crate::error::DecodeError;
use crate::huffman::{Defect, HuffmanCode};

/// Largest chunk in bytes, after decoding.
pub const MAX_CHUNK_SIZE: usize = 1 << 16;

/// Number of symbols: 256 literals, 256 pairs of match length and offset size.
const SYMBOLS: usize = 512;

/// Bytes of code lengths at the start of a chunk.
const LENGTHS_SIZE: usize = SYMBOLS / 2;

/// Size of the look-up table, for codes up to 11 bits.
const SLOTS: usize = 1 << 11;

/// Bytes of output that the fast loop has before it when a round starts: for two literals and a short match.
const ROOM: usize = 24;

/// Bytes of input likewise: a round refills the reserve twice, each time by up to 6 bytes, reads 3 length bytes, and looks at 8.
const INPUT_ROOM: usize = 24;

/// Length nibble that is followed by length bytes.
const LENGTH_ESCAPE: u32 = 15;

/// Shortest match.
const MIN_MATCH: usize = 3;

/// Marks an entry of a literal, whose byte is in bits 8..16. The low bits of an entry are the number of bits to consume.
const LITERAL: u32 = 1 << 31;

/// Marks an entry of a short match. The bits of the offset are among those to consume.
///
/// Of all matches the length is in bits 8..16, where 0 means that length bytes follow, and the number of bits of the offset
/// in 27..31.
const SHORT: u32 = 1 << 16;
const OFFSET_SHIFT: u32 = 27;

/// Entries of all symbols, without code lengths.
const ENTRIES: [u32; SYMBOLS] = entries();

/// Decodes chunks. Holds the tables, so that they are set up once and used for many chunks.
#[derive(Clone)]
pub struct Decoder {
    code: Box<HuffmanCode<SYMBOLS, SLOTS>>,
}

impl Decoder {
    /// Makes a decoder.
    pub fn new() -> Self {
        Self {
            code: Box::new(HuffmanCode::new()),
        }
    }

    /// Decodes the compressed chunk `input` and fills `output`, whose length is the uncompressed chunk's: 1..=65536 bytes.
    ///
    /// # Errors
    /// [`DecodeError`] if the output's length is out of range or `input` is not a chunk of at least that length. The contents
    /// of `output` are then unspecified.
    pub fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<(), DecodeError> {
        if !(1..=MAX_CHUNK_SIZE).contains(&output.len()) {
            return Err(DecodeError::OutputSize { size: output.len() });
        }
        let Some(packed) = input.first_chunk::<LENGTHS_SIZE>() else {
            return Err(DecodeError::CodeLengthsMissing { size: input.len() });
        };
        let mut lengths = [0; SYMBOLS];
        for (pair, byte) in lengths.as_chunks_mut::<2>().0.iter_mut().zip(packed) {
            *pair = [byte & 15, byte >> 4];
        }
        self.code
            .build(&lengths, &ENTRIES)
            .map_err(|defect| match defect {
                Defect::Overfull => DecodeError::OverfullCode,
                Defect::Underfull => DecodeError::UnderfullCode,
            })?;
        decode_symbols(&self.code, BitReader::new(input, LENGTHS_SIZE), output)
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl core::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Decoder").finish_non_exhaustive()
    }
}

fn decode_symbols(
    code: &HuffmanCode<SYMBOLS, SLOTS>,
    mut bits: BitReader<'_>,
    output: &mut [u8],
) -> Result<(), DecodeError> {
    let mut position = decode_fast(code, &mut bits, output).unwrap_or(0);
    while position < output.len() {
        position = decode_one(code, &mut bits, output, position)?;
    }
    Ok(())
}

/// Decodes symbols, and returns where in the output it stopped: close to its end or that of the input.
///
/// None says that something is wrong with them. The reader then stands where it stood, and [`decode_one`] finds it again.
#[inline(never)]
fn decode_fast(
    code: &HuffmanCode<SYMBOLS, SLOTS>,
    reader: &mut BitReader<'_>,
    output: &mut [u8],
) -> Option<usize> {
    // A copy, which stays in registers.
    let mut bits = *reader;
    let mut position = 0;
    let fast_end = output.len().saturating_sub(ROOM);
    if !bits.has_bytes(INPUT_ROOM) {
        return Some(position);
    }
    bits.refill_fast()?;
    let mut entry = code.entry(bits.index::<SLOTS>());
    while position < fast_end && bits.has_bytes(INPUT_ROOM) {
        // Two literals and a match whose code is in the index take 48 bits at the most.
        if entry & LITERAL != 0 {
            bits.consume(entry);
            output[position] = literal(entry);
            entry = code.entry(bits.index::<SLOTS>());
            position += 1;
            if entry & LITERAL != 0 {
                bits.consume(entry);
                output[position] = literal(entry);
                entry = code.entry(bits.index::<SLOTS>());
                position += 1;
                if entry & LITERAL != 0 {
                    bits.consume(entry);
                    output[position] = literal(entry);
                    position += 1;
                    bits.refill_fast()?;
                    entry = code.entry(bits.index::<SLOTS>());
                    continue;
                }
            }
        }
        let (length, distance);
        if entry & SHORT != 0 {
            length = usize::from(entry.to_le_bytes()[1]);
            distance = bits.peek_below_one(entry, entry >> OFFSET_SHIFT);
            bits.consume(entry);
        } else {
            bits.refill_fast()?;
            if entry == 0 {
                entry = code.long_entry(bits.top16())?;
                if entry & LITERAL != 0 {
                    bits.consume(entry);
                    output[position] = literal(entry);
                    position += 1;
                    bits.refill_fast()?;
                    entry = code.entry(bits.index::<SLOTS>());
                    continue;
                }
            }
            (length, distance) = read_match(&mut bits, entry);
            if length > output.len() - position {
                return None;
            }
        }
        if distance > position {
            return None;
        }
        bits.refill_fast()?;
        entry = code.entry(bits.index::<SLOTS>());
        if !copy_short(output, position, distance) || length > SHORT_MATCH {
            copy_any(output, position, distance, length);
        }
        position += length;
    }
    *reader = bits;
    Some(position)
}

/// Decodes the symbol at `position`, whatever it is, and returns the position behind it.
#[inline(never)]
fn decode_one(
    code: &HuffmanCode<SYMBOLS, SLOTS>,
    bits: &mut BitReader<'_>,
    output: &mut [u8],
    position: usize,
) -> Result<usize, DecodeError> {
    bits.refill();
    let mut entry = code.entry(bits.index::<SLOTS>());
    if entry == 0 {
        entry = code
            .long_entry(bits.top16())
            .ok_or(DecodeError::EmptyCode)?;
    }
    if entry & LITERAL != 0 {
        bits.consume(entry);
        output[position] = literal(entry);
        return Ok(position + 1);
    }
    let (length, distance) = read_match(bits, entry);
    if distance > position {
        return Err(DecodeError::MatchBeforeStart {
            distance,
            position,
            input: bits.offset(),
        });
    }
    if length > output.len() - position {
        return Err(DecodeError::MatchPastEnd {
            length,
            position,
            input: bits.offset(),
        });
    }
    copy_exact(output, position, distance, length);
    Ok(position + length)
}

/// Reads the match of `entry`, its symbol included: length and distance. Needs 31 bits in the reserve.
#[inline(always)]
fn read_match(bits: &mut BitReader<'_>, entry: u32) -> (usize, usize) {
    let mut length = usize::from(entry.to_le_bytes()[1]);
    let offset_bits = entry >> OFFSET_SHIFT;
    let mut end = entry;
    if entry & SHORT == 0 {
        bits.consume(entry);
        if length == 0 {
            length = bits.extra_length() + MIN_MATCH;
        }
        end = offset_bits;
    }
    let distance = bits.peek_below_one(end, offset_bits);
    bits.consume(end);
    (length, distance)
}

#[inline(always)]
fn literal(entry: u32) -> u8 {
    entry.to_le_bytes()[1]
}

const fn entries() -> [u32; SYMBOLS] {
    let mut entries = [0; SYMBOLS];
    let mut symbol = 0;
    while symbol < SYMBOLS {
        let number = symbol as u32;
        entries[symbol] = if number < 256 {
            LITERAL | number << 8
        } else {
            let offset_bits = number >> 4 & 15;
            let length = (number & 15) + MIN_MATCH as u32;
            offset_bits << OFFSET_SHIFT
                | if length <= SHORT_MATCH as u32 {
                    SHORT | length << 8 | offset_bits
                } else if length < MIN_MATCH as u32 + LENGTH_ESCAPE {
                    length << 8
                } else {
                    0
                }
        };
        symbol += 1;
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::{LITERAL, OFFSET_SHIFT, SHORT, entries};

    #[test]
    fn symbols_are_a_byte_or_the_bits_of_an_offset_and_a_length() {
        let entries = entries();
        for (byte, entry) in (0..256).zip(entries) {
            assert_eq!(entry, LITERAL | byte << 8);
        }
        for (match_symbol, &entry) in (0..).zip(&entries[256..]) {
            let (offset_bits, nibble) = (match_symbol >> 4, match_symbol & 15);
            assert_eq!(entry >> OFFSET_SHIFT, offset_bits);
            // The last nibble says that the length follows.
            let length = if nibble == 15 { 0 } else { nibble + 3 };
            assert_eq!(entry >> 8 & 0xFF, length);
            // A short match takes its offset bits along with its symbol.
            let short = (1..=16).contains(&length);
            assert_eq!(entry & SHORT != 0, short);
            assert_eq!(entry & 63, if short { offset_bits } else { 0 });
        }
    }
}
