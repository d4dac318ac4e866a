//! Looking at a host once, for all checks.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use wcow_host::client::Client;
use wcow_host::{
    Adapter, Clock, Diagnostics, EventRecord, Feature, FileMetadata, FileSystem, FilterDriver,
    Hardware, Host, HostControl, HostError, HostInfo, HostProcess, Identity, Interface, Listener,
    NetNat, NetworkService, Package, PortRange, RegistryData, RegistryValue, Route, Service,
    ServiceSetup, StaticMapping, SwitchService, SystemSummary, VmSwitch, Volume, era,
};
use wcow_image_store::{ImageList, ImageStore, StoreError, ValidationError};
use wcow_ntmeta::{FileTime, Guid, HostPath};

use crate::containers::ContainerRecord;
use crate::networks::LookedNetwork;
use crate::records::Folder;
use crate::{Engine, EngineError};

/// Below `HKEY_LOCAL_MACHINE`: what the container services are told.
pub(super) const CONTAINERS_KEY: &str =
    r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Virtualization\Containers";
/// Policies of BitLocker.
pub(super) const BITLOCKER_KEY: &str = r"SYSTEM\CurrentControlSet\Policies\Microsoft\FVE";
/// IPv6.
pub(super) const IPV6_KEY: &str = r"SYSTEM\CurrentControlSet\Services\Tcpip6\Parameters";
/// The source of docker's entries in the event log.
pub(super) const DOCKER_SOURCE_KEY: &str =
    r"SYSTEM\CurrentControlSet\Services\EventLog\Application\docker";

/// Services that are asked for beside those of containers.
pub(super) const DOCKER_SERVICES: [&str; 2] = ["docker", "com.docker.service"];
/// Windows' firewall.
pub(super) const FIREWALL: &str = "MpsSvc";
/// Internet Connection Sharing.
pub(super) const SHARING: &str = "SharedAccess";

/// The event logs that tell of containers.
pub(super) const CHANNELS: [&str; 6] = [
    "System",
    "Application",
    "Microsoft-Windows-Hyper-V-Compute-Admin",
    "Microsoft-Windows-Hyper-V-Compute-Operational",
    "Microsoft-Windows-Containers-Wcifs/Operational",
    "Microsoft-Windows-Containers-Wcnfs/Operational",
];
/// How far back they are read, in ticks of 100 ns: 24 hours.
const RECENT: u64 = 24 * 60 * 60 * 10_000_000;
/// How many entries are read at the most.
const MOST_EVENTS: usize = 200;
/// How many folders of users are looked into for what was left in them.
const MOST_USERS: usize = 100;

/// An answer of the host.
pub(super) type Answer<T> = Result<T, HostError>;

/// What was seen of a host.
pub(super) struct Seen {
    pub(super) info: HostInfo,
    /// Every call that failed.
    pub(super) errors: Vec<HostError>,
    pub(super) identity: Answer<Identity>,
    pub(super) packages: Answer<Vec<Package>>,
    pub(super) modules: Answer<Vec<String>>,
    pub(super) features: Answer<Vec<Feature>>,
    pub(super) services: Answer<Vec<Service>>,
    pub(super) setups: Answer<Vec<ServiceSetup>>,
    pub(super) volumes: Answer<Vec<Volume>>,
    pub(super) filters: Answer<Vec<FilterDriver>>,
    pub(super) registry: Answer<Vec<RegistryValue>>,
    pub(super) port_ranges: Answer<Vec<PortRange>>,
    pub(super) listeners: Answer<Vec<Listener>>,
    pub(super) routes: Answer<Vec<Route>>,
    pub(super) interfaces: Answer<Vec<Interface>>,
    pub(super) translated: Answer<Vec<Ipv4Net>>,
    pub(super) hardware: Answer<Hardware>,
    pub(super) events: Answer<Vec<EventRecord>>,
    pub(super) processes: Answer<Vec<HostProcess>>,
    pub(super) attached: Answer<Vec<HostPath>>,
    pub(super) docker_program: Answer<Option<HostPath>>,
    pub(super) systems: Answer<Vec<SystemSummary>>,
    pub(super) switches: Answer<Vec<VmSwitch>>,
    pub(super) nats: Answer<Vec<NetNat>>,
    pub(super) mappings: Answer<Vec<StaticMapping>>,
    pub(super) adapters: Answer<Vec<Adapter>>,
    pub(super) networks: Answer<Vec<SeenNetwork>>,
    pub(super) endpoints: Answer<Vec<SeenEndpoint>>,
    /// Where HNS keeps what it knows across restarts.
    pub(super) hns_data: Answer<Option<FileMetadata>>,
    /// Folders that layer imports left in folders for temporary files.
    pub(super) left_temp: Answer<Vec<HostPath>>,
    /// The scratch layers on the disk, each by the path that it is called by.
    pub(super) scratches: Answer<Vec<HostPath>>,
    /// Of each container, what of its layers is not there.
    pub(super) missing_layers: Answer<Vec<(String, HostPath)>>,
    pub(super) containers: Answer<Vec<ContainerRecord>>,
    pub(super) recorded_networks: Answer<Vec<LookedNetwork>>,
    /// Records that cannot be read.
    pub(super) bad_records: Vec<String>,
    pub(super) images: Result<ImageList, StoreError>,
    /// Of each image, what is wrong with it.
    pub(super) image_errors: Vec<(String, Result<Vec<ValidationError>, StoreError>)>,
    /// What installs and removals of images left that were cut off.
    pub(super) unfinished_images: Result<Vec<HostPath>, StoreError>,
}

