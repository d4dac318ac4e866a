//! The decoder: what a caller sees.

use alloc::boxed::Box;

use crate::error::DecodeError;
use crate::items::Items;
use crate::x86::X86Filter;

/// Largest output.
const MAX_OUTPUT: usize = 1 << 30;

/// Smallest input: the range decoder starts with four bytes.
const MIN_INPUT: usize = 4;

/// Decodes chunks. Holds the tables, so that they are set up once and used for many chunks.
#[derive(Clone)]
pub struct Decoder {
    items: Box<Items>,
    filter: X86Filter,
}

impl Decoder {
    /// Makes a decoder for chunks of any size.
    pub fn new() -> Self {
        Self {
            items: Box::new(Items::new()),
            filter: X86Filter::new(),
        }
    }

    /// Decodes the compressed chunk `input` and fills `output`, whose length is the uncompressed chunk's: 1 byte to 1 GiB.
    ///
    /// The x86 filter is undone in `output`.
    ///
    /// # Errors
    /// [`DecodeError`] if a length is out of range or `input` is not a chunk that decodes to the output's length.
    pub fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<(), DecodeError> {
        if !(1..=MAX_OUTPUT).contains(&output.len()) {
            return Err(DecodeError::OutputSize { size: output.len() });
        }
        if input.len() < MIN_INPUT || !input.len().is_multiple_of(2) {
            return Err(DecodeError::InputSize { size: input.len() });
        }
        self.items.decode(input, output)?;
        self.filter.undo(output);
        Ok(())
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl core::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Decoder").finish_non_exhaustive()
    }
}
