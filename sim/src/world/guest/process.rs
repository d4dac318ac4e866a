//! The processes of a container: created, waited for, ended; their pipes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wcow_hcs_schema::schema1::{ProcessParameters, ProcessStatus};
use wcow_host::codes::{v1, v2, win32};
use wcow_host::{Output, ProcessHandle, SystemHandle};
use wcow_ntmeta::{Hresult, RelPath};

use super::pipes::{Chunk, OutputPipe, Sink};
use super::{Context, Next, Program, Spawn, Words, cmdline, find_program, paths};
use crate::call::{ClientId, Fault, OpId, Outcome, Step};
use crate::choice::Label;
use crate::queue::Event;
use crate::world::compute::{ComputeEvent, SystemKey};
use crate::world::{Outside, World};

/// The exit code of a process that was ended from outside.
pub(crate) const KILLED: u32 = 1067;
/// From this build on ending a process that has exited has an answer of its own.
const ALREADY_STOPPED_FROM: u32 = 17763;
/// How long a program takes before it does anything, in ticks: at least, and how much more.
const LOADING: (u64, u64) = (30_000, 50_000);

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
    /// Nothing more will come in.
    pub(crate) input_ended: bool,
    /// The process that waits for this one.
    parent: Option<u32>,
    /// The exit code of the child that this one waited for.
    pub(crate) child_exit: Option<u32>,
    wants_input: bool,
    /// The pipes that it was created with.
    out_pipe: Option<OutputPipe>,
    err_pipe: Option<OutputPipe>,
    exit: Option<u32>,
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
            input_ended: true,
            parent: None,
            child_exit: None,
            wants_input: false,
            out_pipe: None,
            err_pipe: None,
            exit: None,
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

/// Environment variables, by upcased name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Environment(BTreeMap<String, (String, String)>);

impl Environment {
    /// What every process of a container has.
    fn of_container(computer: &str, processors: u32) -> Self {
        let mut environment = Self::default();
        let processors = processors.to_string();
        for (name, value) in [
            ("ALLUSERSPROFILE", r"C:\ProgramData"),
            ("CommonProgramFiles", r"C:\Program Files\Common Files"),
            ("COMPUTERNAME", computer),
            ("ComSpec", r"C:\Windows\system32\cmd.exe"),
            ("NUMBER_OF_PROCESSORS", &processors),
            ("OS", "Windows_NT"),
            ("Path", r"C:\Windows\system32;C:\Windows"),
            ("PATHEXT", ".COM;.EXE;.BAT;.CMD"),
            ("PROCESSOR_ARCHITECTURE", "AMD64"),
            ("ProgramData", r"C:\ProgramData"),
            ("ProgramFiles", r"C:\Program Files"),
            ("PROMPT", "$P$G"),
            ("PUBLIC", r"C:\Users\Public"),
            ("SystemDrive", "C:"),
            ("SystemRoot", r"C:\Windows"),
            ("TEMP", r"C:\Windows\TEMP"),
            ("TMP", r"C:\Windows\TEMP"),
            ("USERNAME", "SYSTEM"),
            ("windir", r"C:\Windows"),
        ] {
            environment.set(name, value);
        }
        environment
    }

