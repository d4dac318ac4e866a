//! The doctor: what is wrong with a host is found by the check that is there for it, and a healthy host has no failure.

use std::collections::BTreeSet;

use wcow_engine::doctor::{self, Fix, Fixed, Outcome, checks};
use wcow_engine::{Engine, Force};
use wcow_host::codes::win32;
use wcow_host::failures::{self, CATALOGUE, Cause};
use wcow_host::{
    FeatureState, Host, Identity, Interface, NetworkService, Operation, ServiceSetup, ServiceState,
    StartMode, SwitchType, era,
};
use wcow_network::Driver;
use wcow_sim::{FaultPlan, FaultRule, Profile, What, When};

use crate::conditions::{
    CONDITIONS, CONTAINERS_KEY, NOT_SHOWN, altered, diagnose, event, firewall_off, forgotten,
    network, orphan_endpoint, path, refusing, report, running, server, service, setup, showing,
    stale_nat, value, write,
};
use crate::support::{Stage, wanted};

#[test]
fn what_is_wrong_is_found_by_the_check_that_is_there_for_it() {
    for (failure, check, build) in CONDITIONS {
        let stage = build();
        let report = report(&stage, check);
        let found = report.causes.iter().any(|cause| cause.0 == *failure);
        assert!(found, "{failure} is not found: {report:#?}");
        let says = report.outcome <= Outcome::Warning || *failure == "hns-missing";
        assert!(says, "{failure}: {report:#?}");
        assert!(
            *failure == "hns-missing" || !report.way_out.is_empty(),
            "{report:#?}"
        );
    }
}

#[test]
fn every_failure_with_a_lasting_cause_is_found_by_a_check() {
    let found: BTreeSet<&str> = CONDITIONS.iter().map(|(failure, ..)| *failure).collect();
    let mut missing = Vec::new();
    for failure in CATALOGUE {
        let id = failure.id.0;
        if failure.cause == Cause::Lasting && found.contains(id) == NOT_SHOWN.contains(&id) {
            missing.push(id);
        }
    }
    assert_eq!(missing, [""; 0], "expected each in one of the two lists");
}

#[test]
fn checks_promise_what_is_in_the_catalogue_and_find_nothing_else() {
    let mut ids = BTreeSet::new();
    for check in checks() {
        assert!(ids.insert(check.id), "{} is there twice", check.id);
        let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(check.id.chars().all(kebab), "{}", check.id);
        for id in check.finds {
            assert!(failures::get(id).is_some(), "{}: {id}", check.id);
        }
    }
    for (_, _, build) in CONDITIONS {
        for report in diagnose(&build()) {
            let finds = doctor::check(report.id).expect("it is there").finds;
            for cause in &report.causes {
                assert!(finds.contains(&cause.0), "{}: {cause}", report.id);
            }
        }
    }
}

/// A host of a profile with all that containers need, an image, where it can be a network, and a container that runs.
fn ready(profile: Profile) -> Stage {
    let stage = Stage::bare(profile);
    let nano = stage.sim.profile().class == wcow_host::EditionClass::Nano;
    if nano {
        for package in ["Guest", "Compute", "Containers"] {
            stage.ok(stage.engine.enable(package));
        }
    }
    stage.ok(stage.engine.reboot());
    let stage = stage.with_base();
    let mut container = wanted("base", "web");
    // Nano Server of the first previews has no NAT.
    if !nano || era::has_hns(stage.sim.profile().build) {
        stage.ok(stage.engine.create_network(&network(Driver::Nat)));
        container.network = Some("net".to_owned());
        container.publish = vec!["8080:80".parse().expect("a mapping")];
    }
    stage.ok(stage.engine.create_container(container));
    stage.ok(stage.engine.start("web"));
    stage
}

