//! Which image fits which host: all published readings, Nano Server, Insider builds, Hyper-V isolation.

use proptest::prelude::*;
use wcow_host::codes::{v1, win32};
use wcow_host::era::{self, HyperVFacts, RULES, StableAbiRule, Stage, Verdict};
use wcow_host::{EditionClass, FeatureState, HostInfo, failures};
use wcow_ntmeta::Hresult;

use crate::support::{core, features, host, image, nano_tp3, packages};

fn client(build: u32) -> HostInfo {
    host(build, EditionClass::Client, "Professional")
}

#[track_caller]
fn check_refused(verdict: Verdict, stage: Stage, code: Hresult, failure: &str) {
    let (found, rule) = match verdict {
        Verdict::Refused {
            stage,
            code,
            failure,
            rule,
        } => (Some((stage, code, failure.0)), rule),
        Verdict::Runs => (None, ""),
    };
    assert_eq!(found, Some((stage, code, failure)));
    assert!(failures::get(failure).is_some());
    assert!(RULES.iter().any(|known| known.sentence == rule), "{rule}");
}

#[test]
fn readings_of_the_stable_abi_on_servers_and_clients() {
    // Host, image, as hcsshim, containerd and Microsoft's table have it.
    for (of_host, of_image, expected) in [
        (core(20348), 20348, [true, true, true]),
        (core(20348), 20349, [false, false, false]),
        (core(26100), 20348, [true, true, true]),
        (core(26100), 25398, [true, true, true]),
        (client(22000), 20348, [true, true, false]),
        (client(22000), 22000, [true, true, true]),
        (client(26200), 26100, [true, true, false]),
        (client(26200), 20348, [false, true, false]),
        (client(26200), 26200, [true, true, true]),
        (client(26200), 26201, [false, false, false]),
        (client(19045), 19041, [false, false, false]),
        (core(17763), 17134, [false, false, false]),
    ] {
        let found = [
            StableAbiRule::Hcsshim,
            StableAbiRule::Containerd,
            StableAbiRule::Published,
        ]
        .map(|rule| era::build_fits(&of_host, of_image, rule));
        assert_eq!(found, expected, "image {of_image} on {}", of_host.build);
    }
}

#[test]
fn a_switch_decides_between_the_readings() {
    let fitting = image(20348, "ServerDatacenter");
    let verdict = |rule| era::start_verdict_by(&client(26200), &fitting, rule);
    check_refused(
        verdict(StableAbiRule::Hcsshim),
        Stage::Create,
        v1::IMAGE_MISMATCH,
        "image-mismatch",
    );
    assert_eq!(verdict(StableAbiRule::Containerd), Verdict::Runs);
    check_refused(
        verdict(StableAbiRule::Published),
        Stage::Create,
        v1::IMAGE_MISMATCH,
        "image-mismatch",
    );
    assert_eq!(
        era::start_verdict(&client(26200), &fitting),
        verdict(StableAbiRule::Hcsshim)
    );
}

#[test]
fn nano_server_runs_images_of_nano_server() {
    let nano = host(14393, EditionClass::Nano, "ServerDatacenterNano");
    let verdict = |product| era::start_verdict(&nano, &image(14393, product));
    for product in ["ServerDatacenterNano", "serverstandardnano", "ServerTuva"] {
        assert_eq!(verdict(product), Verdict::Runs, "{product}");
    }
    for product in ["ServerDatacenter", "", "Nano Server", "ñano"] {
        check_refused(
            verdict(product),
            Stage::Create,
            v1::IMAGE_MISMATCH,
            "image-mismatch",
        );
    }
    // Others run both.
    for product in ["ServerDatacenter", "ServerDatacenterNano"] {
        let verdict = era::start_verdict(&core(14393), &image(14393, product));
        assert_eq!(verdict, Verdict::Runs);
    }
    assert!(era::has_os_features(EditionClass::Core, &["win32k"]));
    assert!(!era::has_os_features(EditionClass::Nano, &["win32k"]));
    assert!(era::has_os_features(EditionClass::Nano, &[""; 0]));
    assert!(!era::has_os_features(
        EditionClass::Core,
        &["win32k", "flux"]
    ));
}

#[test]
fn builds_that_were_not_released_are_for_insiders() {
    check_refused(
        era::start_verdict(&core(26100), &image(25900, "ServerDatacenter")),
        Stage::Create,
        v1::WINDOWS_INSIDER_REQUIRED,
        "windows-insider-required",
    );
    // A host that is an Insider build itself is enrolled; a newer image never fits.
    let insider = era::start_verdict(&core(25900), &image(25800, "ServerDatacenter"));
    assert_eq!(insider, Verdict::Runs);
    check_refused(
        era::start_verdict(&core(20348), &image(20400, "ServerDatacenter")),
        Stage::Create,
        v1::IMAGE_MISMATCH,
        "image-mismatch",
    );
    assert_eq!(
        era::release(26100),
        Some("Windows Server 2025, Windows 11 24H2")
    );
    assert_eq!(era::release(26101), None);
    assert!(!era::insider_only(30000, 29000), "nobody knows the future");
}

