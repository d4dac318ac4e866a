//! Chunks that real encoders made, where `WCOW_CORPUS` names a folder with WIM files.

use std::path::Path;

use wcow_lzms::Decoder;

use crate::wim::resources;

#[test]
fn chunks_of_the_corpus() {
    let Some(corpus) = std::env::var_os("WCOW_CORPUS") else {
        return;
    };
    let mut decoder = Decoder::new();
    let mut contents = Vec::new();
    for name in ["lzms-32k.wim", "lzms-128k.wim", "solid-lzms-64m.esd"] {
        let path = Path::new(&corpus).join("generated").join(name);
        if !path.is_file() {
            continue;
        }
        let file = std::fs::read(path).expect("a readable file");
        let mut chunks = 0;
        for resource in resources(&file) {
            match resource.decode(&file, &mut decoder, &mut contents) {
                Ok(decoded) => chunks += decoded,
                Err(error) => unreachable!("{name}: {error}"),
            }
            assert!(resource.is_sound(&contents), "{name}: a wrong hash");
        }
        assert!(chunks > 0, "{name} has no LZMS chunks");
    }
}
