//! A small LZMS encoder: it writes what it is told, also what a good encoder would not.

use crate::model::{Decisions, Sources, Symbols};

/// One item of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Literal(u8),
    /// A match with its offset in full.
    Lz {
        length: u32,
        distance: u32,
    },
    /// A match with one of the remembered offsets 0..=2.
    LzRepeat {
        length: u32,
        index: usize,
    },
    /// A delta match with its source in full.
    Delta {
        length: u32,
        power: u32,
        offset: u32,
    },
    /// A delta match with one of the remembered sources 0..=2.
    DeltaRepeat {
        length: u32,
        index: usize,
    },
}

/// Extra bits of length slots, from a length of 1 on.
const LENGTH_BITS: [(usize, u32); 13] = [
    (26, 0),
    (4, 1),
    (6, 2),
    (4, 3),
    (5, 4),
    (2, 5),
    (1, 6),
    (1, 7),
    (1, 8),
    (1, 9),
    (1, 10),
    (1, 16),
    (1, 30),
];

/// Extra bits of offset slots, from an offset of 1 on.
const OFFSET_BITS: [(usize, u32); 21] = [
    (8, 0),
    (9, 2),
    (7, 3),
    (10, 4),
    (15, 5),
    (15, 6),
    (20, 7),
    (20, 8),
    (30, 9),
    (33, 10),
    (40, 11),
    (42, 12),
    (45, 13),
    (60, 14),
    (73, 15),
    (80, 16),
    (85, 17),
    (95, 18),
    (105, 19),
    (6, 20),
    (1, 30),
];

/// Encodes a chunk of `size` bytes.
pub(crate) struct Encoder {
    range: RangeEncoder,
    bits: BackwardBits,
    is_match: Decisions,
    is_delta: Decisions,
    lz: Repeats,
    delta: Repeats,
    literal: Symbols,
    offset: Symbols,
    length: Symbols,
    delta_offset: Symbols,
    power: Symbols,
    offsets: Sources<u32>,
    deltas: Sources<(u32, u32)>,
}

struct Repeats {
    is_repeat: Decisions,
    first: Decisions,
    second: Decisions,
}

impl Encoder {
    pub(crate) fn new(size: usize) -> Self {
        let slots = if size < 2 {
            1
        } else {
            1 + slot(&OFFSET_BITS, (size - 1) as u32).0
        };
        let repeats = || Repeats {
            is_repeat: Decisions::new(6),
            first: Decisions::new(6),
            second: Decisions::new(6),
        };
        Self {
            range: RangeEncoder::default(),
            bits: BackwardBits::default(),
            is_match: Decisions::new(4),
            is_delta: Decisions::new(5),
            lz: repeats(),
            delta: repeats(),
            literal: Symbols::new(256, 1024),
            offset: Symbols::new(slots, 1024),
            length: Symbols::new(54, 512),
            delta_offset: Symbols::new(slots, 1024),
            power: Symbols::new(8, 512),
            offsets: Sources::new([1, 2, 3, 4]),
            deltas: Sources::new([(0, 1), (0, 2), (0, 3), (0, 4)]),
        }
    }

    pub(crate) fn item(&mut self, item: Item) {
        let is_match = !matches!(item, Item::Literal(_));
        self.is_match.encode(&mut self.range, is_match);
        if is_match {
            let is_delta = matches!(item, Item::Delta { .. } | Item::DeltaRepeat { .. });
            self.is_delta.encode(&mut self.range, is_delta);
        }
        let mut offset = None;
        let mut delta = None;
        let length = match item {
            Item::Literal(byte) => {
                self.literal.encode(&mut self.bits, byte.into());
                None
            }
            Item::Lz { length, distance } => {
                self.lz.is_repeat.encode(&mut self.range, false);
                put(&mut self.bits, &mut self.offset, &OFFSET_BITS, distance);
                offset = Some(distance);
                Some(length)
            }
            Item::LzRepeat { length, index } => {
                self.lz.encode(&mut self.range, index);
                offset = Some(self.offsets.take(index));
                Some(length)
            }
            Item::Delta {
                length,
                power,
                offset,
            } => {
                self.delta.is_repeat.encode(&mut self.range, false);
                self.power.encode(&mut self.bits, power as usize);
                put(&mut self.bits, &mut self.delta_offset, &OFFSET_BITS, offset);
                delta = Some((power, offset));
                Some(length)
            }
            Item::DeltaRepeat { length, index } => {
                self.delta.encode(&mut self.range, index);
                delta = Some(self.deltas.take(index));
                Some(length)
            }
        };
        if let Some(length) = length {
            put(&mut self.bits, &mut self.length, &LENGTH_BITS, length);
        }
        self.offsets.item(offset);
        self.deltas.item(delta);
    }

    /// The chunk, with `slack` bytes between its two streams.
    pub(crate) fn finish(self, slack: usize) -> Vec<u8> {
        let mut chunk = self.range.finish();
        chunk.extend(vec![0xAA; slack]);
        chunk.extend(self.bits.finish());
        chunk
    }
}

