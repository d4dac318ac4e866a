//! Choices: whatever could go either way in a simulated host is one call of [`Choice::draw`].
//!
//! Each [`Label`] has a stream of its own, so a new draw in one place does not change what another place gets. A seed feeds the
//! streams: the state of each is made by splitmix64 from the seed and the label's number, and stepped by xoshiro256**. Both
//! are frozen here, with test vectors, because a fingerprint depends on every draw.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a choice is about. The numbers are frozen; a new label takes the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u16)]
pub(crate) enum Label {
    /// How long a call takes.
    Latency = 1,
    /// The GUIDs that the host gives out.
    Guid = 2,
    /// How long a restart takes.
    Restart = 3,
    /// MAC addresses.
    Mac = 4,
    /// How long a compute system takes to start or stop.
    ComputeTime = 5,
    /// Process ids.
    ProcessId = 6,
    /// What programs in a guest do.
    Guest = 7,
    /// What is left of things that were not finished.
    Torn = 8,
}

/// The choices of one world, as data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Choice {
    source: Source,
}

impl Choice {
    /// Choices that all follow from one seed.
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self {
            source: Source::Seed {
                seed,
                streams: BTreeMap::new(),
            },
        }
    }

    /// A number below `bound`; 0 if `bound` is 0 or 1.
    pub(crate) fn draw(&mut self, label: Label, bound: u64) -> u64 {
        // The high half of a product maps evenly enough: the bias is below bound / 2^64.
        let product = u128::from(self.bits(label)) * u128::from(bound);
        (product >> 64) as u64
    }

    /// 64 bits.
    pub(crate) fn bits(&mut self, label: Label) -> u64 {
        match &mut self.source {
            Source::Seed { seed, streams } => streams
                .entry(label)
                .or_insert_with(|| Xoshiro::new(*seed ^ (u64::from(label as u16) << 48)))
                .next(),
        }
    }

    /// 128 bits, for GUIDs.
    pub(crate) fn wide_bits(&mut self, label: Label) -> u128 {
        let high = u128::from(self.bits(label));
        high << 64 | u128::from(self.bits(label))
    }
}

/// Where choices come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Source {
    /// A seed, and the streams that were drawn from so far.
    Seed {
        seed: u64,
        streams: BTreeMap<Label, Xoshiro>,
    },
}

/// The generator xoshiro256** 1.0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Xoshiro([u64; 4]);

impl Xoshiro {
    fn new(seed: u64) -> Self {
        let mut state = seed;
        Self([(); 4].map(|()| splitmix64(&mut state)))
    }

    fn next(&mut self) -> u64 {
        let [a, b, c, d] = self.0;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c, d) = (c ^ a, d ^ b);
        self.0 = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }
}

fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix64_gives_its_published_first_values() {
        let mut state = 1_234_567;
        let values = [(); 3].map(|()| splitmix64(&mut state));
        assert_eq!(
            values,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn xoshiro_gives_its_published_first_values() {
        let mut generator = Xoshiro([1, 2, 3, 4]);
        let values = [(); 4].map(|()| generator.next());
        assert_eq!(values, [11520, 0, 1_509_978_240, 1_215_971_899_390_074_240]);
    }

    #[test]
    fn a_draw_of_one_label_does_not_change_another() {
        let mut plain = Choice::from_seed(7);
        let mut other = Choice::from_seed(7);
        other.draw(Label::Guid, 10);
        let next = |choice: &mut Choice| [(); 8].map(|()| choice.draw(Label::Latency, 1000));
        assert_eq!(next(&mut plain), next(&mut other));
    }

    #[test]
    fn draws_stay_below_the_bound() {
        let mut choice = Choice::from_seed(3);
        assert!((0..1000).all(|_| choice.draw(Label::Guest, 7) < 7));
        assert_eq!(choice.draw(Label::Guest, 0), 0);
        assert_eq!(choice.draw(Label::Guest, 1), 0);
    }
}
