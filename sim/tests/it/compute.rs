//! Compute systems.

use proptest::prelude::*;
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork};
use wcow_hcs_schema::tp3::{Connection, Device};
use wcow_host::era::{self, ImageFacts, Stage, Verdict};
use wcow_host::{
    Clock, ComputeService, CreateDocument, ExitType, FileSystem, Host, HostControl, LayerStorage,
    NetworkService, NewVmSwitch, SwitchService, SwitchType, SystemEvent, SystemHandle, SystemState,
};
use wcow_ntmeta::Hresult;
use wcow_sim::{Profile, Sim, SimHost};

use crate::containers::*;
use crate::support::{code, host, run, win32};

const OK: &str = "ok";
const INVALID_STATE: &str = "0xC0370105";
const NOT_FOUND: &str = "0xC037010E";
const EXISTS: &str = "0xC037010F";
const STOPPED: &str = "0xC0370110";
const CALLS: [&str; 9] = [
    "create",
    "open",
    "start",
    "shutdown",
    "terminate",
    "exec",
    "process 4096",
    "state",
    "remove",
];

/// What a call in a state is answered with.
async fn call(client: &SimHost, profile: &Profile, system: SystemHandle, name: &str) -> String {
    let compute = client.compute();
    match name {
        "create" => code(create(client, profile).await),
        "open" => code(compute.open(&id()).await),
        "start" => code(compute.start(system).await),
        "shutdown" => code(compute.shutdown(system).await),
        "terminate" => code(compute.terminate(system).await),
        "exec" => code(
            compute
                .create_process(system, &parameters("cmd /c ver"))
                .await,
        ),
        "process 4096" => code(compute.open_process(system, 4096).await),
        "state" => code(compute.status(system).await),
        "remove" => code(compute.remove(&id()).await),
        other => panic!("{other}"),
    }
}

/// Brings a fresh host into a state; gives a handle to the system.
async fn bring(client: &SimHost, profile: &Profile, state: &str) -> SystemHandle {
    let compute = client.compute();
    install_image(client, &fitting(profile)).await;
    mount(client, profile).await;
    let system = create(client, profile).await.unwrap();
    if state != "created" {
        compute.start(system).await.unwrap();
    }
    if state == "ended" {
        compute.shutdown(system).await.unwrap();
    }
    if state == "closed" {
        compute.close(system).await.unwrap();
    }
    system
}

#[track_caller]
fn check_matrix(profile: &Profile, state: &str, expected: [&str; 9]) {
    let mut found = Vec::new();
    for name in CALLS {
        let (sim, client) = host(profile.clone());
        found.push(run(&sim, async {
            let system = bring(&client, profile, state).await;
            call(&client, profile, system, name).await
        }));
    }
    assert_eq!(found, expected, "{} {state}: {CALLS:?}", profile.name);
}

#[test]
fn every_call_in_every_state_has_its_answer() {
    let (process, handle, unsupported) = (win32(0x490), win32(6), win32(0x32));
    let (p, h, n) = (process.as_str(), handle.as_str(), unsupported.as_str());
    let tp3 = Profile::core_tp3();
    let off = [EXISTS, OK, OK, INVALID_STATE, OK, INVALID_STATE, p, OK, OK];
    check_matrix(&tp3, "created", off);
    check_matrix(
        &tp3,
        "running",
        [EXISTS, OK, INVALID_STATE, OK, OK, OK, p, OK, INVALID_STATE],
    );
    // A container that persists is off again.
    check_matrix(&tp3, "ended", off);
    check_matrix(
        &tp3,
        "closed",
        [EXISTS, OK, h, h, h, h, h, h, INVALID_STATE],
    );

    let current = Profile::server_2022();
    check_matrix(
        &current,
        "created",
        [EXISTS, OK, OK, INVALID_STATE, OK, INVALID_STATE, p, OK, n],
    );
    check_matrix(
        &current,
        "running",
        [EXISTS, OK, INVALID_STATE, OK, OK, OK, p, OK, n],
    );
    check_matrix(
        &current,
        "ended",
        [
            OK, NOT_FOUND, STOPPED, STOPPED, STOPPED, STOPPED, STOPPED, STOPPED, n,
        ],
    );
    check_matrix(&current, "closed", [EXISTS, OK, h, h, h, h, h, h, n]);
}

