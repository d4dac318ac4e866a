//! A small base image, for hosts that begin without one.

use wcow_host::era::{self, ImageFacts};
use wcow_host::{
    FileSystem, Host, HostError, LayerDescriptor, LayerStorage, Precaution, WriteMode,
};
use wcow_ntmeta::{FileAttributes, HostPath, PathError, WideName};
use wcow_sim::{Profile, SimHost};
use wcow_tree::{
    Entry, EntryId, Extra, SinkError, Stream, StreamEnd, StreamKind, StreamRef, Times, TreeSink,
};

/// Where base images lie on a Windows host.
const IMAGES: &str = r"C:\ProgramData\Microsoft\Windows\Images";
/// The durable step of everything that is written.
const STEP: Precaution = Precaution::new("link.stage");
const HIVES: [&str; 5] = ["DefaultUser", "Sam", "Security", "Software", "System"];
/// The programs that the simulated guest has, and the service that answers the host.
const PROGRAMS: [&str; 4] = ["cmd.exe", "PING.EXE", "notepad.exe", "CExecSvc.exe"];

/// A base image on a simulated host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedImage {
    /// The layers of a container of it: the one that it has.
    pub layers: Vec<LayerDescriptor>,
    /// Its folder.
    pub path: HostPath,
    /// The folder that scratch layers belong in.
    pub scratch_root: HostPath,
}

/// A base image cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The host refused.
    #[error("the simulated host does not take its base image")]
    Refused(#[from] HostError),
    /// The files were not taken.
    #[error("the files of the base image cannot be written")]
    Written(#[from] SinkError),
    /// The place of images is no path.
    #[error("the folder of images is no path")]
    Place(#[from] PathError),
}

/// Makes a base image that fits a host: a few files and the hives, named so that it is seen to be simulated.
///
/// # Errors
/// The host refuses a step, for example because it has not been restarted since its packages were added.
pub async fn install_image(client: &SimHost, profile: &Profile) -> Result<StagedImage, StageError> {
    let facts = ImageFacts {
        build: profile.build,
        revision: profile.revision,
        product_name: profile.edition.to_string(),
        container_service: true,
    };
    let name = format!(
        "CN=Microsoft_Simulated_10.0.{}.{}",
        facts.build, facts.revision
    );
    let path = HostPath::parse(IMAGES).map(|images| images.join(&name))?;
    let files = client.files();
    files.create_dir_all(&path.join("hives")).await?;
    for hive in HIVES {
        let hive = path.join(&format!(r"hives\{hive}_Base"));
        files.write(&hive, b"regf", WriteMode::CreateNew).await?;
    }
    let version = format!(
        "BuildNumber={}\r\nProductName={}\r\n",
        facts.build, facts.product_name
    );
    let place = path.join("version.wcx");
    files
        .write(&place, version.as_bytes(), WriteMode::CreateNew)
        .await?;
    let mut tree = files.create_tree(&path.join("files")).await?;
    write_files(&mut tree, profile)?;
    files.finish_tree(tree, STEP).await?;
    client.layers().process_base(&path).await?;
    let vm = path.join("UtilityVM");
    let boot = vm.join(r"Files\EFI\Microsoft\Boot");
    files.create_dir_all(&boot).await?;
    // A boot manager, and the disk that utility VMs get copies of: as if the folder had been processed.
    for file in [boot.join("bootmgfw.efi"), vm.join("SystemTemplate.vhdx")] {
        files
            .write(&file, b"simulated", WriteMode::CreateNew)
            .await?;
    }
    // Ids of technical previews are GUIDs; the folder is the same for all.
    let scratch = era::scratch_folder(profile.build, "00000000-0000-0000-0000-000000000001");
    let scratch_root = scratch.parent().unwrap_or_else(|| path.clone());
    files.create_dir_all(&scratch_root).await?;
    Ok(StagedImage {
        layers: vec![LayerDescriptor {
            id: era::layer_id(&name),
            path: path.clone(),
        }],
        path,
        scratch_root,
    })
}

fn write_files(tree: &mut impl TreeSink, profile: &Profile) -> Result<(), SinkError> {
    for (id, parent, name) in [
        (0, None, ""),
        (1, Some(0), "Windows"),
        (2, Some(1), "System32"),
    ] {
        tree.entry(&entry(profile, id, parent, name, None))?;
    }
    for (id, name) in (3..).zip(PROGRAMS) {
        let bytes = name.as_bytes();
        tree.entry(&entry(profile, id, Some(2), name, Some(bytes.len() as u64)))?;
        let entry = EntryId(id);
        if tree.open_stream(StreamRef { entry, index: 0 })? {
            tree.write(bytes)?;
            tree.close_stream(StreamEnd::Complete)?;
        }
    }
    Ok(())
}

fn entry(profile: &Profile, id: u32, parent: Option<u32>, name: &str, len: Option<u64>) -> Entry {
    let stream = |len| Stream {
        name: WideName::new(),
        kind: StreamKind::Data,
        len,
        digest: None,
    };
    Entry {
        id: EntryId(id),
        parent: parent.map(EntryId),
        name: name.into(),
        short_name: WideName::new(),
        attributes: match len {
            Some(_) => FileAttributes::ARCHIVE,
            None => FileAttributes::DIRECTORY,
        },
        times: Times {
            created: profile.start,
            accessed: profile.start,
            written: profile.start,
        },
        security: None,
        reparse: None,
        link_to: None,
        streams: len.map(stream).into_iter().collect(),
        extra: Extra::default(),
    }
}
