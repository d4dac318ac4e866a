//! Layer storage of a simulated host: scratch layers made, mounted and removed; base layers and layers that travel below.
//!
//! A scratch layer is a virtual disk: a size without bytes among the host's files. What containers write into it is an
//! [`Overlay`] beside it. Attachments and mounts are counted, and end when the machine goes down.

mod base;
mod exchange;
mod granted;
mod kept;
mod transport;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wcow_host::codes::win32;
use wcow_host::era::{self, Verdict};
use wcow_host::{FileLock, LayerDescriptor, Operation, Retry, SystemId};
use wcow_ntmeta::{Guid, HostPath, Hresult, WideName};

use super::guest::mapped::Mapped;
use super::guest::view::{Overlay, View};
use super::services::COMPUTE;
use super::{Outside, World};
use crate::blobs::BlobId;
use crate::call::{Call, ClientId, Fault, LayersCall, Outcome};
use crate::choice::Label;
use crate::fs::{Fs, Spot};
use crate::queue::Event;
use crate::serial;

use granted::Grants;

/// The size of an empty formatted disk in bytes.
const BLANK_DISK: u64 = 44_040_192;
/// The size of the differencing disk over it that later hosts copy for every scratch layer.
const BLANK_DIFFERENCE: u64 = 4_194_304;
/// The size of a scratch disk that nobody made larger, as the container sees it.
const SCRATCH_BYTES: u64 = 20 << 30;
/// Version 1903 mounts no larger one. Verbatim: hcsshim#708.
const LIMITED_SCRATCH: std::ops::RangeInclusive<u32> = 18362..=18363;
/// This build mounts one layer at a time. Verbatim: hcsshim#919.
const ONE_PREPARE_AT_A_TIME: u32 = 17763;
/// From this build on a scratch disk can be made larger. Inferred.
const EXPAND_FROM: u32 = 14393;
/// From this build on virtual machines can be given files. Inferred.
const GRANT_FROM: u32 = 14393;
/// The hives that a base layer needs.
const HIVES: [&str; 5] = ["DefaultUser", "Sam", "Security", "Software", "System"];

/// Everything the host knows of layers beside the files.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Layers {
    /// Scratch layers by upcased path.
    #[serde(with = "serial::pairs")]
    scratches: BTreeMap<WideName, Box<Scratch>>,
    /// Those that were removed, as long as the disk may bring them back.
    #[serde(with = "serial::pairs")]
    removed: BTreeMap<WideName, Box<Scratch>>,
    /// What virtual machines that run boot from, and write, by [`machine`](Self::machine).
    #[serde(default, with = "serial::pairs")]
    machines: BTreeMap<WideName, (HostPath, Overlay)>,
    /// Files that virtual machines may open.
    #[serde(default)]
    pub(super) granted: Grants,
    /// Layers that were imported, by upcased path. One whose folder has gone is none.
    #[serde(
        with = "serial::pairs",
        default,
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    imported: BTreeMap<WideName, HostPath>,
}

/// A scratch layer.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Scratch {
    path: HostPath,
    disk: HostPath,
    volume: Guid,
    /// How often it was activated.
    attached: u32,
    lock: Option<FileLock>,
    /// How often it was prepared.
    prepared: u32,
    /// Whether it ever was.
    #[serde(default)]
    was_prepared: bool,
    /// The size of its disk, if somebody made it larger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// The image layers mounted under it, nearest first.
    parents: Vec<HostPath>,
    overlay: Overlay,
}

impl Layers {
    /// The key of a scratch layer by its folder; `None` if there is no such layer.
    pub(super) fn scratch(&self, path: &HostPath) -> Option<WideName> {
        let key = key(path);
        self.scratches.contains_key(&key).then_some(key)
    }

