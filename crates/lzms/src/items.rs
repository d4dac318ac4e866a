//! Items: what the two streams say, put into batches.

use crate::batch::{self, Batch, Match, MatchKind};
use crate::bits::BitReader;
use crate::error::DecodeError;
use crate::huffman::AdaptiveCode;
use crate::lengths::Builder;
use crate::range::{Context, RangeDecoder};
use crate::slots::{LENGTH_SLOTS, LENGTHS, OFFSETS, Slot, offset_slots};

const LITERALS: usize = 256;
const POWERS: usize = 8;

/// Symbols between two rebuilds of a code.
const LONG_PERIOD: u32 = 1024;
const SHORT_PERIOD: u32 = 512;

/// Most bits of one symbol.
const SYMBOL_BITS: u32 = 15;

/// Where less than this is left of the backward stream, refills are checked one by one. An item does not need more.
const TAIL_INPUT: usize = 48;

/// Sources that a kind of match remembers.
const SOURCES: usize = 4;

/// All that adapts to a chunk's items, and the items that are not in the output yet.
#[derive(Clone)]
pub(crate) struct Items {
    contexts: Contexts,
    codes: Codes,
    builder: Builder,
    batch: Batch,
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

/// The two streams of a chunk.
#[derive(Clone, Copy)]
struct Streams<'a> {
    range: RangeDecoder<'a>,
    bits: BitReader<'a>,
}

/// What matches can repeat, the latest first.
struct Sources {
    /// Offsets in bytes.
    offsets: [u32; SOURCES],
    /// Power and offset in units of the span.
    deltas: [(u32, u32); SOURCES],
    /// A source that was used by the item before is not counted when one is repeated.
    before: Kind,
}

/// What a batch holds, and the output position behind it.
struct Filled {
    matches: usize,
    literals: usize,
    position: usize,
}

/// The kind of the item before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Literal,
    Lz,
    Delta,
}

impl Items {
    pub(crate) fn new() -> Self {
        Self {
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
        }
    }

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

    /// Decodes the items of a chunk, whose `output` has at least one byte.
    pub(crate) fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<(), DecodeError> {
        self.reset(output.len());
        let mut streams = Streams {
            range: RangeDecoder::new(input),
            bits: BitReader::new(input),
        };
        let mut sources = Sources {
            offsets: [1, 2, 3, 4],
            deltas: [(0, 1), (0, 2), (0, 3), (0, 4)],
            before: Kind::Literal,
        };
        let mut start = 0;
        while start < output.len() {
            let (streams, sources) = (&mut streams, &mut sources);
            let filled = if streams.bits.offset() >= TAIL_INPUT {
                self.fill_batch::<false>(streams, sources, start, output.len())?
            } else {
                self.fill_batch::<true>(streams, sources, start, output.len())?
            };
            self.batch
                .carry_out(filled.matches, filled.literals, output, start);
            start = filled.position;
            if streams.is_overrun() {
                return Err(DecodeError::InputEnded { position: start });
            }
        }
        Ok(())
    }

