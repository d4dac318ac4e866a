//! Container layers through vmcompute.dll, as every host since 2016 has them.
//!
//! A layer is a folder, named by its whole path. A scratch layer is mounted by [`activate`], [`prepare`] and [`mount_path`], and
//! unmounted by [`unprepare`] and [`deactivate`]. A container under Hyper-V needs none of these.
//!
//! Some answers are to be taken with care. [`exists`] is true for any folder. [`destroy`] may say that it went well and leave the
//! folder. Build 17763 answers [`activate`] and [`prepare`] with 0x80070015 or 0x8007048F now and then, and wants one
//! [`prepare`] at a time. This module hands through what the host says; whoever calls it tries again.
#![expect(unsafe_code, reason = "calls vmcompute.dll")]

use std::ptr;

use wcow_ntmeta::{Guid, Hresult};
use windows_sys::core::{GUID, HRESULT, PCWSTR};

use super::answer;
use super::memory::{CoTask, OutText};
use crate::error::{Dll, Error};
use crate::raw::vmcompute::{self as raw, DriverInfo, LayerDescriptor};
use crate::text::{Wide, from_units};

/// The filter driver; the only one that is left.
const FILTER_DRIVER: i32 = 1;

/// The longest path that a host may give, in units: what a `UNICODE_STRING` holds.
const LONGEST_PATH: usize = 32_768;

/// `HRESULT_FROM_WIN32(ERROR_FILENAME_EXCED_RANGE)`.
const TOO_LONG: Hresult = Hresult(0x8007_00CE);

/// A parent of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent<'a> {
    /// What [`name_to_guid`] makes of the name of its folder.
    pub id: Guid,
    /// Its folder.
    pub path: &'a str,
}

/// The id of a layer whose folder has this name.
///
/// # Errors
/// See [`Error`].
pub fn name_to_guid(name: &str) -> Result<Guid, Error> {
    const CALL: &str = "NameToGuid";
    let name = wide(CALL, name)?;
    let mut id = GUID::from_u128(0);
    // SAFETY: the text and the place live until the call returns.
    let answer = unsafe { raw::NameToGuid(name.as_ptr(), &raw mut id)? };
    plain(CALL, answer)?;
    Ok(from_guid(&id))
}

