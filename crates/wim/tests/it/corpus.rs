//! Files from elsewhere, judged as other programs judge them.
//!
//! Runs where the environment variable `WCOW_CORPUS` names a folder of such files with a table `VERDICTS.txt`.

use std::path::Path;

use wcow_wim::{Options, ReadAt, Wim};

use crate::support::{chain, verify};

/// Where this crate judges otherwise than wimlib, and why.
const DIFFERENCES: &[(&str, Verdict, &str)] = &[
    (
        "./hostile/dag-18x2.wim",
        Verdict::Bad,
        "directories share their children; 7-Zip refuses it too",
    ),
    (
        "./hostile/dag-22x2.wim",
        Verdict::Bad,
        "directories share their children; 7-Zip refuses it too",
    ),
    (
        "./generated/split2.swm",
        Verdict::Bad,
        "the other part was not given; wimlib verifies a later part alone",
    ),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Bad,
}

#[test]
fn verdicts_agree_with_wimlib() {
    let Some(folder) = std::env::var_os("WCOW_CORPUS") else {
        println!("skipped: WCOW_CORPUS is not set");
        return;
    };
    let folder = Path::new(&folder);
    let table = std::fs::read_to_string(folder.join("VERDICTS.txt"))
        .expect("the corpus has a table of verdicts");
    let mut judged = 0;
    for line in table.lines().filter(|line| line.starts_with("./")) {
        let fields: Vec<&str> = line.split('|').map(str::trim).collect();
        let path = folder.join(fields[0]);
        if !path.exists() {
            println!("not there: {}", fields[0]);
            continue;
        }
        let theirs = if fields[2] == "0" {
            Verdict::Good
        } else {
            Verdict::Bad
        };
        let expected = DIFFERENCES
            .iter()
            .find(|(name, ..)| *name == fields[0])
            .map_or(theirs, |(_, verdict, _)| *verdict);
        let (found, why) = judge(&path);
        assert_eq!(found, expected, "{}: {why}", fields[0]);
        judged += 1;
    }
    assert!(judged > 0, "no file of the table is there");
}

/// The bytes of a file of the corpus.
fn file(name: &str) -> Option<Vec<u8>> {
    let folder = std::env::var_os("WCOW_CORPUS")?;
    std::fs::read(Path::new(&folder).join(name)).ok()
}

#[test]
fn a_split_set_is_whole_with_all_its_parts() {
    let (Some(first), Some(second)) = (file("generated/split.swm"), file("generated/split2.swm"))
    else {
        println!("skipped: WCOW_CORPUS is not set, or has no split set");
        return;
    };
    let alone = Wim::open(second.clone()).expect("a part opens");
    assert_eq!(alone.missing_parts(), [1]);
    // In any order.
    let parts: Vec<Box<dyn ReadAt>> = vec![Box::new(second), Box::new(first)];
    let wim = Wim::open_parts(parts, Options::default()).expect("the parts are of one set");
    let report = verify(&wim);
    assert!(report.is_ok(), "{:?}", report.problems);
    assert!(report.blobs > 0 && report.images > 0);
}

#[test]
fn a_delta_is_whole_with_its_base() {
    let (Some(base), Some(delta)) = (file("generated/base.wim"), file("generated/delta.wim"))
    else {
        println!("skipped: WCOW_CORPUS is not set, or has no delta");
        return;
    };
    assert!(!verify(&Wim::open(delta.clone()).expect("it opens")).is_ok());
    let mut options = Options::default();
    options.references = vec![Wim::open(base).expect("it opens")];
    let wim = Wim::open_with(delta, options).expect("it opens");
    let report = verify(&wim);
    assert!(report.is_ok(), "{:?}", report.problems);
    let own: u64 = wim.blobs().iter().map(|blob| blob.size).sum();
    assert!(report.bytes > own, "blobs of the base were read as well");
}

fn judge(path: &Path) -> (Verdict, String) {
    let wim = match Wim::open(std::fs::File::open(path).expect("it can be opened")) {
        Ok(wim) => wim,
        Err(error) => return (Verdict::Bad, chain(&error)),
    };
    let report = verify(&wim);
    let why = report
        .problems
        .iter()
        .map(|problem| chain(problem))
        .collect::<Vec<_>>()
        .join("\n");
    if report.is_ok() {
        (Verdict::Good, why)
    } else {
        (Verdict::Bad, why)
    }
}
