//! Trees that are written in bulk.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use wcow_host::{FileSystem, Host, TreeSummary, WriteMode};
use wcow_ntmeta::{FileAttributes, FileTime, WideName};
use wcow_sim::{BlobId, BlobStore, BlobWriter, MemoryBlobs, Profile, Sim, SimHost, SimTree};
use wcow_tree::{Entry, EntryId, Extra, Stream, StreamEnd, StreamKind, StreamRef, Times, TreeSink};

use crate::support::{STEP, code, host, path, run, win32};

fn entry(id: u32, parent: Option<u32>, name: &str, len: Option<u64>) -> Entry {
    let attributes = if len.is_some() {
        FileAttributes::ARCHIVE
    } else {
        FileAttributes::DIRECTORY
    };
    let stream = |len| Stream {
        name: WideName::new(),
        kind: StreamKind::Data,
        len,
        digest: None,
    };
    let time = FileTime::from_ticks(42);
    Entry {
        id: EntryId(id),
        parent: parent.map(EntryId),
        name: name.into(),
        short_name: WideName::new(),
        attributes,
        times: Times {
            created: time,
            accessed: time,
            written: time,
        },
        security: None,
        reparse: None,
        link_to: None,
        streams: len.map(stream).into_iter().collect(),
        extra: Extra::default(),
    }
}

fn send(tree: &mut SimTree, id: u32, bytes: &[u8], end: StreamEnd) {
    assert!(
        tree.open_stream(StreamRef {
            entry: EntryId(id),
            index: 0
        })
        .unwrap()
    );
    bytes.chunks(2).for_each(|chunk| tree.write(chunk).unwrap());
    tree.close_stream(end).unwrap();
}

/// `Windows\System32\cmd.exe`, `Windows\b.txt`, `a.txt` and another name of it.
async fn install(client: &SimHost, at: &str) -> TreeSummary {
    let files = client.files();
    let mut tree = files.create_tree(&path(at)).await.unwrap();
    tree.entry(&entry(0, None, "", None)).unwrap();
    tree.entry(&entry(1, Some(0), "Windows", None)).unwrap();
    tree.entry(&entry(2, Some(1), "System32", None)).unwrap();
    tree.entry(&entry(3, Some(2), "cmd.exe", Some(3))).unwrap();
    tree.entry(&entry(4, Some(0), "a.txt", Some(5))).unwrap();
    tree.entry(&entry(5, Some(1), "b.txt", Some(0))).unwrap();
    let mut second = entry(6, Some(1), "second.txt", Some(5));
    second.link_to = Some(EntryId(4));
    tree.entry(&second).unwrap();
    send(&mut tree, 3, b"cmd", StreamEnd::Complete);
    send(&mut tree, 4, b"hello", StreamEnd::Complete);
    send(&mut tree, 5, b"", StreamEnd::Complete);
    files.finish_tree(tree, STEP).await.unwrap()
}

#[test]
fn a_finished_tree_holds_what_was_sent() {
    let (sim, client) = host(Profile::server_2022());
    let files = client.files();
    run(&sim, async {
        let summary = install(&client, r"C:\image").await;
        assert_eq!(
            summary,
            TreeSummary {
                directories: 3,
                files: 4,
                bytes: 8
            }
        );
        assert_eq!(
            files
                .read(&path(r"C:\IMAGE\windows\SYSTEM32\CMD.exe"), 9)
                .await
                .unwrap(),
            b"cmd"
        );
        assert_eq!(
            files
                .read(&path(r"C:\image\Windows\second.txt"), 9)
                .await
                .unwrap(),
            b"hello"
        );
        let listed = files.list(&path(r"C:\image\Windows")).await.unwrap();
        let names: Vec<String> = listed.iter().map(|entry| entry.name.to_string()).collect();
        assert_eq!(names, ["b.txt", "second.txt", "System32"]);
        assert_eq!(listed[1].metadata.len, 5);
        assert_eq!(listed[1].metadata.written, FileTime::from_ticks(42));
        assert_eq!(
            code(files.read(&path(r"C:\image\Windows\none"), 9).await),
            win32(0x2)
        );
        assert_eq!(
            code(files.read(&path(r"C:\image\a.txt\none"), 9).await),
            win32(0x3)
        );
    });
}

