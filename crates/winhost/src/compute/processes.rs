//! Processes in compute systems.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use wcow_hcs::ProcessInformation;
use wcow_hcs_schema::schema1::{ProcessParameters, ProcessStatus};
use wcow_host::codes::{self, v1, v2, win32};
use wcow_host::{HostError, Operation, Output, ProcessHandle, Signal};
use wcow_ntmeta::Hresult;

use super::documents;
use super::inbox::{Outcome, StepEnd};
use super::open::{OpenProcess, OpenSystem, Process, Streams, System};
use super::pipes::OutputPipe;
use super::surface;
use super::systems::{WinCompute, written};
use crate::answers::{closed, failed, refused, unreadable};
use crate::timer::within;

/// How long the exit of a process may be told after the service says that the process is gone.
const LAST_WORD: Duration = Duration::from_secs(1);

impl WinCompute {
    pub(super) fn process(
        &self,
        operation: Operation,
        handle: ProcessHandle,
    ) -> Result<Arc<OpenProcess>, HostError> {
        let found = self.processes.find(handle.0);
        found.ok_or_else(|| closed(operation, &name(handle)))
    }

    pub(super) async fn start_process(
        &self,
        open: &OpenSystem,
        parameters: &ProcessParameters,
    ) -> Result<ProcessHandle, HostError> {
        let operation = Operation::CreateProcess;
        let line = if parameters.command_line.is_empty() {
            &parameters.application_name
        } else {
            &parameters.command_line
        };
        let document = written(operation, line, documents::process(parameters))?;
        let (process, inbox, information) = match open.system.clone() {
            System::First(system) => {
                let create = move || {
                    let (process, information) = system.create_process(&document)?;
                    let process = Process::First(process);
                    let inbox = process.subscribe()?;
                    Ok((process, inbox, information))
                };
                self.call(operation, line, create).await?
            }
            System::Second(system) => {
                let create = move || {
                    let (process, running) = system.create_process(&document)?;
                    let process = Process::Second(process);
                    let inbox = process.subscribe()?;
                    Ok((process, inbox, running))
                };
                let (process, inbox, running) = self.call(operation, line, create).await?;
                self.ended(operation, line, Some(&open.inbox), &running)
                    .await?;
                // It has ended, so this does not wait.
                let (information, _) = running
                    .wait_for_process(Duration::ZERO)
                    .map_err(|error| failed(operation, line, error))?;
                (process, inbox, information)
            }
        };
        let id = information.process_id;
        let streams = take(information, line)?;
        Ok(ProcessHandle(self.processes.open(Arc::new(OpenProcess {
            id,
            system: open.id.clone(),
            signals: AtomicU32::new(0),
            process,
            inbox,
            streams: Some(streams),
        }))))
    }

    pub(super) async fn find_process(
        &self,
        open: &OpenSystem,
        process_id: u32,
    ) -> Result<ProcessHandle, HostError> {
        let (id, system) = (open.id.clone(), open.system.clone());
        let find = move || {
            let process = match system {
                System::First(system) => Process::First(system.open_process(process_id)?),
                System::Second(system) => Process::Second(system.open_process(process_id)?),
            };
            let inbox = process.subscribe()?;
            Ok(Arc::new(OpenProcess {
                id: process_id,
                system: id,
                signals: AtomicU32::new(0),
                process,
                inbox,
                streams: None,
            }))
        };
        let object = format!("process {process_id}");
        let open = self.call(Operation::OpenProcess, &object, find).await?;
        Ok(ProcessHandle(self.processes.open(open)))
    }

    /// What the service says of a process now.
    async fn ask(&self, open: &OpenProcess) -> Result<ProcessStatus, HostError> {
        let operation = Operation::QueryProcess;
        let object = label(open);
        let answer = match open.process.clone() {
            Process::First(process) => {
                let ask = move || process.properties();
                self.call(operation, &object, ask).await?
            }
            Process::Second(process) => {
                let ask = move || process.properties(None);
                let running = self.call(operation, &object, ask).await?;
                self.result(operation, &object, Some(&open.inbox), running)
                    .await?
            }
        };
        documents::process_status(&answer, open.id)
            .ok_or_else(|| unreadable(operation, &object, &answer))
    }

