//! Simulated hosts on this computer's disk.
//!
//! ```text
//! <data dir>/hosts/<name>/lock         held by the command that uses the host
//!                        /world        one line of JSON (form, when it was saved, SHA-256 of the rest), then the simulator's snapshot
//!                        /blobs      contents by SHA-256
//! ```
//!
//! A host is loaded by one command at a time; the next one waits. The world is replaced atomically: written beside, synced,
//! renamed over. Blobs come before the world that needs them; those that no world needs any more are removed after it. So a
//! command that is interrupted has never happened, as far as the host knows.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use wcow_sim::{BlobId, BlobStore, LoadError, Profile, SaveError, Sim};

use crate::blobs::{DiskBlobs, put_in_place};
use crate::output::note;

/// The form of the files that this version writes.
const FORMAT: u32 = 1;
/// Ticks of 100 ns in a second.
const TICKS: u64 = 10_000_000;

/// Why a simulated host cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HostsError {
    #[error("another wcow command uses the simulated host {0:?} now")]
    Busy(String),
    #[error("WCOW_ELAPSED is {0:?}: expected a number of seconds")]
    BadElapsed(String),
    #[error("no simulated host {name:?}; {}", there_are(.existing))]
    NotFound { name: String, existing: Vec<String> },
    #[error("a simulated host {0:?} exists already")]
    Exists(String),
    #[error(
        "{0:?} cannot be the name of a host: use letters, digits, `_`, `-`, at most 63, not `-` first, no name of a Windows device"
    )]
    BadName(String),
    #[error("no profile {name:?}; there are: {}", .existing.join(", "))]
    NoProfile { name: String, existing: Vec<String> },
    #[error(
        "there is no folder to keep simulated hosts in: neither a home folder nor WCOW_DATA_DIR is set"
    )]
    NoDataDir,
    #[error("{} has format {found}, this version of wcow reads format {FORMAT}; nothing was changed", .path.display())]
    OtherFormat { path: PathBuf, found: u32 },
    #[error("{} is damaged: {what}; nothing was changed", .path.display())]
    Damaged { path: PathBuf, what: &'static str },
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
    sha256: BlobId,
}

/// What every version has in its first line.
#[derive(Deserialize)]
struct FormOnly {
    wcow_host: u32,
}

/// What to do while another command uses a host.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WhileBusy {
    Wait,
    GiveUp,
}

impl Hosts {
    /// The hosts in `data_dir`, or in this user's usual place for data.
    pub(crate) fn open(data_dir: Option<&Path>) -> Result<Self, HostsError> {
        // An empty variable is one that is not set.
        let data_dir = data_dir.filter(|folder| !folder.as_os_str().is_empty());
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
                .iter()
                .map(|profile| profile.name.to_string())
                .collect();
            return Err(HostsError::NoProfile {
                name: profile.to_owned(),
                existing,
            });
        };
        let folder = self.root.join(name);
        let lock = loop {
            fs::create_dir_all(&folder).map_err(|source| io_error(&folder, "created", source))?;
            if let Some(lock) = lock(&folder, name, WhileBusy::Wait)? {
                break lock;
            }
        };
        if folder.join("world").exists() {
            return Err(HostsError::Exists(name.to_owned()));
        }
        let blobs = Arc::new(DiskBlobs::new(&folder));
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
        let (host, saved) = self.read(name, WhileBusy::Wait)?;
        host.sim
            .resume(elapsed_seconds(saved)?.saturating_mul(TICKS));
        Ok(host)
    }

    /// A host as it was saved, to be looked at; [`HostsError::Busy`] while another command uses it.
    pub(crate) fn look(&self, name: &str) -> Result<OpenHost, HostsError> {
        Ok(self.read(name, WhileBusy::GiveUp)?.0)
    }

    /// A host, and when it was saved.
    fn read(&self, name: &str, busy: WhileBusy) -> Result<(OpenHost, u64), HostsError> {
        let (folder, lock) = self.existing(name, busy)?;
        let path = folder.join("world");
        let bytes = fs::read(&path).map_err(|source| io_error(&path, "read", source))?;
        let (head, snapshot) = parse(&path, &bytes)?;
        let blobs = Arc::new(DiskBlobs::new(&folder));
        let sim =
            Sim::load(snapshot, Arc::clone(&blobs) as Arc<dyn BlobStore>).map_err(|source| {
                HostsError::World {
                    path: path.clone(),
                    source,
                }
            })?;
        let is_missing = |id: &BlobId| !blobs.path(*id).is_file();
        if let Some(missing) = sim.blobs_in_use().iter().find(|id| is_missing(id)) {
            return Err(HostsError::Damaged {
                path: blobs.path(*missing),
                what: "it is missing",
            });
        }
        let host = OpenHost {
            sim,
            folder,
            blobs,
            _lock: lock,
        };
        Ok((host, head.saved_unix_seconds))
    }

    /// Removes a host and everything on it.
    pub(crate) fn remove(&self, name: &str) -> Result<(), HostsError> {
        let (folder, lock) = self.existing(name, WhileBusy::Wait)?;
        // The world goes first: from then on the host is no longer listed, whatever happens.
        let world = folder.join("world");
        fs::remove_file(&world).map_err(|source| io_error(&world, "removed", source))?;
        let removed = fs::remove_dir_all(&folder);
        // Whoever waits for this lock is told that it belongs to nothing any more.
        lock.set_len(1)
            .map_err(|source| io_error(&folder, "removed", source))?;
        drop(lock);
        let removed = match removed {
            // Some Windows file systems keep the name of an open file until it is closed: so far the lock kept the folder.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                fs::remove_dir(&folder)
            }
            other => other,
        };
        removed.map_err(|source| io_error(&folder, "removed", source))
    }

    /// The folder of a host that is there, locked.
    fn existing(&self, name: &str, busy: WhileBusy) -> Result<(PathBuf, File), HostsError> {
        let folder = self.root.join(name);
        let is_there = || is_valid_name(name) && folder.join("world").is_file();
        while is_there() {
            if let Some(lock) = lock(&folder, name, busy)?
                && is_there()
            {
                return Ok((folder, lock));
            }
        }
        Err(HostsError::NotFound {
            name: name.to_owned(),
            existing: self.names()?,
        })
    }
}

