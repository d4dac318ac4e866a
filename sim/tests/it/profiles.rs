//! Every profile: a container lives on it, and it takes the images that the rules let it take.

use proptest::prelude::*;
use wcow_hcs_schema::hns::HnsNetwork;
use wcow_host::era::{self, HyperVFacts, ImageFacts, StableAbiRule, Stage, Verdict};
use wcow_host::{
    ComputeService, CreateDocument, EditionClass, FileSystem, Host, HostControl, LayerStorage,
    NetworkService, NewVmSwitch, ServiceState, SwitchService, SwitchType,
};
use wcow_sim::{Profile, Sim, SimHost};

use crate::containers::*;
use crate::support::{code, host, path, run, win32};

/// Every profile on which a container can live, after the restart that it may wait for.
fn usable() -> impl Iterator<Item = Profile> {
    Profile::all()
        .into_iter()
        .filter(|profile| *profile.name != *"nano-tp3-bare")
        .map(Profile::restarted)
}

#[test]
fn a_container_lives_on_every_profile() {
    for profile in usable() {
        let (sim, client) = host(profile.clone());
        run(&sim, async {
            let system = running(&client, &profile).await;
            let ran = exec(&client, system, "cmd /c ver").await;
            let version = format!("10.0.{}", profile.build);
            assert!(ran.out.contains(&version), "{}: {}", profile.name, ran.out);
            let compute = client.compute();
            compute.terminate(system).await.unwrap();
            compute.close(system).await.unwrap();
            if era::containers_persist(profile.build) {
                compute.remove(&id()).await.unwrap();
            }
            assert!(compute.enumerate().await.unwrap().is_empty());
            let (layers, scratch) = (client.layers(), scratch(&profile));
            layers.unprepare(&scratch).await.unwrap();
            layers.deactivate(&scratch).await.unwrap();
            layers.destroy(&scratch).await.unwrap();
            assert!(!layers.exists(&scratch).await.unwrap());
        });
    }
}

#[test]
fn networks_are_what_each_generation_has() {
    let switch = |kind| NewVmSwitch {
        name: "lab".to_owned(),
        kind,
        adapter: None,
        nat_subnet: Some("172.16.0.0/12".parse().unwrap()),
    };
    let network = HnsNetwork {
        name: "nat".to_owned(),
        kind: "nat".to_owned(),
        ..HnsNetwork::default()
    };
    for profile in usable() {
        let (sim, client) = host(profile.clone());
        run(&sim, async {
            let nat = client.switches().new_switch(&switch(SwitchType::Nat)).await;
            let internal = client
                .switches()
                .new_switch(&switch(SwitchType::Internal))
                .await;
            let hns = client.network().create_network(&network).await;
            let preview = profile.build < 14300;
            let no_type = "NamedParameterNotFound,Microsoft.HyperV.PowerShell.Commands.NewVMSwitch";
            assert_eq!(
                code(nat),
                if preview { "ok" } else { no_type },
                "{}",
                profile.name
            );
            assert_eq!(
                internal.is_ok(),
                *profile.name != *"nano-tp3",
                "{}",
                profile.name
            );
            let expected = if preview {
                win32(0x7f)
            } else {
                "ok".to_owned()
            };
            assert_eq!(code(hns), expected, "{}", profile.name);
            let modules = client.control().modules().await.unwrap();
            let has = |name: &str| modules.iter().any(|module| module == name);
            assert_eq!(
                has("NetNat"),
                *profile.name != *"nano-tp3",
                "{}",
                profile.name
            );
            assert_eq!(has("Containers"), profile.build < 14393, "{}", profile.name);
        });
    }
}

#[test]
fn without_the_container_package_each_preview_says_so_in_its_way() {
    for (profile, expected) in [
        (Profile::nano_tp4(), "CommandNotFoundException".to_owned()),
        (Profile::nano_tp5(), win32(0x7e)),
        (Profile::nano_2016(), win32(0x7e)),
    ] {
        let (sim, client) = host(profile.without_packages());
        run(&sim, async {
            assert_eq!(code(client.compute().enumerate().await), expected);
            client.control().add_package("Containers").await.unwrap();
            client.control().reboot().await.unwrap();
            assert_eq!(code(client.compute().enumerate().await), "ok");
        });
    }
}

#[test]
fn services_come_with_what_needs_them() {
    for profile in Profile::all() {
        let (sim, client) = host(profile.clone());
        let services = run(&sim, client.control().services()).unwrap();
        let runs = |name: &str| {
            services
                .iter()
                .any(|service| service.name == name && service.state == ServiceState::Running)
        };
        let bare = profile.name.ends_with("bare");
        let pending = *profile.name == *"nano-tp3";
        assert_eq!(runs("vmcompute"), !bare && !pending, "{}", profile.name);
        assert_eq!(runs("hns"), profile.build >= 14300, "{}", profile.name);
        assert_eq!(runs("vmms"), !bare, "{}", profile.name);
        assert!(runs("MpsSvc"), "{}", profile.name);
    }
}

/// What a host does with an image: the stage and the code of its refusal.
async fn seen(client: &SimHost, profile: &Profile, facts: &ImageFacts) -> Option<(Stage, String)> {
    install_image(client, facts).await;
    mount(client, profile).await;
    let system = match create(client, profile).await {
        Ok(system) => system,
        Err(error) => return Some((Stage::Create, code::<()>(Err(error)))),
    };
    let started = client.compute().start(system).await;
    started
        .err()
        .map(|error| (Stage::Start, code::<()>(Err(error))))
}

