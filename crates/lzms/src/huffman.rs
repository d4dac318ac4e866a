//! Adaptive Huffman codes: how often each symbol came decides the code of those to come.
//!
//! A code is decoded with one look-up of its first bits. The few codes that are longer than the table's index are found by
//! comparing 16 bits of input with the end of each length's range. Codes are rebuilt every few hundred symbols, so making the
//! tables counts as much as using them; see [`crate::lengths`] for the first half of that.

use crate::bits::BitReader;
use crate::lengths::{Builder, MAX_LENGTH};

/// Bits of an entry that hold the code's length; the symbol is above them.
const LENGTH_BITS: u32 = 4;
const LENGTH_MASK: u16 = (1 << LENGTH_BITS) - 1;

/// An adaptive code over up to `SYMBOLS` symbols, a power of two, with a look-up table of `SLOTS` entries.
#[derive(Clone)]
pub(crate) struct AdaptiveCode<const SYMBOLS: usize, const SLOTS: usize> {
    index: [u16; SLOTS],
    /// How often each symbol came, older times counting less.
    counts: [u16; SYMBOLS],
    /// Symbols until the code is rebuilt.
    left: u32,
    /// Symbols between two rebuilds.
    period: u32,
    /// Number of symbols in use.
    used: usize,
    /// Symbols of the codes, in the order of the codes.
    ordered: [u16; SYMBOLS],
    /// For each length: end of its codes, as 16 left-aligned bits.
    ends: [u32; MAX_LENGTH + 1],
    /// For each length: its first code likewise, and the place of that code in `ordered`.
    starts: [(u32, u32); MAX_LENGTH + 1],
}

impl<const SYMBOLS: usize, const SLOTS: usize> AdaptiveCode<SYMBOLS, SLOTS> {
    const INDEX_BITS: usize = SLOTS.trailing_zeros() as usize;

    /// A code that is rebuilt after every `period` symbols. To be reset before use.
    pub(crate) fn new(period: u32) -> Self {
        const { assert!(SYMBOLS.is_power_of_two() && SLOTS.is_power_of_two()) };
        Self {
            index: [0; SLOTS],
            counts: [0; SYMBOLS],
            left: period,
            period,
            used: 0,
            ordered: [0; SYMBOLS],
            ends: [0; MAX_LENGTH + 1],
            starts: [(0, 0); MAX_LENGTH + 1],
        }
    }

    /// Starts over with `used` symbols (at least one is assumed), all equally frequent.
    pub(crate) fn reset(&mut self, used: usize, builder: &mut Builder) {
        self.used = used.clamp(1, SYMBOLS);
        self.counts[..self.used].fill(1);
        self.rebuild(builder);
    }

    /// Decodes a symbol. Needs 15 bits in the reserve.
    #[inline(always)]
    pub(crate) fn decode(&mut self, bits: &mut BitReader<'_>, builder: &mut Builder) -> usize {
        let symbol = self.decode_uncounted(bits);
        self.count_symbols(1, builder);
        symbol
    }

    /// Decodes a symbol, of at most [`AdaptiveCode::left`] before the next [`AdaptiveCode::count_symbols`].
    #[inline(always)]
    pub(crate) fn decode_uncounted(&mut self, bits: &mut BitReader<'_>) -> usize {
        let mut entry = self.index[bits.index::<SLOTS>() & (SLOTS - 1)];
        if entry & LENGTH_MASK == 0 {
            entry = self.long_entry(bits.top16());
        }
        bits.consume(u32::from(entry & LENGTH_MASK));
        let symbol = usize::from(entry >> LENGTH_BITS);
        let count = &mut self.counts[symbol & (SYMBOLS - 1)];
        *count = count.wrapping_add(1);
        symbol
    }

    /// Symbols that can be decoded before the code is rebuilt.
    #[inline(always)]
    pub(crate) fn left(&self) -> usize {
        self.left as usize
    }

    /// Notes that `count` symbols were decoded, and rebuilds the code when it is time.
    #[inline(always)]
    pub(crate) fn count_symbols(&mut self, count: usize, builder: &mut Builder) {
        self.left = self.left.wrapping_sub(count as u32);
        if self.left == 0 {
            self.rebuild(builder);
        }
    }

    /// The entry of a code that is longer than the index, from the next 16 bits of input.
    #[cold]
    #[inline(never)]
    fn long_entry(&self, top16: u32) -> u16 {
        let mut length = Self::INDEX_BITS + 1;
        while length < MAX_LENGTH && top16 >= self.ends[length & MAX_LENGTH] {
            length += 1;
        }
        let (start, place) = self.starts[length & MAX_LENGTH];
        let skipped = top16.wrapping_sub(start) >> (MAX_LENGTH + 1 - length);
        let symbol = self.ordered[(place + skipped) as usize & (SYMBOLS - 1)];
        symbol << LENGTH_BITS | length as u16
    }

    /// Makes the code of the current counts, then halves them.
    #[cold]
    #[inline(never)]
    fn rebuild(&mut self, builder: &mut Builder) {
        self.left = self.period;
        let counts = &mut self.counts[..self.used];
        let of_length = builder.build(counts, &mut self.ordered);
        for count in counts {
            *count = (*count >> 1) + 1;
        }

        let mut code = 0;
        let mut place = 0;
        for (length, &count) in of_length.iter().enumerate().skip(1) {
            self.starts[length] = (code, place);
            place += count;
            code += count << (MAX_LENGTH + 1 - length);
            self.ends[length] = code;
        }

        let mut filled = 0;
        let mut ordered = &self.ordered[..];
        for (length, &count) in of_length
            .iter()
            .enumerate()
            .take(Self::INDEX_BITS + 1)
            .skip(1)
        {
            let repeat = 1 << (Self::INDEX_BITS - length);
            let Some((symbols, later)) = ordered.split_at_checked(count as usize) else {
                break;
            };
            let Some(slots) = self.index.get_mut(filled..filled + symbols.len() * repeat) else {
                break;
            };
            fill(slots, repeat, symbols, length as u16);
            filled += slots.len();
            ordered = later;
        }
        self.index[filled..].fill(0);
    }
}

/// Gives `repeat` slots to each symbol.
#[inline(always)]
fn fill(slots: &mut [u16], repeat: usize, symbols: &[u16], length: u16) {
    match repeat {
        1 => fill_each::<1>(slots, symbols, length),
        2 => fill_each::<2>(slots, symbols, length),
        4 => fill_each::<4>(slots, symbols, length),
        8 => fill_each::<8>(slots, symbols, length),
        _ => {
            for (slots, &symbol) in slots.chunks_exact_mut(repeat).zip(symbols) {
                let (pieces, _) = slots.as_chunks_mut::<8>();
                for piece in pieces {
                    *piece = [symbol << LENGTH_BITS | length; 8];
                }
            }
        }
    }
}

#[inline(always)]
fn fill_each<const REPEAT: usize>(slots: &mut [u16], symbols: &[u16], length: u16) {
    let (pieces, _) = slots.as_chunks_mut::<REPEAT>();
    for (piece, &symbol) in pieces.iter_mut().zip(symbols) {
        *piece = [symbol << LENGTH_BITS | length; REPEAT];
    }
}
