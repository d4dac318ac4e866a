//! A host that refuses a step: what was done before is undone, and the error says what and why.

use std::error::Error;

use wcow_host::{FileSystem, Host, LayerStorage, NetworkService};
use wcow_ntmeta::Guid;
use wcow_runtime::{Attachment, ContainerSpec, Created, RuntimeError};
use wcow_sim::Profile;

use crate::support::*;

/// Creates a container on a host that refuses; nothing changes.
#[track_caller]
fn check_create(
    stage: &Stage,
    change: impl FnOnce(&mut ContainerSpec),
    expected: &str,
) -> RuntimeError {
    let before = stage.traces();
    let mut spec = stage.spec(None);
    change(&mut spec);
    let error = stage.try_create(spec).expect_err("the host refuses");
    assert_eq!(code(&error), expected, "{error:?}");
    assert_eq!(stage.traces(), before, "{error}");
    check_text(&error, "could not be created");
    error
}

/// Starts a container on a host that refuses; nothing changes, and the container can still be removed.
#[track_caller]
fn check_start(stage: &Stage, created: &Created, expected: &str) -> RuntimeError {
    let before = stage.traces();
    let error = stage.try_start(created).expect_err("the host refuses");
    assert_eq!(code(&error), expected, "{error:?}");
    assert_eq!(stage.traces(), before, "{error}");
    check_text(&error, "could not be started");
    error
}

#[track_caller]
fn check_text(error: &RuntimeError, doing: &str) {
    let RuntimeError::Host { left_behind, .. } = error else {
        panic!("the host refuses: {error:?}");
    };
    assert!(left_behind.is_empty(), "{left_behind:?}");
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("container {ID} {doing}")),
        "{text}"
    );
    let cause = error.source().expect("the host's answer").to_string();
    assert!(!text.contains(&cause), "the cause is not repeated: {text}");
    assert!(cause.contains(" failed: "), "{cause}");
}

#[track_caller]
fn check_removable(stage: &Stage, created: &Created) {
    stage.run(stage.runtime().remove(created)).unwrap();
    assert_eq!(stage.traces(), nothing());
}

#[test]
fn a_parent_layer_that_is_not_there() {
    for profile in profiles() {
        let stage = Stage::new(profile);
        let error = check_create(
            &stage,
            |spec| spec.layers[0].path = stage.image.path.join("nowhere"),
            "0x80070003",
        );
        assert!(
            error.host_error().unwrap().object.contains(ID),
            "the object is named: {error:?}"
        );
        // It goes away between create and start.
        let created = stage.create(None);
        let layers = stage.host.layers();
        stage.run(layers.destroy(&stage.image.path)).unwrap();
        check_start(&stage, &created, "0x80070003");
        check_removable(&stage, &created);
    }
}

#[test]
fn a_scratch_layer_of_that_id_is_left_alone() {
    for profile in profiles() {
        let stage = Stage::new(profile);
        let created = stage.create(None);
        let running = stage.start(&created);
        check_create(&stage, |_| {}, "0x800700B7");
        stage.run(stage.runtime().kill(&created, &running)).unwrap();
        check_removable(&stage, &created);
    }
}

#[test]
fn a_host_without_containers_or_before_its_restart() {
    let mut absent = Profile::server_2022();
    for feature in &mut absent.features {
        feature.state = wcow_host::FeatureState::Disabled;
    }
    let mut early = Profile::nano_tp3();
    early.edition = "ServerDatacenter".into();
    for (profile, expected) in [(early, "0x8000FFFF"), (absent, "0x8007007E")] {
        // Such a host takes no image either: the specification comes from another.
        let other = Stage::new(Profile::server_2022());
        let sim = wcow_sim::Sim::new(profile, 0);
        let stage = Stage {
            host: sim.client(),
            sim,
            ..other
        };
        check_create(&stage, |_| {}, expected);
    }
}

