//! Reads a metadata file, and checks all of it: what is in memory afterwards can be trusted to hang together.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use wcow_ntmeta::{FileTime, SecurityDescriptor};

use super::{EntryLine, INLINE, Line, SCHEMA, streams_path};
use crate::{Entry, EntryId, Extra, Stream, StreamKind, TaggedItem, Times};

/// The longest line that is read: far above a security descriptor of 1 MiB.
const MAX_LINE: u64 = 64 << 20;

/// A metadata file, read and checked, for [`DiskSource::with_metadata`](crate::disk::DiskSource::with_metadata).
///
/// All of it is held in memory, except for streams longer than 4096 bytes.
#[derive(Debug)]
pub struct Metadata {
    pub(in crate::disk) entries: Vec<Known>,
    /// The file with the longer streams.
    pub(in crate::disk) streams: Option<File>,
}

/// One entry. Its id and those it names are positions in the list.
#[derive(Debug)]
pub(in crate::disk) struct Known {
    pub(in crate::disk) entry: Entry,
    pub(in crate::disk) place: Place,
    /// The name on the disk; empty if it has none.
    pub(in crate::disk) written: String,
    pub(in crate::disk) times_unset: bool,
    pub(in crate::disk) bytes: BTreeMap<usize, Bytes>,
}

/// Where an entry is.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::disk) enum Place {
    Disk,
    /// On the disk as a link that says this.
    Link(String),
    Aside,
    Lost,
}

/// Where the bytes of a stream are.
#[derive(Clone, Debug)]
pub(in crate::disk) enum Bytes {
    Here(Arc<[u8]>),
    /// In the other file, from this offset on.
    There(u64),
}

/// Why a metadata file cannot be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// The system refuses.
    #[error("metadata file {}: it cannot be opened", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("metadata file {}: line {line}: {what}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What was expected, and what was found.
        what: String,
    },
}

impl Metadata {
    /// Reads and checks a metadata file.
    ///
    /// # Errors
    /// It cannot be read, is not of this format and version, is cut off, or contradicts itself; or its `.streams` file is
    /// missing or has another length than it says.
    pub fn read(path: &Path) -> Result<Self, MetadataError> {
        let failed = |path: &Path, source| MetadataError::Io {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(|source| failed(path, source))?;
        let mut lines = BufReader::with_capacity(1 << 16, file);
        let mut reader = Reader::default();
        let mut number: u64 = 0;
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            let got = lines.by_ref().take(MAX_LINE);
            let got = { got }
                .read_until(b'\n', &mut buffer)
                .map_err(|source| failed(path, source))?;
            number = number.saturating_add(1);
            let done = if got == 0 {
                reader.end()
            } else {
                reader.take(&buffer).map(|()| false)
            };
            let wrong = |what| MetadataError::Line {
                path: path.to_owned(),
                line: number,
                what,
            };
            if done.map_err(wrong)? {
                break;
            }
        }
        let stored = reader.ended.map_or(0, |(_, stored)| stored);
        let streams = if stored == 0 {
            None
        } else {
            let path = streams_path(path);
            let opened = File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
            let (len, file) = opened.map_err(|source| failed(&path, source))?;
            if len != stored {
                let what = format!("expected a file of {stored} bytes, found {len}");
                let source = io::Error::new(ErrorKind::InvalidData, what);
                return Err(failed(&path, source));
            }
            Some(file)
        };
        Ok(Self {
            entries: reader.entries,
            streams,
        })
    }
}

#[derive(Default)]
struct Reader {
    begun: bool,
    ended: Option<(u64, u64)>,
    entries: Vec<Known>,
    ids: HashMap<u32, usize>,
    securities: HashMap<u32, SecurityDescriptor>,
    /// The furthest end of a stored stream.
    reach: u64,
}

impl Reader {
    fn take(&mut self, line: &[u8]) -> Result<(), String> {
        let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        if self.ended.is_some() {
            return Err("expected nothing after the line `end`, found another".to_owned());
        }
        match (self.begun, line) {
            (false, Line::Schema(schema)) if schema == SCHEMA => self.begun = true,
            (false, Line::Schema(schema)) => {
                return Err(format!("expected the schema {SCHEMA}, found {schema}"));
            }
            (false, _) | (true, Line::Schema(_)) => {
                return Err("expected the schema in the first line, and only there".to_owned());
            }
            (true, Line::Security { id, descriptor }) => {
                if self.securities.insert(id, descriptor).is_some() {
                    return Err(format!("security descriptor {id} is there already"));
                }
            }
            (true, Line::Entry(entry)) => self.entry(*entry)?,
            (true, Line::Named { id, name }) => {
                if !is_plain(&name) {
                    return Err(format!(
                        "expected a name that a disk can hold, found {name:?}"
                    ));
                }
                self.known(id)?.written = name;
            }
            (true, Line::Link { id, target }) => self.known(id)?.place = Place::Link(target),
            (true, Line::Aside(id)) => self.known(id)?.place = Place::Aside,
            (true, Line::Lost(id)) => self.known(id)?.place = Place::Lost,
            (true, Line::TimesUnset(id)) => self.known(id)?.times_unset = true,
            (true, Line::Bytes { id, stream, data }) => {
                let len = self.stream_len(id, stream)?;
                if u64::try_from(data.len()) != Ok(len) || len > INLINE {
                    return Err(format!(
                        "expected a stream of {len} bytes, at most {INLINE}, found {}",
                        data.len()
                    ));
                }
                let bytes = Bytes::Here(data.into());
                self.known(id)?.bytes.insert(stream, bytes);
            }
            (true, Line::Stored { id, stream, offset }) => {
                let len = self.stream_len(id, stream)?;
                let end = offset.checked_add(len);
                let end = end.ok_or("expected a stream that ends before 2^64")?;
                self.reach = self.reach.max(end);
                self.known(id)?.bytes.insert(stream, Bytes::There(offset));
            }
            (true, Line::End { entries, stored }) => self.ended = Some((entries, stored)),
        }
        Ok(())
    }

