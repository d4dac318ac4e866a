//! The compute service of a simulated host: compute systems and their life.
//!
//! ```text
//!            create             start               boot events           pause
//!   (none) ─────────> Off ─────────────> Starting ──────────────> Running ──────> Paused ───> Saved
//!                      ^                    │ terminate, timeout     │    <──────   │  save     │
//!                      │ persists           │                        │     resume   │ terminate │
//!                      │                    v                        v shutdown, terminate <────┘
//!                      └───────────────── ended <──── exit ───── Stopping
//!                                           │ ephemeral
//!                                           v
//!                                        Stopped: reachable through open handles only
//! ```
//!
//! A system with Hyper-V isolation runs in a utility virtual machine: that needs Hyper-V, an image with a `UtilityVM` folder, longer to
//! come up, no mounted scratch layer, and it alone can be paused and saved. Schema 1 asks for it by one field, and nobody sees the
//! machine. Schema 2 describes it: the machine is a system of its own (`machine.rs`), changed while it runs (`devices.rs`), and hosts
//! the container (`hosted.rs`).
//!
//! On Technical Previews 3 and 4 a system persists: it is off again after it ended, and a restart of the machine leaves it so.
//! Later it is gone. Handles belong to clients and end with them, with the service and with the machine.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use wcow_host::codes::{v1, v2, win32};
use wcow_host::{ExitType, Retry, SaveType, SystemEvent, SystemId, SystemState, SystemSummary};
use wcow_ntmeta::{FileTime, Guid, HostPath, Hresult, WideName};

use super::guest::mapped::Mapped;
use super::guest::process::{CONTROL_C_EXIT, KILLED, Process, ProcessRef};
use super::{Outside, World};
use crate::blobs::BlobId;
use crate::call::{ClientId, ComputeCall, Fault, OpId, Outcome, Step};
use crate::choice::Label;

use self::machine::Machine;

mod create;
mod devices;
mod facts;
mod handles;
mod hosted;
mod machine;
mod memory;
mod modify;
mod properties;
mod run;
mod schema2;

/// How long a shutdown and a forced end take, in milliseconds: at least, at most.
const SHUTDOWN: (u64, u64) = (400, 2_500);
const TERMINATE: (u64, u64) = (30, 150);
/// How long it takes to freeze a system or to let it go on, and to save it.
const PAUSE: (u64, u64) = (20, 120);
const SAVE: (u64, u64) = (300, 2_000);
/// From this build on the properties of a stopped system can be read, and an enumeration leaves out the state of a system that was
/// never started (both measured on build 26200).
const STOPPED_IS_READABLE_FROM: u32 = 26100;
/// Between these builds an enumeration can fail while a system is being torn down (moby retries it).
const ENUMERATION_STUMBLES: std::ops::Range<u32> = 14393..16299;

/// Names a compute system within one world: an id can come again, this does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct SystemKey(u64);

/// Everything the compute service knows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Compute {
    pub(super) systems: BTreeMap<SystemKey, Box<System>>,
    /// Those that can be opened.
    by_id: BTreeMap<SystemId, SystemKey>,
    handles: BTreeMap<u64, Handle>,
    pub(super) process_handles: BTreeMap<u64, ProcessRef>,
    next_system: u64,
    next_handle: u64,
    /// The calls whose event comes a second time.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    twice: BTreeSet<OpId>,
}

/// A compute system.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct System {
    id: SystemId,
    name: String,
    owner: String,
    /// It stays, off, until it is removed.
    persists: bool,
    /// Its scratch layer.
    pub(super) scratch: WideName,
    /// The folder of that layer.
    folder: HostPath,
    /// The folder of its base image.
    base: HostPath,
    switches: Vec<String>,
    endpoints: Vec<Guid>,
    dies_with_its_handles: bool,
    #[serde(default, skip_serializing_if = "Place::is_host")]
    place: Place,
    /// Its name as it sees it itself.
    pub(super) computer: String,
    /// The build that its image calls itself.
    pub(super) image_build: u32,
    /// The processors that it sees; all of the host's if absent.
    #[serde(default)]
    pub(super) processors: Option<u32>,
    /// The most memory that its programs may commit together, in bytes; no limit if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memory_limit: Option<u64>,
    /// Folders of the host that it sees.
    #[serde(default)]
    pub(super) mapped: Vec<Mapped>,
    phase: Phase,
    /// How often it ended.
    run: u32,
    /// How it ended last.
    #[serde(default)]
    exit: Option<ExitType>,
    /// When it was started last.
    #[serde(default)]
    started: FileTime,
    /// Processor time of the processes that have ended, in ticks.
    #[serde(default)]
    pub(super) spent: u64,
    /// The most memory that was committed at once, in bytes.
    #[serde(default)]
    pub(super) peak: u64,
    /// The processes that go on when it is no longer paused.
    #[serde(default)]
    pub(super) frozen: BTreeSet<u32>,
    pub(super) processes: BTreeMap<u32, Box<Process>>,
    pub(super) last_process: u32,
}