#[test]
fn a_switch_that_is_not_there() {
    let stage = Stage::new(Profile::core_tp3());
    check_create(
        &stage,
        |spec| spec.attachment = on_switch("Nowhere"),
        "0x80070490",
    );
}

#[test]
fn a_full_disk_at_every_size() {
    for profile in profiles() {
        let mut outcomes = [0_usize; 2];
        let mut codes = std::collections::BTreeSet::new();
        // The disks of an image and of a container are large, its other files small.
        let blank = 44_040_192;
        let around = |middle: u64| (0..48).map(move |step| middle + step * 8_192);
        for free in around(blank)
            .chain(around(blank + 4_194_304))
            .chain(around(blank + 2 * 4_194_304))
            .chain(around(2 * blank))
        {
            let profile = Profile {
                free_bytes: free,
                ..profile.clone()
            };
            let (build, edition) = (profile.build, profile.edition.clone());
            let Some(stage) = Stage::try_with_image(profile, build, &edition, true) else {
                continue;
            };
            match stage.try_create(stage.spec(None)) {
                Ok(created) => {
                    outcomes[1] += 1;
                    check_removable(&stage, &created);
                }
                Err(error) => {
                    outcomes[0] += 1;
                    codes.insert(code(&error));
                    check_text(&error, "could not be created");
                    assert_eq!(stage.traces(), nothing(), "{free} bytes: {error:?}");
                }
            }
        }
        assert!(outcomes[0] > 5 && outcomes[1] > 5, "{outcomes:?}");
        assert_eq!(
            codes.into_iter().collect::<Vec<_>>(),
            ["0x80070070"],
            "{}",
            profile.name
        );
    }
}

#[test]
fn a_scratch_layer_that_is_gone_or_in_use() {
    for profile in profiles() {
        let stage = Stage::new(profile.clone());
        let created = stage.create(None);
        let disk = if profile.build == 10514 {
            let scratch = created.scratch.to_string();
            wcow_ntmeta::HostPath::parse(&format!("{scratch}.vhdx")).unwrap()
        } else {
            created.scratch.join("sandbox.vhdx")
        };
        let files = stage.host.files();
        let held = stage.run(files.lock(&disk)).unwrap();
        check_start(&stage, &created, "0x80070020");
        stage.run(files.unlock(held)).unwrap();
        let running = stage.start(&created);
        stage.run(stage.runtime().kill(&created, &running)).unwrap();
        stage
            .run(stage.host.layers().destroy(&created.scratch))
            .unwrap();
        check_start(&stage, &created, "0x80070002");
        check_removable(&stage, &created);
    }
}

#[test]
fn a_network_a_port_that_cannot_be_had() {
    let stage = Stage::new(Profile::server_2022());
    let created = stage.create(published(Guid::from_u128(7)));
    check_start(&stage, &created, "0x803B0001");
    check_removable(&stage, &created);

    let network = stage.hns_network();
    let taken = wcow_hcs_schema::hns::HnsEndpoint {
        virtual_network: network.to_string(),
        policies: vec![
            "8080:80"
                .parse::<wcow_network::PortMapping>()
                .unwrap()
                .nat_policy(),
        ],
        ..Default::default()
    };
    let hns = stage.host.network();
    let taken = stage.run(hns.create_endpoint(&taken)).unwrap();
    let created = stage.create(published(network));
    check_start(&stage, &created, "0x803B0013");
    stage
        .run(hns.delete_endpoint(taken.id.parse().unwrap()))
        .unwrap();
    let running = stage.start(&created);
    stage.run(stage.runtime().kill(&created, &running)).unwrap();
    check_removable(&stage, &created);
}

