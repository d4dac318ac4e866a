//! The processes of a container: created, waited for, ended; their pipes.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use wcow_hcs_schema::schema1::{ProcessParameters, ProcessStatus};
use wcow_host::codes::{v1, v2, win32};
use wcow_host::{Output, ProcessHandle, Signal, SystemHandle};
use wcow_ntmeta::{FileTime, Hresult, RelPath};

use super::pipes::{CAPACITY, Chunk, OutputPipe, Sink};
use super::{Program, Words, cmdline, find_program, paths};
use crate::call::{ClientId, Fault, OpId, Outcome, Step};
use crate::world::compute::{Compute, SystemKey};
use crate::world::{Outside, World};

mod environment;
mod run;

pub(crate) use environment::Environment;

/// The exit code of a process that was ended from outside.
pub(crate) const KILLED: u32 = 1067;
/// The exit code of a process that a console signal ends: `STATUS_CONTROL_C_EXIT`.
pub(crate) const CONTROL_C_EXIT: u32 = 0xC000_013A;
/// Rows and columns of a console that nobody gave a size.
const CONSOLE: [u16; 2] = [25, 80];
/// From this build on processes can be told something.
const SIGNALS_FROM: u32 = 17763;
/// From this build on ending a process that has exited has an answer of its own.
const ALREADY_STOPPED_FROM: u32 = 17763;

/// A process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) image: String,
    pub(crate) program: Program,
    pub(crate) environment: Environment,
    pub(crate) directory: RelPath,
    pub(crate) out: Sink,
    pub(crate) err: Sink,
    /// What came in and was not read yet.
    pub(crate) input: Vec<u8>,
    /// Writes for which there is no room yet.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    writers: VecDeque<(OpId, Vec<u8>)>,
    /// Nothing will come in behind those.
    #[serde(default)]
    last_writers: bool,
    /// Nothing more will come in.
    pub(crate) input_ended: bool,
    /// The process that waits for this one.
    parent: Option<u32>,
    /// The exit code of the child that this one waited for.
    pub(crate) child_exit: Option<u32>,
    wants_input: bool,
    /// Rows and columns of its console, if it has one.
    #[serde(default)]
    console: Option<[u16; 2]>,
    /// The pipes that it was created with.
    out_pipe: Option<OutputPipe>,
    err_pipe: Option<OutputPipe>,
    exit: Option<u32>,
    /// When it was started.
    #[serde(default)]
    pub(crate) created: FileTime,
    /// Processor time that it used, in ticks.
    #[serde(default)]
    pub(crate) spent: u64,
    /// Calls that wait for its end.
    waiting: Vec<OpId>,
}

impl Process {
    /// A process that is part of Windows.
    pub(crate) fn system(image: &str) -> Self {
        Self {
            image: image.to_owned(),
            program: Program::System,
            environment: Environment::default(),
            directory: RelPath::parse(r"Windows\System32"),
            out: Sink::Nul,
            err: Sink::Nul,
            input: Vec::new(),
            writers: VecDeque::new(),
            last_writers: false,
            input_ended: true,
            parent: None,
            child_exit: None,
            wants_input: false,
            console: None,
            out_pipe: None,
            err_pipe: None,
            exit: None,
            created: FileTime::default(),
            spent: 0,
            waiting: Vec::new(),
        }
    }

    /// The files whose bytes are still in its pipes.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = crate::blobs::BlobId> {
        [&self.out_pipe, &self.err_pipe]
            .into_iter()
            .flatten()
            .flat_map(|pipe| &pipe.chunks)
            .filter_map(|chunk| match chunk {
                Chunk::File { content, .. } => content.blob,
                Chunk::Bytes(_) => None,
            })
    }

    fn pipe(&mut self, output: Output) -> &mut Option<OutputPipe> {
        match output {
            Output::Out => &mut self.out_pipe,
            Output::Err => &mut self.err_pipe,
        }
    }

    /// Whether it has not ended.
    pub(crate) fn lives(&self) -> bool {
        self.exit.is_none()
    }

    /// Whether so many bytes more can come in: a write that is larger than the pipe goes into an empty one.
    fn has_room(&self, bytes: usize) -> bool {
        let held = self.input.len().saturating_add(bytes) as u64;
        self.input.is_empty() || held <= CAPACITY
    }

    /// Takes in what the next writers have, as far as there is room. Gives their calls.
    fn take_in(&mut self) -> Vec<OpId> {
        let mut taken = Vec::new();
        while let Some((op, bytes)) = self.writers.pop_front() {
            if !self.has_room(bytes.len()) {
                self.writers.push_front((op, bytes));
                break;
            }
            self.input.extend(bytes);
            taken.push(op);
        }
        if self.last_writers && self.writers.is_empty() {
            self.input_ended = true;
        }
        taken
    }

    /// The input ends at once. Gives the calls of those who wait to write.
    fn cut_input(&mut self) -> Vec<OpId> {
        self.input_ended = true;
        let writers = std::mem::take(&mut self.writers);
        writers.into_iter().map(|(op, _)| op).collect()
    }

    fn leads_to(&self, process: u32, output: Output) -> bool {
        let pipe = Sink::Pipe { process, output };
        self.out == pipe || self.err == pipe
    }
}

