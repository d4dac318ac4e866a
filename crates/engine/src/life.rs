//! The life of a container: started, stopped, killed, removed.

use std::collections::BTreeSet;
use std::pin::pin;

use wcow_host::{Clock, FileSystem, Host, Signal, SwitchService};
use wcow_network::{PortMapping, PublishedPorts};
use wcow_runtime::{Attachment, Running, Runtime};

use crate::containers::{ContainerRecord, at_rest, failed, pick, state, summary};
use crate::events::Action;
use crate::networks::NetworkBacking;
use crate::records::{Began, Folder};
use crate::{ContainerStatus, ContainerSummary, Engine, EngineError, Force, Kind, precautions};

/// How often a container was started again by its policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// Somebody starts it: the count begins anew.
    No,
    /// Its policy does.
    Yes,
}

impl<H: Host> Engine<H> {
    /// Starts a container, and its main process if it has one.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Busy`], [`EngineError::State`] if it runs, [`EngineError::NetworkGone`],
    /// [`EngineError::PortTaken`], [`EngineError::Container`] with the host's refusal, [`EngineError::Program`] if it refuses the
    /// main process; the container is off then.
    pub async fn start(&self, name: &str) -> Result<ContainerSummary, EngineError> {
        self.start_again(name, Again::No).await
    }

    pub(crate) async fn start_again(
        &self,
        name: &str,
        again: Again,
    ) -> Result<ContainerSummary, EngineError> {
        let found = self.container_record(name).await?;
        // Nobody else's ports may come between looking which are free and having them.
        let network = found.network.as_deref().filter(|_| publishes_alone(&found));
        let network = network.map(|name| (Kind::Network, name));
        let start = pin!(self.start_locked(&found, again));
        self.locked_with((Kind::Container, &found.name), network, start)
            .await
    }

    async fn start_locked(
        &self,
        found: &ContainerRecord,
        again: Again,
    ) -> Result<ContainerSummary, EngineError> {
        let mut record = self.locked_record(found).await?;
        self.check_cut_off(&record).await?;
        let info = self.info().await?;
        let boot = info.boot_id;
        let runtime = Runtime::with_info(&self.host, info);
        match self.status(&runtime, &record).await? {
            ContainerStatus::Off => {}
            ContainerStatus::Exited if self.host.ignores(precautions::RECOVER_START) => {}
            ContainerStatus::Exited => self.settle(&runtime, &mut record).await?,
            status => return Err(state(&record, status, "Off")),
        }
        self.check_ports(&runtime, &record).await?;
        if let (Some(name), Some(Attachment::Hns { network, .. })) =
            (&record.network, &mut record.created.spec.attachment)
        {
            let in_use = pin!(self.network_in_use(name));
            let now = self.locked((Kind::Network, name), in_use).await?;
            if let NetworkBacking::Hns { id } = now.backing {
                *network = id;
            }
        }
        let planned = runtime
            .plan_start(&record.created)
            .await
            .map_err(|error| failed(&record.name, "started", error))?;
        // Kept before anything is made: a start that is cut off can be taken back by whoever comes next.
        record.running = Some(planned.clone());
        record.starting = Some(Began {
            at: self.host.clock().now(),
            boot,
        });
        self.write_container(&record).await?;
        let started = runtime.start(&record.created, &planned).await;
        record.starting = None;
        match started {
            Ok(running) => record.running = Some(running),
            Err(error) => {
                // What could not be taken back is tried again by whoever ends, starts or removes it next.
                if error.left_behind().is_empty() {
                    record.running = None;
                }
                let error = failed(&record.name, "started", error);
                // The refusal says more than a record that is behind: what that one names is gone, and taking it back is nothing.
                if let Ok(written) = self.write_container(&record).await {
                    self.keep_written(written, record);
                }
                return Err(error);
            }
        }
        record.exit = None;
        record.stopped = false;
        record.restarts = match again {
            Again::No => 0,
            Again::Yes => record.restarts.saturating_add(1),
        };
        if let Err(error) = self.start_main(&runtime, &mut record).await {
            // Without its main process it is of no use.
            self.settle(&runtime, &mut record).await?;
            return Err(error);
        }
        let written = match self.write_container(&record).await {
            Ok(written) => written,
            Err(error) => {
                if !self.host.ignores(precautions::ROLLBACK_START) {
                    self.settle(&runtime, &mut record).await?;
                }
                return Err(error);
            }
        };
        self.tell(&record, Action::Started).await;
        let started = summary(&record, ContainerStatus::Running);
        self.keep_written(written, record);
        Ok(started)
    }

