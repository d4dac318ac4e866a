//! What a container can be asked to be, and what is refused.

use wcow_engine::{CreateContainer, EngineError, Force, Settings};
use wcow_host::{FileSystem, Host, Output, WriteMode};
use wcow_ntmeta::HostPath;
use wcow_runtime::{Access, ExecSpec, Isolation, Mount, Processors};
use wcow_sim::Profile;

use crate::support::{Stage, wanted};

fn path(text: &str) -> HostPath {
    HostPath::parse(text).unwrap()
}

/// Runs a program in `one`: its exit code, and what it wrote.
#[track_caller]
fn exec(stage: &Stage, command: &str) -> (u32, String) {
    stage.ok(async {
        let process = stage.engine.exec("one", &ExecSpec::new(command)).await?;
        let mut text = Vec::new();
        let mut outputs = process.outputs(4096);
        while let Ok(Some((output, bytes))) = outputs.next().await {
            if output == Output::Out {
                text.extend(bytes);
            }
        }
        drop(outputs);
        let ended = process.wait().await.unwrap();
        Ok((ended.code.unwrap(), String::from_utf8(text).unwrap()))
    })
}

fn read(stage: &Stage, file: &str) -> Option<String> {
    let file = path(file);
    let bytes = stage.engine.host().files().read(&file, 1 << 20);
    let bytes = stage.sim.run(bytes).unwrap().ok()?;
    Some(String::from_utf8(bytes.to_vec()).unwrap())
}

fn mounted(access: Access) -> CreateContainer {
    CreateContainer {
        mounts: vec![Mount {
            host: path(r"C:\shared\web"),
            container: r"C:\data".to_owned(),
            access,
        }],
        ..wanted("base", "one")
    }
}