/// An open handle to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessRef {
    pub(crate) client: ClientId,
    pub(crate) system: SystemKey,
    pub(crate) process: u32,
    /// It was given out when the process was created: the pipes belong to it.
    pub(crate) creator: bool,
}

/// The accounts that programs in a container run as without a password. Others are refused, `NT AUTHORITY\SYSTEM` among them (verbatim:
/// moby#28585). Local users of an image are not simulated.
const ACCOUNTS: [&str; 2] = ["ContainerAdministrator", "ContainerUser"];

/// The account of a name, which may have its domain before it; `None` if there is none.
fn account(name: &str) -> Option<&'static str> {
    let name = match name.split_once('\\') {
        Some((domain, name)) if domain.eq_ignore_ascii_case("User Manager") => name,
        Some(_) => return None,
        None => name,
    };
    let mut known = ACCOUNTS.into_iter();
    known.find(|known| known.eq_ignore_ascii_case(name))
}

impl World {
    pub(in crate::world) fn create_process(
        &mut self,
        client: ClientId,
        handle: SystemHandle,
        parameters: &ProcessParameters,
        out: &mut Outside<'_>,
    ) -> Outcome {
        let key = self.system_of(client, handle)?;
        let processors = self.profile.processors;
        let now = self.now;
        let alive = self.is_alive(client);
        self.compute.has_guest(key)?;
        let system = self.compute.running(key)?;
        let processors = system.processors.unwrap_or(processors);
        let mut environment = Environment::of_container(&system.computer, processors);
        if !parameters.user.is_empty() {
            let user = account(&parameters.user).ok_or(win32::LOGON_FAILURE)?;
            environment.set("USERNAME", user);
        }
        for (name, value) in &parameters.environment {
            // A variable without a value is taken and never seen again.
            if !name.is_empty() {
                environment.set(name, value);
            }
        }
        let (scratch, mapped) = (system.scratch.clone(), system.mapped.clone());
        let Some(mut view) = self.layers.view(&scratch, &mut self.fs, &mapped, now, out) else {
            return Err(win32::PATH_NOT_FOUND.into());
        };
        let mut directory = RelPath::root();
        if !parameters.working_directory.is_empty() {
            directory = paths::resolve(&parameters.working_directory, &directory)
                .map_err(|paths::NoSuchDrive| win32::DIRECTORY)?;
            if !view.is_directory(&directory) {
                return Err(win32::DIRECTORY.into());
            }
        }
        let line = match parameters.command_line.as_str() {
            "" => &parameters.application_name,
            line => line,
        };
        let name = if parameters.application_name.is_empty() {
            cmdline::program(line).0
        } else {
            parameters.application_name.clone()
        };
        if name.is_empty() {
            return Err(win32::INVALID_PARAMETER.into());
        }
        let words = Words { name: &name, line };
        let (program, image) = find_program(&mut view, &directory, &environment, &words)?;
        self.room_for(key, &image)?;
        let id = self.next_process_id(key);
        let pipe = |output| Sink::Pipe {
            process: id,
            output,
        };
        let console = parameters.emulate_console;
        let with_out = parameters.create_std_out_pipe;
        let with_err = parameters.create_std_err_pipe && !console;
        let process = Process {
            image,
            program,
            environment,
            directory,
            out: if with_out {
                pipe(Output::Out)
            } else {
                Sink::Nul
            },
            err: if with_err {
                pipe(Output::Err)
            } else if console && with_out {
                pipe(Output::Out)
            } else {
                Sink::Nul
            },
            input_ended: !parameters.create_std_in_pipe || !alive,
            console: console.then(|| parameters.console_size.unwrap_or(CONSOLE)),
            out_pipe: with_out.then(OutputPipe::default),
            err_pipe: with_err.then(OutputPipe::default),
            ..Process::system("")
        };
        self.process_appears(key, id, process);
        self.plan_step(key, id);
        if !alive {
            // Nobody takes the handle.
            self.close_pipes(key, id);
        }
        let reference = ProcessRef {
            client,
            system: key,
            process: id,
            creator: true,
        };
        Ok(self.compute.add_process_handle(reference, alive).into())
    }

