//! Chunks that real encoders made, where `WCOW_CORPUS` names a folder with WIM files.

use std::path::Path;

use sha1::{Digest, Sha1};
use wcow_lzms::Decoder;

use crate::wim::resources;

/// Decodes every LZMS resource of a file and compares hashes. Returns the number of chunks.
fn check_file(path: &Path) -> usize {
    let shown = path.display();
    let file = std::fs::read(path).expect("a readable file");
    let mut decoder = Decoder::new();
    let mut decoded = 0;
    for resource in resources(&file) {
        let size = resource.chunks.iter().map(|chunk| chunk.size).sum();
        let mut contents = vec![0; size];
        let mut rest = &mut contents[..];
        for chunk in &resource.chunks {
            let (output, later) = rest.split_at_mut(chunk.size);
            let input = &file[chunk.start..][..chunk.stored];
            if chunk.stored == chunk.size {
                output.copy_from_slice(input);
            } else {
                let result = decoder.decode(input, output);
                assert_eq!(result, Ok(()), "{shown}: chunk at {:#x}", chunk.start);
                decoded += 1;
            }
            rest = later;
        }
        for blob in &resource.blobs {
            let hash = Sha1::digest(&contents[blob.start..][..blob.size]);
            assert_eq!(hash[..], blob.sha1, "{shown}: blob at {:#x}", blob.start);
        }
    }
    decoded
}

#[test]
fn chunks_of_the_corpus() {
    let Some(corpus) = std::env::var_os("WCOW_CORPUS") else {
        return;
    };
    let mut decoded = 0;
    for name in ["lzms-32k.wim", "lzms-128k.wim", "solid-lzms-64m.esd"] {
        let path = Path::new(&corpus).join("generated").join(name);
        if path.is_file() {
            let chunks = check_file(&path);
            assert!(chunks > 0, "{name} has no LZMS chunks");
            decoded += chunks;
        }
    }
    println!("{decoded} chunks decoded");
}
