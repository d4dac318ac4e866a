//! The name rule: safe names, and no two names become one.

use std::collections::BTreeMap;

use proptest::prelude::*;
use wcow_ntmeta::WideName;
use wcow_tree::names::{MAX_NAME, NameRule, numbered_name, written_name};

const RULES: [NameRule; 3] = [NameRule::Unix, NameRule::Windows, NameRule::Both];

/// Reads a written name back, by the documented table alone. Shortened names have no way back.
fn original(written: &str) -> Option<WideName> {
    if written == "%~" {
        return Some(WideName::new());
    }
    let mut units = Vec::new();
    let mut rest = written;
    while let Some(character) = rest.chars().next() {
        let hex = rest.strip_prefix('%').and_then(|tail| tail.get(..4));
        match hex.filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            Some(hex) => {
                units.push(u16::from_str_radix(hex, 16).ok()?);
                rest = &rest[5..];
            }
            None if rest.starts_with("%#") || rest.starts_with("%~") => return None,
            None => {
                units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
                rest = &rest[character.len_utf8()..];
            }
        }
    }
    Some(WideName::from_units(units))
}

#[track_caller]
fn assert_safe(written: &str, rule: NameRule) {
    assert!(!matches!(written, "" | "." | ".."), "{written:?}");
    assert!(!written.contains(['/', '\\', '\0']), "{written:?}");
    if rule != NameRule::Windows {
        assert!(written.len() <= MAX_NAME, "{written:?}");
    }
    match rule {
        NameRule::Unix => {}
        NameRule::Windows | NameRule::Both => {
            assert!(written.encode_utf16().count() <= MAX_NAME, "{written:?}");
            assert!(
                !written.contains(|c: char| ":*?\"<>|".contains(c) || c < ' '),
                "{written:?}"
            );
            assert!(!written.ends_with([' ', '.']), "{written:?}");
            let base = written
                .split('.')
                .next()
                .unwrap_or("")
                .trim_end_matches(' ')
                .to_ascii_uppercase();
            let ports: Vec<String> = (0..=9)
                .flat_map(|n| [format!("COM{n}"), format!("LPT{n}")])
                .collect();
            assert!(
                !["CON", "PRN", "AUX", "NUL"].contains(&base.as_str()) && !ports.contains(&base),
                "{written:?}"
            );
        }
    }
}

#[test]
fn names_by_the_table() {
    #[track_caller]
    fn check(name: &str, unix: &str, windows: &str) {
        let name = WideName::from(name);
        assert_eq!(
            [
                written_name(&name, NameRule::Unix),
                written_name(&name, NameRule::Windows),
                written_name(&name, NameRule::Both)
            ],
            [unix, windows, windows]
        );
    }
    check("a.txt", "a.txt", "a.txt");
    check("", "%~", "%~");
    check(".", "%002E", "%002E");
    check("..", "%002E%002E", "%002E%002E");
    check("...", "...", "..%002E");
    check(".git", ".git", ".git");
    check("a/b\\c\0d", "a%002Fb%005Cc%0000d", "a%002Fb%005Cc%0000d");
    check("100%", "100%", "100%");
    check("%41", "%41", "%41");
    check("%0041", "%00250041", "%00250041");
    check("%~2", "%0025~2", "%0025~2");
    check("%#", "%0025#", "%0025#");
    check("a:b?*", "a:b?*", "a%003Ab%003F%002A");
    check("tab\t", "tab\t", "tab%0009");
    check("end. ", "end. ", "end.%0020");
    check("con", "con", "%0063on");
    check("Com1.log", "Com1.log", "%0043om1.log");
    check("LPT¹ .x", "LPT¹ .x", "%004CPT¹ .x");
    check("com", "com", "com");
    check("AUX", "AUX", "%0041UX");
    check("prn.", "prn.", "%0070rn%002E");
    check("aux.h", "aux.h", "%0061ux.h");
    check("ntdll.dll", "ntdll.dll", "ntdll.dll");
    check("longer-name.", "longer-name.", "longer-name%002E");
    check("com10", "com10", "com10");
    check("nul ", "nul ", "%006Eul%0020");
    check("CONOUT$", "CONOUT$", "%0043ONOUT$");
    check("console", "console", "console");
    check("héllo 🦀", "héllo 🦀", "héllo 🦀");
}

