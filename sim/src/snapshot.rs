//! Saved hosts: a world as one versioned file.
//!
//! The first line names the format and its version; the rest is the world as JSON. The contents of files are not in it: they
//! stay in the blob store.

use std::sync::Arc;

use crate::blobs::BlobStore;
use crate::executor::Sim;
use crate::world::{TICKS_PER_SECOND, World};

const MAGIC: &str = "wcow-sim-world ";
/// Raised whenever a world of an earlier version cannot be read any more.
const VERSION: u32 = 4;
/// The longest time that passes for a host while nobody looks: 24 hours.
const LONGEST_PAUSE: u64 = 24 * 60 * 60 * TICKS_PER_SECOND;

/// Why a host could not be saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// Programs that a test supplied as code are no data.
    #[error("expected a host of data only, found programs that were supplied as code: {}", .programs.join(", "))]
    ProgramsRun {
        /// Their names.
        programs: Vec<String>,
    },
    /// The world could not be written as JSON.
    #[error("the simulated host could not be written as JSON")]
    Encode(#[source] serde_json::Error),
}

/// Why a saved host could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The bytes do not begin like a saved host.
    #[error("expected a saved simulated host beginning with {MAGIC:?}")]
    NotASavedHost,
    /// It was saved by another version.
    #[error("expected format version {VERSION} of a saved simulated host, found {found:?}")]
    Version {
        /// The version as it stands there.
        found: String,
    },
    /// It is cut off or changed.
    #[error("the saved simulated host is damaged")]
    Damaged(#[source] serde_json::Error),
}

impl Sim {
    /// The host as bytes, to be taken up again by [`load`](Self::load). Waiting futures are not part of it: their calls are
    /// performed and answered to nobody.
    ///
    /// # Errors
    /// The host knows a program that a test supplied as code.
    pub fn save(&self) -> Result<Vec<u8>, SaveError> {
        let inner = self.lock();
        let programs = inner.programs.names();
        if !programs.is_empty() {
            return Err(SaveError::ProgramsRun { programs });
        }
        let mut bytes = format!("{MAGIC}{VERSION}\n").into_bytes();
        serde_json::to_writer(&mut bytes, &inner.world).map_err(SaveError::Encode)?;
        Ok(bytes)
    }

    /// A host as it was saved, its clients as gone as if they had been killed, with the store that its contents are in.
    ///
    /// # Errors
    /// The bytes are no saved host, are from another version, or are damaged.
    pub fn load(bytes: &[u8], blobs: Arc<dyn BlobStore>) -> Result<Self, LoadError> {
        let rest = bytes
            .strip_prefix(MAGIC.as_bytes())
            .ok_or(LoadError::NotASavedHost)?;
        let end = rest
            .iter()
            .take(20)
            .position(|&byte| byte == b'\n')
            .ok_or(LoadError::NotASavedHost)?;
        let (version, json) = rest.split_at(end);
        let found = String::from_utf8_lossy(version).into_owned();
        if found != VERSION.to_string() {
            return Err(LoadError::Version { found });
        }
        let mut world: World = serde_json::from_slice(json).map_err(LoadError::Damaged)?;
        world.everybody_left();
        Ok(Self::from_world(world, blobs))
    }

    /// Lets the time pass that went by while the host was saved: at most 24 hours. The pause is part of the fingerprint.
    pub fn resume(&self, elapsed_ticks: u64) {
        let ticks = elapsed_ticks.min(LONGEST_PAUSE);
        self.lock().world.resume(ticks);
        self.advance(ticks);
    }
}
