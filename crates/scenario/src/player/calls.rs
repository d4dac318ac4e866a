//! Calls straight to the host.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use wcow_engine::EngineError;
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork, NatPolicy, Policy, Subnet};
use wcow_hcs_schema::schema1::{ContainerConfig, Layer, MappedDirectory, ProcessParameters};
use wcow_hcs_schema::tp3::Tp3ContainerConfig;
use wcow_host::utility_vm::UtilityVm;
use wcow_host::{
    Clock, ComputeService, CreateDocument, FileLock, FileSystem, Host, HostControl,
    LayerDescriptor, LayerStorage, NetworkService, NewStaticMapping, ProcessHandle, SwitchService,
    SystemHandle, SystemId, TransportProtocol, WriteMode, era,
};
use wcow_ntmeta::{FileTime, Guid, HostPath};

use super::{Player, direct, lines};
use crate::Call;

/// How long after a start its end is asked for, in ticks of 100 ns.
const MEANWHILE: u64 = 1_000_000;

/// From which document a compute system is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The host's own, process-isolated.
    Own,
    /// The host's own, with Hyper-V isolation.
    HyperV,
    /// The one of Technical Preview 3.
    Other,
}

/// What a compute system is to be and to get.
#[derive(Clone, Copy)]
struct Asked<'c> {
    form: Form,
    endpoints_of: Option<&'c str>,
    memory_mib: Option<u32>,
    mapped: Option<&'c str>,
}

/// What earlier calls of a scenario keep open.
#[derive(Debug, Default)]
pub(super) struct Hands(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    files: Vec<FileLock>,
    systems: BTreeMap<String, SystemHandle>,
    processes: BTreeMap<String, ProcessHandle>,
}

