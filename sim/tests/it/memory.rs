//! Limits of memory, and what becomes of who asks for more.

use wcow_hcs_schema::schema1::{ModifyRequestType, PropertyType};
use wcow_hcs_schema::schema2::{ModifySettingRequest, ResourcePath};
use wcow_host::{
    ComputeApi, ComputeService, CreateDocument, FileSystem, Host, LayerStorage, Modification,
    SystemHandle,
};
use wcow_sim::{Profile, Sim, SimHost};

use crate::containers::*;
use crate::support::{code, host, path, run, win32};

/// What the programs of Windows in a container take, in MiB, rounded up; and what a program of the tests takes.
const WINDOWS: i64 = 26;
const PROGRAM: i64 = 3;

/// A document with this limit in MiB.
async fn limited(client: &SimHost, profile: &Profile, mib: i64) -> CreateDocument {
    let CreateDocument::Schema1(mut document) = document(client, profile).await else {
        panic!("a document of schema 1");
    };
    document.memory_maximum_in_mb = mib;
    CreateDocument::Schema1(document)
}

/// A host with a container of this limit, and what starting it came to.
fn started(mib: i64) -> (Sim, SimHost, SystemHandle, String) {
    let profile = Profile::server_2022();
    let (sim, client) = host(profile.clone());
    let (system, answer) = run(&sim, async {
        install_image(&client, &fitting(&profile)).await;
        mount(&client, &profile).await;
        let document = limited(&client, &profile, mib).await;
        let system = client.compute().create(&id(), &document).await.unwrap();
        (system, code(client.compute().start(system).await))
    });
    (sim, client, system, answer)
}

#[test]
fn a_container_that_windows_finds_no_room_in_ends_while_it_starts() {
    for (mib, expected) in [(WINDOWS - 1, "0xC0370106"), (WINDOWS, "ok"), (0, "ok")] {
        let (_sim, _client, _system, answer) = started(mib);
        assert_eq!(answer, expected, "{mib} MiB");
    }
}

#[test]
fn who_asks_for_more_than_is_left_is_refused_and_the_others_go_on() {
    let (sim, client, system, _) = started(WINDOWS + 2 * PROGRAM);
    run(&sim, async {
        let compute = client.compute();
        let start = async || {
            let line = parameters("ping -n 100 localhost");
            compute.create_process(system, &line).await
        };
        let first = start().await.unwrap();
        start().await.unwrap();
        assert_eq!(code(start().await), win32(0x5af));
        let told = compute
            .properties(system, &[PropertyType::Statistics])
            .await
            .unwrap();
        let memory = told.statistics.unwrap().memory.unwrap();
        let most = u64::try_from(WINDOWS + 2 * PROGRAM).unwrap() << 20;
        assert!(memory.memory_usage_commit_peak_bytes.unwrap() <= most);
        compute.terminate_process(first).await.unwrap();
        assert_eq!(code(start().await), "ok");
    });
}

#[test]
fn a_child_without_room_fails_and_its_parent_says_so() {
    let (sim, client, system, _) = started(WINDOWS + PROGRAM);
    run(&sim, async {
        let line = "cmd /c ping localhost || echo failed with %ERRORLEVEL%";
        let ran = exec(&client, system, line).await;
        assert!(
            ran.err.contains("The paging file is too small"),
            "{:?}",
            ran.err
        );
        assert!(ran.out.contains("failed with"), "{:?}", ran.out);
    });
}

#[test]
fn a_limit_can_be_changed_while_the_container_runs() {
    let profile = Profile::server_2022();
    let (sim, first, _) = with_container(&profile, 1);
    let client = sim.client_of(ComputeApi::V2);
    run(&sim, async {
        let compute = client.compute();
        let system = compute.open(&id()).await.unwrap();
        let limit = async |mib: i64| {
            let settings = serde_json::Value::from(mib);
            let path = ResourcePath::ContainerMemory;
            let request = ModifySettingRequest::new(&path, ModifyRequestType::Update);
            let request = request.with_settings(settings);
            compute
                .modify(system, &Modification::Schema2(request))
                .await
                .unwrap();
        };
        let ver = parameters("cmd /c ver");
        limit(WINDOWS).await;
        let refused = compute.create_process(system, &ver).await;
        assert_eq!(code(refused), win32(0x5af));
        limit(WINDOWS + PROGRAM).await;
        assert_eq!(code(compute.create_process(system, &ver).await), "ok");
    });
    drop(first);
}

#[test]
fn a_limit_below_zero_is_no_limit_that_a_service_takes() {
    let profile = Profile::server_2022();
    let (sim, client) = host(profile.clone());
    run(&sim, async {
        install_image(&client, &fitting(&profile)).await;
        mount(&client, &profile).await;
        let document = limited(&client, &profile, -1).await;
        let created = client.compute().create(&id(), &document).await;
        assert_eq!(code(created), win32(0x57));
    });
}

#[test]
fn a_utility_vm_that_is_too_small_or_larger_than_the_host_ends_while_it_starts() {
    let profile = Profile::server_2022();
    let all = i64::try_from(profile.memory_mib).unwrap();
    for (mib, expected) in [
        (WINDOWS, "0xC0370106"),
        (512, "ok"),
        (all, "ok"),
        (all + 1, "0xC0370106"),
    ] {
        let (sim, client) = host(profile.clone());
        run(&sim, async {
            install_image(&client, &fitting(&profile)).await;
            let vm = path(IMAGE).join(r"UtilityVM\Files");
            client.files().create_dir_all(&vm).await.unwrap();
            let layers = client.layers();
            let scratch = scratch(&profile);
            layers.create_scratch(&scratch, &parents()).await.unwrap();
            let CreateDocument::Schema1(mut document) = limited(&client, &profile, mib).await
            else {
                panic!("a document of schema 1");
            };
            document.hv_partition = true;
            let document = CreateDocument::Schema1(document);
            let system = client.compute().create(&id(), &document).await.unwrap();
            let answer = code(client.compute().start(system).await);
            assert_eq!(answer, expected, "{mib} MiB");
        });
    }
}
