//! The decoders of chunks.

use std::fmt::Debug;

/// Larger outputs only make the fuzzer slow.
const MAX_OUTPUT: usize = 1 << 17;

/// An LZX chunk. Byte 0 gives the window (32 KiB shifted by it modulo 7), bytes 1 to 3 the output size less 1,
/// modulo the window, or 128 KiB if that is less.
///
/// # Panics
/// If two decodings of the chunk differ, or bytes outside of the output change.
pub fn lzx(data: &[u8]) {
    let Some(([window, a, b, c], chunk)) = data.split_first_chunk() else {
        return;
    };
    let size = 1_u32 << (15 + u32::from(window % 7));
    let Some(window) = wcow_lzx::WindowSize::from_chunk_size(size) else {
        return;
    };
    let len = usize::from(*a) | usize::from(*b) << 8 | usize::from(*c) << 16;
    let len = len % window.bytes().min(MAX_OUTPUT) + 1;
    let mut used = wcow_lzx::Decoder::new(window);
    check(len, |output| used.decode(chunk, output));
    // A decoder keeps nothing of an earlier chunk, not even of one that failed.
    let mut fresh = wcow_lzx::Decoder::new(window);
    let (mut first, mut second) = (vec![0; len], vec![0; len]);
    let results = (
        used.decode(chunk, &mut first),
        fresh.decode(chunk, &mut second),
    );
    assert_eq!(results.0, results.1, "a used and a fresh decoder differ");
    assert!(
        results.0.is_err() || first == second,
        "a used and a fresh decoder differ"
    );
}

/// An XPRESS chunk. Bytes 0 and 1 give the output size, less 1.
///
/// # Panics
/// If two decodings of the chunk differ, or bytes outside of the output change.
pub fn xpress(data: &[u8]) {
    let Some(([a, b], chunk)) = data.split_first_chunk() else {
        return;
    };
    let len = usize::from(u16::from_le_bytes([*a, *b])) + 1;
    let mut used = wcow_xpress::Decoder::new();
    check(len, |output| used.decode(chunk, output));
    let mut fresh = wcow_xpress::Decoder::new();
    let (mut first, mut second) = (vec![0; len], vec![0; len]);
    let results = (
        used.decode(chunk, &mut first),
        fresh.decode(chunk, &mut second),
    );
    assert_eq!(results.0, results.1, "a used and a fresh decoder differ");
    assert!(
        results.0.is_err() || first == second,
        "a used and a fresh decoder differ"
    );
}

/// Decodes twice, over different old contents and between guards.
fn check<E: Debug + PartialEq>(len: usize, mut decode: impl FnMut(&mut [u8]) -> Result<(), E>) {
    const GUARD: usize = 64;
    let mut run = |fill: u8| {
        let mut buffer = vec![fill; len + 2 * GUARD];
        let result = match buffer.get_mut(GUARD..GUARD + len) {
            Some(output) => decode(output),
            None => Ok(()),
        };
        let rest = buffer.split_off(GUARD + len);
        let output = buffer.split_off(GUARD);
        assert!(
            buffer.iter().chain(&rest).all(|byte| *byte == fill),
            "bytes outside of the output changed"
        );
        (result, output)
    };
    let (first, second) = (run(0x00), run(0xA5));
    assert_eq!(
        first.0, second.0,
        "the result depends on what the output held before"
    );
    assert!(
        first.0.is_err() || first.1 == second.1,
        "the bytes depend on what the output held before"
    );
}
