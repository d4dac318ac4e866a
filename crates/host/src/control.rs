//! The machine itself: what Windows it runs, what is installed, restarts, time.

use std::future::Future;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wcow_ntmeta::{FileTime, Guid};

use crate::{HostError, Identity};

/// What kind of installation a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EditionClass {
    /// Nano Server.
    Nano,
    /// Server Core.
    Core,
    /// Server with desktop.
    Full,
    /// Windows 10 or 11.
    Client,
}

/// What the host runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Machine {
    /// Hardware.
    Physical,
    /// A Hyper-V virtual machine.
    Virtual,
}

/// Which Windows this is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostInfo {
    /// The computer's name.
    pub name: Arc<str>,
    /// Build number: 10514 is Technical Preview 3, 20348 Windows Server 2022.
    pub build: u32,
    /// Update build revision.
    pub revision: u32,
    /// Kind of installation.
    pub class: EditionClass,
    /// EditionID of the registry, for example `ServerDatacenter`.
    pub edition: Arc<str>,
    /// What people call it, for example `Windows Server 2016 Technical Preview 3 (Nano Server)`.
    pub product: Arc<str>,
    /// Hardware or virtual machine.
    pub machine: Machine,
    /// Changes with every start of the machine.
    pub boot_id: Guid,
    /// True when something was installed that works only after a restart.
    pub reboot_pending: bool,
    /// Set on a simulated host: the profile it was made from. A real host never sets it.
    pub simulated: Option<Arc<str>>,
}

/// A package of a Nano Server, or an equivalent that is always there elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its short name: `Guest`, `Compute`, `OEM-Drivers`, `Containers`.
    pub name: String,
    /// True when it was added and the host was not restarted since.
    pub reboot_pending: bool,
}

/// An optional feature or role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    /// Its name: `Containers`, `Hyper-V`.
    pub name: String,
    /// Whether it is there.
    pub state: FeatureState,
}

/// Whether a feature is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeatureState {
    /// Off.
    Disabled,
    /// On.
    Enabled,
    /// On after the next restart.
    EnablePending,
    /// Off after the next restart.
    DisablePending,
}

/// A Windows service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its key name: `vmcompute`, `hns`, `vmms`.
    pub name: String,
    /// Whether it runs.
    pub state: ServiceState,
}

/// Whether a service runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceState {
    /// It runs.
    Running,
    /// It does not: somebody stopped it, or nothing started it.
    Stopped,
    /// It ended by itself, and the service manager has not started it again yet.
    Crashed,
}

/// The machine: what it is, what is installed on it, restarts.
pub trait HostControl: Send + Sync {
    /// Which Windows this is.
    ///
    /// # Errors
    /// The host cannot be reached.
    fn info(&self) -> impl Future<Output = Result<HostInfo, HostError>> + Send;

    /// The installed packages of a Nano Server, by name; empty elsewhere.
    ///
    /// # Errors
    /// The host cannot be reached.
    fn packages(&self) -> impl Future<Output = Result<Vec<Package>, HostError>> + Send;

    /// Adds a package to a Nano Server. Adding one that is there changes nothing.
    ///
    /// # Errors
    /// No such package for this build (0x2); not a Nano Server (0x32).
    fn add_package(&self, name: &str) -> impl Future<Output = Result<(), HostError>> + Send;

    /// The PowerShell modules that can be loaded, by name.
    ///
    /// # Errors
    /// The host cannot be reached.
    fn modules(&self) -> impl Future<Output = Result<Vec<String>, HostError>> + Send;

    /// The optional features, by name.
    ///
    /// # Errors
    /// The host cannot be reached.
    fn features(&self) -> impl Future<Output = Result<Vec<Feature>, HostError>> + Send;

    /// Turns a feature on; it may need a restart.
    ///
    /// # Errors
    /// No such feature (0x800F080C).
    fn enable_feature(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<FeatureState, HostError>> + Send;

    /// Turns a feature off; it may need a restart.
    ///
    /// # Errors
    /// No such feature (0x800F080C).
    fn disable_feature(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<FeatureState, HostError>> + Send;

    /// The services that containers need, by name.
    ///
    /// # Errors
    /// The host cannot be reached.
    fn services(&self) -> impl Future<Output = Result<Vec<Service>, HostError>> + Send;

    /// Restarts a service, or starts one that does not run.
    ///
    /// # Errors
    /// No such service (0x424).
    fn restart_service(&self, name: &str) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Starts a service. One that runs is left alone.
    ///
    /// # Errors
    /// No such service (0x424).
    fn start_service(&self, name: &str) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Stops a service until somebody or the next restart of the machine starts it. What it manages goes on where it can: containers,
    /// networks and switches outlive their services, handles and calls that wait do not.
    ///
    /// # Errors
    /// No such service (0x424); it cannot be stopped (0x5: the firewall's).
    fn stop_service(&self, name: &str) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Who the caller is to the host.
    ///
    /// # Errors
    /// The host cannot be reached.
    fn identity(&self) -> impl Future<Output = Result<Identity, HostError>> + Send;

    /// Restarts the machine; returns when it is up again. Everything that runs on it ends.
    ///
    /// # Errors
    /// The host cannot be reached.
    fn reboot(&self) -> impl Future<Output = Result<(), HostError>> + Send;

    /// A new GUID, as `CoCreateGuid` makes them.
    ///
    /// # Errors
    /// The host cannot be reached.
    fn new_guid(&self) -> impl Future<Output = Result<Guid, HostError>> + Send;
}

/// The host's clock.
pub trait Clock: Send + Sync {
    /// The time now, UTC.
    fn now(&self) -> FileTime;

    /// Sleeps until `time`.
    fn sleep_until(&self, time: FileTime) -> impl Future<Output = ()> + Send;

    /// Sleeps until `time`, for whoever hopes for something else to come first: the end of a client's patience. What it is dropped
    /// for is the usual case, and must cost next to nothing.
    fn deadline(&self, time: FileTime) -> impl Future<Output = ()> + Send {
        self.sleep_until(time)
    }
}
