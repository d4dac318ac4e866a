//! Checks a whole file and collects every problem.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

use wcow_ntmeta::{RelPath, WideName};
use wcow_tree::Digest;

use crate::control::{Control, Progress};
use crate::integrity::IntegrityTable;
use crate::metadata::PathBudget;
use crate::number::as_usize;
use crate::plan::Item;
use crate::read::{Consumer, read_items};
use crate::read_at::Input;
use crate::{
    BlobLocation, Image, ImageError, ImageIndex, IntegrityError, ReadError, ResourceHeader,
    Unsupported, Warning, Wim,
};

/// What a verification found.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct VerifyReport {
    /// Everything that is wrong.
    pub problems: Vec<Problem>,
    /// What is unusual, and does not keep the file from being used.
    pub warnings: Vec<Warning>,
    /// Images whose metadata was read.
    pub images: u32,
    /// Blobs that were read.
    pub blobs: u64,
    /// Uncompressed bytes of these blobs.
    pub bytes: u64,
    /// True if there is an integrity table (in every part of a split set), and all of it was checked.
    pub integrity_checked: bool,
    /// True if the verification was cancelled: the report tells what was found until then.
    pub cancelled: bool,
}

impl VerifyReport {
    /// True if nothing is wrong; warnings do not count.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.problems.is_empty() && !self.cancelled
    }

    /// The part of the format that kept the file from being verified, if that is what happened.
    #[must_use]
    pub fn unsupported(&self) -> Option<&Unsupported> {
        self.problems.iter().find_map(|problem| match problem {
            Problem::Unsupported { what }
            | Problem::Image(ImageError::Unsupported { what })
            | Problem::Blob {
                source: ReadError::Unsupported { what },
                ..
            } => Some(what),
            _ => None,
        })
    }
}

/// One thing that is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file as a whole cannot be verified.
    #[error("{what} cannot be verified")]
    Unsupported {
        /// What it is.
        what: Unsupported,
    },
    /// Not all parts of a split set were given.
    #[error(
        "{given} of the {total} parts of the split set were given: what the others hold was not checked"
    )]
    MissingParts {
        /// How many parts are at hand.
        given: usize,
        /// How many parts there are.
        total: u16,
    },
    /// The integrity table is damaged, or has found damage.
    #[error("integrity table")]
    Integrity(#[source] IntegrityError),
    /// An image cannot be read.
    #[error(transparent)]
    Image(ImageError),
    /// A blob cannot be read.
    #[error("blob {digest}")]
    Blob {
        /// The blob.
        digest: Digest,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// Two resources claim the same bytes of the file.
    #[error("{what}: expected bytes of its own at offset {offset:#x}, found those of {other}")]
    Overlap {
        /// What begins within the other.
        what: Extent,
        /// Where it begins.
        offset: u64,
        /// The other one.
        other: Extent,
    },
    /// A stream's blob is in no file at hand.
    #[error("image {image}: blob {digest} is missing, which `{path}`{} needs{}", stream_name(stream), others(*count))]
    Missing {
        /// The image.
        image: ImageIndex,
        /// The first file that needs it.
        path: RelPath,
        /// The stream of that file; empty for its own data.
        stream: WideName,
        /// The blob.
        digest: Digest,
        /// How many streams of the image need it.
        count: u64,
    },
    /// So much is missing that not every path can be told.
    #[error("image {image}: {blobs} further blobs are missing")]
    FurtherMissing {
        /// The image.
        image: ImageIndex,
        /// How many further blobs.
        blobs: u64,
    },
}

/// What has bytes of the file to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extent {
    /// A blob, or the metadata of an image.
    Blob(Digest),
    /// The solid resource that begins at this offset.
    Solid(u64),
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blob(digest) => write!(f, "blob {digest}"),
            Self::Solid(offset) => write!(f, "the solid resource at offset {offset:#x}"),
        }
    }
}

fn stream_name(name: &WideName) -> String {
    if name.is_empty() {
        String::new()
    } else {
        format!(" (stream `{name}`)")
    }
}

