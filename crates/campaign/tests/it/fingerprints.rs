//! The committed fingerprints, one line for a scenario and a seed: they change only when a host, or what is done on it, changes. Debug
//! and release builds on every system come to the same.
//!
//! `WCOW_RENEW=1 cargo test -p wcow-campaign --test it fingerprints` writes the table anew and prints what changed.

use std::path::Path;

use wcow_campaign::RunSpec;
use wcow_engine::Engine;
use wcow_hcs_schema::hns::HnsNetwork;
use wcow_host::{
    FileSystem, Host, HostControl, NetworkService, NewNetNat, NewVmSwitch, Precaution,
    SwitchService, SwitchType, WriteMode,
};
use wcow_ntmeta::HostPath;
use wcow_scenario::wims::Shelf;
use wcow_scenario::{Player, parse};
use wcow_sim::scenarios::{SEED, SERVER_2022, ScenarioFile};
use wcow_sim::{Profile, Sim};

const TABLE: &str = include_str!("fingerprints.txt");
const SEEDS: [u64; 3] = [0, 1, u64::MAX];
/// Runs that are made up from their seed: plan, faults, power cuts and all.
const CAMPAIGN: u64 = 24;

/// All lines.
fn table() -> String {
    let shelf = Shelf::build().unwrap();
    let mut table = String::new();
    let mut line = |scenario: &str, seed: u64, fingerprint: &str| {
        table += &format!("{scenario} {seed} {fingerprint}\n");
    };
    for profile in Profile::all() {
        for seed in SEEDS {
            let scenario = format!("calls-on-{}", profile.name);
            line(&scenario, seed, &calls(&profile, seed));
        }
    }
    let (nano, core) = SEED.split_at(13);
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
            line(scenario, seed, &story(&profile, seed, files, &shelf));
        }
    }
    for seed in 0..CAMPAIGN {
        let report = RunSpec::from_seed(seed).run(&shelf).unwrap();
        assert_eq!(report.violations, []);
        line("made-up-from-its-seed", seed, &report.fingerprint);
    }
    table
}

/// Scenario files, one after the other on one host.
fn story(profile: &Profile, seed: u64, files: &[ScenarioFile], shelf: &Shelf) -> String {
    let sim = Sim::new(profile.clone(), seed);
    let engine = Engine::new(sim.client());
    let player = Player::new(&engine, shelf);
    for file in files {
        let scenario = parse(file.text).unwrap();
        for outcome in sim.run(player.play(&scenario)).unwrap().unwrap() {
            assert!(outcome.agrees(), "{}: {:?}", file.name, outcome.differences);
        }
    }
    sim.fingerprint()
}

/// Calls of all services, whatever the host answers.
fn calls(profile: &Profile, seed: u64) -> String {
    let sim = Sim::new(profile.clone(), seed);
    let client = sim.client();
    sim.run(async {
        client.control().info().await.unwrap();
        let _ = client.control().add_package("Storage").await;
        let subnet = "172.16.0.0/12".parse().unwrap();
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
        client.control().reboot().await.unwrap();
        let files = client.files();
        files.create_dir_all(&path(r"C:\a\b")).await.unwrap();
        files
            .write(&path(r"C:\a\b\c"), b"contents", WriteMode::CreateNew)
            .await
            .unwrap();
        files
            .sync_file(&path(r"C:\a\b\c"), Precaution::new("test"))
            .await
            .unwrap();
        files.rename(&path(r"C:\a"), &path(r"C:\z")).await.unwrap();
        assert!(files.read(&path(r"C:\a\b\c"), 9).await.is_err());
    })
    .unwrap();
    sim.fingerprint()
}

fn path(text: &str) -> HostPath {
    HostPath::parse(text).unwrap()
}

#[test]
fn fingerprints_are_those_of_the_table() {
    let table = table();
    if std::env::var_os("WCOW_RENEW").is_some() {
        for (old, new) in TABLE
            .lines()
            .zip(table.lines())
            .filter(|(old, new)| old != new)
        {
            println!("- {old}\n+ {new}");
        }
        renew(&table);
    } else {
        assert_eq!(table, TABLE, "WCOW_RENEW=1 writes the table anew");
    }
}

fn renew(table: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fingerprints.txt");
    std::fs::write(file, table).unwrap();
}
