//! Processes go on, write into pipes and end.

use wcow_hcs_schema::schema1::ProcessStatus;
use wcow_host::Output;
use wcow_host::codes::win32;
use wcow_ntmeta::Hresult;

use super::{Process, ProcessRef, status};
use crate::call::OpId;
use crate::choice::Label;
use crate::queue::Event;
use crate::world::compute::{Compute, ComputeEvent, System, SystemKey};
use crate::world::guest::pipes::{Chunk, OutputPipe, Sink};
use crate::world::guest::{Context, Next, Program, Spawn, builtins};
use crate::world::{Outside, World};

/// How long a program takes before it does anything, in ticks: at least, and how much more.
const LOADING: (u64, u64) = (30_000, 50_000);

/// The processor time that a process uses each time it goes on, in ticks.
const SLICE: u64 = 10_000;

/// The calls that waited for processes that have ended.
#[derive(Default)]
pub(crate) struct Ended {
    pub(crate) waiting: Vec<(OpId, ProcessStatus)>,
    pub(crate) readers: Vec<OpId>,
    pub(crate) writers: Vec<OpId>,
}

impl World {
    /// A process goes on.
    pub(in crate::world) fn process_step(
        &mut self,
        key: SystemKey,
        id: u32,
        out: &mut Outside<'_>,
    ) {
        let (now, spread) = (self.now, LOADING.1);
        let stands_still = self.compute.stands_still(key);
        let Some(system) = self.compute.systems.get_mut(&key) else {
            return;
        };
        if stands_still {
            system.frozen.insert(id);
            return;
        }
        if let Some(pipe) = system.full_pipe(id) {
            pipe.stalled.push(id);
            return;
        }
        let Some(process) = system
            .processes
            .get_mut(&id)
            .filter(|process| process.exit.is_none())
        else {
            return;
        };
        let mapped = &system.mapped;
        let Some(view) = self
            .layers
            .view(&system.scratch, &mut self.fs, mapped, now, out)
        else {
            return;
        };
        process.spent = process.spent.saturating_add(SLICE);
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
        let ended = process.input_ended;
        let taken = process.take_in();
        let came = !taken.is_empty() || process.input_ended != ended;
        for op in taken {
            self.answer(op, Ok(().into()), out);
        }
        for (sink, chunk) in written {
            self.pipe_written(key, &sink, chunk, out);
        }
        match next {
            Next::Input if came => self.input_came(key, id),
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
                self.start_child(key, id, spawn, more, out);
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
        system.spent = system
            .spent
            .saturating_add(std::mem::take(&mut process.spent));
        process.input.clear();
        let writers = process.cut_input();
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
        self.cut_off_writers(writers, out);
        self.end_pipes(key, out);
        self.compute.forget_process(key, id);
    }

    /// Plans that a process goes on at once.
    pub(in crate::world) fn plan_step(&mut self, key: SystemKey, id: u32) {
        let more = self.choice.draw(Label::Guest, LOADING.1);
        self.plan(
            LOADING.0 + more,
            Event::Compute(ComputeEvent::Step {
                system: key,
                process: id,
            }),
        );
    }

    pub(super) fn input_came(&mut self, key: SystemKey, id: u32) {
        let process = self
            .compute
            .systems
            .get_mut(&key)
            .and_then(|system| system.processes.get_mut(&id));
        if let Some(process) = process
            && process.wants_input
        {
            process.wants_input = false;
            self.plan_step(key, id);
        }
    }

    /// Those who wait to write learn that nobody will read it.
    pub(in crate::world) fn cut_off_writers(&mut self, writers: Vec<OpId>, out: &mut Outside<'_>) {
        for op in writers {
            self.answer(op, Err(win32::NO_DATA.into()), out);
        }
    }

    /// The creator's ends of the pipes are closed: what is written goes nowhere, and nobody has to wait. Gives the calls of those who
    /// wait to write.
    pub(super) fn close_pipes(&mut self, key: SystemKey, id: u32) -> Vec<OpId> {
        let process = self
            .compute
            .systems
            .get_mut(&key)
            .and_then(|system| system.processes.get_mut(&id));
        let Some(process) = process else {
            return Vec::new();
        };
        let writers = process.cut_input();
        let pipes = [process.out_pipe.take(), process.err_pipe.take()];
        for id in pipes.into_iter().flatten().flat_map(|pipe| pipe.stalled) {
            self.plan_step(key, id);
        }
        writers
    }

    fn start_child(
        &mut self,
        key: SystemKey,
        parent: u32,
        spawn: Spawn,
        more: u64,
        out: &mut Outside<'_>,
    ) {
        if let Err(code) = self.room_for(key, &spawn.image) {
            self.refuse_child(key, parent, &spawn, code, out);
            return;
        }
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
        self.process_appears(key, id, process);
        self.plan(
            LOADING.0 + more,
            Event::Compute(ComputeEvent::Step {
                system: key,
                process: id,
            }),
        );
    }

    /// A child cannot be started: its parent says so, and goes on as if it had failed.
    fn refuse_child(
        &mut self,
        key: SystemKey,
        parent: u32,
        spawn: &Spawn,
        code: Hresult,
        out: &mut Outside<'_>,
    ) {
        let Some(system) = self.compute.systems.get_mut(&key) else {
            return;
        };
        let text = format!("{}\r\n", builtins::text(code, system.image_build));
        if let Some(process) = system.processes.get_mut(&parent) {
            process.child_exit = Some(1);
        }
        self.pipe_written(key, &spawn.err, Chunk::Bytes(text.into_bytes()), out);
        self.plan_step(key, parent);
    }

    /// Ids of processes are multiples of four and grow.
    pub(super) fn next_process_id(&mut self, key: SystemKey) -> u32 {
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
        self.process_appears(key, id, Process::system(image));
    }

    /// There is one more process.
    pub(super) fn process_appears(&mut self, key: SystemKey, id: u32, process: Process) {
        let created = self.now;
        if let Some(system) = self.compute.systems.get_mut(&key) {
            let process = Process { created, ..process };
            system.processes.insert(id, Box::new(process));
            system.peak = system.peak.max(system.committed());
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
                if open && !system.processes.values().any(|process| writer(process)) {
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
}

impl System {
    /// The pipe that keeps a process from going on, because nobody has taken what is in it.
    fn full_pipe(&mut self, id: u32) -> Option<&mut OutputPipe> {
        let process = self.processes.get(&id)?;
        let full = [&process.out, &process.err].into_iter().find_map(|sink| {
            let Sink::Pipe { process, output } = sink else {
                return None;
            };
            let pipes = self.processes.get(process)?;
            let pipe = match output {
                Output::Out => &pipes.out_pipe,
                Output::Err => &pipes.err_pipe,
            };
            pipe.as_ref()?.is_full().then_some((*process, *output))
        });
        let (of, output) = full?;
        self.processes.get_mut(&of)?.pipe(output).as_mut()
    }
}

impl Compute {
    /// The pipe of a process.
    fn pipe(&mut self, key: SystemKey, id: u32, output: Output) -> Option<&mut OutputPipe> {
        self.systems
            .get_mut(&key)?
            .processes
            .get_mut(&id)?
            .pipe(output)
            .as_mut()
    }

    /// Forgets a process that has exited and that no handle leads to.
    pub(super) fn forget_process(&mut self, key: SystemKey, id: u32) {
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
        let writers = std::mem::take(&mut process.writers);
        waiting.extend(writers.into_iter().map(|(op, _)| op));
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
            ended.writers.extend(process.cut_input());
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
