//! The file of metadata that lies beside an extracted tree.

use std::path::Path;

use wcow_tree::TreeSource as _;
use wcow_tree::disk::{DiskSource, Metadata};
use wcow_tree::memory::MemorySink;

use crate::budget::answer;
use crate::image::Rules;

/// Bytes that are sent at most.
const BYTES: u64 = 1 << 20;

/// A metadata file, beside a tree that has some of the names in it.
///
/// # Panics
/// If what is accepted breaks the rules of [`TreeSink`](wcow_tree::TreeSink) when it is sent, or is another tree the second time.
pub fn sidecar(data: &[u8]) {
    // Without a folder to write to there is nothing to try.
    let Some(folder) = folder(data) else {
        return;
    };
    let path = folder.path().join("metadata");
    let read = || Metadata::read(&path).ok();
    let Some(metadata) = answer(data.len(), "read metadata", read) else {
        return;
    };
    let Ok(source) = DiskSource::open(&folder.path().join("tree")) else {
        return;
    };
    let mut source = source.with_metadata(metadata);
    let mut rules = Rules::new(BYTES, u64::MAX);
    let sent = source.send(&mut rules);
    assert!(
        sent.is_err() || rules.damaged == 0,
        "streams are damaged, and nothing says so"
    );
    let trees = [(), ()].map(|()| {
        let mut sink = MemorySink::with_limit(BYTES);
        source.send(&mut sink).ok().map(|()| sink.finish())
    });
    let [Some(one), Some(two)] = trees else {
        return;
    };
    let differences = one.differences(&two);
    assert!(
        differences.is_empty(),
        "two readings differ: {:?}",
        differences.first()
    );
}

/// A folder with the metadata, the long streams that it counts, and the tree.
fn folder(data: &[u8]) -> Option<tempfile::TempDir> {
    let shared = Path::new("/dev/shm");
    let folder = if shared.is_dir() {
        tempfile::tempdir_in(shared).ok()?
    } else {
        tempfile::tempdir().ok()?
    };
    let path = folder.path();
    std::fs::write(path.join("metadata"), data).ok()?;
    if let Some(stored) = stored(data).filter(|stored| (1..=BYTES).contains(stored)) {
        let streams = std::fs::File::create(path.join("metadata.streams")).ok()?;
        streams.set_len(stored).ok()?;
    }
    let tree = path.join("tree");
    std::fs::create_dir_all(tree.join("dir/empty")).ok()?;
    std::fs::write(tree.join("dir/file"), b"some bytes").ok()?;
    std::fs::write(tree.join("other"), b"other bytes").ok()?;
    Some(folder)
}

/// The length that the last line gives for the file of long streams.
fn stored(data: &[u8]) -> Option<u64> {
    let mark = b"\"stored\":";
    let at = data.windows(mark.len()).rposition(|text| text == mark)? + mark.len();
    let digits = data
        .get(at..)?
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    let mut number = 0_u64;
    for digit in digits {
        number = number
            .checked_mul(10)?
            .checked_add(u64::from(digit - b'0'))?;
    }
    Some(number)
}
