//! What a compute system tells of itself.

use wcow_hcs_schema::schema1::{ContainerProperties, PropertyType, State};
use wcow_host::{Clock, ComputeService, Host, SystemState};
use wcow_ntmeta::FileTime;
use wcow_sim::Profile;

use crate::containers::{create, exec, fitting, install_image, mount, parameters, with_container};
use crate::support::{host, run};

const BOTH: [PropertyType; 2] = [PropertyType::Statistics, PropertyType::ProcessList];

fn images(properties: &ContainerProperties) -> Vec<&str> {
    let list = properties.process_list.iter();
    list.filter_map(|process| process.image_name.as_deref())
        .collect()
}

#[test]
fn only_what_is_asked_for_is_told() {
    let (sim, client, system) = with_container(&Profile::server_2022(), 1);
    run(&sim, async {
        let basic = client.compute().properties(system, &[]).await.unwrap();
        assert_eq!(basic.state, Some(State::Running));
        assert_eq!(basic.owner.as_deref(), Some("test"));
        assert!(basic.statistics.is_none() && basic.process_list.is_empty());
        let all = client.compute().properties(system, &BOTH).await.unwrap();
        assert_eq!(all.silo_guid, basic.silo_guid);
        assert!(all.statistics.is_some());
        assert_eq!(
            images(&all),
            [
                "smss.exe",
                "csrss.exe",
                "wininit.exe",
                "services.exe",
                "lsass.exe",
                "svchost.exe",
                "svchost.exe",
                "CExecSvc.exe"
            ]
        );
    });
}

#[test]
fn what_runs_is_counted() {
    let (sim, client, system) = with_container(&Profile::server_2022(), 1);
    run(&sim, async {
        let compute = client.compute();
        let ask = async || {
            let told = compute.properties(system, &BOTH).await.unwrap();
            let statistics = told.statistics.clone().unwrap();
            let memory = statistics.memory.unwrap();
            let processor = statistics.processor.unwrap();
            (
                told.process_list.len(),
                memory.memory_usage_commit_bytes.unwrap(),
                memory.memory_usage_commit_peak_bytes.unwrap(),
                processor.total_runtime_100ns.unwrap(),
                statistics.uptime_100ns.unwrap(),
            )
        };
        let before = ask().await;
        let ping = compute
            .create_process(system, &parameters("ping -t localhost"))
            .await
            .unwrap();
        let later = client.clock().now().ticks() + 100_000_000;
        client
            .clock()
            .sleep_until(FileTime::from_ticks(later))
            .await;
        let during = ask().await;
        assert_eq!(during.0, before.0 + 1);
        assert!(during.1 > before.1 && during.2 == during.1);
        assert!(during.3 > before.3 && during.4 > before.4 + 100_000_000);
        compute.terminate_process(ping).await.unwrap();
        let after = ask().await;
        // What it used stays used; what it held is free, and the peak remembers it.
        assert_eq!((after.0, after.1), (before.0, before.1));
        assert_eq!((after.2, after.3), (during.2, during.3));
        exec(&client, system, "cmd /c ver").await;
        assert!(ask().await.3 > after.3);
    });
}

#[test]
fn a_state_that_is_left_out_means_never_started() {
    let mut newest = Profile::server_2022();
    newest.build = 26100;
    for (profile, state) in [
        (Profile::server_2022(), Some(State::Created)),
        (newest, None),
    ] {
        let (sim, client) = host(profile.clone());
        run(&sim, async {
            install_image(&client, &fitting(&profile)).await;
            mount(&client, &profile).await;
            let system = create(&client, &profile).await.unwrap();
            let compute = client.compute();
            let told = compute.properties(system, &BOTH).await.unwrap();
            assert_eq!(told.state, state);
            assert!(told.statistics.is_none());
            let status = compute.status(system).await.unwrap();
            assert_eq!(status.state, SystemState::Created);
        });
    }
}
