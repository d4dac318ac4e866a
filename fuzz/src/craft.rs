//! WIM files around given bytes, with every other part right: so that a fuzzer gets to the part it is for.

use sha1::{Digest, Sha1};

use crate::field::{set, wide};
use crate::mutate::format::{HEADER, ROW, Resource, at};

/// Larger metadata is cut off here; the fuzzer finds nothing more in larger ones.
pub const MAX_METADATA: usize = 1 << 16;

/// What the one blob of such a file holds.
pub(crate) const BLOB: &[u8] = b"wcow";

/// The parts of a file that are given; the others are good ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    /// The metadata of all images; that of an image with one file if it is not given.
    pub(crate) metadata: Option<Vec<u8>>,
    /// The whole lookup table.
    pub(crate) table: Option<Vec<u8>>,
    pub(crate) xml: Option<Vec<u8>>,
    /// Bytes between the blob and the lookup table.
    pub(crate) between: Vec<u8>,
    pub(crate) integrity: Option<Vec<u8>>,
    /// Images, 1 if it is not given.
    pub(crate) images: Option<u32>,
    /// True for version 0xE00, of files that may hold solid resources.
    pub(crate) solid: bool,
}

impl Parts {
    /// The uncompressed file: header, metadata, the blob "wcow", lookup table, XML data, integrity table.
    pub(crate) fn build(&self) -> Vec<u8> {
        let images = self.images.unwrap_or(1);
        let metadata = self.metadata.clone().unwrap_or_else(one_file);
        let mut file = vec![0; HEADER];
        let mut put = |bytes: &[u8], flags| {
            let resource = Resource {
                stored: wide(bytes.len()),
                flags,
                offset: wide(file.len()),
                size: wide(bytes.len()),
            };
            file.extend(bytes);
            resource
        };
        let mut table = Vec::new();
        let image = put(&metadata, 0x02);
        let blob = put(BLOB, 0);
        for _ in 0..images {
            table.extend(row(&image, &metadata));
        }
        table.extend(row(&blob, BLOB));
        put(&self.between, 0);
        let table = put(self.table.as_ref().unwrap_or(&table), 0x02);
        let xml = put(self.xml.as_ref().unwrap_or(&xml(images)), 0x02);
        let integrity = self.integrity.as_ref().map(|bytes| put(bytes, 0));
        let version = if self.solid { 0xE00 } else { 0x1_0D00 };
        for (at, len, value) in [
            (8, 4, 208),
            (at::VERSION, 4, version),
            (at::FLAGS, 4, 0x80),
            (at::PART, 2, 1),
            (at::PART + 2, 2, 1),
            (at::IMAGES, 4, u64::from(images)),
        ] {
            set(&mut file, at, len, value);
        }
        let places = [
            (at::TABLE, table),
            (at::XML, xml),
            (at::INTEGRITY, integrity.unwrap_or_default()),
        ];
        let head = places
            .iter()
            .map(|(at, resource)| (*at, resource.bytes().to_vec()));
        let head = head.chain([(0, b"MSWIM\0\0\0".to_vec()), (24, vec![0x5A; 16])]);
        for (at, bytes) in head {
            if let Some(place) = file.get_mut(at..at + bytes.len()) {
                place.copy_from_slice(&bytes);
            }
        }
        file
    }
}

/// An uncompressed WIM file of one image, whose metadata resource is the given bytes, and of one blob: "wcow".
#[must_use]
pub fn wim_of_metadata(metadata: &[u8]) -> Vec<u8> {
    let metadata = metadata.get(..MAX_METADATA).unwrap_or(metadata).to_vec();
    Parts {
        metadata: Some(metadata),
        ..Parts::default()
    }
    .build()
}

/// A row of the lookup table for a resource that holds `bytes`.
pub(crate) fn row(resource: &Resource, bytes: &[u8]) -> [u8; ROW] {
    let mut row = [0; ROW];
    let digest = Sha1::digest(bytes);
    let parts = [
        &resource.bytes()[..],
        &1_u16.to_le_bytes(),
        &1_u32.to_le_bytes(),
        &digest,
    ];
    row.copy_from_slice(&parts.concat());
    row
}

/// The XML data of so many images.
pub(crate) fn xml(images: u32) -> Vec<u8> {
    let images: String = (1..=images)
        .map(|index| format!("<IMAGE INDEX=\"{index}\"><NAME>fuzz {index}</NAME></IMAGE>"))
        .collect();
    utf16(&format!("\u{feff}<WIM>{images}</WIM>"))
}

/// UTF-16LE.
pub(crate) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The metadata of an image that holds a root and nothing else.
pub(crate) fn empty_root() -> Vec<u8> {
    [
        &security()[..],
        &entry(0x10, 112, &[], [0; 20], ""),
        &[0; 16],
    ]
    .concat()
}

/// The metadata of an image that holds one file with the blob "wcow", and an alternate stream.
pub(crate) fn one_file() -> Vec<u8> {
    let digest: [u8; 20] = Sha1::digest(BLOB).into();
    let root = entry(0x10, 8 + 104 + 8, &[], [0; 20], "");
    let stream = [
        &48_u64.to_le_bytes()[..],
        &[0; 8],
        &digest,
        &2_u16.to_le_bytes(),
        b"s\0\0\0",
        &[0; 6],
    ]
    .concat();
    let file = entry(0x20, 0, &stream, digest, "file");
    [&security()[..], &root, &[0; 8], &file, &[0; 8]].concat()
}

/// No security descriptors.
pub(crate) fn security() -> [u8; 8] {
    [8, 0, 0, 0, 0, 0, 0, 0]
}

pub(crate) fn entry(
    attributes: u32,
    children: u64,
    streams: &[u8],
    digest: [u8; 20],
    name: &str,
) -> Vec<u8> {
    let name = utf16(name);
    let terminator = if name.is_empty() { 0 } else { 2 };
    let length = (102 + name.len() + terminator).next_multiple_of(8);
    let mut bytes = Vec::new();
    bytes.extend(wide(length).to_le_bytes());
    bytes.extend(attributes.to_le_bytes());
    bytes.extend(u32::MAX.to_le_bytes());
    bytes.extend(children.to_le_bytes());
    bytes.extend([0; 16]);
    bytes.extend(
        [0x01D0_0000_0000_0000_u64; 3]
            .map(u64::to_le_bytes)
            .concat(),
    );
    bytes.extend(digest);
    bytes.extend([0; 12]);
    bytes.extend(u16::from(!streams.is_empty()).to_le_bytes());
    bytes.extend(0_u16.to_le_bytes());
    bytes.extend(u16::try_from(name.len()).unwrap_or(0).to_le_bytes());
    bytes.extend(&name);
    bytes.resize(length, 0);
    bytes.extend(streams);
    bytes
}
