//! A compute system starts and ends.

use wcow_host::codes::{v1, win32};
use wcow_host::era::{self, Verdict};
use wcow_host::{ExitType, SystemEvent, SystemHandle};
use wcow_ntmeta::Hresult;

use super::{ComputeEvent, PAUSE, Phase, Place, SAVE, System, SystemKey, TERMINATE, Turn, facts};
use crate::call::{ClientId, OpId, Outcome, Step};
use crate::choice::Label;
use crate::queue::Event;
use crate::trace::TraceEvent;
use crate::world::guest::process::KILLED;
use crate::world::{Outside, TICKS_PER_SECOND, World};

/// Ticks of 100 ns in a millisecond.
const MILLISECOND: u64 = TICKS_PER_SECOND / 1000;
/// A part of a start.
type BootPart = (u64, u64, &'static [&'static str]);

/// The parts of a start: at least and at most how long after the part before, in milliseconds, and what runs from then on.
const BOOT: [BootPart; 3] = [
    (100, 300, &["smss.exe", "csrss.exe", "wininit.exe"]),
    (
        150,
        500,
        &["services.exe", "lsass.exe", "svchost.exe", "svchost.exe"],
    ),
    (100, 900, &["CExecSvc.exe"]),
];
/// How much longer it takes when a utility virtual machine has to come up first, in milliseconds.
const UTILITY_VM: (u64, u64) = (1_200, 3_500);
/// The same for a virtual machine of its own: the last part is the service in it that the host talks to.
const MACHINE_BOOT: [BootPart; 3] = [
    (900, 2_500, &["smss.exe", "csrss.exe", "wininit.exe"]),
    (
        200,
        700,
        &["services.exe", "lsass.exe", "svchost.exe", "svchost.exe"],
    ),
    (100, 600, &["vmcomputeagent.exe"]),
];
/// And for one whose guest the host knows nothing of: the firmware runs.
const FIRMWARE: [BootPart; 1] = [(200, 900, &[])];
/// How long a host waits for the container service: technical previews, later hosts.
const PREVIEW_TIMEOUT: u64 = 2 * 60 * TICKS_PER_SECOND;
pub(super) const TIMEOUT: u64 = 4 * 60 * TICKS_PER_SECOND;

