//! The bit stream: little-endian 16-bit units, most significant bit first.
//!
//! The reader holds up to 63 bits in a 64-bit reserve and refills it eight bytes at a time, so it runs ahead of the format,
//! which never holds more than 31 bits. That shows only where length bytes stand between the units:
//! [`BitReader::extra_length`] then hands the early units back, so that it reads at the position the format means.
//!
//! Readers are passed by value where it counts: one that is ever borrowed by a call lives in memory, and the path from one
//! symbol to the next then goes through it.

/// A cursor over one compressed chunk.
#[derive(Clone, Copy)]
pub(crate) struct BitReader<'a> {
    input: &'a [u8],
    /// What is not in the reserve yet.
    rest: &'a [u8],
    /// The next bits of the stream, first bit at the top. Bits below the first [`BitReader::held`] are not defined.
    reserve: u64,
    /// Number of bits in the reserve, in the low 6 bits. What stands above them has no meaning.
    bits: u32,
    /// Zero units at the end of the reserve that do not stand in the input.
    padding: u32,
}

impl<'a> BitReader<'a> {
    /// Starts at byte `start` of `input`, which holds at least that much.
    pub(crate) fn new(input: &'a [u8], start: usize) -> Self {
        Self {
            input,
            rest: input.get(start..).unwrap_or_default(),
            reserve: 0,
            bits: 0,
            padding: 0,
        }
    }

    /// Position of the first byte that is not in the reserve yet.
    pub(crate) fn offset(&self) -> usize {
        self.input.len() - self.rest.len()
    }

    /// Number of bits in the reserve.
    #[inline(always)]
    fn held(&self) -> u32 {
        self.bits & 63
    }

    /// Whether `count` bytes or more are not in the reserve yet.
    #[inline(always)]
    pub(crate) fn has_bytes(&self, count: usize) -> bool {
        self.rest.len() >= count
    }

    /// Brings the reserve to 48 bits or more, if 8 more bytes of input are there. Otherwise it returns None.
    #[inline(always)]
    pub(crate) fn refill_fast(&mut self) -> Option<()> {
        let next = self.rest.first_chunk::<8>()?;
        let units = u64::from_le_bytes(*next);
        // The first unit comes to the top: the units of each half change places, then the halves.
        let first = (units as u32).rotate_left(16);
        let second = ((units >> 32) as u32).rotate_left(16);
        let units = u64::from(first) << 32 | u64::from(second);
        // Units that are already in the reserve's undefined part are written again with the same bits.
        self.reserve |= units >> self.held();
        self.rest = &self.rest[(!self.bits >> 3 & 6) as usize..];
        self.bits |= 48;
        Some(())
    }

    /// Brings the reserve to 48 bits or more; zero bits follow the end of the input.
    #[inline(always)]
    pub(crate) fn refill(&mut self) {
        if self.refill_fast().is_none() {
            self.refill_at_end();
        }
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

    /// Drops as many bits as the low 6 bits of `count` say, at most as many as the last refill left.
    #[inline(always)]
    pub(crate) fn consume(&mut self, count: u32) {
        self.reserve <<= count & 63;
        self.bits = self.bits.wrapping_sub(count);
    }

    /// The last `count` (0..=15) of the next `end` bits, below a one bit. The low 6 bits of `end` count.
    #[inline(always)]
    pub(crate) fn peek_below_one(&self, end: u32, count: u32) -> usize {
        let one = 1_usize << (count & 15);
        self.reserve.rotate_left(end & 63) as usize & (one - 1) | one
    }

    /// Reads the bytes that follow a length nibble of 15: the match length less 3.
    ///
    /// To be called right after the symbol was consumed, with 16 bits or more left in the reserve. Leaves that many, enough for
    /// the offset.
    #[inline(always)]
    pub(crate) fn extra_length(&mut self) -> usize {
        // The format's reserve would hold 16 to 31 bits now. The units behind them go back to the input.
        let keep = 16 + (self.bits & 15);
        let surplus = self.held().wrapping_sub(keep) / 16;
        let padding = surplus.min(self.padding);
        self.padding -= padding;
        let start = self.offset() - (surplus - padding) as usize * 2;
        self.rest = self.input.get(start..).unwrap_or_default();
        self.bits = keep;
        self.clear_undefined();

        let Some((&byte, rest)) = self.rest.split_first() else {
            return 15;
        };
        self.rest = rest;
        if byte < u8::MAX {
            return usize::from(byte) + 15;
        }
        let Some((unit, rest)) = self.rest.split_first_chunk::<2>() else {
            return 0;
        };
        self.rest = rest;
        usize::from(u16::from_le_bytes(*unit))
    }

    #[cold]
    #[inline(never)]
    fn refill_at_end(&mut self) {
        self.bits = self.held();
        self.clear_undefined();
        while self.bits < 48 {
            let unit = match self.rest.split_first_chunk::<2>() {
                Some((unit, rest)) => {
                    self.rest = rest;
                    u16::from_le_bytes(*unit)
                }
                None => {
                    self.padding = self.padding.saturating_add(1);
                    0
                }
            };
            self.reserve |= u64::from(unit) << (48 - self.bits);
            self.bits += 16;
        }
    }

    #[inline(always)]
    fn clear_undefined(&mut self) {
        self.reserve &= !(u64::MAX >> self.held());
    }
}
