//! What many hosts have in common: contents that were met before, and what clients made of them.
//!
//! Thousands of hosts in a row get the same images. Their hives are hashed, copied and read once on each thread, not once on each
//! host. It spares work and changes nothing that anybody sees, so it is no part of a world. Both tables have an end.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use wcow_host::Readings;

use crate::blobs::BlobId;

/// So many pairs of contents are remembered. Each content can be in one pair.
const PAIRS: usize = 256;
/// The longest content that is remembered, in bytes.
const LONGEST: usize = 32 << 10;
/// No more pieces of 32 bytes from the middle of a content than this make its hash.
const SAMPLES: usize = 16;
/// So many pieces of 32 bytes from its beginning do: files of one kind differ there before anywhere else.
const FIRST: usize = 8;
/// With the readings of so many blobs everything is forgotten: what is still there is soon read again.
const MOST_READINGS: usize = 512;

thread_local! {
    static CONTENTS: RefCell<Vec<[Option<Content>; 2]>> = const { RefCell::new(Vec::new()) };
    static READINGS: RefCell<BTreeMap<BlobId, Arc<Readings>>> = const { RefCell::new(BTreeMap::new()) };
}

struct Content {
    mixed: u64,
    id: BlobId,
    bytes: Arc<[u8]>,
}

/// The id of these bytes, and a copy to share.
pub(crate) fn content(bytes: &[u8]) -> (BlobId, Arc<[u8]>) {
    let new = || (BlobId::of(bytes), Arc::<[u8]>::from(bytes));
    if bytes.len() > LONGEST {
        return new();
    }
    let known = CONTENTS.try_with(|contents| {
        let mut contents = contents.borrow_mut();
        if contents.is_empty() {
            contents.resize_with(PAIRS, Default::default);
        }
        let mixed = mixed(bytes);
        let pair = contents.get_mut(usize::try_from(mixed >> 32).ok()? % PAIRS)?;
        let is_there = |there: &Option<Content>| {
            let there = there.as_ref();
            there.is_some_and(|there| there.mixed == mixed && *there.bytes == *bytes)
        };
        // The one that was met last stands first.
        if !pair.first().is_some_and(is_there) {
            pair.reverse();
            if let Some(place) = pair.first_mut().filter(|place| !is_there(place)) {
                let (id, bytes) = new();
                *place = Some(Content { mixed, id, bytes });
            }
        }
        let there = pair.first()?.as_ref()?;
        Some((there.id, Arc::clone(&there.bytes)))
    });
    known.ok().flatten().unwrap_or_else(new)
}

/// What clients made of a blob that they read.
pub(crate) fn readings(blob: BlobId) -> Arc<Readings> {
    READINGS
        .try_with(|readings| {
            let mut readings = readings.borrow_mut();
            if readings.len() >= MOST_READINGS && !readings.contains_key(&blob) {
                readings.clear();
            }
            Arc::clone(readings.entry(blob).or_default())
        })
        .unwrap_or_default()
}

/// A quick hash, for finding only: equal bytes are told by comparing them, and of long contents no more than a part is looked at here.
/// Four words at once: none waits for the one before.
fn mixed(bytes: &[u8]) -> u64 {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(MULTIPLIER);
    let (words, rest) = bytes.as_chunks::<8>();
    let (fours, words) = words.as_chunks::<4>();
    // Lossless: no slice is longer than 2^63 bytes.
    let mut lanes = [bytes.len() as u64, 1, 2, 3];
    let (first, more) = fours.split_at(fours.len().min(FIRST));
    let more = more.iter().step_by(1 + more.len() / SAMPLES);
    for four in first.iter().chain(more) {
        for (lane, word) in lanes.iter_mut().zip(four) {
            *lane = mix(*lane, u64::from_le_bytes(*word));
        }
    }
    let hash = lanes.into_iter().fold(0, mix);
    let hash = words
        .iter()
        .fold(hash, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    rest.iter()
        .fold(hash, |hash, byte| mix(hash, u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_what_it_would_be_anyway() {
        // More contents than places, each several times, some that differ in their last byte only or look alike, and one that is too long.
        let alike = |number: u8| {
            let mut alike = vec![7; LONGEST];
            alike[LONGEST - 40 * usize::from(number)] = number;
            alike
        };
        let contents = (0..4 * PAIRS)
            .map(|number| vec![number as u8; number % 700])
            .chain((1..20).map(alike))
            .chain([vec![7; LONGEST], vec![7; LONGEST + 1]]);
        let contents: Vec<Vec<u8>> = contents.collect();
        for _ in 0..3 {
            for bytes in &contents {
                let (id, shared) = content(bytes);
                assert_eq!(id, BlobId::of(bytes));
                assert_eq!(*shared, **bytes);
            }
        }
        let (_, first) = content(b"again");
        let (_, second) = content(b"again");
        assert!(Arc::ptr_eq(&first, &second));
        // Two that look alike are remembered both.
        let pair = [alike(3), alike(4)];
        let met = || pair.each_ref().map(|bytes| content(bytes).1);
        let (first, second) = (met(), met());
        assert!(first.iter().zip(&second).all(|(a, b)| Arc::ptr_eq(a, b)));
    }

    #[test]
    fn readings_of_a_blob_are_shared_and_have_an_end() {
        let blob = |number: usize| BlobId::of(&number.to_le_bytes());
        let first = readings(blob(0));
        assert!(Arc::ptr_eq(&first, &readings(blob(0))));
        for number in 0..=MOST_READINGS {
            readings(blob(number));
        }
        assert!(!Arc::ptr_eq(&first, &readings(blob(0))));
        assert!(READINGS.with_borrow(BTreeMap::len) <= MOST_READINGS);
    }
}
