//! What can be asked of a container that runs, and told to it.

use wcow_hcs_schema::schema1::{ContainerProperties, PropertyType};
use wcow_host::codes::win32;
use wcow_host::{ComputeService, Host, HostError, Signal, SystemHandle, SystemId, SystemState};

use crate::lifecycle::is_stopped;
use crate::{ContainerState, Runtime};

impl<H: Host> Runtime<'_, H> {
    /// What the host says of a container.
    ///
    /// # Errors
    /// The service cannot be reached.
    pub async fn state(&self, id: &SystemId) -> Result<ContainerState, HostError> {
        let compute = self.host.compute();
        let system = match compute.open(id).await {
            Ok(system) => system,
            Err(error) if is_stopped(&error) => return Ok(ContainerState::Off),
            Err(error) => return Err(error),
        };
        let status = compute.status(system).await;
        compute.close(system).await?;
        match status.map(|status| status.state) {
            Ok(SystemState::Running) => Ok(ContainerState::Running),
            Ok(SystemState::Paused | SystemState::SavedAsTemplate) => Ok(ContainerState::Paused),
            Ok(SystemState::Created | SystemState::Stopped) => Ok(ContainerState::Off),
            // It ended between the two calls.
            Err(error) if is_stopped(&error) => Ok(ContainerState::Off),
            Err(error) => Err(error),
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
        let compute = self.host.compute();
        let system = compute.open(id).await?;
        let properties = compute.properties(system, wanted).await;
        let closed = compute.close(system).await;
        let properties = properties?;
        closed?;
        Ok(properties)
    }

    /// Whether a process of a running container has not ended yet, by its id.
    ///
    /// # Errors
    /// The host's answer, for example that the container does not run.
    pub async fn has_process(&self, id: &SystemId, process: u32) -> Result<bool, HostError> {
        let compute = self.host.compute();
        let system = compute.open(id).await?;
        let opened = compute.open_process(system, process).await;
        let found = match opened {
            Ok(process) => compute.close_process(process).await.map(|()| true),
            Err(error) if error.hresult() == Some(win32::NOT_FOUND) => Ok(false),
            Err(error) => Err(error),
        };
        let closed = compute.close(system).await;
        let found = found?;
        closed?;
        Ok(found)
    }

    /// Waits until a process has ended that somebody else may have started. Which code it ended with only that one is told.
    ///
    /// # Errors
    /// The service cannot be reached.
    pub async fn wait_for(&self, id: &SystemId, process: u32) -> Result<(), HostError> {
        let compute = self.host.compute();
        let system = match compute.open(id).await {
            Err(error) if is_stopped(&error) => return Ok(()),
            answer => answer?,
        };
        let waited = match compute.open_process(system, process).await {
            Ok(process) => {
                let waited = compute.wait_process(process).await.map(drop);
                let closed = compute.close_process(process).await;
                waited.and(closed)
            }
            Err(error) if error.hresult() == Some(win32::NOT_FOUND) || is_stopped(&error) => Ok(()),
            Err(error) => Err(error),
        };
        let closed = compute.close(system).await;
        waited.and(closed)
    }

    /// Freezes a running container.
    ///
    /// # Errors
    /// It does not run (0105, 010E); with process isolation hosts know no pause (0x32).
    pub async fn pause(&self, id: &SystemId) -> Result<(), HostError> {
        let compute = self.host.compute();
        let system = compute.open(id).await?;
        let paused = compute.pause(system).await;
        self.closed(system, paused).await
    }

    /// Lets a frozen container go on.
    ///
    /// # Errors
    /// It is not frozen (0105, 010E).
    pub async fn resume(&self, id: &SystemId) -> Result<(), HostError> {
        let compute = self.host.compute();
        let system = compute.open(id).await?;
        let resumed = compute.resume(system).await;
        self.closed(system, resumed).await
    }

    /// Tells a process of a running container something, by its id.
    ///
    /// # Errors
    /// It has ended (0x490); builds before 17763 cannot (0x32).
    pub async fn signal(
        &self,
        id: &SystemId,
        process: u32,
        signal: Signal,
    ) -> Result<(), HostError> {
        let compute = self.host.compute();
        let system = compute.open(id).await?;
        let signalled = match compute.open_process(system, process).await {
            Ok(process) => {
                let signalled = compute.signal_process(process, signal).await;
                let closed = compute.close_process(process).await;
                signalled.and(closed)
            }
            Err(error) => Err(error),
        };
        self.closed(system, signalled).await
    }

    async fn closed(
        &self,
        system: SystemHandle,
        answer: Result<(), HostError>,
    ) -> Result<(), HostError> {
        let closed = self.host.compute().close(system).await;
        answer.and(closed)
    }
}