/// Makes a scratch layer: a folder with a virtual disk. Parents stand topmost first, the base last.
///
/// # Errors
/// A parent is not there (0x80070003), the folder is (0x800700B7); see [`Error`].
pub fn create_scratch(path: &str, parents: &[Parent<'_>]) -> Result<(), Error> {
    with_parents("CreateSandboxLayer", path, parents, |info, path, list| {
        // SAFETY: all that is pointed to lives until the call returns; the list is as long as it says.
        unsafe { raw::CreateSandboxLayer(info, path, 0, list.as_ptr(), list.len()) }
    })
}

/// Makes the disk of a scratch layer larger, to this many bytes.
///
/// # Errors
/// See [`Error`].
pub fn expand_scratch(path: &str, bytes: u64) -> Result<(), Error> {
    with_path("ExpandSandboxSize", path, |info, path| {
        // SAFETY: all that is pointed to lives until the call returns.
        unsafe { raw::ExpandSandboxSize(info, path, bytes) }
    })
}

/// Attaches the disk of a scratch layer. The host counts: each needs its [`deactivate`].
///
/// # Errors
/// The disk is open elsewhere (0x80070020), a privilege is missing (0x80070522); see [`Error`].
pub fn activate(path: &str) -> Result<(), Error> {
    with_path("ActivateLayer", path, |info, path| {
        // SAFETY: all that is pointed to lives until the call returns.
        unsafe { raw::ActivateLayer(info, path) }
    })
}

/// Detaches it.
///
/// # Errors
/// See [`Error`].
pub fn deactivate(path: &str) -> Result<(), Error> {
    with_path("DeactivateLayer", path, |info, path| {
        // SAFETY: all that is pointed to lives until the call returns.
        unsafe { raw::DeactivateLayer(info, path) }
    })
}

/// Lays the parents under an active layer, topmost first, the base last.
///
/// # Errors
/// The layer is not active (0x80070037); see [`Error`].
pub fn prepare(path: &str, parents: &[Parent<'_>]) -> Result<(), Error> {
    with_parents("PrepareLayer", path, parents, |info, path, list| {
        // SAFETY: all that is pointed to lives until the call returns; the list is as long as it says.
        unsafe { raw::PrepareLayer(info, path, list.as_ptr(), list.len()) }
    })
}

/// Takes that back.
///
/// # Errors
/// See [`Error`].
pub fn unprepare(path: &str) -> Result<(), Error> {
    with_path("UnprepareLayer", path, |info, path| {
        // SAFETY: all that is pointed to lives until the call returns.
        unsafe { raw::UnprepareLayer(info, path) }
    })
}

/// Where an active layer is mounted: `\\?\Volume{...}`, without a backslash at the end.
///
/// # Errors
/// The layer is not active (0x80070037); see [`Error`].
pub fn mount_path(path: &str) -> Result<String, Error> {
    const CALL: &str = "GetLayerMountPath";
    let mut length = 0_usize;
    with_path(CALL, path, |info, path| {
        // SAFETY: all that is pointed to lives until the call returns. Without a buffer the function writes the length alone.
        unsafe { raw::GetLayerMountPath(info, path, &raw mut length, ptr::null_mut()) }
    })?;
    if length > LONGEST_PATH {
        return Err(Error::answered(CALL, Dll::VmCompute, TOO_LONG, None));
    }
    // One more than the host asks for, so that there is a NUL in any case.
    let mut buffer = vec![0_u16; length.saturating_add(1)];
    with_path(CALL, path, |info, path| {
        // SAFETY: as above; the buffer has more room than `length` says.
        unsafe { raw::GetLayerMountPath(info, path, &raw mut length, buffer.as_mut_ptr()) }
    })?;
    let end = buffer.iter().position(|&unit| unit == 0);
    Ok(from_units(buffer.get(..end.unwrap_or(0)).unwrap_or(&[])))
}

/// Deletes a layer, whatever its files' permissions say. Look afterwards whether the folder is gone.
///
/// # Errors
/// It is in use (0x80070020, 0x80070005); see [`Error`].
pub fn destroy(path: &str) -> Result<(), Error> {
    with_path("DestroyLayer", path, |info, path| {
        // SAFETY: all that is pointed to lives until the call returns.
        unsafe { raw::DestroyLayer(info, path) }
    })
}

/// Whether a folder is there.
///
/// # Errors
/// See [`Error`].
pub fn exists(path: &str) -> Result<bool, Error> {
    let mut exists = 0_u32;
    with_path("LayerExists", path, |info, path| {
        // SAFETY: all that is pointed to lives until the call returns.
        unsafe { raw::LayerExists(info, path, &raw mut exists) }
    })?;
    Ok(exists != 0)
}

/// Makes a layer of a folder in the transport form. Not for base layers.
///
/// # Errors
/// See [`Error`].
pub fn import(path: &str, folder: &str, parents: &[Parent<'_>]) -> Result<(), Error> {
    const CALL: &str = "ImportLayer";
    let folder = wide(CALL, folder)?;
    with_parents(CALL, path, parents, |info, path, list| {
        // SAFETY: all that is pointed to lives until the call returns; the list is as long as it says.
        unsafe { raw::ImportLayer(info, path, folder.as_ptr(), list.as_ptr(), list.len()) }
    })
}

/// Writes a layer to a folder in the transport form. Not for base layers (0x80070057).
///
/// # Errors
/// See [`Error`].
pub fn export(path: &str, folder: &str, parents: &[Parent<'_>]) -> Result<(), Error> {
    const CALL: &str = "ExportLayer";
    let folder = wide(CALL, folder)?;
    with_parents(CALL, path, parents, |info, path, list| {
        // SAFETY: all that is pointed to lives until the call returns; the list is as long as it says.
        unsafe { raw::ExportLayer(info, path, folder.as_ptr(), list.as_ptr(), list.len()) }
    })
}

/// Makes a base layer of a folder with the files of Windows.
///
/// # Errors
/// Files or hives are missing (0x80070003), a privilege is (0x80070522); see [`Error`].
pub fn process_base(path: &str) -> Result<(), Error> {
    const CALL: &str = "ProcessBaseImage";
    let path = wide(CALL, path)?;
    // SAFETY: the text lives until the call returns.
    plain(CALL, unsafe { raw::ProcessBaseImage(path.as_ptr())? })
}

/// Makes the disks of a utility VM; `path` is the folder `UtilityVM` of a base layer.
///
/// # Errors
/// See [`Error`].
pub fn process_utility_vm(path: &str) -> Result<(), Error> {
    const CALL: &str = "ProcessUtilityImage";
    let path = wide(CALL, path)?;
    // SAFETY: the text lives until the call returns.
    plain(CALL, unsafe { raw::ProcessUtilityImage(path.as_ptr())? })
}

/// Lets a virtual machine open a file.
///
/// # Errors
/// See [`Error`].
pub fn grant_vm_access(vm: &str, file: &str) -> Result<(), Error> {
    const CALL: &str = "GrantVmAccess";
    let (vm, file) = (wide(CALL, vm)?, wide(CALL, file)?);
    // SAFETY: both texts live until the call returns.
    plain(CALL, unsafe {
        raw::GrantVmAccess(vm.as_ptr(), file.as_ptr())?
    })
}

/// The images of a host of the preview era, as JSON.
///
/// # Errors
/// Later hosts have no such function (0x8007007F); see [`Error`].
pub fn base_images() -> Result<String, Error> {
    let mut images = OutText::<CoTask>::new();
    // SAFETY: the place lives until the call returns.
    let answer = unsafe { raw::GetBaseImages(images.place())? };
    plain("GetBaseImages", answer)?;
    Ok(images.into_text().unwrap_or_default())
}

fn with_path(
    call: &'static str,
    path: &str,
    run: impl FnOnce(*const DriverInfo, PCWSTR) -> Result<HRESULT, Error>,
) -> Result<(), Error> {
    let path = wide(call, path)?;
    let home = wide(call, "")?;
    let info = DriverInfo {
        flavour: FILTER_DRIVER,
        home: home.as_ptr(),
    };
    plain(call, run(&raw const info, path.as_ptr())?)
}

fn with_parents(
    call: &'static str,
    path: &str,
    parents: &[Parent<'_>],
    run: impl FnOnce(*const DriverInfo, PCWSTR, &[LayerDescriptor]) -> Result<HRESULT, Error>,
) -> Result<(), Error> {
    let paths: Vec<Wide> = parents
        .iter()
        .map(|parent| wide(call, parent.path))
        .collect::<Result<_, _>>()?;
    let list: Vec<LayerDescriptor> = parents
        .iter()
        .zip(&paths)
        .map(|(parent, path)| LayerDescriptor {
            id: to_guid(parent.id),
            flags: 0,
            path: path.as_ptr(),
        })
        .collect();
    with_path(call, path, |info, path| run(info, path, &list))
}

/// A GUID as functions take it.
pub(crate) fn to_guid(id: Guid) -> GUID {
    GUID::from_u128(id.to_u128())
}

/// A GUID as functions give it.
pub(crate) fn from_guid(id: &GUID) -> Guid {
    let mut bytes = [0; 16];
    let [a, b, c, d, e, f, g, h, rest @ ..] = &mut bytes;
    [*a, *b, *c, *d] = id.data1.to_le_bytes();
    [*e, *f] = id.data2.to_le_bytes();
    [*g, *h] = id.data3.to_le_bytes();
    *rest = id.data4;
    Guid::from_bytes(bytes)
}

fn wide(call: &'static str, text: &str) -> Result<Wide, Error> {
    Wide::new(call, Dll::VmCompute, text)
}

fn plain(call: &'static str, answer: HRESULT) -> Result<(), Error> {
    answer::plain(call, Dll::VmCompute, answer)
}

#[cfg(test)]
mod tests {
    use wcow_ntmeta::Guid;

    use super::{from_guid, to_guid};

    #[test]
    fn a_guid_is_the_same_both_ways() {
        let id = Guid::from_u128(0xbd9c3ef9_f239_59b5_a27e_15c523b1d149);
        assert_eq!(to_guid(id).data1, 0xbd9c_3ef9);
        assert_eq!(from_guid(&to_guid(id)), id);
    }
}
