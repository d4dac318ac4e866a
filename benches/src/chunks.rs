//! The compressed chunks of a WIM file, taken out so that only their decoding is timed.
//!
//! This reads no more of the format than that takes: header, lookup table and chunk tables of intact files that are neither solid
//! nor pipable. `wcow-wim` is the reader for everything else.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use wcow_lzx::WindowSize;

const CHUNK_SIZE_OFFSET: usize = 0x14;
const FLAGS_OFFSET: usize = 0x10;
const LOOKUP_TABLE_OFFSET: usize = 0x30;
const LOOKUP_ENTRY_SIZE: usize = 50;
const HEADER_COMPRESSED: u32 = 0x2;
const HEADER_XPRESS: u32 = 0x2_0000;
const HEADER_LZX: u32 = 0x4_0000;
const RESOURCE_COMPRESSED: u8 = 0x04;

/// How a file's chunks are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// LZ77 + Huffman.
    Xpress,
    /// LZX with the file's window.
    Lzx(WindowSize),
}

/// One compressed chunk.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// The chunk as stored.
    pub stored: Vec<u8>,
    /// Number of bytes it decodes to.
    pub size: usize,
}

/// All compressed chunks of a file.
#[derive(Clone, Debug)]
pub struct Chunks {
    /// The codec of all of them.
    pub codec: Codec,
    /// Largest [`Chunk::size`].
    pub chunk_size: usize,
    /// The chunks in the order of the lookup table, without those that are stored raw.
    pub chunks: Vec<Chunk>,
}

struct Resource {
    stored_size: usize,
    flags: u8,
    offset: usize,
    size: usize,
}

impl Chunks {
    /// Reads the compressed chunks of the WIM file at `path`; `None` if the file is not compressed.
    ///
    /// # Errors
    /// If the file cannot be read, is compressed with something else than XPRESS and LZX, or its tables contradict its size.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let file = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(
            file.starts_with(b"MSWIM\0\0\0"),
            "expected a WIM file, found something else in {}",
            path.display()
        );
        let flags = u32_at(&file, FLAGS_OFFSET)?;
        let chunk_size = u32_at(&file, CHUNK_SIZE_OFFSET)?;
        if flags & HEADER_COMPRESSED == 0 {
            return Ok(None);
        }
        let codec = if flags & HEADER_XPRESS != 0 {
            Codec::Xpress
        } else if flags & HEADER_LZX != 0 {
            Codec::Lzx(
                WindowSize::from_chunk_size(chunk_size)
                    .context("the chunk size is no LZX window")?,
            )
        } else {
            bail!("expected XPRESS or LZX, found header flags {flags:#x}");
        };
        let chunk_size = usize::try_from(chunk_size)?;
        ensure!(chunk_size > 0, "expected a chunk size, found 0");

        let table = resource_at(&file, LOOKUP_TABLE_OFFSET)?;
        let mut chunks = Vec::new();
        for place in (0..table.size / LOOKUP_ENTRY_SIZE)
            .map(|entry| table.offset + entry * LOOKUP_ENTRY_SIZE)
        {
            let resource = resource_at(&file, place)?;
            if resource.flags & RESOURCE_COMPRESSED != 0 && resource.size > 0 {
                read_resource(&file, &resource, chunk_size, &mut chunks)?;
            }
        }
        Ok(Some(Self {
            codec,
            chunk_size,
            chunks,
        }))
    }

    /// Sum of all [`Chunk::size`].
    pub fn total_size(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.size as u64).sum()
    }

    /// Decodes every chunk, one after the other, into one buffer.
    ///
    /// # Errors
    /// The decoder's, on damaged files.
    pub fn decode_all(&self) -> Result<()> {
        let mut output = vec![0; self.chunk_size];
        match self.codec {
            Codec::Xpress => {
                let mut decoder = wcow_xpress::Decoder::new();
                self.chunks.iter().try_for_each(|chunk| {
                    Ok(decoder.decode(&chunk.stored, &mut output[..chunk.size])?)
                })
            }
            Codec::Lzx(window) => {
                let mut decoder = wcow_lzx::Decoder::new(window);
                self.chunks.iter().try_for_each(|chunk| {
                    Ok(decoder.decode(&chunk.stored, &mut output[..chunk.size])?)
                })
            }
        }
    }
}

fn read_resource(
    file: &[u8],
    resource: &Resource,
    chunk_size: usize,
    chunks: &mut Vec<Chunk>,
) -> Result<()> {
    let count = resource.size.div_ceil(chunk_size);
    let entry_size = if u32::try_from(resource.size).is_ok() {
        4
    } else {
        8
    };
    let first = resource.offset + (count - 1) * entry_size;
    let start_of = |chunk: usize| -> Result<usize> {
        Ok(if chunk == 0 {
            first
        } else if chunk == count {
            resource.offset + resource.stored_size
        } else if entry_size == 4 {
            first + usize::try_from(u32_at(file, resource.offset + (chunk - 1) * 4)?)?
        } else {
            first + usize::try_from(u64_at(file, resource.offset + (chunk - 1) * 8)?)?
        })
    };
    for chunk in 0..count {
        let (start, end) = (start_of(chunk)?, start_of(chunk + 1)?);
        let stored = file
            .get(start..end)
            .with_context(|| format!("a chunk at {start:#x} is not in the file"))?;
        let size = chunk_size.min(resource.size - chunk * chunk_size);
        if stored.len() < size {
            chunks.push(Chunk {
                stored: stored.to_vec(),
                size,
            });
        }
    }
    Ok(())
}

fn resource_at(file: &[u8], offset: usize) -> Result<Resource> {
    let word = u64_at(file, offset)?;
    let [.., flags] = word.to_le_bytes();
    Ok(Resource {
        stored_size: usize::try_from(word & 0x00FF_FFFF_FFFF_FFFF)?,
        flags,
        offset: usize::try_from(u64_at(file, offset + 8)?)?,
        size: usize::try_from(u64_at(file, offset + 16)?)?,
    })
}

fn u32_at(file: &[u8], offset: usize) -> Result<u32> {
    let bytes = file.get(offset..).and_then(|rest| rest.first_chunk());
    bytes
        .map(|bytes| u32::from_le_bytes(*bytes))
        .with_context(|| format!("the file ends before {offset:#x}"))
}

fn u64_at(file: &[u8], offset: usize) -> Result<u64> {
    let bytes = file.get(offset..).and_then(|rest| rest.first_chunk());
    bytes
        .map(|bytes| u64::from_le_bytes(*bytes))
        .with_context(|| format!("the file ends before {offset:#x}"))
}
