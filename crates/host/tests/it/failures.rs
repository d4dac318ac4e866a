//! The catalogue, and finding the cause of an answer.

use std::collections::BTreeSet;

use wcow_host::codes::{self, hcn, v1, v2, win32};
use wcow_host::era;
use wcow_host::failures::{CATALOGUE, FailureCode, FailureId, Simulated, candidates, get};
use wcow_host::{ErrorCategory, HostError, HostInfo, Operation, PowerShellError, SwitchType};
use wcow_ntmeta::Hresult;

use crate::support::{core, nano_tp3};

#[test]
fn entries_are_well_formed() {
    let ids: BTreeSet<_> = CATALOGUE.iter().map(|failure| failure.id).collect();
    assert_eq!(ids.len(), CATALOGUE.len(), "an id twice");
    for failure in CATALOGUE {
        let id = failure.id.0;
        let kebab = id.split('-').all(|part| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        });
        assert!(kebab, "{id}");
        assert!(
            !failure.title.is_empty() && !failure.title.ends_with('.'),
            "{id}"
        );
        assert!(
            failure.trigger.ends_with('.') && failure.way_out.ends_with('.'),
            "{id}"
        );
        assert!(
            !failure.source.is_empty() && !failure.hosts.text.is_empty(),
            "{id}"
        );
        assert!(!failure.codes.is_empty(), "{id}");
        let raised = failure.simulated == Simulated::Yes;
        assert!(
            !raised || !failure.operations.is_empty(),
            "{id}: raised by no call"
        );
        assert!(
            failure.hosts.first_build <= failure.hosts.last_build,
            "{id}"
        );
        if let Simulated::No(why) = failure.simulated {
            assert!(why.ends_with('.'), "{id}");
        }
        for code in failure.codes {
            match code {
                FailureCode::Hresult(code) | FailureCode::ExitCode(code) => {
                    let code = Hresult(*code);
                    assert!(codes::name(code).is_some(), "{id}: {code}");
                    assert!(codes::advice(code).is_some(), "{id}: {code}");
                }
                FailureCode::PowerShellId(words) | FailureCode::Text(words) => {
                    assert!(words.len() > 10, "{id}");
                }
                FailureCode::Silent => {
                    assert_eq!(failure.codes.len(), 1, "{id}: silent, and yet a code");
                    assert!(matches!(failure.simulated, Simulated::No(_)), "{id}");
                }
            }
        }
        assert_eq!(get(id), Some(failure));
    }
    assert_eq!(get("no-such-failure"), None);
}

#[test]
fn ids_pass_through_json() {
    for failure in CATALOGUE {
        let json = serde_json::to_string(&failure.id).unwrap();
        assert_eq!(json, format!("\"{}\"", failure.id));
        assert_eq!(
            serde_json::from_str::<FailureId>(&json).unwrap(),
            failure.id
        );
    }
    assert!(serde_json::from_str::<FailureId>("\"no-such-failure\"").is_err());
}

#[track_caller]
fn check(host: &HostInfo, error: HostError, expected: &str) {
    let found: Vec<_> = candidates(&error, host)
        .iter()
        .map(|failure| failure.id.0)
        .collect();
    assert_eq!(found.first().copied(), Some(expected), "{error}: {found:?}");
}

#[track_caller]
fn check_code(host: &HostInfo, operation: Operation, code: Hresult, expected: &str) {
    check(host, HostError::new(operation, "it", code), expected);
}

