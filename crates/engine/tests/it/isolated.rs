//! Hyper-V isolated containers, of an image that came with a utility virtual machine.

use wcow_engine::{ContainerStatus, CreateContainer, Force};
use wcow_host::{ComputeService, FileSystem, Host, Output};
use wcow_runtime::{ExecSpec, Isolation};
use wcow_sim::Profile;
use wcow_tree::memory::MemoryTree;

use crate::support::{Stage, wanted};

/// A host whose image has a utility virtual machine, and a running container `one` with Hyper-V isolation.
fn running() -> Stage {
    let stage = Stage::bare(Profile::server_2022());
    let boot = r"UtilityVM\Files\EFI\Microsoft\Boot\BCD";
    let tree = MemoryTree::new().file(boot, wcow_hive::empty_hive("BCD"));
    let (build, edition) = (20348, "ServerDatacenter");
    assert!(stage.try_install_with(tree, "base", build, edition, true));
    let image = stage.ok(stage.engine.image("base"));
    let there = |below: &str| {
        let at = image.path.join(below);
        let files = stage.engine.host().files();
        stage
            .sim
            .run(files.metadata(&at))
            .unwrap()
            .unwrap()
            .is_some()
    };
    assert!(there(boot) && there(r"UtilityVM\SystemTemplate.vhdx"));
    assert!(!there(r"files\UtilityVM"));
    stage.ok(stage.engine.create_container(CreateContainer {
        isolation: Isolation::HyperV,
        ..wanted("base", "one")
    }));
    stage.ok(stage.engine.start("one"));
    stage
}

/// The status of `one` in a list.
#[track_caller]
fn listed(stage: &Stage) -> ContainerStatus {
    let containers = stage.ok(stage.engine.containers());
    assert_eq!(containers.len(), 1);
    containers[0].status
}

#[test]
fn it_runs_programs_is_frozen_goes_on_and_is_removed() {
    let stage = running();
    let engine = &stage.engine;
    assert_eq!(stage.ok(engine.foresee("one")), None);
    assert_eq!(listed(&stage), ContainerStatus::Running);
    let program = ExecSpec::new("cmd /c echo hello& exit 7");
    let run = async || {
        let process = engine.exec("one", &program).await?;
        let output = process.read(Output::Out, 1024).await.unwrap();
        let status = process.wait().await.unwrap();
        Ok((String::from_utf8(output).unwrap(), status.code.unwrap()))
    };
    assert_eq!(stage.ok(run()), ("hello\r\n".to_owned(), 7));

    let status = stage.ok(engine.pause("one")).status;
    assert_eq!(status, ContainerStatus::Paused);
    assert_eq!(listed(&stage), ContainerStatus::Paused);
    assert!(stage.ok(engine.stats("one")).processes > 0);
    for error in [
        stage.err(engine.pause("one")),
        stage.err(run()),
        stage.err(engine.remove_container("one", Force::No)),
    ] {
        assert_eq!(error.exit_code(), 4, "{error}");
        assert!(error.to_string().contains("Paused"), "{error}");
    }

    let status = stage.ok(engine.resume("one")).status;
    assert_eq!(status, ContainerStatus::Running);
    assert_eq!(listed(&stage), ContainerStatus::Running);
    assert_eq!(stage.ok(run()), ("hello\r\n".to_owned(), 7));
    let error = stage.err(engine.resume("one"));
    assert_eq!(error.exit_code(), 4, "{error}");

    stage.ok(engine.stop("one", 10_000_000));
    assert_eq!(listed(&stage), ContainerStatus::Off);
    stage.ok(engine.remove_container("one", Force::No));
    assert_eq!(stage.traces(), Vec::<String>::new());
}

#[test]
fn one_that_is_frozen_can_be_stopped_and_removed() {
    let stage = running();
    stage.ok(stage.engine.pause("one"));
    stage.ok(stage.engine.stop("one", 10_000_000));
    assert_eq!(listed(&stage), ContainerStatus::Off);
    let systems = stage.sim.run(stage.engine.host().compute().enumerate());
    assert_eq!(systems.unwrap().unwrap(), Vec::new());

    stage.ok(stage.engine.start("one"));
    stage.ok(stage.engine.pause("one"));
    stage.ok(stage.engine.remove_container("one", Force::Yes));
    assert_eq!(stage.traces(), Vec::<String>::new());
}

#[test]
fn one_with_process_isolation_is_not_frozen_and_goes_on() {
    let stage = Stage::new(Profile::server_2022());
    stage.create("base", "one");
    stage.ok(stage.engine.start("one"));
    let error = stage.err(stage.engine.pause("one"));
    assert_eq!(error.exit_code(), 1);
    assert_eq!(error.to_string(), "could not pause container \"one\"");
    let answer = error.host_error().and_then(|error| error.hresult());
    assert_eq!(answer.unwrap().to_string(), "0x80070032");
    let info = stage.ok(stage.engine.info());
    let way_out = error.failure(&info).expect("it is known").way_out;
    assert!(way_out.contains("Hyper-V isolation"), "{way_out}");
    assert_eq!(listed(&stage), ContainerStatus::Running);
}
