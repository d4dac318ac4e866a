//! Layer storage.

use wcow_host::{FileSystem, Host, HostControl, LayerStorage};
use wcow_sim::{Profile, SimHost};

use crate::containers::*;
use crate::support::{code, host, path, run, win32};

/// The names in a folder.
async fn names(client: &SimHost, folder: &str) -> Vec<String> {
    let entries = client.files().list(&path(folder)).await.unwrap();
    entries
        .into_iter()
        .map(|entry| format!("{} {}", entry.name, entry.metadata.len))
        .collect()
}

#[test]
fn a_base_layer_is_made_usable_as_each_generation_does_it() {
    let (sim, client) = host(Profile::core_tp3());
    run(&sim, async {
        install_image(&client, &fitting(&Profile::core_tp3())).await;
        let hives = names(&client, &format!(r"{IMAGE}\hives")).await;
        assert_eq!(hives.len(), 10);
        assert_eq!(hives[1], "DefaultUser_Copy 4");
        let root = names(&client, r"C:\ProgramData\Microsoft\Windows\Images").await;
        assert_eq!(
            root,
            ["blank.vhdx 44040192", "CN=Microsoft_Test_10.0.1.0 0"]
        );
    });
    let (sim, client) = host(Profile::server_2022());
    run(&sim, async {
        install_image(&client, &fitting(&Profile::server_2022())).await;
        let made = names(&client, IMAGE).await;
        assert!(made.contains(&"blank-base.vhdx 44040192".to_owned()));
        assert!(made.iter().any(|name| name.starts_with("layout ")));
        assert_eq!(names(&client, &format!(r"{IMAGE}\hives")).await.len(), 5);
    });
}

#[test]
fn a_base_layer_needs_its_files_and_hives() {
    for part in [r"hives\Sam_Base", "files"] {
        for profile in both() {
            let (sim, client) = host(profile.clone());
            run(&sim, async {
                write_image(&client, &fitting(&profile)).await;
                let part = path(IMAGE).join(part);
                if client.files().remove_file(&part).await.is_err() {
                    client.files().remove_dir_all(&part).await.unwrap();
                }
                let processed = client.layers().process_base(&path(IMAGE)).await;
                assert_eq!(code(processed), win32(3));
            });
        }
    }
}

#[test]
fn without_the_container_stack_there_are_no_layers() {
    let (sim, client) = host(Profile::nano_tp3().without_packages());
    run(&sim, async {
        let processed = client.layers().process_base(&path(IMAGE)).await;
        assert_eq!(code(processed), "CommandNotFoundException");
        let made = client
            .layers()
            .create_scratch(&scratch(&Profile::nano_tp3()), &parents())
            .await;
        assert_eq!(code(made), "CommandNotFoundException");
    });
    let (sim, client) = host(Profile::server_2022());
    run(&sim, async {
        client
            .control()
            .disable_feature("Containers")
            .await
            .unwrap();
        reboot(&client).await;
        let processed = client.layers().process_base(&path(IMAGE)).await;
        assert_eq!(code(processed), win32(0x7e));
    });
}

#[test]
fn before_the_restart_no_scratch_layer_is_made_and_nothing_is_left() {
    let profile = Profile::nano_tp3();
    let (sim, client) = host(profile.clone());
    run(&sim, async {
        install_image(&client, &fitting(&profile)).await;
        let scratch = scratch(&profile);
        let made = client.layers().create_scratch(&scratch, &parents()).await;
        assert_eq!(code(made), "0x8000FFFF");
        let folder = path(r"C:\ProgramData\Microsoft\Windows\Hyper-V");
        assert_eq!(client.files().metadata(&folder).await.unwrap(), None);
        reboot(&client).await;
        let made = client.layers().create_scratch(&scratch, &parents()).await;
        assert_eq!(code(made), "ok");
    });
}

