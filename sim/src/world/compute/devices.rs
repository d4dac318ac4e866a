//! Virtual machines are changed: shared folders, disks, adapters, memory; and what their guests are asked for.
//!
//! A request may hold one to the guest. Something that is added reaches the guest after the machine has it, something that is removed is
//! let go by the guest first; where one of the two is refused, nothing is changed. Requests that the guests here do not know are
//! refused (0x32). Which codes refuse what is inferred: taken is 0xB7, in use 0x20, not there 0x490, a path of the guest 0x3.

use wcow_hcs_schema::schema1::ModifyRequestType;
use wcow_hcs_schema::schema2::{
    Attachment, CombinedLayers, GuestRequest, GuestRequestType, GuestResource, MappedVirtualDisk,
    ModifySettingRequest, NetworkAdapter, ResourcePath, VirtualSmbShare,
};
use wcow_host::codes::{v1, win32};
use wcow_ntmeta::Hresult;

use super::machine::{Root, UNREACHABLE, same_path};
use super::modify::{Request, request};
use super::{Phase, SystemKey};
use crate::call::{Fault, Outcome};
use crate::world::layers::is_directory;
use crate::world::{Outside, World};

impl World {
    pub(super) fn modify_machine(
        &mut self,
        key: SystemKey,
        change: &ModifySettingRequest,
        out: &mut Outside<'_>,
    ) -> Outcome {
        let asked: Option<GuestRequest> = match change.guest_request.clone() {
            Some(asked) => Some(serde_json::from_value(asked).map_err(|_| v1::INVALID_JSON)?),
            None => None,
        };
        if asked.is_some() {
            self.guest_of(key)?;
        }
        let no_path = change
            .resource_path
            .as_deref()
            .unwrap_or_default()
            .is_empty();
        let path = match asked {
            Some(_) if no_path => None,
            _ => Some(change.check().map_err(|_| v1::INVALID_JSON)?),
        };
        let removes = change.request_type == Some(ModifyRequestType::Remove);
        if let (true, Some(asked)) = (removes, &asked) {
            self.ask_guest(key, asked, out)?;
        }
        if let Some(path) = &path {
            self.change_device(key, path, change, out)?;
        }
        if let (false, Some(asked)) = (removes, &asked)
            && let Err(fault) = self.ask_guest(key, asked, out)
        {
            if let (Some(path), Some(ModifyRequestType::Add)) = (&path, &change.request_type) {
                let undo = ModifySettingRequest {
                    request_type: Some(ModifyRequestType::Remove),
                    ..change.clone()
                };
                self.change_device(key, path, &undo, out)?;
            }
            return Err(fault);
        }
        Ok(().into())
    }

    /// Whether the host can ask the guest of a machine for something.
    pub(super) fn guest_of(&mut self, key: SystemKey) -> Result<(), Hresult> {
        if self.compute.not_stopped(key)?.phase != Phase::Running {
            return Err(v1::INVALID_STATE);
        }
        match self.compute.machine(key) {
            Some(machine) if machine.connected => Ok(()),
            _ => Err(UNREACHABLE),
        }
    }

    fn change_device(
        &mut self,
        key: SystemKey,
        path: &ResourcePath,
        change: &ModifySettingRequest,
        out: &mut Outside<'_>,
    ) -> Result<(), Fault> {
        let settings = change.settings.clone().unwrap_or_default();
        let wanted = request(change.request_type.as_ref());
        match path {
            ResourcePath::VirtualSmbShares => {
                let share: VirtualSmbShare =
                    serde_json::from_value(settings).map_err(|_| v1::INVALID_JSON)?;
                self.change_share(key, &share, wanted, out)
            }
            ResourcePath::ScsiAttachment(controller, lun) => match wanted {
                Some(Request::Add) => {
                    let disk = serde_json::from_value(settings).map_err(|_| v1::INVALID_JSON)?;
                    self.attach_disk(key, controller.as_str(), *lun, &disk, out)
                }
                Some(Request::Remove) => self.detach_disk(key, controller.as_str(), *lun),
                None => Err(win32::NOT_SUPPORTED.into()),
            },
            ResourcePath::NetworkAdapter(name) => {
                let adapter = serde_json::from_value(settings).map_err(|_| v1::INVALID_JSON)?;
                self.change_adapter(key, name.as_str(), &adapter, wanted)
            }
            ResourcePath::MachineMemory => {
                let mib = settings.as_u64().ok_or(v1::INVALID_JSON)?;
                let size = super::memory::limit(mib).ok_or(win32::INVALID_PARAMETER)?;
                self.compute.not_stopped(key)?.memory_limit = Some(size);
                Ok(())
            }
            _ => Err(win32::NOT_SUPPORTED.into()),
        }
    }

