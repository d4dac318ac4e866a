//! Simulated hosts on this computer's disk.
//!
//! ```text
//! <data dir>/hosts/<name>/lock         held by the command that uses the host
//!                        /world        one line of JSON (form, when it was saved), then the simulator's snapshot
//!                        /blobs/<xx>/<64 hex>   contents by SHA-256, never changed
//! ```
//!
//! A host is loaded by one command at a time. The world is replaced atomically: written beside, synced, renamed over. Blobs come
//! before the world that needs them; those that no world needs any more are removed after it.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use wcow_sim::{BlobId, BlobStore, LoadError, Profile, SaveError, Sim};

use crate::output::note;

/// The form of the files that this version writes.
const FORMAT: u32 = 1;
/// Ticks of 100 ns in a second.
const TICKS: u64 = 10_000_000;

/// Why a simulated host cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HostsError {
    #[error("no simulated host {name:?}; {}", there_are(.existing))]
    NotFound { name: String, existing: Vec<String> },
    #[error("a simulated host {0:?} exists already")]
    Exists(String),
    #[error("{0:?} cannot be the name of a host: use letters, digits, `_`, `-`, at most 63")]
    BadName(String),
    #[error("no profile {name:?}; there are: {}", .existing.join(", "))]
    NoProfile { name: String, existing: Vec<String> },
    #[error(
        "there is no folder to keep simulated hosts in: neither a home folder nor WCOW_DATA_DIR is set"
    )]
    NoDataDir,
    #[error("{} has format {found}, this version of wcow reads format {FORMAT}; nothing was changed", .path.display())]
    OtherFormat { path: PathBuf, found: u32 },
    #[error("{} is damaged: its first line is not what wcow writes; nothing was changed", .path.display())]
    Damaged { path: PathBuf },
    #[error("{} cannot be used; nothing was changed", .path.display())]
    World { path: PathBuf, source: LoadError },
    #[error("the simulated host cannot be saved")]
    Save(#[from] SaveError),
    #[error("{} could not be {doing}", .path.display())]
    Io {
        path: PathBuf,
        doing: &'static str,
        source: io::Error,
    },
}

/// The folder of all simulated hosts.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    root: PathBuf,
}

/// A simulated host, loaded and locked.
pub(crate) struct OpenHost {
    /// The simulator.
    pub(crate) sim: Sim,
    folder: PathBuf,
    blobs: Arc<DiskBlobs>,
    /// Held for as long as the host is open; the system gives it back when this process ends.
    _lock: File,
}

/// First line of a world file.
#[derive(Serialize, Deserialize)]
struct Head {
    wcow_host: u32,
    saved_unix_seconds: u64,
}

impl Hosts {
    /// The hosts in `data_dir`, or in this user's usual place for data.
    pub(crate) fn open(data_dir: Option<&Path>) -> Result<Self, HostsError> {
        let base = match data_dir {
            Some(folder) => folder.to_path_buf(),
            None => default_data_dir().ok_or(HostsError::NoDataDir)?,
        };
        Ok(Self {
            root: base.join("hosts"),
        })
    }

    /// The names of all hosts, sorted.
    pub(crate) fn names(&self) -> Result<Vec<String>, HostsError> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(io_error(&self.root, "listed", source)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| io_error(&self.root, "listed", source))?;
            if let Ok(name) = entry.file_name().into_string()
                && is_valid_name(&name)
                && entry.path().join("world").is_file()
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Makes a host and opens it.
    pub(crate) fn create(
        &self,
        name: &str,
        profile: &str,
        seed: u64,
    ) -> Result<OpenHost, HostsError> {
        if !is_valid_name(name) {
            return Err(HostsError::BadName(name.to_owned()));
        }
        let Some(profile) = Profile::named(profile) else {
            let existing = Profile::all()
                .into_iter()
                .map(|profile| profile.name)
                .collect();
            return Err(HostsError::NoProfile {
                name: profile.to_owned(),
                existing,
            });
        };
        let folder = self.root.join(name);
        fs::create_dir_all(&folder).map_err(|source| io_error(&folder, "created", source))?;
        let lock = lock(&folder, name)?;
        if folder.join("world").exists() {
            return Err(HostsError::Exists(name.to_owned()));
        }
        let blobs = Arc::new(DiskBlobs {
            folder: folder.join("blobs"),
        });
        let sim = Sim::with_blobs(profile, seed, Arc::clone(&blobs) as Arc<dyn BlobStore>);
        let host = OpenHost {
            sim,
            folder,
            blobs,
            _lock: lock,
        };
        host.save()?;
        Ok(host)
    }

    /// Opens a host: its time goes on by what has passed since it was saved, a day at the most.
    pub(crate) fn load(&self, name: &str) -> Result<OpenHost, HostsError> {
        let folder = self.root.join(name);
        let path = folder.join("world");
        if !is_valid_name(name) || !path.is_file() {
            return Err(HostsError::NotFound {
                name: name.to_owned(),
                existing: self.names()?,
            });
        }
        let lock = lock(&folder, name)?;
        let bytes = fs::read(&path).map_err(|source| io_error(&path, "read", source))?;
        let end = bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .ok_or_else(|| HostsError::Damaged { path: path.clone() })?;
        let (head, rest) = bytes.split_at(end);
        let head: Head =
            serde_json::from_slice(head).map_err(|_| HostsError::Damaged { path: path.clone() })?;
        if head.wcow_host != FORMAT {
            return Err(HostsError::OtherFormat {
                path,
                found: head.wcow_host,
            });
        }
        let blobs = Arc::new(DiskBlobs {
            folder: folder.join("blobs"),
        });
        let snapshot = rest.get(1..).unwrap_or_default();
        let sim =
            Sim::load(snapshot, Arc::clone(&blobs) as Arc<dyn BlobStore>).map_err(|source| {
                HostsError::World {
                    path: path.clone(),
                    source,
                }
            })?;
        sim.resume(elapsed_seconds(head.saved_unix_seconds).saturating_mul(TICKS));
        Ok(OpenHost {
            sim,
            folder,
            blobs,
            _lock: lock,
        })
    }

