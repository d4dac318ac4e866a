//! An image, or parts of it, as a stream of entries and bytes.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::AtomicBool;

use wcow_ntmeta::{RelPath, WideName};
use wcow_tree::{
    Digest, Entry, EntryId, SendError, SinkError, Stream, StreamEnd, StreamKind, StreamRef,
    TreeSink, TreeSource,
};

use crate::control::{Control, Progress};
use crate::metadata::PathBudget;
use crate::number::{as_u64, as_usize};
use crate::plan::{Item, place};
use crate::read::{Consumer, read_items};
use crate::{Budget, Image, NodeId, ReadError, StreamRole, Wim};

/// Decides what is sent: `false` leaves a node out, with everything in it.
type Filter<'a> = &'a (dyn Fn(NodeId) -> bool + Sync);

/// Sends an image, or parts of it, to a [`TreeSink`].
///
/// All entries come first, each directory before what is in it, in the image's order; then the streams: those without bytes,
/// then the others in the order in which their blobs lie in the file, so that the file is read from front to back and every
/// chunk of a solid resource is decoded once. A stream that cannot be read is ended as damaged, and the rest goes on; when all is
/// sent, the transfer ends with [`SourceProblems`]. One that would make more than [`Limits::output_bytes`](crate::Limits) allow is
/// refused before anything is sent.
///
/// Several workers decode and hash at the same time; the sink gets the same calls in the same order, whatever their number.
///
/// ```
/// # use std::io::Cursor;
/// # use wcow_ntmeta::{Guid, RelPath};
/// # use wcow_wim::{NewImage, WriteOptions, write_uncompressed};
/// use wcow_tree::TreeSource;
/// use wcow_tree::memory::MemoryTree;
/// use wcow_wim::{ImageIndex, Wim};
/// # let mut tree = MemoryTree::new().file(r"Windows\win.ini", "[fonts]").file("other.txt", "x");
/// # let mut out = Cursor::new(Vec::new());
/// # write_uncompressed(&mut out, vec![NewImage::new("Nano", &mut tree)], &WriteOptions::new(Guid::from_u128(1)))?;
/// # let file = out.into_inner();
///
/// let wim = Wim::open(file)?;
/// let image = wim.image(wim.find_image("1")?)?;
/// let windows = image.lookup(&RelPath::parse("WINDOWS")).expect("it is there");
/// let mut extractor = wim.extractor(&image).only([windows]);
/// assert_eq!(extractor.plan().bytes, 7);
///
/// // To a folder: wcow_tree::disk::DiskSink.
/// let extracted = MemoryTree::collect(&mut extractor)?;
/// assert_eq!(extracted, MemoryTree::new().file(r"Windows\win.ini", "[fonts]"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Extractor<'a> {
    wim: &'a Wim,
    image: &'a Image,
    /// Only these and what is in them; all if `None`.
    selection: Option<Vec<NodeId>>,
    filter: Option<Filter<'a>>,
    workers: NonZeroUsize,
    control: Control<'a>,
}

/// What an extraction is going to send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExtractPlan {
    /// Files and directories, each name of a file counted, with the root.
    pub entries: u64,
    /// Streams, those without bytes counted too.
    pub streams: u64,
    /// Bytes of all streams; a blob counts as often as it is sent.
    pub bytes: u64,
    /// Streams whose blob is missing.
    pub missing: u64,
}

/// Why nothing was sent, or not everything.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// It would take more than the [`Limits`](crate::Limits) allow.
    #[error(
        "the image has {needed} bytes of files, the {} budget for a file of this size is {limit}",
        Budget::Output
    )]
    Budget {
        /// Bytes that would be sent.
        needed: u64,
        /// Bytes that are allowed.
        limit: u64,
    },
    /// It was cancelled.
    #[error("the extraction was cancelled")]
    Cancelled,
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
    /// What sends `image`, which is one of this WIM's.
    #[must_use]
    pub fn extractor<'a>(&'a self, image: &'a Image) -> Extractor<'a> {
        Extractor {
            wim: self,
            image,
            selection: None,
            filter: None,
            workers: self.options().workers,
            control: Control::default(),
        }
    }
}