fn others(count: u64) -> String {
    if count > 1 {
        format!(", and {} others", count - 1)
    } else {
        String::new()
    }
}

/// Checks a whole WIM and collects every problem.
///
/// Checked are the integrity table, the metadata of every image, that every stream's blob is there, that no two resources share
/// bytes of the file, and the SHA-1 of every blob. Of [references](crate::Options::references), the blobs that the images need
/// are read too; those that a [`BlobResolver`](crate::BlobResolver) has are looked up, and not read.
///
/// ```
/// # use std::io::Cursor;
/// # use wcow_ntmeta::Guid;
/// # use wcow_tree::memory::MemoryTree;
/// # use wcow_wim::{NewImage, WriteOptions, write_uncompressed};
/// use std::num::NonZeroUsize;
/// use wcow_wim::Wim;
/// # let mut tree = MemoryTree::new().file(r"Windows\win.ini", "[fonts]");
/// # let mut out = Cursor::new(Vec::new());
/// # write_uncompressed(&mut out, vec![NewImage::new("Nano", &mut tree)], &WriteOptions::new(Guid::from_u128(1)))?;
/// # let mut file = out.into_inner();
///
/// let sound = Wim::open(file.clone())?;
/// let mut bytes = 0;
/// let report = sound
///     .verifier()
///     .workers(NonZeroUsize::new(2).expect("2 is not 0"))
///     .progress(&mut |progress| bytes = progress.done)
///     .run();
/// assert!(report.is_ok());
/// assert_eq!((report.blobs, report.bytes, bytes), (1, 7, 7));
///
/// let at = file.windows(7).position(|window| window == b"[fonts]").expect("it is stored as it is");
/// file[at] = b'(';
/// let problems = Wim::open(file)?.verifier().run().problems;
/// assert!(problems[0].to_string().starts_with("blob "));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Verifier<'a> {
    wim: &'a Wim,
    workers: NonZeroUsize,
    control: Control<'a>,
}

impl Wim {
    /// What checks this WIM.
    #[must_use]
    pub fn verifier(&self) -> Verifier<'_> {
        Verifier {
            wim: self,
            workers: self.options().workers,
            control: Control::default(),
        }
    }
}

impl<'a> Verifier<'a> {
    /// Uses so many threads. The report does not depend on it.
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

    /// Stops soon after `cancel` has become true.
    #[must_use]
    pub fn cancel(mut self, cancel: &'a AtomicBool) -> Self {
        self.control.cancel = Some(cancel);
        self
    }

    /// Checks everything.
    #[must_use]
    pub fn run(mut self) -> VerifyReport {
        let wim = self.wim;
        let mut report = VerifyReport {
            warnings: wim.warnings().to_vec(),
            ..VerifyReport::default()
        };
        if let Some(what) = wim.unsupported() {
            report.problems.push(Problem::Unsupported { what });
            return report;
        }
        let (given, total) = (wim.own_files().len(), wim.header().parts);
        if given < usize::from(total) {
            report.problems.push(Problem::MissingParts { given, total });
        }
        let tables: Vec<_> = wim
            .own_files()
            .iter()
            .filter(|file| file.header.has_integrity_table())
            .map(|file| (file, IntegrityTable::read(&file.input, &file.header)))
            .collect();
        let covered = tables
            .iter()
            .flat_map(|(_, table)| table)
            .map(IntegrityTable::covered);
        let blobs = wim.blobs().iter().map(|blob| blob.size);
        self.control.state.total = covered.chain(blobs).fold(0, u64::saturating_add);

        report.integrity_checked = tables.len() == given;
        for (file, table) in tables {
            self.integrity(&file.input, table, &mut report);
        }
        if report.cancelled {
            return report;
        }
        let referenced = verify_images(wim, &mut report);
        self.blobs(&referenced, &mut report);
        report
    }

