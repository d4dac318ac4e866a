//! The virtual NTFS.

use wcow_host::{FileKind, FileSystem, Host, WriteMode};
use wcow_ntmeta::FileAttributes;
use wcow_sim::{BlobId, Profile, Sim, SimHost};

use crate::support::{STEP, code, host, path, run, win32};

fn with_dir() -> (Sim, SimHost) {
    let (sim, client) = host(Profile::server_2022());
    run(&sim, client.files().create_dir_all(&path(r"C:\dir\sub"))).unwrap();
    (sim, client)
}

#[test]
fn what_was_written_is_read_without_regard_to_case() {
    let (sim, client) = with_dir();
    let files = client.files();
    run(&sim, async {
        files
            .write(&path(r"C:\dir\Größe.txt"), b"one", WriteMode::CreateNew)
            .await
            .unwrap();
        let read = files.read(&path(r"c:\DIR\GRÖßE.TXT"), 10).await.unwrap();
        assert_eq!(read, b"one");
        assert_eq!(read.known_sha256(), Some(BlobId::of(b"one").0));
        files
            .write(&path(r"C:\dir\GRÖßE.txt"), b"three", WriteMode::Overwrite)
            .await
            .unwrap();
        let names = files.list(&path(r"C:\dir")).await.unwrap();
        let names: Vec<String> = names.iter().map(|entry| entry.name.to_string()).collect();
        assert_eq!(names, ["Größe.txt", "sub"]);
        let metadata = files
            .metadata(&path(r"C:\dir\größe.txt"))
            .await
            .unwrap()
            .unwrap();
        assert_eq!((metadata.kind, metadata.len), (FileKind::File, 5));
        assert!(metadata.attributes.contains(FileAttributes::ARCHIVE));
        assert!(metadata.written <= sim.now() && metadata.written >= sim.profile().start);
    });
}

