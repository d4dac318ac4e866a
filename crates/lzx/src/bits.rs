//! The bit stream: little-endian 16-bit units, most significant bit first.
//!
//! The reader holds up to 63 bits in a 64-bit reserve and refills it eight bytes at a time. It runs ahead of the bits that are
//! in use; uncompressed blocks, which stand at unit boundaries between the bits, make it hand the early units back.

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
    /// Starts at the first byte of `input`.
    pub(crate) fn new(input: &'a [u8]) -> Self {
        Self {
            input,
            rest: input,
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

    /// The last `count` (0..=31) of the next `end` bits. The low 6 bits of `end` count.
    #[inline(always)]
    pub(crate) fn peek(&self, end: u32, count: u32) -> u32 {
        let mask = (1_u32 << (count & 31)) - 1;
        self.reserve.rotate_left(end & 63) as u32 & mask
    }

    /// Takes `count` bits (0..=31).
    #[inline(always)]
    pub(crate) fn take(&mut self, count: u32) -> u32 {
        let value = (self.reserve >> 1) >> (63 - (count & 63));
        self.consume(count);
        value as u32
    }

    /// Skips 1 to 16 bits to a unit boundary, and continues with the bytes there.
    pub(crate) fn align(&mut self) {
        if self.held() == 0 {
            self.refill();
        }
        let unread = (self.held() - 1) / 16;
        let padding = unread.min(self.padding);
        let start = self.offset() - (unread - padding) as usize * 2;
        self.restart(start);
    }

    /// Takes `count` bytes after [`BitReader::align`]. None if there are fewer.
    pub(crate) fn take_bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(bytes)
    }

    fn restart(&mut self, start: usize) {
        self.rest = self.input.get(start..).unwrap_or_default();
        self.reserve = 0;
        self.bits = 0;
        self.padding = 0;
    }

    #[cold]
    #[inline(never)]
    fn refill_at_end(&mut self) {
        self.bits = self.held();
        self.reserve &= !(u64::MAX >> self.bits);
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
}
