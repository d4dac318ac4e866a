//! A small XPRESS encoder: it writes what it is told, also what a good encoder would not.

/// One item of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Literal(u8),
    /// A match, with its length in the shortest form.
    Match {
        length: usize,
        distance: usize,
    },
    /// A match whose length is in the 16-bit form, which holds the value less 3.
    WideMatch {
        length: usize,
        distance: usize,
    },
    /// A symbol with nothing behind it.
    Symbol(usize),
}

impl Item {
    fn symbol(self) -> usize {
        match self {
            Self::Literal(byte) => usize::from(byte),
            Self::Match { length, distance } => {
                256 + 16 * distance.ilog2() as usize + (length - 3).min(15)
            }
            Self::WideMatch { distance, .. } => 256 + 16 * distance.ilog2() as usize + 15,
            Self::Symbol(symbol) => symbol,
        }
    }

    fn length_bytes(self) -> Vec<u8> {
        let wide = |length: usize| {
            let [low, high] = u16::try_from(length - 3)
                .expect("a length that has a form")
                .to_le_bytes();
            vec![255, low, high]
        };
        match self {
            Self::WideMatch { length, .. } => wide(length),
            Self::Match { length, .. } if length - 3 < 15 => Vec::new(),
            Self::Match { length, .. } if length - 18 < 255 => vec![(length - 18) as u8],
            Self::Match { length, .. } => wide(length),
            Self::Literal(_) | Self::Symbol(_) => Vec::new(),
        }
    }

    fn offset_bits(self) -> (u32, u32) {
        match self {
            Self::Match { distance, .. } | Self::WideMatch { distance, .. } => {
                let count = distance.ilog2();
                (distance as u32 - (1 << count), count)
            }
            Self::Literal(_) | Self::Symbol(_) => (0, 0),
        }
    }
}

/// Encodes `items` and the end symbol.
pub(crate) fn encode(items: &[Item]) -> Vec<u8> {
    let items: Vec<Item> = items.iter().copied().chain([Item::Symbol(256)]).collect();
    let mut counts = [0; 512];
    for item in &items {
        counts[item.symbol()] += 1;
    }
    encode_with(&code_lengths(&counts, 15), &items)
}

/// Encodes `items` in the code of `lengths`, without an end symbol.
pub(crate) fn encode_with(lengths: &[u8], items: &[Item]) -> Vec<u8> {
    let codes = codewords(lengths);
    let mut writer = Writer::new(lengths);
    for item in items {
        let symbol = item.symbol();
        writer.bits(codes[symbol], u32::from(lengths[symbol]));
        writer.bytes(&item.length_bytes());
        let (value, count) = item.offset_bits();
        writer.bits(value, count);
    }
    writer.output
}

/// What the items decode to.
pub(crate) fn expand(items: &[Item]) -> Vec<u8> {
    let mut output = Vec::new();
    for item in items {
        match *item {
            Item::Literal(byte) => output.push(byte),
            Item::Match { length, distance } | Item::WideMatch { length, distance } => {
                for _ in 0..length {
                    output.push(output[output.len() - distance]);
                }
            }
            Item::Symbol(_) => {}
        }
    }
    output
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

/// Puts units where the decoder fetches them: two ahead, one more each time it falls below 16 bits.
struct Writer {
    output: Vec<u8>,
    /// Places of the units that the decoder holds, the current one first.
    units: [usize; 2],
    /// Bits used of the current unit.
    used: u32,
}

impl Writer {
    fn new(lengths: &[u8]) -> Self {
        let mut output: Vec<u8> = lengths
            .chunks(2)
            .map(|pair| pair[0] | pair[1] << 4)
            .collect();
        output.extend([0; 4]);
        Self {
            units: [output.len() - 4, output.len() - 2],
            output,
            used: 0,
        }
    }

    /// Writes one group of bits. The decoder tops up after it, so a group is a symbol or an offset.
    fn bits(&mut self, value: u32, count: u32) {
        let shifted = (u64::from(value) << (32 - count)) >> self.used;
        let parts = [(shifted >> 16) as u16, shifted as u16];
        for (unit, part) in self.units.into_iter().zip(parts) {
            let [low, high] = part.to_le_bytes();
            self.output[unit] |= low;
            self.output[unit + 1] |= high;
        }
        self.used += count;
        // Exactly 16 bits left are enough, so a unit is fetched only when the current one is passed.
        if self.used > 16 {
            self.used -= 16;
            self.units = [self.units[1], self.output.len()];
            self.output.extend([0; 2]);
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.output.extend(bytes);
    }
}
