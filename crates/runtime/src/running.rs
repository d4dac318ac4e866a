//! What can be asked of a container that runs, and told to it.

use wcow_hcs_schema::schema1::{ContainerProperties, PropertyType};
use wcow_host::client::{ClientError, System};
use wcow_host::{Host, HostError, Signal, SystemId, SystemState};

use crate::{ContainerState, Runtime};

impl<H: Host> Runtime<'_, H> {
    /// What the host says of a container.
    ///
    /// # Errors
    /// The service cannot be reached.
    pub async fn state(&self, id: &SystemId) -> Result<ContainerState, HostError> {
        let system = match self.client.open(id).await {
            Ok(system) => system,
            Err(error) if is_off(&error) => return Ok(ContainerState::Off),
            Err(error) => return Err(error.into()),
        };
        let status = system.status().await;
        system.close().await?;
        match status.map(|status| status.state) {
            Ok(SystemState::Running) if self.is_machine_frozen(id).await? => {
                Ok(ContainerState::Paused)
            }
            Ok(SystemState::Running) => Ok(ContainerState::Running),
            Ok(SystemState::Paused | SystemState::SavedAsTemplate) => Ok(ContainerState::Paused),
            Ok(SystemState::Created | SystemState::Stopped) => Ok(ContainerState::Off),
            // It ended between the two calls.
            Err(error) if is_off(&error) => Ok(ContainerState::Off),
            Err(error) => Err(error.into()),
        }
    }

    /// What a container tells of itself: the basic properties, and those that are asked for, as they are now. The host leaves out what
    /// it does not know.
    ///
    /// # Errors
    /// It does not run (010E), it has just ended (0110 on older builds), the service cannot be reached: the host's answer.
    pub async fn properties(
        &self,
        id: &SystemId,
        wanted: &[PropertyType],
    ) -> Result<ContainerProperties, HostError> {
        let system = self.client.open(id).await?;
        let properties = system.properties(wanted).await;
        closed(system, properties).await
    }

    /// Whether a process of a running container has not ended yet, by its id.
    ///
    /// # Errors
    /// The host's answer, for example that the container does not run.
    pub async fn has_process(&self, id: &SystemId, process: u32) -> Result<bool, HostError> {
        let system = self.client.open(id).await?;
        let found = match system.open_process(process).await {
            Ok(process) => process.close().await.map(|()| true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        };
        closed(system, found).await
    }

    /// Waits until a process has ended that somebody else may have started. Which code it ended with only that one is told.
    ///
    /// # Errors
    /// The service cannot be reached.
    pub async fn wait_for(&self, id: &SystemId, process: u32) -> Result<(), HostError> {
        let system = match self.client.open(id).await {
            Err(error) if is_off(&error) => return Ok(()),
            answer => answer?,
        };
        let waited = match system.open_process(process).await {
            Ok(process) => {
                let waited = process.wait().await.map(drop);
                let closed = process.close().await;
                waited.and(closed)
            }
            Err(error) if is_off(&error) => Ok(()),
            Err(error) => Err(error),
        };
        closed(system, waited).await
    }

    /// Freezes a running container.
    ///
    /// # Errors
    /// It does not run (0105, 010E); with process isolation hosts know no pause (0x32).
    pub async fn pause(&self, id: &SystemId) -> Result<(), HostError> {
        let system = self.open_frozen(id).await?;
        let paused = system.pause().await;
        closed(system, paused).await
    }

    /// Lets a frozen container go on.
    ///
    /// # Errors
    /// It is not frozen (0105, 010E).
    pub async fn resume(&self, id: &SystemId) -> Result<(), HostError> {
        let system = self.open_frozen(id).await?;
        let resumed = system.resume().await;
        closed(system, resumed).await
    }

    /// Tells a process of a running container something, by its id. One that ends meanwhile need not be told any more.
    ///
    /// # Errors
    /// It has ended (0x490); builds before 17763 cannot (0x32).
    pub async fn signal(
        &self,
        id: &SystemId,
        process: u32,
        signal: Signal,
    ) -> Result<(), HostError> {
        let system = self.client.open(id).await?;
        let told = match system.open_process(process).await {
            Ok(mut process) => {
                let told = process.signal(signal).await.map(drop);
                let closed = process.close().await;
                told.and(closed)
            }
            Err(error) => Err(error),
        };
        closed(system, told).await
    }
}

/// Closes a container again that was asked or told something.
async fn closed<H: Host, T>(
    system: System<'_, H>,
    answer: Result<T, ClientError>,
) -> Result<T, HostError> {
    let closed = system.close().await;
    let answer = answer?;
    closed?;
    Ok(answer)
}

/// Whether an answer says that a container, or its process, does not run: it is not there, has ended, or is about to.
fn is_off(error: &ClientError) -> bool {
    error.is_exited()
}
