//! Calls to a simulated host and their answers, as data: one variant per method of the traits in `wcow-host`.

use std::borrow::Cow;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork};
use wcow_hcs_schema::schema1::{
    ContainerProperties, ProcessParameters, ProcessStatus, PropertyType,
};
use wcow_host::{
    Adapter, BaseImage, Code, CreateDocument, DirEntry, EventRecord, Feature, FeatureState,
    FileLock, FileMetadata, FilterDriver, Hardware, HostError, HostInfo, HostProcess, Identity,
    Interface, LayerDescriptor, Listener, Modification, NetNat, NewNetNat, NewStaticMapping,
    NewVmSwitch, Operation, Output, Package, PortRange, PowerShellError, ProcessHandle,
    RegistryValue, Retry, Route, SaveType, Service, ServiceSetup, Signal, StaticMapping,
    SystemEvent, SystemHandle, SystemId, SystemSummary, TreeSummary, VmSwitch, Volume, WriteMode,
};
use wcow_ntmeta::{FileTime, Guid, HostPath, Hresult};

use crate::blobs::BlobId;
use crate::hcn::HcnCall;

/// Names a call within one world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OpId(pub u64);

/// Names a client within one world: a process that talks to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClientId(pub u32);

/// A tree that is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct TreeId(pub(crate) u64);

/// A call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Call {
    Compute(ComputeCall),
    Layers(LayersCall),
    Network(NetworkCall),
    Switches(SwitchesCall),
    Control(ControlCall),
    Files(FilesCall),
    SleepUntil(FileTime),
    Diagnostics(DiagnosticsCall),
}

/// Calls of `ComputeService`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum ComputeCall {
    Create {
        id: SystemId,
        document: Box<CreateDocument>,
    },
    Open {
        id: SystemId,
    },
    Close {
        system: SystemHandle,
    },
    Enumerate,
    Properties {
        system: SystemHandle,
        wanted: Vec<PropertyType>,
    },
    Start {
        system: SystemHandle,
    },
    Shutdown {
        system: SystemHandle,
    },
    Terminate {
        system: SystemHandle,
    },
    Modify {
        system: SystemHandle,
        change: Box<Modification>,
    },
    Pause {
        system: SystemHandle,
    },
    Resume {
        system: SystemHandle,
    },
    Save {
        system: SystemHandle,
        save: SaveType,
    },
    Remove {
        id: SystemId,
    },
    NextEvent {
        system: SystemHandle,
    },
    CreateProcess {
        system: SystemHandle,
        parameters: Box<ProcessParameters>,
    },
    OpenProcess {
        system: SystemHandle,
        process_id: u32,
    },
    ProcessStatus {
        process: ProcessHandle,
    },
    WaitProcess {
        process: ProcessHandle,
    },
    TerminateProcess {
        process: ProcessHandle,
    },
    SignalProcess {
        process: ProcessHandle,
        signal: Signal,
    },
    ResizeConsole {
        process: ProcessHandle,
        size: [u16; 2],
    },
    ReadOutput {
        process: ProcessHandle,
        output: Output,
        max: u64,
    },
    OutputReady {
        process: ProcessHandle,
        output: Output,
    },
    WriteInput {
        process: ProcessHandle,
        bytes: Vec<u8>,
    },
    CloseInput {
        process: ProcessHandle,
    },
    CloseProcess {
        process: ProcessHandle,
    },
}

