//! computestorage.dll: layers of the second generation. Paths and volumes are those of the simulated host.
//!
//! Volumes are those of scratch layers that are attached, by the functions of vmcompute.dll: the simulator gives no virtual disks, so
//! that what takes a handle of one finds no good one. A scratch layer is a writable layer from the beginning on.
#![expect(
    unsafe_code,
    non_snake_case,
    reason = "foreign functions, by their names"
)]

use std::sync::Arc;

use wcow_hcs_schema::schema2::{LayerData, OsLayerOptions, OsLayerType};
use wcow_host::codes::win32;
use wcow_host::{ComputeApi, LayerDescriptor, LayerStorage};
use wcow_ntmeta::{Guid, HostPath, Hresult};

use crate::abi::{HANDLE, HRESULT, PCWSTR, PWSTR};
use crate::answer::{E_INVALIDARG, Outcome, number};
use crate::documents;
use crate::exports::exports;
use crate::strings::{self, required};
use crate::table;
use crate::v1::layers::{code, read_path, run};

/// A handle of a virtual disk: none is good, and the call counts as one with a bad handle.
fn disk(handle: HANDLE) -> Result<(), Hresult> {
    table::find(handle, |_| None::<Arc<()>>).map(|_| ())
}

/// The folder of the scratch layer that is attached as a volume.
///
/// # Safety
/// The pointer is null or good for reading.
unsafe fn scratch_at(volume: PCWSTR) -> Outcome<HostPath> {
    // SAFETY: the caller vouches for the pointer.
    let volume = unsafe { required(volume) }?;
    let found = run(move |host| async move { host.scratch_at(&volume).await })?;
    Ok(found.ok_or(win32::PATH_NOT_FOUND)?)
}

/// Lays the parents that a document names under a volume.
///
/// # Safety
/// The pointers are null or good for reading.
unsafe fn attach(volume: PCWSTR, data: PCWSTR) -> Outcome<()> {
    // SAFETY: the caller vouches for the pointers.
    let (scratch, parents) = unsafe { (scratch_at(volume)?, parents(data)?) };
    run(move |host| async move { host.prepare(&scratch, &parents).await })
}

/// Takes them away.
///
/// # Safety
/// The pointer is null or good for reading.
unsafe fn detach(volume: PCWSTR) -> Outcome<()> {
    // SAFETY: the caller vouches for the pointer.
    let scratch = unsafe { scratch_at(volume) }?;
    run(move |host| async move { host.unprepare(&scratch).await })
}

/// The parents that a document names, nearest first.
///
/// # Safety
/// The pointer is null or good for reading.
unsafe fn parents(document: PCWSTR) -> Outcome<Vec<LayerDescriptor>> {
    // SAFETY: the caller vouches for the pointer.
    let text = unsafe { required(document) }?;
    let data: LayerData = documents::read(&text, ComputeApi::V2)?;
    let parents = data.layers.into_iter().map(|layer| {
        let path = layer.path.unwrap_or_default();
        Ok(LayerDescriptor {
            id: layer.id.unwrap_or(Guid::NIL),
            path: HostPath::parse(&path).map_err(|_| E_INVALIDARG)?,
        })
    });
    parents.collect()
}

