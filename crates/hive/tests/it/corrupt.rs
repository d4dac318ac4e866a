//! Hives with one thing wrong: each is refused by name and place.

use wcow_hive::{Hive, HiveError, Limits, verify};

use crate::support::{
    content, fix_checksum, follow, key_at, put, sample, u32_at, value_at, verified,
};

/// Changes the sample hive, and expects the error that `is` knows.
#[track_caller]
fn check(change: impl FnOnce(&mut Vec<u8>), is: impl FnOnce(&HiveError) -> bool) {
    let mut bytes = sample();
    change(&mut bytes);
    let error = verified(&bytes).unwrap_err();
    assert!(is(&error), "{error}: {error:?}");
}

#[test]
fn a_truncated_hive_is_refused_at_every_length() {
    let bytes = sample();
    for len in (0..bytes.len()).step_by(64) {
        let error = Hive::parse(&bytes[..len]).unwrap_err();
        match len {
            0..4096 => assert_eq!(
                error,
                HiveError::Truncated {
                    expected: 4096,
                    found: len
                }
            ),
            _ => assert!(
                matches!(error, HiveError::BinsTruncated { .. }),
                "{len}: {error}"
            ),
        }
    }
}

#[test]
fn the_base_block_is_checked() {
    check(|b| b[0] = b'R', |e| matches!(e, HiveError::NotAHive { .. }));
    check(|b| b[100] ^= 1, |e| matches!(e, HiveError::Checksum { .. }));
    for (at, value) in [(20, 2u32), (24, 2), (24, 7)] {
        let change = |b: &mut Vec<u8>| {
            put(b, at, &value.to_le_bytes());
            fix_checksum(b);
        };
        check(change, |e| matches!(e, HiveError::Version { .. }));
    }
    for (at, value) in [(28, 1u32), (32, 0), (36, u32::MAX), (40, 0), (40, 4095)] {
        let change = |b: &mut Vec<u8>| {
            put(b, at, &value.to_le_bytes());
            fix_checksum(b);
        };
        check(
            change,
            |e| matches!(e, HiveError::Field { file_offset, .. } if *file_offset == at as u64),
        );
    }
    let error = Hive::parse(&b"WRON"[..]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "base block: expected signature \"regf\", found \"WRON\""
    );
}

#[test]
fn the_chain_of_bins_is_checked() {
    let bin_field =
        |at: usize, value: u32| move |b: &mut Vec<u8>| put(b, 4096 + at, &value.to_le_bytes());
    for (at, value) in [(0, 0), (4, 8), (8, 0), (8, 4097), (8, 0x7fff_f000)] {
        check(
            bin_field(at, value),
            |e| matches!(e, HiveError::Field { file_offset, .. } if *file_offset == 4096 + at as u64),
        );
    }
}

#[test]
fn cells_stay_in_their_bin() {
    for size in [0, 7, -7, -12, 4, i32::MIN, i32::MAX, -4096, 4096] {
        check(
            |b| put(b, 4096 + 32, &i32::to_le_bytes(size)),
            |e| matches!(e, HiveError::CellSize { at, .. } if at.0 == 32),
        );
    }
}

#[test]
fn a_free_cell_holds_nothing() {
    let free = |b: &mut Vec<u8>| {
        let at = key_at(b, "A") - 4;
        let size = u32_at(b, at).wrapping_neg();
        put(b, at, &size.to_le_bytes());
    };
    check(free, |e| {
        matches!(
            e,
            HiveError::NotACell {
                what: "key node",
                ..
            }
        )
    });
    let mut bytes = sample();
    free(&mut bytes);
    let error = Hive::parse(&bytes[..]).unwrap().open("A").unwrap_err();
    assert!(matches!(error, HiveError::CellFree { .. }), "{error}");
}

