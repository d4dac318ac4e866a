//! What a diagnosis can set right, by name.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use wcow_host::client::Client;
use wcow_host::{
    FileSystem, Host, HostControl, HostError, LayerStorage, NetworkService, SwitchService,
    SystemId, era,
};
use wcow_image_store::ImageStore;
use wcow_ntmeta::{Guid, HostPath};

use crate::records::Folder;
use crate::{Enabled, Engine, EngineError};

/// One thing that can be set right. Those that come first are done first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fix {
    /// Start a service that is stopped.
    StartService(String),
    /// Take back what commands left that were cut off.
    TakeBackUnfinished,
    /// End a compute system that belongs to no container.
    EndSystem(SystemId),
    /// Detach the disk of a scratch layer whose container does not run.
    DetachScratch(HostPath),
    /// Remove an endpoint that belongs to no container.
    RemoveEndpoint(Guid),
    /// Remove a NAT object of ours that belongs to no network.
    RemoveNat(String),
    /// Destroy a scratch layer that belongs to no container.
    DestroyScratch(HostPath),
    /// Clear the image store of installs and removals that were cut off, and put damaged images aside.
    CleanImageStore,
    /// Remove a folder that an import left among the temporary files.
    RemoveTempFolder(HostPath),
    /// Turn a feature on, or on Nano Server add a package.
    EnableFeature(String),
}

/// How a fix went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fixed {
    /// It is done.
    Now,
    /// It is done with the next restart of the host.
    AfterReboot,
    /// The reason for it was gone.
    NotNeeded,
}

impl Fix {
    /// The name of the action, in kebab case.
    #[must_use]
    pub const fn action(&self) -> &'static str {
        match self {
            Self::StartService(_) => "start-service",
            Self::TakeBackUnfinished => "take-back-unfinished",
            Self::EndSystem(_) => "end-system",
            Self::DetachScratch(_) => "detach-scratch",
            Self::RemoveEndpoint(_) => "remove-endpoint",
            Self::RemoveNat(_) => "remove-nat",
            Self::DestroyScratch(_) => "destroy-scratch",
            Self::CleanImageStore => "clean-image-store",
            Self::RemoveTempFolder(_) => "remove-temp-folder",
            Self::EnableFeature(_) => "enable-feature",
        }
    }

    /// What somebody may miss afterwards, if there is such a thing.
    #[must_use]
    pub const fn loses(&self) -> Option<&'static str> {
        match self {
            Self::EndSystem(_) => Some("what runs in it ends"),
            Self::DestroyScratch(_) => Some("what was written in that container is gone"),
            _ => None,
        }
    }

    /// True if it takes effect only with a restart of the host.
    #[must_use]
    pub const fn needs_reboot(&self) -> bool {
        matches!(self, Self::EnableFeature(_))
    }
}

impl fmt::Display for Fix {
    /// What it does, as a clause: `start the service vmcompute`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StartService(name) => write!(f, "start the service {name}"),
            Self::TakeBackUnfinished => f.write_str("take back what interrupted commands left"),
            Self::EndSystem(id) => write!(f, "end the compute system {id}"),
            Self::DetachScratch(path) => write!(f, "detach the disk of {path}"),
            Self::RemoveEndpoint(id) => write!(f, "remove the endpoint {id}"),
            Self::RemoveNat(name) => write!(f, "remove the NAT {name:?}"),
            Self::DestroyScratch(path) => write!(f, "destroy the scratch layer {path}"),
            Self::CleanImageStore => f.write_str(
                "clear the image store of interrupted installs, and put damaged images aside",
            ),
            Self::RemoveTempFolder(path) => write!(f, "remove the folder {path}"),
            Self::EnableFeature(name) => write!(f, "enable {name}"),
        }
    }
}

impl Serialize for Fix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fix = serializer.serialize_struct("Fix", 4)?;
        fix.serialize_field("action", self.action())?;
        fix.serialize_field("does", &self.to_string())?;
        fix.serialize_field("loses", &self.loses())?;
        fix.serialize_field("needs_reboot", &self.needs_reboot())?;
        fix.end()
    }
}

impl<H: Host> Engine<H> {
    /// Does what a [`diagnose`](Self::diagnose) proposed, if the reason for it is still there.
    ///
    /// # Errors
    /// [`EngineError::Host`] with the host's refusal, [`EngineError::Store`], and those of [`enable`](Self::enable).
    pub async fn fix(&self, fix: &Fix) -> Result<Fixed, EngineError> {
        if let Fix::EnableFeature(name) = fix {
            return Ok(match self.enable(name).await? {
                Enabled::Now => Fixed::Now,
                Enabled::AfterReboot => Fixed::AfterReboot,
            });
        }
        if let Fix::CleanImageStore = fix {
            let store = ImageStore::open(&self.host).await?;
            store.close().await?;
            return Ok(Fixed::Now);
        }
        if let Fix::TakeBackUnfinished = fix {
            // Every list begins with it.
            self.containers().await?;
            self.networks().await?;
            return Ok(Fixed::Now);
        }
        self.fix_on_host(fix)
            .await
            .map_err(|error| EngineError::host(fix.to_string(), error))
    }

    async fn fix_on_host(&self, fix: &Fix) -> Result<Fixed, HostError> {
        let host = &self.host;
        match fix {
            Fix::StartService(name) => host.control().restart_service(name).await?,
            Fix::EndSystem(id) => self.end_system(id).await?,
            Fix::DetachScratch(path) => {
                Client::new(host).unmount(path).await?;
            }
            Fix::RemoveEndpoint(id) => return self.remove_endpoint(*id).await,
            Fix::RemoveNat(name) => host.switches().remove_nat(name).await?,
            Fix::DestroyScratch(path) => return self.destroy_scratch(path).await,
            Fix::RemoveTempFolder(path) => host.files().remove_dir_all(path).await?,
            Fix::CleanImageStore | Fix::TakeBackUnfinished | Fix::EnableFeature(_) => {}
        }
        Ok(Fixed::Now)
    }

    async fn end_system(&self, id: &SystemId) -> Result<(), HostError> {
        let client = Client::new(&self.host);
        let build = self.host.control().info().await?.build;
        let system = client.open(id).await?;
        let ended = system.terminate().await;
        let closed = system.close().await;
        if era::containers_persist(build) {
            // It may have been off already: then only the removal counts.
            return Ok(client.remove(id).await?);
        }
        Ok(ended.and(closed)?)
    }

    /// Somebody may have attached the endpoint since it was looked at.
    async fn remove_endpoint(&self, id: Guid) -> Result<Fixed, HostError> {
        let network = self.host.network();
        let systems = Client::new(&self.host).list().await?;
        let used = network.endpoints().await?.into_iter().any(|endpoint| {
            endpoint.id.parse() == Ok(id)
                && systems
                    .iter()
                    .any(|(system, _)| endpoint.shared_containers.contains(&system.id.0))
        });
        if used {
            return Ok(Fixed::NotNeeded);
        }
        network.delete_endpoint(id).await?;
        Ok(Fixed::Now)
    }

    /// A record that names the layer may have come since it was looked at.
    async fn destroy_scratch(&self, path: &HostPath) -> Result<Fixed, HostError> {
        let records = self
            .peek_records::<crate::containers::ContainerRecord>(Folder::Containers)
            .await?;
        let claimed = records
            .0
            .iter()
            .any(|record| record.created.scratch.eq_ignore_case(path));
        // Whose record cannot be read may be the one.
        if claimed || !records.1.is_empty() {
            return Ok(Fixed::NotNeeded);
        }
        self.host.layers().destroy(path).await?;
        Ok(Fixed::Now)
    }
}
