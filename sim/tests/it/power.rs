//! Power losses.

use std::collections::BTreeSet;

use wcow_host::{Clock, FileSystem, Host, HostControl, LayerStorage, SystemId, WriteMode};
use wcow_ntmeta::FileTime;
use wcow_sim::{DiskModel, Ended, PowerCut, Profile, Sim, SimHost};
use wcow_tree::TreeSource;
use wcow_tree::memory::MemoryTree;

use crate::support::{STEP, code, path, run, win32};

pub(crate) const SEEDS: u64 = 64;

/// What a power loss leaves of what was done before, for many seeds.
fn after<T>(before: impl AsyncFn(&SimHost), look: impl AsyncFn(&SimHost) -> T) -> Vec<T> {
    after_on(DiskModel::default(), before, look)
}

fn after_on<T>(
    disk: DiskModel,
    before: impl AsyncFn(&SimHost),
    look: impl AsyncFn(&SimHost) -> T,
) -> Vec<T> {
    let mut profile = Profile::server_2022();
    profile.disk = disk;
    (0..SEEDS)
        .map(|seed| {
            let sim = Sim::new(profile.clone(), seed);
            let client = sim.client();
            run(&sim, before(&client));
            sim.power_loss();
            let client = sim.client();
            run(&sim, look(&client))
        })
        .collect()
}

pub(crate) async fn write(client: &SimHost, at: &str, bytes: &[u8]) {
    let mode = WriteMode::Overwrite;
    client.files().write(&path(at), bytes, mode).await.unwrap();
}

/// Syncs that must succeed.
pub(crate) trait Syncs {
    async fn sync_file(&self, at: &str);
    async fn sync_dir(&self, at: &str);
}

impl Syncs for SimHost {
    async fn sync_file(&self, at: &str) {
        self.files().sync_file(&path(at), STEP).await.unwrap();
    }

    async fn sync_dir(&self, at: &str) {
        self.files().sync_dir(&path(at), STEP).await.unwrap();
    }
}

pub(crate) async fn read(client: &SimHost, at: &str) -> Option<Vec<u8>> {
    let read = client.files().read(&path(at), 1 << 20).await.ok()?;
    Some(read.to_vec())
}