const GOOD: HyperVFacts = HyperVFacts {
    role: true,
    virtualization: true,
    utility_vm: true,
};

#[test]
fn hyper_v_isolation_by_generation() {
    let verdict = |host: &HostInfo, facts, build| {
        era::hyperv_verdict_on(host, facts, &image(build, "ServerDatacenter"))
    };
    let nano = |build| host(build, EditionClass::Nano, "ServerTuva");
    check_refused(
        verdict(&nano_tp3(), GOOD, 10514),
        Stage::Create,
        win32::NOT_SUPPORTED,
        "hyper-v-not-installed",
    );
    // Server Core as Hyper-V container on Nano Server TP4; an image of TP4 on TP5; Nano Server TP5.
    assert_eq!(verdict(&nano(10586), GOOD, 10586), Verdict::Runs);
    check_refused(
        verdict(&core(14300), GOOD, 10586),
        Stage::Create,
        win32::FILE_NOT_FOUND,
        "utility-vm-missing",
    );
    check_refused(
        verdict(&nano(14300), GOOD, 14300),
        Stage::Start,
        v1::CONNECT_FAILED,
        "utility-vm-unreachable",
    );
    assert_eq!(verdict(&core(14300), GOOD, 14300), Verdict::Runs);
    // Older images run, newer ones do not answer.
    for (of_host, of_image) in [
        (14393, 14393),
        (17763, 14393),
        (20348, 17763),
        (26100, 14393),
        (26200, 20348),
    ] {
        assert_eq!(
            verdict(&core(of_host), GOOD, of_image),
            Verdict::Runs,
            "{of_image} on {of_host}"
        );
    }
    check_refused(
        verdict(&core(17763), GOOD, 20348),
        Stage::Start,
        v1::IMAGE_MISMATCH,
        "image-mismatch",
    );
    // What the host lacks.
    for facts in [
        HyperVFacts {
            role: false,
            ..GOOD
        },
        HyperVFacts {
            virtualization: false,
            ..GOOD
        },
    ] {
        check_refused(
            verdict(&core(20348), facts, 20348),
            Stage::Create,
            v1::HYPERV_NOT_INSTALLED,
            "hyper-v-not-installed",
        );
    }
    check_refused(
        verdict(
            &core(20348),
            HyperVFacts {
                utility_vm: false,
                ..GOOD
            },
            20348,
        ),
        Stage::Create,
        win32::FILE_NOT_FOUND,
        "utility-vm-missing",
    );
    let mut bare = image(20348, "ServerDatacenter");
    bare.container_service = false;
    check_refused(
        era::hyperv_verdict_on(&core(20348), GOOD, &bare),
        Stage::Start,
        v1::CONNECTION_TIMEOUT,
        "container-service-missing",
    );
}

#[test]
fn the_hyper_v_role_is_a_package_or_a_feature() {
    let (nano, core) = (EditionClass::Nano, EditionClass::Core);
    let on = |state| features(&["Hyper-V"], state);
    assert!(era::has_hyper_v(core, &[], &on(FeatureState::Enabled)));
    for state in [FeatureState::EnablePending, FeatureState::Disabled] {
        assert!(!era::has_hyper_v(core, &[], &on(state)));
    }
    assert!(era::has_hyper_v(nano, &packages(&["Compute"]), &[]));
    assert!(!era::has_hyper_v(nano, &[], &on(FeatureState::Enabled)));
}

proptest! {
    /// Where a process-isolated container runs, a Hyper-V isolated one does too; with Hyper-V isolation age alone decides.
    #[test]
    fn hyper_v_isolation_is_the_wider_door(of_host in 14393_u32..30000, of_image in 10000_u32..30000, which in 0..3_usize) {
        let rule = StableAbiRule::ALL[which];
        let facts = image(of_image, "ServerDatacenter");
        let isolated = era::hyperv_verdict_on(&core(of_host), GOOD, &facts) == Verdict::Runs;
        let shared = era::start_verdict_by(&core(of_host), &facts, rule) == Verdict::Runs;
        prop_assert!(isolated || !shared);
        prop_assert_eq!(isolated, of_image <= of_host);
    }

    /// Microsoft's table is never laxer than hcsshim, and on clients wants the same build.
    #[test]
    fn the_published_table_is_the_strictest(of_host in 14393_u32..30000, of_image in 10000_u32..30000) {
        let fits = |host: &HostInfo, rule| era::build_fits(host, of_image, rule);
        for host in [core(of_host), client(of_host)] {
            prop_assert!(fits(&host, StableAbiRule::Hcsshim) || !fits(&host, StableAbiRule::Published));
        }
        prop_assert_eq!(fits(&client(of_host), StableAbiRule::Published), of_host == of_image);
    }
}
