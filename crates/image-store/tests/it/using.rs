//! Finding, testing and removing; locks.

use wcow_host::{FileSystem, Host};
use wcow_image_store::{ImageStore, InstallRequest, StoreError, ValidationError};

use crate::support::*;

#[test]
fn an_image_is_found_by_each_of_its_names() {
    let (sim, host) = with_image();
    let store = ImageStore::open_read_only(&host);
    for reference in [
        FULL_NAME,
        "WindowsServerCore",
        "windowsservercore",
        "WindowsServerCore:10.0.10514.0",
    ] {
        assert_eq!(
            sim.block_on(store.find(reference)).unwrap().full_name,
            FULL_NAME,
            "{reference}"
        );
    }
    for reference in [
        "",
        "Windows",
        "WindowsServerCore:10.0.10586.0",
        "CN=Microsoft_",
    ] {
        let error = sim.block_on(store.find(reference)).unwrap_err();
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains(FULL_NAME), "{error}");
    }
}

#[test]
fn a_name_of_two_versions_is_ambiguous() {
    let (sim, host) = with_image();
    let newer = InstallRequest {
        version: "10.0.10586.0".parse().unwrap(),
        ..request()
    };
    sim.block_on(install(&host, &newer, &mut image())).unwrap();
    let store = ImageStore::open_read_only(&host);
    let error = sim.block_on(store.find("WindowsServerCore")).unwrap_err();
    assert!(
        matches!(&error, StoreError::Ambiguous { matches, .. } if matches.len() == 2),
        "{error}"
    );
    let found = sim
        .block_on(store.find("WindowsServerCore:10.0.10586.0"))
        .unwrap();
    assert_eq!(found.version.build, 10586);
}

#[test]
fn a_removed_image_is_gone() {
    let (sim, host) = with_image();
    sim.block_on(async {
        let store = ImageStore::open(&host).await.unwrap();
        store.remove("WindowsServerCore").await.unwrap();
        assert!(store.list().await.unwrap().images.is_empty());
        let again = store.remove("WindowsServerCore").await.unwrap_err();
        assert!(matches!(again, StoreError::NotFound { .. }), "{again}");
        store.close().await.unwrap();
    });
    assert!(folder(&sim, &host, ".removing").is_empty());
    assert!(!folder(&sim, &host, "").contains(&FULL_NAME.to_owned()));
    sim.block_on(install(&host, &request(), &mut image()))
        .unwrap();
}

#[test]
fn only_one_program_at_a_time_changes_the_store() {
    let sim = core();
    let (first, second) = (sim.client(), sim.client());
    sim.block_on(async {
        let store = ImageStore::open(&first).await.unwrap();
        let error = ImageStore::open(&second).await.unwrap_err();
        assert!(matches!(&error, StoreError::Locked { path } if path.to_string().ends_with("store.lock")), "{error}");
        assert_eq!(error.exit_code(), 4);
        assert!(list(&second).await.unwrap().images.is_empty());
        store.close().await.unwrap();
        ImageStore::open(&second).await.unwrap().close().await.unwrap();
    });
}

#[test]
fn a_lock_ends_with_its_process() {
    let sim = core();
    let (first, second) = (sim.client(), sim.client());
    let _store = sim.block_on(ImageStore::open(&first)).unwrap();
    sim.kill(&first);
    sim.block_on(ImageStore::open(&second)).unwrap();
}

#[test]
fn a_test_names_everything_that_is_wrong() {
    let (sim, host) = with_image();
    let path = |rest: &str| format!(r"{FULL_NAME}\{rest}");
    overwrite(&sim, &host, &path("version.wcx"), b"BuildNumber=10586\r\n");
    overwrite(&sim, &host, &path(r"hives\System_Base"), &hive("SOFTWARE"));
    overwrite(&sim, &host, &path(r"hives\Sam_Base"), b"regf");
    sim.block_on(host.files().remove_file(&at(&path(r"hives\Security_Base"))))
        .unwrap();
    for gone in ["CExecSvc.exe", "config"] {
        let from = at(&path(&format!(r"files\Windows\System32\{gone}")));
        let to = at(&path(&format!("{gone} of it")));
        sim.block_on(host.files().rename(&from, &to)).unwrap();
    }

    let errors = sim
        .block_on(ImageStore::open_read_only(&host).test(FULL_NAME))
        .unwrap();
    let found =
        |wanted: fn(&ValidationError) -> bool| errors.iter().filter(|error| wanted(error)).count();
    assert_eq!(
        found(|error| matches!(error, ValidationError::VersionFileDiffers { .. })),
        2,
        "{errors:?}"
    );
    assert_eq!(
        found(|error| matches!(error, ValidationError::HiveChanged { .. })),
        1,
        "{errors:?}"
    );
    assert_eq!(
        found(|error| matches!(error, ValidationError::HiveDamaged { .. })),
        1,
        "{errors:?}"
    );
    assert_eq!(
        found(|error| matches!(error, ValidationError::HiveMissing { .. })),
        1,
        "{errors:?}"
    );
    assert_eq!(
        found(|error| matches!(error, ValidationError::ContainerServiceDiffers { .. })),
        1,
        "{errors:?}"
    );
    assert_eq!(
        found(|error| matches!(error, ValidationError::DirectoryMissing { .. })),
        1,
        "{errors:?}"
    );
    assert_eq!(errors.len(), 7, "{errors:?}");
}
