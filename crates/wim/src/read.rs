//! Reading many blobs: several workers decode and hash, one at a time delivers, always in the same order.

use std::iter::Peekable;
use std::num::NonZeroUsize;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use sha1::{Digest as _, Sha1};
use wcow_tree::Digest;

use crate::chunks::{Buffer, ChunkReader, Hash, Keep, READ_WINDOW};
use crate::file::{WimFile, stored_len};
use crate::number::{as_u64, as_usize};
use crate::ordered;
use crate::plan::{Item, Job, OutputBudget, Plan, SolidJob, solid_range, window};
use crate::pool::Pool;
use crate::{BlobLocation, ReadError};

/// Takes what is read, item by item. Every item begins and ends once; the bytes of an item that ends with an error may be
/// wrong or missing. Returning [`ControlFlow::Break`] stops the reading.
pub(crate) trait Consumer: Send {
    /// The next item.
    fn begin(&mut self, item: usize) -> ControlFlow<()>;

    /// Its next bytes. Not called where only the hashes are wanted.
    fn bytes(&mut self, bytes: &[u8]) -> ControlFlow<()>;

    /// Its end.
    fn end(&mut self, item: usize, result: Result<(), ReadError>) -> ControlFlow<()>;

    /// So many more bytes of the items were read.
    fn progress(&mut self, bytes: u64) -> ControlFlow<()>;
}

/// Reads `items`, sorted by [`place`](crate::plan::place), and hands them to `consumer`.
pub(crate) fn read_items(
    files: &[Arc<WimFile>],
    items: Vec<Item>,
    hash_only: bool,
    workers: NonZeroUsize,
    budget: &mut OutputBudget,
    pool: &Pool,
    consumer: &mut dyn Consumer,
) -> ControlFlow<()> {
    let mut plan = Plan::new(files, items, hash_only, budget);
    let failures = std::mem::take(&mut plan.failures);
    let mut delivery = Delivery {
        items: &plan.items,
        failures: failures.into_iter().peekable(),
        consumer,
        current: None,
    };
    let mut flow = ControlFlow::Continue(());
    ordered::run(
        workers,
        window(plan.largest, workers.get(), stored_len(files)),
        plan.units,
        || pool.reader(),
        |reader, index, used| {
            let buffer = used.map_or_else(|| pool.buffer(), |done: Done<'_>| done.buffer);
            work(&plan, reader, index, buffer)
        },
        |index, done| {
            flow = delivery.unit(done);
            if index + 1 == plan.units {
                pool.give_buffer(std::mem::take(&mut done.buffer));
            }
            flow
        },
    );
    flow?;
    delivery.failures_before(usize::MAX)
}

/// What came of one unit.
#[derive(Default)]
struct Done<'p> {
    buffer: Buffer,
    kind: Kind<'p>,
}

#[derive(Default)]
enum Kind<'p> {
    #[default]
    Nothing,
    /// Each blob with its bytes.
    Whole(Vec<(usize, Result<Bytes<'p>, ReadError>)>),
    /// A part of a blob, and whether it is its first and its last.
    Part {
        item: usize,
        first: bool,
        last: bool,
        result: Result<(), ReadError>,
    },
    Solid(SolidDone),
}

/// Where the bytes of a blob are.
enum Bytes<'p> {
    /// In the buffer.
    Kept(Range<usize>),
    /// In a file that is in memory.
    InPlace(&'p [u8]),
}

/// What came of some chunks of a solid resource.
struct SolidDone {
    /// Which bytes of the run these are.
    range: Range<u64>,
    /// Where the resource begins in the file.
    resource: u64,
    failed: Vec<(Range<u64>, Option<ReadError>)>,
    /// The items with bytes there, with the SHA-1 of those that have no others.
    items: Vec<(usize, Option<Digest>)>,
}

fn work<'p>(
    plan: &'p Plan<'_>,
    reader: &mut ChunkReader,
    index: u64,
    mut buffer: Buffer,
) -> Done<'p> {
    buffer.clear();
    let Some(unit) = plan.unit(index) else {
        return Done::default();
    };
    let kind = match unit.job {
        Job::Whole(items) => Kind::Whole(whole(plan, reader, items.clone(), &mut buffer)),
        Job::Parts { item, layout, .. } => {
            let file = plan
                .items
                .get(*item)
                .and_then(|item| plan.files.get(item.file));
            let mut keep = Keep {
                buffer: &mut buffer,
                hash: None,
            };
            let count = unit.chunks.end - unit.chunks.start;
            let result = file.map_or(Ok(()), |file| {
                reader.read(&file.input, layout, unit.chunks.start, count, &mut keep)
            });
            Kind::Part {
                item: *item,
                first: unit.chunks.start == 0,
                last: unit.chunks.end == layout.chunks,
                result,
            }
        }
        Job::Solid(job) => solid(plan, reader, job, unit.chunks, &mut buffer),
    };
    Done { buffer, kind }
}