/// Whether prediction and verdict agree. Gives whether the container ran.
#[track_caller]
fn check(profile: &Profile, facts: &ImageFacts) -> bool {
    let sim = Sim::new(profile.clone(), 1);
    let client = sim.client();
    let info = run(&sim, client.control().info()).unwrap();
    let predicted = match era::start_verdict_by(&info, facts, profile.version_rule) {
        Verdict::Runs => None,
        Verdict::Refused { stage, code, .. } => Some((stage, code.to_string())),
    };
    let seen = run(&sim, seen(&client, profile, facts));
    assert_eq!(seen, predicted, "{}: {facts:?}", profile.name);
    seen.is_none()
}

#[test]
fn the_published_readings_differ_on_windows_11() {
    let facts = |build| ImageFacts {
        build,
        ..fitting(&Profile::windows_11())
    };
    for (rule, build, runs) in [
        (StableAbiRule::Hcsshim, 26200, true),
        (StableAbiRule::Hcsshim, 26100, true),
        (StableAbiRule::Hcsshim, 20348, false),
        (StableAbiRule::Containerd, 20348, true),
        (StableAbiRule::Published, 26200, true),
        (StableAbiRule::Published, 26100, false),
    ] {
        let mut profile = Profile::windows_11();
        profile.version_rule = rule;
        assert_eq!(check(&profile, &facts(build)), runs, "{rule:?} {build}");
    }
}

#[test]
fn insider_images_and_images_for_other_editions_are_refused() {
    let insider = ImageFacts {
        build: 25900,
        ..fitting(&Profile::server_2025())
    };
    assert!(!check(&Profile::server_2025(), &insider));
    let core = ImageFacts {
        product_name: "ServerDatacenter".to_owned(),
        ..fitting(&Profile::nano_2016())
    };
    assert_eq!(Profile::nano_2016().class, EditionClass::Nano);
    assert!(!check(&Profile::nano_2016(), &core));
    assert!(check(
        &Profile::core_2016(),
        &fitting(&Profile::nano_2016())
    ));
}

/// What a host does with an image in a Hyper-V isolated container.
async fn seen_isolated(
    client: &SimHost,
    profile: &Profile,
    facts: &ImageFacts,
    utility_vm: bool,
) -> Option<(Stage, String)> {
    install_image(client, facts).await;
    if utility_vm {
        let vm = path(IMAGE).join(r"UtilityVM\Files");
        client.files().create_dir_all(&vm).await.unwrap();
    }
    let layers = client.layers();
    layers
        .create_scratch(&scratch(profile), &parents())
        .await
        .unwrap();
    let CreateDocument::Schema1(mut document) = document(client, profile).await else {
        panic!("a document of schema 1");
    };
    document.hv_partition = true;
    let document = CreateDocument::Schema1(document);
    let system = match client.compute().create(&id(), &document).await {
        Ok(system) => system,
        Err(error) => return Some((Stage::Create, code::<()>(Err(error)))),
    };
    let started = client.compute().start(system).await;
    started
        .err()
        .map(|error| (Stage::Start, code::<()>(Err(error))))
}

#[test]
fn hyper_v_isolation_is_what_the_rules_predict() {
    for profile in usable().filter(|profile| profile.build >= 14300) {
        for (build, utility_vm, role) in [
            (profile.build, true, true),
            (profile.build, false, true),
            (profile.build, true, false),
            (14300, true, true),
            (17763, true, true),
            (20348, true, true),
            (26200, true, true),
        ] {
            let mut profile = profile.clone();
            if !role {
                profile.features.retain(|feature| feature.name != "Hyper-V");
                profile.packages.retain(|package| package.name != "Compute");
            }
            let facts = ImageFacts {
                build,
                ..fitting(&profile)
            };
            let sim = Sim::new(profile.clone(), 1);
            let client = sim.client();
            let info = run(&sim, client.control().info()).unwrap();
            let on_host = HyperVFacts {
                role: era::has_hyper_v(profile.class, &profile.packages, &profile.features),
                virtualization: true,
                utility_vm,
            };
            assert_eq!(on_host.role, role);
            let predicted = match era::hyperv_verdict_on(&info, on_host, &facts) {
                Verdict::Runs => None,
                Verdict::Refused { stage, code, .. } => Some((stage, code.to_string())),
            };
            let seen = run(&sim, seen_isolated(&client, &profile, &facts, utility_vm));
            assert_eq!(
                seen, predicted,
                "{}: {build} {utility_vm} {role}",
                profile.name
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_profile_does_what_the_rules_predict(
        which in 0..10_usize,
        rule in prop_oneof![Just(StableAbiRule::Hcsshim), Just(StableAbiRule::Containerd), Just(StableAbiRule::Published)],
        build in prop_oneof![
            Just(10514_u32), Just(10586), Just(14300), Just(14393), Just(17134), Just(17763), Just(20348), Just(25398),
            Just(26100), Just(26200), 10000..30000_u32
        ],
        edition in prop_oneof![Just("ServerDatacenter"), Just("ServerTuva"), Just("ServerDatacenterNano"), Just("Professional")],
        service in any::<bool>(),
    ) {
        let mut profile = usable().nth(which).unwrap();
        profile.version_rule = rule;
        let facts = ImageFacts { build, revision: 0, product_name: edition.to_owned(), container_service: service };
        check(&profile, &facts);
    }
}
