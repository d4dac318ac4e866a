//! Mutants of good files get past what a byte-flipping fuzzer is stopped by.

use wcow_wim::{ImageError, ImageIndex, Wim};

use super::{Form, Loose, any_bytes, metadata, repair, reshaped, wim};
use crate::craft::{one_file, wim_of_metadata};
use crate::rng::Rng;
use crate::seeds;
use crate::wims::{open, verify};

fn mutant(file: &[u8], seed: u32) -> Vec<u8> {
    let mut rng = Rng::new(u64::from(seed) + 1);
    wim(file, 1 << 16, seed, &mut |bytes, max| {
        any_bytes(bytes, max, &mut rng);
    })
}

/// How far a file is read: 0 not at all, 1 opened, 2 the metadata of an image parsed until something in it was wrong, 3 an image read.
fn depth(file: &[u8]) -> u32 {
    let Some(wim) = open(file, 1) else { return 0 };
    let image = |number| ImageIndex::new(number).map(|index| wim.image(index));
    let depths = (1..=wim.image_count().min(4)).map(|number| match image(number) {
        Some(Ok(_)) => 3,
        Some(Err(
            ImageError::Damaged { .. }
            | ImageError::SharedChildren { .. }
            | ImageError::OverlappingChildren { .. },
        )) => 2,
        _ => 1,
    });
    depths.max().unwrap_or(1)
}

/// Shares in percent: opened, metadata reached, image read.
fn shares(file: &[u8], make: impl Fn(&[u8], u32) -> Vec<u8>) -> [u32; 3] {
    let depths: Vec<u32> = (0..1000).map(|seed| depth(&make(file, seed))).collect();
    [1, 2, 3].map(|least| {
        let count = depths.iter().filter(|depth| **depth >= least).count();
        u32::try_from(count / 10).unwrap_or(0)
    })
}

#[test]
fn most_mutants_are_read_beyond_the_lookup_table() {
    let rich = seeds::rich();
    let [opened, reached, read] = shares(&rich, mutant);
    println!("opened {opened} %, metadata reached {reached} %, image read {read} %");
    assert!(opened >= 65, "{opened}");
    assert!(reached >= 60, "{reached}");
    // Not all of them are good: what never breaks finds nothing.
    assert!((50..98).contains(&read), "{read}");
}

/// The yardstick: the same changes to bytes, without knowing what they are.
#[test]
fn few_blind_mutants_are() {
    let rich = seeds::rich();
    let [_, _, read] = shares(&rich, |file, seed| {
        let mut rng = Rng::new(u64::from(seed));
        let mut bytes = file.to_vec();
        for _ in 0..4 {
            any_bytes(&mut bytes, 1 << 16, &mut rng);
        }
        bytes
    });
    let [_, _, ours] = shares(&rich, mutant);
    println!("image read: blind {read} %, ours {ours} %");
    assert!(read < ours, "{read} {ours}");
}

#[test]
fn mutants_differ_from_the_file_and_from_each_other() {
    let rich = seeds::rich();
    let mut mutants: Vec<Vec<u8>> = (0..500).map(|seed| mutant(&rich, seed)).collect();
    let changed = mutants.iter().filter(|mutant| **mutant != rich).count();
    assert!(changed > 450, "{changed}");
    mutants.sort();
    mutants.dedup();
    assert!(mutants.len() > 400, "{}", mutants.len());
    assert_eq!(mutant(&rich, 7), mutant(&rich, 7));
}

#[test]
fn mutants_keep_to_their_length() {
    let rich = seeds::rich();
    for max in [0, 1, 208, rich.len(), rich.len() + 100] {
        for seed in 0..100 {
            let mut rng = Rng::new(seed.into());
            let mutant = wim(&rich, max, seed, &mut |bytes, max| {
                any_bytes(bytes, max, &mut rng);
            });
            assert!(mutant.len() <= max.max(1 << 16), "{}", mutant.len());
        }
    }
}

#[test]
fn metadata_mutants_still_parse_now_and_then() {
    let good = one_file();
    let mutant = |_: &[u8], seed: u32| {
        let mut rng = Rng::new(seed.into());
        let bytes = metadata(&good, 1 << 16, seed, &mut |bytes, max| {
            any_bytes(bytes, max, &mut rng);
        });
        wim_of_metadata(&bytes)
    };
    let [opened, reached, read] = shares(&good, mutant);
    println!("metadata reached {reached} %, image read {read} %");
    assert_eq!((opened, reached), (100, 100));
    assert!((30..95).contains(&read), "{read}");
}

#[test]
fn a_file_put_together_again_is_as_good_as_before() {
    let rich = seeds::rich();
    let built = Loose::read(&rich).map(|parts| parts.build().file);
    let mut built = built.unwrap_or_default();
    repair(&mut built);
    let [before, after] = [&rich, &built].map(|file| Wim::open(file.clone()).unwrap());
    assert!(verify(&before, 1).is_ok() && verify(&after, 1).is_ok());
    assert_eq!(before.blobs().len(), after.blobs().len());
    assert_eq!(before.xml().images(), after.xml().images());
}

#[test]
fn reshaped_files_are_whole() {
    let rich = seeds::rich();
    let chunked = reshaped(&rich, Form::Chunked);
    let wim = Wim::open(chunked).unwrap();
    let report = verify(&wim, 1);
    assert!(report.is_ok(), "{:?}", report.problems);
    let solid = Wim::open(reshaped(&rich, Form::Solid)).unwrap();
    assert_eq!(solid.blobs().len(), wim.blobs().len());
}

#[test]
fn a_repair_changes_nothing_in_a_good_file() {
    for form in [
        Form::Chunked,
        Form::Solid,
        Form::Pipable,
        Form::PipableChunked,
    ] {
        let file = reshaped(&seeds::rich(), form);
        let mut again = file.clone();
        repair(&mut again);
        assert!(file == again, "{form:?}");
    }
}

#[test]
fn a_repair_follows_a_blob_into_the_metadata() {
    let mut file = wim_of_metadata(&one_file());
    let at = file.windows(4).position(|bytes| bytes == b"wcow");
    file[at.unwrap()] = b'W';
    let broken = Wim::open(file.clone()).unwrap();
    assert!(!verify(&broken, 1).is_ok());
    repair(&mut file);
    let wim = Wim::open(file).unwrap();
    let report = verify(&wim, 1);
    assert!(report.is_ok(), "{:?}", report.problems);
}