#[test]
fn writing_below_a_finished_tree_changes_only_that_tree() {
    let (sim, client) = host(Profile::server_2022());
    let files = client.files();
    run(&sim, async {
        install(&client, r"C:\one").await;
        install(&client, r"C:\two").await;
        files
            .write(
                &path(r"C:\one\Windows\System32\new.txt"),
                b"new",
                WriteMode::CreateNew,
            )
            .await
            .unwrap();
        files
            .write(
                &path(r"C:\one\Windows\second.txt"),
                b"changed",
                WriteMode::Overwrite,
            )
            .await
            .unwrap();
        files
            .remove_file(&path(r"C:\one\Windows\b.txt"))
            .await
            .unwrap();
        files
            .copy_file(&path(r"C:\two\a.txt"), &path(r"C:\one\copy.txt"))
            .await
            .unwrap();
        files
            .rename(&path(r"C:\two\Windows"), &path(r"C:\one\Win"))
            .await
            .unwrap();
        let names = |entries: Vec<wcow_host::DirEntry>| -> Vec<String> {
            entries.iter().map(|entry| entry.name.to_string()).collect()
        };
        assert_eq!(
            names(files.list(&path(r"C:\one")).await.unwrap()),
            ["a.txt", "copy.txt", "Win", "Windows"]
        );
        assert_eq!(
            names(files.list(&path(r"C:\one\Windows\System32")).await.unwrap()),
            ["cmd.exe", "new.txt"]
        );
        assert_eq!(
            names(files.list(&path(r"C:\two")).await.unwrap()),
            ["a.txt"]
        );
        assert_eq!(
            files
                .read(&path(r"C:\one\Win\second.txt"), 9)
                .await
                .unwrap(),
            b"hello"
        );
        assert_eq!(
            files
                .read(&path(r"C:\one\Windows\second.txt"), 9)
                .await
                .unwrap(),
            b"changed"
        );
        assert_eq!(
            files.read(&path(r"C:\one\copy.txt"), 9).await.unwrap(),
            b"hello"
        );
    });
}

#[test]
fn the_space_of_a_tree_comes_back_however_it_was_changed() {
    let mut profile = Profile::server_2022();
    profile.free_bytes = 20;
    let (sim, client) = host(profile);
    let files = client.files();
    run(&sim, async {
        for _ in 0..5 {
            install(&client, r"C:\image").await;
            files
                .write(
                    &path(r"C:\image\Windows\System32\x"),
                    b"1234567890",
                    WriteMode::CreateNew,
                )
                .await
                .unwrap();
            assert_eq!(
                code(
                    files
                        .write(&path(r"C:\y"), b"123", WriteMode::CreateNew)
                        .await
                ),
                win32(0x70)
            );
            files
                .remove_dir_all(&path(r"C:\image\Windows"))
                .await
                .unwrap();
            files.remove_dir_all(&path(r"C:\image")).await.unwrap();
        }
        files
            .write(&path(r"C:\y"), &[0; 20], WriteMode::CreateNew)
            .await
            .unwrap();
        let tree = files.create_tree(&path(r"C:\image")).await.unwrap();
        files.finish_tree(tree, STEP).await.unwrap();
    });
}

#[test]
fn a_tree_needs_a_free_name_and_a_parent() {
    let (sim, client) = host(Profile::server_2022());
    let files = client.files();
    run(&sim, async {
        install(&client, r"C:\image").await;
        assert_eq!(
            code(files.create_tree(&path(r"C:\IMAGE")).await),
            win32(0xb7)
        );
        assert_eq!(
            code(files.create_tree(&path(r"C:\none\image")).await),
            win32(0x3)
        );
    });
}