    /// The value of a variable, whatever the case of its name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(&name.to_uppercase())
            .map(|(_, value)| value.as_str())
    }

    /// Sets a variable; an empty value removes it.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let key = name.to_uppercase();
        if value.is_empty() {
            self.0.remove(&key);
        } else {
            let spelled = self
                .0
                .remove(&key)
                .map_or_else(|| name.to_owned(), |(old, _)| old);
            self.0.insert(key, (spelled, value.to_owned()));
        }
    }

    /// The variables whose names begin like this, in order.
    pub(crate) fn starting_with(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        let prefix = prefix.to_uppercase();
        self.0
            .iter()
            .filter(move |(key, _)| key.starts_with(&prefix))
            .map(|(_, (name, value))| (name.as_str(), value.as_str()))
    }

    /// All of them.
    pub(crate) fn pairs(&self) -> BTreeMap<String, String> {
        self.0.values().cloned().collect()
    }
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
        let system = self.compute.running(key)?;
        let mut environment = Environment::of_container(&system.computer, processors);
        for (name, value) in &parameters.environment {
            // A variable without a value is taken and never seen again.
            if !name.is_empty() {
                environment.set(name, value);
            }
        }
        let scratch = system.scratch.clone();
        let Some(mut view) = self.layers.view(&scratch, &self.fs, now, out) else {
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
            out_pipe: with_out.then(OutputPipe::default),
            err_pipe: with_err.then(OutputPipe::default),
            ..Process::system("")
        };
        self.compute.running(key)?.processes.insert(id, process);
        self.plan_step(key, id);
        if !alive {
            // Nobody takes the handle.
            self.compute.close_pipes(key, id);
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
        let build = self.profile.build;
        let (reference, process) = self.process_of(client, handle)?;
        if process.exit.is_some() {
            return Err(if build >= ALREADY_STOPPED_FROM {
                v2::PROCESS_ALREADY_STOPPED.into()
            } else {
                v1::SYSTEM_NOT_FOUND.into()
            });
        }
        if matches!(process.program, Program::System) {
            return Err(win32::ACCESS_DENIED.into());
        }
        self.end_process(reference.system, reference.process, KILLED, out);
        Ok(().into())
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
        let (_, process) = self.own_process_of(client, handle)?;
        let Some(pipe) = process.pipe(output) else {
            return Err(win32::INVALID_HANDLE.into());
        };
        match pipe.take(max, out.blobs) {
            Some(bytes) => Ok(bytes.into()),
            None => {
                pipe.readers.push_back((op, max));
                Ok(Step::Pending)
            }
        }
    }

    pub(in crate::world) fn write_input(
        &mut self,
        client: ClientId,
        handle: ProcessHandle,
        bytes: &[u8],
    ) -> Outcome {
        let (reference, process) = self.own_process_of(client, handle)?;
        if process.input_ended || process.exit.is_some() {
            return Err(win32::NO_DATA.into());
        }
        process.input.extend_from_slice(bytes);
        self.input_came(reference);
        Ok(().into())
    }

    pub(in crate::world) fn close_input(
        &mut self,
        client: ClientId,
        handle: ProcessHandle,
    ) -> Outcome {
        let (reference, process) = self.own_process_of(client, handle)?;
        process.input_ended = true;
        self.input_came(reference);
        Ok(().into())
    }

    pub(in crate::world) fn close_process(
        &mut self,
        client: ClientId,
        handle: ProcessHandle,
    ) -> Outcome {
        let (reference, _) = self.process_of(client, handle)?;
        self.compute.process_handles.remove(&handle.0);
        self.process_handle_closed(reference);
        Ok(().into())
    }

    /// What follows from a closed process handle: the creator's pipes are closed, and a process that nobody can ask about any
    /// more is forgotten.
    pub(in crate::world) fn process_handle_closed(&mut self, reference: ProcessRef) {
        if reference.creator {
            self.compute
                .close_pipes(reference.system, reference.process);
            self.input_came(reference);
        }
        self.compute
            .forget_process(reference.system, reference.process);
    }

    /// A process goes on.
    pub(in crate::world) fn process_step(
        &mut self,
        key: SystemKey,
        id: u32,
        out: &mut Outside<'_>,
    ) {
        let (now, spread) = (self.now, LOADING.1);
        let Some(system) = self.compute.systems.get_mut(&key) else {
            return;
        };
        let Some(process) = system
            .processes
            .get_mut(&id)
            .filter(|process| process.exit.is_none())
        else {
            return;
        };
        let Some(view) = self.layers.view(&system.scratch, &self.fs, now, out) else {
            return;
        };
        let mut program = std::mem::replace(&mut process.program, Program::System);
        let mut context = Context {
            view,
            process,
            build: system.image_build,
            computer: &system.computer,
            written: Vec::new(),
        };
        let next = program.step(&mut context);
        let written = context.written;
        process.program = program;
        process.wants_input = matches!(next, Next::Input);
        for (sink, chunk) in written {
            self.pipe_written(key, &sink, chunk, out);
        }
        match next {
            Next::Input => {}
            Next::Exit(code) => self.end_process(key, id, code, out),
            Next::After(ticks) => {
                self.plan(
                    ticks,
                    Event::Compute(ComputeEvent::Step {
                        system: key,
                        process: id,
                    }),
                );
            }
            Next::Child(spawn) => {
                let more = self.choice.draw(Label::Guest, spread);
                self.start_child(key, id, spawn, more);
            }
        }
    }

    /// A process ends, and only it.
    pub(in crate::world) fn end_process(
        &mut self,
        key: SystemKey,
        id: u32,
        code: u32,
        out: &mut Outside<'_>,
    ) {
        let Some(system) = self.compute.systems.get_mut(&key) else {
            return;
        };
        let Some(process) = system
            .processes
            .get_mut(&id)
            .filter(|process| process.exit.is_none())
        else {
            return;
        };
        process.exit = Some(code);
        process.input.clear();
        process.input_ended = true;
        let waiting = std::mem::take(&mut process.waiting);
        let answer = status(id, process);
        if let Some(id) = process.parent
            && let Some(parent) = system.processes.get_mut(&id)
        {
            parent.child_exit = Some(code);
            self.plan_step(key, id);
        }
        for op in waiting {
            self.answer(op, Ok(answer.clone().into()), out);
        }
        self.end_pipes(key, out);
        self.compute.forget_process(key, id);
    }

    /// Plans that a process goes on at once.
    fn plan_step(&mut self, key: SystemKey, id: u32) {
        let more = self.choice.draw(Label::Guest, LOADING.1);
        self.plan(
            LOADING.0 + more,
            Event::Compute(ComputeEvent::Step {
                system: key,
                process: id,
            }),
        );
    }

    fn input_came(&mut self, reference: ProcessRef) {
        let process = self
            .compute
            .systems
            .get_mut(&reference.system)
            .and_then(|system| system.processes.get_mut(&reference.process));
        if let Some(process) = process
            && process.wants_input
        {
            process.wants_input = false;
            self.plan_step(reference.system, reference.process);
        }
    }

    fn start_child(&mut self, key: SystemKey, parent: u32, spawn: Spawn, more: u64) {
        let id = self.next_process_id(key);
        let Some(system) = self.compute.systems.get_mut(&key) else {
            return;
        };
        let Some(of) = system.processes.get(&parent) else {
            return;
        };
        let process = Process {
            image: spawn.image,
            program: spawn.program,
            environment: of.environment.clone(),
            directory: of.directory.clone(),
            out: spawn.out,
            err: spawn.err,
            parent: Some(parent),
            ..Process::system("")
        };
        system.processes.insert(id, process);
        self.plan(
            LOADING.0 + more,
            Event::Compute(ComputeEvent::Step {
                system: key,
                process: id,
            }),
        );
    }

    /// Ids of processes are multiples of four and grow.
    fn next_process_id(&mut self, key: SystemKey) -> u32 {
        let more = self.choice.draw(Label::ProcessId, 8);
        let Some(system) = self.compute.systems.get_mut(&key) else {
            return 0;
        };
        let steps = u32::try_from(more).unwrap_or_default() + 1;
        system.last_process = system.last_process.saturating_add(4 * steps);
        system.last_process
    }

    /// A process that is part of Windows appears.
    pub(in crate::world) fn start_system_process(&mut self, key: SystemKey, image: &str) {
        let id = self.next_process_id(key);
        if let Some(system) = self.compute.systems.get_mut(&key) {
            system.processes.insert(id, Process::system(image));
        }
    }

    fn pipe_written(&mut self, key: SystemKey, sink: &Sink, chunk: Chunk, out: &mut Outside<'_>) {
        let Sink::Pipe { process, output } = sink else {
            return;
        };
        let Some(pipe) = self.compute.pipe(key, *process, *output) else {
            return;
        };
        pipe.push(chunk);
        self.serve_readers(key, *process, *output, out);
    }

    /// Ends the pipes that nobody can write into any more.
    fn end_pipes(&mut self, key: SystemKey, out: &mut Outside<'_>) {
        let Some(system) = self.compute.systems.get(&key) else {
            return;
        };
        let mut ended = Vec::new();
        for (&id, process) in &system.processes {
            for (output, pipe) in [
                (Output::Out, &process.out_pipe),
                (Output::Err, &process.err_pipe),
            ] {
                let open = pipe.as_ref().is_some_and(|pipe| !pipe.ended);
                let writer =
                    |writer: &Process| writer.exit.is_none() && writer.leads_to(id, output);
                if open && !system.processes.values().any(writer) {
                    ended.push((id, output));
                }
            }
        }
        for (id, output) in ended {
            if let Some(pipe) = self.compute.pipe(key, id, output) {
                pipe.ended = true;
            }
            self.serve_readers(key, id, output, out);
        }
    }

    fn serve_readers(&mut self, key: SystemKey, id: u32, output: Output, out: &mut Outside<'_>) {
        loop {
            let Some(pipe) = self.compute.pipe(key, id, output) else {
                return;
            };
            let Some(&(op, max)) = pipe.readers.front() else {
                return;
            };
            let Some(bytes) = pipe.take(max, out.blobs) else {
                return;
            };
            pipe.readers.pop_front();
            self.answer(op, Ok(bytes.into()), out);
        }
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

impl crate::world::compute::Compute {
    /// Adds a handle to a process; to nobody if the client is gone.
    fn add_process_handle(&mut self, reference: ProcessRef, alive: bool) -> ProcessHandle {
        let handle = self.next_handle();
        if alive {
            self.process_handles.insert(handle, reference);
        }
        ProcessHandle(handle)
    }

    /// The pipe of a process.
    fn pipe(&mut self, key: SystemKey, id: u32, output: Output) -> Option<&mut OutputPipe> {
        self.systems
            .get_mut(&key)?
            .processes
            .get_mut(&id)?
            .pipe(output)
            .as_mut()
    }

    /// The creator's ends of the pipes are closed.
    fn close_pipes(&mut self, key: SystemKey, id: u32) {
        let process = self
            .systems
            .get_mut(&key)
            .and_then(|system| system.processes.get_mut(&id));
        if let Some(process) = process {
            process.out_pipe = None;
            process.err_pipe = None;
            process.input_ended = true;
        }
    }

    /// Forgets a process that has exited and that no handle leads to.
    fn forget_process(&mut self, key: SystemKey, id: u32) {
        let known = |reference: &ProcessRef| (reference.system, reference.process) == (key, id);
        if self.process_handles.values().any(known) {
            return;
        }
        if let Some(system) = self.systems.get_mut(&key)
            && system
                .processes
                .get(&id)
                .is_some_and(|process| process.exit.is_some())
        {
            system.processes.remove(&id);
        }
    }

    /// Takes the calls of a client that wait for a process.
    pub(in crate::world) fn take_waiting(&mut self, reference: ProcessRef) -> Vec<OpId> {
        let process = self
            .systems
            .get_mut(&reference.system)
            .and_then(|system| system.processes.get_mut(&reference.process));
        let Some(process) = process else {
            return Vec::new();
        };
        let mut waiting = std::mem::take(&mut process.waiting);
        for pipe in [&mut process.out_pipe, &mut process.err_pipe]
            .into_iter()
            .flatten()
        {
            waiting.extend(
                std::mem::take(&mut pipe.readers)
                    .into_iter()
                    .map(|(op, _)| op),
            );
        }
        waiting
    }

    /// Ends all processes of a system, and gives the calls that wait for them: those that get a status, and those that read.
    pub(in crate::world) fn end_all(&mut self, key: SystemKey, code: u32) -> Ended {
        let mut ended = Ended::default();
        let Some(system) = self.systems.get_mut(&key) else {
            return ended;
        };
        for (&id, process) in &mut system.processes {
            process.exit.get_or_insert(code);
            process.input_ended = true;
            process.input.clear();
            let answer = status(id, process);
            let waiting = std::mem::take(&mut process.waiting);
            ended
                .waiting
                .extend(waiting.into_iter().map(|op| (op, answer.clone())));
            for pipe in [&mut process.out_pipe, &mut process.err_pipe]
                .into_iter()
                .flatten()
            {
                pipe.ended = true;
                ended.readers.extend(
                    std::mem::take(&mut pipe.readers)
                        .into_iter()
                        .map(|(op, _)| op),
                );
            }
        }
        let ids: Vec<u32> = system.processes.keys().copied().collect();
        for id in ids {
            self.forget_process(key, id);
        }
        ended
    }
}

/// The calls that waited for processes that have ended.
#[derive(Default)]
pub(crate) struct Ended {
    pub(crate) waiting: Vec<(OpId, ProcessStatus)>,
    pub(crate) readers: Vec<OpId>,
}

fn status(id: u32, process: &Process) -> ProcessStatus {
    ProcessStatus {
        process_id: id,
        exited: process.exit.is_some(),
        exit_code: process.exit.unwrap_or_default(),
        last_wait_result: Hresult::default().as_i32(),
    }
}
