//! The compute service of a simulated host: compute systems and their life.
//!
//! ```text
//!            create             start               boot events
//!   (none) ─────────> Off ─────────────> Starting ──────────────> Running
//!                      ^                    │ terminate, timeout     │ shutdown, terminate
//!                      │ persists           v                        v
//!                      └───────────────── ended <──── exit ───── Stopping
//!                                           │ ephemeral
//!                                           v
//!                                        Stopped: reachable through open handles only
//! ```
//!
//! On Technical Previews 3 and 4 a system persists: it is off again after it ended, and a restart of the machine leaves it so.
//! Later it is gone. Handles belong to clients and end with them, with the service and with the machine.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use wcow_hcs_schema::schema1::{ContainerConfig, Layer};
use wcow_hcs_schema::tp3::Tp3ContainerConfig;
use wcow_host::codes::{v1, v2, win32};
use wcow_host::era::{self, Stage, Verdict};
use wcow_host::{CreateDocument, SystemEvent, SystemHandle, SystemId, SystemState, SystemSummary};
use wcow_ntmeta::{Guid, HostPath, Hresult, WideName};

use super::guest::process::{KILLED, Process, ProcessRef};
use super::layers::{beside, is_directory};
use super::{Outside, TICKS_PER_SECOND, World};
use crate::blobs::BlobId;
use crate::call::{ClientId, ComputeCall, Fault, OpId, Outcome, Reply, Step};
use crate::choice::Label;
use crate::queue::Event;

mod facts;

/// Ticks of 100 ns in a millisecond.
const MILLISECOND: u64 = TICKS_PER_SECOND / 1000;
/// The parts of a start: at least and at most how long after the part before, in milliseconds, and what runs from then on.
const BOOT: [(u64, u64, &[&str]); 3] = [
    (100, 300, &["smss.exe", "csrss.exe", "wininit.exe"]),
    (
        150,
        500,
        &["services.exe", "lsass.exe", "svchost.exe", "svchost.exe"],
    ),
    (100, 900, &["CExecSvc.exe"]),
];
/// How long a shutdown and a forced end take, in milliseconds: at least, at most.
const SHUTDOWN: (u64, u64) = (400, 2_500);
const TERMINATE: (u64, u64) = (30, 150);
/// How long a host waits for the container service: technical previews, later hosts.
const PREVIEW_TIMEOUT: u64 = 2 * 60 * TICKS_PER_SECOND;
const TIMEOUT: u64 = 4 * 60 * TICKS_PER_SECOND;
/// The exit code of what a shutdown ends.
const CONTROL_C_EXIT: u32 = 0xC000_013A;
/// From this build on the properties of a stopped system can be read.
const STOPPED_IS_READABLE_FROM: u32 = 26100;
/// The files of a container of Technical Preview 3, with their sizes.
const PREVIEW_FILES: [(&str, u64); 2] = [(".vmcx", 38_826), (".VMRS", 24_576)];
const PREVIEW_HIVES: [&str; 7] = [
    "DefaultUser_Delta",
    "Machine_Temp",
    "Sam_Delta",
    "Security_Delta",
    "Software_Delta",
    "System_Delta",
    "User_Temp",
];
const PREVIEW_HIVE: u64 = 8192;

/// Names a compute system within one world: an id can come again, this does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct SystemKey(u64);

/// Everything the compute service knows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Compute {
    pub(super) systems: BTreeMap<SystemKey, System>,
    /// Those that can be opened.
    by_id: BTreeMap<SystemId, SystemKey>,
    handles: BTreeMap<u64, Handle>,
    pub(super) process_handles: BTreeMap<u64, ProcessRef>,
    next_system: u64,
    next_handle: u64,
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
    /// Its name as it sees it itself.
    pub(super) computer: String,
    /// The build that its image calls itself.
    pub(super) image_build: u32,
    phase: Phase,
    /// How often it ended.
    run: u32,
    pub(super) processes: BTreeMap<u32, Process>,
    pub(super) last_process: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    Off,
    /// The call that gets the answer.
    Starting(OpId),
    Running,
    /// The calls that get the answer.
    Stopping(Vec<OpId>),
    Stopped,
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
    /// A system has ended.
    Exit {
        system: SystemKey,
        run: u32,
        exit_code: u32,
    },
    /// A process goes on.
    Step { system: SystemKey, process: u32 },
}