#[test]
fn each_generation_refuses_the_documents_of_the_other() {
    for (profile, other) in [
        (Profile::core_tp3(), Profile::server_2022()),
        (Profile::server_2022(), Profile::core_tp3()),
    ] {
        let (sim, client) = host(profile.clone());
        run(&sim, async {
            install_image(&client, &fitting(&profile)).await;
            mount(&client, &profile).await;
            let document = document(&client, &other).await;
            let created = client.compute().create(&id(), &document).await;
            assert_eq!(code(created), "0xC037010D");
        });
    }
}

#[test]
fn a_container_needs_its_scratch_layer_mounted() {
    let profile = Profile::server_2022();
    let (sim, client) = host(profile.clone());
    run(&sim, async {
        install_image(&client, &fitting(&profile)).await;
        let layers = client.layers();
        let scratch = scratch(&profile);
        layers.create_scratch(&scratch, &parents()).await.unwrap();
        layers.activate(&scratch).await.unwrap();
        assert_eq!(code(create(&client, &profile).await), win32(3));
        layers.prepare(&scratch, &parents()).await.unwrap();
        let system = create(&client, &profile).await.unwrap();
        client.compute().start(system).await.unwrap();
        assert_eq!(code(layers.unprepare(&scratch).await), win32(0x20));
        client.compute().terminate(system).await.unwrap();
        layers.unprepare(&scratch).await.unwrap();
    });
}

#[test]
fn a_technical_preview_container_has_its_files_and_takes_them_along() {
    let profile = Profile::core_tp3();
    let (sim, client) = host(profile.clone());
    run(&sim, async {
        let system = bring(&client, &profile, "created").await;
        let scratch = scratch(&profile);
        let folder = scratch.parent().unwrap();
        let list = async || {
            let entries = client.files().list(&folder).await.unwrap();
            let names = entries.into_iter();
            names
                .map(|entry| format!("{} {}", entry.name, entry.metadata.len))
                .collect::<Vec<_>>()
        };
        let expected = [
            format!("{ID} 0"),
            format!("{ID}.vhdx 44040192"),
            format!("{ID}.vmcx 38826"),
            format!("{ID}.VMRS 24576"),
        ];
        assert_eq!(list().await, expected);
        let hives = client.files().list(&scratch.join("Hives")).await.unwrap();
        assert_eq!(hives.len(), 7);
        assert!(hives.iter().all(|hive| hive.metadata.len == 8192));

        client.compute().start(system).await.unwrap();
        reboot(&client).await;
        let known = client.compute().enumerate().await.unwrap();
        assert_eq!(known.len(), 1);
        assert_eq!(known[0].known_state(), SystemState::Created);
        client.compute().remove(&id()).await.unwrap();
        assert_eq!(list().await, [format!("{ID}.vhdx 44040192")]);
        assert!(client.compute().enumerate().await.unwrap().is_empty());
    });
}

#[test]
fn a_restart_ends_what_runs_and_takes_the_handles() {
    for profile in both() {
        let (sim, client, system) = with_container(&profile, 1);
        let process = run(&sim, async {
            let ping = parameters("ping -t localhost");
            client
                .compute()
                .create_process(system, &ping)
                .await
                .unwrap()
        });
        let waiter = client.clone();
        let exit = sim.spawn(async move { code(waiter.compute().wait_process(process).await) });
        let watcher = client.clone();
        let event = sim.spawn(async move { watcher.compute().next_event(system).await });
        run(&sim, async {
            let later = client.clock().now().ticks() + 30_000_000;
            let later = wcow_ntmeta::FileTime::from_ticks(later);
            client.clock().sleep_until(later).await;
            reboot(&client).await;
            assert_eq!(exit.await, "0xC0370106");
            assert_eq!(event.await.unwrap(), SystemEvent::ServiceDisconnected);
            assert_eq!(code(client.compute().status(system).await), win32(6));
            assert_eq!(
                code(client.compute().process_status(process).await),
                win32(6)
            );
            let there = usize::from(era::containers_persist(profile.build));
            assert_eq!(client.compute().enumerate().await.unwrap().len(), there);
        });
    }
}

