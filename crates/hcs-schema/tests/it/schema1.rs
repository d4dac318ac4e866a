//! Schema 1 and the technical previews' processes, with every field that is known.

use serde_json::{Value, json};
use wcow_hcs_schema::schema1::{
    ContainerConfig, ContainerProperties, LinuxSignal, ProcessModifyRequest, ProcessParameters,
    ProcessSignal, PropertyQuery, PropertyType, ResourceType, SignalProcessOptions, StdHandle,
    is_container,
};
use wcow_hcs_schema::tp3::{Stream, Tp3ProcessParameters, pipe_name};

use crate::samples::check;

#[test]
fn a_container_with_every_field() {
    let document = json!({
        "SystemType": "container", "Name": "n", "Owner": "o", "VolumePath": "v", "IgnoreFlushesDuringBoot": true,
        "LayerFolderPath": "l", "Layers": [{ "ID": "i", "Path": "p" }], "Credentials": "{}", "ProcessorCount": 1, "ProcessorWeight": 2,
        "ProcessorMaximum": 3, "StorageIOPSMaximum": 4, "StorageBandwidthMaximum": 5, "StorageSandboxSize": 6, "MemoryMaximumInMB": 7,
        "HostName": "h",
        "MappedDirectories": [{ "HostPath": "a", "ContainerPath": "b", "ReadOnly": true, "BandwidthMaximum": 1, "IOPSMaximum": 2,
            "CreateInUtilityVM": false, "LinuxMetadata": true }],
        "MappedPipes": [{ "HostPath": "a", "ContainerPipeName": "b" }],
        "HvPartition": true, "NetworkSharedContainerName": "s", "EndpointList": ["e"],
        "HvRuntime": { "ImagePath": "i", "SkipTemplate": true, "LinuxInitrdFile": "a", "LinuxKernelFile": "b", "LinuxBootParameters": "c",
            "BootSource": "d", "WritableBootSource": false },
        "Servicing": true, "AllowUnqualifiedDNSQuery": true, "DNSSearchList": "a,b", "ContainerType": "Linux",
        "TerminateOnLastHandleClosed": true,
        "MappedVirtualDisks": [{ "HostPath": "a", "ContainerPath": "b", "CreateInUtilityVM": true, "ReadOnly": true, "Cache": "c",
            "AttachOnly": true }],
        "AssignedDevices": [{ "InterfaceClassGuid": "g" }],
    });
    let config: ContainerConfig = check(document);
    assert!(config.unknown.is_empty(), "{:?}", config.unknown);
    assert!(
        config.mapped_directories[0].unknown.is_empty()
            && config.mapped_virtual_disks[0].unknown.is_empty()
    );
    assert!(
        config
            .hv_runtime
            .as_ref()
            .is_some_and(|runtime| runtime.unknown.is_empty())
    );
    assert!(
        config.mapped_pipes[0].unknown.is_empty() && config.assigned_devices[0].unknown.is_empty()
    );
    assert!(is_container(&config.system_type) && !is_container("VirtualMachine"));
    // What is zero is left out, but for these.
    let nothing = serde_json::to_value(ContainerConfig::default()).unwrap();
    assert_eq!(
        nothing,
        json!({ "SystemType": "", "Name": "", "Layers": [], "HvPartition": false })
    );
}

#[test]
fn processes() {
    let process: ProcessParameters = check(json!({
        "CommandArgs": ["sh", "-c", "true"], "CreateInUtilityVm": true, "OCISpecification": { "ociVersion": "1.0" },
    }));
    assert!(process.unknown.is_empty() && process.create_in_utility_vm);
    assert_eq!(
        ProcessModifyRequest::resize(25, 80).to_value(),
        json!({ "Operation": "ConsoleSize", "ConsoleSize": { "Height": 25, "Width": 80 } })
    );
    assert_eq!(
        ProcessModifyRequest::close(StdHandle::StdIn).to_value(),
        json!({ "Operation": "CloseHandle", "CloseHandle": { "Handle": "StdIn" } })
    );
    assert_eq!(
        SignalProcessOptions::new(ProcessSignal::CtrlShutdown).to_value(),
        json!({ "Signal": "CtrlShutdown" })
    );
    assert_eq!(
        check::<LinuxSignal>(json!({ "Signal": 15 })).signal,
        Some(15)
    );
}

