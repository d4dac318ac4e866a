//! Every difference that is meant, with an input that shows both sides of it.

mod codec;
mod solid;
mod xml;

use sha1::{Digest as _, Sha1};
use wcow_wim::{Image, ImageError, ImageIndex, OpenError, Problem, ReadError, StreamRole, Wim};

use super::diff_wim;
use crate::craft::{BLOB, Parts, empty_root, entry, one_file, row, security, utf16};
use crate::field::{number, set, wide};
use crate::mutate::format::{HEADER, Resource, at};
use crate::mutate::{Form, repair, reshaped};
use crate::seeds::rich;
use crate::wimlib::{Judged, judge};
use crate::wims::verify;

/// Both judge the file, and `diff_wim` takes what they say for meant.
#[track_caller]
fn both(file: &[u8]) -> (Result<Wim, OpenError>, Judged) {
    diff_wim(file);
    let judged = judge(file, 1).expect("there is a place for a file");
    (Wim::open(file.to_vec()), judged)
}

fn of_metadata(metadata: Vec<u8>) -> Vec<u8> {
    Parts {
        metadata: Some(metadata),
        ..Parts::default()
    }
    .build()
}

fn image(wim: &Wim) -> Result<Image, ImageError> {
    wim.image(ImageIndex::new(1).expect("it is not 0"))
}

fn digest(bytes: &[u8]) -> [u8; 20] {
    Sha1::digest(bytes).into()
}

/// Two directories in the root, whose lists of children are at these places, counted from the end of the root's own list.
fn two_directories(lists: [u64; 2], rest: &[u8]) -> Vec<u8> {
    let [a, b] = ["a", "b"].map(|name| entry(0x10, 0, &[], [0; 20], name));
    let root = entry(0x10, 8 + 104 + 8, &[], [0; 20], "");
    let start = wide(8 + root.len() + 8 + a.len() + b.len() + 8);
    let mut metadata = [&security()[..], &root, &[0; 8], &a, &b, &[0; 8], rest].concat();
    let first = 8 + root.len() + 8;
    set(&mut metadata, first + 16, 8, start + lists[0]);
    set(&mut metadata, first + a.len() + 16, 8, start + lists[1]);
    metadata
}

#[test]
fn directories_that_share_a_list_of_children() {
    let child = entry(0x20, 0, &[], [0; 20], "child");
    let file = of_metadata(two_directories([0, 0], &[&child[..], &[0; 8]].concat()));
    let (ours, theirs) = both(&file);
    assert!(matches!(
        image(&ours.unwrap()),
        Err(ImageError::SharedChildren { .. })
    ));
    assert_eq!(theirs.images[0].as_ref().map(Vec::len), Ok(5));
}

#[test]
fn directories_whose_lists_of_children_overlap() {
    // Twice as many entries as there is room for.
    let names = ('c'..='v').map(String::from);
    let children: Vec<Vec<u8>> = names
        .map(|name| entry(0x20, 0, &[], [0; 20], &name))
        .collect();
    let rest = [&children.concat()[..], &[0; 8]].concat();
    let file = of_metadata(two_directories([0, wide(children[0].len())], &rest));
    let (ours, theirs) = both(&file);
    assert!(matches!(
        image(&ours.unwrap()),
        Err(ImageError::OverlappingChildren { .. })
    ));
    assert_eq!(theirs.images[0].as_ref().map(Vec::len), Ok(42));
}

#[test]
fn a_chunk_size_in_an_uncompressed_file() {
    let mut file = Parts::default().build();
    set(&mut file, at::CHUNK_SIZE, 4, 1 << 15);
    let (ours, theirs) = both(&file);
    assert!(!ours.unwrap().warnings().is_empty());
    assert_eq!(theirs.open, 15);
}

/// A row for bytes of the blob that every such file has.
fn part_of_blob(len: usize) -> [u8; 50] {
    let offset = wide(HEADER + one_file().len());
    let resource = Resource {
        stored: wide(len),
        flags: 0,
        offset,
        size: wide(len),
    };
    row(&resource, &BLOB[..len])
}