#[test]
fn a_file_is_durable_once_it_and_its_name_are_synced() {
    let found = after(
        async |client| {
            write(client, r"C:\a", b"contents").await;
            client.sync_file(r"C:\a").await;
            client.sync_dir(r"C:\").await;
        },
        async |client| read(client, r"C:\a").await,
    );
    assert!(
        found
            .iter()
            .all(|found| found.as_deref() == Some(b"contents"))
    );
}

#[test]
fn a_file_without_its_name_synced_may_be_gone_and_is_whole_otherwise() {
    let found: BTreeSet<_> = after(
        async |client| {
            write(client, r"C:\a", b"contents").await;
            client.sync_file(r"C:\a").await;
        },
        async |client| read(client, r"C:\a").await,
    )
    .into_iter()
    .collect();
    assert_eq!(found, [None, Some(b"contents".to_vec())].into());
}

#[test]
fn contents_that_were_not_synced_are_old_new_or_zero_in_units_of_4_kib() {
    let (old, new) = (vec![1; 10_000], vec![2; 6_000]);
    let found: BTreeSet<Vec<u8>> = after(
        async |client| {
            write(client, r"C:\a", &vec![1; 10_000]).await;
            client.sync_file(r"C:\a").await;
            client.sync_dir(r"C:\").await;
            write(client, r"C:\a", &vec![2; 6_000]).await;
        },
        async |client| read(client, r"C:\a").await.expect("its name is durable"),
    )
    .into_iter()
    .collect();
    assert!(found.contains(&old) && found.contains(&new) && found.contains(&vec![]));
    let torn = found
        .iter()
        .filter(|found| **found != old && **found != new);
    let mut mixed = 0;
    for torn in torn {
        assert!([0, old.len(), new.len()].contains(&torn.len()));
        let mut bytes = BTreeSet::new();
        for (unit, piece) in torn.chunks(4096).enumerate() {
            // Behind the end of what a unit came from there are zeros.
            let first = piece[0];
            let end = piece
                .iter()
                .position(|byte| *byte != first)
                .unwrap_or(piece.len());
            assert!(first <= 2 && piece[end..].iter().all(|byte| *byte == 0));
            assert!(end == piece.len() || unit * 4096 + end == new.len());
            bytes.insert(first);
        }
        mixed += usize::from(bytes.len() > 1);
    }
    assert!(mixed > 3, "{mixed} files of more than one kind of unit");
}

#[test]
fn a_disk_without_late_contents_has_a_file_whole() {
    let disk = DiskModel {
        contents_come_late: false,
        ..DiskModel::default()
    };
    let found: BTreeSet<_> = after_on(
        disk,
        async |client| write(client, r"C:\a", b"contents").await,
        async |client| read(client, r"C:\a").await,
    )
    .into_iter()
    .collect();
    assert_eq!(found, [None, Some(b"contents".to_vec())].into());
}

#[test]
fn a_replacement_leaves_the_old_file_or_the_new_one() {
    let found: BTreeSet<_> = after(
        async |client| {
            write(client, r"C:\a", b"old").await;
            client.sync_file(r"C:\a").await;
            client.sync_dir(r"C:\").await;
            write(client, r"C:\a.new", b"new").await;
            client.sync_file(r"C:\a.new").await;
            let (from, to) = (path(r"C:\a.new"), path(r"C:\a"));
            client.files().replace(&from, &to).await.unwrap();
        },
        async |client| (read(client, r"C:\a").await, read(client, r"C:\a.new").await),
    )
    .into_iter()
    .collect();
    let [old, new] = [b"old", b"new"].map(|bytes| Some(bytes.to_vec()));
    let allowed = [(old.clone(), None), (old, new.clone()), (new, None)];
    assert_eq!(found, allowed.into());
}

#[test]
fn a_disk_that_splits_renames_may_have_both_names_or_none() {
    let disk = DiskModel {
        rename_is_one_operation: false,
        ..DiskModel::default()
    };
    let found: BTreeSet<_> = after_on(
        disk,
        async |client| {
            write(client, r"C:\a", b"x").await;
            client.sync_file(r"C:\a").await;
            client.sync_dir(r"C:\").await;
            let (from, to) = (path(r"C:\a"), path(r"C:\b"));
            client.files().rename(&from, &to).await.unwrap();
        },
        async |client| {
            let names = [r"C:\a", r"C:\b"];
            (
                read(client, names[0]).await.is_some(),
                read(client, names[1]).await.is_some(),
            )
        },
    )
    .into_iter()
    .collect();
    assert_eq!(found.len(), 4, "{found:?}");
}

#[test]
fn a_directory_whose_own_name_was_never_synced_may_be_gone_with_what_is_in_it() {
    let found: BTreeSet<_> = after(
        async |client| {
            client
                .files()
                .create_dir_all(&path(r"C:\a\b"))
                .await
                .unwrap();
            write(client, r"C:\a\b\c", b"x").await;
            client.sync_file(r"C:\a\b\c").await;
            client.sync_dir(r"C:\a\b").await;
        },
        async |client| read(client, r"C:\a\b\c").await,
    )
    .into_iter()
    .collect();
    assert_eq!(found, [None, Some(b"x".to_vec())].into());
}

#[test]
fn a_removal_that_was_not_synced_may_be_undone_or_done_in_part() {
    let found: BTreeSet<usize> = after(
        async |client| {
            let files = client.files();
            files.create_dir_all(&path(r"C:\a")).await.unwrap();
            for name in ["1", "2", "3"] {
                let at = format!(r"C:\a\{name}");
                write(client, &at, b"x").await;
                files.sync_file(&path(&at), STEP).await.unwrap();
            }
            files.sync_dir(&path(r"C:\a"), STEP).await.unwrap();
            files.sync_dir(&path(r"C:\"), STEP).await.unwrap();
            files.remove_dir_all(&path(r"C:\a")).await.unwrap();
        },
        async |client| match client.files().list(&path(r"C:\a")).await {
            Ok(entries) => entries.len() + 1,
            Err(_) => 0,
        },
    )
    .into_iter()
    .collect();
    assert_eq!(found, (0..=4).collect());
}

/// A tree of a few directories and files.
fn tree() -> MemoryTree {
    MemoryTree::new()
        .file(r"a\one", "1111")
        .file(r"a\two", "2222")
        .file(r"b\three", "3333")
}

/// How many files of [`tree`] are whole, and whether there is anything else than the tree.
async fn whole(client: &SimHost) -> (usize, bool) {
    let mut whole = 0;
    let mut torn = false;
    for (name, bytes) in [(r"a\one", "1111"), (r"a\two", "2222"), (r"b\three", "3333")] {
        match read(client, &format!(r"C:\tree\{name}")).await {
            Some(found) if found == bytes.as_bytes() => whole += 1,
            Some(found) => {
                assert!(found.is_empty() || found == [0; 4], "{found:?}");
                torn = true;
            }
            None => {}
        }
    }
    (whole, torn)
}

#[test]
fn a_finished_tree_is_whole_once_its_name_is_synced() {
    let finished = async |client: &SimHost| {
        let files = client.files();
        let mut sink = files.create_tree(&path(r"C:\tree")).await.unwrap();
        tree().send(&mut sink).unwrap();
        files.finish_tree(sink, STEP).await.unwrap();
    };
    let found: BTreeSet<_> = after(finished, async |client| whole(client).await)
        .into_iter()
        .collect();
    assert_eq!(found, [(0, false), (3, false)].into(), "all or nothing");
    let synced = async |client: &SimHost| {
        finished(client).await;
        client.sync_dir(r"C:\").await;
    };
    let found = after(synced, async |client| whole(client).await);
    assert!(found.iter().all(|found| *found == (3, false)));
}

#[test]
fn a_tree_that_was_being_written_is_left_torn() {
    let found = after(
        async |client| {
            let files = client.files();
            let mut sink = files.create_tree(&path(r"C:\tree")).await.unwrap();
            files.sync_dir(&path(r"C:\"), STEP).await.unwrap();
            tree().send(&mut sink).unwrap();
        },
        async |client| whole(client).await,
    );
    assert!(found.iter().any(|(whole, _)| *whole == 0));
    assert!(found.iter().any(|(_, torn)| *torn));
}

#[test]
fn the_power_goes_before_or_after_a_durable_step() {
    let steps = async |client: &SimHost| {
        write(client, r"C:\a", b"x").await;
        client.sync_file(r"C:\a").await;
        client.sync_dir(r"C:\").await;
    };
    for (cut, certain) in [
        (PowerCut::Before(1), false),
        (PowerCut::After(1), false),
        (PowerCut::Before(2), false),
        (PowerCut::After(2), true),
    ] {
        let mut left = 0;
        for seed in 0..SEEDS {
            let sim = Sim::new(Profile::server_2022(), seed);
            let client = sim.client();
            sim.power_loss_at(cut);
            assert_eq!(sim.run_to_end(steps(&client)).unwrap(), Ended::PowerLost);
            assert!(sim.run(client.control().info()).is_err(), "it is dead");
            let client = sim.client();
            left += u64::from(run(&sim, read(&client, r"C:\a")).as_deref() == Some(b"x"));
        }
        assert!(left > 0 && (left == SEEDS) == certain, "{cut:?}: {left}");
    }
    let sim = Sim::new(Profile::server_2022(), 0);
    let client = sim.client();
    sim.power_loss_at(PowerCut::Before(3));
    assert_eq!(sim.run_to_end(steps(&client)).unwrap(), Ended::Value(()));
    assert_eq!(sim.durable_steps(), 2);
}

#[test]
fn a_tree_that_was_about_to_be_finished_is_left_torn() {
    let mut found = BTreeSet::new();
    for seed in 0..SEEDS {
        let sim = Sim::new(Profile::server_2022(), seed);
        let client = sim.client();
        sim.power_loss_at(PowerCut::Before(2));
        let ended = sim.run_to_end(async {
            let files = client.files();
            let mut sink = files.create_tree(&path(r"C:\tree")).await.unwrap();
            files.sync_dir(&path(r"C:\"), STEP).await.unwrap();
            tree().send(&mut sink).unwrap();
            files.finish_tree(sink, STEP).await.unwrap();
        });
        assert_eq!(ended.unwrap(), Ended::PowerLost);
        let client = sim.client();
        found.insert(run(&sim, whole(&client)));
    }
    assert!(found.contains(&(0, false)) && found.len() > 3, "{found:?}");
}

#[test]
fn a_host_comes_up_again_as_after_a_restart() {
    let sim = Sim::new(Profile::server_2022(), 3);
    let client = sim.client();
    let before = run(&sim, client.control().info()).unwrap();
    let lock = path(r"C:\lock");
    run(&sim, client.files().lock(&lock)).unwrap();
    let time = sim.now();
    sim.power_loss();
    assert!(sim.now().ticks() > time.ticks() + 10_000_000);
    let client = sim.client();
    let info = run(&sim, client.control().info()).unwrap();
    assert_ne!(info.boot_id, before.boot_id);
    assert_eq!(
        code(run(&sim, client.files().lock(&lock))),
        "ok",
        "nobody holds it"
    );
    let none = SystemId("none".to_owned());
    let compute = wcow_host::ComputeService::open(client.compute(), &none);
    assert_ne!(code(run(&sim, compute)), "ok");
}

#[test]
fn calls_on_their_way_are_gone_with_the_power() {
    let sim = Sim::new(Profile::server_2022(), 3);
    let client = sim.client();
    let waits = sim.spawn({
        let client = client.clone();
        async move {
            let later = FileTime::from_ticks(sim_far(&client));
            client.clock().sleep_until(later).await;
        }
    });
    run(&sim, client.files().list(&path(r"C:\"))).unwrap();
    sim.power_loss();
    assert!(sim.run(waits).is_err(), "nobody is there to wait");
}

fn sim_far(client: &SimHost) -> u64 {
    client.clock().now().ticks() + 1_000_000_000
}

#[test]
fn a_restart_that_was_asked_for_writes_everything_to_the_disk() {
    let found = after(
        async |client| {
            write(client, r"C:\a", b"x").await;
            client.control().reboot().await.unwrap();
        },
        async |client| read(client, r"C:\a").await,
    );
    assert!(found.iter().all(|found| found.as_deref() == Some(b"x")));
}

#[test]
fn what_is_not_synced_is_part_of_a_saved_host() {
    for seed in 0..SEEDS {
        let sim = Sim::new(Profile::server_2022(), seed);
        let client = sim.client();
        run(&sim, async {
            write(&client, r"C:\a", b"old").await;
            client.sync_file(r"C:\a").await;
            write(&client, r"C:\a", &[7; 9000]).await;
            client
                .files()
                .create_dir_all(&path(r"C:\b\c"))
                .await
                .unwrap();
            client.files().remove_dir_all(&path(r"C:\b")).await.unwrap();
        });
        sim.kill(&client);
        let loaded = Sim::load(&sim.save().unwrap(), sim.blobs()).unwrap();
        let seen = [&sim, &loaded].map(|sim| {
            sim.power_loss();
            let client = sim.client();
            let found = run(sim, async {
                let names = client.files().list(&path(r"C:\")).await.unwrap();
                (read(&client, r"C:\a").await, names)
            });
            (found, sim.fingerprint(), sim.save().unwrap())
        });
        assert_eq!(seen[0], seen[1]);
    }
}

#[test]
fn a_power_loss_is_part_of_the_fingerprint() {
    let prints = [false, true].map(|lost| {
        let sim = Sim::new(Profile::server_2022(), 0);
        if lost {
            sim.power_loss();
        }
        sim.fingerprint()
    });
    assert_ne!(prints[0], prints[1]);
}

#[test]
fn a_scratch_layer_that_was_made_survives_and_one_that_was_destroyed_does_not_come_back() {
    for services_write_through in [true, false] {
        let mut profile = Profile::server_2022();
        profile.disk.services_write_through = services_write_through;
        let (mut made, mut destroyed) = (0, 0);
        for seed in 0..SEEDS {
            let sim = Sim::new(profile.clone(), seed);
            let client = sim.client();
            let (layer, one, two) = (path(r"C:\base"), path(r"C:\one"), path(r"C:\two"));
            let parents = [wcow_host::LayerDescriptor {
                id: "11111111-0000-4000-8000-000000000000".parse().unwrap(),
                path: layer.clone(),
            }];
            run(&sim, async {
                let files = client.files();
                files.create_dir_all(&layer.join("files")).await.unwrap();
                files.create_dir_all(&layer.join("hives")).await.unwrap();
                for hive in ["DefaultUser", "Sam", "Security", "Software", "System"] {
                    let at = layer.join(&format!(r"hives\{hive}_Base"));
                    files
                        .write(&at, b"regf", WriteMode::CreateNew)
                        .await
                        .unwrap();
                }
                let layers = client.layers();
                layers.process_base(&layer).await.unwrap();
                for scratch in [&one, &two] {
                    layers.create_scratch(scratch, &parents).await.unwrap();
                }
                files.sync_dir(&path(r"C:\"), STEP).await.unwrap();
                layers.destroy(&two).await.unwrap();
            });
            sim.power_loss();
            let client = sim.client();
            made += u64::from(run(&sim, client.layers().activate(&one)).is_ok());
            let two = run(&sim, client.layers().destroy(&two));
            destroyed += u64::from(code(two) == win32(0x2));
        }
        assert_eq!(made == SEEDS, services_write_through, "{made}");
        assert_eq!(destroyed == SEEDS, services_write_through, "{destroyed}");
    }
}

#[test]
fn a_sealed_tree_that_was_opened_needs_no_sync() {
    let found = after(
        async |client| {
            let files = client.files();
            let mut sink = files.create_tree(&path(r"C:\tree")).await.unwrap();
            tree().send(&mut sink).unwrap();
            files.finish_tree(sink, STEP).await.unwrap();
            files.sync_dir(&path(r"C:\"), STEP).await.unwrap();
            // Its seal is opened down to here.
            write(client, r"C:\tree\a\four", b"x").await;
        },
        async |client| whole(client).await,
    );
    assert!(found.iter().all(|found| *found == (3, false)));
}

/// How often the contents of a file are found on the whole disk after a power loss, for many seeds.
fn copies_after(before: impl AsyncFn(&SimHost)) -> Vec<usize> {
    after(
        async |client| {
            let files = client.files();
            for directory in [r"C:\A\B", r"C:\B\S"] {
                files.create_dir_all(&path(directory)).await.unwrap();
            }
            write(client, r"C:\A\B\file", b"precious").await;
            files.sync_file(&path(r"C:\A\B\file"), STEP).await.unwrap();
            for directory in [r"C:\", r"C:\A", r"C:\A\B", r"C:\B", r"C:\B\S"] {
                files.sync_dir(&path(directory), STEP).await.unwrap();
            }
            before(client).await;
        },
        async |client| {
            let mut copies = 0;
            let mut left = vec![path(r"C:\")];
            while let Some(directory) = left.pop() {
                for entry in client.files().list(&directory).await.unwrap() {
                    let at = directory.join(&entry.name.to_string());
                    match client.files().read(&at, 1 << 20).await {
                        Ok(bytes) => copies += usize::from(bytes == b"precious"),
                        Err(_) => left.push(at),
                    }
                }
            }
            copies
        },
    )
}

async fn rename(client: &SimHost, from: &str, to: &str) {
    client.files().rename(&path(from), &path(to)).await.unwrap();
}

#[test]
fn a_durable_file_that_moves_on_is_there_once() {
    let copies = copies_after(async |client| {
        rename(client, r"C:\A\B\file", r"C:\B\one").await;
        rename(client, r"C:\B\one", r"C:\A\two").await;
        client.sync_dir(r"C:\B").await;
        rename(client, r"C:\A\two", r"C:\three").await;
    });
    assert_eq!(copies, [1; SEEDS as usize]);
}

#[test]
fn a_durable_file_that_moves_into_a_new_directory_is_not_lost_with_it() {
    for sync in [false, true] {
        let copies = copies_after(async |client| {
            let files = client.files();
            files.create_dir_all(&path(r"C:\new\deep")).await.unwrap();
            rename(client, r"C:\A\B\file", r"C:\new\deep\file").await;
            if sync {
                files.sync_dir(&path(r"C:\new\deep"), STEP).await.unwrap();
            }
        });
        assert_eq!(copies, [1; SEEDS as usize]);
    }
}

#[test]
fn a_durable_file_that_moves_out_of_a_directory_is_not_removed_with_it() {
    let copies = copies_after(async |client| {
        rename(client, r"C:\A\B\file", r"C:\B\S\file").await;
        client.files().remove_dir_all(&path(r"C:\A")).await.unwrap();
        client.sync_dir(r"C:\").await;
    });
    assert_eq!(copies, [1; SEEDS as usize]);
}

#[test]
fn directories_that_change_places_are_not_lost_in_each_other() {
    let copies = copies_after(async |client| {
        rename(client, r"C:\A\B", r"C:\C").await;
        rename(client, r"C:\A", r"C:\C\inner").await;
        rename(client, r"C:\B", r"C:\C\inner\B").await;
    });
    assert_eq!(copies, [1; SEEDS as usize]);
}
