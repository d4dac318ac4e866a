//! Strategies of proptest: any plan, and any run. Feature `proptest`.
//!
//! Names are few, so that clients meet. What fails is made smaller towards one client that waits, on a host where nothing goes
//! wrong.
//!
//! ```
//! use proptest::prelude::*;
//! use wcow_campaign::strategies;
//! use wcow_scenario::wims::Shelf;
//!
//! let shelf = Shelf::build()?;
//! proptest!(ProptestConfig::with_cases(3), |(spec in strategies::run_specs(2))| {
//!     let report = spec.run(&shelf)?;
//!     prop_assert_eq!(report.violations, []);
//! });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use wcow_engine::RestartPolicy;
use wcow_host::ComputeApi;
use wcow_network::Driver;
use wcow_sim::PowerCut;
use wcow_sim::strategies::{choices, fault_plans, schedules};

use crate::care;
use crate::plan::{self, ClientPlan, Plan};
use crate::run::{DURABLE_STEPS, Faults, RunSpec};
use crate::step::{Step, Wishes};

/// Any plan for hosts of a profile. Of a profile that nothing is known of ([`Plan::PROFILES`]), the empty one.
pub fn plans(profile: &str) -> BoxedStrategy<Plan> {
    let Some(things) = plan::things(profile) else {
        return Just(Plan::default()).boxed();
    };
    let steps = vec(steps(things), 0..=count(plan::STEPS));
    let client = (
        steps,
        option::of(1..=plan::KILLED_AFTER),
        option::of(0..plan::KILLED_AFTER_DURABLE),
    )
        .prop_map(|(steps, killed_after, killed_after_durable)| ClientPlan {
            steps,
            killed_after,
            killed_after_durable,
        });
    vec(client, 1..=count(plan::CLIENTS))
        .prop_map(move |mut clients| {
            // Without an image there is little that can be done.
            if let Some(first) = clients.first_mut() {
                first
                    .steps
                    .insert(0, Step::InstallImage(things.wim.to_owned()));
            }
            Plan { clients }
        })
        .boxed()
}

/// Any run in which at most `budget` calls are hit by faults.
pub fn run_specs(budget: u32) -> impl Strategy<Value = RunSpec> {
    let faults = prop_oneof![
        Just(Faults::None),
        fault_plans(budget).prop_map(Faults::Plan),
        (0..=budget).prop_map(Faults::Swarm),
    ];
    let power = (1..=DURABLE_STEPS, any::<bool>()).prop_map(|(step, before)| {
        if before {
            PowerCut::Before(step)
        } else {
            PowerCut::After(step)
        }
    });
    let plan = select(&Plan::PROFILES[..]).prop_flat_map(|profile| (Just(profile), plans(profile)));
    let surface = option::of(Just(ComputeApi::V2));
    (
        plan,
        choices(),
        schedules(),
        faults,
        option::of(power),
        surface,
    )
        .prop_map(
            |((profile, plan), choices, schedule, faults, power, surface)| RunSpec {
                surface: surface
                    .filter(|_| profile != "core-tp3")
                    .unwrap_or_default(),
                profile: profile.to_owned(),
                choices,
                schedule,
                faults,
                power,
                ignore: BTreeSet::new(),
                plan,
            },
        )
}

fn steps(things: plan::Things) -> impl Strategy<Value = Step> {
    let container = || name(&plan::CONTAINERS);
    let network = || name(&plan::NETWORKS);
    let wait = u32::try_from(plan::WAIT).unwrap_or(u32::MAX);
    let wishes = (
        option::of(name(&care::MAIN)),
        select(vec![RestartPolicy::No, RestartPolicy::Always]),
        option::of(select(care::PORTS.to_vec())),
    );
    let create_container = (container(), option::of(network()), wishes).prop_map(
        move |(name, network, (command, restart, port))| Step::CreateContainer {
            name,
            image: things.image.to_owned(),
            wishes: Wishes {
                command,
                restart,
                publish: port
                    .filter(|_| network.is_some())
                    .and_then(|port| format!("{port}:80").parse().ok())
                    .into_iter()
                    .collect(),
                ..Wishes::default()
            },
            network,
        },
    );
    let of_container = |step: fn(String) -> Step| container().prop_map(step).boxed();
    let supervise = (container(), 0..u32::try_from(care::RESTARTS).unwrap_or(0))
        .prop_map(|(name, most)| Step::Supervise { name, most });
    Union::new_weighted(vec![
        (1, (0..wait).prop_map(Step::Wait).boxed()),
        (1, Just(Step::List).boxed()),
        (5, create_container.boxed()),
        (4, container().prop_map(Step::Start).boxed()),
        (1, container().prop_map(Step::Stop).boxed()),
        (1, container().prop_map(Step::Kill).boxed()),
        (1, container().prop_map(Step::RemoveContainer).boxed()),
        (
            2,
            (container(), name(&plan::COMMANDS))
                .prop_map(|(name, command)| Step::Exec { name, command })
                .boxed(),
        ),
        (
            2,
            (
                network(),
                select(things.drivers),
                option::of(select(plan::SUBNETS.to_vec())),
            )
                .prop_map(|(name, driver, subnet)| Step::CreateNetwork {
                    name,
                    driver,
                    subnet: subnet.filter(|_| driver == Driver::Nat),
                })
                .boxed(),
        ),
        (1, network().prop_map(Step::RemoveNetwork).boxed()),
        (1, Just(Step::InstallImage(things.wim.to_owned())).boxed()),
        (1, Just(Step::RemoveImage(things.image.to_owned())).boxed()),
        (1, Just(Step::Reboot).boxed()),
        (1, of_container(Step::Restart)),
        (1, of_container(Step::Pause)),
        (1, of_container(Step::Resume)),
        (1, of_container(Step::WaitFor)),
        (1, of_container(Step::Logs)),
        (1, of_container(Step::Inspect)),
        (1, of_container(Step::Stats)),
        (1, of_container(Step::RemoveStopped)),
        (1, supervise.boxed()),
        (1, Just(Step::Prune).boxed()),
    ])
}

fn name(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(names).prop_map(str::to_owned)
}

/// A bound of [`Plan::draw`], as collections take it.
fn count(bound: u64) -> usize {
    usize::try_from(bound).unwrap_or(usize::MAX)
}