impl<'a> Extractor<'a> {
    /// Sends only `nodes`, with everything in them, and the directories on the way to them.
    #[must_use]
    pub fn only(mut self, nodes: impl IntoIterator<Item = NodeId>) -> Self {
        self.selection = Some(nodes.into_iter().collect());
        self
    }

    /// Leaves out the nodes for which `filter` is false, with everything in them.
    #[must_use]
    pub fn filter(mut self, filter: Filter<'a>) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Uses so many threads.
    #[must_use]
    pub fn workers(mut self, workers: NonZeroUsize) -> Self {
        self.workers = workers;
        self
    }

    /// Tells `progress` again and again how far it is.
    #[must_use]
    pub fn progress(mut self, progress: &'a mut (dyn FnMut(Progress) + Send)) -> Self {
        self.control.progress = Some(progress);
        self
    }

    /// Stops soon after `cancel` has become true, with [`ExtractError::Cancelled`]; a stream that is not whole is ended as damaged.
    #[must_use]
    pub fn cancel(mut self, cancel: &'a AtomicBool) -> Self {
        self.control.cancel = Some(cancel);
        self
    }

    /// What will be sent.
    #[must_use]
    pub fn plan(&self) -> ExtractPlan {
        let selected = self.selected();
        let mut plan = ExtractPlan::default();
        let mut seen = vec![false; self.image.len()];
        for id in in_order(self.image, &selected) {
            plan.entries += 1;
            if let Some(first) = self.image.first_link(id) {
                // Of several names that are sent, one sends the streams.
                if is_marked(&seen, first) {
                    continue;
                }
                mark(&mut seen, first);
            }
            let streams = self.image.streams(id).iter();
            for stream in streams.filter(|stream| stream.role != StreamRole::Reparse) {
                plan.streams += 1;
                match self.image.stream_len(stream) {
                    Some(len) => plan.bytes = plan.bytes.saturating_add(len),
                    None => plan.missing += 1,
                }
            }
        }
        plan
    }

    /// What will be sent, if the budget allows it. [`send`](TreeSource::send) asks the same before it sends anything.
    ///
    /// # Errors
    /// [`ExtractError::Budget`].
    pub fn check_budget(&self) -> Result<ExtractPlan, ExtractError> {
        let plan = self.plan();
        let limit = self.wim.output_budget().limit;
        if plan.bytes > limit {
            return Err(ExtractError::Budget {
                needed: plan.bytes,
                limit,
            });
        }
        Ok(plan)
    }

    /// Which nodes are sent, by position.
    fn selected(&self) -> Vec<bool> {
        let image = self.image;
        let mut selected = vec![self.selection.is_none(); image.len()];
        for id in self.selection.iter().flatten() {
            mark(&mut selected, *id);
        }
        // Parents come before children in the list: one way down, then one way up.
        if self.selection.is_some() {
            for id in image.nodes() {
                if image
                    .parent(id)
                    .is_some_and(|parent| is_marked(&selected, parent))
                {
                    mark(&mut selected, id);
                }
            }
        }
        if let Some(filter) = self.filter {
            let mut left_out = vec![false; image.len()];
            for id in image.nodes().skip(1) {
                let parent = image.parent(id);
                if !filter(id) || parent.is_some_and(|parent| is_marked(&left_out, parent)) {
                    mark(&mut left_out, id);
                }
            }
            for (selected, left_out) in selected.iter_mut().zip(left_out) {
                *selected &= !left_out;
            }
        }
        for id in image.nodes().rev() {
            if is_marked(&selected, id)
                && let Some(parent) = image.parent(id)
            {
                mark(&mut selected, parent);
            }
        }
        mark(&mut selected, image.root());
        selected
    }
}

impl TreeSource for Extractor<'_> {
    fn send(&mut self, sink: &mut dyn TreeSink) -> Result<(), SendError> {
        let plan = self.check_budget().map_err(SendError::source)?;
        self.control.state = Progress::default();
        self.control.add_total([plan.bytes]);
        let selected = self.selected();
        let mut transfer = Transfer {
            wim: self.wim,
            image: self.image,
            sink,
            announced: BTreeMap::new(),
            streams: Vec::with_capacity(as_usize(plan.streams)),
            problems: SourceProblems {
                problems: Vec::new(),
                further: 0,
            },
            budget: PathBudget::default(),
            control: &mut self.control,
            stop: None,
        };
        transfer.entries(&selected)?;
        let flow = transfer.contents(self.workers);
        match transfer.stop {
            Some(Stop::Sink(error)) => return Err(error.into()),
            Some(Stop::Cancelled) => return Err(SendError::source(ExtractError::Cancelled)),
            None => debug_assert!(flow.is_continue(), "what stops it says why"),
        }
        let problems = transfer.problems;
        if problems.problems.is_empty() && problems.further == 0 {
            Ok(())
        } else {
            Err(SendError::source(problems))
        }
    }
}

