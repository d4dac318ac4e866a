//! Locks: one command at a time changes an object.
//!
//! A lock is a file in `C:\ProgramData\wcow\records\locks`, held open so that nobody else can open it. The host closes it when
//! the process that holds it ends, however it ends, so no lock outlives its holder. The file means nothing when nobody has it open.
//!
//! A command locks what it changes before it reads the record that it goes by, and holds the lock until it is done. Locks are
//! taken in the order container, image, network, NAT; a command that finds one taken waits for a while and then gives up, so no two
//! wait for each other for ever. Commands that only look take none: records are replaced atomically.

use std::future::Future;
use std::pin::Pin;
use std::sync::LazyLock;

use wcow_host::{Clock, FileLock, FileSystem, Host};
use wcow_ntmeta::{FileTime, HostPath};

use crate::records::records;
use crate::{Engine, EngineError, Kind};

/// How long a command waits for another, in ticks of 100 ns of the host's clock: 5 seconds.
const PATIENCE: u64 = 50_000_000;
/// How long a command waits that has begun and would leave something if it gave up, in the same ticks: 2 minutes.
pub(crate) const LONG_PATIENCE: u64 = 1_200_000_000;
/// The time between two looks, in the same ticks: 100 milliseconds.
const PAUSE: u64 = 1_000_000;
/// How much of a name is in the name of its lock, in characters. With kind and ending it fits into the 255 of a file name.
const MAX_NAME: usize = 230;

/// An object that is locked.
pub(crate) struct Held {
    lock: FileLock,
    file: HostPath,
}

impl<H: Host> Engine<H> {
    /// Does `work` while nobody else changes this object. It is pinned where it was made: such futures are large, and one that is
    /// handed on by value is copied and takes its room again at every step.
    pub(crate) async fn locked<T>(
        &self,
        object: (Kind, &str),
        work: Pin<&mut impl Future<Output = Result<T, EngineError>>>,
    ) -> Result<T, EngineError> {
        self.locked_with(object, None, work).await
    }

    /// The same with another object, which is locked after the first, and given back before it.
    pub(crate) async fn locked_with<T>(
        &self,
        first: (Kind, &str),
        second: Option<(Kind, &str)>,
        work: Pin<&mut impl Future<Output = Result<T, EngineError>>>,
    ) -> Result<T, EngineError> {
        let first = self.lock(first.0, first.1, PATIENCE).await?;
        let second = match second {
            Some((kind, name)) => self.lock(kind, name, PATIENCE).await.map(Some),
            None => Ok(None),
        };
        let done = match second {
            Ok(second) => {
                let done = work.await;
                if let Some(second) = second {
                    self.unlock(second).await;
                }
                done
            }
            Err(error) => Err(error),
        };
        self.unlock(first).await;
        done
    }

    /// Locks an object; `None` if somebody has it locked.
    pub(crate) async fn try_lock(
        &self,
        kind: Kind,
        name: &str,
    ) -> Result<Option<Held>, EngineError> {
        let files = self.host.files();
        let folder = folder();
        let file = folder.join(&file_name(kind, name));
        let locked = match files.lock(&file).await {
            Err(error) if error.is_win32(0x3) => {
                // The first lock on this host.
                async {
                    files.create_dir_all(folder).await?;
                    files.lock(&file).await
                }
                .await
            }
            answer => answer,
        };
        match locked {
            Ok(lock) => Ok(Some(Held { lock, file })),
            // Somebody has the file open.
            Err(error) if error.is_win32(0x20) => Ok(None),
            Err(error) => Err(EngineError::host(format!("lock {kind} {name:?}"), error)),
        }
    }

    /// Gives a lock back.
    pub(crate) async fn unlock(&self, held: Held) {
        let files = self.host.files();
        // A lock that is not held any more, as after a restart of the host, is given back.
        let _ = files.unlock(held.lock).await;
        // Nobody can delete the file of a lock that somebody else has taken by now.
        let _ = files.remove_file(&held.file).await;
    }

    /// Locks an object, after waiting for so many ticks of 100 ns at most.
    pub(crate) async fn lock(
        &self,
        kind: Kind,
        name: &str,
        patience: u64,
    ) -> Result<Held, EngineError> {
        let clock = self.host.clock();
        let later = |ticks: u64| FileTime::from_ticks(clock.now().ticks().saturating_add(ticks));
        let deadline = later(patience);
        loop {
            if let Some(held) = self.try_lock(kind, name).await? {
                return Ok(held);
            }
            if clock.now() >= deadline {
                return Err(EngineError::Busy {
                    kind,
                    name: name.to_owned(),
                });
            }
            clock.sleep_until(later(PAUSE)).await;
        }
    }
}

fn folder() -> &'static HostPath {
    static FOLDER: LazyLock<HostPath> = LazyLock::new(|| records().join("locks"));
    &FOLDER
}

/// A file name for any name, also one that no file can have. Two objects may share a lock; no object has two.
fn file_name(kind: Kind, name: &str) -> String {
    let plain = |character: char| match character {
        '_' | '.' | '-' | '=' | ' ' => character,
        _ if character.is_ascii_alphanumeric() => character,
        _ => '%',
    };
    let mut file = String::with_capacity(kind.word().len() + name.len() + "-.lock".len());
    file.push_str(kind.word());
    file.push('-');
    if name.len() <= MAX_NAME && name.chars().all(|character| plain(character) == character) {
        file.push_str(name);
    } else {
        file.extend(name.chars().take(MAX_NAME).map(plain));
    }
    file.push_str(".lock");
    file
}
