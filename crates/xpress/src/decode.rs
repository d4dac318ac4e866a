//! The decoder: code lengths, then literals and matches.

use alloc::boxed::Box;

use crate::bits::BitReader;
use crate::copy::{SLACK, copy_exact, copy_wide};
use crate::error::DecodeError;
use crate::huffman::{Defect, HuffmanCode, code_length};

/// Largest chunk in bytes, after decoding.
pub const MAX_CHUNK_SIZE: usize = 1 << 16;

/// Number of symbols: 256 literals, 256 pairs of match length and offset size.
const SYMBOLS: usize = 512;

/// Bytes of code lengths at the start of a chunk.
const LENGTHS_SIZE: usize = SYMBOLS / 2;

/// Size of the look-up table, for codes up to 11 bits.
const SLOTS: usize = 1 << 11;

/// Literals that the fast loop takes from one refill: with codes of 11 bits or less they use 44 of 48 bits.
const LITERALS_PER_REFILL: usize = 4;

/// Matches of this length and more are copied by the library's own routines.
const LONG_MATCH: usize = 128;

/// Length nibble that is followed by length bytes.
const LENGTH_ESCAPE: u32 = 15;

/// Shortest match.
const MIN_MATCH: usize = 3;

/// Marks an entry of a literal, whose byte is in bits 8..16.
const LITERAL: u32 = 1 << 31;

/// Marks an entry of a match without length bytes: its length is in bits 8..16.
const SHORT: u32 = 1 << 30;

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

    // While this much room is left, literals and short matches need no check of their own.
    let fast_end = output
        .len()
        .saturating_sub(LONG_MATCH + SLACK + LITERALS_PER_REFILL);
    bits.refill();
    let mut entry = code.entry(bits.index::<SLOTS>());
    while position < fast_end {
        // Two literals and a match whose code is in the index take 48 bits at the most.
        if entry & LITERAL != 0 {
            bits.consume(entry);
            output[position] = literal(entry);
            position += 1;
            entry = code.entry(bits.index::<SLOTS>());
            if entry & LITERAL != 0 {
                bits.consume(entry);
                output[position] = literal(entry);
                position += 1;
                entry = code.entry(bits.index::<SLOTS>());
                if entry & LITERAL != 0 {
                    bits.consume(entry);
                    output[position] = literal(entry);
                    position += 1;
                    bits.refill();
                    entry = code.entry(bits.index::<SLOTS>());
                    continue;
                }
            }
        }
        let (length, distance);
        if entry & SHORT != 0 {
            length = (entry >> 8 & 0xFF) as usize;
            distance = bits.distance(entry);
            bits.consume(entry);
        } else {
            bits.refill();
            if entry == 0 {
                entry = code
                    .long_entry(bits.top16())
                    .ok_or(DecodeError::EmptyCode)?;
            }
            if entry & LITERAL != 0 {
                bits.consume(entry);
                output[position] = literal(entry);
                position += 1;
                bits.refill();
                entry = code.entry(bits.index::<SLOTS>());
                continue;
            }
            (length, distance) = read_match(&mut bits, entry);
        }
        bits.refill();
        entry = code.entry(bits.index::<SLOTS>());
        if distance > position {
            return Err(before_start(&bits, distance, position));
        }
        if length < LONG_MATCH {
            if !copy_wide(output, position, distance, length) {
                return Err(past_end(&bits, length, position));
            }
        } else {
            if length > output.len() - position {
                return Err(past_end(&bits, length, position));
            }
            copy_exact(output, position, distance, length);
        }
        position += length;
    }

    while position < output.len() {
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
            position += 1;
            continue;
        }
        let (length, distance) = read_match(&mut bits, entry);
        if distance > position {
            return Err(before_start(&bits, distance, position));
        }
        if length > output.len() - position {
            return Err(past_end(&bits, length, position));
        }
        copy_exact(output, position, distance, length);
        position += length;
    }
    Ok(())
}

/// Reads a match: its symbol, length bytes and distance. Needs 30 bits in the reserve.
#[inline(always)]
fn read_match(bits: &mut BitReader<'_>, entry: u32) -> (usize, usize) {
    if entry & SHORT != 0 {
        let distance = bits.distance(entry);
        bits.consume(entry);
        return ((entry >> 8 & 0xFF) as usize, distance);
    }
    bits.consume(code_length(entry));
    let length = bits.extra_length();
    let offset_bits = entry >> 16 & 15;
    let distance = 1 << offset_bits | bits.take(offset_bits);
    (length + MIN_MATCH, distance as usize)
}

#[inline(always)]
fn literal(entry: u32) -> u8 {
    entry.to_le_bytes()[1]
}

#[cold]
fn before_start(bits: &BitReader<'_>, distance: usize, position: usize) -> DecodeError {
    DecodeError::MatchBeforeStart {
        distance,
        position,
        input: bits.offset(),
    }
}

#[cold]
fn past_end(bits: &BitReader<'_>, length: usize, position: usize) -> DecodeError {
    DecodeError::MatchPastEnd {
        length,
        position,
        input: bits.offset(),
    }
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
            let length = number & 15;
            if length == LENGTH_ESCAPE {
                offset_bits << 16
            } else {
                SHORT | offset_bits | (length + MIN_MATCH as u32) << 8 | offset_bits << 16
            }
        };
        symbol += 1;
    }
    entries
}