/// Why a transfer does not go on.
enum Stop {
    Sink(SinkError),
    Cancelled,
}

struct Transfer<'a, 's, 'c> {
    wim: &'a Wim,
    image: &'a Image,
    sink: &'s mut dyn TreeSink,
    /// For the first name of a file with several: the name that was sent first.
    announced: BTreeMap<NodeId, NodeId>,
    streams: Vec<Pending>,
    problems: SourceProblems,
    budget: PathBudget,
    control: &'s mut Control<'c>,
    stop: Option<Stop>,
}

/// A stream that was announced, and is yet to be sent.
struct Pending {
    digest: Digest,
    /// Where its blob is; `None` for no bytes, and for a blob that is in none of the files.
    item: Option<Item>,
    to: StreamRef,
    node: NodeId,
    name: WideName,
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.digest.is_zero()
    }
}

impl Transfer<'_, '_, '_> {
    fn entries(&mut self, selected: &[bool]) -> Result<(), SendError> {
        let mut room = Vec::new();
        for id in in_order(self.image, selected) {
            if self.control.is_cancelled() {
                return Err(SendError::source(ExtractError::Cancelled));
            }
            let entry = self.entry(id, room);
            self.sink.entry(&entry)?;
            room = entry.streams;
        }
        Ok(())
    }

    /// The entry of a node. Its streams go into the memory of `room`.
    fn entry(&mut self, id: NodeId, mut room: Vec<Stream>) -> Entry {
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
            let digest = (!stream.digest.is_zero()).then_some(stream.digest);
            let item = digest.and_then(|digest| self.wim.locate(&digest));
            // A missing blob has no length; its stream ends as damaged.
            let len = match &item {
                Some(item) => item.size,
                None => image.stream_len(stream).unwrap_or(0),
            };
            if first.is_none() {
                self.streams.push(Pending {
                    digest: stream.digest,
                    item,
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
            Stream {
                name,
                kind,
                len,
                digest,
            }
        });
        room.clear();
        room.extend(streams);
        Entry {
            id: entry_id(id),
            parent: image.parent(id).map(entry_id),
            name: image.name(id).to_name(),
            short_name: image.short_name(id).unwrap_or_default().to_name(),
            attributes: image.attributes(id),
            times: image.times(id),
            security: image.security(id).cloned(),
            reparse,
            link_to: first.map(entry_id),
            streams: room,
            extra: image.extra(id),
        }
    }

    fn contents(&mut self, workers: NonZeroUsize) -> ControlFlow<()> {
        let wim = self.wim;
        let files = wim.files();
        let mut streams = std::mem::take(&mut self.streams);
        let key = |stream: &Pending| {
            let class = match &stream.item {
                _ if stream.is_empty() => (0, (0, 0, 0)),
                Some(item) => (1, place(files, item.file, &item.location)),
                None => (2, (0, 0, 0)),
            };
            (class, stream.digest, stream.to)
        };
        streams.sort_by_cached_key(key);
        let empty = streams.partition_point(|stream| stream.is_empty());
        let here = streams.partition_point(|stream| stream.is_empty() || stream.item.is_some());

        for stream in streams.get(..empty).unwrap_or_default() {
            if self.open(stream)? {
                self.close(stream, None)?;
            }
        }
        let passes = passes(&streams, empty..here, self.wim.limits().shared_blob_bytes);
        let mut budget = self.wim.output_budget();
        for groups in passes {
            let items = groups.iter().map(|(item, _)| *item).collect();
            let mut sending = Sending {
                transfer: &mut *self,
                streams: &streams,
                groups: &groups,
                bytes: Vec::new(),
                keep: false,
                open: false,
            };
            let flow = read_items(
                files,
                items,
                false,
                workers,
                &mut budget,
                wim.pool(),
                &mut sending,
            );
            if flow.is_break() {
                return sending.give_up();
            }
        }
        let elsewhere = streams.get(here..).unwrap_or_default();
        elsewhere.iter().try_for_each(|stream| self.resolve(stream))
    }

    /// Sends a stream whose blob is in none of the files.
    fn resolve(&mut self, stream: &Pending) -> ControlFlow<()> {
        if !self.open(stream)? {
            return ControlFlow::Continue(());
        }
        let result = match &self.wim.options().resolver {
            Some(resolver) => resolver.read(&stream.digest, &mut |bytes| {
                self.write(bytes)?;
                self.advance(as_u64(bytes.len()))
            }),
            None => Err(self.wim.missing(&stream.digest)),
        };
        if let Some(stop) = self.stop.take() {
            if matches!(stop, Stop::Cancelled) {
                let _ = self.sink.close_stream(StreamEnd::Damaged);
            }
            self.stop = Some(stop);
            return ControlFlow::Break(());
        }
        self.close(stream, result.err())
    }

    /// Ends streams as damaged, all for one reason.
    fn unreadable(&mut self, streams: &[Pending], source: ReadError) -> ControlFlow<()> {
        let mut source = Some(source);
        for stream in streams {
            let error = source.take().unwrap_or(ReadError::SharedBlob {
                digest: stream.digest,
            });
            if self.open(stream)? {
                self.close(stream, Some(error))?;
            }
        }
        ControlFlow::Continue(())
    }

    fn open(&mut self, stream: &Pending) -> ControlFlow<(), bool> {
        if self.control.is_cancelled() {
            self.stop = Some(Stop::Cancelled);
            return ControlFlow::Break(());
        }
        match self.sink.open_stream(stream.to) {
            Ok(open) => ControlFlow::Continue(open),
            Err(error) => self.refused(error),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        match self.sink.write(bytes) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => self.refused(error),
        }
    }

    fn close(&mut self, stream: &Pending, error: Option<ReadError>) -> ControlFlow<()> {
        let end = if error.is_some() {
            StreamEnd::Damaged
        } else {
            StreamEnd::Complete
        };
        if let Some(source) = error {
            self.problem(stream.node, stream.name.clone(), source);
        }
        match self.sink.close_stream(end) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => self.refused(error),
        }
    }

    fn refused<T>(&mut self, error: SinkError) -> ControlFlow<(), T> {
        self.stop = Some(Stop::Sink(error));
        ControlFlow::Break(())
    }

    fn advance(&mut self, bytes: u64) -> ControlFlow<()> {
        let flow = self.control.advance(bytes);
        if flow.is_break() && self.stop.is_none() {
            self.stop = Some(Stop::Cancelled);
        }
        flow
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

/// Groups the sorted streams of `range` by blob: what one pass over the files can send.
///
/// A blob that several streams share is sent to all of them in the first pass, unless it is larger than `shared_max`; then each
/// further stream takes a pass of its own.
fn passes(
    streams: &[Pending],
    range: Range<usize>,
    shared_max: u64,
) -> Vec<Vec<(Item, Range<usize>)>> {
    let mut at = range.start;
    let wanted = streams.get(range).unwrap_or_default();
    let mut passes = vec![Vec::with_capacity(wanted.len())];
    for group in wanted.chunk_by(|a, b| a.digest == b.digest) {
        let all = at..at + group.len();
        at = all.end;
        let Some(item) = group.first().and_then(|stream| stream.item) else {
            continue;
        };
        if item.size <= shared_max {
            if let Some(first) = passes.first_mut() {
                first.push((item, all));
            }
            continue;
        }
        for (pass, stream) in all.enumerate() {
            if pass == passes.len() {
                passes.push(Vec::new());
            }
            if let Some(pass) = passes.get_mut(pass) {
                pass.push((item, stream..stream + 1));
            }
        }
    }
    passes
}

/// Sends the blobs of one pass.
struct Sending<'t, 'a, 's, 'c> {
    transfer: &'t mut Transfer<'a, 's, 'c>,
    streams: &'t [Pending],
    /// Each blob with its streams.
    groups: &'t [(Item, Range<usize>)],
    /// A blob that several streams share, as far as it has come.
    bytes: Vec<u8>,
    /// True if several streams share the blob.
    keep: bool,
    /// True while a stream of the sink is open.
    open: bool,
}

impl<'t> Sending<'t, '_, '_, '_> {
    fn streams_of(&self, item: usize) -> &'t [Pending] {
        self.groups
            .get(item)
            .and_then(|(_, streams)| self.streams.get(streams.clone()))
            .unwrap_or_default()
    }

    /// Ends what is open as damaged, after a cancellation; a sink that has failed is asked nothing more.
    fn give_up(self) -> ControlFlow<()> {
        if self.open && matches!(self.transfer.stop, Some(Stop::Cancelled)) {
            let _ = self.transfer.sink.close_stream(StreamEnd::Damaged);
        }
        ControlFlow::Break(())
    }
}

