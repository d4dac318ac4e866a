//! What holds for any content, and for any damage.

use std::collections::BTreeMap;

use proptest::prelude::*;
use wcow_hive::{Hive, HiveBuilder, HiveError, ValueKind};
use wcow_ntmeta::WideName;

use crate::support::{Dump, dump, fix_checksum, sample, verified};

type Entry = (Vec<String>, String, u32, Vec<u8>);

fn entry() -> impl Strategy<Value = Entry> {
    let name = || "[a-cA-C_/\u{e0}-\u{e2}\u{3b1}-\u{3b4}\u{1f600}]{1,3}";
    let value_name = "[a-c\u{e0}\u{1f600}\\\\]{0,3}";
    let data = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..12),
        1 => (0usize..40_000, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
    ];
    (
        prop::collection::vec(name(), 0..4),
        value_name,
        prop_oneof![0u32..14, any::<u32>()],
        data,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_built_is_read(entries in prop::collection::vec(entry(), 0..40)) {
        let mut builder = HiveBuilder::new("x");
        let mut expected: BTreeMap<(WideName, WideName), (u32, Vec<u8>)> = BTreeMap::new();
        for (path, name, kind, data) in &entries {
            let path = path.join("\\");
            builder.value(&path, name, ValueKind::from(*kind), data).unwrap();
            let key = (WideName::from(&*path).upcased(), WideName::from(&**name).upcased());
            expected.insert(key, (*kind, data.clone()));
        }
        let bytes = builder.build();
        let summary = verified(&bytes).unwrap();
        prop_assert_eq!(summary.values, expected.len() as u64);
        prop_assert_eq!((summary.unreferenced_cells, summary.wrong_parents), (0, 0));
        prop_assert_eq!((summary.unsorted_subkeys, summary.wrong_reference_counts), (0, 0));
        let hive = Hive::parse(&bytes[..]).unwrap();
        for ((path, name), (kind, data)) in &expected {
            let key = hive.open(&path.to_string()).unwrap().unwrap();
            let value = key.value(&name.to_string()).unwrap().unwrap();
            prop_assert_eq!(value.kind().code(), *kind);
            prop_assert_eq!(&*value.data().unwrap(), &data[..]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A damaged hive is refused, or it is a hive: what can be read from it can be built, and read again.
    #[test]
    fn damage_is_found_or_does_no_harm(
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        low in any::<bool>(),
    ) {
        let mut bytes = sample();
        let len = if low { 4096 + 1024 } else { bytes.len() };
        for (place, byte) in places {
            bytes[place.index(len)] = byte;
        }
        fix_checksum(&mut bytes);
        if let Ok(summary) = verified(&bytes) {
            let hive = Hive::parse(&bytes[..]).unwrap();
            let first = dump(&hive).unwrap();
            let data: usize = walk(&hive).unwrap();
            prop_assert_eq!(data as u64, summary.data);
            prop_assert!(summary.data <= bytes.len() as u64);
            let again: Dump = dump(&Hive::parse(bytes.clone()).unwrap()).unwrap();
            prop_assert_eq!(first, again);
        } else if let Ok(hive) = Hive::parse(&bytes[..]) {
            // Refused as a whole; what is whole in it can still be read, and reading ends.
            if let Ok(root) = hive.root() {
                let room = bytes.len() / 80 + 2;
                prop_assert!(root.subkeys().count() <= room);
                for key in root.subkeys().flatten() {
                    prop_assert!(key.subkeys().count() <= room);
                    for value in key.values().flatten() {
                        if let Ok(data) = value.data() {
                            prop_assert!(data.len() <= bytes.len());
                        }
                    }
                }
            }
        }
    }
}

/// Bytes of data in the hive, counted without recursion.
fn walk(hive: &Hive<'_>) -> Result<usize, HiveError> {
    let mut keys = vec![hive.root()?];
    let mut total = 0;
    while let Some(key) = keys.pop() {
        for value in key.values() {
            total += value?.data()?.len();
        }
        keys.extend(key.subkeys().collect::<Result<Vec<_>, _>>()?);
    }
    Ok(total)
}