    /// Decodes items until the batch is full, the output is, or, unless `TAIL`, less than [`TAIL_INPUT`] bytes are left.
    fn fill_batch<const TAIL: bool>(
        &mut self,
        streams: &mut Streams<'_>,
        sources: &mut Sources,
        start: usize,
        size: usize,
    ) -> Result<Filled, DecodeError> {
        let Self {
            contexts,
            codes,
            builder,
            batch,
        } = self;
        let Streams {
            mut range,
            mut bits,
        } = *streams;
        let Sources {
            mut offsets,
            mut deltas,
            mut before,
        } = *sources;
        // Bytes from `start` on that are not decoded yet, or are literals of this batch.
        let mut room = size - start;
        let mut literals = 0;
        let mut literals_before = 0;
        let mut matches = 0;
        while matches < batch::MATCHES {
            let first = literals;
            let limit = room
                .min(batch::LITERALS)
                .min(literals + codes.literal.left());
            let mut is_match = false;
            while literals < limit && (TAIL || bits.offset() >= TAIL_INPUT) {
                bits.refill::<TAIL>();
                is_match = range.decide(&mut contexts.is_match);
                if is_match {
                    break;
                }
                let literal = codes.literal.decode_uncounted(&mut bits);
                batch.literals[literals & (batch::LITERALS - 1)] = literal as u8;
                literals += 1;
            }
            codes.literal.count_symbols(literals - first, builder);
            if !is_match {
                if literals == limit && literals < room.min(batch::LITERALS) {
                    continue;
                }
                break;
            }
            if literals > literals_before {
                before = Kind::Literal;
            }
            let position = size - room + literals;
            let run = (literals - literals_before) as u16;
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
                let length = codes.length::<TAIL>(&mut bits, builder);
                if distance as usize > position {
                    let input = bits.offset();
                    return Err(Streams { range, bits }.error(
                        position,
                        DecodeError::MatchBeforeStart {
                            distance,
                            position,
                            input,
                        },
                    ));
                }
                before = Kind::Lz;
                Match {
                    length,
                    distance,
                    literals: run,
                    kind: MatchKind::Lz,
                }
            } else {
                let (power, raw_offset) = if range.decide(&mut contexts.delta.is_repeat) {
                    let slot = contexts.delta.slot(&mut range);
                    move_to_front(&mut deltas, slot + usize::from(before == Kind::Delta))
                } else {
                    let power = codes.power.decode(&mut bits, builder) as u32;
                    let slot = codes.delta_offset.decode(&mut bits, builder);
                    bits.refill::<TAIL>();
                    let offset = value(&mut bits, OFFSETS[slot & (OFFSETS.len() - 1)]);
                    push(&mut deltas, (power, offset));
                    (power, offset)
                };
                let length = codes.length::<TAIL>(&mut bits, builder);
                let span = 1_u64 << (power & 7);
                let distance = u64::from(raw_offset) << (power & 7);
                if distance + span > position as u64 {
                    let input = bits.offset();
                    return Err(Streams { range, bits }.error(
                        position,
                        DecodeError::DeltaBeforeStart {
                            power,
                            raw_offset,
                            position,
                            input,
                        },
                    ));
                }
                before = Kind::Delta;
                Match {
                    length,
                    distance: distance as u32,
                    literals: run,
                    kind: MatchKind::Delta(power as u8),
                }
            };
            if item.length as usize > size - position {
                let input = bits.offset();
                return Err(Streams { range, bits }.error(
                    position,
                    DecodeError::MatchPastEnd {
                        length: item.length,
                        position,
                        input,
                    },
                ));
            }
            room -= item.length as usize;
            literals_before = literals;
            batch.matches[matches & (batch::MATCHES - 1)] = item;
            matches += 1;
        }
        if literals > literals_before {
            before = Kind::Literal;
        }
        *streams = Streams { range, bits };
        *sources = Sources {
            offsets,
            deltas,
            before,
        };
        Ok(Filled {
            matches,
            literals,
            position: size - room + literals,
        })
    }
}

impl Streams<'_> {
    /// True if more was taken than there is.
    fn is_overrun(&self) -> bool {
        self.range.is_overrun() || self.bits.is_overrun()
    }

    /// The given error, unless it was found in what follows the input's end.
    #[cold]
    fn error(&self, position: usize, error: DecodeError) -> DecodeError {
        if self.is_overrun() {
            DecodeError::InputEnded { position }
        } else {
            error
        }
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
    fn length<const TAIL: bool>(&mut self, bits: &mut BitReader<'_>, builder: &mut Builder) -> u32 {
        if bits.available() < SYMBOL_BITS {
            bits.refill::<TAIL>();
        }
        let slot = LENGTHS[self.length.decode(bits, builder) & (LENGTHS.len() - 1)];
        if slot.extra == 0 {
            return slot.base;
        }
        bits.refill::<TAIL>();
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
