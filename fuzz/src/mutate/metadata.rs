//! Changes to the metadata of an image: security data, directory entries, streams, tagged items.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::field::{number, set, size, wide};
use crate::rng::Rng;

/// Entries that are looked at most.
const MOST: usize = 4096;

/// Fields of a directory entry: place and length.
const FIELDS: &[(usize, usize)] = &[
    (0x00, 8),
    (0x08, 4),
    (0x0C, 4),
    (0x10, 8),
    (0x18, 8),
    (0x28, 8),
    (0x38, 8),
    (0x54, 4),
    (0x58, 4),
    (0x58, 8),
    (0x5E, 2),
    (0x60, 2),
    (0x62, 2),
    (0x64, 2),
];

/// Attributes that change how an entry is read.
const ATTRIBUTES: &[u64] = &[0x10, 0x400, 0x4000, 0x1, 0x20, 0x200, 0x800, 0x8000_0000];

/// Values of the reparse tag, or of the hard link group.
const SLOTS: &[u64] = &[
    0,
    1,
    2,
    0xA000_000C,
    0xA000_0003,
    0x8000_0017,
    0x8000_0013,
    1 << 48 | 0xA000_000C,
];

/// Names, and parts of names, that are trouble.
const NAMES: &[&str] = &[
    "",
    ".",
    "..",
    "...",
    "a",
    "A",
    "/",
    "\\",
    "a/b",
    "..\\..\\x",
    "C:",
    "s:t",
    "CON",
    "aux.txt",
    "nul",
    "x. ",
    "x.",
    "\0",
    "a\0b",
    "\u{1}",
    "\u{fffd}",
    "*?<>|\"",
    "ÄÖ",
    "ß",
];

/// A directory entry.
struct Entry {
    at: usize,
    /// Its own bytes, rounded up.
    len: usize,
    /// Its stream entries.
    streams: Vec<Range<usize>>,
}

impl Entry {
    /// Where the next entry begins.
    fn end(&self) -> usize {
        self.streams
            .last()
            .map_or(self.at + self.len, |last| last.end)
    }
}

/// Changes one thing in the metadata.
pub(crate) fn mutate(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let entries = entries(bytes);
    match rng.below(16) {
        0 | 1 => security(bytes, &entries, rng),
        2..=5 => field(bytes, &entries, rng),
        6 => attributes(bytes, &entries, rng),
        7 => children(bytes, &entries, rng),
        8 => digest(bytes, &entries, rng),
        9 | 10 => rename(bytes, &entries, rng),
        11 => repeat(bytes, &entries, rng),
        12 => remove(bytes, &entries, rng),
        13 => stream(bytes, &entries, rng),
        14 => tagged(bytes, &entries, rng),
        _ => tail(bytes, rng),
    }
}

/// All entries that the lists lead to, each once.
fn entries(bytes: &[u8]) -> Vec<Entry> {
    let mut found = Vec::new();
    let Some(root) = size(bytes, 0, 4).and_then(|total| total.max(8).checked_next_multiple_of(8))
    else {
        return found;
    };
    let mut seen = BTreeSet::new();
    let mut lists = vec![root];
    while let Some(mut at) = lists.pop() {
        while let Some(entry) = entry(bytes, at).filter(|entry| seen.insert(entry.at)) {
            at = entry.end();
            let children = size(bytes, entry.at + 0x10, 8).filter(|children| *children > 0);
            lists.extend(children);
            found.push(entry);
            if found.len() >= MOST {
                return found;
            }
        }
    }
    found
}

fn entry(bytes: &[u8], at: usize) -> Option<Entry> {
    let len = size(bytes, at, 8)
        .filter(|len| *len > 8)?
        .checked_next_multiple_of(8)?;
    let end = at
        .checked_add(len)
        .filter(|end| *end <= bytes.len() && len >= 0x68)?;
    let mut streams = Vec::new();
    let mut next = end;
    for _ in 0..number(bytes, at + 0x60, 2)? {
        let stop = size(bytes, next, 8)
            .and_then(|len| len.checked_next_multiple_of(8))
            .filter(|len| *len >= 0x26)
            .and_then(|len| next.checked_add(len))
            .filter(|stop| *stop <= bytes.len());
        let Some(stop) = stop else { break };
        streams.push(next..stop);
        next = stop;
    }
    Some(Entry { at, len, streams })
}

