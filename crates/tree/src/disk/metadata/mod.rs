//! What a disk has no place for, in a file beside the tree: `wcow.metadata/1`.
//!
//! [`DiskSink::with_metadata`](super::DiskSink::with_metadata) writes it, and
//! [`DiskSource::with_metadata`](super::DiskSource::with_metadata) takes it back: what was extracted and captured again is
//! the tree it was, in its order, to the last bit of metadata.
//!
//! # Format
//!
//! UTF-8 text, one JSON object with one member a line ([JSON Lines](https://jsonlines.org)). The member's name says what the
//! line is. Members of objects that are not listed here are errors, so nothing is passed over; a later version has another
//! schema name. Bytes are hexadecimal digits, two a byte. Times are ticks of 100 ns since 1601 UTC. A name that is not valid
//! UTF-16 is an array of its 16-bit units. What is empty, zero or absent is left out.
//!
//! | line | what it says |
//! |---|---|
//! | `{"schema":"wcow.metadata/1"}` | the first line |
//! | `{"security":{"id":0,"descriptor":"0100.."}}` | a security descriptor, before the first entry that has it |
//! | `{"entry":{..}}` | an entry, after its parent and after the first name of its file |
//! | `{"named":{"id":7,"name":"a%003Ab"}}` | entry 7 has this name on the disk; without the line, its own |
//! | `{"link":{"id":8,"target":"../x"}}` | entry 8 is a symbolic link on the disk, and says this |
//! | `{"aside":9}` | entry 9 is not on the disk; this file holds all of it |
//! | `{"lost":10}` | entry 10 was not written; it is not part of the tree any more |
//! | `{"times_unset":11}` | the disk refused the times of entry 11 |
//! | `{"bytes":{"id":7,"stream":1,"data":"5a.."}}` | the bytes of a stream of at most 4096 |
//! | `{"stored":{"id":7,"stream":2,"offset":0}}` | a longer stream: its bytes are in the file `FILE.streams`, from this offset on |
//! | `{"end":{"entries":12,"stored":70000}}` | the last line: number of entries, and length of `FILE.streams`, which is there if it is not 0 |
//!
//! | member of an entry | what it is |
//! |---|---|
//! | `id` | number by which the other lines name it |
//! | `parent` | id of its directory; the first entry is the root and has none |
//! | `name`, `short_name` | as in the tree |
//! | `attributes` | `FILE_ATTRIBUTE_*` bits |
//! | `times` | created, accessed, written |
//! | `security` | id of the descriptor |
//! | `reparse` | `tag` and `data` |
//! | `link_to` | id of the first name of the same file |
//! | `streams` | all streams: `name`, `len`, `encrypted` for raw data of EFS; their position is the `stream` of other lines |
//! | `object_id`, `extended_attributes` | bytes |
//! | `unknown` | tagged items, unix data among them: `tag`, `data` |
//! | `reserved`, `target_not_fixed` | as in a WIM directory entry |
//!
//! The unnamed stream of a file that is on the disk has no line of its own: the disk has the bytes. A stream without a line
//! was damaged.
//!
//! # Taking it back
//!
//! The disk decides what is there, the metadata what it is:
//!
//! * An entry whose file, directory or link is on the disk gets everything but its contents from the metadata. If it was
//!   written to since (its last write time differs by two seconds or more, and is one that every disk can hold, from 1980 to
//!   2038), the disk has the say on write and access times.
//! * An entry that is not on the disk any more is left out, with all below it. If the first name of a file is gone, the next
//!   one takes its place.
//! * What lies on the disk and not in the metadata is read as without metadata, and comes last.
//!
//! Both files are written under a temporary name (`FILE.part`) and get their names at the end.

pub(super) use read::{Bytes, Known, Place};
pub use read::{Metadata, MetadataError};
pub(super) use write::Beside;
pub use write::MetadataWriter;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wcow_ntmeta::{FileAttributes, ReparsePoint, SecurityDescriptor, WideName, hex};

mod read;
mod write;

const SCHEMA: &str = "wcow.metadata/1";
/// Streams of up to so many bytes stand in the file itself.
const INLINE: u64 = 4096;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Schema(String),
    Security {
        id: u32,
        descriptor: SecurityDescriptor,
    },
    Entry(Box<EntryLine>),
    Named {
        id: u32,
        name: String,
    },
    Link {
        id: u32,
        target: String,
    },
    Aside(u32),
    Lost(u32),
    TimesUnset(u32),
    Bytes {
        id: u32,
        stream: usize,
        #[serde(with = "hex")]
        data: Vec<u8>,
    },
    Stored {
        id: u32,
        stream: usize,
        offset: u64,
    },
    End {
        entries: u64,
        stored: u64,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryLine {
    id: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<u32>,
    #[serde(default, skip_serializing_if = "WideName::is_empty")]
    name: WideName,
    #[serde(default, skip_serializing_if = "WideName::is_empty")]
    short_name: WideName,
    attributes: FileAttributes,
    /// Created, accessed, written.
    times: [u64; 3],
    #[serde(default, skip_serializing_if = "Option::is_none")]
    security: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reparse: Option<ReparsePoint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link_to: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    streams: Vec<StreamLine>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "hex")]
    object_id: Vec<u8>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "hex")]
    extended_attributes: Vec<u8>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unknown: Vec<TaggedLine>,
    #[serde(default, skip_serializing_if = "is_default")]
    reserved: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    target_not_fixed: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StreamLine {
    #[serde(default, skip_serializing_if = "WideName::is_empty")]
    name: WideName,
    len: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    encrypted: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TaggedLine {
    tag: u32,
    #[serde(with = "hex")]
    data: Vec<u8>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The file with the longer streams.
fn streams_path(path: &Path) -> PathBuf {
    with_suffix(path, ".streams")
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut text = OsString::from(path);
    text.push(suffix);
    text.into()
}
