//! What a simulated host comes to, scenario by scenario and seed by seed: the same in debug and release builds, on every system.

use std::fmt;

use serde::Serialize;
use thiserror::Error;
use wcow_engine::Engine;
use wcow_hcs_schema::hns::HnsNetwork;
use wcow_host::{
    FileSystem, Host, HostControl, NetworkService, NewNetNat, NewVmSwitch, Precaution,
    SwitchService, SwitchType, WriteMode,
};
use wcow_ntmeta::{HostPath, PathError};
use wcow_scenario::wims::Shelf;
use wcow_scenario::{Player, parse};
use wcow_sim::scenarios::{SEED, SERVER_2022, ScenarioFile};
use wcow_sim::{Profile, Sim};

use crate::RunSpec;

const SEEDS: [u64; 3] = [0, 1, u64::MAX];
/// Runs that are made up from their seed: plan, faults, power cuts and all.
const CAMPAIGN: u64 = 24;

/// What one scenario comes to with one seed. Shown as a line: scenario, seed, fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fingerprint {
    /// The scenario's name.
    pub scenario: String,
    /// The seed that its choices came from.
    pub seed: u64,
    /// 32 hexadecimal digits.
    pub fingerprint: String,
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            scenario,
            seed,
            fingerprint,
        } = self;
        write!(f, "{scenario} {seed} {fingerprint}")
    }
}

/// A scenario that does not go as it should, so that its fingerprint says nothing.
#[derive(Debug, Error)]
#[error("{scenario} with seed {seed}: {problem}")]
pub struct Astray {
    scenario: String,
    seed: u64,
    problem: String,
}

/// Calls of every service on each profile, the seed's stories, and runs that are made up from their seeds.
///
/// # Errors
/// A scenario does not go as it should.
pub fn fingerprints(shelf: &Shelf) -> Result<Vec<Fingerprint>, Astray> {
    let mut all = Vec::new();
    let mut add = |scenario: &str, seed, came_to: Result<String, Box<dyn std::error::Error>>| {
        let scenario = scenario.to_owned();
        match came_to {
            Ok(fingerprint) => {
                all.push(Fingerprint {
                    scenario,
                    seed,
                    fingerprint,
                });
                Ok(())
            }
            Err(problem) => Err(Astray {
                scenario,
                seed,
                problem: problem.to_string(),
            }),
        }
    };
    for profile in Profile::all() {
        for seed in SEEDS {
            let scenario = format!("calls-on-{}", profile.name);
            add(&scenario, seed, calls(&profile, seed))?;
        }
    }
    let (nano, core) = SEED.split_at(SEED.len().min(13));
    let stories = [
        ("S1-S13-on-nano-tp3-bare", Profile::nano_tp3_bare(), nano),
        ("S14-on-core-tp3", Profile::core_tp3(), core),
        (
            "today-on-server-2022",
            Profile::server_2022(),
            &[SERVER_2022],
        ),
    ];
    for (scenario, profile, files) in stories {
        for seed in SEEDS {
            add(scenario, seed, story(&profile, seed, files, shelf))?;
        }
    }
    for seed in 0..CAMPAIGN {
        add("made-up-from-its-seed", seed, made_up(seed, shelf))?;
    }
    Ok(all)
}

/// Scenario files, one after the other on one host.
fn story(
    profile: &Profile,
    seed: u64,
    files: &[ScenarioFile],
    shelf: &Shelf,
) -> Result<String, Box<dyn std::error::Error>> {
    let sim = Sim::new(profile.clone(), seed);
    let engine = Engine::new(sim.client());
    let player = Player::new(&engine, shelf);
    for file in files {
        let scenario = parse(file.text)?;
        for outcome in sim.run(player.play(&scenario))?? {
            if !outcome.agrees() {
                return Err(format!("{}: {:?}", file.name, outcome.differences).into());
            }
        }
    }
    Ok(sim.fingerprint())
}

fn made_up(seed: u64, shelf: &Shelf) -> Result<String, Box<dyn std::error::Error>> {
    let report = RunSpec::from_seed(seed).run(shelf)?;
    match report.violations.first() {
        Some(violation) => Err(violation.to_string().into()),
        None => Ok(report.fingerprint),
    }
}

/// Calls of all services, whatever the host answers.
fn calls(profile: &Profile, seed: u64) -> Result<String, Box<dyn std::error::Error>> {
    let sim = Sim::new(profile.clone(), seed);
    sim.run(make_calls(&sim))??;
    Ok(sim.fingerprint())
}

async fn make_calls(sim: &Sim) -> Result<(), Box<dyn std::error::Error>> {
    let client = sim.client();
    client.control().info().await?;
    let _ = client.control().add_package("Storage").await;
    let subnet = "172.16.0.0/12".parse()?;
    for kind in [SwitchType::Nat, SwitchType::Private, SwitchType::External] {
        let switch = NewVmSwitch {
            name: format!("{kind:?}"),
            kind,
            adapter: Some("Ethernet".to_owned()),
            nat_subnet: Some(subnet),
        };
        let _ = client.switches().new_switch(&switch).await;
    }
    let nat = NewNetNat {
        name: "ContainerNAT".to_owned(),
        internal_prefix: subnet,
    };
    let _ = client.switches().new_nat(&nat).await;
    let network = HnsNetwork {
        name: "nat".to_owned(),
        kind: "nat".to_owned(),
        ..HnsNetwork::default()
    };
    let _ = client.network().create_network(&network).await;
    client.control().reboot().await?;
    let files = client.files();
    files.create_dir_all(&path(r"C:\a\b")?).await?;
    files
        .write(&path(r"C:\a\b\c")?, b"contents", WriteMode::CreateNew)
        .await?;
    files
        .sync_file(&path(r"C:\a\b\c")?, Precaution::new("test"))
        .await?;
    files.rename(&path(r"C:\a")?, &path(r"C:\z")?).await?;
    match files.read(&path(r"C:\a\b\c")?, 9).await {
        Err(_) => Ok(()),
        Ok(_) => Err("a file is still where it was before its folder was renamed".into()),
    }
}

fn path(text: &str) -> Result<HostPath, PathError> {
    HostPath::parse(text)
}
