//! Choices: whatever could go either way in a simulated host is one call of [`Choice::draw`].
//!
//! Each [`Label`] has a stream of its own, so a new draw in one place does not change what another place gets. Where the values
//! come from is told by [`Choices`]: a seed, a recording, the bytes of a fuzzer, or one of all possible paths.
//!
//! Names that must differ (GUIDs, MAC addresses) are no choices, although a seed makes them too: nothing goes another way because
//! of them, and a recording of zeros must not make two of them equal. They come from [`Choice::identity`].

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What a choice is about. The numbers and names are frozen; a new label takes the next number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u16)]
#[non_exhaustive]
pub enum Label {
    /// How long a call takes.
    Latency = 1,
    /// How long a restart takes.
    Restart = 3,
    /// How long a compute system takes to start or stop.
    ComputeTime = 5,
    /// Process ids.
    ProcessId = 6,
    /// What programs in a guest do.
    Guest = 7,
    /// What is left of things that were not finished.
    Torn = 8,
    /// Which of several events that are due at the same time comes first.
    Order = 9,
    /// Which fault comes, and when.
    Fault = 10,
    /// What is tried: the plan of a run.
    Plan = 11,
    /// What a power loss leaves.
    Power = 12,
    /// What the containers of a plan are asked to be, and through which surface clients see the host.
    Wish = 13,
    /// What a plan tries beyond making, starting and removing things.
    Care = 14,
}

impl Label {
    /// Every label.
    pub const ALL: [Self; 12] = [
        Self::Latency,
        Self::Restart,
        Self::ComputeTime,
        Self::ProcessId,
        Self::Guest,
        Self::Torn,
        Self::Order,
        Self::Fault,
        Self::Plan,
        Self::Power,
        Self::Wish,
        Self::Care,
    ];
}

/// What must differ from all others of its kind. The numbers are those of the streams, and frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Identity {
    /// The GUIDs that the host gives out.
    Guid = 2,
    /// MAC addresses.
    Mac = 4,
}

/// Where the choices of a simulated host come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Choices {
    /// All follow from one seed: the state of each label's stream is made by splitmix64 from the seed and the label's number,
    /// and stepped by xoshiro256**. Both are frozen.
    Seed(u64),
    /// What was drawn before, or a part of it.
    Recorded(Recording),
    /// A fuzzer's bytes: one for a draw below 257, two for any other; 0 when they are used up.
    Bytes(Vec<u8>),
    /// One of all paths through the labels that are enumerated; see [`Exhaustive`].
    Path {
        /// The labels that are enumerated. All others give 0.
        labels: BTreeSet<Label>,
        /// The values, in the order of the draws; 0 when they are used up.
        values: Vec<u64>,
    },
}

/// Values by label, to be drawn again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// What labels without a list follow; without it they give 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The values of a label in the order of its draws; 0 when they are used up. One that is too large for its draw counts as
    /// the largest that is not.
    #[serde(default)]
    pub lists: BTreeMap<Label, Vec<u64>>,
}

impl Recording {
    /// What was drawn, label by label, to be drawn again. Labels that were not drawn from get an empty list.
    #[must_use]
    pub fn of(seed: Option<u64>, draws: &[Draw]) -> Self {
        let mut lists: BTreeMap<Label, Vec<u64>> = BTreeMap::new();
        for draw in draws {
            lists.entry(draw.label).or_default().push(draw.value);
        }
        Self { seed, lists }
    }
}

impl Choices {
    /// The seed that names come from, and the world is told by; 0 if there is none.
    #[must_use]
    pub fn seed(&self) -> u64 {
        match self {
            Self::Seed(seed) => *seed,
            Self::Recorded(recording) => recording.seed.unwrap_or(0),
            Self::Bytes(_) | Self::Path { .. } => 0,
        }
    }
}

impl From<u64> for Choices {
    fn from(seed: u64) -> Self {
        Self::Seed(seed)
    }
}

