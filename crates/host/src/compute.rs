//! Compute systems and the processes in them, as the Host Compute Service shows them.

use std::fmt;
use std::future::Future;

use serde::{Deserialize, Serialize};
use wcow_hcs_schema::schema1::{
    ContainerConfig, ContainerProperties, NotificationType, ProcessParameters, ProcessStatus,
    PropertyType, ResourceModificationRequest, State,
};
use wcow_hcs_schema::schema2::{ComputeSystem, ModifySettingRequest};
use wcow_hcs_schema::tp3::Tp3ContainerConfig;

use crate::HostError;

/// The id of a compute system: on technical previews an upper-case GUID, later whatever its creator chose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SystemId(pub String);

impl fmt::Display for SystemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An open handle to a compute system. Plain data: closing it is a call of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SystemHandle(pub u64);

/// An open handle to a process in a compute system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProcessHandle(pub u64);

/// Which of its two surfaces the Host Compute Service is seen through. They mean the same by different codes: 0xC037.... and
/// 0x8037.....
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum ComputeApi {
    /// `vmcompute.dll`, from Technical Preview 3 on.
    #[default]
    V1,
    /// `computecore.dll`, from build 17763 on.
    V2,
}

/// What a compute system is created from. Each host generation takes its own form and refuses the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one per container that is created, and it is passed by reference"
)]
pub enum CreateDocument {
    /// Technical Preview 3 and 4: no handles, switch names instead of endpoints; the system persists, off, until removed.
    TechnicalPreview(Tp3ContainerConfig),
    /// Schema 1, Windows Server 2016 and later: the system is ephemeral.
    Schema1(ContainerConfig),
    /// Schema 2, build 17763 and later: the only form that version 2 of the surface takes.
    Schema2(Box<ComputeSystem>),
}

/// A change to a compute system. Which forms a surface takes: as for [`CreateDocument`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Modification {
    /// Schema 1.
    Schema1(ResourceModificationRequest),
    /// Schema 2.
    Schema2(ModifySettingRequest),
}

/// The state of a compute system as its properties tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SystemState {
    /// Made and never started, or (technical previews) off.
    Created,
    /// Started.
    Running,
    /// Frozen. A system that was saved to a file stays so too.
    Paused,
    /// Saved as a template; it can only be ended or left.
    SavedAsTemplate,
    /// Ended; reachable only through handles that are still open.
    Stopped,
}

/// How a compute system ended, as `ExitType` of its exit status says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ExitType {
    /// It shut down.
    GracefulExit,
    /// A client ended it.
    ForcedExit,
    /// It crashed, or never came up.
    UnexpectedExit,
}

/// What is to become of a paused system that is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SaveType {
    /// Its state is written to a file.
    ToFile,
    /// It becomes a template for others.
    AsTemplate,
}

/// What a process can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Signal {
    /// Ctrl+C.
    CtrlC,
    /// Ctrl+Break.
    CtrlBreak,
    /// Its console window is closed.
    CtrlClose,
    /// Its user logs off.
    CtrlLogOff,
    /// The system shuts down.
    CtrlShutdown,
}

/// One line of an enumeration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemSummary {
    /// Its id.
    pub id: SystemId,
    /// Its name.
    pub name: String,
    /// Who made it.
    pub owner: String,
    /// Its state; `None` where the service leaves it out, as it does for a system that was never started on builds from 26100 on
    /// (measured).
    pub state: Option<SystemState>,
}

impl SystemSummary {
    /// Its state, with what was left out filled in.
    #[must_use]
    pub fn known_state(&self) -> SystemState {
        self.state.unwrap_or(SystemState::Created)
    }
}

/// What a handle to a compute system tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemStatus {
    /// Its state.
    pub state: SystemState,
    /// How it ended, once it has.
    pub exit: Option<ExitType>,
}

impl SystemStatus {
    /// What these properties say of it.
    #[must_use]
    pub fn of(properties: &ContainerProperties) -> Self {
        let state = match &properties.state {
            _ if properties.stopped == Some(true) => SystemState::Stopped,
            Some(State::Running) => SystemState::Running,
            Some(State::Paused) => SystemState::Paused,
            Some(State::SavedAsTemplate) => SystemState::SavedAsTemplate,
            Some(State::Stopped) => SystemState::Stopped,
            Some(_) | None => SystemState::Created,
        };
        let exit = properties.exit_type.as_ref().and_then(|exit| match exit {
            NotificationType::GracefulExit => Some(ExitType::GracefulExit),
            NotificationType::ForcedExit => Some(ExitType::ForcedExit),
            NotificationType::UnexpectedExit => Some(ExitType::UnexpectedExit),
            _ => None,
        });
        Self { state, exit }
    }
}