/// A network of the Host Network Service.
pub(super) struct SeenNetwork {
    pub(super) id: String,
    pub(super) name: String,
    /// Its type, in lower case.
    pub(super) kind: String,
    /// The adapter under it, if it is bound to one.
    pub(super) adapter: String,
    /// Its subnets, with their gateways.
    pub(super) subnets: Vec<(Ipv4Net, Option<Ipv4Addr>)>,
}

/// An endpoint of the Host Network Service.
pub(super) struct SeenEndpoint {
    pub(super) id: Option<Guid>,
    pub(super) name: String,
    pub(super) address: String,
    /// The number of its state, where the host tells it: 5 is degraded.
    pub(super) state: Option<u64>,
    /// The compute systems that use it.
    pub(super) systems: Vec<String>,
}

impl Seen {
    /// Asks the host for everything. Only the first call must succeed.
    pub(super) async fn gather<H: Host>(engine: &Engine<H>) -> Result<Self, EngineError> {
        let info = engine.info().await?;
        let host = engine.host();
        let (control, files, switches) = (host.control(), host.files(), host.switches());
        let diagnostics = host.diagnostics();
        let now = host.clock().now();
        let since = FileTime::from_ticks(now.ticks().saturating_sub(RECENT));
        let keys = [CONTAINERS_KEY, BITLOCKER_KEY, IPV6_KEY, DOCKER_SOURCE_KEY];
        let [docker, desktop] = DOCKER_SERVICES;
        let hns = era::has_hns(info.build);
        // Folders before records: what is made while this looks has its record first.
        let scratches = scratches(host, info.build).await;
        let endpoints = if hns {
            endpoints(host).await
        } else {
            Ok(Vec::new())
        };
        let systems = systems(host).await;
        let (containers, mut bad) = split(engine.peek_records(Folder::Containers).await);
        let (recorded_networks, bad_networks) = split(engine.look_at_networks().await);
        bad.extend(bad_networks);
        let missing_layers = match &containers {
            Ok(containers) => missing_layers(host, info.build, containers, &scratches).await,
            Err(error) => Err(error.clone()),
        };
        let store = ImageStore::open_read_only(host);
        let images = store.list().await;
        let mut image_errors = Vec::new();
        for image in images.iter().flat_map(|list| &list.images) {
            let tested = store.test(&image.full_name).await;
            image_errors.push((image.full_name.clone(), tested));
        }
        let mut seen = Self {
            identity: control.identity().await,
            packages: control.packages().await,
            modules: control.modules().await,
            features: control.features().await,
            services: control.services().await,
            setups: diagnostics
                .service_setups(&[docker, desktop, FIREWALL, SHARING])
                .await,
            volumes: diagnostics.volumes().await,
            filters: diagnostics.filter_drivers().await,
            registry: diagnostics.registry_values(&keys).await,
            port_ranges: diagnostics.port_ranges().await,
            listeners: diagnostics.listeners().await,
            routes: diagnostics.routes().await,
            interfaces: diagnostics.interfaces().await,
            translated: diagnostics.translated_prefixes().await,
            hardware: diagnostics.hardware().await,
            events: diagnostics.events(&CHANNELS, since, MOST_EVENTS).await,
            processes: diagnostics.processes().await,
            attached: diagnostics.attached_scratches().await,
            docker_program: diagnostics.program_on_path("docker.exe").await,
            systems,
            switches: switches.switches().await,
            nats: switches.nats().await,
            mappings: switches.static_mappings().await,
            adapters: switches.adapters().await,
            networks: if hns {
                networks(host).await
            } else {
                Ok(Vec::new())
            },
            endpoints,
            hns_data: files.metadata(&hns_data()).await,
            left_temp: left_temp(host).await,
            scratches,
            missing_layers,
            containers,
            recorded_networks,
            bad_records: bad,
            unfinished_images: store.unfinished().await,
            images,
            image_errors,
            info,
            errors: Vec::new(),
        };
        seen.errors = seen.failed_calls();
        Ok(seen)
    }