    fn integrity(
        &mut self,
        file: &Input,
        table: Result<IntegrityTable, IntegrityError>,
        report: &mut VerifyReport,
    ) {
        match table {
            Ok(table) => table.check(file, self.workers, |len, error| {
                report.problems.extend(error.map(Problem::Integrity));
                let flow = self.control.advance(len);
                report.cancelled |= flow.is_break();
                flow
            }),
            Err(error) => {
                report.integrity_checked = false;
                report.problems.push(Problem::Integrity(error));
            }
        }
    }

    /// Reads all blobs of the WIM's own, and `referenced` ones.
    fn blobs(&mut self, referenced: &[Item], report: &mut VerifyReport) {
        let wim = self.wim;
        let mut items = alone(wim, report);
        items.extend_from_slice(referenced);
        wim.sort(&mut items);
        self.control
            .add_total(referenced.iter().map(|item| item.size));
        let mut check = Check {
            items: items.clone(),
            report,
            control: &mut self.control,
        };
        let mut budget = wim.output_budget();
        let flow = read_items(
            wim.files(),
            items,
            true,
            self.workers,
            &mut budget,
            wim.pool(),
            &mut check,
        );
        report.cancelled |= flow.is_break();
    }
}

/// Notes what becomes of each blob.
struct Check<'a, 'p> {
    items: Vec<Item>,
    report: &'a mut VerifyReport,
    control: &'a mut Control<'p>,
}

impl Consumer for Check<'_, '_> {
    fn begin(&mut self, _: usize) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn bytes(&mut self, _: &[u8]) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn end(&mut self, item: usize, result: Result<(), ReadError>) -> ControlFlow<()> {
        let Some(item) = self.items.get(item) else {
            return ControlFlow::Continue(());
        };
        match result {
            Ok(()) => {
                self.report.blobs += 1;
                self.report.bytes = self.report.bytes.saturating_add(item.size);
            }
            Err(source) => self.report.problems.push(Problem::Blob {
                digest: item.digest,
                source,
            }),
        }
        ControlFlow::Continue(())
    }

    fn progress(&mut self, bytes: u64) -> ControlFlow<()> {
        self.control.advance(bytes)
    }
}

/// Reads the metadata of all images. Returns the blobs that they need of other files.
fn verify_images(wim: &Wim, report: &mut VerifyReport) -> Vec<Item> {
    let mut referenced = BTreeMap::new();
    if wim.header().part != 1 {
        return Vec::new();
    }
    // Images that share their metadata could make a small file take forever, so it is read once.
    let mut read: BTreeMap<u64, (ResourceHeader, Digest)> = BTreeMap::new();
    let end_of = |resource: &ResourceHeader| {
        let size = resource.stored_size.max(1);
        resource.offset.saturating_add(size)
    };
    for info in wim.images() {
        if let Some(row) = wim.metadata_row(info.index) {
            let (resource, digest) = (row.resource, row.digest);
            if read.get(&resource.offset) == Some(&(resource, digest)) {
                report.images += 1;
                continue;
            }
            let before = read.range(..end_of(&resource)).next_back();
            if let Some((_, (_, other))) =
                before.filter(|(_, (before, _))| end_of(before) > resource.offset)
            {
                report.problems.push(Problem::Overlap {
                    what: Extent::Blob(digest),
                    offset: resource.offset,
                    other: Extent::Blob(*other),
                });
                continue;
            }
            read.insert(resource.offset, (resource, digest));
        }
        match wim.image(info.index) {
            Ok(image) => {
                report.images += 1;
                report.warnings.extend_from_slice(image.warnings());
                // What is in a part that was not given is told once, not for each blob.
                if wim.missing_parts().is_empty() {
                    report.problems.extend(missing_blobs(&image));
                }
                if wim.files().len() > wim.own_files().len() {
                    add_referenced(wim, &image, &mut referenced);
                }
            }
            Err(error) => report.problems.push(Problem::Image(error)),
        }
    }
    referenced.into_values().collect()
}

