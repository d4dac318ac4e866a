//! Writes a metadata file, line by line as the tree comes.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use wcow_ntmeta::SecurityDescriptor;

use super::{EntryLine, INLINE, Line, MetadataError, SCHEMA, StreamLine, TaggedLine};
use super::{streams_path, with_suffix};
use crate::disk::Existing;
use crate::disk::handles::Slot;
use crate::{Entry, Extra, SinkError, StreamKind};

/// Writes a [metadata file](super::Metadata), for [`DiskSink::with_metadata`](crate::disk::DiskSink::with_metadata).
///
/// Memory: each different security descriptor once, and some 40 bytes for each stream until it comes.
#[derive(Debug)]
pub struct MetadataWriter {
    path: PathBuf,
    lines: Part,
    /// Made when the first long stream comes.
    streams: Option<Part>,
    stored: u64,
    entries: u64,
    securities: HashMap<SecurityDescriptor, u32>,
    /// Lengths of the streams that can still come, by entry and position.
    expected: HashMap<(Slot, usize), u64>,
    open: Option<OpenStream>,
    /// The first error. Nothing is written after it.
    error: Option<io::Error>,
}

#[derive(Debug)]
struct OpenStream {
    slot: Slot,
    index: usize,
    /// The bytes of a short stream.
    inline: Option<Vec<u8>>,
    len: u64,
}

impl MetadataWriter {
    /// Begins a metadata file that will have this path; nothing has it before the end. A second file beside it,
    /// `.streams` behind its name, takes long streams. By [`Existing::Refuse`] both names must be free.
    ///
    /// # Errors
    /// The file is there already, or cannot be written.
    pub fn create(path: &Path, existing: Existing) -> Result<Self, MetadataError> {
        let failed = |path: &Path, source| MetadataError::Io {
            path: path.to_owned(),
            source,
        };
        for path in [path, &streams_path(path)] {
            if existing == Existing::Refuse && path.symlink_metadata().is_ok() {
                return Err(failed(path, ErrorKind::AlreadyExists.into()));
            }
            if path.is_dir() {
                return Err(failed(path, ErrorKind::IsADirectory.into()));
            }
        }
        let lines = Part::create(path).map_err(|source| failed(path, source))?;
        let mut writer = Self {
            path: path.to_owned(),
            lines,
            streams: None,
            stored: 0,
            entries: 0,
            securities: HashMap::new(),
            expected: HashMap::new(),
            open: None,
            error: None,
        };
        writer.line(&Line::Schema(SCHEMA.to_owned()));
        Ok(writer)
    }

    fn line(&mut self, line: &Line) {
        self.attempt(|writer| {
            serde_json::to_writer(&mut writer.lines.file, line)?;
            writer.lines.file.write_all(b"\n")
        });
    }

    fn attempt(&mut self, work: impl FnOnce(&mut Self) -> io::Result<()>) {
        if self.error.is_none() {
            self.error = work(self).err();
        }
    }

    fn entry(&mut self, slot: Slot, parent: Option<Slot>, first: Option<Slot>, entry: &Entry) {
        let security = entry.security.as_ref().map(|security| {
            let new = u32::try_from(self.securities.len()).unwrap_or(u32::MAX);
            match self.securities.get(security) {
                Some(&id) => id,
                None => {
                    self.securities.insert(security.clone(), new);
                    self.line(&Line::Security {
                        id: new,
                        descriptor: security.clone(),
                    });
                    new
                }
            }
        });
        let Extra {
            object_id,
            extended_attributes,
            unknown,
            reserved,
            target_not_fixed,
        } = &entry.extra;
        let streams = entry.streams.iter().map(|stream| StreamLine {
            name: stream.name.clone(),
            len: stream.len,
            encrypted: stream.kind == StreamKind::EncryptedRaw,
        });
        let times = entry.times;
        let line = EntryLine {
            id: slot,
            parent,
            name: entry.name.clone(),
            short_name: entry.short_name.clone(),
            attributes: entry.attributes,
            times: [times.created, times.accessed, times.written].map(|time| time.ticks()),
            security,
            reparse: entry.reparse.clone(),
            link_to: first,
            streams: streams.collect(),
            object_id: object_id.clone(),
            extended_attributes: extended_attributes.clone(),
            unknown: unknown
                .iter()
                .map(|item| TaggedLine {
                    tag: item.tag,
                    data: item.data.clone(),
                })
                .collect(),
            reserved: *reserved,
            target_not_fixed: *target_not_fixed,
        };
        self.entries += 1;
        if entry.link_to.is_none() {
            let lens = entry.streams.iter().map(|stream| stream.len).enumerate();
            self.expected
                .extend(lens.map(|(index, len)| ((slot, index), len)));
        }
        self.line(&Line::Entry(Box::new(line)));
    }

    fn open_stream(&mut self, slot: Slot, index: usize) -> Option<u64> {
        self.close_stream(false);
        let len = self.expected.remove(&(slot, index))?;
        self.open = Some(OpenStream {
            slot,
            index,
            inline: (len <= INLINE).then(Vec::new),
            len,
        });
        Some(len)
    }

    fn write(&mut self, bytes: &[u8]) {
        match &mut self.open {
            Some(OpenStream {
                inline: Some(inline),
                ..
            }) => inline.extend_from_slice(bytes),
            Some(_) => self.attempt(|writer| {
                let streams = match &mut writer.streams {
                    Some(streams) => streams,
                    none => none.insert(Part::create(&streams_path(&writer.path))?),
                };
                streams.file.write_all(bytes)
            }),
            None => {}
        }
    }

