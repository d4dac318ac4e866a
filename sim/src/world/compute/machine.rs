//! Virtual machines of their own: what a document with a `VirtualMachine` makes, and how one starts.
//!
//! The service starts the firmware and no more. What the host knows of the guest it has from the folder that the firmware boots from, the
//! share [`BOOT_SHARE`] of its files: where the boot manager is there, the Windows of that layer comes up. With a `GuestConnection` in the
//! document a start is done when the service in the guest has answered; one where nothing boots ends after the usual four minutes
//! (inferred). Without, it is done when the firmware runs, whatever comes after (measured on build 26200: a wrong boot device is taken,
//! the machine runs and nothing boots), and nothing in it can be reached.
//!
//! What is measured: a disk that the machine was not given access to fails the start (0x5); below schema 2.5 there are no services to
//! shut down with (0x32). That a missing disk (0x2), a missing shared folder (0x3) and a disk in use (0x20) fail the start too is
//! inferred from that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wcow_hcs_schema::SchemaVersion;
use wcow_hcs_schema::schema2::{
    Attachment, ComputeSystem, Devices, NetworkAdapter, UefiBootDevice, VirtualMachine,
    VirtualSmbShare,
};
use wcow_host::codes::{v1, v2, win32};
use wcow_host::era::Verdict;
use wcow_host::utility_vm::{BOOT_SHARE, DEFAULT_MEMORY_MIB, GUEST_SHARES};
use wcow_host::{FileLock, SystemId, era};
use wcow_ntmeta::{Guid, HostPath, Hresult, RelPath, WideName};

use super::run::TIMEOUT;
use super::{Compute, ComputeEvent, Phase, Place, System, SystemKey, facts, memory};
use crate::call::{Fault, OpId, Outcome, Step};
use crate::fs::Spot;
use crate::queue::Event;
use crate::world::layers::{Layers, is_directory};
use crate::world::{Outside, World};

/// What the service says of a machine that may not open one of its disks. Verbatim: appsandbox#99, which does not tell the call.
const NOT_CONSTRUCTED: &str = r#"{"Error":-2147024891,"ErrorMessage":"","Attribution":[{"OperationFailure":{"Detail":"Construct"}}]}"#;
/// From this schema on results say which part of an operation failed.
const TELLS_MORE_FROM: SchemaVersion = SchemaVersion::new(2, 4);

/// A virtual machine.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::world) struct Machine {
    /// The host talks to the service in the guest.
    pub(super) connected: bool,
    /// It has the service that shuts it down.
    pub(super) shuts_down: bool,
    /// Its memory may be backed by the page file, and so needs none of the host's before it is used.
    pub(super) overcommits: bool,
    /// What the firmware starts, in the share that it boots from.
    loader: Option<String>,
    shares: Vec<Share>,
    pub(super) disks: Vec<Disk>,
    pub(super) adapters: BTreeMap<String, Guid>,
    /// Where the guest has put layers together.
    pub(super) roots: Vec<Root>,
    /// What happens to containers in it when it goes on: it stands still.
    pub(super) held: Vec<ComputeEvent>,
}

/// A folder of the host that the guest sees.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Share {
    name: String,
    path: HostPath,
    read_only: bool,
}

/// A virtual disk of a machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Disk {
    pub(super) controller: String,
    pub(super) lun: u32,
    pub(super) path: HostPath,
    /// The scratch layer that it is the disk of.
    pub(super) scratch: Option<WideName>,
    /// Where the guest has mounted it.
    pub(super) mounted: Option<String>,
    /// Held while the machine runs.
    pub(super) lock: Option<FileLock>,
}

/// A place in a guest where the layers of a container are put together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Root {
    pub(super) path: String,
    pub(super) scratch: WideName,
}

/// A folder of the host, as a guest sees it.
pub(super) struct Shared {
    pub(super) path: HostPath,
    pub(super) read_only: bool,
}

