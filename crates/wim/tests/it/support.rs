//! WIMs built in code, and tools to damage them.

use sha1::{Digest as _, Sha1};
use wcow_ntmeta::{FileAttributes, FileTime, Guid, ReparsePoint, SecurityDescriptor, WideName};
use wcow_tree::memory::MemoryTree;
use wcow_tree::{Digest, Times};
use wcow_wim::{
    ImageIndex, NewImage, OpenError, VerifyReport, Wim, WriteOptions, write_uncompressed,
};

/// Offset of the flags in the header.
pub(crate) const FLAGS: usize = 0x10;
/// Offset of the chunk size in the header.
pub(crate) const CHUNK_SIZE: usize = 0x14;
/// Offset of the lookup table's resource header in the header.
pub(crate) const LOOKUP_TABLE: usize = 0x30;
/// Offset of the XML data's resource header in the header.
pub(crate) const XML: usize = 0x48;

/// The first image.
pub(crate) fn first() -> ImageIndex {
    ImageIndex::new(1).expect("1 is an index")
}

/// A tree with everything that a WIM can hold.
pub(crate) fn rich_tree() -> MemoryTree {
    let times = Times {
        created: FileTime::from_ticks(130_840_374_550_510_000),
        accessed: FileTime::from_ticks(2),
        written: FileTime::from_ticks(u64::MAX),
    };
    let system = SecurityDescriptor::from_sddl("O:SYG:SYD:(A;;FA;;;SY)").expect("valid");
    let users = SecurityDescriptor::from_sddl("O:BAG:BAD:(A;;FA;;;BA)(A;;FR;;;BU)").expect("valid");
    let symlink = ReparsePoint::symlink(WideName::from("win.ini"), WideName::from("win.ini"), true);
    let junction = ReparsePoint::mount_point(
        WideName::from(r"\??\C:\Windows"),
        WideName::from(r"C:\Windows"),
    );
    MemoryTree::new()
        .dir(r"Windows\System32\empty")
        .file(r"Windows\win.ini", "[fonts]")
        .stream(r"Windows\win.ini", "Zone.Identifier", "ZoneId=3")
        .hard_link(r"Windows\System32\win.ini", r"Windows\win.ini")
        .file(r"Windows\copy.ini", "[fonts]")
        .file(r"Windows\nothing.txt", "")
        .stream(r"Windows\nothing.txt", "only", "a stream")
        .stream(r"Windows\System32", "folder", "a stream of a folder")
        .file("LONGNA~1.TXT", "x")
        .short_name(r"Windows\System32", "SYSTEM~1")
        .file(r"Program Files\a b", vec![7; 100_000])
        .reparse("link.ini", symlink.expect("short"))
        .dir("junction")
        .reparse("junction", junction.expect("short"))
        .attributes(
            r"Windows\win.ini",
            FileAttributes::HIDDEN | FileAttributes::SYSTEM | FileAttributes::ARCHIVE,
        )
        .times(r"Windows\win.ini", times)
        .times(r"Windows", times)
        .security(r"Windows", system.clone())
        .security(r"Windows\System32", users)
        .security(r"Windows\copy.ini", system)
        .file(
            wcow_ntmeta::RelPath::root().join(WideName::from_units(vec![0xD800, 0x41])),
            "lone surrogate",
        )
        .file("Ünïcödé ☃", "snow")
}

/// A small tree.
pub(crate) fn small_tree() -> MemoryTree {
    MemoryTree::new()
        .file(r"dir\a.txt", "first")
        .file(r"dir\b.txt", "second")
        .file("c.txt", "third")
}

/// Options with a fixed GUID.
pub(crate) fn options() -> WriteOptions {
    WriteOptions::new(Guid::from_bytes([7; 16]))
}

/// A WIM of one image.
#[track_caller]
pub(crate) fn wim_of(tree: &MemoryTree) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    let mut tree = tree.clone();
    write_uncompressed(&mut out, vec![NewImage::new("one", &mut tree)], &options())
        .expect("the tree can be written");
    out.into_inner()
}

/// Opens a WIM that is in memory.
pub(crate) fn open(bytes: &[u8]) -> Result<Wim, OpenError> {
    Wim::open(bytes.to_vec())
}

/// Everything that is wrong with a file.
pub(crate) fn verify(wim: &Wim) -> VerifyReport {
    wim.verifier().run()
}

/// The tree of an image.
#[track_caller]
pub(crate) fn tree_of(wim: &Wim, index: ImageIndex) -> MemoryTree {
    let image = wim.image(index).expect("the image can be read");
    MemoryTree::collect(&mut wim.extractor(&image)).expect("the image can be sent")
}

/// An error with all its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The problems of a file, one line each.
pub(crate) fn problems(bytes: &[u8]) -> String {
    match open(bytes) {
        Ok(wim) => verify(&wim)
            .problems
            .iter()
            .map(|problem| chain(problem))
            .collect::<Vec<_>>()
            .join("\n"),
        Err(error) => format!("not opened: {}", chain(&error)),
    }
}

/// The `u64` at `at`.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"))
}

/// Writes `value` at `at`.
pub(crate) fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// Position of row `index` of the lookup table.
pub(crate) fn row_at(bytes: &[u8], index: usize) -> usize {
    usize::try_from(u64_at(bytes, LOOKUP_TABLE + 8)).expect("small") + 50 * index
}

/// A resource header.
pub(crate) fn resource(stored: usize, flags: u8, offset: usize, size: usize) -> [u8; 24] {
    let mut bytes = [0; 24];
    put(&mut bytes, 0, &(stored as u64).to_le_bytes());
    bytes[7] = flags;
    put(&mut bytes, 8, &(offset as u64).to_le_bytes());
    put(&mut bytes, 16, &(size as u64).to_le_bytes());
    bytes
}

pub(crate) fn sha1(bytes: &[u8]) -> Digest {
    Digest(Sha1::digest(bytes).into())
}

/// The metadata of the only image.
pub(crate) fn metadata(bytes: &[u8]) -> Vec<u8> {
    let row = row_at(bytes, 0);
    let (offset, size) = (
        u64_at(bytes, row + 8) as usize,
        u64_at(bytes, row + 16) as usize,
    );
    bytes[offset..offset + size].to_vec()
}

/// The same file with other metadata, at its end.
pub(crate) fn with_metadata(bytes: &[u8], metadata: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let row = row_at(&bytes, 0);
    let header = resource(metadata.len(), 2, bytes.len(), metadata.len());
    put(&mut bytes, row, &header);
    put(&mut bytes, row + 30, &sha1(metadata).0);
    bytes.extend_from_slice(metadata);
    bytes
}

/// The same file with other XML data, at its end.
pub(crate) fn with_xml(bytes: &[u8], xml: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let header = resource(xml.len(), 2, bytes.len(), xml.len());
    put(&mut bytes, XML, &header);
    bytes.extend_from_slice(xml);
    bytes
}

/// Text as UTF-16LE.
pub(crate) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Bytes that shrink: runs of a few bytes each.
pub(crate) fn runs(seed: u64, len: usize) -> Vec<u8> {
    let mut state = 2 * seed + 1;
    let mut bytes = Vec::new();
    while bytes.len() < len {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let run = 1 + (state >> 33) as usize % 3000;
        bytes.extend(vec![(state >> 57) as u8 & 0x3F; run.min(len - bytes.len())]);
    }
    bytes
}

/// Bytes that do not shrink.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}
