//! What is set, with which rights, in which order, and what follows from a refusal.

use std::io::ErrorKind;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use wcow_ntmeta::{FileAttributes, FileTime};

use super::super::record::Record;
use super::*;
use crate::{EntryId, Extra};

/// A file with everything.
fn entry() -> Entry {
    Entry {
        id: EntryId(1),
        parent: Some(EntryId(0)),
        name: "file".into(),
        short_name: "FI~1".into(),
        attributes: FileAttributes::HIDDEN
            | FileAttributes::READONLY
            | FileAttributes::COMPRESSED
            | FileAttributes::SPARSE_FILE,
        times: Times {
            created: FileTime::from_ticks(11),
            accessed: FileTime::from_ticks(12),
            written: FileTime::from_ticks(13),
        },
        security: Some(
            SecurityDescriptor::from_sddl("O:SYG:SYD:PAI(A;;FA;;;SY)S:AI(AU;SAFA;FA;;;WD)")
                .expect("a descriptor"),
        ),
        reparse: Some(ReparsePoint {
            tag: 0x8000_0013,
            data: vec![1; 4],
        }),
        link_to: None,
        streams: Vec::new(),
        extra: Extra {
            object_id: vec![5; 16],
            extended_attributes: b"\x01\0\x01\0A\0x".to_vec(),
            ..Extra::default()
        },
    }
}

/// Seals a file, and gives the calls and the parts that were refused.
#[track_caller]
fn run(change: impl FnOnce(&mut Record), entry: &Entry) -> (Vec<String>, Vec<Part>) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(dir.path().join("file"), "").expect("room");
    let root = Dir::open_ambient_dir(dir.path(), ambient_authority()).expect("just made");
    let mut record = Record::new(dir.path().to_owned());
    change(&mut record);
    let at = At {
        dir: &root,
        name: "file",
    };
    let refused = seal(&mut record, at, &Sealed::of(entry), false).expect("it can be opened");
    let parts = refused.iter().map(|refusal| refusal.part).collect();
    (record.calls.lines(), parts)
}

const BASIC: &str = "basic [11, 12, 13] 0x3";

#[test]
fn everything_is_set_through_one_handle_and_times_come_last() {
    let (calls, refused) = run(|_| {}, &entry());
    let expected = [
        r#"open "file" 0x10d0113"#,
        "compressed",
        "sparse",
        "ea 11",
        "object id",
        "reparse 12",
        "short FI~1",
        "security 0x8000000f",
        BASIC,
    ];
    assert_eq!(calls, expected);
    assert_eq!(refused, []);
}

#[test]
fn without_privileges_nothing_is_tried_that_needs_them() {
    let (calls, refused) = run(
        |record| {
            record.privileges = Privileges {
                restore: false,
                security: false,
            };
            record.refuses = vec![("security 0x80000007", ErrorKind::PermissionDenied)];
        },
        &entry(),
    );
    let expected = [
        r#"open "file" 0xc0113"#,
        "compressed",
        "sparse",
        "ea 11",
        "reparse 12",
        "security 0x80000007",
        "security 0x80000004",
        BASIC,
    ];
    assert_eq!(calls, expected);
    let parts = [Part::ObjectId, Part::ShortName, Part::Audit, Part::Owner];
    assert_eq!(refused, parts);
}

#[test]
fn rights_that_are_refused_are_given_up_one_after_the_other() {
    let (calls, refused) = run(
        |record| {
            record.denied_rights = access::WRITE_OWNER
                | access::SYSTEM_SECURITY
                | access::WRITE_DAC
                | access::WRITE_DATA
                | access::DELETE;
        },
        &entry(),
    );
    assert_eq!(calls.last().map(String::as_str), Some(BASIC));
    let opened = calls.iter().filter(|line| line.starts_with("open"));
    assert_eq!(opened.count(), 10, "{calls:?}");
    let set: Vec<_> = calls
        .iter()
        .filter(|line| !line.starts_with("open"))
        .collect();
    assert_eq!(
        set,
        [BASIC],
        "extended attributes go on the way to compression"
    );
    let parts = [
        Part::Audit,
        Part::Owner,
        Part::Security,
        Part::ShortName,
        Part::ReparsePoint,
        Part::ObjectId,
        Part::ExtendedAttributes,
        Part::Attributes,
        Part::Attributes,
    ];
    assert_eq!(refused, parts);
}

