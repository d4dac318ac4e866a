//! The waist: how every other part of wcow sees a Windows container host.
//!
//! A host has several faces, and each is one trait: [`ComputeService`] (compute systems and processes), [`LayerStorage`] (image
//! and scratch layers), [`NetworkService`] (HNS), [`SwitchService`] (Hyper-V switches and NetNat, how hosts had networks
//! before HNS), [`HostControl`] (the machine itself), [`FileSystem`] (NTFS as a store needs it), [`Clock`], and
//! [`Diagnostics`] (what tells why something fails). [`Host`] bundles them. `wcow-sim` implements them over a simulated world; a
//! real host implements them over Microsoft's DLLs.
//!
//! # Rules
//! * The traits are async and need no executor: a method returns a `Send` future, and whoever owns the future polls it.
//! * Dropping a future stops the waiting; it never cancels what the host is doing. No `Drop` touches the host.
//! * A failed call is a [`HostError`]: the code exactly as that generation of host gives it. Nothing in it tells more than a
//!   real host would; [`failures::candidates`] ranks the causes.
//! * Documents are typed (`wcow-hcs-schema`), ids are typed, nothing passes as a JSON string.
//!
//! What differs between Windows generations stands in [`era`], once; what can go wrong stands in [`failures`], once; codes and
//! their texts stand in [`codes`], once.
#![forbid(unsafe_code)]

pub mod client;
pub mod codes;
mod compute;
mod control;
mod diagnostics;
mod either;
pub mod era;
mod error;
pub mod failures;
mod files;
mod identity;
mod layers;
mod network;
mod precaution;
pub mod render;
mod switches;
pub mod utility_vm;

pub use compute::{
    ComputeApi, ComputeService, CreateDocument, ExitType, Modification, Output, ProcessHandle,
    SaveType, Signal, SystemEvent, SystemHandle, SystemId, SystemState, SystemStatus,
    SystemSummary,
};
pub use control::{
    Clock, EditionClass, Feature, FeatureState, HostControl, HostInfo, Machine, Package, Service,
    ServiceState,
};
pub use diagnostics::{
    Diagnostics, EventLevel, EventRecord, FilterDriver, Hardware, HostProcess, Interface, Listener,
    PortRange, RegistryData, RegistryValue, Route, ServiceSetup, StartMode, Volume,
};
pub use either::{Either, EitherTree};
pub use error::{Code, ErrorCategory, HostError, Operation, PowerShellError, Retry};
pub use files::{
    DirEntry, FileBytes, FileKind, FileLock, FileMetadata, FileSystem, Readings, TreeSummary,
    WriteMode, Written,
};
pub use identity::{Identity, Privilege};
pub use layers::{BaseImage, LayerDescriptor, LayerStorage};
pub use network::NetworkService;
pub use precaution::Precaution;
pub use switches::{
    Adapter, AdapterState, NetNat, NewNetNat, NewStaticMapping, NewVmSwitch, StaticMapping,
    SwitchService, SwitchType, TransportProtocol, VmSwitch,
};

/// All faces of one Windows host.
pub trait Host: Send + Sync {
    /// Compute systems and processes.
    type Compute: ComputeService;
    /// Image and scratch layers.
    type Layers: LayerStorage;
    /// The Host Network Service.
    type Network: NetworkService;
    /// Hyper-V switches and NetNat.
    type Switches: SwitchService;
    /// The machine itself.
    type Control: HostControl;
    /// Its file system.
    type Files: FileSystem;
    /// Its clock.
    type Clock: Clock;
    /// What tells why containers fail.
    type Diagnostics: Diagnostics;

    /// Compute systems and processes.
    fn compute(&self) -> &Self::Compute;
    /// Image and scratch layers.
    fn layers(&self) -> &Self::Layers;
    /// The Host Network Service.
    fn network(&self) -> &Self::Network;
    /// Hyper-V switches and NetNat.
    fn switches(&self) -> &Self::Switches;
    /// The machine itself.
    fn control(&self) -> &Self::Control;
    /// Its file system.
    fn files(&self) -> &Self::Files;
    /// Its clock.
    fn clock(&self) -> &Self::Clock;
    /// What tells why containers fail.
    fn diagnostics(&self) -> &Self::Diagnostics;

    /// Whether a rollback or a recovery is to be left undone, so that it can be seen that something breaks then. No real host ever
    /// says so.
    fn ignores(&self, precaution: Precaution) -> bool {
        let _ = precaution;
        false
    }
}

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
