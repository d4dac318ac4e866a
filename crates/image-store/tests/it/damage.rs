//! Stores that somebody else wrote, or damaged.

use wcow_host::{FileSystem, Host};
use wcow_image_store::{ImageStore, StoreError, ValidationError};
use wcow_ntmeta::HostPath;

use crate::support::*;

/// `metadata.json` of the field report's host, as its own tools wrote it.
const TP3_METADATA: &str = r#"{"CreatedTime":"2015-08-14T15:51:55.0510000Z","Size":9696754476,"Path":"C:\\ProgramData\\Microsoft\\Windows\\Images\\CN=Microsoft_WindowsServerCore_10.0.10514.0","Name":"WindowsServerCore","Version":"10.0.10514.0"}"#;

#[test]
fn an_image_of_the_hosts_own_tools_is_listed() {
    let (sim, host) = with_image();
    overwrite(&sim, &host, &metadata(), TP3_METADATA.as_bytes());
    let store = ImageStore::open_read_only(&host);
    let found = sim.block_on(store.find("WindowsServerCore")).unwrap();
    assert_eq!(found.created.to_string(), "2015-08-14T15:51:55.0510000Z");
    assert_eq!(found.size, 9_696_754_476);
    assert_eq!(found.product_name, "ServerDatacenter", "from version.wcx");
    assert!(found.container_service, "from the tree");
    assert_eq!(sim.block_on(store.test("WindowsServerCore")).unwrap(), []);
    let details = sim.block_on(store.inspect("WindowsServerCore")).unwrap();
    assert_eq!((details.format, details.tree), (None, None));
    assert_eq!(
        sim.block_on(ImageStore::open(&host))
            .unwrap()
            .recovery()
            .quarantined,
        []
    );
}

#[test]
fn a_damaged_image_is_put_away_and_never_served() {
    let other = TP3_METADATA.replace("\"WindowsServerCore\"", "\"NanoServer\"");
    for bytes in [
        "",
        "{",
        "[]",
        "{}",
        &TP3_METADATA.replace("2015-08", "2015-88"),
        &TP3_METADATA.replace("10.0.10514.0\"}", "10\"}"),
        &other,
    ] {
        let (sim, host) = with_image();
        overwrite(&sim, &host, &metadata(), bytes.as_bytes());
        check_put_away(&sim, &host, bytes);
    }
    let (sim, host) = with_image();
    sim.block_on(host.files().remove_file(&at(&metadata())))
        .unwrap();
    check_put_away(&sim, &host, "no metadata");
    let (sim, host) = with_image();
    overwrite(&sim, &host, &metadata(), &vec![b' '; (1 << 20) + 1]);
    check_put_away(&sim, &host, "too long");
}