#[test]
fn what_a_hostile_source_sends_is_refused() {
    let (sim, client) = host(Profile::server_2022());
    let files = client.files();
    let mut tree = run(&sim, files.create_tree(&path(r"C:\image"))).unwrap();
    assert!(
        tree.entry(&entry(1, Some(0), "x", None)).is_err(),
        "no parent"
    );
    tree.entry(&entry(0, None, "", None)).unwrap();
    for name in ["..", ".", "a\\b", "a/b", "", "a:b", "a\0"] {
        assert!(
            tree.entry(&entry(1, Some(0), name, Some(0))).is_err(),
            "{name:?}"
        );
    }
    tree.entry(&entry(1, Some(0), "Name", Some(4))).unwrap();
    assert!(
        tree.entry(&entry(2, Some(0), "NAME", Some(0))).is_err(),
        "the same name"
    );
    assert!(
        tree.entry(&entry(1, Some(0), "other", Some(0))).is_err(),
        "the same id"
    );
    assert!(
        tree.entry(&entry(3, Some(1), "below", Some(0))).is_err(),
        "below a file"
    );
    assert!(
        tree.open_stream(StreamRef {
            entry: EntryId(1),
            index: 1
        })
        .is_err()
    );
    assert!(tree.close_stream(StreamEnd::Complete).is_err());
    send(&mut tree, 1, b"bad!", StreamEnd::Damaged);
    run(&sim, files.finish_tree(tree, STEP)).unwrap();
    assert_eq!(
        run(&sim, files.read(&path(r"C:\image\name"), 9)).unwrap(),
        b"",
        "damaged bytes are not left behind"
    );
}

#[test]
fn a_killed_client_leaves_any_part_of_a_tree() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let sim = Sim::new(Profile::server_2022(), seed);
        let client = sim.client();
        let root = path(r"C:\image");
        let mut tree = run(&sim, client.files().create_tree(&root)).unwrap();
        tree.entry(&entry(0, None, "", None)).unwrap();
        tree.entry(&entry(1, Some(0), "a", None)).unwrap();
        tree.entry(&entry(2, Some(0), "b", Some(1))).unwrap();
        send(&mut tree, 2, b"b", StreamEnd::Complete);
        tree.entry(&entry(3, Some(1), "c", Some(0))).unwrap();
        sim.kill(&client);
        assert!(tree.entry(&entry(4, Some(1), "d", Some(0))).is_err());
        let other = sim.client();
        run(&sim, async {
            let files = other.files();
            let below = files.list(&root).await.unwrap().len();
            let deeper = files
                .list(&root.join("a"))
                .await
                .map_or(0, |names| names.len());
            assert!(
                below == 2 || deeper == 0,
                "what was sent first is there first"
            );
            seen.insert((below, deeper));
            files.remove_dir_all(&root).await.unwrap();
        });
    }
    assert_eq!(seen.len(), 4, "{seen:?}");
}

/// Takes long contents in pieces, and remembers the longest thing that was ever put in one.
#[derive(Default)]
struct Pieces {
    blobs: MemoryBlobs,
    longest: Arc<AtomicUsize>,
    finished: Arc<Mutex<Vec<usize>>>,
}

struct Piece {
    bytes: Vec<u8>,
    longest: Arc<AtomicUsize>,
    finished: Arc<Mutex<Vec<usize>>>,
}

impl BlobStore for Pieces {
    fn get(&self, id: BlobId) -> io::Result<Option<Arc<[u8]>>> {
        self.blobs.get(id)
    }

    fn put(&self, bytes: &[u8]) -> io::Result<BlobId> {
        self.longest.fetch_max(bytes.len(), Ordering::Relaxed);
        self.blobs.put(bytes)
    }

    fn writer(&self) -> io::Result<Box<dyn BlobWriter>> {
        Ok(Box::new(Piece {
            bytes: Vec::new(),
            longest: Arc::clone(&self.longest),
            finished: Arc::clone(&self.finished),
        }))
    }
}

impl BlobWriter for Piece {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.longest.fetch_max(bytes.len(), Ordering::Relaxed);
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>, _store: &dyn BlobStore) -> io::Result<BlobId> {
        self.finished.lock().unwrap().push(self.bytes.len());
        Ok(BlobId::of(&self.bytes))
    }
}

