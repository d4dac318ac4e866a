//! The bit stream: little-endian 16-bit units, most significant bit first.
//!
//! The reader holds up to 63 bits in a 64-bit reserve and refills it eight bytes at a time, so it runs ahead of the format,
//! which never holds more than 31 bits. That shows only where length bytes stand between the units:
//! [`BitReader::extra_length`] then hands the early units back, so that it reads at the position the format means.

/// Selects the low byte of every 16-bit lane.
const LOW_BYTES: u64 = 0x00FF_00FF_00FF_00FF;

/// A cursor over one compressed chunk.
#[derive(Clone, Copy)]
pub(crate) struct BitReader<'a> {
    input: &'a [u8],
    rest: &'a [u8],
    /// The next bits of the stream, first bit at the top. Bits below the top `bits` are not defined.
    reserve: u64,
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

    /// Brings the reserve to 48 bits or more; zero bits follow the end of the input.
    #[inline(always)]
    pub(crate) fn refill(&mut self) {
        if let Some(next) = self.rest.first_chunk::<8>() {
            let swapped = u64::from_be_bytes(*next);
            let units = ((swapped & LOW_BYTES) << 8) | ((swapped >> 8) & LOW_BYTES);
            // Units that are already in the reserve's undefined part are written again with the same bits.
            self.reserve |= units >> (self.bits & 63);
            let taken = ((63 - (self.bits & 63)) >> 4) as usize * 2;
            self.rest = &self.rest[taken..];
            self.bits |= 48;
        } else {
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

    /// The distance of a match whose symbol has this entry; the symbol is not consumed.
    #[inline(always)]
    pub(crate) fn distance(&self, entry: u32) -> usize {
        let offset = self.reserve << (entry >> 24 & 31);
        ((offset >> 1 | 1 << 63) >> (63 - (entry >> 16 & 15))) as usize
    }

    /// Drops `count` (its low 6 bits) bits, at most as many as the last refill left.
    #[inline(always)]
    pub(crate) fn consume(&mut self, count: u32) {
        self.reserve <<= count & 63;
        self.bits = self.bits.wrapping_sub(count & 63);
    }

    /// Takes `count` bits (0..=31).
    #[inline(always)]
    pub(crate) fn take(&mut self, count: u32) -> u32 {
        let value = (self.reserve >> 1) >> (63 - (count & 63));
        self.consume(count);
        value as u32
    }

    /// Reads the bytes that follow a length nibble of 15: the match length less 3.
    ///
    /// To be called right after the symbol was consumed. Leaves 16 bits or more in the reserve, enough for the offset.
    #[inline(never)]
    pub(crate) fn extra_length(&mut self) -> usize {
        if self.bits < 16 {
            self.refill();
        }
        self.hand_back(16 + (self.bits & 15));
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

    /// Cuts the reserve to `keep` bits and returns the units behind them to the input.
    fn hand_back(&mut self, keep: u32) {
        let surplus = (self.bits - keep) / 16;
        let padding = surplus.min(self.padding);
        self.padding -= padding;
        let start = self.offset() - (surplus - padding) as usize * 2;
        self.rest = self.input.get(start..).unwrap_or_default();
        self.bits = keep;
        self.clear_undefined();
    }

    #[cold]
    #[inline(never)]
    fn refill_at_end(&mut self) {
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

    fn clear_undefined(&mut self) {
        self.reserve &= !(u64::MAX >> (self.bits & 63));
    }
}
