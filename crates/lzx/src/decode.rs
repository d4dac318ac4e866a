//! The decoder: blocks, then literals and matches.

use alloc::boxed::Box;

use crate::bits::BitReader;
use crate::copy::{SLACK, copy_exact, copy_wide};
use crate::e8;
use crate::error::{Code, DecodeError};
use crate::huffman::{HuffmanCode, code_length};
use crate::lengths::{LengthReader, OVERRUN, code_error, empty_code};
use crate::window::WindowSize;

/// Number of literal symbols in the main code; match symbols follow.
const LITERALS: usize = 256;

/// Largest number of offset slots.
const MAX_SLOTS: usize = 50;

/// Match symbols for each slot: one for each length header.
const LENGTH_HEADERS: usize = 8;

/// Largest number of symbols in the main code.
const MAIN_SYMBOLS: usize = LITERALS + MAX_SLOTS * LENGTH_HEADERS;

/// Number of symbols in the length code.
const LENGTH_SYMBOLS: usize = 249;

/// Number of symbols in the aligned offset code.
const ALIGNED_SYMBOLS: usize = 8;

/// Sizes of the look-up tables: for codes up to 11, 10 and (all that exist) 7 bits.
const MAIN_SLOTS: usize = 1 << 11;
const LENGTH_SLOTS: usize = 1 << 10;
const ALIGNED_SLOTS: usize = 1 << 7;

/// Literals that the fast loop takes from one refill: with codes of 11 bits or less they use 44 of 48 bits.
const LITERALS_PER_REFILL: usize = 4;

/// Shortest match, and the longest: the length code's last symbol on top of length header 7.
const MIN_MATCH: usize = 2;
const MAX_MATCH: usize = 257;

/// Block size that has a one-bit form.
const DEFAULT_BLOCK_SIZE: usize = 32768;

/// Number of repeat offsets. The slots with the same numbers stand for them.
const REPEATS: usize = 3;

/// First slot with three or more extra bits; in aligned blocks its last three are coded.
const FIRST_ALIGNED_SLOT: usize = 8;

/// Marks an entry of a literal, whose byte is in bits 8..16. Other entries have the match length so far in 8..16 (9 if a
/// length symbol follows), and the slot in 16..24.
const LITERAL: u32 = 1 << 31;

/// Match length that a length symbol adds to.
const LENGTH_ESCAPE: usize = MIN_MATCH + LENGTH_HEADERS - 1;

/// Entries of all symbols, without code lengths.
const MAIN_ENTRIES: [u32; MAIN_SYMBOLS] = main_entries();
const BYTE_ENTRIES: [u32; LENGTH_SYMBOLS] = byte_entries();

/// For each slot: the smallest offset less 2 (wrapping for slots of repeat offsets) and the number of extra bits.
const SLOTS: [(u32, u32); 64] = slots();

/// Decodes chunks. Holds the tables, so that they are set up once and used for many chunks.
#[derive(Clone)]
pub struct Decoder {
    window: WindowSize,
    tables: Box<Tables>,
}

#[derive(Clone)]
struct Tables {
    reader: LengthReader,
    main_lengths: [u8; MAIN_SYMBOLS + OVERRUN],
    length_lengths: [u8; LENGTH_SYMBOLS + OVERRUN],
    codes: Codes,
}

#[derive(Clone)]
struct Codes {
    main: HuffmanCode<MAIN_SYMBOLS, MAIN_SLOTS>,
    length: HuffmanCode<LENGTH_SYMBOLS, LENGTH_SLOTS>,
    aligned: HuffmanCode<ALIGNED_SYMBOLS, ALIGNED_SLOTS>,
}

