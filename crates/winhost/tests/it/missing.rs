//! A host without any of the DLLs: every call says what is missing, and the catalogue knows the way out.

use std::path::PathBuf;

use wcow_hcs::Dll;
use wcow_hcs_schema::schema1::ContainerConfig;
use wcow_host::codes::win32;
use wcow_host::{
    ComputeApi, ComputeService, CreateDocument, HostError, LayerStorage, NetworkService, SystemId,
    codes, failures,
};
use wcow_ntmeta::HostPath;
use wcow_winhost::compute::WinCompute;
use wcow_winhost::layers::WinLayers;
use wcow_winhost::network::WinNetwork;
use wcow_winhost::{CallLimits, block_on, machine};

fn is_installed(dll: Dll) -> bool {
    let windows = PathBuf::from(std::env::var_os("SystemRoot").expect("Windows sets it"));
    windows.join("System32").join(dll.file_name()).is_file()
}

#[track_caller]
fn check<T: std::fmt::Debug>(answer: Result<T, HostError>) {
    let error = answer.expect_err("there is no such DLL");
    assert_eq!(error.hresult(), Some(win32::MOD_NOT_FOUND), "{error}");
    assert_eq!(
        codes::name(win32::MOD_NOT_FOUND),
        Some("ERROR_MOD_NOT_FOUND")
    );
}

/// The same, and the catalogue knows what to do about it.
#[track_caller]
fn check_way_out<T: std::fmt::Debug>(answer: Result<T, HostError>) {
    let error = answer.as_ref().expect_err("there is no such DLL").clone();
    check(answer);
    let info = machine::info().expect("it can be read");
    let known = failures::candidates(&error, &info);
    let ways: Vec<_> = known.iter().map(|failure| failure.way_out).collect();
    assert!(
        ways.iter().any(|way| way.contains("Containers")),
        "{error}: {ways:?}"
    );
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
        check_way_out(layers.create_scratch(&folder, &[]).await);
        check_way_out(layers.mount_path(&folder).await);
        check(network.networks().await);
    });
}