fn metadata_row(metadata: &[u8]) -> [u8; 50] {
    let resource = Resource {
        stored: wide(metadata.len()),
        flags: 0x02,
        offset: wide(HEADER),
        size: wide(metadata.len()),
    };
    row(&resource, metadata)
}

#[test]
fn two_blobs_in_the_same_bytes() {
    let rows = [metadata_row(&one_file()), part_of_blob(4), part_of_blob(3)];
    let file = Parts {
        table: Some(rows.concat()),
        ..Parts::default()
    }
    .build();
    let (ours, theirs) = both(&file);
    let problems = verify(&ours.unwrap(), 1).problems;
    assert!(matches!(problems[..], [Problem::Overlap { .. }]));
    assert_eq!(theirs.verify, 0);
}

#[test]
fn a_security_descriptor_that_is_none() {
    // Total size, one descriptor of 8 bytes, its length, the descriptor.
    let table = [
        &24_u32.to_le_bytes()[..],
        &1_u32.to_le_bytes(),
        &8_u64.to_le_bytes(),
        b"nonsense",
    ];
    let mut root = entry(0x10, 0, &[], [0; 20], "");
    set(&mut root, 12, 4, 0);
    let file = of_metadata([&table.concat()[..], &root, &[0; 8]].concat());
    let (ours, theirs) = both(&file);
    let image = image(&ours.unwrap()).unwrap();
    assert!(image.security(image.root()).is_none());
    assert_eq!(theirs.images[0].as_ref().unwrap()[0].security, b"nonsense");
}

#[test]
fn stored_sizes_of_tables_that_are_not_compressed() {
    for place in [at::TABLE, at::XML] {
        let mut file = Parts::default().build();
        let stored = number(&file, place, 7).unwrap();
        set(&mut file, place, 7, stored - 2);
        let (ours, theirs) = both(&file);
        assert!(matches!(ours, Err(OpenError::Read { .. })), "{place:#x}");
        assert_eq!(theirs.verify, 0, "{place:#x}");
    }
}

#[test]
fn a_lookup_table_without_bytes_outside_of_the_file() {
    let mut file = Parts {
        table: Some(Vec::new()),
        ..Parts::default()
    }
    .build();
    set(&mut file, at::TABLE + 8, 8, 1 << 40);
    let (ours, theirs) = both(&file);
    assert!(matches!(ours, Err(OpenError::Truncated { .. })));
    assert_eq!((theirs.open, theirs.verify), (0, 0));
}

#[test]
fn a_last_header_of_a_pipable_file_with_another_magic() {
    let mut file = reshaped(&rich(), Form::Pipable);
    let magic = file.len() - HEADER;
    file[magic] ^= 1;
    let (ours, theirs) = both(&file);
    assert!(matches!(ours, Err(OpenError::Truncated { .. })));
    assert_eq!((theirs.open, theirs.verify), (0, 0));
}

#[test]
fn security_data_of_as_many_bytes_as_can_be_said() {
    let mut metadata = empty_root();
    set(&mut metadata, 0, 4, u64::from(u32::MAX));
    let (ours, theirs) = both(&of_metadata(metadata));
    assert!(matches!(
        image(&ours.unwrap()),
        Err(ImageError::Damaged { offset: 0, .. })
    ));
    assert_eq!(theirs.images[0].as_ref().map(Vec::len), Ok(1));
}

#[test]
fn an_entry_of_as_many_bytes_as_can_be_said() {
    // In place of the end of the list.
    let mut metadata = one_file();
    let end = metadata.len() - 8;
    set(&mut metadata, end, 8, u64::MAX);
    let (ours, theirs) = both(&of_metadata(metadata));
    let error = image(&ours.unwrap());
    assert!(matches!(error, Err(ImageError::Damaged { offset, .. }) if offset == wide(end)));
    assert_eq!(theirs.images[0].as_ref().map(Vec::len), Ok(2));
}