#[test]
fn a_second_damaged_image_of_the_same_name_finds_room() {
    let (sim, host) = with_image();
    for round in 1..=2 {
        overwrite(&sim, &host, &metadata(), b"{");
        let store = sim.block_on(ImageStore::open(&host)).unwrap();
        assert_eq!(store.recovery().quarantined.len(), 1);
        assert_eq!(sim.block_on(store.list()).unwrap().damaged.len(), round);
        sim.block_on(store.install(&request(), &mut image()))
            .unwrap();
        sim.block_on(store.close()).unwrap();
    }
    sim.block_on(async {
        let store = ImageStore::open(&host).await.unwrap();
        store.remove(FULL_NAME).await.unwrap();
        for damaged in store.list().await.unwrap().damaged {
            store.remove(&damaged.folder).await.unwrap();
        }
        assert_eq!(store.list().await.unwrap(), Default::default());
    });
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_not_touched() {
    let (sim, host) = with_image();
    let text = String::from_utf8(read(&sim, &host, &metadata())).unwrap();
    let newer = text
        .replace("\"Format\":1", "\"Format\":2,\"Unheard\":{}")
        .replace("\"Description\"", "\"Other\"");
    overwrite(&sim, &host, &metadata(), newer.as_bytes());
    sim.block_on(host.files().create_dir_all(&at(r".staging\of-somebody")))
        .unwrap();
    sim.block_on(
        host.files()
            .create_dir_all(&at("CN=Microsoft_Broken_1.0.0.0")),
    )
    .unwrap();

    let error = sim.block_on(ImageStore::open(&host)).unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::OtherVersion {
                found: 2,
                ours: 1,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(error.exit_code(), 5);
    assert!(sim.block_on(list(&host)).is_err());
    assert_eq!(read(&sim, &host, &metadata()), newer.as_bytes());
    assert_eq!(folder(&sim, &host, ".staging"), ["of-somebody"]);
    assert!(folder(&sim, &host, "").contains(&"CN=Microsoft_Broken_1.0.0.0".to_owned()));
    // The lock was given back.
    let again = sim.block_on(ImageStore::open(&sim.client())).unwrap_err();
    assert!(matches!(again, StoreError::OtherVersion { .. }), "{again}");
}

#[test]
fn what_is_no_image_is_left_alone() {
    let (sim, host) = with_image();
    overwrite(&sim, &host, "blank.vhdx", b"a virtual disk");
    overwrite(&sim, &host, "CN=notes.txt", b"a file");
    sim.block_on(host.files().create_dir_all(&at("of somebody")))
        .unwrap();
    let store = sim.block_on(ImageStore::open(&host)).unwrap();
    assert_eq!(store.recovery(), &Default::default());
    assert_eq!(names(&sim.block_on(store.list()).unwrap()), [FULL_NAME]);
    let root = folder(&sim, &host, "");
    for name in ["blank.vhdx", "CN=notes.txt", "of somebody"] {
        assert!(
            root.contains(&name.to_owned()),
            "{name} is missing in {root:?}"
        );
    }
}

fn metadata() -> String {
    format!(r"{FULL_NAME}\metadata.json")
}

#[track_caller]
fn check_put_away(sim: &wcow_sim::Sim, host: &wcow_sim::SimHost, what: &str) {
    // A reader reports it and leaves it where it is.
    let seen = sim.block_on(list(host)).unwrap();
    assert!(seen.images.is_empty(), "{what}");
    assert_eq!(seen.damaged.len(), 1, "{what}");
    assert_eq!(seen.damaged[0].path, at(FULL_NAME), "{what}");

    let store = sim.block_on(ImageStore::open(host)).unwrap();
    assert_eq!(store.recovery().quarantined.len(), 1, "{what}");
    let list = sim.block_on(store.list()).unwrap();
    assert!(list.images.is_empty(), "{what}");
    assert_eq!(list.damaged.len(), 1, "{what}");
    assert_eq!(
        list.damaged[0].path,
        store.recovery().quarantined[0].path,
        "{what}"
    );
    assert_eq!(
        list.damaged[0].path,
        at(".quarantine").join(FULL_NAME),
        "{what}"
    );
    assert_eq!(
        sim.block_on(store.test(FULL_NAME)).unwrap().len(),
        1,
        "{what}"
    );
    assert!(
        !matches!(list.damaged[0].reason, ValidationError::Quarantined),
        "{what}"
    );
    sim.block_on(store.install(&request(), &mut image()))
        .unwrap();
    sim.block_on(store.close()).unwrap();
}

#[test]
fn an_install_on_a_disk_that_fails_once_leaves_nothing_or_everything() {
    use wcow_host::Operation;
    use wcow_ntmeta::Hresult;
    use wcow_sim::{FaultPlan, FaultRule, What, When};

    for operation in [
        Operation::FlushFile,
        Operation::WriteFile,
        Operation::CopyFile,
        Operation::MoveFile,
        Operation::WriteTree,
        Operation::ReadFile,
        Operation::CreateDirectory,
    ] {
        let mut failed = 0;
        for after in 0.. {
            assert!(after < 100, "the install never ends");
            let sim = core();
            let host = sim.client();
            let when = When::Below {
                operation,
                path: HostPath::root("C:"),
                after,
                times: 1,
            };
            let what = What::RefusedWith(Hresult::from_win32(0x45d));
            sim.set_faults(FaultPlan {
                rules: vec![FaultRule { when, what }],
                budget: 1,
            });
            let installed = sim.block_on(install(&host, &request(), &mut image()));
            let about = format!("{operation} after {after}");
            let Err(error) = installed else {
                // The disk still waits for a call to fail.
                break;
            };
            let host_error = error.host_error().unwrap();
            assert!(host_error.is_win32(0x45d), "{about}: {error}");
            failed += 1;
            let shown = sim.block_on(list(&host)).unwrap();
            assert!(
                shown.images.is_empty() && shown.damaged.is_empty(),
                "{about}"
            );
            // Nobody knows what a disk has that failed; but it has no half of an image.
            sim.power_loss();
            let host = sim.client();
            let store = sim.block_on(ImageStore::open(&host)).unwrap();
            assert_eq!(store.recovery().quarantined, [], "{about}");
            for image in sim.block_on(store.list()).unwrap().images {
                assert_eq!(sim.block_on(store.test(&image.full_name)).unwrap(), []);
            }
        }
        assert!(failed > 0, "{operation} is never needed");
    }
}
