//! Extraction that does not come to its end: Ctrl+C, and a file system that takes no more.
#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Stdio};

use sha1::{Digest, Sha1};
use wcow_tree::memory::MemoryTree;

use crate::support::{Home, Ran, metadata, run, wim_of};

/// Larger than what is kept in memory for several files, so that each file is read and written for itself.
const LARGE: usize = 17 << 20;
const FILES: usize = 200;

/// A WIM of 17 MiB that takes 3.3 GiB when it is extracted: time enough to stop it.
fn home() -> Home {
    let large = vec![b'a'; LARGE];
    let mut tree = MemoryTree::new().file("file000", &large);
    for number in 1..FILES {
        tree = tree.file(format!("file{number:03}").as_str(), "small");
    }
    let mut wim = wim_of(&[("one", tree)]);
    // All files get the contents of the first: their SHA-1 stands in the metadata, that of the metadata in its row of the
    // lookup table, at 30.
    let (start, len, row) = metadata(&wim);
    let (small, large) = (Sha1::digest("small"), Sha1::digest(&large));
    let metadata = &mut wim[start..start + len];
    for at in 0..metadata.len() - 19 {
        if metadata[at..at + 20] == small[..] {
            metadata[at..at + 20].copy_from_slice(&large);
        }
    }
    let digest = Sha1::digest(metadata);
    wim[row + 30..row + 50].copy_from_slice(&digest);
    let home = Home::new();
    home.put("a.wim", &wim);
    home
}

/// Names and sizes of the files in a folder.
fn files(folder: &Path) -> Vec<(String, u64)> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    // A file may go away while the folder is read.
    let entries = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        Some((name, entry.metadata().ok()?.len()))
    });
    entries.collect()
}

#[test]
fn extraction_stops_at_a_signal_and_leaves_whole_files() {
    let home = home();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let words = ["wim", "extract", "a.wim", "1", "out", "--metadata", "meta"];
        let mut child = home
            .command(&words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be run");
        let out = home.path("out");
        while !files(&out).iter().any(|(name, _)| name == "file000")
            && child.try_wait().expect("it can be asked").is_none()
        {
            std::thread::yield_now();
        }
        let sent = Command::new("kill")
            .args(["-s", signal, &child.id().to_string()])
            .status();
        assert!(sent.expect("kill is there").success());
        let ran = Ran::new(&words, child.wait_with_output().expect("it ends"));
        ran.fails(
            code,
            &["interrupted", "each file whole", "--overwrite", "not meta"],
        );
        let left = files(&out);
        assert!(left.len() < FILES, "{left:?}");
        for (name, len) in left {
            assert_eq!(len, 17 << 20, "{name}");
        }
        assert!(!home.path("meta").exists() && !home.path("meta.part").exists());
        std::fs::remove_dir_all(out).expect("it is ours");
    }
}

#[test]
fn extraction_that_may_not_write_such_a_file_leaves_no_part_of_it() {
    let home = home();
    let words = ["wim", "extract", "a.wim", "1", "out", "file000"];
    let mut limited = Command::new("/bin/sh");
    // 512 bytes or 1 KiB each, as the shell has it: less than the file either way.
    limited
        .args(["-c", "ulimit -f 4096 && exec \"$0\" \"$@\""])
        .arg(home.command(&words).get_program())
        .args(words)
        .current_dir(home.path(""))
        .stdin(Stdio::null());
    let ran = run(limited, &words);
    ran.ends(1)
        .says(&["not extracted: file000", "1 file of a.wim could not"]);
    assert!(!ran.stderr.contains("--overwrite"), "{}", ran.stderr);
    assert_eq!(files(&home.path("out")), []);
}
