//! Containers by name.

use std::collections::BTreeMap;
use std::pin::pin;

use serde::{Deserialize, Serialize};
use wcow_host::{Clock, Host, SwitchService, SystemId};
use wcow_network::{PortMapping, PublishedPorts};
use wcow_ntmeta::{FileTime, Guid};
use wcow_runtime::{
    Attachment, ContainerState, Created, ExecSpec, Process, Running, Runtime, RuntimeError,
};

use crate::networks::NetworkBacking;
use crate::records::{Began, Folder};
use crate::{Engine, EngineError, Kind, precautions};

/// What a container is doing, as people call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContainerStatus {
    /// It can be started.
    Off,
    /// It runs.
    Running,
    /// It is frozen.
    Paused,
    /// It ran, or was about to, and ended without being stopped: a restart, a crash, a start that was cut off.
    Exited,
    /// Another command creates or removes it right now, or was cut off and what it left cannot be taken back: it can be removed.
    Unfinished,
}

impl ContainerStatus {
    /// One word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Off => "Off",
            Self::Running => "Running",
            Self::Paused => "Paused",
            Self::Exited => "Exited",
            Self::Unfinished => "Unfinished",
        }
    }
}

/// A container as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContainerSummary {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: SystemId,
    /// The full name of its image.
    pub image: String,
    /// What it is doing.
    pub status: ContainerStatus,
    /// When it was created.
    pub created: FileTime,
    /// The network it is connected to.
    pub network: Option<String>,
    /// Its address on that network, while it runs and the host says so.
    pub address: Option<String>,
    /// Published ports.
    pub ports: Vec<PortMapping>,
    /// The folder of its scratch layer on the host.
    pub scratch: String,
}

/// Whether a running container may be ended to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// No: it is refused.
    No,
    /// Yes.
    Yes,
}

/// What the engine keeps of a container.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ContainerRecord {
    pub(crate) name: String,
    pub(crate) image: String,
    pub(crate) created_at: FileTime,
    pub(crate) network: Option<String>,
    pub(crate) publish: Vec<PortMapping>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) working_directory: String,
    pub(crate) created: Created,
    pub(crate) running: Option<Running>,
    /// Since when it is about to be started: `running` is a plan.
    #[serde(default)]
    pub(crate) starting: Option<Began>,
    /// It is about to be made: `created` is a plan.
    #[serde(default)]
    pub(crate) unfinished: bool,
    /// During which start of the host it was begun to be made.
    #[serde(default)]
    pub(crate) boot: Guid,
    /// It is about to be removed: some of it may be gone.
    #[serde(default)]
    pub(crate) removing: bool,
}

impl ContainerRecord {
    pub(crate) fn id(&self) -> &str {
        &self.created.spec.id.0
    }

    /// Not all of what `created` says need be there.
    pub(crate) fn is_partial(&self) -> bool {
        self.unfinished || self.removing
    }
}

impl<H: Host> Engine<H> {
    /// Starts a container.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Busy`], [`EngineError::State`] if it runs, [`EngineError::NetworkGone`],
    /// [`EngineError::PortTaken`], [`EngineError::Container`] with the host's refusal; it is off then.
    pub async fn start(&self, name: &str) -> Result<ContainerSummary, EngineError> {
        let found = self.container_record(name).await?;
        let mut objects = vec![(Kind::Container, found.name.as_str())];
        if let Some(network) = &found.network
            && publishes_alone(&found)
        {
            // Nobody else's ports may come between looking which are free and having them.
            objects.push((Kind::Network, network));
        }
        self.locked(&objects, pin!(self.start_locked(&found))).await
    }

