//! The compute service, as a client sees it.

use std::future::Future;

use wcow_hcs_schema::schema1::{
    ContainerProperties, ProcessParameters, ProcessStatus, PropertyType,
};
use wcow_host::{
    ComputeApi, ComputeService, CreateDocument, HostError, Modification, Output, ProcessHandle,
    SaveType, Signal, SystemEvent, SystemHandle, SystemId, SystemSummary,
};

use super::{Face, RemoteHost};
use crate::call::ComputeCall;

/// The same calls, whatever carries them.
macro_rules! compute_service {
    ($face:ty) => {
        impl ComputeService for $face {
            fn api(&self) -> ComputeApi {
                self.surface()
            }

            fn create(
                &self,
                id: &SystemId,
                document: &CreateDocument,
            ) -> impl Future<Output = Result<SystemHandle, HostError>> + Send {
                self.call(ComputeCall::Create {
                    id: id.clone(),
                    document: Box::new(document.clone()),
                })
            }

            fn open(
                &self,
                id: &SystemId,
            ) -> impl Future<Output = Result<SystemHandle, HostError>> + Send {
                self.call(ComputeCall::Open { id: id.clone() })
            }

            fn close(
                &self,
                system: SystemHandle,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(ComputeCall::Close { system })
            }

            fn enumerate(
                &self,
            ) -> impl Future<Output = Result<Vec<SystemSummary>, HostError>> + Send {
                self.call(ComputeCall::Enumerate)
            }

            fn properties(
                &self,
                system: SystemHandle,
                wanted: &[PropertyType],
            ) -> impl Future<Output = Result<ContainerProperties, HostError>> + Send {
                let wanted = wanted.to_vec();
                self.call(ComputeCall::Properties { system, wanted })
            }

            fn start(
                &self,
                system: SystemHandle,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(ComputeCall::Start { system })
            }

            fn shutdown(
                &self,
                system: SystemHandle,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(ComputeCall::Shutdown { system })
            }

            fn terminate(
                &self,
                system: SystemHandle,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(ComputeCall::Terminate { system })
            }

            fn modify(
                &self,
                system: SystemHandle,
                change: &Modification,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(ComputeCall::Modify {
                    system,
                    change: Box::new(change.clone()),
                })
            }

            fn pause(
                &self,
                system: SystemHandle,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(ComputeCall::Pause { system })
            }

            fn resume(
                &self,
                system: SystemHandle,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(ComputeCall::Resume { system })
            }

            fn save(
                &self,
                system: SystemHandle,
                save: SaveType,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(ComputeCall::Save { system, save })
            }

            fn remove(&self, id: &SystemId) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(ComputeCall::Remove { id: id.clone() })
            }

            fn next_event(
                &self,
                system: SystemHandle,
            ) -> impl Future<Output = Result<SystemEvent, HostError>> + Send {
                self.call(ComputeCall::NextEvent { system })
            }

            fn create_process(
                &self,
                system: SystemHandle,
                parameters: &ProcessParameters,
            ) -> impl Future<Output = Result<ProcessHandle, HostError>> + Send {
                self.call(ComputeCall::CreateProcess {
                    system,
                    parameters: Box::new(parameters.clone()),
                })
            }

            fn open_process(
                &self,
                system: SystemHandle,
                process_id: u32,
            ) -> impl Future<Output = Result<ProcessHandle, HostError>> + Send {
                self.call(ComputeCall::OpenProcess { system, process_id })
            }

            fn process_status(
                &self,
                process: ProcessHandle,
            ) -> impl Future<Output = Result<ProcessStatus, HostError>> + Send {
                self.call(ComputeCall::ProcessStatus { process })
            }

            fn wait_process(
                &self,
                process: ProcessHandle,
            ) -> impl Future<Output = Result<ProcessStatus, HostError>> + Send {
                self.call(ComputeCall::WaitProcess { process })
            }

            fn terminate_process(
                &self,
                process: ProcessHandle,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(ComputeCall::TerminateProcess { process })
            }

            fn signal_process(
                &self,
                process: ProcessHandle,
                signal: Signal,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(ComputeCall::SignalProcess { process, signal })
            }

            fn resize_console(
                &self,
                process: ProcessHandle,
                size: [u16; 2],
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(ComputeCall::ResizeConsole { process, size })
            }

            fn read_output(
                &self,
                process: ProcessHandle,
                output: Output,
                max: usize,
            ) -> impl Future<Output = Result<Vec<u8>, HostError>> + Send {
                self.call(ComputeCall::ReadOutput {
                    process,
                    output,
                    max: max as u64,
                })
            }

            fn output_ready(
                &self,
                process: ProcessHandle,
                output: Output,
            ) -> impl Future<Output = Result<bool, HostError>> + Send {
                self.call(ComputeCall::OutputReady { process, output })
            }

            fn write_input(
                &self,
                process: ProcessHandle,
                bytes: &[u8],
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(ComputeCall::WriteInput {
                    process,
                    bytes: bytes.to_vec(),
                })
            }

            fn close_input(
                &self,
                process: ProcessHandle,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(ComputeCall::CloseInput { process })
            }

            fn close_process(
                &self,
                process: ProcessHandle,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(ComputeCall::CloseProcess { process })
            }
        }
    };
}

compute_service!(Face);
compute_service!(RemoteHost);