    /// Stops a container: asks it to, and ends it after `grace` (100 ns ticks of the host's clock). One that is off stays off.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Busy`], [`EngineError::Container`].
    pub async fn stop(&self, name: &str, grace: u64) -> Result<ContainerSummary, EngineError> {
        let found = self.container_record(name).await?;
        let stop = pin!(async {
            let mut record = self.locked_record(&found).await?;
            self.check_cut_off(&record).await?;
            let Some(running) = record.running.take() else {
                return Ok(summary(&record, at_rest(&record)));
            };
            record.starting = None;
            let runtime = self.runtime();
            runtime
                .stop(&record.created, &running, grace)
                .await
                .map_err(|error| failed(&record.name, "stopped", error))?;
            self.conclude(&mut record).await;
            record.stopped = true;
            let written = self.write_container(&record).await?;
            self.tell(&record, Action::Stopped).await;
            let stopped = summary(&record, at_rest(&record));
            self.keep_written(written, record);
            Ok(stopped)
        });
        self.locked((Kind::Container, &found.name), stop).await
    }

    /// Ends a container at once. One that is off stays off.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Busy`], [`EngineError::Container`].
    pub async fn kill(&self, name: &str) -> Result<ContainerSummary, EngineError> {
        let found = self.container_record(name).await?;
        let kill = pin!(async {
            let mut record = self.locked_record(&found).await?;
            self.check_cut_off(&record).await?;
            if record.running.is_some() {
                let runtime = self.runtime();
                record.stopped = true;
                self.settle(&runtime, &mut record).await?;
                self.tell(&record, Action::Killed).await;
            }
            Ok(summary(&record, at_rest(&record)))
        });
        self.locked((Kind::Container, &found.name), kill).await
    }

    /// Removes a container and everything written in it.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Busy`], [`EngineError::State`] if it runs and `force` says no,
    /// [`EngineError::Container`].
    pub async fn remove_container(&self, name: &str, force: Force) -> Result<(), EngineError> {
        // One that is unfinished too: taking it back is what is asked for.
        let found = pick(self.read_records(Folder::Containers).await?, name)?;
        let remove = pin!(async {
            let mut record = self.locked_record(&found).await?;
            if record.unfinished && !record.removing {
                self.check_in_flight(
                    Kind::Container,
                    &record.name,
                    record.created_at,
                    record.boot,
                )
                .await?;
            }
            self.check_cut_off(&record).await?;
            let runtime = self.runtime();
            let status = self.status(&runtime, &record).await?;
            if matches!(status, ContainerStatus::Running | ContainerStatus::Paused)
                && force == Force::No
            {
                return Err(state(&record, status, "Off"));
            }
            if let Some(running) = record.running.take() {
                self.end(&runtime, &record, &running).await?;
                self.conclude(&mut record).await;
            }
            record.starting = None;
            // From here on nobody may start it: whoever comes next goes on with the removal.
            record.removing = true;
            self.write_container(&record).await?;
            self.remove_parts(&runtime, &record, "removed").await?;
            self.remove_record(record.files()).await?;
            self.tell(&record, Action::Removed).await;
            Ok(())
        });
        self.locked((Kind::Container, &found.name), remove).await
    }

    /// Freezes a running container.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Busy`], [`EngineError::State`] if it does not run, [`EngineError::Host`]: with process
    /// isolation hosts know no pause.
    pub async fn pause(&self, name: &str) -> Result<ContainerSummary, EngineError> {
        self.freeze(name, ContainerStatus::Running, ContainerStatus::Paused)
            .await
    }

    /// Lets a frozen container go on.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Busy`], [`EngineError::State`] if it is not frozen, [`EngineError::Host`].
    pub async fn resume(&self, name: &str) -> Result<ContainerSummary, EngineError> {
        self.freeze(name, ContainerStatus::Paused, ContainerStatus::Running)
            .await
    }

    async fn freeze(
        &self,
        name: &str,
        from: ContainerStatus,
        to: ContainerStatus,
    ) -> Result<ContainerSummary, EngineError> {
        let found = self.container_record(name).await?;
        let freeze = pin!(async {
            let record = self.locked_record(&found).await?;
            let runtime = self.runtime();
            let status = self.status(&runtime, &record).await?;
            if status != from {
                return Err(state(&record, status, from.word()));
            }
            let id = &record.created.spec.id;
            let (frozen, doing, action) = match to {
                ContainerStatus::Paused => (runtime.pause(id).await, "pause", Action::Paused),
                _ => (runtime.resume(id).await, "resume", Action::Resumed),
            };
            frozen.map_err(|error| {
                EngineError::host(format!("{doing} container {:?}", record.name), error)
            })?;
            self.tell(&record, action).await;
            Ok(summary(&record, to))
        });
        self.locked((Kind::Container, &found.name), freeze).await
    }