    async fn start_locked(&self, found: &ContainerRecord) -> Result<ContainerSummary, EngineError> {
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
            let now = self.locked(&[(Kind::Network, name)], in_use).await?;
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
                let _ = self.write_container(&record).await;
                return Err(error);
            }
        }
        if let Err(error) = self.write_container(&record).await {
            if !self.host.ignores(precautions::ROLLBACK_START) {
                self.settle(&runtime, &mut record).await?;
            }
            return Err(error);
        }
        Ok(summary(&record, ContainerStatus::Running))
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
            if let Some(running) = record.running.take() {
                record.starting = None;
                let runtime = self.runtime();
                runtime
                    .stop(&record.created, &running, grace)
                    .await
                    .map_err(|error| failed(&record.name, "stopped", error))?;
                self.write_container(&record).await?;
            }
            Ok(summary(&record, at_rest(&record)))
        });
        self.locked(&[(Kind::Container, &found.name)], stop).await
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
                self.settle(&runtime, &mut record).await?;
            }
            Ok(summary(&record, at_rest(&record)))
        });
        self.locked(&[(Kind::Container, &found.name)], kill).await
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
            }
            record.starting = None;
            // From here on nobody may start it: whoever comes next goes on with the removal.
            record.removing = true;
            self.write_container(&record).await?;
            runtime
                .remove(&record.created)
                .await
                .map_err(|error| failed(&record.name, "removed", error))?;
            self.remove_record(Folder::Containers, record.id()).await
        });
        self.locked(&[(Kind::Container, &found.name)], remove).await
    }

    /// All containers, by name.
    ///
    /// # Errors
    /// [`EngineError::Host`], [`EngineError::Record`].
    pub async fn containers(&self) -> Result<Vec<ContainerSummary>, EngineError> {
        let records = self.container_records().await?;
        let mut summaries = Vec::with_capacity(records.len());
        if records.iter().any(|record| record.running.is_some()) {
            let runtime = self.runtime();
            for record in &records {
                summaries.push(summary(record, self.status(&runtime, record).await?));
            }
        } else {
            summaries.extend(
                records
                    .iter()
                    .map(|record| summary(record, at_rest(record))),
            );
        }
        summaries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(summaries)
    }

    /// One container, by name, id, or the beginning of an id that no other shares.
    ///
    /// # Errors
    /// [`EngineError::NotFound`].
    pub async fn container(&self, name: &str) -> Result<ContainerSummary, EngineError> {
        let record = self.container_record(name).await?;
        let runtime = self.runtime();
        let status = self.status(&runtime, &record).await?;
        Ok(summary(&record, status))
    }

    /// Runs a program in a running container.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::State`] if it does not run, [`EngineError::Container`] with the host's refusal.
    pub async fn exec(&self, name: &str, spec: &ExecSpec) -> Result<Process<'_, H>, EngineError> {
        let record = self.container_record(name).await?;
        let runtime = self.runtime();
        let status = self.status(&runtime, &record).await?;
        if status != ContainerStatus::Running {
            return Err(state(&record, status, "Running"));
        }
        let mut spec = spec.clone();
        for (key, value) in &record.environment {
            spec.environment
                .entry(key.clone())
                .or_insert_with(|| value.clone());
        }
        if spec.working_directory.is_empty() {
            spec.working_directory.clone_from(&record.working_directory);
        }
        runtime
            .exec(&record.created.spec.id, &spec)
            .await
            .map_err(|error| EngineError::Container {
                name: format!(
                    "{:?} could not be run in container {:?}",
                    spec.command_line, record.name
                ),
                error: Box::new(error),
            })
    }

    /// The names of the containers that use an image.
    pub(crate) async fn containers_from(&self, image: &str) -> Result<Vec<String>, EngineError> {
        let records = self.container_records().await?;
        Ok(records
            .into_iter()
            .filter(|record| record.image == image)
            .map(|record| record.name)
            .collect())
    }

    /// The names of the containers on a network.
    pub(crate) async fn containers_on(&self, network: &str) -> Result<Vec<String>, EngineError> {
        let records = self.container_records().await?;
        Ok(records
            .into_iter()
            .filter(|record| record.network.as_deref() == Some(network))
            .map(|record| record.name)
            .collect())
    }

    pub(crate) fn runtime(&self) -> Runtime<'_, H> {
        Runtime::new(&self.host)
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
    async fn settle(
        &self,
        runtime: &Runtime<'_, H>,
        record: &mut ContainerRecord,
    ) -> Result<(), EngineError> {
        if let Some(running) = record.running.take() {
            self.end(runtime, record, &running).await?;
            record.starting = None;
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

    async fn status(
        &self,
        runtime: &Runtime<'_, H>,
        record: &ContainerRecord,
    ) -> Result<ContainerStatus, EngineError> {
        if record.running.is_none() {
            return Ok(at_rest(record));
        }
        let state = runtime
            .state(&record.created.spec.id)
            .await
            .map_err(|error| {
                EngineError::host(
                    format!("read the state of container {:?}", record.name),
                    error,
                )
            })?;
        Ok(match state {
            ContainerState::Off => ContainerStatus::Exited,
            ContainerState::Running => ContainerStatus::Running,
            ContainerState::Paused => ContainerStatus::Paused,
        })
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
        for other in self.container_records().await? {
            if other.created.spec.id != record.created.spec.id
                && !other.publish.is_empty()
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

    pub(crate) async fn write_container(
        &self,
        record: &ContainerRecord,
    ) -> Result<(), EngineError> {
        self.write_record(Folder::Containers, record.id(), &record.name, record)
            .await
    }

    /// All records. What is left of creations and removals that were cut off is taken back first.
    pub(crate) async fn container_records(&self) -> Result<Vec<ContainerRecord>, EngineError> {
        let records: Vec<ContainerRecord> = self.read_records(Folder::Containers).await?;
        let mut settled = false;
        for record in records.iter().filter(|record| record.is_partial()) {
            settled |= self.settle_creation(record).await?;
        }
        if settled {
            self.read_records(Folder::Containers).await
        } else {
            Ok(records)
        }
    }

    /// A record as it is now that nobody else can change it.
    async fn locked_record(&self, found: &ContainerRecord) -> Result<ContainerRecord, EngineError> {
        match self.read_record(Folder::Containers, found.id()).await? {
            Some(record) => Ok(record),
            None => self.container_record(&found.name).await,
        }
    }

    async fn container_record(&self, name: &str) -> Result<ContainerRecord, EngineError> {
        pick(self.container_records().await?, name)
    }
}

/// The record of a container by its name, its id, or the beginning of its id that no other shares.
fn pick(mut records: Vec<ContainerRecord>, name: &str) -> Result<ContainerRecord, EngineError> {
    let by_name = records.iter().position(|record| record.name == name);
    let position = by_name.or_else(|| {
        let wanted = name.to_lowercase();
        let mut matching = records.iter().enumerate().filter(|(_, record)| {
            wanted.len() >= 4 && record.id().to_lowercase().starts_with(&wanted)
        });
        match (matching.next(), matching.next()) {
            (Some((position, _)), None) => Some(position),
            _ => None,
        }
    });
    match position {
        Some(position) => Ok(records.swap_remove(position)),
        None => {
            let mut existing: Vec<String> = records.into_iter().map(|record| record.name).collect();
            existing.sort();
            Err(EngineError::NotFound {
                kind: Kind::Container,
                name: name.to_owned(),
                existing,
            })
        }
    }
}

/// Letters, digits, `_`, `.`, `-`; at most 63; a letter or digit first and last.
pub(crate) fn is_valid_name(name: &str) -> bool {
    let edge = |character: Option<char>| {
        character.is_some_and(|character| character.is_ascii_alphanumeric())
    };
    name.len() <= 63
        && edge(name.chars().next())
        && edge(name.chars().next_back())
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "_.-".contains(character))
}

pub(crate) fn summary(record: &ContainerRecord, status: ContainerStatus) -> ContainerSummary {
    let endpoint = record
        .running
        .as_ref()
        .and_then(|running| running.endpoint.as_ref());
    ContainerSummary {
        name: record.name.clone(),
        id: record.created.spec.id.clone(),
        image: record.image.clone(),
        status,
        created: record.created_at,
        network: record.network.clone(),
        address: endpoint
            .filter(|_| status == ContainerStatus::Running)
            .map(|endpoint| endpoint.address.clone()),
        ports: record.publish.clone(),
        scratch: record.created.scratch.to_string(),
    }
}

/// The status of a container that nothing was started of.
fn at_rest(record: &ContainerRecord) -> ContainerStatus {
    if record.is_partial() {
        ContainerStatus::Unfinished
    } else {
        ContainerStatus::Off
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

fn state(record: &ContainerRecord, is: ContainerStatus, needed: &'static str) -> EngineError {
    EngineError::State {
        name: record.name.clone(),
        is: is.word(),
        needed,
    }
}

pub(crate) fn failed(name: &str, what: &str, error: RuntimeError) -> EngineError {
    EngineError::Container {
        name: format!("container {name:?} could not be {what}"),
        error: Box::new(error),
    }
}
