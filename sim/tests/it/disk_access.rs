//! Virtual machines and the disks that nobody let them open.

use wcow_hcs_schema::parse;
use wcow_hcs_schema::schema2::{OperationFailureDetail, ResultError};
use wcow_host::client::Client;
use wcow_host::utility_vm::UtilityVm;
use wcow_host::{
    ComputeApi, ComputeService, CreateDocument, FileSystem, Host, LayerStorage, SystemState,
};
use wcow_sim::Profile;

use crate::containers::*;
use crate::support::{host, run, win32};

#[test]
fn a_machine_starts_when_it_was_let_open_its_disk() {
    for (name, tells_more) in [("server-2019", false), ("server-2022", true)] {
        let profile = Profile::named(name).expect("a profile");
        let (sim, _) = host(profile.clone());
        let client = sim.client_of(ComputeApi::V2);
        run(&sim, async {
            install_image(&client, &fitting(&profile)).await;
            install_utility_vm(&client).await;
            let folder = scratch(&profile);
            client
                .layers()
                .create_scratch(&folder, &parents())
                .await
                .unwrap();
            let CreateDocument::Schema1(mut config) = document(&client, &profile).await else {
                panic!("a document of schema 1");
            };
            config.hv_partition = true;
            let machine = UtilityVm::new(&id(), config).unwrap();
            Client::new(&client)
                .make_machine_disks(&machine)
                .await
                .unwrap();
            // A copy of a disk has no rights of the one that was there.
            let files = client.files();
            let disk = machine.own_disk();
            files.remove_file(&disk).await.unwrap();
            files.copy_file(&machine.template(), &disk).await.unwrap();

            let compute = client.compute();
            let document = CreateDocument::Schema2(Box::new(machine.machine()));
            let system = compute.create(machine.id(), &document).await.unwrap();
            let error = compute.start(system).await.unwrap_err();
            assert_eq!(error.hresult().unwrap().to_string(), win32(0x5), "{name}");
            let told = error.document.map(|document| {
                let told: ResultError = parse(document).unwrap();
                assert_eq!(told.error, error_number());
                let failure = told.attribution[0].operation_failure.clone().unwrap();
                failure.detail
            });
            let expected = tells_more.then_some(Some(OperationFailureDetail::Construct));
            assert_eq!(told, expected, "{name}");

            let status = compute.status(system).await.unwrap();
            assert_eq!(status.state, SystemState::Created, "{name}");
            let layers = client.layers();
            layers.grant_vm_access(machine.id(), &disk).await.unwrap();
            compute.start(system).await.unwrap();
            let status = compute.status(system).await.unwrap();
            assert_eq!(status.state, SystemState::Running, "{name}");
        });
    }
}

/// Access denied, as a result document has it.
fn error_number() -> Option<i32> {
    Some(0x8007_0005_u32.cast_signed())
}
