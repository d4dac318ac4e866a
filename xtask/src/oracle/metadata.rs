//! All that is known of one file of an image, in a form that both sides can be brought to.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use sha1::{Digest as _, Sha1};
use wcow_ntmeta::WideName;
use wcow_tree::{
    Entry, EntryId, SinkError, StreamEnd, StreamKind, StreamRef, TreeSink, TreeSource,
};
use wcow_wim::{ImageIndex, Options, ReadAt, Wim};

use crate::oracle::base::Case;

const ZERO: &str = "0000000000000000000000000000000000000000";

/// A path, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Facts {
    /// From the root, as bytes of UTF-8 in which lone surrogates are three bytes.
    pub(crate) path: Vec<u8>,
    /// By name of the fact.
    facts: BTreeMap<String, String>,
}

impl Facts {
    /// Nothing known yet.
    pub(crate) fn new(path: Vec<u8>) -> Self {
        Self {
            path,
            facts: BTreeMap::new(),
        }
    }

    /// Sets one fact.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.facts.insert(name.to_owned(), value.into());
    }

    /// Adds to what is known of a stream.
    pub(crate) fn set_stream(&mut self, name: Option<&str>, hash: &str, size: &str) {
        let fact = self
            .facts
            .entry(format!("stream {:?}", name.unwrap_or("?")))
            .or_default();
        if !hash.is_empty() {
            *fact = hash.to_owned();
        }
        if !size.is_empty() {
            *fact = format!("{fact} {size} bytes");
        }
    }

    /// Leaves the SHA-1 of each stream, and not its size.
    pub(crate) fn forget_sizes(&mut self) {
        let streams = self
            .facts
            .iter_mut()
            .filter(|(name, _)| name.starts_with("stream "));
        for (_, fact) in streams {
            if let Some((digest, _)) = fact.split_once(' ') {
                *fact = digest.to_owned();
            }
        }
    }

    /// SHA-1 of its streams that have bytes.
    pub(crate) fn digests(&self) -> impl Iterator<Item = String> {
        let streams = self
            .facts
            .iter()
            .filter(|(name, _)| name.starts_with("stream "));
        streams
            .filter_map(|(_, fact)| fact.split_once(' '))
            .filter(|(digest, _)| *digest != ZERO)
            .map(|(digest, _)| digest.to_owned())
    }

    /// Drops an unnamed stream of nothing: one side tells of it for directories too.
    pub(crate) fn finish(&mut self) {
        if self
            .facts
            .get("stream \"\"")
            .is_some_and(|fact| fact.starts_with(ZERO))
        {
            self.facts.remove("stream \"\"");
        }
    }

    /// The facts in which two descriptions differ.
    pub(crate) fn difference(&self, other: &Self) -> String {
        let names = self.facts.keys().chain(
            other
                .facts
                .keys()
                .filter(|name| !self.facts.contains_key(*name)),
        );
        let shown = |facts: &Self, name: &str| {
            facts
                .facts
                .get(name)
                .cloned()
                .unwrap_or_else(|| "nothing".to_owned())
        };
        let different = names.filter(|name| self.facts.get(*name) != other.facts.get(*name));
        different
            .map(|name| format!("{name}: {} and {}", shown(self, name), shown(other, name)))
            .collect::<Vec<_>>()
            .join("; ")
    }
}

/// What we know of every file of an image, sorted by path.
pub(crate) fn of_image(case: &Case, image: u32) -> Result<Vec<Facts>> {
    let open = |path: &PathBuf| std::fs::File::open(path);
    let mut options = Options::default();
    for reference in &case.references {
        options.references.push(Wim::open(open(reference)?)?);
    }
    let mut parts: Vec<Box<dyn ReadAt>> = vec![Box::new(open(&case.file)?)];
    for part in &case.parts {
        parts.push(Box::new(open(part)?));
    }
    let wim = Wim::open_parts(parts, options)?;
    let index = ImageIndex::new(image).context("images are counted from 1")?;
    let image = wim.image(index)?;
    let mut sink = FactSink::default();
    wim.extractor(&image).send(&mut sink)?;
    Ok(sink.finish())
}

/// Takes the entries of an image, and leaves their bytes.
#[derive(Default)]
pub(crate) struct FactSink {
    paths: BTreeMap<EntryId, Vec<u8>>,
    /// The first entry of each file, with the number of its names.
    names: BTreeMap<EntryId, u32>,
    found: Vec<(EntryId, Facts)>,
}

impl FactSink {
    /// What is known of every file, sorted by path.
    pub(crate) fn finish(self) -> Vec<Facts> {
        let names = self.names;
        let mut all: Vec<Facts> = self
            .found
            .into_iter()
            .map(|(first, mut facts)| {
                facts.set("names", names.get(&first).copied().unwrap_or(0).to_string());
                facts.finish();
                facts
            })
            .collect();
        all.sort();
        all
    }
}

