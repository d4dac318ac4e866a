//! What is read in which order, cut into units of work that do not depend on each other.
//!
//! The cut depends on the file alone, never on the number of workers. Blobs of some size and all smaller ones are whole within
//! a unit, so that their hashes are made in parallel; larger ones are cut at chunks. Of a solid resource, the chunks that hold
//! wanted blobs are decoded once each, however many blobs they hold.

use std::ops::Range;
use std::sync::Arc;

use wcow_tree::Digest;

use crate::file::{SolidRun, WimFile};
use crate::layout::Layout;
use crate::number::{as_u64, as_usize};
use crate::{BlobLocation, Budget, ReadError};

/// Uncompressed bytes that a unit has at least, if there are more.
const UNIT: u64 = 1 << 20;
/// The largest blob that is whole within a unit if its bytes are wanted, and not just its hash.
pub(crate) const WHOLE_KEPT: u64 = 2 << 20;
/// The same where only the hash is wanted: such a unit takes next to no memory.
pub(crate) const WHOLE_HASHED: u64 = 16 << 20;

/// One blob to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    /// Which file it is in.
    pub(crate) file: usize,
    pub(crate) location: BlobLocation,
    pub(crate) size: u64,
    pub(crate) digest: Digest,
}

/// All units, in order.
pub(crate) struct Plan<'a> {
    pub(crate) files: &'a [Arc<WimFile>],
    pub(crate) items: Vec<Item>,
    /// Each with the number of its first unit.
    jobs: Vec<(u64, Job)>,
    pub(crate) units: u64,
    /// Items that are in no unit, because they cannot be read, and why; in order.
    pub(crate) failures: Vec<(usize, ReadError)>,
    /// True if no more than the hashes are wanted.
    pub(crate) hash_only: bool,
    /// Uncompressed bytes of the largest unit.
    pub(crate) largest: u64,
}

/// A run of units of one kind.
pub(crate) enum Job {
    /// One unit: blobs in resources of their own.
    Whole(Range<usize>),
    /// The chunks of one blob.
    Parts {
        item: usize,
        layout: Layout,
        per_unit: u64,
    },
    /// Chunks of a solid resource.
    Solid(SolidJob),
}

/// Chunks of one resource of a solid run.
pub(crate) struct SolidJob {
    pub(crate) file: usize,
    pub(crate) run: Arc<SolidRun>,
    /// Which resource of the run.
    pub(crate) resource: usize,
    /// The chunks.
    pub(crate) chunks: Range<u64>,
    pub(crate) per_unit: u64,
    /// The items that have bytes there, one behind the other.
    pub(crate) items: Vec<usize>,
}

/// One unit.
pub(crate) struct Unit<'p> {
    pub(crate) job: &'p Job,
    /// The chunks, for all but [`Job::Whole`].
    pub(crate) chunks: Range<u64>,
}

/// Uncompressed bytes that may still be made.
#[derive(Debug)]
pub(crate) struct OutputBudget {
    pub(crate) left: u64,
    pub(crate) limit: u64,
}

impl OutputBudget {
    pub(crate) fn new(limit: u64) -> Self {
        Self { left: limit, limit }
    }

    /// Takes `needed` bytes for what is at `offset`.
    pub(crate) fn take(&mut self, needed: u64, offset: u64) -> Result<(), ReadError> {
        self.left = self.left.checked_sub(needed).ok_or(ReadError::Budget {
            budget: Budget::Output,
            offset,
            needed: self.limit.saturating_sub(self.left).saturating_add(needed),
            limit: self.limit,
        })?;
        Ok(())
    }
}

/// Where an item is, for the order in which all are read: file, place in the file, place in the solid run.
pub(crate) fn place(
    files: &[Arc<WimFile>],
    file: usize,
    location: &BlobLocation,
) -> (usize, u64, u64) {
    match location {
        BlobLocation::Plain(resource) => (file, resource.offset, 0),
        BlobLocation::Solid { run, offset } => {
            let begin = files
                .get(file)
                .map_or(u64::MAX, |file| file.run_offset(*run));
            (file, begin, *offset)
        }
    }
}

impl<'a> Plan<'a> {
    /// Plans to read `items`, which are sorted by [`place`].
    pub(crate) fn new(
        files: &'a [Arc<WimFile>],
        items: Vec<Item>,
        hash_only: bool,
        budget: &mut OutputBudget,
    ) -> Self {
        let mut planner = Planner {
            plan: Self {
                files,
                items,
                jobs: Vec::new(),
                units: 0,
                failures: Vec::new(),
                hash_only,
                largest: 0,
            },
            whole: 0..0,
            whole_bytes: 0,
            budget,
        };
        let mut at = 0;
        while let Some(item) = planner.plan.items.get(at).copied() {
            at = match item.location {
                BlobLocation::Plain(_) => planner.plain(at, &item),
                BlobLocation::Solid { run, .. } => planner.solid(at, item.file, run),
            };
        }
        planner.flush();
        planner.plan.failures.sort_by_key(|(item, _)| *item);
        planner.plan
    }