/// Adds the blobs of other files that an image needs.
fn add_referenced(wim: &Wim, image: &Image, referenced: &mut BTreeMap<Digest, Item>) {
    let streams = image.nodes().flat_map(|node| image.streams(node));
    for stream in streams {
        let digest = &stream.digest;
        if !digest.is_zero()
            && wim.find_blob(digest).is_none()
            && let Some(item) = wim.locate(digest)
        {
            referenced.insert(*digest, item);
        }
    }
}

/// The blobs whose resources have their bytes of the file to themselves; the others are reported.
///
/// Resources that overlap could make a small file take forever.
fn alone(wim: &Wim, report: &mut VerifyReport) -> Vec<Item> {
    let mut items = Vec::with_capacity(wim.blobs().len());
    // Where the solid runs are in their file, and whether they are read.
    let mut runs: BTreeMap<(usize, u32), bool> = BTreeMap::new();
    let mut extents = Vec::new();
    for blob in wim.blobs() {
        let item = wim.item(0, blob);
        match item.location {
            BlobLocation::Plain(resource) => {
                extents.push((item.file, resource, Who::Plain(items.len())));
            }
            BlobLocation::Solid { run, .. } => {
                runs.insert((item.file, run), true);
            }
        }
        items.push(item);
    }
    for (file, run) in runs.keys() {
        let headers = wim
            .files()
            .get(*file)
            .and_then(|file| file.solid_runs.get(as_usize(u64::from(*run))));
        for resource in headers.into_iter().flatten() {
            extents.push((*file, *resource, Who::Solid(*run)));
        }
    }
    extents.sort_by_key(|(file, resource, _)| (*file, resource.offset, resource.stored_size));
    let extent = |resource: &ResourceHeader, who: Who| match who {
        Who::Plain(index) => {
            Extent::Blob(items.get(index).map_or(Digest::ZERO, |item| item.digest))
        }
        Who::Solid(_) => Extent::Solid(resource.offset),
    };
    let mut refused = vec![false; items.len()];
    let mut previous: Option<(usize, u64, Extent)> = None;
    for (file, resource, who) in extents {
        let found = extent(&resource, who);
        let within = previous.filter(|(before, end, _)| *before == file && resource.offset < *end);
        if let Some((_, _, other)) = within {
            report.problems.push(Problem::Overlap {
                what: found,
                offset: resource.offset,
                other,
            });
            match who {
                Who::Plain(index) => {
                    if let Some(refused) = refused.get_mut(index) {
                        *refused = true;
                    }
                }
                Who::Solid(run) => {
                    runs.insert((file, run), false);
                }
            }
            continue;
        }
        previous = Some((file, resource.end(), found));
    }
    let mut refused = refused.into_iter();
    items.retain(|item| {
        let refused = refused.next().unwrap_or(false);
        let run_is_read = match item.location {
            BlobLocation::Solid { run, .. } => runs.get(&(item.file, run)).copied().unwrap_or(true),
            BlobLocation::Plain(_) => true,
        };
        !refused && run_is_read
    });
    items
}

#[derive(Clone, Copy)]
enum Who {
    /// The blob at this place in the list.
    Plain(usize),
    Solid(u32),
}

/// The blobs that an image needs and that are nowhere.
fn missing_blobs(image: &Image) -> Vec<Problem> {
    let mut missing = BTreeMap::new();
    for node in image.nodes() {
        for stream in image.streams(node) {
            if image.stream_len(stream).is_none() {
                missing.entry(stream.digest).or_insert((node, stream, 0)).2 += 1;
            }
        }
    }
    let mut budget = PathBudget::default();
    let mut problems = Vec::new();
    let mut further = 0;
    for (digest, (node, stream, count)) in missing {
        if budget.take(image, node) {
            let stream = stream.name.clone().unwrap_or_default();
            problems.push(Problem::Missing {
                image: image.index(),
                path: image.path(node),
                stream,
                digest,
                count,
            });
        } else {
            further += 1;
        }
    }
    if further > 0 {
        problems.push(Problem::FurtherMissing {
            image: image.index(),
            blobs: further,
        });
    }
    problems
}