/// Calls of `LayerStorage`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum LayersCall {
    ProcessBase {
        layer: HostPath,
    },
    CreateScratch {
        scratch: HostPath,
        parents: Vec<LayerDescriptor>,
    },
    Activate {
        scratch: HostPath,
    },
    Prepare {
        scratch: HostPath,
        parents: Vec<LayerDescriptor>,
    },
    MountPath {
        scratch: HostPath,
    },
    Unprepare {
        scratch: HostPath,
    },
    Deactivate {
        scratch: HostPath,
    },
    Destroy {
        layer: HostPath,
    },
    GrantVmAccess {
        machine: SystemId,
        file: HostPath,
    },
    ProcessUtilityVm {
        utility_vm: HostPath,
    },
    Exists {
        layer: HostPath,
    },
    Expand {
        scratch: HostPath,
        bytes: u64,
    },
    Import {
        layer: HostPath,
        folder: HostPath,
        parents: Vec<LayerDescriptor>,
    },
    Export {
        layer: HostPath,
        folder: HostPath,
        parents: Vec<LayerDescriptor>,
    },
    BaseImages,
    AtVolume {
        volume: String,
    },
}

/// Calls of `NetworkService`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum NetworkCall {
    CreateNetwork(Box<HnsNetwork>),
    Networks,
    DeleteNetwork(Guid),
    CreateEndpoint(Box<HnsEndpoint>),
    Endpoints,
    DeleteEndpoint(Guid),
    Hcn(Box<HcnCall>),
}

/// Calls of `SwitchService`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum SwitchesCall {
    Switches,
    NewSwitch(NewVmSwitch),
    RemoveSwitch(String),
    Nats,
    NewNat(NewNetNat),
    RemoveNat(String),
    StaticMappings,
    AddStaticMapping(NewStaticMapping),
    RemoveStaticMapping { nat: String, id: u32 },
    Adapters,
}

/// Calls of `HostControl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum ControlCall {
    Info,
    Packages,
    AddPackage(String),
    Modules,
    Features,
    EnableFeature(String),
    DisableFeature(String),
    Services,
    RestartService(String),
    Reboot,
    NewGuid,
    Identity,
    StartService(String),
    StopService(String),
}

/// Calls of `FileSystem`. Contents travel beside them, as blobs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum FilesCall {
    Metadata(HostPath),
    List(HostPath),
    CreateDirAll(HostPath),
    Read {
        path: HostPath,
        max: u64,
    },
    Write {
        path: HostPath,
        content: BlobId,
        len: u64,
        mode: WriteMode,
    },
    Copy {
        from: HostPath,
        to: HostPath,
    },
    SyncFile {
        path: HostPath,
        step: Label,
    },
    SyncDir {
        path: HostPath,
        step: Label,
    },
    Rename {
        from: HostPath,
        to: HostPath,
    },
    Replace {
        from: HostPath,
        to: HostPath,
    },
    RemoveFile(HostPath),
    RemoveDirAll(HostPath),
    Lock(HostPath),
    Unlock(FileLock),
    CreateTree(HostPath),
    FinishTree {
        tree: TreeId,
        content: BlobId,
        summary: TreeSummary,
        step: Label,
    },
}

/// Calls of `Diagnostics`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum DiagnosticsCall {
    Volumes,
    FilterDrivers,
    RegistryValues(Vec<String>),
    ServiceSetups(Vec<String>),
    PortRanges,
    Listeners,
    Routes,
    Interfaces,
    TranslatedPrefixes,
    Hardware,
    Events {
        channels: Vec<String>,
        since: FileTime,
        max: u64,
    },
    Processes,
    AttachedScratches,
    ProgramOnPath(String),
}

/// The name of a durable step.
pub(crate) type Label = Cow<'static, str>;

macro_rules! into_call {
    ($($face:ident($calls:ident),)*) => {
        $(impl From<$calls> for Call {
            fn from(call: $calls) -> Self {
                Self::$face(call)
            }
        })*
    };
}

into_call! { Compute(ComputeCall), Layers(LayersCall), Network(NetworkCall), Switches(SwitchesCall), Control(ControlCall), Files(FilesCall), Diagnostics(DiagnosticsCall), }

