//! Services that are stopped, started and crash: what calls answer meanwhile, and what is still there afterwards.

use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork, NatPolicy, Policy};
use wcow_host::{
    Clock, ComputeService, Host, HostControl, LayerStorage, NetworkService, NewVmSwitch, Service,
    ServiceState, SwitchService, SwitchType, SystemEvent,
};
use wcow_ntmeta::FileTime;
use wcow_sim::{FaultPlan, FaultRule, Profile, Sim, SimHost, What, When};

use crate::containers::*;
use crate::support::{code, host, run, win32};

const SECOND: u64 = 10_000_000;

async fn sleep(client: &SimHost, ticks: u64) {
    let until = client.clock().now().ticks() + ticks;
    client
        .clock()
        .sleep_until(FileTime::from_ticks(until))
        .await;
}

async fn state(client: &SimHost, name: &str) -> ServiceState {
    let services = client.control().services().await.unwrap();
    let service = services.iter().find(|service| service.name == name);
    service.unwrap().state
}

fn nat(name: &str) -> HnsNetwork {
    HnsNetwork {
        name: name.to_owned(),
        kind: "nat".to_owned(),
        ..HnsNetwork::default()
    }
}

#[test]
fn containers_outlive_the_compute_service() {
    for profile in [
        Profile::server_2022(),
        Profile::core_tp3(),
        Profile::nano_tp5(),
    ] {
        let (sim, client) = host(profile.clone());
        run(&sim, async {
            let system = running(&client, &profile).await;
            let (control, compute) = (client.control(), client.compute());
            control.stop_service("VMCompute").await.unwrap();
            assert_eq!(state(&client, "vmcompute").await, ServiceState::Stopped);
            let refused = win32(0x426);
            assert_eq!(code(compute.enumerate().await), refused, "{}", profile.name);
            assert_eq!(code(compute.status(system).await), refused);
            let layers = client.layers();
            let made = layers.create_scratch(&scratch(&profile), &parents()).await;
            assert_eq!(code(made), refused);

            control.start_service("vmcompute").await.unwrap();
            control.start_service("vmcompute").await.unwrap();
            assert_eq!(
                code(compute.status(system).await),
                win32(6),
                "handles are gone"
            );
            let again = compute.open(&id()).await.unwrap();
            assert_eq!(exec(&client, again, "cmd /c exit 3").await.exit, 3);
        });
    }
}

#[test]
fn a_crash_ends_what_waits_and_the_service_comes_back() {
    let profile = Profile::server_2022();
    let (sim, client) = host(profile.clone());
    let system = run(&sim, running(&client, &profile));
    let watcher = client.clone();
    let event = sim.spawn(async move { watcher.compute().next_event(system).await });
    run(&sim, async {
        sleep(&client, SECOND).await;
        assert!(sim.crash_service("vmcompute", 5 * SECOND));
        assert!(
            !sim.crash_service("vmcompute", SECOND),
            "it is down already"
        );
        assert_eq!(event.await.unwrap(), SystemEvent::ServiceDisconnected);
        assert_eq!(state(&client, "vmcompute").await, ServiceState::Crashed);
        let refused = client.compute().enumerate().await.unwrap_err();
        assert_eq!(refused.retry, wcow_host::Retry::Soon);
        assert_eq!(code::<()>(Err(refused)), win32(0x6ba));
        sleep(&client, 5 * SECOND).await;
        assert_eq!(state(&client, "vmcompute").await, ServiceState::Running);
        let again = client.compute().open(&id()).await.unwrap();
        assert_eq!(exec(&client, again, "cmd /c exit 0").await.exit, 0);
    });
    assert!(!sim.crash_service("spooler", SECOND));
}

#[test]
fn whoever_starts_a_crashed_service_first_wins() {
    let (sim, client) = host(Profile::server_2022());
    run(&sim, async {
        assert!(sim.crash_service("hns", 60 * SECOND));
        client.control().start_service("hns").await.unwrap();
        assert_eq!(state(&client, "hns").await, ServiceState::Running);
        // A second crash is not ended by what was planned for the first.
        sleep(&client, 50 * SECOND).await;
        assert!(sim.crash_service("hns", 60 * SECOND));
        sleep(&client, 20 * SECOND).await;
        assert_eq!(state(&client, "hns").await, ServiceState::Crashed);
        sleep(&client, 41 * SECOND).await;
        assert_eq!(state(&client, "hns").await, ServiceState::Running);
        // One that somebody stops stays stopped.
        assert!(sim.crash_service("hns", SECOND));
        client.control().stop_service("hns").await.unwrap();
        sleep(&client, 9 * SECOND).await;
        assert_eq!(state(&client, "hns").await, ServiceState::Stopped);
        client.control().reboot().await.unwrap();
        assert_eq!(state(&client, "hns").await, ServiceState::Running);
    });
}