    fn close_stream(&mut self, whole: bool) {
        let Some(open) = self.open.take() else { return };
        let (id, stream) = (open.slot, open.index);
        match open.inline {
            Some(data) if whole => self.line(&Line::Bytes { id, stream, data }),
            None if whole => {
                let offset = self.stored;
                self.stored = self.stored.saturating_add(open.len);
                self.line(&Line::Stored { id, stream, offset });
            }
            Some(_) => {}
            // The next stream takes the place of what came of this one.
            None => self.attempt(|writer| match &mut writer.streams {
                Some(streams) => streams
                    .file
                    .seek(SeekFrom::Start(writer.stored))
                    .map(|_| ()),
                None => Ok(()),
            }),
        }
    }

    fn finish(mut self) -> Result<(), SinkError> {
        self.line(&Line::End {
            entries: self.entries,
            stored: self.stored,
        });
        self.attempt(|writer| {
            let path = streams_path(&writer.path);
            match writer.streams.take().filter(|_| writer.stored > 0) {
                Some(streams) => streams.finish(&path, Some(writer.stored))?,
                None if path.symlink_metadata().is_ok() => std::fs::remove_file(&path)?,
                None => {}
            }
            Ok(())
        });
        self.check()?;
        let Self { path, lines, .. } = self;
        lines
            .finish(&path, None)
            .map_err(|error| not_written(&path, error))
    }

    fn check(&mut self) -> Result<(), SinkError> {
        match self.error.take() {
            Some(error) => Err(not_written(&self.path, error)),
            None => Ok(()),
        }
    }
}

fn not_written(path: &Path, error: io::Error) -> SinkError {
    SinkError::new(
        format!("the metadata file {} cannot be written", path.display()),
        error,
    )
}

/// A file that gets its name at the end, and is removed if there is none.
#[derive(Debug)]
struct Part {
    path: PathBuf,
    file: BufWriter<File>,
    renamed: bool,
}

impl Part {
    fn create(target: &Path) -> io::Result<Self> {
        let mut number: u32 = 0;
        loop {
            let path = match number {
                0 => with_suffix(target, ".part"),
                _ => with_suffix(target, &format!(".part{number}")),
            };
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    number = number.checked_add(1).ok_or(error)?;
                }
                Err(error) => return Err(error),
                Ok(file) => {
                    return Ok(Self {
                        path,
                        file: BufWriter::with_capacity(1 << 16, file),
                        renamed: false,
                    });
                }
            }
        }
    }

    fn finish(mut self, target: &Path, len: Option<u64>) -> io::Result<()> {
        self.file.flush()?;
        if let Some(len) = len {
            self.file.get_ref().set_len(len)?;
        }
        std::fs::rename(&self.path, target)?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.renamed {
            // What cannot be removed now cannot be told to anybody either.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Metadata that is written, or not.
#[derive(Debug, Default)]
pub(in crate::disk) struct Beside(Option<MetadataWriter>);

impl Beside {
    pub(in crate::disk) fn new(writer: MetadataWriter) -> Self {
        Self(Some(writer))
    }

    pub(in crate::disk) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    pub(in crate::disk) fn entry(
        &mut self,
        slot: Slot,
        parent: Option<Slot>,
        first: Option<Slot>,
        entry: &Entry,
    ) {
        if let Some(writer) = &mut self.0 {
            writer.entry(slot, parent, first, entry);
        }
    }

    pub(in crate::disk) fn named(&mut self, id: Slot, name: &str) {
        self.line(|| Line::Named {
            id,
            name: name.to_owned(),
        });
    }

    pub(in crate::disk) fn link(&mut self, id: Slot, target: &str) {
        self.line(|| Line::Link {
            id,
            target: target.to_owned(),
        });
    }

    pub(in crate::disk) fn aside(&mut self, id: Slot) {
        self.line(|| Line::Aside(id));
    }

    pub(in crate::disk) fn lost(&mut self, id: Slot) {
        self.line(|| Line::Lost(id));
    }

    pub(in crate::disk) fn times_unset(&mut self, id: Slot) {
        self.line(|| Line::TimesUnset(id));
    }

    /// Begins a stream that goes here, and tells its length; `None` if it does not.
    pub(in crate::disk) fn open_stream(&mut self, slot: Slot, index: usize) -> Option<u64> {
        self.0.as_mut()?.open_stream(slot, index)
    }

    /// The next bytes of the open stream, not more than its length in all.
    pub(in crate::disk) fn write(&mut self, bytes: &[u8]) {
        if let Some(writer) = &mut self.0 {
            writer.write(bytes);
        }
    }

    pub(in crate::disk) fn close_stream(&mut self, whole: bool) {
        if let Some(writer) = &mut self.0 {
            writer.close_stream(whole);
        }
    }

    /// The error of any call before, once.
    pub(in crate::disk) fn check(&mut self) -> Result<(), SinkError> {
        self.0.as_mut().map_or(Ok(()), MetadataWriter::check)
    }

    pub(in crate::disk) fn finish(self) -> Result<(), SinkError> {
        self.0.map_or(Ok(()), MetadataWriter::finish)
    }

    fn line(&mut self, line: impl FnOnce() -> Line) {
        if let Some(writer) = &mut self.0 {
            writer.line(&line());
        }
    }
}
