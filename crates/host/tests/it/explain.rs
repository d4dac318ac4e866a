//! From what somebody has to what it means; and the sixty failures that are reported most.

use wcow_host::codes::{self, hcn, v1, v2, win32};
use wcow_host::failures::{CATALOGUE, Explanation, explain};
use wcow_ntmeta::Hresult;

/// The entries that stand for a place in the list, by id.
fn entries_of(place: u8) -> Vec<&'static str> {
    CATALOGUE
        .iter()
        .filter(|entry| entry.reported.contains(&place))
        .map(|entry| entry.id.0)
        .collect()
}

#[test]
fn all_sixty_reported_failures_have_their_entry() {
    for place in 1..=60 {
        assert!(!entries_of(place).is_empty(), "nothing stands for {place}");
    }
    for entry in CATALOGUE {
        let sorted = entry.reported.is_sorted_by(|a, b| a < b);
        let within = entry.reported.iter().all(|place| (1..=60).contains(place));
        assert!(sorted && within, "{}: {:?}", entry.id, entry.reported);
    }
}

#[test]
fn places_that_several_entries_share() {
    assert_eq!(entries_of(1), ["image-mismatch"]);
    assert_eq!(entries_of(7), ["scratch-disk-locked"]);
    assert_eq!(entries_of(20), ["compute-service-stopped"]);
    assert_eq!(entries_of(36), ["compute-service-stopped", "hns-stopped"]);
    assert_eq!(
        entries_of(40),
        ["mapped-directory-missing", "layer-missing"]
    );
    assert_eq!(entries_of(46), ["nat-prefix-conflict"]);
    assert_eq!(
        entries_of(60),
        [
            "layer-left-after-destroy",
            "base-volume-not-written",
            "endpoint-attached-elsewhere"
        ]
    );
}

#[track_caller]
fn check(found: &str, code: Option<Hresult>, first: &str) {
    let explanations = explain(found);
    assert!(!explanations.is_empty(), "{found:?} is not explained");
    let explanation = &explanations[0];
    assert_eq!(explanation.code, code, "{found:?}");
    let ids: Vec<_> = explanation
        .failures
        .iter()
        .map(|entry| entry.id.0)
        .collect();
    assert_eq!(ids.first().copied(), Some(first), "{found:?}: {ids:?}");
}

#[test]
fn one_code_in_every_spelling() {
    for spelling in [
        "0xC0370101",
        "C0370101",
        "-1070137087",
        "3224830209",
        "HCS_E_IMAGE_MISMATCH",
        "ERROR_VMCOMPUTE_IMAGE_MISMATCH",
        "image-mismatch",
        "Image-Mismatch",
        " 0xc0370101 ",
    ] {
        check(spelling, Some(v1::IMAGE_MISMATCH), "image-mismatch");
    }
    check("0x80370101", Some(v2::IMAGE_MISMATCH), "image-mismatch");
    for spelling in [
        "0x20",
        "32",
        "0x80070020",
        "2147942432",
        "ERROR_SHARING_VIOLATION",
    ] {
        check(
            spelling,
            Some(win32::SHARING_VIOLATION),
            "scratch-disk-locked",
        );
    }
    for spelling in ["0xC0000142", "3221225794", "STATUS_DLL_INIT_FAILED"] {
        check(
            spelling,
            Some(codes::nt::DLL_INIT_FAILED),
            "desktop-heap-exhausted",
        );
    }
}

#[test]
fn ids_of_powershell() {
    check(
        "HRESULT 0x80041010,New-NetNat",
        Some(codes::WMI_INVALID_CLASS),
        "netnat-provider-missing",
    );
    check(
        "Windows System Error 87,New-NetNat",
        None,
        "nat-prefix-conflict",
    );
    check("commandnotfoundexception", None, "netnat-missing");
    // The code inside such an id leads to its entry too.
    check(
        "0x80041010",
        Some(codes::WMI_INVALID_CLASS),
        "netnat-provider-missing",
    );
    check("87", Some(win32::INVALID_PARAMETER), "nat-prefix-conflict");
}

#[test]
fn lines_of_logs() {
    check(
        "hcsshim::ActivateLayer failed in Win32: The process cannot access the file because it is being used by another process. (0x20)",
        Some(win32::SHARING_VIOLATION),
        "scratch-disk-locked",
    );
    check(
        "failed to create endpoint web on network nat: hnsCall failed in Win32: The process cannot access the file because it is being \
         used by another process. (0x20)",
        Some(win32::SHARING_VIOLATION),
        "published-port-taken",
    );
    check(
        "hcsshim::PrepareLayer - failed failed in Win32: Incorrect function. (0x1)",
        Some(win32::INVALID_FUNCTION),
        "layer-filter-conflict",
    );
    check(
        "Error creating default network: HNS failed with error : The object already exists. ",
        Some(win32::OBJECT_ALREADY_EXISTS),
        "network-object-exists",
    );
    check(
        "hcnCreateNetwork failed in Win32: An adapter was not found. (0x803b0006)",
        Some(hcn::ADAPTER_NOT_FOUND),
        "hns-adapter-not-found",
    );
    check(
        "container web: hcsshim: timeout waiting for notification",
        None,
        "notification-lost",
    );
    check(
        "Image NanoServer not found after 5 minutes",
        None,
        "preview-image-not-found",
    );
    check(
        "'test2' failed to start: This operation returned because the timeout period expired. (0x800705B4).",
        Some(win32::TIMEOUT),
        "container-start-timeout-few-processors",
    );
    check(
        "create vm utility error: The system cannot find the file specified",
        Some(win32::FILE_NOT_FOUND),
        "utility-vm-of-another-preview",
    );
}

#[test]
fn what_is_not_known() {
    for nothing in [
        "",
        " ",
        "nonsense",
        "0x12345678",
        "it failed",
        "no-such-failure",
        "99999999999",
        "it failed at 10:30 with 7",
    ] {
        assert_eq!(explain(nothing), Vec::<Explanation>::new(), "{nothing:?}");
    }
}

#[test]
fn every_entry_is_found_by_its_id_and_by_each_of_its_codes() {
    for entry in CATALOGUE {
        assert_eq!(explain(entry.id.0)[0].failures, [entry]);
        for code in entry.codes {
            if matches!(code, wcow_host::failures::FailureCode::Silent) {
                continue;
            }
            let shown = code.to_string();
            let found = explain(shown.trim_matches('"'));
            let known = found
                .iter()
                .any(|explanation| explanation.failures.contains(&entry));
            assert!(known, "{}: {shown}", entry.id);
        }
    }
}