#[test]
fn layers_are_mounted_and_unmounted_in_order() {
    for profile in both() {
        let (sim, client) = host(profile.clone());
        run(&sim, async {
            let (layers, scratch) = (client.layers(), scratch(&profile));
            let made = layers.create_scratch(&scratch, &parents()).await;
            assert_eq!(code(made), win32(3), "no parent");
            install_image(&client, &fitting(&profile)).await;
            assert_eq!(code(layers.activate(&scratch).await), win32(2));
            layers.create_scratch(&scratch, &parents()).await.unwrap();
            let again = layers.create_scratch(&scratch, &parents()).await;
            assert_eq!(code(again), win32(0xb7));

            assert_eq!(
                code(layers.prepare(&scratch, &parents()).await),
                win32(0x37)
            );
            assert_eq!(code(layers.mount_path(&scratch).await), win32(0x37));
            assert_eq!(code(layers.unprepare(&scratch).await), win32(0x37));
            assert_eq!(code(layers.deactivate(&scratch).await), win32(0x37));
            layers.activate(&scratch).await.unwrap();
            layers.activate(&scratch).await.unwrap();
            layers.prepare(&scratch, &parents()).await.unwrap();
            let volume = layers.mount_path(&scratch).await.unwrap();
            assert!(volume.starts_with(r"\\?\Volume{") && volume.ends_with('}'));

            layers.deactivate(&scratch).await.unwrap();
            assert_eq!(code(layers.deactivate(&scratch).await), win32(0x20));
            assert_eq!(code(layers.destroy(&scratch).await), win32(0x20));
            assert_eq!(code(layers.destroy(&path(IMAGE)).await), win32(0x20));
            layers.unprepare(&scratch).await.unwrap();
            layers.deactivate(&scratch).await.unwrap();
            layers.destroy(&scratch).await.unwrap();
            assert_eq!(code(layers.destroy(&scratch).await), win32(2));
            layers.create_scratch(&scratch, &parents()).await.unwrap();
        });
    }
}

#[test]
fn a_disk_that_somebody_has_open_is_not_attached() {
    let profile = Profile::server_2022();
    let (sim, client) = host(profile.clone());
    run(&sim, async {
        install_image(&client, &fitting(&profile)).await;
        let (layers, scratch) = (client.layers(), scratch(&profile));
        layers.create_scratch(&scratch, &parents()).await.unwrap();
        let disk = scratch.join("sandbox.vhdx");
        let lock = client.files().lock(&disk).await.unwrap();
        assert_eq!(code(layers.activate(&scratch).await), win32(0x20));
        client.files().unlock(lock).await.unwrap();
        layers.activate(&scratch).await.unwrap();
        assert_eq!(code(client.files().remove_file(&disk).await), win32(0x20));
    });
}

#[test]
fn a_restart_ends_every_attachment() {
    for profile in both() {
        let (sim, client) = host(profile.clone());
        run(&sim, async {
            install_image(&client, &fitting(&profile)).await;
            mount(&client, &profile).await;
            reboot(&client).await;
            let (layers, scratch) = (client.layers(), scratch(&profile));
            assert_eq!(code(layers.unprepare(&scratch).await), win32(0x37));
            assert_eq!(code(layers.deactivate(&scratch).await), win32(0x37));
            layers.destroy(&scratch).await.unwrap();
        });
    }
}

#[test]
fn a_full_disk_leaves_no_half_scratch_layer() {
    let mut profile = Profile::server_2022();
    profile.free_bytes = 50_000_000;
    let (sim, client) = host(profile.clone());
    run(&sim, async {
        install_image(&client, &fitting(&profile)).await;
        let scratch = scratch(&profile);
        let mut made = Vec::new();
        for number in 0..3 {
            let other = crate::layers::numbered(&scratch, number);
            made.push(code(
                client.layers().create_scratch(&other, &parents()).await,
            ));
            let there = client.files().metadata(&other).await.unwrap().is_some();
            assert_eq!(there, made.last().unwrap() == "ok");
        }
        assert_eq!(made.last(), Some(&win32(0x70)));
    });
}

fn numbered(scratch: &wcow_ntmeta::HostPath, number: u32) -> wcow_ntmeta::HostPath {
    scratch.parent().unwrap().join(&format!("c{number}"))
}

#[test]
fn the_files_of_a_base_layer_are_deleted_with_the_layer_alone() {
    for profile in both() {
        let (sim, client) = host(profile.clone());
        run(&sim, async {
            install_image(&client, &fitting(&profile)).await;
            let (files, image) = (client.files(), path(IMAGE));
            let program = image.join(r"files\Windows\System32\cmd.exe");
            let above = image.parent().unwrap();
            assert_eq!(code(files.remove_file(&program).await), win32(5));
            for folder in [
                image.join(r"files\Windows"),
                image.join("files"),
                image.clone(),
                above,
            ] {
                let answer = files.remove_dir_all(&folder).await;
                assert_eq!(code(answer), win32(5), "{folder}");
            }
            assert!(files.metadata(&program).await.unwrap().is_some());
            // What is beside them is nobody's but the administrator's.
            let hive = image.join(r"hives\Sam_Base");
            assert_eq!(code(files.remove_file(&hive).await), "ok");
            // It may have moved meanwhile: container engines rename a layer before they destroy it.
            let away = path(r"C:\away");
            files.rename(&image, &away).await.unwrap();
            assert_eq!(code(files.remove_dir_all(&away).await), win32(5));
            assert_eq!(code(client.layers().destroy(&away).await), "ok");
            assert!(files.metadata(&away).await.unwrap().is_none());
        });
    }
}
