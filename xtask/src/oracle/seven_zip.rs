//! What 7-Zip says of a WIM file.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::workspace::{bytes_of, find_program, output};

/// 7-Zip's program.
pub(crate) struct SevenZip {
    program: PathBuf,
}

impl SevenZip {
    /// The program, if it is installed.
    pub(crate) fn find() -> Option<Self> {
        let program = find_program("7zz").or_else(|| find_program("7z"))?;
        Some(Self { program })
    }

    /// Whether a test finds the file good: it reads every stream, and checks its SHA-1.
    pub(crate) fn accepts(&self, file: &Path) -> Result<bool> {
        Ok(output(Command::new(&self.program).arg("t").arg(file))?
            .status
            .success())
    }

    /// SHA-1 of every stream with bytes of every file of all images, sorted; each name of a file counts.
    ///
    /// Names are left out: 7-Zip shows some of them changed.
    pub(crate) fn streams(&self, file: &Path) -> Result<Vec<String>> {
        let text = bytes_of(
            Command::new(&self.program)
                .args(["l", "-slt", "-ba", "-sns"])
                .arg(file),
        )?;
        let text = String::from_utf8_lossy(&text);
        let mut digests: Vec<String> = text
            .lines()
            .filter_map(|line| line.strip_prefix("SHA-1 = "))
            .filter(|digest| !digest.is_empty())
            .map(str::to_ascii_lowercase)
            .collect();
        digests.sort();
        Ok(digests)
    }

    /// Its name and version.
    pub(crate) fn version(&self) -> Result<String> {
        let text = bytes_of(&mut Command::new(&self.program))?;
        let text = String::from_utf8_lossy(&text);
        let line = text.lines().find(|line| line.contains("7-Zip"));
        Ok(line
            .and_then(|line| line.split(" : ").next())
            .unwrap_or_default()
            .to_owned())
    }
}
