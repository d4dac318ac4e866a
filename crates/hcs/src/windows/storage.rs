//! Container layers through computestorage.dll: since Windows 10 1809 and Windows Server 2019; [`setup_base_volume`] since build
//! 19645.
//!
//! Documents are those of HCS: `LayerData`, `ExportLayerOptions`, `OsLayerOptions`.
#![expect(unsafe_code, reason = "calls computestorage.dll")]

use std::os::windows::io::{AsRawHandle, BorrowedHandle};
use std::ptr;

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::core::HRESULT;

use super::answer;
use super::memory::{CoTask, OutText};
use crate::error::{Dll, Error};
use crate::raw::computestorage as raw;
use crate::text::Wide;

/// A function of texts alone: its arguments, in order.
macro_rules! of_texts {
    ($($(#[$doc:meta])* $name:ident = $export:ident($($argument:ident),+);)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// See [`Error`].
        pub fn $name($($argument: &str),+) -> Result<(), Error> {
            const CALL: &str = stringify!($export);
            $(let $argument = wide(CALL, $argument)?;)+
            // SAFETY: the texts live until the call returns.
            let answer = unsafe { raw::$export($($argument.as_ptr()),+)? };
            plain(CALL, answer)
        }
    )*};
}

of_texts! {
    /// Makes a layer of a folder in the transport form.
    import = HcsImportLayer(layer, folder, layer_data);
    /// Writes the volume of a mounted writable layer to a folder in the transport form.
    export = HcsExportLayer(volume, folder, layer_data, options);
    /// Writes a writable layer to a folder in the transport form, for hosts of the first generation.
    export_legacy_writable = HcsExportLegacyWritableLayer(volume, layer, folder, layer_data);
    /// Deletes a layer.
    destroy = HcsDestroyLayer(layer);
    /// Makes a volume that was formatted for it into a base layer's. One that was not stays as it is, and the answer is
    /// success: look for `WcSandboxState`.
    setup_base_volume = HcsSetupBaseOSVolume(layer, volume, options);
    /// Makes a volume a writable layer.
    initialize_writable = HcsInitializeWritableLayer(volume, layer_data, options);
    /// Makes a volume a writable layer in the form of the first generation.
    initialize_legacy_writable = HcsInitializeLegacyWritableLayer(volume, layer, layer_data, options);
    /// Lays the parents under a volume.
    attach_filter = HcsAttachLayerStorageFilter(volume, layer_data);
    /// Takes them away.
    detach_filter = HcsDetachLayerStorageFilter(volume);
    /// Lays the parents under a volume, as an overlay. Newer hosts only.
    attach_overlay = HcsAttachOverlayFilter(volume, layer_data);
    /// Takes the overlay away.
    detach_overlay = HcsDetachOverlayFilter(volume, layer_data);
}

/// Makes a base layer of a folder with the files of Windows. The disk is that of a utility VM; containers need none.
///
/// # Errors
/// See [`Error`].
pub fn setup_base_layer(
    layer: &str,
    disk: Option<BorrowedHandle<'_>>,
    options: &str,
) -> Result<(), Error> {
    const CALL: &str = "HcsSetupBaseOSLayer";
    let (layer, options) = (wide(CALL, layer)?, wide(CALL, options)?);
    let disk: HANDLE = disk.map_or(ptr::null_mut(), |disk| disk.as_raw_handle());
    // SAFETY: the texts live and the disk is open until the call returns.
    let answer = unsafe { raw::HcsSetupBaseOSLayer(layer.as_ptr(), disk, options.as_ptr())? };
    plain(CALL, answer)
}

/// Formats an attached virtual disk for a writable layer.
///
/// # Errors
/// See [`Error`].
pub fn format_writable_disk(disk: BorrowedHandle<'_>) -> Result<(), Error> {
    // SAFETY: the disk is open until the call returns.
    let answer = unsafe { raw::HcsFormatWritableLayerVhd(disk.as_raw_handle())? };
    plain("HcsFormatWritableLayerVhd", answer)
}

/// The volume on an attached virtual disk: `\\?\Volume{...}`.
///
/// # Errors
/// See [`Error`].
pub fn mount_path(disk: BorrowedHandle<'_>) -> Result<String, Error> {
    let mut path = OutText::<CoTask>::new();
    // SAFETY: the disk is open and the place lives until the call returns.
    let answer = unsafe { raw::HcsGetLayerVhdMountPath(disk.as_raw_handle(), path.place())? };
    plain("HcsGetLayerVhdMountPath", answer)?;
    Ok(path.into_text().unwrap_or_default())
}

fn wide(call: &'static str, text: &str) -> Result<Wide, Error> {
    Wide::new(call, Dll::ComputeStorage, text)
}

fn plain(call: &'static str, answer: HRESULT) -> Result<(), Error> {
    answer::plain(call, Dll::ComputeStorage, answer)
}
