//! What a compute system tells of itself.
//!
//! Memory follows from the programs that run. Processor time is what the processes of the guest used. A container with Hyper-V isolation tells the total alone, not how it divides into user and kernel mode
//! (measured on build 26200).

use wcow_hcs_schema::SchemaVersion;
use wcow_hcs_schema::schema1::{
    ContainerProperties, ContainerStatistics, GuestConnectionInfo, MemoryStats, NotificationType,
    OsType, ProcessDetails, ProcessorStats, PropertyType, State,
};
use wcow_host::codes::{v1, win32};
use wcow_host::{ExitType, SystemHandle, SystemId, SystemState, era};
use wcow_ntmeta::{FileTime, Guid};

use super::memory::Memory;
use super::{Phase, Place, STOPPED_IS_READABLE_FROM, System};
use crate::call::{ClientId, Outcome};
use crate::world::World;

impl World {
    pub(super) fn system_properties(
        &mut self,
        client: ClientId,
        handle: SystemHandle,
        wanted: &[PropertyType],
    ) -> Outcome {
        let key = self.system_of(client, handle)?;
        let build = self.profile.build;
        let system = self
            .compute
            .systems
            .get(&key)
            .ok_or(win32::INVALID_HANDLE)?;
        let state = system.state();
        if state == SystemState::Stopped && build < STOPPED_IS_READABLE_FROM {
            return Err(v1::SYSTEM_ALREADY_STOPPED.into());
        }
        // Disks that are mapped into a utility VM are none that anybody can map here.
        let runs = !matches!(state, SystemState::Created | SystemState::Stopped);
        let asked = |property: &PropertyType| wanted.contains(property);
        let properties = ContainerProperties {
            id: Some(system.id.0.clone()),
            name: Some(system.name.clone()),
            system_type: Some(system.kind().to_owned()),
            hosting_system_id: self.machine_of(system).map(|machine| machine.0.clone()),
            runtime_os_type: Some(OsType::Windows),
            owner: Some(system.owner.clone()).filter(|owner| !owner.is_empty()),
            state: told(state, build),
            stopped: (state == SystemState::Stopped).then_some(true),
            exit_type: system
                .exit
                .filter(|_| state == SystemState::Stopped)
                .map(exit_type),
            silo_guid: (runs && system.is_on_host() && !era::containers_persist(build))
                .then(|| silo(system).to_string()),
            statistics: (runs && asked(&PropertyType::Statistics))
                .then(|| system.statistics(self.now)),
            process_list: if runs && asked(&PropertyType::ProcessList) {
                system.process_list()
            } else {
                Vec::new()
            },
            guest_connection_info: system
                .guest_connection()
                .filter(|_| asked(&PropertyType::GuestConnection)),
            ..ContainerProperties::default()
        };
        Ok(properties.into())
    }

    /// The machine that a system is in.
    fn machine_of(&self, system: &System) -> Option<&SystemId> {
        let Place::In(machine) = system.place else {
            return None;
        };
        let machine = self.compute.systems.get(&machine)?;
        Some(&machine.id)
    }
}

impl System {
    /// What it is, as the service says it.
    fn kind(&self) -> &'static str {
        match self.place {
            Place::Machine(_) => "VirtualMachine",
            Place::Host | Place::UtilityVm | Place::In(_) => "Container",
        }
    }

    /// What the host knows of the service in a guest that it talks to.
    fn guest_connection(&self) -> Option<GuestConnectionInfo> {
        match &self.place {
            Place::Machine(machine) if machine.connected && self.phase == Phase::Running => {
                Some(GuestConnectionInfo {
                    supported_schema_versions: SchemaVersion::newest_of_build(self.image_build)
                        .into_iter()
                        .collect(),
                    ..GuestConnectionInfo::default()
                })
            }
            _ => None,
        }
    }

    /// Its processes that have not ended: id, program, since when, and the processor time.
    pub(super) fn living(&self) -> impl Iterator<Item = (u32, &str, FileTime, u64)> {
        self.processes
            .iter()
            .filter(|(_, process)| process.lives())
            .map(|(&id, process)| (id, process.image.as_str(), process.created, process.spent))
    }

    fn statistics(&self, now: FileTime) -> ContainerStatistics {
        let used: u64 = self.living().map(|(.., spent)| spent).sum();
        let total = self.spent.saturating_add(used);
        let private = self
            .living()
            .map(|(_, image, ..)| Memory::of(image).private)
            .sum();
        let (user, kernel) = if self.is_on_host() {
            (total - total / 4, total / 4)
        } else {
            (0, 0)
        };
        ContainerStatistics {
            timestamp: Some(now.to_string()),
            container_start_time: Some(self.started.to_string()),
            uptime_100ns: Some(now.ticks().saturating_sub(self.started.ticks())),
            memory: Some(MemoryStats {
                memory_usage_commit_bytes: Some(self.committed()),
                memory_usage_commit_peak_bytes: Some(self.peak),
                memory_usage_private_working_set_bytes: Some(private),
                ..MemoryStats::default()
            }),
            processor: Some(ProcessorStats {
                total_runtime_100ns: Some(total),
                runtime_user_100ns: Some(user),
                runtime_kernel_100ns: Some(kernel),
                ..ProcessorStats::default()
            }),
            ..ContainerStatistics::default()
        }
    }

    fn process_list(&self) -> Vec<ProcessDetails> {
        self.living()
            .map(|(id, image, created, spent)| {
                let memory = Memory::of(image);
                ProcessDetails {
                    process_id: Some(id),
                    image_name: Some(image.to_owned()),
                    create_timestamp: Some(created.to_string()),
                    user_time_100ns: Some(spent - spent / 4),
                    kernel_time_100ns: Some(spent / 4),
                    memory_commit_bytes: Some(memory.committed),
                    memory_working_set_private_bytes: Some(memory.private),
                    memory_working_set_shared_bytes: Some(memory.shared),
                    ..ProcessDetails::default()
                }
            })
            .collect()
    }
}

/// The state as the service writes it: newest builds leave it out for what was never started.
fn told(state: SystemState, build: u32) -> Option<State> {
    match state {
        SystemState::Created if build >= STOPPED_IS_READABLE_FROM => None,
        SystemState::Created => Some(State::Created),
        SystemState::Running => Some(State::Running),
        SystemState::Paused => Some(State::Paused),
        SystemState::SavedAsTemplate => Some(State::SavedAsTemplate),
        SystemState::Stopped => Some(State::Stopped),
    }
}

fn exit_type(exit: ExitType) -> NotificationType {
    match exit {
        ExitType::GracefulExit => NotificationType::GracefulExit,
        ExitType::ForcedExit => NotificationType::ForcedExit,
        ExitType::UnexpectedExit => NotificationType::UnexpectedExit,
    }
}

/// The silo of a container: the same for the same container.
fn silo(system: &System) -> Guid {
    era::layer_id(&format!("silo {} {}", system.id, system.run))
}
