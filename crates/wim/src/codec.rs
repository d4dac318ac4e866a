//! The codecs behind one door: which one a resource has, and decoders that are kept from chunk to chunk.

use crate::{Compression, ReadError};

/// How compressed resources are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Codec {
    pub(crate) compression: Compression,
    pub(crate) chunk_size: u32,
}

impl Codec {
    /// What is wrong with the chunk size, if anything: every codec has powers of two within bounds of its own.
    pub(crate) fn fault(self) -> Option<&'static str> {
        let (min, max, expected) = match self.compression {
            Compression::None => return None,
            Compression::Xpress => (1 << 12, 1 << 16, "a power of two from 0x1000 to 0x10000"),
            Compression::Lzx => (1 << 15, 1 << 21, "a power of two from 0x8000 to 0x200000"),
            Compression::Lzms => (1 << 15, 1 << 30, "a power of two from 0x8000 to 0x40000000"),
        };
        let fits = self.chunk_size.is_power_of_two() && (min..=max).contains(&self.chunk_size);
        (!fits).then_some(expected)
    }
}

/// Decoders, each made when it is first needed.
#[derive(Default)]
pub(crate) struct ChunkDecoder {
    xpress: Option<wcow_xpress::Decoder>,
    lzx: Option<(u32, Box<wcow_lzx::Decoder>)>,
    lzms: Option<Box<wcow_lzms::Decoder>>,
}

impl ChunkDecoder {
    /// Decompresses chunk number `chunk` of the resource at `offset` into the whole of `output`.
    pub(crate) fn decode(
        &mut self,
        codec: Codec,
        (offset, chunk): (u64, u64),
        stored: &[u8],
        output: &mut [u8],
    ) -> Result<(), ReadError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| ReadError::Chunk {
            offset,
            chunk,
            source,
        };
        match codec.compression {
            Compression::None => Err(failed(
                "it is shorter than its contents, and its resource is not compressed".into(),
            )),
            Compression::Xpress => self
                .xpress
                .get_or_insert_with(wcow_xpress::Decoder::new)
                .decode(stored, output)
                .map_err(|error| failed(error.into())),
            Compression::Lzx => self
                .lzx(codec, offset)?
                .decode(stored, output)
                .map_err(|error| failed(error.into())),
            Compression::Lzms => self
                .lzms
                .get_or_insert_with(Box::default)
                .decode(stored, output)
                .map_err(|error| failed(error.into())),
        }
    }

    fn lzx(&mut self, codec: Codec, offset: u64) -> Result<&mut wcow_lzx::Decoder, ReadError> {
        let decoder = match self.lzx.take() {
            Some((chunk_size, decoder)) if chunk_size == codec.chunk_size => decoder,
            _ => {
                let window = wcow_lzx::WindowSize::from_chunk_size(codec.chunk_size);
                let window = window.ok_or_else(|| ReadError::Resource {
                    offset,
                    what: format!(
                        "expected a chunk size that LZX has, found {}",
                        codec.chunk_size
                    ),
                })?;
                Box::new(wcow_lzx::Decoder::new(window))
            }
        };
        Ok(&mut self.lzx.insert((codec.chunk_size, decoder)).1)
    }
}