impl World {
    pub(super) fn start_system(
        &mut self,
        op: OpId,
        client: ClientId,
        handle: SystemHandle,
        out: &mut Outside<'_>,
    ) -> Outcome {
        let key = self.system_of(client, handle)?;
        let system = self.compute.reachable(key)?;
        if system.phase != Phase::Off {
            return Err(v1::INVALID_STATE.into());
        }
        if matches!(system.place, Place::Machine(_)) {
            return self.start_machine(op, key, out);
        }
        if system.is_on_host() && !self.layers.is_prepared(&system.scratch) {
            return Err(win32::DEV_NOT_EXIST.into());
        }
        let missing = |name: &String| self.switches.find(name).is_none();
        if system.switches.iter().any(missing) {
            return Err(win32::NOT_FOUND.into());
        }
        let (run, base) = (system.run, system.base.clone());
        // It is no machine.
        let place = system.place.clone();
        let facts = facts::image_facts(&self.fs, &base, out);
        match self.verdict(&facts, &place) {
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
        let now = self.now;
        let system = self.compute.not_stopped(key)?;
        system.phase = Phase::Starting(op);
        system.started = now;
        system.spent = 0;
        system.peak = 0;
        if facts.build != 0 {
            system.image_build = facts.build;
        }
        self.plan_boot(key, run, 0);
        Ok(Step::Pending)
    }

    pub(super) fn plan_boot(&mut self, system: SystemKey, run: u32, part: u8) {
        let Some(known) = self.compute.systems.get(&system) else {
            return;
        };
        let Some(&(least, most, _)) = known.boot().get(usize::from(part)) else {
            return;
        };
        let (least, most) = match (part, &known.place) {
            (0, Place::UtilityVm) => (least + UTILITY_VM.0, most + UTILITY_VM.1),
            _ => (least, most),
        };
        let ticks = self.drawn(least, most);
        self.plan(
            ticks,
            Event::Compute(ComputeEvent::Boot { system, run, part }),
        );
    }

    /// A part of a start is done: its programs run, and the next part begins. The last one is the container service's.
    pub(super) fn boot_part(&mut self, key: SystemKey, part: u8, out: &mut Outside<'_>) {
        let Some(system) = self.compute.systems.get(&key) else {
            return;
        };
        let Phase::Starting(op) = system.phase else {
            return;
        };
        let run = system.run;
        let boot = system.boot();
        let last = usize::from(part) + 1 == boot.len();
        let is_machine = matches!(system.place, Place::Machine(_));
        if last && !is_machine && !facts::has_container_service(&self.fs, &system.base, out) {
            return;
        }
        let programs = boot.get(usize::from(part)).map_or(&[][..], |part| part.2);
        let mut fits = !is_machine || self.fits_machine(key);
        for image in programs {
            fits = fits && self.room_for(key, image).is_ok();
            if fits {
                self.start_system_process(key, image);
            }
        }
        if !fits {
            let code = v1::UNEXPECTED_EXIT;
            self.fail_start(key, code, "there is no memory left to start in", out);
            return;
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

    pub(super) fn terminate_system(
        &mut self,
        op: OpId,
        client: ClientId,
        handle: SystemHandle,
        out: &mut Outside<'_>,
    ) -> Outcome {
        let key = self.system_of(client, handle)?;
        let system = self.compute.reachable(key)?;
        match &mut system.phase {
            Phase::Off if system.persists => Ok(().into()),
            Phase::Off | Phase::Running | Phase::Paused | Phase::Saved(_) => {
                system.phase = Phase::Stopping(vec![op]);
                self.plan_exit(key, TERMINATE, KILLED, ExitType::ForcedExit);
                Ok(Step::Pending)
            }
            Phase::Stopping(ops) => {
                ops.push(op);
                self.plan_exit(key, TERMINATE, KILLED, ExitType::ForcedExit);
                Ok(Step::Pending)
            }
            Phase::Starting(other) | Phase::Turning(other, _) => {
                let other = *other;
                let code = cut_off_by_end(&system.phase);
                system.phase = Phase::Stopping(vec![op]);
                self.plan_exit(key, TERMINATE, KILLED, ExitType::ForcedExit);
                self.answer(other, Err(code.into()), out);
                Ok(Step::Pending)
            }
            Phase::Stopped => Err(v1::SYSTEM_ALREADY_STOPPED.into()),
        }
    }

    pub(super) fn plan_exit(
        &mut self,
        system: SystemKey,
        (least, most): (u64, u64),
        exit_code: u32,
        exit: ExitType,
    ) {
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
                exit,
            }),
        );
    }

    /// A system is to be paused, to go on, or to be saved.
    pub(super) fn turn_system(
        &mut self,
        op: OpId,
        client: ClientId,
        handle: SystemHandle,
        turn: Turn,
    ) -> Outcome {
        let key = self.system_of(client, handle)?;
        let system = self.compute.not_stopped(key)?;
        if !system.turns() {
            // Nothing says what the service answers; its clients never ask.
            return Err(win32::NOT_SUPPORTED.into());
        }
        let (from, time) = match turn {
            Turn::Pause => (Phase::Running, PAUSE),
            Turn::Resume => (Phase::Paused, PAUSE),
            Turn::Save(_) => (Phase::Paused, SAVE),
        };
        if system.phase != from {
            return Err(v1::INVALID_STATE.into());
        }
        system.phase = Phase::Turning(op, turn);
        let run = system.run;
        let ticks = self.drawn(time.0, time.1);
        let event = ComputeEvent::Turned { system: key, run };
        self.plan(ticks, Event::Compute(event));
        Ok(Step::Pending)
    }

    /// It is.
    pub(super) fn system_turned(&mut self, key: SystemKey, out: &mut Outside<'_>) {
        let Some(system) = self.compute.systems.get_mut(&key) else {
            return;
        };
        let Phase::Turning(op, turn) = system.phase else {
            return;
        };
        system.phase = match turn {
            Turn::Pause => Phase::Paused,
            Turn::Resume => Phase::Running,
            Turn::Save(save) => Phase::Saved(save),
        };
        if !system.is_frozen() {
            for process in std::mem::take(&mut system.frozen) {
                self.plan_step(key, process);
            }
            self.hosted_go_on(key);
        }
        self.answer(op, Ok(().into()), out);
    }

