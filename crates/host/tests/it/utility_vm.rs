//! The documents of Hyper-V isolation in schema 2.

use serde_json::json;
use wcow_hcs_schema::schema1::{ContainerConfig, HvRuntime, Layer, MappedDirectory};
use wcow_hcs_schema::schema2::{ResourcePath, SystemKind};
use wcow_host::SystemId;
use wcow_host::utility_vm::UtilityVm;

/// A container with everything that the machine has a part in.
fn config() -> ContainerConfig {
    let folder = |path: &str, read_only| MappedDirectory {
        host_path: Some(path.to_owned()),
        container_path: Some(path.to_owned()),
        read_only: Some(read_only),
        ..MappedDirectory::default()
    };
    let layer = |path: &str| Layer {
        id: "d0e6a15d-4b12-5b0c-8d8d-5a7b0b8b7a11".to_owned(),
        path: path.to_owned(),
        ..Layer::default()
    };
    ContainerConfig {
        owner: "wcow".to_owned(),
        layer_folder_path: r"C:\scratch\one".to_owned(),
        layers: vec![layer(r"C:\images\tools"), layer(r"C:\images\base")],
        memory_maximum_in_mb: 2048,
        processor_count: 2,
        mapped_directories: vec![folder(r"C:\data", false), folder(r"C:\rules", true)],
        endpoint_list: vec!["7a1b2c3d-0000-4000-8000-000000000001".to_owned()],
        host_name: "one".to_owned(),
        hv_partition: true,
        ..ContainerConfig::default()
    }
}

fn machine() -> UtilityVm {
    UtilityVm::new(&SystemId("one".to_owned()), config()).expect("its paths are paths")
}

#[test]
fn the_machine_is_named_after_its_container() {
    let machine = machine();
    assert_eq!(machine.id().0, "one@vm");
    let container = |id: &str| UtilityVm::container_of(&SystemId(id.to_owned())).map(|id| id.0);
    assert_eq!(container("one@vm").as_deref(), Some("one"));
    assert_eq!(container("one"), None);
    assert_eq!(container("@vm"), None);
}

#[test]
fn the_machine_boots_from_the_image_and_shares_layers_and_folders() {
    let document = machine().machine();
    assert!(matches!(document.kind(), Ok(SystemKind::VirtualMachine(_))));
    let document = document.to_value();
    assert_eq!(document["SchemaVersion"], json!({"Major": 2, "Minor": 1}));
    let machine = &document["VirtualMachine"];
    let topology = &machine["ComputeTopology"];
    assert_eq!(
        topology["Memory"],
        json!({"SizeInMB": 2048, "AllowOvercommit": true})
    );
    assert_eq!(topology["Processor"], json!({"Count": 2}));
    assert_eq!(machine["GuestConnection"], json!({}));
    assert_eq!(
        machine["Chipset"]["Uefi"]["BootThis"],
        json!({"DeviceType": "VmbFs", "DevicePath": r"\EFI\Microsoft\Boot\bootmgfw.efi"})
    );
    let devices = &machine["Devices"];
    let disk = json!({"Type": "VirtualDisk", "Path": r"C:\scratch\one\vm\sandbox.vhdx"});
    assert_eq!(devices["Scsi"], json!({"0": {"Attachments": {"0": disk}}}));
    let shares = devices["VirtualSmb"]["Shares"].as_array().expect("a list");
    let shares: Vec<_> = shares
        .iter()
        .map(|share| {
            (
                &share["Name"],
                &share["Path"],
                &share["Options"]["ReadOnly"],
            )
        })
        .map(|(name, path, read_only)| json!([name, path, read_only]))
        .collect();
    assert_eq!(
        shares,
        [
            json!(["os", r"C:\images\base\UtilityVM\Files", true]),
            json!(["layer0", r"C:\images\tools", true]),
            json!(["layer1", r"C:\images\base", true]),
            json!(["folder0", r"C:\data", false]),
            json!(["folder1", r"C:\rules", true]),
        ]
    );
    let adapters = devices["NetworkAdapters"].as_object().expect("a map");
    assert_eq!(adapters.len(), 1);
}

#[test]
fn the_container_sees_what_the_machine_shares() {
    let document = machine().container();
    assert!(matches!(document.kind(), Ok(SystemKind::HostedSystem(_))));
    let document = document.to_value();
    assert_eq!(document["HostingSystemId"], "one@vm");
    let container = &document["HostedSystem"]["Container"];
    const SHARES: &str = r"\\?\VMSMB\VSMB-{dcc079ae-60ba-4d07-847c-3493609c0870}\";
    let layers = container["Storage"]["Layers"].as_array().expect("a list");
    let layers: Vec<_> = layers.iter().map(|layer| layer["Path"].clone()).collect();
    assert_eq!(
        layers,
        [format!("{SHARES}layer0"), format!("{SHARES}layer1")]
    );
    assert_eq!(container["Storage"]["Path"], r"C:\mounts\scsi\m1");
    let folders = container["MappedDirectories"].as_array().expect("a list");
    let folders: Vec<_> = folders
        .iter()
        .map(|folder| folder["HostPath"].clone())
        .collect();
    assert_eq!(
        folders,
        [format!("{SHARES}folder0"), format!("{SHARES}folder1")]
    );
    // The machine's size is the limit.
    assert_eq!(container.get("Memory"), None);
}

#[test]
fn the_disk_is_attached_and_the_layers_are_combined_over_it() {
    let [attach, combine] = machine().preparations();
    let path = attach.check().expect("a change that can be made");
    assert!(matches!(path, ResourcePath::ScsiAttachment(_, 1)));
    let attach = attach.to_value();
    assert_eq!(attach["Settings"]["Path"], r"C:\scratch\one\sandbox.vhdx");
    let mount = json!({"ContainerPath": r"C:\mounts\scsi\m1", "Lun": 1});
    assert_eq!(
        attach["GuestRequest"],
        json!({"ResourceType": "MappedVirtualDisk", "RequestType": "Add", "Settings": mount})
    );
    let combine = combine.to_value();
    assert_eq!(combine.get("ResourcePath"), None);
    let asked = &combine["GuestRequest"];
    assert_eq!(asked["ResourceType"], "CombinedLayers");
    assert_eq!(asked["Settings"]["ContainerRootPath"], r"C:\mounts\scsi\m1");
}

#[test]
fn the_image_is_the_one_that_the_document_names() {
    let config = ContainerConfig {
        hv_runtime: Some(HvRuntime {
            image_path: Some(r"C:\images\tools\UtilityVM".to_owned()),
            ..HvRuntime::default()
        }),
        ..config()
    };
    let machine = UtilityVm::new(&SystemId("one".to_owned()), config).expect("paths");
    let template = machine.template().to_string();
    assert_eq!(template, r"C:\images\tools\UtilityVM\SystemTemplate.vhdx");
    let nowhere = UtilityVm::new(&SystemId("one".to_owned()), ContainerConfig::default());
    assert!(nowhere.is_err());
}