impl FilesCall {
    /// The paths that the call is about.
    pub(crate) fn paths(&self) -> [Option<&HostPath>; 2] {
        match self {
            Self::Metadata(path)
            | Self::List(path)
            | Self::CreateDirAll(path)
            | Self::Read { path, .. }
            | Self::Write { path, .. }
            | Self::SyncFile { path, .. }
            | Self::SyncDir { path, .. }
            | Self::RemoveFile(path)
            | Self::RemoveDirAll(path)
            | Self::Lock(path)
            | Self::CreateTree(path) => [Some(path), None],
            Self::Copy { from, to } | Self::Rename { from, to } | Self::Replace { from, to } => {
                [Some(from), Some(to)]
            }
            Self::Unlock(_) | Self::FinishTree { .. } => [None, None],
        }
    }
}

impl Call {
    /// The function's number in the trace (frozen), its name, and how long it takes: at least, and by how much more at most,
    /// both in microseconds.
    pub(crate) fn kind(&self) -> (u16, Operation, u32, u32) {
        use Operation as O;
        match self {
            Self::Compute(call) => match call {
                ComputeCall::Create { .. } => (0x0101, O::CreateSystem, 80_000, 60_000),
                ComputeCall::Open { .. } => (0x0102, O::OpenSystem, 400, 200),
                ComputeCall::Close { .. } => (0x0103, O::CloseSystem, 100, 100),
                ComputeCall::Enumerate => (0x0104, O::EnumerateSystems, 800, 400),
                ComputeCall::Properties { .. } => (0x0105, O::QuerySystem, 400, 200),
                ComputeCall::Start { .. } => (0x0106, O::StartSystem, 2_000, 2_000),
                ComputeCall::Shutdown { .. } => (0x0107, O::ShutdownSystem, 1_000, 1_000),
                ComputeCall::Terminate { .. } => (0x0108, O::TerminateSystem, 1_000, 1_000),
                ComputeCall::Remove { .. } => (0x0109, O::RemoveSystem, 20_000, 20_000),
                ComputeCall::NextEvent { .. } => (0x010a, O::WaitSystem, 50, 50),
                ComputeCall::CreateProcess { .. } => (0x010b, O::CreateProcess, 8_000, 8_000),
                ComputeCall::OpenProcess { .. } => (0x010c, O::OpenProcess, 400, 200),
                ComputeCall::ProcessStatus { .. } => (0x010d, O::QueryProcess, 300, 200),
                ComputeCall::WaitProcess { .. } => (0x010e, O::QueryProcess, 50, 50),
                ComputeCall::TerminateProcess { .. } => (0x010f, O::TerminateProcess, 1_000, 1_000),
                ComputeCall::ReadOutput { .. } => (0x0110, O::ProcessPipe, 40, 40),
                ComputeCall::OutputReady { .. } => (0x011F, O::ProcessPipe, 10, 10),
                ComputeCall::WriteInput { .. } => (0x0111, O::ProcessPipe, 40, 40),
                ComputeCall::CloseInput { .. } => (0x0112, O::ProcessPipe, 40, 40),
                ComputeCall::CloseProcess { .. } => (0x0113, O::CloseProcess, 100, 100),
                ComputeCall::Pause { .. } => (0x0114, O::PauseSystem, 1_000, 1_000),
                ComputeCall::Resume { .. } => (0x0115, O::ResumeSystem, 1_000, 1_000),
                ComputeCall::Save { .. } => (0x0116, O::SaveSystem, 1_000, 1_000),
                ComputeCall::Modify { .. } => (0x0119, O::ModifySystem, 5_000, 5_000),
                ComputeCall::SignalProcess { .. } => (0x0117, O::SignalProcess, 1_000, 1_000),
                ComputeCall::ResizeConsole { .. } => (0x0118, O::ModifyProcess, 300, 200),
            },
            Self::Layers(call) => match call {
                LayersCall::ProcessBase { .. } => (0x0201, O::ProcessBase, 400_000, 200_000),
                LayersCall::CreateScratch { .. } => (0x0202, O::CreateScratch, 60_000, 40_000),
                LayersCall::Activate { .. } => (0x0203, O::ActivateLayer, 30_000, 20_000),
                LayersCall::Prepare { .. } => (0x0204, O::PrepareLayer, 20_000, 20_000),
                LayersCall::MountPath { .. } => (0x0205, O::LayerMountPath, 300, 200),
                LayersCall::Unprepare { .. } => (0x0206, O::UnprepareLayer, 10_000, 10_000),
                LayersCall::Deactivate { .. } => (0x0207, O::DeactivateLayer, 20_000, 10_000),
                LayersCall::Destroy { .. } => (0x0208, O::DestroyLayer, 50_000, 50_000),
                LayersCall::ProcessUtilityVm { .. } => {
                    (0x0209, O::ProcessUtilityVm, 800_000, 400_000)
                }
                LayersCall::Exists { .. } => (0x020a, O::LayerExists, 100, 100),
                LayersCall::Expand { .. } => (0x020b, O::ExpandScratch, 400_000, 300_000),
                LayersCall::Import { .. } => (0x020c, O::ImportLayer, 3_000_000, 3_000_000),
                LayersCall::Export { .. } => (0x020d, O::ExportLayer, 2_000_000, 2_000_000),
                LayersCall::BaseImages => (0x020e, O::BaseImages, 2_000, 2_000),
                LayersCall::AtVolume { .. } => (0x0210, O::LayerMountPath, 300, 200),
                LayersCall::GrantVmAccess { .. } => (0x020f, O::GrantVmAccess, 500, 500),
            },
            Self::Network(call) => match call {
                NetworkCall::CreateNetwork(_) => (0x0301, O::CreateNetwork, 600_000, 400_000),
                NetworkCall::Networks => (0x0302, O::ListNetworks, 3_000, 2_000),
                NetworkCall::DeleteNetwork(_) => (0x0303, O::DeleteNetwork, 200_000, 100_000),
                NetworkCall::CreateEndpoint(_) => (0x0304, O::CreateEndpoint, 50_000, 30_000),
                NetworkCall::Endpoints => (0x0305, O::ListEndpoints, 3_000, 2_000),
                NetworkCall::DeleteEndpoint(_) => (0x0306, O::DeleteEndpoint, 30_000, 20_000),
                NetworkCall::Hcn(call) => call.kind(),
            },
            Self::Switches(call) => match call {
                SwitchesCall::Switches => (0x0401, O::ListSwitches, 30_000, 20_000),
                SwitchesCall::NewSwitch(_) => (0x0402, O::NewSwitch, 900_000, 600_000),
                SwitchesCall::RemoveSwitch(_) => (0x0403, O::RemoveSwitch, 400_000, 200_000),
                SwitchesCall::Nats => (0x0404, O::ListNats, 20_000, 10_000),
                SwitchesCall::NewNat(_) => (0x0405, O::NewNat, 300_000, 200_000),
                SwitchesCall::RemoveNat(_) => (0x0406, O::RemoveNat, 100_000, 100_000),
                SwitchesCall::StaticMappings => (0x0407, O::ListStaticMappings, 20_000, 10_000),
                SwitchesCall::AddStaticMapping(_) => (0x0408, O::AddStaticMapping, 50_000, 30_000),
                SwitchesCall::RemoveStaticMapping { .. } => {
                    (0x0409, O::RemoveStaticMapping, 50_000, 30_000)
                }
                SwitchesCall::Adapters => (0x040a, O::ListAdapters, 20_000, 10_000),
            },
            Self::Control(call) => match call {
                ControlCall::Info => (0x0501, O::HostInfo, 100, 100),
                ControlCall::Packages => (0x0502, O::Packages, 200_000, 100_000),
                ControlCall::AddPackage(_) => (0x0503, O::Packages, 20_000_000, 10_000_000),
                ControlCall::Modules => (0x0504, O::Modules, 50_000, 30_000),
                ControlCall::Features => (0x0505, O::Features, 200_000, 100_000),
                ControlCall::EnableFeature(_) => (0x0506, O::Features, 15_000_000, 10_000_000),
                ControlCall::DisableFeature(_) => (0x0507, O::Features, 10_000_000, 5_000_000),
                ControlCall::Services => (0x0508, O::Services, 2_000, 1_000),
                ControlCall::RestartService(_) => (0x0509, O::Services, 1_500_000, 1_000_000),
                ControlCall::Reboot => (0x050a, O::Reboot, 10_000, 10_000),
                ControlCall::NewGuid => (0x050b, O::NewGuid, 1, 1),
                ControlCall::Identity => (0x0520, O::Identity, 20, 20),
                ControlCall::StartService(_) => (0x0521, O::StartService, 800_000, 600_000),
                ControlCall::StopService(_) => (0x0522, O::StopService, 700_000, 500_000),
            },
            Self::Files(call) => match call {
                FilesCall::Metadata(_) => (0x0601, O::FileMetadata, 20, 10),
                FilesCall::List(_) => (0x0602, O::ListDirectory, 60, 40),
                FilesCall::CreateDirAll(_) => (0x0603, O::CreateDirectory, 80, 60),
                FilesCall::Read { .. } => (0x0604, O::ReadFile, 60, 60),
                FilesCall::Write { .. } => (0x0605, O::WriteFile, 150, 100),
                FilesCall::Copy { .. } => (0x0606, O::CopyFile, 300, 200),
                FilesCall::SyncFile { .. } => (0x0607, O::FlushFile, 3_000, 5_000),
                FilesCall::SyncDir { .. } => (0x0608, O::FlushFile, 2_000, 3_000),
                FilesCall::Rename { .. } => (0x0609, O::MoveFile, 100, 80),
                FilesCall::Replace { .. } => (0x060a, O::MoveFile, 100, 80),
                FilesCall::RemoveFile(_) => (0x060b, O::DeleteFile, 80, 60),
                FilesCall::RemoveDirAll(_) => (0x060c, O::RemoveDirectory, 2_000, 4_000),
                FilesCall::Lock(_) => (0x060d, O::LockFile, 60, 40),
                FilesCall::Unlock(_) => (0x060e, O::LockFile, 30, 20),
                FilesCall::CreateTree(_) => (0x060f, O::WriteTree, 100, 80),
                FilesCall::FinishTree { .. } => (0x0610, O::WriteTree, 500_000, 500_000),
            },
            Self::SleepUntil(_) => (0x0701, O::HostInfo, 0, 0),
            Self::Diagnostics(call) => match call {
                DiagnosticsCall::Volumes => (0x0801, O::Volumes, 300, 200),
                DiagnosticsCall::FilterDrivers => (0x0802, O::FilterDrivers, 300, 200),
                DiagnosticsCall::RegistryValues(_) => (0x0803, O::RegistryValues, 100, 100),
                DiagnosticsCall::ServiceSetups(_) => (0x0804, O::ServiceSetups, 2_000, 1_000),
                DiagnosticsCall::PortRanges => (0x0805, O::PortRanges, 5_000, 5_000),
                DiagnosticsCall::Listeners => (0x0806, O::Listeners, 2_000, 2_000),
                DiagnosticsCall::Routes => (0x0807, O::Routes, 500, 500),
                DiagnosticsCall::Interfaces => (0x0808, O::Interfaces, 1_000, 1_000),
                DiagnosticsCall::TranslatedPrefixes => {
                    (0x0809, O::TranslatedPrefixes, 20_000, 10_000)
                }
                DiagnosticsCall::Hardware => (0x080a, O::Hardware, 200, 100),
                DiagnosticsCall::Events { .. } => (0x080b, O::Events, 20_000, 20_000),
                DiagnosticsCall::Processes => (0x080c, O::Processes, 3_000, 2_000),
                DiagnosticsCall::AttachedScratches => (0x080d, O::AttachedDisks, 2_000, 2_000),
                DiagnosticsCall::ProgramOnPath(_) => (0x080e, O::FindProgram, 300, 200),
            },
        }
    }

