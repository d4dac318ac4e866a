//! The committed fingerprints: they change only when the simulated host changes.
//!
//! `WCOW_RENEW=1 cargo test -p wcow-sim --test it fingerprints` writes the table anew and prints what changed.

use std::path::Path;

use wcow_hcs_schema::hns::HnsNetwork;
use wcow_host::{
    FileSystem, Host, HostControl, NetworkService, NewNetNat, NewVmSwitch, SwitchService,
    SwitchType, WriteMode,
};
use wcow_sim::{Profile, Sim};

use crate::support::{path, run};

const TABLE: &str = include_str!("fingerprints.txt");

fn fingerprint(profile: &str, seed: u64) -> String {
    let sim = Sim::new(Profile::named(profile).unwrap(), seed);
    let client = sim.client();
    run(&sim, async {
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
        files.sync_file(&path(r"C:\a\b\c")).await.unwrap();
        files.rename(&path(r"C:\a"), &path(r"C:\z")).await.unwrap();
        assert!(files.read(&path(r"C:\a\b\c"), 9).await.is_err());
    });
    sim.fingerprint()
}

#[test]
fn fingerprints_are_those_of_the_table() {
    let mut table = String::new();
    for profile in Profile::all() {
        for seed in [0, 1, u64::MAX] {
            table += &format!(
                "{} {seed} {}\n",
                profile.name,
                fingerprint(&profile.name, seed)
            );
        }
    }
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

#[expect(
    clippy::disallowed_methods,
    reason = "the table is a file of this crate, not of a simulated host"
)]
fn renew(table: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fingerprints.txt");
    std::fs::write(file, table).unwrap();
}