impl Machine {
    fn of(machine: &VirtualMachine, layers: &Layers) -> Result<Self, Hresult> {
        let services = machine.services.as_ref();
        let topology = machine.compute_topology.as_ref();
        let memory = topology.and_then(|topology| topology.memory.as_ref());
        let mut made = Self {
            connected: machine.guest_connection.is_some(),
            shuts_down: services.is_some_and(|services| services.shutdown.is_some()),
            overcommits: memory.and_then(|memory| memory.allow_overcommit) == Some(true),
            loader: loader(machine),
            ..Self::default()
        };
        let devices = machine.devices.clone().unwrap_or_default();
        let Devices {
            virtual_smb,
            scsi,
            network_adapters,
            ..
        } = devices;
        for share in virtual_smb.iter().flat_map(|smb| &smb.shares) {
            made.add_share(share)?;
        }
        for (controller, disks) in &scsi {
            for (&lun, disk) in &disks.attachments {
                made.add_disk(controller, lun, disk, layers)?;
            }
        }
        for (name, adapter) in &network_adapters {
            made.add_adapter(name, adapter)?;
        }
        Ok(made)
    }

    /// The guest sees one more folder.
    pub(super) fn add_share(&mut self, share: &VirtualSmbShare) -> Result<(), Hresult> {
        let name = share.name.clone().filter(|name| !name.is_empty());
        let name = name.ok_or(v1::INVALID_JSON)?;
        let path = share.path.as_deref().ok_or(v1::INVALID_JSON)?;
        let path = HostPath::parse(path).map_err(|_| win32::PATH_NOT_FOUND)?;
        if self.share(&name).is_some() {
            return Err(win32::ALREADY_EXISTS);
        }
        let options = share.options.as_ref();
        self.shares.push(Share {
            name,
            path,
            read_only: options.and_then(|options| options.read_only) == Some(true),
        });
        Ok(())
    }

    /// And one less.
    pub(super) fn remove_share(&mut self, name: &str) -> Result<(), Hresult> {
        let same = |share: &Share| share.name.eq_ignore_ascii_case(name);
        let place = self.shares.iter().position(same).ok_or(win32::NOT_FOUND)?;
        self.shares.remove(place);
        Ok(())
    }

    pub(super) fn add_disk(
        &mut self,
        controller: &str,
        lun: u32,
        disk: &Attachment,
        layers: &Layers,
    ) -> Result<(), Hresult> {
        let path = disk.path.as_deref().ok_or(v1::INVALID_JSON)?;
        let path = HostPath::parse(path).map_err(|_| win32::PATH_NOT_FOUND)?;
        if self.disk(controller, lun).is_some() {
            return Err(win32::ALREADY_EXISTS);
        }
        if self
            .disks
            .iter()
            .any(|disk| disk.path.eq_ignore_case(&path))
        {
            return Err(win32::SHARING_VIOLATION);
        }
        self.disks.push(Disk {
            controller: controller.to_owned(),
            lun,
            scratch: layers.scratch_of_disk(&path),
            path,
            mounted: None,
            lock: None,
        });
        Ok(())
    }

    pub(super) fn add_adapter(
        &mut self,
        name: &str,
        adapter: &NetworkAdapter,
    ) -> Result<Guid, Hresult> {
        let endpoint = adapter.endpoint_id.ok_or(v1::INVALID_JSON)?;
        if self.adapters.contains_key(name) {
            return Err(win32::ALREADY_EXISTS);
        }
        self.adapters.insert(name.to_owned(), endpoint);
        Ok(endpoint)
    }

    pub(super) fn disk(&mut self, controller: &str, lun: u32) -> Option<&mut Disk> {
        self.disks
            .iter_mut()
            .find(|disk| disk.controller == controller && disk.lun == lun)
    }

    /// Where the guest has put layers together.
    pub(super) fn root(&self, path: &str) -> Option<&Root> {
        self.roots.iter().find(|root| same_path(&root.path, path))
    }

    /// The folder of the host behind a path of the guest.
    pub(super) fn shared(&self, path: &str) -> Option<Shared> {
        let (prefix, below) = path.split_at_checked(GUEST_SHARES.len())?;
        if !prefix.eq_ignore_ascii_case(GUEST_SHARES) {
            return None;
        }
        let (name, below) = below.split_once('\\').unwrap_or((below, ""));
        let share = self.share(name)?;
        Some(Shared {
            path: share.path.join_rel(&RelPath::parse(below)).ok()?,
            read_only: share.read_only,
        })
    }

