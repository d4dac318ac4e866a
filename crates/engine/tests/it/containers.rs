//! The life of containers, and what is left of it.

use wcow_engine::{ContainerStatus, CreateContainer, Engine, EngineError, Force};
use wcow_host::{FileSystem, Host, Output, WriteMode};
use wcow_network::{Driver, NetworkSpec};
use wcow_ntmeta::HostPath;
use wcow_runtime::ExecSpec;
use wcow_sim::Profile;

use crate::support::{Stage, wanted};

/// The hosts on which containers work.
fn hosts() -> [Stage; 2] {
    [
        Stage::new(Profile::core_tp3()),
        Stage::new(Profile::server_2022()),
    ]
}

#[test]
fn a_whole_life_leaves_nothing_behind() {
    for stage in hosts() {
        let engine = &stage.engine;
        stage.create("base", "one");
        assert_eq!(
            stage.ok(engine.container("one")).status,
            ContainerStatus::Off
        );
        stage.ok(engine.start("one"));
        assert_eq!(
            stage.ok(engine.container("one")).status,
            ContainerStatus::Running
        );
        let output = stage.ok(async {
            let process = engine
                .exec("one", &ExecSpec::new("cmd /c echo hello& exit 7"))
                .await?;
            let output = process.read(Output::Out, 1024).await.unwrap();
            let status = process.wait().await.unwrap();
            Ok((String::from_utf8(output).unwrap(), status.code.unwrap()))
        });
        assert_eq!(output, ("hello\r\n".to_owned(), 7));
        stage.ok(engine.stop("one", 10_000_000));
        stage.ok(engine.start("one"));
        stage.ok(engine.kill("one"));
        stage.ok(engine.remove_container("one", Force::No));
        assert_eq!(stage.traces(), Vec::<String>::new());
    }
}

#[test]
fn a_start_that_is_refused_is_undone_and_the_container_can_be_removed() {
    for (profile, build, edition, service) in [
        (Profile::core_tp3(), 10586, "ServerDatacenter", true),
        (Profile::core_tp3(), 10514, "ServerStandard", true),
        (Profile::core_tp3(), 10514, "ServerDatacenter", false),
        (Profile::server_2022(), 17763, "ServerDatacenter", true),
        (Profile::server_2022(), 20348, "ServerDatacenter", false),
    ] {
        let stage = Stage::bare(profile);
        stage.install("other", build, edition, service);
        stage.create("other", "one");
        let before = stage.traces();
        let error = stage.err(stage.engine.start("one"));
        assert!(matches!(error, EngineError::Container { .. }), "{error:?}");
        assert_eq!(error.exit_code(), 1);
        assert_eq!(stage.traces(), before, "what the start had made is gone");
        assert_eq!(
            stage.ok(stage.engine.container("one")).status,
            ContainerStatus::Off
        );
        stage.ok(stage.engine.remove_container("one", Force::No));
        assert_eq!(stage.traces(), Vec::<String>::new());
    }
}

#[test]
fn a_container_that_cannot_be_created_leaves_nothing_behind() {
    let stage = Stage::bare(Profile::nano_tp3());
    stage.install("base", 10514, "ServerTuva", true);
    let error = stage.err(stage.engine.create_container(wanted("base", "one")));
    let code = error.host_error().and_then(wcow_host::HostError::hresult);
    assert_eq!(
        code.map(|code| code.to_string()).as_deref(),
        Some("0x8000FFFF")
    );
    assert_eq!(stage.traces(), Vec::<String>::new());
}

#[test]
fn a_restart_of_the_host_ends_containers_and_they_can_be_started_again() {
    for stage in hosts() {
        stage.create("base", "one");
        stage.ok(stage.engine.start("one"));
        stage.ok(stage.engine.reboot());
        assert_eq!(
            stage.ok(stage.engine.container("one")).status,
            ContainerStatus::Exited
        );
        stage.ok(stage.engine.start("one"));
        assert_eq!(
            stage.ok(stage.engine.container("one")).status,
            ContainerStatus::Running
        );
        stage.ok(stage.engine.reboot());
        stage.ok(stage.engine.remove_container("one", Force::No));
        assert_eq!(stage.traces(), Vec::<String>::new());
    }
}

#[test]
fn names_are_checked_before_the_host_is_asked() {
    let stage = Stage::new(Profile::server_2022());
    stage.create("base", "one");
    for (name, code) in [
        ("one", 4),
        ("", 2),
        ("-x", 2),
        ("a b", 2),
        ("..", 2),
        (&"x".repeat(64), 2),
    ] {
        let error = stage.err(stage.engine.create_container(wanted("base", name)));
        assert_eq!(error.exit_code(), code, "{name:?}: {error}");
    }
}