    /// What the call is about, for errors and traces.
    pub(crate) fn object(&self) -> String {
        match self {
            Self::Compute(call) => match call {
                ComputeCall::Create { id, .. }
                | ComputeCall::Open { id }
                | ComputeCall::Remove { id } => id.0.clone(),
                ComputeCall::Enumerate => String::new(),
                ComputeCall::Close { system }
                | ComputeCall::Properties { system, .. }
                | ComputeCall::Pause { system }
                | ComputeCall::Modify { system, .. }
                | ComputeCall::Resume { system }
                | ComputeCall::Save { system, .. }
                | ComputeCall::Start { system }
                | ComputeCall::Shutdown { system }
                | ComputeCall::Terminate { system }
                | ComputeCall::NextEvent { system } => format!("system handle {}", system.0),
                ComputeCall::CreateProcess { parameters, .. } => {
                    if parameters.command_line.is_empty() {
                        parameters.application_name.clone()
                    } else {
                        parameters.command_line.clone()
                    }
                }
                ComputeCall::OpenProcess { process_id, .. } => format!("process {process_id}"),
                ComputeCall::ProcessStatus { process }
                | ComputeCall::WaitProcess { process }
                | ComputeCall::TerminateProcess { process }
                | ComputeCall::SignalProcess { process, .. }
                | ComputeCall::ResizeConsole { process, .. }
                | ComputeCall::ReadOutput { process, .. }
                | ComputeCall::OutputReady { process, .. }
                | ComputeCall::WriteInput { process, .. }
                | ComputeCall::CloseInput { process }
                | ComputeCall::CloseProcess { process } => format!("process handle {}", process.0),
            },
            Self::Layers(call) => match call {
                LayersCall::ProcessBase { layer: path }
                | LayersCall::CreateScratch { scratch: path, .. }
                | LayersCall::Activate { scratch: path }
                | LayersCall::Prepare { scratch: path, .. }
                | LayersCall::MountPath { scratch: path }
                | LayersCall::Unprepare { scratch: path }
                | LayersCall::Deactivate { scratch: path }
                | LayersCall::Destroy { layer: path }
                | LayersCall::ProcessUtilityVm { utility_vm: path }
                | LayersCall::Exists { layer: path }
                | LayersCall::Expand { scratch: path, .. }
                | LayersCall::Import { layer: path, .. }
                | LayersCall::Export { layer: path, .. }
                | LayersCall::GrantVmAccess { file: path, .. } => path.to_string(),
                LayersCall::BaseImages => String::new(),
                LayersCall::AtVolume { volume } => volume.clone(),
            },
            Self::Network(call) => match call {
                NetworkCall::CreateNetwork(network) => network.name.clone(),
                NetworkCall::CreateEndpoint(endpoint) => endpoint.name.clone(),
                NetworkCall::DeleteNetwork(id) | NetworkCall::DeleteEndpoint(id) => id.to_string(),
                NetworkCall::Networks | NetworkCall::Endpoints => String::new(),
                NetworkCall::Hcn(call) => call.object(),
            },
            Self::Switches(call) => match call {
                SwitchesCall::NewSwitch(switch) => switch.name.clone(),
                SwitchesCall::NewNat(nat) => nat.name.clone(),
                SwitchesCall::AddStaticMapping(mapping) => mapping.nat.clone(),
                SwitchesCall::RemoveSwitch(name)
                | SwitchesCall::RemoveNat(name)
                | SwitchesCall::RemoveStaticMapping { nat: name, .. } => name.clone(),
                SwitchesCall::Switches
                | SwitchesCall::Nats
                | SwitchesCall::StaticMappings
                | SwitchesCall::Adapters => String::new(),
            },
            Self::Control(call) => match call {
                ControlCall::AddPackage(name)
                | ControlCall::EnableFeature(name)
                | ControlCall::DisableFeature(name)
                | ControlCall::RestartService(name)
                | ControlCall::StartService(name)
                | ControlCall::StopService(name) => name.clone(),
                _ => String::new(),
            },
            Self::Files(call) => match call {
                FilesCall::Metadata(path)
                | FilesCall::List(path)
                | FilesCall::CreateDirAll(path)
                | FilesCall::Read { path, .. }
                | FilesCall::Write { path, .. }
                | FilesCall::Copy { to: path, .. }
                | FilesCall::SyncFile { path, .. }
                | FilesCall::SyncDir { path, .. }
                | FilesCall::Rename { from: path, .. }
                | FilesCall::Replace { from: path, .. }
                | FilesCall::RemoveFile(path)
                | FilesCall::RemoveDirAll(path)
                | FilesCall::Lock(path)
                | FilesCall::CreateTree(path) => path.to_string(),
                FilesCall::Unlock(lock) => format!("lock {}", lock.0),
                FilesCall::FinishTree { tree, .. } => format!("tree {}", tree.0),
            },
            Self::SleepUntil(time) => time.to_string(),
            Self::Diagnostics(call) => match call {
                DiagnosticsCall::RegistryValues(names) | DiagnosticsCall::ServiceSetups(names) => {
                    names.join(", ")
                }
                DiagnosticsCall::Events { channels, .. } => channels.join(", "),
                DiagnosticsCall::ProgramOnPath(name) => name.clone(),
                _ => String::new(),
            },
        }
    }