#[test]
fn the_right_cause_comes_first() {
    let (nano, preview, new) = (nano_tp3(), core(10514), core(20348));
    check_code(
        &nano,
        Operation::CreateScratch,
        codes::UNEXPECTED,
        "container-before-reboot",
    );
    check_code(
        &nano,
        Operation::StartSystem,
        win32::IMAGE_MACHINE_TYPE_MISMATCH,
        "machine-type-mismatch",
    );
    check_code(
        &nano,
        Operation::StartSystem,
        win32::TIMEOUT,
        "container-service-missing",
    );
    check_code(
        &new,
        Operation::StartSystem,
        v1::CONNECTION_TIMEOUT,
        "container-service-missing",
    );
    check_code(
        &new,
        Operation::CreateSystem,
        v1::IMAGE_MISMATCH,
        "image-mismatch",
    );
    check_code(
        &new,
        Operation::CreateSystem,
        v2::IMAGE_MISMATCH,
        "image-mismatch",
    );
    check_code(
        &new,
        Operation::CreateNetwork,
        win32::INVALID_PARAMETER,
        "nat-prefix-conflict",
    );
    check_code(
        &preview,
        Operation::CreateNetwork,
        win32::PROC_NOT_FOUND,
        "hns-missing",
    );
    check_code(
        &new,
        Operation::CreateNetwork,
        hcn::ADAPTER_NOT_FOUND,
        "hns-adapter-not-found",
    );
    check_code(
        &new,
        Operation::CreateNetwork,
        hcn::NETWORK_ALREADY_EXISTS,
        "network-name-taken",
    );
    check_code(
        &new,
        Operation::CreateEndpoint,
        hcn::PORT_ALREADY_EXISTS,
        "published-port-taken",
    );
    check_code(
        &preview,
        Operation::CreateSystem,
        win32::DUP_NAME,
        "published-port-taken",
    );
    check_code(
        &new,
        Operation::CreateEndpoint,
        win32::SHARING_VIOLATION,
        "published-port-taken",
    );
    check_code(
        &new,
        Operation::DeleteNetwork,
        hcn::ENTITY_HAS_REFERENCES,
        "network-has-endpoints",
    );
    check_code(
        &new,
        Operation::CreateEndpoint,
        hcn::INVALID_IP,
        "address-outside-subnet",
    );
    check_code(
        &new,
        Operation::CreateEndpoint,
        hcn::NETWORK_NOT_FOUND,
        "network-not-found",
    );
    check_code(
        &new,
        Operation::DeleteEndpoint,
        win32::NOT_FOUND,
        "network-not-found",
    );
    check_code(
        &new,
        Operation::CreateNetwork,
        hcn::INVALID_NETWORK,
        "network-invalid",
    );
    check_code(
        &new,
        Operation::CreateEndpoint,
        win32::OBJECT_ALREADY_EXISTS,
        "network-object-exists",
    );
    check_code(
        &new,
        Operation::ListNetworks,
        win32::SERVICE_NOT_ACTIVE,
        "hns-stopped",
    );
    check_code(
        &new,
        Operation::EnumerateSystems,
        win32::SERVICE_NOT_ACTIVE,
        "compute-service-stopped",
    );
    check_code(
        &new,
        Operation::CreateScratch,
        win32::MOD_NOT_FOUND,
        "compute-service-missing",
    );
    // The Host Network Service is called through the DLL of the compute service: is it missing, or does only the service not run?
    for operation in [
        Operation::ListNetworks,
        Operation::CreateNetwork,
        Operation::DeleteNetwork,
        Operation::ListEndpoints,
        Operation::CreateEndpoint,
        Operation::DeleteEndpoint,
    ] {
        let missing = win32::MOD_NOT_FOUND;
        check_code(&new, operation, missing, "compute-service-missing");
        for stopped in [
            win32::SERVICE_NOT_ACTIVE,
            win32::RPC_S_SERVER_UNAVAILABLE,
            win32::RPC_S_CALL_FAILED,
        ] {
            check_code(&new, operation, stopped, "hns-stopped");
        }
    }
    check_code(
        &new,
        Operation::CreateProcess,
        win32::FILE_NOT_FOUND,
        "program-not-found",
    );
    check_code(
        &new,
        Operation::CreateProcess,
        win32::ACCESS_DENIED,
        "process-access-denied",
    );
    check_code(
        &new,
        Operation::CreateProcess,
        win32::DIRECTORY,
        "working-directory-invalid",
    );
    check_code(
        &new,
        Operation::CreateProcess,
        v1::INVALID_STATE,
        "invalid-state",
    );
    check_code(
        &new,
        Operation::CreateSystem,
        v1::SYSTEM_ALREADY_EXISTS,
        "system-already-exists",
    );
    check_code(
        &new,
        Operation::OpenSystem,
        v1::SYSTEM_NOT_FOUND,
        "system-not-found",
    );
    check_code(
        &new,
        Operation::TerminateSystem,
        v1::SYSTEM_ALREADY_STOPPED,
        "system-not-running",
    );
    check_code(
        &new,
        Operation::CreateSystem,
        v1::INVALID_JSON,
        "invalid-document",
    );
    check_code(
        &new,
        Operation::WaitSystem,
        v1::UNEXPECTED_EXIT,
        "unexpected-exit",
    );
    check_code(
        &new,
        Operation::PrepareLayer,
        win32::PATH_NOT_FOUND,
        "layer-missing",
    );
    check_code(
        &new,
        Operation::ActivateLayer,
        win32::FILE_NOT_FOUND,
        "layer-missing",
    );
    check_code(
        &new,
        Operation::ActivateLayer,
        win32::SHARING_VIOLATION,
        "scratch-disk-locked",
    );
    check_code(
        &new,
        Operation::LayerMountPath,
        win32::DEV_NOT_EXIST,
        "layer-not-attached",
    );
    check_code(
        &new,
        Operation::CreateScratch,
        win32::ALREADY_EXISTS,
        "scratch-exists",
    );
    check_code(&nano, Operation::WriteTree, win32::DISK_FULL, "disk-full");
    check_code(
        &nano,
        Operation::LockFile,
        win32::SHARING_VIOLATION,
        "store-locked",
    );
}

