//! Hyper-V isolated containers, of an image that came with a utility virtual machine.

use wcow_engine::{ContainerStatus, CreateContainer, Force, doctor};
use wcow_host::utility_vm::UtilityVm;
use wcow_host::{ComputeApi, ComputeService, FileSystem, Host, Output};
use wcow_ntmeta::HostPath;
use wcow_runtime::{ExecSpec, Isolation};
use wcow_sim::Profile;
use wcow_tree::memory::MemoryTree;

use crate::support::{Stage, wanted};

/// A host whose image has a utility virtual machine, and a running container `one` with Hyper-V isolation.
fn running() -> Stage {
    running_on(Stage::bare(Profile::server_2022()))
}

/// The same, where the client sees the compute service through version 2 alone.
fn running_through_version_2() -> Stage {
    running_on(Stage::through(Profile::server_2022(), ComputeApi::V2))
}

fn running_on(stage: Stage) -> Stage {
    let boot = r"UtilityVM\Files\EFI\Microsoft\Boot\BCD";
    let tree = MemoryTree::new()
        .file(boot, wcow_hive::empty_hive("BCD"))
        .file(r"UtilityVM\Files\EFI\Microsoft\Boot\bootmgfw.efi", *b"MZ");
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
    goes_through_its_life(&running());
    goes_through_its_life(&running_through_version_2());
}

fn goes_through_its_life(stage: &Stage) {
    let engine = &stage.engine;
    assert_eq!(stage.ok(engine.foresee("one")), None);
    assert_eq!(listed(stage), ContainerStatus::Running);
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
    assert_eq!(listed(stage), ContainerStatus::Paused);
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
    assert_eq!(listed(stage), ContainerStatus::Running);
    assert_eq!(stage.ok(run()), ("hello\r\n".to_owned(), 7));
    let error = stage.err(engine.resume("one"));
    assert_eq!(error.exit_code(), 4, "{error}");

    stage.ok(engine.stop("one", 10_000_000));
    assert_eq!(listed(stage), ContainerStatus::Off);
    stage.ok(engine.remove_container("one", Force::No));
    assert_eq!(stage.traces(), Vec::<String>::new());
}

#[test]
fn one_that_is_frozen_can_be_stopped_and_removed() {
    is_stopped_and_removed_when_frozen(&running());
    is_stopped_and_removed_when_frozen(&running_through_version_2());
}

fn is_stopped_and_removed_when_frozen(stage: &Stage) {
    stage.ok(stage.engine.pause("one"));
    stage.ok(stage.engine.stop("one", 10_000_000));
    assert_eq!(listed(stage), ContainerStatus::Off);
    let systems = stage.sim.run(stage.engine.host().compute().enumerate());
    assert_eq!(systems.unwrap().unwrap(), Vec::new());

    stage.ok(stage.engine.start("one"));
    stage.ok(stage.engine.pause("one"));
    stage.ok(stage.engine.remove_container("one", Force::Yes));
    assert_eq!(stage.traces(), Vec::<String>::new());
}

#[test]
fn a_utility_vm_whose_container_nobody_knows_is_seen_and_pruned() {
    let stage = running_through_version_2();
    let host = stage.engine.host();
    let systems = || stage.sim.run(host.compute().enumerate()).unwrap().unwrap();
    let ids = systems().into_iter().map(|system| system.id);
    let machine = ids
        .clone()
        .find(|id| UtilityVm::container_of(id).is_some())
        .expect("a utility VM");
    let container = UtilityVm::container_of(&machine).unwrap();
    assert_eq!(
        ids.collect::<Vec<_>>(),
        [container.clone(), machine.clone()]
    );
    let orphans = || {
        let check = doctor::check("orphan-systems").expect("it is there");
        let reports = stage.ok(stage.engine.diagnose(&[check]));
        format!("{:?}", reports[0].evidence)
    };
    assert!(!orphans().contains(&machine.0), "{}", orphans());
    let record = format!(r"C:\ProgramData\wcow\records\containers\{container}.json");
    let record = HostPath::parse(&record).unwrap();
    let removed = stage.sim.run(host.files().remove_file(&record));
    removed.unwrap().unwrap();
    assert!(orphans().contains(&machine.0), "{}", orphans());
    let pruned = stage.ok(stage.engine.prune());
    assert_eq!(pruned.systems, [container, machine]);
    assert_eq!(systems(), Vec::new());
    assert_eq!(stage.traces(), Vec::<String>::new());
}

#[test]
fn process_isolation_works_through_version_2_as_well() {
    let stage = Stage::through(Profile::server_2022(), ComputeApi::V2).with_base();
    stage.create("base", "one");
    stage.ok(stage.engine.start("one"));
    assert_eq!(listed(&stage), ContainerStatus::Running);
    stage.ok(stage.engine.stop("one", 10_000_000));
    stage.ok(stage.engine.remove_container("one", Force::No));
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