impl Compute {
    /// A running system.
    pub(super) fn running(&mut self, key: SystemKey) -> Result<&mut System, Hresult> {
        let system = self.not_stopped(key)?;
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
        blobs.extend(processes.flat_map(Process::blobs));
    }

    fn add_handle(&mut self, client: ClientId, system: SystemKey, alive: bool) -> SystemHandle {
        let handle = self.next_handle();
        if alive {
            let opened = Handle {
                client,
                system,
                events: VecDeque::new(),
                waiting: VecDeque::new(),
            };
            self.handles.insert(handle, opened);
        }
        SystemHandle(handle)
    }

    /// Forgets a system that is over and that no handle leads to.
    fn forget(&mut self, key: SystemKey) {
        let stopped = self
            .systems
            .get(&key)
            .is_some_and(|system| system.phase == Phase::Stopped);
        let known = self.handles.values().any(|handle| handle.system == key)
            || self
                .process_handles
                .values()
                .any(|reference| reference.system == key);
        if stopped && !known {
            self.systems.remove(&key);
        }
    }
}

impl System {
    fn is_active(&self) -> bool {
        match self.phase {
            Phase::Starting(_) | Phase::Running | Phase::Stopping(_) => true,
            Phase::Off => !self.persists,
            Phase::Stopped => false,
        }
    }

    fn state(&self) -> SystemState {
        match self.phase {
            Phase::Off | Phase::Starting(_) => SystemState::Created,
            Phase::Running | Phase::Stopping(_) => SystemState::Running,
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
            ComputeCall::Create { id, document } => self.create_system(client, id, document, out),
            ComputeCall::Open { id } => {
                let key = *self.compute.by_id.get(id).ok_or(v1::SYSTEM_NOT_FOUND)?;
                let alive = self.is_alive(client);
                Ok(self.compute.add_handle(client, key, alive).into())
            }
            ComputeCall::Close { system } => self.close_system(client, *system, out),
            ComputeCall::Enumerate => Ok(self.enumerate().into()),
            ComputeCall::State { system } => {
                let key = self.system_of(client, *system)?;
                let readable = self.profile.build >= STOPPED_IS_READABLE_FROM;
                let system = self
                    .compute
                    .systems
                    .get(&key)
                    .ok_or(win32::INVALID_HANDLE)?;
                match system.state() {
                    SystemState::Stopped if !readable => Err(v1::SYSTEM_ALREADY_STOPPED.into()),
                    state => Ok(state.into()),
                }
            }
            ComputeCall::Start { system } => self.start_system(op, client, *system, out),
            ComputeCall::Shutdown { system } => {
                let key = self.system_of(client, *system)?;
                self.compute.running(key)?.phase = Phase::Stopping(vec![op]);
                self.plan_exit(key, SHUTDOWN, CONTROL_C_EXIT);
                Ok(Step::Pending)
            }
            ComputeCall::Terminate { system } => self.terminate_system(op, client, *system, out),
            ComputeCall::Remove { id } => self.remove_system(id, out),
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
            ComputeCall::ReadOutput {
                process,
                output,
                max,
            } => self.read_output(op, client, *process, *output, *max, out),
            ComputeCall::WriteInput { process, bytes } => self.write_input(client, *process, bytes),
            ComputeCall::CloseInput { process } => self.close_input(client, *process),
            ComputeCall::CloseProcess { process } => self.close_process(client, *process),
        }
    }

