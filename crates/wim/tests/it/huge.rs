//! Files above 4 GiB, of which nearly all is made up as it is read.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use wcow_tree::memory::MemoryTree;
use wcow_wim::{Options, ReadAt, Wim};

use crate::build::{Algorithm, Codec, Contents, File, Style};
use crate::encode::encode;
use crate::support::{
    LOOKUP_TABLE, XML, first, put, resource, runs, sha1, tree_of, u64_at, verify,
};

const GIB: u64 = 1 << 30;

/// Pieces of bytes at places; between them are zeros.
struct Sparse {
    pieces: Vec<(u64, Vec<u8>)>,
}

impl ReadAt for Sparse {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        if offset + buf.len() as u64 > self.len()? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buf.fill(0);
        for (start, piece) in &self.pieces {
            let from = offset.max(*start);
            let to = (offset + buf.len() as u64).min(start + piece.len() as u64);
            if from < to {
                let bytes = &piece[(from - start) as usize..(to - start) as usize];
                buf[(from - offset) as usize..(to - offset) as usize].copy_from_slice(bytes);
            }
        }
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        let ends = self.pieces.iter();
        let ends = ends.map(|(start, piece)| start + piece.len() as u64);
        Ok(ends.max().unwrap_or(0))
    }
}

/// The same file with everything behind the header so many bytes further on.
fn moved(mut file: Vec<u8>, by: u64) -> Sparse {
    let add = |file: &mut Vec<u8>, at: usize| {
        let offset = u64_at(file, at) + by;
        put(file, at, &offset.to_le_bytes());
    };
    let table = u64_at(&file, LOOKUP_TABLE + 8) as usize;
    let rows = u64_at(&file, LOOKUP_TABLE + 16) as usize / 50;
    for row in (0..rows).map(|row| table + 50 * row) {
        // The place of a blob in a solid run is no place in the file.
        if file[row + 7] & 0x10 == 0 || u64_at(&file, row + 16) == 1 << 32 {
            add(&mut file, row + 8);
        }
    }
    for at in [LOOKUP_TABLE, XML] {
        add(&mut file, at + 8);
    }
    let rest = file.split_off(208);
    Sparse {
        pieces: vec![(0, file), (208 + by, rest)],
    }
}

#[test]
fn offsets_above_4_gib_are_read() {
    let tree = (0..5_u8).fold(MemoryTree::new(), |tree, number| {
        tree.file(format!("{number}"), runs(number.into(), 20_000))
    });
    let contents = Contents::of(std::slice::from_ref(&tree));
    for style in [
        Style::PLAIN,
        Style::compressed(Codec::XPRESS),
        Style::solid(Codec::XPRESS, 2, 9000),
    ] {
        let file = moved(style.file(&contents), 5 * GIB + 1);
        let wim = Wim::open(file).expect("it opens");
        assert!(wim.file_len() > 5 * GIB);
        assert_eq!(tree_of(&wim, first()), tree);
        assert!(verify(&wim).is_ok());
    }
}

/// The byte that chunk `index` is made of.
fn byte_of(index: u64) -> u8 {
    (index % 200) as u8 & 0x3F
}

/// A resource of chunks of one byte each, of which none is stored as it is: their stored bytes, and the place behind each.
fn chunks(codec: Codec, count: u64) -> (Vec<u8>, Vec<u64>) {
    let encoded: Vec<Vec<u8>> = (0..64_u8)
        .map(|byte| {
            let chunk = vec![byte; codec.chunk_size as usize];
            encode(codec.algorithm, codec.chunk_size, &chunk).expect("it shrinks")
        })
        .collect();
    let mut bytes = Vec::new();
    let ends = (0..count).map(|index| {
        bytes.extend(&encoded[usize::from(byte_of(index))]);
        bytes.len() as u64
    });
    let ends = ends.collect();
    (bytes, ends)
}

/// Reads at places of a blob of such chunks, which begins at `start` of the first one.
#[track_caller]
fn check_reads(wim: &Wim, digest: &[u8], chunk_size: u64, start: u64, size: u64) {
    let reader = wim.blob_reader(&sha1(digest)).expect("it can be read");
    let mut reader = reader.expect("it is there");
    assert_eq!(reader.len(), size);
    let edge = 4 * GIB - start;
    for place in [
        size - 5,
        edge - 10,
        edge + 123_456,
        0,
        edge,
        edge + chunk_size - 7,
        size - chunk_size - 3,
    ] {
        reader.seek(SeekFrom::Start(place)).expect("it can");
        let mut bytes = Vec::new();
        Read::by_ref(&mut reader)
            .take(20)
            .read_to_end(&mut bytes)
            .expect("it can be read");
        let end = size.min(place + 20);
        let expected: Vec<u8> = (place..end)
            .map(|at| byte_of((start + at) / chunk_size))
            .collect();
        assert_eq!(bytes, expected, "at {place}");
    }
}

