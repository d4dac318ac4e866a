//! The main process of a container: what it is there for. When it ends, the container does.
//!
//! Its output comes through pipes, and they belong to whoever started it: no other process can read them, and no daemon does. So the
//! engine that started a container is the one that can follow it ([`Engine::follow`]) or collect what waits in its pipes
//! ([`Engine::collect`]). Both put what they read into the [log](crate::logs) first. Another engine learns that the process has ended
//! and not with which code.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use wcow_host::{Clock, Host, Output};
use wcow_ntmeta::FileTime;
use wcow_runtime::{ExecSpec, Process, ProcessHandles, Runtime};

use crate::containers::{ContainerRecord, not_run, state};
use crate::events::Action;
use crate::logs::LogWriter;
use crate::{ContainerStatus, Engine, EngineError, Exit, Kind};

/// How much is read from a pipe at once, in bytes.
const CHUNK: usize = 16 << 10;
/// How long a container gets to stop whose main process has ended, in ticks of 100 ns: 10 seconds.
const GRACE: u64 = 10 * 10_000_000;

/// A main process that was started.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Main {
    /// They mean something only to the process that started it.
    pub(crate) handles: ProcessHandles,
    pub(crate) started_at: FileTime,
}

/// Whether whoever follows a main process wants more of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Yes.
    Go,
    /// No: the process goes on alone.
    Leave,
}

/// Why nobody follows a main process any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    /// It has ended, and the container is off.
    Ended(Exit),
    /// Whoever followed it has left.
    Left,
}

/// The main processes that this engine is following now, by the ids of their containers.
#[derive(Debug, Default)]
pub(crate) struct Following(Mutex<BTreeSet<String>>);

impl Following {
    /// Begins to follow; `None` if somebody does already.
    fn begin(&self, id: &str) -> Option<Follower<'_>> {
        let new = self.set().insert(id.to_owned());
        new.then(|| Follower {
            following: self,
            id: id.to_owned(),
        })
    }

    fn has(&self, id: &str) -> bool {
        self.set().contains(id)
    }

    fn set(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Follower<'f> {
    following: &'f Following,
    id: String,
}

impl Drop for Follower<'_> {
    fn drop(&mut self) {
        self.following.set().remove(&self.id);
    }
}

impl<H: Host> Engine<H> {
    /// Follows the main process of a running container until it ends: what it writes goes into the log and to `sink`. Then stops the
    /// container. If it has ended already, tells how.
    ///
    /// # Errors
    /// [`EngineError::NotFound`]; [`EngineError::State`] if it was never started; [`EngineError::NoProgram`] if it has no main
    /// process; [`EngineError::Busy`] if this engine follows it already; [`EngineError::Host`] if the log cannot be written or the
    /// host does not say how the process goes on; [`EngineError::Container`] if it cannot be stopped.
    pub async fn follow(
        &self,
        name: &str,
        mut sink: impl FnMut(Output, &[u8]) -> Flow,
    ) -> Result<Followed, EngineError> {
        let record = self.container_record(name).await?;
        let main = match started_main(&record)? {
            Started::Ended(exit) => return Ok(Followed::Ended(exit)),
            Started::Runs(main) => main,
        };
        let Some(_follower) = self.following.begin(record.id()) else {
            return Err(EngineError::Busy {
                kind: Kind::Container,
                name: record.name.clone(),
            });
        };
        let process = self.main_process(&record, &main);
        let lost = |error| {
            let doing = format!("follow the main process of container {:?}", record.name);
            EngineError::host(doing, error)
        };
        match process.status().await {
            Err(error) if error.is_win32(0x6) => {
                self.wait_from_outside(&record, &main).await?;
                return self.finish(&record, &main, None).await;
            }
            answer => answer.map_err(lost)?,
        };
        let mut log = LogWriter::open(&self.host, record.id()).await?;
        {
            let mut outputs = process.outputs(CHUNK);
            while let Some((output, bytes)) = outputs.next().await.map_err(lost)? {
                self.keep(&mut log, &record, output, &bytes).await?;
                if sink(output, &bytes) == Flow::Leave {
                    return Ok(Followed::Left);
                }
            }
        }
        let exit = process.wait().await.map_err(lost)?;
        self.finish(&record, &main, exit.code).await
    }