    /// Whether its answer is a notification of the compute service.
    pub(crate) fn waits_for_notification(&self) -> bool {
        self.waits_for_event() || matches!(self, Self::Compute(ComputeCall::WaitProcess { .. }))
    }

    /// Whether its answer is an event of a compute system.
    pub(crate) fn waits_for_event(&self) -> bool {
        matches!(self, Self::Compute(ComputeCall::NextEvent { .. }))
    }

    /// Whether its answer may never come although nothing is wrong: it waits for what others do.
    pub(crate) fn waits_for_others(&self) -> bool {
        self.waits_for_notification()
            || matches!(self, Self::Compute(ComputeCall::ReadOutput { .. }))
    }

    /// Which durable step it is, if its caller says so.
    pub(crate) fn step(&self) -> Option<&str> {
        match self {
            Self::Files(
                FilesCall::SyncFile { step, .. }
                | FilesCall::SyncDir { step, .. }
                | FilesCall::FinishTree { step, .. },
            ) => Some(step),
            _ => None,
        }
    }

    /// The blob that the call brings with it.
    pub(crate) fn blob(&self) -> Option<BlobId> {
        match self {
            Self::Files(
                FilesCall::Write { content, .. } | FilesCall::FinishTree { content, .. },
            ) => Some(*content),
            _ => None,
        }
    }
}

