//! computestorage.dll: layers of the second generation, as far as they need no virtual disk of the caller's. Paths are those of the
//! simulated host.
#![expect(
    unsafe_code,
    non_snake_case,
    reason = "foreign functions, by their names"
)]

use wcow_hcs_schema::schema2::LayerData;
use wcow_host::{ComputeApi, LayerDescriptor, LayerStorage};
use wcow_ntmeta::{Guid, HostPath};

use crate::abi::{HRESULT, PCWSTR};
use crate::answer::{E_INVALIDARG, Outcome};
use crate::documents;
use crate::exports::exports;
use crate::strings::required;
use crate::v1::layers::{code, read_path, run};

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
}
