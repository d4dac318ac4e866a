//! A small LZX encoder: it writes what it is told, also what a good encoder would not.

/// First symbol of a match in the main code.
const MATCHES: usize = 256;

/// One item of a verbatim or aligned block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Literal(u8),
    /// A match with its offset in full.
    Match {
        length: usize,
        distance: u32,
    },
    /// A match with one of the repeat offsets 0..=2.
    Repeat {
        length: usize,
        index: usize,
    },
}

/// One block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    Verbatim(Vec<Item>),
    Aligned(Vec<Item>),
    Uncompressed { repeats: [u32; 3], bytes: Vec<u8> },
}

/// How code lengths are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runs {
    /// One symbol for each.
    None,
    /// Symbols 17, 18 and 19 wherever they fit.
    All,
    /// Likewise; the zeros at the end of each table are written as runs that pass it.
    Overrun,
}

/// Writes a chunk block by block, and keeps what it decodes to before the E8 filter is undone.
pub(crate) struct Encoder {
    pub(crate) bits: BitWriter,
    pub(crate) expected: Vec<u8>,
    runs: Runs,
    wide: bool,
    repeats: [u32; 3],
    main_lengths: Vec<u8>,
    length_lengths: Vec<u8>,
}

impl Encoder {
    /// An encoder for a window size in bytes.
    pub(crate) fn new(window: u32, runs: Runs) -> Self {
        let slots = [30, 32, 34, 36, 38, 42, 50][window.ilog2() as usize - 15];
        Self {
            bits: BitWriter::default(),
            expected: Vec::new(),
            runs,
            wide: window > 32768,
            repeats: [1; 3],
            main_lengths: vec![0; MATCHES + 8 * slots],
            length_lengths: vec![0; 249],
        }
    }

    pub(crate) fn block(&mut self, block: &Block) {
        let start = self.expected.len();
        let coded: Vec<Coded> = match block {
            Block::Verbatim(items) | Block::Aligned(items) => {
                items.iter().map(|item| self.item(*item)).collect()
            }
            Block::Uncompressed { repeats, bytes } => {
                self.repeats = *repeats;
                self.expected.extend(bytes);
                Vec::new()
            }
        };
        let size = self.expected.len() - start;
        match block {
            Block::Verbatim(_) => {
                self.header(1, size);
                self.symbols(&coded, None);
            }
            Block::Aligned(_) => {
                self.header(2, size);
                let mut counts = [0; 8];
                for coded in coded.iter().filter(|coded| coded.extra_bits >= 3) {
                    counts[(coded.extra & 7) as usize] += 1;
                }
                let lengths = code_lengths(&counts, 7);
                for &length in &lengths {
                    self.bits.put(u32::from(length), 3);
                }
                self.symbols(&coded, Some(&lengths));
            }
            Block::Uncompressed { repeats, bytes } => {
                self.header(3, size);
                self.bits.align();
                for repeat in repeats {
                    self.bits.output.extend(repeat.to_le_bytes());
                }
                self.bits.output.extend(bytes);
                if bytes.len() % 2 == 1 {
                    self.bits.output.push(0xEE);
                }
            }
        }
    }

    /// A block's type and size, the latter always in full.
    pub(crate) fn header(&mut self, kind: u32, size: usize) {
        self.bits.put(kind, 3);
        self.bits.put(0, 1);
        self.bits.put(size as u32, if self.wide { 24 } else { 16 });
    }

    /// New lengths of the main and the length code.
    pub(crate) fn tables(&mut self, main: &[u8], length: &[u8]) {
        let mut old = std::mem::replace(&mut self.main_lengths, main.to_vec());
        let overrun = put_lengths(&mut self.bits, &old[..MATCHES], &main[..MATCHES], self.runs);
        // The zeros of a run that passes the literals count as old lengths of the matches.
        old[MATCHES..][..overrun].fill(0);
        put_lengths(&mut self.bits, &old[MATCHES..], &main[MATCHES..], self.runs);
        old = std::mem::replace(&mut self.length_lengths, length.to_vec());
        put_lengths(&mut self.bits, &old, length, self.runs);
    }

    /// Number of symbols in the main code.
    pub(crate) fn main_symbols(&self) -> usize {
        self.main_lengths.len()
    }