    pub(super) async fn status_of(&self, open: &OpenProcess) -> Result<ProcessStatus, HostError> {
        match self.ask(open).await {
            Ok(status) => Ok(status),
            // The service may have forgotten what it told before.
            Err(error) => exit(open)
                .and_then(|exit| documents::exit_status(&exit, open.id))
                .ok_or(error),
        }
    }

    pub(super) async fn exit_of(&self, open: &OpenProcess) -> Result<ProcessStatus, HostError> {
        let wait = open.inbox.wait(|story| match story.exit() {
            Some(exit) => Some(StepEnd::Exited(exit.clone())),
            None => story.cut_off(),
        });
        let end = if let Some(exit) = exit(open) {
            StepEnd::Exited(exit)
        } else {
            // It may have exited before anybody subscribed to it.
            match self.ask(open).await {
                Ok(status) if status.exited => return Ok(status),
                Ok(_) => wait.await,
                Err(error) if is_gone(&error) => {
                    within(LAST_WORD, wait).await.ok_or_else(|| error.clone())?
                }
                Err(error) => return Err(error),
            }
        };
        let StepEnd::Exited(exit) = end else {
            return Err(self.cut(Operation::QueryProcess, &label(open), &end));
        };
        if let Some(status) = documents::exit_status(&exit, open.id) {
            return Ok(status);
        }
        let status = self.ask(open).await?;
        Ok(ProcessStatus {
            exited: true,
            ..status
        })
    }

    pub(super) async fn end_process(&self, open: &OpenProcess) -> Result<(), HostError> {
        let operation = Operation::TerminateProcess;
        let object = label(open);
        let (process, system, id) = (open.process.clone(), open.system.clone(), open.id);
        // The service serves a signal and an end through one handle one after the other, and a signal may wait for long.
        let is_held_up = open.signals.load(Ordering::SeqCst) > 0;
        let terminate = move || {
            let process = match is_held_up.then(|| process.again(&system, id)) {
                Some(Ok(other)) => other,
                Some(Err(_)) | None => process,
            };
            Ok(match &process {
                Process::First(first) => {
                    first.terminate()?;
                    None
                }
                Process::Second(second) => Some((second.terminate(None)?, process)),
            })
        };
        // The process stays open until its end was told.
        match self.call(operation, &object, terminate).await? {
            None => Ok(()),
            Some((running, _open)) => self
                .result(operation, &object, Some(&open.inbox), running)
                .await
                .map(drop),
        }
    }

    pub(super) async fn tell_process(
        &self,
        open: &OpenProcess,
        signal: Signal,
    ) -> Result<(), HostError> {
        let operation = Operation::SignalProcess;
        let object = label(open);
        if !surface::has_signals(self.build) {
            return Err(refused(operation, &object, win32::NOT_SUPPORTED));
        }
        let options = written(operation, &object, documents::signal(signal))?;
        let _on_its_way = OnItsWay::new(&open.signals);
        match open.process.clone() {
            Process::First(process) => {
                let tell = move || process.signal(&options);
                self.call(operation, &object, tell).await
            }
            Process::Second(process) => {
                let tell = move || process.signal(Some(&options));
                let running = self.call(operation, &object, tell).await?;
                self.result(operation, &object, Some(&open.inbox), running)
                    .await
                    .map(drop)
            }
        }
    }

    pub(super) async fn change_process(
        &self,
        open: &OpenProcess,
        change: Option<String>,
    ) -> Result<(), HostError> {
        let operation = Operation::ModifyProcess;
        let object = label(open);
        let change = written(operation, &object, change)?;
        match open.process.clone() {
            Process::First(process) => {
                let modify = move || process.modify(&change);
                self.call(operation, &object, modify).await
            }
            Process::Second(process) => {
                let modify = move || process.modify(&change);
                let running = self.call(operation, &object, modify).await?;
                self.result(operation, &object, Some(&open.inbox), running)
                    .await
                    .map(drop)
            }
        }
    }

    pub(super) async fn read(
        &self,
        open: &OpenProcess,
        output: Output,
        max: usize,
    ) -> Result<Vec<u8>, HostError> {
        let bytes = pipe(open, output)?.read(max).await;
        bytes.map_err(|code| pipe_failed(open, code))
    }