/// Where the processes of a system run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
enum Place {
    /// On the host.
    #[default]
    Host,
    /// In a utility virtual machine that the service makes for it alone.
    UtilityVm,
    /// It is a virtual machine itself.
    Machine(Box<Machine>),
    /// In a virtual machine of its own.
    In(SystemKey),
}

impl Place {
    const HOST: &'static Self = &Self::Host;
    const UTILITY_VM: &'static Self = &Self::UtilityVm;

    fn is_host(&self) -> bool {
        matches!(self, Self::Host)
    }

    /// Whether this is in that virtual machine.
    fn is_in(&self, machine: SystemKey) -> bool {
        matches!(self, Self::In(host) if *host == machine)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    Off,
    /// The call that gets the answer.
    Starting(OpId),
    Running,
    /// On its way to another phase; the call that gets the answer.
    Turning(OpId, Turn),
    Paused,
    Saved(SaveType),
    /// The calls that get the answer.
    Stopping(Vec<OpId>),
    Stopped,
}

/// A change of phase that takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Turn {
    Pause,
    Resume,
    Save(SaveType),
}

/// An open handle to a system.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Handle {
    client: ClientId,
    system: SystemKey,
    /// Events that nobody asked for yet.
    events: VecDeque<SystemEvent>,
    /// Calls that wait for an event.
    waiting: VecDeque<OpId>,
}

/// Something that will happen in the compute service. A restart of the machine cancels it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum ComputeEvent {
    /// A part of a start is done.
    Boot {
        system: SystemKey,
        run: u32,
        part: u8,
    },
    /// The container service did not answer.
    TimedOut {
        system: SystemKey,
        run: u32,
        code: Hresult,
    },
    /// A system is paused, goes on or is saved.
    Turned { system: SystemKey, run: u32 },
    /// A system has ended.
    Exit {
        system: SystemKey,
        run: u32,
        exit_code: u32,
        exit: ExitType,
    },
    /// A process goes on.
    Step { system: SystemKey, process: u32 },
}

impl Compute {
    /// A running system.
    pub(super) fn running(&mut self, key: SystemKey) -> Result<&mut System, Hresult> {
        let system = self.reachable(key)?;
        match system.phase {
            Phase::Running => Ok(system),
            _ => Err(v1::INVALID_STATE),
        }
    }

    /// A system that can still be asked for something.
    pub(super) fn not_stopped(&mut self, key: SystemKey) -> Result<&mut System, Hresult> {
        match self.systems.get_mut(&key) {
            Some(system) if system.phase != Phase::Stopped => Ok(system),
            Some(_) => Err(v1::SYSTEM_ALREADY_STOPPED),
            None => Err(win32::INVALID_HANDLE),
        }
    }

    /// Refuses what the guest has to do of a machine whose guest the host does not talk to.
    pub(super) fn has_guest(&mut self, key: SystemKey) -> Result<(), Hresult> {
        self.running(key)?;
        match self.machine(key) {
            Some(machine) if !machine.connected => Err(machine::UNREACHABLE),
            _ => Ok(()),
        }
    }

    /// The number of a new handle.
    pub(super) fn next_handle(&mut self) -> u64 {
        self.next_handle += 1;
        self.next_handle
    }

    /// Collects the blobs that wait in pipes.
    pub(super) fn blobs(&self, blobs: &mut BTreeSet<BlobId>) {
        let processes = self
            .systems
            .values()
            .flat_map(|system| system.processes.values());
        blobs.extend(processes.flat_map(|process| process.blobs()));
    }

    /// Forgets a system that is over and that no handle leads to.
    pub(in crate::world) fn forget(&mut self, key: SystemKey) {
        let stopped = self
            .systems
            .get(&key)
            .is_some_and(|system| system.phase == Phase::Stopped);
        let is_known = || {
            let mut processes = self.process_handles.values();
            self.handles.values().any(|handle| handle.system == key)
                || processes.any(|reference| reference.system == key)
        };
        if stopped && !is_known() {
            self.systems.remove(&key);
        }
    }
}

impl System {
    fn is_active(&self) -> bool {
        match self.phase {
            Phase::Starting(_)
            | Phase::Running
            | Phase::Turning(..)
            | Phase::Paused
            | Phase::Saved(_)
            | Phase::Stopping(_) => true,
            Phase::Off => !self.persists,
            Phase::Stopped => false,
        }
    }

    /// Whether its processes are the host's.
    fn is_on_host(&self) -> bool {
        self.place.is_host()
    }

