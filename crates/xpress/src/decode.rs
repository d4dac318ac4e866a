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
const ROOM: usize = 40;

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
    let mut position = 0;
    loop {
        position = decode_fast(code, &mut bits, output, position);
        if position >= output.len() {
            return Ok(());
        }
        position = decode_one(code, &mut bits, output, position)?;
    }
}

/// Decodes symbols from `position` on as long as nothing out of the ordinary comes up, and returns where that is.
///
/// What it leaves to [`decode_one`]: the last bytes of input and output, codes that are not in the index, and damage.
#[inline(never)]
fn decode_fast(
    code: &HuffmanCode<SYMBOLS, SLOTS>,
    reader: &mut BitReader<'_>,
    output: &mut [u8],
    mut position: usize,
) -> usize {
    // A copy, which stays in registers.
    let mut bits = *reader;
    if !bits.refill_fast() {
        return position;
    }
    let mut entry = code.entry(bits.index::<SLOTS>());
    let fast_end = output.len().saturating_sub(ROOM);
    while position < fast_end {
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
                    if !bits.refill_fast() {
                        break;
                    }
                    entry = code.entry(bits.index::<SLOTS>());
                    continue;
                }
            }
        }
        let (length, distance);
        if entry & SHORT != 0 {
            length = usize::from(entry.to_le_bytes()[1]);
            distance = bits.peek_below_one(entry, entry >> OFFSET_SHIFT);
            if distance > position {
                break;
            }
            bits.consume(entry);
        } else {
            if entry == 0 {
                break;
            }
            let mut after = bits;
            (length, distance) = read_long_match(&mut after, entry);
            if distance > position || length > output.len() - position {
                break;
            }
            bits = after;
        }
        let more = bits.refill_fast();
        entry = code.entry(bits.index::<SLOTS>());
        if !copy_short(output, position, distance) || length > SHORT_MATCH {
            copy_any(output, position, distance, length);
        }
        position += length;
        if !more {
            break;
        }
    }
    *reader = bits;
    position
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
    let (length, distance) = if entry & SHORT != 0 {
        let distance = bits.peek_below_one(entry, entry >> OFFSET_SHIFT);
        bits.consume(entry);
        (entry.to_le_bytes()[1].into(), distance)
    } else {
        read_long_match(bits, entry)
    };
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

/// Reads a match that is not short. Needs 31 bits in the reserve.
#[inline(always)]
fn read_long_match(bits: &mut BitReader<'_>, entry: u32) -> (usize, usize) {
    bits.consume(entry);
    let mut length = usize::from(entry.to_le_bytes()[1]);
    if length == 0 {
        length = bits.extra_length() + MIN_MATCH;
    }
    let offset_bits = entry >> OFFSET_SHIFT;
    let distance = bits.peek_below_one(offset_bits, offset_bits);
    bits.consume(offset_bits);
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
