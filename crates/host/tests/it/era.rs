//! The rules, against the vectors of the facts.

use std::collections::BTreeSet;

use proptest::prelude::*;
use wcow_host::codes::{self, v1, win32};
use wcow_host::era::{self, Generation, NatPrefixes, RULES, StableAbiRule, Stage, Verdict};
use wcow_host::{EditionClass, FeatureState, HostInfo, Package, SwitchType, failures};
use wcow_ntmeta::Hresult;

use crate::support::{core, features, host, image, nano_tp3, packages};

#[test]
fn builds_belong_to_generations() {
    for (build, expected) in [
        (10074, Generation::TechnicalPreview3),
        (10514, Generation::TechnicalPreview3),
        (10586, Generation::TechnicalPreview4),
        (14300, Generation::TechnicalPreview5),
        (14393, Generation::Server2016),
        (15063, Generation::Sac2017),
        (17134, Generation::Sac2017),
        (17763, Generation::Server2019),
        (19045, Generation::Server2019),
        (20348, Generation::Server2022),
        (25398, Generation::Server2022),
        (26100, Generation::Server2025),
        (u32::MAX, Generation::Server2025),
    ] {
        assert_eq!(era::generation(build), expected, "{build}");
    }
    assert!(era::containers_persist(10586) && !era::containers_persist(14300));
    assert!(era::has_hns(14300) && !era::has_hns(14299));
    assert!(era::has_nat_switch(10514) && era::has_nat_switch(10586));
    assert!(!era::has_nat_switch(10074) && !era::has_nat_switch(14300));
    assert!(era::revision_matters(14393) && !era::revision_matters(17763));
}