    /// A planned event happens.
    pub(super) fn compute_event(&mut self, event: ComputeEvent, out: &mut Outside<'_>) {
        match event {
            ComputeEvent::Boot { system, run, part } => {
                if self.is_run(system, run) {
                    self.boot_part(system, part, out);
                }
            }
            ComputeEvent::TimedOut { system, run, code } => {
                if self.is_run(system, run)
                    && let Some(op) = self.end_start(system)
                {
                    out.trace(self.now, || {
                        "the container service did not answer".to_owned()
                    });
                    self.end_system(system, v1::UNEXPECTED_EXIT, KILLED, out);
                    self.answer(op, Err(code.into()), out);
                }
            }
            ComputeEvent::Exit {
                system,
                run,
                exit_code,
            } => {
                if self.is_run(system, run) {
                    self.end_system(system, Hresult::default(), exit_code, out);
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
            for (op, _) in ended.waiting {
                self.answer(op, Err(v1::UNEXPECTED_EXIT.into()), out);
            }
            if let Some(system) = self.compute.systems.get_mut(&key) {
                system.phase = Phase::Off;
                system.run += 1;
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

    /// A client was killed: its handles are closed.
    pub(super) fn compute_client_gone(&mut self, client: ClientId) {
        let compute = &mut self.compute;
        let mut processes: Vec<ProcessRef> = Vec::new();
        compute.process_handles.retain(|_, reference| {
            let keep = reference.client != client;
            if !keep {
                processes.push(*reference);
            }
            keep
        });
        let mut systems: Vec<SystemKey> = Vec::new();
        compute.handles.retain(|_, handle| {
            let keep = handle.client != client;
            if !keep {
                systems.push(handle.system);
            }
            keep
        });
        for reference in processes {
            self.process_handle_closed(reference);
            self.compute.forget(reference.system);
        }
        for key in systems {
            self.handle_closed(key);
        }
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
        self.compute
            .systems
            .values()
            .any(|system| system.is_active() && system.scratch == *scratch)
    }

    /// The system behind a client's handle.
    pub(super) fn system_of(
        &self,
        client: ClientId,
        handle: SystemHandle,
    ) -> Result<SystemKey, Fault> {
        match self.compute.handles.get(&handle.0) {
            Some(open) if open.client == client => Ok(open.system),
            _ => Err(win32::INVALID_HANDLE.into()),
        }
    }

    fn create_system(
        &mut self,
        client: ClientId,
        id: &SystemId,
        document: &CreateDocument,
        out: &mut Outside<'_>,
    ) -> Outcome {
        if era::containers_persist(self.profile.build) {
            self.refuse_before_reboot()?;
        }
        if self.compute.by_id.contains_key(id) {
            return Err(v1::SYSTEM_ALREADY_EXISTS.into());
        }
        let persist = era::containers_persist(self.profile.build);
        let system = match (document, persist) {
            (CreateDocument::TechnicalPreview(document), true) => {
                self.preview_system(id, document, out)?
            }
            (CreateDocument::Schema1(document), false) => self.schema1_system(id, document, out)?,
            _ => return Err(v1::INVALID_JSON.into()),
        };
        self.compute.next_system += 1;
        let key = SystemKey(self.compute.next_system);
        self.compute.systems.insert(key, system);
        self.compute.by_id.insert(id.clone(), key);
        let alive = self.is_alive(client);
        let handle = self.compute.add_handle(client, key, alive);
        if !alive {
            self.handle_closed(key);
        }
        Ok(handle.into())
    }

    fn preview_system(
        &mut self,
        id: &SystemId,
        document: &Tp3ContainerConfig,
        out: &mut Outside<'_>,
    ) -> Result<System, Fault> {
        let base = self.base_layer(&document.system_type, &document.layers, out)?;
        let folder =
            HostPath::parse(&document.layer_folder_path).map_err(|_| win32::PATH_NOT_FOUND)?;
        let scratch = self.layers.scratch(&folder).ok_or(win32::PATH_NOT_FOUND)?;
        let switches: Vec<String> = document
            .devices
            .iter()
            .map(|device| device.connection.network_name.clone())
            .collect();
        if switches
            .iter()
            .any(|name| self.switches.find(name).is_none())
        {
            return Err(win32::NOT_FOUND.into());
        }
        let verdict = self.verdict(&base, out);
        if let Verdict::Refused {
            stage: Stage::Create,
            code,
            ..
        } = verdict
        {
            return Err(code.into());
        }
        for (suffix, len) in PREVIEW_FILES {
            let file = beside(&folder, suffix).ok_or(win32::PATH_NOT_FOUND)?;
            self.fs.write_sparse(&file, len, self.now, out)?;
        }
        let hives = folder.join("Hives");
        self.fs.create_dir_all(&hives, self.now, out)?;
        for name in PREVIEW_HIVES {
            self.fs
                .write_sparse(&hives.join(name), PREVIEW_HIVE, self.now, out)?;
        }
        Ok(System {
            name: document.name.clone(),
            switches,
            ..self.new_system(id, scratch, folder, base, "")
        })
    }

    fn schema1_system(
        &mut self,
        id: &SystemId,
        document: &ContainerConfig,
        out: &mut Outside<'_>,
    ) -> Result<System, Fault> {
        if document.hv_partition {
            // A utility VM is not something that this host has.
            return Err(win32::NOT_SUPPORTED.into());
        }
        let base = self.base_layer(&document.system_type, &document.layers, out)?;
        let folder =
            HostPath::parse(&document.layer_folder_path).map_err(|_| win32::PATH_NOT_FOUND)?;
        let scratch = self
            .layers
            .mounted(&document.volume_path)
            .ok_or(win32::PATH_NOT_FOUND)?;
        if self.scratch_in_use(&scratch) {
            return Err(win32::SHARING_VIOLATION.into());
        }
        if let Verdict::Refused {
            stage: Stage::Create,
            code,
            ..
        } = self.verdict(&base, out)
        {
            return Err(code.into());
        }
        let mut endpoints = Vec::with_capacity(document.endpoint_list.len());
        for endpoint in &document.endpoint_list {
            let endpoint: Guid = endpoint.parse().map_err(|_| win32::NOT_FOUND)?;
            if self.hns.endpoint(endpoint).is_none() {
                return Err(win32::NOT_FOUND.into());
            }
            endpoints.push(endpoint);
        }
        for &endpoint in &endpoints {
            if let Err(code) = self.hns.attach(endpoint, id) {
                self.hns.detach(id);
                return Err(code.into());
            }
        }
        Ok(System {
            name: document.name.clone(),
            owner: document.owner.clone(),
            endpoints,
            dies_with_its_handles: document.terminate_on_last_handle_closed,
            ..self.new_system(id, scratch, folder, base, &document.host_name)
        })
    }

    fn new_system(
        &self,
        id: &SystemId,
        scratch: WideName,
        folder: HostPath,
        base: HostPath,
        host_name: &str,
    ) -> System {
        let computer = if host_name.is_empty() {
            // As container engines do it: the first characters of the id.
            let plain = id.0.chars().filter(char::is_ascii_alphanumeric);
            plain.take(12).collect::<String>().to_ascii_uppercase()
        } else {
            host_name.to_uppercase()
        };
        System {
            id: id.clone(),
            name: String::new(),
            owner: String::new(),
            persists: era::containers_persist(self.profile.build),
            scratch,
            folder,
            base,
            switches: Vec::new(),
            endpoints: Vec::new(),
            dies_with_its_handles: false,
            computer,
            image_build: self.profile.build,
            phase: Phase::Off,
            run: 0,
            processes: BTreeMap::new(),
            last_process: 0,
        }
    }

    /// The folder of the base layer, if all layers are there.
    fn base_layer(
        &mut self,
        system_type: &str,
        layers: &[Layer],
        out: &mut Outside<'_>,
    ) -> Result<HostPath, Hresult> {
        if system_type != "Container" || layers.is_empty() {
            return Err(v1::INVALID_JSON);
        }
        let mut base = None;
        for layer in layers {
            let path = HostPath::parse(&layer.path).map_err(|_| win32::PATH_NOT_FOUND)?;
            if !is_directory(&self.fs, &path.join("files"), out)? {
                return Err(win32::PATH_NOT_FOUND);
            }
            base = Some(path);
        }
        base.ok_or(v1::INVALID_JSON)
    }

    fn start_system(
        &mut self,
        op: OpId,
        client: ClientId,
        handle: SystemHandle,
        out: &mut Outside<'_>,
    ) -> Outcome {
        let key = self.system_of(client, handle)?;
        let system = self.compute.not_stopped(key)?;
        if system.phase != Phase::Off {
            return Err(v1::INVALID_STATE.into());
        }
        if !self.layers.is_prepared(&system.scratch) {
            return Err(win32::DEV_NOT_EXIST.into());
        }
        let missing = |name: &String| self.switches.find(name).is_none();
        if system.switches.iter().any(missing) {
            return Err(win32::NOT_FOUND.into());
        }
        let (run, base) = (system.run, system.base.clone());
        let facts = facts::image_facts(&self.fs, &base, out);
        match era::start_verdict(&self.host_info(), &facts) {
            Verdict::Runs => {}
            Verdict::Refused { code, failure, .. } if failure.0 == facts::NO_SERVICE => {
                let persist = era::containers_persist(self.profile.build);
                let timeout = if persist { PREVIEW_TIMEOUT } else { TIMEOUT };
                let event = ComputeEvent::TimedOut {
                    system: key,
                    run,
                    code,
                };
                self.plan(timeout, Event::Compute(event));
            }
            Verdict::Refused { code, .. } => return Err(code.into()),
        }
        let system = self.compute.not_stopped(key)?;
        system.phase = Phase::Starting(op);
        if facts.build != 0 {
            system.image_build = facts.build;
        }
        self.plan_boot(key, run, 0);
        Ok(Step::Pending)
    }

    fn plan_boot(&mut self, system: SystemKey, run: u32, part: u8) {
        if let Some(&(least, most, _)) = BOOT.get(usize::from(part)) {
            let ticks = self.drawn(least, most);
            self.plan(
                ticks,
                Event::Compute(ComputeEvent::Boot { system, run, part }),
            );
        }
    }

    /// A part of a start is done: its programs run, and the next part begins. The last one is the container service's.
    fn boot_part(&mut self, key: SystemKey, part: u8, out: &mut Outside<'_>) {
        let Some(system) = self.compute.systems.get(&key) else {
            return;
        };
        let Phase::Starting(op) = system.phase else {
            return;
        };
        let run = system.run;
        let last = usize::from(part) + 1 == BOOT.len();
        if last && !facts::image_facts(&self.fs, &system.base, out).container_service {
            return;
        }
        let programs = BOOT.get(usize::from(part)).map_or(&[][..], |part| part.2);
        for image in programs {
            self.start_system_process(key, image);
        }
        if !last {
            self.plan_boot(key, run, part + 1);
            return;
        }
        if let Some(system) = self.compute.systems.get_mut(&key) {
            system.phase = Phase::Running;
        }
        self.answer(op, Ok(().into()), out);
    }

    fn terminate_system(
        &mut self,
        op: OpId,
        client: ClientId,
        handle: SystemHandle,
        out: &mut Outside<'_>,
    ) -> Outcome {
        let key = self.system_of(client, handle)?;
        let system = self.compute.not_stopped(key)?;
        match &mut system.phase {
            Phase::Off if system.persists => Ok(().into()),
            Phase::Off | Phase::Running => {
                system.phase = Phase::Stopping(vec![op]);
                self.plan_exit(key, TERMINATE, KILLED);
                Ok(Step::Pending)
            }
            Phase::Stopping(ops) => {
                ops.push(op);
                self.plan_exit(key, TERMINATE, KILLED);
                Ok(Step::Pending)
            }
            Phase::Starting(start) => {
                let start = *start;
                system.phase = Phase::Stopping(vec![op]);
                self.plan_exit(key, TERMINATE, KILLED);
                self.answer(start, Err(v1::TERMINATED_DURING_START.into()), out);
                Ok(Step::Pending)
            }
            Phase::Stopped => Err(v1::SYSTEM_ALREADY_STOPPED.into()),
        }
    }

    fn remove_system(&mut self, id: &SystemId, out: &mut Outside<'_>) -> Outcome {
        if !era::containers_persist(self.profile.build) {
            return Err(win32::NOT_SUPPORTED.into());
        }
        let key = *self.compute.by_id.get(id).ok_or(v1::SYSTEM_NOT_FOUND)?;
        let system = self.compute.not_stopped(key)?;
        if system.phase != Phase::Off {
            return Err(v1::INVALID_STATE.into());
        }
        let folder = system.folder.clone();
        for (suffix, _) in PREVIEW_FILES {
            if let Some(file) = beside(&folder, suffix)
                && self.fs.find(&file, out)?.is_some()
            {
                self.fs.remove_file(&file, self.now, out)?;
            }
        }
        if is_directory(&self.fs, &folder, out)? {
            self.fs.remove_dir_all(&folder, self.now, out)?;
        }
        self.compute.by_id.remove(id);
        if let Some(system) = self.compute.systems.get_mut(&key) {
            system.phase = Phase::Stopped;
            system.switches.clear();
        }
        self.compute.forget(key);
        Ok(().into())
    }

    fn enumerate(&self) -> Vec<SystemSummary> {
        let systems = self.compute.by_id.values();
        systems
            .filter_map(|key| self.compute.systems.get(key))
            .map(|system| SystemSummary {
                id: system.id.clone(),
                name: system.name.clone(),
                owner: system.owner.clone(),
                state: system.state(),
            })
            .collect()
    }

    fn next_event(&mut self, op: OpId, client: ClientId, handle: SystemHandle) -> Outcome {
        let key = self.system_of(client, handle)?;
        let Some(open) = self.compute.handles.get_mut(&handle.0) else {
            return Err(win32::INVALID_HANDLE.into());
        };
        if let Some(event) = open.events.pop_front() {
            return Ok(event.into());
        }
        open.waiting.push_back(op);
        if self.compute.not_stopped(key).is_err() {
            // Nothing can happen to it any more.
            if let Some(open) = self.compute.handles.get_mut(&handle.0) {
                open.waiting.pop_back();
            }
            return Err(v1::SYSTEM_ALREADY_STOPPED.into());
        }
        Ok(Step::Pending)
    }

    fn close_system(
        &mut self,
        client: ClientId,
        handle: SystemHandle,
        out: &mut Outside<'_>,
    ) -> Outcome {
        let key = self.system_of(client, handle)?;
        if let Some(open) = self.compute.handles.remove(&handle.0) {
            for op in open.waiting {
                self.answer(op, Err(win32::INVALID_HANDLE.into()), out);
            }
        }
        self.handle_closed(key);
        Ok(().into())
    }

    /// What follows from a closed handle.
    fn handle_closed(&mut self, key: SystemKey) {
        let last = !self
            .compute
            .handles
            .values()
            .any(|handle| handle.system == key);
        let ends =
            self.compute.systems.get(&key).is_some_and(|system| {
                system.dies_with_its_handles && system.phase != Phase::Stopped
            });
        if last && ends {
            self.plan_exit(key, TERMINATE, KILLED);
        }
        self.compute.forget(key);
    }

    /// A system has ended: what waits for it is answered, its processes are gone, handles get the event.
    fn end_system(
        &mut self,
        key: SystemKey,
        status: Hresult,
        exit_code: u32,
        out: &mut Outside<'_>,
    ) {
        let Some(system) = self.compute.systems.get_mut(&key) else {
            return;
        };
        let next = if system.persists {
            Phase::Off
        } else {
            Phase::Stopped
        };
        let before = std::mem::replace(&mut system.phase, next);
        system.run += 1;
        let (id, persists) = (system.id.clone(), system.persists);
        out.trace(self.now, || format!("{id} has ended"));
        if !persists {
            self.compute.by_id.remove(&id);
            self.hns.detach(&id);
        }
        let ended = self.compute.end_all(key, exit_code);
        for op in ended.readers {
            self.answer(op, Ok(Vec::<u8>::new().into()), out);
        }
        for (op, status) in ended.waiting {
            self.answer(op, Ok(status.into()), out);
        }
        match before {
            Phase::Starting(op) => {
                self.answer(op, Err(v1::TERMINATED_DURING_START.into()), out);
            }
            Phase::Stopping(ops) => {
                for op in ops {
                    self.answer(op, Ok(().into()), out);
                }
            }
            Phase::Off | Phase::Running | Phase::Stopped => {}
        }
        let mut answers: Vec<OpId> = Vec::new();
        for handle in self.compute.handles.values_mut() {
            if handle.system == key {
                match handle.waiting.pop_front() {
                    Some(op) => answers.push(op),
                    None => handle.events.push_back(SystemEvent::Exited { status }),
                }
            }
        }
        for op in answers {
            self.answer(op, Ok(SystemEvent::Exited { status }.into()), out);
        }
        if !persists {
            self.no_more_events(key, out);
        }
        self.compute.forget(key);
    }

    /// Answers those who wait for further events of a system that is over.
    fn no_more_events(&mut self, key: SystemKey, out: &mut Outside<'_>) {
        let mut waiting: Vec<OpId> = Vec::new();
        for handle in self.compute.handles.values_mut() {
            if handle.system == key {
                waiting.extend(std::mem::take(&mut handle.waiting));
            }
        }
        for op in waiting {
            self.answer(op, Err(v1::SYSTEM_ALREADY_STOPPED.into()), out);
        }
    }

    /// Takes all handles away. Those who wait for events learn of it, other calls get `code`.
    fn drop_handles(&mut self, code: Hresult, out: &mut Outside<'_>) {
        let handles = std::mem::take(&mut self.compute.handles);
        for op in handles.into_values().flat_map(|handle| handle.waiting) {
            self.answer(op, Ok(SystemEvent::ServiceDisconnected.into()), out);
        }
        let mut cut_off: Vec<OpId> = Vec::new();
        for system in self.compute.systems.values_mut() {
            match &mut system.phase {
                Phase::Starting(op) => cut_off.push(*op),
                Phase::Stopping(ops) => cut_off.append(ops),
                Phase::Off | Phase::Running | Phase::Stopped => {}
            }
        }
        let references = std::mem::take(&mut self.compute.process_handles);
        for reference in references.into_values() {
            cut_off.extend(self.compute.take_waiting(reference));
            self.process_handle_closed(reference);
        }
        for op in cut_off {
            self.answer(op, Err::<Reply, Fault>(code.into()), out);
        }
    }

    /// Takes the call that waits for a start, if one does.
    fn end_start(&mut self, key: SystemKey) -> Option<OpId> {
        let system = self.compute.systems.get_mut(&key)?;
        let Phase::Starting(op) = system.phase else {
            return None;
        };
        system.phase = Phase::Stopping(Vec::new());
        Some(op)
    }

    fn is_run(&self, key: SystemKey, run: u32) -> bool {
        self.compute
            .systems
            .get(&key)
            .is_some_and(|system| system.run == run)
    }

    fn plan_exit(&mut self, system: SystemKey, (least, most): (u64, u64), exit_code: u32) {
        let run = self
            .compute
            .systems
            .get(&system)
            .map_or(0, |system| system.run);
        let ticks = self.drawn(least, most);
        self.plan(
            ticks,
            Event::Compute(ComputeEvent::Exit {
                system,
                run,
                exit_code,
            }),
        );
    }

    /// A time between two numbers of milliseconds, in ticks.
    fn drawn(&mut self, least: u64, most: u64) -> u64 {
        let spread = most.saturating_sub(least) * MILLISECOND;
        least * MILLISECOND + self.choice.draw(Label::ComputeTime, spread + 1)
    }

    fn verdict(&self, base: &HostPath, out: &mut Outside<'_>) -> Verdict {
        era::start_verdict(&self.host_info(), &facts::image_facts(&self.fs, base, out))
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