#[test]
fn a_folder_of_the_host_is_the_same_inside_and_outside() {
    let stage = Stage::new(Profile::server_2022());
    stage.ok(stage.engine.create_container(mounted(Access::ReadWrite)));
    let files = stage.engine.host().files();
    let file = path(r"C:\shared\web\given.txt");
    let write = files.write(&file, b"from outside\r\n", WriteMode::CreateNew);
    stage.sim.run(write).unwrap().unwrap();
    stage.ok(stage.engine.start("one"));
    assert_eq!(
        exec(&stage, r"cmd /c type C:\data\given.txt"),
        (0, "from outside\r\n".to_owned())
    );
    exec(&stage, r"cmd /c echo one> C:\data\made.txt");
    exec(&stage, r"cmd /c echo two>> c:\DATA\made.txt");
    exec(&stage, r"cmd /c md C:\data\sub\deep");
    exec(&stage, r"cmd /c echo deep> C:\data\sub\deep\file");
    exec(&stage, r"cmd /c del C:\data\given.txt");
    assert_eq!(
        read(&stage, r"C:\shared\web\made.txt").as_deref(),
        Some("one\r\ntwo\r\n")
    );
    assert_eq!(
        read(&stage, r"C:\shared\web\sub\deep\file").as_deref(),
        Some("deep\r\n")
    );
    assert_eq!(read(&stage, r"C:\shared\web\given.txt"), None);
    let (_, listed) = exec(&stage, r"cmd /c dir /b C:\data");
    assert_eq!(listed, "made.txt\r\nsub\r\n");
    let (_, listed) = exec(&stage, r"cmd /c dir /b C:\");
    assert!(listed.contains("data\r\n"), "{listed}");
    // What is the host's stays when the container goes.
    stage.ok(stage.engine.remove_container("one", Force::Yes));
    assert!(read(&stage, r"C:\shared\web\made.txt").is_some());
    assert_eq!(stage.traces(), Vec::<String>::new());
}

#[test]
fn a_folder_that_is_only_to_be_read_cannot_be_written() {
    let stage = Stage::new(Profile::server_2022());
    stage.ok(stage.engine.create_container(mounted(Access::ReadOnly)));
    let files = stage.engine.host().files();
    let file = path(r"C:\shared\web\given.txt");
    let write = files.write(&file, b"kept\r\n", WriteMode::CreateNew);
    stage.sim.run(write).unwrap().unwrap();
    stage.ok(stage.engine.start("one"));
    for command in [
        r"cmd /c echo x> C:\data\given.txt",
        r"cmd /c echo x> C:\data\new.txt",
        r"cmd /c md C:\data\sub",
    ] {
        assert_ne!(exec(&stage, command).0, 0, "{command}");
    }
    exec(&stage, r"cmd /c del C:\data\given.txt");
    assert_eq!(
        exec(&stage, r"cmd /c type C:\data\given.txt"),
        (0, "kept\r\n".to_owned())
    );
    let listed = stage.sim.run(files.list(&path(r"C:\shared\web"))).unwrap();
    assert_eq!(listed.unwrap().len(), 1);
}

#[test]
fn a_mount_of_a_folder_that_is_gone_keeps_the_container_off() {
    let stage = Stage::new(Profile::server_2022());
    stage.ok(stage.engine.create_container(mounted(Access::ReadWrite)));
    let files = stage.engine.host().files();
    let folder = path(r"C:\shared");
    let gone = files.remove_dir_all(&folder);
    stage.sim.run(gone).unwrap().unwrap();
    let error = stage.err(stage.engine.start("one"));
    let code = error.host_error().and_then(|error| error.hresult());
    assert_eq!(code.unwrap().to_string(), "0x80070003");
    stage.ok(stage.engine.remove_container("one", Force::No));
    assert_eq!(stage.traces(), Vec::<String>::new());
}

#[test]
fn the_main_process_gets_what_was_asked_for() {
    let stage = Stage::new(Profile::server_2022());
    stage.ok(stage.engine.create_container(CreateContainer {
        environment: [("COLOUR".to_owned(), "blue".to_owned())].into(),
        working_directory: r"C:\Windows".to_owned(),
        host_name: Some("pump-1".to_owned()),
        memory_mib: Some(512),
        processors: Some(Processors::Count(3)),
        settings: Settings {
            command: Some(
                "cmd /c echo %COLOUR% %USERNAME% %COMPUTERNAME% %NUMBER_OF_PROCESSORS% & cd"
                    .to_owned(),
            ),
            user: "ContainerUser".to_owned(),
            ..Settings::default()
        },
        ..wanted("base", "one")
    }));
    stage.ok(stage.engine.start("one"));
    stage.ok(stage.engine.wait("one"));
    let lines = stage.ok(stage.engine.logs("one", &wcow_engine::LogQuery::default()));
    let text: Vec<u8> = lines.into_iter().flat_map(|line| line.bytes).collect();
    assert_eq!(
        String::from_utf8(text).unwrap(),
        "blue ContainerUser PUMP-1 3 \r\nC:\\Windows\r\n"
    );
}

#[test]
fn what_can_be_nowhere_is_refused_before_anything_is_made() {
    let stage = Stage::new(Profile::server_2022());
    let mount = |container: &str| Mount {
        host: path(r"C:\shared"),
        container: container.to_owned(),
        access: Access::ReadWrite,
    };
    for (asked, word) in [
        (
            CreateContainer {
                host_name: Some("under_score".to_owned()),
                ..wanted("base", "one")
            },
            "host name",
        ),
        (
            CreateContainer {
                host_name: Some("123".to_owned()),
                ..wanted("base", "one")
            },
            "host name",
        ),
        (
            CreateContainer {
                memory_mib: Some(0),
                ..wanted("base", "one")
            },
            "memory",
        ),
        (
            CreateContainer {
                processors: Some(Processors::Count(0)),
                ..wanted("base", "one")
            },
            "processor",
        ),
        (
            CreateContainer {
                processors: Some(Processors::Limit(10_001)),
                ..wanted("base", "one")
            },
            "10001",
        ),
        (
            CreateContainer {
                processors: Some(Processors::Weight(0)),
                ..wanted("base", "one")
            },
            "weight",
        ),
        (
            CreateContainer {
                mounts: vec![mount(r"C:\")],
                ..wanted("base", "one")
            },
            "root",
        ),
        (
            CreateContainer {
                mounts: vec![mount("data")],
                ..wanted("base", "one")
            },
            "\"data\"",
        ),
    ] {
        let error = stage.err(stage.engine.create_container(asked));
        assert!(matches!(error, EngineError::Options { .. }), "{error:?}");
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains(word), "{error}");
    }
    assert_eq!(stage.traces(), Vec::<String>::new());
}

#[test]
fn what_technical_previews_cannot_say_is_refused_with_a_sentence() {
    let stage = Stage::new(Profile::core_tp3());
    for (asked, word) in [
        (mounted(Access::ReadWrite), "folders of the host"),
        (
            CreateContainer {
                memory_mib: Some(100),
                ..wanted("base", "one")
            },
            "memory limit",
        ),
        (
            CreateContainer {
                processors: Some(Processors::Weight(5)),
                ..wanted("base", "one")
            },
            "processors",
        ),
        (
            CreateContainer {
                isolation: Isolation::HyperV,
                ..wanted("base", "one")
            },
            "Hyper-V",
        ),
    ] {
        let error = stage.err(stage.engine.create_container(asked));
        assert_eq!(error.exit_code(), 5, "{error:?}");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(word), "{cause}");
    }
    assert_eq!(stage.traces(), Vec::<String>::new());
}

#[test]
fn hyper_v_isolation_of_an_image_without_a_utility_vm_is_refused_with_a_sentence() {
    let stage = Stage::new(Profile::server_2022());
    stage.ok(stage.engine.create_container(CreateContainer {
        isolation: Isolation::HyperV,
        ..wanted("base", "one")
    }));
    let error = stage.err(stage.engine.start("one"));
    let code = error.host_error().and_then(|error| error.hresult());
    assert_eq!(code.unwrap().to_string(), "0x80070002");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("utility virtual machine"), "{cause}");
    stage.ok(stage.engine.remove_container("one", Force::No));
    assert_eq!(stage.traces(), Vec::<String>::new());
}

#[test]
fn what_the_host_will_refuse_is_foreseen_in_a_sentence() {
    let stage = Stage::new(Profile::server_2022());
    stage.install("old", 17763, "ServerDatacenter", true);
    stage.install("empty", 20348, "ServerDatacenter", false);
    stage.create("base", "one");
    assert_eq!(stage.ok(stage.engine.foresee("one")), None);
    stage.create("old", "two");
    let sentence = stage.ok(stage.engine.foresee("two")).unwrap();
    assert!(
        sentence.contains("17763") && sentence.contains("20348"),
        "{sentence}"
    );
    let error = stage.err(stage.engine.start("two"));
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains(&sentence), "{cause}");
    stage.create("empty", "three");
    let sentence = stage.ok(stage.engine.foresee("three")).unwrap();
    assert!(sentence.contains("CExecSvc"), "{sentence}");
}