/// One draw that was made. Draws that could only give 0 are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// What it was about.
    pub label: Label,
    /// The value is below this; at least 2.
    pub bound: u64,
    /// The value.
    pub value: u64,
}

/// All paths through the choices of some labels, one after the other, depth first.
///
/// ```
/// use wcow_sim::{Draw, Exhaustive, Label};
///
/// let mut all = Exhaustive::new([Label::Torn]);
/// let mut runs = Vec::new();
/// while let Some(path) = all.choices() {
///     // A run with these choices draws a 2 and a 3, say; here they are made up.
///     let wcow_sim::Choices::Path { values, .. } = path else { unreachable!() };
///     let value = |index| values.get(index).copied().unwrap_or(0);
///     let draw = |index, bound| Draw { label: Label::Torn, bound, value: value(index) };
///     all.ran(&[draw(0, 2), draw(1, 3)]);
///     runs.push((value(0), value(1)));
/// }
/// assert_eq!(runs, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]);
/// ```
#[derive(Clone, Debug)]
pub struct Exhaustive {
    labels: BTreeSet<Label>,
    next: Option<Vec<u64>>,
}

impl Exhaustive {
    /// All paths through the choices of these labels.
    #[must_use]
    pub fn new(labels: impl IntoIterator<Item = Label>) -> Self {
        Self {
            labels: labels.into_iter().collect(),
            next: Some(Vec::new()),
        }
    }

    /// The choices of the next run; `None` when all paths were taken.
    #[must_use]
    pub fn choices(&self) -> Option<Choices> {
        Some(Choices::Path {
            labels: self.labels.clone(),
            values: self.next.clone()?,
        })
    }

    /// Tells what a run with these choices drew, which shows where paths branch.
    pub fn ran(&mut self, draws: &[Draw]) {
        let mut path: Vec<&Draw> = draws
            .iter()
            .filter(|draw| self.labels.contains(&draw.label))
            .collect();
        // The last choice that has a value left takes it; those behind it start over.
        while path
            .pop_if(|draw| draw.value.saturating_add(1) >= draw.bound)
            .is_some()
        {}
        let mut values: Vec<u64> = path.iter().map(|draw| draw.value).collect();
        self.next = values.pop().map(|last| {
            values.push(last.saturating_add(1));
            values
        });
    }
}

/// The choices of one world, as data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Choice {
    source: Choices,
    /// One per label or identity, at the place of its number; made when it is first needed.
    streams: Vec<Option<Xoshiro>>,
    /// How many values of a list, of the bytes or of the path were used; lists at the places of their labels.
    used: Vec<usize>,
    /// What was drawn, if somebody wants to know.
    drawn: Option<Vec<Draw>>,
}

impl Choice {
    pub(crate) fn new(source: Choices) -> Self {
        Self {
            source,
            streams: Vec::new(),
            used: Vec::new(),
            drawn: None,
        }
    }

    /// Keeps what is drawn from now on.
    pub(crate) fn record(&mut self) {
        self.drawn.get_or_insert_with(Vec::new);
    }

