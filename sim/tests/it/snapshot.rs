//! Saved hosts.

use wcow_hcs_schema::hns::HnsNetwork;
use wcow_host::{FileSystem, Host, HostControl, NetworkService, WriteMode};
use wcow_sim::{LoadError, Profile, Sim};

use crate::support::{STEP, path, run};

/// A host with something of everything in it.
fn used(profile: Profile) -> Sim {
    let sim = Sim::new(profile, 5);
    let client = sim.client();
    run(&sim, async {
        let files = client.files();
        files.create_dir_all(&path(r"C:\dir")).await.unwrap();
        files
            .write(&path(r"C:\dir\a"), b"contents", WriteMode::CreateNew)
            .await
            .unwrap();
        let tree = files.create_tree(&path(r"C:\tree")).await.unwrap();
        files.finish_tree(tree, STEP).await.unwrap();
        let network = HnsNetwork {
            name: "nat".to_owned(),
            kind: "nat".to_owned(),
            ..HnsNetwork::default()
        };
        let _ = client.network().create_network(&network).await;
    });
    sim.kill(&client);
    sim
}

/// What happens next, in a way that depends on everything.
fn go_on(sim: &Sim) -> (String, String) {
    let client = sim.client();
    run(sim, async {
        let guid = client.control().new_guid().await.unwrap();
        assert_eq!(
            client.files().read(&path(r"C:\dir\A"), 99).await.unwrap(),
            b"contents"
        );
        assert!(
            client
                .files()
                .list(&path(r"C:\tree"))
                .await
                .unwrap()
                .is_empty()
        );
        client.control().reboot().await.unwrap();
        guid.to_string()
    });
    (sim.fingerprint(), sim.now().to_string())
}

#[test]
fn a_saved_host_goes_on_exactly_as_the_one_that_was_not_saved() {
    for profile in Profile::all() {
        let sim = used(profile);
        let saved = sim.save().unwrap();
        let loaded = Sim::load(&saved, sim.blobs()).unwrap();
        assert_eq!(loaded.save().unwrap(), saved);
        assert_eq!(loaded.blobs_in_use(), sim.blobs_in_use());
        assert_eq!(go_on(&loaded), go_on(&sim));
    }
}

#[test]
fn a_lock_ends_with_the_process_that_held_it_when_the_host_was_saved() {
    let sim = Sim::new(Profile::server_2022(), 5);
    let lock = path(r"C:\lock");
    run(&sim, sim.client().files().lock(&lock)).unwrap();
    let loaded = Sim::load(&sim.save().unwrap(), sim.blobs()).unwrap();
    run(&loaded, loaded.client().files().lock(&lock)).unwrap();
}

#[test]
fn a_pause_is_part_of_the_run_and_at_most_a_day() {
    let sim = used(Profile::server_2022());
    let (before, fingerprint) = (sim.now(), sim.fingerprint());
    sim.resume(u64::MAX);
    assert_eq!(sim.now().ticks() - before.ticks(), 24 * 3600 * 10_000_000);
    assert_ne!(sim.fingerprint(), fingerprint);
}

#[test]
fn blobs_in_use_are_those_that_a_host_needs() {
    let sim = used(Profile::server_2022());
    assert_eq!(sim.blobs_in_use().len(), 2, "the file and the tree");
    let client = sim.client();
    run(&sim, client.files().remove_dir_all(&path(r"C:\tree"))).unwrap();
    assert_eq!(
        sim.blobs_in_use().len(),
        2,
        "the tree may come back with a power loss"
    );
    run(&sim, client.files().sync_dir(&path(r"C:\"), STEP)).unwrap();
    assert_eq!(sim.blobs_in_use().len(), 1);
}

#[test]
fn what_is_no_saved_host_is_refused() {
    let sim = Sim::new(Profile::nano_tp3(), 0);
    let saved = sim.save().unwrap();
    let load = |bytes: &[u8]| Sim::load(bytes, sim.blobs()).unwrap_err();
    assert!(matches!(load(b""), LoadError::NotASavedHost));
    assert!(matches!(load(b"something else"), LoadError::NotASavedHost));
    assert!(
        matches!(load(b"wcow-sim-world 99\n{}"), LoadError::Version { found } if found == "99")
    );
    for cut in [saved.len() - 1, saved.len() / 2, 20] {
        assert!(
            matches!(load(&saved[..cut]), LoadError::Damaged(_)),
            "{cut} bytes"
        );
    }
}
