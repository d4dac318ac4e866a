//! Reading what is right: lookups, typed data, other list forms, dirty hives.

use wcow_hive::HiveBuilder;
use wcow_hive::{Hive, KeyFlags, ValueKind, empty_hive};
use wcow_ntmeta::FileTime;

use crate::support::{dump, fix_checksum, follow, key_at, put, sample, u32_at, verified, wide};

#[test]
fn an_empty_hive_is_one_bin() {
    let bytes = empty_hive("Software_Delta");
    assert_eq!(bytes.len(), 8192);
    let hive = Hive::parse(&bytes[..]).unwrap();
    assert_eq!(hive.name().to_string(), "Software_Delta");
    assert_eq!(hive.version().to_string(), "1.5");
    assert!(!hive.is_dirty());
    let root = hive.root().unwrap();
    assert!(root.flags().contains(KeyFlags::HIVE_ENTRY));
    assert!(root.subkeys().next().is_none() && root.values().next().is_none());
    let summary = verified(&bytes).unwrap();
    assert_eq!(
        (summary.keys, summary.bins, summary.allocated_cells),
        (1, 1, 2)
    );
}

#[test]
fn names_are_found_whatever_their_case() {
    let mut builder = HiveBuilder::new("x");
    builder
        .value(
            "Caf\u{e9}\\\u{3b1}\u{3b2}",
            "Na\u{ef}ve",
            ValueKind::Dword,
            &5u32.to_le_bytes(),
        )
        .unwrap();
    let bytes = builder.build();
    let hive = Hive::parse(&bytes[..]).unwrap();
    let key = hive.open("CAF\u{c9}\\\u{391}\u{392}").unwrap().unwrap();
    assert_eq!(key.name().to_string(), "\u{3b1}\u{3b2}");
    assert_eq!(
        key.value("NA\u{cf}VE")
            .unwrap()
            .unwrap()
            .as_dword()
            .unwrap(),
        Some(5)
    );
    assert!(hive.open("caf\u{e9}\\no").unwrap().is_none());
    assert!(key.value("").unwrap().is_none());
}

#[test]
fn typed_data_is_read_by_its_type() {
    let mut builder = HiveBuilder::new("x");
    for (name, kind, data) in [
        ("dword", ValueKind::Dword, vec![1, 2, 0, 0]),
        ("big endian", ValueKind::DwordBigEndian, vec![0, 0, 2, 1]),
        ("short dword", ValueKind::Dword, vec![1, 2]),
        ("qword", ValueKind::Qword, vec![1, 0, 0, 0, 0, 0, 0, 1]),
        ("text", ValueKind::Sz, wide("a b\0rest")),
        ("no nul", ValueKind::ExpandSz, wide("%x%")),
        ("odd", ValueKind::Sz, vec![b'a', 0, b'b']),
        ("multi", ValueKind::MultiSz, wide("one\0two\0\0rest\0")),
        ("unended", ValueKind::MultiSz, wide("one")),
    ] {
        builder.value("", name, kind, &data).unwrap();
    }
    let bytes = builder.build();
    let hive = Hive::parse(&bytes[..]).unwrap();
    let value = |name| hive.root().unwrap().value(name).unwrap().unwrap();
    assert_eq!(value("dword").as_dword().unwrap(), Some(0x201));
    assert_eq!(value("big endian").as_dword().unwrap(), Some(0x201));
    assert_eq!(value("short dword").as_dword().unwrap(), None);
    assert_eq!(value("qword").as_dword().unwrap(), None);
    assert_eq!(
        value("qword").as_qword().unwrap(),
        Some(0x0100_0000_0000_0001)
    );
    for (name, text) in [("text", "a b"), ("no nul", "%x%"), ("odd", "a")] {
        assert_eq!(
            value(name).as_string().unwrap().unwrap().to_string(),
            text,
            "{name}"
        );
    }
    assert!(value("dword").as_string().unwrap().is_none());
    for (name, texts) in [("multi", &["one", "two"][..]), ("unended", &["one"])] {
        let found: Vec<String> = value(name)
            .as_multi_string()
            .unwrap()
            .unwrap()
            .map(|text| text.to_string())
            .collect();
        assert_eq!(found, texts, "{name}");
    }
}

#[test]
fn keys_know_their_time_class_and_security() {
    let mut builder = HiveBuilder::new("x");
    let time = FileTime::from_ticks(130_840_771_550_510_000);
    builder
        .timestamp(time)
        .class_name("a", "the class")
        .unwrap();
    let bytes = builder.build();
    let hive = Hive::parse(&bytes[..]).unwrap();
    let key = hive.open("a").unwrap().unwrap();
    assert_eq!((hive.last_written(), key.last_written()), (time, time));
    assert_eq!(key.class_name().unwrap().unwrap().to_string(), "the class");
    assert_eq!(hive.root().unwrap().class_name().unwrap(), None);
    let descriptor = key.security().unwrap().unwrap();
    let parsed = wcow_ntmeta::SecurityDescriptor::parse(descriptor.to_vec()).unwrap();
    assert_eq!(parsed.to_sddl(), "O:BAG:SYD:(A;CI;KA;;;SY)(A;CI;KA;;;BA)");
}

#[test]
fn a_dirty_hive_is_read() {
    let mut bytes = sample();
    let clean = dump(&Hive::parse(&bytes[..]).unwrap()).unwrap();
    put(&mut bytes, 4, &9u32.to_le_bytes());
    fix_checksum(&mut bytes);
    let hive = Hive::parse(&bytes[..]).unwrap();
    assert!(hive.is_dirty());
    assert_eq!(hive.sequence_numbers(), (9, 1));
    assert_eq!(dump(&hive).unwrap(), clean);
}

#[test]
fn older_lists_are_read() {
    let bytes = sample();
    let expected = dump(&Hive::parse(&bytes[..]).unwrap()).unwrap();
    let list = follow(&bytes, key_at(&bytes, "A") + 28);
    let children = [u32_at(&bytes, list + 4), u32_at(&bytes, list + 12)];

    let mut fast = bytes.clone();
    put(&mut fast, list, b"lf");
    let mut plain = bytes;
    put(&mut plain, list, b"li");
    for (at, child) in [(4, children[0]), (8, children[1])] {
        put(&mut plain, list + at, &child.to_le_bytes());
    }
    for bytes in [fast, plain] {
        assert_eq!(dump(&Hive::parse(&bytes[..]).unwrap()).unwrap(), expected);
        verified(&bytes).unwrap();
    }
}

#[test]
fn what_windows_tolerates_is_counted() {
    let mut bytes = sample();
    let (a, b) = (key_at(&bytes, "A"), key_at(&bytes, "A\\B"));
    put(&mut bytes, b + 16, &0x20u32.to_le_bytes());
    put(&mut bytes, b + 76, b"D");
    let sk = follow(&bytes, a + 44);
    put(&mut bytes, sk + 12, &99u32.to_le_bytes());
    let z = key_at(&bytes, "A\\C");
    put(&mut bytes, a + 48, &u32::MAX.to_le_bytes());
    assert_ne!(z, b);
    let summary = verified(&bytes).unwrap();
    assert_eq!(summary.wrong_parents, 1);
    assert_eq!(summary.unsorted_subkeys, 1);
    assert_eq!(summary.wrong_reference_counts, 1);
    assert_eq!(summary.unreferenced_cells, 1);
}
