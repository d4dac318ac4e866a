//! A WIM around given metadata bytes, with every hash right: so that a fuzzer gets past the hashes.

use sha1::{Digest, Sha1};

/// Larger metadata is cut off here; the fuzzer finds nothing more in larger ones.
pub const MAX_METADATA: usize = 1 << 16;

/// What the one blob of such a file holds.
pub(crate) const BLOB: &[u8] = b"wcow";

const HEADER_SIZE: usize = 208;

/// An uncompressed WIM file of one image, whose metadata resource is the given bytes, and of one blob: "wcow".
#[must_use]
pub fn wim_of_metadata(metadata: &[u8]) -> Vec<u8> {
    let metadata = metadata.get(..MAX_METADATA).unwrap_or(metadata);
    let xml = xml();
    let mut file = vec![0; HEADER_SIZE];
    let mut table = Vec::new();
    for (bytes, flags) in [(metadata, 0x02_u8), (BLOB, 0)] {
        table.extend(resource(file.len(), bytes.len(), flags));
        table.extend(1_u16.to_le_bytes());
        table.extend(1_u32.to_le_bytes());
        table.extend(Sha1::digest(bytes));
        file.extend(bytes);
    }
    let mut header = Vec::with_capacity(HEADER_SIZE);
    header.extend(b"MSWIM\0\0\0");
    header.extend(
        [208_u32, 0x0001_0D00, 0x80, 0]
            .map(u32::to_le_bytes)
            .concat(),
    );
    header.extend([0x5A; 16]);
    header.extend([1_u16, 1].map(u16::to_le_bytes).concat());
    header.extend(1_u32.to_le_bytes());
    header.extend(resource(file.len(), table.len(), 0x02));
    file.extend(table);
    header.extend(resource(file.len(), xml.len(), 0x02));
    file.extend(xml);
    header.resize(HEADER_SIZE, 0);
    file.splice(..HEADER_SIZE, header);
    file
}

/// A resource header of an uncompressed resource (24 bytes).
fn resource(offset: usize, len: usize, flags: u8) -> [u8; 24] {
    let mut bytes = [0; 24];
    let (offset, len) = (offset as u64, len as u64);
    let fields = [len.to_le_bytes(), offset.to_le_bytes(), len.to_le_bytes()].concat();
    bytes.copy_from_slice(&fields);
    bytes[7] = flags;
    bytes
}

fn xml() -> Vec<u8> {
    let text = "\u{feff}<WIM><IMAGE INDEX=\"1\"><NAME>fuzz</NAME></IMAGE></WIM>";
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}