/// Replaces `remove` bytes at `at` by `insert`, and moves every list of children behind them.
fn splice(bytes: &mut Vec<u8>, entries: &[Entry], at: usize, remove: usize, insert: &[u8]) {
    let end = at.saturating_add(remove);
    if end > bytes.len() {
        return;
    }
    for entry in entries {
        let place = entry.at + 0x10;
        let children = size(bytes, place, 8).filter(|children| *children >= end && *children > at);
        if let Some(children) = children {
            set(
                bytes,
                place,
                8,
                wide((children - remove).saturating_add(insert.len())),
            );
        }
    }
    bytes.splice(at..end, insert.iter().copied());
}

fn security(bytes: &mut Vec<u8>, entries: &[Entry], rng: &mut Rng) {
    let (total, count) = (
        size(bytes, 0, 4).unwrap_or(0),
        size(bytes, 4, 4).unwrap_or(0),
    );
    match rng.below(4) {
        0 => {
            let (place, len) = *rng.pick(&[(0, 4), (4, 4)]).unwrap_or(&(0, 4));
            set(bytes, place, len, rng.number(wide(total)));
        }
        1 => {
            let place = 8 + 8 * rng.below(count.min(64) + 1);
            let old = number(bytes, place, 8).unwrap_or(0);
            set(bytes, place, 8, rng.number(old));
        }
        2 => {
            let place = 8 + rng.below(total.max(8));
            set(bytes, place, 1, rng.bits());
        }
        // A further descriptor, of 20 bytes: no owner, no lists.
        _ => {
            let sizes = 8 + 8 * count.min(64);
            let end = total.max(8).next_multiple_of(8);
            if end > bytes.len() || sizes > end || count > 64 {
                return;
            }
            let mut descriptor = [0; 24];
            set(&mut descriptor, 0, 4, 0x8000_0001);
            splice(bytes, entries, end, 0, &descriptor);
            splice(bytes, &[], sizes, 0, &20_u64.to_le_bytes());
            // The second insertion has moved every list by 8.
            for entry in entries {
                let place = entry.at + 32 + 0x10;
                if let Some(children) = number(bytes, place, 8).filter(|children| *children > 0) {
                    set(bytes, place, 8, children.saturating_add(8));
                }
            }
            set(bytes, 0, 4, wide(end + 32));
            set(bytes, 4, 4, wide(count + 1));
        }
    }
}

fn field(bytes: &mut [u8], entries: &[Entry], rng: &mut Rng) {
    let (Some(entry), Some((place, len))) = (rng.pick(entries), rng.pick(FIELDS)) else {
        return;
    };
    let at = entry.at + place;
    let old = number(bytes, at, *len).unwrap_or(0);
    let value = match place {
        0x58 if rng.one_in(2) => *rng.pick(SLOTS).unwrap_or(&0),
        0x0C if rng.one_in(2) => wide(rng.below(4)),
        _ => rng.number(old),
    };
    set(bytes, at, *len, value);
}

fn attributes(bytes: &mut [u8], entries: &[Entry], rng: &mut Rng) {
    let (Some(entry), Some(bit)) = (rng.pick(entries), rng.pick(ATTRIBUTES)) else {
        return;
    };
    let old = number(bytes, entry.at + 8, 4).unwrap_or(0);
    set(bytes, entry.at + 8, 4, old ^ bit);
}

/// Lets the list of children begin where another does, at any entry, at the root, or at the end.
fn children(bytes: &mut [u8], entries: &[Entry], rng: &mut Rng) {
    let (Some(entry), Some(other)) = (rng.pick(entries), rng.pick(entries)) else {
        return;
    };
    let value = match rng.below(6) {
        0 => wide(other.at),
        1 => wide(entry.at),
        2 => wide(bytes.len()).saturating_sub(wide(8 * rng.below(4))),
        3 => wide(other.at + 8 * rng.below(16)),
        4 => wide(other.end()),
        _ => number(bytes, other.at + 0x10, 8).unwrap_or(0),
    };
    set(bytes, entry.at + 0x10, 8, value);
}