#[test]
fn what_is_not_there_is_answered_with_what_is() {
    let stage = Stage::new(Profile::server_2022());
    stage.create("base", "one");
    for (error, shown) in [
        (
            stage.err(stage.engine.create_container(wanted("nothing", "two"))),
            "CN=Microsoft_base_10.0.20348.0",
        ),
        (stage.err(stage.engine.start("two")), "there are: one"),
        (
            stage.err(stage.engine.create_container(CreateContainer {
                network: Some("nowhere".to_owned()),
                ..wanted("base", "two")
            })),
            "there is no network yet",
        ),
    ] {
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains(shown), "{error}");
    }
}

#[test]
fn what_is_in_use_stays() {
    let stage = Stage::new(Profile::server_2022());
    let spec = NetworkSpec {
        name: "nat".to_owned(),
        driver: Driver::Nat,
        subnet: None,
        gateway: None,
        adapter: None,
    };
    stage.ok(stage.engine.create_network(&spec));
    let wanted = CreateContainer {
        network: Some("nat".to_owned()),
        ..wanted("base", "one")
    };
    stage.ok(stage.engine.create_container(wanted));
    stage.ok(stage.engine.start("one"));
    for error in [
        stage.err(stage.engine.remove_image("base")),
        stage.err(stage.engine.remove_network("nat")),
        stage.err(stage.engine.remove_container("one", Force::No)),
        stage.err(stage.engine.start("one")),
    ] {
        assert_eq!(error.exit_code(), 4, "{error}");
    }
    stage.ok(stage.engine.remove_container("one", Force::Yes));
    stage.ok(stage.engine.remove_network("nat"));
    stage.ok(stage.engine.remove_image("base"));
    assert!(stage.ok(stage.engine.images()).is_empty());
}

#[test]
fn another_engine_on_the_same_host_sees_the_same_containers() {
    let stage = Stage::new(Profile::core_tp3());
    stage.create("base", "one");
    let other = Engine::new(stage.sim.client());
    assert_eq!(
        stage.ok(other.containers()),
        stage.ok(stage.engine.containers())
    );
}

#[test]
fn a_record_of_another_format_is_refused_and_left_alone() {
    let stage = Stage::new(Profile::server_2022());
    stage.create("base", "one");
    let files = stage.engine.host().files();
    let path = HostPath::parse(r"C:\ProgramData\wcow\records\containers\zzzz.json").unwrap();
    let newer = br#"{"format":2,"record":{}}"#;
    stage
        .sim
        .run(files.write(&path, newer, WriteMode::CreateNew))
        .unwrap()
        .unwrap();
    let error = stage.err(stage.engine.containers());
    assert!(matches!(error, EngineError::Record { .. }), "{error:?}");
    assert_eq!(error.exit_code(), 6);
    assert!(error.to_string().contains("zzzz.json"), "{error}");
    assert_eq!(
        stage.sim.run(files.read(&path, 100)).unwrap().unwrap(),
        newer
    );
}

#[test]
fn a_full_disk_leaves_no_container_without_a_record() {
    for profile in [Profile::core_tp3(), Profile::server_2022()] {
        // The smallest disk on which a container can be created.
        let (mut too_small, mut enough) = (0, 1 << 30);
        while enough - too_small > 1 {
            let middle = (too_small + enough) / 2;
            if try_full(&profile, middle) == Full::AtCreate {
                too_small = middle;
            } else {
                enough = middle;
            }
        }
        assert_eq!(try_full(&profile, enough), Full::AtStart);
        let seen: Vec<Full> = (0..40)
            .map(|step| try_full(&profile, too_small - 8_192 + step * 1024))
            .collect();
        assert!(seen.is_sorted(), "{seen:?}");
        assert_eq!(seen.last(), Some(&Full::Never), "{seen:?}");
    }
}

/// Where a disk is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Full {
    AtCreate,
    AtStart,
    Never,
}

/// Creates and starts a container on a host with so much space; whatever is refused leaves nothing.
fn try_full(profile: &Profile, free_bytes: u64) -> Full {
    let stage = Stage::bare(Profile {
        free_bytes,
        ..profile.clone()
    });
    if !stage.try_install("base", profile.build, &profile.edition, true) {
        return Full::AtCreate;
    }
    let created = stage.engine.create_container(wanted("base", "one"));
    if let Err(error) = stage.sim.run(created).unwrap() {
        assert_full(&error);
        assert_eq!(stage.traces(), Vec::<String>::new(), "{error:?}");
        return Full::AtCreate;
    }
    let off = stage.traces();
    let seen = match stage.sim.run(stage.engine.start("one")).unwrap() {
        Ok(_) => Full::Never,
        Err(error) => {
            assert_full(&error);
            assert_eq!(stage.traces(), off, "{error:?}");
            Full::AtStart
        }
    };
    stage.ok(stage.engine.remove_container("one", Force::Yes));
    assert_eq!(stage.traces(), Vec::<String>::new());
    seen
}

#[track_caller]
fn assert_full(error: &EngineError) {
    let code = error.host_error().and_then(wcow_host::HostError::hresult);
    assert_eq!(code.unwrap().to_string(), "0x80070070", "{error:?}");
}