    pub(in crate::world) fn open_process(
        &mut self,
        client: ClientId,
        handle: SystemHandle,
        process: u32,
    ) -> Outcome {
        let key = self.system_of(client, handle)?;
        let alive = self.is_alive(client);
        let system = self.compute.not_stopped(key)?;
        match system.processes.get(&process) {
            Some(found) if found.exit.is_none() => {
                let reference = ProcessRef {
                    client,
                    system: key,
                    process,
                    creator: false,
                };
                Ok(self.compute.add_process_handle(reference, alive).into())
            }
            _ => Err(win32::NOT_FOUND.into()),
        }
    }

    pub(in crate::world) fn process_status(
        &mut self,
        client: ClientId,
        handle: ProcessHandle,
    ) -> Outcome {
        let (reference, process) = self.process_of(client, handle)?;
        Ok(status(reference.process, process).into())
    }

    pub(in crate::world) fn wait_process(
        &mut self,
        op: OpId,
        client: ClientId,
        handle: ProcessHandle,
    ) -> Outcome {
        let (reference, process) = self.process_of(client, handle)?;
        if process.exit.is_some() {
            return Ok(status(reference.process, process).into());
        }
        process.waiting.push(op);
        Ok(Step::Pending)
    }

    pub(in crate::world) fn terminate_process(
        &mut self,
        client: ClientId,
        handle: ProcessHandle,
        out: &mut Outside<'_>,
    ) -> Outcome {
        let (reference, process) = self.living_process_of(client, handle)?;
        if matches!(process.program, Program::System) {
            return Err(win32::ACCESS_DENIED.into());
        }
        self.end_process(reference.system, reference.process, KILLED, out);
        Ok(().into())
    }

    pub(in crate::world) fn signal_process(
        &mut self,
        client: ClientId,
        handle: ProcessHandle,
        signal: Signal,
        out: &mut Outside<'_>,
    ) -> Outcome {
        if self.profile.build < SIGNALS_FROM {
            return Err(win32::NOT_SUPPORTED.into());
        }
        let (reference, process) = self.living_process_of(client, handle)?;
        match signal {
            // Programs of the small guest have no handlers of their own: the default one ends the process.
            Signal::CtrlC
            | Signal::CtrlBreak
            | Signal::CtrlClose
            | Signal::CtrlLogOff
            | Signal::CtrlShutdown => {
                if matches!(process.program, Program::System) {
                    return Ok(().into());
                }
                self.end_process(reference.system, reference.process, CONTROL_C_EXIT, out);
                Ok(().into())
            }
        }
    }

    pub(in crate::world) fn resize_console(
        &mut self,
        client: ClientId,
        handle: ProcessHandle,
        size: [u16; 2],
    ) -> Outcome {
        let (_, process) = self.living_process_of(client, handle)?;
        match &mut process.console {
            Some(console) if !size.contains(&0) => {
                *console = size;
                Ok(().into())
            }
            _ => Err(win32::INVALID_PARAMETER.into()),
        }
    }

    pub(in crate::world) fn read_output(
        &mut self,
        op: OpId,
        client: ClientId,
        handle: ProcessHandle,
        output: Output,
        max: u64,
        out: &mut Outside<'_>,
    ) -> Outcome {
        let (reference, process) = self.own_process_of(client, handle)?;
        let Some(pipe) = process.pipe(output) else {
            return Err(win32::INVALID_HANDLE.into());
        };
        match pipe.take(max, out.blobs) {
            Some(bytes) => {
                if !pipe.is_full() {
                    for id in std::mem::take(&mut pipe.stalled) {
                        self.plan_step(reference.system, id);
                    }
                }
                Ok(bytes.into())
            }
            None => {
                pipe.readers.push_back((op, max));
                Ok(Step::Pending)
            }
        }
    }

    pub(in crate::world) fn output_ready(
        &mut self,
        client: ClientId,
        handle: ProcessHandle,
        output: Output,
    ) -> Outcome {
        let (_, process) = self.own_process_of(client, handle)?;
        match process.pipe(output) {
            Some(pipe) => Ok(pipe.is_ready().into()),
            None => Err(win32::INVALID_HANDLE.into()),
        }
    }

