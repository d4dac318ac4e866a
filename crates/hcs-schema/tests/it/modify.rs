//! Changes to a running compute system: every path, what it takes, and what it does not.

use proptest::prelude::*;
use serde_json::{Value, json};
use wcow_hcs_schema::parse;
use wcow_hcs_schema::schema1::{ModifyRequestType, ResourceModificationRequest};
use wcow_hcs_schema::schema2::{
    ComPortNumber, CombinedLayers, GuestRequest, GuestRequestType, GuestResource, MappedDirectory,
    ModifyError, ModifySettingRequest, PathPart, ResourcePath,
};

use crate::{facts, samples};

/// Path, type of the settings, requests, whether a removal needs no settings.
const PATHS: &[(&str, &str, &str, bool)] = &[
    (
        "Container/MappedDirectories",
        "MappedDirectory",
        "Add Remove",
        false,
    ),
    ("Container/MappedPipes", "MappedPipe", "Add Remove", false),
    ("Container/Memory/SizeInMB", "uint64", "Update", false),
    (
        "Container/Processor",
        "Container_Processor",
        "Update",
        false,
    ),
    (
        "Container/RegistryFlushState",
        "RegistryFlushState",
        "Update",
        false,
    ),
    ("Container/Devices/Generic", "Device", "Add Remove", false),
    (
        "VirtualMachine/ComputeTopology/Processor/CpuGroup",
        "CpuGroup",
        "Add Remove Update",
        false,
    ),
    (
        "VirtualMachine/ComputeTopology/Processor/IdledProcessors",
        "IdleProcessorsRequest",
        "Update",
        false,
    ),
    (
        "VirtualMachine/ComputeTopology/Processor/CpuFrequencyPowerCap",
        "uint32",
        "Add Remove Update",
        false,
    ),
    (
        "VirtualMachine/ComputeTopology/Processor/Limits",
        "ProcessorLimits",
        "Update",
        false,
    ),
    (
        "VirtualMachine/ComputeTopology/Gpu",
        "GpuConfiguration",
        "Update",
        false,
    ),
    (
        "VirtualMachine/ComputeTopology/Memory/SizeInMB",
        "uint64",
        "Add Remove Update",
        false,
    ),
    (
        "VirtualMachine/Devices/FlexibleIov/a",
        "FlexibleIoDevice",
        "Add",
        false,
    ),
    (
        r"VirtualMachine/Devices/MappedPipes/\\.\pipe\a/b",
        "",
        "Add Remove",
        false,
    ),
    (
        "VirtualMachine/Devices/NetworkAdapters/5c9b3a0e-7b0c-4a8e-8f4f-0b2f8f3e9a11",
        "NetworkAdapter",
        "Add Remove Update",
        false,
    ),
    (
        "VirtualMachine/Devices/Plan9/Shares",
        "Plan9Share",
        "Add Remove Update",
        false,
    ),
    (
        "VirtualMachine/Devices/Scsi/0/Attachments/63",
        "Attachment",
        "Add Remove Update",
        true,
    ),
    (
        "VirtualMachine/Devices/ComPorts/0",
        "ComPort",
        "Add Remove Update",
        false,
    ),
    (
        "VirtualMachine/Devices/ComPorts/1",
        "ComPort",
        "Add Remove Update",
        false,
    ),
    (
        "VirtualMachine/Devices/SharedMemory/Regions",
        "SharedMemoryRegion",
        "Add Remove Update",
        false,
    ),
    (
        "VirtualMachine/Devices/VirtualPMem/Devices/255",
        "VirtualPMemDevice",
        "Add Remove",
        true,
    ),
    (
        "VirtualMachine/Devices/VirtualPMem/Devices/1/Mappings/4096",
        "VirtualPMemMapping",
        "Add Remove",
        true,
    ),
    (
        "VirtualMachine/Devices/VirtualSmb/Shares",
        "VirtualSmbShare",
        "Add Remove Update",
        false,
    ),
    (
        "VirtualMachine/Devices/VirtualPci/a",
        "VirtualPciDevice",
        "Add Remove",
        true,
    ),
    (
        "VirtualMachine/Devices/HvSocket/HvSocketConfig/ServiceTable/5c9b3a0e-7b0c-4a8e-8f4f-0b2f8f3e9a11",
        "HvSocketServiceConfig",
        "Add Remove Update",
        false,
    ),
    (
        "VirtualMachine/Devices/Licensing",
        "Any",
        "Add Remove Update",
        false,
    ),
];

