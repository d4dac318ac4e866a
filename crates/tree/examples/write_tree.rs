//! Writes a made-up tree below a directory, to measure the disk sink:
//! `write_tree DIR FILES DIRECTORIES BYTES_PER_FILE [PIECE]`.
//!
//! All entries come first, then the contents in an order that jumps between directories, as from a WIM file.

use std::env::args;
use std::error::Error;
use std::path::Path;

use wcow_ntmeta::{FileAttributes, FileTime, WideName};
use wcow_tree::disk::{DiskOptions, DiskSink};
use wcow_tree::{
    Entry, EntryId, Extra, SendError, Stream, StreamEnd, StreamKind, StreamRef, Times, TreeSink,
    TreeSource,
};

struct Made {
    files: u32,
    directories: u32,
    bytes: Vec<u8>,
    piece: usize,
}

fn entry(id: u32, parent: Option<u32>, name: String, len: Option<u64>) -> Entry {
    let time = FileTime::from_ticks(130_840_411_150_510_001 + u64::from(id));
    Entry {
        id: EntryId(id),
        parent: parent.map(EntryId),
        name: WideName::from(name),
        short_name: WideName::new(),
        attributes: len.map_or(FileAttributes::DIRECTORY, |_| FileAttributes::ARCHIVE),
        times: Times {
            created: time,
            accessed: time,
            written: time,
        },
        security: None,
        reparse: None,
        link_to: None,
        streams: len
            .map(|len| Stream {
                name: WideName::new(),
                kind: StreamKind::Data,
                len,
                digest: None,
            })
            .into_iter()
            .collect(),
        extra: Extra::default(),
    }
}

impl TreeSource for Made {
    fn send(&mut self, sink: &mut dyn TreeSink) -> Result<(), SendError> {
        let len = u64::try_from(self.bytes.len()).map_err(SendError::source)?;
        sink.entry(&entry(0, None, String::new(), None))?;
        // Directories of five levels: each below one with a fifth of its number.
        for id in 1..=self.directories {
            sink.entry(&entry(id, Some(id / 5), format!("directory-{id}"), None))?;
        }
        let first = self.directories + 1;
        for number in 0..self.files {
            let parent = number % (self.directories + 1);
            let name = format!("component_{number}_file.dll");
            sink.entry(&entry(first + number, Some(parent), name, Some(len)))?;
        }
        for number in 0..self.files {
            let stream = StreamRef {
                entry: EntryId(first + number),
                index: 0,
            };
            if sink.open_stream(stream)? {
                for piece in self.bytes.chunks(self.piece) {
                    sink.write(piece)?;
                }
                sink.close_stream(StreamEnd::Complete)?;
            }
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = args().skip(1).collect();
    let [dir, files, directories, bytes, rest @ ..] = args.as_slice() else {
        return Err("write_tree DIR FILES DIRECTORIES BYTES_PER_FILE [PIECE]".into());
    };
    let mut source = Made {
        files: files.parse()?,
        directories: directories.parse()?,
        bytes: vec![0x5a; bytes.parse()?],
        piece: rest.first().map_or(Ok(1 << 20), |piece| piece.parse())?,
    };
    let mut sink = DiskSink::open(Path::new(dir), DiskOptions::default())?;
    source.send(&mut sink)?;
    let report = sink.finish()?;
    println!(
        "{} files, {} directories, {} bytes, {} problems",
        report.files, report.directories, report.bytes, report.problem_count
    );
    Ok(())
}
