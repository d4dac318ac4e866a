//! Callers who are no elevated administrators.

use wcow_hcs_schema::hns::HnsNetwork;
use wcow_host::{
    Clock, Code, ComputeService, FileSystem, Host, HostControl, HostError, Identity, LayerStorage,
    NetworkService, NewNetNat, Operation, SwitchService, era,
};
use wcow_ntmeta::FileTime;
use wcow_sim::{Profile, Sim, SimHost};

use crate::containers::*;
use crate::support::{code, host, path, run, win32};

/// Many calls, each with its operation and what it came to. They are made so that an administrator may fail in none of them because
/// of who it is.
async fn calls(client: &SimHost, profile: &Profile) -> Vec<(Operation, Result<(), HostError>)> {
    use Operation as O;
    let (control, compute) = (client.control(), client.compute());
    let (layers, hns, switches) = (client.layers(), client.network(), client.switches());
    let nowhere = path(r"C:\nowhere");
    let network = HnsNetwork {
        name: "lab".to_owned(),
        kind: "internal".to_owned(),
        ..HnsNetwork::default()
    };
    let nat = NewNetNat {
        name: "lab".to_owned(),
        internal_prefix: "10.9.0.0/16".parse().unwrap(),
    };
    vec![
        (O::HostInfo, control.info().await.map(drop)),
        (O::Identity, control.identity().await.map(drop)),
        (O::Packages, control.packages().await.map(drop)),
        (O::Features, control.features().await.map(drop)),
        (O::Packages, control.add_package("nothing").await),
        (
            O::Features,
            control.enable_feature("nothing").await.map(drop),
        ),
        (O::Services, control.services().await.map(drop)),
        (O::StopService, control.stop_service("nothing").await),
        (O::EnumerateSystems, compute.enumerate().await.map(drop)),
        (O::OpenSystem, compute.open(&id()).await.map(drop)),
        (O::LayerExists, layers.exists(&nowhere).await.map(drop)),
        (
            O::CreateScratch,
            layers.create_scratch(&scratch(profile), &parents()).await,
        ),
        (O::ActivateLayer, layers.activate(&nowhere).await),
        (
            O::LayerMountPath,
            layers.mount_path(&nowhere).await.map(drop),
        ),
        (O::UnprepareLayer, layers.unprepare(&nowhere).await),
        (O::DeactivateLayer, layers.deactivate(&nowhere).await),
        (O::ExpandScratch, layers.expand(&nowhere, 1 << 40).await),
        (O::ImportLayer, layers.import(&nowhere, &nowhere, &[]).await),
        (O::ExportLayer, layers.export(&nowhere, &nowhere, &[]).await),
        (O::ProcessBase, layers.process_base(&nowhere).await),
        (
            O::ProcessUtilityVm,
            layers.process_utility_vm(&nowhere).await,
        ),
        (O::DestroyLayer, layers.destroy(&scratch(profile)).await),
        (O::ListNetworks, hns.networks().await.map(drop)),
        (
            O::CreateNetwork,
            hns.create_network(&network).await.map(drop),
        ),
        (O::ListSwitches, switches.switches().await.map(drop)),
        (O::NewNat, switches.new_nat(&nat).await.map(drop)),
        (O::ListNats, switches.nats().await.map(drop)),
        (
            O::FileMetadata,
            client.files().metadata(&nowhere).await.map(drop),
        ),
        (O::NewGuid, control.new_guid().await.map(drop)),
    ]
}

