//! Sample documents: parsed and written again they are the same.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork, Policy};
use wcow_hcs_schema::schema1::{ContainerConfig, ProcessParameters, ProcessStatus};
use wcow_hcs_schema::tp3::Tp3ContainerConfig;

#[track_caller]
pub(crate) fn check<T: Serialize + DeserializeOwned>(document: Value) -> T {
    let text = document.to_string();
    let parsed: T = serde_json::from_str(&text).expect("the sample is valid");
    let written = serde_json::to_value(&parsed).expect("documents can be written");
    assert_eq!(written, document);
    parsed
}

#[test]
fn a_container_of_docker() {
    let config: ContainerConfig = check(json!({
        "SystemType": "Container",
        "Name": "4f2a",
        "Owner": "docker",
        "VolumePath": r"\\?\Volume{e8c5b1d7-0001-11e6-80b1-806e6f6e6963}",
        "IgnoreFlushesDuringBoot": true,
        "LayerFolderPath": r"C:\ProgramData\docker\windowsfilter\4f2a",
        "Layers": [{ "ID": "b1f5b1f0-93c2-5b9b-9e6c-1c5a9d1d6f0a", "Path": r"C:\ProgramData\docker\windowsfilter\77aa" }],
        "HostName": "4f2a",
        "HvPartition": false,
        "EndpointList": ["5c9b3a0e-7b0c-4a8e-8f4f-0b2f8f3e9a11"],
        "AllowUnqualifiedDNSQuery": true,
    }));
    assert_eq!(config.owner, "docker");
    assert_eq!(config.layers.len(), 1);
    assert!(config.allow_unqualified_dns_query);
    assert!(config.unknown.is_empty());
}

#[test]
fn a_container_with_hyper_v_isolation_and_limits() {
    let config: ContainerConfig = check(json!({
        "SystemType": "Container",
        "Name": "web",
        "LayerFolderPath": r"C:\layers\web",
        "Layers": [],
        "ProcessorCount": 2,
        "ProcessorWeight": 5000,
        "MemoryMaximumInMB": 1024,
        "MappedDirectories": [{ "HostPath": r"C:\data", "ContainerPath": r"C:\data", "ReadOnly": true, "BandwidthMaximum": 0, "IOPSMaximum": 0, "CreateInUtilityVM": true }],
        "HvPartition": true,
        "HvRuntime": { "ImagePath": r"C:\layers\base\UtilityVM" },
        "TerminateOnLastHandleClosed": true,
    }));
    assert_eq!(
        (config.processor_count, config.memory_maximum_in_mb),
        (2, 1024)
    );
    assert_eq!(config.mapped_directories[0].read_only, Some(true));
    assert!(config.hv_runtime.is_some() && config.unknown.is_empty());
    assert!(config.hv_partition && config.terminate_on_last_handle_closed);
}

#[test]
fn layers_are_read_in_both_spellings() {
    let of = |key: &str| {
        let text =
            json!({ "SystemType": "container", "Layers": [{ key: "a", "Path": "b" }] }).to_string();
        serde_json::from_str::<ContainerConfig>(&text)
            .unwrap()
            .layers
    };
    assert_eq!(of("ID"), of("Id"));
}

#[test]
fn a_container_of_technical_preview_3() {
    let config: Tp3ContainerConfig = check(json!({
        "SystemType": "Container",
        "Name": "MyFirstContainer",
        "IsDummy": false,
        "VolumePath": r"\\?\Volume{e8c5b1d7-0001-11e6-80b1-806e6f6e6963}",
        "Devices": [{
            "DeviceType": "Network",
            "Connection": {
                "NetworkName": "Virtual Switch",
                "EnableNat": true,
                "Nat": { "Name": "ContainerNAT", "PortBindings": [{ "Protocol": "TCP", "InternalPort": 80, "ExternalPort": 8080 }] },
            },
            "Settings": { "MacAddress": "00-15-5D-00-00-01" },
        }],
        "IgnoreFlushesDuringBoot": true,
        "LayerFolderPath": r"C:\ProgramData\docker\windowsfilter\4f2a",
        "Layers": [{ "Id": "b1f5b1f0-93c2-5b9b-9e6c-1c5a9d1d6f0a", "Path": r"C:\base" }],
    }));
    let connection = &config.devices[0].connection;
    assert_eq!(
        connection.nat.as_ref().unwrap().port_bindings[0].external_port,
        8080
    );
}