#[test]
fn an_image_that_does_not_fit() {
    for (profile, build, edition, service, expected, sides) in [
        (
            Profile::core_tp3(),
            10514,
            "ServerTuva",
            true,
            "0x800702C2",
            "the host is ServerDatacenter build 10514, the image is ServerTuva build 10514",
        ),
        (
            Profile::core_tp3(),
            10586,
            "ServerDatacenter",
            true,
            "0x800702C2",
            "the image is ServerDatacenter build 10586",
        ),
        (
            Profile::core_tp3(),
            10514,
            "ServerDatacenter",
            false,
            "0x800705B4",
            "no container service (CExecSvc)",
        ),
        (
            Profile::server_2022(),
            26100,
            "ServerDatacenter",
            true,
            "0xC0370101",
            "the image is ServerDatacenter build 26100",
        ),
        (
            Profile::server_2022(),
            20348,
            "ServerDatacenter",
            false,
            "0xC0370109",
            "no container service (CExecSvc)",
        ),
    ] {
        let hns = profile.build != 10514;
        let stage = Stage::with_image(profile, build, edition, service);
        let attachment = hns.then(|| published(stage.hns_network()).unwrap());
        let created = stage.create(attachment);
        let error = check_start(&stage, &created, expected);
        assert!(error.to_string().contains(sides), "{error}");
        check_removable(&stage, &created);
    }
}

#[test]
fn a_second_start_leaves_the_first_running() {
    for (profile, expected) in [
        (Profile::core_tp3(), "0xC0370105"),
        (Profile::server_2022(), "0x80070020"),
    ] {
        let stage = Stage::new(profile);
        let created = stage.create(None);
        let running = stage.start(&created);
        let error = stage.try_start(&created).expect_err("it runs");
        assert!(
            [expected, "0xC037010F"].contains(&code(&error).as_str()),
            "{error:?}"
        );
        let runtime = stage.runtime();
        assert_eq!(
            stage.run(runtime.state(&created.spec.id)).unwrap(),
            wcow_runtime::ContainerState::Running
        );
        stage.run(runtime.stop(&created, &running, SECOND)).unwrap();
        check_removable(&stage, &created);
    }
}

#[test]
fn removing_a_running_container_is_refused_and_names_what_stays() {
    for profile in profiles() {
        let stage = Stage::new(profile);
        let created = stage.create(None);
        let running = stage.start(&created);
        let before = stage.traces();
        let runtime = stage.runtime();
        let error = stage.run(runtime.remove(&created)).expect_err("it runs");
        assert_eq!(stage.traces(), before);
        let text = error.to_string();
        let scratch = format!("scratch layer {}", created.scratch);
        assert!(
            text.contains("could not be removed (left behind: "),
            "{text}"
        );
        assert!(text.contains(&scratch), "{text}");
        stage.run(runtime.kill(&created, &running)).unwrap();
        check_removable(&stage, &created);
    }
}

#[test]
fn an_attachment_of_the_other_generation_never_reaches_the_host() {
    let hns = Some(Attachment::Hns {
        network: Guid::from_u128(7),
        ports: Vec::new(),
    });
    let without_nat = Some(Attachment::Switch {
        switch: "Virtual Switch".to_owned(),
        nat: None,
        ports: vec!["8080:80".parse().unwrap()],
    });
    for (profile, attachment, says) in [
        (Profile::core_tp3(), hns, "has no Host Network Service"),
        (
            Profile::server_2022(),
            on_switch("Virtual Switch"),
            "through the Host Network Service",
        ),
        (
            Profile::core_tp3(),
            without_nat,
            "there is none behind switch",
        ),
    ] {
        let stage = Stage::new(profile);
        let runtime = stage.runtime();
        let planned = stage
            .run(runtime.plan_create(stage.spec(attachment)))
            .unwrap();
        stage.sim.start_trace();
        let error = stage.run(runtime.create(planned)).expect_err("unsupported");
        assert!(
            matches!(error, RuntimeError::Unsupported { .. }) && error.to_string().contains(says),
            "{error}"
        );
        assert!(error.host_error().is_none());
        assert!(stage.sim.take_trace().is_empty(), "no call was made");
    }
}