    /// A registry value.
    pub(super) fn value(&self, key: &str, name: &str) -> Answer<Option<&RegistryData>> {
        let values = self.registry.as_ref().map_err(Clone::clone)?;
        let found = values.iter().find(|value| {
            value.key.eq_ignore_ascii_case(key) && value.name.eq_ignore_ascii_case(name)
        });
        Ok(found.map(|value| &value.data))
    }

    /// Whether the container feature, or on Nano Server the package, works.
    pub(super) fn has_package(&self, name: &str) -> bool {
        self.packages.as_ref().is_ok_and(|packages| {
            packages
                .iter()
                .any(|package| package.name.eq_ignore_ascii_case(name))
        })
    }

    /// Whether a PowerShell module can be loaded; `None` if the host does not say.
    pub(super) fn has_module(&self, name: &str) -> Option<bool> {
        let modules = self.modules.as_ref().ok()?;
        Some(
            modules
                .iter()
                .any(|module| module.eq_ignore_ascii_case(name)),
        )
    }

    /// The containers whose compute system should be there.
    pub(super) fn started(&self) -> impl Iterator<Item = &ContainerRecord> {
        let containers = self.containers.iter().flatten();
        containers.filter(|record| record.running.is_some() && !record.is_partial())
    }

    /// The prefixes that are translated for networks of this host, with the network of each.
    pub(super) fn nat_networks(&self) -> Vec<(String, Ipv4Net, Option<Ipv4Addr>)> {
        let mut found = Vec::new();
        for network in self.networks.iter().flatten() {
            if network.kind == "nat" {
                for &(prefix, gateway) in &network.subnets {
                    found.push((network.name.clone(), prefix, gateway));
                }
            }
        }
        for switch in self.switches.iter().flatten() {
            if let Some(prefix) = switch.nat_subnet {
                found.push((switch.name.clone(), prefix, prefix.hosts().next()));
            }
        }
        found
    }

    fn failed_calls(&self) -> Vec<HostError> {
        let errors = [
            self.identity.as_ref().err(),
            self.packages.as_ref().err(),
            self.modules.as_ref().err(),
            self.features.as_ref().err(),
            self.services.as_ref().err(),
            self.setups.as_ref().err(),
            self.volumes.as_ref().err(),
            self.filters.as_ref().err(),
            self.registry.as_ref().err(),
            self.port_ranges.as_ref().err(),
            self.listeners.as_ref().err(),
            self.routes.as_ref().err(),
            self.interfaces.as_ref().err(),
            self.translated.as_ref().err(),
            self.hardware.as_ref().err(),
            self.events.as_ref().err(),
            self.processes.as_ref().err(),
            self.attached.as_ref().err(),
            self.docker_program.as_ref().err(),
            self.systems.as_ref().err(),
            self.switches.as_ref().err(),
            self.nats.as_ref().err(),
            self.mappings.as_ref().err(),
            self.adapters.as_ref().err(),
            self.networks.as_ref().err(),
            self.endpoints.as_ref().err(),
            self.hns_data.as_ref().err(),
            self.left_temp.as_ref().err(),
            self.scratches.as_ref().err(),
            self.missing_layers.as_ref().err(),
            self.containers.as_ref().err(),
            self.recorded_networks.as_ref().err(),
            self.images.as_ref().err().and_then(StoreError::host_error),
        ];
        errors.into_iter().flatten().cloned().collect()
    }
}

/// Where the Host Network Service keeps its objects.
pub(super) fn hns_data() -> HostPath {
    HostPath::root("C:").join(r"ProgramData\Microsoft\Windows\HNS\HNS.data")
}

/// The records that could be read, and what is wrong with the others.
fn split<T>(
    answer: Result<(Vec<T>, Vec<EngineError>), HostError>,
) -> (Answer<Vec<T>>, Vec<String>) {
    match answer {
        Ok((records, bad)) => (Ok(records), bad.iter().map(ToString::to_string).collect()),
        Err(error) => (Err(error), Vec::new()),
    }
}

fn is_not_found(error: &HostError) -> bool {
    error.is_win32(0x2) || error.is_win32(0x3)
}

