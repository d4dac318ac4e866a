//! Layers beyond the life of one container: grown, imported, exported, listed; and what goes wrong with them.

use wcow_hive::{HiveBuilder, empty_hive};
use wcow_host::{
    Clock, ComputeService, FileSystem, Host, HostControl, LayerDescriptor, LayerStorage, Operation,
    WriteMode, era,
};
use wcow_ntmeta::{FileTime, HostPath};
use wcow_sim::{FaultPlan, FaultRule, Profile, Sim, SimHost, What, When};

use crate::containers::*;
use crate::support::{code, host, path, run, win32};

const HIVES: [&str; 5] = ["DefaultUser", "Sam", "Security", "Software", "System"];
const TRAVELLING: &str = r"C:\Temp\hcs1";
const CHILD: &str = r"C:\ProgramData\layers\child";

async fn write(client: &SimHost, at: &HostPath, bytes: &[u8]) {
    let files = client.files();
    files.create_dir_all(&at.parent().unwrap()).await.unwrap();
    files.write(at, bytes, WriteMode::Overwrite).await.unwrap();
}

/// An image whose hives have something in them.
async fn install_with_hives(client: &SimHost, profile: &Profile) {
    install_image(client, &fitting(profile)).await;
    for name in HIVES {
        let mut hive = HiveBuilder::new(name);
        hive.key("Microsoft").unwrap();
        let at = path(IMAGE).join(&format!(r"hives\{name}_Base"));
        write(client, &at, &hive.build()).await;
    }
}

/// A file of a travelling layer: its attributes and one backup stream.
fn packed(data: &[u8]) -> Vec<u8> {
    let mut bytes = 32_u32.to_le_bytes().to_vec();
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(0_u32.to_le_bytes());
    bytes.extend((data.len() as u64).to_le_bytes());
    bytes.extend(0_u32.to_le_bytes());
    bytes.extend(data);
    bytes
}

/// A folder that can be imported: it adds a file, changes one and takes one away.
async fn write_travelling(client: &SimHost) {
    let folder = path(TRAVELLING);
    for name in HIVES {
        let at = folder.join(&format!(r"Hives\{name}_Delta"));
        write(client, &at, &empty_hive(name)).await;
    }
    write(
        client,
        &folder.join(r"Files\Docs\new.txt"),
        &packed(b"new\r\n"),
    )
    .await;
    write(
        client,
        &folder.join(r"Files\Docs\Read Me.txt"),
        &packed(b"changed\r\n"),
    )
    .await;
    write(
        client,
        &folder.join(r"Files\Docs.$wcidirs$"),
        &16_u32.to_le_bytes(),
    )
    .await;
    let gone = "\u{feff}Version 1.0\n\\Docs\\old.txt\n";
    write(client, &folder.join("tombstones.txt"), gone.as_bytes()).await;
}

async fn wait(client: &SimHost, ticks: u64) {
    let until = client.clock().now().ticks() + ticks;
    client
        .clock()
        .sleep_until(FileTime::from_ticks(until))
        .await;
}

fn child_chain() -> Vec<LayerDescriptor> {
    let child = LayerDescriptor {
        id: era::layer_id("child"),
        path: path(CHILD),
    };
    [vec![child], parents()].concat()
}

async fn import(client: &SimHost) -> String {
    let layers = client.layers();
    code(
        layers
            .import(&path(CHILD), &path(TRAVELLING), &parents())
            .await,
    )
}