impl TreeSink for FactSink {
    fn entry(&mut self, entry: &Entry) -> Result<(), SinkError> {
        let path = match entry.parent.and_then(|parent| self.paths.get(&parent)) {
            None => Vec::new(),
            Some(parent) => [parent.as_slice(), b"/", &bytes(&entry.name)].concat(),
        };
        let shown = if path.is_empty() {
            b"/".to_vec()
        } else {
            path.clone()
        };
        self.paths.insert(entry.id, path);
        let first = entry.link_to.unwrap_or(entry.id);
        *self.names.entry(first).or_default() += 1;
        self.found.push((first, facts(entry, shown)));
        Ok(())
    }

    fn open_stream(&mut self, _stream: StreamRef) -> Result<bool, SinkError> {
        Ok(false)
    }

    fn write(&mut self, _bytes: &[u8]) -> Result<(), SinkError> {
        Ok(())
    }

    fn close_stream(&mut self, _end: StreamEnd) -> Result<(), SinkError> {
        Ok(())
    }
}

fn facts(entry: &Entry, path: Vec<u8>) -> Facts {
    let mut facts = Facts::new(path);
    facts.set(
        "short name",
        String::from_utf8_lossy(&bytes(&entry.short_name)),
    );
    facts.set("attributes", format!("{:#010x}", entry.attributes.bits()));
    if let Some(security) = &entry.security {
        facts.set("security", hex(security.as_bytes()));
    }
    for (name, time) in [
        ("created", entry.times.created),
        ("written", entry.times.written),
        ("accessed", entry.times.accessed),
    ] {
        let shown = time.to_string();
        facts.set(name, shown.split('.').next().unwrap_or_default());
    }
    if let Some(reparse) = &entry.reparse {
        facts.set("reparse tag", format!("{:#010x}", reparse.tag));
        let digest = match reparse.data.as_slice() {
            [] => ZERO.to_owned(),
            data => hex(&Sha1::digest(data)),
        };
        facts.set_stream(Some("<reparse>"), &digest, &reparse.data.len().to_string());
    }
    for stream in &entry.streams {
        let name = match stream.kind {
            StreamKind::EncryptedRaw => "<encrypted>".to_owned(),
            StreamKind::Data => String::from_utf8_lossy(&bytes(&stream.name)).into_owned(),
        };
        let digest = stream
            .digest
            .filter(|_| stream.len > 0)
            .map_or_else(|| ZERO.to_owned(), |digest| digest.to_string());
        facts.set_stream(Some(&name), &digest, &stream.len.to_string());
    }
    facts
}

/// A name as UTF-8, with lone surrogates as three bytes each, which is how wimlib prints it.
pub(crate) fn bytes(name: &WideName) -> Vec<u8> {
    let mut bytes = Vec::new();
    for unit in char::decode_utf16(name.units().iter().copied()) {
        match unit {
            Ok(character) => bytes.extend(character.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(lone) => {
                let [high, low] = lone.unpaired_surrogate().to_be_bytes();
                bytes.extend([
                    0xE0 | high >> 4,
                    0x80 | (high & 0x0F) << 2 | low >> 6,
                    0x80 | low & 0x3F,
                ]);
            }
        }
    }
    bytes
}

/// The name that [`bytes`] makes such bytes of.
pub(crate) fn wide(bytes: &[u8]) -> WideName {
    let mut units = Vec::new();
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        let len = match first {
            0x00..=0x7F => 1,
            0x80..=0xDF => 2,
            0xE0..=0xEF => 3,
            _ => 4,
        };
        let (character, after) = rest.split_at_checked(len).unwrap_or((rest, &[]));
        match (std::str::from_utf8(character), character) {
            (Ok(text), _) => units.extend(text.encode_utf16()),
            (Err(_), [a, b, c]) => units
                .push(u16::from(a & 0x0F) << 12 | u16::from(b & 0x3F) << 6 | u16::from(c & 0x3F)),
            _ => units.push(0xFFFD),
        }
        rest = after;
    }
    WideName::from_units(units)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use wcow_ntmeta::WideName;

    #[test]
    fn lone_surrogates_are_three_bytes() {
        let name = WideName::from_units(vec![0x61, 0xD800, 0xDFFF, 0xDC00]);
        assert_eq!(
            super::bytes(&name),
            [b"a\xF0\x90\x8F\xBF", &b"\xED\xB0\x80"[..]].concat()
        );
    }

    #[test]
    fn names_are_read_back() {
        for units in [
            vec![0x61, 0xD800, 0x62],
            vec![0xD83D, 0xDE00],
            vec![0xDC00, 0xE9, 0x65E5],
        ] {
            let name = WideName::from_units(units);
            assert_eq!(super::wide(&super::bytes(&name)), name);
        }
    }
}
