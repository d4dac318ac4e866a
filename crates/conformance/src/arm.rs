//! How a host comes to the suite.

use std::future::Future;

use wcow_host::{Host, LayerDescriptor};
use wcow_ntmeta::HostPath;

/// A host that the suite runs against. Every test makes an arm of its own.
pub trait Arm {
    /// The host.
    type Host: Host;

    /// The host, as one client sees it.
    fn host(&self) -> &Self::Host;

    /// Runs a future to its end.
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T;

    /// An image that fits the host. `None`, with the reason, if this host has none for that isolation.
    ///
    /// # Errors
    /// Why there is none.
    fn image(&self, hyperv: bool) -> Result<Image, String>;

    /// Whether networks may be made on the host.
    ///
    /// # Errors
    /// Why not.
    fn networks(&self) -> Result<(), String>;

    /// An id for a compute system, a layer or a network that nothing else on the host has; another one with every call.
    fn fresh_id(&self) -> String;

    /// Whether the file system of the host is the one that its services see. Behind the simulator's DLLs it is not: rules that need files
    /// of their own are skipped, and the own disk of a virtual machine, which is a copy of a file, is made as a scratch layer in its place.
    fn reaches_files(&self) -> bool {
        true
    }

    /// Whether this is a real host: rules that nobody has shown are then reported, not enforced.
    fn is_real(&self) -> bool;
}

/// A base image on a host.
#[derive(Clone, Debug)]
pub struct Image {
    /// Its layers, nearest first, base last.
    pub layers: Vec<LayerDescriptor>,
    /// A folder in which scratch layers can be made.
    pub scratch_root: HostPath,
}
