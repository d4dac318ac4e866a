//! What the tests of layers, compute systems and guests share: images and containers.

use wcow_hcs_schema::schema1::{ContainerConfig, Layer, ProcessParameters, ProcessStatus};
use wcow_hcs_schema::tp3::Tp3ContainerConfig;
use wcow_host::era::{self, ImageFacts};
use wcow_host::{
    ComputeService, CreateDocument, FileSystem, Host, HostControl, HostError, LayerDescriptor,
    LayerStorage, Output, ProcessHandle, SystemHandle, SystemId, WriteMode,
};
use wcow_ntmeta::{FileAttributes, FileTime, HostPath, WideName};
use wcow_sim::{Profile, Sim, SimHost};
use wcow_tree::{Entry, EntryId, Extra, Stream, StreamEnd, StreamKind, StreamRef, Times, TreeSink};

use crate::support::{STEP, path};

pub(crate) const IMAGE: &str =
    r"C:\ProgramData\Microsoft\Windows\Images\CN=Microsoft_Test_10.0.1.0";
/// A technical-preview id, good for later hosts too.
pub(crate) const ID: &str = "00EFA81E-DEA4-4E25-9614-65D2ABA23274";

/// Image facts that run on a profile.
pub(crate) fn fitting(profile: &Profile) -> ImageFacts {
    ImageFacts {
        build: profile.build,
        revision: profile.revision,
        product_name: profile.edition.to_string(),
        container_service: true,
    }
}

/// The id that tests give their container.
pub(crate) fn id() -> SystemId {
    SystemId(ID.to_owned())
}

pub(crate) fn scratch(profile: &Profile) -> HostPath {
    era::scratch_folder(profile.build, ID)
}

pub(crate) fn parents() -> Vec<LayerDescriptor> {
    vec![LayerDescriptor {
        id: era::layer_id("CN=Microsoft_Test_10.0.1.0"),
        path: path(IMAGE),
    }]
}

/// Writes an image folder and processes it.
pub(crate) async fn install_image(client: &SimHost, facts: &ImageFacts) {
    write_image(client, facts).await;
    client.layers().process_base(&path(IMAGE)).await.unwrap();
}

/// Gives the image folder a utility virtual machine that boots, as if it had been processed.
pub(crate) async fn install_utility_vm(client: &SimHost) {
    let files = client.files();
    let vm = path(IMAGE).join("UtilityVM");
    let boot = vm.join(r"Files\EFI\Microsoft\Boot");
    files.create_dir_all(&boot).await.unwrap();
    for file in [boot.join("bootmgfw.efi"), vm.join("SystemTemplate.vhdx")] {
        let written = files.write(&file, b"bytes", WriteMode::CreateNew).await;
        written.unwrap();
    }
}

/// Writes an image folder: a few files, the hives and what the host looks at.
pub(crate) async fn write_image(client: &SimHost, facts: &ImageFacts) {
    let files = client.files();
    let image = path(IMAGE);
    files.create_dir_all(&image.join("hives")).await.unwrap();
    for hive in ["DefaultUser", "Sam", "Security", "Software", "System"] {
        let hive = image.join(&format!(r"hives\{hive}_Base"));
        files
            .write(&hive, b"regf", WriteMode::CreateNew)
            .await
            .unwrap();
    }
    let version = format!(
        "BuildNumber={}\r\nProductName={}\r\n",
        facts.build, facts.product_name
    );
    files
        .write(
            &image.join("version.wcx"),
            version.as_bytes(),
            WriteMode::CreateNew,
        )
        .await
        .unwrap();
    let mut tree = files.create_tree(&image.join("files")).await.unwrap();
    let directory = |id, parent, name: &str| entry(id, parent, name, None);
    tree.entry(&directory(0, None, "")).unwrap();
    tree.entry(&directory(1, Some(0), "Windows")).unwrap();
    tree.entry(&directory(2, Some(1), "System32")).unwrap();
    tree.entry(&directory(3, Some(0), "Docs")).unwrap();
    let mut contents = vec![
        (4, 2, "cmd.exe", &b"MZ cmd"[..]),
        (5, 2, "PING.EXE", b"MZ ping"),
        (6, 2, "notepad.exe", b"MZ notepad"),
        (7, 3, "Read Me.txt", b"from the image\r\n"),
        (8, 3, "old.txt", b"old\r\n"),
    ];
    if facts.container_service {
        contents.push((9, 2, "CExecSvc.exe", b"MZ service"));
    }
    for (id, parent, name, bytes) in contents {
        let len = bytes.len() as u64;
        tree.entry(&entry(id, Some(parent), name, Some(len)))
            .unwrap();
        let stream = StreamRef {
            entry: EntryId(id),
            index: 0,
        };
        assert!(tree.open_stream(stream).unwrap());
        tree.write(bytes).unwrap();
        tree.close_stream(StreamEnd::Complete).unwrap();
    }
    files.finish_tree(tree, STEP).await.unwrap();
}

