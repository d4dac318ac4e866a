//! computestorage.dll: layers of the second generation. The one string that it hands out is freed with `CoTaskMemFree`, as
//! hcsshim 7c9ff7f does.

#[cfg(windows)]
use {
    windows_sys::Win32::Foundation::HANDLE,
    windows_sys::core::{HRESULT, PCWSTR, PWSTR},
};

exports! {
    ComputeStorage;
    declared in windows_sys::Win32::System::HostComputeSystem {
        fn HcsAttachLayerStorageFilter(layerpath: PCWSTR, layerdata: PCWSTR) -> HRESULT;
        fn HcsDestroyLayer(layerpath: PCWSTR) -> HRESULT;
        fn HcsDetachLayerStorageFilter(layerpath: PCWSTR) -> HRESULT;
        fn HcsExportLayer(layerpath: PCWSTR, exportfolderpath: PCWSTR, layerdata: PCWSTR, options: PCWSTR) -> HRESULT;
        fn HcsExportLegacyWritableLayer(writablelayermountpath: PCWSTR, writablelayerfolderpath: PCWSTR, exportfolderpath: PCWSTR, layerdata: PCWSTR) -> HRESULT;
        fn HcsFormatWritableLayerVhd(vhdhandle: HANDLE) -> HRESULT;
        fn HcsGetLayerVhdMountPath(vhdhandle: HANDLE, mountpath: *mut PWSTR) -> HRESULT;
        fn HcsImportLayer(layerpath: PCWSTR, sourcefolderpath: PCWSTR, layerdata: PCWSTR) -> HRESULT;
        fn HcsInitializeLegacyWritableLayer(writablelayermountpath: PCWSTR, writablelayerfolderpath: PCWSTR, layerdata: PCWSTR, options: PCWSTR) -> HRESULT;
        fn HcsInitializeWritableLayer(writablelayerpath: PCWSTR, layerdata: PCWSTR, options: PCWSTR) -> HRESULT;
        fn HcsSetupBaseOSLayer(layerpath: PCWSTR, vhdhandle: HANDLE, options: PCWSTR) -> HRESULT;
        fn HcsSetupBaseOSVolume(layerpath: PCWSTR, volumepath: PCWSTR, options: PCWSTR) -> HRESULT;
    }
    undeclared {
        fn HcsAttachOverlayFilter(volumepath: PCWSTR, layerdata: PCWSTR) -> HRESULT;
        fn HcsDetachOverlayFilter(volumepath: PCWSTR, layerdata: PCWSTR) -> HRESULT;
    }
}
