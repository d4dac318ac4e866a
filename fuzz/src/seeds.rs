//! Inputs for the fuzzers to start from: some made in code, some cut out of WIM files.

use sha1::{Digest, Sha1};
use wcow_hive::{HiveBuilder, ValueKind, empty_hive};

use crate::craft::{BLOB, wim_of_metadata};

/// A seed: the target it is for, a name that is unique there, and the bytes.
pub type Seed = (&'static str, String, Vec<u8>);

/// Most chunks that are cut out of one file.
const CHUNKS_PER_FILE: usize = 24;

/// Larger chunks only make the fuzzer slow.
const LARGEST_CHUNK: usize = 1 << 16;

/// Seeds that need no file.
#[must_use]
pub fn made() -> Vec<Seed> {
    let mut seeds: Vec<Seed> = Vec::new();
    let mut add = |target, name: &str, bytes| seeds.push((target, name.to_owned(), bytes));
    add(
        "lzx",
        "uncompressed-block",
        [&[0, 2, 0, 0][..], LZX_UNCOMPRESSED].concat(),
    );
    add("lzx", "nothing", vec![0, 0, 0, 0]);
    add(
        "xpress",
        "two-symbols",
        [&[3, 0][..], &xpress_two_symbols()].concat(),
    );
    add("hive", "empty", empty_hive("EMPTY"));
    add("hive", "small", small_hive());
    add("metadata", "empty-root", empty_root());
    add("metadata", "one-file", one_file());
    add("wim_open", "empty-root", wim_of_metadata(&empty_root()));
    add("wim_open", "one-file", wim_of_metadata(&one_file()));
    add("wim_open", "no-metadata", wim_of_metadata(&[]));
    seeds
}

/// Seeds out of a WIM file: itself if it is small, its first chunks, its metadata if that is not compressed. `name` becomes a part of
/// their names. Anything that is no WIM file gives none.
#[must_use]
pub fn cut_from(name: &str, file: &[u8]) -> Vec<Seed> {
    let mut seeds: Vec<Seed> = Vec::new();
    if file.starts_with(b"MSWIM") && file.len() <= 1 << 16 {
        seeds.push(("wim_open", name.to_owned(), file.to_vec()));
    }
    if file.starts_with(b"regf") && file.len() <= 1 << 16 {
        seeds.push(("hive", name.to_owned(), file.to_vec()));
    }
    let Some(wim) = Wim::read(file) else {
        return seeds;
    };
    let mut chunks = 0;
    for (number, resource) in wim.resources.iter().enumerate() {
        if resource.is_metadata && !resource.is_compressed {
            let bytes = resource
                .stored
                .get(..crate::MAX_METADATA)
                .unwrap_or(resource.stored);
            seeds.push(("metadata", format!("{name}-{number}"), bytes.to_vec()));
        }
        let Some(codec) = wim.codec.filter(|_| resource.is_compressed) else {
            continue;
        };
        for (index, (chunk, size)) in resource.chunks(wim.chunk_size).into_iter().enumerate() {
            if chunks < CHUNKS_PER_FILE && chunk.len() < size && chunk.len() <= LARGEST_CHUNK {
                chunks += 1;
                seeds.push((
                    codec.target(),
                    format!("{name}-{number}-{index}"),
                    codec.seed(chunk, size, wim.chunk_size),
                ));
            }
        }
    }
    seeds
}

#[derive(Clone, Copy)]
enum Codec {
    Lzx,
    Xpress,
}

impl Codec {
    fn target(self) -> &'static str {
        match self {
            Self::Lzx => "lzx",
            Self::Xpress => "xpress",
        }
    }

    fn seed(self, chunk: &[u8], size: usize, chunk_size: usize) -> Vec<u8> {
        let less_one = (size - 1).to_le_bytes();
        let head = match self {
            Self::Lzx => {
                let window =
                    u8::try_from(chunk_size.trailing_zeros().saturating_sub(15)).unwrap_or(0);
                vec![window, less_one[0], less_one[1], less_one[2]]
            }
            Self::Xpress => vec![less_one[0], less_one[1]],
        };
        [head.as_slice(), chunk].concat()
    }
}

/// Only as much of a WIM file as it takes to cut chunks out of a good one.
struct Wim<'f> {
    codec: Option<Codec>,
    chunk_size: usize,
    resources: Vec<Resource<'f>>,
}

struct Resource<'f> {
    stored: &'f [u8],
    size: usize,
    is_metadata: bool,
    is_compressed: bool,
}

