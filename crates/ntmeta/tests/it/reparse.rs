//! Reparse points: layout, targets, damage.

use proptest::prelude::*;
use wcow_ntmeta::{
    ReparseError, ReparsePoint, ReparseTarget, TAG_MOUNT_POINT, TAG_SYMLINK, TAG_WOF, WideName,
};

#[test]
fn a_symlink_is_laid_out_as_documented() {
    let link = ReparsePoint::symlink("ab", "c", true).unwrap();
    assert_eq!(link.tag, TAG_SYMLINK);
    assert_eq!(
        link.data,
        [
            0, 0, 4, 0, 6, 0, 2, 0, 1, 0, 0, 0, b'a', 0, b'b', 0, 0, 0, b'c', 0, 0, 0
        ],
        "offsets, lengths, flags, names with NUL"
    );
}

#[test]
fn other_tags_have_no_target() {
    assert_eq!(
        ReparsePoint {
            tag: TAG_WOF,
            data: vec![0; 64]
        }
        .target(),
        None
    );
}

#[test]
fn names_that_do_not_fit_are_refused() {
    let long = WideName::from_units(vec![0x61; 8180]);
    assert_eq!(
        ReparsePoint::symlink(&long, "", false).unwrap().data.len(),
        16384 - 8
    );
    assert_eq!(
        ReparsePoint::symlink(&long, "a", false),
        Err(ReparseError::TooLong { bytes: 16386 })
    );
}

fn name() -> impl Strategy<Value = WideName> {
    prop::collection::vec(any::<u16>(), 0..40).prop_map(WideName::from_units)
}

proptest! {
    #[test]
    fn what_is_made_is_read(substitute in name(), print in name(), relative: bool) {
        let link = ReparsePoint::symlink(&substitute, &print, relative).unwrap();
        let json = serde_json::to_string(&link).unwrap();
        prop_assert_eq!(&serde_json::from_str::<ReparsePoint>(&json).unwrap(), &link);
        let expected = ReparseTarget::Symlink { substitute: substitute.clone(), print: print.clone(), relative };
        prop_assert_eq!(link.target(), Some(expected));
        let junction = ReparsePoint::mount_point(&substitute, &print).unwrap();
        prop_assert_eq!(junction.tag, TAG_MOUNT_POINT);
        prop_assert_eq!(junction.target(), Some(ReparseTarget::MountPoint { substitute, print }));
    }

    #[test]
    fn damage_never_gives_names_from_outside(data in prop::collection::vec(any::<u8>(), 0..40), link: bool) {
        let tag = if link { TAG_SYMLINK } else { TAG_MOUNT_POINT };
        let buffer = data.get(if link { 12 } else { 8 }..).unwrap_or(&[]).to_vec();
        if let Some(ReparseTarget::Symlink { substitute, print, .. } | ReparseTarget::MountPoint { substitute, print }) =
            (ReparsePoint { tag, data }).target()
        {
            for name in [substitute.to_le_bytes(), print.to_le_bytes()] {
                prop_assert!(name.is_empty() || buffer.windows(name.len()).any(|window| window == name));
            }
        }
    }
}
