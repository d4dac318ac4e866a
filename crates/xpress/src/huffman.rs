//! Canonical prefix codes: shorter codes first, equal lengths in symbol order.
//!
//! A code is decoded with one look-up of its first bits. The few codes that are longer than the table's index are found by
//! comparing 16 bits of input with the end of each length's range; that needs no second table to be built for every chunk.

/// Longest code that can be built.
const MAX_LENGTH: usize = 16;

/// Why a set of code lengths is not a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    Overfull,
    Underfull,
}

/// Decoding table of one code: an index of `SLOTS` entries over at most `SYMBOLS` symbols.
///
/// An entry is what the caller gave for its symbol plus the code's length. It is 0 if the index does not reach the code.
#[derive(Clone)]
pub(crate) struct HuffmanCode<const SYMBOLS: usize, const SLOTS: usize> {
    index: [u32; SLOTS],
    /// Entries in the order of their codes.
    sorted: [u32; SYMBOLS],
    /// For each length: end of its codes, as 16 left-aligned bits.
    ends: [u32; MAX_LENGTH + 1],
    /// For each length: its first code likewise, and the place of that code in `sorted`.
    starts: [(u32, u32); MAX_LENGTH + 1],
}

impl<const SYMBOLS: usize, const SLOTS: usize> HuffmanCode<SYMBOLS, SLOTS> {
    const INDEX_BITS: usize = SLOTS.trailing_zeros() as usize;

    /// A code without symbols.
    pub(crate) fn new() -> Self {
        Self {
            index: [0; SLOTS],
            sorted: [0; SYMBOLS],
            ends: [0; MAX_LENGTH + 1],
            starts: [(0, 0); MAX_LENGTH + 1],
        }
    }

    /// Rebuilds the table from code lengths (0..=16, 0 for an unused symbol), with `entries` in symbol order.
    ///
    /// No used symbol at all gives a code that decodes nothing.
    pub(crate) fn build(&mut self, lengths: &[u8], entries: &[u32]) -> Result<(), Defect> {
        // Two histograms, so that runs of one length do not wait for their own increments.
        let mut odd = [0_u32; 32];
        let mut counts = [0_u32; 32];
        let (pairs, last) = lengths.as_chunks::<2>();
        for &[first, second] in pairs {
            counts[usize::from(first & 31)] += 1;
            odd[usize::from(second & 31)] += 1;
        }
        for &length in last {
            counts[usize::from(length & 31)] += 1;
        }
        for (count, odd) in counts.iter_mut().zip(odd) {
            *count += odd;
        }

        let mut places = [0_u32; 32];
        let mut place = 0;
        let mut code = 0_u32;
        for length in 1..=MAX_LENGTH {
            places[length] = place;
            self.starts[length] = (code, place);
            place += counts[length];
            code += counts[length] << (MAX_LENGTH - length);
            self.ends[length] = code;
        }
        match code {
            0 => {
                self.index.fill(0);
                return Ok(());
            }
            0x1_0000 => {}
            0x1_0001.. => return Err(Defect::Overfull),
            _ => return Err(Defect::Underfull),
        }

        // Unused symbols go behind the used ones, where nothing looks.
        places[0] = place;
        for (&length, &entry) in lengths.iter().zip(entries) {
            let place = &mut places[usize::from(length & 31)];
            if let Some(slot) = self.sorted.get_mut(*place as usize) {
                *slot = entry + u32::from(length);
            }
            *place += 1;
        }

        let mut filled = 0;
        let mut sorted = &self.sorted[..];
        for (length, &count) in counts.iter().enumerate().take(Self::INDEX_BITS + 1).skip(1) {
            let repeat = 1 << (Self::INDEX_BITS - length);
            let Some((now, later)) = sorted.split_at_checked(count as usize) else {
                break;
            };
            let Some(slots) = self.index.get_mut(filled..filled + now.len() * repeat) else {
                break;
            };
            filled += slots.len();
            if repeat == 1 {
                slots.copy_from_slice(now);
            } else {
                for (slots, &entry) in slots.chunks_exact_mut(repeat).zip(now) {
                    slots.fill(entry);
                }
            }
            sorted = later;
        }
        self.index[filled..].fill(0);
        Ok(())
    }

    /// The entry at `index`, the next bits of input; its length is 0 if the code is longer than the index.
    #[inline(always)]
    pub(crate) fn entry(&self, index: usize) -> u32 {
        self.index[index & (SLOTS - 1)]
    }

    /// The entry of a code that is longer than the index, from the next 16 bits of input. None if the code has no symbols.
    #[inline(never)]
    pub(crate) fn long_entry(&self, top16: u32) -> Option<u32> {
        let longer = self.ends.get(Self::INDEX_BITS + 1..)?;
        let length = Self::INDEX_BITS + 1 + longer.iter().position(|&end| top16 < end)?;
        let (start, place) = self.starts.get(length)?;
        let skipped = top16.checked_sub(*start)? >> (MAX_LENGTH - length);
        self.sorted.get((place + skipped) as usize).copied()
    }
}