#[test]
fn a_stored_size_of_one_chunk_that_needs_more_than_32_bits() {
    let mut file = Parts::default().build();
    // A file of XPRESS chunks, whose metadata is one that is stored as it is.
    set(&mut file, at::FLAGS, 4, 0x2_0082);
    set(&mut file, at::CHUNK_SIZE, 4, 1 << 15);
    let table = Resource::read(&file, at::TABLE).unwrap();
    let row = usize::try_from(table.offset).unwrap();
    let stored = number(&file, row, 7).unwrap();
    set(&mut file, row, 7, stored + (1 << 32));
    set(&mut file, row + 7, 1, 0x06);
    let (ours, theirs) = both(&file);
    assert!(matches!(
        image(&ours.unwrap()),
        Err(ImageError::Read {
            source: ReadError::OutOfFile { .. },
            ..
        })
    ));
    assert!(theirs.images[0].is_ok());
}

#[test]
fn a_stored_size_of_an_integrity_table_that_is_another() {
    let mut file = Parts {
        integrity: Some(vec![0; 12 + 20]),
        ..Parts::default()
    }
    .build();
    let table = Resource::read(&file, at::INTEGRITY).unwrap();
    let start = usize::try_from(table.offset).unwrap();
    // Its size, one piece, bytes of a piece.
    for (at, value) in [(0, table.size), (4, 1), (8, 1 << 26)] {
        set(&mut file, start + at, 4, value);
    }
    repair(&mut file);
    let report = verify(&Wim::open(file.clone()).unwrap(), 1);
    assert!(report.is_ok(), "{:?}", report.problems);
    set(&mut file, at::INTEGRITY, 7, table.stored - 1);
    let (ours, theirs) = both(&file);
    let problems = verify(&ours.unwrap(), 1).problems;
    assert!(matches!(problems[..], [Problem::Integrity(_)]));
    assert_eq!(theirs.verify, 0);
}

#[test]
fn names_of_one_file_that_do_not_agree() {
    let mut names = [(0x20, "one"), (0x21, "two")]
        .map(|(attributes, name)| entry(attributes, 0, &[], digest(BLOB), name));
    names.iter_mut().for_each(|name| set(name, 88, 8, 7));
    let root = entry(0x10, 8 + 104 + 8, &[], [0; 20], "");
    let parts = [&security()[..], &root, &[0; 8], &names.concat(), &[0; 8]];
    let (ours, theirs) = both(&of_metadata(parts.concat()));
    let image = image(&ours.unwrap()).unwrap();
    let ours: Vec<u32> = image
        .nodes()
        .skip(1)
        .map(|node| image.attributes(node).bits())
        .collect();
    assert_eq!(ours, [0x20, 0x21]);
    let theirs = theirs.images[0].as_ref().unwrap().iter().skip(1);
    let theirs: Vec<u32> = theirs.map(|item| item.attributes).collect();
    assert_eq!(theirs[0], theirs[1]);
}

#[test]
fn an_encrypted_file_among_names_of_one_group() {
    let mut names = [(0x20, [0; 20], "one"), (0x4020, digest(BLOB), "two")]
        .map(|(attributes, digest, name)| entry(attributes, 0, &[], digest, name));
    names.iter_mut().for_each(|name| set(name, 88, 8, 7));
    let root = entry(0x10, 8 + 104 + 8, &[], [0; 20], "");
    let parts = [&security()[..], &root, &[0; 8], &names.concat(), &[0; 8]];
    let (ours, theirs) = both(&of_metadata(parts.concat()));
    let image = image(&ours.unwrap()).unwrap();
    assert!(image.nodes().all(|node| image.first_link(node).is_none()));
    let theirs = theirs.images[0].as_ref().unwrap().iter().skip(1);
    let theirs: Vec<u32> = theirs.map(|item| item.attributes).collect();
    assert_eq!(theirs[0], theirs[1]);
}

