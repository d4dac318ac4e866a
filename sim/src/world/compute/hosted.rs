//! Containers in virtual machines of their own: what is hosted, and what the state of the machine means for it.
//!
//! | machine | the containers in it |
//! |---|---|
//! | off | none can be created (0105) |
//! | runs | as on a host of the machine's build |
//! | paused, saved | they stand still; they can be opened and asked for what the host knows, everything else is refused (0105) |
//! | ended | they have ended too, unexpectedly (0106) |
//!
//! All of that is inferred: no fact tells of it. So are the codes of what a machine does not have: a machine that is not there is 010E as
//! any system is, one that the host does not talk to, or that is none, 0120, a schema that the guest does not know 010C, layers that
//! were not put together 0x3, an endpoint that is no adapter of the machine's 0x490. A container in a machine cannot be paused, the
//! machine can (0x32).

use wcow_hcs_schema::SchemaVersion;
use wcow_hcs_schema::schema1::{ContainerConfig, MappedDirectory};
use wcow_host::codes::{v1, win32};
use wcow_host::era::{self, Stage, Verdict};
use wcow_host::{ExitType, SystemId};
use wcow_ntmeta::{Guid, Hresult, WideName};

use super::machine::UNREACHABLE;
use super::{Compute, ComputeEvent, Phase, Place, System, SystemKey, facts, memory};
use crate::call::Fault;
use crate::queue::Event;
use crate::world::guest::process::KILLED;
use crate::world::layers::is_directory;
use crate::world::{Outside, World};

/// A container that a document of schema 2 wants in a virtual machine.
pub(super) struct Hosted {
    /// The machine.
    pub(super) machine: SystemId,
    /// The schema that the guest must know.
    pub(super) version: SchemaVersion,
    /// The container, with the paths of the guest.
    pub(super) container: ContainerConfig,
}

impl World {
    pub(super) fn hosted_system(
        &mut self,
        id: &SystemId,
        hosted: &Hosted,
        out: &mut Outside<'_>,
    ) -> Result<System, Fault> {
        let found = self.compute.by_id.get(&hosted.machine);
        let key = *found.ok_or(v1::SYSTEM_NOT_FOUND)?;
        if self.compute.machine(key).is_none() {
            return Err(UNREACHABLE.into());
        }
        self.guest_of(key)?;
        let build = self.compute.not_stopped(key)?.image_build;
        let processors = self.compute.not_stopped(key)?.processors;
        let known: Vec<SchemaVersion> = SchemaVersion::of_build(build).collect();
        if !hosted.version.is_among(&known) {
            return Err(v1::UNSUPPORTED_PROTOCOL_VERSION.into());
        }
        let machine = self.compute.machine(key).ok_or(UNREACHABLE)?;
        let container = &hosted.container;
        let root = machine.root(&container.volume_path);
        let scratch = root.ok_or(win32::PATH_NOT_FOUND)?.scratch.clone();
        let mut layers = Vec::with_capacity(container.layers.len());
        for layer in &container.layers {
            let shared = machine.shared(&layer.path).ok_or(win32::PATH_NOT_FOUND)?;
            layers.push(shared.path);
        }
        let base = layers.pop().ok_or(v1::INVALID_JSON)?;
        let mut endpoints: Vec<Guid> = Vec::new();
        for endpoint in &container.endpoint_list {
            let endpoint = endpoint.parse().map_err(|_| win32::NOT_FOUND)?;
            if !machine.adapters.values().any(|known| *known == endpoint) {
                return Err(win32::NOT_FOUND.into());
            }
            endpoints.push(endpoint);
        }
        if self.compute.has_container_on(key, &scratch) {
            return Err(win32::SHARING_VIOLATION.into());
        }
        if !is_directory(&self.fs, &base.join("files"), out)? {
            return Err(win32::PATH_NOT_FOUND.into());
        }
        let folder = self.layers.folder(&scratch).ok_or(win32::PATH_NOT_FOUND)?;
        let image = facts::image_facts(&self.fs, &base, out);
        if let Verdict::Refused {
            stage: Stage::Create,
            code,
            ..
        } = self.verdict_in(build, &image)
        {
            return Err(code.into());
        }
        let folders = self.shared_folders(key, &container.mapped_directories)?;
        let seen = ContainerConfig {
            mapped_directories: folders,
            ..ContainerConfig::default()
        };
        let mapped = self.mapped(&seen, &scratch, out)?;
        let mib =
            u64::try_from(container.memory_maximum_in_mb).map_err(|_| win32::INVALID_PARAMETER)?;
        let own = Some(container.processor_count).filter(|count| *count > 0);
        Ok(System {
            name: container.name.clone(),
            owner: container.owner.clone(),
            place: Place::In(key),
            endpoints,
            mapped,
            processors: own.into_iter().chain(processors).min(),
            memory_limit: memory::limit(mib),
            dies_with_its_handles: container.terminate_on_last_handle_closed,
            ..self.new_system(id, scratch, folder, base, &container.host_name)
        })
    }