    /// What was kept since the last time.
    pub(crate) fn take_drawn(&mut self) -> Vec<Draw> {
        self.drawn.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// A number below `bound`; 0 if `bound` is 0 or 1.
    pub(crate) fn draw(&mut self, label: Label, bound: u64) -> u64 {
        let value = self.value(label, bound);
        if bound > 1
            && let Some(drawn) = &mut self.drawn
        {
            drawn.push(Draw {
                label,
                bound,
                value,
            });
        }
        value
    }

    /// True in `numerator` of `denominator` cases. The source that gives 0 says no.
    pub(crate) fn happens(&mut self, label: Label, numerator: u64, denominator: u64) -> bool {
        numerator > 0 && self.draw(label, denominator) >= denominator.saturating_sub(numerator)
    }

    /// 64 bits for what must differ.
    pub(crate) fn identity(&mut self, identity: Identity) -> u64 {
        let seed = self.source.seed();
        self.stream(seed, identity as u16)
    }

    /// 128 bits, for GUIDs.
    pub(crate) fn wide_identity(&mut self, identity: Identity) -> u128 {
        let high = u128::from(self.identity(identity));
        high << 64 | u128::from(self.identity(identity))
    }

    fn value(&mut self, label: Label, bound: u64) -> u64 {
        if let Choices::Seed(seed) = self.source {
            return scaled(self.stream(seed, label as u16), bound);
        }
        if bound <= 1 {
            return 0;
        }
        match &self.source {
            Choices::Seed(_) => 0,
            Choices::Recorded(recording) => match (recording.lists.get(&label), recording.seed) {
                (Some(list), _) => {
                    let used = use_some(&mut self.used, usize::from(label as u16), 1);
                    list.get(used).map_or(0, |value| (*value).min(bound - 1))
                }
                (None, Some(seed)) => scaled(self.stream(seed, label as u16), bound),
                (None, None) => 0,
            },
            Choices::Bytes(bytes) => {
                if bound <= 256 {
                    let used = use_some(&mut self.used, 0, 1);
                    bytes.get(used).map_or(0, |byte| u64::from(*byte) % bound)
                } else {
                    let used = use_some(&mut self.used, 0, 2);
                    let bytes = bytes.get(used..).and_then(|rest| rest.first_chunk());
                    let value = bytes.map_or(0, |bytes| u64::from(u16::from_le_bytes(*bytes)));
                    scaled(value << 48, bound)
                }
            }
            Choices::Path { labels, values } if labels.contains(&label) => {
                let used = use_some(&mut self.used, 0, 1);
                values.get(used).map_or(0, |value| (*value).min(bound - 1))
            }
            Choices::Path { .. } => 0,
        }
    }

    /// The next 64 bits of a stream.
    fn stream(&mut self, seed: u64, number: u16) -> u64 {
        let place = usize::from(number);
        if self.streams.len() <= place {
            self.streams.resize(place + 1, None);
        }
        match self.streams.get_mut(place) {
            Some(stream) => stream
                .get_or_insert_with(|| Xoshiro::new(seed ^ (u64::from(number) << 48)))
                .next(),
            None => 0,
        }
    }
}

/// Choices for what is made outside of a host, such as the plan of a run.
#[derive(Clone, Debug)]
pub struct Draws(Choice);

impl Draws {
    /// Draws from these choices, from their beginning.
    #[must_use]
    pub fn new(choices: impl Into<Choices>) -> Self {
        Self(Choice::new(choices.into()))
    }

    /// A number below `bound`; 0 if `bound` is 0 or 1.
    pub fn draw(&mut self, label: Label, bound: u64) -> u64 {
        self.0.draw(label, bound)
    }

    /// True in `numerator` of `denominator` cases. The source that gives 0 says no.
    pub fn happens(&mut self, label: Label, numerator: u64, denominator: u64) -> bool {
        self.0.happens(label, numerator, denominator)
    }

    /// One of `items`; `None` if there are none.
    pub fn pick<'t, T>(&mut self, label: Label, items: &'t [T]) -> Option<&'t T> {
        let count = u64::try_from(items.len()).ok()?;
        items.get(usize::try_from(self.draw(label, count)).ok()?)
    }
}

/// Maps 64 bits to a number below `bound`. The high half of a product maps evenly enough: the bias is below bound / 2^64.
fn scaled(bits: u64, bound: u64) -> u64 {
    let product = u128::from(bits) * u128::from(bound);
    (product >> 64) as u64
}

