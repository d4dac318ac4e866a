//! The WIM files that are measured: made once with the yardstick's own program, and kept.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::tree::{self, Totals};
use crate::workspace::{remove_dir, run as run_command};

/// One file to measure with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Data {
    /// The mixed tree, XPRESS in chunks of 32 KiB.
    Xpress,
    /// The mixed tree, LZX in chunks of 32 KiB.
    Lzx,
    /// The mixed tree, solid LZMS in chunks of 64 MiB.
    SolidLzms,
    /// The mixed tree, not compressed.
    Uncompressed,
    /// The tree of 100,000 entries, LZX.
    Many,
}

impl Data {
    fn tree(self) -> &'static str {
        match self {
            Self::Many => "many",
            _ => "mixed",
        }
    }

    fn file_name(self) -> &'static str {
        match self {
            Self::Xpress => "mixed-xpress.wim",
            Self::Lzx => "mixed-lzx.wim",
            Self::SolidLzms => "mixed-solid-lzms.wim",
            Self::Uncompressed => "mixed-none.wim",
            Self::Many => "many.wim",
        }
    }

    /// How wimlib-imagex is told to compress.
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Xpress => &["--compress=XPRESS", "--chunk-size=32K"],
            Self::Lzx | Self::Many => &["--compress=LZX", "--chunk-size=32K"],
            Self::SolidLzms => &["--solid", "--solid-compress=LZMS", "--solid-chunk-size=64M"],
            Self::Uncompressed => &["--compress=none"],
        }
    }
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Xpress => "XPRESS",
            Self::Lzx => "LZX",
            Self::SolidLzms => "solid LZMS",
            Self::Uncompressed => "not compressed",
            Self::Many => "100,000 entries",
        })
    }
}

/// The folder with all of them.
pub(super) struct Folder {
    dir: PathBuf,
    mixed: Totals,
    many: Totals,
}

impl Folder {
    /// Makes what is missing: the trees, and the wanted files with `imagex`. LZMS takes minutes.
    pub(super) fn prepare(
        dir: &Path,
        imagex: &Path,
        wanted: impl IntoIterator<Item = Data>,
    ) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let folder = Self {
            mixed: ensure_tree(dir, Data::Lzx.tree(), tree::mixed)?,
            many: ensure_tree(dir, Data::Many.tree(), tree::many)?,
            dir: dir.to_owned(),
        };
        for data in wanted {
            folder.ensure_file(data, imagex)?;
        }
        Ok(folder)
    }

    /// Where the file is.
    pub(super) fn path(&self, data: Data) -> PathBuf {
        self.dir.join(data.file_name())
    }

    /// What its tree holds.
    pub(super) fn totals(&self, data: Data) -> Totals {
        match data {
            Data::Many => self.many,
            _ => self.mixed,
        }
    }

    fn ensure_file(&self, data: Data, imagex: &Path) -> Result<()> {
        let path = self.path(data);
        if path.is_file() {
            return Ok(());
        }
        eprintln!("bench: making {}", path.display());
        let part = path.with_extension("part");
        let mut command = Command::new(imagex);
        command
            .arg("capture")
            .arg(self.dir.join(data.tree()))
            .arg(&part)
            .args(data.options())
            .stdout(Stdio::null());
        run_command(&mut command)?;
        fs::rename(&part, &path).with_context(|| format!("cannot rename {}", part.display()))
    }
}

/// Makes a tree unless it is there in full, which a small file with its totals says.
fn ensure_tree(dir: &Path, name: &str, make: fn(&Path) -> Result<Totals>) -> Result<Totals> {
    let stamp = dir.join(name).with_extension("txt");
    let known = fs::read_to_string(&stamp).ok();
    if let Some(totals) = known.as_deref().and_then(read_stamp) {
        return Ok(totals);
    }
    let tree = dir.join(name);
    eprintln!("bench: making {}", tree.display());
    remove_dir(&tree)?;
    let totals = make(&tree)?;
    fs::write(&stamp, write_stamp(totals))?;
    Ok(totals)
}

fn write_stamp(totals: Totals) -> String {
    format!("{} entries\n{} bytes\n", totals.entries, totals.bytes)
}

fn read_stamp(text: &str) -> Option<Totals> {
    let mut lines = text.lines();
    Some(Totals {
        entries: lines.next()?.strip_suffix(" entries")?.parse().ok()?,
        bytes: lines.next()?.strip_suffix(" bytes")?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Totals, read_stamp, write_stamp};

    #[test]
    fn a_stamp_is_read_as_it_was_written() {
        let totals = Totals {
            entries: 100_000,
            bytes: 654_321_098,
        };
        assert_eq!(read_stamp(&write_stamp(totals)), Some(totals));
        assert_eq!(read_stamp("12 entries\n"), None);
    }
}