    pub(in crate::world) fn write_input(
        &mut self,
        op: OpId,
        client: ClientId,
        handle: ProcessHandle,
        bytes: &[u8],
    ) -> Outcome {
        let (reference, process) = self.own_process_of(client, handle)?;
        if process.input_ended || process.exit.is_some() {
            return Err(win32::NO_DATA.into());
        }
        if !process.writers.is_empty() || !process.has_room(bytes.len()) {
            process.writers.push_back((op, bytes.to_vec()));
            return Ok(Step::Pending);
        }
        process.input.extend_from_slice(bytes);
        self.input_came(reference.system, reference.process);
        Ok(().into())
    }

    pub(in crate::world) fn close_input(
        &mut self,
        client: ClientId,
        handle: ProcessHandle,
    ) -> Outcome {
        let (reference, process) = self.own_process_of(client, handle)?;
        if process.writers.is_empty() {
            process.input_ended = true;
            self.input_came(reference.system, reference.process);
        } else {
            process.last_writers = true;
        }
        Ok(().into())
    }

    pub(in crate::world) fn close_process(
        &mut self,
        client: ClientId,
        handle: ProcessHandle,
        out: &mut Outside<'_>,
    ) -> Outcome {
        let (reference, _) = self.process_of(client, handle)?;
        self.compute.process_handles.remove(&handle.0);
        let writers = self.process_handle_closed(reference);
        self.compute.forget(reference.system);
        self.cut_off_writers(writers, out);
        Ok(().into())
    }

    /// What follows from a closed process handle: the creator's pipes are closed, and a process that nobody can ask about any
    /// more is forgotten. Gives the calls of those who wait to write to it.
    pub(in crate::world) fn process_handle_closed(&mut self, reference: ProcessRef) -> Vec<OpId> {
        let mut writers = Vec::new();
        if reference.creator {
            writers = self.close_pipes(reference.system, reference.process);
            self.input_came(reference.system, reference.process);
        }
        self.compute
            .forget_process(reference.system, reference.process);
        writers
    }

    /// The process behind a client's handle.
    fn process_of(
        &mut self,
        client: ClientId,
        handle: ProcessHandle,
    ) -> Result<(ProcessRef, &mut Process), Fault> {
        let reference = self
            .compute
            .process_handles
            .get(&handle.0)
            .copied()
            .filter(|reference| reference.client == client)
            .ok_or(win32::INVALID_HANDLE)?;
        let process = self
            .compute
            .systems
            .get_mut(&reference.system)
            .and_then(|system| system.processes.get_mut(&reference.process))
            .ok_or(win32::INVALID_HANDLE)?;
        Ok((reference, process))
    }

    /// The same, if it has not exited.
    fn living_process_of(
        &mut self,
        client: ClientId,
        handle: ProcessHandle,
    ) -> Result<(ProcessRef, &mut Process), Fault> {
        let exited = if self.profile.build >= ALREADY_STOPPED_FROM {
            v2::PROCESS_ALREADY_STOPPED
        } else {
            v1::SYSTEM_NOT_FOUND
        };
        let (reference, process) = self.process_of(client, handle)?;
        if process.exit.is_some() {
            return Err(exited.into());
        }
        Ok((reference, process))
    }

    /// The same, if the pipes belong to that handle.
    fn own_process_of(
        &mut self,
        client: ClientId,
        handle: ProcessHandle,
    ) -> Result<(ProcessRef, &mut Process), Fault> {
        let (reference, process) = self.process_of(client, handle)?;
        if reference.creator {
            Ok((reference, process))
        } else {
            Err(win32::INVALID_HANDLE.into())
        }
    }
}

impl Compute {
    /// Adds a handle to a process; to nobody if the client is gone.
    fn add_process_handle(&mut self, reference: ProcessRef, alive: bool) -> ProcessHandle {
        let handle = self.next_handle();
        if alive {
            self.process_handles.insert(handle, reference);
        }
        ProcessHandle(handle)
    }
}

fn status(id: u32, process: &Process) -> ProcessStatus {
    ProcessStatus {
        process_id: id,
        exited: process.exit.is_some(),
        exit_code: process.exit.unwrap_or_default(),
        last_wait_result: Hresult::default().as_i32(),
        ..ProcessStatus::default()
    }
}
