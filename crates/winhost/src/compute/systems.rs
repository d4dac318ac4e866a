//! Compute systems.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use wcow_hcs::{Dll, Error, raw, v1, v2};
use wcow_hcs_schema::schema1::{
    ContainerProperties, ProcessParameters, ProcessStatus, PropertyType,
};
use wcow_host::codes::{self, win32};
use wcow_host::{
    ComputeApi, ComputeService, CreateDocument, HostError, Modification, Operation, Output,
    ProcessHandle, SaveType, Signal, SystemEvent, SystemHandle, SystemId, SystemSummary, era,
};
use wcow_ntmeta::Hresult;

use super::documents;
use super::inbox::{Event, Inbox, Outcome, Step, StepEnd, Story};
use super::open::{Begun, Move, OpenProcess, OpenSystem, System};
use super::surface::Surfaces;
use super::table::Table;
use crate::CallLimits;
use crate::answers::{
    closed, disconnected, failed, of_listing, refused, timed_out, unanswered, unreadable,
};
use crate::pool::Pool;
use crate::timer::within;

/// How many calls run at once at most. A service takes them one after the other for each system anyway.
const THREADS: usize = 16;

/// The compute service of this machine, through one of its two surfaces.
pub struct WinCompute {
    pub(super) api: ComputeApi,
    pub(super) build: u32,
    pub(super) limits: CallLimits,
    pub(super) calls: Arc<Pool>,
    pub(super) systems: Table<OpenSystem>,
    pub(super) processes: Table<OpenProcess>,
}

impl WinCompute {
    /// The compute service of a machine of this build, through the surface that fits it.
    #[must_use]
    pub fn new(build: u32, limits: CallLimits) -> Self {
        let surfaces = Surfaces {
            build,
            first: raw::is_there(Dll::VmCompute, c"HcsCreateComputeSystem"),
            second: raw::is_there(Dll::ComputeCore, c"HcsCreateComputeSystem"),
        };
        Self::through(surfaces.choose(), build, limits)
    }

    /// The same, through this surface. Where there is no such DLL every call says so.
    #[must_use]
    pub fn through(api: ComputeApi, build: u32, limits: CallLimits) -> Self {
        Self {
            api,
            build,
            limits,
            calls: Pool::new("wcow-compute", THREADS),
            systems: Table::default(),
            processes: Table::default(),
        }
    }

    /// Runs a call that blocks.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        operation: Operation,
        object: &str,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, HostError> {
        match self.calls.run_within(self.limits.call, work).await {
            Ok(answer) => answer.map_err(|error| failed(operation, object, error)),
            Err(why) => Err(unanswered(operation, object, why)),
        }
    }

