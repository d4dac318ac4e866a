//! Containers by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wcow_host::era;
use wcow_host::{Clock, Host, HostControl, LayerDescriptor, SwitchService, SystemId};
use wcow_network::{Driver, PortMapping, PublishedPorts};
use wcow_ntmeta::{FileTime, Guid};
use wcow_runtime::{
    Attachment, ContainerSpec, ContainerState, Created, ExecSpec, Process, Running, Runtime,
    RuntimeError,
};

use crate::networks::NetworkBacking;
use crate::records::Folder;
use crate::{Engine, EngineError, Kind};

/// A container to be created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateContainer {
    /// The image: its name, `name:version`, or full name.
    pub image: String,
    /// Its name; made up from its id if absent.
    pub name: Option<String>,
    /// Its id; a new one if absent.
    pub id: Option<Guid>,
    /// The network it is connected to.
    pub network: Option<String>,
    /// Published ports; need a network of driver NAT.
    pub publish: Vec<PortMapping>,
    /// Environment variables of every program run in it.
    pub environment: BTreeMap<String, String>,
    /// Working directory of every program run in it.
    pub working_directory: String,
}

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
    name: String,
    image: String,
    created_at: FileTime,
    network: Option<String>,
    publish: Vec<PortMapping>,
    environment: BTreeMap<String, String>,
    working_directory: String,
    created: Created,
    running: Option<Running>,
}

impl<H: Host> Engine<H> {
    /// Creates a container that is off.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for the image or the network, [`EngineError::Exists`], [`EngineError::NetworkGone`],
    /// [`EngineError::Publish`] and [`EngineError::PortTaken`] for ports that cannot be published, [`EngineError::Container`]
    /// with the host's refusal. Nothing is left behind.
    pub async fn create_container(
        &self,
        wanted: CreateContainer,
    ) -> Result<ContainerSummary, EngineError> {
        let records = self.container_records().await?;
        if let Some(name) = wanted.name.as_ref().filter(|name| !is_valid_name(name)) {
            return Err(EngineError::BadName {
                kind: Kind::Container,
                name: name.clone(),
            });
        }
        let image = self.image(&wanted.image).await?;
        let info = self.info().await?;
        let id = match wanted.id {
            Some(id) => id,
            None => self
                .host
                .control()
                .new_guid()
                .await
                .map_err(|error| EngineError::host("make an id", error))?,
        };
        let name = wanted.name.clone().unwrap_or_else(|| {
            let id = id.to_string();
            format!("container-{}", id.get(..8).unwrap_or(&id))
        });
        if records.iter().any(|record| record.name == name) {
            return Err(EngineError::Exists {
                kind: Kind::Container,
                name,
            });
        }
        let id = SystemId(if era::containers_persist(info.build) {
            id.to_upper_string()
        } else {
            id.to_string()
        });
        let same_id = |record: &&ContainerRecord| record.created.spec.id == id;
        if let Some(taken) = records.iter().find(same_id) {
            return Err(EngineError::Exists {
                kind: Kind::Container,
                name: taken.name.clone(),
            });
        }
        let spec = ContainerSpec {
            host_name: host_name(&name),
            name: name.clone(),
            layers: vec![LayerDescriptor {
                id: era::layer_id(&image.full_name),
                path: image.path.clone(),
            }],
            image: image.facts(),
            attachment: self.attachment(&name, &wanted).await?,
            owner: "wcow".to_owned(),
            id,
        };
        let runtime = self.runtime().await?;
        let created = runtime
            .create(spec)
            .await
            .map_err(|error| failed(&name, "created", error))?;
        let record = ContainerRecord {
            name: name.clone(),
            image: image.full_name,
            created_at: self.host.clock().now(),
            network: wanted.network,
            publish: wanted.publish,
            environment: wanted.environment,
            working_directory: wanted.working_directory,
            created,
            running: None,
        };
        if let Err(error) = self.write_container(&record).await {
            // Without a record nobody would ever find it again; if it cannot be taken back either, that error says more.
            runtime
                .remove(&record.created)
                .await
                .map_err(|error| failed(&name, "taken back", error))?;
            return Err(error);
        }
        Ok(summary(&record, ContainerStatus::Off))
    }