/// The contents of a file, as a read gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ContentRef {
    /// The blob; `None` for zeros.
    pub(crate) blob: Option<BlobId>,
    /// Length in bytes.
    pub(crate) len: u64,
}

macro_rules! replies {
    (plain { $($variant:ident($type:ty),)* } boxed { $($large:ident($inner:ty),)* }) => {
        /// The answer to a call that succeeded. What is large is boxed, so that most answers are moved about cheaply.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub(crate) enum Reply { $($variant($type),)* $($large(Box<$inner>),)* }

        $(impl From<$type> for Reply {
            fn from(value: $type) -> Self {
                Self::$variant(value)
            }
        }

        impl FromReply for $type {
            fn from_reply(reply: Reply) -> Option<Self> {
                match reply {
                    Reply::$variant(value) => Some(value),
                    _ => None,
                }
            }
        })*

        $(impl From<$inner> for Reply {
            fn from(value: $inner) -> Self {
                Self::$large(Box::new(value))
            }
        }

        impl FromReply for $inner {
            fn from_reply(reply: Reply) -> Option<Self> {
                match reply {
                    Reply::$large(value) => Some(*value),
                    _ => None,
                }
            }
        })*
    };
}

/// What can be the answer to a call.
pub(crate) trait FromReply: Sized {
    /// The value, if the reply is of this type.
    fn from_reply(reply: Reply) -> Option<Self>;
}

