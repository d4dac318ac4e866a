//! Layers of containers, as a careful client handles them.

use std::future::Future;

use wcow_ntmeta::{HostPath, Hresult};

use super::{Again, Client, ClientError, MILLISECOND};
use crate::codes::win32;
use crate::{Host, HostError, LayerDescriptor, LayerStorage, Operation};

/// The build that mounts one layer at a time (`ActivateLayer` and `PrepareLayer` of Windows Server 2019).
const ONE_AT_A_TIME: u32 = 17763;
/// What that build answers meanwhile.
const NOT_YET: [Hresult; 2] = [win32::NOT_READY, win32::DEVICE_NOT_CONNECTED];
/// How often it is asked again.
const AGAIN: u32 = 5;
/// After which pause, in ticks of 100 ns.
const PAUSE: u64 = 100 * MILLISECOND;
/// How often a layer may be attached when it is to be destroyed.
const MOST_ATTACHED: u32 = 8;

impl<H: Host> Client<'_, H> {
    /// Creates a scratch layer.
    ///
    /// # Errors
    /// The host's answer, or none in time.
    pub async fn create_scratch(
        &self,
        scratch: &HostPath,
        parents: &[LayerDescriptor],
    ) -> Result<(), ClientError> {
        let call = self.host().layers().create_scratch(scratch, parents);
        self.about(Operation::CreateScratch, scratch, call).await
    }

    /// Attaches a scratch layer.
    ///
    /// Build 17763 answers that a device is not ready (0x15, 0x48F) while another layer is being mounted: it is asked again, five times
    /// 100 ms.
    ///
    /// # Errors
    /// The host's answer, the last one if there were several; or none in time.
    pub async fn activate(&self, scratch: &HostPath) -> Result<(), ClientError> {
        let mut again = one_at_a_time();
        loop {
            let call = self.host().layers().activate(scratch);
            match self.about(Operation::ActivateLayer, scratch, call).await {
                Err(error) => again.or_fail(self, error).await?,
                answer => return answer,
            }
        }
    }

    /// Mounts the parents of a scratch layer that is attached; build 17763 is asked again as by [`activate`](Self::activate).
    ///
    /// # Errors
    /// The host's answer, the last one if there were several; or none in time.
    pub async fn prepare(
        &self,
        scratch: &HostPath,
        parents: &[LayerDescriptor],
    ) -> Result<(), ClientError> {
        let mut again = one_at_a_time();
        loop {
            let call = self.host().layers().prepare(scratch, parents);
            match self.about(Operation::PrepareLayer, scratch, call).await {
                Err(error) => again.or_fail(self, error).await?,
                answer => return answer,
            }
        }
    }

    /// The volume of a scratch layer that is mounted.
    ///
    /// # Errors
    /// The host's answer, or none in time.
    pub async fn mount_path(&self, scratch: &HostPath) -> Result<String, ClientError> {
        let call = self.host().layers().mount_path(scratch);
        self.about(Operation::LayerMountPath, scratch, call).await
    }

    /// Attaches a scratch layer and mounts its parents; gives the volume. A layer that cannot be mounted is detached again.
    ///
    /// # Errors
    /// The host's answer to the step that failed, or none in time.
    pub async fn mount(
        &self,
        scratch: &HostPath,
        parents: &[LayerDescriptor],
    ) -> Result<String, ClientError> {
        self.activate(scratch).await?;
        let volume = match self.prepare(scratch, parents).await {
            Ok(()) => self.mount_path(scratch).await,
            Err(error) => Err(error),
        };
        if volume.is_err() {
            // The first error is the one to tell.
            let _ = self.unmount(scratch).await;
        }
        volume
    }

    /// Undoes [`prepare`](Self::prepare). What is not mounted (0x37), or gone (0x2, 0x3), counts as done, as after a restart.
    ///
    /// # Errors
    /// Another answer of the host's, or none in time.
    pub async fn unprepare(&self, scratch: &HostPath) -> Result<(), ClientError> {
        let call = self.host().layers().unprepare(scratch);
        unless_gone(self.about(Operation::UnprepareLayer, scratch, call).await)
    }

    /// Undoes [`activate`](Self::activate). What is not attached (0x37), or gone (0x2, 0x3), counts as done, as after a restart.
    ///
    /// # Errors
    /// It is in use (0x20), another answer of the host's, or none in time.
    pub async fn deactivate(&self, scratch: &HostPath) -> Result<(), ClientError> {
        let call = self.host().layers().deactivate(scratch);
        unless_gone(self.about(Operation::DeactivateLayer, scratch, call).await)
    }

    /// Undoes [`mount`](Self::mount), as [`unprepare`](Self::unprepare) and [`deactivate`](Self::deactivate) do.
    ///
    /// # Errors
    /// As for those; both steps are tried.
    pub async fn unmount(&self, scratch: &HostPath) -> Result<(), ClientError> {
        let unprepared = self.unprepare(scratch).await;
        let deactivated = self.deactivate(scratch).await;
        unprepared.and(deactivated)
    }

    /// Destroys a layer; one that is gone (0x2, 0x3) counts as done. It may be attached although nothing is known of it, because a call
    /// that was cut off can come late: then (0x20) it is detached first, as often as it may have been attached.
    ///
    /// # Errors
    /// It is in use (0x20), another answer of the host's, or none in time.
    pub async fn destroy(&self, layer: &HostPath) -> Result<(), ClientError> {
        let layers = self.host().layers();
        for _ in 0..MOST_ATTACHED {
            let call = layers.destroy(layer);
            match self.about(Operation::DestroyLayer, layer, call).await {
                Err(error) if error.is_one_of(&[win32::SHARING_VIOLATION]) => {
                    // That one says why it cannot be destroyed; these may say that it is not attached.
                    let call = layers.unprepare(layer);
                    let _ = self.about(Operation::UnprepareLayer, layer, call).await;
                    let call = layers.deactivate(layer);
                    let detached = self.about(Operation::DeactivateLayer, layer, call).await;
                    if detached.is_err() {
                        return Err(error);
                    }
                }
                answer => return unless_gone(answer),
            }
        }
        let call = layers.destroy(layer);
        unless_gone(self.about(Operation::DestroyLayer, layer, call).await)
    }

    async fn about<T>(
        &self,
        operation: Operation,
        layer: &HostPath,
        call: impl Future<Output = Result<T, HostError>>,
    ) -> Result<T, ClientError> {
        self.answered(operation, layer, call).await
    }
}

/// Asks a build again that mounts one layer at a time.
fn one_at_a_time() -> Again {
    Again {
        codes: &NOT_YET,
        on: |build| build == ONE_AT_A_TIME,
        times: AGAIN,
        pause: PAUSE,
    }
}

fn unless_gone(answer: Result<(), ClientError>) -> Result<(), ClientError> {
    const GONE: [Hresult; 3] = [
        win32::DEV_NOT_EXIST,
        win32::FILE_NOT_FOUND,
        win32::PATH_NOT_FOUND,
    ];
    match answer {
        Err(error) if error.is_one_of(&GONE) => Ok(()),
        answer => answer,
    }
}