/// What a block starts with.
struct Block {
    kind: BlockKind,
    size: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum BlockKind {
    Verbatim,
    Aligned,
    Uncompressed,
}

impl Decoder {
    /// Makes a decoder for chunks of up to one window.
    pub fn new(window: WindowSize) -> Self {
        Self {
            window,
            tables: Box::new(Tables {
                reader: LengthReader::new(),
                main_lengths: [0; MAIN_SYMBOLS + OVERRUN],
                length_lengths: [0; LENGTH_SYMBOLS + OVERRUN],
                codes: Codes {
                    main: HuffmanCode::new(),
                    length: HuffmanCode::new(),
                    aligned: HuffmanCode::new(),
                },
            }),
        }
    }

    /// The window this decoder was made for.
    pub fn window(&self) -> WindowSize {
        self.window
    }

    /// Decodes the compressed chunk `input` and fills `output`, whose length is the uncompressed chunk's: 1 byte to one window.
    ///
    /// The E8 filter is undone in `output`.
    ///
    /// # Errors
    /// [`DecodeError`] if the output's length is out of range or `input` is not a chunk of at least that length. The contents
    /// of `output` are then unspecified.
    pub fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<(), DecodeError> {
        if !(1..=self.window.bytes()).contains(&output.len()) {
            return Err(DecodeError::OutputSize {
                size: output.len(),
                window: self.window.bytes(),
            });
        }
        self.tables.main_lengths.fill(0);
        self.tables.length_lengths.fill(0);
        let mut bits = BitReader::new(input);
        let mut repeats = [1; REPEATS + 1];
        let mut position = 0;
        while position < output.len() {
            let block = self.read_block_header(&mut bits, output.len() - position)?;
            let end = position + block.size;
            let codes = &self.tables.codes;
            match block.kind {
                BlockKind::Verbatim => {
                    decode_symbols::<false>(codes, &mut bits, &mut repeats, output, position, end)?;
                }
                BlockKind::Aligned => {
                    decode_symbols::<true>(codes, &mut bits, &mut repeats, output, position, end)?;
                }
                BlockKind::Uncompressed => {
                    copy_uncompressed(&mut bits, &mut repeats, &mut output[position..end])?;
                }
            }
            position = end;
        }
        e8::undo(output);
        Ok(())
    }

