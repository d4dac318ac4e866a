//! From counts to code lengths: a sort, and a Huffman tree of which nothing is kept but how many leaves each depth has.
//!
//! The tree takes the two lightest nodes again and again, a leaf before an inner node of the same weight, leaves in the order of
//! (count, symbol), inner nodes in the order in which they were made. Hence no later leaf is deeper than an earlier one, no later
//! inner node is deeper than an earlier one, and the inner nodes of one depth stand next to each other. How many inner nodes had
//! been used up when an inner node was made says where the next depth begins.

/// Longest code. Counts are halved often enough that none can be longer.
pub(crate) const MAX_LENGTH: usize = 15;

/// Largest number of symbols.
const MAX_SYMBOLS: usize = 1024;

/// Counts from the last bucket on are sorted one by one; there are few.
const BUCKETS: usize = 64;

/// Counting passes visit this many parts of the symbols in turn, each with counters of its own, so that not every step waits for
/// the counter of the one before.
const STRIPES: usize = 4;

/// Bits of a leaf that hold the symbol; the count is above them.
const SYMBOL_BITS: u32 = 16;

/// Heavier than every leaf and inner node.
const NONE: u32 = u32::MAX;

/// Scratch space that all codes share.
#[derive(Clone)]
pub(crate) struct Builder {
    /// Leaves in the order of (count, symbol), then [`NONE`].
    leaves: [u32; MAX_SYMBOLS + 2],
    /// Weights of inner nodes in the order in which they are made, then [`NONE`].
    inner: [u32; MAX_SYMBOLS + 2],
    /// For each inner node: how many inner nodes had been used up before.
    used: [u16; MAX_SYMBOLS],
    /// Code length of each symbol.
    lengths: [u8; MAX_SYMBOLS],
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            leaves: [0; MAX_SYMBOLS + 2],
            inner: [0; MAX_SYMBOLS + 2],
            used: [0; MAX_SYMBOLS],
            lengths: [0; MAX_SYMBOLS],
        }
    }

    /// Writes the symbols in the order of their codes to `ordered`, and returns the number of codes of each length.
    ///
    /// All counts are at least 1. A single symbol gets both codes of one bit.
    #[inline(always)]
    pub(crate) fn build(&mut self, counts: &[u16], ordered: &mut [u16]) -> [u32; MAX_LENGTH + 1] {
        let mut of_length = [0; MAX_LENGTH + 1];
        if counts.len() < 2 {
            of_length[1] = 2;
            if let Some(both) = ordered.get_mut(..2) {
                both.fill(0);
            }
            return of_length;
        }
        self.sort(counts);
        self.merge(counts.len());
        self.count_depths(counts.len(), &mut of_length);
        self.order(counts.len(), &of_length, ordered);
        of_length
    }

    /// Sorts the leaves by (count, symbol).
    fn sort(&mut self, counts: &[u16]) {
        let mut places = [[0_u32; STRIPES]; BUCKETS];
        by_stripes(counts, |stripe, _, count| {
            places[bucket(count)][stripe % STRIPES] += 1;
        });
        let mut place = 0;
        for slot in places.as_flattened_mut() {
            let here = *slot;
            *slot = place;
            place += here;
        }
        let heavy = places[BUCKETS - 1][0] as usize;
        by_stripes(counts, |stripe, symbol, count| {
            let place = &mut places[bucket(count)][stripe % STRIPES];
            self.leaves[*place as usize & (MAX_SYMBOLS - 1)] =
                u32::from(count) << SYMBOL_BITS | symbol as u32;
            *place += 1;
        });
        if let Some(heavy) = self.leaves.get_mut(heavy..counts.len()) {
            heavy.sort_unstable();
        }
    }

    /// Makes the inner nodes, of which there is one less than leaves.
    fn merge(&mut self, symbols: usize) {
        const MASK: usize = MAX_SYMBOLS - 1;
        self.leaves[symbols & MASK] = NONE;
        self.leaves[(symbols + 1) & MASK] = NONE;
        self.inner[..symbols + 1].fill(NONE);
        let mut leaf = 0;
        let mut inner = 0;
        for made in 0..symbols - 1 {
            self.used[made & MASK] = inner as u16;
            let first_leaf = self.leaves[leaf & MASK] >> SYMBOL_BITS;
            let second_leaf = self.leaves[(leaf & MASK) + 1] >> SYMBOL_BITS;
            let first_inner = self.inner[inner & MASK];
            let second_inner = self.inner[(inner & MASK) + 1];
            self.inner[made & MASK] = if second_leaf <= first_inner {
                leaf += 2;
                first_leaf + second_leaf
            } else if second_inner < first_leaf {
                inner += 2;
                first_inner + second_inner
            } else {
                leaf += 1;
                inner += 1;
                first_leaf + first_inner
            };
        }
    }

    /// Counts the leaves of each depth.
    fn count_depths(&self, symbols: usize, of_length: &mut [u32; MAX_LENGTH + 1]) {
        // The root is made last. Inner nodes in `from..to` have the depth above the one that is counted.
        let mut to = symbols - 1;
        let mut from = symbols - 2;
        for count in &mut of_length[1..] {
            let next = usize::from(self.used[from & (MAX_SYMBOLS - 1)]);
            *count = 2 * (to - from) as u32 - (from - next) as u32;
            to = from;
            from = next;
            if to == from {
                break;
            }
        }
    }

    /// Puts the symbols in the order of their codes: by (length, symbol).
    fn order(&mut self, symbols: usize, of_length: &[u32; MAX_LENGTH + 1], ordered: &mut [u16]) {
        let size = stripe_size(symbols);
        let mut leaves = &self.leaves[..symbols];
        let mut places = [[0_u32; STRIPES]; MAX_LENGTH + 1];
        let mut place = symbols as u32;
        for (length, &count) in of_length.iter().enumerate().rev() {
            let Some((now, later)) = leaves.split_at_checked(count as usize) else {
                break;
            };
            leaves = later;
            // How many of these symbols come before the second stripe, the third, ...
            let mut before = [0_u32; STRIPES];
            for &leaf in now {
                let symbol = leaf as usize & (MAX_SYMBOLS - 1);
                self.lengths[symbol] = length as u8;
                for (stripe, before) in before.iter_mut().enumerate() {
                    *before += u32::from(symbol < stripe * size);
                }
            }
            place -= count;
            places[length] = before.map(|before| place + before);
        }
        by_stripes(&self.lengths[..symbols], |stripe, symbol, length| {
            let place = &mut places[usize::from(length) & MAX_LENGTH][stripe % STRIPES];
            if let Some(slot) = ordered.get_mut(*place as usize) {
                *slot = symbol as u16;
            }
            *place += 1;
        });
    }
}

/// The bucket of a count.
#[inline(always)]
fn bucket(count: u16) -> usize {
    usize::from(count).min(BUCKETS - 1)
}

/// Number of symbols in each stripe but the last, which may have up to three more.
fn stripe_size(symbols: usize) -> usize {
    symbols / STRIPES
}

/// Visits all values with their stripe and index, those of each stripe in order, the stripes in turn.
#[inline(always)]
fn by_stripes<T: Copy>(values: &[T], mut visit: impl FnMut(usize, usize, T)) {
    let size = stripe_size(values.len());
    let (first, rest) = values.split_at(size);
    let (second, rest) = rest.split_at(size);
    let (third, last) = rest.split_at(size);
    for (index, (((&first, &second), &third), &fourth)) in
        first.iter().zip(second).zip(third).zip(last).enumerate()
    {
        visit(0, index, first);
        visit(1, index + size, second);
        visit(2, index + 2 * size, third);
        visit(3, index + 3 * size, fourth);
    }
    for (index, &value) in values.iter().enumerate().skip(4 * size) {
        visit(3, index, value);
    }
}
