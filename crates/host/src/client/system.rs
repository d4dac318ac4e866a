//! A compute system, opened.

use std::pin::pin;

use wcow_hcs_schema::schema1::{ContainerProperties, ProcessParameters, PropertyType};
use wcow_ntmeta::Hresult;

use super::{Client, ClientError, Process, Winner, race};
use crate::{
    Clock, ComputeService, ExitType, Host, HostError, Modification, Operation, ProcessHandle,
    SystemEvent, SystemHandle, SystemId, SystemStatus,
};

/// How a compute system ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemExit {
    /// HRESULT of the notification: 0, or 0106 after an unexpected end. `None` if the notification never came.
    pub status: Option<Hresult>,
    /// How it ended; `None` if nobody told.
    pub exit: Option<ExitType>,
}

/// A compute system, opened by a [`Client`].
#[derive(Debug)]
pub struct System<'h, H: Host> {
    client: Client<'h, H>,
    id: SystemId,
    handle: SystemHandle,
}

impl<'h, H: Host> System<'h, H> {
    pub(super) fn new(client: Client<'h, H>, id: SystemId, handle: SystemHandle) -> Self {
        Self { client, id, handle }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &SystemId {
        &self.id
    }

    /// Its handle, which is open until [`close`](Self::close).
    #[must_use]
    pub fn handle(&self) -> SystemHandle {
        self.handle
    }

    /// Its state.
    ///
    /// # Errors
    /// The host's answer, or none in time.
    pub async fn status(&self) -> Result<SystemStatus, ClientError> {
        let call = self.compute().status(self.handle);
        self.answered(Operation::QuerySystem, call).await
    }

    /// What it tells of itself: the basic properties, and those that are asked for.
    ///
    /// # Errors
    /// It has ended (0110, on older builds); another answer of the host's, or none in time.
    pub async fn properties(
        &self,
        wanted: &[PropertyType],
    ) -> Result<ContainerProperties, ClientError> {
        let call = self.compute().properties(self.handle, wanted);
        self.answered(Operation::QuerySystem, call).await
    }

    /// Changes it.
    ///
    /// # Errors
    /// The host's answer, or none in time.
    pub async fn modify(&self, change: &Modification) -> Result<(), ClientError> {
        let call = self.compute().modify(self.handle, change);
        self.answered(Operation::ModifySystem, call).await
    }

    /// Starts it; returns when it runs.
    ///
    /// # Errors
    /// The host's answer, or none in time.
    pub async fn start(&self) -> Result<(), ClientError> {
        let call = self.compute().start(self.handle);
        self.answered(Operation::StartSystem, call).await
    }

    /// Freezes it; returns when it stands still.
    ///
    /// # Errors
    /// The host's answer, or none in time.
    pub async fn pause(&self) -> Result<(), ClientError> {
        let call = self.compute().pause(self.handle);
        self.answered(Operation::PauseSystem, call).await
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// The host's answer, or none in time.
    pub async fn resume(&self) -> Result<(), ClientError> {
        let call = self.compute().resume(self.handle);
        self.answered(Operation::ResumeSystem, call).await
    }

    /// Asks it to shut down and waits for at most `grace` ticks of 100 ns. False if it has not ended by then.
    ///
    /// # Errors
    /// The host's answer, also that it has ended already.
    pub async fn shut_down(&self, grace: u64) -> Result<bool, ClientError> {
        let clock = self.client.host.clock();
        let asked = race(
            self.compute().shutdown(self.handle),
            clock.sleep_until(self.client.later(grace)),
        );
        match asked.await {
            Winner::First(answer) => Ok(answer.map(|()| true)?),
            Winner::Second(()) => Ok(false),
        }
    }

    /// Asks it to shut down and waits for at most `grace` ticks of 100 ns; then ends it. One that has ended already is no error.
    ///
    /// # Errors
    /// The host's answer to the forced end, or none in time.
    pub async fn stop(&self, grace: u64) -> Result<(), ClientError> {
        match self.shut_down(grace).await {
            Ok(true) => Ok(()),
            Err(error) if error.is_stopped() => Ok(()),
            Ok(false) | Err(_) => self.terminate().await,
        }
    }

    /// Ends it at once; returns when it has ended. One that has ended already is no error.
    ///
    /// # Errors
    /// The host's answer, or none in time.
    pub async fn terminate(&self) -> Result<(), ClientError> {
        let call = self.compute().terminate(self.handle);
        match self.answered(Operation::TerminateSystem, call).await {
            Err(error) if error.is_stopped() => Ok(()),
            answer => answer,
        }
    }

    /// Waits until it has ended, for ever if need be. A restarted service is asked again, and a notification that never comes is
    /// noticed by looking.
    ///
    /// # Errors
    /// The host's answer, where that does not say that the system has ended.
    pub async fn wait(&mut self) -> Result<SystemExit, ClientError> {
        let clock = self.client.host.clock();
        loop {
            let handle = self.handle;
            let mut event = pin!(self.client.host.compute().next_event(handle));
            let told = loop {
                let look = clock.deadline(self.client.later(self.client.times.look));
                match race(event.as_mut(), look).await {
                    Winner::First(told) => break told,
                    Winner::Second(()) => {
                        if self.has_ended().await? {
                            return Ok(SystemExit {
                                status: None,
                                exit: None,
                            });
                        }
                    }
                }
            };
            match told.map_err(ClientError::from) {
                Ok(SystemEvent::Exited { status, exit }) => {
                    return Ok(SystemExit {
                        status: Some(status),
                        exit: Some(exit),
                    });
                }
                Err(error) if error.is_stopped() => {
                    return Ok(SystemExit {
                        status: None,
                        exit: None,
                    });
                }
                Ok(SystemEvent::ServiceDisconnected) => {}
                Err(error) if error.is_disconnected() => {}
                Err(error) => return Err(error),
            }
            match self.client.find(&self.id).await? {
                Some(again) => self.handle = again.handle,
                None => {
                    return Ok(SystemExit {
                        status: None,
                        exit: None,
                    });
                }
            }
        }
    }

    /// Starts a program in it.
    ///
    /// # Errors
    /// The host's answer, or none in time.
    pub async fn exec(
        &self,
        parameters: &ProcessParameters,
    ) -> Result<Process<'h, H>, ClientError> {
        let compute = self.compute();
        let call = compute.create_process(self.handle, parameters);
        let handle = self.answered(Operation::CreateProcess, call).await?;
        match self
            .answered(Operation::QueryProcess, compute.process_status(handle))
            .await
        {
            Ok(status) => Ok(Process::new(
                self.client,
                self.id.clone(),
                handle,
                status.process_id,
            )),
            Err(error) => {
                // A handle that cannot be closed is one that has gone.
                let _ = compute.close_process(handle).await;
                Err(error)
            }
        }
    }

    /// Opens a process of it. Its pipes stay with whoever started it.
    ///
    /// # Errors
    /// There is none of this id (0x490), or no answer in time.
    pub async fn open_process(&self, process_id: u32) -> Result<Process<'h, H>, ClientError> {
        let call = self.compute().open_process(self.handle, process_id);
        let handle = self.answered(Operation::OpenProcess, call).await?;
        Ok(Process::new(
            self.client,
            self.id.clone(),
            handle,
            process_id,
        ))
    }

    /// A process of it behind a handle that is open already, and stays so until the answer is closed.
    #[must_use]
    pub fn process(&self, process_id: u32, handle: ProcessHandle) -> Process<'h, H> {
        Process::new(self.client, self.id.clone(), handle, process_id)
    }

    /// Closes the handle. The system goes on, unless its document says that it ends with its last handle.
    ///
    /// # Errors
    /// The host's answer, where that does not say that the handle has gone; or none in time.
    pub async fn close(self) -> Result<(), ClientError> {
        let call = self.compute().close(self.handle);
        match self.answered(Operation::CloseSystem, call).await {
            Err(error) if error.is_disconnected() => Ok(()),
            answer => answer,
        }
    }

    async fn has_ended(&self) -> Result<bool, ClientError> {
        match self.client.find(&self.id).await {
            Ok(Some(found)) => {
                found.close().await?;
                Ok(false)
            }
            Ok(None) => Ok(true),
            // Whoever waits goes on waiting.
            Err(error) if error.is_disconnected() => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn compute(&self) -> &'h H::Compute {
        self.client.host.compute()
    }

    async fn answered<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, HostError>>,
    ) -> Result<T, ClientError> {
        self.client.answered(operation, &self.id, call).await
    }
}
