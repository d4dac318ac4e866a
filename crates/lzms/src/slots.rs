//! Offset and length slots: each stands for a range of values, of which extra bits choose one.

/// A number of slots for each number of extra bits, in order.
type Runs = [(usize, u32)];

const OFFSET_RUNS: &Runs = &[
    (8, 0),
    (9, 2),
    (7, 3),
    (10, 4),
    (15, 5),
    (15, 6),
    (20, 7),
    (20, 8),
    (30, 9),
    (33, 10),
    (40, 11),
    (42, 12),
    (45, 13),
    (60, 14),
    (73, 15),
    (80, 16),
    (85, 17),
    (95, 18),
    (105, 19),
    (6, 20),
    (1, 30),
];

const LENGTH_RUNS: &Runs = &[
    (26, 0),
    (4, 1),
    (6, 2),
    (4, 3),
    (5, 4),
    (2, 5),
    (1, 6),
    (1, 7),
    (1, 8),
    (1, 9),
    (1, 10),
    (1, 16),
    (1, 30),
];

/// Number of offset slots in all.
const OFFSET_SLOTS: usize = 799;

/// Number of length slots.
pub(crate) const LENGTH_SLOTS: usize = 54;

/// The offset slots, filled up to a power of two.
pub(crate) const OFFSETS: [Slot; 1024] = slots(OFFSET_RUNS);

/// The length slots, likewise.
pub(crate) const LENGTHS: [Slot; 64] = slots(LENGTH_RUNS);

/// A range of values.
#[derive(Clone, Copy)]
pub(crate) struct Slot {
    /// The first value.
    pub(crate) base: u32,
    /// Number of bits that are added to it, up to 30.
    pub(crate) extra: u32,
}

/// Number of offset slots that a chunk of `size` bytes has: as many as its longest offset needs, and at least one.
pub(crate) fn offset_slots(size: usize) -> usize {
    let used = |slot: &&Slot| (slot.base as usize) < size;
    OFFSETS[..OFFSET_SLOTS]
        .iter()
        .take_while(used)
        .count()
        .max(1)
}

const fn slots<const COUNT: usize>(runs: &Runs) -> [Slot; COUNT] {
    let mut slots = [Slot { base: 0, extra: 0 }; COUNT];
    let mut base = 1;
    let mut slot = 0;
    let mut run = 0;
    while run < runs.len() {
        let (count, extra) = runs[run];
        let end = slot + count;
        while slot < end {
            slots[slot] = Slot { base, extra };
            base += 1 << extra;
            slot += 1;
        }
        run += 1;
    }
    // The value behind the last slot's.
    slots[slot] = Slot { base, extra: 0 };
    slots
}

#[cfg(test)]
mod tests {
    use super::{LENGTH_RUNS, LENGTH_SLOTS, OFFSET_RUNS, OFFSET_SLOTS, Slot, offset_slots, slots};

    #[test]
    fn the_slots_end_where_the_format_says() {
        check(&slots::<1024>(OFFSET_RUNS)[..=OFFSET_SLOTS], 0x465B_E4A5);
        check(&slots::<64>(LENGTH_RUNS)[..=LENGTH_SLOTS], 0x4001_08AB);
    }

    /// The slots begin at 1 and leave nothing out up to `end`.
    #[track_caller]
    fn check(slots: &[Slot], end: u32) {
        assert_eq!(slots.first().map(|slot| slot.base), Some(1));
        for pair in slots.windows(2) {
            assert_eq!(pair[1].base, pair[0].base + (1 << pair[0].extra));
        }
        assert_eq!(slots.last().map(|slot| slot.base), Some(end));
    }

    #[test]
    fn slots_in_use() {
        let expected = [
            (1, 1),
            (2, 1),
            (3, 2),
            (8, 7),
            (9, 8),
            (10, 9),
            (13, 9),
            (14, 10),
            (1 << 30, 799),
        ];
        for (size, slots) in expected {
            assert_eq!(offset_slots(size), slots, "{size}");
        }
    }
}