/// Takes the SHA-1 of a stream away, or gives it that of another.
fn digest(bytes: &mut [u8], entries: &[Entry], rng: &mut Rng) {
    let places: Vec<usize> = entries
        .iter()
        .flat_map(|entry| {
            std::iter::once(entry.at + 0x40)
                .chain(entry.streams.iter().map(|stream| stream.start + 0x10))
        })
        .collect();
    let (Some(&to), Some(&from)) = (rng.pick(&places), rng.pick(&places)) else {
        return;
    };
    let digest = match rng.below(4) {
        0 => vec![0; 20],
        1 => vec![0xEE; 20],
        _ => bytes.get(from..from + 20).unwrap_or_default().to_vec(),
    };
    if let Some(place) = bytes.get_mut(to..to.saturating_add(digest.len())) {
        place.copy_from_slice(&digest);
    }
}

/// Gives an entry or a stream another name, with room for it.
fn rename(bytes: &mut Vec<u8>, entries: &[Entry], rng: &mut Rng) {
    let Some(entry) = rng.pick(entries) else {
        return;
    };
    let mut name: Vec<u16> = rng.pick(NAMES).unwrap_or(&"").encode_utf16().collect();
    match rng.below(8) {
        0 => name.push(0xD800),
        1 => name = vec![u16::from(b'n'); rng.below(600)],
        2 => {
            let other = rng
                .pick(entries)
                .and_then(|other| name_of(bytes, other.at + 0x64, other.at + 0x66));
            name = other.unwrap_or_default();
        }
        _ => {}
    }
    let name: Vec<u8> = name.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let stream = rng.pick(&entry.streams).filter(|_| rng.one_in(2)).cloned();
    let (len_at, name_at, start, end) = match stream {
        Some(stream) => (
            stream.start + 0x24,
            stream.start + 0x26,
            stream.start,
            stream.end,
        ),
        None => (
            entry.at + 0x64,
            entry.at + 0x66,
            entry.at,
            entry.at + entry.len,
        ),
    };
    let old = size(bytes, len_at, 2).unwrap_or(0);
    let room = |len: usize| if len == 0 { 0 } else { len + 2 };
    let rest_at = name_at + room(old);
    if rest_at > end {
        return;
    }
    // What is behind the name moves to the next multiple of 8; a short name stays right behind.
    let mut tail = name.clone();
    if !name.is_empty() {
        tail.extend([0, 0]);
    }
    tail.extend(bytes.get(rest_at..end).unwrap_or_default());
    let len = (name_at - start + tail.len()).next_multiple_of(8);
    tail.resize(len - (name_at - start), 0);
    splice(bytes, entries, name_at, end - name_at, &tail);
    set(bytes, start, 8, wide(len));
    set(bytes, len_at, 2, wide(name.len()));
}

fn name_of(bytes: &[u8], len_at: usize, at: usize) -> Option<Vec<u16>> {
    let name = bytes.get(at..at.checked_add(size(bytes, len_at, 2)?)?)?;
    let (units, _) = name.as_chunks::<2>();
    Some(units.iter().map(|unit| u16::from_le_bytes(*unit)).collect())
}

/// Puts a copy of an entry behind it, or before another.
fn repeat(bytes: &mut Vec<u8>, entries: &[Entry], rng: &mut Rng) {
    let (Some(entry), Some(other)) = (rng.pick(entries), rng.pick(entries)) else {
        return;
    };
    let to = if rng.one_in(2) { entry.end() } else { other.at };
    let mut copy = bytes
        .get(entry.at..entry.end())
        .unwrap_or_default()
        .to_vec();
    match rng.below(3) {
        0 => set(&mut copy, 0x10, 8, 0),
        // The last letter of the name.
        1 => {
            let len = size(&copy, 0x64, 2).unwrap_or(0);
            set(&mut copy, 0x64 + len, 1, rng.bits());
        }
        _ => {}
    }
    splice(bytes, entries, to, 0, &copy);
}

