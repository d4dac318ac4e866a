//! As much of the WIM format as it takes to get at LZMS chunks, and at the hashes of what they hold.

use sha1::{Digest, Sha1};
use wcow_lzms::{DecodeError, Decoder};

/// A resource: its chunks in order, and what it should hold.
pub(crate) struct Resource {
    chunks: Vec<Chunk>,
    blobs: Vec<Blob>,
}

/// One chunk: where it lies in the file, and its size when decoded. Chunks of the same size in both are stored raw.
struct Chunk {
    start: usize,
    stored: usize,
    size: usize,
}

/// A stretch of a resource and its SHA-1.
struct Blob {
    start: usize,
    size: usize,
    sha1: [u8; 20],
}

impl Resource {
    /// Replaces `contents` by those of this resource. Returns the number of chunks that were not stored raw.
    pub(crate) fn decode(
        &self,
        file: &[u8],
        decoder: &mut Decoder,
        contents: &mut Vec<u8>,
    ) -> Result<usize, DecodeError> {
        contents.resize(self.chunks.iter().map(|chunk| chunk.size).sum(), 0);
        let mut decoded = 0;
        let mut rest = &mut contents[..];
        for chunk in &self.chunks {
            let (output, later) = rest.split_at_mut(chunk.size);
            let input = &file[chunk.start..][..chunk.stored];
            if chunk.stored == chunk.size {
                output.copy_from_slice(input);
            } else {
                decoder.decode(input, output)?;
                decoded += 1;
            }
            rest = later;
        }
        Ok(decoded)
    }

    /// True if the contents have the hashes that the file names.
    pub(crate) fn is_sound(&self, contents: &[u8]) -> bool {
        self.blobs
            .iter()
            .all(|blob| Sha1::digest(&contents[blob.start..][..blob.size])[..] == blob.sha1)
    }
}

/// The algorithm bit of LZMS in the file's header. It holds for resources that are not solid.
const HEADER_LZMS: u32 = 0x0008_0000;

const COMPRESSED: u8 = 0x04;
const SOLID: u8 = 0x10;

/// Marks the entry of a solid resource, as opposed to those of its blobs.
const SOLID_RESOURCE: u64 = 1 << 32;

/// The algorithm number of LZMS in a solid resource.
const LZMS: u32 = 3;

/// All LZMS resources of a WIM that was written by a sound program.
pub(crate) fn resources(file: &[u8]) -> Vec<Resource> {
    let chunk_size = u32_at(file, 0x14) as usize;
    let table = Entry::at(file, 0x30);
    let mut found: Vec<Resource> = Vec::new();
    let entries = (0..table.stored / 50).map(|number| table.start + 50 * number);
    for at in entries {
        let entry = Entry::at(file, at);
        let sha1 = file[at + 30..at + 50].try_into().expect("20 bytes");
        if entry.flags & SOLID != 0 {
            if entry.size == SOLID_RESOURCE {
                found.extend(solid(file, &entry));
            } else if let Some(resource) = found.last_mut() {
                resource.blobs.push(Blob {
                    start: entry.start,
                    size: entry.stored,
                    sha1,
                });
            }
        } else if entry.flags & COMPRESSED != 0 && u32_at(file, 0x10) & HEADER_LZMS != 0 {
            let size = entry.size as usize;
            let blob = Blob {
                start: 0,
                size,
                sha1,
            };
            found.push(Resource {
                chunks: plain(file, &entry, chunk_size),
                blobs: vec![blob],
            });
        }
    }
    found
}

struct Entry {
    start: usize,
    stored: usize,
    flags: u8,
    size: u64,
}

impl Entry {
    fn at(file: &[u8], at: usize) -> Self {
        let first = u64_at(file, at);
        Self {
            stored: (first & (u64::MAX >> 8)) as usize,
            flags: (first >> 56) as u8,
            start: u64_at(file, at + 8) as usize,
            size: u64_at(file, at + 16),
        }
    }
}

fn solid(file: &[u8], entry: &Entry) -> Option<Resource> {
    let size = u64_at(file, entry.start) as usize;
    let chunk_size = u32_at(file, entry.start + 8) as usize;
    if u32_at(file, entry.start + 12) != LZMS {
        return None;
    }
    let count = size.div_ceil(chunk_size);
    let mut start = entry.start + 16 + 4 * count;
    let chunks = (0..count).map(|number| {
        let stored = u32_at(file, entry.start + 16 + 4 * number) as usize;
        let chunk = Chunk {
            start,
            stored,
            size: chunk_size.min(size - number * chunk_size),
        };
        start += stored;
        chunk
    });
    Some(Resource {
        chunks: chunks.collect(),
        blobs: Vec::new(),
    })
}

fn plain(file: &[u8], entry: &Entry, chunk_size: usize) -> Vec<Chunk> {
    let size = entry.size as usize;
    let count = size.div_ceil(chunk_size);
    let table = 4 * (count - 1);
    let begin = |number: usize| match number {
        0 => table,
        _ if number == count => entry.stored,
        _ => table + u32_at(file, entry.start + 4 * (number - 1)) as usize,
    };
    let chunks = (0..count).map(|number| Chunk {
        start: entry.start + begin(number),
        stored: begin(number + 1) - begin(number),
        size: chunk_size.min(size - number * chunk_size),
    });
    chunks.collect()
}

fn u32_at(file: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(file[at..at + 4].try_into().expect("4 bytes"))
}

fn u64_at(file: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(file[at..at + 8].try_into().expect("8 bytes"))
}