    fn symbols(&mut self, coded: &[Coded], aligned: Option<&[u8]>) {
        let mut main = vec![0; self.main_lengths.len()];
        let mut length = vec![0; 249];
        for coded in coded {
            main[coded.symbol] += 1;
            if let Some(symbol) = coded.length {
                length[symbol] += 1;
            }
        }
        let main = code_lengths(&main, 16);
        let length = if length.iter().all(|&count| count == 0) {
            vec![0; 249]
        } else {
            code_lengths(&length, 16)
        };
        self.tables(&main, &length);
        let main_words = codewords(&main);
        let length_words = codewords(&length);
        for coded in coded {
            self.bits
                .put(main_words[coded.symbol], main[coded.symbol].into());
            if let Some(symbol) = coded.length {
                self.bits.put(length_words[symbol], length[symbol].into());
            }
            match aligned {
                Some(lengths) if coded.extra_bits >= 3 => {
                    self.bits.put(coded.extra >> 3, coded.extra_bits - 3);
                    let symbol = (coded.extra & 7) as usize;
                    self.bits
                        .put(codewords(lengths)[symbol], lengths[symbol].into());
                }
                _ => self.bits.put(coded.extra, coded.extra_bits),
            }
        }
    }

    fn item(&mut self, item: Item) -> Coded {
        let (length, slot, extra, extra_bits) = match item {
            Item::Literal(byte) => {
                self.expected.push(byte);
                return Coded {
                    symbol: byte.into(),
                    ..Coded::default()
                };
            }
            Item::Match { length, distance } => {
                self.repeats = [distance, self.repeats[0], self.repeats[1]];
                let (slot, extra, extra_bits) = offset_slot(distance + 2);
                (length, slot, extra, extra_bits)
            }
            Item::Repeat { length, index } => {
                self.repeats.swap(0, index);
                (length, index, 0, 0)
            }
        };
        // Distances that reach before the start are the tests' business.
        for _ in 0..length {
            let from = self.expected.len().checked_sub(self.repeats[0] as usize);
            self.expected
                .push(from.map_or(0, |from| self.expected[from]));
        }
        Coded {
            symbol: MATCHES + 8 * slot + (length - 2).min(7),
            length: length.checked_sub(9),
            extra,
            extra_bits,
        }
    }
}

/// Encodes a whole chunk. Returns it, and what it decodes to before the E8 filter is undone.
pub(crate) fn encode(window: u32, runs: Runs, blocks: &[Block]) -> (Vec<u8>, Vec<u8>) {
    let mut encoder = Encoder::new(window, runs);
    for block in blocks {
        encoder.block(block);
    }
    (encoder.bits.finish(), encoder.expected)
}

/// The E8 filter in the encoder's direction.
pub(crate) fn filter(chunk: &mut [u8]) {
    let mut place = 0;
    while place + 10 < chunk.len() {
        if chunk[place] != 0xE8 {
            place += 1;
            continue;
        }
        let operand = &mut chunk[place + 1..place + 5];
        let relative = i64::from(i32::from_le_bytes(operand.try_into().expect("4 bytes")));
        let here = place as i64;
        if (-here..12_000_000 - here).contains(&relative) {
            operand.copy_from_slice(&((relative + here) as i32).to_le_bytes());
        } else if (12_000_000 - here..12_000_000).contains(&relative) {
            operand.copy_from_slice(&((relative - 12_000_000) as i32).to_le_bytes());
        }
        place += 5;
    }
}

/// Bits in little-endian 16-bit units, the most significant first.
#[derive(Default)]
pub(crate) struct BitWriter {
    pub(crate) output: Vec<u8>,
    unit: u16,
    used: u32,
}

impl BitWriter {
    pub(crate) fn put(&mut self, value: u32, count: u32) {
        for place in (0..count).rev() {
            self.unit |= ((value >> place & 1) as u16) << (15 - self.used);
            self.used += 1;
            if self.used == 16 {
                self.flush();
            }
        }
    }

    /// Skips to a unit boundary, at least one bit.
    pub(crate) fn align(&mut self) {
        self.flush();
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        if self.used > 0 {
            self.flush();
        }
        self.output
    }

    fn flush(&mut self) {
        self.output.extend(self.unit.to_le_bytes());
        self.unit = 0;
        self.used = 0;
    }
}

