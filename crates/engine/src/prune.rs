//! What nobody needs any more: containers that are off, and what is on the host of containers that nobody knows.
//!
//! A record comes before everything that it is about, so nothing of ours can be on the host without one, unless records were lost or
//! another program made it in our name. The host is looked at before the records are: whatever was made meanwhile has its record.

use std::collections::BTreeSet;

use serde::Serialize;
use wcow_host::client::Client;
use wcow_host::utility_vm::UtilityVm;
use wcow_host::{FileKind, FileSystem, Host, HostError, NetworkService, SystemId, era};
use wcow_ntmeta::HostPath;
use wcow_runtime::{Undo, undo_all};

use crate::creation::OWNER;
use crate::{ContainerStatus, Engine, EngineError, Force, NetworkBacking};

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// Containers that were off, by name.
    pub containers: Vec<String>,
    /// Compute systems that belong to no container.
    pub systems: Vec<SystemId>,
    /// Scratch layers that belong to none, by folder.
    pub layers: Vec<String>,
    /// Endpoints on networks of ours that belong to none, by id.
    pub endpoints: Vec<String>,
    /// Logs of containers that are gone, by id.
    pub logs: Vec<String>,
    /// What could not be removed, and why.
    pub failed: Vec<String>,
}

impl<H: Host> Engine<H> {
    /// Removes all containers that are off, and what is left on the host of containers that nobody knows: compute systems, scratch
    /// layers, endpoints, logs. What cannot be removed stands in the answer; the rest is removed all the same.
    ///
    /// # Errors
    /// The host or the records cannot be read.
    pub async fn prune(&self) -> Result<Pruned, EngineError> {
        let mut pruned = Pruned::default();
        self.prune_strays(&mut pruned).await?;
        for container in self.containers().await? {
            if !matches!(
                container.status,
                ContainerStatus::Off | ContainerStatus::Exited
            ) {
                continue;
            }
            match self.remove_container(&container.name, Force::No).await {
                Ok(()) => pruned.containers.push(container.name),
                // Somebody else was faster: removed it, or started it.
                Err(EngineError::NotFound { .. } | EngineError::State { .. }) => {}
                Err(error) => pruned
                    .failed
                    .push(format!("container {}: {error}", container.name)),
            }
        }
        Ok(pruned)
    }

    async fn prune_strays(&self, pruned: &mut Pruned) -> Result<(), EngineError> {
        let look = |error: HostError| EngineError::host("look for what nobody needs", error);
        let info = self.info().await?;
        // Where the host keeps containers, it knows no owner, and their folder is not ours.
        let ours_alone = !era::containers_persist(info.build);
        let (mut systems, mut endpoints, mut layers) = (Vec::new(), Vec::new(), Vec::new());
        let folder = era::scratch_folder(info.build, "x").parent();
        if ours_alone {
            let listed = Client::new(&self.host).list().await;
            systems = listed.map_err(|error| look(error.into()))?;
            systems.retain(|(system, _)| system.owner == OWNER);
            // A host without the service has none.
            endpoints = self.host.network().endpoints().await.unwrap_or_default();
            if let Some(folder) = &folder {
                layers = self.folders(folder).await.map_err(look)?;
            }
        }
        let logs_folder = crate::logs::folder("x").parent();
        let mut logs = Vec::new();
        if let Some(folder) = &logs_folder {
            logs = self.folders(folder).await.map_err(look)?;
        }
        let mut networks = BTreeSet::new();
        for network in self.networks().await? {
            if let NetworkBacking::Hns { id } = network.backing
                && network.ours
            {
                networks.insert(id.to_string().to_lowercase());
            }
        }
        let records = self.container_records().await?;
        let known: BTreeSet<String> = records
            .iter()
            .map(|record| record.id().to_lowercase())
            .collect();
        let connected: BTreeSet<String> = records
            .iter()
            .filter_map(|record| record.running.as_ref()?.endpoint.as_ref())
            .map(|endpoint| endpoint.id.to_string().to_lowercase())
            .collect();

        let running: BTreeSet<String> = records
            .iter()
            .filter(|record| record.running.is_some())
            .map(|record| record.id().to_lowercase())
            .collect();
        systems.retain(|(system, _)| match UtilityVm::container_of(&system.id) {
            // A utility VM belongs to a container that runs, and to nothing else.
            Some(container) => !running.contains(&container.0.to_lowercase()),
            None => !known.contains(&system.id.0.to_lowercase()),
        });
        for (system, _) in systems {
            let step = Undo::Terminate(system.id.clone());
            if self.undone(step, pruned).await {
                pruned.systems.push(system.id);
            }
        }
        for endpoint in endpoints {
            if let Ok(id) = endpoint.id.parse()
                && networks.contains(&endpoint.virtual_network.to_lowercase())
                && !connected.contains(&endpoint.id.to_lowercase())
                && self.undone(Undo::DeleteEndpoint(id), pruned).await
            {
                pruned.endpoints.push(endpoint.id);
            }
        }
        layers.retain(|layer| !known.contains(&layer.to_lowercase()));
        for layer in layers {
            let Some(path) = folder.as_ref().map(|folder| folder.join(&layer)) else {
                continue;
            };
            let shown = path.to_string();
            if self.undone(Undo::DestroyLayer(path), pruned).await {
                pruned.layers.push(shown);
            }
        }
        logs.retain(|log| !known.contains(&log.to_lowercase()));
        for log in logs {
            let removed = self
                .host
                .files()
                .remove_dir_all(&crate::logs::folder(&log))
                .await;
            match removed {
                Ok(()) => pruned.logs.push(log),
                Err(error) => pruned.failed.push(format!("log of {log}: {error}")),
            }
        }
        Ok(())
    }

    /// Takes something back; false if it is still there.
    async fn undone(&self, step: Undo, pruned: &mut Pruned) -> bool {
        let failures = undo_all(&self.host, &[step]).await;
        let told = failures
            .iter()
            .map(|failure| format!("{}: {}", failure.step, failure.error));
        pruned.failed.extend(told);
        failures.is_empty()
    }

    /// The names of the folders in a folder that may not be there.
    async fn folders(&self, folder: &HostPath) -> Result<Vec<String>, HostError> {
        let entries = match self.host.files().list(folder).await {
            Err(error) if error.is_win32(0x2) || error.is_win32(0x3) => return Ok(Vec::new()),
            answer => answer?,
        };
        let folders = entries
            .into_iter()
            .filter(|entry| entry.metadata.kind == FileKind::Directory);
        Ok(folders.map(|entry| entry.name.to_string()).collect())
    }
}