    /// The key of the scratch layer that is mounted as this volume.
    pub(super) fn mounted(&self, volume: &str) -> Option<WideName> {
        let volume = volume.trim_end_matches('\\');
        self.scratches
            .iter()
            .find(|(_, scratch)| {
                scratch.prepared > 0 && scratch.volume_name().eq_ignore_ascii_case(volume)
            })
            .map(|(key, _)| key.clone())
    }

    /// The folder of the scratch layer whose disk is attached as this volume.
    fn at_volume(&self, volume: &str) -> Option<HostPath> {
        let volume = volume.trim_end_matches('\\');
        let mut attached = self.scratches.values().filter(|one| one.attached > 0);
        attached
            .find(|scratch| scratch.volume_name().eq_ignore_ascii_case(volume))
            .map(|scratch| scratch.path.clone())
    }

    /// Whether a scratch layer is mounted.
    pub(super) fn is_prepared(&self, key: &WideName) -> bool {
        self.scratches
            .get(key)
            .is_some_and(|scratch| scratch.prepared > 0)
    }

    /// The folder of a scratch layer.
    pub(super) fn folder(&self, key: &WideName) -> Option<HostPath> {
        self.scratches.get(key).map(|scratch| scratch.path.clone())
    }

    /// Whether the disk of a scratch layer is attached to the host.
    pub(super) fn is_attached(&self, key: &WideName) -> bool {
        self.scratches
            .get(key)
            .is_some_and(|scratch| scratch.attached > 0)
    }

    /// A utility virtual machine has taken a scratch layer, and these parents with it.
    pub(super) fn enter_utility_vm(&mut self, key: &WideName, parents: Vec<HostPath>) {
        if let Some(scratch) = self.scratches.get_mut(key) {
            scratch.parents = parents;
        }
    }

    /// It is over.
    pub(super) fn leave_utility_vm(&mut self, key: &WideName) {
        if let Some(scratch) = self.scratches.get_mut(key) {
            scratch.parents.clear();
        }
    }

    /// The scratch layer of a disk.
    pub(super) fn scratch_of_disk(&self, disk: &HostPath) -> Option<WideName> {
        let mut scratches = self.scratches.iter();
        scratches
            .find(|(_, scratch)| scratch.disk.eq_ignore_case(disk))
            .map(|(key, _)| key.clone())
    }

    /// The key of what a virtual machine boots from: none that a folder can have.
    pub(super) fn machine(id: &SystemId) -> WideName {
        WideName::from(format!(r"\?\VM\{id}").as_str())
    }

    /// A virtual machine boots from that folder.
    pub(super) fn boot_machine(&mut self, machine: &WideName, files: HostPath) {
        let booted = (files, Overlay::default());
        self.machines.insert(machine.clone(), booted);
    }

    /// It is over.
    pub(super) fn machine_gone(&mut self, machine: &WideName) {
        self.machines.remove(machine);
    }

    /// Whether a virtual machine may open a file.
    pub(super) fn is_granted(&self, file: &HostPath, machine: &SystemId) -> bool {
        self.granted.has(file, machine)
    }

    /// The disk of a container that has this scratch layer, or of a virtual machine.
    pub(super) fn view<'w, 'o>(
        &'w mut self,
        key: &WideName,
        fs: &'w mut Fs,
        mapped: &'w [Mapped],
        now: wcow_ntmeta::FileTime,
        out: &'w mut Outside<'o>,
    ) -> Option<View<'w, 'o>> {
        let Some(scratch) = self.scratches.get_mut(key) else {
            let (files, overlay) = self.machines.get_mut(key)?;
            let lower = fs.find(files, out).ok().flatten();
            let lower = lower.filter(|spot| fs.is_directory(spot));
            return Some(View {
                lower: lower.into_iter().collect(),
                fs,
                overlay,
                mapped,
                out,
                now,
            });
        };
        let mut lower = Vec::with_capacity(scratch.parents.len());
        for parent in &scratch.parents {
            lower.extend(
                fs.find(&parent.join("files"), out)
                    .ok()
                    .flatten()
                    .filter(|spot| fs.is_directory(spot)),
            );
        }
        Some(View {
            fs,
            overlay: &mut scratch.overlay,
            mapped,
            lower,
            out,
            now,
        })
    }