/// An item as symbols.
#[derive(Clone, Copy, Default)]
struct Coded {
    symbol: usize,
    length: Option<usize>,
    extra: u32,
    extra_bits: u32,
}

/// Slot, extra bits and their number for an offset plus 2.
fn offset_slot(value: u32) -> (usize, u32, u32) {
    let mut base = 0;
    for slot in 0.. {
        let extra_bits = if slot < 4 {
            0
        } else {
            (slot as u32 / 2 - 1).min(17)
        };
        if value < base + (1 << extra_bits) {
            return (slot, value - base, extra_bits);
        }
        base += 1 << extra_bits;
    }
    unreachable!("every value has a slot")
}

/// Lengths of a complete code for the symbols with a count, at least two of them, none longer than `limit`.
pub(crate) fn code_lengths(counts: &[u32], limit: u8) -> Vec<u8> {
    let mut counts = counts.to_vec();
    for symbol in 0..2 {
        if counts.iter().filter(|&&count| count > 0).count() < 2 {
            counts[symbol] = counts[symbol].max(1);
        }
    }
    loop {
        let lengths = huffman(&counts);
        if lengths.iter().all(|&length| length <= limit) {
            return lengths;
        }
        // Flatter counts give a flatter tree.
        for count in &mut counts {
            *count = count.div_ceil(2);
        }
    }
}

/// Code words of a canonical code.
pub(crate) fn codewords(lengths: &[u8]) -> Vec<u32> {
    let mut words = vec![0; lengths.len()];
    let mut next = 0;
    for length in 1..=16 {
        next <<= 1;
        for (symbol, _) in lengths
            .iter()
            .enumerate()
            .filter(|(_, found)| **found == length)
        {
            words[symbol] = next;
            next += 1;
        }
    }
    words
}

fn huffman(counts: &[u32]) -> Vec<u8> {
    let mut lengths = vec![0; counts.len()];
    let mut groups: Vec<(u32, Vec<usize>)> = (0..counts.len())
        .filter(|&symbol| counts[symbol] > 0)
        .map(|symbol| (counts[symbol], vec![symbol]))
        .collect();
    while groups.len() > 1 {
        groups.sort_by(|left, right| right.cmp(left));
        let (first, mut symbols) = groups.pop().expect("two groups");
        let (second, more) = groups.pop().expect("two groups");
        symbols.extend(more);
        for &symbol in &symbols {
            lengths[symbol] += 1;
        }
        groups.push((first + second, symbols));
    }
    lengths
}

/// Writes a pre-code and, in it, the change from `old` to `new`. Returns how far the last run passes the end.
fn put_lengths(bits: &mut BitWriter, old: &[u8], new: &[u8], runs: Runs) -> usize {
    // Pre-code symbols, each with its extra bits.
    let mut symbols: Vec<(usize, u32, u32)> = Vec::new();
    let difference = |place: usize| usize::from((old[place] + 17 - new[place]) % 17);
    let mut place = 0;
    let mut overrun = 0;
    while place < new.len() {
        let run = new[place..]
            .iter()
            .take_while(|&&length| length == new[place])
            .count();
        let at_end = place + run == new.len();
        if runs == Runs::Overrun && new[place] == 0 && at_end && run <= 51 {
            symbols.push((18, 31, 5));
            overrun = 51 - run;
            place += run;
        } else if runs != Runs::None && new[place] == 0 && run >= 20 {
            let run = run.min(51);
            symbols.push((18, run as u32 - 20, 5));
            place += run;
        } else if runs != Runs::None && new[place] == 0 && run >= 4 {
            let run = run.min(19);
            symbols.push((17, run as u32 - 4, 4));
            place += run;
        } else if runs != Runs::None && run >= 4 {
            let run = run.min(5);
            symbols.push((19, run as u32 - 4, 1));
            symbols.push((difference(place), 0, 0));
            place += run;
        } else {
            symbols.push((difference(place), 0, 0));
            place += 1;
        }
    }
    let mut counts = [0; 20];
    for (symbol, ..) in &symbols {
        counts[*symbol] += 1;
    }
    let lengths = code_lengths(&counts, 15);
    let words = codewords(&lengths);
    for &length in &lengths {
        bits.put(length.into(), 4);
    }
    for (symbol, extra, count) in symbols {
        bits.put(words[symbol], lengths[symbol].into());
        bits.put(extra, count);
    }
    overrun
}
