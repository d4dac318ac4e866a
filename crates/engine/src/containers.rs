//! Containers by name.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use wcow_host::{Host, SystemId};
use wcow_network::PortMapping;
use wcow_ntmeta::{FileTime, Guid};
use wcow_runtime::{ContainerState, Created, ExecSpec, Process, Running, Runtime, RuntimeError};

use crate::known::Kept;
use crate::main_process::Main;
use crate::records::{Began, Files, Folder};
use crate::settings::Settings;
use crate::{Engine, EngineError, Kind, RestartPolicy};

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
    /// The command line of its main process, if it has one.
    pub command: Option<String>,
    /// How its main process ended last.
    pub exit: Option<Exit>,
    /// How often it was started again by its restart policy since somebody started it.
    pub restarts: u32,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// When it is started again by itself.
    pub restart: RestartPolicy,
}

/// How a main process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Its exit code; absent if nobody was there to be told, as after a restart of the host.
    pub code: Option<u32>,
    /// When that was noticed.
    pub at: FileTime,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) network: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) publish: Vec<PortMapping>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) environment: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) working_directory: String,
    /// What it runs, and when again.
    #[serde(default)]
    pub(crate) settings: Settings,
    /// Its main process as last started, until it is known how that ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) main: Option<Main>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exit: Option<Exit>,
    /// Somebody stopped it, and nobody has started it since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) stopped: bool,
    #[serde(default)]
    pub(crate) restarts: u32,
    pub(crate) created: Created,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) running: Option<Running>,
    /// Since when it is about to be started: `running` is a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) starting: Option<Began>,
    /// It is about to be made: `created` is a plan.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unfinished: bool,
    /// During which start of the host it was begun to be made.
    #[serde(default)]
    pub(crate) boot: Guid,
    /// It is about to be removed: some of it may be gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) removing: bool,
    /// Where the record is kept; known when somebody has asked.
    #[serde(skip)]
    pub(crate) files: OnceLock<Files>,
}

impl ContainerRecord {
    pub(crate) fn id(&self) -> &str {
        &self.created.spec.id.0
    }

    /// Where the record is kept.
    pub(crate) fn files(&self) -> &Files {
        self.files
            .get_or_init(|| Files::new(Folder::Containers, self.id(), &self.name))
    }

    /// Not all of what `created` says need be there.
    pub(crate) fn is_partial(&self) -> bool {
        self.unfinished || self.removing
    }
}

impl<H: Host> Engine<H> {
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
            .map_err(|error| not_run(&record, &spec, error))
    }

    /// What will keep a container from running on this host, in a sentence, as far as the rules of its generation tell. It is a
    /// prediction, and nothing is refused because of it: the host has the last word.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Host`].
    pub async fn foresee(&self, name: &str) -> Result<Option<String>, EngineError> {
        let record = self.container_record(name).await?;
        let foreseen = self.runtime().foresee(&record.created.spec).await;
        foreseen.map_err(|error| EngineError::host("read what the host is", error))
    }

    /// The names of the containers that use an image.
    pub(crate) async fn containers_from(&self, image: &str) -> Result<Vec<String>, EngineError> {
        let records = self.container_records().await?;
        Ok(records
            .iter()
            .filter(|record| record.image == image)
            .map(|record| record.name.clone())
            .collect())
    }

    /// The names of the containers on a network.
    pub(crate) async fn containers_on(&self, network: &str) -> Result<Vec<String>, EngineError> {
        let records = self.container_records().await?;
        Ok(records
            .iter()
            .filter(|record| record.network.as_deref() == Some(network))
            .map(|record| record.name.clone())
            .collect())
    }

    pub(crate) fn runtime(&self) -> Runtime<'_, H> {
        Runtime::new(&self.host)
    }

    pub(crate) async fn status(
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
            ContainerState::Running if self.main_has_ended(record).await => ContainerStatus::Exited,
            ContainerState::Running => ContainerStatus::Running,
            ContainerState::Paused => ContainerStatus::Paused,
        })
    }

    /// Writes a record, and gives its bytes.
    pub(crate) async fn write_container(
        &self,
        record: &ContainerRecord,
    ) -> Result<Vec<u8>, EngineError> {
        self.write_record(record.files(), record).await
    }

    /// All records. What is left of creations and removals that were cut off is taken back first.
    pub(crate) async fn container_records(
        &self,
    ) -> Result<Vec<Kept<ContainerRecord>>, EngineError> {
        let records: Vec<Kept<ContainerRecord>> = self.read_records(Folder::Containers).await?;
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
    pub(crate) async fn locked_record(
        &self,
        found: &ContainerRecord,
    ) -> Result<ContainerRecord, EngineError> {
        match self.read_record(found.files()).await? {
            Some(record) => Ok(record),
            None => Ok(self.container_record(&found.name).await?.into_inner()),
        }
    }

    pub(crate) async fn container_record(
        &self,
        name: &str,
    ) -> Result<Kept<ContainerRecord>, EngineError> {
        pick(self.container_records().await?, name)
    }
}

/// The record of a container by its name, its id, or the beginning of its id that no other shares.
pub(crate) fn pick(
    mut records: Vec<Kept<ContainerRecord>>,
    name: &str,
) -> Result<Kept<ContainerRecord>, EngineError> {
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
            let mut existing: Vec<String> =
                records.iter().map(|record| record.name.clone()).collect();
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
        && name.chars().all(|character| {
            character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '-')
        })
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
        command: record.settings.command.clone(),
        exit: record.exit,
        restarts: record.restarts,
        labels: record.settings.labels.clone(),
        restart: record.settings.restart,
    }
}

/// The status of a container that nothing was started of.
pub(crate) fn at_rest(record: &ContainerRecord) -> ContainerStatus {
    if record.is_partial() {
        ContainerStatus::Unfinished
    } else {
        ContainerStatus::Off
    }
}

pub(crate) fn state(
    record: &ContainerRecord,
    is: ContainerStatus,
    needed: &'static str,
) -> EngineError {
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

pub(crate) fn not_run(
    record: &ContainerRecord,
    spec: &ExecSpec,
    error: RuntimeError,
) -> EngineError {
    EngineError::Program {
        command: spec.command_line.clone(),
        container: record.name.clone(),
        error: Box::new(error),
    }
}
