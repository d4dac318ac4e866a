//! Troubles with files: errors of the disk, a full disk, files that somebody else has open.

use wcow_host::{Clock, FileSystem, Host, HostControl, Operation, WriteMode};
use wcow_ntmeta::{FileTime, Hresult};
use wcow_sim::{FaultPlan, FaultRule, Profile, Sim, SimHost, What, When};

use crate::support::{STEP, code, host, path, run, win32};

const SECOND: u64 = 10_000_000;

async fn write(client: &SimHost, at: &str, bytes: &[u8]) {
    let mode = WriteMode::Overwrite;
    client.files().write(&path(at), bytes, mode).await.unwrap();
}

async fn wait(client: &SimHost, ticks: u64) {
    let clock = client.clock();
    let later = FileTime::from_ticks(clock.now().ticks() + ticks);
    clock.sleep_until(later).await;
}

fn io_error(at: &str, operation: Operation, after: u32, times: u32) -> FaultPlan {
    FaultPlan {
        rules: vec![FaultRule {
            when: When::Below {
                operation,
                path: path(at),
                after,
                times,
            },
            what: What::RefusedWith(Hresult::from_win32(0x45d)),
        }],
        budget: times,
    }
}

#[test]
fn a_call_that_is_to_fail_fails_as_often_as_it_was_asked_to() {
    let (sim, client) = host(Profile::server_2022());
    sim.set_faults(io_error(r"C:\dir", Operation::FlushFile, 1, 2));
    run(&sim, async {
        let files = client.files();
        files.create_dir_all(&path(r"C:\dir")).await.unwrap();
        write(&client, r"C:\dir\a", b"x").await;
        write(&client, r"C:\b", b"x").await;
        let a = path(r"C:\dir\A");
        assert_eq!(code(files.sync_file(&a, STEP).await), "ok");
        assert_eq!(code(files.sync_file(&path(r"C:\b"), STEP).await), "ok");
        assert_eq!(code(files.sync_file(&a, STEP).await), win32(0x45d));
        assert_eq!(code(files.read(&a, 9).await), "ok");
        assert_eq!(
            code(files.sync_dir(&path(r"C:\DIR"), STEP).await),
            win32(0x45d)
        );
        assert_eq!(code(files.sync_file(&a, STEP).await), "ok");
    });
}

