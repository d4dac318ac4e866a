//! Compute systems are changed while they are there.

use serde_json::json;
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork, Subnet};
use wcow_hcs_schema::schema1::{
    MappedDirectory, ModifyRequestType, ResourceModificationRequest, ResourceType,
};
use wcow_hcs_schema::schema2::{ModifySettingRequest, ResourcePath};
use wcow_host::{ComputeService, FileSystem, Host, Modification, NetworkService, WriteMode};
use wcow_sim::Profile;

use crate::containers::{exec, with_container};
use crate::support::{code, path, run, win32};

const OK: &str = "ok";
const INVALID: &str = "0xC037010D";

fn folder(request: ModifyRequestType, host: &str) -> Modification {
    let folder = MappedDirectory {
        host_path: Some(host.to_owned()),
        container_path: Some(r"C:\seen".to_owned()),
        ..MappedDirectory::default()
    };
    Modification::Schema1(ResourceModificationRequest {
        resource_type: Some(ResourceType::MappedDirectory),
        request_type: Some(request),
        settings: Some(folder.to_value()),
        ..ResourceModificationRequest::default()
    })
}

#[test]
fn a_folder_is_seen_from_then_on_and_no_longer() {
    let (sim, client, system) = with_container(&Profile::server_2022(), 1);
    run(&sim, async {
        let (compute, files) = (client.compute(), client.files());
        files.create_dir_all(&path(r"C:\data")).await.unwrap();
        let file = path(r"C:\data\a.txt");
        files
            .write(&file, b"hello", WriteMode::CreateNew)
            .await
            .unwrap();
        let change =
            async |request, host: &str| code(compute.modify(system, &folder(request, host)).await);
        let add = || ModifyRequestType::Add;
        let remove = || ModifyRequestType::Remove;
        assert_eq!(change(add(), r"C:\nowhere").await, win32(3));
        assert_eq!(change(remove(), r"C:\data").await, win32(0x490));
        assert_eq!(change(add(), r"C:\data").await, OK);
        assert_eq!(change(add(), r"C:\data").await, win32(0xB7));
        let ran = exec(&client, system, r"cmd /c type C:\seen\a.txt").await;
        assert_eq!(ran.out, "hello");
        assert_eq!(change(remove(), r"C:\data").await, OK);
        let ran = exec(&client, system, r"cmd /c type C:\seen\a.txt").await;
        assert_ne!(ran.exit, 0);
    });
}

#[test]
fn an_endpoint_comes_and_goes() {
    let (sim, client, system) = with_container(&Profile::server_2022(), 1);
    run(&sim, async {
        let (compute, hns) = (client.compute(), client.network());
        let network = HnsNetwork {
            name: "nat".to_owned(),
            kind: "nat".to_owned(),
            subnets: vec![Subnet {
                address_prefix: "172.20.0.0/16".to_owned(),
                gateway_address: "172.20.0.1".to_owned(),
                ..Subnet::default()
            }],
            ..HnsNetwork::default()
        };
        let network = hns.create_network(&network).await.unwrap();
        let endpoint = HnsEndpoint {
            virtual_network: network.id,
            ..HnsEndpoint::default()
        };
        let endpoint = hns.create_endpoint(&endpoint).await.unwrap();
        let id = endpoint.id.parse().unwrap();
        let change = async |request| {
            code(
                compute
                    .modify(system, &Modification::Schema1(request))
                    .await,
            )
        };
        let add = ResourceModificationRequest::add_endpoint;
        let remove = ResourceModificationRequest::remove_endpoint;
        let missing = "00000000-0000-0000-0000-000000000001";
        assert_eq!(change(add(missing)).await, win32(0x490));
        assert_eq!(change(add(&endpoint.id)).await, OK);
        assert_ne!(code(hns.delete_endpoint(id).await), OK);
        assert_eq!(change(remove(&endpoint.id)).await, OK);
        assert_eq!(change(remove(&endpoint.id)).await, win32(0x490));
        assert_eq!(code(hns.delete_endpoint(id).await), OK);
    });
}

#[test]
fn limits_are_changed_by_path_and_nonsense_is_refused() {
    let (sim, client, system) = with_container(&Profile::server_2022(), 1);
    run(&sim, async {
        let compute = client.compute();
        let change = async |request: ModifySettingRequest| {
            code(
                compute
                    .modify(system, &Modification::Schema2(request))
                    .await,
            )
        };
        let processor = ResourcePath::ContainerProcessor;
        let update = || ModifySettingRequest::new(&processor, ModifyRequestType::Update);
        assert_eq!(
            change(update().with_settings(json!({"Count": 2}))).await,
            OK
        );
        let ran = exec(&client, system, "cmd /c set NUMBER_OF_PROCESSORS").await;
        assert_eq!(ran.out.trim(), "NUMBER_OF_PROCESSORS=2");
        assert_eq!(
            change(update().with_settings(json!({"Count": "two"}))).await,
            INVALID
        );
        let add = ModifySettingRequest::new(&processor, ModifyRequestType::Add);
        assert_eq!(change(add).await, INVALID);
        let nowhere = ModifySettingRequest {
            resource_path: Some("Container/Nonsense".to_owned()),
            ..update()
        };
        assert_eq!(change(nowhere).await, INVALID);
        let machine = ResourcePath::MachineMemory;
        let machine = ModifySettingRequest::new(&machine, ModifyRequestType::Update);
        assert_eq!(change(machine.with_settings(512)).await, win32(0x32));
    });
}
