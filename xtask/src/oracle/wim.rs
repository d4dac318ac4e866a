//! `wcow wim ls`, `cat`, `extract` and `verify`, and all metadata, against wimlib.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use wcow_ntmeta::RelPath;

use crate::oracle::differences::{Aspect, reason};
use crate::oracle::wimlib::Wimlib;
use crate::oracle::{base, extracted, metadata};
use crate::report::Report;
use crate::workspace::{Workspace, bytes_of, find_program, output, remove_dir};

/// Files of one image whose contents are also compared through `cat`.
const CATS: usize = 24;

/// Differences that are listed of one comparison.
const SHOWN: usize = 10;

/// Makes the captures, and compares them and the corpus.
pub(crate) fn run(workspace: &Workspace) -> Result<Report> {
    let Some(program) = find_program("wimlib-imagex") else {
        return Ok(Report::skipped(
            "oracle wim: no wimlib-imagex (package wimtools): nothing to compare with, and no base image for the tour",
        ));
    };
    let wimlib = Wimlib { program };
    let mut files = base::make(workspace, &wimlib.program)?;
    let wcow = workspace.wcow()?;
    let help = output(Command::new(&wcow).args(["wim", "--help"]))?;
    if !help.status.success() {
        return Ok(Report::skipped("oracle wim: `wcow wim` is not there"));
    }
    let mut judge = Judge {
        wimlib,
        wcow,
        dir: workspace.target.join("oracle"),
        report: Report::default(),
        wrong: Vec::new(),
        counts: Counts::default(),
        left_out: BTreeMap::new(),
    };
    let (made, corpus) = (files.len(), workspace.corpus());
    match &corpus {
        Some(folder) => {
            let mut found = base::files_below(folder)?;
            found.sort();
            files.extend(found.into_iter().filter(|path| is_named_wim(path)));
        }
        None => judge
            .report
            .skip("oracle wim: WCOW_CORPUS names no folder: its files are not compared"),
    }
    for file in &files {
        judge
            .file(file)
            .with_context(|| format!("cannot compare {}", file.display()))?;
    }
    judge.finish(made)
}

fn is_named_wim(path: &Path) -> bool {
    path.extension()
        .and_then(OsStr::to_str)
        .is_some_and(|extension| matches!(extension, "wim" | "swm" | "esd"))
}

#[derive(Default)]
struct Counts {
    files: usize,
    paths: usize,
    facts: usize,
    extracted: usize,
    cats: usize,
}

struct Judge {
    wimlib: Wimlib,
    wcow: PathBuf,
    dir: PathBuf,
    report: Report,
    wrong: Vec<String>,
    counts: Counts,
    /// Differences by rule, with how often each was met.
    left_out: BTreeMap<&'static str, usize>,
}

impl Judge {
    fn file(&mut self, file: &Path) -> Result<()> {
        let shown = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let images = match Kind::of(file)? {
            Kind::Covered { images } => images,
            Kind::NotCovered(why) => {
                self.report.skip(format!("oracle wim: {shown}: {why}"));
                return Ok(());
            }
        };
        self.counts.files += 1;
        let theirs = self
            .compares(file, Aspect::Verdict)
            .then(|| self.wimlib.accepts(file))
            .transpose()?;
        let ours = output(self.wcow(&["verify"]).arg(file))?;
        if let Some(theirs) = theirs
            && theirs != ours.status.success()
        {
            self.wrong(
                &shown,
                "verify",
                &[format!(
                    "accepted by wimlib: {theirs}; we ended with {}: {}",
                    ours.status,
                    String::from_utf8_lossy(&ours.stderr).trim()
                )],
            );
        }
        let code = ours.status.code();
        if !matches!(code, Some(0 | 6)) {
            self.wrong(
                &shown,
                "verify",
                &[format!("expected exit code 0 or 6, found {code:?}")],
            );
        }
        if theirs == Some(false) {
            return Ok(());
        }
        for image in 1..=images {
            self.image(file, &shown, image)?;
        }
        Ok(())
    }

