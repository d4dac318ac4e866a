//! `wcow wim ls`, `cat`, `extract` and `verify`, and all metadata, against wimlib.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use wcow_ntmeta::WideName;

use crate::oracle::base::Case;
use crate::oracle::differences::{Aspect, reason};
use crate::oracle::seven_zip::SevenZip;
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
    let mut cases = base::make(workspace, &wimlib.program)?;
    let wcow = workspace.wcow()?;
    let help = output(Command::new(&wcow).args(["wim", "--help"]))?;
    if !help.status.success() {
        return Ok(Report::skipped("oracle wim: `wcow wim` is not there"));
    }
    let mut judge = Judge {
        wimlib,
        seven_zip: SevenZip::find(),
        wcow,
        dir: workspace.target.join("oracle"),
        report: Report::default(),
        wrong: Vec::new(),
        counts: Counts::default(),
        left_out: BTreeMap::new(),
        left_out_files: BTreeMap::new(),
    };
    if judge.seven_zip.is_none() {
        judge
            .report
            .skip("oracle wim: no 7zz (package 7zip): nothing is compared with 7-Zip");
    }
    let (made, corpus) = (cases.len(), workspace.corpus());
    match &corpus {
        Some(folder) => cases.extend(corpus_cases(folder)?),
        None => judge
            .report
            .skip("oracle wim: WCOW_CORPUS names no folder: its files are not compared"),
    }
    for case in &cases {
        judge
            .case(case)
            .with_context(|| format!("cannot compare {}", case.file.display()))?;
    }
    judge.finish(made)
}

/// The files of the corpus, each with those that belong to it.
fn corpus_cases(folder: &Path) -> Result<Vec<Case>> {
    let mut found = base::files_below(folder)?;
    found.retain(|path| is_named_wim(path));
    found.sort();
    let mut cases = Vec::new();
    for file in &found {
        let mut case = Case::alone(file.clone());
        let dir = file.parent().unwrap_or(folder);
        if file.extension().is_some_and(|extension| extension == "swm") {
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            case.parts = base::parts_of(dir, &name)?;
            case.parts.retain(|part| part != file);
            // Another part is read with the first.
            if case.parts.is_empty() {
                continue;
            }
        }
        if file.ends_with("generated/delta.wim") {
            case.references.push(file.with_file_name("base.wim"));
        }
        cases.push(case);
    }
    Ok(cases)
}

fn is_named_wim(path: &Path) -> bool {
    path.extension()
        .and_then(OsStr::to_str)
        .is_some_and(|extension| matches!(extension, "wim" | "swm" | "esd"))
}

#[derive(Default)]
struct Counts {
    files: usize,
    by_seven_zip: usize,
    paths: usize,
    facts: usize,
    extracted: usize,
    cats: usize,
}

struct Judge {
    wimlib: Wimlib,
    seven_zip: Option<SevenZip>,
    wcow: PathBuf,
    dir: PathBuf,
    report: Report,
    wrong: Vec<String>,
    counts: Counts,
    /// Differences by rule, with how often each was met.
    left_out: BTreeMap<&'static str, usize>,
    /// Files that 7-Zip cannot judge, by reason.
    left_out_files: BTreeMap<&'static str, usize>,
}

impl Judge {
    fn case(&mut self, case: &Case) -> Result<()> {
        let file = &case.file;
        let shown = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let header = Header::read(file)?;
        self.counts.files += 1;
        let theirs = self
            .compares(file, Aspect::Verdict)
            .then(|| self.wimlib.accepts(case))
            .transpose()?;
        let ours = output(&mut self.wcow("verify", case))?;
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
        self.seven_zip(case, &shown, header, ours.status.success())?;
        if theirs == Some(false) {
            return Ok(());
        }
        for image in 1..=header.images {
            self.image(case, &shown, image)?;
        }
        Ok(())
    }

    /// Compares the verdict, and the SHA-1 of all streams, with those of 7-Zip.
    fn seven_zip(&mut self, case: &Case, shown: &str, header: Header, ours: bool) -> Result<()> {
        let file = &case.file;
        if header.pipable || !case.references.is_empty() {
            let why = match header.pipable {
                true => "7-Zip does not read pipable files",
                false => "7-Zip does not look into the file that a delta was made from",
            };
            *self.left_out_files.entry(why).or_default() += 1;
            return Ok(());
        }
        if self.seven_zip.is_none() || !self.compares(file, Aspect::SevenZip) {
            return Ok(());
        }
        let Some(seven_zip) = &self.seven_zip else {
            return Ok(());
        };
        self.counts.by_seven_zip += 1;
        let theirs = seven_zip.accepts(file)?;
        let mut lines = Vec::new();
        if theirs != ours {
            lines.push(format!("accepted by 7-Zip: {theirs}, by us: {ours}"));
        } else if theirs && self.compares(file, Aspect::SevenZipStreams) {
            let theirs = self
                .seven_zip
                .as_ref()
                .map_or_else(|| Ok(Vec::new()), |seven_zip| seven_zip.streams(file))?;
            let mut ours = Vec::new();
            for image in 1..=header.images {
                let facts = metadata::of_image(case, image)?;
                ours.extend(facts.iter().flat_map(metadata::Facts::digests));
            }
            ours.sort();
            lines = lists("7-Zip", &theirs, &ours);
        }
        self.wrong(shown, "7-Zip", &lines);
        Ok(())
    }