    fn entry(&mut self, line: EntryLine) -> Result<(), String> {
        let position = self.entries.len();
        let at = u32::try_from(position).map_err(|_| "more than 2^32 entries")?;
        let parent = match (line.parent, position) {
            (None, 0) => None,
            (Some(parent), 1..) => Some(self.id(parent)?),
            _ => return Err("expected a parent for every entry but the first".to_owned()),
        };
        if let Some(parent) = parent
            && !self.is_directory(parent)
        {
            return Err("expected a directory as parent, found a file".to_owned());
        }
        if parent.is_none() && !line.attributes.is_directory() {
            return Err("expected a directory as the first entry, found a file".to_owned());
        }
        let link_to = line.link_to.map(|first| self.id(first)).transpose()?;
        if let Some(first) = link_to
            && (self.is_directory(first) || line.attributes.is_directory())
        {
            return Err("expected a file with a further name, found a directory".to_owned());
        }
        let security = line.security.map(|id| {
            let found = self.securities.get(&id).cloned();
            found.ok_or_else(|| format!("expected a security descriptor {id} before, found none"))
        });
        let [created, accessed, written] = line.times.map(FileTime::from_ticks);
        let streams = line.streams.into_iter().map(|stream| Stream {
            name: stream.name,
            kind: if stream.encrypted {
                StreamKind::EncryptedRaw
            } else {
                StreamKind::Data
            },
            len: stream.len,
            digest: None,
        });
        let unknown = line.unknown.into_iter().map(|item| TaggedItem {
            tag: item.tag,
            data: item.data,
        });
        let entry = Entry {
            id: EntryId(at),
            parent,
            name: line.name,
            short_name: line.short_name,
            attributes: line.attributes,
            times: Times {
                created,
                accessed,
                written,
            },
            security: security.transpose()?,
            reparse: line.reparse,
            link_to,
            streams: streams.collect(),
            extra: Extra {
                object_id: line.object_id,
                extended_attributes: line.extended_attributes,
                unknown: unknown.collect(),
                reserved: line.reserved,
                target_not_fixed: line.target_not_fixed,
            },
        };
        let written = entry.name.to_utf8().filter(|name| is_plain(name));
        if self.ids.insert(line.id, position).is_some() {
            return Err(format!("entry {} is there already", line.id));
        }
        self.entries.push(Known {
            entry,
            place: Place::Disk,
            written: written.unwrap_or_default(),
            times_unset: false,
            bytes: BTreeMap::new(),
        });
        Ok(())
    }

    fn end(&self) -> Result<bool, String> {
        let Some((entries, stored)) = self.ended else {
            return Err("expected the line `end`, found the end of the file".to_owned());
        };
        if u64::try_from(self.entries.len()) != Ok(entries) || entries == 0 {
            return Err(format!(
                "expected {entries} entries, at least one, found {}",
                self.entries.len()
            ));
        }
        if self.reach > stored {
            return Err(format!(
                "expected streams in {stored} bytes, found one up to {}",
                self.reach
            ));
        }
        let nameless = self.entries.iter().skip(1).find(|known| {
            known.written.is_empty() && matches!(known.place, Place::Disk | Place::Link(_))
        });
        match nameless {
            Some(known) => Err(format!(
                "expected a name on the disk for {:?}, found none",
                known.entry.name
            )),
            None => Ok(true),
        }
    }

    fn known(&mut self, id: u32) -> Result<&mut Known, String> {
        let at = self.ids.get(&id);
        at.and_then(|at| self.entries.get_mut(*at))
            .ok_or_else(|| format!("expected an entry {id} before, found none"))
    }

    fn id(&mut self, id: u32) -> Result<EntryId, String> {
        Ok(self.known(id)?.entry.id)
    }

    fn is_directory(&self, id: EntryId) -> bool {
        let at = usize::try_from(id.0).ok();
        at.and_then(|at| self.entries.get(at))
            .is_some_and(|known| known.entry.is_directory())
    }

    fn stream_len(&mut self, id: u32, stream: usize) -> Result<u64, String> {
        let entry = &self.known(id)?.entry;
        let found = entry.streams.get(stream).map(|stream| stream.len);
        found.ok_or_else(|| format!("expected a stream {stream} of entry {id}, found none"))
    }
}

/// Whether a name is one component of a path, whatever the system.
fn is_plain(name: &str) -> bool {
    let separates = |character| matches!(character, '/' | '\\' | '\0');
    let drive = cfg!(windows) && name.contains(':');
    !(matches!(name, "" | "." | "..") || name.contains(separates) || drive)
}
