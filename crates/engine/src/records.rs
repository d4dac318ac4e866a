//! Records of the engine, as JSON files on the host, each replaced atomically.
//!
//! A record is written as `<name of the object>.new` and renamed to its own name. Who writes it holds the object's lock, so a
//! `.new` of an object that nobody has locked was left by a program that was killed; whoever comes upon it removes it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use serde::Serialize;
use serde::de::DeserializeOwned;
use wcow_host::{Clock, FileKind, FileSystem, Host, HostError, WriteMode};
use wcow_ntmeta::{FileTime, Guid, HostPath, WideName};

use crate::known::{Kept, Known};
use crate::{Engine, EngineError, Kind, json, precautions};

/// A record larger than this is not one of ours.
const MAX_LEN: u64 = 1 << 20;
/// The form of the records that this version writes.
const FORMAT: u32 = 1;
/// How the name of a record ends.
const RECORD: &str = ".json";
/// How the name of a record ends that is not in its place yet.
const FRESH: &str = ".new";

/// A folder of records.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Folder {
    Containers,
    Networks,
}

impl Folder {
    pub(crate) fn path(self) -> &'static HostPath {
        static CONTAINERS: LazyLock<HostPath> = LazyLock::new(|| records().join("containers"));
        static NETWORKS: LazyLock<HostPath> = LazyLock::new(|| records().join("networks"));
        match self {
            Self::Containers => &CONTAINERS,
            Self::Networks => &NETWORKS,
        }
    }

    /// Where the record of the object `name` is written before it replaces the one that is there.
    fn fresh(self, name: &str) -> HostPath {
        self.path().join(&[name, FRESH].concat())
    }

    /// What the records are of.
    fn kind(self) -> Kind {
        match self {
            Self::Containers => Kind::Container,
            Self::Networks => Kind::Network,
        }
    }
}

/// Where the record of an object is, and where it is written before it is put there.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    folder: Folder,
    record: HostPath,
    fresh: HostPath,
}

impl Files {
    /// Those of the record `id` of the object `name`.
    pub(crate) fn new(folder: Folder, id: &str, name: &str) -> Self {
        Self {
            folder,
            record: folder.path().join(&[id, RECORD].concat()),
            fresh: folder.fresh(name),
        }
    }
}

/// Something for each folder of records.
#[derive(Debug, Default)]
pub(crate) struct EachFolder<T> {
    containers: T,
    networks: T,
}

/// Which folders of records have durable names, as far as this engine knows. That a folder is there proves nothing: whoever made it
/// may have died before its name was synced.
pub(crate) type DurableFolders = EachFolder<AtomicBool>;

/// The records that this engine has read.
pub(crate) type KnownRecords = EachFolder<Known>;

impl<T> EachFolder<T> {
    fn of(&self, folder: Folder) -> &T {
        match folder {
            Folder::Containers => &self.containers,
            Folder::Networks => &self.networks,
        }
    }
}

/// The folder of everything that the engine keeps.
pub(crate) fn records() -> HostPath {
    HostPath::root("C:").join(r"ProgramData\wcow\records")
}

/// What can be kept in a file.
pub(crate) trait Record: DeserializeOwned + Clone + Send + Sync + 'static {}

impl<T: DeserializeOwned + Clone + Send + Sync + 'static> Record for T {}

/// Few records are longer, in bytes.
const USUAL_LEN: usize = 1024;

/// A record as it is in its file.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Versioned<T> {
    format: u32,
    pub(crate) record: T,
}

impl<T> Versioned<T> {
    pub(crate) fn new(record: T) -> Self {
        Self {
            format: FORMAT,
            record,
        }
    }
}

#[derive(serde::Deserialize)]
struct FormatOnly {
    format: u32,
}

impl<H: Host> Engine<H> {
    /// All records of a folder, by file name. Those are read that were not read before, or may have changed since.
    pub(crate) async fn read_records<T: Record>(
        &self,
        folder: Folder,
    ) -> Result<Vec<Kept<T>>, EngineError> {
        let path = folder.path();
        let listed = self.host.clock().now();
        let entries = match self.host.files().list(path).await {
            // The first record makes the folder.
            Err(error) if is_not_found(&error) => return Ok(Vec::new()),
            answer => answer
                .map_err(|error| EngineError::host(format!("read the records in {path}"), error))?,
        };
        let known = self.known.of(folder);
        let mut records = Vec::with_capacity(entries.len());
        for entry in &entries {
            if entry.metadata.kind != FileKind::File {
                continue;
            }
            if let Some(record) = known.find(&entry.name, &entry.metadata) {
                records.push(record);
                continue;
            }
            if ends_with(&entry.name, RECORD) {
                let mut file = path.clone();
                if file.push(entry.name.units()).is_ok()
                    && let Some(record) = self.read_file(&file).await?
                {
                    known.keep(&entry.name, &entry.metadata, listed, &record);
                    records.push(record);
                }
            } else if ends_with(&entry.name, FRESH)
                && let Some(name) = entry.name.to_utf8()
                && let Some(object) = name.strip_suffix(FRESH)
            {
                self.clear_fresh(folder, object).await?;
            }
        }
        known.trim(records.len(), &entries);
        Ok(records)
    }