    /// Starts a container.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::State`] if it runs, [`EngineError::NetworkGone`], [`EngineError::PortTaken`],
    /// [`EngineError::Container`] with the host's refusal; it is off then.
    pub async fn start(&self, name: &str) -> Result<ContainerSummary, EngineError> {
        let mut record = self.container_record(name).await?;
        let runtime = self.runtime().await?;
        match self.status(&runtime, &record).await? {
            ContainerStatus::Off => {}
            ContainerStatus::Exited => self.settle(&runtime, &mut record).await?,
            status @ (ContainerStatus::Running | ContainerStatus::Paused) => {
                return Err(EngineError::State {
                    name: record.name,
                    is: status.word(),
                    needed: "Off",
                });
            }
        }
        self.check_ports(&record).await?;
        if let (Some(name), Some(Attachment::Hns { network, .. })) =
            (&record.network, &mut record.created.spec.attachment)
            && let NetworkBacking::Hns { id } = self.network_in_use(name).await?.backing
        {
            *network = id;
        }
        let planned = runtime
            .plan_start(&record.created)
            .await
            .map_err(|error| failed(&record.name, "started", error))?;
        // Kept before anything is made: a start that is cut off can be taken back by whoever comes next.
        record.running = Some(planned.clone());
        self.write_container(&record).await?;
        match runtime.start(&record.created, &planned).await {
            Ok(running) => record.running = Some(running),
            Err(error) => {
                let error = failed(&record.name, "started", error);
                record.running = None;
                // The refusal says more than a record that is behind: what that one names is gone, and taking it back is nothing.
                let _ = self.write_container(&record).await;
                return Err(error);
            }
        }
        if let Err(error) = self.write_container(&record).await {
            self.settle(&runtime, &mut record).await?;
            return Err(error);
        }
        Ok(summary(&record, ContainerStatus::Running))
    }

    /// Stops a container: asks it to, and ends it after `grace` (100 ns ticks of the host's clock). One that is off stays off.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Container`].
    pub async fn stop(&self, name: &str, grace: u64) -> Result<ContainerSummary, EngineError> {
        let mut record = self.container_record(name).await?;
        if let Some(running) = record.running.take() {
            let runtime = self.runtime().await?;
            runtime
                .stop(&record.created, &running, grace)
                .await
                .map_err(|error| failed(&record.name, "stopped", error))?;
            self.write_container(&record).await?;
        }
        Ok(summary(&record, ContainerStatus::Off))
    }

    /// Ends a container at once. One that is off stays off.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Container`].
    pub async fn kill(&self, name: &str) -> Result<ContainerSummary, EngineError> {
        let mut record = self.container_record(name).await?;
        if record.running.is_some() {
            let runtime = self.runtime().await?;
            self.settle(&runtime, &mut record).await?;
        }
        Ok(summary(&record, ContainerStatus::Off))
    }

    /// Removes a container and everything written in it.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::State`] if it runs and `force` says no, [`EngineError::Container`].
    pub async fn remove_container(&self, name: &str, force: Force) -> Result<(), EngineError> {
        let mut record = self.container_record(name).await?;
        let runtime = self.runtime().await?;
        let status = self.status(&runtime, &record).await?;
        if matches!(status, ContainerStatus::Running | ContainerStatus::Paused)
            && force == Force::No
        {
            return Err(EngineError::State {
                name: record.name,
                is: status.word(),
                needed: "Off",
            });
        }
        self.settle(&runtime, &mut record).await?;
        runtime
            .remove(&record.created)
            .await
            .map_err(|error| failed(&record.name, "removed", error))?;
        self.remove_record(Folder::Containers, &record.created.spec.id.0)
            .await
    }

