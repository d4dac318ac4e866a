//! The journal: what happened to containers, networks and images, for people who ask later.
//!
//! Each event is a small file in `C:\ProgramData\wcow\events`, written when the thing is done. The newest 256 are kept, and those
//! that came since somebody last looked how many there are, which one event in sixteen does. The journal is no record: what is written
//! there is not made durable, a failure to write it is no failure of the command, and a power loss may take events or leave torn ones,
//! which are passed over. On a full disk it gives way to the records.

use std::fmt::{self, Write as _};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use wcow_host::{Clock, FileKind, FileSystem, Host, WriteMode};
use wcow_ntmeta::{FileTime, HostPath};

use crate::containers::ContainerRecord;
use crate::{Engine, EngineError, Kind, json};

/// How many events are kept.
const KEPT: usize = 256;
/// Neither the name of an event's file nor what is in it is usually longer, in bytes.
const USUAL_LEN: usize = 160;
/// A file that is longer is no event, in bytes.
const LONGEST: u64 = 64 << 10;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: FileTime,
    /// To what kind of thing.
    pub kind: EventKind,
    /// Its name.
    pub name: String,
    /// What.
    #[serde(flatten)]
    pub action: Action,
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// A container.
    Container,
    /// A network.
    Network,
    /// An image.
    Image,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "action")]
pub enum Action {
    /// It was created or installed.
    Created,
    /// It was started.
    Started,
    /// Its main process ended.
    Died {
        /// The exit code, if it is known.
        code: Option<u32>,
    },
    /// Somebody stopped it.
    Stopped,
    /// Somebody ended it.
    Killed,
    /// Somebody froze it.
    Paused,
    /// Somebody let it go on.
    Resumed,
    /// Somebody removed it.
    Removed,
}

impl Action {
    const fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Started => "started",
            Self::Died { .. } => "died",
            Self::Stopped => "stopped",
            Self::Killed => "killed",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Removed => "removed",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        match self {
            Self::Died { code: Some(code) } => write!(f, ", exit code {code}"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Container => "container",
            Self::Network => "network",
            Self::Image => "image",
        })
    }
}

impl<H: Host> Engine<H> {
    /// What happened since then, the oldest first: what the journal still has of it.
    ///
    /// # Errors
    /// [`EngineError::Host`]: the journal cannot be read.
    pub async fn events(&self, since: FileTime) -> Result<Vec<Event>, EngineError> {
        let files = self.host.files();
        let mut events = Vec::new();
        for name in self.event_files().await? {
            match files.read(&folder().join(&name), LONGEST).await {
                // One that is gone, too long or torn tells nothing.
                Err(error)
                    if error.is_win32(0x2) || error.is_win32(0x3) || error.is_win32(0xDF) => {}
                Err(error) => return Err(EngineError::host("read the journal", error)),
                Ok(bytes) => {
                    let event = serde_json::from_slice::<Event>(&bytes).ok();
                    events.extend(event.filter(|event| event.at >= since));
                }
            }
        }
        events.sort_by_key(|event| event.at);
        Ok(events)
    }

    /// Notes what happened to a container.
    pub(crate) async fn tell(&self, record: &ContainerRecord, action: Action) {
        self.tell_of(Kind::Container, &record.name, action).await;
    }

    /// Notes what happened.
    pub(crate) async fn tell_of(&self, kind: Kind, name: &str, action: Action) {
        let event = Event {
            at: self.host.clock().now(),
            kind: match kind {
                Kind::Container => EventKind::Container,
                Kind::Network => EventKind::Network,
                Kind::Image => EventKind::Image,
            },
            name: name.to_owned(),
            action,
        };
        // What was done is done: nobody hears that the journal does not know of it.
        let _ = self.keep_event(&event).await;
    }

    async fn keep_event(&self, event: &Event) -> Result<(), EngineError> {
        let failed = |error| EngineError::host("write the journal", error);
        let files = self.host.files();
        let Ok(bytes) = json::to_vec(event, USUAL_LEN) else {
            return Ok(());
        };
        let ticks = event.at.ticks();
        let plain = |character: &char| {
            character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '-')
        };
        let mut file = String::with_capacity(USUAL_LEN);
        let _ = write!(file, "{ticks:020}-{}-", event.kind);
        file.extend(event.name.chars().filter(plain).take(64));
        file.extend(["-", event.action.word(), ".json"]);
        let file = folder().join(&file);
        match files.write(&file, &bytes, WriteMode::Overwrite).await {
            Err(error) if error.is_win32(0x2) || error.is_win32(0x3) => {
                files.create_dir_all(folder()).await.map_err(failed)?;
                let again = files.write(&file, &bytes, WriteMode::Overwrite).await;
                again.map_err(failed)?;
            }
            answer => answer.map_err(failed)?,
        }
        // Microseconds, because the last digit of a clock may always be the same.
        if (ticks / 10).is_multiple_of(16) {
            let names = self.event_files().await?;
            let too_many = names.len().saturating_sub(KEPT);
            for name in names.into_iter().take(too_many) {
                // Somebody else may have removed it.
                let _ = files.remove_file(&folder().join(&name)).await;
            }
        }
        Ok(())
    }

    /// Removes the whole journal, to make room on a disk that is full: records matter more. False if there was nothing to remove.
    pub(crate) async fn give_up_journal(&self) -> bool {
        let mut any = false;
        for name in self.event_files().await.unwrap_or_default() {
            let removed = self.host.files().remove_file(&folder().join(&name)).await;
            any |= removed.is_ok();
        }
        any
    }

    /// The names of the files, the oldest event first.
    async fn event_files(&self) -> Result<Vec<String>, EngineError> {
        let entries = match self.host.files().list(folder()).await {
            // The first event makes the folder.
            Err(error) if error.is_win32(0x2) || error.is_win32(0x3) => return Ok(Vec::new()),
            answer => answer.map_err(|error| EngineError::host("read the journal", error))?,
        };
        let files = entries
            .into_iter()
            .filter(|entry| entry.metadata.kind == FileKind::File);
        let names = files.map(|entry| entry.name.to_string());
        Ok(names.filter(|name| name.ends_with(".json")).collect())
    }
}

fn folder() -> &'static HostPath {
    static FOLDER: LazyLock<HostPath> =
        LazyLock::new(|| HostPath::root("C:").join(r"ProgramData\wcow\events"));
    &FOLDER
}