#[test]
fn boundary_vectors_of_the_version_rule() {
    // Host, image, allowed by hcsshim, allowed by containerd.
    for (of_host, of_image, hcsshim, containerd) in [
        (14393, 14393, true, true),
        (17763, 17763, true, true),
        (17763, 17134, false, false),
        (19041, 17763, false, false),
        (20348, 17763, false, false),
        (20348, 20348, true, true),
        (20348, 20349, false, false),
        (22000, 20348, true, true),
        (22000, 22000, true, true),
        (22000, 20347, false, false),
        (22621, 22000, true, true),
        (25398, 20348, true, true),
        (26100, 20348, true, true),
        (26100, 25398, true, true),
        (26100, 26100, true, true),
        (26200, 26100, true, true),
        (26200, 26200, true, true),
        (26200, 20348, false, true),
        (26200, 25398, false, true),
        (26200, 26201, false, false),
    ] {
        let vector = format!("image {of_image} on host {of_host}");
        assert_eq!(
            era::build_allowed(of_host, of_image, StableAbiRule::Hcsshim),
            hcsshim,
            "{vector}"
        );
        assert_eq!(
            era::build_allowed(of_host, of_image, StableAbiRule::Containerd),
            containerd,
            "{vector}"
        );
        let verdict = era::start_verdict(&core(of_host), &image(of_image, "ServerDatacenter"));
        assert_eq!(verdict == Verdict::Runs, hcsshim, "{vector}");
    }
    assert_eq!(StableAbiRule::default(), StableAbiRule::Hcsshim);
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
fn verdicts_on_images() {
    let nano = nano_tp3();
    let mismatch = win32::IMAGE_MACHINE_TYPE_MISMATCH;
    check_refused(
        era::start_verdict(&nano, &image(10514, "ServerDatacenter")),
        Stage::Start,
        mismatch,
        "machine-type-mismatch",
    );
    check_refused(
        era::start_verdict(&nano, &image(10586, "ServerTuva")),
        Stage::Start,
        mismatch,
        "machine-type-mismatch",
    );
    let mut bare = image(10514, "ServerTuva");
    assert_eq!(era::start_verdict(&nano, &bare), Verdict::Runs);
    bare.container_service = false;
    check_refused(
        era::start_verdict(&nano, &bare),
        Stage::Start,
        win32::TIMEOUT,
        "container-service-missing",
    );
    assert_eq!(
        era::start_verdict(&core(10514), &image(10514, "ServerDatacenter")),
        Verdict::Runs
    );

    let new = core(20348);
    check_refused(
        era::start_verdict(&new, &image(17763, "ServerDatacenter")),
        Stage::Create,
        v1::IMAGE_MISMATCH,
        "image-mismatch",
    );
    check_refused(
        era::start_verdict(&new, &image(20349, "ServerDatacenter")),
        Stage::Create,
        v1::IMAGE_MISMATCH,
        "image-mismatch",
    );
    let mut bare = image(20348, "ServerDatacenterNano");
    assert_eq!(era::start_verdict(&new, &bare), Verdict::Runs);
    bare.container_service = false;
    check_refused(
        era::start_verdict(&new, &bare),
        Stage::Start,
        v1::CONNECTION_TIMEOUT,
        "container-service-missing",
    );
}

proptest! {
    /// containerd's reading is never stricter than hcsshim's, both always take the host's own build and never a newer one.
    #[test]
    fn both_readings_agree_on_what_is_certain(of_host in 14393_u32..30000, of_image in 10000_u32..30000) {
        let hcsshim = era::build_allowed(of_host, of_image, StableAbiRule::Hcsshim);
        let containerd = era::build_allowed(of_host, of_image, StableAbiRule::Containerd);
        prop_assert!(containerd || !hcsshim);
        prop_assert!(era::build_allowed(of_host, of_host, StableAbiRule::Hcsshim));
        prop_assert!(of_image <= of_host || !containerd);
        prop_assert!(of_host >= 20348 || hcsshim == (of_image == of_host));
    }
}

#[test]
fn a_restart_is_needed() {
    let pending = [Package {
        name: "Containers".to_owned(),
        reboot_pending: true,
    }];
    let early = era::reboot_needed(&nano_tp3(), &pending, &[]);
    check_refused(
        early,
        Stage::Create,
        codes::UNEXPECTED,
        "container-before-reboot",
    );
    assert_eq!(
        era::reboot_needed(&nano_tp3(), &packages(&["Containers"]), &[]),
        Verdict::Runs
    );
    assert_eq!(
        era::reboot_needed(&nano_tp3(), &[], &[]),
        Verdict::Runs,
        "the cmdlet is what is missing"
    );
    let other = [
        Package {
            name: "Compute".to_owned(),
            reboot_pending: true,
        },
        packages(&["Containers"])[0].clone(),
    ];
    assert_eq!(era::reboot_needed(&nano_tp3(), &other, &[]), Verdict::Runs);

    let with = |state| features(&["Containers"], state);
    check_refused(
        era::reboot_needed(&core(10514), &[], &with(FeatureState::EnablePending)),
        Stage::Create,
        codes::UNEXPECTED,
        "container-before-reboot",
    );
    for state in [FeatureState::EnablePending, FeatureState::Disabled] {
        let verdict = era::reboot_needed(&core(20348), &[], &with(state));
        check_refused(
            verdict,
            Stage::Create,
            win32::MOD_NOT_FOUND,
            "compute-service-missing",
        );
    }
    for state in [FeatureState::Enabled, FeatureState::DisablePending] {
        assert_eq!(
            era::reboot_needed(&core(20348), &[], &with(state)),
            Verdict::Runs
        );
    }
}

#[test]
fn modules_come_with_packages_and_features() {
    let of = |host: &HostInfo, packages: &[&str], state| {
        let features = features(&["Containers", "Hyper-V"], state);
        era::modules(
            host.class,
            host.build,
            &crate::support::packages(packages),
            &features,
        )
    };
    let has = |modules: &[&str], name: &str| modules.contains(&name);

    let bare = of(&nano_tp3(), &[], FeatureState::Disabled);
    assert!(has(&bare, "NetAdapter") && has(&bare, "Dism"));
    for missing in ["NetNat", "Hyper-V", "Containers", "Storage", "SmbShare"] {
        assert!(!has(&bare, missing), "{missing}");
    }
    let full = of(
        &nano_tp3(),
        &["Guest", "Compute", "OEM-Drivers", "Containers", "Storage"],
        FeatureState::Disabled,
    );
    assert!(
        has(&full, "Hyper-V")
            && has(&full, "Containers")
            && has(&full, "Storage")
            && !has(&full, "NetNat")
    );
    assert!(full.is_sorted());

    let tp4 = host(10586, EditionClass::Nano, "ServerTuva");
    assert!(has(&of(&tp4, &[], FeatureState::Disabled), "NetNat"));
    let core_tp3 = of(&core(10514), &[], FeatureState::Enabled);
    assert!(has(&core_tp3, "NetNat") && has(&core_tp3, "Hyper-V") && has(&core_tp3, "Containers"));
    let later = of(&core(20348), &[], FeatureState::Enabled);
    assert!(has(&later, "NetNat") && has(&later, "Hyper-V") && !has(&later, "Containers"));
    assert!(!has(
        &of(&core(20348), &[], FeatureState::Disabled),
        "Hyper-V"
    ));
}

#[test]
fn cmdlets_need_their_module() {
    let nano = era::modules(
        EditionClass::Nano,
        10514,
        &packages(&["Compute", "Containers"]),
        &[],
    );
    for there in [
        "New-VMSwitch",
        "new-vmswitch",
        "New-Container",
        "Install-ContainerOSImage",
        "Get-NetAdapter",
        "Restart-Computer",
        "Frobnicate",
    ] {
        assert_eq!(era::cmdlet(&nano, there), Ok(()), "{there}");
    }
    for gone in ["New-NetNat", "Get-NetNat", "Add-NetNatStaticMapping"] {
        let error = era::cmdlet(&nano, gone).unwrap_err();
        assert_eq!(error.id, "CommandNotFoundException");
        assert_eq!(error.target, format!("{gone}:String"));
    }
    let bare = era::modules(EditionClass::Nano, 10514, &[], &[]);
    let error = era::cmdlet(&bare, "New-Container").unwrap_err();
    assert_eq!(
        error.message,
        "The term 'New-Container' is not recognized as the name of a cmdlet, function, script file, or operable program. Check the spelling of the name, or if a path was included, verify that the path is correct and try again."
    );
}

#[test]
fn switches_by_type_and_generation() {
    let modules = vec!["Hyper-V".to_owned()];
    let switch =
        |host: &HostInfo, kind| era::new_switch(host, &modules, kind).map_err(|error| error.id);
    let no_element = "InvalidOperation,Microsoft.HyperV.PowerShell.Commands.NewVMSwitch";
    let no_parameter = "NamedParameterNotFound,Microsoft.HyperV.PowerShell.Commands.NewVMSwitch";
    let others = [
        SwitchType::External,
        SwitchType::Internal,
        SwitchType::Private,
    ];
    for kind in others {
        assert_eq!(
            switch(&nano_tp3(), kind),
            Err(no_element.to_owned()),
            "{kind:?}"
        );
        assert_eq!(switch(&core(10514), kind), Ok(()));
        assert_eq!(
            switch(&host(10586, EditionClass::Nano, "ServerTuva"), kind),
            Ok(())
        );
        assert_eq!(switch(&core(20348), kind), Ok(()));
    }
    assert_eq!(switch(&nano_tp3(), SwitchType::Nat), Ok(()));
    assert_eq!(switch(&core(10586), SwitchType::Nat), Ok(()));
    assert_eq!(
        switch(&core(14300), SwitchType::Nat),
        Err(no_parameter.to_owned())
    );
    let error = era::new_switch(&core(10514), &[""; 0], SwitchType::Nat).unwrap_err();
    assert_eq!(error.id, "CommandNotFoundException");
}

#[test]
fn nat_objects_and_nat_networks() {
    let net = |text: &str| text.parse::<ipnet::Ipv4Net>().unwrap();
    let modules = vec!["NetNat".to_owned()];
    let nat = |build, existing: &[ipnet::Ipv4Net], wanted| {
        era::new_nat(&core(build), &modules, existing, net(wanted)).map_err(|error| error.id)
    };
    let refused = Err("Windows System Error 87,New-NetNat".to_owned());
    let there = [net("172.16.0.0/12")];
    assert_eq!(nat(10514, &[], "172.16.0.0/12"), Ok(()));
    assert_eq!(nat(10514, &there, "10.0.0.0/8"), refused);
    assert_eq!(nat(20348, &there, "10.0.0.0/8"), refused);
    assert_eq!(nat(22621, &there, "10.0.0.0/8"), Ok(()));
    assert_eq!(nat(22621, &there, "172.20.0.0/16"), refused);
    assert_eq!(nat(26100, &there, "0.0.0.0/0"), refused);
    assert_eq!(era::nat_prefixes(20348), NatPrefixes::One);
    assert_eq!(era::nat_prefixes(22621), NatPrefixes::Many);

    let hns = |build, existing: &[ipnet::Ipv4Net], wanted| {
        era::hns_create_network(&core(build), existing, net(wanted))
    };
    assert_eq!(hns(10586, &[], "10.0.0.0/8"), Err(win32::PROC_NOT_FOUND));
    assert_eq!(hns(14393, &[], "10.0.0.0/8"), Ok(()));
    assert_eq!(
        hns(14393, &there, "10.0.0.0/8"),
        Err(win32::INVALID_PARAMETER)
    );
    assert_eq!(
        hns(14393, &there, "172.16.0.0/12"),
        Err(win32::INVALID_PARAMETER)
    );
    assert_eq!(hns(14393, &there, "172.20.0.0/16"), Ok(()));
    let with_network = [there[0], net("172.20.0.0/16")];
    assert_eq!(hns(14393, &with_network, "172.21.0.0/16"), Ok(()));
    assert_eq!(
        hns(14393, &with_network, "172.20.1.0/24"),
        Err(win32::INVALID_PARAMETER)
    );
    assert_eq!(hns(16299, &there, "10.0.0.0/8"), Ok(()));
    assert_eq!(
        hns(20348, &there, "172.20.0.0/16"),
        Err(win32::INVALID_PARAMETER)
    );
}

#[test]
fn folders_and_layer_ids() {
    assert_eq!(
        era::image_root().to_string(),
        r"C:\ProgramData\Microsoft\Windows\Images"
    );
    let id = "b2a2d9d5-6bcf-4d0c-a5c5-bdb79111baa8";
    assert_eq!(
        era::scratch_folder(10514, id).to_string(),
        r"C:\ProgramData\Microsoft\Windows\Hyper-V\containers\B2A2D9D5-6BCF-4D0C-A5C5-BDB79111BAA8"
    );
    assert_eq!(
        era::scratch_folder(20348, id).to_string(),
        format!(r"C:\ProgramData\wcow\containers\{id}")
    );
    let parent = era::scratch_folder(20348, "x").parent();
    for hostile in ["..", ".", "", r"..\..\Windows", "a/b", "a\0b"] {
        assert_eq!(
            era::scratch_folder(20348, hostile).parent(),
            parent,
            "{hostile:?}"
        );
    }

    let layer = era::layer_id("CN=Microsoft_WindowsServerCore_10.0.10514.0");
    assert_eq!(
        layer,
        era::layer_id("CN=Microsoft_WindowsServerCore_10.0.10514.0")
    );
    assert_ne!(
        layer,
        era::layer_id("CN=Microsoft_WindowsServerCore_10.0.10586.0")
    );
    let number = layer.to_u128();
    assert_eq!(
        (number >> 76 & 0xF, number >> 62 & 0x3),
        (5, 2),
        "version and variant of {layer}"
    );
}

#[test]
fn rules_are_well_formed() {
    let ids: BTreeSet<_> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), RULES.len());
    for rule in RULES {
        assert!(
            rule.id
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{}",
            rule.id
        );
        assert!(
            rule.sentence.ends_with('.') && !rule.source.is_empty(),
            "{}",
            rule.id
        );
        assert_eq!(era::rule(rule.id), Some(rule));
    }
    assert_eq!(era::rule("no-such-rule"), None);
}
