//! The failures of the catalogue that simulated hosts raise, each in a scenario of its own: the failure, and the way out.

use std::collections::BTreeSet;

use wcow_host::failures::{self, CATALOGUE, Simulated};
use wcow_scenario::{Scenario, Step, parse, wims};
use wcow_sim::scenarios::{FAILURES, of_failure};

use crate::{differences, play};

fn read(text: &str) -> Scenario {
    parse(text).expect("the file is a scenario")
}

#[test]
fn every_failure_that_is_raised_has_its_scenario() {
    let raised: BTreeSet<&str> = CATALOGUE
        .iter()
        .filter(|entry| entry.simulated == Simulated::Yes)
        .map(|entry| entry.id.0)
        .collect();
    let shown: BTreeSet<String> = FAILURES.iter().map(|file| read(file.text).id).collect();
    let missing: Vec<_> = raised.iter().filter(|id| !shown.contains(**id)).collect();
    assert!(
        missing.is_empty(),
        "raised by simulated hosts, and without a scenario in sim/scenarios/failures: {missing:?}"
    );
    let not_raised: Vec<_> = shown
        .iter()
        .filter(|id| !raised.contains(id.as_str()))
        .collect();
    assert!(
        not_raised.is_empty(),
        "shown by a scenario, so they are `Simulated::Yes`: {not_raised:?}"
    );
    assert_eq!(shown.len(), FAILURES.len(), "two files of one failure");
    for id in &shown {
        assert!(
            of_failure(id).is_some(),
            "the file of {id} has another name"
        );
    }
}

#[test]
fn a_scenario_shows_the_failure_and_then_the_way_out() {
    for file in FAILURES {
        let scenario = read(file.text);
        let id = scenario.id.as_str();
        let entry = failures::get(id).expect("it has the id of a failure");
        let shows = |step: &Step| step.expect.failure.as_deref() == Some(id);
        let place = scenario.steps.iter().position(shows);
        let place = place.unwrap_or_else(|| panic!("{id}: no step expects the failure"));
        let shown = scenario.steps[place].expect.code.as_deref();
        let known = entry
            .codes
            .iter()
            .any(|code| Some(code.to_string().as_str()) == shown);
        assert!(known, "{id}: {shown:?} is no code of it");
        let rest = &scenario.steps[place + 1..];
        let elsewhere = scenario
            .elsewhere
            .as_ref()
            .map_or(&[][..], |there| &there.steps);
        let way_out: Vec<&Step> = rest.iter().chain(elsewhere).collect();
        assert!(!way_out.is_empty(), "{id}: no way out");
        let works = way_out.iter().all(|step| step.expect.code.is_none());
        assert!(works, "{id}: the way out fails");
    }
}

#[test]
fn they_play_as_they_are_written_whatever_the_seed() {
    let shelf = wims::Shelf::build().expect("the WIM files can be built");
    let mut wrong = Vec::new();
    for file in FAILURES {
        let scenario = read(file.text);
        let there = scenario.other_host();
        for seed in [0, 1, 2] {
            for part in [Some(&scenario), there.as_ref()].into_iter().flatten() {
                let (outcomes, _) = play(part, seed, &shelf);
                let found = differences(&outcomes);
                if !found.is_empty() {
                    wrong.push(format!(
                        "{} with seed {seed}: {}",
                        scenario.id,
                        found.join("; ")
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_set_up_that_is_none_is_refused() {
    let keys = |json: &str| serde_json::from_str(json).expect("it is an object");
    let none = || keys("{}");
    let refused = |profile, host, faults| {
        let refusal = wcow_sim::scenarios::set_up(profile, host, faults, 0).err();
        refusal.map(|error| error.to_string())
    };
    assert_eq!(refused("server-2022", none(), none()), None);
    assert_eq!(
        refused("server-1912", none(), none()).as_deref(),
        Some("no profile \"server-1912\"")
    );
    assert_eq!(
        refused("server-2022", keys("{\"colour\": 1}"), none()).as_deref(),
        Some("what is different about the host is not valid")
    );
    assert_eq!(
        refused("server-2022", none(), keys("{\"rules\": []}")).as_deref(),
        Some("the faults are not valid")
    );
}
