//! A host without any of the DLLs: every call says what is missing, and the catalogue knows the way out.

use std::path::PathBuf;

use wcow_hcs::Dll;
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork};
use wcow_hcs_schema::schema1::ContainerConfig;
use wcow_host::codes::win32;
use wcow_host::{
    ComputeApi, ComputeService, CreateDocument, HostError, HostInfo, LayerStorage, NetworkService,
    SystemId, failures,
};
use wcow_ntmeta::{Guid, HostPath};
use wcow_winhost::compute::WinCompute;
use wcow_winhost::layers::WinLayers;
use wcow_winhost::network::WinNetwork;
use wcow_winhost::{CallLimits, block_on, machine};

fn is_installed(dll: Dll) -> bool {
    let windows = PathBuf::from(std::env::var_os("SystemRoot").expect("Windows sets it"));
    windows.join("System32").join(dll.file_name()).is_file()
}

/// The code, and what the catalogue says to do about it.
#[track_caller]
fn check_way_out<T: std::fmt::Debug>(answer: Result<T, HostError>) {
    let error = answer.expect_err("there is no such DLL");
    assert_eq!(error.hresult(), Some(win32::MOD_NOT_FOUND), "{error}");
    // As a Windows that can be asked about containers; Wine calls itself an older one.
    let info = HostInfo {
        build: 20_348,
        ..machine::info().expect("it can be read")
    };
    let known = failures::candidates(&error, &info);
    let first = known.first().map(|failure| failure.id.0);
    assert_eq!(first, Some("compute-service-missing"), "{error}");
}

#[test]
fn every_call_names_what_is_missing() {
    if is_installed(Dll::VmCompute) || is_installed(Dll::ComputeCore) {
        println!("skipped: there are such DLLs here");
        return;
    }
    let limits = CallLimits::default();
    let id = SystemId("one".to_owned());
    let document = CreateDocument::Schema1(ContainerConfig::default());
    let chosen = WinCompute::new(20_348, limits);
    assert_eq!(chosen.api(), ComputeApi::V1);
    for compute in [chosen, WinCompute::through(ComputeApi::V2, 20_348, limits)] {
        block_on(async {
            check_way_out(compute.create(&id, &document).await);
            check_way_out(compute.open(&id).await);
            check_way_out(compute.enumerate().await);
        });
    }
    let folder = HostPath::parse(r"C:\layer").expect("a path");
    let layers = WinLayers::new(limits);
    let network = WinNetwork::new(limits);
    block_on(async {
        check_way_out(layers.process_base(&folder).await);
        check_way_out(layers.process_utility_vm(&folder).await);
        check_way_out(layers.exists(&folder).await);
        check_way_out(layers.create_scratch(&folder, &[]).await);
        check_way_out(layers.expand(&folder, 1).await);
        check_way_out(layers.activate(&folder).await);
        check_way_out(layers.prepare(&folder, &[]).await);
        check_way_out(layers.mount_path(&folder).await);
        check_way_out(layers.unprepare(&folder).await);
        check_way_out(layers.deactivate(&folder).await);
        check_way_out(layers.destroy(&folder).await);
        check_way_out(layers.import(&folder, &folder, &[]).await);
        check_way_out(layers.export(&folder, &folder, &[]).await);
        check_way_out(layers.base_images().await);
        check_way_out(layers.grant_vm_access(&id, &folder).await);
        check_way_out(network.networks().await);
        check_way_out(network.create_network(&HnsNetwork::default()).await);
        check_way_out(network.delete_network(Guid::NIL).await);
        check_way_out(network.endpoints().await);
        check_way_out(network.create_endpoint(&HnsEndpoint::default()).await);
        check_way_out(network.delete_endpoint(Guid::NIL).await);
    });
}
