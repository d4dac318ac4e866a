//! What wimlib says of a WIM file.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::oracle::base::Case;
use crate::oracle::metadata::Facts;
use crate::workspace::{bytes_of, output};

/// wimlib's program.
pub(crate) struct Wimlib {
    /// Where it is.
    pub(crate) program: PathBuf,
}

impl Wimlib {
    fn command(&self, verb: &str, file: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(verb).arg(file);
        command
    }

    /// Its name and version.
    pub(crate) fn version(&self) -> Result<String> {
        let text = bytes_of(Command::new(&self.program).arg("--version"))?;
        Ok(String::from_utf8_lossy(&text)
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned())
    }

    /// Whether `verify` finds the file good.
    pub(crate) fn accepts(&self, case: &Case) -> Result<bool> {
        let mut command = self.command("verify", &case.file);
        Ok(output(command.args(references(case)))?.status.success())
    }

    /// Every path of an image, sorted, as bytes: lone surrogates are three bytes each.
    pub(crate) fn paths(&self, file: &Path, image: u32) -> Result<Vec<Vec<u8>>> {
        let text = bytes_of(self.command("dir", file).arg(image.to_string()))?;
        let mut paths: Vec<Vec<u8>> = text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(<[u8]>::to_vec)
            .collect();
        paths.sort();
        Ok(paths)
    }

    /// Everything it knows of every file of an image, sorted by path.
    pub(crate) fn metadata(&self, file: &Path, image: u32) -> Result<Vec<Facts>> {
        let text = bytes_of(
            self.command("dir", file)
                .arg(image.to_string())
                .arg("--detailed"),
        )?;
        let mut all = Vec::new();
        let mut stream: Option<String> = None;
        for line in text.split(|byte| *byte == b'\n') {
            if let Some(path) = quoted(line, b"Full Path") {
                all.push(Facts::new(path));
                stream = None;
                continue;
            }
            let Some(facts) = all.last_mut() else {
                continue;
            };
            if let Some(short) = quoted(line, b"Short Name") {
                facts.set("short name", String::from_utf8_lossy(&short));
                continue;
            }
            let line = String::from_utf8_lossy(line);
            if let Some(name) = stream_name(&line) {
                stream = Some(name);
            }
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            let value = value.trim();
            match key.trim() {
                "Attributes" => facts.set("attributes", value),
                "Security Descriptor" => facts.set("security", value),
                "Creation Time" => facts.set("created", time(value)?),
                "Last Write Time" => facts.set("written", time(value)?),
                "Last Access Time" => facts.set("accessed", time(value)?),
                "Reparse Tag" => facts.set("reparse tag", value),
                "Link Count" => facts.set("names", value),
                "Hash" => facts.set_stream(stream.as_deref(), value.trim_start_matches("0x"), ""),
                "Uncompressed size" => {
                    facts.set_stream(stream.as_deref(), "", value.trim_end_matches(" bytes"))
                }
                _ => {}
            }
        }
        all.iter_mut().for_each(Facts::finish);
        all.sort();
        Ok(all)
    }

    /// Extracts an image.
    pub(crate) fn apply(&self, case: &Case, image: u32, dest: &Path) -> Result<()> {
        let mut command = self.command("apply", &case.file);
        command.arg(image.to_string()).arg(dest);
        bytes_of(command.args(references(case)))?;
        Ok(())
    }
}

/// The other files of a case: wimlib wants the parts of a split set named as well.
fn references(case: &Case) -> impl Iterator<Item = OsString> {
    let others = case.parts.iter().chain(&case.references);
    others.map(|path| {
        let mut argument = OsString::from("--ref=");
        argument.push(path);
        argument
    })
}

/// The text between the quotes of a line `key = "text"`.
fn quoted(line: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let rest = line
        .strip_prefix(key)?
        .trim_ascii_start()
        .strip_prefix(b"= \"")?;
    rest.strip_suffix(b"\"").map(<[u8]>::to_vec)
}

/// The stream that the following lines are about.
fn stream_name(line: &str) -> Option<String> {
    let title = line.strip_prefix('\t')?.strip_suffix(':')?;
    match title {
        "Unnamed data stream" => Some(String::new()),
        "Reparse point stream" => Some("<reparse>".to_owned()),
        "Raw encrypted data stream" => Some("<encrypted>".to_owned()),
        _ => title
            .strip_prefix("Named data stream \"")?
            .strip_suffix('"')
            .map(str::to_owned),
    }
}

/// `Tue May 12 19:31:23 2178 UTC` as `2178-05-12T19:31:23`.
fn time(text: &str) -> Result<String> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let words: Vec<&str> = text.split_whitespace().collect();
    let [_, month, day, clock, year, "UTC"] = words[..] else {
        bail!("wimlib shows a time as {text:?}")
    };
    let month = MONTHS
        .iter()
        .position(|name| *name == month)
        .with_context(|| format!("no month {month:?}"))?
        + 1;
    Ok(format!("{year}-{month:02}-{day:0>2}T{clock}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_read() {
        let time = super::time("Tue May 12 19:31:23 2178 UTC").ok();
        assert_eq!(time.as_deref(), Some("2178-05-12T19:31:23"));
    }
}