#[test]
fn a_cycle_of_keys_is_found() {
    // B gets its parent's list of subkeys, so that it is its own child.
    let cycle = |b: &mut Vec<u8>| {
        let (list, count) = (
            u32_at(b, key_at(b, "A") + 28),
            u32_at(b, key_at(b, "A") + 20),
        );
        let below = key_at(b, "A\\B");
        put(b, below + 20, &count.to_le_bytes());
        put(b, below + 28, &list.to_le_bytes());
    };
    check(cycle, |e| {
        matches!(
            e,
            HiveError::Shared {
                what: "subkey list",
                ..
            }
        )
    });
    // The second child of A is A itself.
    let own_child = |b: &mut Vec<u8>| {
        let a = u32::try_from(key_at(b, "A") - 4 - 4096).unwrap();
        let list = follow(b, key_at(b, "A") + 28);
        put(b, list + 12, &a.to_le_bytes());
    };
    check(own_child, |e| matches!(e, HiveError::Cycle { .. }));
}

#[test]
fn lists_that_lie_end() {
    for count in [0u16, 1, 3, u16::MAX] {
        let lie = |b: &mut Vec<u8>| {
            let list = follow(b, key_at(b, "A") + 28);
            put(b, list + 2, &count.to_le_bytes());
        };
        check(lie, |e| {
            matches!(e, HiveError::Count { .. } | HiveError::TooShort { .. })
        });
    }
    for count in [1u32, 3, 1 << 20, u32::MAX] {
        check(
            |b| {
                let a = key_at(b, "A");
                put(b, a + 20, &count.to_le_bytes());
            },
            |e| matches!(e, HiveError::Count { .. }),
        );
    }
    for count in [100u32, u32::MAX] {
        let lie = |b: &mut Vec<u8>| {
            let a = key_at(b, "A");
            put(b, a + 36, &count.to_le_bytes());
        };
        check(lie, |e| {
            matches!(
                e,
                HiveError::TooShort {
                    what: "value list",
                    ..
                }
            )
        });
    }
}

#[test]
fn a_list_of_lists_that_holds_itself_ends() {
    let mut bytes = sample();
    let field = key_at(&bytes, "A") + 28;
    let (list, at) = (follow(&bytes, field), u32_at(&bytes, field));
    put(&mut bytes, list, b"ri");
    put(&mut bytes, list + 4, &at.to_le_bytes());
    let hive = Hive::parse(&bytes[..]).unwrap();
    let keys: Vec<_> = hive.open("A").unwrap().unwrap().subkeys().collect();
    assert!(
        matches!(keys[..], [Err(HiveError::NestedLists { .. })]),
        "{keys:?}"
    );
    assert!(matches!(verified(&bytes), Err(HiveError::Shared { .. })));
}

#[test]
fn the_same_subkey_again_and_again_ends() {
    let mut bytes = sample();
    let a = key_at(&bytes, "A");
    let list = follow(&bytes, a + 28);
    let child = u32_at(&bytes, list + 4);
    put(&mut bytes, list + 12, &child.to_le_bytes());
    let hive = Hive::parse(&bytes[..]).unwrap();
    assert_eq!(hive.open("A").unwrap().unwrap().subkeys().count(), 2);
    assert!(matches!(verified(&bytes), Err(HiveError::Cycle { .. })));
}

#[test]
fn names_stay_in_their_cell() {
    check(
        |b| {
            let a = key_at(b, "A");
            put(b, a + 72, &u16::MAX.to_le_bytes());
        },
        |e| {
            matches!(
                e,
                HiveError::TooShort {
                    what: "key name",
                    needed: 65611,
                    ..
                }
            )
        },
    );
    check(
        |b| {
            let value = value_at(b, "A", "text");
            put(b, value + 2, &u16::MAX.to_le_bytes());
        },
        |e| {
            matches!(
                e,
                HiveError::TooShort {
                    what: "value name",
                    ..
                }
            )
        },
    );
    check(
        |b| {
            let a = key_at(b, "A");
            put(b, a + 2, &0u16.to_le_bytes());
        },
        |e| {
            matches!(
                e,
                HiveError::OddText {
                    what: "key name",
                    found: 1,
                    ..
                }
            )
        },
    );
    check(
        |b| {
            let a = key_at(b, "A");
            put(b, a + 74, &u16::MAX.to_le_bytes());
        },
        |e| {
            matches!(
                e,
                HiveError::TooShort {
                    what: "class name",
                    ..
                }
            )
        },
    );
}