    /// Collects the blobs of what containers wrote.
    pub(super) fn blobs(&self, blobs: &mut BTreeSet<BlobId>) {
        self.scratches
            .values()
            .for_each(|scratch| scratch.overlay.blobs(blobs));
        self.machines
            .values()
            .for_each(|(_, overlay)| overlay.blobs(blobs));
    }

    fn get(&mut self, path: &HostPath) -> Option<&mut Scratch> {
        self.scratches
            .get_mut(&key(path))
            .map(|scratch| &mut **scratch)
    }
}

impl Scratch {
    fn volume_name(&self) -> String {
        format!(r"\\?\Volume{{{}}}", self.volume)
    }
}

impl World {
    /// A call takes effect.
    pub(super) fn layers_call(
        &mut self,
        client: ClientId,
        call: &LayersCall,
        out: &mut Outside<'_>,
    ) -> Outcome {
        match call {
            LayersCall::ProcessBase { layer } => {
                self.container_stack("Install-ContainerOSImage")?;
                let mark = self.fs.mark();
                self.process_base(layer, out)?;
                self.fs.services_wrote(mark);
                Ok(().into())
            }
            LayersCall::CreateScratch { scratch, parents } => {
                self.refuse_before_reboot()?;
                self.container_stack("New-Container")?;
                let mark = self.fs.mark();
                self.create_scratch(scratch, parents, out)?;
                self.fs.services_wrote(mark);
                Ok(().into())
            }
            LayersCall::Activate { scratch } => Ok(self.activate(scratch, out)?.into()),
            LayersCall::Prepare { scratch, parents } => {
                Ok(self.prepare(client, scratch, parents, out)?.into())
            }
            LayersCall::MountPath { scratch } => match self.layers.get(scratch) {
                Some(scratch) if scratch.attached > 0 => Ok(scratch.volume_name().into()),
                _ => Err(win32::DEV_NOT_EXIST.into()),
            },
            LayersCall::Unprepare { scratch } => Ok(self.unprepare(scratch)?.into()),
            LayersCall::Deactivate { scratch } => Ok(self.deactivate(scratch)?.into()),
            LayersCall::Destroy { layer } => {
                let mark = self.fs.mark();
                let is_scratch = self.layers.get(layer).is_some();
                self.destroy_layer(layer, out)?;
                // Around a base image, whoever removes it can sync what nobody could for a service.
                if is_scratch {
                    self.fs.services_wrote(mark);
                }
                Ok(().into())
            }
            LayersCall::ProcessUtilityVm { utility_vm } => {
                self.container_stack("Install-ContainerOSImage")?;
                let mark = self.fs.mark();
                self.process_utility_vm(utility_vm, out)?;
                self.fs.services_wrote(mark);
                Ok(().into())
            }
            LayersCall::Exists { layer } => Ok(is_directory(&self.fs, layer, out)?.into()),
            LayersCall::Expand { scratch, bytes } => Ok(self.expand(scratch, *bytes, out)?.into()),
            LayersCall::Import {
                layer,
                folder,
                parents,
            } => {
                self.container_stack("Import-ContainerImage")?;
                let mark = self.fs.mark();
                self.import_layer(client, layer, folder, parents, out)?;
                self.layers.imported.insert(key(layer), layer.clone());
                self.fs.services_wrote(mark);
                Ok(().into())
            }
            LayersCall::Export {
                layer,
                folder,
                parents,
            } => {
                self.container_stack("New-ContainerImage")?;
                let mark = self.fs.mark();
                self.export_layer(layer, folder, parents, out)?;
                self.fs.services_wrote(mark);
                Ok(().into())
            }
            LayersCall::BaseImages => Ok(self.base_images(out)?.into()),
            LayersCall::AtVolume { volume } => Ok(self.layers.at_volume(volume).into()),
            LayersCall::GrantVmAccess { machine, file } => {
                if self.profile.build < GRANT_FROM {
                    return Err(win32::PROC_NOT_FOUND.into());
                }
                if self.fs.find(file, out)?.is_none() {
                    return Err(win32::FILE_NOT_FOUND.into());
                }
                self.layers.granted.add(file, machine);
                Ok(().into())
            }
        }
    }