fn whole<'p>(
    plan: &'p Plan<'_>,
    reader: &mut ChunkReader,
    items: Range<usize>,
    buffer: &mut Buffer,
) -> Vec<(usize, Result<Bytes<'p>, ReadError>)> {
    let mut done = Vec::with_capacity(items.len());
    if !plan.hash_only {
        // Not one after the other, as far as what they claim to be is believed.
        let all = plan.items.get(items.clone()).unwrap_or_default();
        let kept = all.iter().filter(|item| in_place(plan, item).is_none());
        let bytes = kept.map(|item| item.size);
        let bytes = bytes.fold(0_u64, u64::saturating_add).min(READ_WINDOW);
        buffer.make_room(as_usize(bytes));
    }
    for index in items {
        let start = buffer.len();
        let Some(item) = plan.items.get(index) else {
            continue;
        };
        let result = read_whole(plan, reader, item, buffer);
        if result.is_err() {
            buffer.truncate(start);
        }
        done.push((index, result));
    }
    done
}

/// The bytes of a blob that need not be copied to be handed on.
fn in_place<'p>(plan: &Plan<'p>, item: &Item) -> Option<&'p [u8]> {
    match &item.location {
        BlobLocation::Plain(resource) if !resource.is_compressed() => {
            let input = &plan.files.get(item.file)?.input;
            input.in_place(resource.offset, resource.size)
        }
        _ => None,
    }
}

fn read_whole<'p>(
    plan: &'p Plan<'_>,
    reader: &mut ChunkReader,
    item: &Item,
    buffer: &mut Buffer,
) -> Result<Bytes<'p>, ReadError> {
    let start = buffer.len();
    let (BlobLocation::Plain(resource), Some(file)) = (&item.location, plan.files.get(item.file))
    else {
        return Ok(Bytes::Kept(start..start));
    };
    let layout = file.layout(resource)?;
    let known = !plan.hash_only && file.is_sound(item);
    let mut hash = (!known).then(Sha1::new);
    let bytes = if let Some(bytes) = in_place(plan, item) {
        if let Some(hash) = &mut hash {
            hash.update(bytes);
        }
        Bytes::InPlace(if plan.hash_only { &[] } else { bytes })
    } else if let Some(hash) = hash.as_mut().filter(|_| plan.hash_only) {
        let mut scratch = std::mem::take(&mut reader.scratch);
        let mut to = Hash {
            scratch: &mut scratch,
            hash,
        };
        let result = reader.read(&file.input, &layout, 0, layout.chunks, &mut to);
        reader.scratch = scratch;
        result?;
        Bytes::Kept(start..start)
    } else {
        let hash = hash.as_mut();
        let mut to = Keep { buffer, hash };
        reader.read(&file.input, &layout, 0, layout.chunks, &mut to)?;
        Bytes::Kept(start..buffer.len())
    };
    if let Some(hash) = hash {
        check(item, Digest(hash.finalize().into()))?;
        file.found_sound(item);
    }
    Ok(bytes)
}

fn solid(
    plan: &Plan<'_>,
    reader: &mut ChunkReader,
    job: &SolidJob,
    chunks: Range<u64>,
    buffer: &mut Buffer,
) -> Kind<'static> {
    let (Some(file), Some((start, layout))) = (
        plan.files.get(job.file),
        job.run.resources.get(job.resource),
    ) else {
        return Kind::Nothing;
    };
    let position = |chunk: u64| start.saturating_add(chunk.saturating_mul(layout.chunk_size));
    let begin = position(chunks.start);
    let mut failed = Vec::new();
    for chunk in chunks.clone() {
        let before = buffer.len();
        let mut to = Keep { buffer, hash: None };
        // One chunk at a time: a bad one must not hide the good ones beside it.
        if let Err(error) = reader.read(&file.input, layout, chunk, 1, &mut to) {
            let len = layout.chunk_len(chunk);
            buffer.truncate(before);
            buffer.skip(as_usize(len));
            failed.push((
                position(chunk)..position(chunk).saturating_add(len),
                Some(error),
            ));
        }
    }
    let range = begin..begin.saturating_add(as_u64(buffer.len()));
    // The items lie behind each other, so those with bytes here are side by side.
    let wanted = |index: &usize| plan.items.get(*index).map_or(0..0, solid_range);
    let first = job
        .items
        .partition_point(|index| wanted(index).end <= range.start);
    let last = job
        .items
        .partition_point(|index| wanted(index).start < range.end);
    let items = job.items.get(first..last).unwrap_or_default();
    let digest = |index: &usize| {
        let wanted = wanted(index);
        let within = range.start <= wanted.start && wanted.end <= range.end;
        let bytes = slice(buffer.bytes(), &range, &wanted);
        within.then(|| Digest(Sha1::digest(bytes).into()))
    };
    Kind::Solid(SolidDone {
        resource: layout.offset,
        items: items.iter().map(|index| (*index, digest(index))).collect(),
        range,
        failed,
    })
}

