//! The contents of a simulated host's files, on this computer's disk.
//!
//! ```text
//! blobs/<xx>/<64 hex>   contents by SHA-256, never changed
//!      /<n>.part        contents on their way, named by nothing yet
//! ```
//!
//! A blob is written beside its place, synced, and renamed: what has the name of a hash is whole. One host is used by one
//! command at a time, so a `.part` that a command finds was left by one that was killed; tidying removes it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};
use wcow_sim::{BlobId, BlobStore, BlobWriter};

/// Contents by hash, one file each.
#[derive(Debug)]
pub(crate) struct DiskBlobs {
    folder: PathBuf,
    /// How many blobs were begun.
    begun: AtomicU64,
    /// The first blob that was read and is not what its name says.
    damaged: OnceLock<PathBuf>,
}

impl DiskBlobs {
    /// The blobs of the host in this folder.
    pub(crate) fn new(host: &Path) -> Self {
        Self {
            folder: host.join("blobs"),
            begun: AtomicU64::new(0),
            damaged: OnceLock::new(),
        }
    }

    /// The folder of all blobs.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The first blob that was read and is not what its name says.
    pub(crate) fn damaged(&self) -> Option<&Path> {
        self.damaged.get().map(PathBuf::as_path)
    }

    /// Where a blob is, if it is there.
    pub(crate) fn path(&self, id: BlobId) -> PathBuf {
        place(&self.folder, id)
    }

    /// Removes every blob that is not in `needed`, and what was never finished.
    pub(crate) fn keep_only(&self, needed: &BTreeSet<BlobId>) -> io::Result<()> {
        let shards = match fs::read_dir(&self.folder) {
            Ok(shards) => shards,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for shard in shards {
            let shard = shard?.path();
            if !shard.is_dir() {
                fs::remove_file(shard)?;
                continue;
            }
            for blob in fs::read_dir(shard)? {
                let blob = blob?;
                let id = blob.file_name().to_str().and_then(BlobId::parse);
                if id.is_none_or(|id| !needed.contains(&id)) {
                    fs::remove_file(blob.path())?;
                }
            }
        }
        Ok(())
    }

    fn begin(&self) -> io::Result<Part> {
        fs::create_dir_all(&self.folder)?;
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.join(format!("{number}.part"));
        Ok(Part {
            file: Some(File::create(&path)?),
            path,
        })
    }
}

impl BlobStore for DiskBlobs {
    fn get(&self, id: BlobId) -> io::Result<Option<Arc<[u8]>>> {
        match fs::read(self.path(id)) {
            Ok(bytes) if BlobId::of(&bytes) == id => Ok(Some(bytes.into())),
            Ok(_) => {
                self.damaged.get_or_init(|| self.path(id));
                Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("blob {id} is damaged"),
                ))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn put(&self, bytes: &[u8]) -> io::Result<BlobId> {
        let id = BlobId::of(bytes);
        if !self.path(id).is_file() {
            let mut part = self.begin()?;
            part.write_all(bytes)?;
            part.keep(&self.folder, id)?;
        }
        Ok(id)
    }

    fn writer(&self) -> io::Result<Box<dyn BlobWriter>> {
        Ok(Box::new(Pieces {
            folder: self.folder.clone(),
            part: self.begin()?,
            hash: Sha256::new(),
        }))
    }
}

/// A blob that comes in pieces: they go to the disk at once, and only the hash is kept in memory.
struct Pieces {
    folder: PathBuf,
    part: Part,
    hash: Sha256,
}

impl BlobWriter for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.part.write_all(bytes)
    }

    fn finish(self: Box<Self>, _store: &dyn BlobStore) -> io::Result<BlobId> {
        let id = BlobId(self.hash.finalize().into());
        self.part.keep(&self.folder, id)?;
        Ok(id)
    }
}

/// A file that is gone when it is dropped, unless it was kept.
struct Part {
    path: PathBuf,
    file: Option<File>,
}