#[test]
fn what_cannot_be_opened_at_all_is_an_error() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(dir.path().join("file"), "").expect("room");
    let root = Dir::open_ambient_dir(dir.path(), ambient_authority()).expect("just made");
    let mut record = Record::new(dir.path().to_owned());
    record.denied_rights = access::WRITE_ATTRIBUTES;
    let at = At {
        dir: &root,
        name: "file",
    };
    let error = seal(&mut record, at, &Sealed::of(&entry()), false).map(|_| ());
    assert_eq!(
        error.map_err(|error| error.kind()),
        Err(ErrorKind::PermissionDenied)
    );
}

#[test]
fn a_step_that_fails_leaves_the_others() {
    let (calls, refused) = run(
        |record| {
            record.refuses = vec![
                ("ea", ErrorKind::Unsupported),
                ("short", ErrorKind::AlreadyExists),
                ("security", ErrorKind::InvalidInput),
            ];
        },
        &entry(),
    );
    assert_eq!(calls.len(), 9, "{calls:?}");
    assert_eq!(
        refused,
        [Part::ExtendedAttributes, Part::ShortName, Part::Security]
    );
}

#[test]
fn a_volume_is_asked_for_what_it_has_a_place_for() {
    let fat = |record: &mut Record| record.places = Places::from_flags(0x6);
    let (calls, refused) = run(fat, &entry());
    assert_eq!(calls, [r#"open "file" 0x10102"#, "short FI~1", BASIC]);
    assert_eq!(refused, []);
}

#[test]
fn data_that_makes_no_sense_is_refused() {
    let mut entry = entry();
    entry.extra.extended_attributes.push(0);
    entry.extra.object_id.truncate(3);
    entry.times.created = FileTime::from_ticks(u64::MAX);
    let (calls, refused) = run(|_| {}, &entry);
    assert_eq!(refused, [Part::ExtendedAttributes, Part::ObjectId]);
    let last = calls.last().map(String::as_str);
    assert_eq!(last, Some("basic [0, 12, 13] 0x3"));
}

#[test]
fn the_destination_gets_descriptor_and_times() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let root = Dir::open_ambient_dir(dir.path(), ambient_authority()).expect("just made");
    let mut record = Record::new(dir.path().to_owned());
    let at = At {
        dir: &root,
        name: "",
    };
    let mut entry = entry();
    entry.attributes.insert(FileAttributes::DIRECTORY);
    entry.extra = Extra::default();
    let refused = seal(&mut record, at, &Sealed::of(&entry), true).expect("it is there");
    assert!(refused.is_empty());
    let expected = [
        r#"open "" 0x10c0102"#,
        "security 0x8000000f",
        "basic [11, 12, 13] 0x0",
        "flush",
    ];
    assert_eq!(record.calls.lines(), expected);
}

#[test]
fn an_acl_that_was_inherited_stays_so() {
    #[track_caller]
    fn check(sddl: &str, parts: u32, control: u16) {
        let descriptor = SecurityDescriptor::from_sddl(sddl).expect("a descriptor");
        let (found, bytes) = to_set(&descriptor);
        assert_eq!(found, parts, "{sddl}");
        let [_, _, low, high, ..] = *bytes else {
            unreachable!("a descriptor has a header");
        };
        assert_eq!(u16::from_le_bytes([low, high]), control, "{sddl}");
    }
    check("O:SY", OWNER, 0x8000);
    check("D:(A;;FA;;;SY)", DACL, 0x8004);
    check("D:P(A;;FA;;;SY)", DACL | PROTECTED_DACL, 0x9004);
    check("D:AI(A;;FA;;;SY)", DACL, 0x8504);
    check("S:AI(AU;SA;FA;;;WD)", SACL, 0x8a10);
}