    fn image(&mut self, file: &Path, shown: &str, image: u32) -> Result<()> {
        let number = image.to_string();
        if self.compares(file, Aspect::Paths) {
            let theirs = their_paths(&self.wimlib.paths(file, image)?);
            let ours = our_paths(&bytes_of(
                self.wcow(&["ls"]).arg(file).args([&number, "-R"]),
            )?);
            self.counts.paths += theirs.len();
            self.wrong(shown, "ls", &lists(&theirs, &ours, String::clone));
        }
        if self.compares(file, Aspect::Metadata) {
            let theirs = self.wimlib.metadata(file, image)?;
            let ours = metadata::of_image(file, image)?;
            self.counts.facts += theirs.len();
            let pairs = theirs.iter().zip(&ours).filter(|(their, our)| their != our);
            let lines: Vec<String> = pairs
                .map(|(their, our)| {
                    format!(
                        "{}: by wimlib and by us: {}",
                        String::from_utf8_lossy(&their.path),
                        their.difference(our)
                    )
                })
                .collect();
            self.wrong(shown, "metadata", &lines);
            if theirs.len() != ours.len() {
                self.wrong(
                    shown,
                    "metadata",
                    &[format!(
                        "wimlib knows {} paths, we {}",
                        theirs.len(),
                        ours.len()
                    )],
                );
            }
        }
        if !self.compares(file, Aspect::Extracted) {
            return Ok(());
        }
        let (their_dir, our_dir) = (self.dir.join("theirs"), self.dir.join("ours"));
        remove_dir(&their_dir)?;
        remove_dir(&our_dir)?;
        self.wimlib.apply(file, image, &their_dir)?;
        let extract = output(self.wcow(&["extract"]).arg(file).arg(&number).arg(&our_dir))?;
        if !extract.status.success() {
            self.wrong(
                shown,
                "extract",
                &[format!(
                    "we ended with {}: {}",
                    extract.status,
                    String::from_utf8_lossy(&extract.stderr).trim()
                )],
            );
        }
        let theirs = extracted::read(&their_dir)?;
        self.counts.extracted += theirs.len();
        let ours = extracted::read(&our_dir)?;
        let lines = extracted::compare(&extracted::renamed(&theirs), &ours, &mut self.left_out);
        self.wrong(shown, "extract", &lines);
        if self.compares(file, Aspect::Contents) {
            let files: Vec<_> = theirs
                .iter()
                .filter(|(_, node)| matches!(node, extracted::Node::File { .. }))
                .map(|(path, _)| path)
                .collect();
            let step = files.len().div_ceil(CATS).max(1);
            for path in files.into_iter().step_by(step) {
                // The command line takes text only.
                let Some(text) = path.to_str() else { continue };
                let seen = output(self.wcow(&["cat"]).arg(file).arg(&number).arg(text))?;
                self.counts.cats += 1;
                if seen.stdout != std::fs::read(their_dir.join(path))? {
                    self.wrong(
                        shown,
                        "cat",
                        &[format!(
                            "{text}: other bytes; we ended with {}: {}",
                            seen.status,
                            String::from_utf8_lossy(&seen.stderr).trim()
                        )],
                    );
                }
            }
        }
        remove_dir(&their_dir)?;
        remove_dir(&our_dir)
    }

    /// True if an aspect is to be compared; otherwise the reason is reported.
    fn compares(&mut self, file: &Path, aspect: Aspect) -> bool {
        let Some(reason) = reason(&file.to_string_lossy(), aspect) else {
            return true;
        };
        let shown = file.file_name().unwrap_or_default().to_string_lossy();
        let skip = format!("oracle wim: {shown}: {reason}");
        if !self.report.skips.contains(&skip) {
            self.report.skip(skip);
        }
        false
    }

    fn wrong(&mut self, file: &str, what: &str, lines: &[String]) {
        self.wrong.extend(
            lines
                .iter()
                .take(SHOWN)
                .map(|line| format!("{file}, {what}: {line}")),
        );
        if lines.len() > SHOWN {
            self.wrong
                .push(format!("{file}, {what}: and {} more", lines.len() - SHOWN));
        }
    }

