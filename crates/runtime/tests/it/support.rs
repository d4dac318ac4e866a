//! A host with an image on it, and what is on it beside.

use std::future::Future;
use std::task::Poll;

use wcow_hcs_schema::hns::{HnsNetwork, Subnet};
use wcow_host::era::{self, ImageFacts};
use wcow_host::{
    ComputeApi, ComputeService, FileSystem, Host, LayerDescriptor, LayerStorage, NetworkService,
    NewVmSwitch, SwitchService, SwitchType, SystemId,
};
use wcow_image_store::{ImageStore, InstallRequest, StoredImage};
use wcow_ntmeta::{Guid, HostPath};
use wcow_runtime::{Attachment, ContainerSpec, Created, Isolation, Running, Runtime, RuntimeError};
use wcow_sim::{Profile, Sim, SimHost};
use wcow_tree::memory::MemoryTree;

/// A second in ticks of 100 ns.
pub(crate) const SECOND: u64 = 10_000_000;
/// The id of the tests' container.
pub(crate) const ID: &str = "00EFA81E-DEA4-4E25-9614-65D2ABA23274";

/// A simulated host, one client of it, and the image of its own version.
pub(crate) struct Stage {
    pub(crate) sim: Sim,
    pub(crate) host: SimHost,
    pub(crate) image: StoredImage,
    pub(crate) api: ComputeApi,
    pub(crate) isolation: Isolation,
}

impl Stage {
    /// A host with an image that fits it, for containers with that isolation. With Hyper-V isolation it is seen through version 2 of the
    /// compute service, where a container has a virtual machine of its own.
    pub(crate) fn isolated(profile: Profile, isolation: Isolation) -> Self {
        let (build, edition) = (profile.build, profile.edition.clone());
        let api = match isolation {
            Isolation::Process => ComputeApi::V1,
            Isolation::HyperV => ComputeApi::V2,
        };
        let stage = Self::through(Sim::new(profile, 0), api, build, &edition, true)
            .expect("the image can be installed");
        Self { isolation, ..stage }
    }

    /// Another client like the one that it has.
    pub(crate) fn client(&self) -> SimHost {
        self.sim.client_of(self.api)
    }

    /// A host with an image that fits it.
    pub(crate) fn new(profile: Profile) -> Self {
        let (build, edition) = (profile.build, profile.edition.clone());
        Self::with_image(profile, build, &edition, true)
    }

    /// A host with an image of this build and edition, with or without the container service.
    #[track_caller]
    pub(crate) fn with_image(profile: Profile, build: u32, edition: &str, service: bool) -> Self {
        Self::try_with_image(profile, build, edition, service).expect("the image can be installed")
    }

    /// A host of another seed with an image that fits it.
    pub(crate) fn seeded(profile: Profile, seed: u64) -> Self {
        let (build, edition) = (profile.build, profile.edition.clone());
        Self::on(Sim::new(profile, seed), build, &edition, true)
            .expect("the image can be installed")
    }

    pub(crate) fn try_with_image(
        profile: Profile,
        build: u32,
        edition: &str,
        service: bool,
    ) -> Option<Self> {
        Self::on(Sim::new(profile, 0), build, edition, service)
    }

    fn on(sim: Sim, build: u32, edition: &str, service: bool) -> Option<Self> {
        Self::through(sim, ComputeApi::V1, build, edition, service)
    }

    fn through(
        sim: Sim,
        api: ComputeApi,
        build: u32,
        edition: &str,
        service: bool,
    ) -> Option<Self> {
        let host = sim.client_of(api);
        let request = InstallRequest {
            name: "base".to_owned(),
            version: format!("10.0.{build}.0").parse().unwrap(),
            product_name: edition.to_owned(),
            description: String::new(),
            size: 0,
        };
        let mut tree = MemoryTree::new().file(r"Windows\System32\cmd.exe", "MZ");
        for hive in ["DEFAULT", "SAM", "SECURITY", "SOFTWARE", "SYSTEM"] {
            let path = format!(r"Windows\System32\config\{hive}");
            tree = tree.file(path, wcow_hive::empty_hive(hive));
        }
        if service {
            tree = tree.file(r"Windows\System32\CExecSvc.exe", "MZ");
        }
        if api == ComputeApi::V2 {
            let boot = r"UtilityVM\Files\EFI\Microsoft\Boot";
            tree = tree
                .file(
                    format!(r"{boot}\BCD").as_str(),
                    wcow_hive::empty_hive("BCD"),
                )
                .file(format!(r"{boot}\bootmgfw.efi").as_str(), "MZ");
        }
        let image = sim.block_on(async {
            let store = ImageStore::open(&host).await.ok()?;
            let image = store.install(&request, &mut tree).await.ok();
            store.close().await.unwrap();
            image
        })?;
        Some(Self {
            sim,
            host,
            image,
            api,
            isolation: Isolation::Process,
        })
    }