impl Repeats {
    fn encode(&mut self, range: &mut RangeEncoder, index: usize) {
        self.is_repeat.encode(range, true);
        self.first.encode(range, index > 0);
        if index > 0 {
            self.second.encode(range, index > 1);
        }
    }
}

/// Encodes items, of which the output has `size` bytes.
pub(crate) fn encode(size: usize, items: &[Item]) -> Vec<u8> {
    let mut encoder = Encoder::new(size);
    for item in items {
        encoder.item(*item);
    }
    encoder.finish(0)
}

/// What items stand for, before the x86 filter is undone. Sources before the start count as zeros.
pub(crate) fn expand(items: &[Item]) -> Vec<u8> {
    let mut output: Vec<u8> = Vec::new();
    let mut offsets = Sources::new([1, 2, 3, 4]);
    let mut deltas = Sources::new([(0, 1), (0, 2), (0, 3), (0, 4)]);
    for &item in items {
        let at = |output: &[u8], back: usize| {
            let place = output.len().checked_sub(back);
            place.map_or(0, |place| output[place])
        };
        let mut offset = None;
        let mut delta = None;
        let length = match item {
            Item::Literal(byte) => {
                output.push(byte);
                0
            }
            Item::Lz { length, distance } => {
                offset = Some(distance);
                length
            }
            Item::LzRepeat { length, index } => {
                offset = Some(offsets.take(index));
                length
            }
            Item::Delta {
                length,
                power,
                offset,
            } => {
                delta = Some((power, offset));
                length
            }
            Item::DeltaRepeat { length, index } => {
                delta = Some(deltas.take(index));
                length
            }
        };
        for _ in 0..length {
            let byte = if let Some((power, offset)) = delta {
                let span = 1 << power;
                let back = (offset as usize) << power;
                at(&output, back)
                    .wrapping_add(at(&output, span))
                    .wrapping_sub(at(&output, back + span))
            } else {
                at(&output, offset.unwrap_or(1) as usize)
            };
            output.push(byte);
        }
        offsets.item(offset);
        deltas.item(delta);
    }
    output
}

/// Writes a value as a slot and extra bits.
fn put(bits: &mut BackwardBits, code: &mut Symbols, runs: &[(usize, u32)], value: u32) {
    let (slot, extra, count) = slot(runs, value);
    code.encode(bits, slot);
    bits.put(extra, count);
}

/// The slot of a value, its extra bits and their number.
fn slot(runs: &[(usize, u32)], value: u32) -> (usize, u32, u32) {
    let mut slot = 0;
    let mut base = 1_u64;
    for &(count, bits) in runs {
        for _ in 0..count {
            let next = base + (1 << bits);
            if u64::from(value) < next {
                return (slot, (u64::from(value) - base) as u32, bits);
            }
            base = next;
            slot += 1;
        }
    }
    unreachable!("every value has a slot")
}

/// The forward stream.
pub(crate) struct RangeEncoder {
    units: Vec<u16>,
    low: u64,
    range: u32,
}

impl Default for RangeEncoder {
    fn default() -> Self {
        Self {
            units: Vec::new(),
            low: 0,
            range: u32::MAX,
        }
    }
}

impl RangeEncoder {
    /// Encodes a bit that is 0 in `chance` of 64 cases.
    pub(crate) fn put(&mut self, bit: bool, chance: u32) {
        if self.range < 1 << 16 {
            self.range <<= 16;
            self.shift();
        }
        let bound = (self.range >> 6) * chance;
        if bit {
            self.low += u64::from(bound);
            self.range -= bound;
        } else {
            self.range = bound;
        }
        if self.low >> 32 != 0 {
            self.low &= u64::from(u32::MAX);
            for unit in self.units.iter_mut().rev() {
                *unit = unit.wrapping_add(1);
                if *unit != 0 {
                    break;
                }
            }
        }
    }

    fn shift(&mut self) {
        self.units.push((self.low >> 16) as u16);
        self.low = self.low << 16 & u64::from(u32::MAX);
    }

    fn finish(mut self) -> Vec<u8> {
        self.shift();
        self.shift();
        self.units
            .iter()
            .flat_map(|unit| unit.to_le_bytes())
            .collect()
    }
}

/// The backward stream: 16-bit little-endian units, the last one first, most significant bit first.
#[derive(Default)]
pub(crate) struct BackwardBits {
    units: Vec<u16>,
    used: u32,
}

impl BackwardBits {
    pub(crate) fn put(&mut self, value: u32, count: u32) {
        for place in (0..count).rev() {
            if self.used.is_multiple_of(16) {
                self.units.push(0);
            }
            let unit = self.units.last_mut().expect("a unit was added");
            *unit |= ((value >> place & 1) as u16) << (15 - self.used % 16);
            self.used += 1;
        }
    }

    fn finish(self) -> Vec<u8> {
        let units = self.units.iter().rev();
        units.flat_map(|unit| unit.to_le_bytes()).collect()
    }
}
