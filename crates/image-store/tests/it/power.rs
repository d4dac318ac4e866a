//! The power goes before and after every durable step, for several seeds: an image is listed and whole, or not listed at all.

use wcow_host::{Host, LayerDescriptor, LayerStorage, era};
use wcow_image_store::{ImageStore, StoreError};
use wcow_ntmeta::HostPath;
use wcow_sim::{Ended, PowerCut, Profile, Sim, SimHost};

use crate::support::*;

const SEEDS: u64 = 4;

/// Every way to cut the power during some work on a host that `prepare` made: `check` sees the host afterwards, and whether the
/// work came to its end. Afterwards the power goes once more, when nobody does anything.
fn cut<T: std::fmt::Debug>(
    prepare: impl Fn(Profile, u64) -> Sim,
    work: impl AsyncFn(&SimHost) -> T,
    check: impl Fn(&Sim, bool, &str),
) {
    for profile in [Profile::core_tp3(), Profile::server_2022()] {
        let (first, last) = {
            let sim = prepare(profile.clone(), 0);
            let client = sim.client();
            let first = sim.durable_steps();
            sim.block_on(work(&client));
            (first, sim.durable_steps())
        };
        assert!(last > first);
        let cuts = (first + 1..=last + 1).flat_map(|step| {
            // Behind the last step the work comes to its end.
            let after = (step <= last).then_some(PowerCut::After(step));
            [PowerCut::Before(step)].into_iter().chain(after)
        });
        for cut in cuts {
            for seed in 0..SEEDS {
                let sim = prepare(profile.clone(), seed);
                let client = sim.client();
                sim.power_loss_at(cut);
                let ended = sim.run_to_end(work(&client)).unwrap();
                let done = matches!(ended, Ended::Value(_));
                assert_eq!(done, cut == PowerCut::Before(last + 1), "{ended:?}");
                if done {
                    sim.power_loss();
                }
                let about = format!("{} {cut:?} seed {seed}", profile.name);
                check(&sim, done, &about);
            }
        }
    }
}

/// Opens the store, and tells whether the image is there; it is whole then.
#[track_caller]
fn whole(sim: &Sim, about: &str) -> bool {
    let host = sim.client();
    let before = sim.block_on(list(&host)).unwrap();
    assert!(before.damaged.is_empty(), "{about}: {:?}", before.damaged);
    let store = sim.block_on(ImageStore::open(&host)).unwrap();
    assert_eq!(store.recovery().quarantined, [], "{about}");
    assert!(folder(sim, &host, ".staging").is_empty(), "{about}");
    assert!(folder(sim, &host, ".removing").is_empty(), "{about}");
    let list = sim.block_on(store.list()).unwrap();
    assert!(list.damaged.is_empty(), "{about}");
    let listed = !list.images.is_empty();
    if listed {
        assert_eq!(names(&list), [FULL_NAME], "{about}");
        assert_eq!(sim.block_on(store.test(FULL_NAME)).unwrap(), [], "{about}");
        for (name, bytes) in [
            (r"win.ini", b"[fonts]\r\n".as_slice()),
            (r"System32\cmd.exe", b"MZ cmd"),
            (r"System32\CExecSvc.exe", b"MZ service"),
        ] {
            let path = format!(r"{FULL_NAME}\files\Windows\{name}");
            assert_eq!(read(sim, &host, &path), bytes, "{about}: {name}");
        }
        is_usable(sim, &host, about);
    }
    sim.block_on(store.close()).unwrap();
    listed
}

/// The host makes a scratch layer over the image.
#[track_caller]
fn is_usable(sim: &Sim, host: &SimHost, about: &str) {
    let parents = [LayerDescriptor {
        id: era::layer_id(FULL_NAME),
        path: at(FULL_NAME),
    }];
    let scratch = HostPath::root("C:").join("scratch");
    let layers = host.layers();
    sim.block_on(async {
        layers.create_scratch(&scratch, &parents).await?;
        layers.activate(&scratch).await?;
        layers.deactivate(&scratch).await?;
        layers.destroy(&scratch).await
    })
    .unwrap_or_else(|error| panic!("{about}: {error}"));
}

