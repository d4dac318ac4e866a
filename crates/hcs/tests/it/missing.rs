//! DLLs and functions that a host does not have.

use std::path::PathBuf;

use wcow_hcs::{Dll, Error, Stage, disk, layers, network, raw, storage, v1, v2};
use wcow_ntmeta::{Guid, Hresult};

fn is_installed(dll: Dll) -> bool {
    let windows = PathBuf::from(std::env::var_os("SystemRoot").expect("Windows sets it"));
    windows.join("System32").join(dll.file_name()).is_file()
}

/// A call into a DLL that is not there is an error that names both. Where the DLL is there, it is not called: other tests do so, and
/// count meanwhile what is open in it.
#[track_caller]
fn check<T: std::fmt::Debug>(dll: Dll, call: &str, perform: impl FnOnce() -> Result<T, Error>) {
    if is_installed(dll) {
        eprintln!("{call}: {dll} is installed, so nothing is missing");
        return;
    }
    let error = perform().expect_err("the DLL is not there");
    assert_eq!((error.call, error.dll), (call, dll));
    assert_eq!(
        (error.stage, error.code),
        (Stage::Load, Hresult(0x8007_007E))
    );
    assert!(error.is_missing());
}

#[test]
fn a_missing_dll_is_an_error() {
    check(Dll::VmCompute, "HcsEnumerateComputeSystems", || {
        v1::enumerate("{}")
    });
    check(Dll::VmCompute, "HcsOpenComputeSystem", || {
        v1::ComputeSystem::open("x")
    });
    check(Dll::VmCompute, "LayerExists", || layers::exists(r"C:\x"));
    check(Dll::VmCompute, "HNSCall", || {
        network::hns_call("GET", "/networks/", "")
    });
    check(Dll::ComputeCore, "HcsCreateOperation", || {
        v2::enumerate(None)
    });
    check(Dll::ComputeStorage, "HcsDestroyLayer", || {
        storage::destroy(r"C:\x")
    });
    for kind in network::Kind::ALL {
        let name = match kind {
            network::Kind::Network => "HcnOpenNetwork",
            network::Kind::Endpoint => "HcnOpenEndpoint",
            network::Kind::Namespace => "HcnOpenNamespace",
            network::Kind::LoadBalancer => "HcnOpenLoadBalancer",
            network::Kind::SdnRoute => "HcnOpenSdnRoute",
        };
        check(Dll::ComputeNetwork, name, || {
            network::Object::open(kind, Guid::NIL)
        });
    }
    check(
        Dll::ComputeNetwork,
        "HcnRegisterServiceCallback",
        network::subscribe,
    );
    check(Dll::VirtDisk, "OpenVirtualDisk", || {
        disk::VirtualDisk::open(r"C:\x.vhdx", disk::Access::ReadOnly)
    });
}

#[test]
fn a_missing_function_is_an_error() {
    // combase.dll is part of every Windows.
    let error = raw::address(Dll::ComBase, c"WcowIsNotThere").expect_err("no such function");
    assert_eq!(
        (error.call, error.stage, error.code),
        ("WcowIsNotThere", Stage::Find, Hresult(0x8007_007F))
    );
    assert!(!raw::is_there(Dll::ComBase, c"WcowIsNotThere"));
    assert!(raw::is_there(Dll::ComBase, c"CoTaskMemFree"));
}

/// Windows would read the text up to its NUL: another id than was meant.
#[test]
fn a_text_with_a_nul_is_refused_before_any_call() {
    let error = v1::ComputeSystem::open("a\0b").expect_err("a NUL");
    assert_eq!(
        (error.stage, error.code),
        (Stage::Argument, Hresult(0x8007_0057))
    );
    let error = layers::destroy("C:\\a\0b").expect_err("a NUL");
    assert_eq!((error.call, error.stage), ("DestroyLayer", Stage::Argument));
}

/// Wine has a virtdisk.dll with less in it; a host has the whole. Either way a file that is not there cannot be opened.
#[test]
fn a_disk_that_is_not_there_is_an_error() {
    let path = r"C:\wcow-is-not-there\x.vhdx";
    let error = disk::VirtualDisk::open(path, disk::Access::ReadOnly).expect_err("no such file");
    assert_eq!((error.call, error.dll), ("OpenVirtualDisk", Dll::VirtDisk));
    assert!(error.code.is_failure(), "{error}");
}
