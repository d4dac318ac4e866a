//! Who may do what, and what calls answer while a service does not run.

use wcow_host::codes::{v2, win32};
use wcow_host::{Code, ErrorCategory, Identity, Operation, Privilege, ServiceState, era, failures};
use wcow_ntmeta::Hresult;

use crate::support::core;

/// What a call comes to for somebody, as text: `ok`, an HRESULT, or an id.
fn answer(identity: Identity, build: u32, operation: Operation) -> String {
    match era::access(identity, build, operation) {
        Ok(()) => "ok".to_owned(),
        Err(Code::Hresult(code)) => code.to_string(),
        Err(Code::PowerShell(error)) => error.id,
    }
}

#[test]
fn the_elevation_matrix() {
    use Operation as O;
    // As measured on build 26200, for a member of Hyper-V Administrators whose token is not elevated.
    for (operation, expected) in [
        (O::LayerExists, "ok"),
        (O::CreateScratch, "ok"),
        (O::DeactivateLayer, "ok"),
        (O::DestroyLayer, "ok"),
        (O::CreateEndpoint, "ok"),
        (O::DeleteEndpoint, "ok"),
        (O::ListNetworks, "ok"),
        (O::CreateSystem, "ok"),
        (O::ActivateLayer, "0x80070522"),
        (O::ProcessBase, "0x80070522"),
        (O::PrepareLayer, "0x80070005"),
        (O::ExpandScratch, "0x80070005"),
        (O::ImportLayer, "0x80070522"),
        (O::ExportLayer, "0x80070522"),
        (O::Features, "0x800702E4"),
        (O::StopService, "0x80070005"),
        (O::Reboot, "0x80070005"),
        (O::NewNat, "Windows System Error 5,New-NetNat"),
        (O::HostInfo, "ok"),
        (O::ReadFile, "ok"),
    ] {
        let found = answer(Identity::HyperVAdministrator, 26200, operation);
        assert_eq!(found, expected, "{operation}");
    }
    // Everybody else.
    for (build, operation, expected) in [
        (26200, O::CreateSystem, "0x8037011B"),
        (17763, O::EnumerateSystems, "0x8037011B"),
        (14393, O::EnumerateSystems, "0x80070005"),
        (10514, O::CreateSystem, "0x80070005"),
        (26200, O::CreateScratch, "0x80070005"),
        (26200, O::CreateNetwork, "0x80070005"),
        (26200, O::LayerExists, "ok"),
        (
            20348,
            O::ListSwitches,
            "AccessDenied,Microsoft.HyperV.PowerShell.Commands.GetVMSwitch",
        ),
        (20348, O::ListAdapters, "ok"),
        (20348, O::Identity, "ok"),
    ] {
        let found = answer(Identity::PlainUser, build, operation);
        assert_eq!(found, expected, "{operation} on {build}");
    }
}

#[test]
fn more_power_never_means_less_and_every_refusal_is_explained() {
    for &operation in Operation::ALL {
        for build in [10514, 10586, 14300, 14393, 17763, 20348, 26100, 26200] {
            let answers: Vec<String> = Identity::ALL
                .iter()
                .map(|&who| answer(who, build, operation))
                .collect();
            assert_eq!(answers[0], "ok", "{operation}");
            assert!(
                answers[1] == "ok" || answers[2] != "ok",
                "{operation} on {build}: {answers:?}"
            );
            for &identity in Identity::ALL {
                let Err(code) = era::access(identity, build, operation) else {
                    continue;
                };
                let error = wcow_host::HostError {
                    code,
                    ..wcow_host::HostError::new(operation, "x", Hresult(0))
                };
                let explained = failures::candidates(&error, &core(build));
                assert!(
                    !explained.is_empty(),
                    "{operation} on {build} for {identity}"
                );
            }
        }
    }
}

#[test]
fn identities_differ_in_what_their_tokens_hold() {
    let [admin, member, user] = [
        Identity::Administrator,
        Identity::HyperVAdministrator,
        Identity::PlainUser,
    ];
    assert!(admin.is_elevated() && !member.is_elevated() && !user.is_elevated());
    assert!(admin.may_use_containers() && member.may_use_containers());
    assert!(!user.may_use_containers());
    for privilege in [
        Privilege::ManageVolume,
        Privilege::Backup,
        Privilege::Restore,
    ] {
        assert!(admin.holds(privilege) && !member.holds(privilege) && !user.holds(privilege));
    }
    assert_eq!(Identity::default(), admin);
    let json = serde_json::to_string(&Identity::HyperVAdministrator).unwrap();
    assert_eq!(json, "\"hyper-v-administrator\"");
}

#[test]
fn services_that_do_not_run_say_why() {
    let answer = era::service_answer;
    assert_eq!(answer(ServiceState::Running), Ok(()));
    assert_eq!(
        answer(ServiceState::Stopped),
        Err(win32::SERVICE_NOT_ACTIVE)
    );
    assert_eq!(
        answer(ServiceState::Crashed),
        Err(win32::RPC_S_SERVER_UNAVAILABLE)
    );
    let ask = |state| era::switch_service_answer(state, "HOST", "New-VMSwitch").map_err(Box::new);
    assert_eq!(ask(ServiceState::Running), Ok(()));
    for state in [ServiceState::Stopped, ServiceState::Crashed] {
        let error = ask(state).unwrap_err();
        assert_eq!(error.category, ErrorCategory::ObjectNotFound);
        assert_eq!(
            error.id,
            "ObjectNotFound,Microsoft.HyperV.PowerShell.Commands.NewVMSwitch"
        );
        assert!(
            error.message.contains("computer 'HOST'"),
            "{}",
            error.message
        );
    }
    assert_eq!(v2::ACCESS_DENIED, Hresult(0x8037_011B));
}