#[test]
fn a_host_refuses_whom_the_matrix_refuses_and_nobody_else() {
    for profile in [
        Profile::core_tp3(),
        Profile::core_2016(),
        Profile::server_2022(),
        Profile::windows_11(),
    ] {
        for &identity in Identity::ALL {
            let (sim, admin) = host(profile.clone());
            run(&sim, install_image(&admin, &fitting(&profile)));
            let unlimited = run(&sim, calls(&admin, &profile));
            let (sim, admin) = host(profile.clone());
            run(&sim, install_image(&admin, &fitting(&profile)));
            let client = sim.client_as(identity);
            for ((operation, answer), (_, free)) in run(&sim, calls(&client, &profile))
                .into_iter()
                .zip(unlimited)
            {
                let expected: Result<(), Code> = era::access(identity, profile.build, operation);
                match expected {
                    Err(code) => {
                        let found = answer.unwrap_err().code;
                        assert_eq!(found, code, "{operation} on {}", profile.name);
                    }
                    // What was refused before changes what comes after in one case only.
                    Ok(()) if operation == Operation::DestroyLayer => {}
                    Ok(()) => {
                        let (found, free) = (code(answer), code(free));
                        assert_eq!(found, free, "{operation} on {}", profile.name);
                    }
                }
            }
        }
    }
}

#[test]
fn a_client_is_told_who_it_is() {
    let sim = Sim::new(Profile::server_2022(), 1);
    for &identity in Identity::ALL {
        let client = sim.client_as(identity);
        assert_eq!(run(&sim, client.control().identity()), Ok(identity));
    }
    assert_eq!(
        run(&sim, sim.client().control().identity()),
        Ok(Identity::Administrator)
    );
}

#[test]
fn a_layer_that_is_not_attached_comes_before_the_missing_group() {
    let profile = Profile::server_2022();
    let (sim, admin) = host(profile.clone());
    let member = sim.client_as(Identity::HyperVAdministrator);
    run(&sim, async {
        install_image(&admin, &fitting(&profile)).await;
        let (layers, scratch) = (member.layers(), scratch(&profile));
        layers.create_scratch(&scratch, &parents()).await.unwrap();
        assert_eq!(
            code(layers.prepare(&scratch, &parents()).await),
            win32(0x37)
        );
        assert_eq!(code(layers.activate(&scratch).await), win32(0x522));
        admin.layers().activate(&scratch).await.unwrap();
        assert_eq!(code(layers.prepare(&scratch, &parents()).await), win32(5));
        assert_eq!(code(layers.mount_path(&scratch).await), "ok");
        // Unmounting needs no elevation.
        admin.layers().prepare(&scratch, &parents()).await.unwrap();
        layers.unprepare(&scratch).await.unwrap();
        layers.deactivate(&scratch).await.unwrap();
        layers.destroy(&scratch).await.unwrap();
    });
}

#[test]
fn a_member_runs_a_container_that_an_administrator_mounted() {
    let profile = Profile::server_2022();
    let (sim, admin) = host(profile.clone());
    let member = sim.client_as(Identity::HyperVAdministrator);
    let user = sim.client_as(Identity::PlainUser);
    run(&sim, async {
        install_image(&admin, &fitting(&profile)).await;
        mount(&admin, &profile).await;
        let system = create(&member, &profile).await.unwrap();
        member.compute().start(system).await.unwrap();
        assert_eq!(exec(&member, system, "cmd /c exit 4").await.exit, 4);
        assert_eq!(code(user.compute().open(&id()).await), "0x8037011B");
        member.compute().terminate(system).await.unwrap();
    });
}

#[test]
fn who_was_killed_has_no_more_rights_than_before() {
    let profile = Profile::server_2022();
    let (sim, admin) = host(profile.clone());
    run(&sim, write_image(&admin, &fitting(&profile)));
    let user = sim.client_as(Identity::HyperVAdministrator);
    let processing = sim.spawn({
        let user = user.clone();
        async move { user.layers().process_base(&path(IMAGE)).await }
    });
    let wait = async |ticks| {
        let until = admin.clock().now().ticks() + ticks;
        admin.clock().sleep_until(FileTime::from_ticks(until)).await;
    };
    run(&sim, wait(1000));
    sim.kill(&user);
    drop(processing);
    run(&sim, wait(100_000_000));
    let blank = path(IMAGE).join("blank.vhdx");
    assert_eq!(run(&sim, admin.files().metadata(&blank)).unwrap(), None);
}