#[test]
fn rarer_causes_come_first_too() {
    let new = core(20348);
    check_code(
        &new,
        Operation::CreateEndpoint,
        hcn::MAPPING_NOT_SUPPORTED,
        "port-mapping-invalid",
    );
    check_code(
        &new,
        Operation::CreateSystem,
        hcn::ENDPOINT_ALREADY_ATTACHED,
        "endpoint-attached-elsewhere",
    );
    check_code(
        &new,
        Operation::CreateNetwork,
        hcn::ICS_DISABLED,
        "ics-disabled",
    );
    check_code(
        &new,
        Operation::CreateNetwork,
        hcn::VFP_NOT_ALLOWED,
        "network-needs-vfp",
    );
    check_code(
        &new,
        Operation::CreateEndpoint,
        hcn::SUBNET_NOT_FOUND,
        "address-outside-subnet",
    );
    check_code(
        &new,
        Operation::CreateNetwork,
        hcn::GUID_CONVERSION_FAILURE,
        "network-invalid",
    );
    check_code(
        &new,
        Operation::TerminateProcess,
        v2::PROCESS_ALREADY_STOPPED,
        "process-already-ended",
    );
    check_code(
        &new,
        Operation::OpenProcess,
        win32::NOT_FOUND,
        "process-not-found",
    );
    check_code(
        &new,
        Operation::Features,
        codes::FEATURE_UNKNOWN,
        "feature-unknown",
    );
    check_code(
        &new,
        Operation::Services,
        win32::SERVICE_DOES_NOT_EXIST,
        "service-unknown",
    );
    check_code(
        &new,
        Operation::StartSystem,
        v1::TERMINATED_DURING_START,
        "unexpected-exit",
    );
}

#[test]
fn causes_of_powershell_errors() {
    let (nano, new) = (nano_tp3(), core(20348));
    let hyper_v = ["Hyper-V".to_owned()];
    let powershell = |operation, error| HostError::powershell(operation, "it", error);
    let missing = |cmdlet| era::cmdlet(&[""; 0], cmdlet).unwrap_err();
    check(
        &nano,
        powershell(Operation::NewNat, missing("New-NetNat")),
        "netnat-missing",
    );
    check(
        &nano,
        powershell(Operation::NewSwitch, missing("New-VMSwitch")),
        "hyper-v-cmdlets-missing",
    );
    check(
        &nano,
        powershell(Operation::ProcessBase, missing("Install-ContainerOSImage")),
        "container-cmdlets-missing",
    );
    check(
        &nano,
        powershell(Operation::CreateScratch, missing("New-Container")),
        "container-cmdlets-missing",
    );
    for kind in [
        SwitchType::External,
        SwitchType::Internal,
        SwitchType::Private,
    ] {
        let error = era::new_switch(&nano, &hyper_v, kind).unwrap_err();
        check(
            &nano,
            powershell(Operation::NewSwitch, error),
            "switch-no-matching-element",
        );
    }
    let error = era::new_switch(&new, &hyper_v, SwitchType::Nat).unwrap_err();
    check(
        &new,
        powershell(Operation::NewSwitch, error),
        "nat-switch-type-gone",
    );
    check(
        &new,
        powershell(Operation::NewSwitch, era::adapter_missing("Ethernet 9")),
        "external-switch-no-adapter",
    );
    check(
        &new,
        powershell(Operation::NewSwitch, era::adapter_in_use("Ethernet")),
        "adapter-in-use",
    );
    let prefix = "172.16.0.0/12".parse().unwrap();
    let error = era::new_nat(&new, &["NetNat".to_owned()], &[prefix], prefix).unwrap_err();
    check(
        &new,
        powershell(Operation::NewNat, error),
        "nat-prefix-conflict",
    );
    let error = PowerShellError {
        category: ErrorCategory::MetadataError,
        target: "MSFT_NetNat:root/StandardCimv2/MSFT_NetNat".to_owned(),
        activity: "New-NetNat".to_owned(),
        exception: "CimException".to_owned(),
        id: "HRESULT 0x80041010,New-NetNat".to_owned(),
        message: "Invalid class".to_owned(),
    };
    check(
        &new,
        powershell(Operation::NewNat, error),
        "netnat-provider-missing",
    );
}

#[test]
fn common_codes_need_their_call() {
    let none = candidates(
        &HostError::new(Operation::ReadFile, "x", win32::ACCESS_DENIED),
        &core(20348),
    );
    assert_eq!(none, Vec::<&wcow_host::failures::Failure>::new());
    let telling = candidates(
        &HostError::new(Operation::QueryProcess, "x", v1::INVALID_STATE),
        &core(20348),
    );
    assert_eq!(
        telling.first().map(|failure| failure.id.0),
        Some("invalid-state")
    );
    // Both explain a start that timed out; few processors are the less likely cause.
    let both = candidates(
        &HostError::new(Operation::StartSystem, "x", win32::TIMEOUT),
        &nano_tp3(),
    );
    let both: Vec<_> = both.iter().map(|failure| failure.id.0).collect();
    assert_eq!(
        both,
        [
            "container-service-missing",
            "container-start-timeout-few-processors"
        ]
    );
}
