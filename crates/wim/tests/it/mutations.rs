//! Random damage: a file is refused, reported, or still gives a tree.

use proptest::prelude::*;
use wcow_tree::memory::MemoryTree;

use crate::support::{metadata, open, rich_tree, verify, wim_of, with_metadata};

/// Bytes to write at places.
fn damage() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    prop::collection::vec(
        (
            any::<prop::sample::Index>(),
            prop_oneof![Just(0), Just(255), any::<u8>()],
        ),
        1..8,
    )
}

/// What verification accepts can be read to the end, and what it reports cannot all be read.
fn check(bytes: &[u8]) {
    let Ok(wim) = open(bytes) else { return };
    let sound = verify(&wim).is_ok();
    let whole = wim.images().iter().all(|info| {
        wim.image(info.index)
            .is_ok_and(|image| MemoryTree::collect(&mut wim.extractor(&image)).is_ok())
    });
    assert!(whole || !sound, "verified, but cannot be read");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damaged_files(damage in damage(), header in any::<bool>()) {
        let mut bytes = wim_of(&rich_tree());
        // Most of the file is one large blob; the damage goes to the header, or to what lies behind the blobs.
        let range = if header { 0..208 } else { bytes.len() - 6000..bytes.len() };
        let part = &mut bytes[range];
        for (at, value) in damage {
            let at = at.index(part.len());
            part[at] = value;
        }
        check(&bytes);
    }

    #[test]
    fn damaged_metadata(damage in damage()) {
        let bytes = wim_of(&rich_tree());
        let mut data = metadata(&bytes);
        for (at, value) in damage {
            let at = at.index(data.len());
            data[at] = value;
        }
        check(&with_metadata(&bytes, &data));
    }
}