#[test]
fn a_long_stream_reaches_the_store_in_pieces_and_a_damaged_one_not_at_all() {
    const LEN: usize = 5 << 20;
    let bytes: Vec<u8> = (0..LEN).map(|at| (at * 7 + at / 251) as u8).collect();
    let store = Arc::new(Pieces::default());
    let sim = Sim::with_blobs(Profile::server_2022(), 1, store.clone());
    let client = sim.client();
    run(&sim, async {
        let files = client.files();
        let mut tree = files.create_tree(&path(r"C:\image")).await.unwrap();
        tree.entry(&entry(0, None, "", None)).unwrap();
        for (id, name, end) in [
            (1, "whole", StreamEnd::Complete),
            (2, "damaged", StreamEnd::Damaged),
        ] {
            tree.entry(&entry(id, Some(0), name, Some(LEN as u64)))
                .unwrap();
            let stream = StreamRef {
                entry: EntryId(id),
                index: 0,
            };
            assert!(tree.open_stream(stream).unwrap());
            for chunk in bytes.chunks(10_007) {
                tree.write(chunk).unwrap();
            }
            tree.close_stream(end).unwrap();
        }
        let summary = files.finish_tree(tree, STEP).await.unwrap();
        assert_eq!((summary.files, summary.bytes), (2, LEN as u64));
    });
    assert!(sim.blobs_in_use().contains(&BlobId::of(&bytes)));
    assert_eq!(*store.finished.lock().unwrap(), [LEN]);
    assert!(store.longest.load(Ordering::Relaxed) <= 1 << 20);
}

#[test]
fn a_stream_that_comes_in_one_piece_is_kept_as_any_other() {
    let sim = Sim::new(Profile::server_2022(), 1);
    let client = sim.client();
    run(&sim, async {
        let files = client.files();
        let mut tree = files.create_tree(&path(r"C:\image")).await.unwrap();
        tree.entry(&entry(0, None, "", None)).unwrap();
        let whole = b"all at once";
        let at = |id, index| StreamRef {
            entry: EntryId(id),
            index,
        };
        let names = ["one", "pieces", "damaged", "more"];
        for (id, name) in (1..).zip(names) {
            let mut entry = entry(id, Some(0), name, Some(whole.len() as u64));
            if name == "one" {
                let named = Stream {
                    name: "named".into(),
                    len: 5,
                    ..entry.streams[0].clone()
                };
                entry.streams.push(named);
            }
            tree.entry(&entry).unwrap();
        }
        assert!(tree.open_stream(at(1, 0)).unwrap());
        tree.write(whole).unwrap();
        tree.write(b"").unwrap();
        tree.close_stream(StreamEnd::Complete).unwrap();
        // Only of a first stream it is known how long it will be; another one is collected.
        assert!(tree.open_stream(at(1, 1)).unwrap());
        tree.write(b"named").unwrap();
        tree.close_stream(StreamEnd::Complete).unwrap();
        assert!(tree.open_stream(at(2, 0)).unwrap());
        tree.write(b"").unwrap();
        whole.chunks(3).for_each(|chunk| tree.write(chunk).unwrap());
        tree.close_stream(StreamEnd::Complete).unwrap();
        assert!(tree.open_stream(at(3, 0)).unwrap());
        tree.write(whole).unwrap();
        tree.close_stream(StreamEnd::Damaged).unwrap();
        assert!(tree.open_stream(at(4, 0)).unwrap());
        tree.write(whole).unwrap();
        let error = tree.write(b", and then some").unwrap_err();
        let expected = "more bytes of a stream were sent than the 11 announced";
        assert_eq!(error.to_string(), expected);
        tree.close_stream(StreamEnd::Damaged).unwrap();
        files.finish_tree(tree, STEP).await.unwrap();

        let read = async |name: &str| {
            let file = path(r"C:\image").join(name);
            files.read(&file, 100).await.unwrap().to_vec()
        };
        assert_eq!(read("one").await, whole);
        assert_eq!(read("pieces").await, whole);
        assert!(read("damaged").await.is_empty());
        assert!(read("more").await.is_empty());
    });
    assert!(sim.blobs_in_use().contains(&BlobId::of(b"named")));
}
