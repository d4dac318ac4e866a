//! The two file trees that the measurements are about.
//!
//! The mixed tree is what such files hold in use: libraries, text, documentation, in files of all sizes. It is copied from what
//! a Debian machine with Wine and a Rust toolchain has, in the order of the names, each kind up to a limit of its own, so that
//! two such machines make much the same tree. The other tree has many entries and next to no contents.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::workspace::text_of;

const MB: u64 = 1_000_000;

/// A smaller mixed tree is no basis for a comparison.
const SMALLEST: u64 = 600 * MB;

/// Folders in the tree of many entries, below its root.
const FOLDERS: usize = 1000;

/// Files in each of them: 100,000 entries with the root and the folders.
const FILES_PER_FOLDER: usize = 99;

/// What a tree holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// Files and folders, the root included.
    pub(super) entries: u64,
    /// Bytes of all files.
    pub(super) bytes: u64,
}

/// One kind of files of the mixed tree.
struct Kind {
    /// The folder in the tree.
    name: &'static str,
    /// Where they come from.
    from: PathBuf,
    /// Which ones, by the end of their name; empty for all.
    ending: &'static str,
    /// True if folders below count too.
    deep: bool,
    /// How much at most, in bytes.
    most: u64,
}

/// Copies the mixed tree, at most 680 MB, into a folder that is not there yet.
pub(super) fn mixed(into: &Path) -> Result<Totals> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let libraries = text_of(Command::new(rustc).args(["--print", "target-libdir"]))?;
    let kind = |name, from: &str, ending, deep, most| Kind {
        name,
        from: PathBuf::from(from.trim()),
        ending,
        deep,
        most: most * MB,
    };
    let wine = "/usr/lib/x86_64-linux-gnu/wine/x86_64-windows";
    let kinds = [
        kind("dll", wine, ".dll", false, 380),
        kind("exe", wine, ".exe", false, 20),
        kind("rlib", &libraries, ".rlib", false, 40),
        kind("doc", "/usr/share/doc", "", true, 75),
        kind("perl", "/usr/share/perl", "", true, 25),
        kind("so", "/usr/lib/x86_64-linux-gnu", "", false, 140),
    ];
    for kind in &kinds {
        copy(kind, &into.join(kind.name))?;
    }
    let totals = totals(into)?;
    ensure!(
        totals.bytes >= SMALLEST,
        "the mixed tree has {} MB, {} are wanted: install libwine (Debian's Wine) and some documentation",
        totals.bytes / MB,
        SMALLEST / MB
    );
    Ok(totals)
}

/// Makes the tree of 100,000 entries in a folder that is not there yet. Each file holds its own number, so that no two are alike.
pub(super) fn many(into: &Path) -> Result<Totals> {
    for folder in 0..FOLDERS {
        let dir = into.join(format!("folder-{folder:04}"));
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        for file in 0..FILES_PER_FOLDER {
            let name = format!("file-{:06}.txt", folder * FILES_PER_FOLDER + file);
            fs::write(dir.join(&name), &name)?;
        }
    }
    totals(into)
}

/// Counts what is in a folder, itself included.
pub(super) fn totals(root: &Path) -> Result<Totals> {
    let mut totals = Totals {
        entries: 1,
        bytes: 0,
    };
    for entry in fs::read_dir(root).with_context(|| format!("cannot list {}", root.display()))? {
        let entry = entry?;
        let below = if entry.file_type()?.is_dir() {
            self::totals(&entry.path())?
        } else {
            Totals {
                entries: 1,
                bytes: entry.metadata()?.len(),
            }
        };
        totals.entries += below.entries;
        totals.bytes += below.bytes;
    }
    Ok(totals)
}

/// Copies files in the order of their paths; one that does not fit any more is left out, and smaller ones after it still come.
fn copy(kind: &Kind, into: &Path) -> Result<()> {
    let mut left = kind.most;
    let mut files = Vec::new();
    if kind.from.is_dir() {
        list(kind, &kind.from, &mut files)?;
    }
    files.sort();
    for file in files {
        let size = fs::metadata(&file)?.len();
        let Some(rest) = left.checked_sub(size) else {
            continue;
        };
        left = rest;
        let to = into.join(file.strip_prefix(&kind.from)?);
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(&file, &to)
            .with_context(|| format!("cannot copy {} to {}", file.display(), to.display()))?;
    }
    Ok(())
}

/// Finds the files of a kind. Links are left out: what they lead to may be anywhere.
fn list(kind: &Kind, folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?
    {
        let entry = entry?;
        let what = entry.file_type()?;
        if what.is_dir() && kind.deep {
            list(kind, &entry.path(), found)?;
        } else if what.is_file() && entry.file_name().to_string_lossy().ends_with(kind.ending) {
            found.push(entry.path());
        }
    }
    Ok(())
}