#[test]
fn what_one_name_of_an_encrypted_file_needs_alone() {
    let mut names = [(digest(BLOB), "one"), ([9; 20], "two")]
        .map(|(digest, name)| entry(0x4020, 0, &[], digest, name));
    names.iter_mut().for_each(|name| set(name, 88, 8, 7));
    let root = entry(0x10, 8 + 104 + 8, &[], [0; 20], "");
    let parts = [&security()[..], &root, &[0; 8], &names.concat(), &[0; 8]];
    let file = of_metadata(parts.concat());
    let (ours, theirs) = both(&file);
    let problems = verify(&ours.unwrap(), 1).problems;
    assert!(matches!(problems[..], [Problem::Missing { .. }]));
    assert_eq!(theirs.verify, 0);
    assert_eq!(super::wim::disagreement(&file), None);
}

#[test]
fn prefixes_of_chunks_that_the_table_contradicts() {
    let mut file = reshaped(&rich(), Form::PipableChunked);
    // The first payload is the XML data; the metadata of the first image follows, in one chunk behind its size.
    let wim = Wim::open(file.clone()).unwrap();
    let rows = wim.header().lookup_table.offset;
    let at = usize::try_from(rows).unwrap() + 8;
    let prefix = usize::try_from(number(&file, at, 8).unwrap()).unwrap();
    set(&mut file, prefix, 4, 1);
    repair(&mut file);
    set(&mut file, prefix, 4, 1);
    let (ours, theirs) = both(&file);
    let error = image(&ours.unwrap());
    assert!(matches!(
        error,
        Err(ImageError::Read {
            source: ReadError::ChunkPrefix { .. },
            ..
        })
    ));
    assert!(theirs.images[0].is_ok());
}

#[test]
fn data_of_a_directory() {
    let root = entry(0x10, 0, &[], digest(b"nowhere"), "");
    let (ours, theirs) = both(&of_metadata([&security()[..], &root, &[0; 8]].concat()));
    let report = verify(&ours.unwrap(), 1);
    assert!(report.is_ok() && !report.warnings.is_empty());
    assert_eq!(theirs.verify, 55);
}

/// A file in the root, with these streams: name, whether it is the blob or one that is nowhere.
fn with_streams(attributes: u32, streams: &[(&str, bool)]) -> Vec<u8> {
    let streams_of = |(name, is_there): &(&str, bool)| {
        let name = utf16(name);
        let end = if name.is_empty() { 0 } else { 2 };
        let len = (38 + name.len() + end).next_multiple_of(8);
        let mut bytes = vec![0; len];
        set(&mut bytes, 0, 8, wide(len));
        let digest = digest(if *is_there { BLOB } else { b"nowhere" });
        bytes[16..36].copy_from_slice(&digest);
        set(&mut bytes, 36, 2, wide(name.len()));
        bytes[38..38 + name.len()].copy_from_slice(&name);
        bytes
    };
    let list: Vec<u8> = streams.iter().flat_map(streams_of).collect();
    let mut file = entry(attributes, 0, &list, [0; 20], "file");
    set(&mut file, 96, 2, wide(streams.len()));
    let root = entry(0x10, 8 + 104 + 8, &[], [0; 20], "");
    of_metadata([&security()[..], &root, &[0; 8], &file, &[0; 8]].concat())
}

#[test]
fn named_streams_of_an_encrypted_file() {
    let (ours, theirs) = both(&with_streams(0x4020, &[("", true), ("s", true)]));
    let image = image(&ours.unwrap()).unwrap();
    let streams = image.streams(image.nodes().nth(1).unwrap());
    let roles: Vec<StreamRole> = streams.iter().map(|stream| stream.role).collect();
    assert_eq!(roles, [StreamRole::EncryptedRaw, StreamRole::Named]);
    let theirs = theirs.images[0].as_ref().unwrap();
    assert!(theirs.iter().all(|item| item.named.is_empty()));
    // It does not list them, but knows them: their blobs must be there.
    let (ours, theirs) = both(&with_streams(0x4020, &[("", true), ("s", false)]));
    let problems = verify(&ours.unwrap(), 1).problems;
    assert!(matches!(problems[..], [Problem::Missing { .. }]));
    assert_eq!(theirs.verify, 55);
}

