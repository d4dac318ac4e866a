//! An image as a stream of entries and bytes.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use wcow_ntmeta::{RelPath, WideName};
use wcow_tree::{
    Digest, Entry, EntryId, SendError, SinkError, Stream, StreamEnd, StreamKind, StreamRef,
    TreeSink, TreeSource,
};

use crate::metadata::PathBudget;
use crate::resource::{ResourceReader, as_u64};
use crate::{BlobLocation, Image, NodeId, ReadError, StreamRole, Wim};

/// Sends an image, or parts of it, to a [`TreeSink`].
///
/// All entries come first, each directory before what is in it, in the image's order; then the streams, in the order in which
/// their blobs lie in the file, so that the file is read from front to back. A stream that cannot be read is ended as damaged,
/// and the rest goes on; when all is sent, the transfer ends with [`SourceProblems`].
#[derive(Debug)]
pub struct ImageSource<'a> {
    wim: &'a Wim,
    image: &'a Image,
    /// Only these and what is in them; all if `None`.
    selection: Option<Vec<NodeId>>,
}

/// What could not be sent as it should be.
#[derive(Debug, thiserror::Error)]
#[error("{} of the image's streams could not be read, the first in `{}`", as_u64(problems.len()).saturating_add(*further), first_path(problems))]
pub struct SourceProblems {
    /// Each of them, as far as there is room for their paths.
    pub problems: Vec<SourceProblem>,
    /// How many further ones there are.
    pub further: u64,
}

fn first_path(problems: &[SourceProblem]) -> RelPath {
    problems
        .first()
        .map_or_else(RelPath::root, |problem| problem.path.clone())
}

/// One stream that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("`{path}`{} could not be read", if stream.is_empty() { String::new() } else { format!(" (stream `{stream}`)") })]
pub struct SourceProblem {
    /// The file.
    pub path: RelPath,
    /// Name of the stream; empty for the file's own data, or its reparse point.
    pub stream: WideName,
    /// Why.
    #[source]
    pub source: ReadError,
}

impl Wim {
    /// A source that sends `image`.
    #[must_use]
    pub fn image_source<'a>(&'a self, image: &'a Image) -> ImageSource<'a> {
        ImageSource {
            wim: self,
            image,
            selection: None,
        }
    }
}

impl ImageSource<'_> {
    /// Sends only `nodes`, with everything in them, and the directories on the way to them.
    #[must_use]
    pub fn only(mut self, nodes: impl IntoIterator<Item = NodeId>) -> Self {
        self.selection = Some(nodes.into_iter().collect());
        self
    }

    /// Which nodes are sent, by position.
    fn selected(&self) -> Vec<bool> {
        let Some(selection) = &self.selection else {
            return vec![true; self.image.len()];
        };
        let mut selected = vec![false; self.image.len()];
        for id in selection {
            mark(&mut selected, *id);
        }
        // Parents come before children in the list: one way down, then one way up.
        for id in self.image.nodes() {
            if self
                .image
                .parent(id)
                .is_some_and(|parent| is_marked(&selected, parent))
            {
                mark(&mut selected, id);
            }
        }
        for id in self.image.nodes().rev() {
            if is_marked(&selected, id)
                && let Some(parent) = self.image.parent(id)
            {
                mark(&mut selected, parent);
            }
        }
        mark(&mut selected, self.image.root());
        selected
    }
}

impl TreeSource for ImageSource<'_> {
    fn send(&mut self, sink: &mut dyn TreeSink) -> Result<(), SendError> {
        let selected = self.selected();
        let mut transfer = Transfer {
            wim: self.wim,
            image: self.image,
            sink,
            announced: BTreeMap::new(),
            streams: Vec::new(),
            problems: SourceProblems {
                problems: Vec::new(),
                further: 0,
            },
            budget: PathBudget::default(),
        };
        transfer.entries(&selected)?;
        self.wim.with_reader(|reader| transfer.contents(reader))?;
        let problems = transfer.problems;
        if problems.problems.is_empty() {
            Ok(())
        } else {
            Err(SendError::source(problems))
        }
    }
}

struct Transfer<'a, 's> {
    wim: &'a Wim,
    image: &'a Image,
    sink: &'s mut dyn TreeSink,
    /// For the first name of a file with several: the name that was sent first.
    announced: BTreeMap<NodeId, NodeId>,
    streams: Vec<Pending>,
    problems: SourceProblems,
    budget: PathBudget,
}

/// A stream that was announced, and is yet to be sent.
struct Pending {
    /// Where its blob is: 0 for no bytes, offset in the file, or the end of all for a blob in another file.
    offset: u64,
    digest: Digest,
    to: StreamRef,
    node: NodeId,
    name: WideName,
}

impl Transfer<'_, '_> {
    fn entries(&mut self, selected: &[bool]) -> Result<(), SinkError> {
        let mut stack = vec![self.image.root()];
        while let Some(id) = stack.pop() {
            let entry = self.entry(id);
            self.sink.entry(&entry)?;
            stack.extend(
                self.image
                    .children(id)
                    .rev()
                    .filter(|child| is_marked(selected, *child)),
            );
        }
        Ok(())
    }