    /// Waits until the main process of a container has ended, and tells how; the container is off then.
    ///
    /// # Errors
    /// As for [`follow`](Self::follow).
    pub async fn wait(&self, name: &str) -> Result<Exit, EngineError> {
        loop {
            match self.follow(name, |_, _| Flow::Go).await {
                Ok(Followed::Ended(exit)) => return Ok(exit),
                Ok(Followed::Left) => {}
                Err(EngineError::Busy { .. }) => {
                    // Somebody else follows it. When the process has ended, that one tells how.
                    let record = self.container_record(name).await?;
                    if let Started::Runs(main) = started_main(&record)? {
                        self.wait_from_outside(&record, &main).await?;
                    }
                    let clock = self.host.clock();
                    let later = clock.now().ticks().saturating_add(POLL);
                    clock.sleep_until(FileTime::from_ticks(later)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Puts what waits in the pipes of a main process into the log, without waiting for more. If it has ended, notes how, and stops the
    /// container. An engine that did not start it, and one that follows it, collect nothing.
    ///
    /// # Errors
    /// [`EngineError::NotFound`]; as for [`follow`](Self::follow).
    pub async fn collect(&self, name: &str) -> Result<(), EngineError> {
        let record = self.container_record(name).await?;
        let (Some(main), true) = (record.main, record.running.is_some()) else {
            return Ok(());
        };
        let Some(_follower) = self.following.begin(record.id()) else {
            return Ok(());
        };
        let process = self.main_process(&record, &main);
        let Ok(status) = process.status().await else {
            return Ok(());
        };
        let lost = |error| EngineError::host("collect what a main process wrote", error);
        let mut log = LogWriter::open(&self.host, record.id()).await?;
        for &output in process.pipes() {
            // What comes meanwhile is for the next time: a program that never stops writing must not keep anybody here.
            let mut reads = 0;
            while reads < MOST_READS && process.is_ready(output).await.map_err(lost)? {
                reads += 1;
                let bytes = process.read(output, CHUNK).await.map_err(lost)?;
                if bytes.is_empty() {
                    break;
                }
                self.keep(&mut log, &record, output, &bytes).await?;
            }
        }
        if status.exited {
            // As for handles that are closed with their process.
            let _ = process.close().await;
            self.finish(&record, &main, Some(status.exit_code)).await?;
        }
        Ok(())
    }

    /// Writes to the standard input of a main process, and ends it. A program that writes before it has read everything stands still
    /// until somebody reads: [`feed`](Self::feed) beside [`follow`](Self::follow) is for those.
    ///
    /// # Errors
    /// As for [`follow`](Self::follow); [`EngineError::Host`] if it has none.
    pub async fn give_input(&self, name: &str, bytes: &[u8]) -> Result<(), EngineError> {
        let mut bytes = Some(bytes.to_vec()).filter(|bytes| !bytes.is_empty());
        self.feed(name, || bytes.take().unwrap_or_default()).await
    }

    /// Writes piece after piece to the standard input of a main process, and ends it after the last, which is an empty one. What a program
    /// that has ended does not read is no matter.
    ///
    /// # Errors
    /// As for [`give_input`](Self::give_input).
    pub async fn feed(&self, name: &str, next: impl FnMut() -> Vec<u8>) -> Result<(), EngineError> {
        let record = self.container_record(name).await?;
        let Started::Runs(main) = started_main(&record)? else {
            return Err(state(&record, ContainerStatus::Off, "Running"));
        };
        let process = self.main_process(&record, &main);
        let doing = format!("write to the main process of container {:?}", record.name);
        let fed = process.feed(next).await;
        fed.map_err(|error| EngineError::host(doing, error))
    }

    /// Starts the main process of a container that has one. The caller has it locked, and writes the record.
    pub(crate) async fn start_main(
        &self,
        runtime: &Runtime<'_, H>,
        record: &mut ContainerRecord,
    ) -> Result<(), EngineError> {
        let Some(command) = record.settings.command.clone() else {
            return Ok(());
        };
        let spec = ExecSpec {
            environment: record.environment.clone(),
            working_directory: record.working_directory.clone(),
            user: record.settings.user.clone(),
            stdin: record.settings.stdin,
            console: record.settings.console,
            ..ExecSpec::new(command)
        };
        let started = runtime.exec(&record.created.spec.id, &spec).await;
        let process = started.map_err(|error| not_run(record, &spec, error))?;
        record.main = Some(Main {
            handles: process.handles(),
            started_at: self.host.clock().now(),
        });
        Ok(())
    }

    /// A main process that was started, for as long as the handles to it are open.
    fn main_process(&self, record: &ContainerRecord, main: &Main) -> Process<'_, H> {
        Process::from_handles(&self.host, &record.created.spec.id, main.handles)
    }

    /// Whether the main process of a running container has ended.
    pub(crate) async fn main_has_ended(&self, record: &ContainerRecord) -> bool {
        let Some(main) = record.main else {
            return false;
        };
        let process = self.main_process(record, &main);
        match process.status().await {
            Ok(status) => status.exited,
            // Somebody else's: one that has ended cannot be opened.
            Err(_) => self
                .runtime()
                .has_process(&record.created.spec.id, main.handles.id)
                .await
                .is_ok_and(|runs| !runs),
        }
    }

    /// Notes how the main process of a container ended that was just brought down, with what it wrote at last. Whoever follows it does
    /// that. The caller has the container locked, and writes the record.
    pub(crate) async fn conclude(&self, record: &mut ContainerRecord) {
        let Some(main) = record.main else {
            return;
        };
        let Some(_follower) = self.following.begin(record.id()) else {
            return;
        };
        let process = self.main_process(record, &main);
        // Handles that are gone, as after a restart of the host, tell nothing.
        let status = process.status().await.ok().filter(|status| status.exited);
        if status.is_some()
            && let Ok(mut log) = LogWriter::open(&self.host, record.id()).await
        {
            let mut outputs = process.outputs(CHUNK);
            while let Ok(Some((output, bytes))) = outputs.next().await {
                if log.append(output, &bytes).await.is_err() {
                    break;
                }
            }
        }
        let _ = process.close().await;
        record.main = None;
        record.exit = Some(Exit {
            code: status.map(|status| status.exit_code),
            at: self.host.clock().now(),
        });
    }

    /// Waits for the end of a process that another one started.
    async fn wait_from_outside(
        &self,
        record: &ContainerRecord,
        main: &Main,
    ) -> Result<(), EngineError> {
        let runtime = self.runtime();
        let waited = runtime.wait_for(&record.created.spec.id, main.handles.id);
        waited.await.map_err(|error| {
            let doing = format!("wait for the main process of container {:?}", record.name);
            EngineError::host(doing, error)
        })
    }

    /// Notes how a main process ended, and stops its container, unless somebody has done so.
    async fn finish(
        &self,
        found: &ContainerRecord,
        main: &Main,
        code: Option<u32>,
    ) -> Result<Followed, EngineError> {
        let exit = Exit {
            code,
            at: self.host.clock().now(),
        };
        let finish = pin!(async {
            let mut record = match self.locked_record(found).await {
                // It was removed meanwhile.
                Err(EngineError::NotFound { .. }) => return Ok(()),
                answer => answer?,
            };
            let is_same = |known: Main| known.handles.id == main.handles.id;
            if !record.main.is_some_and(is_same) || record.is_partial() {
                return Ok(());
            }
            record.main = None;
            record.exit = Some(exit);
            if let Some(running) = record.running.take() {
                let stopped = self.runtime().stop(&record.created, &running, GRACE).await;
                stopped
                    .map_err(|error| crate::containers::failed(&record.name, "stopped", error))?;
            }
            self.write_container(&record).await?;
            self.tell(&record, Action::Died { code }).await;
            Ok(())
        });
        self.locked((Kind::Container, &found.name), finish).await?;
        Ok(Followed::Ended(exit))
    }

    /// Adds to the log of a container what its main process wrote. When somebody removes the container meanwhile, its log goes with it.
    async fn keep(
        &self,
        log: &mut LogWriter<'_, H>,
        found: &ContainerRecord,
        output: Output,
        bytes: &[u8],
    ) -> Result<(), EngineError> {
        let Err(error) = log.append(output, bytes).await else {
            return Ok(());
        };
        if error.host_error().is_some_and(|error| error.is_win32(0x3)) {
            let now: Option<ContainerRecord> = self.read_record(found.files()).await?;
            if now.is_none_or(|now| now.removing) {
                return Ok(());
            }
        }
        Err(error)
    }

    /// Whether this engine follows the main process of a container.
    pub(crate) fn is_following(&self, id: &str) -> bool {
        self.following.has(id)
    }
}

/// How often one pipe is read when it is collected: 1 MiB at the most.
const MOST_READS: u32 = 64;
/// How long to wait for somebody else to note how a process ended, in ticks of 100 ns: 100 milliseconds.
const POLL: u64 = 1_000_000;

/// What is known of a main process.
enum Started {
    Runs(Main),
    Ended(Exit),
}

fn started_main(record: &ContainerRecord) -> Result<Started, EngineError> {
    match (record.main, record.exit) {
        (Some(main), _) => Ok(Started::Runs(main)),
        (None, Some(exit)) => Ok(Started::Ended(exit)),
        (None, None) if record.settings.command.is_none() => Err(EngineError::NoProgram {
            name: record.name.clone(),
        }),
        (None, None) => Err(state(record, crate::containers::at_rest(record), "Running")),
    }
}
