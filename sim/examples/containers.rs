//! A tool that makes containers: when a step fails, what the steps before it made has to go again.
//!
//! `cargo run --package wcow-sim --example containers` runs it as it was and as it is now, with a few faults for each seed.

use std::future::Future;

use wcow_hcs_schema::schema1::{ContainerConfig, Layer};
use wcow_host::codes::{v1, win32};
use wcow_host::{
    Clock, ComputeService, CreateDocument, FileSystem, Host, HostError, LayerDescriptor,
    LayerStorage, Precaution, Retry, SystemHandle, SystemId, WriteMode, era,
};
use wcow_ntmeta::{FileTime, HostPath};
use wcow_sim::{Check, Profile, Sim, SimHost};
use wcow_tree::TreeSource;
use wcow_tree::memory::MemoryTree;

const BUILD: u32 = 20348;
/// Ticks of 100 ns in a second.
const SECOND: u64 = 10_000_000;

// The tool.

/// As it was. It works whenever nothing goes wrong.
async fn make<H: Host>(host: &H, id: &SystemId) -> Result<SystemHandle, HostError> {
    let (layers, compute) = (host.layers(), host.compute());
    let (scratch, parents) = (era::scratch_folder(BUILD, &id.0), [image()]);
    layers.create_scratch(&scratch, &parents).await?;
    layers.activate(&scratch).await?;
    layers.prepare(&scratch, &parents).await?;
    let document = CreateDocument::Schema1(ContainerConfig {
        system_type: "Container".to_owned(),
        name: id.0.clone(),
        owner: "tool".to_owned(),
        volume_path: layers.mount_path(&scratch).await?,
        layer_folder_path: scratch.to_string(),
        layers: parents
            .iter()
            .map(|parent| Layer {
                id: parent.id.to_string(),
                path: parent.path.to_string(),
                ..Layer::default()
            })
            .collect(),
        ..ContainerConfig::default()
    });
    let system = compute.create(id, &document).await?;
    compute.start(system).await?;
    Ok(system)
}

/// As it is now: what failed leaves nothing.
async fn make_or_undo<H: Host>(host: &H, id: &SystemId) -> Result<SystemHandle, HostError> {
    let made = make(host, id).await;
    if made.is_err() {
        remove(host, id).await?;
    }
    made
}

/// Removes whatever there is of a container.
///
/// A call that failed may have had an effect, its answer being lost. So nothing is taken for granted: every step is tried, and
/// that there is nothing to undo is fine.
async fn remove<H: Host>(host: &H, id: &SystemId) -> Result<(), HostError> {
    let (layers, compute) = (host.layers(), host.compute());
    let scratch = era::scratch_folder(BUILD, &id.0);
    if let Some(system) = undo(host, || compute.open(id)).await? {
        undo(host, || compute.terminate(system)).await?;
        undo(host, || compute.close(system)).await?;
    }
    undo(host, || layers.unprepare(&scratch)).await?;
    undo(host, || layers.deactivate(&scratch)).await?;
    undo(host, || layers.destroy(&scratch)).await?;
    Ok(())
}

/// Calls until the host answers something that will not change; `None` if there is nothing to undo.
async fn undo<T, F>(host: &impl Host, call: impl Fn() -> F) -> Result<Option<T>, HostError>
where
    F: Future<Output = Result<T, HostError>>,
{
    let nothing = [
        v1::SYSTEM_NOT_FOUND,
        v1::SYSTEM_ALREADY_STOPPED,
        win32::FILE_NOT_FOUND,
        win32::DEV_NOT_EXIST,
        win32::INVALID_HANDLE,
    ];
    for _ in 0..10 {
        match call().await {
            Ok(value) => return Ok(Some(value)),
            Err(error) if error.hresult().is_some_and(|code| nothing.contains(&code)) => {
                return Ok(None);
            }
            Err(error) if error.retry == Retry::Soon => {
                let clock = host.clock();
                let soon = clock.now().ticks().saturating_add(SECOND);
                clock.sleep_until(FileTime::from_ticks(soon)).await;
            }
            Err(error) => return Err(error),
        }
    }
    call().await.map(Some)
}

// The test.

/// Whatever comes of it, what was made can be removed, and then nothing is left.
async fn leaves_nothing(
    sim: Sim,
    tool: impl AsyncFn(&SimHost, &SystemId) -> Result<SystemHandle, HostError>,
) -> Result<(), String> {
    let id = SystemId("00efa81e-dea4-4e25-9614-65d2aba23274".to_owned());
    let host = sim.client();
    // What is only there for the test is spared.
    let faults = sim.take_faults();
    install_image(&host)
        .await
        .map_err(|error| error.to_string())?;
    sim.set_faults(faults);
    let made = tool(&host, &id).await;
    sim.take_faults();
    if made.is_ok() {
        remove(&host, &id)
            .await
            .map_err(|error| error.to_string())?;
    }
    sim.kill(&host);
    let look = sim.client();
    let systems = look.compute().enumerate().await;
    if !systems.map_err(|error| error.to_string())?.is_empty() {
        return Err("a compute system is left".to_owned());
    }
    let scratch = era::scratch_folder(BUILD, &id.0);
    let left = look.files().metadata(&scratch).await;
    match left.map_err(|error| error.to_string())? {
        Some(_) => Err(format!("a scratch layer is left: {scratch}")),
        None => Ok(()),
    }
}

fn image() -> LayerDescriptor {
    let name = "CN=Example_Test_10.0.1.0";
    LayerDescriptor {
        id: era::layer_id(name),
        path: era::image_root().join(name),
    }
}

/// Puts there what the host looks at in a base image.
async fn install_image(host: &SimHost) -> Result<(), Box<dyn std::error::Error>> {
    let (files, image): (_, HostPath) = (host.files(), image().path);
    files.create_dir_all(&image.join("hives")).await?;
    for hive in ["DefaultUser", "Sam", "Security", "Software", "System"] {
        let hive = image.join(&format!(r"hives\{hive}_Base"));
        files.write(&hive, b"regf", WriteMode::CreateNew).await?;
    }
    let version = format!("BuildNumber={BUILD}\r\nProductName=ServerDatacenter\r\n");
    let facts = image.join("version.wcx");
    files
        .write(&facts, version.as_bytes(), WriteMode::CreateNew)
        .await?;
    let mut tree = files.create_tree(&image.join("files")).await?;
    MemoryTree::new()
        .file(r"Windows\System32\CExecSvc.exe", "MZ")
        .send(&mut tree)?;
    files
        .finish_tree(tree, Precaution::new("sync-image"))
        .await?;
    host.layers().process_base(&image).await?;
    Ok(())
}

pub(crate) fn main() -> Result<(), String> {
    let check = Check::new(Profile::server_2022()).faults(3);
    let was = check.try_run(async |sim| leaves_nothing(sim, make::<SimHost>).await);
    let found = was.err().ok_or("the leak was not found")?;
    println!("as it was: {found}");
    println!(
        "to repeat: WCOW_SEED={} cargo run --package wcow-sim --example containers",
        found.seed
    );
    check
        .try_run(async |sim| leaves_nothing(sim, make_or_undo::<SimHost>).await)
        .map_err(|found| format!("as it is now: {found}"))?;
    println!("as it is now: nothing is left behind");
    Ok(())
}