    #[track_caller]
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.sim.run(work).expect("the host is not stuck")
    }

    pub(crate) fn runtime(&self) -> Runtime<'_, SimHost> {
        Runtime::new(&self.host)
    }

    pub(crate) fn spec(&self, attachment: Option<Attachment>) -> ContainerSpec {
        let facts: ImageFacts = self.image.facts();
        ContainerSpec {
            id: SystemId(ID.to_owned()),
            name: "one".to_owned(),
            layers: vec![LayerDescriptor {
                id: era::layer_id(&self.image.full_name),
                path: self.image.path.clone(),
            }],
            image: facts,
            attachment,
            host_name: "one".to_owned(),
            owner: "test".to_owned(),
            isolation: self.isolation,
            memory_mib: None,
            processors: None,
            mounts: Vec::new(),
        }
    }

    pub(crate) fn try_create(&self, spec: ContainerSpec) -> Result<Created, RuntimeError> {
        self.run(async {
            let runtime = Runtime::new(&self.host);
            let planned = runtime.plan_create(spec).await?;
            runtime.create(planned).await
        })
    }

    #[track_caller]
    pub(crate) fn create(&self, attachment: Option<Attachment>) -> Created {
        self.try_create(self.spec(attachment)).unwrap()
    }

    pub(crate) fn try_start(&self, created: &Created) -> Result<Running, RuntimeError> {
        self.run(async {
            let runtime = Runtime::new(&self.host);
            let planned = runtime.plan_start(created).await?;
            runtime.start(created, &planned).await
        })
    }

    #[track_caller]
    pub(crate) fn start(&self, created: &Created) -> Running {
        self.try_start(created).unwrap()
    }

    /// A NAT network of the Host Network Service.
    pub(crate) fn hns_network(&self) -> Guid {
        let network = HnsNetwork {
            name: "nat".to_owned(),
            kind: "nat".to_owned(),
            subnets: vec![Subnet {
                address_prefix: "172.20.0.0/16".to_owned(),
                ..Subnet::default()
            }],
            ..HnsNetwork::default()
        };
        let made = self.run(self.host.network().create_network(&network));
        made.unwrap().id.parse().unwrap()
    }

    pub(crate) fn switch(&self, name: &str) {
        let switch = NewVmSwitch {
            name: name.to_owned(),
            kind: SwitchType::Internal,
            adapter: None,
            nat_subnet: None,
        };
        self.run(self.host.switches().new_switch(&switch)).unwrap();
    }

    /// What of containers is on the host: files of scratch layers, mounts, compute systems, endpoints. Asked by a client of its
    /// own.
    pub(crate) fn traces(&self) -> Vec<String> {
        let host = self.sim.client();
        self.run(async {
            let mut found = Vec::new();
            for folder in [
                r"C:\ProgramData\wcow\containers",
                r"C:\ProgramData\Microsoft\Windows\Hyper-V\containers",
            ] {
                let folder = HostPath::parse(folder).unwrap();
                for entry in host.files().list(&folder).await.unwrap_or_default() {
                    found.push(format!("file {}", entry.name));
                }
            }
            let build = wcow_host::HostControl::info(host.control())
                .await
                .unwrap()
                .build;
            let scratch = era::scratch_folder(build, ID);
            if host.layers().mount_path(&scratch).await.is_ok() {
                found.push("attached".to_owned());
            }
            for system in host.compute().enumerate().await.unwrap_or_default() {
                found.push(format!("system {} {:?}", system.name, system.state));
            }
            for endpoint in host.network().endpoints().await.unwrap_or_default() {
                found.push(format!("endpoint {}", endpoint.id));
            }
            found
        })
    }
}

/// Both futures at once, until both are done.
pub(crate) async fn both<A, B>(
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> (A, B) {
    let (mut first, mut second) = (std::pin::pin!(first), std::pin::pin!(second));
    let (mut one, mut other) = (None, None);
    std::future::poll_fn(|context| {
        if one.is_none()
            && let Poll::Ready(value) = first.as_mut().poll(context)
        {
            one = Some(value);
        }
        if other.is_none()
            && let Poll::Ready(value) = second.as_mut().poll(context)
        {
            other = Some(value);
        }
        match (one.take(), other.take()) {
            (Some(one), Some(other)) => Poll::Ready((one, other)),
            (first, second) => {
                (one, other) = (first, second);
                Poll::Pending
            }
        }
    })
    .await
}

pub(crate) fn nothing() -> Vec<String> {
    Vec::new()
}

/// The code of the host's answer.
pub(crate) fn code(error: &RuntimeError) -> String {
    error
        .host_error()
        .and_then(wcow_host::HostError::hresult)
        .map_or_else(|| error.to_string(), |code| code.to_string())
}

/// The hosts on which containers work: one of each way.
pub(crate) fn profiles() -> [Profile; 2] {
    [Profile::core_tp3(), Profile::server_2022()]
}

/// A host of each kind, and how containers on it are isolated.
pub(crate) fn kinds() -> [(Profile, Isolation); 3] {
    let [first, second] = profiles();
    [
        (first, Isolation::Process),
        (second, Isolation::Process),
        (Profile::server_2022(), Isolation::HyperV),
    ]
}

/// A connection to the network of the Host Network Service, with one published port.
pub(crate) fn published(network: Guid) -> Option<Attachment> {
    Some(Attachment::Hns {
        network,
        ports: vec!["8080:80".parse().unwrap()],
    })
}

pub(crate) fn on_switch(switch: &str) -> Option<Attachment> {
    Some(Attachment::Switch {
        switch: switch.to_owned(),
        nat: None,
        ports: Vec::new(),
    })
}