#[test]
fn every_refusal_has_its_code() {
    let (sim, client) = with_dir();
    let files = client.files();
    let (new, over) = (WriteMode::CreateNew, WriteMode::Overwrite);
    run(&sim, async {
        files
            .write(&path(r"C:\dir\a"), b"12345", new)
            .await
            .unwrap();
        files.write(&path(r"C:\dir\b"), b"", new).await.unwrap();
        assert_eq!(
            code(files.write(&path(r"C:\dir\A"), b"", new).await),
            win32(0x50)
        );
        assert_eq!(
            code(files.write(&path(r"C:\none\a"), b"", new).await),
            win32(0x3)
        );
        assert_eq!(
            code(files.write(&path(r"C:\dir\a\b"), b"", new).await),
            win32(0x3)
        );
        assert_eq!(
            code(files.write(&path(r"D:\a"), b"", new).await),
            win32(0x3)
        );
        assert_eq!(
            code(files.write(&path(r"C:\dir"), b"", over).await),
            win32(0x5)
        );
        assert_eq!(
            code(files.write(&path(r"C:\dir\nul.txt"), b"", new).await),
            win32(0x7b)
        );
        assert_eq!(
            code(files.write(&path(r"C:\dir\a:b"), b"", new).await),
            win32(0x7b)
        );
        assert_eq!(code(files.read(&path(r"C:\dir\none"), 9).await), win32(0x2));
        assert_eq!(
            code(files.read(&path(r"C:\none\none"), 9).await),
            win32(0x3)
        );
        assert_eq!(code(files.read(&path(r"C:\dir"), 9).await), win32(0x5));
        assert_eq!(code(files.read(&path(r"C:\dir\a"), 4).await), win32(0xdf));
        assert_eq!(code(files.list(&path(r"C:\none")).await), win32(0x3));
        assert_eq!(code(files.list(&path(r"C:\dir\a")).await), win32(0x10b));
        assert_eq!(
            code(files.create_dir_all(&path(r"C:\dir\a\b")).await),
            win32(0xb7)
        );
        assert_eq!(
            code(
                files
                    .copy_file(&path(r"C:\dir\a"), &path(r"C:\dir\b"))
                    .await
            ),
            win32(0x50)
        );
        assert_eq!(
            code(
                files
                    .copy_file(&path(r"C:\dir\none"), &path(r"C:\dir\c"))
                    .await
            ),
            win32(0x2)
        );
        assert_eq!(
            code(files.rename(&path(r"C:\dir\a"), &path(r"C:\dir\b")).await),
            win32(0xb7)
        );
        assert_eq!(
            code(
                files
                    .rename(&path(r"C:\dir\none"), &path(r"C:\dir\c"))
                    .await
            ),
            win32(0x2)
        );
        assert_eq!(
            code(files.rename(&path(r"C:\dir"), &path(r"C:\dir\sub\d")).await),
            win32(0x57)
        );
        assert_eq!(
            code(
                files
                    .replace(&path(r"C:\dir\sub"), &path(r"C:\dir\b"))
                    .await
            ),
            win32(0x5)
        );
        assert_eq!(
            code(files.remove_file(&path(r"C:\dir\none")).await),
            win32(0x2)
        );
        assert_eq!(
            code(files.remove_file(&path(r"C:\dir\sub")).await),
            win32(0x5)
        );
        assert_eq!(
            code(files.remove_dir_all(&path(r"C:\none")).await),
            win32(0x3)
        );
        assert_eq!(
            code(files.remove_dir_all(&path(r"C:\dir\a")).await),
            win32(0x10b)
        );
        assert_eq!(code(files.remove_dir_all(&path(r"C:\")).await), win32(0x5));
        assert_eq!(
            code(files.sync_file(&path(r"C:\dir\none"), STEP).await),
            win32(0x2)
        );
        assert_eq!(
            code(files.sync_dir(&path(r"C:\none"), STEP).await),
            win32(0x3)
        );
        assert_eq!(files.metadata(&path(r"C:\none\none")).await.unwrap(), None);
        assert_eq!(files.metadata(&path(r"E:\")).await.unwrap(), None);
        assert_eq!(files.read(&path(r"C:\dir\a"), 5).await.unwrap(), b"12345");
    });
}

#[test]
fn rename_and_replace_move_what_is_below() {
    let (sim, client) = with_dir();
    let files = client.files();
    run(&sim, async {
        files
            .write(&path(r"C:\dir\sub\a"), b"a", WriteMode::CreateNew)
            .await
            .unwrap();
        files
            .rename(&path(r"C:\dir"), &path(r"C:\moved"))
            .await
            .unwrap();
        assert_eq!(files.read(&path(r"C:\moved\sub\a"), 9).await.unwrap(), b"a");
        assert_eq!(files.metadata(&path(r"C:\dir")).await.unwrap(), None);
        files
            .rename(&path(r"C:\moved"), &path(r"C:\MOVED"))
            .await
            .unwrap();
        assert_eq!(files.list(&path(r"C:\")).await.unwrap()[0].name, "MOVED");
        files
            .write(&path(r"C:\b"), b"b", WriteMode::CreateNew)
            .await
            .unwrap();
        files
            .replace(&path(r"C:\b"), &path(r"C:\moved\sub\A"))
            .await
            .unwrap();
        assert_eq!(files.read(&path(r"C:\moved\sub\a"), 9).await.unwrap(), b"b");
        assert_eq!(files.metadata(&path(r"C:\b")).await.unwrap(), None);
        files.remove_dir_all(&path(r"C:\moved")).await.unwrap();
        assert!(files.list(&path(r"C:\")).await.unwrap().is_empty());
    });
}

#[test]
fn a_locked_file_belongs_to_one_client_until_it_is_killed() {
    let (sim, client) = with_dir();
    let other = sim.client();
    let lock = path(r"C:\dir\lock");
    let (files, others) = (client.files(), other.files());
    run(&sim, async {
        let held = files.lock(&lock).await.unwrap();
        assert_eq!(code(others.lock(&lock).await), win32(0x20));
        assert_eq!(code(files.lock(&lock).await), win32(0x20));
        assert_eq!(code(others.read(&lock, 9).await), win32(0x20));
        assert_eq!(code(others.remove_file(&lock).await), win32(0x20));
        assert_eq!(
            code(others.rename(&path(r"C:\dir"), &path(r"C:\d")).await),
            win32(0x5)
        );
        assert_eq!(
            code(others.remove_dir_all(&path(r"C:\dir")).await),
            win32(0x20)
        );
        assert_eq!(code(others.unlock(held).await), win32(0x6));
        files.unlock(held).await.unwrap();
        assert_eq!(code(files.unlock(held).await), win32(0x6));
        files.lock(&lock).await.unwrap();
    });
    sim.kill(&client);
    run(&sim, async {
        others.lock(&lock).await.unwrap();
    });
}

#[test]
fn a_full_disk_refuses_and_removing_makes_room() {
    let mut profile = Profile::server_2022();
    profile.free_bytes = 10;
    let (sim, client) = host(profile);
    let files = client.files();
    run(&sim, async {
        files
            .write(&path(r"C:\a"), b"12345678", WriteMode::CreateNew)
            .await
            .unwrap();
        assert_eq!(
            code(
                files
                    .write(&path(r"C:\b"), b"123", WriteMode::CreateNew)
                    .await
            ),
            win32(0x70)
        );
        assert_eq!(
            code(files.copy_file(&path(r"C:\a"), &path(r"C:\b")).await),
            win32(0x70)
        );
        assert_eq!(
            code(
                files
                    .write(&path(r"C:\a"), b"12345678901", WriteMode::Overwrite)
                    .await
            ),
            win32(0x70)
        );
        files
            .write(&path(r"C:\a"), b"1234567890", WriteMode::Overwrite)
            .await
            .unwrap();
        files.remove_file(&path(r"C:\a")).await.unwrap();
        files
            .write(&path(r"C:\b"), b"1234567890", WriteMode::CreateNew)
            .await
            .unwrap();
    });
}

#[test]
fn the_same_contents_are_read_once_by_whoever_asks_for_the_same_type() {
    struct Len(usize);
    let (sim, client) = with_dir();
    let files = client.files();
    let mut read = 0;
    let lens = run(&sim, async {
        let mut lens = Vec::new();
        for (name, contents) in [("a", "one"), ("b", "one"), ("c", "three"), ("a", "one")] {
            let path = path(r"C:\dir").join(name);
            files
                .write(&path, contents.as_bytes(), WriteMode::Overwrite)
                .await
                .unwrap();
            let bytes = files.read(&path, 10).await.unwrap();
            let len = bytes.read_as(|bytes| {
                read += 1;
                Ok::<_, ()>(Len(bytes.len()))
            });
            lens.push(len.map(|len| len.0));
        }
        lens
    });
    assert_eq!(lens, [Ok(3), Ok(3), Ok(5), Ok(3)]);
    assert_eq!(read, 2);
}
