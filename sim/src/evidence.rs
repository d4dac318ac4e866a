//! What a simulated host shows to a diagnosis beside its own state.

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use wcow_host::{
    EventRecord, FilterDriver, Interface, Listener, PortRange, RegistryValue, Route, ServiceSetup,
    ServiceState, StartMode, Volume,
};
use wcow_ntmeta::HostPath;

/// What is around the containers of a simulated host: drivers, registry values, ports, routes, events. Nothing in it changes what the
/// host does with containers; it is what `wcow host doctor` looks at. Its default is a host on which nothing is wrong.
///
/// What the host knows anyway is not here: free space, adapters, networks, running services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Evidence {
    /// The file system of `C:`.
    pub file_system: String,
    /// Further volumes.
    pub volumes: Vec<Volume>,
    /// Loaded filter drivers beside those of Windows.
    pub filters: Vec<FilterDriver>,
    /// Registry values.
    pub registry: Vec<RegistryValue>,
    /// Services that containers do without. Those that they need are the host's own: see `Profile::services`.
    pub services: Vec<ServiceSetup>,
    /// Names of the host's own services that somebody disabled. The others start with the machine.
    pub disabled_services: Vec<String>,
    /// Excluded and reserved ranges of ports.
    pub port_ranges: Vec<PortRange>,
    /// Listening sockets.
    pub listeners: Vec<Listener>,
    /// Routes beside those that the interfaces bring.
    pub routes: Vec<Route>,
    /// Interfaces that are there beside those of adapters, switches and networks, or in the place of the one of their name.
    pub interfaces: Vec<Interface>,
    /// Names of interfaces that should be there and are not.
    pub missing_interfaces: Vec<String>,
    /// Prefixes of networks that WinNAT has lost.
    pub untranslated: Vec<Ipv4Net>,
    /// Whether the processors let the host run virtual machines; `None` for what its build and machine come to.
    pub virtualization: Option<bool>,
    /// Whether the virtual machine may send under other MAC addresses; `None` if it does not know.
    pub mac_spoofing: Option<bool>,
    /// Entries of the event logs.
    pub events: Vec<EventRecord>,
    /// Programs that the PATH leads to.
    pub programs: Vec<HostPath>,
    /// Scratch layers that somebody outside of the host's own services has attached.
    pub attached: Vec<HostPath>,
}

impl Evidence {
    /// True if nothing in it differs from a host on which nothing is wrong.
    #[must_use]
    pub fn is_ordinary(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Evidence {
    fn default() -> Self {
        Self {
            file_system: "NTFS".to_owned(),
            volumes: Vec::new(),
            filters: Vec::new(),
            registry: Vec::new(),
            services: vec![ServiceSetup {
                name: "SharedAccess".to_owned(),
                start: StartMode::Manual,
                state: ServiceState::Stopped,
            }],
            disabled_services: Vec::new(),
            port_ranges: Vec::new(),
            listeners: Vec::new(),
            routes: Vec::new(),
            interfaces: Vec::new(),
            missing_interfaces: Vec::new(),
            untranslated: Vec::new(),
            virtualization: None,
            mac_spoofing: None,
            events: Vec::new(),
            programs: Vec::new(),
            attached: Vec::new(),
        }
    }
}