fn entry(id: u32, parent: Option<u32>, name: &str, len: Option<u64>) -> Entry {
    let time = FileTime::parse_rfc3339("2015-08-08T15:29:00Z").unwrap();
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
        attributes: if len.is_some() {
            FileAttributes::ARCHIVE
        } else {
            FileAttributes::DIRECTORY
        },
        times: Times {
            created: time,
            accessed: time,
            written: time,
        },
        security: None,
        reparse: None,
        link_to: None,
        streams: len.map(stream).into_iter().collect(),
        extra: Extra::default(),
    }
}

/// Makes a scratch layer and mounts it.
pub(crate) async fn mount(client: &SimHost, profile: &Profile) {
    let scratch = scratch(profile);
    let layers = client.layers();
    layers.create_scratch(&scratch, &parents()).await.unwrap();
    layers.activate(&scratch).await.unwrap();
    layers.prepare(&scratch, &parents()).await.unwrap();
}

/// The document of the tests' container.
pub(crate) async fn document(client: &SimHost, profile: &Profile) -> CreateDocument {
    let layers = vec![Layer {
        id: era::layer_id("CN=Microsoft_Test_10.0.1.0").to_string(),
        path: IMAGE.to_owned(),
        ..Layer::default()
    }];
    let folder = scratch(profile);
    if era::containers_persist(profile.build) {
        return CreateDocument::TechnicalPreview(Tp3ContainerConfig {
            system_type: "Container".to_owned(),
            name: "MyFirstContainer".to_owned(),
            layer_folder_path: folder.to_string(),
            layers,
            ..Tp3ContainerConfig::default()
        });
    }
    let volume = client.layers().mount_path(&folder).await;
    CreateDocument::Schema1(ContainerConfig {
        system_type: "Container".to_owned(),
        name: ID.to_owned(),
        owner: "test".to_owned(),
        volume_path: volume.unwrap_or_default(),
        layer_folder_path: folder.to_string(),
        layers,
        host_name: "box".to_owned(),
        ..ContainerConfig::default()
    })
}

/// Creates the tests' container.
pub(crate) async fn create(client: &SimHost, profile: &Profile) -> Result<SystemHandle, HostError> {
    let document = document(client, profile).await;
    client.compute().create(&id(), &document).await
}

/// A host on which a container of a fitting image runs.
pub(crate) async fn running(client: &SimHost, profile: &Profile) -> SystemHandle {
    install_image(client, &fitting(profile)).await;
    mount(client, profile).await;
    let system = create(client, profile).await.unwrap();
    client.compute().start(system).await.unwrap();
    system
}

/// What a program wrote, and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) exit: u32,
}

/// Parameters of a process with both output pipes.
pub(crate) fn parameters(line: &str) -> ProcessParameters {
    ProcessParameters {
        command_line: line.to_owned(),
        create_std_out_pipe: true,
        create_std_err_pipe: true,
        ..ProcessParameters::default()
    }
}

/// Reads a stream of a process to its end.
pub(crate) async fn read_all(client: &SimHost, process: ProcessHandle, output: Output) -> String {
    let mut all = Vec::new();
    loop {
        let bytes = client
            .compute()
            .read_output(process, output, 7)
            .await
            .unwrap();
        if bytes.is_empty() {
            return String::from_utf8(all).unwrap();
        }
        all.extend(bytes);
    }
}

/// Runs a program to its end.
pub(crate) async fn exec(client: &SimHost, system: SystemHandle, line: &str) -> Ran {
    exec_with(client, system, &parameters(line)).await
}

pub(crate) async fn exec_with(
    client: &SimHost,
    system: SystemHandle,
    parameters: &ProcessParameters,
) -> Ran {
    let compute = client.compute();
    let process = compute.create_process(system, parameters).await.unwrap();
    let out = read_all(client, process, Output::Out).await;
    let err = read_all(client, process, Output::Err).await;
    let status: ProcessStatus = compute.wait_process(process).await.unwrap();
    compute.close_process(process).await.unwrap();
    assert!(status.exited);
    Ran {
        out,
        err,
        exit: status.exit_code,
    }
}

/// The technical-preview host on which containers run, and the current one.
pub(crate) fn both() -> [Profile; 2] {
    [Profile::core_tp3(), Profile::server_2022()]
}

/// A host of its own with a running container.
pub(crate) fn with_container(profile: &Profile, seed: u64) -> (Sim, SimHost, SystemHandle) {
    let sim = Sim::new(profile.clone(), seed);
    let client = sim.client();
    let system = sim.run(running(&client, profile)).unwrap();
    (sim, client, system)
}

/// A host after the restart that its packages wait for.
pub(crate) async fn reboot(client: &SimHost) {
    client.control().reboot().await.unwrap();
}
