//! Creating containers: a record first, then the container.
//!
//! The record is written with the plan of what will be made, and marked as unfinished, before anything is made. So whatever a
//! creation leaves that was cut off is known: whoever reads the records next takes it back, if nobody has the container locked
//! any more. So it is with a removal, whose record says that it was begun.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::OnceLock;

use wcow_host::{
    Clock, Diagnostics, FileSystem, Host, HostControl, HostInfo, LayerDescriptor, Precaution,
    SystemId, era,
};
use wcow_image_store::StoredImage;
use wcow_network::{Driver, PortMapping, PublishedPorts};
use wcow_ntmeta::Guid;
use wcow_runtime::{Attachment, ContainerSpec, Isolation, Mount, Processors, Runtime};

use crate::containers::{ContainerRecord, failed, is_valid_name, summary};
use crate::events::Action;
use crate::networks::NetworkBacking;
use crate::records::Folder;
use crate::settings::{Settings, check};
use crate::{ContainerStatus, ContainerSummary, Engine, EngineError, Kind, precautions};

/// Who makes the compute systems, as the host's records show it.
pub(crate) const OWNER: &str = "wcow";

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
    /// Its host name; made from its name if absent.
    pub host_name: Option<String>,
    /// How it is kept apart from the host.
    pub isolation: Isolation,
    /// The most memory it gets, in MiB.
    pub memory_mib: Option<u64>,
    /// Which share of the processors it gets; of a count, as many as the host has at the most.
    pub processors: Option<Processors>,
    /// Folders of the host that it sees; made where they are missing, and never removed.
    pub mounts: Vec<Mount>,
    /// What it runs, and when again.
    pub settings: Settings,
}

impl<H: Host> Engine<H> {
    /// Creates a container that is off.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for the image or the network, [`EngineError::Exists`], [`EngineError::Busy`],
    /// [`EngineError::NetworkGone`], [`EngineError::Publish`] and [`EngineError::PortTaken`] for ports that cannot be published,
    /// [`EngineError::Container`] with the host's refusal. Nothing is left behind.
    pub async fn create_container(
        &self,
        wanted: CreateContainer,
    ) -> Result<ContainerSummary, EngineError> {
        if let Some(name) = wanted.name.as_ref().filter(|name| !is_valid_name(name)) {
            return Err(EngineError::BadName {
                kind: Kind::Container,
                name: name.clone(),
            });
        }
        check(&wanted)?;
        let id = match wanted.id {
            Some(id) => id,
            None => self
                .host
                .control()
                .new_guid()
                .await
                .map_err(|error| EngineError::host("make an id", error))?,
        };
        let text = id.to_string();
        let name = wanted
            .name
            .clone()
            .unwrap_or_else(|| format!("container-{}", text.get(..8).unwrap_or(&text)));
        // Somebody else may have been given the same one.
        let given = wanted.id.map(|_| (Kind::Container, text.as_str()));
        let create = pin!(self.create_locked(&name, id, wanted));
        self.locked_with((Kind::Container, &name), given, create)
            .await
    }

    async fn create_locked(
        &self,
        name: &str,
        id: Guid,
        wanted: CreateContainer,
    ) -> Result<ContainerSummary, EngineError> {
        let mut records = self.container_records().await?;
        if let Some(taken) = records.iter().position(|record| record.name == name) {
            let taken = records.swap_remove(taken);
            if !taken.is_partial() {
                return Err(EngineError::Exists {
                    kind: Kind::Container,
                    name: taken.name.clone(),
                });
            }
            // Whoever began it is gone, or this command could not have locked it.
            if !taken.removing {
                self.check_in_flight(Kind::Container, &taken.name, taken.created_at, taken.boot)
                    .await?;
            }
            self.take_creation_back(&taken, precautions::RECOVER_CREATION)
                .await?;
        }
        let image = self.image(&wanted.image).await?;
        let info = self.info().await?;
        let id = SystemId(if era::containers_persist(info.build) {
            id.to_upper_string()
        } else {
            id.to_string()
        });
        if let Some(taken) = records.iter().find(|record| record.created.spec.id == id) {
            return Err(EngineError::Exists {
                kind: Kind::Container,
                name: taken.name.clone(),
            });
        }
        // Until the record says that they are in use, nobody may remove them.
        let used = image.full_name.clone();
        let network = wanted.network.clone();
        let network = network.as_ref().map(|name| (Kind::Network, name.as_str()));
        let begin = pin!(self.begin_creation(name, id, info.clone(), image, wanted));
        let mut record = self
            .locked_with((Kind::Image, &used), network, begin)
            .await?;
        let runtime = Runtime::with_info(&self.host, info);
        let files = record.files().clone();
        match runtime.create(record.created).await {
            Ok(created) => record.created = created,
            Err(error) => {
                if error.left_behind().is_empty() {
                    // The refusal says more than a record that nothing is behind: the next command removes that one.
                    let _ = self.remove_record(&files).await;
                }
                return Err(failed(name, "created", error));
            }
        }
        record.unfinished = false;
        let written = match self.write_container(&record).await {
            Ok(written) => written,
            Err(error) => {
                // The record may be in its place all the same: it must not tell of a whole container while that is taken apart.
                let now: Result<Option<ContainerRecord>, _> =
                    self.read_record(record.files()).await;
                let is_told = now.is_ok_and(|now| now.is_none_or(|now| now.is_partial()));
                record.removing = true;
                if is_told || self.write_container(&record).await.is_ok() {
                    self.take_creation_back(&record, precautions::ROLLBACK_CREATION)
                        .await?;
                }
                return Err(error);
            }
        };
        self.tell(&record, Action::Created).await;
        let made = summary(&record, ContainerStatus::Off);
        self.keep_written(written, record);
        Ok(made)
    }