    /// A system has ended: what waits for it is answered, its processes are gone, handles get the event.
    pub(super) fn end_system(
        &mut self,
        key: SystemKey,
        (status, exit): (Hresult, ExitType),
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
        system.exit = Some(exit);
        system.frozen.clear();
        let scratch = matches!(system.place, Place::UtilityVm).then(|| system.scratch.clone());
        let is_machine = matches!(system.place, Place::Machine(_));
        let (id, persists) = (system.id.clone(), system.persists);
        out.trace(self.now, || TraceEvent::Host(format!("{id} has ended")));
        if !persists {
            self.compute.by_id.remove(&id);
            self.hns.detach(&id);
        }
        if let Some(scratch) = scratch {
            self.layers.leave_utility_vm(&scratch);
        }
        if is_machine {
            self.end_hosted(key, out);
            self.clear_machine(key);
        }
        let ended = self.compute.end_all(key, exit_code);
        for op in ended.readers {
            self.answer(op, Ok(Vec::<u8>::new().into()), out);
        }
        self.cut_off_writers(ended.writers, out);
        for (op, status) in ended.waiting {
            self.answer(op, Ok(status.into()), out);
        }
        match before {
            Phase::Starting(op) | Phase::Turning(op, _) => {
                self.answer(op, Err(cut_off_by_end(&before).into()), out);
            }
            Phase::Stopping(ops) => {
                for op in ops {
                    self.answer(op, Ok(().into()), out);
                }
            }
            Phase::Off | Phase::Running | Phase::Paused | Phase::Saved(_) | Phase::Stopped => {}
        }
        let mut answers: Vec<OpId> = Vec::new();
        for handle in self.compute.handles.values_mut() {
            if handle.system == key {
                let event = SystemEvent::Exited { status, exit };
                match handle.waiting.pop_front() {
                    Some(op) => {
                        if self.compute.twice.remove(&op) {
                            handle.events.push_back(event);
                        }
                        answers.push(op);
                    }
                    None => handle.events.push_back(event),
                }
            }
        }
        for op in answers {
            self.answer(op, Ok(SystemEvent::Exited { status, exit }.into()), out);
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

    /// A start comes to nothing: the system ends, and whoever waits for the start gets this code.
    pub(super) fn fail_start(
        &mut self,
        key: SystemKey,
        code: Hresult,
        why: &str,
        out: &mut Outside<'_>,
    ) {
        if let Some(op) = self.end_start(key) {
            out.trace(self.now, || TraceEvent::Host(why.to_owned()));
            let exit = (v1::UNEXPECTED_EXIT, ExitType::UnexpectedExit);
            self.end_system(key, exit, KILLED, out);
            self.answer(op, Err(code.into()), out);
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

    pub(super) fn is_run(&self, key: SystemKey, run: u32) -> bool {
        self.compute
            .systems
            .get(&key)
            .is_some_and(|system| system.run == run)
    }

    /// A time between two numbers of milliseconds, in ticks.
    fn drawn(&mut self, least: u64, most: u64) -> u64 {
        let spread = most.saturating_sub(least) * MILLISECOND;
        least * MILLISECOND + self.choice.draw(Label::ComputeTime, spread + 1)
    }
}

impl System {
    /// The parts of its start.
    fn boot(&self) -> &'static [BootPart] {
        match &self.place {
            Place::Host | Place::UtilityVm | Place::In(_) => &BOOT,
            Place::Machine(machine) if machine.connected => &MACHINE_BOOT,
            Place::Machine(_) => &FIRMWARE,
        }
    }

    /// Whether it can be paused.
    fn turns(&self) -> bool {
        matches!(self.place, Place::UtilityVm | Place::Machine(_))
    }
}

/// What a call that was under way gets when the system ends under it.
fn cut_off_by_end(phase: &Phase) -> Hresult {
    match phase {
        Phase::Starting(_) => v1::TERMINATED_DURING_START,
        _ => v1::UNEXPECTED_EXIT,
    }
}
