//! One of two hosts, chosen when the program runs.

use ipnet::Ipv4Net;
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork};
use wcow_hcs_schema::schema1::{
    ContainerProperties, ProcessParameters, ProcessStatus, PropertyType,
};
use wcow_ntmeta::{FileTime, Guid, HostPath};
use wcow_tree::{Entry, SinkError, StreamEnd, StreamRef, TreeSink};

use crate::codes::win32;
use crate::{
    Adapter, BaseImage, Clock, ComputeApi, ComputeService, CreateDocument, Diagnostics, DirEntry,
    EventRecord, Feature, FeatureState, FileBytes, FileLock, FileMetadata, FileSystem,
    FilterDriver, Hardware, Host, HostControl, HostError, HostInfo, HostProcess, Identity,
    Interface, LayerDescriptor, LayerStorage, Listener, Modification, NetNat, NetworkService,
    NewNetNat, NewStaticMapping, NewVmSwitch, Operation, Output, Package, PortRange, Precaution,
    ProcessHandle, RegistryValue, Route, SaveType, Service, ServiceSetup, Signal, StaticMapping,
    SwitchService, SystemEvent, SystemHandle, SystemId, SystemStatus, SystemSummary, TreeSummary,
    VmSwitch, Volume, WriteMode,
};

/// One of two hosts: every call goes to the one that is there.
///
/// A program that works on a simulated host or on a real one, as its user says, is generic over [`Host`] once, and takes this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The first one.
    Left(A),
    /// The second one.
    Right(B),
}

/// The tree that is written to one of two hosts.
#[derive(Debug)]
pub enum EitherTree<A, B> {
    /// To the first one.
    Left(A),
    /// To the second one.
    Right(B),
}

impl<A: Host, B: Host> Host for Either<A, B> {
    type Compute = Self;
    type Layers = Self;
    type Network = Self;
    type Switches = Self;
    type Control = Self;
    type Files = Self;
    type Clock = Self;
    type Diagnostics = Self;

    fn compute(&self) -> &Self {
        self
    }

    fn layers(&self) -> &Self {
        self
    }

    fn network(&self) -> &Self {
        self
    }

    fn switches(&self) -> &Self {
        self
    }

    fn control(&self) -> &Self {
        self
    }

    fn files(&self) -> &Self {
        self
    }

    fn clock(&self) -> &Self {
        self
    }

    fn diagnostics(&self) -> &Self {
        self
    }

    fn ignores(&self, precaution: Precaution) -> bool {
        match self {
            Self::Left(host) => host.ignores(precaution),
            Self::Right(host) => host.ignores(precaution),
        }
    }
}