replies! {
    plain {
        Unit(()),
        System(SystemHandle),
        Systems(Vec<SystemSummary>),
        SystemEvent(SystemEvent),
        Process(ProcessHandle),
        ProcessStatus(ProcessStatus),
        Bytes(Vec<u8>),
        Flag(bool),
        Text(String),
        Networks(Vec<HnsNetwork>),
        Endpoints(Vec<HnsEndpoint>),
        Document(serde_json::Value),
        Switch(VmSwitch),
        Switches(Vec<VmSwitch>),
        Nat(NetNat),
        Nats(Vec<NetNat>),
        Mapping(StaticMapping),
        Mappings(Vec<StaticMapping>),
        Adapters(Vec<Adapter>),
        Packages(Vec<Package>),
        Names(Vec<String>),
        Features(Vec<Feature>),
        FeatureState(FeatureState),
        Services(Vec<Service>),
        Guid(Guid),
        Identity(Identity),
        BaseImages(Vec<BaseImage>),
        Metadata(Option<FileMetadata>),
        Entries(Vec<DirEntry>),
        Content(ContentRef),
        Lock(FileLock),
        Tree(TreeId),
        Summary(TreeSummary),
        Volumes(Vec<Volume>),
        FilterDrivers(Vec<FilterDriver>),
        RegistryValues(Vec<RegistryValue>),
        ServiceSetups(Vec<ServiceSetup>),
        PortRanges(Vec<PortRange>),
        Listeners(Vec<Listener>),
        Routes(Vec<Route>),
        Interfaces(Vec<Interface>),
        Prefixes(Vec<Ipv4Net>),
        Hardware(Hardware),
        Events(Vec<EventRecord>),
        Processes(Vec<HostProcess>),
        Paths(Vec<HostPath>),
        Program(Option<HostPath>),
    }
    boxed {
        SystemProperties(ContainerProperties),
        Network(HnsNetwork),
        Endpoint(HnsEndpoint),
        Info(HostInfo),
    }
}