fn request(path: &str, request: &str, settings: &Value) -> Result<ResourcePath, ModifyError> {
    let document = json!({ "ResourcePath": path, "RequestType": request, "Settings": settings });
    let parsed: ModifySettingRequest = parse(document.to_string()).unwrap();
    parsed.check()
}

#[test]
fn every_path_takes_its_requests_and_settings() {
    let table = facts::table();
    for (path, kind, requests, removes_by_path) in PATHS {
        let parsed: ResourcePath = path.parse().unwrap();
        assert_eq!(parsed.to_string(), *path);
        let words: Vec<&str> = parsed
            .requests()
            .iter()
            .map(ModifyRequestType::as_str)
            .collect();
        assert_eq!(words.join(" "), *requests, "{path}");
        let settings = parsed
            .settings()
            .map_or_else(String::new, |kind| kind.to_string());
        assert_eq!(settings, *kind, "{path}");
        let good = if kind.is_empty() {
            Value::Null
        } else {
            facts::sample(&table, kind, &mut Vec::new())
        };
        let bad = json!([true, "neither", "of", "them"]);
        for word in ["Add", "Remove", "Update", "Replace"] {
            let takes = requests.split(' ').any(|known| known == word);
            assert_eq!(request(path, word, &good).is_ok(), takes, "{path}: {word}");
            let ignored = *kind == "Any" || *removes_by_path && word == "Remove";
            assert_eq!(
                request(path, word, &bad).is_ok(),
                takes && ignored,
                "{path}: {word}"
            );
        }
    }
}

#[test]
fn what_is_no_path_is_refused() {
    for path in [
        "",
        "Container",
        "container/mappeddirectories",
        "Container/MappedDirectories/",
        "Container/Devices",
        "VirtualMachine/Devices/Scsi/0",
        "VirtualMachine/Devices/Scsi/0/Attachments/",
        "VirtualMachine/Devices/Scsi/0/Attachments/+1",
        "VirtualMachine/Devices/Scsi/0/Attachments/4294967296",
        "VirtualMachine/Devices/Scsi//Attachments/1",
        "VirtualMachine/Devices/Scsi/a/b/Attachments/1",
        "VirtualMachine/Devices/ComPorts/2",
        "VirtualMachine/Devices/VirtualPMem/Devices/256",
        "VirtualMachine/Devices/VirtualPci/",
        "VirtualMachine/Devices/MappedPipes/",
        "VirtualMachine/Devices/HvSocket/HvSocketConfig/ServiceTable/web",
        "Container/Devices/Scsi/0/Attachments/1",
    ] {
        assert!(path.parse::<ResourcePath>().is_err(), "{path}");
    }
}

#[test]
fn errors_say_what_was_expected() {
    let settings = json!({ "HostPath": "a" });
    let told = |path: &str, word: &str, settings: &Value| {
        request(path, word, settings).unwrap_err().to_string()
    };
    assert_eq!(
        told("Container/Mapped", "Add", &settings),
        "ResourcePath: expected the path of something that can be changed, found \"Container/Mapped\""
    );
    assert_eq!(
        told("Container/MappedDirectories", "Update", &settings),
        "RequestType: expected Add or Remove for Container/MappedDirectories, found \"Update\""
    );
    assert_eq!(
        told(
            "Container/MappedDirectories",
            "Add",
            &json!({ "HostPath": 7 })
        ),
        "Settings: expected MappedDirectory for Container/MappedDirectories: HostPath: expected a string, found 7"
    );
    assert_eq!(
        told("Container/Memory/SizeInMB", "Update", &Value::Null),
        "Settings: expected uint64 for Container/Memory/SizeInMB: expected uint64, found null"
    );
    let nothing = ModifySettingRequest::default().check().unwrap_err();
    assert!(matches!(nothing, ModifyError::Path(_)));
}