    /// Waits for the end of an operation of version 2. Where it is about an open object, the end of that handle or of the service ends the
    /// wait.
    pub(super) async fn ended(
        &self,
        operation: Operation,
        object: &str,
        inbox: Option<&Inbox>,
        running: &v2::Operation,
    ) -> Result<(), HostError> {
        let mut finished = pin!(running.finished());
        let mut cut_off = pin!(async {
            match inbox {
                Some(inbox) => inbox.wait(|story| story.cut_off()).await,
                None => std::future::pending().await,
            }
        });
        let either = poll_fn(|context| match finished.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => cut_off.as_mut().poll(context).map(Some),
        });
        match within(self.limits.call, either).await {
            None => Err(refused(operation, object, timed_out(self.api))),
            Some(None) => Ok(()),
            Some(Some(end)) => Err(self.cut(operation, object, &end)),
        }
    }

    /// The document that an operation of version 2 ends with.
    pub(super) async fn result(
        &self,
        operation: Operation,
        object: &str,
        inbox: Option<&Inbox>,
        running: v2::Operation,
    ) -> Result<String, HostError> {
        self.ended(operation, object, inbox, &running).await?;
        let document = running.result();
        let document = document.map_err(|error| failed(operation, object, error))?;
        Ok(document.unwrap_or_default())
    }

    /// What a wait that was cut off answers.
    pub(super) fn cut(&self, operation: Operation, object: &str, end: &StepEnd) -> HostError {
        match end {
            StepEnd::Closed => closed(operation, object),
            _ => refused(operation, object, disconnected(self.api)),
        }
    }

    /// A code of the service as this surface spells it.
    pub(super) fn spelled(&self, code: Hresult) -> Hresult {
        codes::spelled(code, self.api)
    }

    fn system(
        &self,
        operation: Operation,
        handle: SystemHandle,
    ) -> Result<Arc<OpenSystem>, HostError> {
        let found = self.systems.find(handle.0);
        found.ok_or_else(|| closed(operation, &name(handle)))
    }

    /// Gives a system that was opened a handle; what is not wanted any more is closed where blocking is allowed.
    async fn created(
        &self,
        id: &SystemId,
        document: String,
    ) -> Result<(Arc<OpenSystem>, Begun), HostError> {
        let (api, made) = (self.api, id.clone());
        let create = move || {
            let (system, begun) = match api {
                ComputeApi::V1 => {
                    let (system, completion) = v1::ComputeSystem::create(&made.0, &document)?;
                    let begun = match completion {
                        v1::Completion::Done => Begun::Done,
                        v1::Completion::Pending => Begun::Pending,
                    };
                    (System::First(system), begun)
                }
                ComputeApi::V2 => {
                    let (system, operation) = v2::ComputeSystem::create(&made.0, &document)?;
                    (System::Second(system), Begun::Operation(operation))
                }
            };
            // After the call: the service keeps the end of the creation for who subscribes now.
            let inbox = system.subscribe()?;
            let open = OpenSystem {
                id: made,
                system,
                inbox,
            };
            Ok((Arc::new(open), begun))
        };
        self.call(Operation::CreateSystem, &id.0, create).await
    }

    /// Waits for the end of a creation.
    async fn creation_ended(&self, open: &OpenSystem, begun: Begun) -> Result<(), HostError> {
        let operation = Operation::CreateSystem;
        match begun {
            Begun::Done => Ok(()),
            Begun::Pending => self.step_ended(operation, open, Step::Create, 0).await,
            Begun::Operation(running) => self
                .result(operation, &open.id.0, Some(&open.inbox), running)
                .await
                .map(drop),
        }
    }

    /// Waits for the end of a step of version 1.
    async fn step_ended(
        &self,
        operation: Operation,
        open: &OpenSystem,
        step: Step,
        before: u64,
    ) -> Result<(), HostError> {
        let object = &open.id.0;
        let end = open.inbox.wait(|story| story.step_end(step, before));
        match within(self.limits.call, end).await {
            None => Err(refused(operation, object, timed_out(self.api))),
            Some(StepEnd::Ended(outcome)) => ended_well(operation, object, outcome),
            Some(StepEnd::Exited(exit)) => {
                let spell = |low| self.spelled(Hresult(0x8037_0000 | low));
                Err(HostError {
                    document: exit.document.clone(),
                    ..refused(operation, object, documents::cut_short(step, &exit, spell))
                })
            }
            Some(end) => Err(self.cut(operation, object, &end)),
        }
    }

    /// Waits for the exit of a system that is to end.
    async fn exited(
        &self,
        operation: Operation,
        open: &OpenSystem,
        before: u64,
    ) -> Result<(), HostError> {
        let object = &open.id.0;
        let end = open.inbox.wait(|story| story.end(before));
        match within(self.limits.call, end).await {
            None => Err(refused(operation, object, timed_out(self.api))),
            Some(StepEnd::Exited(_)) => Ok(()),
            Some(StepEnd::Ended(outcome)) => ended_well(operation, object, outcome),
            Some(end) => Err(self.cut(operation, object, &end)),
        }
    }

    async fn make(
        &self,
        handle: SystemHandle,
        what: Move,
        options: Option<String>,
    ) -> Result<(), HostError> {
        let operation = what.operation();
        let open = self.system(operation, handle)?;
        let step = what.step();
        let before = open.inbox.look(|story| story.count(step));
        let system = open.system.clone();
        let begin = move || system.begin(what, options.as_deref());
        match self.call(operation, &open.id.0, begin).await? {
            Begun::Operation(running) => {
                self.result(operation, &open.id.0, Some(&open.inbox), running)
                    .await?;
                if !what.ends() {
                    return Ok(());
                }
            }
            Begun::Done if !what.ends() => return Ok(()),
            Begun::Done | Begun::Pending => {}
        }
        if what.ends() {
            self.exited(operation, &open, before).await
        } else {
            self.step_ended(operation, &open, step, before).await
        }
    }

    /// Closes what a handle led to, where blocking is allowed, and waits for that.
    pub(super) async fn close_on_pool(
        &self,
        operation: Operation,
        object: &str,
        close: impl FnOnce() + Send + 'static,
    ) -> Result<(), HostError> {
        let close = move || {
            close();
            Ok(())
        };
        self.call(operation, object, close).await
    }
}

/// What a handle is called in errors.
fn name(handle: SystemHandle) -> String {
    format!("system handle {}", handle.0)
}