#[test]
fn streams_without_a_name_that_stand_for_nothing() {
    for attributes in [0x20, 0x4020] {
        let (ours, theirs) = both(&with_streams(attributes, &[("", true), ("", false)]));
        let report = verify(&ours.unwrap(), 1);
        assert!(report.is_ok() && report.warnings.len() == 1);
        assert_eq!(theirs.verify, 55);
    }
}

#[test]
fn a_row_that_counts_for_nothing_with_two_sizes() {
    let mut odd = part_of_blob(3);
    set(&mut odd, 16, 8, 5);
    // It is of another part.
    set(&mut odd, 24, 2, 2);
    let rows = [metadata_row(&one_file()), part_of_blob(4), odd];
    let file = Parts {
        table: Some(rows.concat()),
        ..Parts::default()
    }
    .build();
    let (ours, theirs) = both(&file);
    assert!(verify(&ours.unwrap(), 1).is_ok());
    assert_eq!(theirs.open, 20);
}

#[test]
fn an_integrity_table_without_bytes_at_an_impossible_place() {
    let mut file = Parts::default().build();
    set(&mut file, at::INTEGRITY + 8, 8, u64::MAX);
    let (ours, theirs) = both(&file);
    assert!(verify(&ours.unwrap(), 1).is_ok());
    assert_eq!(theirs.open, 19);
}

#[test]
fn an_integrity_table_without_bytes_where_there_is_a_bad_one() {
    let mut integrity = vec![0; 12 + 20];
    for (at, value) in [(0, 32), (4, 1), (8, 1 << 26)] {
        set(&mut integrity, at, 4, value);
    }
    let mut file = Parts {
        integrity: Some(integrity),
        ..Parts::default()
    }
    .build();
    set(&mut file, at::INTEGRITY, 7, 0);
    let (ours, theirs) = both(&file);
    assert!(verify(&ours.unwrap(), 1).is_ok());
    assert_eq!(theirs.open, 13);
}

#[test]
fn an_integrity_table_of_nothing_behind_a_lookup_table_in_the_header() {
    let mut integrity = vec![0; 12];
    set(&mut integrity, 0, 4, 12);
    set(&mut integrity, 8, 4, 1 << 10);
    let mut file = Parts {
        table: Some(Vec::new()),
        integrity: Some(integrity),
        images: Some(0),
        ..Parts::default()
    }
    .build();
    set(&mut file, at::TABLE + 8, 8, wide(HEADER - 1));
    let (ours, theirs) = both(&file);
    assert!(verify(&ours.unwrap(), 1).is_ok());
    assert_eq!(theirs.open, 19);
}

#[test]
fn an_image_whose_row_has_no_bytes() {
    let metadata = one_file();
    let mut empty = metadata_row(&metadata);
    set(&mut empty, 0, 7, 0);
    set(&mut empty, 16, 8, 0);
    let file = Parts {
        metadata: Some(metadata.clone()),
        table: Some([empty, metadata_row(&metadata), part_of_blob(4)].concat()),
        images: Some(2),
        ..Parts::default()
    }
    .build();
    let (ours, theirs) = both(&file);
    let ours = ours.unwrap();
    assert!(image(&ours).is_err() && !verify(&ours, 1).is_ok());
    assert!(theirs.images[0].is_ok());
}

#[test]
fn an_image_without_entries() {
    let (ours, theirs) = both(&of_metadata([&security()[..], &[0; 8]].concat()));
    assert_eq!(image(&ours.unwrap()).unwrap().len(), 1);
    assert_eq!(theirs.images[0], Err(49));
    // One with a root is listed by both.
    let (_, theirs) = both(&of_metadata(empty_root()));
    assert!(theirs.images[0].is_ok());
}
