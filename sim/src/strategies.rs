//! Strategies of proptest: any host, and anything that may happen on it. Feature `proptest`.
//!
//! What fails is made smaller towards a host of the present on which all choices are zeros, everything comes in the order of
//! planning, and nothing goes wrong.
//!
//! ```
//! use proptest::prelude::*;
//! use wcow_host::{FileSystem, Host, WriteMode};
//! use wcow_ntmeta::HostPath;
//! use wcow_sim::{Sim, strategies};
//!
//! let path = HostPath::parse(r"C:\file")?;
//! proptest!(ProptestConfig::with_cases(20), |(
//!     profile in strategies::profiles(),
//!     choices in strategies::choices(),
//!     faults in strategies::fault_plans(2),
//! )| {
//!     let sim = Sim::new(profile, choices);
//!     sim.set_faults(faults);
//!     let host = sim.client();
//!     let written = sim.block_on(host.files().write(&path, b"bytes", WriteMode::CreateNew));
//!     sim.take_faults();
//!     let read = sim.block_on(host.files().read(&path, 100));
//!     prop_assert_eq!(written.is_ok(), read.is_ok());
//! });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use wcow_host::Operation;

use crate::faults::refusals;
use crate::{
    Choices, FaultPlan, FaultRule, Label, Order, Profile, Recording, Schedule, What, When,
};

/// Ticks of 100 ns in a second.
const SECOND: u64 = 10_000_000;
/// The longest delay of a call in seconds.
const LONGEST_DELAY: u64 = 60;
/// Most values of one label in a recording, and most bytes in place of a fuzzer's.
const MOST_VALUES: usize = 64;
/// Most rules of a fault plan.
const MOST_RULES: usize = 6;

/// One of the embedded profiles, the newest being the simplest.
pub fn profiles() -> impl Strategy<Value = Profile> {
    let mut profiles = Profile::all();
    profiles.reverse();
    select(profiles)
}

/// Bytes, a recording or a seed. The simplest is no bytes: every draw gives 0.
pub fn choices() -> impl Strategy<Value = Choices> {
    let values = vec(prop_oneof![0..4_u64, any::<u64>()], 0..MOST_VALUES);
    let lists = btree_map(select(&Label::ALL[..]), values, 0..=Label::ALL.len());
    prop_oneof![
        vec(any::<u8>(), 0..MOST_VALUES).prop_map(Choices::Bytes),
        (option::of(any::<u64>()), lists)
            .prop_map(|(seed, lists)| Choices::Recorded(Recording { seed, lists })),
        any::<u64>().prop_map(Choices::Seed),
    ]
}

/// Any schedule. The simplest is the order of planning, to the tick.
pub fn schedules() -> impl Strategy<Value = Schedule> {
    let order = prop_oneof![
        Just(Order::FirstIn),
        Just(Order::Random),
        (1..=5_u32).prop_map(|depth| Order::Priority { depth }),
    ];
    let quantum = prop_oneof![Just(1), 1..=SECOND];
    (order, quantum).prop_map(|(order, quantum)| Schedule { order, quantum })
}

/// Any plan that hits at most `budget` calls. The simplest has no rules.
///
/// A rule that names a code names one that Windows answers calls of its operation with when a device, a service or another program
/// is in the way, so what is refused is refused as a real host may.
pub fn fault_plans(budget: u32) -> impl Strategy<Value = FaultPlan> {
    (vec(rules(), 0..=MOST_RULES), 0..=budget)
        .prop_map(|(rules, budget)| FaultPlan { rules, budget })
}

fn rules() -> impl Strategy<Value = FaultRule> {
    let of_any_call = prop_oneof![(1..=200_u64).prop_map(When::Call), chances(None),];
    let of_an_operation = select(Operation::ALL).prop_flat_map(|operation| {
        let when = prop_oneof![
            (1..=20_u64).prop_map(move |number| When::Nth { operation, number }),
            chances(Some(operation)),
        ];
        let refused = select(refusals(operation)).prop_map(|(code, _)| What::RefusedWith(code));
        (when, prop_oneof![what(), refused])
    });
    prop_oneof![(of_any_call, what()), of_an_operation]
        .prop_map(|(when, what)| FaultRule { when, what })
}

fn chances(operation: Option<Operation>) -> impl Strategy<Value = When> {
    (1..=256_u32).prop_map(move |denominator| When::Chance {
        operation,
        numerator: 1,
        denominator,
    })
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        Just(What::Refused),
        (1..=LONGEST_DELAY).prop_map(|seconds| What::Late(seconds * SECOND)),
        Just(What::AnswerLost),
        select(vec!["hns", "vmcompute"])
            .prop_map(|service| What::ServiceRestart(service.to_owned())),
    ]
}