#[test]
fn a_tree_can_fail_at_its_end_and_be_begun_again() {
    let (sim, client) = host(Profile::server_2022());
    sim.set_faults(io_error(r"C:\", Operation::WriteTree, 1, 1));
    run(&sim, async {
        let files = client.files();
        let tree = files.create_tree(&path(r"C:\tree")).await.unwrap();
        assert_eq!(code(files.finish_tree(tree, STEP).await), win32(0x45d));
        files.remove_dir_all(&path(r"C:\tree")).await.unwrap();
        let tree = files.create_tree(&path(r"C:\tree")).await.unwrap();
        assert_eq!(code(files.finish_tree(tree, STEP).await), "ok");
    });
}

#[test]
fn faults_are_part_of_a_saved_host() {
    let (sim, _) = host(Profile::server_2022());
    sim.set_faults(io_error(r"C:\", Operation::ListDirectory, 0, 1));
    let sim = Sim::load(&sim.save().unwrap(), sim.blobs()).unwrap();
    let client = sim.client();
    let list = || run(&sim, client.files().list(&path(r"C:\")));
    assert_eq!(code(list()), win32(0x45d));
    assert_eq!(code(list()), "ok");
}

#[test]
fn a_write_that_does_not_fit_leaves_the_old_contents() {
    let mut profile = Profile::server_2022();
    profile.free_bytes = 10;
    let (sim, client) = host(profile);
    run(&sim, async {
        let files = client.files();
        write(&client, r"C:\a", b"12345678").await;
        let long = files
            .write(&path(r"C:\a"), &[7; 11], WriteMode::Overwrite)
            .await;
        assert_eq!(code(long), win32(0x70));
        assert_eq!(files.read(&path(r"C:\a"), 99).await.unwrap(), b"12345678");
        let copy = files.copy_file(&path(r"C:\a"), &path(r"C:\b")).await;
        assert_eq!(code(copy), win32(0x70));
        assert!(files.metadata(&path(r"C:\b")).await.unwrap().is_none());
    });
    assert_eq!(sim.free_bytes(), 2);
}

#[test]
fn a_file_deleted_while_somebody_has_it_open_keeps_its_name_until_it_is_closed() {
    let (sim, client) = host(Profile::server_2022());
    run(&sim, async {
        let files = client.files();
        files.create_dir_all(&path(r"C:\dir\sub")).await.unwrap();
        write(&client, r"C:\dir\sub\a", b"x").await;
        write(&client, r"C:\dir\b", b"x").await;
        let a = path(r"C:\dir\sub\a");
        sim.open_elsewhere(&a, 10 * SECOND).unwrap();
        assert_eq!(code(files.read(&a, 9).await), "ok", "it can be used");
        assert_eq!(code(files.remove_file(&a).await), "ok");
        let pending = win32(0x12f);
        assert_eq!(code(files.read(&a, 9).await), pending);
        for mode in [WriteMode::CreateNew, WriteMode::Overwrite] {
            assert_eq!(code(files.write(&a, b"y", mode).await), pending);
        }
        assert_eq!(code(files.lock(&a).await), pending);
        assert_eq!(code(files.remove_file(&a).await), pending);
        let elsewhere = path(r"C:\c");
        assert_eq!(code(files.rename(&a, &elsewhere).await), pending);
        let up = path(r"C:\dir");
        assert_eq!(code(files.rename(&up, &elsewhere).await), win32(0x5));
        assert_eq!(code(files.remove_dir_all(&up).await), win32(0x91));
        let left = files.list(&up).await.unwrap();
        assert_eq!(left.len(), 1, "the rest is gone");
        wait(&client, 11 * SECOND).await;
        assert_eq!(code(files.read(&a, 9).await), win32(0x2));
        assert_eq!(code(files.remove_dir_all(&up).await), "ok");
    });
}

#[test]
fn a_file_that_somebody_has_open_can_be_renamed_and_not_replaced() {
    let (sim, client) = host(Profile::server_2022());
    run(&sim, async {
        let files = client.files();
        write(&client, r"C:\a", b"x").await;
        write(&client, r"C:\b", b"y").await;
        let [a, b, c] = [r"C:\a", r"C:\b", r"C:\c"].map(path);
        sim.open_elsewhere(&a, SECOND).unwrap();
        assert_eq!(code(files.replace(&b, &a).await), win32(0x5));
        assert_eq!(code(files.rename(&a, &c).await), "ok");
        assert_eq!(code(files.remove_file(&c).await), "ok");
        assert_eq!(code(files.read(&c, 9).await), win32(0x12f));
        wait(&client, 2 * SECOND).await;
        assert_eq!(code(files.replace(&b, &c).await), "ok");
        assert!(sim.open_elsewhere(&a, SECOND).is_err(), "it is gone");
    });
}

#[test]
fn a_restart_closes_what_was_open() {
    for power_lost in [false, true] {
        let (sim, client) = host(Profile::server_2022());
        let a = path(r"C:\a");
        run(&sim, async {
            let files = client.files();
            write(&client, r"C:\a", b"x").await;
            files.sync_file(&a, STEP).await.unwrap();
            files.sync_dir(&path(r"C:\"), STEP).await.unwrap();
            sim.open_elsewhere(&a, u64::MAX).unwrap();
            files.remove_file(&a).await.unwrap();
            files.sync_dir(&path(r"C:\"), STEP).await.unwrap();
        });
        if power_lost {
            sim.power_loss();
        } else {
            run(&sim, client.control().reboot()).unwrap();
        }
        let client = sim.client();
        let read = code(run(&sim, client.files().read(&a, 9)));
        // Without a close nobody deleted it.
        let expected = if power_lost {
            "ok".to_owned()
        } else {
            win32(0x2)
        };
        assert_eq!(read, expected);
    }
}
