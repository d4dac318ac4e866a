//! The scenarios, played on simulated hosts.

mod failures;
mod files;
mod predict;
mod seed;
mod wims;

use wcow_engine::Engine;
use wcow_scenario::{Outcome, Player, Scenario, WimShelf};
use wcow_sim::{Sim, scenarios};

/// Plays a scenario on a fresh host.
#[track_caller]
fn play<'s>(scenario: &'s Scenario, seed: u64, shelf: &dyn WimShelf) -> (Vec<Outcome<'s>>, Sim) {
    let setup = &scenario.setup;
    let sim = scenarios::set_up(
        &scenario.profile,
        setup.host.clone(),
        setup.faults.clone(),
        seed,
    )
    .expect("the host of the scenario can be made");
    let engine = Engine::new(sim.client());
    let others: Vec<_> = scenario
        .callers()
        .into_iter()
        .map(|caller| (caller, Engine::new(sim.client_as(caller))))
        .collect();
    let player = others
        .iter()
        .fold(Player::new(&engine, shelf), |player, (caller, engine)| {
            player.with_caller(*caller, engine)
        });
    let outcomes = sim
        .run(player.play(scenario))
        .expect("the host does not get stuck")
        .expect("what the scenario takes as given can be had");
    (outcomes, sim)
}

/// Everything that went otherwise than expected.
fn differences(outcomes: &[Outcome]) -> Vec<String> {
    outcomes
        .iter()
        .flat_map(|outcome| {
            outcome
                .differences
                .iter()
                .map(|difference| format!("{:?}: {difference}", outcome.step.action))
        })
        .collect()
}