    /// All records of a folder as they are, and what is wrong with those that cannot be read. Nothing is cleared up.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub(crate) async fn peek_records<T: Record>(
        &self,
        folder: Folder,
    ) -> Result<(Vec<T>, Vec<EngineError>), HostError> {
        let path = folder.path();
        let entries = match self.host.files().list(path).await {
            Err(error) if is_not_found(&error) => Vec::new(),
            answer => answer?,
        };
        let (mut records, mut bad) = (Vec::with_capacity(entries.len()), Vec::new());
        for entry in entries {
            let name = entry.name.to_string();
            if entry.metadata.kind == FileKind::File && name.ends_with(RECORD) {
                match self.read_file(&path.join(&name)).await {
                    Ok(record) => records.extend(record.map(Kept::into_inner)),
                    Err(error) => bad.push(error),
                }
            }
        }
        Ok((records, bad))
    }

    /// Reads one record; `None` if there is none.
    pub(crate) async fn read_record<T: Record>(
        &self,
        files: &Files,
    ) -> Result<Option<T>, EngineError> {
        let read = self.read_file(&files.record).await?;
        Ok(read.map(Kept::into_inner))
    }

    /// Writes the record of an object that the caller has locked: to a file beside it first, then over it. Gives its bytes.
    pub(crate) async fn write_record<T: Serialize>(
        &self,
        files: &Files,
        record: &T,
    ) -> Result<Vec<u8>, EngineError> {
        let path = &files.record;
        let bytes = json::to_vec(&Versioned::new(record), USUAL_LEN).map_err(|error| {
            EngineError::Record {
                path: path.to_string(),
                reason: error.to_string(),
            }
        })?;
        let mut answer = self.replace_record(files, &bytes).await;
        if answer.as_ref().is_err_and(|error| error.is_win32(0x70)) && self.give_up_journal().await
        {
            answer = self.replace_record(files, &bytes).await;
        }
        if answer.is_err() {
            // It may not be there; the failure before this one is the one that counts.
            let _ = self.host.files().remove_file(&files.fresh).await;
        }
        answer.map_err(|error| EngineError::host(format!("write the record {path}"), error))?;
        Ok(bytes)
    }

    /// Keeps a record for whoever reads it next: it was written as `bytes`, and is as it was then.
    pub(crate) fn keep_written<T: Record + Serialize>(&self, bytes: Vec<u8>, record: T) {
        debug_assert!(
            reads_as(&bytes, &record),
            "the bytes are those of the record"
        );
        self.written.keep(bytes, Versioned::new(record));
    }

    async fn replace_record(
        &self,
        Files {
            folder,
            record,
            fresh,
        }: &Files,
        bytes: &[u8],
    ) -> Result<(), HostError> {
        let files = self.host.files();
        let durable = self.durable.of(*folder);
        match files.write(fresh, bytes, WriteMode::Overwrite).await {
            Err(error) if is_not_found(&error) => {
                durable.store(false, Ordering::Relaxed);
                files.create_dir_all(folder.path()).await?;
                files.write(fresh, bytes, WriteMode::Overwrite).await?;
            }
            answer => answer?,
        }
        if !durable.load(Ordering::Relaxed) {
            files
                .sync_ancestors(folder.path(), precautions::SYNC_RECORD_FOLDERS)
                .await?;
            durable.store(true, Ordering::Relaxed);
        }
        files.sync_file(fresh, precautions::SYNC_RECORD).await?;
        files.replace(fresh, record).await?;
        files
            .sync_dir(folder.path(), precautions::SYNC_RECORD_NAME)
            .await
    }

    /// Removes a record of an object that the caller has locked.
    pub(crate) async fn remove_record(
        &self,
        Files {
            folder,
            record: path,
            ..
        }: &Files,
    ) -> Result<(), EngineError> {
        let files = self.host.files();
        let removed = async {
            files.remove_file(path).await?;
            files
                .sync_dir(folder.path(), precautions::SYNC_RECORD_REMOVAL)
                .await
        };
        removed
            .await
            .map_err(|error| EngineError::host(format!("remove the record {path}"), error))
    }

    async fn read_file<T: Record>(&self, path: &HostPath) -> Result<Option<Kept<T>>, EngineError> {
        match self.host.files().read(path, MAX_LEN).await {
            // Removed since the folder was listed.
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(EngineError::host(format!("read the record {path}"), error)),
            Ok(bytes) => {
                let read: Arc<Versioned<T>> = match self.written.find(&bytes) {
                    Some(written) => written,
                    None => bytes.read_as(|bytes| parse(path, bytes))?,
                };
                Ok(Some(read.into()))
            }
        }
    }

    /// Removes what a program left that was killed while it wrote a record; one that still writes has the object locked.
    async fn clear_fresh(&self, folder: Folder, object: &str) -> Result<(), EngineError> {
        if self.host.ignores(precautions::RECOVER_RECORD) {
            return Ok(());
        }
        if let Some(held) = self.try_lock(folder.kind(), object).await? {
            // It may have been put in its place by now. If it cannot be removed, the next one to write the record replaces it.
            let _ = self.host.files().remove_file(&folder.fresh(object)).await;
            self.unlock(held).await;
        }
        Ok(())
    }
}

