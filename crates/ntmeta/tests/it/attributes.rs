//! File attributes and HRESULTs.

use wcow_ntmeta::{FileAttributes, Hresult};

#[test]
fn attributes_show_their_names_and_keep_unknown_bits() {
    #[track_caller]
    fn check(bits: u32, text: &str) {
        let attributes = FileAttributes::from_bits(bits);
        assert_eq!(attributes.to_string(), text);
        assert_eq!(attributes.bits(), bits);
    }
    check(0, "0");
    check(0x10, "DIRECTORY");
    check(0x2406, "HIDDEN|SYSTEM|REPARSE_POINT|NOT_CONTENT_INDEXED");
    check(0x8000_0020, "ARCHIVE|0x80000000");
    check(0x4000_0000, "0x40000000");
}

#[test]
fn attributes_insert_and_remove() {
    let mut attributes = FileAttributes::DIRECTORY | FileAttributes::HIDDEN;
    attributes.insert(FileAttributes::REPARSE_POINT);
    assert!(attributes.is_directory() && attributes.is_reparse_point());
    attributes.remove(FileAttributes::DIRECTORY | FileAttributes::SYSTEM);
    assert_eq!(
        attributes,
        FileAttributes::HIDDEN | FileAttributes::REPARSE_POINT
    );
    assert!(!attributes.contains(FileAttributes::HIDDEN | FileAttributes::SYSTEM));
}

#[test]
fn hresults_split_into_their_parts() {
    #[track_caller]
    fn check(value: u32, text: &str, failure: bool, facility: u16, code: u16, win32: Option<u16>) {
        let result = Hresult(value);
        assert_eq!(result.to_string(), text);
        let parts = (
            result.is_failure(),
            result.facility(),
            result.code(),
            result.as_win32(),
        );
        assert_eq!(parts, (failure, facility, code, win32));
        assert_eq!(Hresult::from_i32(result.as_i32()), result);
    }
    check(0x8037_0101, "0x80370101", true, 0x37, 0x101, None);
    check(0x8007_02c2, "0x800702C2", true, 7, 0x2c2, Some(0x2c2));
    check(0xc037_0110, "0xC0370110", true, 0x37, 0x110, None);
    check(0x0007_0005, "0x00070005", false, 7, 5, None);
    check(0, "0x00000000", false, 0, 0, None);
}

#[test]
fn win32_errors_are_wrapped_once() {
    assert_eq!(Hresult::from_win32(0), Hresult::S_OK);
    assert_eq!(Hresult::from_win32(5), Hresult(0x8007_0005));
    assert_eq!(Hresult::from_win32(0x8007_0005), Hresult(0x8007_0005));
    assert_eq!(Hresult::from_i32(-2_147_418_113), Hresult(0x8000_ffff));
}