    fn share(&self, name: &str) -> Option<&Share> {
        self.shares
            .iter()
            .find(|share| share.name.eq_ignore_ascii_case(name))
    }

    /// The folder that it boots from, and the file in it.
    fn boot(&self) -> Option<(HostPath, HostPath)> {
        let files = self.share(BOOT_SHARE)?.path.clone();
        let loader = files.join_rel(&RelPath::parse(self.loader.as_deref()?));
        Some((files, loader.ok()?))
    }

    /// Its endpoints.
    pub(super) fn endpoints(&self) -> Vec<Guid> {
        self.adapters.values().copied().collect()
    }
}

/// What the firmware starts, if that is a file of the share that it boots from. What else it may boot from is unknown here.
fn loader(machine: &VirtualMachine) -> Option<String> {
    let uefi = machine.chipset.as_ref()?.uefi.as_ref()?;
    let entry = uefi.boot_this.as_ref()?;
    (entry.device_type == Some(UefiBootDevice::VmbFs))
        .then(|| entry.device_path.clone())
        .flatten()
}

/// Whether two paths of a guest are one.
pub(super) fn same_path(one: &str, other: &str) -> bool {
    let plain = |path: &str| path.trim_end_matches('\\').to_lowercase();
    plain(one) == plain(other)
}

impl Compute {
    /// A virtual machine.
    pub(super) fn machine(&mut self, key: SystemKey) -> Option<&mut Machine> {
        match &mut self.systems.get_mut(&key)?.place {
            Place::Machine(machine) => Some(machine),
            _ => None,
        }
    }

    /// The memory that virtual machines which run have for themselves, in bytes.
    pub(super) fn reserved(&self) -> u64 {
        let machines = self.systems.values().filter(|system| {
            let reserves = matches!(&system.place, Place::Machine(machine) if !machine.overcommits);
            reserves && !matches!(system.phase, Phase::Off | Phase::Stopped)
        });
        machines
            .filter_map(|system| system.memory_limit)
            .fold(0, u64::saturating_add)
    }
}

impl World {
    /// A virtual machine, off.
    pub(super) fn machine_system(
        &mut self,
        id: &SystemId,
        document: &ComputeSystem,
        asked: &VirtualMachine,
    ) -> Result<System, Fault> {
        if !self.has_hyper_v() {
            return Err(v1::HYPERV_NOT_INSTALLED.into());
        }
        let topology = asked.compute_topology.as_ref();
        let size = topology.and_then(|topology| topology.memory.as_ref()?.size_in_mb);
        let size = memory::limit(size.unwrap_or(DEFAULT_MEMORY_MIB));
        let processors = topology.and_then(|topology| topology.processor.as_ref()?.count);
        let machine = Machine::of(asked, &self.layers)?;
        let endpoints = machine.endpoints();
        if endpoints.iter().any(|id| self.hns.endpoint(*id).is_none()) {
            return Err(win32::NOT_FOUND.into());
        }
        for &endpoint in &endpoints {
            if let Err(code) = self.hns.attach(endpoint, id) {
                self.hns.detach(id);
                return Err(code.into());
            }
        }
        let files = machine.boot().map(|(files, _)| files);
        let layer = files.and_then(|files| files.parent()?.parent());
        let layer = layer.unwrap_or_else(era::image_root);
        Ok(System {
            name: id.0.clone(),
            owner: document.owner.clone().unwrap_or_default(),
            place: Place::Machine(Box::new(machine)),
            endpoints,
            processors: processors.filter(|count| *count > 0),
            memory_limit: Some(size.ok_or(win32::INVALID_PARAMETER)?),
            dies_with_its_handles: document
                .should_terminate_on_last_handle_closed
                .unwrap_or_default(),
            ..self.new_system(id, Layers::machine(id), layer.clone(), layer, "")
        })
    }

