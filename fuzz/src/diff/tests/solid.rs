//! Solid resources.

use wcow_wim::Problem;

use super::super::wim::disagreement;
use super::{both, metadata_row};
use crate::craft::{BLOB, Parts, empty_root, row};
use crate::field::{number, set, wide};
use crate::mutate::format::{HEADER, Resource, Shape, at};
use crate::mutate::{Form, reshaped};
use crate::wims::verify;

/// Files of solid resources that hold "wcow": the second word of each is its size, each row's is its place.
fn solid(resources: &[&[u8]], blobs: &[(u64, &[u8])]) -> Vec<u8> {
    let metadata = empty_root();
    let mut rows = vec![metadata_row(&metadata)];
    let mut offset = wide(HEADER + metadata.len() + BLOB.len());
    let mut bytes = Vec::new();
    for resource in resources {
        // One chunk, stored as it is.
        let header = [
            &wide(resource.len()).to_le_bytes()[..],
            &(1_u32 << 15).to_le_bytes(),
            &1_u32.to_le_bytes(),
            &u32::try_from(resource.len()).unwrap().to_le_bytes(),
            resource,
        ]
        .concat();
        let place = Resource {
            stored: wide(header.len()),
            flags: 0x10,
            offset,
            size: 1 << 32,
        };
        rows.push(row(&place, b"it has no digest"));
        offset += wide(header.len());
        bytes.extend(header);
    }
    for (place, blob) in blobs {
        let place = Resource {
            stored: wide(blob.len()),
            flags: 0x10,
            offset: *place,
            size: 0,
        };
        rows.push(row(&place, blob));
    }
    Parts {
        metadata: Some(metadata),
        between: bytes,
        table: Some(rows.concat()),
        solid: true,
        ..Parts::default()
    }
    .build()
}

#[test]
fn a_blob_in_two_resources_of_a_solid_run() {
    let (ours, theirs) = both(&solid(&[b"wc", b"ow"], &[(0, b"wcow")]));
    assert!(verify(&ours.unwrap(), 1).is_ok());
    assert_eq!(theirs.open, 20);
}

#[test]
fn blobs_of_a_solid_resource_that_overlap() {
    let (ours, theirs) = both(&solid(&[b"wcow"], &[(0, b"wco"), (2, b"ow")]));
    let problems = verify(&ours.unwrap(), 1).problems;
    assert!(matches!(problems[..], [Problem::Blob { .. }]));
    assert_eq!(theirs.verify, 0);
}

#[test]
fn chunks_of_a_solid_resource_that_are_not_as_long_as_it_is() {
    let mut file = solid(&[b"wcow"], &[(0, b"wcow")]);
    let size = HEADER + empty_root().len() + BLOB.len() + 16;
    assert_eq!(number(&file, size, 4), Some(4));
    set(&mut file, size, 4, 5);
    let (ours, theirs) = both(&file);
    let problems = verify(&ours.unwrap(), 1).problems;
    assert!(matches!(problems[..], [Problem::Blob { .. }]));
    assert_eq!(theirs.verify, 0);
}

#[test]
fn a_solid_resource_in_a_pipable_file() {
    let file = reshaped(&solid(&[b"wcow"], &[(0, b"wcow")]), Form::Pipable);
    let (ours, theirs) = both(&file);
    assert!(verify(&ours.unwrap(), 1).is_ok());
    assert_eq!(theirs.verify, 2);
}

#[test]
fn a_solid_resource_in_a_pipable_file_that_says_it_is_larger() {
    let mut file = reshaped(&solid(&[&[0; 2]], &[(0, &[0; 2])]), Form::Pipable);
    let (ours, _) = both(&file);
    let wim = ours.unwrap();
    let start = usize::try_from(wim.solid_resources()[0].resource.offset).unwrap();
    // Four bytes more, in the row and in the size of the only chunk: to wimlib, a prefix is in them.
    let table = Resource::read(&file, Shape::read(&file).unwrap().header + at::TABLE).unwrap();
    let second = usize::try_from(table.offset).unwrap() + 50;
    assert_eq!(number(&file, second, 7), Some(22));
    set(&mut file, second, 7, 26);
    assert_eq!(number(&file, start + 16, 4), Some(2));
    set(&mut file, start + 16, 4, 6);
    let (ours, theirs) = both(&file);
    let problems = verify(&ours.unwrap(), 1).problems;
    assert!(matches!(problems[..], [Problem::Blob { .. }]));
    assert_eq!(theirs.verify, 0);
}