    /// The unit with this number.
    pub(crate) fn unit(&self, index: u64) -> Option<Unit<'_>> {
        let at = self.jobs.partition_point(|(first, _)| *first <= index);
        let (first, job) = self.jobs.get(at.checked_sub(1)?)?;
        let index = index - first;
        let (all, per_unit) = match job {
            Job::Whole(_) => (0..1, 1),
            Job::Parts {
                layout, per_unit, ..
            } => (0..layout.chunks, *per_unit),
            Job::Solid(job) => (job.chunks.clone(), job.per_unit),
        };
        let start = all.start.saturating_add(index.saturating_mul(per_unit));
        let chunks = start..start.saturating_add(per_unit).min(all.end);
        Some(Unit { job, chunks })
    }
}

struct Planner<'a, 'b> {
    plan: Plan<'a>,
    /// Small blobs that are to become one unit.
    whole: Range<usize>,
    whole_bytes: u64,
    budget: &'b mut OutputBudget,
}

impl Planner<'_, '_> {
    /// Plans one blob in a resource of its own; returns the next item.
    fn plain(&mut self, at: usize, item: &Item) -> usize {
        let BlobLocation::Plain(resource) = item.location else {
            return at + 1;
        };
        let file = self.plan.files.get(item.file);
        let whole_max = if self.plan.hash_only {
            WHOLE_HASHED
        } else {
            WHOLE_KEPT
        };
        if let Err(error) = self.budget.take(item.size, resource.offset) {
            self.fail(at, error);
        } else if item.size <= whole_max {
            let fits = self.whole.end == at && self.whole_bytes < UNIT;
            if !fits {
                self.flush();
                self.whole = at..at;
            }
            self.whole.end = at + 1;
            self.whole_bytes = self.whole_bytes.saturating_add(item.size);
        } else if let Some(file) = file {
            match file.layout(&resource) {
                Ok(layout) => {
                    let per_unit = (UNIT / layout.chunk_size).max(1);
                    let units = layout.chunks.div_ceil(per_unit);
                    let bytes = layout.chunks_len(0, per_unit);
                    let job = Job::Parts {
                        item: at,
                        layout,
                        per_unit,
                    };
                    self.push(job, units, bytes);
                }
                Err(error) => self.fail(at, error),
            }
        }
        at + 1
    }

    /// Plans all blobs in a row that are in one solid run; returns the next item.
    fn solid(&mut self, first: usize, file: usize, wanted: u32) -> usize {
        self.flush();
        let belongs = |item: &&Item| {
            item.file == file
                && matches!(item.location, BlobLocation::Solid { run, .. } if run == wanted)
        };
        let items = self.plan.items.get(first..).unwrap_or_default();
        let end = first + items.iter().take_while(belongs).count();
        let run = match self.plan.files.get(file).map(|file| file.solid_run(wanted)) {
            Some(Ok(run)) => run,
            Some(Err(error)) => {
                let offset = self
                    .plan
                    .files
                    .get(file)
                    .map_or(0, |file| file.run_offset(wanted));
                self.fail_all(first..end, error, offset);
                return end;
            }
            None => return end,
        };
        let mut cut = SolidCut {
            file,
            run,
            previous: 0..0,
            jobs: Vec::new(),
        };
        for at in first..end {
            if let Some(item) = self.plan.items.get(at).copied()
                && let Err(error) = cut.add(at, &item, self.budget, self.plan.files)
            {
                self.fail(at, error);
            }
        }
        for job in cut.jobs {
            let layout = job
                .run
                .resources
                .get(job.resource)
                .map(|(_, layout)| layout);
            let bytes = layout.map_or(0, |layout| {
                layout.chunks_len(job.chunks.start, job.per_unit)
            });
            let units = (job.chunks.end - job.chunks.start).div_ceil(job.per_unit);
            self.push(Job::Solid(job), units, bytes);
        }
        end
    }

    fn push(&mut self, job: Job, units: u64, bytes: u64) {
        self.flush();
        self.plan.largest = self.plan.largest.max(bytes);
        self.plan.jobs.push((self.plan.units, job));
        self.plan.units = self.plan.units.saturating_add(units);
    }

