//! Encoders for the chunks of test files: good enough to shrink bytes that repeat, and no better.
//!
//! Those of XPRESS and LZX are the ones that the tests of these crates use; LZMS is encoded here, as far as runs of equal bytes
//! need it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::build::Algorithm;
use crate::{lzx, xpress};

/// The chunk in this algorithm; `None` if it does not become smaller, so that it is stored raw.
pub(crate) fn encode(algorithm: Algorithm, chunk_size: u32, chunk: &[u8]) -> Option<Vec<u8>> {
    let runs = runs(chunk);
    let encoded = match algorithm {
        Algorithm::None => return None,
        Algorithm::Xpress => xpress::encode(&xpress_items(&runs)),
        Algorithm::Lzx => lzx_chunk(chunk_size, chunk),
        Algorithm::Lzms => lzms(chunk.len(), &runs)?,
    };
    (encoded.len() < chunk.len()).then_some(encoded)
}

/// Each byte, and how often it comes in a row.
fn runs(chunk: &[u8]) -> Vec<(u8, usize)> {
    chunk
        .chunk_by(|a, b| a == b)
        .map(|run| (run[0], run.len()))
        .collect()
}

fn xpress_items(runs: &[(u8, usize)]) -> Vec<xpress::Item> {
    let mut items = Vec::new();
    for &(byte, len) in runs {
        items.push(xpress::Item::Literal(byte));
        match len - 1 {
            rest @ 0..3 => items.extend(vec![xpress::Item::Literal(byte); rest]),
            rest => items.push(xpress::Item::Match {
                length: rest,
                distance: 1,
            }),
        }
    }
    items
}

fn lzx_chunk(chunk_size: u32, chunk: &[u8]) -> Vec<u8> {
    let mut filtered = chunk.to_vec();
    lzx::filter(&mut filtered);
    let mut items = Vec::new();
    for (byte, len) in runs(&filtered) {
        items.push(lzx::Item::Literal(byte));
        let mut rest = len - 1;
        while rest >= 2 {
            let length = rest.min(257);
            items.push(lzx::Item::Match {
                length,
                distance: 1,
            });
            rest -= length;
        }
        items.extend(vec![lzx::Item::Literal(byte); rest]);
    }
    let (encoded, _) = lzx::encode(chunk_size, lzx::Runs::All, &[lzx::Block::Verbatim(items)]);
    encoded
}

/// Symbols until LZMS makes its code of lengths anew; this encoder stops before.
const MAX_RUNS: usize = 500;

/// Runs as a literal and a match at distance 1, which is a remembered one from the start. `None` if there are too many of them,
/// or if the x86 filter of LZMS might change them.
fn lzms(size: usize, runs: &[(u8, usize)]) -> Option<Vec<u8>> {
    let x86 = [0x48, 0x4C, 0xE8, 0xE9, 0xF0, 0xFF];
    let literals: usize = runs.iter().map(|(_, len)| 2.min(*len)).sum();
    if literals > 2 * MAX_RUNS || runs.len() > MAX_RUNS || size < 2 {
        return None;
    }
    if runs.iter().any(|(byte, _)| x86.contains(byte)) {
        return None;
    }
    let lengths = uniform_code(54);
    let mut range = Range::default();
    let mut bits = Backward::default();
    let mut is_match = Decision::new(4);
    let [mut is_delta, mut is_repeat, mut is_later] =
        [Decision::new(5), Decision::new(6), Decision::new(6)];
    for &(byte, len) in runs {
        is_match.put(&mut range, false);
        bits.put(byte.into(), 8);
        // A match of one byte would do, but remembered distances change places only after the item behind it.
        if len == 1 {
            continue;
        }
        is_match.put(&mut range, true);
        is_delta.put(&mut range, false);
        is_repeat.put(&mut range, true);
        is_later.put(&mut range, false);
        let (slot, extra, count) = length_slot(u32::try_from(len - 1).ok()?);
        let (word, word_len) = lengths[slot];
        bits.put(word, word_len);
        bits.put(extra, count);
    }
    Some([range.finish(), bits.finish()].concat())
}

/// Slot, extra bits and their number of a match length.
fn length_slot(length: u32) -> (usize, u32, u32) {
    let slots = [
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
    let all = slots
        .into_iter()
        .flat_map(|(count, bits)| vec![bits; count]);
    let mut base = 1;
    for (slot, bits) in all.enumerate() {
        if length - base < 1 << bits {
            return (slot, length - base, bits);
        }
        base += 1 << bits;
    }
    unreachable!("every length has a slot")
}

/// The Huffman code of symbols that are equally frequent: words and their lengths.
fn uniform_code(symbols: usize) -> Vec<(u32, u32)> {
    let mut parents = vec![0; symbols];
    let mut heap: BinaryHeap<_> = (0..symbols).map(|node| Reverse((1, node))).collect();
    while let (Some(Reverse(first)), Some(Reverse(second))) = (heap.pop(), heap.pop()) {
        let made = parents.len();
        parents[first.1] = made;
        parents[second.1] = made;
        parents.push(0);
        if heap.is_empty() {
            break;
        }
        heap.push(Reverse((first.0 + second.0, made)));
    }
    let root = parents.len() - 1;
    let depth = |node: usize| {
        std::iter::successors(Some(node), |node| Some(parents[*node]))
            .take_while(|node| *node != root)
            .count()
    };
    let depths: Vec<usize> = (0..symbols).map(depth).collect();
    let mut words = vec![(0, 0); symbols];
    let mut next = 0;
    for len in 1..16 {
        next <<= 1;
        for symbol in (0..symbols).filter(|symbol| depths[*symbol] == len) {
            words[symbol] = (next, len as u32);
            next += 1;
        }
    }
    words
}

/// Decisions of one kind, each with a history of 64 for the last few of them.
struct Decision {
    state: usize,
    histories: Vec<u64>,
}

impl Decision {
    fn new(bits: u32) -> Self {
        Self {
            state: 0,
            histories: vec![0x5555_5555; 1 << bits],
        }
    }

    fn put(&mut self, range: &mut Range, bit: bool) {
        let history = &mut self.histories[self.state];
        range.put(bit, history.count_zeros().clamp(1, 63));
        *history = *history << 1 | u64::from(bit);
        self.state = (self.state << 1 | usize::from(bit)) % self.histories.len();
    }
}

/// The range coder, which fills the chunk from the front.
struct Range {
    units: Vec<u16>,
    low: u64,
    range: u32,
}

impl Default for Range {
    fn default() -> Self {
        Self {
            units: Vec::new(),
            low: 0,
            range: u32::MAX,
        }
    }
}

impl Range {
    /// A bit that is 0 in `chance` of 64 cases.
    fn put(&mut self, bit: bool, chance: u32) {
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
        self.low = (self.low << 16) & u64::from(u32::MAX);
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

/// The bits that fill the chunk from the back, in units of 16.
#[derive(Default)]
struct Backward {
    units: Vec<u16>,
    used: u32,
}

impl Backward {
    fn put(&mut self, value: u32, count: u32) {
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