#[test]
fn a_restarted_service_takes_the_handles_only() {
    let (sim, client, system) = with_container(&Profile::server_2022(), 1);
    run(&sim, async {
        client.control().restart_service("vmcompute").await.unwrap();
        assert_eq!(code(client.compute().status(system).await), win32(6));
        let again = client.compute().open(&id()).await.unwrap();
        assert_eq!(exec(&client, again, "cmd /c exit 2").await.exit, 2);
    });
}

#[test]
fn events_are_kept_until_somebody_asks() {
    let (sim, client, system) = with_container(&Profile::server_2022(), 1);
    run(&sim, async {
        let compute = client.compute();
        compute.shutdown(system).await.unwrap();
        let status = Hresult::default();
        let event = compute.next_event(system).await.unwrap();
        let exit = ExitType::GracefulExit;
        assert_eq!(event, SystemEvent::Exited { status, exit });
        assert_eq!(code(compute.next_event(system).await), STOPPED);
    });
}

#[test]
fn ending_a_container_while_it_starts_ends_the_start() {
    let profile = Profile::server_2022();
    let (sim, client) = host(profile.clone());
    let system = run(&sim, bring(&client, &profile, "created"));
    let starter = client.clone();
    let start = sim.spawn(async move { code(starter.compute().start(system).await) });
    run(&sim, async {
        let soon = wcow_ntmeta::FileTime::from_ticks(client.clock().now().ticks() + 500_000);
        client.clock().sleep_until(soon).await;
        client.compute().terminate(system).await.unwrap();
        assert_eq!(start.await, "0xC0370100");
        assert_eq!(code(client.compute().open(&id()).await), NOT_FOUND);
    });
}

#[test]
fn a_killed_client_takes_a_container_along_that_was_made_so() {
    let profile = Profile::server_2022();
    let (sim, client) = host(profile.clone());
    run(&sim, async {
        install_image(&client, &fitting(&profile)).await;
        mount(&client, &profile).await;
        let CreateDocument::Schema1(mut document) = document(&client, &profile).await else {
            panic!("a schema 1 document");
        };
        document.terminate_on_last_handle_closed = true;
        let document = CreateDocument::Schema1(document);
        let system = client.compute().create(&id(), &document).await.unwrap();
        client.compute().start(system).await.unwrap();
    });
    sim.kill(&client);
    sim.advance(10_000_000);
    let other = sim.client();
    run(&sim, async {
        assert!(other.compute().enumerate().await.unwrap().is_empty());
    });
}

#[test]
fn an_image_without_the_container_service_times_out() {
    let minute = 60 * 10_000_000;
    for (profile, timeout, expected) in [
        (Profile::core_tp3(), 2 * minute, win32(0x5b4)),
        (Profile::server_2022(), 4 * minute, "0xC0370109".to_owned()),
    ] {
        let (sim, client) = host(profile.clone());
        run(&sim, async {
            let mut facts = fitting(&profile);
            facts.container_service = false;
            install_image(&client, &facts).await;
            mount(&client, &profile).await;
            let system = create(&client, &profile).await.unwrap();
            let before = client.clock().now().ticks();
            assert_eq!(code(client.compute().start(system).await), expected);
            let took = client.clock().now().ticks() - before;
            assert!((timeout..timeout + 10_000_000).contains(&took), "{took}");
            let again = code(client.compute().open(&id()).await);
            let persists = era::containers_persist(profile.build);
            assert_eq!(again, if persists { OK } else { NOT_FOUND });
        });
    }
}