#[test]
fn a_solid_resource_outside_of_the_file_that_no_blob_needs() {
    let mut file = solid(&[b"wcow"], &[]);
    let table = Resource::read(&file, at::TABLE).unwrap();
    let second = usize::try_from(table.offset).unwrap() + 50;
    assert_eq!(file[second + 7], 0x10);
    for (place, code) in [(1 << 40, 65), (1 << 63, 50)] {
        set(&mut file, second + 8, 8, place);
        let (ours, theirs) = both(&file);
        assert!(verify(&ours.unwrap(), 1).is_ok());
        assert_eq!(theirs.open, code);
    }
}

/// Two solid resources of four bytes each. The second one is to have as many chunks, and no room for their sizes.
fn with_many_chunks(blobs: &[(u64, &[u8])]) -> Vec<u8> {
    let mut file = solid(&[b"wcow", b"wcow"], blobs);
    let second = HEADER + empty_root().len() + BLOB.len() + 16 + 4 + 4;
    assert_eq!(number(&file, second + 8, 4), Some(1 << 15));
    set(&mut file, second + 8, 4, 1);
    set(&mut file, second + 12, 4, 0);
    file
}

#[test]
fn a_solid_resource_too_small_for_its_chunks_that_no_blob_needs() {
    for (needed, place) in [(false, 0), (true, 4)] {
        let file = with_many_chunks(&[(place, b"wcow")]);
        let (ours, theirs) = both(&file);
        let problems = verify(&ours.unwrap(), 1).problems;
        assert!(matches!(problems[..], [Problem::Blob { .. }]));
        assert_eq!(theirs.verify == 0, !needed, "{}", theirs.verify);
    }
}

#[test]
fn a_solid_resource_too_small_for_its_chunks_that_a_second_row_of_a_blob_needs() {
    let file = with_many_chunks(&[(0, b"wcow"), (4, b"wcow")]);
    let (ours, theirs) = both(&file);
    let problems = verify(&ours.unwrap(), 1).problems;
    assert!(matches!(problems[..], [Problem::Blob { .. }]));
    assert_eq!(theirs.verify, 0);
    assert_eq!(disagreement(&file), None);
}

#[test]
fn a_row_of_an_image_in_a_solid_run() {
    let mut file = solid(&[b"wcow"], &[(0, b"wcow")]);
    let table = Resource::read(&file, at::TABLE).unwrap();
    let last = usize::try_from(table.offset + table.size).unwrap() - 50;
    assert_eq!(file[last + 7], 0x10);
    file[last + 7] = 0x12;
    let (ours, theirs) = both(&file);
    assert!(verify(&ours.unwrap(), 1).is_ok());
    assert_eq!(theirs.open, 20);
}

#[test]
fn a_chunk_size_that_the_algorithm_of_a_solid_resource_does_not_have() {
    // XPRESS has chunks of 4096 bytes and more.
    let mut file = solid(&[b"wcow"], &[(0, b"wc"), (2, b"ow")]);
    let header = HEADER + empty_root().len() + BLOB.len();
    assert_eq!(number(&file, header + 8, 4), Some(1 << 15));
    set(&mut file, header + 8, 4, 1 << 9);
    let (ours, theirs) = both(&file);
    let problems = verify(&ours.unwrap(), 1).problems;
    assert!(matches!(
        problems[..],
        [Problem::Blob { .. }, Problem::Blob { .. }]
    ));
    assert_eq!(theirs.verify, 0);
}

#[test]
fn a_solid_resource_that_names_no_algorithm() {
    let mut file = solid(&[b"wcow"], &[(0, b"wcow")]);
    let header = HEADER + empty_root().len() + BLOB.len();
    assert_eq!(number(&file, header + 12, 4), Some(1));
    set(&mut file, header + 12, 4, 0);
    let (ours, theirs) = both(&file);
    assert!(verify(&ours.unwrap(), 1).is_ok());
    assert_eq!(theirs.verify, 16);
}
