//! What is known of a WIM file, as text for people.

use super::image::Image;
use super::{Integrity, Shown, Solid};
use crate::output::{count, plain, size};

/// So many solid resources are listed.
const MAX_SOLID: usize = 8;

/// Lines of `name  value`: the file, then each image.
pub(super) fn for_people(shown: &Shown) -> String {
    let mut text = records(&file(shown));
    for image in &shown.images {
        text.push_str(&format!("\nImage {}\n", image.index));
        text.push_str(&records(&lines_of(image)));
    }
    text
}

type Line = (&'static str, String);

fn file(shown: &Shown) -> Vec<Line> {
    let mut lines = vec![
        ("File", shown.file.clone()),
        ("Size", bytes(shown.bytes)),
        ("Version", shown.version.clone()),
        ("Flags", flags(shown)),
        ("Compression", compression(shown)),
        ("GUID", shown.guid.clone()),
        ("Part", format!("{} of {}", shown.part, shown.parts)),
    ];
    if shown.parts > 1 {
        lines.push(("Parts at hand", numbers(&shown.parts_at_hand)));
    }
    if !shown.parts_missing.is_empty() {
        lines.push(("Parts missing", numbers(&shown.parts_missing)));
    }
    let boot = shown.boot_index.map(|index| index.to_string());
    lines.extend([
        ("Images", shown.images.len().to_string()),
        ("Bootable image", boot.unwrap_or_else(|| "none".to_owned())),
        ("Read-only", yes(shown.read_only)),
        ("Pipable", yes(shown.pipable)),
        ("Link targets fixed", yes(shown.rp_fix)),
        ("Blobs", blobs(shown)),
    ]);
    if shown.superseded_images > 0 {
        let number = count(shown.superseded_images, "image");
        lines.push(("Superseded", format!("{number} that were replaced")));
    }
    lines.push((
        "Solid resources",
        if shown.solid_resources.is_empty() {
            "none".to_owned()
        } else {
            shown.solid_resources.len().to_string()
        },
    ));
    let listed = shown.solid_resources.iter().take(MAX_SOLID);
    lines.extend(listed.map(|solid| ("", solid_resource(solid, shown.parts > 1))));
    let more = shown.solid_resources.len().saturating_sub(MAX_SOLID);
    if more > 0 {
        lines.push(("", format!("and {more} more (--format json has all)")));
    }
    if shown.integrity.is_empty() {
        lines.push(("Integrity table", "no".to_owned()));
    }
    for table in &shown.integrity {
        lines.push(("Integrity table", integrity(table, shown.parts > 1)));
    }
    if let Some(bytes_in_xml) = shown.total_bytes {
        lines.push(("Size in XML", bytes(bytes_in_xml)));
    }
    if let Some(what) = &shown.unsupported {
        lines.push(("Not readable", what.clone()));
    }
    lines
}

fn lines_of(image: &Image) -> Vec<Line> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let number = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
    let size = |value: Option<u64>| value.map_or_else(String::new, bytes);
    let languages = match &image.default_language {
        Some(default) if !image.languages.is_empty() => {
            format!("{} (default {default})", image.languages.join(", "))
        }
        Some(default) => format!("default {default}"),
        None => image.languages.join(", "),
    };
    let version = match (&image.version, image.service_pack) {
        (Some(version), Some(pack)) if pack > 0 => format!("{version}, service pack {pack}"),
        (version, _) => text(version),
    };
    let metadata = match (image.metadata_bytes, image.metadata_stored_bytes) {
        (Some(all), Some(stored)) => format!("{}, {stored} stored", bytes(all)),
        _ => String::new(),
    };
    let lines = vec![
        ("  Name", text(&image.name)),
        ("  Description", text(&image.description)),
        ("  Display name", text(&image.display_name)),
        ("  Display description", text(&image.display_description)),
        ("  Flags", text(&image.flags)),
        ("  Windows", version),
        ("  Product", text(&image.product_name)),
        ("  Edition", text(&image.edition)),
        ("  Installation", text(&image.installation_type)),
        ("  Product type", text(&image.product_type)),
        ("  Product suite", text(&image.product_suite)),
        ("  HAL", text(&image.hal)),
        ("  Architecture", text(&image.architecture)),
        ("  Branch", text(&image.branch)),
        ("  System root", text(&image.system_root)),
        ("  Languages", languages),
        ("  Directories", number(image.directories)),
        ("  Files", number(image.files)),
        ("  Bytes", size(image.total_bytes)),
        ("  Saved by hard links", size(image.hard_link_bytes)),
        ("  Metadata", metadata),
        ("  Created", text(&image.created)),
        ("  Modified", text(&image.modified)),
        (
            "  WIMBoot",
            if image.wimboot {
                yes(true)
            } else {
                String::new()
            },
        ),
    ];
    let has_value = |(_, value): &Line| !value.is_empty();
    lines.into_iter().filter(has_value).collect()
}

fn flags(shown: &Shown) -> String {
    if shown.flag_names.is_empty() {
        return shown.flags.clone();
    }
    format!("{} ({})", shown.flags, shown.flag_names.join(", "))
}

fn compression(shown: &Shown) -> String {
    match shown.chunk_size {
        0 => shown.compression.clone(),
        chunk => format!("{}, chunks of {}", shown.compression, size(chunk.into())),
    }
}

fn blobs(shown: &Shown) -> String {
    format!(
        "{}, {}; {} stored",
        shown.blobs,
        bytes(shown.blob_bytes),
        bytes(shown.stored_bytes)
    )
}

fn solid_resource(solid: &Solid, split: bool) -> String {
    let part = if split {
        format!(" in part {}", solid.part)
    } else {
        String::new()
    };
    let form = match (&solid.compression, solid.chunk_size, solid.bytes) {
        (Some(codec), Some(chunk), Some(all)) => {
            format!("{codec}, chunks of {}, {}", size(chunk), bytes(all))
        }
        _ => format!("damaged: {}", solid.problem.as_deref().unwrap_or_default()),
    };
    format!(
        "at {:#x}{part}: {form}; {} stored",
        solid.offset,
        size(solid.stored_bytes)
    )
}

fn integrity(table: &Integrity, split: bool) -> String {
    let part = if split {
        format!("of part {}: ", table.part)
    } else {
        String::new()
    };
    match (table.piece_size, table.pieces, table.covered_bytes) {
        (Some(piece), Some(pieces), Some(covered)) => format!(
            "{part}yes, {} of {}, {} in all",
            count(pieces, "piece"),
            size(piece),
            size(covered)
        ),
        _ => format!(
            "{part}damaged: {}",
            table.problem.as_deref().unwrap_or_default()
        ),
    }
}

/// `1.5 KiB (1536)`
fn bytes(number: u64) -> String {
    if number < 1024 {
        return format!("{number} bytes");
    }
    format!("{} ({number})", size(number))
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

fn numbers(numbers: &[u16]) -> String {
    /// So many numbers are listed.
    const MAX: usize = 20;
    let listed: Vec<String> = numbers.iter().take(MAX).map(u16::to_string).collect();
    let more = numbers.len().saturating_sub(MAX);
    match more {
        0 => listed.join(", "),
        _ => format!("{} and {more} more", listed.join(", ")),
    }
}

fn records(lines: &[Line]) -> String {
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    lines
        .iter()
        .map(|(name, value)| format!("{name:<width$}  {}\n", plain(value)))
        .collect()
}
