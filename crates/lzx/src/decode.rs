//! The decoder: blocks, then literals and matches.

use alloc::boxed::Box;
use core::hint::select_unpredictable;

use crate::bits::BitReader;
use crate::copy::{SHORT_MATCH, copy_any, copy_exact, copy_short};
use crate::e8;
use crate::error::{Code, DecodeError};
use crate::huffman::HuffmanCode;
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

/// Bytes of output that the fast loop has before it when a round starts: for a literal and a match of [`SHORT_MATCH`] bytes.
const ROOM: usize = 24;

/// Bytes of input likewise: a round refills the reserve three times at the most, each time by up to 6 bytes, and looks at 8.
const INPUT_ROOM: usize = 20;

/// Shortest match.
const MIN_MATCH: usize = 2;

/// Block size that has a one-bit form.
const DEFAULT_BLOCK_SIZE: usize = 32768;

/// Number of repeat offsets. The slots with the same numbers stand for them.
const REPEATS: u32 = 3;

/// First slot with three or more extra bits; in aligned blocks its last three are coded.
const FIRST_ALIGNED_SLOT: u32 = 8;

/// Marks an entry of a literal, whose byte is in bits 8..16. The low bits of an entry are the number of bits to consume.
const LITERAL: u32 = 1 << 31;

/// Marks an entry of a match with a length symbol.
///
/// Of all matches the length (or what the length symbol adds to) is in bits 8..16, the slot in 17..23, and the number of extra
/// bits in 26..31. The extra bits are among those to consume, if there is no length symbol. In aligned blocks the last three of
/// them count for nothing here, if they are coded.
const LONG: u32 = 1 << 16;
const SLOT_SHIFT: u32 = 17;
const EXTRA_SHIFT: u32 = 26;

/// Entries of all symbols, without code lengths: for verbatim and for aligned blocks.
const VERBATIM_ENTRIES: [u32; MAIN_SYMBOLS] = main_entries(0);
const ALIGNED_ENTRIES: [u32; MAIN_SYMBOLS] = main_entries(CODED_BITS);
const BYTE_ENTRIES: [u32; LENGTH_SYMBOLS] = byte_entries();

/// Number of offset bits that an aligned symbol stands for.
const CODED_BITS: u32 = 3;

/// For each slot: the smallest offset less 2 (wrapping for slots of repeat offsets).
const BASES: [u32; 64] = bases();

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
        let mut repeats = Repeats(1, 1, 1);
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
        let main_entries = match kind {
            BlockKind::Aligned => &ALIGNED_ENTRIES,
            _ => &VERBATIM_ENTRIES,
        };
        let symbols = LITERALS + slots * LENGTH_HEADERS;
        reader.read(bits, main_lengths, LITERALS)?;
        reader.read(bits, &mut main_lengths[LITERALS..], symbols - LITERALS)?;
        codes
            .main
            .build(&main_lengths[..symbols], main_entries)
            .map_err(|defect| code_error(Code::Main, defect, bits))?;
        reader.read(bits, length_lengths, LENGTH_SYMBOLS)?;
        codes
            .length
            .build(&length_lengths[..LENGTH_SYMBOLS], &BYTE_ENTRIES)
            .map_err(|defect| code_error(Code::Length, defect, bits))
    }
}

