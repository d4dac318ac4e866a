//! What to do about a file that is not there, or that is no WIM file.

use std::fs::File;
use std::path::Path;

use wcow_ntmeta::WideName;
use wcow_wim::ReadAt;

use super::near::distance;
use crate::output::plain;

/// So many files are told.
const MAX_TOLD: usize = 3;
/// No more entries of a folder than this are looked at.
const MAX_ENTRIES: usize = 10_000;
/// The endings of WIM files, parts of split sets and solid ones included.
const ENDINGS: [&str; 3] = ["wim", "swm", "esd"];
/// Where Windows media have their WIM files.
const ON_MEDIA: &str = "the installation media of Windows have theirs in the folder `sources`: install.wim or install.esd";

/// Files of other kinds that are taken for WIM files: what a file of the kind has at an offset, and what to do with it.
const OTHERS: [(u64, &[u8], &str); 9] = [
    (0x8001, b"CD001", ISO),
    (0x8001, b"BEA01", ISO),
    (0, b"vhdxfile", DISK),
    (0, b"conectix", DISK),
    (
        0,
        b"MSCF",
        "it is a cabinet; WIM files in it, if any, have to be taken out first",
    ),
    (
        0,
        b"PK\x03\x04",
        "it is a ZIP archive; a WIM file in it has to be taken out first",
    ),
    (
        0,
        b"7z\xBC\xAF\x27\x1C",
        "it is a 7z archive; a WIM file in it has to be taken out first",
    ),
    (
        0,
        b"\x1F\x8B",
        "it is a file compressed by gzip; layers of container images are such, and no WIM files",
    ),
    (
        0,
        b"MZ",
        "it is a program; one that extracts itself may have a WIM file in it, which has to be taken out first",
    ),
];
const ISO: &str = "it is a disc image; take the WIM file out of it first, as with `7z x FILE sources/install.wim` (or install.esd)";
const DISK: &str = "it is a virtual disk, which has no WIM file's form; DISM captures a WIM file from one (`/Capture-Image`)";

/// For a file that is not there: the WIM files that lie where it was looked for, or where else to look.
pub(super) fn for_missing(path: &Path) -> String {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let wanted = path.file_name().unwrap_or_default().to_string_lossy();
    in_folder(folder, &wanted).unwrap_or_else(|| {
        if folder.is_dir() {
            ON_MEDIA.to_owned()
        } else {
            format!("there is no folder {} either", folder.display())
        }
    })
}

/// For a folder where a file is expected.
pub(super) fn for_folder(folder: &Path) -> String {
    in_folder(folder, "").unwrap_or_else(|| ON_MEDIA.to_owned())
}

/// The WIM files in a folder, first those with names like the wanted one.
fn in_folder(folder: &Path, wanted: &str) -> Option<String> {
    let is_wim = |path: &Path| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        ending.is_some_and(|ending| ENDINGS.iter().any(|one| one.eq_ignore_ascii_case(ending)))
    };
    let entries = folder.read_dir().ok()?.take(MAX_ENTRIES).flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| is_wim(&entry.path()) && entry.path().is_file())
        .map(|entry| plain(&entry.file_name().to_string_lossy()))
        .collect();
    let wanted = WideName::from(wanted).upcased();
    names.sort_by_cached_key(|name| {
        let distance = distance(wanted.units(), name.encode_utf16());
        (distance.unwrap_or(usize::MAX), name.clone())
    });
    let more = names.len().saturating_sub(MAX_TOLD);
    names.truncate(MAX_TOLD);
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!names.is_empty()).then(|| {
        let place = if folder == Path::new(".") {
            "this folder".to_owned()
        } else {
            folder.display().to_string()
        };
        format!("in {place} there are: {}{more}", names.join(", "))
    })
}

/// For a file that does not begin as a WIM file does.
pub(super) fn for_another_kind(path: &Path) -> &'static str {
    let file = File::open(path).ok();
    let has = |offset: u64, magic: &[u8]| {
        let mut bytes = vec![0; magic.len()];
        let read = file
            .as_ref()
            .is_some_and(|file| file.read_at(offset, &mut bytes).is_ok());
        read && bytes == magic
    };
    let other = OTHERS.iter().find(|(offset, magic, _)| has(*offset, magic));
    other.map_or(ON_MEDIA, |(.., help)| help)
}