    /// Whether it stands still.
    pub(super) fn is_frozen(&self) -> bool {
        matches!(
            self.phase,
            Phase::Paused | Phase::Saved(_) | Phase::Turning(_, Turn::Resume | Turn::Save(_))
        )
    }

    fn state(&self) -> SystemState {
        match self.phase {
            Phase::Off | Phase::Starting(_) => SystemState::Created,
            Phase::Running | Phase::Stopping(_) | Phase::Turning(_, Turn::Pause) => {
                SystemState::Running
            }
            Phase::Paused
            | Phase::Saved(SaveType::ToFile)
            | Phase::Turning(_, Turn::Resume | Turn::Save(_)) => SystemState::Paused,
            Phase::Saved(SaveType::AsTemplate) => SystemState::SavedAsTemplate,
            Phase::Stopped => SystemState::Stopped,
        }
    }
}

impl World {
    /// A call takes effect.
    pub(super) fn compute_call(
        &mut self,
        op: OpId,
        client: ClientId,
        call: &ComputeCall,
        out: &mut Outside<'_>,
    ) -> Outcome {
        self.container_stack(cmdlet(call))?;
        match call {
            ComputeCall::Create { id, document } => {
                let mark = self.fs.mark();
                let created = self.create_system(client, id, document, out)?;
                self.fs.services_wrote(mark);
                Ok(created)
            }
            ComputeCall::Open { id } => {
                let key = *self.compute.by_id.get(id).ok_or(v1::SYSTEM_NOT_FOUND)?;
                let alive = self.is_alive(client);
                Ok(self.compute.add_handle(client, key, alive).into())
            }
            ComputeCall::Close { system } => self.close_system(client, *system, out),
            ComputeCall::Enumerate => self.enumerate(),
            ComputeCall::Properties { system, wanted } => {
                self.system_properties(client, *system, wanted)
            }
            ComputeCall::Start { system } => self.start_system(op, client, *system, out),
            ComputeCall::Shutdown { system } => {
                let key = self.system_of(client, *system)?;
                let system = self.compute.running(key)?;
                if matches!(&system.place, Place::Machine(machine) if !machine.shuts_down) {
                    return Err(win32::NOT_SUPPORTED.into());
                }
                system.phase = Phase::Stopping(vec![op]);
                self.plan_exit(key, SHUTDOWN, CONTROL_C_EXIT, ExitType::GracefulExit);
                Ok(Step::Pending)
            }
            ComputeCall::Terminate { system } => self.terminate_system(op, client, *system, out),
            ComputeCall::Modify { system, change } => {
                self.modify_system(client, *system, change, out)
            }
            ComputeCall::Pause { system } => self.turn_system(op, client, *system, Turn::Pause),
            ComputeCall::Resume { system } => self.turn_system(op, client, *system, Turn::Resume),
            ComputeCall::Save { system, save } => {
                self.turn_system(op, client, *system, Turn::Save(*save))
            }
            ComputeCall::Remove { id } => {
                let mark = self.fs.mark();
                let removed = self.remove_system(id, out)?;
                self.fs.services_wrote(mark);
                Ok(removed)
            }
            ComputeCall::NextEvent { system } => self.next_event(op, client, *system),
            ComputeCall::CreateProcess { system, parameters } => {
                self.create_process(client, *system, parameters, out)
            }
            ComputeCall::OpenProcess { system, process_id } => {
                self.open_process(client, *system, *process_id)
            }
            ComputeCall::ProcessStatus { process } => self.process_status(client, *process),
            ComputeCall::WaitProcess { process } => self.wait_process(op, client, *process),
            ComputeCall::TerminateProcess { process } => {
                self.terminate_process(client, *process, out)
            }
            ComputeCall::SignalProcess { process, signal } => {
                self.signal_process(client, *process, *signal, out)
            }
            ComputeCall::ResizeConsole { process, size } => {
                self.resize_console(client, *process, *size)
            }
            ComputeCall::ReadOutput {
                process,
                output,
                max,
            } => self.read_output(op, client, *process, *output, *max, out),
            ComputeCall::OutputReady { process, output } => {
                self.output_ready(client, *process, *output)
            }
            ComputeCall::WriteInput { process, bytes } => {
                self.write_input(op, client, *process, bytes)
            }
            ComputeCall::CloseInput { process } => self.close_input(client, *process),
            ComputeCall::CloseProcess { process } => self.close_process(client, *process, out),
        }
    }

