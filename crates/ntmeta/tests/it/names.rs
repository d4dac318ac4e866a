//! Windows strings and the upcase table.

use std::collections::BTreeMap;

use proptest::prelude::*;
use wcow_ntmeta::upcase::upcase_unit;
use wcow_ntmeta::{WideName, WideStr};

/// Units from places where something can go wrong: ASCII, surrogates, letters with odd case rules.
fn units() -> impl Strategy<Value = Vec<u16>> {
    let unit = prop_oneof![
        0x20u16..0x7f,
        0xd800u16..0xe000,
        0x100u16..0x600,
        any::<u16>()
    ];
    prop::collection::vec(unit, 0..24)
}

#[test]
fn upcasing_twice_changes_nothing_more() {
    for unit in 0..=u16::MAX {
        assert_eq!(
            upcase_unit(upcase_unit(unit)),
            upcase_unit(unit),
            "{unit:#06x}"
        );
    }
}

#[test]
fn upcasing_agrees_with_the_standard_library_where_it_maps() {
    // The table is older and leaves out what does not lead back, so only the mapped units are compared.
    for unit in 0..=u16::MAX {
        let upper = upcase_unit(unit);
        if upper == unit {
            continue;
        }
        let (from, to) = (
            char::from_u32(u32::from(unit)).unwrap(),
            char::from_u32(u32::from(upper)).unwrap(),
        );
        let lowered: Vec<char> = to.to_lowercase().collect();
        assert!(lowered == [from] || from == 'ς', "{from} {to}");
    }
}

#[test]
fn the_table_covers_what_the_published_one_covers() {
    let mut classes: BTreeMap<u16, usize> = BTreeMap::new();
    for unit in 0..=u16::MAX {
        *classes.entry(upcase_unit(unit)).or_default() += 1;
    }
    // 26 pairs of ASCII and 848 others, one of which makes a triple (sigma).
    assert_eq!(classes.len(), 65536 - 26 - 848);
    assert_eq!(
        classes
            .iter()
            .filter(|(_, count)| **count > 2)
            .collect::<Vec<_>>(),
        [(&0x3a3, &3)]
    );
}

#[test]
fn exceptions_stay_as_they_are() {
    #[track_caller]
    fn check(from: char, to: char) {
        let unit = |value: char| u16::try_from(u32::from(value)).unwrap();
        assert_eq!(upcase_unit(unit(from)), unit(to));
    }
    check('µ', 'µ');
    check('ı', 'ı');
    check('ſ', 'ſ');
    check('ß', 'ß');
    check('ǅ', 'ǅ');
    check('ǆ', 'Ǆ');
    check('ÿ', 'Ÿ');
    check('ς', 'Σ');
    check('ᾀ', 'ᾈ');
    check('ⅷ', 'Ⅷ');
    check('ｚ', 'Ｚ');
    check('\u{212a}', '\u{212a}');
    // Georgian and Cherokee got case after the table was made.
    check('ა', 'ა');
    check('ꭰ', 'ꭰ');
}

#[test]
fn names_show_lone_surrogates() {
    let name = WideName::from_units(vec![0x61, 0xd800, 0x62, 0x22, 0x0a]);
    assert_eq!(name.to_utf8(), None);
    assert_eq!(name.to_string(), "a\u{fffd}b\"\n");
    assert_eq!(format!("{name:?}"), r#""a\u{d800}b\"\n""#);
    assert_eq!(serde_json::to_string(&name).unwrap(), "[97,55296,98,34,10]");
    assert_eq!(
        serde_json::to_string(&WideName::from("é")).unwrap(),
        "\"é\""
    );
}

#[test]
fn case_counts_in_eq_only() {
    let (lower, upper) = (WideName::from("straße"), WideName::from("STRAßE"));
    assert_ne!(lower, upper);
    assert!(lower.eq_ignore_case(&upper));
    assert!(!WideName::from("STRASSE").eq_ignore_case(&lower));
    // Upcased, `_` sorts after letters; in lower case it would sort before.
    assert!(
        WideName::from("a_")
            .cmp_ignore_case(&WideName::from("ab"))
            .is_gt()
    );
}

#[test]
fn odd_bytes_are_no_name() {
    assert_eq!(WideName::from_le_bytes(&[0x61, 0, 0x62]), None);
    assert_eq!(
        WideName::from_le_bytes(&[0x61, 0]),
        Some(WideName::from("a"))
    );
    assert_eq!(WideName::from_le_bytes(&[]), Some(WideName::new()));
}

proptest! {
    #[test]
    fn every_form_leads_back(units in units()) {
        let name = WideName::from_units(units.clone());
        prop_assert_eq!(name.units(), &units[..]);
        prop_assert_eq!(WideName::from_le_bytes(&name.to_le_bytes()), Some(name.clone()));
        let json = serde_json::to_string(&name).unwrap();
        prop_assert_eq!(serde_json::from_str::<WideName>(&json).unwrap(), name.clone());
        if let Some(text) = name.to_utf8() {
            prop_assert_eq!(WideName::from(text.as_str()), name);
        }
    }

    #[test]
    fn comparing_ignores_case_and_nothing_else(left in units(), right in units()) {
        let (left, right) = (WideName::from_units(left), WideName::from_units(right));
        prop_assert_eq!(left.upcased().len(), left.len());
        prop_assert!(left.eq_ignore_case(&left.upcased()));
        prop_assert_eq!(left.eq_ignore_case(&right), left.upcased() == right.upcased());
        prop_assert_eq!(left.cmp_ignore_case(&right), left.upcased().cmp(&right.upcased()));
    }
}

proptest! {
    #[test]
    fn borrowed_names_behave_as_kept_ones(left in units(), right in units()) {
        let names = [left, right].map(WideName::from_units);
        let bytes = [names[0].to_le_bytes(), names[1].to_le_bytes()];
        let [a, b] = [&bytes[0], &bytes[1]].map(|bytes| WideStr::from_le_bytes(bytes).unwrap());
        prop_assert_eq!(WideName::from(a), names[0].clone());
        prop_assert_eq!(a.as_le_bytes(), &bytes[0][..]);
        prop_assert_eq!((a.len(), a.is_empty()), (names[0].len(), names[0].is_empty()));
        prop_assert_eq!(a.cmp(&b), names[0].cmp(&names[1]));
        prop_assert_eq!(a.partial_cmp(&b), Some(a.cmp(&b)));
        prop_assert_eq!(a == names[1], names[0] == names[1]);
        prop_assert_eq!(a.cmp_ignore_case(b), names[0].cmp_ignore_case(&names[1]));
        prop_assert_eq!(a.eq_ignore_case(&names[1]), names[0].eq_ignore_case(&names[1]));
        prop_assert_eq!(format!("{a} {a:?} {a:>30} {a:.2}"), format!("{0} {0:?} {0:>30} {0:.2}", names[0]));
        prop_assert_eq!(serde_json::to_string(&a).unwrap(), serde_json::to_string(&names[0]).unwrap());
    }
}

#[test]
fn borrowed_names_have_an_even_number_of_bytes() {
    assert_eq!(WideStr::from_le_bytes(b"a\0b"), None);
    let name = WideStr::from_le_bytes(b"a\0\x00\xd8").unwrap();
    assert_eq!(name.chars().collect::<Vec<_>>(), [Ok('a'), Err(0xd800)]);
    assert!(name != "a" && WideStr::default().is_empty());
}
