//! A host with an image on it, and shorthands.

use std::future::Future;

use wcow_engine::{CreateContainer, Engine, EngineError};
use wcow_host::{ComputeApi, ComputeService, FileSystem, Host, SwitchService};
use wcow_image_store::InstallRequest;
use wcow_ntmeta::HostPath;
use wcow_sim::{Profile, Sim, SimHost};
use wcow_tree::memory::MemoryTree;

/// A simulated host, and an engine for it.
pub(crate) struct Stage {
    pub(crate) sim: Sim,
    pub(crate) engine: Engine<SimHost>,
}

impl Stage {
    /// A host of this profile, without an image.
    pub(crate) fn bare(profile: Profile) -> Self {
        Self::seeded(profile, 0)
    }

    /// The same, with the compute service seen through that surface.
    pub(crate) fn through(profile: Profile, api: ComputeApi) -> Self {
        let sim = Sim::new(profile, 0);
        let engine = Engine::new(sim.client_of(api));
        Self { sim, engine }
    }

    /// The same, with another order of what happens at the same time.
    pub(crate) fn seeded(profile: Profile, seed: u64) -> Self {
        let sim = Sim::new(profile, seed);
        let engine = Engine::new(sim.client());
        Self { sim, engine }
    }

    /// A host of this profile with the image `base` of its own build and edition.
    pub(crate) fn new(profile: Profile) -> Self {
        Self::bare(profile).with_base()
    }

    /// With the image `base` of the host's own build and edition.
    pub(crate) fn with_base(self) -> Self {
        let profile = self.sim.profile();
        self.install("base", profile.build, &profile.edition, true);
        self
    }

    #[track_caller]
    pub(crate) fn install(&self, name: &str, build: u32, edition: &str, service: bool) {
        assert!(self.try_install(name, build, edition, service));
    }

    /// Installs an image; false if the host takes none.
    pub(crate) fn try_install(&self, name: &str, build: u32, edition: &str, service: bool) -> bool {
        self.try_install_with(MemoryTree::new(), name, build, edition, service)
    }

    /// The same with what is in the tree already.
    pub(crate) fn try_install_with(
        &self,
        tree: MemoryTree,
        name: &str,
        build: u32,
        edition: &str,
        service: bool,
    ) -> bool {
        let (request, mut tree) = image(tree, name, build, edition, service);
        let installed = self.sim.run(self.engine.install_image(request, &mut tree));
        installed.expect("the host is not stuck").is_ok()
    }

    /// Runs work that must succeed.
    #[track_caller]
    pub(crate) fn ok<T>(&self, work: impl Future<Output = Result<T, EngineError>>) -> T {
        self.sim
            .run(work)
            .expect("the host is not stuck")
            .expect("it works")
    }

    /// Runs work that must fail.
    #[track_caller]
    pub(crate) fn err<T: std::fmt::Debug>(
        &self,
        work: impl Future<Output = Result<T, EngineError>>,
    ) -> EngineError {
        self.sim
            .run(work)
            .expect("the host is not stuck")
            .expect_err("it fails")
    }

    /// Creates a container `name` of `image`.
    #[track_caller]
    pub(crate) fn create(&self, image: &str, name: &str) {
        self.ok(self.engine.create_container(wanted(image, name)));
    }

    /// Everything on the host that belongs to containers: scratch layers, records, compute systems, endpoints, switches, NATs.
    pub(crate) fn traces(&self) -> Vec<String> {
        let host = self.engine.host();
        self.sim
            .run(async {
                let mut found = Vec::new();
                for folder in [
                    r"C:\ProgramData\wcow\containers",
                    r"C:\ProgramData\wcow\records\containers",
                    r"C:\ProgramData\wcow\records\networks",
                    r"C:\ProgramData\Microsoft\Windows\Hyper-V\containers",
                ] {
                    let folder = HostPath::parse(folder).unwrap();
                    for entry in host.files().list(&folder).await.unwrap_or_default() {
                        found.push(format!("{folder}\\{}", entry.name));
                    }
                }
                for system in host.compute().enumerate().await.unwrap_or_default() {
                    found.push(format!("system {}", system.id));
                }
                for endpoint in wcow_host::NetworkService::endpoints(host.network())
                    .await
                    .unwrap_or_default()
                {
                    found.push(format!("endpoint {}", endpoint.id));
                }
                for switch in host.switches().switches().await.unwrap_or_default() {
                    found.push(format!("switch {}", switch.name));
                }
                for nat in host.switches().nats().await.unwrap_or_default() {
                    found.push(format!("NAT {}", nat.name));
                }
                found
            })
            .expect("the host is not stuck")
    }

    /// Everything in the folders of the records, locks included.
    pub(crate) fn record_files(&self) -> Vec<String> {
        let files = self.engine.host().files();
        let list = async {
            let mut found = Vec::new();
            for folder in ["containers", "networks", "locks"] {
                let path = records().join(folder);
                for entry in files.list(&path).await.unwrap_or_default() {
                    found.push(format!(r"{folder}\{}", entry.name));
                }
            }
            found
        };
        self.sim.run(list).expect("the host is not stuck")
    }
}

/// Where the engine keeps its records.
pub(crate) fn records() -> HostPath {
    HostPath::root("C:").join(r"ProgramData\wcow\records")
}

/// What is asked for to install an image, and its files: those that are in the tree already, and what every image has.
pub(crate) fn image(
    tree: MemoryTree,
    name: &str,
    build: u32,
    edition: &str,
    service: bool,
) -> (InstallRequest, MemoryTree) {
    let request = InstallRequest {
        name: name.to_owned(),
        version: format!("10.0.{build}.0").parse().unwrap(),
        product_name: edition.to_owned(),
        description: String::new(),
        size: 0,
    };
    let mut tree = tree
        .file(r"Windows\System32\cmd.exe", "MZ")
        .file(r"Windows\System32\ping.exe", "MZ");
    for hive in ["DEFAULT", "SAM", "SECURITY", "SOFTWARE", "SYSTEM"] {
        tree = tree.file(
            format!(r"Windows\System32\config\{hive}"),
            wcow_hive::empty_hive(hive),
        );
    }
    if service {
        tree = tree.file(r"Windows\System32\CExecSvc.exe", "MZ");
    }
    (request, tree)
}

pub(crate) fn wanted(image: &str, name: &str) -> CreateContainer {
    CreateContainer {
        image: image.to_owned(),
        name: Some(name.to_owned()),
        ..CreateContainer::default()
    }
}
