//! A process in a compute system.

use std::fmt;
use std::pin::pin;

use wcow_hcs_schema::schema1::ProcessStatus;

use super::{Client, ClientError, Winner, race};
use crate::{
    Clock, ComputeService, Host, HostError, Operation, Output, ProcessHandle, Signal, SystemId,
};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessExit {
    /// Its exit code; `None` if the host said that it has exited, and never with which code.
    pub code: Option<u32>,
    /// False if the host's own wait failed, so that the code may be another's.
    pub reliable: bool,
}

/// A process, started or opened by a [`Client`]. Dropping it leaves the process running.
#[derive(Debug)]
pub struct Process<'h, H: Host> {
    client: Client<'h, H>,
    system: SystemId,
    handle: ProcessHandle,
    id: u32,
    /// A call has told that it has exited.
    exited: bool,
}

impl<'h, H: Host> Process<'h, H> {
    pub(super) fn new(
        client: Client<'h, H>,
        system: SystemId,
        handle: ProcessHandle,
        id: u32,
    ) -> Self {
        Self {
            client,
            system,
            handle,
            id,
            exited: false,
        }
    }

    /// Its id in the system.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Its handle, which is open until [`close`](Self::close). The pipes belong to it.
    #[must_use]
    pub fn handle(&self) -> ProcessHandle {
        self.handle
    }

    /// What is known of it, at once.
    ///
    /// # Errors
    /// The handle is not open, or another client's (0x6); another answer of the host's, or none in time.
    pub async fn status(&self) -> Result<ProcessStatus, ClientError> {
        let call = self.compute().process_status(self.handle);
        self.answered(Operation::QueryProcess, call).await
    }

    /// Whether [`read`](Self::read) would give an answer at once.
    ///
    /// # Errors
    /// As for [`read`](Self::read), or no answer in time.
    pub async fn is_ready(&self, output: Output) -> Result<bool, ClientError> {
        let call = self.compute().output_ready(self.handle, output);
        self.answered(Operation::ProcessPipe, call).await
    }

    /// Reads what it wrote, at most `max` bytes; waits for output, for ever if need be; empty at the end.
    ///
    /// # Errors
    /// The pipe was not asked for (0x6), or the service went away.
    pub async fn read(&self, output: Output, max: usize) -> Result<Vec<u8>, ClientError> {
        let call = self.compute().read_output(self.handle, output, max);
        Ok(call.await?)
    }

    /// Writes to its standard input.
    ///
    /// # Errors
    /// There is no pipe (0x6), it is closed (0xE8), or nobody answers in time.
    pub async fn write(&self, bytes: &[u8]) -> Result<(), ClientError> {
        let call = self.compute().write_input(self.handle, bytes);
        self.answered(Operation::ProcessPipe, call).await
    }

    /// Ends its standard input.
    ///
    /// # Errors
    /// There is no pipe (0x6), or no answer in time.
    pub async fn close_input(&self) -> Result<(), ClientError> {
        let call = self.compute().close_input(self.handle);
        self.answered(Operation::ProcessPipe, call).await
    }

    /// Tells it something. False if it has exited already.
    ///
    /// # Errors
    /// The build cannot (0x32), another answer of the host's, or none in time.
    pub async fn signal(&mut self, signal: Signal) -> Result<bool, ClientError> {
        let call = self.compute().signal_process(self.handle, signal);
        let told = self.answered(Operation::SignalProcess, call).await;
        self.unless_exited(told)
    }

    /// Tells it how large its console is: rows, columns. False if it has exited already.
    ///
    /// # Errors
    /// It has no console (0x57), another answer of the host's, or none in time.
    pub async fn resize(&mut self, size: [u16; 2]) -> Result<bool, ClientError> {
        let call = self.compute().resize_console(self.handle, size);
        let told = self.answered(Operation::ModifyProcess, call).await;
        self.unless_exited(told)
    }

    /// Ends it, through a second handle: one on which another call is being served would have to wait for that. False if it has
    /// exited already.
    ///
    /// # Errors
    /// The host's answer, or none in time.
    pub async fn kill(&mut self) -> Result<bool, ClientError> {
        let killed = self.kill_elsewhere().await;
        self.unless_exited(killed)
    }

    async fn kill_elsewhere(&self) -> Result<(), ClientError> {
        let compute = self.compute();
        let system = self.client.open(&self.system).await?;
        let killed = match system.open_process(self.id).await {
            Err(error) => Err(error),
            Ok(process) => {
                let call = compute.terminate_process(process.handle);
                let killed = self.answered(Operation::TerminateProcess, call).await;
                killed.and(process.close().await)
            }
        };
        killed.and(system.close().await)
    }

    /// Waits until it has exited, for ever if need be. A notification that never comes is noticed by looking. Once a call has told that
    /// it has exited, the notification gets a second more; then the host is asked, and at last it is taken as exited without a code.
    ///
    /// # Errors
    /// The host's answer, for example after a restart of its service.
    pub async fn wait(&self) -> Result<ProcessExit, ClientError> {
        let clock = self.client.host.clock();
        let times = self.client.times;
        let mut told = pin!(self.compute().wait_process(self.handle));
        let patience = if self.exited { times.grace } else { times.look };
        loop {
            let over = clock.deadline(self.client.later(patience));
            if let Winner::First(status) = race(told.as_mut(), over).await {
                return exit_of(status);
            }
            match self.status().await {
                Ok(status) if status.exited => return exit_of(Ok(status)),
                _ if self.exited => {
                    return Ok(ProcessExit {
                        code: None,
                        reliable: false,
                    });
                }
                // Whoever waits goes on waiting.
                Ok(_) | Err(ClientError::TimedOut { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Closes the handle. The process goes on.
    ///
    /// # Errors
    /// The host's answer, where that does not say that the handle has gone; or none in time.
    pub async fn close(self) -> Result<(), ClientError> {
        let call = self.compute().close_process(self.handle);
        match self.answered(Operation::CloseProcess, call).await {
            Err(error) if error.is_disconnected() => Ok(()),
            answer => answer,
        }
    }

    fn unless_exited(&mut self, answer: Result<(), ClientError>) -> Result<bool, ClientError> {
        match answer {
            Ok(()) => Ok(true),
            Err(error) if error.is_exited() => {
                self.exited = true;
                Ok(false)
            }
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
        let object = Named {
            id: self.id,
            system: &self.system,
        };
        self.client.answered(operation, &object, call).await
    }
}

/// A process, as an error names it.
struct Named<'a> {
    id: u32,
    system: &'a SystemId,
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} of {}", self.id, self.system)
    }
}

fn exit_of(status: Result<ProcessStatus, HostError>) -> Result<ProcessExit, ClientError> {
    let status = status?;
    Ok(ProcessExit {
        code: Some(status.exit_code),
        reliable: status.last_wait_result == 0,
    })
}
