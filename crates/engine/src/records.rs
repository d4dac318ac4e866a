//! Records of the engine, as JSON files on the host, each replaced atomically.

use serde::Serialize;
use serde::de::DeserializeOwned;
use wcow_host::{FileKind, FileSystem, Host, HostError, WriteMode};
use wcow_ntmeta::HostPath;

use crate::{Engine, EngineError};

/// A record larger than this is not one of ours.
const MAX_LEN: u64 = 1 << 20;
/// The form of the records that this version writes.
const FORMAT: u32 = 1;

/// A folder of records.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Folder {
    Containers,
    Networks,
}

impl Folder {
    fn path(self) -> HostPath {
        HostPath::root("C:").join(match self {
            Self::Containers => r"ProgramData\wcow\records\containers",
            Self::Networks => r"ProgramData\wcow\records\networks",
        })
    }

    fn record(self, id: &str) -> HostPath {
        self.path().join(&format!("{id}.json"))
    }

    /// Where a record is written before it replaces the one that is there.
    fn fresh(self, id: &str) -> HostPath {
        self.path().join(&format!("{id}.json.new"))
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Versioned<T> {
    format: u32,
    record: T,
}

#[derive(serde::Deserialize)]
struct FormatOnly {
    format: u32,
}

impl<H: Host> Engine<H> {
    /// Reads all records of a folder, by file name.
    pub(crate) async fn read_records<T: DeserializeOwned>(
        &self,
        folder: Folder,
    ) -> Result<Vec<T>, EngineError> {
        let files = self.host.files();
        let path = folder.path();
        let failed = |error| EngineError::host(format!("read the records in {path}"), error);
        if files.metadata(&path).await.map_err(failed)?.is_none() {
            return Ok(Vec::new());
        }
        let mut records = Vec::new();
        for entry in files.list(&path).await.map_err(failed)? {
            let name = entry.name.to_string();
            if entry.metadata.kind != FileKind::File || !name.ends_with(".json") {
                continue;
            }
            let file = path.join(&name);
            let bytes = files.read(&file, MAX_LEN).await.map_err(failed)?;
            records.push(parse(&file, &bytes)?);
        }
        Ok(records)
    }

    /// Writes a record: to a file beside it first, then over it.
    pub(crate) async fn write_record<T: Serialize>(
        &self,
        folder: Folder,
        id: &str,
        record: &T,
    ) -> Result<(), EngineError> {
        let path = folder.record(id);
        let bytes = serde_json::to_vec_pretty(&Versioned {
            format: FORMAT,
            record,
        })
        .map_err(|error| EngineError::Record {
            path: path.to_string(),
            reason: error.to_string(),
        })?;
        self.replace_file(folder, id, &bytes)
            .await
            .map_err(|error| EngineError::host(format!("write the record {path}"), error))
    }

    /// Removes a record.
    pub(crate) async fn remove_record(&self, folder: Folder, id: &str) -> Result<(), EngineError> {
        let path = folder.record(id);
        let files = self.host.files();
        let fresh = folder.fresh(id);
        let removed = async {
            // Left by a program that was killed while it wrote.
            if files.metadata(&fresh).await?.is_some() {
                files.remove_file(&fresh).await?;
            }
            files.remove_file(&path).await?;
            files.sync_dir(&folder.path()).await
        };
        removed
            .await
            .map_err(|error| EngineError::host(format!("remove the record {path}"), error))
    }

    async fn replace_file(&self, folder: Folder, id: &str, bytes: &[u8]) -> Result<(), HostError> {
        let files = self.host.files();
        let fresh = folder.fresh(id);
        let replaced = async {
            files.create_dir_all(&folder.path()).await?;
            files.write(&fresh, bytes, WriteMode::Overwrite).await?;
            files.sync_file(&fresh).await?;
            files.replace(&fresh, &folder.record(id)).await?;
            files.sync_dir(&folder.path()).await
        };
        let answer = replaced.await;
        if answer.is_err() {
            // It may not be there; the failure before this one is the one that counts.
            let _ = files.remove_file(&fresh).await;
        }
        answer
    }
}

fn parse<T: DeserializeOwned>(path: &HostPath, bytes: &[u8]) -> Result<T, EngineError> {
    let damage_or_format = match serde_json::from_slice::<Versioned<T>>(bytes) {
        Ok(versioned) if versioned.format == FORMAT => return Ok(versioned.record),
        Ok(versioned) => Err(versioned.format),
        // A newer format may have other fields: it is told apart from damage by its number alone.
        Err(error) => match serde_json::from_slice::<FormatOnly>(bytes) {
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
