//! Which stream of an entry is which.
//!
//! The format has no stream types. The main digest, unless it is zero, and the stream entries without a name stand for, in this
//! order: the reparse data of a reparse point, then the file's data; or, in an encrypted file, only its raw backup: the first
//! that is not zero. Streams without a name beyond those mean nothing. Stream entries with a name are alternate data streams, those
//! of an encrypted file too: wimlib 1.14.4 does not list these, but wants their blobs to be there.

use wcow_ntmeta::FileAttributes;
use wcow_tree::Digest;

use super::dentry::{Dentry, StreamEntry};
use super::tree::{Fault, Log};
use super::{ImageStream, StreamRole};

/// Adds the streams of `entry` at `at` to `streams`: those without a name first, of these the file's data. Returns where the
/// stream entries end.
pub(super) fn read(
    data: &[u8],
    entry: Dentry<'_>,
    at: usize,
    streams: &mut Vec<ImageStream>,
    log: &mut Log<'_>,
) -> Result<usize, Fault> {
    let first = at + entry.len();
    let mut unnamed = Unnamed::default();
    if !entry.digest().is_zero() {
        unnamed.add(entry.digest());
    }
    let mut next = first;
    for _ in 0..entry.stream_count() {
        let stream = StreamEntry::parse(data, next)?;
        if stream.name.is_empty() {
            unnamed.add(stream.digest);
        }
        next = stream.end;
    }
    let end = next;
    let attributes = entry.attributes();
    let mut ignored = None;
    let unnamed_from = streams.len();
    let mut push = |role, digest| {
        streams.push(ImageStream {
            name: None,
            role,
            digest,
        });
    };
    if attributes.contains(FileAttributes::ENCRYPTED) {
        if let Some(digest) = unnamed.first_not_zero {
            push(StreamRole::EncryptedRaw, digest);
        }
    } else {
        let (reparse, contents) = if attributes.is_reparse_point() {
            (Some(unnamed.first), unnamed.second)
        } else {
            (None, unnamed.first)
        };
        if !attributes.is_directory() {
            push(StreamRole::Data, contents.unwrap_or(Digest::ZERO));
        } else if contents.is_some_and(|digest| !digest.is_zero()) {
            ignored = contents;
            log.warn(at, || {
                "a directory with data; the data is ignored".to_owned()
            });
        }
        if let Some(digest) = reparse {
            push(StreamRole::Reparse, digest.unwrap_or(Digest::ZERO));
        }
    }
    let unnamed_to = streams.len();
    let mut next = first;
    for _ in 0..entry.stream_count() {
        let stream = StreamEntry::parse(data, next)?;
        if stream.name.is_empty() {
            let digest = stream.digest;
            let used = streams.get(unnamed_from..unnamed_to).unwrap_or_default();
            let is_known = ignored == Some(digest) || used.iter().any(|it| it.digest == digest);
            if !is_known && !digest.is_zero() {
                log.warn(next, || {
                    "a stream without a name that stands for nothing; ignored".to_owned()
                });
            }
        } else {
            streams.push(ImageStream {
                name: Some(stream.name.to_name()),
                role: StreamRole::Named,
                digest: stream.digest,
            });
        }
        next = stream.end;
    }
    Ok(end)
}

/// The streams without a name that mean something.
#[derive(Default)]
struct Unnamed {
    first: Option<Digest>,
    second: Option<Digest>,
    first_not_zero: Option<Digest>,
}

impl Unnamed {
    fn add(&mut self, digest: Digest) {
        if self.first.is_none() {
            self.first = Some(digest);
        } else if self.second.is_none() {
            self.second = Some(digest);
        }
        if self.first_not_zero.is_none() && !digest.is_zero() {
            self.first_not_zero = Some(digest);
        }
    }
}
