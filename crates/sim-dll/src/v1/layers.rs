//! vmcompute.dll: layers, as all hosts have them. Paths are those of the simulated host.
#![expect(
    unsafe_code,
    non_snake_case,
    reason = "foreign functions, by their names"
)]

use std::future::Future;

use wcow_host::{HostError, LayerDescriptor as Parent, LayerStorage, SystemId, era};
use wcow_ntmeta::{HostPath, Hresult};
use wcow_sim::RemoteHost;

use super::API;
use crate::abi::{DriverInfo, GUID, HRESULT, LayerDescriptor, PCWSTR, PWSTR};
use crate::answer::{E_INVALIDARG, Outcome, json, number};
use crate::exports::exports;
use crate::session::session;
use crate::strings::{self, Owner, required};

/// More parents than any layer has.
const PARENTS: usize = 1024;
/// A path that is none.
const BAD_PATHNAME: Hresult = Hresult(0x8007_00A1);
/// A buffer that is too small.
const INSUFFICIENT_BUFFER: Hresult = Hresult(0x8007_007A);

/// A layer by its id: a whole path, or a name in the folder that the driver is told.
///
/// # Safety
/// The pointers are null or good for reading.
unsafe fn layer(info: *const DriverInfo, id: PCWSTR) -> Result<HostPath, Hresult> {
    if info.is_null() {
        return Err(E_INVALIDARG);
    }
    // SAFETY: it is not null; the caller vouches for the rest.
    let info = unsafe { info.read_unaligned() };
    if info.flavour != 1 {
        return Err(E_INVALIDARG);
    }
    // SAFETY: the caller vouches for the pointers.
    let (home, id) = unsafe { (strings::read(info.home)?, required(id)?) };
    match home.as_deref() {
        None | Some("") => path(&id),
        Some(home) => path(&format!(r"{home}\{id}")),
    }
}

fn path(text: &str) -> Result<HostPath, Hresult> {
    HostPath::parse(text).map_err(|_| BAD_PATHNAME)
}

/// Reads a path that must be there.
///
/// # Safety
/// The pointer is null or good for reading.
pub(crate) unsafe fn read_path(text: PCWSTR) -> Result<HostPath, Hresult> {
    // SAFETY: the caller vouches for the pointer.
    path(&unsafe { required(text) }?)
}

/// Reads the list of parents.
///
/// # Safety
/// The pointer is null or leads to so many descriptors.
unsafe fn parents(list: *const LayerDescriptor, count: usize) -> Result<Vec<Parent>, Hresult> {
    if count > PARENTS || (list.is_null() && count > 0) {
        return Err(E_INVALIDARG);
    }
    (0..count)
        .map(|index| {
            // SAFETY: the caller vouches for so many.
            let parent = unsafe { list.add(index).read_unaligned() };
            Ok(Parent {
                id: parent.id.into(),
                // SAFETY: the caller vouches for the path of each.
                path: unsafe { read_path(parent.path) }?,
            })
        })
        .collect()
}

/// Carries a call out.
pub(crate) fn run<T: Send + 'static, F>(
    call: impl FnOnce(RemoteHost) -> F + Send + 'static,
) -> Outcome<T>
where
    F: Future<Output = Result<T, HostError>> + Send + 'static,
{
    let session = session()?;
    let host = session.host(API);
    session.wait(async move { call(host).await })
}

/// The code of an outcome: layer functions give no document.
pub(crate) fn code(outcome: Outcome<()>) -> HRESULT {
    number(outcome.map_err(|failure| failure.code))
}

/// Lets a virtual machine use a file.
///
/// # Safety
/// The pointers are null or good for reading.
pub(crate) unsafe fn grant(machine: PCWSTR, file: PCWSTR) -> HRESULT {
    code((|| {
        // SAFETY: the caller vouches for the pointers.
        let (machine, file) = unsafe { (SystemId(required(machine)?), read_path(file)?) };
        run(move |host| async move { host.grant_vm_access(&machine, &file).await })
    })())
}

