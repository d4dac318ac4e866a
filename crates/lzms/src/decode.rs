//! The decoder: decisions from the forward stream, symbols from the backward one.

use alloc::boxed::Box;

use crate::batch;
use crate::batch::{Batch, Match, MatchKind};
use crate::bits::BitReader;
use crate::error::DecodeError;
use crate::huffman::AdaptiveCode;
use crate::lengths::Builder;
use crate::range::{Context, RangeDecoder};
use crate::slots::{LENGTH_SLOTS, LENGTHS, OFFSETS, Slot, offset_slots};
use crate::x86::X86Filter;

/// Largest output.
const MAX_OUTPUT: usize = 1 << 30;

/// Smallest input: the range decoder starts with four bytes.
const MIN_INPUT: usize = 4;

const LITERALS: usize = 256;
const POWERS: usize = 8;

/// Symbols between two rebuilds of a code.
const LONG_PERIOD: u32 = 1024;
const SHORT_PERIOD: u32 = 512;

/// Most bits of one symbol.
const SYMBOL_BITS: u32 = 15;

/// Sources that a kind of match remembers.
const SOURCES: usize = 4;

/// Decodes chunks. Holds the tables, so that they are set up once and used for many chunks.
#[derive(Clone)]
pub struct Decoder {
    tables: Box<Tables>,
}

#[derive(Clone)]
struct Tables {
    contexts: Contexts,
    codes: Codes,
    builder: Builder,
    batch: Batch,
    filter: X86Filter,
}

/// The kinds of decisions.
#[derive(Clone)]
struct Contexts {
    is_match: Context<16>,
    is_delta: Context<32>,
    lz: Repeats,
    delta: Repeats,
}

/// Decisions about where a match's source comes from.
#[derive(Clone)]
struct Repeats {
    is_repeat: Context<64>,
    is_later: [Context<64>; 2],
}

/// The Huffman codes.
#[derive(Clone)]
struct Codes {
    literal: AdaptiveCode<LITERALS, 1024>,
    offset: AdaptiveCode<1024, 1024>,
    length: AdaptiveCode<64, 512>,
    delta_offset: AdaptiveCode<1024, 1024>,
    power: AdaptiveCode<POWERS, 128>,
}

/// The kind of the item before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Literal,
    Lz,
    Delta,
}

impl Decoder {
    /// Makes a decoder for chunks of any size.
    pub fn new() -> Self {
        Self {
            tables: Box::new(Tables {
                contexts: Contexts {
                    is_match: Context::new(),
                    is_delta: Context::new(),
                    lz: Repeats::new(),
                    delta: Repeats::new(),
                },
                codes: Codes {
                    literal: AdaptiveCode::new(LONG_PERIOD),
                    offset: AdaptiveCode::new(LONG_PERIOD),
                    length: AdaptiveCode::new(SHORT_PERIOD),
                    delta_offset: AdaptiveCode::new(LONG_PERIOD),
                    power: AdaptiveCode::new(SHORT_PERIOD),
                },
                builder: Builder::new(),
                batch: Batch::new(),
                filter: X86Filter::new(),
            }),
        }
    }

