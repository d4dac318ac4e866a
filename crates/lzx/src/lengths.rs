//! Code lengths, which are stored as differences to the lengths of the block before, in a code of their own.

use crate::bits::BitReader;
use crate::error::{Code, DecodeError};
use crate::huffman::{Defect, HuffmanCode};

/// Number of pre-code symbols: 17 differences and 3 kinds of run.
const PRE_SYMBOLS: usize = 20;

/// Size of the pre-code's table.
const PRE_SLOTS: usize = 1 << 8;

/// How far a run can pass the end of its table: the longest run has 51 lengths.
pub(crate) const OVERRUN: usize = 50;

/// Number of values a length has; differences are taken modulo it.
const LENGTH_VALUES: u8 = 17;

const SHORT_ZERO_RUN: u8 = 17;
const LONG_ZERO_RUN: u8 = 18;
const SAME_RUN: u8 = 19;

/// Entries of all symbols: the symbol in bits 8..16.
const ENTRIES: [u32; PRE_SYMBOLS] = entries();

/// Reads code lengths.
#[derive(Clone)]
pub(crate) struct LengthReader {
    code: HuffmanCode<PRE_SYMBOLS, PRE_SLOTS>,
}

impl LengthReader {
    pub(crate) fn new() -> Self {
        Self {
            code: HuffmanCode::new(),
        }
    }

    /// Updates the first `count` of `lengths`. A run may change up to [`OVERRUN`] lengths behind them, if `lengths` has those.
    pub(crate) fn read(
        &mut self,
        bits: &mut BitReader<'_>,
        lengths: &mut [u8],
        count: usize,
    ) -> Result<(), DecodeError> {
        let mut pre_lengths = [0; PRE_SYMBOLS];
        for length in &mut pre_lengths {
            bits.refill();
            *length = bits.take(4) as u8;
        }
        self.code
            .build(&pre_lengths, &ENTRIES)
            .map_err(|defect| code_error(Code::Pre, defect, bits))?;

        let mut done = 0;
        while done < count {
            let (value, repeat) = match self.symbol(bits)? {
                SHORT_ZERO_RUN => (0, 4 + bits.take(4)),
                LONG_ZERO_RUN => (0, 20 + bits.take(5)),
                SAME_RUN => {
                    let repeat = 4 + bits.take(1);
                    let difference = self.symbol(bits)?;
                    if difference > LENGTH_VALUES {
                        return Err(DecodeError::RunOfRuns {
                            found: difference,
                            input: bits.offset(),
                        });
                    }
                    (changed(lengths, done, difference), repeat)
                }
                difference => (changed(lengths, done, difference), 1),
            };
            let end = lengths.len().min(done + repeat as usize);
            if let Some(run) = lengths.get_mut(done..end) {
                run.fill(value);
            }
            done += repeat as usize;
        }
        Ok(())
    }

    /// Reads one symbol. Leaves 32 bits or more in the reserve.
    fn symbol(&self, bits: &mut BitReader<'_>) -> Result<u8, DecodeError> {
        bits.refill();
        let mut entry = self.code.entry(bits.index::<PRE_SLOTS>());
        if entry == 0 {
            let long = self.code.long_entry(bits.top16());
            entry = long.ok_or_else(|| empty_code(Code::Pre, bits.offset()))?;
        }
        bits.consume(entry);
        Ok(entry.to_le_bytes()[1])
    }
}

/// The error for a code with a defect.
#[cold]
pub(crate) fn code_error(code: Code, defect: Defect, bits: &BitReader<'_>) -> DecodeError {
    let input = bits.offset();
    match defect {
        Defect::Overfull => DecodeError::OverfullCode { code, input },
        Defect::Underfull => DecodeError::UnderfullCode { code, input },
    }
}

/// The error for the use of a code without symbols.
#[cold]
pub(crate) fn empty_code(code: Code, input: usize) -> DecodeError {
    DecodeError::EmptyCode { code, input }
}

/// The length at `place` less `difference` (0..=17), modulo 17.
fn changed(lengths: &[u8], place: usize, difference: u8) -> u8 {
    let old = lengths.get(place).copied().unwrap_or_default();
    if old >= difference {
        old - difference
    } else {
        old + LENGTH_VALUES - difference
    }
}

const fn entries() -> [u32; PRE_SYMBOLS] {
    let mut entries = [0; PRE_SYMBOLS];
    let mut symbol = 0;
    while symbol < PRE_SYMBOLS {
        entries[symbol] = (symbol as u32) << 8;
        symbol += 1;
    }
    entries
}