#[test]
fn a_call_that_meets_the_crash_is_not_executed_and_others_find_nobody() {
    let (sim, client) = host(Profile::server_2022());
    let what = What::ServiceDown {
        service: "hns".to_owned(),
        ticks: 3 * SECOND,
    };
    let text = serde_json::to_string(&what).unwrap();
    assert_eq!(
        text,
        r#"{"service-down":{"service":"hns","ticks":30000000}}"#
    );
    sim.set_faults(FaultPlan {
        rules: vec![FaultRule {
            when: When::Call(1),
            what,
        }],
        budget: 1,
    });
    run(&sim, async {
        let hns = client.network();
        assert_eq!(code(hns.create_network(&nat("a")).await), win32(0x6bf));
        assert_eq!(code(hns.networks().await), win32(0x6ba));
        assert_eq!(code(client.compute().enumerate().await), "ok");
        sleep(&client, 3 * SECOND).await;
        assert!(hns.networks().await.unwrap().is_empty());
        hns.create_network(&nat("a")).await.unwrap();
    });
    assert!(
        sim.fault_hits()[0]
            .to_string()
            .ends_with("hns crashes and is down for 3000 ms")
    );
}

#[test]
fn networks_outlive_their_service() {
    for profile in [
        Profile::nano_tp5(),
        Profile::server_2019(),
        Profile::server_2022(),
    ] {
        let (sim, client) = host(profile);
        run(&sim, async {
            let (control, hns) = (client.control(), client.network());
            let made = hns.create_network(&nat("nat")).await.unwrap();
            control.stop_service("hns").await.unwrap();
            assert_eq!(code(hns.networks().await), win32(0x426));
            assert_eq!(code(hns.create_network(&nat("b")).await), win32(0x426));
            control.start_service("hns").await.unwrap();
            assert!(sim.crash_service("hns", SECOND));
            assert_eq!(code(hns.networks().await), win32(0x6ba));
            sleep(&client, SECOND).await;
            assert_eq!(hns.networks().await.unwrap(), [made]);
        });
    }
}

#[test]
fn nat_asks_the_firewall() {
    let mut profile = Profile::server_2022();
    profile.services = vec![Service {
        name: "MpsSvc".to_owned(),
        state: ServiceState::Stopped,
    }];
    let (sim, client) = host(profile);
    run(&sim, async {
        let (control, hns) = (client.control(), client.network());
        assert_eq!(code(hns.create_network(&nat("nat")).await), win32(0x6d9));
        let internal = HnsNetwork {
            kind: "internal".to_owned(),
            ..nat("inside")
        };
        hns.create_network(&internal).await.unwrap();
        control.start_service("mpssvc").await.unwrap();
        let network = hns.create_network(&nat("nat")).await.unwrap();
        let published = |port| HnsEndpoint {
            virtual_network: network.id.clone(),
            policies: vec![Policy::Nat(NatPolicy {
                protocol: "TCP".to_owned(),
                internal_port: 80,
                external_port: port,
                ..NatPolicy::default()
            })],
            ..HnsEndpoint::default()
        };
        hns.create_endpoint(&published(8080)).await.unwrap();
        assert_eq!(code(control.stop_service("MpsSvc").await), win32(5));
        // After the next restart it is off again, as the profile has it.
        control.reboot().await.unwrap();
        assert_eq!(code(hns.create_network(&nat("nat")).await), win32(0x6d9));
    });
}

#[test]
fn switches_outlive_the_management_service_and_their_cmdlets_miss_it() {
    let (sim, client) = host(Profile::core_tp3());
    let lab = NewVmSwitch {
        name: "lab".to_owned(),
        kind: SwitchType::Internal,
        adapter: None,
        nat_subnet: None,
    };
    run(&sim, async {
        let (control, switches) = (client.control(), client.switches());
        switches.new_switch(&lab).await.unwrap();
        control.stop_service("vmms").await.unwrap();
        let missing = |verb: &str| {
            format!("ObjectNotFound,Microsoft.HyperV.PowerShell.Commands.{verb}VMSwitch")
        };
        assert_eq!(code(switches.switches().await), missing("Get"));
        assert_eq!(code(switches.new_switch(&lab).await), missing("New"));
        assert_eq!(code(switches.remove_switch("lab").await), missing("Remove"));
        assert_eq!(code(switches.nats().await), "ok");
        assert_eq!(code(switches.adapters().await), "ok");
        control.restart_service("vmms").await.unwrap();
        assert_eq!(switches.switches().await.unwrap().len(), 1);
        for call in [
            control.start_service("spooler").await,
            control.stop_service("spooler").await,
        ] {
            assert_eq!(code(call), win32(0x424));
        }
    });
}

#[test]
fn a_service_that_is_down_comes_back_in_a_saved_host_too() {
    let (sim, client) = host(Profile::server_2022());
    assert!(sim.crash_service("vmcompute", 10 * SECOND));
    drop(client);
    let saved = sim.save().unwrap();
    let again = Sim::load(&saved, sim.blobs()).unwrap();
    let client = again.client();
    run(&again, async {
        assert_eq!(code(client.compute().enumerate().await), win32(0x6ba));
        sleep(&client, 10 * SECOND).await;
        assert_eq!(code(client.compute().enumerate().await), "ok");
    });
}