    /// Tells the main process of a running container something; whether it ends of it is its own affair.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::State`] if it does not run, [`EngineError::NoProgram`], [`EngineError::Host`]: builds
    /// before 17763 cannot.
    pub async fn signal(&self, name: &str, signal: Signal) -> Result<(), EngineError> {
        let record = self.container_record(name).await?;
        let runtime = self.runtime();
        let status = self.status(&runtime, &record).await?;
        if status != ContainerStatus::Running {
            return Err(state(&record, status, "Running"));
        }
        let Some(main) = record.main else {
            return Err(EngineError::NoProgram {
                name: record.name.clone(),
            });
        };
        let told = runtime.signal(&record.created.spec.id, main.handles.id, signal);
        told.await.map_err(|error| {
            EngineError::host(format!("signal container {:?}", record.name), error)
        })
    }

    /// Stops a container if it runs, and starts it.
    ///
    /// # Errors
    /// As for [`stop`](Self::stop) and [`start`](Self::start).
    pub async fn restart(&self, name: &str, grace: u64) -> Result<ContainerSummary, EngineError> {
        self.stop(name, grace).await?;
        self.start(name).await
    }

    /// Removes what a container is on the host, and its logs. The caller has it locked.
    pub(crate) async fn remove_parts(
        &self,
        runtime: &Runtime<'_, H>,
        record: &ContainerRecord,
        what: &str,
    ) -> Result<(), EngineError> {
        let removed = runtime.remove(&record.created).await;
        removed.map_err(|error| failed(&record.name, what, error))?;
        if record.settings.command.is_none() {
            return Ok(());
        }
        let logs = crate::logs::folder(record.id());
        let failed = |error| EngineError::host("remove the log", error);
        match self.host.files().remove_dir_all(&logs).await {
            // It never ran, or whoever removed it before died before that was durable.
            Err(error) if error.is_win32(0x2) || error.is_win32(0x3) => {}
            answer => answer.map_err(failed)?,
        }
        let Some(all) = logs.parent() else {
            return Ok(());
        };
        let synced = self.host.files();
        match synced.sync_dir(&all, precautions::SYNC_LOG_REMOVAL).await {
            // None ever ran.
            Err(error) if error.is_win32(0x2) || error.is_win32(0x3) => Ok(()),
            answer => answer.map_err(failed),
        }
    }

    /// Refuses to touch a container whose start was cut off a moment ago: what that asked for may still come. The caller has it
    /// locked, so whoever began the start is gone.
    async fn check_cut_off(&self, record: &ContainerRecord) -> Result<(), EngineError> {
        match record.starting {
            Some(Began { at, boot }) => {
                self.check_in_flight(Kind::Container, &record.name, at, boot)
                    .await
            }
            None => Ok(()),
        }
    }

    /// Takes back what starting it made, whether it still runs or not.
    pub(crate) async fn settle(
        &self,
        runtime: &Runtime<'_, H>,
        record: &mut ContainerRecord,
    ) -> Result<(), EngineError> {
        if let Some(running) = record.running.take() {
            self.end(runtime, record, &running).await?;
            record.starting = None;
            self.conclude(record).await;
            self.write_container(record).await?;
        }
        Ok(())
    }

    async fn end(
        &self,
        runtime: &Runtime<'_, H>,
        record: &ContainerRecord,
        running: &Running,
    ) -> Result<(), EngineError> {
        runtime
            .kill(&record.created, running)
            .await
            .map_err(|error| failed(&record.name, "ended", error))
    }

    /// Whether the ports of a container are free. From Technical Preview 5 on the Host Network Service says so itself; before,
    /// nothing on the host compares one container with another.
    async fn check_ports(
        &self,
        runtime: &Runtime<'_, H>,
        record: &ContainerRecord,
    ) -> Result<(), EngineError> {
        if !publishes_alone(record) {
            return Ok(());
        }
        let mappings = self.host.switches().static_mappings().await;
        let mut taken = PublishedPorts::new().with_static_mappings(&mappings.unwrap_or_default());
        // Only who wants the same port is worth a question to the host.
        let port = |mapping: &PortMapping| (mapping.protocol, mapping.external);
        let wanted: BTreeSet<_> = record.publish.iter().map(port).collect();
        for other in self.container_records().await? {
            if other.created.spec.id != record.created.spec.id
                && other
                    .publish
                    .iter()
                    .any(|mapping| wanted.contains(&port(mapping)))
                && self.status(runtime, &other).await? == ContainerStatus::Running
            {
                for mapping in &other.publish {
                    // Two that have it already are not this one's trouble.
                    let _ = taken.publish(mapping, format!("container {:?}", other.name));
                }
            }
        }
        taken
            .check(&record.publish)
            .map_err(|conflict| EngineError::PortTaken {
                container: record.name.clone(),
                conflict,
            })
    }
}

/// Whether only the engine can say that its ports are free: nothing before the Host Network Service compares them.
fn publishes_alone(record: &ContainerRecord) -> bool {
    let by_switch = matches!(
        record.created.spec.attachment,
        Some(Attachment::Switch { .. })
    );
    by_switch && !record.publish.is_empty()
}