    /// Ends the unit of small blobs.
    fn flush(&mut self) {
        let whole = std::mem::take(&mut self.whole);
        let bytes = std::mem::take(&mut self.whole_bytes);
        if !whole.is_empty() {
            let kept = if self.plan.hash_only { 0 } else { bytes };
            self.push(Job::Whole(whole), 1, kept);
        }
    }

    fn fail(&mut self, item: usize, error: ReadError) {
        self.plan.failures.push((item, error));
    }

    /// The first of the items gets the error, the others its name.
    fn fail_all(&mut self, items: Range<usize>, error: ReadError, offset: u64) {
        let first = self
            .plan
            .items
            .get(items.start)
            .map_or(Digest::ZERO, |item| item.digest);
        let mut error = Some(error);
        for item in items {
            let error = error.take().unwrap_or(ReadError::SolidResource {
                offset,
                digest: first,
            });
            self.fail(item, error);
        }
    }
}

/// Cuts a solid run into jobs.
struct SolidCut {
    file: usize,
    run: Arc<SolidRun>,
    /// The item before, and where it ends in the run.
    previous: Range<u64>,
    jobs: Vec<SolidJob>,
}

impl SolidCut {
    /// Adds an item; each begins behind the one before.
    fn add(
        &mut self,
        at: usize,
        item: &Item,
        budget: &mut OutputBudget,
        files: &[Arc<WimFile>],
    ) -> Result<(), ReadError> {
        let BlobLocation::Solid { run, offset } = item.location else {
            return Ok(());
        };
        let begin = files.get(self.file).map_or(0, |file| file.run_offset(run));
        let end = offset.saturating_add(item.size);
        if end > self.run.size {
            return Err(ReadError::Resource {
                offset: begin,
                what: format!(
                    "expected blob {} within its {} bytes, found it at {offset} to {end}",
                    item.digest, self.run.size
                ),
            });
        }
        if offset < self.previous.end {
            return Err(ReadError::BlobOverlap {
                offset: begin,
                digest: item.digest,
                start: offset,
                end: self.previous.end,
            });
        }
        // What it needs of each resource that it has bytes in.
        let mut needs = Vec::new();
        let mut cost = 0_u64;
        let mut position = offset;
        while position < end {
            let Some((resource, (start, layout))) = self
                .run
                .resource_at(position)
                .and_then(|index| Some((index, self.run.resources.get(index)?)))
            else {
                break;
            };
            let stop = end.min(start.saturating_add(layout.size));
            let first = (position - start) / layout.chunk_size;
            let chunks = first..(stop - start).div_ceil(layout.chunk_size);
            let planned = self
                .jobs
                .last()
                .filter(|job| job.resource == resource)
                .map_or(first, |job| job.chunks.end.clamp(first, chunks.end));
            cost = cost.saturating_add(layout.chunks_len(planned, chunks.end - planned));
            needs.push((resource, chunks, layout.chunk_size));
            position = stop;
        }
        budget.take(cost, begin)?;
        self.previous = offset..end;
        for (resource, chunks, chunk_size) in needs {
            match self.jobs.last_mut() {
                Some(job) if job.resource == resource && chunks.start <= job.chunks.end => {
                    job.chunks.end = job.chunks.end.max(chunks.end);
                    job.items.push(at);
                }
                _ => self.jobs.push(SolidJob {
                    file: self.file,
                    run: Arc::clone(&self.run),
                    resource,
                    chunks,
                    per_unit: (UNIT / chunk_size).max(1),
                    items: vec![at],
                }),
            }
        }
        Ok(())
    }
}

/// Where an item of a solid run begins and ends in it.
pub(crate) fn solid_range(item: &Item) -> Range<u64> {
    match item.location {
        BlobLocation::Solid { offset, .. } => offset..offset.saturating_add(item.size),
        BlobLocation::Plain(_) => 0..0,
    }
}

/// Bytes of units at a time that any file may have, however small.
const MEMORY: u64 = 128 << 20;
/// How many bytes more for each byte that is stored.
const MEMORY_RATIO: u64 = 2;

/// How many units may be worked at or wait at a time: a few for each worker; where units are large, one more than there are
/// workers, so that the one whose unit is the next but one need not wait. A small file does not get the memory for many large
/// units, whatever it says of itself.
pub(crate) fn window(largest: u64, workers: usize, stored: u64) -> usize {
    let wanted = if largest > as_u64(8 << 20) {
        workers.saturating_add(1)
    } else {
        workers.saturating_mul(2)
    };
    let memory = MEMORY.saturating_add(MEMORY_RATIO.saturating_mul(stored));
    let room = memory.checked_div(largest).unwrap_or(u64::MAX);
    wanted.min(as_usize(room)).max(1)
}