    fn change_share(
        &mut self,
        key: SystemKey,
        share: &VirtualSmbShare,
        wanted: Option<Request>,
        out: &mut Outside<'_>,
    ) -> Result<(), Fault> {
        let name = share.name.clone().unwrap_or_default();
        match wanted {
            Some(Request::Add) => {
                let machine = self.compute.machine(key).ok_or(win32::INVALID_HANDLE)?;
                machine.add_share(share)?;
                let path = share.path.as_deref().unwrap_or_default();
                let path = wcow_ntmeta::HostPath::parse(path).map_err(|_| win32::PATH_NOT_FOUND)?;
                if !is_directory(&self.fs, &path, out)? {
                    let machine = self.compute.machine(key).ok_or(win32::INVALID_HANDLE)?;
                    machine.remove_share(&name)?;
                    return Err(win32::PATH_NOT_FOUND.into());
                }
                Ok(())
            }
            Some(Request::Remove) => {
                let machine = self.compute.machine(key).ok_or(win32::INVALID_HANDLE)?;
                Ok(machine.remove_share(&name)?)
            }
            None => Err(win32::NOT_SUPPORTED.into()),
        }
    }

    fn attach_disk(
        &mut self,
        key: SystemKey,
        controller: &str,
        lun: u32,
        disk: &Attachment,
        out: &mut Outside<'_>,
    ) -> Result<(), Fault> {
        let system = self.compute.not_stopped(key)?;
        let (id, runs) = (system.id.clone(), system.phase == Phase::Running);
        let Self {
            compute, layers, ..
        } = self;
        let machine = compute.machine(key).ok_or(win32::INVALID_HANDLE)?;
        machine.add_disk(controller, lun, disk, layers)?;
        if !runs {
            // Whether it can have it is asked when it starts.
            return Ok(());
        }
        let path = match machine.disk(controller, lun) {
            Some(disk) => disk.path.clone(),
            None => return Err(win32::NOT_FOUND.into()),
        };
        if let Err(code) = self.disk_for(&id, &path, out) {
            self.detach_disk(key, controller, lun)?;
            return Err(code.into());
        }
        Ok(self.hold_disk(key, &path, out)?)
    }

    fn detach_disk(&mut self, key: SystemKey, controller: &str, lun: u32) -> Result<(), Fault> {
        let machine = self.compute.machine(key).ok_or(win32::INVALID_HANDLE)?;
        let scratch = match machine.disk(controller, lun) {
            Some(disk) => disk.scratch.clone(),
            None => return Err(win32::NOT_FOUND.into()),
        };
        // A guest that still uses it does not let go.
        if machine
            .roots
            .iter()
            .any(|root| Some(&root.scratch) == scratch.as_ref())
        {
            return Err(win32::SHARING_VIOLATION.into());
        }
        let same = |disk: &super::machine::Disk| disk.controller == controller && disk.lun == lun;
        if let Some(place) = machine.disks.iter().position(same) {
            let disk = machine.disks.remove(place);
            if let Some(lock) = disk.lock {
                self.fs.release(lock);
            }
        }
        Ok(())
    }

    fn change_adapter(
        &mut self,
        key: SystemKey,
        name: &str,
        adapter: &NetworkAdapter,
        wanted: Option<Request>,
    ) -> Result<(), Fault> {
        let id = self.compute.not_stopped(key)?.id.clone();
        let machine = self.compute.machine(key).ok_or(win32::INVALID_HANDLE)?;
        match wanted {
            Some(Request::Add) => {
                let endpoint = machine.add_adapter(name, adapter)?;
                if let Err(code) = self.hns.attach(endpoint, &id) {
                    machine.adapters.remove(name);
                    return Err(code.into());
                }
            }
            Some(Request::Remove) => {
                let endpoint = machine.adapters.remove(name).ok_or(win32::NOT_FOUND)?;
                self.hns.detach_from(endpoint, &id);
            }
            None => return Err(win32::NOT_SUPPORTED.into()),
        }
        let endpoints = machine.endpoints();
        self.compute.not_stopped(key)?.endpoints = endpoints;
        Ok(())
    }