/// Whatever the answer is.
impl FromReply for Reply {
    fn from_reply(reply: Reply) -> Option<Self> {
        Some(reply)
    }
}

/// What a call comes to at the moment it takes effect.
pub(crate) enum Step {
    /// It is answered.
    Done(Reply),
    /// Its answer comes later, through [`World::answer`](crate::world::World::answer).
    Pending,
}

impl<T: Into<Reply>> From<T> for Step {
    fn from(value: T) -> Self {
        Self::Done(value.into())
    }
}

/// A refusal, before it is known which call it answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) retry: Retry,
    pub(crate) document: Option<String>,
}

impl Fault {
    /// The same refusal with a word about retrying.
    pub(crate) fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// The error that the caller gets.
    pub(crate) fn into_error(self, operation: Operation, object: String) -> HostError {
        HostError {
            code: self.code,
            operation,
            object,
            document: self.document,
            retry: self.retry,
        }
    }
}

impl From<Hresult> for Fault {
    fn from(code: Hresult) -> Self {
        Self {
            code: Code::Hresult(code),
            retry: Retry::No,
            document: None,
        }
    }
}

impl From<Code> for Fault {
    fn from(code: Code) -> Self {
        Self {
            code,
            retry: Retry::No,
            document: None,
        }
    }
}

impl From<PowerShellError> for Fault {
    fn from(error: PowerShellError) -> Self {
        Self {
            code: Code::PowerShell(error.into()),
            retry: Retry::No,
            document: None,
        }
    }
}

/// The outcome of a call that took effect.
pub(crate) type Outcome = Result<Step, Fault>;
