//! The rows of the tables against what is known of the DLLs.
//!
//! What windows-sys declares is compared by the compiler, type by type. vmcompute.dll it does not declare: those rows are held to
//! this list, taken from what public clients call (hcsshim 7c9ff7f, `internal/vmcompute`, `internal/wclayer`, `internal/hns`).

use std::collections::BTreeSet;

use wcow_hcs::{Dll, raw};

/// Names of vmcompute.dll, with how many parameters they take, and which of these are places for strings of the DLL.
const V1: &[(&str, usize, &[usize])] = &[
    ("HcsEnumerateComputeSystems", 3, &[1, 2]),
    ("HcsCreateComputeSystem", 5, &[4]),
    ("HcsOpenComputeSystem", 3, &[2]),
    ("HcsCloseComputeSystem", 1, &[]),
    ("HcsStartComputeSystem", 3, &[2]),
    ("HcsShutdownComputeSystem", 3, &[2]),
    ("HcsTerminateComputeSystem", 3, &[2]),
    ("HcsPauseComputeSystem", 3, &[2]),
    ("HcsResumeComputeSystem", 3, &[2]),
    ("HcsSaveComputeSystem", 3, &[2]),
    ("HcsGetComputeSystemProperties", 4, &[2, 3]),
    ("HcsModifyComputeSystem", 3, &[2]),
    ("HcsModifyServiceSettings", 2, &[1]),
    ("HcsGetServiceProperties", 3, &[1, 2]),
    ("HcsRegisterComputeSystemCallback", 4, &[]),
    ("HcsUnregisterComputeSystemCallback", 1, &[]),
    ("HcsCreateProcess", 5, &[4]),
    ("HcsOpenProcess", 4, &[3]),
    ("HcsCloseProcess", 1, &[]),
    ("HcsTerminateProcess", 2, &[1]),
    ("HcsSignalProcess", 3, &[2]),
    ("HcsGetProcessInfo", 3, &[2]),
    ("HcsGetProcessProperties", 3, &[1, 2]),
    ("HcsModifyProcess", 3, &[2]),
    ("HcsRegisterProcessCallback", 4, &[]),
    ("HcsUnregisterProcessCallback", 1, &[]),
    ("HNSCall", 4, &[3]),
    ("NameToGuid", 2, &[]),
    ("CreateLayer", 3, &[]),
    ("CreateSandboxLayer", 5, &[]),
    ("ExpandSandboxSize", 3, &[]),
    ("ActivateLayer", 2, &[]),
    ("PrepareLayer", 4, &[]),
    ("GetLayerMountPath", 4, &[]),
    ("UnprepareLayer", 2, &[]),
    ("DeactivateLayer", 2, &[]),
    ("DestroyLayer", 2, &[]),
    ("LayerExists", 3, &[]),
    ("ImportLayer", 5, &[]),
    ("ExportLayer", 5, &[]),
    ("ProcessBaseImage", 1, &[]),
    ("ProcessUtilityImage", 1, &[]),
    ("GrantVmAccess", 2, &[]),
    ("GetBaseImages", 1, &[0]),
];

#[test]
fn vmcompute_is_as_its_clients_call_it() {
    for &(name, parameters, strings) in V1 {
        let row = raw::find(Dll::VmCompute, name).unwrap_or_else(|| panic!("no row for {name}"));
        assert_eq!(row.parameters.len(), parameters, "{name}");
        let places: Vec<usize> = (0..)
            .zip(row.parameters)
            .filter(|(_, (_, kind))| kind.replace(' ', "") == "*mutPWSTR")
            .map(|(index, _)| index)
            .collect();
        assert_eq!(places, strings, "{name}");
        assert_eq!(row.returns, "HRESULT", "{name}");
    }
    assert_eq!(raw::vmcompute::EXPORTS.len(), V1.len());
}

/// How many rows each DLL has, and how many of these the compiler compares with windows-sys 0.61.2.
#[test]
fn all_that_windows_sys_declares_is_compared() {
    let counted =
        |rows: &[raw::Export]| (rows.len(), rows.iter().filter(|row| row.checked).count());
    assert_eq!(counted(raw::computecore::EXPORTS), (60, 54));
    assert_eq!(counted(raw::computestorage::EXPORTS), (14, 12));
    assert_eq!(counted(raw::computenetwork::EXPORTS), (50, 43));
    assert_eq!(counted(raw::virtdisk::EXPORTS), (7, 7));
    assert_eq!(counted(raw::combase::EXPORTS), (2, 2));
    assert_eq!(counted(raw::vmcompute::EXPORTS), (V1.len(), 0));
}

#[test]
fn each_function_has_one_row_under_its_dll() {
    let mut seen = BTreeSet::new();
    for (dll, rows) in Dll::ALL.into_iter().zip(raw::TABLES) {
        for row in *rows {
            assert_eq!(row.dll, dll, "{}", row.name);
            assert!(seen.insert((dll, row.name)), "{dll} has {} twice", row.name);
        }
    }
    assert_eq!(raw::TABLES.len(), Dll::ALL.len());
}

#[test]
fn both_spellings_of_shutdown_are_kept_apart() {
    let both = ["HcsShutdownComputeSystem", "HcsShutDownComputeSystem"];
    let found = |dll| both.map(|name| raw::find(dll, name).is_some());
    assert_eq!(found(Dll::VmCompute), [true, false]);
    assert_eq!(found(Dll::ComputeCore), [false, true]);
}
