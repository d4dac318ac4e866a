//! The backward bit stream: from the chunk's last byte to its first, most significant bit first.
//!
//! The format takes 16-bit little-endian units from the end of the chunk, the top bit of each first. Read backwards, the two
//! bytes of such a unit come in the order of their bits, so this is a stream of bytes, and eight of them in little-endian order
//! are the next 64 bits with the first one at the top.

/// A cursor over one compressed chunk.
#[derive(Clone, Copy)]
pub(crate) struct BitReader<'a> {
    /// Input that is not in the reserve yet.
    rest: &'a [u8],
    /// The next bits of the stream, first bit at the top. Bits below the top `bits` are not defined.
    reserve: u64,
    bits: u32,
    /// Zero bytes that went into the reserve after the input's.
    padding: usize,
}

impl<'a> BitReader<'a> {
    /// Starts behind the last byte of `input`.
    pub(crate) fn new(input: &'a [u8]) -> Self {
        Self {
            rest: input,
            reserve: 0,
            bits: 0,
            padding: 0,
        }
    }

    /// Position of the last byte that went into the reserve.
    pub(crate) fn offset(&self) -> usize {
        self.rest.len()
    }

    /// True if bits were taken that the input does not have.
    pub(crate) fn is_overrun(&self) -> bool {
        self.padding.saturating_mul(8) > self.bits as usize
    }

    /// Brings the reserve to 56 bits or more; zero bits follow the start of the input.
    ///
    /// Unless `TAIL`, nothing happens where fewer than 8 bytes are left; the caller sees to it that they are.
    #[inline(always)]
    pub(crate) fn refill<const TAIL: bool>(&mut self) {
        if let Some(next) = self.rest.last_chunk::<8>() {
            // Bits that are already in the reserve's undefined part are written again with the same value.
            self.reserve |= u64::from_le_bytes(*next) >> (self.bits & 63);
            let taken = ((63 - (self.bits & 63)) >> 3) as usize;
            self.rest = &self.rest[..self.rest.len() - taken];
            self.bits |= 56;
        } else if TAIL {
            self.refill_at_end();
        }
    }

    /// Number of bits in the reserve.
    #[inline(always)]
    pub(crate) fn available(&self) -> u32 {
        self.bits
    }

    /// The top 16 bits of the reserve.
    #[inline(always)]
    pub(crate) fn top16(&self) -> u32 {
        (self.reserve >> 48) as u32
    }

    /// The top `SLOTS.ilog2()` bits of the reserve.
    #[inline(always)]
    pub(crate) fn index<const SLOTS: usize>(&self) -> usize {
        (self.reserve >> (64 - SLOTS.trailing_zeros())) as usize
    }

    /// Drops `count` bits, at most as many as the last refill left.
    #[inline(always)]
    pub(crate) fn consume(&mut self, count: u32) {
        self.reserve <<= count & 63;
        self.bits = self.bits.wrapping_sub(count);
    }

    /// Takes `count` bits (0..=31).
    #[inline(always)]
    pub(crate) fn take(&mut self, count: u32) -> u32 {
        let value = (self.reserve >> 1) >> (63 - (count & 63));
        self.consume(count);
        value as u32
    }

    #[cold]
    #[inline(never)]
    fn refill_at_end(&mut self) {
        self.reserve &= !(u64::MAX >> (self.bits & 63));
        while self.bits < 56 {
            let byte = match self.rest.split_last() {
                Some((byte, rest)) => {
                    self.rest = rest;
                    *byte
                }
                None => {
                    self.padding = self.padding.saturating_add(1);
                    0
                }
            };
            self.reserve |= u64::from(byte) << (56 - self.bits);
            self.bits += 8;
        }
    }
}
