//! Seeds for the fuzzers, under `fuzz/corpus/<target>`: those made in code, the files of `WCOW_CORPUS` and what can be cut
//! out of them, and chunks of the WIM files that the oracle made. Beside them the dictionaries, `<target>.dict`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wcow_fuzz::seeds::{self, Seed};

use crate::report::Report;
use crate::workspace::Workspace;

/// Larger files are not read: a few chunks of a small one do as well.
const LARGEST_FILE: u64 = 1 << 30;

/// Writes all seeds. Ones that are there already, and what the fuzzers found themselves, stay.
pub(crate) fn run(workspace: &Workspace) -> Result<Report> {
    let mut report = Report::default();
    let mut seeds = seeds::made();
    match workspace.corpus() {
        Some(folder) => cut_folder(&folder, &mut seeds)?,
        None => report.skip("WCOW_CORPUS names no folder: no seeds from its files"),
    }
    let made = workspace.target.join("oracle");
    if made.is_dir() {
        cut_files(&made, &mut seeds)?;
        let hives = made.join("hives");
        if hives.is_dir() {
            cut_files(&hives, &mut seeds)?;
        }
    } else {
        report.skip("the oracle has not run: no chunks that wimlib compressed");
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (target, name, bytes) in &seeds {
        let folder = workspace.root.join("fuzz/corpus").join(target);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(name), bytes)
            .with_context(|| format!("cannot write seed {name}"))?;
        *counts.entry(target).or_default() += 1;
    }
    for target in counts.keys() {
        let words = wcow_fuzz::dictionary(target);
        if !words.is_empty() {
            let path = workspace
                .root
                .join("fuzz/corpus")
                .join(format!("{target}.dict"));
            std::fs::write(&path, words)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(target, count)| format!("{target} {count}"))
        .collect();
    report.note(format!("seeds written: {}", counts.join(", ")));
    Ok(report)
}

fn cut_folder(folder: &Path, seeds: &mut Vec<Seed>) -> Result<()> {
    cut_files(folder, seeds)?;
    for path in sorted(folder)? {
        if path.is_dir() {
            cut_folder(&path, seeds)?;
        }
    }
    Ok(())
}

/// The files of a folder, without those of its folders.
fn cut_files(folder: &Path, seeds: &mut Vec<Seed>) -> Result<()> {
    for path in sorted(folder)? {
        let small = path
            .metadata()
            .is_ok_and(|data| data.is_file() && data.len() <= LARGEST_FILE);
        if let Some(name) = path.file_name().filter(|_| small) {
            seeds.extend(seeds::cut_from(
                &name.to_string_lossy(),
                &std::fs::read(&path)?,
            ));
        }
    }
    Ok(())
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
