//! What an LZMS coder adapts, written the plain way.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::encode::{BackwardBits, RangeEncoder};

/// Decisions of one kind, with a history for each state.
pub(crate) struct Decisions {
    state: usize,
    histories: Vec<u64>,
}

impl Decisions {
    /// Decisions whose probability depends on the last `bits` of them.
    pub(crate) fn new(bits: u32) -> Self {
        Self {
            state: 0,
            histories: vec![0x5555_5555; 1 << bits],
        }
    }

    pub(crate) fn encode(&mut self, range: &mut RangeEncoder, bit: bool) {
        let history = &mut self.histories[self.state];
        range.put(bit, history.count_zeros().clamp(1, 63));
        *history = *history << 1 | u64::from(bit);
        self.state = (self.state << 1 | usize::from(bit)) % self.histories.len();
    }
}

/// An adaptive Huffman code.
pub(crate) struct Symbols {
    counts: Vec<u64>,
    /// Code word and length of each symbol.
    words: Vec<(u32, u32)>,
    period: u32,
    coded: u32,
}

impl Symbols {
    pub(crate) fn new(symbols: usize, period: u32) -> Self {
        let mut new = Self {
            counts: vec![1; symbols],
            words: Vec::new(),
            period,
            coded: 0,
        };
        new.rebuild();
        new
    }

    pub(crate) fn encode(&mut self, bits: &mut BackwardBits, symbol: usize) {
        // Tests also write symbols that the chunk's size rules out, and go no further.
        let (word, length) = self.words.get(symbol).copied().unwrap_or_default();
        bits.put(word, length);
        if let Some(count) = self.counts.get_mut(symbol) {
            *count += 1;
        }
        self.coded += 1;
        if self.coded == self.period {
            self.coded = 0;
            self.rebuild();
        }
    }

    fn rebuild(&mut self) {
        self.words = codewords(&lengths(&self.counts));
        for count in &mut self.counts {
            *count = *count / 2 + 1;
        }
    }
}

/// Huffman code lengths. Of equal weights leaves come first, in symbol order, then inner nodes in the order they were made.
fn lengths(counts: &[u64]) -> Vec<u32> {
    if let [_] = counts {
        return vec![1];
    }
    let mut parents = vec![0; counts.len()];
    let mut heap: BinaryHeap<_> = counts
        .iter()
        .enumerate()
        .map(|(node, &weight)| Reverse((weight, node)))
        .collect();
    while heap.len() > 1 {
        let [first, second] = [heap.pop(), heap.pop()].map(|node| node.expect("two nodes").0);
        let made = parents.len();
        parents[first.1] = made;
        parents[second.1] = made;
        parents.push(0);
        heap.push(Reverse((first.0 + second.0, made)));
    }
    let root = parents.len() - 1;
    let depth = |mut node| {
        let mut depth = 0;
        while node != root {
            node = parents[node];
            depth += 1;
        }
        depth
    };
    (0..counts.len()).map(depth).collect()
}

/// Words of the canonical code, with their lengths.
fn codewords(lengths: &[u32]) -> Vec<(u32, u32)> {
    let mut words = vec![(0, 0); lengths.len()];
    let mut next = 0;
    for length in 1..=15 {
        next <<= 1;
        for (word, _) in words
            .iter_mut()
            .zip(lengths)
            .filter(|(_, found)| **found == length)
        {
            *word = (next, length);
            next += 1;
        }
    }
    words
}

/// Sources that matches remember. One is put in front only after the item behind the one that used it.
pub(crate) struct Sources<T> {
    queue: VecDeque<T>,
    waiting: Option<T>,
}

impl<T: Copy> Sources<T> {
    pub(crate) fn new(first: [T; 4]) -> Self {
        Self {
            queue: VecDeque::from(first),
            waiting: None,
        }
    }

    /// Takes a source out to repeat it.
    pub(crate) fn take(&mut self, index: usize) -> T {
        self.queue.remove(index).expect("a remembered source")
    }

    /// Ends an item that used the given source, or none.
    pub(crate) fn item(&mut self, used: Option<T>) {
        if let Some(source) = self.waiting {
            self.queue.push_front(source);
            self.queue.truncate(4);
        }
        self.waiting = used;
    }
}

/// The x86 filter in the encoder's direction.
pub(crate) fn filter(chunk: &mut [u8]) {
    if chunk.len() <= 17 {
        return;
    }
    let mut last_code = -1024_i64;
    let mut last_uses = vec![-65536_i64; 65536];
    let mut place = 1;
    while place + 16 < chunk.len() {
        let rip_relative = chunk[place + 2] & 7 == 5;
        let opcode = match (chunk[place], chunk[place + 1]) {
            (0xE8, _) => 1,
            (0xE9, _) => {
                place += 5;
                continue;
            }
            (0x48 | 0x4C, 0x8D) if rip_relative => 3,
            (0x48, 0x8B) if rip_relative && chunk[place + 2] & 0xF0 == 0 => 3,
            (0xFF, 0x15) => 2,
            (0xF0, 0x83) if chunk[place + 2] == 5 => 3,
            _ => {
                place += 1;
                continue;
            }
        };
        let limit = if opcode == 1 { 511 } else { 1023 };
        let here = place as i64;
        let operand = &mut chunk[place + opcode..][..4];
        let value = u32::from_le_bytes(operand.try_into().expect("4 bytes"));
        let target = value.wrapping_add(place as u32) as u16;
        if here - last_code <= limit {
            operand.copy_from_slice(&value.wrapping_add(place as u32).to_le_bytes());
        }
        let last_byte = here + opcode as i64 + 3;
        if last_byte - last_uses[usize::from(target)] <= 65535 {
            last_code = last_byte;
        }
        last_uses[usize::from(target)] = last_byte;
        place += opcode + 4;
    }
}