#[test]
fn a_scratch_disk_grows_and_never_shrinks() {
    let gigabyte = 1 << 30;
    for profile in [Profile::core_2016(), Profile::server_2022()] {
        let (sim, client) = host(profile.clone());
        run(&sim, async {
            install_image(&client, &fitting(&profile)).await;
            let (layers, scratch) = (client.layers(), scratch(&profile));
            let missing = layers.expand(&scratch, 30 * gigabyte).await;
            assert_eq!(code(missing), win32(2));
            layers.create_scratch(&scratch, &parents()).await.unwrap();
            layers.expand(&scratch, 20 * gigabyte).await.unwrap();
            layers.expand(&scratch, 30 * gigabyte).await.unwrap();
            let smaller = layers.expand(&scratch, 29 * gigabyte).await;
            assert_eq!(code(smaller), win32(0x57));
            layers.activate(&scratch).await.unwrap();
            let attached = layers.expand(&scratch, 40 * gigabyte).await;
            assert_eq!(code(attached), win32(0x20));
            layers.prepare(&scratch, &parents()).await.unwrap();
        });
    }
    let (sim, client) = host(Profile::core_tp3());
    let scratch = scratch(&Profile::core_tp3());
    let absent = run(&sim, client.layers().expand(&scratch, 30 * gigabyte));
    assert_eq!(code(absent), win32(0x7f));
}

#[test]
fn version_1903_grows_a_disk_that_it_does_not_mount() {
    for (build, expected) in [
        (17763, "ok"),
        (18362, "0x80070057"),
        (18363, "0x80070057"),
        (19041, "ok"),
    ] {
        let mut profile = Profile::server_2019();
        profile.build = build;
        let (sim, client) = host(profile.clone());
        run(&sim, async {
            install_image(&client, &fitting(&profile)).await;
            let (layers, scratch) = (client.layers(), scratch(&profile));
            layers.create_scratch(&scratch, &parents()).await.unwrap();
            layers.expand(&scratch, (20 << 30) + 1).await.unwrap();
            layers.activate(&scratch).await.unwrap();
            let prepared = layers.prepare(&scratch, &parents()).await;
            assert_eq!(code(prepared), expected, "{build}");
        });
    }
}

