//! What a file says of its own tables and resources.

use wcow_tree::memory::MemoryTree;
use wcow_wim::{Compression, ImageIndex, Wim};

use crate::build::{Algorithm, Codec, Contents, Style};
use crate::support::{chain, first, runs};

fn contents() -> Contents {
    let tree = MemoryTree::new().file("a", runs(1, 50_000));
    Contents::of(&[tree.file("b", runs(2, 50_000))])
}

#[test]
fn solid_resources_tell_how_they_are_compressed() {
    let codec = Codec::new(Algorithm::Lzms, 1 << 15);
    let solid = Style::solid(codec, 9, 30_000);
    // Each part has one of the blobs, in two resources.
    let wim = Style { parts: 2, ..solid }.open(&contents());
    let resources = wim.solid_resources();
    let told = resources.iter().map(|resource| {
        let form = resource.form.as_ref().expect("a sound header");
        let shape = (form.compression, form.chunk_size, form.size);
        (resource.part, shape)
    });
    let shape = |size| (Compression::Lzms, 1 << 15, size);
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (1, shape(30_000)),
            (1, shape(20_000)),
            (2, shape(30_000)),
            (2, shape(20_000))
        ]
    );

    let mut file = solid.file(&contents());
    let at = |file: &[u8]| {
        let wim = Wim::open(file.to_vec()).expect("it opens");
        wim.solid_resources().swap_remove(0)
    };
    let algorithm = at(&file).resource.offset as usize + 12;
    file[algorithm] = 9;
    let error = at(&file).form.expect_err("there is no such algorithm");
    assert!(
        chain(&error).contains("expected an algorithm of 0 to 3"),
        "{error}"
    );
}

#[test]
fn integrity_tables_tell_what_they_cover() {
    let style = Style {
        parts: 2,
        integrity: Some(20_000),
        ..Style::PLAIN
    };
    let wim = style.open(&contents());
    let tables: Vec<_> = wim.integrity_tables().collect();
    assert_eq!(tables.len(), 2);
    for ((header, summary), part) in tables.iter().zip(1..) {
        assert_eq!(header.part, part);
        let summary = summary.as_ref().expect("a sound table");
        assert_eq!(summary.piece_size, 20_000);
        assert_eq!(summary.pieces, summary.covered.div_ceil(20_000));
        assert!(summary.covered > 50_000, "the blob and the lookup table");
    }
    let without = Style::PLAIN.open(&contents());
    assert_eq!(without.integrity_tables().count(), 0);
}

#[test]
fn metadata_is_found_for_images_that_are_there() {
    let contents = contents();
    let wim = Style::PLAIN.open(&contents);
    let resource = wim.metadata_resource(first()).expect("it is there");
    assert_eq!(resource.size, contents.images[0].len() as u64);
    let second = ImageIndex::new(2).expect("2 is an index");
    assert_eq!(wim.metadata_resource(second), None);
}