#[test]
fn lone_surrogates_are_written_as_digits() {
    let name = WideName::from_units(vec![0x61, 0xdc00, 0xd83e, 0xdd80, 0xd800]);
    assert_eq!(written_name(&name, NameRule::Unix), "a%DC00🦀%D800");
}

#[test]
fn every_short_name_has_a_written_name_of_its_own() {
    // All names of up to four units from an alphabet of everything the rule looks at.
    let alphabet: Vec<u16> = "%0~#./\\ \0:N"
        .encode_utf16()
        .chain([0xd800, 0xdc00])
        .collect();
    let mut names: Vec<Vec<u16>> = vec![Vec::new()];
    let mut last = names.clone();
    for _ in 0..4 {
        last = last
            .iter()
            .flat_map(|name| {
                alphabet
                    .iter()
                    .map(|unit| name.iter().copied().chain([*unit]).collect::<Vec<_>>())
            })
            .collect();
        names.extend(last.iter().cloned());
    }
    for rule in RULES {
        let mut seen: BTreeMap<String, &[u16]> = BTreeMap::new();
        for units in &names {
            let name = WideName::from_units(units.clone());
            let written = written_name(&name, rule);
            assert_safe(&written, rule);
            assert_eq!(original(&written), Some(name), "{written:?}");
            assert_eq!(seen.insert(written, units), None);
        }
    }
}

#[test]
fn long_names_are_shortened_and_stay_apart() {
    let long = |last: char| WideName::from(format!("{}{last}", "ab🦀\\".repeat(100)));
    for rule in RULES {
        let [one, other] = ['x', 'y'].map(|last| written_name(&long(last), rule));
        assert_ne!(one, other);
        assert_safe(&one, rule);
        assert!(
            one.starts_with("ab🦀%005Cab") && one.contains("%#"),
            "{one}"
        );
        assert_eq!(original(&one), None);
        assert!(numbered_name(&one, 4_000_000_000, rule).ends_with("%~4000000000"));
        assert_safe(&numbered_name(&one, 4_000_000_000, rule), rule);
    }
    // 255 units of three bytes each: Windows can hold that, UTF-8 disks cannot.
    let name = WideName::from("字".repeat(255));
    assert_eq!(written_name(&name, NameRule::Windows), "字".repeat(255));
    for rule in [NameRule::Unix, NameRule::Both] {
        assert_eq!(written_name(&name, rule).len(), 71 * 3 + 42);
    }
}

fn unit() -> impl Strategy<Value = u16> {
    let tricky: Vec<u16> = "%%%0aF~#.. /\\\0:CONnul1¹"
        .encode_utf16()
        .chain([0xd83e, 0xdd80])
        .collect();
    prop_oneof![3 => prop::sample::select(tricky), 1 => any::<u16>()]
}

proptest! {
    #[test]
    fn written_names_are_safe_and_lead_back(units in prop::collection::vec(unit(), 0..30)) {
        let name = WideName::from_units(units);
        for rule in RULES {
            let written = written_name(&name, rule);
            assert_safe(&written, rule);
            prop_assert_eq!(original(&written), Some(name.clone()));
        }
    }

    #[test]
    fn names_of_any_length_are_safe(units in prop::collection::vec(unit(), 30..400), number in 2u32..) {
        let name = WideName::from_units(units);
        for rule in RULES {
            let written = written_name(&name, rule);
            assert_safe(&written, rule);
            assert_safe(&numbered_name(&written, number, rule), rule);
            prop_assert!(written.contains("%#") || original(&written) == Some(name.clone()));
        }
    }
}