#[test]
fn an_install_that_a_power_loss_cuts_off_leaves_nothing_or_everything() {
    cut(
        Sim::new,
        async |host| install(host, &request(), &mut image()).await.unwrap(),
        |sim, done, about| {
            let listed = whole(sim, about);
            assert!(listed || !done, "{about}: an install that ended is lost");
            let host = sim.client();
            let again = sim.block_on(install(&host, &request(), &mut image()));
            assert_eq!(again.is_ok(), !listed, "{about}: {again:?}");
            assert!(whole(sim, about), "{about}");
        },
    );
}

#[test]
fn an_install_with_a_utility_vm_that_a_power_loss_cuts_off_leaves_nothing_or_everything() {
    let vm = |sim: &Sim, about: &str| {
        let host = sim.client();
        for (name, bytes) in [
            (r"Windows\System32\vmcompute.exe", Some(&b"MZ vm"[..])),
            (r"EFI\Microsoft\Boot\BCD", None),
        ] {
            let path = format!(r"{FULL_NAME}\UtilityVM\Files\{name}");
            let found = read(sim, &host, &path);
            let whole = bytes.map_or(found.starts_with(b"regf"), |bytes| found == bytes);
            assert!(whole, "{about}: {name}: {found:?}");
        }
        // Where it came with the files, nothing of it is left to be seen in containers.
        let left = folder(sim, &host, &format!(r"{FULL_NAME}\files"));
        assert!(!left.contains(&"UtilityVM".to_owned()), "{about}");
        // Technical Preview 3 knows no such machine; later hosts made its disks.
        let made = folder(sim, &host, &format!(r"{FULL_NAME}\UtilityVM"));
        let disks = ["SystemTemplate.vhdx", "SystemTemplateBase.vhdx"];
        let has = disks.map(|disk| made.contains(&disk.to_owned()));
        let knows = !about.starts_with("core-tp3");
        assert_eq!(has, [knows; 2], "{about}: {made:?}");
    };
    cut(
        Sim::new,
        async |host| {
            install(host, &request(), &mut image_with_vm())
                .await
                .unwrap()
        },
        |sim, done, about| {
            let listed = whole(sim, about);
            assert!(listed || !done, "{about}: an install that ended is lost");
            let host = sim.client();
            let again = sim.block_on(install(&host, &request(), &mut image_with_vm()));
            assert_eq!(again.is_ok(), !listed, "{about}: {again:?}");
            assert!(whole(sim, about), "{about}");
            vm(sim, about);
        },
    );
}

#[test]
fn an_install_after_one_that_was_killed_survives_a_power_loss() {
    // Folders that the killed one made, and did not sync, are no proof that they are durable.
    for calls in 0..12 {
        for seed in 0..SEEDS {
            let sim = Sim::new(Profile::core_tp3(), seed);
            let killed = sim.client();
            let first = async { install(&killed, &request(), &mut image()).await.is_ok() };
            let ended = sim.run_killed_after(&killed, calls, first);
            assert_eq!(ended.unwrap(), Ended::Killed);
            let host = sim.client();
            sim.block_on(install(&host, &request(), &mut image()))
                .unwrap();
            sim.power_loss();
            assert!(whole(
                &sim,
                &format!("killed after {calls} calls, seed {seed}")
            ));
        }
    }
}

#[test]
fn a_removal_that_a_power_loss_cuts_off_leaves_nothing_or_everything() {
    let prepare = |profile, seed| {
        let sim = Sim::new(profile, seed);
        let host = sim.client();
        sim.block_on(install(&host, &request(), &mut image()))
            .unwrap();
        sim
    };
    let remove = async |host: &SimHost| {
        let store = ImageStore::open(host).await.unwrap();
        store.remove(FULL_NAME).await.unwrap();
        store.close().await.unwrap();
    };
    cut(prepare, remove, |sim, done, about| {
        let listed = whole(sim, about);
        assert!(!(listed && done), "{about}: a removed image is back");
        let host = sim.client();
        let store = sim.block_on(ImageStore::open(&host)).unwrap();
        match sim.block_on(store.remove(FULL_NAME)) {
            Ok(()) => assert!(listed, "{about}"),
            Err(error) => assert!(!listed && matches!(error, StoreError::NotFound { .. })),
        }
        sim.block_on(store.close()).unwrap();
        assert!(!whole(sim, about), "{about}");
    });
}