/// Something that happened to a compute system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SystemEvent {
    /// The system ended. `status` is the HRESULT of the notification: 0 after a shutdown, 0106 after a crash.
    Exited {
        /// HRESULT of the notification.
        status: wcow_ntmeta::Hresult,
        /// How it ended.
        exit: ExitType,
    },
    /// The service went away, and every handle with it.
    ServiceDisconnected,
}

/// One of a process's two output pipes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    /// Standard output.
    Out,
    /// Standard error; absent when the process emulates a console.
    Err,
}

/// The Host Compute Service: compute systems and processes.
///
/// `create`, `start`, `shutdown` and `terminate` return when the host has reported completion, not when it has accepted the
/// request. State rules and codes: the legality matrix of the HCS reference, per generation.
pub trait ComputeService: Send + Sync {
    /// Which surface this is, and so which codes it answers with.
    fn api(&self) -> ComputeApi;

    /// Creates a compute system and opens a handle to it.
    ///
    /// # Errors
    /// The id exists (010F), the image does not fit the host (0101, from build 14393 on), the document is invalid (010D), a
    /// layer path is missing (0x3), an endpoint is missing (0x490).
    fn create(
        &self,
        id: &SystemId,
        document: &CreateDocument,
    ) -> impl Future<Output = Result<SystemHandle, HostError>> + Send;

    /// Opens a compute system by id.
    ///
    /// # Errors
    /// No such system (010E).
    fn open(&self, id: &SystemId) -> impl Future<Output = Result<SystemHandle, HostError>> + Send;

    /// Closes a handle. Never ends the system, unless its document says so.
    ///
    /// # Errors
    /// The handle is not open (0x6).
    fn close(&self, system: SystemHandle) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Lists the compute systems that exist, by id.
    ///
    /// # Errors
    /// The service is not there.
    fn enumerate(&self) -> impl Future<Output = Result<Vec<SystemSummary>, HostError>> + Send;

    /// What a system tells of itself: the basic properties, and those that are asked for. Without a state it was never started.
    ///
    /// # Errors
    /// The handle is not open (0x6); it has ended, and this build does not tell of what has (0110).
    fn properties(
        &self,
        system: SystemHandle,
        wanted: &[PropertyType],
    ) -> impl Future<Output = Result<ContainerProperties, HostError>> + Send;

    /// The state of a system, and how it ended: out of its basic properties.
    ///
    /// # Errors
    /// As for [`properties`](Self::properties).
    fn status(
        &self,
        system: SystemHandle,
    ) -> impl Future<Output = Result<SystemStatus, HostError>> + Send {
        async move {
            let properties = self.properties(system, &[]).await?;
            Ok(SystemStatus::of(&properties))
        }
    }

    /// Starts a created system; returns when it runs.
    ///
    /// # Errors
    /// Wrong state (0105), already stopped (0110), edition or build mismatch on technical previews (`0x800702C2`), the
    /// container service in it never answered (`0x800705B4` then, 0109 later).
    fn start(&self, system: SystemHandle) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Asks a running system to shut down; returns when it has exited.
    ///
    /// # Errors
    /// Wrong state (0105), already stopped (0110).
    fn shutdown(&self, system: SystemHandle) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Ends a system at once; returns when it has exited.
    ///
    /// # Errors
    /// Already stopped (0110).
    fn terminate(&self, system: SystemHandle)
    -> impl Future<Output = Result<(), HostError>> + Send;