    /// Writes the record of a container that is about to be made. The caller has its image and its network locked.
    async fn begin_creation(
        &self,
        name: &str,
        id: SystemId,
        info: HostInfo,
        image: StoredImage,
        wanted: CreateContainer,
    ) -> Result<ContainerRecord, EngineError> {
        let there = self.host.files().metadata(&image.path).await;
        if there
            .map_err(|error| EngineError::host("look at the image", error))?
            .is_none()
        {
            // It was removed before it was locked.
            let existing = self.images().await?;
            return Err(EngineError::NotFound {
                kind: Kind::Image,
                name: wanted.image,
                existing: existing.into_iter().map(|image| image.full_name).collect(),
            });
        }
        if let Some(store) = image.path.parent() {
            self.host
                .files()
                .sync_dir(&store, precautions::SYNC_USED_IMAGE)
                .await
                .map_err(|error| EngineError::host("make the image durable", error))?;
        }
        for mount in &wanted.mounts {
            let made = self.host.files().create_dir_all(&mount.host).await;
            made.map_err(|error| {
                EngineError::host(format!("make the folder {}", mount.host), error)
            })?;
        }
        let attachment = self.attachment(name, &wanted).await?;
        let processors = self.fitting(wanted.processors).await;
        let spec = ContainerSpec {
            host_name: wanted.host_name.clone().unwrap_or_else(|| host_name(name)),
            name: name.to_owned(),
            layers: vec![LayerDescriptor {
                id: era::layer_id(&image.full_name),
                path: image.path.clone(),
            }],
            image: image.facts(),
            attachment,
            isolation: wanted.isolation,
            memory_mib: wanted.memory_mib,
            processors,
            mounts: wanted.mounts,
            owner: OWNER.to_owned(),
            id,
        };
        let boot = info.boot_id;
        let planned = Runtime::with_info(&self.host, info)
            .plan_create(spec)
            .await
            .map_err(|error| failed(name, "created", error))?;
        let record = ContainerRecord {
            name: name.to_owned(),
            image: image.full_name,
            created_at: self.host.clock().now(),
            network: wanted.network,
            publish: wanted.publish,
            environment: wanted.environment,
            working_directory: wanted.working_directory,
            settings: wanted.settings,
            main: None,
            exit: None,
            stopped: false,
            restarts: 0,
            created: planned,
            running: None,
            starting: None,
            unfinished: true,
            boot,
            removing: false,
            files: OnceLock::new(),
        };
        if let Err(error) = self.write_container(&record).await {
            // It may be in its place all the same, and nothing is behind it.
            let _ = self.remove_record(record.files()).await;
            return Err(error);
        }
        Ok(record)
    }

    /// No more processors than the host has. Services take such a number as it is; Microsoft's own client cuts it down (documented:
    /// hcsshim), and so does this one.
    async fn fitting(&self, wanted: Option<Processors>) -> Option<Processors> {
        let Some(Processors::Count(count)) = wanted else {
            return wanted;
        };
        match self.host.diagnostics().hardware().await {
            Ok(hardware) if hardware.processors > 0 => {
                Some(Processors::Count(count.min(hardware.processors)))
            }
            // A host that does not tell is asked for what was wanted.
            _ => wanted,
        }
    }

    /// Takes back what is left of a creation or a removal, unless somebody still is at it; true if the record may have changed.
    pub(crate) async fn settle_creation(
        &self,
        found: &ContainerRecord,
    ) -> Result<bool, EngineError> {
        if !found.removing && self.is_in_flight(found.created_at, found.boot).await? {
            return Ok(false);
        }
        let Some(held) = self.try_lock(Kind::Container, &found.name).await? else {
            return Ok(false);
        };
        let now: Result<Option<ContainerRecord>, _> = self.read_record(found.files()).await;
        if let Ok(Some(record)) = &now
            && record.is_partial()
        {
            // What cannot be taken back stays in the list, and removing it says why.
            let _ = self
                .take_creation_back(record, precautions::RECOVER_CREATION)
                .await;
        }
        self.unlock(held).await;
        now.map(|_| true)
    }

    /// Takes back what a creation made and a removal left, and the record. The caller has the container locked, and says for which
    /// reason it is done.
    async fn take_creation_back(
        &self,
        record: &ContainerRecord,
        precaution: Precaution,
    ) -> Result<(), EngineError> {
        if self.host.ignores(precaution) {
            return Ok(());
        }
        self.remove_parts(&self.runtime(), record, "taken back")
            .await?;
        self.remove_record(record.files()).await
    }

    /// How a container is to be connected. The caller has its network locked.
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
        if network.ours {
            let synced = self
                .host
                .files()
                .sync_dir(Folder::Networks.path(), precautions::SYNC_USED_NETWORK);
            synced
                .await
                .map_err(|error| EngineError::host("make the network durable", error))?;
        }
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
