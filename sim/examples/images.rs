//! A tool that imports images: whoever reads while it works, or after it was killed, sees whole images only.
//!
//! `cargo run --package wcow-sim --example images` runs it as it was and as it is now, and ends it after every one of its calls.

use std::error::Error;

use wcow_host::{FileSystem, Host, HostError, Precaution, WriteMode};
use wcow_ntmeta::HostPath;
use wcow_sim::{Check, Profile, Sim, SimHost};
use wcow_tree::TreeSource;
use wcow_tree::memory::MemoryTree;

/// What an import comes to.
type Imported = Result<(), Box<dyn Error + Send + Sync>>;

/// Ticks of 100 ns in a minute.
const MINUTE: u64 = 600_000_000;

// The tool: an image is a folder with a tree of files and a manifest, which says how many bytes are in them.

/// Its durable steps, by name: `Sim::ignore` leaves one out, and a test that is worth something fails then.
const TREE: Precaution = Precaution::new("sync-files");
const MANIFEST: Precaution = Precaution::new("sync-manifest");
const NAMES: Precaution = Precaution::new("sync-manifest-name");
const IMAGE: Precaution = Precaution::new("sync-image");

/// As it was: the manifest comes last, when the image can be seen already.
async fn import<H: Host>(host: &H) -> Imported {
    let (files, part) = (host.files(), root().join("app.part"));
    let bytes = write_files(host, &part).await?;
    files.rename(&part, &root().join("app")).await?;
    write_manifest(host, &root().join("app"), bytes).await?;
    files.sync_dir(&root(), IMAGE).await?;
    Ok(())
}

/// As it is now: what can be seen is whole.
async fn import_whole<H: Host>(host: &H) -> Imported {
    let (files, part) = (host.files(), root().join("app.part"));
    let bytes = write_files(host, &part).await?;
    write_manifest(host, &part, bytes).await?;
    files.rename(&part, &root().join("app")).await?;
    files.sync_dir(&root(), IMAGE).await?;
    Ok(())
}

/// Writes the files of the image, over whatever an earlier import left.
async fn write_files<H: Host>(
    host: &H,
    part: &HostPath,
) -> Result<u64, Box<dyn Error + Send + Sync>> {
    let files = host.files();
    if files.metadata(part).await?.is_some() {
        files.remove_dir_all(part).await?;
    }
    files.create_dir_all(part).await?;
    let mut tree = files.create_tree(&part.join("files")).await?;
    MemoryTree::new()
        .file(r"bin\app.exe", "MZ app")
        .file("settings.ini", "[app]")
        .send(&mut tree)?;
    Ok(files.finish_tree(tree, TREE).await?.bytes)
}

async fn write_manifest<H: Host>(host: &H, folder: &HostPath, bytes: u64) -> Imported {
    let (files, manifest) = (host.files(), folder.join("manifest"));
    let text = format!("{bytes} bytes");
    files
        .write(&manifest, text.as_bytes(), WriteMode::CreateNew)
        .await?;
    files.sync_file(&manifest, MANIFEST).await?;
    files.sync_dir(folder, NAMES).await?;
    Ok(())
}

fn root() -> HostPath {
    HostPath::root("C:").join("images")
}

// The test.

/// Wherever the tool ends, by a fault or because it is killed, an image is there as a whole or not at all, and the next import
/// brings it.
async fn is_whole_or_not_there(
    sim: Sim,
    tool: impl AsyncFn(&SimHost) -> Imported,
) -> Result<(), String> {
    let faults = sim.take_faults();
    let files = sim.client();
    let made = files.files().create_dir_all(&root()).await;
    made.map_err(|error| error.to_string())?;
    for calls in 1.. {
        // Each time another copy of the world.
        let world = sim.fork();
        world.set_faults(faults.clone());
        let importer = world.client();
        let ended = world.run_killed_after(&importer, calls, tool(&importer));
        let ended = ended.map_err(|stuck| stuck.to_string())?.value();
        world.take_faults();
        world.advance(MINUTE);
        let reader = world.client();
        let looked = async {
            if !is_whole(&reader).await? {
                if let Some(Ok(())) = ended {
                    return Ok(Err("the import succeeded, and there is no image".to_owned()));
                }
                if let Err(error) = tool(&reader).await {
                    return Ok(Err(format!("no import succeeds any more: {error}")));
                }
            }
            is_whole(&reader).await.map(Ok)
        };
        let looked = world.run(looked).map_err(|stuck| stuck.to_string())?;
        match looked {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => return Err("no image after two imports".to_owned()),
            Ok(Err(told)) => return Err(format!("ended after {calls} calls: {told}")),
            Err(error) => {
                return Err(format!(
                    "ended after {calls} calls: the image is torn: {error}"
                ));
            }
        }
        if ended.is_some() {
            break;
        }
    }
    Ok(())
}

/// Reads the image as its users do. False if there is none; one without a manifest cannot be used.
async fn is_whole(host: &SimHost) -> Result<bool, HostError> {
    let (files, image) = (host.files(), root().join("app"));
    if files.metadata(&image).await?.is_none() {
        return Ok(false);
    }
    let manifest = files.read(&image.join("manifest"), 100).await?;
    let app = files.read(&image.join(r"files\bin\app.exe"), 100).await?;
    let settings = files.read(&image.join(r"files\settings.ini"), 100).await?;
    let promised = format!("{} bytes", app.len() + settings.len());
    assert_eq!(manifest, promised.as_bytes(), "the manifest is true");
    Ok(true)
}

pub(crate) fn main() -> Result<(), String> {
    let check = Check::new(Profile::server_2022()).faults(2).seeds(20);
    let was = check.try_run(async |sim| is_whole_or_not_there(sim, import::<SimHost>).await);
    let found = was.err().ok_or("the torn image was not found")?;
    println!("as it was: {found}");
    println!(
        "to repeat: WCOW_SEED={} cargo run --package wcow-sim --example images",
        found.seed
    );
    check
        .try_run(async |sim| is_whole_or_not_there(sim, import_whole::<SimHost>).await)
        .map_err(|found| format!("as it is now: {found}"))?;
    println!("as it is now: whole or not there");
    Ok(())
}
