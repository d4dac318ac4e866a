//! The forward stream: binary decisions, range coded with adaptive probabilities.

/// Decisions that a probability remembers.
const HISTORY: u32 = 64;

/// The last decisions that every probability starts with, newest at the bottom.
const FIRST_HISTORY: u64 = 0x5555_5555;

/// The range is scaled up when it falls below this.
const SMALL_RANGE: u32 = 1 << 16;

/// Binary decoder over 16-bit little-endian units from the chunk's first byte on.
#[derive(Clone, Copy)]
pub(crate) struct RangeDecoder<'a> {
    input: &'a [u8],
    /// Position of the next unit.
    next: usize,
    range: u32,
    code: u32,
    /// Units that were taken after the end of the input, as zeros.
    missing: usize,
}

/// How likely a decision is to be 0.
#[derive(Clone, Copy)]
pub(crate) struct Probability {
    history: u64,
    /// Zeros among `history`.
    zeros: u32,
    /// The chance of a zero in 64ths, 1..=63.
    chance: u32,
}

/// Decisions of one kind, with a probability for each sequence of the last `ENTRIES.ilog2()` of them.
#[derive(Clone)]
pub(crate) struct Context<const ENTRIES: usize> {
    state: usize,
    entries: [Probability; ENTRIES],
}

impl<'a> RangeDecoder<'a> {
    /// Starts at the first byte of `input` and takes four.
    pub(crate) fn new(input: &'a [u8]) -> Self {
        let mut decoder = Self {
            input,
            next: 0,
            range: u32::MAX,
            code: 0,
            missing: 0,
        };
        decoder.pull();
        decoder.pull();
        decoder
    }

    /// True if units were taken that the input does not have.
    pub(crate) fn is_overrun(&self) -> bool {
        self.missing > 0
    }

    /// Decodes one decision.
    #[inline(always)]
    pub(crate) fn decide<const ENTRIES: usize>(&mut self, context: &mut Context<ENTRIES>) -> bool {
        let entry = &mut context.entries[context.state & (ENTRIES - 1)];
        if self.range < SMALL_RANGE {
            self.range <<= 16;
            self.pull();
        }
        let bound = (self.range >> HISTORY.ilog2()) * entry.chance;
        if self.code < bound {
            self.range = bound;
            entry.saw_zero();
            context.state <<= 1;
            false
        } else {
            self.range -= bound;
            self.code -= bound;
            entry.saw_one();
            context.state = context.state << 1 | 1;
            true
        }
    }

    #[inline(always)]
    fn pull(&mut self) {
        let unit = self.input.get(self.next..);
        let unit = match unit.and_then(|rest| rest.first_chunk::<2>()) {
            Some(unit) => {
                self.next += 2;
                u16::from_le_bytes(*unit)
            }
            None => {
                self.missing = self.missing.saturating_add(1);
                0
            }
        };
        self.code = self.code << 16 | u32::from(unit);
    }
}

impl Probability {
    const FIRST: Self = Self {
        history: FIRST_HISTORY,
        zeros: FIRST_HISTORY.count_zeros(),
        chance: FIRST_HISTORY.count_zeros(),
    };

    #[inline(always)]
    fn saw_zero(&mut self) {
        self.zeros += (self.history >> (HISTORY - 1)) as u32;
        self.history <<= 1;
        self.chance = self.zeros.min(HISTORY - 1);
    }

    #[inline(always)]
    fn saw_one(&mut self) {
        self.zeros = self.zeros + (self.history >> (HISTORY - 1)) as u32 - 1;
        self.history = self.history << 1 | 1;
        self.chance = self.zeros.max(1);
    }
}

impl<const ENTRIES: usize> Context<ENTRIES> {
    pub(crate) fn new() -> Self {
        Self {
            state: 0,
            entries: [Probability::FIRST; ENTRIES],
        }
    }

    /// Forgets all decisions.
    pub(crate) fn reset(&mut self) {
        self.state = 0;
        self.entries.fill(Probability::FIRST);
    }
}