    /// Reads what stands before a block's symbols or bytes, and makes its codes.
    fn read_block_header(
        &mut self,
        bits: &mut BitReader<'_>,
        missing: usize,
    ) -> Result<Block, DecodeError> {
        bits.refill();
        let kind = match bits.take(3) {
            1 => BlockKind::Verbatim,
            2 => BlockKind::Aligned,
            3 => BlockKind::Uncompressed,
            other => {
                return Err(DecodeError::BlockType {
                    found: other as u8,
                    input: bits.offset(),
                });
            }
        };
        let size = if bits.take(1) == 1 {
            DEFAULT_BLOCK_SIZE
        } else if self.window.bytes() >= 1 << 16 {
            bits.take(24) as usize
        } else {
            bits.take(16) as usize
        };
        if !(1..=missing).contains(&size) {
            return Err(DecodeError::BlockSize {
                size,
                missing,
                input: bits.offset(),
            });
        }
        if kind != BlockKind::Uncompressed {
            self.tables.read_codes(bits, kind, self.window.slots())?;
        }
        Ok(Block { kind, size })
    }
}

impl core::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Decoder")
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

impl Tables {
    fn read_codes(
        &mut self,
        bits: &mut BitReader<'_>,
        kind: BlockKind,
        slots: usize,
    ) -> Result<(), DecodeError> {
        let Self {
            reader,
            main_lengths,
            length_lengths,
            codes,
        } = self;
        if kind == BlockKind::Aligned {
            let mut lengths = [0; ALIGNED_SYMBOLS];
            for length in &mut lengths {
                bits.refill();
                *length = bits.take(3) as u8;
            }
            codes
                .aligned
                .build(&lengths, &BYTE_ENTRIES)
                .map_err(|defect| code_error(Code::Aligned, defect, bits))?;
        }
        let symbols = LITERALS + slots * LENGTH_HEADERS;
        reader.read(bits, main_lengths, LITERALS)?;
        reader.read(bits, &mut main_lengths[LITERALS..], symbols - LITERALS)?;
        codes
            .main
            .build(&main_lengths[..symbols], &MAIN_ENTRIES)
            .map_err(|defect| code_error(Code::Main, defect, bits))?;
        reader.read(bits, length_lengths, LENGTH_SYMBOLS)?;
        codes
            .length
            .build(&length_lengths[..LENGTH_SYMBOLS], &BYTE_ENTRIES)
            .map_err(|defect| code_error(Code::Length, defect, bits))
    }
}

impl Codes {
    /// Reads what follows a match's symbol: length and distance. Needs 48 bits in the reserve.
    #[inline(always)]
    fn read_match<const ALIGNED: bool>(
        &self,
        bits: &mut BitReader<'_>,
        repeats: &mut [u32; REPEATS + 1],
        entry: u32,
    ) -> Result<(usize, u32), DecodeError> {
        let [_, length, slot, _] = entry.to_le_bytes();
        let mut length = usize::from(length);
        let slot = usize::from(slot);
        if length == LENGTH_ESCAPE {
            let mut entry = self.length.entry(bits.index::<LENGTH_SLOTS>());
            if code_length(entry) == 0 {
                let long = self.length.long_entry(bits.top16());
                entry = long.ok_or_else(|| empty_code(Code::Length, bits))?;
            }
            bits.consume(code_length(entry));
            length += usize::from(entry.to_le_bytes()[1]);
        }
        if slot < REPEATS {
            // The chosen offset and the first change places.
            repeats.swap(0, slot);
            return Ok((length, repeats[0]));
        }
        let (base, extra) = SLOTS[slot & 63];
        let distance = if ALIGNED && slot >= FIRST_ALIGNED_SLOT {
            let high = bits.take(extra - 3) << 3;
            let entry = self.aligned.entry(bits.index::<ALIGNED_SLOTS>());
            if code_length(entry) == 0 {
                return Err(empty_code(Code::Aligned, bits));
            }
            bits.consume(code_length(entry));
            base + high + u32::from(entry.to_le_bytes()[1])
        } else {
            base + bits.take(extra)
        };
        repeats[2] = repeats[1];
        repeats[1] = repeats[0];
        repeats[0] = distance;
        Ok((length, distance))
    }
}

/// Decodes the symbols of one block into `output[start..end]`.
fn decode_symbols<const ALIGNED: bool>(
    codes: &Codes,
    reader: &mut BitReader<'_>,
    block_repeats: &mut [u32; REPEATS + 1],
    output: &mut [u8],
    start: usize,
    end: usize,
) -> Result<(), DecodeError> {
    let mut bits = *reader;
    let mut repeats = *block_repeats;
    let mut position = start;

    // While this much room is left, literals need no check of their own and matches may write over their end.
    let fast_end = end
        .min(output.len().saturating_sub(MAX_MATCH + SLACK))
        .saturating_sub(LITERALS_PER_REFILL);
    'fast: while position < fast_end {
        bits.refill();
        let mut entry = codes.main.entry(bits.index::<MAIN_SLOTS>());
        for _ in 0..LITERALS_PER_REFILL {
            if entry & LITERAL == 0 {
                if code_length(entry) == 0 {
                    bits.refill();
                    let long = codes.main.long_entry(bits.top16());
                    entry = long.ok_or_else(|| empty_code(Code::Main, &bits))?;
                    if entry & LITERAL != 0 {
                        bits.consume(code_length(entry));
                        output[position] = entry.to_le_bytes()[1];
                        position += 1;
                        continue 'fast;
                    }
                }
                bits.consume(code_length(entry));
                bits.refill();
                let (length, distance) =
                    codes.read_match::<ALIGNED>(&mut bits, &mut repeats, entry)?;
                if distance as usize > position {
                    return Err(before_start(&bits, distance, position));
                }
                if length > end - position
                    || !copy_wide(output, position, distance as usize, length)
                {
                    return Err(past_block(&bits, length, position));
                }
                position += length;
                continue 'fast;
            }
            bits.consume(code_length(entry));
            output[position] = entry.to_le_bytes()[1];
            position += 1;
            entry = codes.main.entry(bits.index::<MAIN_SLOTS>());
        }
    }