/// A face of which every call goes to the same face of the host that is there.
macro_rules! faces {
    ($($face:ident, $of:ident {
        $(fn $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*
        $(also { $($also:tt)* })?
    })*) => {$(
        impl<A: Host, B: Host> $face for Either<A, B> {
            $(async fn $name(&self $(, $argument: $type)*) -> Result<$answer, HostError> {
                match self {
                    Self::Left(host) => host.$of().$name($($argument),*).await,
                    Self::Right(host) => host.$of().$name($($argument),*).await,
                }
            })*

            $($($also)*)?
        }
    )*};
}

faces! {
    ComputeService, compute {
        fn create(id: &SystemId, document: &CreateDocument) -> SystemHandle;
        fn open(id: &SystemId) -> SystemHandle;
        fn close(system: SystemHandle) -> ();
        fn enumerate() -> Vec<SystemSummary>;
        fn properties(system: SystemHandle, wanted: &[PropertyType]) -> ContainerProperties;
        fn status(system: SystemHandle) -> SystemStatus;
        fn start(system: SystemHandle) -> ();
        fn shutdown(system: SystemHandle) -> ();
        fn terminate(system: SystemHandle) -> ();
        fn pause(system: SystemHandle) -> ();
        fn resume(system: SystemHandle) -> ();
        fn save(system: SystemHandle, save: SaveType) -> ();
        fn modify(system: SystemHandle, change: &Modification) -> ();
        fn remove(id: &SystemId) -> ();
        fn next_event(system: SystemHandle) -> SystemEvent;
        fn create_process(system: SystemHandle, parameters: &ProcessParameters) -> ProcessHandle;
        fn open_process(system: SystemHandle, process_id: u32) -> ProcessHandle;
        fn process_status(process: ProcessHandle) -> ProcessStatus;
        fn wait_process(process: ProcessHandle) -> ProcessStatus;
        fn terminate_process(process: ProcessHandle) -> ();
        fn signal_process(process: ProcessHandle, signal: Signal) -> ();
        fn resize_console(process: ProcessHandle, size: [u16; 2]) -> ();
        fn read_output(process: ProcessHandle, output: Output, max: usize) -> Vec<u8>;
        fn output_ready(process: ProcessHandle, output: Output) -> bool;
        fn write_input(process: ProcessHandle, bytes: &[u8]) -> ();
        fn close_input(process: ProcessHandle) -> ();
        fn close_process(process: ProcessHandle) -> ();
        also {
            fn api(&self) -> ComputeApi {
                match self {
                    Self::Left(host) => host.compute().api(),
                    Self::Right(host) => host.compute().api(),
                }
            }
        }
    }

    LayerStorage, layers {
        fn process_base(layer: &HostPath) -> ();
        fn process_utility_vm(utility_vm: &HostPath) -> ();
        fn exists(layer: &HostPath) -> bool;
        fn create_scratch(scratch: &HostPath, parents: &[LayerDescriptor]) -> ();
        fn expand(scratch: &HostPath, bytes: u64) -> ();
        fn import(layer: &HostPath, folder: &HostPath, parents: &[LayerDescriptor]) -> ();
        fn export(layer: &HostPath, folder: &HostPath, parents: &[LayerDescriptor]) -> ();
        fn base_images() -> Vec<BaseImage>;
        fn activate(scratch: &HostPath) -> ();
        fn prepare(scratch: &HostPath, parents: &[LayerDescriptor]) -> ();
        fn mount_path(scratch: &HostPath) -> String;
        fn unprepare(scratch: &HostPath) -> ();
        fn deactivate(scratch: &HostPath) -> ();
        fn destroy(layer: &HostPath) -> ();
        fn grant_vm_access(machine: &SystemId, file: &HostPath) -> ();
    }

    NetworkService, network {
        fn create_network(network: &HnsNetwork) -> HnsNetwork;
        fn networks() -> Vec<HnsNetwork>;
        fn delete_network(id: Guid) -> ();
        fn create_endpoint(endpoint: &HnsEndpoint) -> HnsEndpoint;
        fn endpoints() -> Vec<HnsEndpoint>;
        fn delete_endpoint(id: Guid) -> ();
    }

    SwitchService, switches {
        fn switches() -> Vec<VmSwitch>;
        fn new_switch(switch: &NewVmSwitch) -> VmSwitch;
        fn remove_switch(name: &str) -> ();
        fn nats() -> Vec<NetNat>;
        fn new_nat(nat: &NewNetNat) -> NetNat;
        fn remove_nat(name: &str) -> ();
        fn static_mappings() -> Vec<StaticMapping>;
        fn add_static_mapping(mapping: &NewStaticMapping) -> StaticMapping;
        fn remove_static_mapping(nat: &str, id: u32) -> ();
        fn adapters() -> Vec<Adapter>;
    }

    HostControl, control {
        fn info() -> HostInfo;
        fn packages() -> Vec<Package>;
        fn add_package(name: &str) -> ();
        fn modules() -> Vec<String>;
        fn features() -> Vec<Feature>;
        fn enable_feature(name: &str) -> FeatureState;
        fn disable_feature(name: &str) -> FeatureState;
        fn services() -> Vec<Service>;
        fn restart_service(name: &str) -> ();
        fn start_service(name: &str) -> ();
        fn stop_service(name: &str) -> ();
        fn identity() -> Identity;
        fn reboot() -> ();
        fn new_guid() -> Guid;
    }

    Diagnostics, diagnostics {
        fn volumes() -> Vec<Volume>;
        fn filter_drivers() -> Vec<FilterDriver>;
        fn registry_values(keys: &[&str]) -> Vec<RegistryValue>;
        fn service_setups(names: &[&str]) -> Vec<ServiceSetup>;
        fn port_ranges() -> Vec<PortRange>;
        fn listeners() -> Vec<Listener>;
        fn routes() -> Vec<Route>;
        fn interfaces() -> Vec<Interface>;
        fn translated_prefixes() -> Vec<Ipv4Net>;
        fn hardware() -> Hardware;
        fn events(channels: &[&str], since: FileTime, max: usize) -> Vec<EventRecord>;
        fn processes() -> Vec<HostProcess>;
        fn attached_scratches() -> Vec<HostPath>;
        fn program_on_path(name: &str) -> Option<HostPath>;
    }

    FileSystem, files {
        fn metadata(path: &HostPath) -> Option<FileMetadata>;
        fn list(path: &HostPath) -> Vec<DirEntry>;
        fn create_dir_all(path: &HostPath) -> ();
        fn read(path: &HostPath, max: u64) -> FileBytes;
        fn write(path: &HostPath, bytes: &[u8], mode: WriteMode) -> ();
        fn copy_file(from: &HostPath, to: &HostPath) -> ();
        fn sync_file(path: &HostPath, step: Precaution) -> ();
        fn sync_dir(path: &HostPath, step: Precaution) -> ();
        fn sync_ancestors(path: &HostPath, step: Precaution) -> ();
        fn rename(from: &HostPath, to: &HostPath) -> ();
        fn replace(from: &HostPath, to: &HostPath) -> ();
        fn remove_file(path: &HostPath) -> ();
        fn remove_dir_all(path: &HostPath) -> ();
        fn lock(path: &HostPath) -> FileLock;
        fn unlock(lock: FileLock) -> ();
        also {
            type Tree = EitherTree<<A::Files as FileSystem>::Tree, <B::Files as FileSystem>::Tree>;

            async fn create_tree(&self, path: &HostPath) -> Result<Self::Tree, HostError> {
                Ok(match self {
                    Self::Left(host) => EitherTree::Left(host.files().create_tree(path).await?),
                    Self::Right(host) => EitherTree::Right(host.files().create_tree(path).await?),
                })
            }

            async fn finish_tree(
                &self,
                tree: Self::Tree,
                step: Precaution,
            ) -> Result<TreeSummary, HostError> {
                match (self, tree) {
                    (Self::Left(host), EitherTree::Left(tree)) => {
                        host.files().finish_tree(tree, step).await
                    }
                    (Self::Right(host), EitherTree::Right(tree)) => {
                        host.files().finish_tree(tree, step).await
                    }
                    _ => Err(HostError::new(Operation::WriteTree, "", win32::INVALID_HANDLE)),
                }
            }
        }
    }
}

impl<A: Host, B: Host> Clock for Either<A, B> {
    fn now(&self) -> FileTime {
        match self {
            Self::Left(host) => host.clock().now(),
            Self::Right(host) => host.clock().now(),
        }
    }

    async fn sleep_until(&self, time: FileTime) {
        match self {
            Self::Left(host) => host.clock().sleep_until(time).await,
            Self::Right(host) => host.clock().sleep_until(time).await,
        }
    }

    async fn deadline(&self, time: FileTime) {
        match self {
            Self::Left(host) => host.clock().deadline(time).await,
            Self::Right(host) => host.clock().deadline(time).await,
        }
    }
}

impl<A: TreeSink, B: TreeSink> TreeSink for EitherTree<A, B> {
    fn entry(&mut self, entry: &Entry) -> Result<(), SinkError> {
        match self {
            Self::Left(tree) => tree.entry(entry),
            Self::Right(tree) => tree.entry(entry),
        }
    }

    fn open_stream(&mut self, stream: StreamRef) -> Result<bool, SinkError> {
        match self {
            Self::Left(tree) => tree.open_stream(stream),
            Self::Right(tree) => tree.open_stream(stream),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        match self {
            Self::Left(tree) => tree.write(bytes),
            Self::Right(tree) => tree.write(bytes),
        }
    }

    fn close_stream(&mut self, end: StreamEnd) -> Result<(), SinkError> {
        match self {
            Self::Left(tree) => tree.close_stream(end),
            Self::Right(tree) => tree.close_stream(end),
        }
    }
}
