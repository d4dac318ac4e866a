//! Files from elsewhere, judged as other programs judge them.
//!
//! Runs where the environment variable `WCOW_CORPUS` names a folder of such files with a table `VERDICTS.txt`.

use std::path::Path;

use wcow_wim::Wim;

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
    ("./generated/lzms-128k.wim", Verdict::Unsupported, "LZMS"),
    ("./generated/lzms-32k.wim", Verdict::Unsupported, "LZMS"),
    (
        "./generated/solid-lzms-64m.esd",
        Verdict::Unsupported,
        "solid resources",
    ),
    (
        "./generated/solid-lzx.esd",
        Verdict::Unsupported,
        "solid resources",
    ),
    (
        "./generated/solid-xpress.esd",
        Verdict::Unsupported,
        "solid resources",
    ),
    (
        "./generated/split.swm",
        Verdict::Unsupported,
        "part 1 of a split set",
    ),
    (
        "./generated/split2.swm",
        Verdict::Unsupported,
        "part 2 of a split set",
    ),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Bad,
    Unsupported,
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
    match (report.unsupported(), report.is_ok()) {
        (Some(_), _) => (Verdict::Unsupported, why),
        (None, true) => (Verdict::Good, why),
        (None, false) => (Verdict::Bad, why),
    }
}