    fn image(&mut self, case: &Case, shown: &str, image: u32) -> Result<()> {
        let file = &case.file;
        let number = image.to_string();
        if self.compares(file, Aspect::Paths) {
            let theirs = their_paths(&self.wimlib.paths(file, image)?);
            let ours = our_paths(&bytes_of(self.wcow("ls", case).args([&number, "-R"]))?);
            self.counts.paths += theirs.len();
            self.wrong(shown, "ls", &lists("wimlib", &theirs, &ours));
        }
        if self.compares(file, Aspect::Metadata) {
            let mut theirs = self.wimlib.metadata(file, image)?;
            let mut ours = metadata::of_image(case, image)?;
            if !case.parts.is_empty() || !case.references.is_empty() {
                // wimlib tells no size of what is in another file.
                let all = theirs.iter_mut().chain(&mut ours);
                all.for_each(metadata::Facts::forget_sizes);
            }
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
        self.wimlib.apply(case, image, &their_dir)?;
        let extract = output(self.wcow("extract", case).arg(&number).arg(&our_dir))?;
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
                let seen = output(self.wcow("cat", case).arg(&number).arg(text))?;
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

    /// A command of ours on a case: the parts of a split set are found without being named.
    fn wcow(&self, verb: &str, case: &Case) -> Command {
        let mut command = Command::new(&self.wcow);
        command.args(["wim", verb]);
        for reference in &case.references {
            command.arg("--ref").arg(reference);
        }
        command.arg(&case.file);
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
        for (reason, count) in &self.left_out_files {
            self.report
                .skip(format!("oracle wim: {count} files: {reason}"));
        }
        let Counts {
            files,
            by_seven_zip,
            paths,
            facts,
            extracted,
            cats,
        } = self.counts;
        self.report.note(format!(
            "oracle wim: as {}: {files} files ({made} made here), {paths} paths listed, metadata of {facts}, {extracted} extracted, {cats} read by cat",
            self.wimlib.version()?
        ));
        if let Some(seven_zip) = &self.seven_zip {
            self.report.note(format!(
                "oracle wim: as {}: verdict and the SHA-1 of all streams of {by_seven_zip} files",
                seven_zip.version()?
            ));
        }
        Ok(self.report)
    }
}

/// What the comparison needs to know of a file beforehand.
#[derive(Clone, Copy)]
struct Header {
    images: u32,
    pipable: bool,
}

impl Header {
    fn read(file: &Path) -> Result<Self> {
        let bytes = std::fs::read(file)?;
        let images = bytes
            .get(44..)
            .and_then(|bytes| bytes.first_chunk())
            .map_or(0, |bytes| u32::from_le_bytes(*bytes));
        Ok(Self {
            images,
            pipable: bytes.starts_with(b"WLPWM"),
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

/// Paths of wimlib as `ls` shows them: without the root, joined by `\`, lone surrogates and control characters escaped.
fn their_paths(paths: &[Vec<u8>]) -> Vec<String> {
    let below_root = paths.iter().filter(|path| path.as_slice() != b"/");
    let mut shown: Vec<String> = below_root
        .map(|path| {
            let names = path
                .split(|byte| *byte == b'/')
                .filter(|name| !name.is_empty());
            let names: Vec<String> = names.map(|name| escaped(&metadata::wide(name))).collect();
            names.join("\\")
        })
        .collect();
    shown.sort();
    shown
}

/// A name with what a terminal cannot show as `\u{1b}`.
fn escaped(name: &WideName) -> String {
    let characters = char::decode_utf16(name.units().iter().copied());
    characters
        .map(|character| match character {
            Ok(character) if is_shown(character) => character.to_string(),
            Ok(character) => character.escape_unicode().to_string(),
            Err(lone) => format!("\\u{{{:x}}}", lone.unpaired_surrogate()),
        })
        .collect()
}

/// No control character, none that turns the direction of text, no separator of lines or names.
fn is_shown(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '/' | '\\' | '\u{200e}' | '\u{200f}')
        && !matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What is in one sorted list only; `they` are the other program.
fn lists(they: &str, theirs: &[String], ours: &[String]) -> Vec<String> {
    let missing = theirs
        .iter()
        .filter(|item| ours.binary_search(item).is_err())
        .map(|item| format!("listed by {they} only: {item}"));
    let extra = ours
        .iter()
        .filter(|item| theirs.binary_search(item).is_err())
        .map(|item| format!("listed by us only: {item}"));
    let mut lines: Vec<String> = missing.chain(extra).collect();
    if lines.is_empty() && theirs.len() != ours.len() {
        lines.push(format!(
            "{they} lists {}, we list {}",
            theirs.len(),
            ours.len()
        ));
    }
    lines
}