impl<'f> Wim<'f> {
    fn read(file: &'f [u8]) -> Option<Self> {
        if !file.starts_with(b"MSWIM\0\0\0") {
            return None;
        }
        let flags = number(file, 16, 4)?;
        let codec = match flags {
            _ if flags & 0x4_0000 != 0 => Some(Codec::Lzx),
            _ if flags & 0x22_0000 != 0 => Some(Codec::Xpress),
            _ => None,
        };
        let table = Resource::read(file, file.get(0x30..)?)?;
        let resources = table
            .stored
            .chunks_exact(50)
            .filter_map(|entry| Resource::read(file, entry))
            .collect();
        Some(Self {
            codec,
            chunk_size: number(file, 20, 4)?,
            resources,
        })
    }
}

impl<'f> Resource<'f> {
    fn read(file: &'f [u8], header: &[u8]) -> Option<Self> {
        let flags = number(header, 7, 1)?;
        if flags & 0x10 != 0 {
            return None;
        }
        let (stored, offset, size) = (
            number(header, 0, 7)?,
            number(header, 8, 8)?,
            number(header, 16, 8)?,
        );
        let stored = file.get(offset..offset.checked_add(stored)?)?;
        Some(Self {
            stored,
            size,
            is_metadata: flags & 0x02 != 0,
            is_compressed: flags & 0x04 != 0,
        })
    }

    /// Each chunk with its uncompressed size. Only for resources below 4 GiB, whose table has entries of 4 bytes.
    fn chunks(&self, chunk_size: usize) -> Vec<(&'f [u8], usize)> {
        if chunk_size == 0 || self.size == 0 || self.size > 0xFFFF_FFFF {
            return Vec::new();
        }
        let count = self.size.div_ceil(chunk_size);
        let table = 4 * (count - 1);
        let start = |index: usize| match index {
            0 => Some(table),
            _ if index == count => Some(self.stored.len()),
            _ => number(self.stored, 4 * (index - 1), 4).map(|offset| table + offset),
        };
        let chunk = |index: usize| {
            let bytes = self.stored.get(start(index)?..start(index + 1)?)?;
            Some((bytes, chunk_size.min(self.size - index * chunk_size)))
        };
        (0..count).map_while(chunk).collect()
    }
}

fn number(bytes: &[u8], at: usize, len: usize) -> Option<usize> {
    let field = bytes.get(at..at.checked_add(len)?)?;
    let value = field
        .iter()
        .rev()
        .fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    usize::try_from(value).ok()
}

/// One uncompressed block of 3 bytes.
const LZX_UNCOMPRESSED: &[u8] = &[
    0x00, 0x60, 0x30, 0x00, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, b'a', b'b', b'c',
];

/// "a" and a match, with one bit each.
fn xpress_two_symbols() -> Vec<u8> {
    let mut chunk = vec![0; 260];
    for (at, byte) in [(0x61 / 2, 0x10), (0x100 / 2, 0x01), (257, 0x40)] {
        if let Some(place) = chunk.get_mut(at) {
            *place = byte;
        }
    }
    chunk
}

fn small_hive() -> Vec<u8> {
    let mut builder = HiveBuilder::new("SOFTWARE");
    let long = vec![0x42; 20_000];
    let values: &[(&str, &str, ValueKind, &[u8])] = &[
        (
            r"Microsoft\Windows NT\CurrentVersion",
            "CurrentBuild",
            ValueKind::Sz,
            b"1\x000\x005\x001\x004\x00\x00\x00",
        ),
        (
            r"Microsoft\Windows NT\CurrentVersion",
            "InstallDate",
            ValueKind::Dword,
            &[1, 2, 3, 4],
        ),
        (r"Microsoft\Windows NT", "", ValueKind::Binary, b"default"),
        ("Classes", "long", ValueKind::Binary, &long),
    ];
    for (path, name, kind, data) in values {
        // A seed with less in it is a seed too.
        let _ = builder.value(path, name, *kind, data);
    }
    for number in 0..40 {
        let _ = builder.key(&format!(r"Classes\k{number}"));
    }
    builder.build()
}

/// An image that holds a root and nothing else.
fn empty_root() -> Vec<u8> {
    [
        &security()[..],
        &entry(0x10, 112, &[], [0; 20], ""),
        &[0; 8],
        &[0; 8],
    ]
    .concat()
}

/// An image that holds one file with the blob "wcow", and an alternate stream.
fn one_file() -> Vec<u8> {
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
fn security() -> [u8; 8] {
    [8, 0, 0, 0, 0, 0, 0, 0]
}

fn entry(attributes: u32, children: u64, streams: &[u8], digest: [u8; 20], name: &str) -> Vec<u8> {
    let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let terminator = if name.is_empty() { 0 } else { 2 };
    let length = (102 + name.len() + terminator).next_multiple_of(8);
    let mut bytes = Vec::new();
    bytes.extend((length as u64).to_le_bytes());
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