    fn ask_guest(
        &mut self,
        key: SystemKey,
        asked: &GuestRequest,
        out: &mut Outside<'_>,
    ) -> Result<(), Fault> {
        let settings = asked.settings.clone().unwrap_or_default();
        let adds = match &asked.request_type {
            Some(GuestRequestType::Add) => true,
            Some(GuestRequestType::Remove) => false,
            _ => return Err(win32::NOT_SUPPORTED.into()),
        };
        match &asked.resource_type {
            Some(GuestResource::MappedVirtualDisk) => {
                let disk = serde_json::from_value(settings).map_err(|_| v1::INVALID_JSON)?;
                Ok(self.mount_in_guest(key, &disk, adds)?)
            }
            Some(GuestResource::CombinedLayers) => {
                let layers = serde_json::from_value(settings).map_err(|_| v1::INVALID_JSON)?;
                if adds {
                    self.combine_layers(key, &layers, out)
                } else {
                    Ok(self.part_layers(key, &layers)?)
                }
            }
            Some(_) => Err(win32::NOT_SUPPORTED.into()),
            None => Err(v1::INVALID_JSON.into()),
        }
    }

    fn mount_in_guest(
        &mut self,
        key: SystemKey,
        asked: &MappedVirtualDisk,
        mounts: bool,
    ) -> Result<(), Hresult> {
        let machine = self.compute.machine(key).ok_or(win32::INVALID_HANDLE)?;
        let at = asked.container_path.clone().ok_or(v1::INVALID_JSON)?;
        let lun = u32::from(asked.lun.unwrap_or_default());
        let taken = machine.disks.iter().any(|disk| {
            disk.mounted
                .as_deref()
                .is_some_and(|path| same_path(path, &at))
        });
        let used = machine.root(&at).is_some();
        let disk = machine.disks.iter_mut().find(|disk| disk.lun == lun);
        let disk = disk.ok_or(win32::NOT_FOUND)?;
        match (mounts, &disk.mounted) {
            (true, None) if !taken => disk.mounted = Some(at),
            (true, _) => return Err(win32::ALREADY_EXISTS),
            (false, Some(path)) if same_path(path, &at) && !used => disk.mounted = None,
            (false, Some(path)) if same_path(path, &at) => return Err(win32::SHARING_VIOLATION),
            (false, _) => return Err(win32::NOT_FOUND),
        }
        Ok(())
    }

    /// The guest puts layers over a scratch disk that it has mounted.
    fn combine_layers(
        &mut self,
        key: SystemKey,
        asked: &CombinedLayers,
        out: &mut Outside<'_>,
    ) -> Result<(), Fault> {
        let at = asked.container_root_path.clone().ok_or(v1::INVALID_JSON)?;
        if asked.layers.is_empty() {
            return Err(v1::INVALID_JSON.into());
        }
        let machine = self.compute.machine(key).ok_or(win32::INVALID_HANDLE)?;
        if machine.root(&at).is_some() {
            return Err(win32::ALREADY_EXISTS.into());
        }
        let mounted =
            |path: &Option<String>| path.as_deref().is_some_and(|path| same_path(path, &at));
        let disk = machine.disks.iter().find(|disk| mounted(&disk.mounted));
        let scratch = disk.and_then(|disk| disk.scratch.clone());
        let scratch = scratch.ok_or(win32::PATH_NOT_FOUND)?;
        let mut parents = Vec::with_capacity(asked.layers.len());
        for layer in &asked.layers {
            let path = layer.path.as_deref().ok_or(v1::INVALID_JSON)?;
            let shared = machine.shared(path).ok_or(win32::PATH_NOT_FOUND)?;
            parents.push(shared.path);
        }
        for parent in &parents {
            if !is_directory(&self.fs, &parent.join("files"), out)? {
                return Err(win32::PATH_NOT_FOUND.into());
            }
        }
        let machine = self.compute.machine(key).ok_or(win32::INVALID_HANDLE)?;
        machine.roots.push(Root {
            path: at,
            scratch: scratch.clone(),
        });
        self.layers.enter_utility_vm(&scratch, parents);
        Ok(())
    }

    /// It takes them apart again, if no container is on them.
    fn part_layers(&mut self, key: SystemKey, asked: &CombinedLayers) -> Result<(), Hresult> {
        let at = asked
            .container_root_path
            .as_deref()
            .ok_or(v1::INVALID_JSON)?;
        let machine = self.compute.machine(key).ok_or(win32::INVALID_HANDLE)?;
        let same = |root: &Root| same_path(&root.path, at);
        let place = machine
            .roots
            .iter()
            .position(same)
            .ok_or(win32::NOT_FOUND)?;
        let scratch = machine.roots.get(place).map(|root| root.scratch.clone());
        let scratch = scratch.ok_or(win32::NOT_FOUND)?;
        if self.compute.has_container_on(key, &scratch) {
            return Err(win32::SHARING_VIOLATION);
        }
        if let Some(machine) = self.compute.machine(key) {
            machine.roots.remove(place);
        }
        self.layers.leave_utility_vm(&scratch);
        Ok(())
    }
}