#[test]
fn a_technical_preview_container_is_connected_to_a_switch_that_is_there() {
    let profile = Profile::core_tp3();
    let (sim, client) = host(profile.clone());
    run(&sim, async {
        install_image(&client, &fitting(&profile)).await;
        mount(&client, &profile).await;
        let CreateDocument::TechnicalPreview(mut document) = document(&client, &profile).await
        else {
            panic!("a document of the technical preview");
        };
        document.devices.push(Device {
            device_type: "Network".to_owned(),
            connection: Connection {
                network_name: "Virtual Switch".to_owned(),
                ..Connection::default()
            },
            ..Device::default()
        });
        let document = CreateDocument::TechnicalPreview(document);
        let created = client.compute().create(&id(), &document).await;
        assert_eq!(code(created), win32(0x490));
        let switch = NewVmSwitch {
            name: "Virtual Switch".to_owned(),
            kind: SwitchType::Internal,
            adapter: None,
            nat_subnet: None,
        };
        client.switches().new_switch(&switch).await.unwrap();
        client.compute().create(&id(), &document).await.unwrap();
        assert!(
            client
                .switches()
                .remove_switch("Virtual Switch")
                .await
                .is_err()
        );
        client.compute().remove(&id()).await.unwrap();
        client
            .switches()
            .remove_switch("Virtual Switch")
            .await
            .unwrap();
    });
}

#[test]
fn an_endpoint_is_attached_as_long_as_its_container_lives() {
    let profile = Profile::server_2022();
    let (sim, client) = host(profile.clone());
    run(&sim, async {
        install_image(&client, &fitting(&profile)).await;
        mount(&client, &profile).await;
        let CreateDocument::Schema1(mut document) = document(&client, &profile).await else {
            panic!("a schema 1 document");
        };
        document.endpoint_list = vec![ID.to_owned()];
        let wanted = CreateDocument::Schema1(document.clone());
        let created = client.compute().create(&id(), &wanted).await;
        assert_eq!(code(created), win32(0x490));

        let network = HnsNetwork {
            name: "nat".to_owned(),
            kind: "nat".to_owned(),
            ..HnsNetwork::default()
        };
        let hns = client.network();
        let network = hns.create_network(&network).await.unwrap();
        let endpoint = HnsEndpoint {
            virtual_network: network.id,
            ..HnsEndpoint::default()
        };
        let endpoint = hns.create_endpoint(&endpoint).await.unwrap();
        document.endpoint_list = vec![endpoint.id.clone()];
        let wanted = CreateDocument::Schema1(document);
        let system = client.compute().create(&id(), &wanted).await.unwrap();
        client.compute().start(system).await.unwrap();
        assert_eq!(hns.endpoints().await.unwrap()[0].shared_containers, [ID]);
        assert!(
            hns.delete_endpoint(endpoint.id.parse().unwrap())
                .await
                .is_err()
        );
        client.compute().terminate(system).await.unwrap();
        assert!(
            hns.endpoints().await.unwrap()[0]
                .shared_containers
                .is_empty()
        );
        hns.delete_endpoint(endpoint.id.parse().unwrap())
            .await
            .unwrap();
    });
}