    /// The machine goes down: nothing is attached any more.
    pub(super) fn layers_on_reboot(&mut self) {
        for scratch in self.layers.scratches.values_mut() {
            scratch.attached = 0;
            scratch.prepared = 0;
            scratch.lock = None;
            scratch.parents.clear();
        }
        self.layers.machines.clear();
    }

    /// The host has the scratch layers whose disks survived.
    pub(super) fn layers_after_power_loss(&mut self, out: &mut Outside<'_>) {
        let layers = &mut self.layers;
        for (key, scratch) in std::mem::take(&mut layers.removed) {
            layers.scratches.entry(key).or_insert(scratch);
        }
        let fs = &self.fs;
        layers
            .scratches
            .retain(|_, scratch| matches!(fs.find(&scratch.disk, out), Ok(Some(_))));
    }

    /// Refuses what a cmdlet of the container stack does where that stack is missing or does not run.
    pub(super) fn container_stack(&self, cmdlet: &str) -> Result<(), Fault> {
        if self.machine.runs(COMPUTE) {
            return Ok(());
        }
        if era::containers_persist(self.profile.build) {
            era::cmdlet(self.modules(), cmdlet)?;
            return self.refuse_without(COMPUTE);
        }
        self.refuse_before_reboot()?;
        self.refuse_without(COMPUTE)?;
        Err(win32::MOD_NOT_FOUND.into())
    }

    /// Refuses what cannot work before the restart that the container stack waits for.
    pub(super) fn refuse_before_reboot(&self) -> Result<(), Fault> {
        let info = self.host_info();
        match era::reboot_needed(&info, &self.machine.packages, &self.machine.features) {
            Verdict::Runs => Ok(()),
            Verdict::Refused { code, .. } => Err(Fault::from(code).retry(Retry::AfterReboot)),
        }
    }

    fn create_scratch(
        &mut self,
        scratch: &HostPath,
        parents: &[LayerDescriptor],
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        let (now, persist) = (self.now, era::containers_persist(self.profile.build));
        let Some(base) = parents.last() else {
            return Err(win32::INVALID_PARAMETER);
        };
        check_parents(&self.fs, parents, out)?;
        let blank = if persist {
            era::image_root().join("blank.vhdx")
        } else {
            base.path.join("blank.vhdx")
        };
        let Some(blank) = self.fs.find(&blank, out)? else {
            return Err(win32::PATH_NOT_FOUND);
        };
        let len = self.fs.content(&blank).map_or(BLANK_DISK, |disk| disk.len);
        let disk = if persist {
            beside(scratch, ".vhdx").ok_or(win32::INVALID_PARAMETER)?
        } else {
            scratch.join("sandbox.vhdx")
        };
        let taken = if persist { &disk } else { scratch };
        if self.fs.find(taken, out)?.is_some() {
            return Err(win32::ALREADY_EXISTS);
        }
        let folder = if persist {
            scratch.parent().ok_or(win32::INVALID_PARAMETER)?
        } else {
            scratch.clone()
        };
        self.fs.create_dir_all(&folder, now, out)?;
        if let Err(code) = self.fs.write_sparse(&disk, len, now, out) {
            if !persist {
                self.fs.remove_dir_all(scratch, now, out)?;
            }
            return Err(code);
        }
        let made = Scratch {
            path: scratch.clone(),
            disk,
            volume: self.new_guid(),
            attached: 0,
            lock: None,
            prepared: 0,
            was_prepared: false,
            bytes: None,
            parents: Vec::new(),
            overlay: Overlay::default(),
        };
        self.layers.scratches.insert(key(scratch), Box::new(made));
        Ok(())
    }