#[test]
fn a_technical_preview_3_container_without_a_network() {
    let config: Tp3ContainerConfig = check(json!({
        "SystemType": "Container",
        "Name": "n",
        "IsDummy": false,
        "IgnoreFlushesDuringBoot": false,
        "LayerFolderPath": "x",
        "Layers": [],
    }));
    assert!(config.devices.is_empty());
}

#[test]
fn a_process() {
    let process: ProcessParameters = check(json!({
        "CommandLine": "cmd /c echo hi",
        "User": "ContainerUser",
        "WorkingDirectory": r"C:\",
        "Environment": { "A": "1", "B": "" },
        "EmulateConsole": true,
        "CreateStdInPipe": true,
        "CreateStdOutPipe": true,
        "CreateStdErrPipe": true,
        "ConsoleSize": [25, 80],
        "CreateInUtilityVm": true,
    }));
    assert_eq!(process.console_size, Some([25, 80]));
    check::<ProcessParameters>(json!({}));
    let status: ProcessStatus = check(
        json!({ "ProcessId": 1234, "Exited": true, "ExitCode": 3_221_225_794_u32, "LastWaitResult": -2_147_024_891 }),
    );
    assert_eq!(status.exit_code, 0xC000_0142);
}

#[test]
fn networks() {
    let network: HnsNetwork = check(json!({
        "ID": "1f4bb3b6-37a0-4c1d-9c6b-1b3f0a6f5d11",
        "Name": "nat",
        "Type": "NAT",
        "Subnets": [{ "AddressPrefix": "172.20.0.0/16", "GatewayAddress": "172.20.0.1" }],
        "MacPools": [{ "StartMacAddress": "00-15-5D-52-C0-00", "EndMacAddress": "00-15-5D-52-CF-FF" }],
        "DNSServerList": "10.0.0.1,10.0.0.2",
        "Policies": [{ "Type": "VLAN", "VLAN": 12 }],
    }));
    assert_eq!(network.kind, "NAT");
    check::<HnsNetwork>(
        json!({ "Name": "t", "Type": "transparent", "NetworkAdapterName": "Ethernet" }),
    );
}

#[test]
fn an_endpoint_with_policies_of_every_kind() {
    let endpoint: HnsEndpoint = check(json!({
        "ID": "5c9b3a0e-7b0c-4a8e-8f4f-0b2f8f3e9a11",
        "Name": "web",
        "VirtualNetwork": "1f4bb3b6-37a0-4c1d-9c6b-1b3f0a6f5d11",
        "VirtualNetworkName": "nat",
        "Policies": [
            { "Type": "NAT", "Protocol": "TCP", "InternalPort": 80, "ExternalPort": 8080 },
            { "Type": "ACL", "Protocol": 6, "Action": "Allow", "Direction": "In", "Priority": 100 },
            { "Type": "OutBoundNAT", "ExceptionList": ["10.0.0.0/8"], "Destinations": [] },
            { "Type": "QOS", "MaximumOutgoingBandwidthInBytes": 1_000_000 },
            { "no": "type at all" },
        ],
        "MacAddress": "00-15-5D-52-C0-01",
        "IPAddress": "172.20.0.2",
        "PrefixLength": 16,
        "GatewayAddress": "172.20.0.1",
        "EnableInternalDNS": true,
        "SharedContainers": ["web"],
        "State": 2,
        "Namespace": { "ID": "0b5e7e0c-0000-4000-8000-000000000001" },
    }));
    assert!(matches!(&endpoint.policies[0], Policy::Nat(nat) if nat.external_port == 8080));
    let Policy::Other(acl) = &endpoint.policies[1] else {
        panic!("{:?}", endpoint.policies[1])
    };
    assert_eq!(acl["Action"], "Allow");
    assert_eq!(endpoint.unknown["State"], 2);
}

#[test]
fn a_published_port_in_any_case_and_a_wrong_one() {
    let nat: Policy =
        serde_json::from_value(json!({ "Type": "nat", "Protocol": "UDP", "ExternalPort": 53 }))
            .unwrap();
    assert!(matches!(nat, Policy::Nat(nat) if nat.external_port == 53 && nat.internal_port == 0));
    for wrong in [
        json!({ "Type": "NAT", "ExternalPort": 65536 }),
        json!({ "Type": "NAT", "Protocol": 6 }),
        json!([]),
        json!(1),
    ] {
        assert!(
            serde_json::from_value::<Policy>(wrong.clone()).is_err(),
            "{wrong}"
        );
    }
}
