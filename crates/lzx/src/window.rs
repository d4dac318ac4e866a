//! The window's size, which decides the number of offset slots.

/// Size of the LZX window: the chunk size, a power of two from 32 KiB to 2 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowSize {
    log2: u32,
}

impl WindowSize {
    /// The window for a chunk size in bytes. None unless it is a power of two in 2^15..=2^21.
    pub const fn from_chunk_size(chunk_size: u32) -> Option<Self> {
        let log2 = chunk_size.trailing_zeros();
        if chunk_size.is_power_of_two() && 15 <= log2 && log2 <= 21 {
            Some(Self { log2 })
        } else {
            None
        }
    }

    /// Size in bytes.
    pub const fn bytes(self) -> usize {
        1 << self.log2
    }

    /// Number of offset slots.
    pub(crate) const fn slots(self) -> usize {
        match self.log2 {
            15 => 30,
            16 => 32,
            17 => 34,
            18 => 36,
            19 => 38,
            20 => 42,
            _ => 50,
        }
    }
}