/// What the end of a step says.
fn ended_well(operation: Operation, object: &str, outcome: Outcome) -> Result<(), HostError> {
    if !outcome.status.is_failure() {
        return Ok(());
    }
    Err(HostError {
        document: outcome.document.filter(|document| !document.is_empty()),
        ..refused(operation, object, outcome.status)
    })
}

/// A document that could not be written: the caller's own.
pub(super) fn written(
    operation: Operation,
    object: &str,
    document: Option<String>,
) -> Result<String, HostError> {
    document.ok_or_else(|| refused(operation, object, win32::INVALID_DATA))
}

impl ComputeService for WinCompute {
    fn api(&self) -> ComputeApi {
        self.api
    }

    async fn create(
        &self,
        id: &SystemId,
        document: &CreateDocument,
    ) -> Result<SystemHandle, HostError> {
        let document = documents::creation(document);
        let document = written(Operation::CreateSystem, &id.0, document)?;
        let (open, begun) = self.created(id, document).await?;
        match self.creation_ended(&open, begun).await {
            Ok(()) => Ok(SystemHandle(self.systems.open(open))),
            Err(error) => {
                let close = move || {
                    open.inbox.close();
                    drop(open);
                };
                // The error that counts is the one before.
                let _ = self
                    .close_on_pool(Operation::CloseSystem, &id.0, close)
                    .await;
                Err(error)
            }
        }
    }

    async fn open(&self, id: &SystemId) -> Result<SystemHandle, HostError> {
        let (api, wanted) = (self.api, id.clone());
        let open = move || {
            let system = match api {
                ComputeApi::V1 => System::First(v1::ComputeSystem::open(&wanted.0)?),
                ComputeApi::V2 => System::Second(v2::ComputeSystem::open(&wanted.0)?),
            };
            let inbox = system.subscribe()?;
            Ok(Arc::new(OpenSystem {
                id: wanted,
                system,
                inbox,
            }))
        };
        let open = self.call(Operation::OpenSystem, &id.0, open).await?;
        Ok(SystemHandle(self.systems.open(open)))
    }

    async fn close(&self, system: SystemHandle) -> Result<(), HostError> {
        let operation = Operation::CloseSystem;
        let found = self.systems.close(system.0);
        let open = found.ok_or_else(|| closed(operation, &name(system)))?;
        let id = open.id.clone();
        let close = move || {
            open.inbox.close();
            drop(open);
        };
        self.close_on_pool(operation, &id.0, close).await
    }

    async fn enumerate(&self) -> Result<Vec<SystemSummary>, HostError> {
        let operation = Operation::EnumerateSystems;
        let answer = match self.api {
            ComputeApi::V1 => self.call(operation, "", || v1::enumerate("{}")).await,
            ComputeApi::V2 => match self.call(operation, "", || v2::enumerate(None)).await {
                Ok(running) => self.result(operation, "", None, running).await,
                Err(error) => Err(error),
            },
        };
        let answer = answer.map_err(|error| of_listing(self.build, error))?;
        documents::systems(&answer).ok_or_else(|| unreadable(operation, "", &answer))
    }

    async fn properties(
        &self,
        system: SystemHandle,
        wanted: &[PropertyType],
    ) -> Result<ContainerProperties, HostError> {
        let operation = Operation::QuerySystem;
        let open = self.system(operation, system)?;
        let object = &open.id.0;
        let query = written(operation, object, documents::query(wanted))?;
        let answer = match open.system.clone() {
            System::First(system) => {
                let ask = move || system.properties(&query);
                self.call(operation, object, ask).await?
            }
            System::Second(system) => {
                let ask = move || system.properties(Some(&query));
                let running = self.call(operation, object, ask).await?;
                self.result(operation, object, Some(&open.inbox), running)
                    .await?
            }
        };
        documents::properties(&answer).ok_or_else(|| unreadable(operation, object, &answer))
    }

    async fn start(&self, system: SystemHandle) -> Result<(), HostError> {
        self.make(system, Move::Start, None).await
    }

    async fn shutdown(&self, system: SystemHandle) -> Result<(), HostError> {
        self.make(system, Move::Shutdown, None).await
    }

    async fn terminate(&self, system: SystemHandle) -> Result<(), HostError> {
        self.make(system, Move::Terminate, None).await
    }

    async fn pause(&self, system: SystemHandle) -> Result<(), HostError> {
        self.make(system, Move::Pause, None).await
    }

    async fn resume(&self, system: SystemHandle) -> Result<(), HostError> {
        self.make(system, Move::Resume, None).await
    }