#[test]
fn an_imported_layer_changes_what_a_container_sees() {
    for profile in [Profile::core_2016(), Profile::server_2022()] {
        let (sim, client) = host(profile.clone());
        run(&sim, async {
            install_with_hives(&client, &profile).await;
            write_travelling(&client).await;
            let layers = client.layers();
            assert!(!layers.exists(&path(CHILD)).await.unwrap());
            assert_eq!(import(&client).await, "ok");
            assert!(layers.exists(&path(CHILD)).await.unwrap());
            assert_eq!(import(&client).await, win32(0xb7), "it is there");

            let scratch = scratch(&profile);
            layers
                .create_scratch(&scratch, &child_chain())
                .await
                .unwrap();
            layers.activate(&scratch).await.unwrap();
            layers.prepare(&scratch, &child_chain()).await.unwrap();
            let used = layers.destroy(&path(CHILD)).await;
            assert_eq!(code(used), win32(0x20), "it is mounted");
            let system = create(&client, &profile).await.unwrap();
            client.compute().start(system).await.unwrap();
            let show = async |file: &str| {
                let line = format!(r#"cmd /c type "C:\Docs\{file}""#);
                exec(&client, system, &line).await.out
            };
            assert_eq!(show("new.txt").await, "new\r\n");
            assert_eq!(show("Read Me.txt").await, "changed\r\n");
            let listed = exec(&client, system, r"cmd /c dir C:\Docs").await.out;
            assert!(
                listed.contains("new.txt") && !listed.contains("old.txt"),
                "{listed}"
            );
        });
    }
}

#[test]
fn the_files_of_an_imported_layer_are_deleted_with_the_layer_alone() {
    for profile in both() {
        let (sim, client) = host(profile.clone());
        run(&sim, async {
            install_with_hives(&client, &profile).await;
            write_travelling(&client).await;
            assert_eq!(import(&client).await, "ok");
            let (files, layer) = (client.files(), path(CHILD));
            let changed = layer.join(r"Files\Docs\new.txt");
            assert_eq!(code(files.remove_file(&changed).await), win32(5));
            for folder in [layer.join("Files"), layer.clone(), layer.parent().unwrap()] {
                let answer = files.remove_dir_all(&folder).await;
                assert_eq!(code(answer), win32(5), "{folder}");
            }
            // The folder that it was made from is one like any other.
            let travelling = path(TRAVELLING);
            assert_eq!(code(files.remove_dir_all(&travelling).await), "ok");
            // Its folder moves, and so does one around it.
            let away = path(r"C:\away");
            files.rename(&layer, &away).await.unwrap();
            assert_eq!(code(files.remove_dir_all(&away).await), win32(5));
            let around = path(r"C:\around");
            files.create_dir_all(&around).await.unwrap();
            files.rename(&away, &around.join("layer")).await.unwrap();
            files.rename(&around, &away).await.unwrap();
            assert_eq!(code(files.remove_dir_all(&away).await), win32(5));
            let layers = client.layers();
            layers.destroy(&away.join("layer")).await.unwrap();
            assert_eq!(code(files.remove_dir_all(&away).await), "ok");
            // What is made there afterwards is no layer.
            let again = away.join(r"layer\Files");
            files.create_dir_all(&again).await.unwrap();
            assert_eq!(code(files.remove_dir_all(&away).await), "ok");
        });
    }
}

#[test]
fn an_import_needs_its_parents_its_files_and_its_hives() {
    let profile = Profile::server_2022();
    for (spoil, expected) in [
        ("nothing", "ok".to_owned()),
        ("no hive", win32(3)),
        ("no files", win32(3)),
        ("no parent", win32(3)),
        ("empty base hive", win32(0x3f1)),
        ("no base hive", win32(3)),
        ("wrong tombstones", win32(0xd)),
        ("cut off", win32(0xd)),
        ("utility vm", win32(3)),
    ] {
        let (sim, client) = host(profile.clone());
        run(&sim, async {
            install_with_hives(&client, &profile).await;
            write_travelling(&client).await;
            let (files, folder, base) = (client.files(), path(TRAVELLING), path(IMAGE));
            match spoil {
                "no hive" => files
                    .remove_file(&folder.join(r"Hives\Sam_Delta"))
                    .await
                    .unwrap(),
                "no files" => files.remove_dir_all(&folder.join("Files")).await.unwrap(),
                "no parent" => client.layers().destroy(&base).await.unwrap(),
                "empty base hive" => {
                    write(&client, &base.join(r"hives\Sam_Base"), &empty_hive("SAM")).await;
                }
                "no base hive" => files
                    .remove_file(&base.join(r"hives\Sam_Base"))
                    .await
                    .unwrap(),
                "wrong tombstones" => {
                    write(&client, &folder.join("tombstones.txt"), b"Version 2.0\n").await;
                }
                "cut off" => write(&client, &folder.join(r"Files\short"), b"abc").await,
                "utility vm" => {
                    write(&client, &folder.join(r"UtilityVM\Files\a"), &packed(b"a")).await;
                }
                _ => {}
            }
            assert_eq!(import(&client).await, expected, "{spoil}");
            let bare = client.layers().import(&path(CHILD), &folder, &[]).await;
            assert_eq!(code(bare), win32(0x57), "no base layer is imported");
        });
    }
}

#[test]
fn a_full_disk_ends_an_import() {
    let profile = Profile::server_2022();
    let (sim, client) = host(profile.clone());
    run(&sim, async {
        install_with_hives(&client, &profile).await;
        write_travelling(&client).await;
        let big = path(TRAVELLING).join(r"Files\big");
        write(&client, &big, &packed(&[7; 100_000])).await;
        let sink = path(r"C:\sink");
        while sim.free_bytes() > 50_000 {
            // Sparse disks take their size.
            let at = path(&format!(r"C:\fill\{}", sim.free_bytes()));
            client.layers().create_scratch(&at, &parents()).await.ok();
            if sim.free_bytes() < 5_000_000 {
                let rest = usize::try_from(sim.free_bytes() - 40_000).unwrap();
                write(&client, &sink, &vec![1; rest]).await;
            }
        }
        assert_eq!(import(&client).await, win32(0x70));
    });
}

#[test]
fn an_import_that_is_cut_off_leaves_a_layer_that_is_there_and_cannot_be_mounted() {
    let profile = Profile::server_2022();
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..16 {
        let sim = Sim::new(profile.clone(), seed);
        let client = sim.client();
        run(&sim, async {
            install_with_hives(&client, &profile).await;
            write_travelling(&client).await;
        });
        let other = sim.client();
        let importing = sim.spawn({
            let other = other.clone();
            async move { import(&other).await }
        });
        run(&sim, wait(&client, 10_000_000));
        sim.kill(&other);
        drop(importing);
        run(&sim, wait(&client, 100_000_000));
        run(&sim, async {
            let (layers, scratch) = (client.layers(), scratch(&profile));
            assert!(layers.exists(&path(CHILD)).await.unwrap());
            match layers.create_scratch(&scratch, &child_chain()).await {
                Ok(()) => {
                    layers.activate(&scratch).await.unwrap();
                    let prepared = layers.prepare(&scratch, &child_chain()).await;
                    seen.insert(code(prepared));
                }
                Err(error) => {
                    seen.insert(code::<()>(Err(error)));
                }
            }
            layers.destroy(&path(CHILD)).await.unwrap();
            assert_eq!(import(&client).await, "ok", "it is imported again");
        });
    }
    let seen: Vec<String> = seen.into_iter().collect();
    assert_eq!(seen, [win32(2), win32(3)]);
}

#[test]
fn what_a_container_wrote_is_exported_and_imported_elsewhere() {
    let profile = Profile::server_2022();
    let (sim, client) = host(profile.clone());
    run(&sim, async {
        install_with_hives(&client, &profile).await;
        let (layers, scratch, folder) = (client.layers(), scratch(&profile), path(TRAVELLING));
        let export = async || code(layers.export(&scratch, &folder, &parents()).await);
        assert_eq!(export().await, win32(2), "there is none");
        layers.create_scratch(&scratch, &parents()).await.unwrap();
        assert_eq!(export().await, win32(2), "it was never mounted");
        layers.activate(&scratch).await.unwrap();
        layers.prepare(&scratch, &parents()).await.unwrap();
        let system = create(&client, &profile).await.unwrap();
        client.compute().start(system).await.unwrap();
        exec(&client, system, r"cmd /c echo fresh> C:\docs\Fresh.txt").await;
        exec(&client, system, r"cmd /c mkdir C:\Made").await;
        exec(&client, system, r"cmd /c del C:\Docs\old.txt").await;
        client.compute().terminate(system).await.unwrap();
        assert_eq!(export().await, win32(0x20), "it is mounted");
        layers.unprepare(&scratch).await.unwrap();
        let base = layers.export(&scratch, &folder, &[]).await;
        assert_eq!(code(base), win32(0x57), "no parents");
        assert_eq!(export().await, "ok");
        assert_eq!(export().await, win32(0xb7), "the folder is taken");

        let read = async |at: &str| {
            let bytes = client
                .files()
                .read(&folder.join(at), 1 << 20)
                .await
                .unwrap();
            bytes.to_vec()
        };
        assert_eq!(read(r"Files\Docs\Fresh.txt").await, packed(b"fresh\r\n"));
        assert_eq!(read(r"Files\Docs.$wcidirs$").await, 16_u32.to_le_bytes());
        assert_eq!(read(r"Files\Made.$wcidirs$").await, 16_u32.to_le_bytes());
        let tombstones = read("tombstones.txt").await;
        assert_eq!(
            tombstones,
            "\u{feff}Version 1.0\n\\Docs\\old.txt\n".as_bytes()
        );

        // The same files in a container over the imported layer.
        layers.deactivate(&scratch).await.unwrap();
        layers.destroy(&scratch).await.unwrap();
        assert_eq!(import(&client).await, "ok");
        layers
            .create_scratch(&scratch, &child_chain())
            .await
            .unwrap();
        layers.activate(&scratch).await.unwrap();
        layers.prepare(&scratch, &child_chain()).await.unwrap();
        let system = create(&client, &profile).await.unwrap();
        client.compute().start(system).await.unwrap();
        let shown = exec(&client, system, r"cmd /c type C:\Docs\Fresh.txt").await;
        assert_eq!(shown.out, "fresh\r\n");
        let listed = exec(&client, system, r"cmd /c dir C:\Docs").await.out;
        assert!(!listed.contains("old.txt"), "{listed}");
    });
    let (sim, client) = host(Profile::core_tp3());
    let (layer, folder, parents) = (path(CHILD), path(TRAVELLING), parents());
    let export = client.layers().export(&layer, &folder, &parents);
    assert_eq!(code(run(&sim, export)), win32(0x7b));
}

#[test]
fn a_utility_virtual_machine_needs_its_boot_configuration() {
    let profile = Profile::server_2022();
    let (sim, client) = host(profile.clone());
    run(&sim, async {
        install_image(&client, &fitting(&profile)).await;
        let vm = path(IMAGE).join("UtilityVM");
        let bcd = vm.join(r"Files\EFI\Microsoft\Boot\BCD");
        let process = async || code(client.layers().process_utility_vm(&vm).await);
        assert_eq!(process().await, win32(3));
        write(&client, &bcd, b"not a hive").await;
        assert_eq!(process().await, win32(0x3f8));
        write(&client, &bcd, &empty_hive("BCD")).await;
        assert_eq!(process().await, "ok");
        assert_eq!(process().await, "ok", "once more changes nothing");
        let there = async |at: &HostPath| client.files().metadata(at).await.unwrap().is_some();
        for made in ["SystemTemplateBase.vhdx", "SystemTemplate.vhdx"] {
            assert!(there(&vm.join(made)).await, "{made}");
        }
        assert!(there(&path(IMAGE).join("bcd.bak")).await);
    });
    let (sim, client) = host(Profile::core_tp3());
    let image = path(IMAGE);
    let absent = client.layers().process_utility_vm(&image);
    assert_eq!(code(run(&sim, absent)), win32(0x7f));
}

#[test]
fn shared_images_are_listed_when_the_management_service_has_looked() {
    let metadata = br#"{"CreatedTime":"2015-08-14T15:51:55.0510000Z","Size":9696754476,"Path":"C:\\x","Name":"WindowsServerCore","Version":"10.0.10514.0"}"#;
    for (profile, at_once) in [
        (Profile::core_tp3(), false),
        (Profile::nano_tp4(), false),
        (Profile::nano_tp5(), true),
        (Profile::core_2016(), true),
    ] {
        let (sim, client) = host(profile.clone());
        run(&sim, async {
            let layers = client.layers();
            assert!(layers.base_images().await.unwrap().is_empty());
            install_image(&client, &fitting(&profile)).await;
            assert!(
                layers.base_images().await.unwrap().is_empty(),
                "no metadata"
            );
            write(&client, &path(IMAGE).join("metadata.json"), metadata).await;
            let seen = !layers.base_images().await.unwrap().is_empty();
            assert_eq!(seen, at_once, "{}", profile.name);
            client.control().restart_service("vmms").await.unwrap();
            let images = layers.base_images().await.unwrap();
            assert_eq!(images.len(), 1);
            assert_eq!(
                (&*images[0].name, &*images[0].version),
                ("WindowsServerCore", "10.0.10514.0")
            );
            assert_eq!(
                (images[0].size, &images[0].path),
                (9_696_754_476, &path(IMAGE))
            );
            let created = FileTime::parse_rfc3339("2015-08-14T15:51:55.051Z").unwrap();
            assert_eq!(images[0].created, Some(created));
        });
    }
    let (sim, client) = host(Profile::server_2022());
    assert_eq!(code(run(&sim, client.layers().base_images())), win32(0x7f));
}

#[test]
fn layers_are_prepared_one_at_a_time_on_server_2019_alone() {
    let mut refused = std::collections::BTreeSet::new();
    for (profile, alone) in [
        (Profile::server_2019(), true),
        (Profile::server_2022(), false),
    ] {
        for seed in 0..8 {
            let sim = Sim::new(profile.clone(), seed);
            let client = sim.client();
            run(&sim, async {
                install_image(&client, &fitting(&profile)).await;
                let folder = scratch(&profile).parent().unwrap();
                let scratches = [folder.join("a"), folder.join("b")];
                for scratch in &scratches {
                    client
                        .layers()
                        .create_scratch(scratch, &parents())
                        .await
                        .unwrap();
                    client.layers().activate(scratch).await.unwrap();
                }
                let other = sim.client();
                let at_once = sim.spawn({
                    let scratch = scratches[1].clone();
                    async move { other.layers().prepare(&scratch, &parents()).await }
                });
                let first = client.layers().prepare(&scratches[0], &parents()).await;
                let second = at_once.await;
                let answers = [code(first), code(second)];
                assert_eq!(
                    answers.iter().filter(|code| *code != "ok").count(),
                    usize::from(alone)
                );
                for (scratch, answer) in scratches.iter().zip(answers) {
                    if answer != "ok" {
                        refused.insert(answer);
                        client.layers().prepare(scratch, &parents()).await.unwrap();
                    }
                }
            });
        }
    }
    let refused: Vec<String> = refused.into_iter().collect();
    assert_eq!(refused, [win32(0x15), win32(0x48f)]);
}

#[test]
fn a_removal_can_succeed_and_do_nothing() {
    let profile = Profile::server_2022();
    let (sim, client) = host(profile.clone());
    let rule = |operation| FaultRule {
        when: When::Nth {
            operation,
            number: 1,
        },
        what: What::NoEffect,
    };
    run(&sim, async {
        install_image(&client, &fitting(&profile)).await;
        let (layers, scratch) = (client.layers(), scratch(&profile));
        layers.create_scratch(&scratch, &parents()).await.unwrap();
        sim.set_faults(FaultPlan {
            rules: vec![
                rule(Operation::DestroyLayer),
                rule(Operation::ActivateLayer),
            ],
            budget: 2,
        });
        layers.destroy(&scratch).await.unwrap();
        assert!(
            layers.exists(&scratch).await.unwrap(),
            "success does not prove it"
        );
        layers.activate(&scratch).await.unwrap();
        assert_eq!(sim.attached_layers(), std::slice::from_ref(&scratch));
        layers.deactivate(&scratch).await.unwrap();
        layers.destroy(&scratch).await.unwrap();
        assert!(!layers.exists(&scratch).await.unwrap());
    });
    let told: Vec<String> = sim.fault_hits().iter().map(ToString::to_string).collect();
    assert!(
        told[0].ends_with("answered with success, without effect"),
        "{told:?}"
    );
    assert!(
        told[1].ends_with("was to have no effect, and has it as always"),
        "{told:?}"
    );
}

#[test]
fn what_is_left_of_a_mount_after_a_restart_is_nothing() {
    let profile = Profile::server_2022();
    let (sim, client) = host(profile.clone());
    run(&sim, async {
        install_image(&client, &fitting(&profile)).await;
        mount(&client, &profile).await;
        reboot(&client).await;
        let (layers, scratch) = (client.layers(), scratch(&profile));
        assert_eq!(code(layers.unprepare(&scratch).await), win32(0x37));
        assert_eq!(code(layers.deactivate(&scratch).await), win32(0x37));
        layers.destroy(&scratch).await.unwrap();
        assert_eq!(code(layers.unprepare(&scratch).await), win32(2));
        assert_eq!(code(layers.deactivate(&scratch).await), win32(2));
    });
}