#[test]
fn data_stays_in_the_hive() {
    let field = |name: &'static str, at: usize, value: u32| {
        move |b: &mut Vec<u8>| {
            let record = value_at(b, "A", name);
            put(b, record + at, &value.to_le_bytes());
        }
    };
    check(field("text", 4, 16_000), |e| {
        matches!(
            e,
            HiveError::TooShort {
                what: "value data",
                ..
            }
        )
    });
    check(field("text", 4, 0x7fff_ffff), |e| {
        matches!(
            e,
            HiveError::Signature {
                what: "big data",
                ..
            }
        )
    });
    check(field("text", 8, 0x7fff_fff8), |e| {
        matches!(
            e,
            HiveError::NotACell {
                what: "value data",
                ..
            }
        )
    });
    check(field("text", 8, 0x24), |e| {
        matches!(e, HiveError::NotACell { .. })
    });
    check(field("inline", 4, 0x8000_0005), |e| {
        matches!(e, HiveError::TooShort { found: 4, .. })
    });
    check(field("big", 4, 0x7fff_ffff), |e| {
        matches!(
            e,
            HiveError::TooShort {
                what: "big data",
                ..
            }
        )
    });
    check(field("big", 4, 20_000), |e| {
        matches!(
            e,
            HiveError::Count {
                expected: 2,
                found: 3,
                ..
            }
        )
    });
}

#[test]
fn segments_that_lie_are_found() {
    let db = |b: &[u8]| follow(b, value_at(b, "A", "big") + 8);
    for count in [0u16, 2, 4, u16::MAX] {
        let lie = |b: &mut Vec<u8>| {
            let at = db(b);
            put(b, at + 2, &count.to_le_bytes());
        };
        check(lie, |e| {
            matches!(
                e,
                HiveError::Count {
                    what: "segments of big data",
                    ..
                }
            )
        });
    }
    let twice = |b: &mut Vec<u8>| {
        let list = follow(b, db(b) + 4);
        let first = u32_at(b, list);
        put(b, list + 4, &first.to_le_bytes());
    };
    check(twice, |e| {
        matches!(
            e,
            HiveError::Shared {
                what: "data segment",
                ..
            }
        )
    });
    let short = |b: &mut Vec<u8>| {
        let list = follow(b, db(b) + 4);
        let (first, last) = (u32_at(b, list), u32_at(b, list + 8));
        put(b, list, &last.to_le_bytes());
        put(b, list + 8, &first.to_le_bytes());
    };
    check(short, |e| {
        matches!(
            e,
            HiveError::TooShort {
                what: "data segment",
                ..
            }
        )
    });
}

#[test]
fn security_records_are_checked() {
    let sk = |b: &[u8]| follow(b, key_at(b, "A") + 44);
    for (at, value) in [(8, 0x20u32), (16, u32::MAX), (4, 0x20), (0, 0)] {
        let change = |b: &mut Vec<u8>| {
            let record = sk(b);
            put(b, record + at, &value.to_le_bytes());
        };
        check(change, |e| {
            matches!(
                e,
                HiveError::SecurityLink { .. }
                    | HiveError::TooShort { .. }
                    | HiveError::Signature { .. }
            )
        });
    }
}

#[test]
fn limits_hold() {
    let bytes = sample();
    let hive = Hive::parse(&bytes[..]).unwrap();
    let all = Limits {
        depth: 3,
        keys: 5,
        values: 3,
        data: 40_024,
    };
    verify(&hive, all).unwrap();
    for less in [
        Limits { depth: 2, ..all },
        Limits { keys: 4, ..all },
        Limits { values: 2, ..all },
        Limits {
            data: 40_023,
            ..all
        },
    ] {
        let error = verify(&hive, less).unwrap_err();
        assert!(
            matches!(error, HiveError::Budget { .. } | HiveError::TooDeep { .. }),
            "{error}"
        );
    }
}

#[test]
fn an_error_names_the_place_in_hive_and_file() {
    let mut bytes = sample();
    let a = key_at(&bytes, "A");
    put(&mut bytes, a, b"kn");
    let cell = a - 4 - 4096;
    let error = verified(&bytes).unwrap_err().to_string();
    let expected = format!(
        "key node at cell {cell:#x} (file offset {:#x}): expected signature \"nk\", found \"kn\"",
        a - 4
    );
    assert_eq!(error, expected);
    assert_eq!(content(wcow_hive::CellOffset(0x20)), 0x1024);
}