    /// All containers, by name.
    ///
    /// # Errors
    /// [`EngineError::Host`], [`EngineError::Record`].
    pub async fn containers(&self) -> Result<Vec<ContainerSummary>, EngineError> {
        let records = self.container_records().await?;
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let runtime = self.runtime().await?;
        let mut summaries = Vec::with_capacity(records.len());
        for record in &records {
            summaries.push(summary(record, self.status(&runtime, record).await?));
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
        let runtime = self.runtime().await?;
        let status = self.status(&runtime, &record).await?;
        Ok(summary(&record, status))
    }

    /// Runs a program in a running container.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::State`] if it does not run, [`EngineError::Container`] with the host's refusal.
    pub async fn exec(&self, name: &str, spec: &ExecSpec) -> Result<Process<'_, H>, EngineError> {
        let record = self.container_record(name).await?;
        let runtime = self.runtime().await?;
        let status = self.status(&runtime, &record).await?;
        if status != ContainerStatus::Running {
            return Err(EngineError::State {
                name: record.name,
                is: status.word(),
                needed: "Running",
            });
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

    async fn runtime(&self) -> Result<Runtime<'_, H>, EngineError> {
        Runtime::new(&self.host)
            .await
            .map_err(|error| EngineError::host("read what the host is", error))
    }

    /// Takes back what starting it made, whether it still runs or not.
    async fn settle(
        &self,
        runtime: &Runtime<'_, H>,
        record: &mut ContainerRecord,
    ) -> Result<(), EngineError> {
        if let Some(running) = record.running.take() {
            runtime
                .kill(&record.created, &running)
                .await
                .map_err(|error| failed(&record.name, "ended", error))?;
            self.write_container(record).await?;
        }
        Ok(())
    }

    async fn status(
        &self,
        runtime: &Runtime<'_, H>,
        record: &ContainerRecord,
    ) -> Result<ContainerStatus, EngineError> {
        if record.running.is_none() {
            return Ok(ContainerStatus::Off);
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

    async fn attachment(
        &self,
        container: &str,
        wanted: &CreateContainer,
    ) -> Result<Option<Attachment>, EngineError> {
        let refused = |reason: String| {
            Err(EngineError::Publish {
                container: container.to_owned(),
                reason,
            })
        };
        let Some(name) = &wanted.network else {
            if wanted.publish.is_empty() {
                return Ok(None);
            }
            return refused("it is connected to none".to_owned());
        };
        PublishedPorts::new()
            .check(&wanted.publish)
            .map_err(|conflict| EngineError::PortTaken {
                container: container.to_owned(),
                conflict,
            })?;
        let network = self.network_in_use(name).await?;
        if !wanted.publish.is_empty() {
            if network.driver != Driver::Nat {
                return refused(format!("network {name:?} is of driver {}", network.driver));
            }
            if matches!(network.backing, NetworkBacking::Switch { nat: None, .. }) {
                return refused(format!("no NAT that wcow knows is behind switch {name:?}"));
            }
        }
        let ports = wanted.publish.clone();
        Ok(Some(match network.backing {
            NetworkBacking::Switch { switch, nat } => Attachment::Switch { switch, nat, ports },
            NetworkBacking::Hns { id } => Attachment::Hns { network: id, ports },
        }))
    }

    /// Whether the ports of a container are free. From Technical Preview 5 on the Host Network Service says so itself; before,
    /// nothing on the host compares one container with another.
    async fn check_ports(&self, record: &ContainerRecord) -> Result<(), EngineError> {
        let Some(Attachment::Switch { .. }) = record.created.spec.attachment else {
            return Ok(());
        };
        if record.publish.is_empty() {
            return Ok(());
        }
        let mappings = self.host.switches().static_mappings().await;
        let mut taken = PublishedPorts::new().with_static_mappings(&mappings.unwrap_or_default());
        let runtime = self.runtime().await?;
        for other in self.container_records().await? {
            if other.created.spec.id != record.created.spec.id
                && !other.publish.is_empty()
                && self.status(&runtime, &other).await? == ContainerStatus::Running
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

    async fn write_container(&self, record: &ContainerRecord) -> Result<(), EngineError> {
        self.write_record(Folder::Containers, &record.created.spec.id.0, record)
            .await
    }

    async fn container_records(&self) -> Result<Vec<ContainerRecord>, EngineError> {
        self.read_records(Folder::Containers).await
    }

    async fn container_record(&self, name: &str) -> Result<ContainerRecord, EngineError> {
        let mut records = self.container_records().await?;
        let by_name = records.iter().position(|record| record.name == name);
        let position = by_name.or_else(|| {
            let wanted = name.to_lowercase();
            let mut matching = records.iter().enumerate().filter(|(_, record)| {
                wanted.len() >= 4 && record.created.spec.id.0.to_lowercase().starts_with(&wanted)
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
                    records.into_iter().map(|record| record.name).collect();
                existing.sort();
                Err(EngineError::NotFound {
                    kind: Kind::Container,
                    name: name.to_owned(),
                    existing,
                })
            }
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

/// A host name made from a container's name: letters, digits and `-`, at most 15.
fn host_name(name: &str) -> String {
    let cleaned: String = name
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character
            } else {
                '-'
            }
        })
        .take(15)
        .collect();
    cleaned.trim_matches('-').to_owned()
}

fn summary(record: &ContainerRecord, status: ContainerStatus) -> ContainerSummary {
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

fn failed(name: &str, what: &str, error: RuntimeError) -> EngineError {
    EngineError::Container {
        name: format!("container {name:?} could not be {what}"),
        error: Box::new(error),
    }
}