    /// The folders of the scratch layers that are attached.
    pub(crate) fn attached_layers(&self) -> Vec<HostPath> {
        let scratches = self.layers.scratches.values();
        scratches
            .filter(|scratch| scratch.attached > 0)
            .map(|scratch| scratch.path.clone())
            .collect()
    }

    fn activate(&mut self, path: &HostPath, out: &mut Outside<'_>) -> Result<(), Hresult> {
        let scratch = self.layers.get(path).ok_or(win32::FILE_NOT_FOUND)?;
        let Some(Spot::Node(node)) = self.fs.find(&scratch.disk, out)? else {
            return Err(win32::FILE_NOT_FOUND);
        };
        if scratch.attached == 0 {
            if self.fs.is_held(&Spot::Node(node)) {
                return Err(win32::SHARING_VIOLATION);
            }
            scratch.lock = Some(self.fs.hold(node));
        }
        scratch.attached += 1;
        Ok(())
    }

    fn prepare(
        &mut self,
        client: ClientId,
        path: &HostPath,
        parents: &[LayerDescriptor],
        out: &mut Outside<'_>,
    ) -> Result<(), Fault> {
        let identity = self.identity(client);
        let build = self.profile.build;
        let at_once = build == ONE_PREPARE_AT_A_TIME && self.prepares_on_their_way();
        let scratch = self.layers.get(path).ok_or(win32::DEV_NOT_EXIST)?;
        if scratch.attached == 0 {
            return Err(win32::DEV_NOT_EXIST.into());
        }
        era::access(identity, build, Operation::PrepareLayer)?;
        if at_once {
            let code = match self.choice.draw(Label::Fault, 2) {
                0 => win32::NOT_READY,
                _ => win32::DEVICE_NOT_CONNECTED,
            };
            return Err(Fault::from(code).retry(Retry::Soon));
        }
        let too_large = scratch.bytes.is_some_and(|bytes| bytes > SCRATCH_BYTES);
        if parents.is_empty() || (too_large && LIMITED_SCRATCH.contains(&build)) {
            return Err(win32::INVALID_PARAMETER.into());
        }
        check_parents(&self.fs, parents, out)?;
        for parent in parents {
            // An import that was cut off leaves a folder without them.
            if !is_directory(&self.fs, &parent.path.join("hives"), out)? {
                return Err(win32::FILE_NOT_FOUND.into());
            }
        }
        if scratch.prepared == 0 {
            exchange::hide_tombstones(&self.fs, &mut scratch.overlay, parents, out)?;
            scratch.parents = parents.iter().map(|parent| parent.path.clone()).collect();
        }
        scratch.prepared += 1;
        scratch.was_prepared = true;
        Ok(())
    }

    /// Whether somebody else's call of this kind is on its way.
    fn prepares_on_their_way(&self) -> bool {
        self.queue.iter().any(|planned| {
            matches!(&planned.event, Event::Perform(arrival)
                if matches!(*arrival.call, Call::Layers(LayersCall::Prepare { .. })))
        })
    }

    fn expand(
        &mut self,
        path: &HostPath,
        bytes: u64,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        if self.profile.build < EXPAND_FROM {
            return Err(win32::PROC_NOT_FOUND);
        }
        let scratch = self.layers.get(path).ok_or(win32::FILE_NOT_FOUND)?;
        if self.fs.find(&scratch.disk, out)?.is_none() {
            return Err(win32::FILE_NOT_FOUND);
        }
        if scratch.attached > 0 {
            return Err(win32::SHARING_VIOLATION);
        }
        if bytes < scratch.bytes.unwrap_or(SCRATCH_BYTES) {
            return Err(win32::INVALID_PARAMETER);
        }
        scratch.bytes = Some(bytes);
        Ok(())
    }