/// A file of an image without files, with what `add` adds; any output is allowed.
fn open(add: impl FnOnce(&mut File)) -> Wim {
    let contents = Contents::of(&[MemoryTree::new()]);
    let codec = Codec::new(Algorithm::Xpress, 1 << 16);
    let mut file = File::with_image(codec, &contents);
    add(&mut file);
    let mut options = Options::default();
    options.limits.output_bytes = u64::MAX;
    Wim::open_with(Arc::new(file.finish(&contents.xml, 1, None)), options).expect("it opens")
}

#[test]
fn a_resource_above_4_gib_has_wide_entries() {
    let codec = Codec::new(Algorithm::Xpress, 1 << 16);
    let count = (5 * GIB) / (1 << 16);
    let (bytes, ends) = chunks(codec, count);
    let wim = open(|file| {
        let offset = file.bytes.len();
        for end in &ends[..ends.len() - 1] {
            file.bytes.extend(end.to_le_bytes());
        }
        file.bytes.extend(&bytes);
        let header = resource(file.bytes.len() - offset, 4, offset, (5 * GIB) as usize);
        file.row(header, b"huge");
    });
    check_reads(&wim, b"huge", 1 << 16, 0, 5 * GIB);
}

#[test]
fn entries_become_wide_above_the_largest_u32() {
    // One byte more, and the table has 8 bytes for each chunk; the last chunk is a short one.
    for (extra, entry_len) in [(0, 4), (1, 8)] {
        let codec = Codec::new(Algorithm::Xpress, 1 << 16);
        let (mut bytes, ends) = chunks(codec, 4 * GIB / (1 << 16) - 1);
        let size = u64::from(u32::MAX) + extra;
        let last = size - (ends.len() as u64) * (1 << 16);
        bytes.extend(vec![7; last as usize]);
        let wim = open(|file| {
            let offset = file.bytes.len();
            for end in &ends {
                file.bytes.extend(&end.to_le_bytes()[..entry_len]);
            }
            file.bytes.extend(&bytes);
            let header = resource(file.bytes.len() - offset, 4, offset, size as usize);
            file.row(header, b"edge");
        });
        let reader = wim.blob_reader(&sha1(b"edge")).expect("it can be read");
        let mut reader = reader.expect("it is there");
        reader.seek(SeekFrom::End(-3)).expect("it can");
        let mut end = Vec::new();
        reader.read_to_end(&mut end).expect("it can be read");
        assert_eq!(end, [7; 3]);
    }
}

#[test]
fn a_solid_resource_above_4_gib_is_read() {
    let codec = Codec::new(Algorithm::Lzms, 1 << 20);
    let count = 5 * GIB / (1 << 20);
    let (bytes, ends) = chunks(codec, count);
    let wim = open(|file| {
        let offset = file.bytes.len();
        file.bytes.extend((5 * GIB).to_le_bytes());
        file.bytes.extend((1_u32 << 20).to_le_bytes());
        file.bytes.extend(3_u32.to_le_bytes());
        let mut start = 0;
        for end in &ends {
            file.bytes.extend(((end - start) as u32).to_le_bytes());
            start = *end;
        }
        file.bytes.extend(&bytes);
        let header = resource(file.bytes.len() - offset, 0x14, offset, 1 << 32);
        file.row(header, &[]);
        let (begin, size) = (3 * GIB + 77, 2 * GIB - 77);
        file.row(
            resource(size as usize, 0x14, begin as usize, size as usize),
            b"solid",
        );
    });
    check_reads(&wim, b"solid", 1 << 20, 3 * GIB + 77, 2 * GIB - 77);
}

#[test]
fn a_plain_resource_above_4_gib_is_read() {
    let contents = Contents::of(&[MemoryTree::new()]);
    let mut file = File::with_image(Codec::NONE, &contents);
    let size = 6 * GIB;
    file.row(
        resource(size as usize, 0, 8 * GIB as usize, size as usize),
        b"plain",
    );
    let mut sparse = Sparse {
        pieces: vec![(0, file.finish(&contents.xml, 1, None))],
    };
    sparse.pieces.push((13 * GIB + 5, b"here".to_vec()));
    sparse.pieces.push((14 * GIB - 4, b"last".to_vec()));
    let wim = Wim::open(sparse).expect("it opens");
    let reader = wim.blob_reader(&sha1(b"plain")).expect("it can be read");
    let mut reader = reader.expect("it is there");
    let mut bytes = [1; 6];
    reader.seek(SeekFrom::Start(5 * GIB + 4)).expect("it can");
    reader.read_exact(&mut bytes).expect("it can be read");
    assert_eq!(&bytes, b"\0here\0");
    reader.seek(SeekFrom::End(-4)).expect("it can");
    let mut end = Vec::new();
    reader.read_to_end(&mut end).expect("it can be read");
    assert_eq!(end, b"last");
}