    /// What a guest of that build says of a container of such an image.
    pub(super) fn verdict_in(&self, build: u32, image: &era::ImageFacts) -> Verdict {
        let guest = wcow_host::HostInfo {
            build,
            ..self.host_info()
        };
        era::start_verdict_by(&guest, image, self.profile.version_rule)
    }

    /// Folders that a container in a machine is to see, with their paths on the host.
    pub(super) fn shared_folders(
        &mut self,
        machine: SystemKey,
        folders: &[MappedDirectory],
    ) -> Result<Vec<MappedDirectory>, Hresult> {
        let machine = self.compute.machine(machine).ok_or(UNREACHABLE)?;
        folders
            .iter()
            .map(|folder| {
                let path = folder.host_path.as_deref().unwrap_or_default();
                let shared = machine.shared(path).ok_or(win32::PATH_NOT_FOUND)?;
                Ok(MappedDirectory {
                    host_path: Some(shared.path.to_string()),
                    read_only: Some(shared.read_only || folder.read_only == Some(true)),
                    ..folder.clone()
                })
            })
            .collect()
    }

    /// A machine has ended, and so have the containers in it.
    pub(super) fn end_hosted(&mut self, machine: SystemKey, out: &mut Outside<'_>) {
        for key in self.compute.hosted_in(machine) {
            let exit = (v1::UNEXPECTED_EXIT, ExitType::UnexpectedExit);
            self.end_system(key, exit, KILLED, out);
        }
    }

    /// A machine goes on: the containers in it do, too.
    pub(super) fn hosted_go_on(&mut self, machine: SystemKey) {
        for key in self.compute.hosted_in(machine) {
            let Some(system) = self.compute.systems.get_mut(&key) else {
                continue;
            };
            for process in std::mem::take(&mut system.frozen) {
                self.plan_step(key, process);
            }
        }
        let held = self.compute.machine(machine);
        let held = held.map(|machine| std::mem::take(&mut machine.held));
        for event in held.into_iter().flatten() {
            self.plan(0, Event::Compute(event));
        }
    }
}

impl Compute {
    /// The containers in a machine that have not ended.
    fn hosted_in(&self, machine: SystemKey) -> Vec<SystemKey> {
        let hosted = self
            .systems
            .iter()
            .filter(|(_, system)| system.place.is_in(machine) && system.phase != Phase::Stopped);
        hosted.map(|(&key, _)| key).collect()
    }

    /// Whether a container in a machine has that scratch layer.
    pub(super) fn has_container_on(&self, machine: SystemKey, scratch: &WideName) -> bool {
        let mut hosted = self.hosted_in(machine).into_iter();
        hosted.any(|key| {
            let container = self.systems.get(&key);
            container.is_some_and(|container| container.scratch == *scratch)
        })
    }

    /// Whether the processes of a system stand still: it does, or the machine that it is in.
    pub(in crate::world) fn stands_still(&self, key: SystemKey) -> bool {
        self.systems.get(&key).is_some_and(|system| {
            system.is_frozen()
                || matches!(system.place, Place::In(machine)
                    if self.systems.get(&machine).is_some_and(|system| system.is_frozen()))
        })
    }

    /// A system that something can be asked of which its processes have to do: one in a machine cannot be, unless that runs.
    pub(super) fn reachable(&mut self, key: SystemKey) -> Result<&mut System, Hresult> {
        if let Place::In(machine) = self.not_stopped(key)?.place
            && self
                .systems
                .get(&machine)
                .is_none_or(|machine| machine.phase != Phase::Running)
        {
            return Err(v1::INVALID_STATE);
        }
        self.not_stopped(key)
    }

    /// Keeps what happens to a container until the machine that it is in goes on. Gives it back if that runs.
    pub(super) fn hold_back(&mut self, event: ComputeEvent) -> Option<ComputeEvent> {
        let system = match &event {
            ComputeEvent::Boot { system, .. }
            | ComputeEvent::TimedOut { system, .. }
            | ComputeEvent::Exit { system, .. } => *system,
            ComputeEvent::Turned { .. } | ComputeEvent::Step { .. } => return Some(event),
        };
        let Some(Place::In(machine)) = self.systems.get(&system).map(|system| &system.place) else {
            return Some(event);
        };
        let machine = *machine;
        if !self
            .systems
            .get(&machine)
            .is_some_and(|system| system.is_frozen())
        {
            return Some(event);
        }
        if let Some(machine) = self.machine(machine) {
            machine.held.push(event);
        }
        None
    }
}