#[test]
fn a_healthy_host_of_every_profile_has_no_failure() {
    for profile in Profile::all() {
        let stage = ready(profile);
        let name = stage.sim.profile().name;
        let before = stage.traces();
        for report in diagnose(&stage) {
            let bad = match report.outcome {
                Outcome::Failure => true,
                // What a technical preview lacks stays lacking.
                // The tests' image has revision 0, which Windows Server 2016 minds.
                Outcome::Warning if report.id == "image-fits-host" => {
                    !era::revision_matters(stage.sim.profile().build)
                }
                Outcome::Warning => stage.sim.profile().build >= 14393,
                Outcome::CannotTell => report.id != "mac-spoofing",
                Outcome::Ok | Outcome::NotApplicable => false,
            };
            assert!(!bad, "{name}: {report:#?}");
        }
        assert_eq!(stage.traces(), before, "looking changes nothing");
    }
}

#[test]
fn settings_of_the_script_are_checked() {
    type Row = (&'static str, fn() -> Stage);
    let rows: [Row; 11] = [
        ("windows-build", || altered(|profile| profile.build = 10074)),
        ("update-level", || {
            altered(|profile| (profile.build, profile.revision) = (14393, 350))
        }),
        ("broken-builds", || altered(|profile| profile.build = 14931)),
        ("vsmb-oplocks", || {
            showing(|evidence| {
                evidence
                    .registry
                    .push(value(CONTAINERS_KEY, "VSmbDisableOplocks", 1))
            })
        }),
        ("template-overrides", || {
            showing(|evidence| {
                evidence
                    .registry
                    .push(value(CONTAINERS_KEY, "zzTemplate", 0))
            })
        }),
        ("bitlocker-policy", || {
            showing(|evidence| {
                evidence.registry.push(value(
                    r"SYSTEM\CurrentControlSet\Policies\Microsoft\FVE",
                    "FDVDenyWriteAccess",
                    1,
                ))
            })
        }),
        ("file-system", || {
            showing(|evidence| evidence.file_system = "ReFS".to_owned())
        }),
        ("nat-switch", || {
            showing(|evidence| {
                evidence.interfaces.push(Interface {
                    name: "vEthernet (net)".to_owned(),
                    address: None,
                    switch: Some(SwitchType::Private),
                })
            })
        }),
        ("nat-translation", || {
            showing(|evidence| {
                evidence
                    .untranslated
                    .push("172.20.0.0/16".parse().expect("a prefix"))
            })
        }),
        ("nat-gateway", || {
            showing(|evidence| {
                evidence
                    .missing_interfaces
                    .push("vEthernet (net)".to_owned())
            })
        }),
        ("records", || {
            let stage = server();
            write(
                &stage,
                r"C:\ProgramData\wcow\records\containers\x.json",
                b"{",
            );
            stage
        }),
    ];
    for (check, build) in rows {
        let report = report(&build(), check);
        assert_eq!(report.outcome, Outcome::Failure, "{report:#?}");
        assert!(
            !report.evidence.is_empty() && !report.way_out.is_empty(),
            "{report:#?}"
        );
    }
    let warns: [Row; 3] = [
        ("any-network", || Stage::bare(Profile::server_2022())),
        ("base-image", || Stage::bare(Profile::server_2022())),
        ("recent-events", || {
            showing(|evidence| {
                evidence.events.push(event(
                    "Hyper-V-Compute",
                    11000,
                    "The container could not be started.",
                ))
            })
        }),
    ];
    for (check, build) in warns {
        assert_eq!(report(&build(), check).outcome, Outcome::Warning, "{check}");
    }
}

#[test]
fn what_docker_has_is_told_and_is_no_trouble() {
    let stage = showing(|evidence| {
        evidence.services.push(ServiceSetup {
            state: ServiceState::Running,
            ..setup("docker", StartMode::Automatic)
        });
        evidence
            .programs
            .push(path(r"C:\Program Files\Docker\docker.exe"));
    });
    for (check, says) in [
        ("docker-service", "docker runs"),
        ("docker-program", r"Docker\docker.exe"),
        ("event-source", "not registered"),
    ] {
        let report = report(&stage, check);
        assert_eq!(report.outcome, Outcome::Ok);
        assert!(
            report.evidence.iter().any(|line| line.contains(says)),
            "{report:#?}"
        );
    }
}

#[test]
fn what_a_host_would_not_say_cannot_be_told_and_the_rest_goes_on() {
    let stage = refusing(Operation::Listeners, win32::ACCESS_DENIED);
    let reports = diagnose(&stage);
    let of = |id: &str| {
        reports
            .iter()
            .find(|report| report.id == id)
            .expect("it is there")
    };
    assert_eq!(of("port-listeners").outcome, Outcome::CannotTell);
    assert_eq!(
        of("port-listeners").reason.as_deref(),
        Some("GetExtendedTcpTable failed: 0x80070005 ERROR_ACCESS_DENIED")
    );
    assert_eq!(of("port-ranges").outcome, Outcome::Ok);
    // A host of which nothing is known is an error of the whole.
    let stage = server();
    stage.sim.set_faults(FaultPlan {
        rules: Operation::ALL
            .iter()
            .map(|&operation| FaultRule {
                when: When::Chance {
                    operation: Some(operation),
                    numerator: 1,
                    denominator: 1,
                },
                what: What::Refused,
            })
            .collect(),
        budget: 1000,
    });
    for report in diagnose(&stage) {
        let told = matches!(
            report.outcome,
            Outcome::Ok | Outcome::CannotTell | Outcome::NotApplicable
        );
        assert!(told || report.id == "windows-build", "{report:#?}");
    }
}

/// Does everything that the doctor proposes on a host; the check that proposed it has nothing to say then.
#[track_caller]
fn fixes(stage: &Stage, check: &str, expected: &[&str]) {
    let before = report(stage, check);
    let actions: Vec<&str> = before.fixes.iter().map(Fix::action).collect();
    assert_eq!(actions, expected, "{before:#?}");
    for fix in &before.fixes {
        let fixed = stage.ok(stage.engine.fix(fix));
        assert_eq!(fixed == Fixed::AfterReboot, fix.needs_reboot(), "{fix}");
        if fixed == Fixed::AfterReboot {
            stage.ok(stage.engine.reboot());
        }
    }
    let after = report(stage, check);
    assert!(after.outcome >= Outcome::CannotTell, "{after:#?}");
    assert_eq!(after.fixes, []);
}

#[test]
fn what_is_proposed_sets_it_right() {
    let stage = altered(|profile| profile.features[0].state = FeatureState::Disabled);
    fixes(&stage, "containers-feature", &["enable-feature"]);
    let stage = Stage::bare(Profile::nano_tp3_bare());
    fixes(&stage, "containers-feature", &["enable-feature"]);
    for (name, check) in [
        ("vmcompute", "compute-service"),
        ("hns", "network-service"),
        ("vmms", "management-service"),
    ] {
        let stage = altered(|profile| profile.services.push(service(name, ServiceState::Stopped)));
        fixes(&stage, check, &["start-service"]);
    }
    fixes(&firewall_off(), "firewall-service", &["start-service"]);
    fixes(&stale_nat(), "nat-objects", &["remove-nat"]);
    fixes(
        &orphan_endpoint(None),
        "orphan-endpoints",
        &["remove-endpoint"],
    );
    let stage = server();
    write(&stage, r"C:\Windows\SystemTemp\hcs1\x", b"");
    write(&stage, r"C:\Users\Ann\AppData\Local\Temp\hcs2\x", b"");
    write(&stage, r"C:\Users\Ann\AppData\Local\Temp\kept\x", b"");
    fixes(
        &stage,
        "temp-folders",
        &["remove-temp-folder", "remove-temp-folder"],
    );
    let stage = server();
    write(
        &stage,
        r"C:\ProgramData\Microsoft\Windows\Images\.staging\1\x",
        b"",
    );
    fixes(&stage, "image-store", &["clean-image-store"]);
}

#[test]
fn what_a_lost_record_was_about_is_taken_away_step_by_step() {
    let stage = forgotten();
    fixes(&stage, "orphan-systems", &["end-system"]);
    fixes(&stage, "attached-scratches", &["detach-scratch"]);
    fixes(&stage, "orphan-endpoints", &["remove-endpoint"]);
    fixes(&stage, "orphan-scratches", &["destroy-scratch"]);
    assert_eq!(
        stage.traces(),
        [r"C:\ProgramData\wcow\records\networks\net.json"]
    );
}

#[test]
fn a_fix_whose_reason_is_gone_does_nothing() {
    let stage = running();
    let scratch = path(&stage.ok(stage.engine.container("web")).scratch);
    let fixed = stage.ok(stage.engine.fix(&Fix::DestroyScratch(scratch)));
    assert_eq!(fixed, Fixed::NotNeeded);
    let endpoint = stage
        .sim
        .run(stage.engine.host().network().endpoints())
        .expect("not stuck")
        .expect("listed")
        .pop()
        .expect("one");
    let fixed = stage.ok(stage
        .engine
        .fix(&Fix::RemoveEndpoint(endpoint.id.parse().expect("a GUID"))));
    assert_eq!(fixed, Fixed::NotNeeded);
    stage.ok(stage.engine.remove_container("web", Force::Yes));
}

#[test]
fn a_record_that_cannot_be_read_keeps_everything_that_it_may_be_about() {
    let stage = forgotten();
    write(
        &stage,
        r"C:\ProgramData\wcow\records\containers\x.json",
        b"{",
    );
    for check in ["orphan-systems", "orphan-endpoints", "orphan-scratches"] {
        assert_eq!(report(&stage, check).fixes, [], "{check}");
    }
}

/// A host on which the client that creates a container is killed after so many calls.
fn cut_off(calls: u64) -> Stage {
    let stage = server();
    let client = stage.sim.client();
    let engine = Engine::new(client.clone());
    let create = engine.create_container(wanted("base", "half"));
    let ended = stage.sim.run_killed_after(&client, calls, create);
    drop(ended.expect("not stuck"));
    stage
}

#[test]
fn a_command_that_was_cut_off_is_taken_back() {
    let half_made = |stage: &Stage| report(stage, "unfinished").outcome == Outcome::Warning;
    let stage = (1..60)
        .map(cut_off)
        .find(half_made)
        .expect("one of them leaves it half made");
    // Nobody takes it back before a minute has passed.
    stage.sim.advance(120 * 10_000_000);
    fixes(&stage, "unfinished", &["take-back-unfinished"]);
    assert_eq!(stage.traces(), [""; 0]);
}

#[test]
fn a_diagnosis_asks_each_container_a_few_times_only() {
    let calls = |containers: usize| {
        let stage = server();
        for number in 0..containers {
            stage.create("base", &format!("c{number}"));
        }
        let before = stage.sim.calls();
        diagnose(&stage);
        stage.sim.calls() - before
    };
    let (few, many) = (calls(2), calls(12));
    assert_eq!(many - few, 20, "its record, and its scratch disk");
    assert!(few < 80, "{few} calls");
}

#[test]
fn who_may_not_enable_anything_changes_nothing() {
    for (profile, name) in [
        (Profile::nano_tp3_bare(), "Guest"),
        (Profile::server_2022(), "Hyper-V"),
    ] {
        for identity in [Identity::HyperVAdministrator, Identity::PlainUser] {
            let stage = Stage::bare(profile.clone());
            let before = stage.ok(stage.engine.packages());
            let user = Engine::new(stage.sim.client_as(identity));
            let error = stage.err(user.enable(name));
            let answer = error.host_error().and_then(|error| error.hresult());
            assert_eq!(answer.unwrap().to_string(), "0x800702E4", "{error}");
            assert_eq!(stage.ok(stage.engine.packages()), before);
        }
    }
}