    fn entry(&mut self, id: NodeId) -> Entry {
        let image = self.image;
        let first = image
            .first_link(id)
            .map(|first| *self.announced.entry(first).or_insert(id))
            .filter(|first| *first != id);
        let reparse = image.reparse(id).unwrap_or_else(|source| {
            self.problem(id, WideName::new(), source);
            None
        });
        let streams = image
            .streams(id)
            .iter()
            .filter(|stream| stream.role != StreamRole::Reparse);
        let streams = streams.enumerate().map(|(index, stream)| {
            let name = stream.name.clone().unwrap_or_default();
            if first.is_none() {
                self.streams.push(Pending {
                    offset: self.offset(&stream.digest),
                    digest: stream.digest,
                    to: StreamRef {
                        entry: entry_id(id),
                        index,
                    },
                    node: id,
                    name: name.clone(),
                });
            }
            let kind = if stream.role == StreamRole::EncryptedRaw {
                StreamKind::EncryptedRaw
            } else {
                StreamKind::Data
            };
            let digest = (!stream.digest.is_zero()).then_some(stream.digest);
            // A missing blob has no length; its stream ends as damaged.
            Stream {
                name,
                kind,
                len: image.stream_len(stream).unwrap_or(0),
                digest,
            }
        });
        let streams = streams.collect();
        Entry {
            id: entry_id(id),
            parent: image.parent(id).map(entry_id),
            name: image.name(id).clone(),
            short_name: image.short_name(id).cloned().unwrap_or_default(),
            attributes: image.attributes(id),
            times: image.times(id),
            security: image.security(id).cloned(),
            reparse,
            link_to: first.map(entry_id),
            streams,
            extra: image.extra(id),
        }
    }

    fn offset(&self, digest: &Digest) -> u64 {
        match self.wim.find_blob(digest).map(|blob| blob.location) {
            Some(BlobLocation::Plain(resource)) => resource.offset,
            Some(BlobLocation::Solid { offset, .. }) => offset,
            None if digest.is_zero() => 0,
            None => u64::MAX,
        }
    }

    fn contents(&mut self, reader: &mut ResourceReader) -> Result<(), SinkError> {
        let mut streams = std::mem::take(&mut self.streams);
        streams.sort_by_key(|stream| (stream.offset, stream.digest, stream.to));
        for streams in streams.chunk_by(|a, b| a.digest == b.digest) {
            let Some(first) = streams.first() else {
                continue;
            };
            let shared = streams.len() > 1 && !first.digest.is_zero();
            let size = self.wim.blob_size(&first.digest);
            if shared && size.is_some_and(|size| size <= self.wim.limits().shared_blob_bytes) {
                self.shared(reader, &first.digest, streams)?;
            } else {
                streams
                    .iter()
                    .try_for_each(|stream| self.single(reader, stream))?;
            }
        }
        Ok(())
    }

    /// Sends one stream as its blob is read.
    fn single(&mut self, reader: &mut ResourceReader, stream: &Pending) -> Result<(), SinkError> {
        if !self.sink.open_stream(stream.to)? {
            return Ok(());
        }
        let mut refused = None;
        let result = if stream.digest.is_zero() {
            Ok(())
        } else {
            let sink = &mut *self.sink;
            self.wim.read_blob_with(
                reader,
                &stream.digest,
                &mut |bytes| match sink.write(bytes) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(error) => {
                        refused = Some(error);
                        ControlFlow::Break(())
                    }
                },
            )
        };
        if let Some(error) = refused {
            return Err(error);
        }
        self.close(stream, result.err())
    }

    /// Reads a blob once for several streams.
    fn shared(
        &mut self,
        reader: &mut ResourceReader,
        digest: &Digest,
        streams: &[Pending],
    ) -> Result<(), SinkError> {
        let mut bytes = Vec::new();
        let mut result = self.wim.read_blob_with(reader, digest, &mut |piece| {
            bytes.extend_from_slice(piece);
            ControlFlow::Continue(())
        });
        for stream in streams {
            if !self.sink.open_stream(stream.to)? {
                continue;
            }
            match &mut result {
                Ok(()) => {
                    self.sink.write(&bytes)?;
                    self.close(stream, None)?;
                }
                Err(_) => {
                    // The first stream gets the cause, the others the blob's name.
                    let error = std::mem::replace(
                        &mut result,
                        Err(ReadError::SharedBlob { digest: *digest }),
                    );
                    self.close(stream, error.err())?;
                }
            }
        }
        Ok(())
    }

    fn close(&mut self, stream: &Pending, error: Option<ReadError>) -> Result<(), SinkError> {
        let end = if error.is_some() {
            StreamEnd::Damaged
        } else {
            StreamEnd::Complete
        };
        if let Some(source) = error {
            self.problem(stream.node, stream.name.clone(), source);
        }
        self.sink.close_stream(end)
    }

    fn problem(&mut self, node: NodeId, stream: WideName, source: ReadError) {
        if self.budget.take(self.image, node) {
            self.problems.problems.push(SourceProblem {
                path: self.image.path(node),
                stream,
                source,
            });
        } else {
            self.problems.further = self.problems.further.saturating_add(1);
        }
    }
}

fn entry_id(id: NodeId) -> EntryId {
    EntryId(id.index())
}

fn is_marked(marks: &[bool], id: NodeId) -> bool {
    usize::try_from(id.index())
        .ok()
        .and_then(|at| marks.get(at))
        .copied()
        .unwrap_or(false)
}

fn mark(marks: &mut [bool], id: NodeId) {
    if let Some(mark) = usize::try_from(id.index())
        .ok()
        .and_then(|at| marks.get_mut(at))
    {
        *mark = true;
    }
}
