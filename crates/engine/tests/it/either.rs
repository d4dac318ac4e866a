//! A host that is one of two.

use wcow_engine::{Engine, Force};
use wcow_host::codes::win32;
use wcow_host::{ComputeService, Either, FileSystem, Host, Output, Precaution};
use wcow_network::{Driver, NetworkSpec};
use wcow_ntmeta::HostPath;
use wcow_runtime::ExecSpec;
use wcow_sim::{Profile, Sim, SimHost};
use wcow_tree::memory::MemoryTree;

use crate::support::{image, wanted};

/// The fingerprint of a host on which an image and a network came and went, and a container ran.
fn life<H: Host>(profile: &Profile, host: impl FnOnce(SimHost) -> H) -> String {
    let sim = Sim::new(profile.clone(), 3);
    let engine = Engine::new(host(sim.client()));
    let spec = NetworkSpec {
        name: "nat".to_owned(),
        driver: Driver::Nat,
        subnet: None,
        gateway: None,
        adapter: None,
    };
    let (request, mut tree) = image(
        MemoryTree::new(),
        "base",
        profile.build,
        &profile.edition,
        true,
    );
    let output = sim.run(async {
        engine.install_image(request, &mut tree).await.unwrap();
        engine.create_network(&spec).await.unwrap();
        engine
            .create_container(wanted("base", "one"))
            .await
            .unwrap();
        engine.start("one").await.unwrap();
        let spec = ExecSpec::new("cmd /c echo hello");
        let process = engine.exec("one", &spec).await.unwrap();
        let output = process.read(Output::Out, 1024).await.unwrap();
        process.wait().await.unwrap();
        engine.stop("one", 10_000_000).await.unwrap();
        engine.remove_container("one", Force::No).await.unwrap();
        engine.remove_network("nat").await.unwrap();
        engine.remove_image("base").await.unwrap();
        engine.diagnose(&[]).await.unwrap();
        output
    });
    assert_eq!(output.unwrap(), b"hello\r\n");
    sim.fingerprint()
}

#[test]
fn whichever_of_two_it_is_a_host_is_asked_the_same() {
    for profile in [Profile::core_tp3(), Profile::server_2022()] {
        let alone = life(&profile, |host| host);
        assert_eq!(life(&profile, Either::<SimHost, SimHost>::Left), alone);
        assert_eq!(life(&profile, Either::<SimHost, SimHost>::Right), alone);
    }
}

#[test]
fn a_tree_of_one_host_is_no_tree_of_the_other() {
    let sim = Sim::new(Profile::server_2022(), 0);
    let one = Either::<SimHost, SimHost>::Left(sim.client());
    let other = Either::<SimHost, SimHost>::Right(sim.client());
    let finished = sim.run(async {
        let path = HostPath::parse(r"C:\tree").unwrap();
        let tree = one.files().create_tree(&path).await.unwrap();
        other
            .files()
            .finish_tree(tree, Precaution::new("sync-tree"))
            .await
    });
    let code = finished.unwrap().unwrap_err().hresult();
    assert_eq!(code, Some(win32::INVALID_HANDLE));
    assert_eq!(one.compute().api(), other.compute().api());
}