impl Consumer for Sending<'_, '_, '_, '_> {
    fn begin(&mut self, item: usize) -> ControlFlow<()> {
        self.bytes.clear();
        self.keep = true;
        if let [stream] = self.streams_of(item) {
            self.keep = false;
            self.open = self.transfer.open(stream)?;
        }
        ControlFlow::Continue(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        if self.open {
            return self.transfer.write(bytes);
        }
        // A stream of its own that the sink does not want is not kept.
        if self.keep {
            self.bytes.extend_from_slice(bytes);
        }
        ControlFlow::Continue(())
    }

    fn end(&mut self, item: usize, result: Result<(), ReadError>) -> ControlFlow<()> {
        match self.streams_of(item) {
            [stream] => {
                if std::mem::take(&mut self.open) {
                    self.transfer.close(stream, result.err())?;
                }
            }
            streams => match result {
                Ok(()) => {
                    for (place, stream) in streams.iter().enumerate() {
                        // The first of them is counted as the blob is read. One may be the last: there can be many.
                        if place > 0 {
                            self.transfer.advance(as_u64(self.bytes.len()))?;
                        }
                        if self.transfer.open(stream)? {
                            self.transfer.write(&self.bytes)?;
                            self.transfer.close(stream, None)?;
                        }
                    }
                }
                Err(source) => self.transfer.unreadable(streams, source)?,
            },
        }
        ControlFlow::Continue(())
    }

    fn progress(&mut self, bytes: u64) -> ControlFlow<()> {
        self.transfer.advance(bytes)
    }
}

/// The marked nodes as they are sent: each directory before what is in it. Of several names of a file the first one here sends the
/// streams, and hostile files give each name others.
fn in_order<'i>(image: &'i Image, selected: &'i [bool]) -> impl Iterator<Item = NodeId> + 'i {
    let mut stack = Vec::with_capacity(64);
    stack.push(image.root());
    std::iter::from_fn(move || {
        let id = stack.pop()?;
        let children = image.children(id).rev();
        stack.extend(children.filter(|child| is_marked(selected, *child)));
        Some(id)
    })
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