    /// The firmware of a machine that is off starts.
    pub(super) fn start_machine(
        &mut self,
        op: OpId,
        key: SystemKey,
        out: &mut Outside<'_>,
    ) -> Outcome {
        let machine = self.compute.machine(key).ok_or(win32::INVALID_HANDLE)?;
        let (shares, disks) = (machine.shares.clone(), machine.disks.clone());
        let (boot, connected) = (machine.boot(), machine.connected);
        let system = self.compute.not_stopped(key)?;
        let (id, run) = (system.id.clone(), system.run);
        let (base, scratch) = (system.base.clone(), system.scratch.clone());
        for share in shares {
            if !is_directory(&self.fs, &share.path, out)? {
                return Err(win32::PATH_NOT_FOUND.into());
            }
        }
        for disk in &disks {
            let found = self.disk_for(&id, &disk.path, out);
            found.map_err(|code| self.not_constructed(code))?;
        }
        let boots = match &boot {
            Some((_, loader)) => self.fs.find(loader, out)?.is_some(),
            None => false,
        };
        let mut facts = facts::image_facts(&self.fs, &base, out);
        if boots {
            // That is the container's affair.
            facts.container_service = true;
            if let Verdict::Refused { code, .. } = self.verdict(&facts, Place::UTILITY_VM) {
                return Err(code.into());
            }
        }
        for disk in disks {
            self.hold_disk(key, &disk.path, out)?;
        }
        if let Some((files, _)) = boot {
            self.layers.boot_machine(&scratch, files);
        }
        let now = self.now;
        let system = self.compute.not_stopped(key)?;
        system.phase = Phase::Starting(op);
        system.started = now;
        system.spent = 0;
        system.peak = 0;
        if facts.build != 0 {
            system.image_build = facts.build;
        }
        if boots || !connected {
            self.plan_boot(key, run, 0);
        } else {
            let event = ComputeEvent::TimedOut {
                system: key,
                run,
                code: v1::CONNECTION_TIMEOUT,
            };
            self.plan(TIMEOUT, Event::Compute(event));
        }
        Ok(Step::Pending)
    }

    /// Whether a machine can have a disk.
    pub(super) fn disk_for(
        &self,
        machine: &SystemId,
        disk: &HostPath,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        let spot = self.fs.find(disk, out)?.ok_or(win32::FILE_NOT_FOUND)?;
        if self.fs.is_directory(&spot) {
            return Err(win32::FILE_NOT_FOUND);
        }
        if !self.layers.is_granted(disk, machine) {
            return Err(win32::ACCESS_DENIED);
        }
        if self.fs.is_held(&spot) {
            return Err(win32::SHARING_VIOLATION);
        }
        Ok(())
    }

    /// A start that a disk refuses, as the service tells it.
    fn not_constructed(&self, code: Hresult) -> Fault {
        let told = SchemaVersion::newest_of_build(self.profile.build) >= Some(TELLS_MORE_FROM);
        let document = (told && code == win32::ACCESS_DENIED).then(|| NOT_CONSTRUCTED.to_owned());
        Fault {
            document,
            ..code.into()
        }
    }

    /// A machine that runs has a disk: nobody else can open it.
    pub(super) fn hold_disk(
        &mut self,
        key: SystemKey,
        disk: &HostPath,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        let Some(Spot::Node(node)) = self.fs.find(disk, out)? else {
            // One that is sealed into a tree cannot be held.
            return Ok(());
        };
        let machine = self.compute.machine(key).ok_or(win32::INVALID_HANDLE)?;
        let found = machine.disks.iter_mut();
        for found in found.filter(|found| found.path.eq_ignore_case(disk)) {
            found.lock = Some(self.fs.hold(node));
        }
        Ok(())
    }

    /// A machine has ended: what it had is free.
    pub(super) fn clear_machine(&mut self, key: SystemKey) {
        let scratch = match self.compute.systems.get(&key) {
            Some(system) => system.scratch.clone(),
            None => return,
        };
        let Some(machine) = self.compute.machine(key) else {
            return;
        };
        machine.held.clear();
        let (disks, roots) = (
            std::mem::take(&mut machine.disks),
            std::mem::take(&mut machine.roots),
        );
        for lock in disks.into_iter().filter_map(|disk| disk.lock) {
            self.fs.release(lock);
        }
        for root in roots {
            self.layers.leave_utility_vm(&root.scratch);
        }
        self.layers.machine_gone(&scratch);
    }
}

/// What a call gets that needs a guest which the host does not talk to. Inferred from the name of the code.
pub(super) const UNREACHABLE: Hresult = v2::SYSTEM_NOT_CONFIGURED_FOR_OPERATION;