    fn unprepare(&mut self, path: &HostPath) -> Result<(), Hresult> {
        let in_use = self.scratch_in_use(&key(path));
        match self.layers.get(path) {
            None => Err(win32::FILE_NOT_FOUND),
            Some(scratch) if scratch.prepared > 0 => {
                if scratch.prepared == 1 && in_use {
                    return Err(win32::SHARING_VIOLATION);
                }
                scratch.prepared -= 1;
                if scratch.prepared == 0 {
                    scratch.parents.clear();
                }
                Ok(())
            }
            _ => Err(win32::DEV_NOT_EXIST),
        }
    }

    fn deactivate(&mut self, path: &HostPath) -> Result<(), Hresult> {
        match self.layers.get(path) {
            None => Err(win32::FILE_NOT_FOUND),
            Some(scratch) if scratch.attached > 0 => {
                if scratch.attached == 1 && scratch.prepared > 0 {
                    return Err(win32::SHARING_VIOLATION);
                }
                scratch.attached -= 1;
                if scratch.attached == 0
                    && let Some(lock) = scratch.lock.take()
                {
                    self.fs.release(lock);
                }
                Ok(())
            }
            _ => Err(win32::DEV_NOT_EXIST),
        }
    }

    fn destroy_layer(&mut self, path: &HostPath, out: &mut Outside<'_>) -> Result<(), Hresult> {
        let now = self.now;
        let in_use = self.scratch_in_use(&key(path));
        let mounted = |scratch: &Scratch| scratch.parents.iter().any(|p| p.eq_ignore_case(path));
        if self
            .layers
            .scratches
            .values()
            .any(|scratch| mounted(scratch))
        {
            return Err(win32::SHARING_VIOLATION);
        }
        let disk = match self.layers.get(path) {
            Some(scratch) if scratch.attached > 0 || in_use => {
                return Err(win32::SHARING_VIOLATION);
            }
            Some(scratch) => Some(scratch.disk.clone()),
            None => None,
        };
        let mut found = false;
        if let Some(disk) = &disk
            && self.fs.find(disk, out)?.is_some()
        {
            self.fs.remove_file(disk, now, out)?;
            found = true;
        }
        if is_directory(&self.fs, path, out)? {
            self.fs.remove_dir_all(path, now, out)?;
            found = true;
        }
        self.layers.granted.gone(path);
        self.layers.imported.remove(&key(path));
        let removed = self.layers.scratches.remove(&key(path));
        if let Some(removed) = removed
            && !self.profile.disk.services_write_through
        {
            self.layers.removed.insert(key(path), removed);
        }
        if found {
            Ok(())
        } else {
            Err(win32::FILE_NOT_FOUND)
        }
    }
}

/// A path with something added to its last name.
pub(super) fn beside(path: &HostPath, suffix: &str) -> Option<HostPath> {
    let mut units = path.file_name()?.to_vec();
    units.extend(suffix.encode_utf16());
    let mut beside = path.parent()?;
    beside.push(&units).ok()?;
    Some(beside)
}

/// Whether a path is a directory.
pub(super) fn is_directory(
    fs: &Fs,
    path: &HostPath,
    out: &mut Outside<'_>,
) -> Result<bool, Hresult> {
    Ok(fs
        .find(path, out)?
        .is_some_and(|spot| fs.is_directory(&spot)))
}

fn is_file(fs: &Fs, path: &HostPath, out: &mut Outside<'_>) -> Result<bool, Hresult> {
    Ok(fs
        .find(path, out)?
        .is_some_and(|spot| !fs.is_directory(&spot)))
}

/// Every parent has to be there, with its files.
fn check_parents(
    fs: &Fs,
    parents: &[LayerDescriptor],
    out: &mut Outside<'_>,
) -> Result<(), Hresult> {
    for parent in parents {
        if !is_directory(fs, &parent.path.join("files"), out)? {
            return Err(win32::PATH_NOT_FOUND);
        }
    }
    Ok(())
}

fn key(path: &HostPath) -> WideName {
    path.upcased()
}
