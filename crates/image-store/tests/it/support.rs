//! A host, an image, and shorthands.

use wcow_hive::{HiveBuilder, ValueKind, empty_hive};
use wcow_host::era::image_root;
use wcow_host::{FileSystem, Host, WriteMode};
use wcow_image_store::{
    ImageList, ImageStore, InstallError, InstallRequest, StoreError, StoredImage,
};
use wcow_ntmeta::HostPath;
use wcow_sim::{Profile, Sim, SimHost};
use wcow_tree::memory::MemoryTree;

pub(crate) const FULL_NAME: &str = "CN=Microsoft_WindowsServerCore_10.0.10514.0";
pub(crate) const HIVES: [&str; 5] = ["DEFAULT", "SAM", "SECURITY", "SOFTWARE", "SYSTEM"];

/// A host on which containers work.
pub(crate) fn core() -> Sim {
    Sim::new(Profile::core_tp3(), 0)
}

pub(crate) fn request() -> InstallRequest {
    InstallRequest {
        name: "WindowsServerCore".to_owned(),
        version: "10.0.10514.0".parse().unwrap(),
        product_name: "ServerDatacenter".to_owned(),
        description: "Windows Server 2016 Technical Preview 3".to_owned(),
        size: 9_696_754_476,
    }
}

/// A small image with five hives and the container service.
pub(crate) fn image() -> MemoryTree {
    let tree = HIVES.into_iter().fold(without_hives(), |tree, name| {
        tree.file(
            format!(r"Windows\System32\config\{name}").as_str(),
            hive(name),
        )
    });
    tree.file(r"Windows\System32\CExecSvc.exe", b"MZ service")
}

/// The same with the utility virtual machine of Hyper-V isolation: files, and a boot configuration that is a hive.
pub(crate) fn image_with_vm() -> MemoryTree {
    image()
        .file(r"UtilityVM\Files\Windows\System32\vmcompute.exe", b"MZ vm")
        .file(
            r"UtilityVM\Files\EFI\Microsoft\Boot\BCD",
            empty_hive("BCD00000000"),
        )
}

pub(crate) fn image_without(hive_name: &str) -> MemoryTree {
    HIVES
        .into_iter()
        .filter(|name| *name != hive_name)
        .fold(without_hives(), |tree, name| {
            tree.file(
                format!(r"Windows\System32\config\{name}").as_str(),
                hive(name),
            )
        })
}

pub(crate) fn hive(name: &str) -> Vec<u8> {
    if name != "SOFTWARE" {
        return empty_hive(name);
    }
    let mut builder = HiveBuilder::new(name);
    builder
        .value(
            r"Microsoft\Windows NT\CurrentVersion",
            "CurrentBuild",
            ValueKind::Sz,
            b"1\x000\x005\x001\x004\x00\x00\x00",
        )
        .unwrap();
    builder.build()
}

/// Opens the store, installs, and closes it.
pub(crate) async fn install(
    host: &SimHost,
    request: &InstallRequest,
    tree: &mut MemoryTree,
) -> Result<StoredImage, InstallError> {
    let store = ImageStore::open(host).await?;
    let image = store.install(request, tree).await;
    store.close().await?;
    image
}

/// A host with the image installed.
pub(crate) fn with_image() -> (Sim, SimHost) {
    let sim = core();
    let host = sim.client();
    sim.block_on(install(&host, &request(), &mut image()))
        .unwrap();
    (sim, host)
}

pub(crate) async fn list(host: &SimHost) -> Result<ImageList, StoreError> {
    ImageStore::open_read_only(host).list().await
}

pub(crate) fn names(list: &ImageList) -> Vec<&str> {
    list.images
        .iter()
        .map(|image| image.full_name.as_str())
        .collect()
}

/// The names in a folder below the store's root.
pub(crate) fn folder(sim: &Sim, host: &SimHost, path: &str) -> Vec<String> {
    let answer = sim.block_on(host.files().list(&at(path)));
    answer
        .map(|entries| entries.iter().map(|entry| entry.name.to_string()).collect())
        .unwrap_or_default()
}

pub(crate) fn read(sim: &Sim, host: &SimHost, path: &str) -> Vec<u8> {
    sim.block_on(host.files().read(&at(path), 1 << 20))
        .unwrap()
        .to_vec()
}

pub(crate) fn overwrite(sim: &Sim, host: &SimHost, path: &str, bytes: &[u8]) {
    sim.block_on(host.files().write(&at(path), bytes, WriteMode::Overwrite))
        .unwrap();
}

pub(crate) fn at(path: &str) -> HostPath {
    image_root().join(path)
}

fn without_hives() -> MemoryTree {
    MemoryTree::new()
        .dir("PerfLogs")
        .dir(r"Program Files")
        .dir("Users")
        .dir(r"Windows\System32\config")
        .file(r"Windows\win.ini", b"[fonts]\r\n")
        .file(r"Windows\System32\cmd.exe", b"MZ cmd")
}