macro_rules! simple {
    ($info:ident, $id:ident, |$host:ident, $layer:ident| $call:expr) => {
        code((|| {
            // SAFETY: the caller vouches for the pointers.
            let $layer = unsafe { layer($info, $id) }?;
            run(move |$host| async move { $call.await })
        })())
    };
}

exports! {
    VmCompute;

    /// The id that the service knows a layer by.
    "vmcompute_NameToGuid" fn NameToGuid(name: PCWSTR, id: *mut GUID) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        number(unsafe { required(name) }.and_then(|name| {
            if id.is_null() {
                return Err(E_INVALIDARG);
            }
            // SAFETY: it is not null; the caller vouches for the rest.
            unsafe { id.write_unaligned(era::layer_id(&name).into()) };
            Ok(())
        }))
    }

    /// Makes a scratch layer.
    "vmcompute_CreateSandboxLayer" fn CreateSandboxLayer(info: *const DriverInfo, id: PCWSTR, parent: usize, descriptors: *const LayerDescriptor, count: usize) -> HRESULT {
        let _ = parent;
        code((|| {
            // SAFETY: the caller vouches for the pointers.
            let (layer, parents) = unsafe { (layer(info, id)?, parents(descriptors, count)?) };
            run(move |host| async move { host.create_scratch(&layer, &parents).await })
        })())
    }

    /// Makes the disk of a scratch layer larger.
    "vmcompute_ExpandSandboxSize" fn ExpandSandboxSize(info: *const DriverInfo, id: PCWSTR, size: u64) -> HRESULT {
        simple!(info, id, |host, layer| host.expand(&layer, size))
    }

    /// Attaches the disk of a scratch layer.
    "vmcompute_ActivateLayer" fn ActivateLayer(info: *const DriverInfo, id: PCWSTR) -> HRESULT {
        simple!(info, id, |host, layer| host.activate(&layer))
    }

    /// Mounts the parents of a scratch layer.
    "vmcompute_PrepareLayer" fn PrepareLayer(info: *const DriverInfo, id: PCWSTR, descriptors: *const LayerDescriptor, count: usize) -> HRESULT {
        code((|| {
            // SAFETY: the caller vouches for the pointers.
            let (layer, parents) = unsafe { (layer(info, id)?, parents(descriptors, count)?) };
            run(move |host| async move { host.prepare(&layer, &parents).await })
        })())
    }

    /// The volume of a mounted layer: how long its name is with its NUL, and, where there is a buffer, the name.
    "vmcompute_GetLayerMountPath" fn GetLayerMountPath(info: *const DriverInfo, id: PCWSTR, length: *mut usize, buffer: PWSTR) -> HRESULT {
        code((|| {
            if length.is_null() {
                return Err(E_INVALIDARG.into());
            }
            // SAFETY: the caller vouches for the pointers.
            let layer = unsafe { layer(info, id) }?;
            let volume = run(move |host| async move { host.mount_path(&layer).await })?;
            let units: Vec<u16> = volume.encode_utf16().chain([0]).collect();
            // SAFETY: it is not null; the caller vouches for the rest.
            let room = unsafe { length.read_unaligned() };
            // SAFETY: as above.
            unsafe { length.write_unaligned(units.len()) };
            if buffer.is_null() {
                return Ok(());
            }
            if room < units.len() {
                return Err(INSUFFICIENT_BUFFER.into());
            }
            for (index, unit) in units.iter().enumerate() {
                // SAFETY: the buffer has room for as many units as the caller says, which are no fewer than these.
                unsafe { buffer.add(index).write_unaligned(*unit) };
            }
            Ok(())
        })())
    }

    /// Takes the parents of a scratch layer away.
    "vmcompute_UnprepareLayer" fn UnprepareLayer(info: *const DriverInfo, id: PCWSTR) -> HRESULT {
        simple!(info, id, |host, layer| host.unprepare(&layer))
    }

    /// Detaches the disk of a scratch layer.
    "vmcompute_DeactivateLayer" fn DeactivateLayer(info: *const DriverInfo, id: PCWSTR) -> HRESULT {
        simple!(info, id, |host, layer| host.deactivate(&layer))
    }

    /// Removes a layer.
    "vmcompute_DestroyLayer" fn DestroyLayer(info: *const DriverInfo, id: PCWSTR) -> HRESULT {
        simple!(info, id, |host, layer| host.destroy(&layer))
    }

    /// Whether the folder of a layer is there.
    "vmcompute_LayerExists" fn LayerExists(info: *const DriverInfo, id: PCWSTR, exists: *mut u32) -> HRESULT {
        code((|| {
            if exists.is_null() {
                return Err(E_INVALIDARG.into());
            }
            // SAFETY: the caller vouches for the pointers.
            let layer = unsafe { layer(info, id) }?;
            let there = run(move |host| async move { host.exists(&layer).await })?;
            // SAFETY: it is not null; the caller vouches for the rest.
            unsafe { exists.write_unaligned(there.into()) };
            Ok(())
        })())
    }

    /// Makes a layer of a folder.
    "vmcompute_ImportLayer" fn ImportLayer(info: *const DriverInfo, id: PCWSTR, folder: PCWSTR, descriptors: *const LayerDescriptor, count: usize) -> HRESULT {
        code((|| {
            // SAFETY: the caller vouches for the pointers.
            let (layer, folder, parents) = unsafe { (layer(info, id)?, read_path(folder)?, parents(descriptors, count)?) };
            run(move |host| async move { host.import(&layer, &folder, &parents).await })
        })())
    }

    /// Writes a layer to a folder.
    "vmcompute_ExportLayer" fn ExportLayer(info: *const DriverInfo, id: PCWSTR, folder: PCWSTR, descriptors: *const LayerDescriptor, count: usize) -> HRESULT {
        code((|| {
            // SAFETY: the caller vouches for the pointers.
            let (layer, folder, parents) = unsafe { (layer(info, id)?, read_path(folder)?, parents(descriptors, count)?) };
            run(move |host| async move { host.export(&layer, &folder, &parents).await })
        })())
    }

    /// Makes a base layer usable.
    "vmcompute_ProcessBaseImage" fn ProcessBaseImage(path: PCWSTR) -> HRESULT {
        code((|| {
            // SAFETY: the caller vouches for the pointers.
            let layer = unsafe { read_path(path) }?;
            run(move |host| async move { host.process_base(&layer).await })
        })())
    }

    /// Makes the utility VM of a base layer usable.
    "vmcompute_ProcessUtilityImage" fn ProcessUtilityImage(path: PCWSTR) -> HRESULT {
        code((|| {
            // SAFETY: the caller vouches for the pointers.
            let layer = unsafe { read_path(path) }?;
            run(move |host| async move { host.process_utility_vm(&layer).await })
        })())
    }

    /// Lets a virtual machine use a file.
    "vmcompute_GrantVmAccess" fn GrantVmAccess(vmId: PCWSTR, file: PCWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { grant(vmId, file) }
    }

    /// The base images of the store that all users share.
    "vmcompute_GetBaseImages" fn GetBaseImages(images: *mut PWSTR) -> HRESULT {
        code((|| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { strings::clear(images) };
            let found = run(|host| async move { host.base_images().await })?;
            let list: Vec<_> = found
                .into_iter()
                .map(|image| serde_json::json!({
                    "Name": image.name,
                    "Version": image.version,
                    "Path": image.path.to_string(),
                    "Size": image.size,
                    "CreatedTime": image.created.map(|time| time.to_string()),
                }))
                .collect();
            let document = json(&serde_json::json!({ "Images": list }));
            // SAFETY: as above.
            Ok(unsafe { strings::give(images, &document, Owner::CoTask) }?)
        })())
    }
}