    fn wcow(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.wcow);
        command.arg("wim").args(words);
        command
    }

    fn finish(mut self, made: usize) -> Result<Report> {
        if !self.wrong.is_empty() {
            bail!(
                "oracle wim: {} differences from wimlib:\n{}",
                self.wrong.len(),
                self.wrong.join("\n")
            );
        }
        for (reason, count) in &self.left_out {
            self.report.skip(format!(
                "oracle wim: {count} times in extracted trees: {reason}"
            ));
        }
        let Counts {
            files,
            paths,
            facts,
            extracted,
            cats,
        } = self.counts;
        self.report.note(format!(
            "oracle wim: as {}: {files} files ({made} made here), {paths} paths listed, metadata of {facts}, {extracted} extracted, {cats} read by cat",
            self.wimlib.version()?
        ));
        Ok(self.report)
    }
}

enum Kind {
    Covered { images: u32 },
    NotCovered(&'static str),
}

impl Kind {
    /// Reads the header only.
    fn of(file: &Path) -> Result<Self> {
        let bytes = std::fs::read(file)?;
        let number = |at: usize, len: usize| {
            bytes.get(at..at + len).map_or(0, |field| {
                field
                    .iter()
                    .rev()
                    .fold(0_u32, |value, byte| value << 8 | u32::from(*byte))
            })
        };
        if !bytes.starts_with(b"MSWIM\0\0\0") {
            return Ok(Self::NotCovered("not a WIM file, or pipable"));
        }
        Ok(match (number(12, 4), number(16, 4), number(42, 2)) {
            (_, flags, _) if flags & 0x8_0000 != 0 => Self::NotCovered("LZMS is not read yet"),
            (0xE00, ..) => Self::NotCovered("solid resources are not read yet"),
            (_, _, parts) if parts > 1 => Self::NotCovered("a part of a split set"),
            _ if file.ends_with("generated/delta.wim") => {
                Self::NotCovered("a delta, whose contents are in another file")
            }
            _ => Self::Covered {
                images: number(44, 4),
            },
        })
    }
}

/// The lines of `ls -R`, sorted, without the separator behind folders.
fn our_paths(listing: &[u8]) -> Vec<String> {
    let lines = String::from_utf8_lossy(listing).into_owned();
    let mut paths: Vec<String> = lines
        .lines()
        .map(|line| line.strip_suffix('\\').unwrap_or(line).to_owned())
        .collect();
    paths.sort();
    paths
}

/// Paths of wimlib as `ls` shows them: without the root, joined by `\`, lone surrogates and control characters replaced.
fn their_paths(paths: &[Vec<u8>]) -> Vec<String> {
    let below_root = paths.iter().filter(|path| path.as_slice() != b"/");
    let mut shown: Vec<String> = below_root
        .map(|path| {
            let names = path
                .split(|byte| *byte == b'/')
                .filter(|name| !name.is_empty())
                .map(metadata::wide);
            let text = names.collect::<RelPath>().to_string();
            text.chars()
                .flat_map(|character| match character.is_control() {
                    true => character.escape_unicode().collect::<Vec<char>>(),
                    false => vec![character],
                })
                .collect()
        })
        .collect();
    shown.sort();
    shown
}

/// What is in one sorted list only.
fn lists<T: Ord>(theirs: &[T], ours: &[T], shown: impl Fn(&T) -> String) -> Vec<String> {
    let missing = theirs
        .iter()
        .filter(|item| ours.binary_search(item).is_err())
        .map(|item| format!("listed by wimlib only: {}", shown(item)));
    let extra = ours
        .iter()
        .filter(|item| theirs.binary_search(item).is_err())
        .map(|item| format!("listed by us only: {}", shown(item)));
    let mut lines: Vec<String> = missing.chain(extra).collect();
    if lines.is_empty() && theirs.len() != ours.len() {
        lines.push(format!(
            "wimlib lists {} paths, we {}",
            theirs.len(),
            ours.len()
        ));
    }
    lines
}
