//! `wcow wim info`.

use std::path::Path;

use serde::Serialize;
use wcow_wim::{ImageInfo, Wim};

use super::open;
use crate::failure::Failure;
use crate::output::{Output, note, plain, size};

/// Everything that is shown of a WIM file.
#[derive(Serialize)]
struct Shown {
    file: String,
    bytes: u64,
    version: String,
    compression: String,
    chunk_size: u32,
    guid: String,
    part: u16,
    parts: u16,
    boot_index: Option<u32>,
    integrity_table: bool,
    blobs: usize,
    unsupported: Option<String>,
    images: Vec<ShownImage>,
}

/// What is shown of one image.
#[derive(Serialize)]
struct ShownImage {
    index: u32,
    name: Option<String>,
    description: Option<String>,
    directories: Option<u64>,
    files: Option<u64>,
    total_bytes: Option<u64>,
    created: Option<String>,
    modified: Option<String>,
    architecture: Option<String>,
    product_name: Option<String>,
    edition: Option<String>,
    installation_type: Option<String>,
    version: Option<String>,
    branch: Option<String>,
    languages: Vec<String>,
}

/// Shows what a WIM file is.
pub(crate) fn run(file: &Path, xml: bool, output: &Output) -> Result<(), Failure> {
    let wim = open(file)?;
    if xml {
        return Ok(output.text(&format!("{}\n", wim.xml().text()))?);
    }
    let shown = shown(file, &wim);
    if output.is_json() {
        output.json("wim", &[shown])?;
    } else {
        output.text(&for_people(&shown))?;
    }
    for warning in wim.warnings() {
        note(&format!("warning: {warning}"));
    }
    Ok(())
}

fn shown(file: &Path, wim: &Wim) -> Shown {
    let header = wim.header();
    Shown {
        file: file.display().to_string(),
        bytes: wim.file_len(),
        version: format!("{:#x}", header.version),
        compression: header.compression.to_string(),
        chunk_size: header.chunk_size,
        guid: header.guid.to_string(),
        part: header.part,
        parts: header.parts,
        boot_index: wim.boot_index().map(wcow_wim::ImageIndex::get),
        integrity_table: header.has_integrity_table(),
        blobs: wim.blobs().len(),
        unsupported: wim.unsupported().map(|what| what.to_string()),
        images: wim.images().iter().map(image).collect(),
    }
}

fn image(info: &ImageInfo) -> ShownImage {
    let windows = info.windows.clone().unwrap_or_default();
    ShownImage {
        index: info.index.get(),
        name: info.name.clone(),
        description: info.description.clone(),
        directories: info.directories,
        files: info.files,
        total_bytes: info.total_bytes,
        created: info.created.map(|time| time.to_string()),
        modified: info.modified.map(|time| time.to_string()),
        architecture: windows
            .architecture
            .map(|architecture| architecture.to_string()),
        product_name: windows.product_name,
        edition: windows.edition_id,
        installation_type: windows.installation_type,
        branch: windows
            .version
            .as_ref()
            .and_then(|version| version.branch.clone()),
        version: windows.version.map(|version| version.to_string()),
        languages: windows.languages,
    }
}

fn for_people(shown: &Shown) -> String {
    let mut lines = vec![
        ("File", shown.file.clone()),
        (
            "Size",
            format!("{} ({} bytes)", size(shown.bytes), shown.bytes),
        ),
        ("Version", shown.version.clone()),
        ("Compression", compression(shown)),
        ("GUID", shown.guid.clone()),
        ("Part", format!("{} of {}", shown.part, shown.parts)),
        ("Images", shown.images.len().to_string()),
        (
            "Bootable image",
            shown
                .boot_index
                .map_or_else(|| "none".to_owned(), |index| index.to_string()),
        ),
        (
            "Integrity table",
            if shown.integrity_table { "yes" } else { "no" }.to_owned(),
        ),
        ("Blobs", shown.blobs.to_string()),
    ];
    if let Some(what) = &shown.unsupported {
        lines.push(("Not readable yet", what.clone()));
    }
    let mut text = records(&lines);
    for image in &shown.images {
        text.push_str(&format!("\nImage {}\n", image.index));
        let optional = |value: &Option<String>| value.clone().unwrap_or_default();
        let number = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
        let lines: Vec<(&str, String)> = [
            ("  Name", optional(&image.name)),
            ("  Description", optional(&image.description)),
            ("  Windows", optional(&image.version)),
            ("  Product", optional(&image.product_name)),
            ("  Edition", optional(&image.edition)),
            ("  Installation", optional(&image.installation_type)),
            ("  Architecture", optional(&image.architecture)),
            ("  Branch", optional(&image.branch)),
            ("  Languages", image.languages.join(", ")),
            ("  Directories", number(image.directories)),
            ("  Files", number(image.files)),
            (
                "  Bytes",
                image
                    .total_bytes
                    .map_or_else(String::new, |bytes| format!("{} ({bytes})", size(bytes))),
            ),
            ("  Created", optional(&image.created)),
            ("  Modified", optional(&image.modified)),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
        text.push_str(&records(&lines));
    }
    text
}

fn compression(shown: &Shown) -> String {
    if shown.chunk_size == 0 {
        shown.compression.clone()
    } else {
        format!(
            "{}, chunks of {} bytes",
            shown.compression, shown.chunk_size
        )
    }
}

fn records(lines: &[(&str, String)]) -> String {
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    lines
        .iter()
        .map(|(name, value)| format!("{name:<width$}  {}\n", plain(value)))
        .collect()
}