/// Of `bytes`, which lie at `range`, those that are in `wanted` too.
fn slice<'b>(bytes: &'b [u8], range: &Range<u64>, wanted: &Range<u64>) -> &'b [u8] {
    let start = wanted.start.max(range.start) - range.start;
    let end = wanted.end.min(range.end).saturating_sub(range.start);
    bytes
        .get(as_usize(start)..as_usize(end))
        .unwrap_or_default()
}

fn check(item: &Item, found: Digest) -> Result<(), ReadError> {
    if found == item.digest {
        return Ok(());
    }
    let offset = match item.location {
        BlobLocation::Plain(resource) => resource.offset,
        BlobLocation::Solid { offset, .. } => offset,
    };
    Err(ReadError::Digest {
        offset,
        expected: item.digest,
        found,
    })
}

/// Hands on what the workers made, in order.
struct Delivery<'a> {
    items: &'a [Item],
    /// Items that are in no unit.
    failures: Peekable<std::vec::IntoIter<(usize, ReadError)>>,
    consumer: &'a mut dyn Consumer,
    /// The item that has begun and not ended, with the hash of its bytes so far; no hash if it has failed.
    current: Option<(usize, Option<Sha1>)>,
}

impl Delivery<'_> {
    /// Begins an item. Those that cannot be read keep their place in the order, and never come within another.
    fn begin(&mut self, item: usize) -> ControlFlow<()> {
        self.failures_before(item)?;
        self.consumer.begin(item)
    }

    fn failures_before(&mut self, item: usize) -> ControlFlow<()> {
        while let Some((failed, error)) = self.failures.next_if(|(failed, _)| *failed < item) {
            self.consumer.begin(failed)?;
            self.consumer.end(failed, Err(error))?;
        }
        ControlFlow::Continue(())
    }

    fn unit(&mut self, done: &mut Done<'_>) -> ControlFlow<()> {
        let bytes = done.buffer.bytes();
        match std::mem::take(&mut done.kind) {
            Kind::Nothing => ControlFlow::Continue(()),
            Kind::Whole(blobs) => blobs.into_iter().try_for_each(|(item, result)| {
                self.begin(item)?;
                let bytes = match &result {
                    Ok(Bytes::Kept(range)) => bytes.get(range.clone()).unwrap_or_default(),
                    Ok(Bytes::InPlace(bytes)) => bytes,
                    Err(_) => &[],
                };
                if !bytes.is_empty() {
                    self.consumer.bytes(bytes)?;
                }
                self.consumer.end(item, result.map(drop))?;
                self.consumer
                    .progress(self.items.get(item).map_or(0, |item| item.size))
            }),
            Kind::Part {
                item,
                first,
                last,
                result,
            } => {
                if first {
                    self.begin(item)?;
                    self.current = Some((item, Some(Sha1::new())));
                }
                self.more(item, result.map(|()| bytes), last, None)?;
                self.consumer.progress(as_u64(bytes.len()))
            }
            Kind::Solid(solid) => self.solid(bytes, solid),
        }
    }

    fn solid(&mut self, bytes: &[u8], mut done: SolidDone) -> ControlFlow<()> {
        for (index, digest) in done.items {
            let Some(item) = self.items.get(index) else {
                break;
            };
            let wanted = solid_range(item);
            if wanted.start >= done.range.start {
                self.begin(index)?;
                self.current = Some((index, Some(Sha1::new())));
            }
            let failed = done
                .failed
                .iter_mut()
                .find(|(range, _)| range.start < wanted.end && wanted.start < range.end);
            let part = slice(bytes, &done.range, &wanted);
            let result = match failed {
                None => Ok(part),
                // The first blob gets the cause, the others the name of the resource.
                Some((_, error)) => Err(error.take().unwrap_or(ReadError::SolidResource {
                    offset: done.resource,
                    digest: item.digest,
                })),
            };
            self.more(index, result, wanted.end <= done.range.end, digest)?;
            self.consumer.progress(as_u64(part.len()))?;
        }
        ControlFlow::Continue(())
    }

    /// More bytes of the current item; `digest` is known if these are all.
    fn more(
        &mut self,
        index: usize,
        result: Result<&[u8], ReadError>,
        last: bool,
        digest: Option<Digest>,
    ) -> ControlFlow<()> {
        let Some((current, Some(hash))) = &mut self.current else {
            return ControlFlow::Continue(());
        };
        if *current != index {
            return ControlFlow::Continue(());
        }
        match result {
            Ok(bytes) => {
                if digest.is_none() {
                    hash.update(bytes);
                }
                if !bytes.is_empty() {
                    self.consumer.bytes(bytes)?;
                }
                if last {
                    let found = digest.unwrap_or_else(|| Digest(hash.clone().finalize().into()));
                    self.current = None;
                    let result = self
                        .items
                        .get(index)
                        .map_or(Ok(()), |item| check(item, found));
                    self.consumer.end(index, result)?;
                }
            }
            Err(error) => {
                self.current = Some((index, None));
                self.consumer.end(index, Err(error))?;
            }
        }
        ControlFlow::Continue(())
    }
}
