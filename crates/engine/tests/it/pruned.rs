//! What nobody needs any more.

use wcow_engine::{CreateContainer, Pruned};
use wcow_hcs_schema::hns::HnsEndpoint;
use wcow_hcs_schema::schema1::{ContainerConfig, Layer};
use wcow_host::{
    ComputeService, CreateDocument, FileSystem, Host, LayerDescriptor, LayerStorage,
    NetworkService, SystemId, WriteMode, era,
};
use wcow_network::{Driver, NetworkSpec};
use wcow_ntmeta::HostPath;
use wcow_sim::Profile;

use crate::support::{Stage, wanted};

/// Ticks of 100 ns in a second.
const SECOND: u64 = 10_000_000;
/// The id of a container that nobody knows.
const LOST: &str = "00efa81e-dea4-4e25-9614-65d2aba23274";

fn net(stage: &Stage) {
    stage.ok(stage.engine.create_network(&NetworkSpec {
        name: "net".to_owned(),
        driver: Driver::Nat,
        subnet: None,
        gateway: None,
        adapter: None,
    }));
}

#[test]
fn containers_that_are_off_are_removed_and_others_stay() {
    for profile in [Profile::core_tp3(), Profile::server_2022()] {
        let stage = Stage::new(profile);
        assert_eq!(stage.ok(stage.engine.prune()), Pruned::default());
        for name in ["off", "runs", "stopped", "rebooted"] {
            stage.create("base", name);
        }
        stage.ok(stage.engine.start("rebooted"));
        stage.ok(stage.engine.reboot());
        stage.ok(stage.engine.start("stopped"));
        stage.ok(stage.engine.stop("stopped", SECOND));
        stage.ok(stage.engine.start("runs"));
        let pruned = stage.ok(stage.engine.prune());
        assert_eq!(pruned.containers, ["off", "rebooted", "stopped"]);
        assert_eq!(
            Pruned {
                containers: Vec::new(),
                ..pruned
            },
            Pruned::default()
        );
        let left = stage.ok(stage.engine.containers());
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].name, "runs");
    }
}

#[test]
fn what_is_left_of_containers_whose_records_are_lost_is_removed() {
    let stage = Stage::new(Profile::server_2022());
    net(&stage);
    stage.ok(stage.engine.create_container(CreateContainer {
        network: Some("net".to_owned()),
        ..wanted("base", "keeps")
    }));
    stage.ok(stage.engine.start("keeps"));
    let before = stage.traces();
    let image = stage.ok(stage.engine.images()).remove(0);
    let host = stage.sim.client();
    let scratch = era::scratch_folder(20348, LOST);
    let made = stage.sim.run(async {
        let parents = [LayerDescriptor {
            id: era::layer_id(&image.full_name),
            path: image.path.clone(),
        }];
        host.layers().create_scratch(&scratch, &parents).await?;
        host.layers().activate(&scratch).await?;
        host.layers().prepare(&scratch, &parents).await?;
        let network = host.network().networks().await?.remove(0);
        let endpoint = HnsEndpoint {
            name: "lost".to_owned(),
            virtual_network: network.id,
            ..HnsEndpoint::default()
        };
        let endpoint = host.network().create_endpoint(&endpoint).await?;
        let document = ContainerConfig {
            system_type: "Container".to_owned(),
            owner: "wcow".to_owned(),
            volume_path: host.layers().mount_path(&scratch).await?,
            layer_folder_path: scratch.to_string(),
            layers: vec![Layer {
                id: parents[0].id.to_string(),
                path: image.path.to_string(),
                ..Layer::default()
            }],
            endpoint_list: vec![endpoint.id.clone()],
            ..ContainerConfig::default()
        };
        let id = SystemId(LOST.to_owned());
        let system = host
            .compute()
            .create(&id, &CreateDocument::Schema1(document))
            .await?;
        host.compute().start(system).await?;
        host.compute().close(system).await?;
        let log = HostPath::root("C:")
            .join(r"ProgramData\wcow\logs")
            .join(LOST);
        host.files().create_dir_all(&log).await?;
        let log = log.join("00000001.log");
        host.files().write(&log, b"x", WriteMode::CreateNew).await?;
        Ok::<_, wcow_host::HostError>(endpoint.id)
    });
    let endpoint = made.unwrap().unwrap();
    assert_eq!(stage.traces().len(), before.len() + 3);
    let pruned = stage.ok(stage.engine.prune());
    assert_eq!(
        pruned,
        Pruned {
            systems: vec![SystemId(LOST.to_owned())],
            layers: vec![scratch.to_string()],
            endpoints: vec![endpoint],
            logs: vec![LOST.to_owned()],
            ..Pruned::default()
        }
    );
    assert_eq!(stage.traces(), before);
    assert_eq!(stage.ok(stage.engine.prune()), Pruned::default());
}

#[test]
fn what_belongs_to_others_stays() {
    let stage = Stage::new(Profile::server_2022());
    let host = stage.sim.client();
    let made = stage.sim.run(async {
        let network = wcow_hcs_schema::hns::HnsNetwork {
            name: "theirs".to_owned(),
            kind: "nat".to_owned(),
            subnets: vec![wcow_hcs_schema::hns::Subnet {
                address_prefix: "172.21.0.0/16".to_owned(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let network = host.network().create_network(&network).await?;
        let endpoint = HnsEndpoint {
            name: "theirs".to_owned(),
            virtual_network: network.id,
            ..HnsEndpoint::default()
        };
        host.network().create_endpoint(&endpoint).await
    });
    made.unwrap().unwrap();
    assert_eq!(stage.ok(stage.engine.prune()), Pruned::default());
    assert_eq!(stage.traces().len(), 1);
}
