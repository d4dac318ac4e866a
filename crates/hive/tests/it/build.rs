//! What the builder writes and what it refuses.

use wcow_hive::{BuildError, Hive, HiveBuilder, ValueKind};

use crate::support::{dump, verified};

#[test]
fn the_order_of_adding_does_not_show() {
    let entries = [("b", "2"), ("a", "1"), ("a\\c", ""), ("_", "x"), ("B", "3")];
    let build = |entries: &mut dyn Iterator<Item = &(&str, &str)>| {
        let mut builder = HiveBuilder::new("x");
        for (path, name) in entries {
            builder
                .value(&path.to_lowercase(), name, ValueKind::Sz, b"data")
                .unwrap();
        }
        builder.build()
    };
    assert_eq!(build(&mut entries.iter()), build(&mut entries.iter().rev()));
}

#[test]
fn many_subkeys_are_indexed_and_sorted() {
    for count in [1u32, 506, 507, 508, 1014, 1015, 3000] {
        let mut builder = HiveBuilder::new("x");
        for i in 0..count {
            builder.key(&format!("many\\{i}")).unwrap();
        }
        let bytes = builder.build();
        let summary = verified(&bytes).unwrap();
        assert_eq!(
            (summary.keys, summary.unsorted_subkeys),
            (u64::from(count) + 2, 0)
        );
        assert_eq!(summary.unreferenced_cells, 0);
        let hive = Hive::parse(&bytes[..]).unwrap();
        let last = format!("many\\{}", count - 1);
        assert!(hive.open(&last).unwrap().is_some());
    }
}

#[test]
fn data_of_every_size_comes_back() {
    for len in [
        0usize, 1, 3, 4, 5, 4059, 4060, 4061, 16343, 16344, 16345, 32688, 32689, 1_000_000,
    ] {
        let data: Vec<u8> = (0..len).map(|i| (i + i / 251).to_le_bytes()[0]).collect();
        let mut builder = HiveBuilder::new("x");
        builder.value("k", "v", ValueKind::Binary, &data).unwrap();
        let bytes = builder.build();
        verified(&bytes).unwrap();
        let hive = Hive::parse(&bytes[..]).unwrap();
        let value = hive
            .open("k")
            .unwrap()
            .unwrap()
            .value("v")
            .unwrap()
            .unwrap();
        assert_eq!(value.data().unwrap(), data, "{len}");
    }
}

#[test]
fn the_last_data_wins_and_the_first_spelling_stays() {
    let mut builder = HiveBuilder::new("x");
    builder.value("Key", "Name", ValueKind::Sz, b"1").unwrap();
    builder
        .value("KEY", "NAME", ValueKind::Binary, b"2")
        .unwrap();
    let bytes = builder.build();
    let dump = dump(&Hive::parse(&bytes[..]).unwrap()).unwrap();
    let values: Vec<_> = dump
        .iter()
        .filter(|((_, name), _)| name.is_some())
        .collect();
    assert_eq!(values.len(), 1);
    assert_eq!(values[0].1, &(3, b"2".to_vec()));
    assert!(values[0].0.0.contains("Key"));
}

#[test]
fn a_long_hive_name_keeps_its_end() {
    let bytes = HiveBuilder::new(r"\??\C:\Windows\System32\config\SOFTWARE").build();
    assert_eq!(
        Hive::parse(&bytes[..]).unwrap().name().to_string(),
        r"indows\System32\config\SOFTWARE"
    );
}

#[test]
fn what_no_hive_can_hold_is_refused() {
    let mut builder = HiveBuilder::new("x");
    for path in ["a\\\\b", "\\a", "a\\"] {
        assert!(
            matches!(builder.key(path), Err(BuildError::EmptyName { .. })),
            "{path}"
        );
    }
    assert!(matches!(
        builder.key(&"k".repeat(256)),
        Err(BuildError::NameTooLong { found: 256, .. })
    ));
    assert!(matches!(
        builder.key(&["k"; 512].join("\\")),
        Err(BuildError::TooDeep { found: 513, .. })
    ));
    let name = "v".repeat(16384);
    assert!(matches!(
        builder.value("", &name, ValueKind::None, &[]),
        Err(BuildError::NameTooLong { .. })
    ));
    assert!(matches!(
        builder.security(b"nonsense"),
        Err(BuildError::Security { .. })
    ));
    builder.key(&["k"; 511].join("\\")).unwrap();
    assert_eq!(verified(&builder.build()).unwrap().depth, 512);
}
