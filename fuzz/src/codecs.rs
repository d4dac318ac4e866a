//! The decoders of chunks.

use std::fmt::Debug;

/// Larger outputs only make the fuzzer slow.
const MAX_OUTPUT: usize = 1 << 17;

/// How a chunk is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Xpress,
    Lzx,
    Lzms,
}

impl Codec {
    /// The algorithm that a file header's flags name.
    pub(crate) fn of_flags(flags: u64) -> Option<Self> {
        match flags {
            _ if flags & 0x2 == 0 => None,
            _ if flags & 0x4_0000 != 0 => Some(Self::Lzx),
            _ if flags & 0x22_0000 != 0 => Some(Self::Xpress),
            _ if flags & 0x8_0000 != 0 => Some(Self::Lzms),
            _ => None,
        }
    }

    /// The algorithm that a solid resource's header names; `Some(None)` is none at all.
    pub(crate) fn of_number(number: u64) -> Option<Option<Self>> {
        match number {
            0 => Some(None),
            1 => Some(Some(Self::Xpress)),
            2 => Some(Some(Self::Lzx)),
            3 => Some(Some(Self::Lzms)),
            _ => None,
        }
    }

    /// The binary logarithm of the smallest chunk size, and how many sizes there are.
    fn chunk_sizes(self) -> (u32, u32) {
        match self {
            Self::Xpress => (12, 5),
            Self::Lzx => (15, 7),
            Self::Lzms => (15, 16),
        }
    }

    /// Its target.
    pub(crate) fn target(self) -> &'static str {
        match self {
            Self::Lzx => "lzx",
            Self::Xpress => "xpress",
            Self::Lzms => "lzms",
        }
    }

    /// The number by which a solid resource names it.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Xpress => 1,
            Self::Lzx => 2,
            Self::Lzms => 3,
        }
    }

    /// Decodes one chunk of a resource with this chunk size.
    pub(crate) fn decode(self, chunk_size: usize, chunk: &[u8], output: &mut [u8]) -> Option<()> {
        match self {
            Self::Lzx => {
                let window = wcow_lzx::WindowSize::from_chunk_size(u32::try_from(chunk_size).ok()?);
                wcow_lzx::Decoder::new(window?).decode(chunk, output).ok()
            }
            Self::Xpress => wcow_xpress::Decoder::new().decode(chunk, output).ok(),
            Self::Lzms => wcow_lzms::Decoder::new().decode(chunk, output).ok(),
        }
    }
}

/// An input of a codec's target, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CodecInput<'a> {
    pub(crate) codec: Codec,
    pub(crate) chunk_size: u32,
    /// Bytes of the output.
    pub(crate) len: usize,
    pub(crate) chunk: &'a [u8],
}

impl<'a> CodecInput<'a> {
    /// Byte 0 gives the chunk size (the smallest of the codec shifted by it, modulo how many there are), bytes 1 to 3 the output size
    /// less 1, modulo the chunk size, or 128 KiB if that is less.
    pub(crate) fn read(codec: Codec, data: &'a [u8]) -> Option<Self> {
        let ([shift, a, b, c], chunk) = data.split_first_chunk()?;
        let (smallest, sizes) = codec.chunk_sizes();
        let chunk_size = 1_u32 << (smallest + u32::from(*shift) % sizes);
        let len = usize::from(*a) | usize::from(*b) << 8 | usize::from(*c) << 16;
        let most = usize::try_from(chunk_size).ok()?.min(MAX_OUTPUT);
        Some(Self {
            codec,
            chunk_size,
            len: len % most + 1,
            chunk,
        })
    }

    /// The input that [`read`](Self::read) takes apart into these.
    pub(crate) fn seed(codec: Codec, chunk_size: usize, len: usize, chunk: &[u8]) -> Vec<u8> {
        let (smallest, _) = codec.chunk_sizes();
        let shift = chunk_size.trailing_zeros().saturating_sub(smallest);
        let [a, b, c, ..] = (len - 1).to_le_bytes();
        let head = [u8::try_from(shift).unwrap_or(0), a, b, c];
        [&head, chunk].concat()
    }
}

/// An LZX chunk: chunk size, output size, and the chunk.
///
/// # Panics
/// If two decodings of the chunk differ, or bytes outside of the output change.
pub fn lzx(data: &[u8]) {
    let Some(input) = CodecInput::read(Codec::Lzx, data) else {
        return;
    };
    let Some(window) = wcow_lzx::WindowSize::from_chunk_size(input.chunk_size) else {
        return;
    };
    check(input, || {
        let mut decoder = wcow_lzx::Decoder::new(window);
        move |chunk: &[u8], output: &mut [u8]| decoder.decode(chunk, output)
    });
}

/// An XPRESS chunk: chunk size, output size, and the chunk.
///
/// # Panics
/// If two decodings of the chunk differ, or bytes outside of the output change.
pub fn xpress(data: &[u8]) {
    let Some(input) = CodecInput::read(Codec::Xpress, data) else {
        return;
    };
    check(input, || {
        let mut decoder = wcow_xpress::Decoder::new();
        move |chunk: &[u8], output: &mut [u8]| decoder.decode(chunk, output)
    });
}

/// An LZMS chunk: chunk size, output size, and the chunk.
///
/// # Panics
/// If two decodings of the chunk differ, or bytes outside of the output change.
pub fn lzms(data: &[u8]) {
    let Some(input) = CodecInput::read(Codec::Lzms, data) else {
        return;
    };
    check(input, || {
        let mut decoder = wcow_lzms::Decoder::new();
        move |chunk: &[u8], output: &mut [u8]| decoder.decode(chunk, output)
    });
}

/// Decodes with a used and a fresh decoder, over different old contents and between guards.
fn check<E: Debug + PartialEq, D: FnMut(&[u8], &mut [u8]) -> Result<(), E>>(
    input: CodecInput<'_>,
    new: impl Fn() -> D,
) {
    let mut used = new();
    let first = guarded(&mut used, input, 0x00);
    let second = guarded(&mut used, input, 0xA5);
    assert_eq!(
        first.0, second.0,
        "the result depends on an earlier chunk, or on what the output held before"
    );
    assert!(
        first.0.is_err() || first.1 == second.1,
        "the bytes depend on an earlier chunk, or on what the output held before"
    );
    // A decoder keeps nothing of an earlier chunk, not even of one that failed.
    let mut other = input;
    other.chunk = input.chunk.get(1..).unwrap_or_default();
    let _ = guarded(&mut used, other, 0x00);
    let used = guarded(&mut used, input, 0x00);
    let fresh = guarded(&mut new(), input, 0xFF);
    assert_eq!(used.0, fresh.0, "a used and a fresh decoder differ");
    assert!(
        used.0.is_err() || used.1 == fresh.1,
        "a used and a fresh decoder differ"
    );
    assert_eq!(first.0, fresh.0, "a used and a fresh decoder differ");
}

fn guarded<E>(
    decode: &mut impl FnMut(&[u8], &mut [u8]) -> Result<(), E>,
    input: CodecInput<'_>,
    fill: u8,
) -> (Result<(), E>, Vec<u8>) {
    const GUARD: usize = 64;
    let mut buffer = vec![fill; input.len + 2 * GUARD];
    let result = match buffer.get_mut(GUARD..GUARD + input.len) {
        Some(output) => decode(input.chunk, output),
        None => Ok(()),
    };
    let rest = buffer.split_off(GUARD + input.len);
    let output = buffer.split_off(GUARD);
    assert!(
        buffer.iter().chain(&rest).all(|byte| *byte == fill),
        "bytes outside of the output changed"
    );
    (result, output)
}