async fn networks<H: Host>(host: &H) -> Answer<Vec<SeenNetwork>> {
    let networks = host.network().networks().await?;
    let seen = networks.into_iter().map(|network| SeenNetwork {
        kind: network.kind.to_lowercase(),
        subnets: network
            .subnets
            .iter()
            .filter_map(|subnet| {
                let prefix = subnet.address_prefix.parse().ok()?;
                Some((prefix, subnet.gateway_address.parse().ok()))
            })
            .collect(),
        adapter: network.network_adapter_name,
        id: network.id,
        name: network.name,
    });
    Ok(seen.collect())
}

async fn systems<H: Host>(host: &H) -> Answer<Vec<SystemSummary>> {
    let systems = Client::new(host).list().await?;
    Ok(systems.into_iter().map(|(system, _)| system).collect())
}

async fn endpoints<H: Host>(host: &H) -> Answer<Vec<SeenEndpoint>> {
    let endpoints = host.network().endpoints().await?;
    let seen = endpoints.into_iter().map(|endpoint| SeenEndpoint {
        id: endpoint.id.parse().ok(),
        state: endpoint
            .unknown
            .get("State")
            .and_then(serde_json::Value::as_u64),
        name: endpoint.name,
        address: endpoint.ip_address,
        systems: endpoint.shared_containers,
    });
    Ok(seen.collect())
}

/// The scratch layers in the folder that this program, or on technical previews the host, keeps them in.
async fn scratches<H: Host>(host: &H, build: u32) -> Answer<Vec<HostPath>> {
    let Some(folder) = era::scratch_folder(build, "x").parent() else {
        return Ok(Vec::new());
    };
    let entries = match host.files().list(&folder).await {
        Err(error) if is_not_found(&error) => return Ok(Vec::new()),
        answer => answer?,
    };
    let disks = era::containers_persist(build);
    let found = entries.into_iter().filter_map(|entry| {
        let name = entry.name.to_string();
        if disks {
            let stem = name.strip_suffix(".vhdx")?;
            Some(folder.join(stem))
        } else {
            Some(folder.join(&name))
        }
    });
    Ok(found.collect())
}

/// What containers need and is not there: their scratch disks, and the files of the images below. Each image is looked at once.
async fn missing_layers<H: Host>(
    host: &H,
    build: u32,
    containers: &[ContainerRecord],
    scratches: &Answer<Vec<HostPath>>,
) -> Answer<Vec<(String, HostPath)>> {
    let files = host.files();
    let there: BTreeSet<String> = scratches
        .as_ref()
        .map_err(Clone::clone)?
        .iter()
        .map(|path| path.to_string().to_uppercase())
        .collect();
    let mut layers: Vec<(HostPath, bool)> = Vec::new();
    let mut missing = Vec::new();
    for record in containers.iter().filter(|record| !record.is_partial()) {
        for layer in &record.created.spec.layers {
            let known = layers.iter().find(|(path, _)| *path == layer.path);
            let is_there = match known {
                Some(&(_, is_there)) => is_there,
                None => {
                    let is_there = files.metadata(&layer.path.join("files")).await?.is_some();
                    layers.push((layer.path.clone(), is_there));
                    is_there
                }
            };
            if !is_there {
                missing.push((record.name.clone(), layer.path.clone()));
            }
        }
        let scratch = &record.created.scratch;
        let listed = there.contains(&scratch.to_string().to_uppercase());
        let whole = listed
            && (era::containers_persist(build)
                || files
                    .metadata(&scratch.join("sandbox.vhdx"))
                    .await?
                    .is_some());
        if !whole {
            missing.push((record.name.clone(), scratch.clone()));
        }
    }
    Ok(missing)
}

/// Folders `hcs...` in the folders for temporary files of the system and of its users.
async fn left_temp<H: Host>(host: &H) -> Answer<Vec<HostPath>> {
    let files = host.files();
    let list = async |folder: &HostPath| match files.list(folder).await {
        Err(error) if is_not_found(&error) => Ok(Vec::new()),
        answer => answer,
    };
    let drive = HostPath::root("C:");
    let mut folders = vec![
        drive.join(r"Windows\SystemTemp"),
        drive.join(r"Windows\Temp"),
    ];
    let users = drive.join("Users");
    for user in list(&users).await?.into_iter().take(MOST_USERS) {
        let mut folder = users.clone();
        if folder.push(user.name.units()).is_ok() {
            folders.push(folder.join(r"AppData\Local\Temp"));
        }
    }
    let mut left = Vec::new();
    for folder in folders {
        for entry in list(&folder).await? {
            let is_import = entry.name.to_string().to_lowercase().starts_with("hcs");
            let mut path = folder.clone();
            if is_import && path.push(entry.name.units()).is_ok() {
                left.push(path);
            }
        }
    }
    Ok(left)
}