    /// Removes a host and everything on it.
    pub(crate) fn remove(&self, name: &str) -> Result<(), HostsError> {
        let folder = self.root.join(name);
        if !is_valid_name(name) || !folder.join("world").is_file() {
            return Err(HostsError::NotFound {
                name: name.to_owned(),
                existing: self.names()?,
            });
        }
        let _lock = lock(&folder, name)?;
        // The world goes first: from then on the host is no longer listed, whatever happens.
        let world = folder.join("world");
        fs::remove_file(&world).map_err(|source| io_error(&world, "removed", source))?;
        fs::remove_dir_all(&folder).map_err(|source| io_error(&folder, "removed", source))
    }
}

impl OpenHost {
    /// Saves the world: the old one stays whole until the new one is.
    pub(crate) fn save(&self) -> Result<(), HostsError> {
        let snapshot = self.sim.save()?;
        let head = Head {
            wcow_host: FORMAT,
            saved_unix_seconds: unix_seconds(),
        };
        let mut bytes = serde_json::to_vec(&head).unwrap_or_default();
        bytes.push(b'\n');
        bytes.extend_from_slice(&snapshot);
        let path = self.folder.join("world");
        replace(&path, &bytes).map_err(|source| io_error(&path, "saved", source))?;
        self.blobs
            .keep_only(&self.sim.blobs_in_use())
            .map_err(|source| io_error(&self.blobs.folder, "tidied", source))
    }
}

/// Contents by hash, one file each.
#[derive(Debug)]
struct DiskBlobs {
    folder: PathBuf,
}

impl DiskBlobs {
    fn path(&self, id: BlobId) -> PathBuf {
        let name = id.to_string();
        self.folder.join(name.get(..2).unwrap_or("xx")).join(&name)
    }

    /// Removes every blob that is not in `needed`.
    fn keep_only(&self, needed: &BTreeSet<BlobId>) -> io::Result<()> {
        let shards = match fs::read_dir(&self.folder) {
            Ok(shards) => shards,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for shard in shards {
            for blob in fs::read_dir(shard?.path())? {
                let blob = blob?;
                let id = blob.file_name().to_str().and_then(BlobId::parse);
                if id.is_none_or(|id| !needed.contains(&id)) {
                    fs::remove_file(blob.path())?;
                }
            }
        }
        Ok(())
    }
}

impl BlobStore for DiskBlobs {
    fn get(&self, id: BlobId) -> io::Result<Option<Arc<[u8]>>> {
        match fs::read(self.path(id)) {
            Ok(bytes) if BlobId::of(&bytes) == id => Ok(Some(bytes.into())),
            Ok(_) => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("blob {id} is damaged"),
            )),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn put(&self, bytes: &[u8]) -> io::Result<BlobId> {
        let id = BlobId::of(bytes);
        let path = self.path(id);
        if !path.is_file() {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            replace(&path, bytes)?;
        }
        Ok(id)
    }
}

/// Writes a file beside `path`, syncs it, and renames it over `path`.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = File::create(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&fresh, path)?;
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn lock(folder: &Path, name: &str) -> Result<File, HostsError> {
    let path = folder.join("lock");
    let failed = |source| io_error(&path, "locked", source);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            note(&format!(
                "waiting for another wcow command to finish with the simulated host {name:?}"
            ));
            file.lock().map_err(failed)?;
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    Ok(file)
}

fn io_error(path: &Path, doing: &'static str, source: io::Error) -> HostsError {
    HostsError::Io {
        path: path.to_path_buf(),
        doing,
        source,
    }
}

fn is_valid_name(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.chars().all(|character| {
            character.is_ascii_alphanumeric() || character == '_' || character == '-'
        })
        && !name.starts_with('-')
}

fn there_are(existing: &[String]) -> String {
    if existing.is_empty() {
        "there is none yet: wcow host new NAME --profile PROFILE makes one".to_owned()
    } else {
        format!("there are: {}", existing.join(", "))
    }
}

fn default_data_dir() -> Option<PathBuf> {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if cfg!(windows) {
        return variable("LOCALAPPDATA").map(|folder| folder.join("wcow"));
    }
    let home = variable("HOME")?;
    if cfg!(target_os = "macos") {
        return Some(home.join("Library/Application Support/wcow"));
    }
    Some(
        variable("XDG_DATA_HOME")
            .unwrap_or_else(|| home.join(".local/share"))
            .join("wcow"),
    )
}

fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}

/// Seconds since the host was saved; `WCOW_ELAPSED` says another number, so that a sequence of commands can be repeated exactly.
fn elapsed_seconds(saved: u64) -> u64 {
    std::env::var("WCOW_ELAPSED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| unix_seconds().saturating_sub(saved))
}