#[test]
fn requests_are_built() {
    let directory = MappedDirectory {
        host_path: Some("a".to_owned()),
        ..MappedDirectory::default()
    };
    let built = ModifySettingRequest::new(&ResourcePath::MappedDirectories, ModifyRequestType::Add)
        .with_settings(directory.to_value());
    assert_eq!(
        built.to_value(),
        json!({ "ResourcePath": "Container/MappedDirectories", "RequestType": "Add", "Settings": { "HostPath": "a" } })
    );
    assert_eq!(built.check(), Ok(ResourcePath::MappedDirectories));
    let guest = GuestRequest {
        resource_type: Some(GuestResource::ContainerConstraints),
        ..GuestRequest::default()
    };
    let built =
        ModifySettingRequest::new(&ResourcePath::ContainerMemory, ModifyRequestType::Update)
            .with_settings(512)
            .with_guest_request(&guest);
    assert_eq!(built.check(), Ok(ResourcePath::ContainerMemory));
    assert_eq!(
        built.guest_request,
        Some(json!({ "ResourceType": "ContainerConstraints" }))
    );
}

#[test]
fn requests_to_guests_and_of_schema_1() {
    let request: GuestRequest = samples::check(json!({
        "ResourceType": "CombinedLayers",
        "RequestType": "PreAdd",
        "Settings": { "ContainerRootPath": r"C:\c\1", "Layers": [{ "Path": r"C:\l\1" }], "ScratchPath": r"C:\s\1" },
    }));
    assert_eq!(request.resource_type, Some(GuestResource::CombinedLayers));
    assert_eq!(request.request_type, Some(GuestRequestType::PreAdd));
    let layers: CombinedLayers = serde_json::from_value(request.settings.unwrap()).unwrap();
    assert_eq!(layers.layers[0].path.as_deref(), Some(r"C:\l\1"));
    for word in [
        "MappedDirectory",
        "SCSIDevice",
        "MappedVirtualDisk",
        "MappedVirtualDiskForContainerScratch",
        "WCOWBlockCims",
        "Network",
        "NetworkNamespace",
        "CombinedLayers",
        "CWCOWCombinedLayers",
        "VPMemDevice",
        "VPCIDevice",
        "ContainerConstraints",
        "HvSocket",
        "SecurityPolicy",
        "SecurityPolicyFragment",
        "PodCgroupMemoryLimit",
    ] {
        assert!(
            !matches!(GuestResource::from(word), GuestResource::Other(_)),
            "{word}"
        );
        assert_eq!(GuestResource::from(word).as_str(), word);
    }
    let id = "5c9b3a0e-7b0c-4a8e-8f4f-0b2f8f3e9a11";
    let expected =
        |word: &str| json!({ "ResourceType": "Network", "Settings": id, "RequestType": word });
    assert_eq!(
        ResourceModificationRequest::add_endpoint(id).to_value(),
        expected("Add")
    );
    assert_eq!(
        ResourceModificationRequest::remove_endpoint(id).to_value(),
        expected("Remove")
    );
}

proptest! {
    #[test]
    fn any_path_is_read_as_it_is_shown(
        name in "[^/]{1,12}",
        pipe in ".{1,12}",
        lun in any::<u32>(),
        (device, offset) in any::<(u8, u64)>(),
        id in any::<u128>(),
    ) {
        let part = || PathPart::new(&name).unwrap();
        for path in [
            ResourcePath::FlexibleIov(part()),
            ResourcePath::NetworkAdapter(part()),
            ResourcePath::VirtualPci(part()),
            ResourcePath::MachinePipe(PathPart::of_pipe(&pipe).unwrap()),
            ResourcePath::ScsiAttachment(part(), lun),
            ResourcePath::ComPort(if lun % 2 == 0 { ComPortNumber::Zero } else { ComPortNumber::One }),
            ResourcePath::VirtualPMemDevice(device),
            ResourcePath::VirtualPMemMapping(device, offset),
            ResourcePath::HvSocketService(wcow_ntmeta::Guid::from_u128(id)),
        ] {
            prop_assert_eq!(path.to_string().parse::<ResourcePath>(), Ok(path));
        }
    }
}
