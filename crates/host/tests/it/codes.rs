//! Names, texts and looking them up.

use std::collections::BTreeSet;

use proptest::prelude::*;
use wcow_host::codes::{self, hcn, v1, v2, win32};
use wcow_host::era::Generation;
use wcow_ntmeta::Hresult;

#[track_caller]
fn check_lookup(text: &str, expected: Option<u32>) {
    assert_eq!(codes::lookup(text), expected.map(Hresult), "{text:?}");
}

#[track_caller]
fn check_text(code: Hresult, generation: Generation, expected: &str) {
    assert_eq!(codes::text(code, generation), Some(expected), "{code}");
}

#[test]
fn codes_are_read_as_people_write_them() {
    check_lookup("0x80370101", Some(0x8037_0101));
    check_lookup("0XC0370101", Some(0xC037_0101));
    check_lookup("c0370101", Some(0xC037_0101));
    check_lookup("2147942402", Some(0x8007_0002));
    check_lookup("2147942523", Some(0x8007_007B));
    check_lookup("2151350282", Some(0x803B_000A));
    check_lookup("0x20", Some(0x8007_0020));
    check_lookup(" 32 ", Some(0x8007_0020));
    check_lookup("hcs_e_image_mismatch", Some(0xC037_0101));
    check_lookup("HCS_E_OPERATION_PENDING", Some(0x8037_0117));
    check_lookup("HCN_E_ADAPTER_NOT_FOUND", Some(0x803B_0006));
    check_lookup("ERROR_SHARING_VIOLATION", Some(0x8007_0020));
    check_lookup("E_UNEXPECTED", Some(0x8000_FFFF));
    for nothing in [
        "",
        "-",
        "+5",
        "0x+5",
        "0x",
        "0x1122334455",
        "HCS_E_",
        "4294967296",
        "-2147483649",
    ] {
        check_lookup(nothing, None);
    }
}

#[test]
fn decimal_forms_of_logs() {
    for (text, low) in [
        ("-1070137087", 0x0101),
        ("-1070137085", 0x0103),
        ("-1070137083", 0x0105),
        ("-1070137082", 0x0106),
        ("-1070137074", 0x010E),
        ("-1070137072", 0x0110),
    ] {
        check_lookup(text, Some(0xC037_0000 | low));
    }
}

#[test]
fn peers_confused_these() {
    assert_eq!(v1::SYSTEM_NOT_FOUND, Hresult(0xC037_010E));
    assert_eq!(v1::OPERATION_PENDING, Hresult(0xC037_0103));
    assert_eq!(v2::OPERATION_PENDING, Hresult(0x8037_0117));
    assert_eq!(
        v2::OPERATION_SYSTEM_CALLBACK_ALREADY_SET,
        Hresult(0x8037_0119)
    );
    assert_eq!(v2::INVALID_JSON, Hresult(0x8037_010D));
    assert_eq!(codes::name(Hresult(0x8037_0103)), None);
    assert_eq!(codes::name(Hresult(0xC037_0117)), None);
    assert_eq!(codes::IMAGE_MISMATCH_V1, Hresult(0xC037_0101));
}

#[test]
fn texts_of_their_generation() {
    let old =
        "The operating system of the container does not match the operating system of the host.";
    let new = "The container operating system does not match the host operating system.";
    check_text(v1::IMAGE_MISMATCH, Generation::Server2016, old);
    check_text(v2::IMAGE_MISMATCH, Generation::Sac2017, old);
    check_text(v1::IMAGE_MISMATCH, Generation::Server2019, new);
    check_text(v2::IMAGE_MISMATCH, Generation::Server2025, new);
    check_text(
        hcn::ADAPTER_NOT_FOUND,
        Generation::Server2022,
        "An adapter was not found.",
    );
    check_text(
        win32::NOT_FOUND,
        Generation::Server2016,
        "Element not found.",
    );
    check_text(
        codes::UNEXPECTED,
        Generation::TechnicalPreview3,
        "Catastrophic failure",
    );
    assert_eq!(
        codes::text(Hresult(0xC037_0103), Generation::Server2016),
        None
    );
    assert_eq!(codes::name(Hresult(0x1234_5678)), None);
}

#[test]
fn codes_are_listed_once_and_texts_end_in_a_full_stop() {
    let mut seen = BTreeSet::new();
    for code in codes::all() {
        assert!(seen.insert(code), "{code} twice");
        for generation in Generation::ALL {
            let Some(text) = codes::text(code, *generation) else {
                continue;
            };
            let bare = [
                "Catastrophic failure",
                "Unspecified error",
                "Not implemented",
                "Invalid class",
            ];
            assert!(
                text.ends_with('.') != bare.contains(&text),
                "{code}: {text:?}"
            );
            assert!(!text.ends_with(".."), "{code}: {text:?}");
        }
    }
    assert_eq!(seen.len(), 20 + 32 + 55 + 40 + 5);
}

proptest! {
    #[test]
    fn a_code_is_found_in_every_spelling(index in 0_usize..150) {
        let code = codes::all().nth(index).unwrap_or(codes::FAIL);
        prop_assert_eq!(codes::lookup(&code.to_string()), Some(code));
        prop_assert_eq!(codes::lookup(&code.0.to_string()), Some(code));
        prop_assert_eq!(codes::lookup(&code.as_i32().to_string()), Some(code));
        prop_assert_eq!(codes::lookup(&format!("{:x}", code.0)), Some(code));
        if let Some(low) = code.as_win32() {
            prop_assert_eq!(codes::lookup(&low.to_string()), Some(code));
        }
        let name = codes::name(code).expect("listed codes have names");
        let by_name = codes::lookup(name).expect("names are found");
        prop_assert_eq!(codes::name(by_name), Some(name));
    }
}