fn remove(bytes: &mut Vec<u8>, entries: &[Entry], rng: &mut Rng) {
    if let Some(entry) = rng.pick(entries) {
        splice(bytes, entries, entry.at, entry.end() - entry.at, &[]);
    }
}

/// A further stream entry, or one less.
fn stream(bytes: &mut Vec<u8>, entries: &[Entry], rng: &mut Rng) {
    let Some(entry) = rng.pick(entries) else {
        return;
    };
    let count = number(bytes, entry.at + 0x60, 2).unwrap_or(0);
    if let Some(stream) = rng.pick(&entry.streams).filter(|_| rng.one_in(3)).cloned() {
        set(bytes, entry.at + 0x60, 2, count.saturating_sub(1));
        splice(bytes, entries, stream.start, stream.len(), &[]);
        return;
    }
    let mut new = match rng.pick(&entry.streams) {
        Some(stream) => bytes.get(stream.clone()).unwrap_or_default().to_vec(),
        None => {
            let mut new = vec![0; 48];
            set(&mut new, 0, 8, 48);
            let digest = bytes.get(entry.at + 0x40..entry.at + 0x54);
            if let (Some(place), Some(digest)) = (new.get_mut(0x10..0x24), digest) {
                place.copy_from_slice(digest);
            }
            new
        }
    };
    if rng.one_in(2) {
        set(&mut new, 0x24, 2, if rng.one_in(2) { 0 } else { 2 });
        set(&mut new, 0x26, 2, 0x61 + wide(rng.below(26)));
    }
    set(bytes, entry.at + 0x60, 2, count.saturating_add(1));
    splice(bytes, entries, entry.at + entry.len, 0, &new);
}

/// A further tagged item at the end of an entry.
fn tagged(bytes: &mut Vec<u8>, entries: &[Entry], rng: &mut Rng) {
    let Some(entry) = rng.pick(entries) else {
        return;
    };
    let tag = *rng
        .pick(&[1, 2, 2, 0x337D_D873, 0x337D_D874, 7, 0])
        .unwrap_or(&1);
    let len = match (tag, rng.below(4)) {
        (1, 0 | 1) => 64,
        (0x337D_D873, 0 | 1) => 16,
        (_, 2) => rng.below(100),
        _ => 16,
    };
    let mut item = vec![0; 8 + len];
    set(&mut item, 0, 4, tag);
    let told = if rng.one_in(8) {
        rng.number(wide(len))
    } else {
        wide(len)
    };
    set(&mut item, 4, 4, told);
    // An extended attribute: value length, name length, flags, name, NUL, value.
    for (at, value) in [(8, 3), (10, 1), (12, 0x41), (14, 0x6261)] {
        if at + 2 <= item.len() {
            set(
                &mut item,
                at,
                2,
                if rng.one_in(8) { rng.bits() } else { value },
            );
        }
    }
    item.resize(item.len().next_multiple_of(8), 0);
    splice(bytes, entries, entry.at + entry.len, 0, &item);
    set(bytes, entry.at, 8, wide(entry.len + item.len()));
}

/// Cuts the end off, or adds to it.
fn tail(bytes: &mut Vec<u8>, rng: &mut Rng) {
    if rng.one_in(2) {
        let less = 8 * rng.below(32);
        bytes.truncate(bytes.len().saturating_sub(less));
    } else {
        let more = 8 * rng.below(32);
        bytes.resize(bytes.len() + more, 0);
    }
}

#[cfg(feature = "wimlib")]
/// True if following every list of children, as often as something leads to it, comes to more entries than there can be.
pub(crate) fn explodes(bytes: &[u8]) -> bool {
    let Some(root) = size(bytes, 0, 4).and_then(|total| total.max(8).checked_next_multiple_of(8))
    else {
        return false;
    };
    let mut left = bytes.len() / 0x68 + 1;
    let mut lists = vec![root];
    while let Some(mut at) = lists.pop() {
        while let Some(entry) = entry(bytes, at) {
            let Some(rest) = left.checked_sub(1) else {
                return true;
            };
            left = rest;
            at = entry.end();
            lists.extend(size(bytes, entry.at + 0x10, 8).filter(|children| *children > 0));
        }
    }
    false
}
