//! All that is known of a container.

use std::collections::BTreeMap;

use serde::Serialize;
use wcow_host::Host;
use wcow_ntmeta::FileTime;
use wcow_runtime::{Isolation, Mount, Processors};

use crate::containers::summary;
use crate::{ContainerSummary, Engine, EngineError};

/// A container with everything that it was asked to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContainerDetails {
    /// What a list shows of it.
    #[serde(flatten)]
    pub summary: ContainerSummary,
    /// Its name as it sees it itself.
    pub host_name: String,
    /// Environment variables of every program run in it.
    pub environment: BTreeMap<String, String>,
    /// Working directory of every program run in it; empty for the image's own.
    pub working_directory: String,
    /// The user of every program run in it; empty for the image's own.
    pub user: String,
    /// How it is kept apart from the host.
    pub isolation: Isolation,
    /// The most memory it gets, in MiB.
    pub memory_mib: Option<u64>,
    /// Which share of the processors it gets.
    pub processors: Option<Processors>,
    /// Folders of the host that it sees.
    pub mounts: Vec<Mount>,
    /// How long it gets to stop, in seconds, if that was said.
    pub stop_seconds: Option<u32>,
    /// The id of its main process in the container, while that runs.
    pub process: Option<u32>,
    /// When its main process was started, while that runs.
    pub started: Option<FileTime>,
    /// Whether somebody stopped it, and nobody has started it since.
    pub stopped: bool,
}

impl<H: Host> Engine<H> {
    /// All that is known of a container.
    ///
    /// # Errors
    /// As for [`container`](Self::container).
    pub async fn inspect(&self, name: &str) -> Result<ContainerDetails, EngineError> {
        let record = self.container_record(name).await?;
        let runtime = self.runtime();
        let status = self.status(&runtime, &record).await?;
        let main = record.main.filter(|_| record.running.is_some());
        let spec = &record.created.spec;
        Ok(ContainerDetails {
            host_name: spec.host_name.clone(),
            isolation: spec.isolation,
            memory_mib: spec.memory_mib,
            processors: spec.processors,
            mounts: spec.mounts.clone(),
            process: main.map(|main| main.handles.id),
            started: main.map(|main| main.started_at),
            stopped: record.stopped,
            stop_seconds: record.settings.stop_seconds,
            user: record.settings.user.clone(),
            environment: record.environment.clone(),
            working_directory: record.working_directory.clone(),
            summary: summary(&record, status),
        })
    }
}
