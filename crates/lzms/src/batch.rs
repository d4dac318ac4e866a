//! Decoded items that are not in the output yet.
//!
//! Items are decoded in batches and then carried out. The sources of matches in a chunk of many megabytes are seldom in a cache.
//! Where copies stand close together, with nothing that waits for them, the processor fetches several sources at once; between
//! the decisions and symbols of the items they would be fetched one at a time.

use crate::copy::{SLACK, copy_delta, copy_exact, copy_wide};

/// Most literals of a batch, a multiple of [`PIECE`].
pub(crate) const LITERALS: usize = 2048;

/// Most matches of a batch.
pub(crate) const MATCHES: usize = 256;

/// Outputs up to this size stay in a cache that is near.
const CACHED: usize = 1 << 19;

/// Literals that are copied together.
const PIECE: usize = 16;

/// Items in their order: for each match how many literals come before it. Literals behind the last match may follow.
#[derive(Clone)]
pub(crate) struct Batch {
    pub(crate) literals: [u8; LITERALS + PIECE],
    pub(crate) matches: [Match; MATCHES],
}

/// A match, and the literals before it.
#[derive(Clone, Copy)]
pub(crate) struct Match {
    /// Length in bytes.
    pub(crate) length: u32,
    /// How far before the match its source starts, in bytes.
    pub(crate) distance: u32,
    /// Number of literals since the match before.
    pub(crate) literals: u16,
    pub(crate) kind: MatchKind,
}

/// What a match does with its source.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum MatchKind {
    /// Copies it.
    Lz,
    /// Repeats its differences over a span of two to the power of this.
    Delta(u8),
}

impl Batch {
    pub(crate) fn new() -> Self {
        let none = Match {
            length: 0,
            distance: 1,
            literals: 0,
            kind: MatchKind::Lz,
        };
        Self {
            literals: [0; LITERALS + PIECE],
            matches: [none; MATCHES],
        }
    }

    /// Carries out the first `matches` matches, and the first `literals` literals in between and behind them, from `position` on.
    ///
    /// The items fit `output`, and no match starts before it.
    #[inline(never)]
    pub(crate) fn carry_out(
        &self,
        matches: usize,
        literals: usize,
        output: &mut [u8],
        mut position: usize,
    ) {
        if output.len() > CACHED {
            self.touch(matches, output, position);
        }
        let mut taken = 0;
        for item in self.matches.iter().take(matches) {
            let run = usize::from(item.literals);
            let length = item.length as usize;
            let distance = item.distance as usize;
            self.copy_literals(taken, run, output, position);
            taken += run;
            position += run;
            match item.kind {
                MatchKind::Lz if position + length + SLACK <= output.len() => {
                    let _ = copy_wide(output, position, distance, length);
                }
                MatchKind::Lz => copy_exact(output, position, distance, length),
                MatchKind::Delta(power) => {
                    copy_delta(output, position, 1 << (power & 7), distance, length);
                }
            }
            position += length;
        }
        self.copy_literals(taken, literals.saturating_sub(taken), output, position);
    }

    /// Reads both ends of every source, so that sources are on their way to the cache when the first copy is made.
    ///
    /// Sources that this batch itself makes are left alone: to read memory that was never written to costs a page fault, and to
    /// write to it then costs a second one.
    #[inline(always)]
    fn touch(&self, matches: usize, output: &[u8], mut position: usize) {
        let output = output.get(..position).unwrap_or_default();
        let mut all = 0;
        for item in self.matches.iter().take(matches) {
            position += usize::from(item.literals);
            let source = position.wrapping_sub(item.distance as usize);
            position += item.length as usize;
            let end = position.wrapping_sub(item.distance as usize);
            if let Some([first, .., last]) = output.get(source..end) {
                all ^= first ^ last;
            }
        }
        core::hint::black_box(all);
    }

    /// Copies `count` literals from the place `from` to `position`, and up to [`PIECE`] bytes more where there is room.
    #[inline(always)]
    fn copy_literals(&self, from: usize, count: usize, output: &mut [u8], position: usize) {
        let Some(output) = output.get_mut(position..) else {
            return;
        };
        let Some(literals) = self.literals.get(from..) else {
            return;
        };
        if let (Some(target), Some(piece)) = (
            output.first_chunk_mut::<PIECE>(),
            literals.first_chunk::<PIECE>(),
        ) && count <= PIECE
        {
            *target = *piece;
        } else if let (Some(target), Some(run)) = (output.get_mut(..count), literals.get(..count)) {
            target.copy_from_slice(run);
        }
    }
}