    while position < end {
        bits.refill();
        let mut entry = codes.main.entry(bits.index::<MAIN_SLOTS>());
        if code_length(entry) == 0 {
            let long = codes.main.long_entry(bits.top16());
            entry = long.ok_or_else(|| empty_code(Code::Main, &bits))?;
        }
        bits.consume(code_length(entry));
        if entry & LITERAL != 0 {
            output[position] = entry.to_le_bytes()[1];
            position += 1;
            continue;
        }
        bits.refill();
        let (length, distance) = codes.read_match::<ALIGNED>(&mut bits, &mut repeats, entry)?;
        if distance as usize > position {
            return Err(before_start(&bits, distance, position));
        }
        if length > end - position {
            return Err(past_block(&bits, length, position));
        }
        copy_exact(output, position, distance as usize, length);
        position += length;
    }
    *reader = bits;
    *block_repeats = repeats;
    Ok(())
}

/// Copies the contents of an uncompressed block.
fn copy_uncompressed(
    bits: &mut BitReader<'_>,
    repeats: &mut [u32; REPEATS + 1],
    output: &mut [u8],
) -> Result<(), DecodeError> {
    bits.align();
    for repeat in &mut repeats[..REPEATS] {
        let bytes = take_bytes(bits, 4)?;
        *repeat = bytes
            .first_chunk()
            .map_or(0, |bytes| u32::from_le_bytes(*bytes));
        if *repeat == 0 {
            return Err(DecodeError::ZeroRepeatOffset {
                input: bits.offset(),
            });
        }
    }
    output.copy_from_slice(take_bytes(bits, output.len())?);
    if output.len() % 2 == 1 {
        // The pad byte may be missing at the end of the chunk.
        bits.take_bytes(1);
    }
    Ok(())
}

fn take_bytes<'a>(bits: &mut BitReader<'a>, needed: usize) -> Result<&'a [u8], DecodeError> {
    bits.take_bytes(needed)
        .ok_or_else(|| DecodeError::UncompressedBlockCut {
            needed,
            input: bits.offset(),
        })
}

#[cold]
fn before_start(bits: &BitReader<'_>, distance: u32, position: usize) -> DecodeError {
    DecodeError::MatchBeforeStart {
        distance,
        position,
        input: bits.offset(),
    }
}

#[cold]
fn past_block(bits: &BitReader<'_>, length: usize, position: usize) -> DecodeError {
    DecodeError::MatchPastBlock {
        length,
        position,
        input: bits.offset(),
    }
}

const fn main_entries() -> [u32; MAIN_SYMBOLS] {
    let mut entries = [0; MAIN_SYMBOLS];
    let mut symbol = 0;
    while symbol < MAIN_SYMBOLS {
        entries[symbol] = if symbol < LITERALS {
            LITERAL | (symbol as u32) << 8
        } else {
            let header = symbol - LITERALS;
            ((MIN_MATCH + header % LENGTH_HEADERS) as u32) << 8
                | ((header / LENGTH_HEADERS) as u32) << 16
        };
        symbol += 1;
    }
    entries
}

const fn byte_entries() -> [u32; LENGTH_SYMBOLS] {
    let mut entries = [0; LENGTH_SYMBOLS];
    let mut symbol = 0;
    while symbol < LENGTH_SYMBOLS {
        entries[symbol] = (symbol as u32) << 8;
        symbol += 1;
    }
    entries
}

const fn slots() -> [(u32, u32); 64] {
    let mut slots = [(0_u32, 0_u32); 64];
    let mut base = 0_u32;
    let mut slot = 0;
    while slot < MAX_SLOTS {
        let extra = match slot {
            0..4 => 0,
            36.. => 17,
            _ => (slot as u32 - 2) / 2,
        };
        slots[slot] = (base.wrapping_sub(2), extra);
        base += 1 << extra;
        slot += 1;
    }
    slots
}
