//! `wcow wim info`.

mod image;
mod text;

use serde::Serialize;
use wcow_wim::{BlobLocation, Header, ImageIndex, IntegritySummary, ResourceHeader, Wim};

use crate::args::WimInfoArgs;
use crate::failure::{Failure, with_causes};
use crate::output::{Output, note};
use image::Image;

/// Everything that is shown of a WIM file, or of a split set.
#[derive(Serialize)]
struct Shown {
    file: String,
    /// Of all parts at hand.
    bytes: u64,
    version: String,
    flags: String,
    flag_names: Vec<&'static str>,
    compression: String,
    chunk_size: u32,
    guid: String,
    part: u16,
    parts: u16,
    parts_at_hand: Vec<u16>,
    parts_missing: Vec<u16>,
    boot_index: Option<u32>,
    pipable: bool,
    read_only: bool,
    rp_fix: bool,
    lookup_table: Extent,
    xml: Extent,
    boot_metadata: Option<Extent>,
    integrity_table: bool,
    integrity: Vec<Integrity>,
    blobs: usize,
    blob_bytes: u64,
    /// What the blobs take in the files, chunk tables included.
    stored_bytes: u64,
    solid_resources: Vec<Solid>,
    superseded_images: u64,
    unsupported: Option<String>,
    /// `TOTALBYTES` in the XML data.
    total_bytes: Option<u64>,
    images: Vec<Image>,
}

/// Where something is in the file.
#[derive(Serialize)]
struct Extent {
    offset: u64,
    stored_bytes: u64,
    bytes: u64,
}

/// An integrity table.
#[derive(Serialize)]
struct Integrity {
    part: u16,
    piece_size: Option<u64>,
    pieces: Option<u64>,
    covered_bytes: Option<u64>,
    problem: Option<String>,
}

/// A solid resource.
#[derive(Serialize)]
struct Solid {
    part: u16,
    offset: u64,
    stored_bytes: u64,
    bytes: Option<u64>,
    compression: Option<String>,
    chunk_size: Option<u64>,
    problem: Option<String>,
}

/// Shows what a WIM file is.
pub(crate) fn run(args: &WimInfoArgs, output: &Output) -> Result<(), Failure> {
    let wim = args.source.open()?;
    if args.xml {
        return Ok(output.text(&format!("{}\n", wim.xml().text()))?);
    }
    let shown = Shown::new(args.source.file.display().to_string(), &wim);
    if output.is_json() {
        output.json("wim", &[shown])?;
    } else {
        output.text(&text::for_people(&shown))?;
    }
    for warning in wim.warnings() {
        note(&format!("warning: {warning}"));
    }
    Ok(())
}

impl Shown {
    fn new(file: String, wim: &Wim) -> Self {
        let header = wim.header();
        let integrity: Vec<Integrity> = wim
            .integrity_tables()
            .map(|(header, table)| Integrity::new(header, &table))
            .collect();
        let solid = solid(wim);
        let blobs = wim.blobs();
        let alone = blobs.iter().map(|blob| match blob.location {
            BlobLocation::Plain(resource) => resource.stored_size,
            // Those in solid resources are counted with these.
            _ => 0,
        });
        let together = solid.iter().map(|solid| solid.stored_bytes);
        let has_boot_metadata = header.boot_metadata != ResourceHeader::default();
        Self {
            file,
            bytes: wim.file_len(),
            version: format!("{:#x}", header.version),
            flags: format!("{:#x}", header.flags),
            flag_names: header.flag_names().collect(),
            compression: header.compression.to_string(),
            chunk_size: header.chunk_size,
            guid: header.guid.to_string(),
            part: header.part,
            parts: header.parts,
            parts_at_hand: wim.headers().map(|header| header.part).collect(),
            parts_missing: wim.missing_parts(),
            boot_index: wim.boot_index().map(ImageIndex::get),
            pipable: header.is_pipable(),
            read_only: header.is_read_only(),
            rp_fix: header.is_rp_fix(),
            lookup_table: Extent::new(&header.lookup_table),
            xml: Extent::new(&header.xml),
            boot_metadata: has_boot_metadata.then(|| Extent::new(&header.boot_metadata)),
            integrity_table: !integrity.is_empty(),
            integrity,
            blobs: blobs.len(),
            blob_bytes: sum(blobs.iter().map(|blob| blob.size)),
            stored_bytes: sum(alone.chain(together)),
            solid_resources: solid,
            superseded_images: wim.superseded_image_count(),
            unsupported: wim.unsupported().map(|what| what.to_string()),
            total_bytes: wim.xml().total_bytes(),
            images: wim
                .images()
                .iter()
                .map(|info| Image::new(info, wim.metadata_resource(info.index)))
                .collect(),
        }
    }
}

impl Extent {
    fn new(resource: &ResourceHeader) -> Self {
        Self {
            offset: resource.offset,
            stored_bytes: resource.stored_size,
            bytes: resource.size,
        }
    }
}

impl Integrity {
    fn new(header: &Header, table: &Result<IntegritySummary, wcow_wim::IntegrityError>) -> Self {
        let summary = table.as_ref().ok();
        Self {
            part: header.part,
            piece_size: summary.map(|table| table.piece_size),
            pieces: summary.map(|table| table.pieces),
            covered_bytes: summary.map(|table| table.covered),
            problem: table.as_ref().err().map(|error| with_causes(error)),
        }
    }
}

fn solid(wim: &Wim) -> Vec<Solid> {
    let resources = wim.solid_resources().into_iter().map(|solid| {
        let form = solid.form.as_ref().ok();
        Solid {
            part: solid.part,
            offset: solid.resource.offset,
            stored_bytes: solid.resource.stored_size,
            bytes: form.map(|form| form.size),
            compression: form.map(|form| form.compression.to_string()),
            chunk_size: form.map(|form| form.chunk_size),
            problem: solid.form.as_ref().err().map(|error| with_causes(error)),
        }
    });
    resources.collect()
}

fn sum(numbers: impl Iterator<Item = u64>) -> u64 {
    numbers.fold(0, u64::saturating_add)
}