    /// Decodes the compressed chunk `input` and fills `output`, whose length is the uncompressed chunk's: 1 byte to 1 GiB.
    ///
    /// The x86 filter is undone in `output`.
    ///
    /// # Errors
    /// [`DecodeError`] if a length is out of range or `input` is not a chunk that decodes to the output's length.
    pub fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<(), DecodeError> {
        if !(1..=MAX_OUTPUT).contains(&output.len()) {
            return Err(DecodeError::OutputSize { size: output.len() });
        }
        if input.len() < MIN_INPUT || !input.len().is_multiple_of(2) {
            return Err(DecodeError::InputSize { size: input.len() });
        }
        let tables = &mut *self.tables;
        tables.reset(output.len());
        tables.decode_items(input, output)?;
        tables.filter.undo(output);
        Ok(())
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

impl Tables {
    /// Puts all that adapts to a chunk of `size` bytes to its start.
    fn reset(&mut self, size: usize) {
        let contexts = &mut self.contexts;
        contexts.is_match.reset();
        contexts.is_delta.reset();
        contexts.lz.reset();
        contexts.delta.reset();
        let slots = offset_slots(size);
        let codes = &mut self.codes;
        codes.literal.reset(LITERALS, &mut self.builder);
        codes.offset.reset(slots, &mut self.builder);
        codes.length.reset(LENGTH_SLOTS, &mut self.builder);
        codes.delta_offset.reset(slots, &mut self.builder);
        codes.power.reset(POWERS, &mut self.builder);
    }

    fn decode_items(&mut self, input: &[u8], output: &mut [u8]) -> Result<(), DecodeError> {
        let Self {
            contexts,
            codes,
            builder,
            batch,
            ..
        } = self;
        let mut range = RangeDecoder::new(input);
        let mut bits = BitReader::new(input);
        let mut offsets = [1, 2, 3, 4];
        let mut deltas = [(0, 1), (0, 2), (0, 3), (0, 4)];
        let mut before = Kind::Literal;
        // Where the batch starts, and what its matches have added so far.
        let mut start = 0;
        while start < output.len() {
            let mut room = output.len() - start;
            let mut literals = 0;
            let mut literals_before = 0;
            let mut matches = 0;
            while matches < batch::MATCHES {
                let limit = room.min(batch::LITERALS);
                let mut is_match = false;
                while literals < limit {
                    bits.refill();
                    is_match = range.decide(&mut contexts.is_match);
                    if is_match {
                        break;
                    }
                    batch.literals[literals & (batch::LITERALS - 1)] =
                        codes.literal.decode(&mut bits, builder) as u8;
                    literals += 1;
                    before = Kind::Literal;
                }
                if !is_match {
                    break;
                }
                let position = output.len() - room + literals;
                let item = if !range.decide(&mut contexts.is_delta) {
                    let distance = if range.decide(&mut contexts.lz.is_repeat) {
                        let slot = contexts.lz.slot(&mut range);
                        move_to_front(&mut offsets, slot + usize::from(before == Kind::Lz))
                    } else {
                        let slot = codes.offset.decode(&mut bits, builder);
                        let offset = value(&mut bits, OFFSETS[slot & (OFFSETS.len() - 1)]);
                        push(&mut offsets, offset);
                        offset
                    };
                    let length = codes.length(&mut bits, builder);
                    if distance as usize > position {
                        return Err(check_overrun(
                            &range,
                            &bits,
                            position,
                            DecodeError::MatchBeforeStart {
                                distance,
                                position,
                                input: bits.offset(),
                            },
                        ));
                    }
                    before = Kind::Lz;
                    Match {
                        length,
                        distance,
                        literals: (literals - literals_before) as u16,
                        kind: MatchKind::Lz,
                    }
                } else {
                    let (power, raw_offset) = if range.decide(&mut contexts.delta.is_repeat) {
                        let slot = contexts.delta.slot(&mut range);
                        move_to_front(&mut deltas, slot + usize::from(before == Kind::Delta))
                    } else {
                        let power = codes.power.decode(&mut bits, builder) as u32;
                        let slot = codes.delta_offset.decode(&mut bits, builder);
                        bits.refill();
                        let offset = value(&mut bits, OFFSETS[slot & (OFFSETS.len() - 1)]);
                        push(&mut deltas, (power, offset));
                        (power, offset)
                    };
                    let length = codes.length(&mut bits, builder);
                    let span = 1_u64 << (power & 7);
                    let distance = u64::from(raw_offset) << (power & 7);
                    if distance + span > position as u64 {
                        return Err(check_overrun(
                            &range,
                            &bits,
                            position,
                            DecodeError::DeltaBeforeStart {
                                power,
                                raw_offset,
                                position,
                                input: bits.offset(),
                            },
                        ));
                    }
                    before = Kind::Delta;
                    Match {
                        length,
                        distance: distance as u32,
                        literals: (literals - literals_before) as u16,
                        kind: MatchKind::Delta(power as u8),
                    }
                };
                if item.length as usize > output.len() - position {
                    return Err(past_end(&range, &bits, position, item.length));
                }
                room -= item.length as usize;
                literals_before = literals;
                batch.matches[matches & (batch::MATCHES - 1)] = item;
                matches += 1;
            }
            batch.carry_out(matches, literals, output, start);
            start = output.len() - room + literals;
        }
        let position = output.len();
        if range.is_overrun() || bits.is_overrun() {
            return Err(DecodeError::InputEnded { position });
        }
        Ok(())
    }
}

impl Repeats {
    fn new() -> Self {
        Self {
            is_repeat: Context::new(),
            is_later: [Context::new(), Context::new()],
        }
    }

    fn reset(&mut self) {
        self.is_repeat.reset();
        for context in &mut self.is_later {
            context.reset();
        }
    }

    /// Which of the remembered sources is used, 0..=2.
    #[inline(always)]
    fn slot(&mut self, range: &mut RangeDecoder<'_>) -> usize {
        let [first, second] = &mut self.is_later;
        if !range.decide(first) {
            0
        } else if !range.decide(second) {
            1
        } else {
            2
        }
    }
}

impl Codes {
    /// Reads a match's length.
    #[inline(always)]
    fn length(&mut self, bits: &mut BitReader<'_>, builder: &mut Builder) -> u32 {
        if bits.available() < SYMBOL_BITS {
            bits.refill();
        }
        let slot = LENGTHS[self.length.decode(bits, builder) & (LENGTHS.len() - 1)];
        if slot.extra == 0 {
            return slot.base;
        }
        bits.refill();
        value(bits, slot)
    }
}

/// Reads the extra bits of a slot.
#[inline(always)]
fn value(bits: &mut BitReader<'_>, slot: Slot) -> u32 {
    slot.base + bits.take(slot.extra)
}

/// Puts a source in front of the others and drops the last.
#[inline(always)]
fn push<T: Copy>(sources: &mut [T; SOURCES], source: T) {
    let [first, second, third, _] = *sources;
    *sources = [source, first, second, third];
}

/// Moves the source at `place` (0..=3) to the front and returns it.
#[inline(always)]
fn move_to_front<T: Copy>(sources: &mut [T; SOURCES], place: usize) -> T {
    let [first, second, third, fourth] = *sources;
    *sources = match place {
        0 => [first, second, third, fourth],
        1 => [second, first, third, fourth],
        2 => [third, first, second, fourth],
        _ => [fourth, first, second, third],
    };
    sources[0]
}

#[cold]
fn past_end(
    range: &RangeDecoder<'_>,
    bits: &BitReader<'_>,
    position: usize,
    length: u32,
) -> DecodeError {
    check_overrun(
        range,
        bits,
        position,
        DecodeError::MatchPastEnd {
            length,
            position,
            input: bits.offset(),
        },
    )
}

/// The error that is found in what follows the input's end is that the input ended.
#[cold]
fn check_overrun(
    range: &RangeDecoder<'_>,
    bits: &BitReader<'_>,
    position: usize,
    error: DecodeError,
) -> DecodeError {
    if range.is_overrun() || bits.is_overrun() {
        DecodeError::InputEnded { position }
    } else {
        error
    }
}