    async fn save(&self, system: SystemHandle, save: SaveType) -> Result<(), HostError> {
        let options = documents::saving(save);
        let options = written(Operation::SaveSystem, &name(system), options)?;
        self.make(system, Move::Save, Some(options)).await
    }

    async fn modify(&self, system: SystemHandle, change: &Modification) -> Result<(), HostError> {
        let operation = Operation::ModifySystem;
        let open = self.system(operation, system)?;
        let object = &open.id.0;
        let change = written(operation, object, documents::modification(change))?;
        match open.system.clone() {
            System::First(system) => {
                let modify = move || system.modify(&change);
                self.call(operation, object, modify).await
            }
            System::Second(system) => {
                let modify = move || system.modify(&change);
                let running = self.call(operation, object, modify).await?;
                self.result(operation, object, Some(&open.inbox), running)
                    .await
                    .map(drop)
            }
        }
    }

    /// Not there yet for Technical Previews 3 and 4, whose containers a cmdlet removes (0x80004001).
    async fn remove(&self, id: &SystemId) -> Result<(), HostError> {
        let code = if era::containers_persist(self.build) {
            codes::NOT_IMPLEMENTED
        } else {
            win32::NOT_SUPPORTED
        };
        Err(refused(Operation::RemoveSystem, &id.0, code))
    }

    async fn next_event(&self, system: SystemHandle) -> Result<SystemEvent, HostError> {
        let operation = Operation::WaitSystem;
        let open = self.system(operation, system)?;
        match open.inbox.wait(Story::next_event).await {
            Event::Exited(exit) => {
                let (status, exit) = documents::system_exit(&exit);
                Ok(SystemEvent::Exited { status, exit })
            }
            Event::Disconnected => Ok(SystemEvent::ServiceDisconnected),
            Event::Over => {
                let code = self.spelled(codes::v1::SYSTEM_ALREADY_STOPPED);
                Err(refused(operation, &open.id.0, code))
            }
            Event::Closed => Err(closed(operation, &name(system))),
        }
    }

    async fn create_process(
        &self,
        system: SystemHandle,
        parameters: &ProcessParameters,
    ) -> Result<ProcessHandle, HostError> {
        let open = self.system(Operation::CreateProcess, system)?;
        self.start_process(&open, parameters).await
    }

    async fn open_process(
        &self,
        system: SystemHandle,
        process_id: u32,
    ) -> Result<ProcessHandle, HostError> {
        let open = self.system(Operation::OpenProcess, system)?;
        self.find_process(&open, process_id).await
    }

    async fn process_status(&self, process: ProcessHandle) -> Result<ProcessStatus, HostError> {
        let open = self.process(Operation::QueryProcess, process)?;
        self.status_of(&open).await
    }

    async fn wait_process(&self, process: ProcessHandle) -> Result<ProcessStatus, HostError> {
        let open = self.process(Operation::QueryProcess, process)?;
        self.exit_of(&open).await
    }

    async fn terminate_process(&self, process: ProcessHandle) -> Result<(), HostError> {
        let open = self.process(Operation::TerminateProcess, process)?;
        self.end_process(&open).await
    }

    async fn signal_process(
        &self,
        process: ProcessHandle,
        signal: Signal,
    ) -> Result<(), HostError> {
        let open = self.process(Operation::SignalProcess, process)?;
        self.tell_process(&open, signal).await
    }

    async fn resize_console(
        &self,
        process: ProcessHandle,
        size: [u16; 2],
    ) -> Result<(), HostError> {
        let open = self.process(Operation::ModifyProcess, process)?;
        self.change_process(&open, documents::console(size)).await
    }

    async fn read_output(
        &self,
        process: ProcessHandle,
        output: Output,
        max: usize,
    ) -> Result<Vec<u8>, HostError> {
        let open = self.process(Operation::ProcessPipe, process)?;
        self.read(&open, output, max).await
    }

    async fn output_ready(
        &self,
        process: ProcessHandle,
        output: Output,
    ) -> Result<bool, HostError> {
        let open = self.process(Operation::ProcessPipe, process)?;
        self.is_ready(&open, output)
    }

    async fn write_input(&self, process: ProcessHandle, bytes: &[u8]) -> Result<(), HostError> {
        let open = self.process(Operation::ProcessPipe, process)?;
        self.write(&open, bytes.to_vec()).await
    }

    async fn close_input(&self, process: ProcessHandle) -> Result<(), HostError> {
        let open = self.process(Operation::ProcessPipe, process)?;
        self.end_input(&open).await
    }

    async fn close_process(&self, process: ProcessHandle) -> Result<(), HostError> {
        self.let_go(process).await
    }
}