impl Part {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => Ok(()),
        }
    }

    /// Gives it the name of its contents. What is there under that name is the same.
    fn keep(mut self, folder: &Path, id: BlobId) -> io::Result<()> {
        let place = place(folder, id);
        match self.file.take() {
            Some(file) if !place.is_file() => {
                if let Some(shard) = place.parent() {
                    fs::create_dir_all(shard)?;
                }
                put_in_place(file, &self.path, &place)
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Not every system removes a file that is open.
        self.file = None;
        // One that was kept has another name by now.
        let _ = fs::remove_file(&self.path);
    }
}

/// Syncs a file that was written, and renames it over `path`.
pub(crate) fn put_in_place(file: File, fresh: &Path, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    drop(file);
    fs::rename(fresh, path)?;
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn place(folder: &Path, id: BlobId) -> PathBuf {
    let name = id.to_string();
    folder.join(name.get(..2).unwrap_or("xx")).join(&name)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use wcow_host::{FileSystem, Host};
    use wcow_ntmeta::{FileAttributes, HostPath, WideName};
    use wcow_sim::{Profile, Sim};
    use wcow_tree::{
        Entry, EntryId, Extra, Stream, StreamEnd, StreamKind, StreamRef, Times, TreeSink,
    };

    use super::*;

    /// Every file below a folder, with its length.
    fn files(folder: &Path) -> Vec<(String, u64)> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(files(&path));
            } else {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                found.push((name, path.metadata().unwrap().len()));
            }
        }
        found.sort();
        found
    }

    fn store() -> (tempfile::TempDir, DiskBlobs) {
        let folder = tempfile::tempdir().unwrap();
        let blobs = DiskBlobs::new(folder.path());
        (folder, blobs)
    }

    #[test]
    fn pieces_become_the_blob_that_the_whole_would_be() {
        for pieces in [&[][..], &[&b"one"[..]], &[b"one", b"", b"two"]] {
            let (_folder, blobs) = store();
            let mut writer = blobs.writer().unwrap();
            for piece in pieces {
                writer.write(piece).unwrap();
            }
            assert_eq!(files(blobs.folder()).len(), 1, "on its way");
            let id = writer.finish(&blobs).unwrap();
            let whole = pieces.concat();
            assert_eq!(id, BlobId::of(&whole));
            assert_eq!(blobs.get(id).unwrap().as_deref(), Some(&whole[..]));
            let expected = [(id.to_string(), whole.len() as u64)];
            assert_eq!(files(blobs.folder()), expected);
            // Once more, either way, changes nothing.
            assert_eq!(blobs.put(&whole).unwrap(), id);
            let mut again = blobs.writer().unwrap();
            again.write(&whole).unwrap();
            assert_eq!(again.finish(&blobs).unwrap(), id);
            assert_eq!(files(blobs.folder()), expected);
        }
    }

    #[test]
    fn a_writer_that_is_dropped_leaves_nothing() {
        let (_folder, blobs) = store();
        let mut writer = blobs.writer().unwrap();
        writer.write(b"half of it").unwrap();
        drop(writer);
        assert_eq!(files(blobs.folder()), []);
    }

    #[test]
    fn a_writer_that_fails_leaves_nothing() {
        let (_folder, blobs) = store();
        let mut writer = blobs.writer().unwrap();
        writer.write(b"whole").unwrap();
        // A file is where the folder of the blob has to be.
        let id = BlobId::of(b"whole").to_string();
        fs::write(blobs.folder().join(&id[..2]), b"").unwrap();
        assert!(writer.finish(&blobs).is_err());
        assert_eq!(files(blobs.folder()), [(id[..2].to_owned(), 0)]);
    }

    #[test]
    fn what_a_killed_command_left_is_tidied_away() {
        let (_folder, blobs) = store();
        let kept = blobs.put(b"kept").unwrap();
        blobs.put(b"not needed").unwrap();
        // What a writer leaves that never came to its end; a process that is killed holds no file open.
        let left = blobs.begin().unwrap().path.clone();
        fs::write(left, b"half").unwrap();
        blobs.keep_only(&BTreeSet::from([kept])).unwrap();
        assert_eq!(files(blobs.folder()), [(kept.to_string(), 4)]);
    }

    /// Blobs on the disk, and the longest buffer that anybody handed in.
    struct Watched {
        blobs: DiskBlobs,
        longest: Arc<Mutex<usize>>,
    }

    struct WatchedWriter {
        writer: Box<dyn BlobWriter>,
        longest: Arc<Mutex<usize>>,
    }

    fn note(longest: &Mutex<usize>, bytes: &[u8]) {
        let mut longest = longest.lock().unwrap();
        *longest = bytes.len().max(*longest);
    }

    impl BlobStore for Watched {
        fn get(&self, id: BlobId) -> io::Result<Option<Arc<[u8]>>> {
            self.blobs.get(id)
        }

        fn put(&self, bytes: &[u8]) -> io::Result<BlobId> {
            note(&self.longest, bytes);
            self.blobs.put(bytes)
        }

        fn writer(&self) -> io::Result<Box<dyn BlobWriter>> {
            Ok(Box::new(WatchedWriter {
                writer: self.blobs.writer()?,
                longest: Arc::clone(&self.longest),
            }))
        }
    }

    impl BlobWriter for WatchedWriter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
            note(&self.longest, bytes);
            self.writer.write(bytes)
        }

        fn finish(self: Box<Self>, store: &dyn BlobStore) -> io::Result<BlobId> {
            self.writer.finish(store)
        }
    }

    #[test]
    fn a_very_large_file_is_written_in_small_pieces() {
        const PIECE: usize = 64 << 10;
        const LEN: u64 = 48 << 20;
        let (_folder, blobs) = store();
        let longest = Arc::new(Mutex::new(0));
        let watched = Arc::new(Watched {
            blobs,
            longest: Arc::clone(&longest),
        });
        let sim = Sim::with_blobs(
            Profile::server_2022(),
            0,
            Arc::clone(&watched) as Arc<dyn BlobStore>,
        );
        let host = sim.client();
        let path = HostPath::parse(r"C:\tree").unwrap();
        let mut hash = Sha256::new();
        let summary = sim.block_on(async {
            let mut tree = host.files().create_tree(&path).await.unwrap();
            tree.entry(&entry(0, None)).unwrap();
            tree.entry(&entry(1, Some(LEN))).unwrap();
            let stream = StreamRef {
                entry: EntryId(1),
                index: 0,
            };
            tree.open_stream(stream).unwrap();
            for number in 0..LEN / PIECE as u64 {
                let piece = vec![u8::try_from(number % 251).unwrap(); PIECE];
                hash.update(&piece);
                tree.write(&piece).unwrap();
            }
            tree.close_stream(StreamEnd::Complete).unwrap();
            host.files()
                .finish_tree(tree, wcow_host::Precaution::new("test"))
                .await
                .unwrap()
        });
        assert_eq!(summary.bytes, LEN);
        let longest = *longest.lock().unwrap();
        assert!(longest <= 2 << 20, "a buffer of {longest} bytes");
        let id = BlobId(hash.finalize().into());
        let blob = watched.blobs.path(id);
        assert_eq!(blob.metadata().unwrap().len(), LEN);
        let left = files(watched.blobs.folder());
        assert!(
            left.iter().all(|(name, _)| !name.ends_with(".part")),
            "{left:?}"
        );
    }

    /// A directory, or a file of `len` bytes in it.
    fn entry(id: u32, len: Option<u64>) -> Entry {
        Entry {
            id: EntryId(id),
            parent: len.map(|_| EntryId(0)),
            name: if len.is_some() {
                "large.bin".into()
            } else {
                WideName::new()
            },
            short_name: WideName::new(),
            attributes: if len.is_some() {
                FileAttributes::ARCHIVE
            } else {
                FileAttributes::DIRECTORY
            },
            times: Times::default(),
            security: None,
            reparse: None,
            link_to: None,
            streams: len
                .map(|len| Stream {
                    name: WideName::new(),
                    kind: StreamKind::Data,
                    len,
                    digest: None,
                })
                .into_iter()
                .collect(),
            extra: Extra::default(),
        }
    }
}
