//! Runs tests and counts what they say.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

/// Runs `cargo test` or a test program as given and prints what is worth reading; true if it ended well.
pub(crate) fn run_tests(command: &mut Command) -> Result<(Counts, bool)> {
    run_and_print(command, |line| !line.ends_with("... ok"))
}

/// The same with the name of every test.
pub(crate) fn run_tests_by_name(command: &mut Command) -> Result<(Counts, bool)> {
    run_and_print(command, |_| true)
}

fn run_and_print(command: &mut Command, shows: fn(&str) -> bool) -> Result<(Counts, bool)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the tests")?;
    let mut counts = Counts::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            counts.add_line(&line);
            if shows(line.trim_end()) {
                println!("{}", line.trim_end());
            }
        }
    }
    let ok = child.wait()?.success();
    Ok((counts, ok))
}

/// How many tests ran, over all test programs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Test programs.
    pub(crate) programs: u64,
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed.
    pub(crate) failed: u64,
    /// Tests that are switched off.
    pub(crate) ignored: u64,
}

impl Counts {
    /// Adds what a `test result:` line says; other lines say nothing.
    fn add_line(&mut self, line: &str) {
        let Some((_, rest)) = line.trim().split_once("test result:") else {
            return;
        };
        let count = |word: &str| {
            let mut fields = rest.split(['.', ';']).map(str::trim);
            fields
                .find_map(|field| field.strip_suffix(word)?.trim().parse::<u64>().ok())
                .unwrap_or(0)
        };
        self.programs += 1;
        self.passed += count("passed");
        self.failed += count("failed");
        self.ignored += count("ignored");
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.programs += other.programs;
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn a_result_line_is_counted() {
        let mut counts = Counts::default();
        counts.add_line("test result: ok. 12 passed; 1 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.01s");
        counts.add_line("test tables::rows ... ok");
        assert_eq!(
            counts,
            Counts {
                programs: 1,
                passed: 12,
                failed: 1,
                ignored: 3
            }
        );
    }
}