    pub(super) fn is_ready(&self, open: &OpenProcess, output: Output) -> Result<bool, HostError> {
        let ready = pipe(open, output)?.is_ready();
        ready.map_err(|code| pipe_failed(open, code))
    }

    pub(super) async fn write(&self, open: &OpenProcess, bytes: Vec<u8>) -> Result<(), HostError> {
        let streams = open.streams.as_ref();
        let streams = streams.ok_or_else(|| pipe_failed(open, win32::INVALID_HANDLE))?;
        let input = streams.input.as_ref();
        let input = input.ok_or_else(|| pipe_failed(open, win32::NO_DATA))?;
        let written = input.write(bytes).await;
        written.map_err(|code| pipe_failed(open, code))
    }

    pub(super) async fn end_input(&self, open: &OpenProcess) -> Result<(), HostError> {
        let input = open
            .streams
            .as_ref()
            .and_then(|streams| streams.input.as_ref());
        let input = input.ok_or_else(|| pipe_failed(open, win32::INVALID_HANDLE))?;
        input.settle().await;
        // The service holds an end of the pipe too, and is told to close it.
        let told = self.change_process(open, documents::end_of_input()).await;
        input.end().await;
        told.or_else(|error| {
            // A process that has exited reads nothing more; a service that cannot be told sees that the pipe is closed.
            if is_gone(&error) || cannot(&error) {
                Ok(())
            } else {
                Err(error)
            }
        })
    }

    pub(super) async fn let_go(&self, handle: ProcessHandle) -> Result<(), HostError> {
        let operation = Operation::CloseProcess;
        let found = self.processes.close(handle.0);
        let open = found.ok_or_else(|| closed(operation, &name(handle)))?;
        let object = label(&open);
        let close = move || {
            if let Some(streams) = &open.streams {
                streams.close();
            }
            open.inbox.close();
            drop(open);
        };
        self.close_on_pool(operation, &object, close).await
    }
}

/// A signal that the service has not answered yet.
struct OnItsWay<'a>(&'a AtomicU32);

impl<'a> OnItsWay<'a> {
    fn new(signals: &'a AtomicU32) -> Self {
        signals.fetch_add(1, Ordering::SeqCst);
        Self(signals)
    }
}

impl Drop for OnItsWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What a handle is called in errors.
fn name(handle: ProcessHandle) -> String {
    format!("process handle {}", handle.0)
}

fn label(open: &OpenProcess) -> String {
    format!("process {}", open.id)
}

fn exit(open: &OpenProcess) -> Option<Outcome> {
    open.inbox.look(|story| story.exit().cloned())
}

fn take(information: ProcessInformation, line: &str) -> Result<Streams, HostError> {
    Streams::take(information).map_err(|error| {
        let code = error.raw_os_error();
        let code = code.map_or(codes::FAIL, |code| {
            Hresult::from_win32(code.cast_unsigned())
        });
        refused(Operation::ProcessPipe, line, code)
    })
}

fn pipe(open: &OpenProcess, output: Output) -> Result<&OutputPipe, HostError> {
    let streams = open.streams.as_ref();
    let pipe = streams.and_then(|streams| match output {
        Output::Out => streams.output.as_ref(),
        Output::Err => streams.error.as_ref(),
    });
    pipe.ok_or_else(|| pipe_failed(open, win32::INVALID_HANDLE))
}

fn pipe_failed(open: &OpenProcess, code: Hresult) -> HostError {
    refused(Operation::ProcessPipe, &label(open), code)
}

/// Whether this is what a call about a process that has exited answers; builds differ.
fn is_gone(error: &HostError) -> bool {
    let gone = [
        v1::INVALID_STATE,
        v1::SYSTEM_NOT_FOUND,
        v1::SYSTEM_ALREADY_STOPPED,
        win32::NOT_FOUND,
        v2::PROCESS_ALREADY_STOPPED,
    ];
    let code = error.hresult();
    code.is_some_and(|code| gone.iter().any(|gone| codes::same(*gone, code)))
}

/// Whether the service has no such call.
fn cannot(error: &HostError) -> bool {
    let cannot = [
        win32::NOT_SUPPORTED,
        win32::PROC_NOT_FOUND,
        codes::NOT_IMPLEMENTED,
    ];
    error.hresult().is_some_and(|code| cannot.contains(&code))
}
