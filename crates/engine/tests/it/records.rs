//! Records: damaged ones, behind ones, and names that lead to them.

use serde_json::{Value, json};
use wcow_engine::{ContainerStatus, CreateContainer, Engine, EngineError, Force};
use wcow_host::{FileSystem, Host, Operation, SystemId, WriteMode};
use wcow_network::{Driver, NetworkSpec};
use wcow_ntmeta::HostPath;
use wcow_sim::{FaultPlan, FaultRule, Profile, What, When};

use crate::support::{Stage, wanted};

/// Ticks of 100 ns in a second.
const SECOND: u64 = 10_000_000;
/// Far more calls than any command takes.
const MOST_CALLS: u64 = 200;

fn record(stage: &Stage, name: &str) -> HostPath {
    let id = stage.ok(stage.engine.container(name)).id;
    HostPath::parse(&format!(
        r"C:\ProgramData\wcow\records\containers\{id}.json"
    ))
    .unwrap()
}

fn replace(stage: &Stage, path: &HostPath, bytes: &[u8]) {
    let files = stage.engine.host().files();
    stage
        .sim
        .run(files.write(path, bytes, WriteMode::Overwrite))
        .unwrap()
        .unwrap();
}

#[test]
fn a_damaged_record_is_named_and_left_alone() {
    let stage = Stage::new(Profile::server_2022());
    stage.create("base", "one");
    let path = record(&stage, "one");
    let files = stage.engine.host().files();
    let whole = stage.sim.run(files.read(&path, 1 << 20)).unwrap().unwrap();
    for damaged in [
        Vec::new(),
        b"null".to_vec(),
        b"{".to_vec(),
        whole[..whole.len() / 2].to_vec(),
        br#"{"format":1,"record":{"name":"one"}}"#.to_vec(),
        br#"{"format":-1}"#.to_vec(),
        vec![0; 100],
    ] {
        replace(&stage, &path, &damaged);
        for error in [
            stage.err(stage.engine.containers()),
            stage.err(stage.engine.start("one")),
            stage.err(stage.engine.create_container(wanted("base", "two"))),
            stage.err(stage.engine.remove_image("base")),
        ] {
            assert!(matches!(error, EngineError::Record { .. }), "{error:?}");
            assert_eq!(error.exit_code(), 6);
            assert!(error.to_string().contains(&path.to_string()), "{error}");
        }
        let kept = stage.sim.run(files.read(&path, 1 << 20)).unwrap().unwrap();
        assert_eq!(kept, damaged);
    }
    replace(&stage, &path, &whole);
    stage.ok(stage.engine.start("one"));
}

#[test]
fn a_record_that_says_what_is_absent_is_read_as_one_that_does_not() {
    let stage = Stage::new(Profile::server_2022());
    stage.create("base", "one");
    let seen = stage.ok(stage.engine.containers());
    let path = record(&stage, "one");
    let files = stage.engine.host().files();
    let bytes = stage.sim.run(files.read(&path, 1 << 20)).unwrap().unwrap();
    let mut document: Value = serde_json::from_slice(&bytes).unwrap();
    // As versions wrote it that left nothing out.
    let absent = json!({
        "network": null, "publish": [], "environment": {}, "working_directory": "", "main": null, "exit": null,
        "stopped": false, "running": null, "starting": null, "unfinished": false, "removing": false,
    });
    let of_spec = json!({"memory_mib": null, "processors": null, "mounts": []});
    let mut added = 0;
    for (place, absent) in [("/record", absent), ("/record/created/spec", of_spec)] {
        let object = document.pointer_mut(place).unwrap();
        for (name, value) in absent.as_object().unwrap() {
            added += usize::from(object.get(name).is_none());
            if object.get(name).is_none() {
                object[name] = value.clone();
            }
        }
    }
    assert!(added >= 12, "{added} of 14 are absent");
    let longer = serde_json::to_vec(&document).unwrap();
    assert!(longer.len() > bytes.len() + 150);
    replace(&stage, &path, &longer);
    let other = Engine::new(stage.sim.client());
    assert_eq!(stage.ok(other.containers()), seen);
    stage.ok(other.start("one"));
    stage.ok(other.stop("one", 10 * SECOND));
    stage.ok(other.remove_container("one", Force::No));
}

