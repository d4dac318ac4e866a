//! What a running container takes: processor time, memory, processes.
//!
//! The host counts, and is asked each time. What it leaves out is absent here too: no figure is made up.

use serde::Serialize;
use wcow_hcs_schema::schema1::{ContainerProperties, ProcessDetails, PropertyType};
use wcow_host::{Clock, Host, SystemId};
use wcow_ntmeta::FileTime;

use crate::{ContainerStatus, Engine, EngineError, containers};

/// A process in a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContainerProcess {
    /// Its id in the container.
    pub process: Option<u32>,
    /// The program, without its folder.
    pub name: Option<String>,
    /// When it was started.
    pub created: Option<FileTime>,
    /// Processor time in user mode, in units of 100 ns.
    #[serde(rename = "user_100ns")]
    pub user: Option<u64>,
    /// Processor time in kernel mode, in units of 100 ns.
    #[serde(rename = "kernel_100ns")]
    pub kernel: Option<u64>,
    /// Memory that it alone has, in bytes.
    pub private_bytes: Option<u64>,
    /// Memory that it shares with others, in bytes.
    pub shared_bytes: Option<u64>,
    /// Memory that is kept for it, in bytes.
    pub commit_bytes: Option<u64>,
}

impl ContainerProcess {
    /// Its processor time in both modes, in units of 100 ns.
    #[must_use]
    pub fn processor(&self) -> Option<u64> {
        match (self.user, self.kernel) {
            (None, None) => None,
            (user, kernel) => Some(user.unwrap_or(0).saturating_add(kernel.unwrap_or(0))),
        }
    }
}

impl From<ProcessDetails> for ContainerProcess {
    fn from(told: ProcessDetails) -> Self {
        Self {
            process: told.process_id,
            name: told.image_name,
            created: told.create_timestamp.as_deref().and_then(time),
            user: told.user_time_100ns,
            kernel: told.kernel_time_100ns,
            private_bytes: told.memory_working_set_private_bytes,
            shared_bytes: told.memory_working_set_shared_bytes,
            commit_bytes: told.memory_commit_bytes,
        }
    }
}

/// What a container takes, at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContainerStats {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: SystemId,
    /// When this was so: by the host's counters, or by its clock if they do not say.
    pub at: FileTime,
    /// How long it has been running, in units of 100 ns.
    #[serde(rename = "uptime_100ns")]
    pub uptime: Option<u64>,
    /// Processor time since it was started, also of processes that have ended, in units of 100 ns.
    #[serde(rename = "processor_100ns")]
    pub processor: Option<u64>,
    /// Memory that its processes alone have, in bytes.
    pub private_bytes: Option<u64>,
    /// Memory that is kept for it, in bytes.
    pub commit_bytes: Option<u64>,
    /// The most memory that was ever kept for it, in bytes.
    pub commit_peak_bytes: Option<u64>,
    /// How many processes live in it.
    pub processes: usize,
}

impl ContainerStats {
    /// The processor time that it took since an earlier measurement, in hundredths of a percent of one processor: 10,000 is one that
    /// does nothing else, and several may make more. Without an earlier measurement, or if it was started anew since, over its whole
    /// life. `None` if the host does not tell enough, or no time has passed.
    #[must_use]
    pub fn share(&self, since: Option<&Self>) -> Option<u64> {
        let (used, passed) = since
            .and_then(|earlier| self.difference(earlier))
            .or_else(|| Some((self.processor?, self.uptime?)))?;
        let share = u128::from(used)
            .saturating_mul(10_000)
            .checked_div(u128::from(passed))?;
        u64::try_from(share).ok()
    }

    /// Processor time and time since an earlier measurement of the same run.
    fn difference(&self, earlier: &Self) -> Option<(u64, u64)> {
        if self.id != earlier.id || self.uptime? < earlier.uptime? {
            return None;
        }
        let used = self.processor?.checked_sub(earlier.processor?)?;
        let passed = self.uptime?.checked_sub(earlier.uptime?)?;
        Some((used, passed))
    }
}

impl<H: Host> Engine<H> {
    /// The processes of a container, by id. A host may tell none of a container with Hyper-V isolation.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::State`] if it neither runs nor is frozen, [`EngineError::Host`].
    pub async fn top(&self, name: &str) -> Result<Vec<ContainerProcess>, EngineError> {
        let asked = self.ask(name, &[PropertyType::ProcessList]).await?;
        let told = asked.properties.process_list;
        let mut processes: Vec<_> = told.into_iter().map(ContainerProcess::from).collect();
        processes.sort_by_key(|process| process.process);
        Ok(processes)
    }

    /// What a container takes now.
    ///
    /// # Errors
    /// As for [`top`](Self::top).
    pub async fn stats(&self, name: &str) -> Result<ContainerStats, EngineError> {
        let wanted = [PropertyType::Statistics, PropertyType::ProcessList];
        let asked = self.ask(name, &wanted).await?;
        let told = asked.properties.statistics.unwrap_or_default();
        let memory = told.memory.unwrap_or_default();
        Ok(ContainerStats {
            name: asked.name,
            id: asked.id,
            at: told
                .timestamp
                .as_deref()
                .and_then(time)
                .unwrap_or_else(|| self.host.clock().now()),
            uptime: told.uptime_100ns,
            processor: told.processor.and_then(|told| told.total_runtime_100ns),
            private_bytes: memory.memory_usage_private_working_set_bytes,
            commit_bytes: memory.memory_usage_commit_bytes,
            commit_peak_bytes: memory.memory_usage_commit_peak_bytes,
            processes: asked.properties.process_list.len(),
        })
    }

    async fn ask(&self, name: &str, wanted: &[PropertyType]) -> Result<Asked, EngineError> {
        let record = self.container_record(name).await?;
        let runtime = self.runtime();
        let status = self.status(&runtime, &record).await?;
        if !matches!(status, ContainerStatus::Running | ContainerStatus::Paused) {
            return Err(containers::state(&record, status, "Running"));
        }
        let id = record.created.spec.id.clone();
        let properties = runtime.properties(&id, wanted).await.map_err(|error| {
            EngineError::host(
                format!("read the properties of container {:?}", record.name),
                error,
            )
        })?;
        Ok(Asked {
            name: record.name.clone(),
            id,
            properties,
        })
    }
}

/// A container, and what it tells of itself.
struct Asked {
    name: String,
    id: SystemId,
    properties: ContainerProperties,
}

fn time(text: &str) -> Option<FileTime> {
    FileTime::parse_rfc3339(text).ok()
}