#[test]
fn properties() {
    let query: PropertyQuery = check(
        json!({ "PropertyTypes": ["Statistics", "ProcessList", "MappedVirtualDisk", "GuestConnection"] }),
    );
    assert!(
        query
            .property_types
            .iter()
            .all(|kind| !matches!(kind, PropertyType::Other(_)))
    );
    assert_eq!(PropertyQuery::default().to_value(), json!({}));
    let properties: ContainerProperties = check(json!({
        "Id": "i", "State": "Running", "Name": "n", "SystemType": "Container", "RuntimeOsType": "Windows", "Owner": "o",
        "SiloGuid": "g", "RuntimeId": "r", "IsRuntimeTemplate": false, "RuntimeImagePath": "p", "Stopped": false, "ExitType": "GracefulExit",
        "AreUpdatesPending": false, "ObRoot": "x",
        "Statistics": {
            "Timestamp": "2016-10-12T10:00:00Z", "ContainerStartTime": "2016-10-12T09:00:00Z", "Uptime100ns": 36_000_000_000_u64,
            "Memory": { "MemoryUsageCommitBytes": 1, "MemoryUsageCommitPeakBytes": 2, "MemoryUsagePrivateWorkingSetBytes": 3 },
            "Processor": { "TotalRuntime100ns": 3, "RuntimeUser100ns": 1, "RuntimeKernel100ns": 2 },
            "Storage": { "ReadCountNormalized": 1, "ReadSizeBytes": 2, "WriteCountNormalized": 3, "WriteSizeBytes": 4 },
            "Network": [{ "BytesReceived": 1, "BytesSent": 2, "PacketsReceived": 3, "PacketsSent": 4, "DroppedPacketsIncoming": 5,
                "DroppedPacketsOutgoing": 6, "EndpointId": "e", "InstanceId": "i" }],
        },
        "ProcessList": [{ "ProcessId": 4, "ImageName": "cmd.exe", "CreateTimestamp": "2016-10-12T09:00:00Z", "UserTime100ns": 1,
            "KernelTime100ns": 2, "MemoryCommitBytes": 3, "MemoryWorkingSetPrivateBytes": 4, "MemoryWorkingSetSharedBytes": 5 }],
        "MappedVirtualDiskControllers": { "0": {} },
        "GuestConnectionInfo": { "ProtocolVersion": 4, "GuestDefinedCapabilities": {
            "NamespaceAddRequestSupported": true, "SignalProcessSupported": true, "DumpStacksSupported": true,
            "DeleteContainerStateSupported": true, "UpdateContainerSupported": true, "LogForwardingSupported": true,
            "HostProcessContainerSupported": true } },
    }));
    let statistics = properties.statistics.as_ref().unwrap();
    assert!(
        properties.unknown.is_empty()
            && statistics.unknown.is_empty()
            && statistics.network[0].unknown.is_empty()
    );
    assert!(properties.process_list[0].unknown.is_empty());
    let capabilities = properties
        .guest_connection_info
        .as_ref()
        .unwrap()
        .capabilities();
    assert!(capabilities.unwrap().unknown.is_empty());
    for word in ["Network", "MappedVirtualDisk", "MappedDirectory"] {
        assert!(!matches!(ResourceType::from(word), ResourceType::Other(_)));
    }
    let enumeration: Vec<ContainerProperties> =
        serde_json::from_value(json!([{ "ID": "a" }, { "Id": "b" }])).unwrap();
    let ids: Vec<Option<&str>> = enumeration.iter().map(|one| one.id.as_deref()).collect();
    assert_eq!(ids, [Some("a"), Some("b")]);
}

#[test]
fn a_process_of_technical_preview_3() {
    let pipe = pipe_name("4f2a", Stream::Out);
    assert_eq!(
        pipe,
        r"\\.\Containers\4f2a\Device\NamedPipe\docker-run-stdout"
    );
    let document: Value = json!({
        "ApplicationName": "", "CommandLine": "cmd", "WorkingDirectory": "", "Environment": { "A": "b" }, "EmulateConsole": false,
        "ConsoleSize": [0, 0], "StdInPipe": pipe_name("4f2a", Stream::In), "StdOutPipe": pipe, "StdErrPipe": pipe_name("4f2a", Stream::Err),
    });
    let process: Tp3ProcessParameters = check(document);
    assert!(process.unknown.is_empty());
    assert_eq!(
        process.std_err_pipe.as_deref(),
        Some(r"\\.\Containers\4f2a\Device\NamedPipe\docker-run-stderr")
    );
}

#[test]
fn a_container_of_schema_1_says_the_same_in_schema_2() {
    let document: ContainerConfig = serde_json::from_value(json!({
        "SystemType": "Container", "Name": "web", "Owner": "test",
        "VolumePath": r"\\?\Volume{7c1b5e7f-4a0b-4a7e-9d52-6a0b8f2f4c11}",
        "LayerFolderPath": r"C:\layers\web",
        "Layers": [{"ID": "84ea5d62-64ed-574d-a0b6-2d19ec831a27", "Path": r"C:\base"}],
        "ProcessorCount": 2, "MemoryMaximumInMB": 512, "HostName": "web-1",
        "MappedDirectories": [{"HostPath": r"C:\data", "ContainerPath": r"C:\in", "ReadOnly": true}],
        "EndpointList": ["b2a2d9d5-6bcf-4d0c-a5c5-bdb79111baa8"],
        "HvPartition": false, "TerminateOnLastHandleClosed": true
    }))
    .unwrap();
    let expected = json!({
        "Owner": "test",
        "SchemaVersion": {"Major": 2, "Minor": 1},
        "ShouldTerminateOnLastHandleClosed": true,
        "Container": {
            "GuestOs": {"HostName": "web-1"},
            "Storage": {
                "Layers": [{"Id": "84ea5d62-64ed-574d-a0b6-2d19ec831a27", "Path": r"C:\base"}],
                "Path": r"\\?\Volume{7c1b5e7f-4a0b-4a7e-9d52-6a0b8f2f4c11}\"
            },
            "MappedDirectories": [{"HostPath": r"C:\data", "ContainerPath": r"C:\in", "ReadOnly": true}],
            "Memory": {"SizeInMB": 512},
            "Processor": {"Count": 2},
            "Networking": {"NetworkAdapters": ["b2a2d9d5-6bcf-4d0c-a5c5-bdb79111baa8"]}
        }
    });
    assert_eq!(
        serde_json::to_value(document.to_schema2()).unwrap(),
        expected
    );

    let bare = ContainerConfig::default().to_schema2().container.unwrap();
    assert_eq!(bare.memory, None);
    assert_eq!(bare.processor, None);
    assert_eq!(bare.networking, None);
    assert_eq!(bare.guest_os, None);
}