impl Codes {
    /// Reads the match of `entry`, its symbol included. Needs 37 bits in the reserve; `refill` is called where that is not enough.
    ///
    /// A slot of a repeat offset gives no sensible distance. The error is a code without symbols that is used, or what `refill`
    /// returns.
    #[inline(always)]
    fn read_match<const ALIGNED: bool>(
        &self,
        bits: &mut BitReader<'_>,
        entry: u32,
        refill: impl Fn(&mut BitReader<'_>) -> Result<(), Code>,
    ) -> Result<(usize, u32), Code> {
        let mut length = usize::from(entry.to_le_bytes()[1]);
        let extra = entry >> EXTRA_SHIFT & 31;
        let mut end = entry;
        if entry & LONG != 0 {
            bits.consume(entry);
            refill(bits)?;
            let mut entry = self.length.entry(bits.index::<LENGTH_SLOTS>());
            if entry == 0 {
                let long = self.length.long_entry(bits.top16());
                entry = long.ok_or(Code::Length)?;
            }
            length += usize::from(entry.to_le_bytes()[1]);
            bits.consume(entry);
            end = extra;
        }
        let mut offset = bits.peek(end, extra);
        bits.consume(end);
        let slot = entry >> SLOT_SHIFT & 63;
        if ALIGNED && slot >= FIRST_ALIGNED_SLOT {
            let entry = self.aligned.entry(bits.index::<ALIGNED_SLOTS>());
            if entry == 0 {
                return Err(Code::Aligned);
            }
            bits.consume(entry);
            offset = (offset << CODED_BITS) + u32::from(entry.to_le_bytes()[1]);
        }
        Ok((length, BASES[slot as usize].wrapping_add(offset)))
    }
}

/// The queue of repeat offsets.
#[derive(Clone, Copy)]
struct Repeats(u32, u32, u32);

impl Repeats {
    /// Puts the distance of a match to the front. Slots below [`REPEATS`] stand for a place, whose offset is taken instead.
    #[inline(always)]
    fn resolve(&mut self, slot: u32, distance: u32) -> u32 {
        let Self(first, second, third) = *self;
        let fresh = slot >= REPEATS;
        let chosen = select_unpredictable(slot == 2, third, distance);
        let chosen = select_unpredictable(slot == 1, second, chosen);
        self.0 = select_unpredictable(slot == 0, first, chosen);
        self.1 = select_unpredictable(fresh | (slot == 1), first, second);
        let last = select_unpredictable(slot == 2, first, third);
        self.2 = select_unpredictable(fresh, second, last);
        self.0
    }
}

/// Decodes the symbols of one block into `output[position..end]`.
fn decode_symbols<const ALIGNED: bool>(
    codes: &Codes,
    bits: &mut BitReader<'_>,
    repeats: &mut Repeats,
    output: &mut [u8],
    mut position: usize,
    end: usize,
) -> Result<(), DecodeError> {
    if let Some(reached) = decode_fast::<ALIGNED>(codes, bits, repeats, output, position, end) {
        position = reached;
    }
    while position < end {
        position = decode_one::<ALIGNED>(codes, bits, repeats, output, position, end)?;
    }
    Ok(())
}

/// Decodes symbols from `position` on, and returns where it stopped: close to the end of the block or of the input.
///
/// None says that something is wrong with them. Reader and queue then stand where they stood, and [`decode_one`] finds it again.
#[inline(never)]
fn decode_fast<const ALIGNED: bool>(
    codes: &Codes,
    reader: &mut BitReader<'_>,
    queue: &mut Repeats,
    output: &mut [u8],
    mut position: usize,
    end: usize,
) -> Option<usize> {
    // Copies, which stay in registers.
    let mut bits = *reader;
    let mut repeats = *queue;
    let fast_end = end.saturating_sub(ROOM);
    if position >= fast_end || !bits.has_bytes(INPUT_ROOM) {
        return Some(position);
    }
    bits.refill_fast()?;
    let mut entry = codes.main.entry(bits.index::<MAIN_SLOTS>());
    while position < fast_end && bits.has_bytes(INPUT_ROOM) {
        if entry & LITERAL != 0 {
            bits.consume(entry);
            output[position] = entry.to_le_bytes()[1];
            entry = codes.main.entry(bits.index::<MAIN_SLOTS>());
            position += 1;
            if entry & LITERAL != 0 {
                bits.consume(entry);
                output[position] = entry.to_le_bytes()[1];
                position += 1;
                bits.refill_fast()?;
                entry = codes.main.entry(bits.index::<MAIN_SLOTS>());
                continue;
            }
        }
        if entry == 0 {
            bits.refill_fast()?;
            entry = codes.main.long_entry(bits.top16())?;
            if entry & LITERAL != 0 {
                bits.consume(entry);
                output[position] = entry.to_le_bytes()[1];
                position += 1;
                bits.refill_fast()?;
                entry = codes.main.entry(bits.index::<MAIN_SLOTS>());
                continue;
            }
        }
        let (length, distance) = codes
            .read_match::<ALIGNED>(&mut bits, entry, |bits| {
                bits.refill_fast().ok_or(Code::Length)
            })
            .ok()?;
        let distance = repeats.resolve(entry >> SLOT_SHIFT & 63, distance) as usize;
        if distance > position || length > end - position {
            return None;
        }
        bits.refill_fast()?;
        entry = codes.main.entry(bits.index::<MAIN_SLOTS>());
        if !copy_short(output, position, distance) || length > SHORT_MATCH {
            copy_any(output, position, distance, length);
        }
        position += length;
    }
    *reader = bits;
    *queue = repeats;
    Some(position)
}

/// Decodes the symbol at `position`, whatever it is, and returns the position behind it.
#[inline(never)]
fn decode_one<const ALIGNED: bool>(
    codes: &Codes,
    bits: &mut BitReader<'_>,
    repeats: &mut Repeats,
    output: &mut [u8],
    position: usize,
    end: usize,
) -> Result<usize, DecodeError> {
    bits.refill();
    let mut entry = codes.main.entry(bits.index::<MAIN_SLOTS>());
    if entry == 0 {
        let long = codes.main.long_entry(bits.top16());
        entry = long.ok_or_else(|| empty_code(Code::Main, bits.offset()))?;
    }
    if entry & LITERAL != 0 {
        bits.consume(entry);
        output[position] = entry.to_le_bytes()[1];
        return Ok(position + 1);
    }
    let (length, distance) = codes
        .read_match::<ALIGNED>(bits, entry, |bits| {
            bits.refill();
            Ok(())
        })
        .map_err(|code| empty_code(code, bits.offset()))?;
    let distance = repeats.resolve(entry >> SLOT_SHIFT & 63, distance);
    if distance as usize > position {
        return Err(DecodeError::MatchBeforeStart {
            distance,
            position,
            input: bits.offset(),
        });
    }
    if length > end - position {
        return Err(DecodeError::MatchPastBlock {
            length,
            position,
            input: bits.offset(),
        });
    }
    copy_exact(output, position, distance as usize, length);
    Ok(position + length)
}

/// Copies the contents of an uncompressed block.
fn copy_uncompressed(
    bits: &mut BitReader<'_>,
    repeats: &mut Repeats,
    output: &mut [u8],
) -> Result<(), DecodeError> {
    bits.align();
    for repeat in [&mut repeats.0, &mut repeats.1, &mut repeats.2] {
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

const fn main_entries(coded_bits: u32) -> [u32; MAIN_SYMBOLS] {
    let mut entries = [0; MAIN_SYMBOLS];
    let mut symbol = 0;
    while symbol < MAIN_SYMBOLS {
        entries[symbol] = if symbol < LITERALS {
            LITERAL | (symbol as u32) << 8
        } else {
            let header = symbol - LITERALS;
            let slot = (header / LENGTH_HEADERS) as u32;
            let mut extra = extra_bits(slot);
            if slot >= FIRST_ALIGNED_SLOT {
                extra -= coded_bits;
            }
            let length = MIN_MATCH + header % LENGTH_HEADERS;
            let end = if header % LENGTH_HEADERS == LENGTH_HEADERS - 1 {
                LONG
            } else {
                extra
            };
            end | (length as u32) << 8 | slot << SLOT_SHIFT | extra << EXTRA_SHIFT
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

const fn bases() -> [u32; 64] {
    let mut bases = [0_u32; 64];
    let mut base = 0_u32;
    let mut slot = 0;
    while slot < MAX_SLOTS {
        bases[slot] = base.wrapping_sub(2);
        base += 1 << extra_bits(slot as u32);
        slot += 1;
    }
    bases
}

/// Number of extra bits of a slot.
const fn extra_bits(slot: u32) -> u32 {
    match slot {
        0..4 => 0,
        36.. => 17,
        _ => (slot - 2) / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        CODED_BITS, EXTRA_SHIFT, FIRST_ALIGNED_SLOT, LENGTH_SYMBOLS, LITERAL, LONG, MAX_SLOTS,
        SLOT_SHIFT, bases, byte_entries, extra_bits, main_entries,
    };

    #[test]
    fn the_slots_have_every_offset_of_the_largest_window() {
        let bases = bases();
        // The first slots with offsets of 1, 2 and 3; then two slots for each number of bits.
        assert_eq!(&bases[3..10], &[1, 2, 4, 6, 10, 14, 22]);
        for slot in 3..MAX_SLOTS - 1 {
            let end = bases[slot] + (1 << extra_bits(slot as u32));
            assert_eq!(bases[slot + 1], end, "slot {slot}");
        }
        assert_eq!(bases[MAX_SLOTS - 1] + (1 << 17) + 2, 1 << 21);
    }

    #[test]
    fn main_symbols_are_a_byte_or_a_slot_and_a_length() {
        for coded in [0, CODED_BITS] {
            let entries = main_entries(coded);
            for (byte, entry) in (0..256).zip(entries) {
                assert_eq!(entry, LITERAL | byte << 8);
            }
            for (match_symbol, &entry) in (0..).zip(&entries[256..]) {
                let (slot, header) = (match_symbol / 8, match_symbol % 8);
                assert_eq!(entry >> SLOT_SHIFT & 63, slot);
                assert_eq!(entry >> 8 & 0xFF, header + 2);
                assert_eq!(entry & LONG != 0, header == 7);
                let apart = if slot < FIRST_ALIGNED_SLOT { 0 } else { coded };
                assert_eq!((entry >> EXTRA_SHIFT & 31) + apart, extra_bits(slot));
            }
        }
    }

    #[test]
    fn other_symbols_are_their_numbers() {
        let numbers = byte_entries().map(|entry| entry >> 8);
        assert!(numbers.into_iter().eq(0..LENGTH_SYMBOLS as u32));
    }
}