    /// A planned event happens.
    pub(super) fn compute_event(&mut self, event: ComputeEvent, out: &mut Outside<'_>) {
        let Some(event) = self.compute.hold_back(event) else {
            return;
        };
        match event {
            ComputeEvent::Boot { system, run, part } => {
                if self.is_run(system, run) {
                    self.boot_part(system, part, out);
                }
            }
            ComputeEvent::TimedOut { system, run, code } => {
                if self.is_run(system, run) {
                    self.fail_start(system, code, "the container service did not answer", out);
                }
            }
            ComputeEvent::Turned { system, run } => {
                if self.is_run(system, run) {
                    self.system_turned(system, out);
                }
            }
            ComputeEvent::Exit {
                system,
                run,
                exit_code,
                exit,
            } => {
                if self.is_run(system, run) {
                    self.end_system(system, (Hresult::default(), exit), exit_code, out);
                }
            }
            ComputeEvent::Step { system, process } => self.process_step(system, process, out),
        }
    }

    /// The machine goes down: everything that runs ends, handles and ephemeral systems are gone.
    pub(super) fn compute_on_reboot(&mut self, out: &mut Outside<'_>) {
        self.drop_handles(v1::UNEXPECTED_EXIT, out);
        let keys: Vec<SystemKey> = self.compute.systems.keys().copied().collect();
        for key in keys {
            let ended = self.compute.end_all(key, KILLED);
            self.cut_off_writers(ended.writers, out);
            for (op, _) in ended.waiting {
                self.answer(op, Err(v1::UNEXPECTED_EXIT.into()), out);
            }
            if let Some(system) = self.compute.systems.get_mut(&key) {
                system.phase = Phase::Off;
                system.run += 1;
                system.exit = Some(ExitType::UnexpectedExit);
                system.frozen.clear();
                system.processes.clear();
            }
        }
        let compute = &mut self.compute;
        compute.systems.retain(|_, system| system.persists);
        let systems = &compute.systems;
        compute.by_id.retain(|_, key| systems.contains_key(key));
    }

    /// The service was restarted: handles are gone, systems go on.
    pub(super) fn compute_service_restarted(&mut self, out: &mut Outside<'_>) {
        self.drop_handles(v2::SERVICE_DISCONNECT, out);
        let keys: Vec<SystemKey> = self.compute.systems.keys().copied().collect();
        keys.into_iter().for_each(|key| self.compute.forget(key));
    }

    /// Whether a compute system has an adapter on a switch of this name.
    pub(super) fn switch_in_use(&self, name: &str) -> bool {
        self.compute.systems.values().any(|system| {
            system
                .switches
                .iter()
                .any(|switch| switch.eq_ignore_ascii_case(name))
        })
    }

    /// Whether a compute system uses an endpoint.
    pub(super) fn endpoint_in_use(&self, id: Guid) -> bool {
        self.compute
            .systems
            .values()
            .any(|system| system.phase != Phase::Stopped && system.endpoints.contains(&id))
    }

    /// Whether a compute system needs a scratch layer mounted.
    pub(super) fn scratch_in_use(&self, scratch: &WideName) -> bool {
        let has = |system: &System| match &system.place {
            Place::Machine(machine) => machine
                .disks
                .iter()
                .any(|disk| disk.lock.is_some() && disk.scratch.as_ref() == Some(scratch)),
            _ => system.scratch == *scratch,
        };
        let mut systems = self.compute.systems.values();
        systems.any(|system| system.is_active() && has(system))
    }

    fn enumerate(&mut self) -> Outcome {
        let build = self.profile.build;
        if ENUMERATION_STUMBLES.contains(&build) {
            let stops = |system: &System| matches!(system.phase, Phase::Stopping(_));
            if self.compute.systems.values().any(|system| stops(system)) {
                match self.choice.draw(Label::ComputeTime, 4) {
                    0 => return Err(Fault::from(v1::INVALID_STATE).retry(Retry::Soon)),
                    1 => return Err(Fault::from(win32::ACCESS_DENIED).retry(Retry::Soon)),
                    _ => {}
                }
            }
        }
        let told = |state: &SystemState| {
            build < STOPPED_IS_READABLE_FROM || *state != SystemState::Created
        };
        let systems = self.compute.by_id.values();
        let systems: Vec<SystemSummary> = systems
            .filter_map(|key| self.compute.systems.get(key))
            .map(|system| SystemSummary {
                id: system.id.clone(),
                name: system.name.clone(),
                owner: system.owner.clone(),
                state: Some(system.state()).filter(told),
            })
            .collect();
        Ok(systems.into())
    }
}

/// What people of the technical previews typed for a call.
fn cmdlet(call: &ComputeCall) -> &'static str {
    match call {
        ComputeCall::Create { .. } => "New-Container",
        ComputeCall::Start { .. } => "Start-Container",
        ComputeCall::Shutdown { .. } | ComputeCall::Terminate { .. } => "Stop-Container",
        ComputeCall::Remove { .. } => "Remove-Container",
        _ => "Get-Container",
    }
}