impl Hands {
    fn with<T>(&self, work: impl FnOnce(&mut Open) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<H: Host> Player<'_, H> {
    /// Makes a call; what it answers, for people.
    pub(super) async fn call(&self, call: &Call) -> Result<String, EngineError> {
        match call {
            Call::HnsNetwork { .. }
            | Call::DeleteHnsNetwork(_)
            | Call::HnsEndpoint { .. }
            | Call::DeleteHnsEndpoint(_)
            | Call::RemoveSwitch(_)
            | Call::RemoveNat(_)
            | Call::AddStaticMapping { .. } => self.network_call(call).await,
            Call::OpenSystem(_)
            | Call::CreateSystem { .. }
            | Call::StartSystem(_)
            | Call::StartAndTerminate(_)
            | Call::PauseSystem(_)
            | Call::QuerySystem(_)
            | Call::TerminateSystem(_)
            | Call::CreateProcess { .. }
            | Call::OpenProcess { .. }
            | Call::WaitProcess(_)
            | Call::TerminateProcess(_) => self.compute_call(call).await,
            Call::RestartService(name) => {
                let control = self.engine.host().control();
                done(direct(doing(call), control.restart_service(name)).await)
            }
            Call::StopService(name) => {
                let control = self.engine.host().control();
                done(direct(doing(call), control.stop_service(name)).await)
            }
            Call::StartService(name) => {
                let control = self.engine.host().control();
                done(direct(doing(call), control.start_service(name)).await)
            }
            Call::ProcessBase(_)
            | Call::CreateScratch { .. }
            | Call::MountLayer { .. }
            | Call::MountTogether { .. }
            | Call::ExportLayer { .. }
            | Call::ImportLayer { .. }
            | Call::ExpandScratch { .. }
            | Call::UnprepareLayer(_)
            | Call::DestroyLayer(_) => self.layer_call(call).await,
            Call::CreateMachine(name) => self.create_machine(doing(call), name).await,
            Call::GrantMachine { container, file } => {
                let machine = UtilityVm::id_of(&self.system_id(container).await);
                let file = self.place(file).await?;
                let granted = self.engine.host().layers().grant_vm_access(&machine, &file);
                done(direct(doing(call), granted).await)
            }
            Call::HoldFile(_)
            | Call::ReleaseFiles
            | Call::WriteFile { .. }
            | Call::DeleteFile(_)
            | Call::MakeFolder(_)
            | Call::DeleteFolder(_) => self.file_call(call).await,
        }
    }

    async fn file_call(&self, call: &Call) -> Result<String, EngineError> {
        let files = self.engine.host().files();
        let doing = doing(call);
        match call {
            Call::HoldFile(path) => {
                let path = self.place(path).await?;
                let lock = direct(doing, files.lock(&path)).await?;
                self.hands.with(|open| open.files.push(lock));
            }
            Call::ReleaseFiles => {
                for lock in self.hands.with(|open| std::mem::take(&mut open.files)) {
                    direct(doing.clone(), files.unlock(lock)).await?;
                }
            }
            Call::WriteFile { path, bytes } => {
                let path = self.place(path).await?;
                let bytes = vec![0; usize::try_from(*bytes).unwrap_or_default()];
                direct(doing, files.write(&path, &bytes, WriteMode::Overwrite)).await?;
            }
            Call::DeleteFile(path) => {
                direct(doing, files.remove_file(&self.place(path).await?)).await?;
            }
            Call::MakeFolder(path) => {
                direct(doing, files.create_dir_all(&self.place(path).await?)).await?;
            }
            Call::DeleteFolder(path) => {
                direct(doing, files.remove_dir_all(&self.place(path).await?)).await?;
            }
            _ => {}
        }
        Ok(String::new())
    }

    async fn network_call(&self, call: &Call) -> Result<String, EngineError> {
        let (network, switches) = (self.engine.host().network(), self.engine.host().switches());
        let doing = doing(call);
        match call {
            Call::RemoveSwitch(name) => done(direct(doing, switches.remove_switch(name)).await),
            Call::RemoveNat(name) => done(direct(doing, switches.remove_nat(name)).await),
            Call::AddStaticMapping {
                nat,
                port,
                address,
                to,
            } => {
                let wanted = NewStaticMapping {
                    nat: nat.clone(),
                    protocol: TransportProtocol::Tcp,
                    external_port: *port,
                    internal_address: *address,
                    internal_port: *to,
                };
                direct(doing, switches.add_static_mapping(&wanted)).await?;
                Ok(format!("{port} to {address}:{to}\n"))
            }
            Call::HnsNetwork {
                name,
                kind,
                subnet,
                gateway,
            } => {
                let subnet = subnet.map(|subnet| Subnet {
                    address_prefix: subnet.to_string(),
                    gateway_address: gateway.map_or_else(String::new, |to| to.to_string()),
                    ..Subnet::default()
                });
                let wanted = HnsNetwork {
                    name: name.clone(),
                    kind: kind.clone(),
                    subnets: subnet.into_iter().collect(),
                    ..HnsNetwork::default()
                };
                let made = direct(doing, network.create_network(&wanted)).await?;
                let subnets = made.subnets.iter().map(|subnet| &subnet.address_prefix);
                Ok(lines(subnets.map(|subnet| format!("{name}  {subnet}"))))
            }
            Call::DeleteHnsNetwork(name) => {
                let id = self.network_id(name).await?;
                done(direct(doing, network.delete_network(id)).await)
            }
            Call::HnsEndpoint {
                network: on,
                id,
                address,
                publish,
            } => {
                let policy = |&port: &u16| {
                    Policy::Nat(NatPolicy {
                        protocol: "TCP".to_owned(),
                        internal_port: port,
                        external_port: port,
                        ..NatPolicy::default()
                    })
                };
                let wanted = HnsEndpoint {
                    id: id.clone().unwrap_or_default(),
                    virtual_network: self.network_id(on).await?.to_string(),
                    ip_address: address.map_or_else(String::new, |address| address.to_string()),
                    policies: publish.iter().map(policy).collect(),
                    ..HnsEndpoint::default()
                };
                let made = direct(doing, network.create_endpoint(&wanted)).await?;
                Ok(format!("{}\n", made.ip_address))
            }
            Call::DeleteHnsEndpoint(id) => {
                let id = id.parse().unwrap_or(Guid::NIL);
                done(direct(doing, network.delete_endpoint(id)).await)
            }
            _ => Ok(String::new()),
        }
    }

    async fn compute_call(&self, call: &Call) -> Result<String, EngineError> {
        let compute = self.engine.host().compute();
        let doing = doing(call);
        match call {
            Call::OpenSystem(name) => {
                let id = self.system_id(name).await;
                let handle = direct(doing, compute.open(&id)).await?;
                self.hands
                    .with(|open| open.systems.insert(name.clone(), handle));
                Ok(String::new())
            }
            Call::CreateSystem {
                container,
                other_form,
                hyper_v,
                endpoints_of,
                memory_mib,
                mapped,
            } => {
                let form = match (other_form, hyper_v) {
                    (true, _) => Form::Other,
                    (false, true) => Form::HyperV,
                    (false, false) => Form::Own,
                };
                let asked = Asked {
                    form,
                    endpoints_of: endpoints_of.as_deref(),
                    memory_mib: *memory_mib,
                    mapped: mapped.as_deref(),
                };
                self.create_system(doing, container, asked).await
            }
            Call::PauseSystem(name) => done(direct(doing, compute.pause(self.system(name))).await),
            Call::StartSystem(name) => done(direct(doing, compute.start(self.system(name))).await),
            Call::StartAndTerminate(name) => {
                let handle = self.system(name);
                let start = compute.start(handle);
                let clock = self.engine.host().clock();
                // The start must have arrived, and must not be over: it takes a third of a second at least.
                let meanwhile = FileTime::from_ticks(clock.now().ticks().saturating_add(MEANWHILE));
                let terminate = async {
                    clock.sleep_until(meanwhile).await;
                    compute.terminate(handle).await
                };
                let start = async { both(start, terminate).await.0 };
                done(direct(doing, start).await)
            }
            Call::QuerySystem(name) => {
                let status = direct(doing, compute.status(self.system(name))).await?;
                Ok(format!("{:?}\n", status.state))
            }
            Call::TerminateSystem(name) => {
                done(direct(doing, compute.terminate(self.system(name))).await)
            }
            Call::CreateProcess { container, command } => {
                let parameters = ProcessParameters {
                    command_line: command.clone(),
                    ..ProcessParameters::default()
                };
                let system = self.system(container);
                let process = direct(doing, compute.create_process(system, &parameters)).await?;
                self.hands
                    .with(|open| open.processes.insert(container.clone(), process));
                Ok(String::new())
            }
            Call::OpenProcess { container, id } => {
                let system = self.system(container);
                direct(doing, compute.open_process(system, *id)).await?;
                Ok(String::new())
            }
            Call::WaitProcess(name) => {
                let status = direct(doing, compute.wait_process(self.process(name))).await?;
                Ok(format!("exit code {}\n", status.exit_code))
            }
            Call::TerminateProcess(name) => {
                done(direct(doing, compute.terminate_process(self.process(name))).await)
            }
            _ => Ok(String::new()),
        }
    }

    /// Mounts the layers of a container and makes its compute system; unmounts them if that fails.
    async fn create_system(
        &self,
        doing: String,
        container: &str,
        asked: Asked<'_>,
    ) -> Result<String, EngineError> {
        let form = asked.form;
        let host = self.engine.host();
        let layers = host.layers();
        let summary = self.engine.container(container).await?;
        let scratch = self.place(&format!("scratch:{container}")).await?;
        let parent = self.parent(&summary.image).await?;
        let parents = std::slice::from_ref(&parent);
        let mut volume_path = String::new();
        if form != Form::HyperV {
            direct(doing.clone(), layers.activate(&scratch)).await?;
            direct(doing.clone(), layers.prepare(&scratch, parents)).await?;
            volume_path = direct(doing.clone(), layers.mount_path(&scratch)).await?;
        }
        let mut endpoint_list = Vec::new();
        if let Some(other) = asked.endpoints_of {
            let other = self.system_id(other).await;
            let endpoints = direct(doing.clone(), host.network().endpoints()).await?;
            let its = endpoints
                .into_iter()
                .filter(|endpoint| endpoint.shared_containers.contains(&other.0));
            endpoint_list = its.map(|endpoint| endpoint.id).collect();
        }
        let layer = Layer {
            id: parent.id.to_string(),
            path: parent.path.to_string(),
            ..Layer::default()
        };
        let document = if form == Form::Other {
            CreateDocument::TechnicalPreview(Tp3ContainerConfig {
                system_type: "Container".to_owned(),
                name: container.to_owned(),
                layer_folder_path: scratch.to_string(),
                layers: vec![layer],
                ..Tp3ContainerConfig::default()
            })
        } else {
            CreateDocument::Schema1(ContainerConfig {
                system_type: "Container".to_owned(),
                name: summary.id.0.clone(),
                owner: "scenario".to_owned(),
                volume_path,
                layer_folder_path: scratch.to_string(),
                layers: vec![layer],
                hv_partition: form == Form::HyperV,
                endpoint_list,
                memory_maximum_in_mb: asked.memory_mib.map_or(0, i64::from),
                mapped_directories: asked
                    .mapped
                    .map(|folder| MappedDirectory {
                        host_path: Some(folder.to_owned()),
                        container_path: Some(r"C:\mapped".to_owned()),
                        ..MappedDirectory::default()
                    })
                    .into_iter()
                    .collect(),
                ..ContainerConfig::default()
            })
        };
        match host.compute().create(&summary.id, &document).await {
            Ok(handle) => {
                self.hands
                    .with(|open| open.systems.insert(container.to_owned(), handle));
                Ok(String::new())
            }
            Err(error) => {
                if form != Form::HyperV {
                    direct(doing.clone(), layers.unprepare(&scratch)).await?;
                    direct(doing.clone(), layers.deactivate(&scratch)).await?;
                }
                direct(doing, async { Err(error) }).await
            }
        }
    }

    /// Makes the utility VM of a container, off, and its disk. Nobody lets it open that.
    async fn create_machine(&self, doing: String, container: &str) -> Result<String, EngineError> {
        let host = self.engine.host();
        let files = host.files();
        let summary = self.engine.container(container).await?;
        let parent = self.parent(&summary.image).await?;
        let config = ContainerConfig {
            system_type: "Container".to_owned(),
            name: summary.id.0.clone(),
            owner: "scenario".to_owned(),
            layer_folder_path: summary.scratch.clone(),
            layers: vec![Layer {
                id: parent.id.to_string(),
                path: parent.path.to_string(),
                ..Layer::default()
            }],
            hv_partition: true,
            ..ContainerConfig::default()
        };
        let machine = UtilityVm::new(&summary.id, config).map_err(|_| EngineError::Record {
            path: summary.scratch.clone(),
            reason: "not a path of a host".to_owned(),
        })?;
        let disk = machine.own_disk();
        if let Some(folder) = disk.parent() {
            direct(doing.clone(), files.create_dir_all(&folder)).await?;
        }
        direct(doing.clone(), files.copy_file(&machine.template(), &disk)).await?;
        let document = CreateDocument::Schema2(Box::new(machine.machine()));
        let created = host.compute().create(machine.id(), &document);
        let handle = direct(doing, created).await?;
        self.hands
            .with(|open| open.systems.insert(container.to_owned(), handle));
        Ok(String::new())
    }

    /// The handle that is kept for a container; one that leads nowhere if none is.
    fn system(&self, container: &str) -> SystemHandle {
        let kept = self.hands.with(|open| open.systems.get(container).copied());
        kept.unwrap_or(SystemHandle(u64::MAX))
    }

    fn process(&self, container: &str) -> ProcessHandle {
        let kept = self
            .hands
            .with(|open| open.processes.get(container).copied());
        kept.unwrap_or(ProcessHandle(u64::MAX))
    }

    /// The id of a container's compute system: the name itself if there is no container of that name.
    async fn system_id(&self, container: &str) -> SystemId {
        match self.engine.container(container).await {
            Ok(summary) => summary.id,
            Err(_) => SystemId(container.to_owned()),
        }
    }

    /// The id of a network; the one of none if there is no network of that name.
    async fn network_id(&self, name: &str) -> Result<Guid, EngineError> {
        let network = self.engine.host().network();
        let networks = direct(format!("find the network {name:?}"), network.networks()).await?;
        let found = networks.into_iter().find(|network| network.name == name);
        Ok(found
            .and_then(|network| network.id.parse().ok())
            .unwrap_or(Guid::NIL))
    }

    pub(super) async fn parent(&self, image: &str) -> Result<LayerDescriptor, EngineError> {
        let image = self.engine.image(image).await?;
        Ok(LayerDescriptor {
            id: era::layer_id(&image.full_name),
            path: image.path,
        })
    }

    /// A place on the host.
    pub(super) async fn place(&self, text: &str) -> Result<HostPath, EngineError> {
        let (kind, name, below) = match text.split_once(':') {
            Some((kind @ ("scratch" | "image"), rest)) => match rest.split_once('\\') {
                Some((name, below)) => (kind, name, below),
                None => (kind, rest, ""),
            },
            _ => ("", "", ""),
        };
        let no_path = |path: &str| EngineError::Record {
            path: path.to_owned(),
            reason: "not a path of a host".to_owned(),
        };
        let parse = |path: &str| HostPath::parse(path).map_err(|_| no_path(path));
        let root = match kind {
            "scratch" => parse(&self.engine.container(name).await?.scratch)?,
            "image" => self.engine.image(name).await?.path,
            _ => parse(text)?,
        };
        Ok(if below.is_empty() {
            root
        } else {
            root.join(below)
        })
    }
}

/// Two calls on their way at once: what they came to, after both have ended.
pub(super) async fn both<T, U>(
    first: impl Future<Output = T>,
    second: impl Future<Output = U>,
) -> (T, U) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let (mut one, mut other) = (None, None);
    poll_fn(|context| {
        if one.is_none()
            && let Poll::Ready(ready) = first.as_mut().poll(context)
        {
            one = Some(ready);
        }
        if other.is_none()
            && let Poll::Ready(ready) = second.as_mut().poll(context)
        {
            other = Some(ready);
        }
        match (one.take(), other.take()) {
            (Some(one), Some(other)) => Poll::Ready((one, other)),
            (not_yet, nor_that) => {
                (one, other) = (not_yet, nor_that);
                Poll::Pending
            }
        }
    })
    .await
}

/// What the engine's error says was being done.
pub(super) fn doing(call: &Call) -> String {
    call.to_string()
}

pub(super) fn done(outcome: Result<(), EngineError>) -> Result<String, EngineError> {
    outcome.map(|()| String::new())
}
