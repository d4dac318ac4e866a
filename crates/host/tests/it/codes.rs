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
    check_lookup("ERROR_VMCOMPUTE_IMAGE_MISMATCH", Some(0xC037_0101));
    check_lookup("error_vmcompute_timeout", Some(0xC037_0109));
    check_lookup("ERROR_VMCOMPUTE_OPERATION_PENDING", Some(0xC037_0103));
    check_lookup("STATUS_DLL_INIT_FAILED", Some(0xC000_0142));
    check_lookup("3221225794", Some(0xC000_0142));
    for nothing in [
        "",
        "-",
        "+5",
        "0x+5",
        "0x",
        "0x1122334455",
        "HCS_E_",
        "4294967296",
        "ERROR_VMCOMPUTE_",
        "ERROR_VMCOMPUTE_ACCESS_DENIED",
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
    assert_eq!(seen.len(), 20 + 32 + 56 + 44 + 5 + 8);
}

#[test]
fn every_code_has_a_meaning_causes_and_a_way_out() {
    for code in codes::all() {
        let advice = codes::advice(code).unwrap_or_else(|| panic!("{code} has no row"));
        for sentence in [advice.meaning, advice.causes, advice.way_out] {
            assert!(
                sentence.ends_with('.') && sentence.len() > 10,
                "{code}: {sentence:?}"
            );
        }
    }
    assert_eq!(
        codes::advice(v1::IMAGE_MISMATCH),
        codes::advice(v2::IMAGE_MISMATCH)
    );
    assert_eq!(codes::advice(Hresult(0x1234_5678)), None);
}

#[test]
fn spellings_of_the_compute_service_have_a_twin() {
    assert_eq!(codes::twin(v1::IMAGE_MISMATCH), Some(v2::IMAGE_MISMATCH));
    assert_eq!(codes::twin(v2::IMAGE_MISMATCH), Some(v1::IMAGE_MISMATCH));
    assert_eq!(codes::twin(v1::OPERATION_PENDING), None);
    assert_eq!(codes::twin(v2::OPERATION_PENDING), None);
    assert_eq!(codes::twin(win32::SHARING_VIOLATION), None);
    assert_eq!(codes::twin(hcn::NETWORK_NOT_FOUND), None);
}

#[track_caller]
fn check_found(log: &str, expected: &[Hresult]) {
    assert_eq!(codes::find_in(log), expected, "{log:?}");
}

#[test]
fn codes_are_found_in_lines_of_logs() {
    check_found(
        "container web encountered an error during CreateContainer: failure in a Windows system call: The operating system of the \
         container does not match the operating system of the host. (0xc0370101) extra info: {\"SystemType\":\"Container\"}",
        &[v1::IMAGE_MISMATCH],
    );
    check_found(
        "HCSShim::CreateComputeSystem - Win32 API call returned error r1=2147942452 err=You were not connected because",
        &[win32::DUP_NAME],
    );
    check_found("exit status 3221225794", &[codes::nt::DLL_INIT_FAILED]);
    check_found("hr=-1070137074, pid 1234, line 20", &[v1::SYSTEM_NOT_FOUND]);
    check_found(
        "{\"Success\":false,\"ErrorCode\":2151350282}",
        &[hcn::INVALID_NETWORK],
    );
    check_found("failed with HCS_E_INVALID_JSON!", &[v1::INVALID_JSON]);
    // Without a number the words tell, whatever their case.
    check_found(
        "hcs::System::Start web: the virtual machine or container EXITED unexpectedly while starting",
        &[v1::TERMINATED_DURING_START],
    );
    check_found(
        "HNS failed with error : The object already exists. ",
        &[win32::OBJECT_ALREADY_EXISTS],
    );
    check_found("it failed at 10:32 after 5 tries on 20348", &[]);
    check_found("", &[]);
}

proptest! {
    #[test]
    fn whatever_is_looked_for_in_is_only_read(log in "\\PC{0,200}") {
        for code in codes::find_in(&log) {
            prop_assert!(codes::name(code).is_some());
        }
    }

    #[test]
    fn a_code_in_brackets_is_found(index in 0_usize..150) {
        let code = codes::all().nth(index).unwrap_or(codes::FAIL);
        prop_assert_eq!(codes::find_in(&format!("it failed ({code}), twice")), vec![code]);
    }

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