/// How long a call may still be on its way to take effect after the program that made it has ended, in ticks of 100 ns of the
/// host's clock: a minute.
const IN_FLIGHT: u64 = 60 * 10_000_000;

/// When something was begun, and during which start of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Began {
    pub(crate) at: FileTime,
    pub(crate) boot: Guid,
}

impl<H: Host> Engine<H> {
    /// Whether what was begun then by a program that has ended may still take effect: services go on with what they were asked
    /// for, unless the host was started anew since. To take it back now could be too early.
    pub(crate) async fn is_in_flight(
        &self,
        began: FileTime,
        boot: Guid,
    ) -> Result<bool, EngineError> {
        if self.host.ignores(precautions::RECOVER_LATER) {
            return Ok(false);
        }
        let now = self.host.clock().now().ticks();
        let recent = now
            .checked_sub(began.ticks())
            .is_some_and(|since| since < IN_FLIGHT);
        Ok(recent && self.info().await?.boot_id == boot)
    }

    /// Refuses to touch what may still be on its way.
    pub(crate) async fn check_in_flight(
        &self,
        kind: Kind,
        name: &str,
        began: FileTime,
        boot: Guid,
    ) -> Result<(), EngineError> {
        if self.is_in_flight(began, boot).await? {
            return Err(EngineError::Busy {
                kind,
                name: name.to_owned(),
            });
        }
        Ok(())
    }
}

/// Whether a name ends with this, which is ASCII, and is text: another is none of ours.
fn ends_with(name: &WideName, ending: &str) -> bool {
    let units = name.units();
    let end = units.get(units.len().saturating_sub(ending.len())..);
    let end = end.unwrap_or_default().iter().copied();
    end.eq(ending.bytes().map(u16::from))
        && (units.iter().all(|unit| *unit < 0x80) || name.to_utf8().is_some())
}

fn is_not_found(error: &HostError) -> bool {
    error.is_win32(0x2) || error.is_win32(0x3)
}

/// Whether these bytes are those of a record, and are read as the same again.
fn reads_as<T: Record + Serialize>(bytes: &[u8], record: &T) -> bool {
    let is_written = |record: &T| {
        json::to_vec(&Versioned::new(record), USUAL_LEN).is_ok_and(|written| written == bytes)
    };
    let read = serde_json::from_slice::<Versioned<T>>(bytes);
    is_written(record) && read.is_ok_and(|read| is_written(&read.record))
}

fn parse<T: Record>(path: &HostPath, bytes: &[u8]) -> Result<Versioned<T>, EngineError> {
    let text = std::str::from_utf8(bytes).map_err(|error| EngineError::Record {
        path: path.to_string(),
        reason: error.to_string(),
    })?;
    let damage_or_format = match serde_json::from_str::<Versioned<T>>(text) {
        Ok(versioned) if versioned.format == FORMAT => return Ok(versioned),
        Ok(versioned) => Err(versioned.format),
        // A newer format may have other fields: it is told apart from damage by its number alone.
        Err(error) => match serde_json::from_str::<FormatOnly>(text) {
            Ok(head) if head.format != FORMAT => Err(head.format),
            _ => Ok(error),
        },
    };
    Err(EngineError::Record {
        path: path.to_string(),
        reason: match damage_or_format {
            Ok(damage) => damage.to_string(),
            Err(format) => {
                format!("it has format {format}, this version of wcow writes format {FORMAT}")
            }
        },
    })
}