/// How many were used before, of what is counted at `place`.
fn use_some(used: &mut Vec<usize>, place: usize, count: usize) -> usize {
    if used.len() <= place {
        used.resize(place + 1, 0);
    }
    used.get_mut(place).map_or(0, |used| {
        let before = *used;
        *used = before.saturating_add(count);
        before
    })
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
        let mut plain = Choice::new(Choices::Seed(7));
        let mut other = Choice::new(Choices::Seed(7));
        other.draw(Label::Torn, 10);
        other.identity(Identity::Guid);
        let next = |choice: &mut Choice| [(); 8].map(|()| choice.draw(Label::Latency, 1000));
        assert_eq!(next(&mut plain), next(&mut other));
    }

    #[test]
    fn draws_stay_below_the_bound() {
        let recorded = Choices::Recorded(Recording {
            seed: None,
            lists: BTreeMap::from([(Label::Guest, vec![u64::MAX; 10])]),
        });
        let path = Choices::Path {
            labels: BTreeSet::from([Label::Guest]),
            values: vec![u64::MAX; 10],
        };
        for source in [
            Choices::Seed(3),
            recorded,
            Choices::Bytes(vec![0xff; 900]),
            path,
        ] {
            let mut choice = Choice::new(source);
            for bound in [1, 2, 7, 256, 257, 1 << 40, u64::MAX] {
                assert!((0..100).all(|_| choice.draw(Label::Guest, bound) < bound));
            }
            assert_eq!(choice.draw(Label::Guest, 0), 0);
        }
    }

    #[test]
    fn what_was_recorded_is_drawn_again() {
        let mut choice = Choice::new(Choices::Seed(9));
        choice.record();
        let bounds = [1, 2, 3, 1000, 0, 1 << 50];
        let all = |choice: &mut Choice| {
            bounds.map(|bound| {
                (
                    choice.draw(Label::Latency, bound),
                    choice.draw(Label::Torn, bound),
                )
            })
        };
        let first = all(&mut choice);
        let draws = choice.take_drawn();
        assert_eq!(draws.len(), 8, "draws that could only give 0 are none");
        let mut again = Choice::new(Choices::Recorded(Recording::of(None, &draws)));
        assert_eq!(all(&mut again), first);
        assert_eq!(
            all(&mut again),
            [(0, 0); 6],
            "a list that is used up gives 0"
        );
    }

    #[test]
    fn identities_differ_whatever_the_choices() {
        for source in [
            Choices::Bytes(Vec::new()),
            Choices::Recorded(Recording::default()),
        ] {
            let mut choice = Choice::new(source);
            let [a, b] = [(); 2].map(|()| choice.wide_identity(Identity::Guid));
            assert_ne!(a, b);
        }
    }

    #[test]
    fn a_source_of_zeros_lets_nothing_happen() {
        let mut zeros = Choice::new(Choices::Bytes(Vec::new()));
        assert!((0..99).all(|_| !zeros.happens(Label::Fault, 1, 10)));
        let mut seeded = Choice::new(Choices::Seed(1));
        let happened = (0..10_000)
            .filter(|_| seeded.happens(Label::Fault, 1, 10))
            .count();
        assert!((900..1100).contains(&happened), "{happened} of 10000");
        assert!((0..99).all(|_| !seeded.happens(Label::Fault, 0, 10)));
        assert!((0..99).all(|_| seeded.happens(Label::Fault, 10, 10)));
    }

    #[test]
    fn all_paths_are_taken_once_however_they_branch() {
        // A first draw of 0 is followed by a draw of two, one of 1 by nothing, one of 2 by two draws.
        let mut all = Exhaustive::new([Label::Torn, Label::Order]);
        let mut seen = Vec::new();
        while let Some(choices) = all.choices() {
            let mut choice = Choice::new(choices);
            choice.record();
            let first = choice.draw(Label::Torn, 3);
            choice.draw(Label::Latency, 1000);
            let mut run = vec![first];
            for bound in match first {
                0 => vec![2],
                1 => vec![],
                _ => vec![2, 2],
            } {
                run.push(choice.draw(Label::Order, bound));
            }
            seen.push(run);
            all.ran(&choice.take_drawn());
        }
        let expected: Vec<Vec<u64>> = vec![
            vec![0, 0],
            vec![0, 1],
            vec![1],
            vec![2, 0, 0],
            vec![2, 0, 1],
            vec![2, 1, 0],
            vec![2, 1, 1],
        ];
        assert_eq!(seen, expected);
    }
}