exports! {
    ComputeStorage;

    /// Makes a layer of a folder.
    "computestorage_HcsImportLayer" fn HcsImportLayer(layerpath: PCWSTR, sourcefolderpath: PCWSTR, layerdata: PCWSTR) -> HRESULT {
        code((|| {
            // SAFETY: the caller vouches for the pointers.
            let (layer, folder, parents) = unsafe { (read_path(layerpath)?, read_path(sourcefolderpath)?, parents(layerdata)?) };
            run(move |host| async move { host.import(&layer, &folder, &parents).await })
        })())
    }

    /// Writes a layer to a folder. Options are not looked into.
    "computestorage_HcsExportLayer" fn HcsExportLayer(layerpath: PCWSTR, exportfolderpath: PCWSTR, layerdata: PCWSTR, options: PCWSTR) -> HRESULT {
        let _ = options;
        code((|| {
            // SAFETY: the caller vouches for the pointers.
            let (layer, folder, parents) = unsafe { (read_path(layerpath)?, read_path(exportfolderpath)?, parents(layerdata)?) };
            run(move |host| async move { host.export(&layer, &folder, &parents).await })
        })())
    }

    /// Removes a layer.
    "computestorage_HcsDestroyLayer" fn HcsDestroyLayer(layerpath: PCWSTR) -> HRESULT {
        code((|| {
            // SAFETY: the caller vouches for the pointers.
            let layer = unsafe { read_path(layerpath) }?;
            run(move |host| async move { host.destroy(&layer).await })
        })())
    }

    /// Makes a volume a writable layer: a scratch layer is one, so that it is looked only whether all that is needed is there. Options
    /// are not looked into.
    "computestorage_HcsInitializeWritableLayer" fn HcsInitializeWritableLayer(writablelayerpath: PCWSTR, layerdata: PCWSTR, options: PCWSTR) -> HRESULT {
        let _ = options;
        code((|| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { scratch_at(writablelayerpath) }?;
            // Measured: what is wrong with the document is a path that is not found.
            // SAFETY: as above.
            let parents = unsafe { parents(layerdata) }.map_err(|_| win32::PATH_NOT_FOUND)?;
            if parents.is_empty() {
                return Err(win32::PATH_NOT_FOUND.into());
            }
            for parent in parents {
                if !run(move |host| async move { host.exists(&parent.path).await })? {
                    return Err(win32::PATH_NOT_FOUND.into());
                }
            }
            Ok(())
        })())
    }

    /// Lays parents under a volume.
    "computestorage_HcsAttachLayerStorageFilter" fn HcsAttachLayerStorageFilter(layerpath: PCWSTR, layerdata: PCWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        code(unsafe { attach(layerpath, layerdata) })
    }

    /// Takes the parents of a volume away.
    "computestorage_HcsDetachLayerStorageFilter" fn HcsDetachLayerStorageFilter(layerpath: PCWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointer.
        code(unsafe { detach(layerpath) })
    }

    /// Lays parents under a volume; the simulator knows one way to do so.
    "computestorage_HcsAttachOverlayFilter" fn HcsAttachOverlayFilter(volumepath: PCWSTR, layerdata: PCWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        code(unsafe { attach(volumepath, layerdata) })
    }

    /// Takes the parents of a volume away. The document is not looked into.
    "computestorage_HcsDetachOverlayFilter" fn HcsDetachOverlayFilter(volumepath: PCWSTR, layerdata: PCWSTR) -> HRESULT {
        let _ = layerdata;
        // SAFETY: the caller vouches for the pointer.
        code(unsafe { detach(volumepath) })
    }

    /// Makes a base layer of a folder with files and hives; that of a utility virtual machine needs a disk.
    "computestorage_HcsSetupBaseOSLayer" fn HcsSetupBaseOSLayer(layerpath: PCWSTR, vhdhandle: HANDLE, options: PCWSTR) -> HRESULT {
        code((|| {
            // SAFETY: the caller vouches for the pointers.
            let (layer, options) = unsafe { (read_path(layerpath)?, required(options)?) };
            let options: OsLayerOptions = documents::read(&options, ComputeApi::V2)?;
            let container = match options.kind {
                None | Some(OsLayerType::Container) => true,
                Some(OsLayerType::Vm) => false,
                Some(OsLayerType::Other(_)) => return Err(E_INVALIDARG.into()),
            };
            if !(container && vhdhandle.is_null()) {
                disk(vhdhandle)?;
            }
            run(move |host| async move { host.process_base(&layer).await })
        })())
    }

    /// Formats a virtual disk: the simulator gives none.
    "computestorage_HcsFormatWritableLayerVhd" fn HcsFormatWritableLayerVhd(vhdhandle: HANDLE) -> HRESULT {
        number(disk(vhdhandle))
    }

    /// Tells the volume on a virtual disk: the simulator gives none.
    "computestorage_HcsGetLayerVhdMountPath" fn HcsGetLayerVhdMountPath(vhdhandle: HANDLE, mountpath: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the place.
        unsafe { strings::clear(mountpath) };
        number(disk(vhdhandle))
    }
}