#[test]
fn a_container_is_found_by_the_beginning_of_its_id() {
    let stage = Stage::new(Profile::core_tp3());
    for (name, id) in [
        ("one", "aaaaaaaa-0000-4000-8000-000000000001"),
        ("two", "aaaaaaaa-0000-4000-8000-000000000002"),
        ("three", "aaaabbbb-0000-4000-8000-000000000003"),
    ] {
        stage.ok(stage.engine.create_container(CreateContainer {
            id: Some(id.parse().unwrap()),
            ..wanted("base", name)
        }));
    }
    for (reference, expected) in [
        ("one", Some("one")),
        ("AAAABBBB", Some("three")),
        ("aaaab", Some("three")),
        ("aaaaaaaa-0000-4000-8000-000000000002", Some("two")),
        ("aaaa", None),
        ("aaaaaaaa", None),
        ("aaa", None),
        ("ONE", None),
        ("", None),
    ] {
        match expected {
            Some(expected) => {
                assert_eq!(stage.ok(stage.engine.container(reference)).name, expected);
            }
            None => {
                let error = stage.err(stage.engine.container(reference));
                let expected = format!("no container {reference:?}; there are: one, three, two");
                assert_eq!(error.to_string(), expected);
                assert_eq!(error.exit_code(), 3);
            }
        }
    }
    let taken = CreateContainer {
        id: Some("aaaaaaaa-0000-4000-8000-000000000001".parse().unwrap()),
        ..wanted("base", "four")
    };
    let error = stage.err(stage.engine.create_container(taken));
    assert_eq!(error.to_string(), r#"a container "one" exists already"#);
}

#[test]
fn a_container_without_a_name_gets_one() {
    let stage = Stage::new(Profile::server_2022());
    let made = stage.ok(stage.engine.create_container(CreateContainer {
        image: "base".to_owned(),
        id: Some("12345678-0000-4000-8000-000000000001".parse().unwrap()),
        ..CreateContainer::default()
    }));
    assert_eq!(made.name, "container-12345678");
    assert_eq!(
        made.id,
        SystemId("12345678-0000-4000-8000-000000000001".to_owned())
    );
    let error = stage.err(stage.engine.create_container(CreateContainer {
        image: "base".to_owned(),
        id: Some("12345678-0000-4000-8000-000000000002".parse().unwrap()),
        ..CreateContainer::default()
    }));
    assert_eq!(error.exit_code(), 4, "the same name: {error}");
}

/// A command that is killed after a number of calls; false if it came to its end.
fn killed(stage: &Stage, calls: u64, command: &str) -> bool {
    let client = stage.sim.client();
    let other = wcow_engine::Engine::new(client.clone());
    let work = async {
        match command {
            "create" => other
                .create_container(wanted("base", "one"))
                .await
                .map(drop),
            "start" => other.start("one").await.map(|_| ()),
            "stop" => other.stop("one", 10_000_000).await.map(|_| ()),
            "remove" => other.remove_container("one", Force::Yes).await,
            other => panic!("{other}"),
        }
    };
    let outcome = stage.sim.run_killed_after(&client, calls, work).unwrap();
    stage.sim.kill(&client);
    stage.sim.advance(600 * 10_000_000);
    match outcome.value() {
        Some(answer) => {
            answer.unwrap();
            false
        }
        None => true,
    }
}

/// Kills a command after every number of calls: whatever it had done, the container can be started or removed afterwards.
#[track_caller]
fn check_killed(command: &str, running: bool) {
    for profile in [Profile::core_tp3(), Profile::server_2022()] {
        let mut again = Vec::new();
        for calls in 0..=MOST_CALLS {
            assert!(calls < MOST_CALLS, "{command} never ends");
            let stage = Stage::new(profile.clone());
            stage.create("base", "one");
            if running {
                stage.ok(stage.engine.start("one"));
            }
            let cut_off = killed(&stage, calls, command);
            let found = stage.ok(stage.engine.containers());
            if let Some(one) = found.first() {
                again.push(one.status);
                if calls % 2 == 0 && one.status != ContainerStatus::Running {
                    stage.ok(stage.engine.start("one"));
                }
                stage.ok(stage.engine.remove_container("one", Force::Yes));
            }
            assert_eq!(
                stage.traces(),
                Vec::<String>::new(),
                "{command} killed after {calls} calls"
            );
            if !cut_off {
                break;
            }
        }
        // A removal marks what it has begun to take apart, and nobody sees that again.
        let is_removal = command == "remove";
        assert_ne!(
            again.contains(&ContainerStatus::Off),
            is_removal,
            "{again:?}"
        );
    }
}

#[test]
fn a_killed_start_leaves_a_container_that_can_be_started_or_removed() {
    check_killed("start", false);
}

/// A call of a start that was killed takes effect long after whoever comes next: that one leaves the container alone, and what came
/// late is taken back by those who come a minute later.
#[test]
fn what_a_killed_start_asked_for_is_taken_back_when_it_comes_late() {
    let mut refused = 0;
    for operation in [
        Operation::ActivateLayer,
        Operation::PrepareLayer,
        Operation::CreateEndpoint,
        Operation::CreateSystem,
        Operation::StartSystem,
    ] {
        for next in ["start", "stop", "kill", "remove"] {
            for calls in 0..=MOST_CALLS {
                assert!(calls < MOST_CALLS, "a start never ends");
                let stage = Stage::new(Profile::server_2022());
                stage.ok(stage.engine.create_network(&NetworkSpec {
                    name: "net".to_owned(),
                    driver: Driver::Nat,
                    subnet: None,
                    gateway: None,
                    adapter: None,
                }));
                stage.ok(stage.engine.create_container(CreateContainer {
                    network: Some("net".to_owned()),
                    ..wanted("base", "one")
                }));
                stage.sim.set_faults(FaultPlan {
                    rules: vec![FaultRule {
                        when: When::Nth {
                            operation,
                            number: 1,
                        },
                        what: What::Late(20 * SECOND),
                    }],
                    budget: 1,
                });
                let client = stage.sim.client();
                let other = Engine::new(client.clone());
                let start = stage
                    .sim
                    .run_killed_after(&client, calls, other.start("one"));
                let came_to_its_end = start.unwrap().value().is_some();
                let answer = match next {
                    "start" => stage.sim.run(stage.engine.start("one")).unwrap().map(drop),
                    "stop" => stage
                        .sim
                        .run(stage.engine.stop("one", SECOND))
                        .unwrap()
                        .map(drop),
                    "kill" => stage.sim.run(stage.engine.kill("one")).unwrap().map(drop),
                    _ => stage
                        .sim
                        .run(stage.engine.remove_container("one", Force::Yes))
                        .unwrap(),
                };
                if let Err(error) = answer {
                    assert_eq!(error.exit_code(), 4, "{error}");
                    refused += usize::from(matches!(error, EngineError::Busy { .. }));
                }
                stage.sim.advance(120 * SECOND);
                for one in stage.ok(stage.engine.containers()) {
                    stage.ok(stage.engine.remove_container(&one.name, Force::Yes));
                }
                stage.ok(stage.engine.remove_network("net"));
                assert_eq!(
                    stage.traces(),
                    Vec::<String>::new(),
                    "{operation} late, killed after {calls} calls, then {next}"
                );
                if came_to_its_end {
                    break;
                }
            }
        }
    }
    assert!(refused > 0);
}

#[test]
fn a_killed_stop_leaves_a_container_that_can_be_started_or_removed() {
    check_killed("stop", true);
}

#[test]
fn a_killed_removal_can_be_done_again() {
    check_killed("remove", true);
}

/// Kills a creation after every number of calls; `next` is the command that comes after it.
#[track_caller]
fn check_killed_create(next: impl Fn(&Stage)) {
    for profile in [Profile::core_tp3(), Profile::server_2022()] {
        let (mut with, mut without) = (0, 0);
        for calls in 0..=MOST_CALLS {
            assert!(calls < MOST_CALLS, "it never ends");
            let stage = Stage::new(profile.clone());
            let cut_off = killed(&stage, calls, "create");
            next(&stage);
            let found = stage.ok(stage.engine.containers());
            match &found[..] {
                [] => without += 1,
                [one] => {
                    assert_eq!(one.status, ContainerStatus::Off, "after {calls} calls");
                    with += 1;
                    stage.ok(stage.engine.start("one"));
                    stage.ok(stage.engine.remove_container("one", Force::Yes));
                }
                more => panic!("{more:?}"),
            }
            assert_eq!(
                stage.traces(),
                Vec::<String>::new(),
                "killed after {calls} calls"
            );
            if !cut_off {
                break;
            }
        }
        assert!(with > 0 && with + without > 10, "{with} {without}");
    }
}

#[test]
fn a_killed_create_is_taken_back_by_the_next_command() {
    check_killed_create(|stage| {
        stage.ok(stage.engine.containers());
    });
}

#[test]
fn a_killed_create_can_be_done_again() {
    check_killed_create(|stage| {
        let again = stage.engine.create_container(wanted("base", "one"));
        match stage.sim.run(again).unwrap() {
            Ok(made) => assert_eq!(made.status, ContainerStatus::Off),
            // It was killed when all was done.
            Err(error) => assert!(matches!(error, EngineError::Exists { .. }), "{error:?}"),
        }
    });
}

#[test]
fn a_killed_create_does_not_keep_its_image() {
    check_killed_create(|stage| {
        if let Err(error) = stage.sim.run(stage.engine.remove_image("base")).unwrap() {
            let in_use = matches!(error, EngineError::InUse { .. });
            assert!(in_use, "{error:?}");
        } else {
            let profile = stage.sim.profile();
            stage.install("base", profile.build, &profile.edition, true);
        }
    });
}

#[test]
fn what_a_creation_left_and_cannot_be_taken_back_is_listed_and_can_be_removed_later() {
    let layer = HostPath::parse(r"C:\ProgramData\wcow\containers").unwrap();
    let cut_off = (0..MOST_CALLS).find_map(|calls| {
        let stage = Stage::new(Profile::server_2022());
        let cut_off = killed(&stage, calls, "create");
        let files = stage.engine.host().files();
        let layers = stage.sim.run(files.list(&layer)).unwrap();
        (cut_off && layers.is_ok_and(|layers| !layers.is_empty())).then_some(stage)
    });
    let stage = cut_off.expect("a creation is cut off behind the layer");
    // Somebody looks into the layer.
    let files = stage.engine.host().files();
    let scratch = stage.sim.run(async {
        let entry = files.list(&layer).await.unwrap().remove(0);
        let folder = layer.join(&entry.name.to_string());
        let file = files.list(&folder).await.unwrap().remove(0);
        folder.join(&file.name.to_string())
    });
    let lock = stage
        .sim
        .run(files.lock(&scratch.unwrap()))
        .unwrap()
        .unwrap();
    let listed = stage.ok(stage.engine.containers());
    assert_eq!(listed[0].status, ContainerStatus::Unfinished);
    for error in [
        stage.err(stage.engine.start("one")),
        stage.err(
            stage
                .engine
                .exec("one", &wcow_runtime::ExecSpec::new("cmd /c ver")),
        ),
    ] {
        assert!(
            matches!(
                &error,
                EngineError::State {
                    is: "Unfinished",
                    ..
                }
            ),
            "{error:?}"
        );
        assert_eq!(error.exit_code(), 4);
    }
    let error = stage.err(stage.engine.remove_container("one", Force::No));
    assert!(matches!(error, EngineError::Container { .. }), "{error:?}");
    stage.sim.run(files.unlock(lock)).unwrap().unwrap();
    stage.ok(stage.engine.remove_container("one", Force::No));
    assert_eq!(stage.record_files(), Vec::<String>::new());
    assert_eq!(stage.traces(), Vec::<String>::new());
}

#[test]
fn a_whole_life_leaves_no_file_of_a_record_or_lock() {
    for profile in [Profile::core_tp3(), Profile::server_2022()] {
        let stage = Stage::new(profile);
        stage.create("base", "one");
        stage.ok(stage.engine.start("one"));
        stage.ok(stage.engine.stop("one", 10_000_000));
        assert_eq!(stage.record_files().len(), 1);
        stage.ok(stage.engine.remove_container("one", Force::No));
        assert_eq!(stage.record_files(), Vec::<String>::new());
    }
}

/// A flush of a creation fails, and so does a removal while it is taken back: what is listed can be started all the same.
#[test]
fn a_creation_that_fails_twice_leaves_no_container_that_cannot_be_started() {
    let records = HostPath::parse(r"C:\ProgramData\wcow\records\containers").unwrap();
    let mut listed = 0;
    for profile in [Profile::core_tp3(), Profile::server_2022()] {
        for (flush, removal) in (0..8).flat_map(|flush| (0..3).map(move |removal| (flush, removal)))
        {
            let stage = Stage::new(profile.clone());
            let below = |operation, after| FaultRule {
                when: When::Below {
                    operation,
                    path: records.clone(),
                    after,
                    times: 1,
                },
                what: What::Refused,
            };
            stage.sim.set_faults(FaultPlan {
                rules: vec![
                    below(Operation::FlushFile, flush),
                    below(Operation::DeleteFile, removal),
                ],
                budget: 2,
            });
            let _ = stage
                .sim
                .run(stage.engine.create_container(wanted("base", "one")));
            stage.sim.set_faults(FaultPlan::none());
            for one in stage.ok(stage.engine.containers()) {
                if one.status != ContainerStatus::Unfinished {
                    listed += 1;
                    stage.ok(stage.engine.start("one"));
                }
            }
            // What was cut off counts as in flight for a minute.
            stage.sim.advance(2 * 60 * 10_000_000);
            for one in stage.ok(stage.engine.containers()) {
                stage.ok(stage.engine.remove_container(&one.name, Force::Yes));
            }
            assert_eq!(
                stage.traces(),
                Vec::<String>::new(),
                "flush {flush}, removal {removal}"
            );
        }
    }
    assert!(listed > 0);
}