/// What a simulated host does with an image: the stage and the code of its refusal.
fn seen(profile: &Profile, facts: &ImageFacts) -> Option<(Stage, String)> {
    let sim = Sim::new(profile.clone(), 1);
    let client = sim.client();
    run(&sim, async {
        install_image(&client, facts).await;
        mount(&client, profile).await;
        let system = match create(&client, profile).await {
            Ok(system) => system,
            Err(error) => return Some((Stage::Create, code::<()>(Err(error)))),
        };
        let started = client.compute().start(system).await;
        started
            .err()
            .map(|error| (Stage::Start, code::<()>(Err(error))))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_host_does_what_the_rules_predict(
        which in 0..3_usize,
        build in prop_oneof![
            Just(10514_u32), Just(10586), Just(14393), Just(17763), Just(20348), Just(25398), Just(26100), 1..30000_u32
        ],
        edition in prop_oneof![Just("ServerDatacenter"), Just("ServerTuva"), Just("serverdatacenter"), Just("Other")],
        service in any::<bool>(),
        host_build in prop_oneof![Just(None), Just(Some(10586_u32)), Just(Some(14393)), Just(Some(17763)), Just(Some(26100)), Just(Some(26200))],
    ) {
        let mut profile = [Profile::nano_tp3(), Profile::core_tp3(), Profile::server_2022()]
            .into_iter()
            .nth(which)
            .unwrap()
            .restarted();
        if let Some(build) = host_build {
            profile.build = build;
        }
        let facts = ImageFacts {
            build,
            revision: 0,
            product_name: edition.to_owned(),
            container_service: service,
        };
        let sim = Sim::new(profile.clone(), 1);
        let client = sim.client();
        let info = run(&sim, async { client.control().info().await.unwrap() });
        let predicted = match era::start_verdict(&info, &facts) {
            Verdict::Runs => None,
            Verdict::Refused { stage, code, .. } => Some((stage, code.to_string())),
        };
        prop_assert_eq!(seen(&profile, &facts), predicted);
    }
}

#[test]
fn each_surface_and_build_takes_its_schema() {
    use wcow_hcs_schema::SchemaVersion;
    use wcow_hcs_schema::schema2::{ComputeSystem, Container, VirtualMachine};
    use wcow_host::ComputeApi;

    const INVALID: [&str; 2] = ["0xC037010D", "0x8037010D"];
    let server_2016 = Profile {
        build: 14393,
        ..Profile::server_2022()
    };
    for profile in [Profile::server_2022(), server_2016] {
        let (sim, client) = host(profile.clone());
        let second = sim.client_of(ComputeApi::V2);
        run(&sim, async {
            install_image(&client, &fitting(&profile)).await;
            mount(&client, &profile).await;
            let schema1 = document(&client, &profile).await;
            let CreateDocument::Schema1(known) = &schema1 else {
                unreachable!("the tests' document");
            };
            let asked = known.to_schema2();
            let answer = async |client: &SimHost, document: &CreateDocument| {
                let created = client.compute().create(&id(), document).await;
                if let Ok(system) = &created {
                    client.compute().terminate(*system).await.unwrap();
                }
                code(created)
            };
            let schema2 =
                |document: &ComputeSystem| CreateDocument::Schema2(Box::new(document.clone()));
            let known_since = profile.build >= 17763;
            let of_2 = |expected| if known_since { OK } else { expected };
            assert_eq!(answer(&client, &schema1).await, OK);
            assert_eq!(answer(&second, &schema1).await, INVALID[1]);
            assert_eq!(answer(&client, &schema2(&asked)).await, of_2(INVALID[0]));
            assert_eq!(answer(&second, &schema2(&asked)).await, of_2(INVALID[1]));

            let none = ComputeSystem {
                container: None,
                ..asked.clone()
            };
            assert_eq!(answer(&client, &schema2(&none)).await, INVALID[0]);
            let both = ComputeSystem {
                virtual_machine: Some(VirtualMachine::default()),
                ..asked.clone()
            };
            assert_eq!(answer(&client, &schema2(&both)).await, INVALID[0]);
            let unknown = ComputeSystem {
                schema_version: Some(SchemaVersion::new(2, 99)),
                ..asked.clone()
            };
            assert_eq!(answer(&client, &schema2(&unknown)).await, INVALID[0]);
            let empty = ComputeSystem {
                container: Some(Container::default()),
                ..asked.clone()
            };
            assert_eq!(answer(&client, &schema2(&empty)).await, INVALID[0]);
        });
    }
}

/// However its handles are closed, nothing of a system stays when it is over and the last of them is closed.
#[test]
fn the_last_handle_of_a_process_takes_its_ended_system_along() {
    for process_first in [true, false] {
        let (sim, client, system) = with_container(&Profile::server_2022(), 3);
        run(&sim, async {
            let compute = client.compute();
            let wanted = parameters("ping -t 127.0.0.1");
            let process = compute.create_process(system, &wanted).await.unwrap();
            compute.terminate(system).await.unwrap();
            let event = compute.next_event(system).await.unwrap();
            assert!(matches!(event, SystemEvent::Exited { .. }));
            if process_first {
                compute.close_process(process).await.unwrap();
                compute.close(system).await.unwrap();
            } else {
                compute.close(system).await.unwrap();
                compute.close_process(process).await.unwrap();
            }
        });
        let saved = sim.save().unwrap();
        let start = saved.iter().position(|&byte| byte == b'{').unwrap();
        let world: serde_json::Value = serde_json::from_slice(&saved[start..]).unwrap();
        let systems = &world["compute"]["systems"];
        let left = [
            systems.as_array().map(Vec::len),
            systems.as_object().map(serde_json::Map::len),
        ];
        assert!(
            left.contains(&Some(0)),
            "process first: {process_first}, {systems}"
        );
    }
}
