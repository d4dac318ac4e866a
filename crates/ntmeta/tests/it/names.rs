//! Windows strings and the upcase table.

use std::collections::BTreeMap;

use proptest::prelude::*;
use wcow_ntmeta::WideName;
use wcow_ntmeta::upcase::upcase_unit;

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