    /// Freezes a running system; returns when it is frozen.
    ///
    /// # Errors
    /// Wrong state (0105), already stopped (0110); process isolation knows no pause (0x32).
    fn pause(&self, system: SystemHandle) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Lets a frozen system go on; returns when it runs.
    ///
    /// # Errors
    /// Wrong state (0105), already stopped (0110).
    fn resume(&self, system: SystemHandle) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Saves a frozen system; it stays so until it is ended.
    ///
    /// # Errors
    /// Wrong state (0105), already stopped (0110).
    fn save(
        &self,
        system: SystemHandle,
        save: SaveType,
    ) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Changes a system: gives it an endpoint or takes it away, maps a folder or unmaps it, changes its limits.
    ///
    /// # Errors
    /// Wrong state (0105), already stopped (0110), no valid document (010D), nothing that can be changed (0x32), no such endpoint
    /// (0x490) or folder (0x3).
    fn modify(
        &self,
        system: SystemHandle,
        change: &Modification,
    ) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Removes a system that persists (technical previews: `Remove-Container`).
    ///
    /// # Errors
    /// It runs (0105); it does not exist (010E); hosts from build 14393 on have nothing to remove (0x32).
    fn remove(&self, id: &SystemId) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Waits for the next event of a system. Events that came before the call are kept and delivered in order.
    ///
    /// # Errors
    /// The handle is not open (0x6).
    fn next_event(
        &self,
        system: SystemHandle,
    ) -> impl Future<Output = Result<SystemEvent, HostError>> + Send;

    /// Creates a process in a running system.
    ///
    /// # Errors
    /// Wrong state (0105), program not found (0x2), working directory invalid (0x10B), access denied (0x5).
    fn create_process(
        &self,
        system: SystemHandle,
        parameters: &ProcessParameters,
    ) -> impl Future<Output = Result<ProcessHandle, HostError>> + Send;

    /// Opens a process by its id. Its pipes stay with the creator.
    ///
    /// # Errors
    /// No such process (0x490).
    fn open_process(
        &self,
        system: SystemHandle,
        process_id: u32,
    ) -> impl Future<Output = Result<ProcessHandle, HostError>> + Send;

    /// What is known of a process.
    ///
    /// # Errors
    /// The handle is not open (0x6).
    fn process_status(
        &self,
        process: ProcessHandle,
    ) -> impl Future<Output = Result<ProcessStatus, HostError>> + Send;

    /// Waits until a process has exited.
    ///
    /// # Errors
    /// The handle is not open (0x6).
    fn wait_process(
        &self,
        process: ProcessHandle,
    ) -> impl Future<Output = Result<ProcessStatus, HostError>> + Send;

    /// Ends one process, not its children.
    ///
    /// # Errors
    /// It has already exited (`0x8037011F` or 010E, by generation).
    fn terminate_process(
        &self,
        process: ProcessHandle,
    ) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Tells a process something; whether it ends of it is its own affair.
    ///
    /// # Errors
    /// It has already exited (as for [`terminate_process`](Self::terminate_process)); builds before 17763 cannot (0x32).
    fn signal_process(
        &self,
        process: ProcessHandle,
        signal: Signal,
    ) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Tells a process with a console how large that is now: rows, columns.
    ///
    /// # Errors
    /// It has already exited (as for [`terminate_process`](Self::terminate_process)); it has no console (0x57).
    fn resize_console(
        &self,
        process: ProcessHandle,
        size: [u16; 2],
    ) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Reads what the process has written, at most `max` bytes; waits for output; an empty answer is the end.
    ///
    /// # Errors
    /// The pipe was not asked for, or belongs to somebody else (0x6).
    fn read_output(
        &self,
        process: ProcessHandle,
        output: Output,
        max: usize,
    ) -> impl Future<Output = Result<Vec<u8>, HostError>> + Send;

    /// Whether [`read_output`](Self::read_output) would answer at once: there are bytes, or the pipe has ended.
    ///
    /// # Errors
    /// As for [`read_output`](Self::read_output).
    fn output_ready(
        &self,
        process: ProcessHandle,
        output: Output,
    ) -> impl Future<Output = Result<bool, HostError>> + Send;

    /// Writes to the process's standard input.
    ///
    /// # Errors
    /// The pipe was not asked for or is closed (0xE8: the pipe is being closed).
    fn write_input(
        &self,
        process: ProcessHandle,
        bytes: &[u8],
    ) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Closes the process's standard input: it reads the end of the file.
    ///
    /// # Errors
    /// The pipe was not asked for (0x6).
    fn close_input(
        &self,
        process: ProcessHandle,
    ) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Closes a process handle. The process goes on.
    ///
    /// # Errors
    /// The handle is not open (0x6).
    fn close_process(
        &self,
        process: ProcessHandle,
    ) -> impl Future<Output = Result<(), HostError>> + Send;
}