impl OpenHost {
    /// The folder that it is kept in.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Saves the world: the old one stays whole until the new one is.
    ///
    /// Nothing is saved if the command came upon a damaged blob: what it did may follow from the damage.
    pub(crate) fn save(&self) -> Result<(), HostsError> {
        if let Some(path) = self.blobs.damaged() {
            return Err(HostsError::Damaged {
                path: path.to_path_buf(),
                what: "its contents have changed since wcow wrote it",
            });
        }
        let snapshot = self.sim.save()?;
        let head = Head {
            wcow_host: FORMAT,
            saved_unix_seconds: unix_seconds(),
            sha256: BlobId::of(&snapshot),
        };
        let mut bytes = serde_json::to_vec(&head).unwrap_or_default();
        bytes.push(b'\n');
        bytes.extend_from_slice(&snapshot);
        let path = self.folder.join("world");
        replace(&path, &bytes).map_err(|source| io_error(&path, "saved", source))?;
        self.blobs
            .keep_only(&self.sim.blobs_in_use())
            .map_err(|source| io_error(self.blobs.folder(), "tidied", source))
    }
}

/// Writes a file beside `path`, syncs it, and renames it over `path`.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = File::create(&fresh)?;
    file.write_all(bytes)?;
    put_in_place(file, &fresh, path)
}

/// The head and the snapshot in a world file.
fn parse<'b>(path: &Path, bytes: &'b [u8]) -> Result<(Head, &'b [u8]), HostsError> {
    let damaged = |what| HostsError::Damaged {
        path: path.to_path_buf(),
        what,
    };
    let no_head = "its first line is not what wcow writes";
    let end = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .ok_or_else(|| damaged(no_head))?;
    let (head, rest) = bytes.split_at(end);
    let form: FormOnly = serde_json::from_slice(head).map_err(|_| damaged(no_head))?;
    if form.wcow_host != FORMAT {
        return Err(HostsError::OtherFormat {
            path: path.to_path_buf(),
            found: form.wcow_host,
        });
    }
    let head: Head = serde_json::from_slice(head).map_err(|_| damaged(no_head))?;
    let snapshot = rest.get(1..).unwrap_or_default();
    if BlobId::of(snapshot) != head.sha256 {
        return Err(damaged("its contents have changed since wcow wrote it"));
    }
    Ok((head, snapshot))
}

/// Locks a host; `None` if it was removed while this waited.
fn lock(folder: &Path, name: &str, busy: WhileBusy) -> Result<Option<File>, HostsError> {
    let path = folder.join("lock");
    let failed = |source| io_error(&path, "locked", source);
    let opened = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) if busy == WhileBusy::GiveUp => {
            return Err(HostsError::Busy(name.to_owned()));
        }
        Err(TryLockError::WouldBlock) => {
            note(&format!(
                "waiting for another wcow command to finish with the simulated host {name:?}"
            ));
            file.lock().map_err(failed)?;
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let was_removed = file.metadata().map_err(failed)?.len() > 0;
    Ok((!was_removed).then_some(file))
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
        && !is_device(name)
}

/// True for the names that Windows keeps for devices, in any folder.
fn is_device(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let numbered = |prefix: &str| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| rest.len() == 1 && rest.chars().all(|digit| digit.is_ascii_digit()))
    };
    matches!(name.as_str(), "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

fn there_are(existing: &[String]) -> String {
    if existing.is_empty() {
        "there is none yet".to_owned()
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
fn elapsed_seconds(saved: u64) -> Result<u64, HostsError> {
    match std::env::var_os("WCOW_ELAPSED").filter(|value| !value.is_empty()) {
        None => Ok(unix_seconds().saturating_sub(saved)),
        Some(value) => {
            let text = value.to_string_lossy();
            text.parse()
                .map_err(|_| HostsError::BadElapsed(text.into_owned()))
        }
    }
}
