//! What the fuzzers did, as a table: printed, and kept in the README of the fuzzers.

use std::path::Path;

use anyhow::{Context, Result};

/// The table in the README stands between these lines.
const BEGIN: &str = "<!-- runs: `cargo xtask fuzz --record` writes this table -->";
const END: &str = "<!-- end of runs -->";

const HEAD: &str = "| target | seconds | inputs | edges | findings |";

/// One run of one fuzzer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) target: String,
    pub(super) seconds: u64,
    pub(super) inputs: u64,
    pub(super) edges: u64,
    pub(super) findings: u64,
}

impl Run {
    /// Reads what libFuzzer said: `#4096 pulse cov: 336 ft: ...`, or `#4096: cov: 336 ...` of a run with several processes.
    pub(super) fn read(target: &str, seconds: u64, said: &str) -> Self {
        let lines = said
            .lines()
            .filter(|line| line.starts_with('#') && line.contains("cov: "));
        let (mut inputs, mut edges) = (0, 0);
        for line in lines {
            let count: String = line
                .chars()
                .skip(1)
                .take_while(char::is_ascii_digit)
                .collect();
            inputs = inputs.max(count.parse().unwrap_or(0));
            let cov = line
                .split_once("cov: ")
                .and_then(|(_, rest)| rest.split_whitespace().next());
            edges = edges.max(cov.and_then(|cov| cov.parse().ok()).unwrap_or(0));
        }
        let artifacts = said
            .lines()
            .filter(|line| line.contains("Test unit written to"))
            .count();
        Self {
            target: target.to_owned(),
            seconds,
            inputs,
            edges,
            findings: u64::try_from(artifacts).unwrap_or(u64::MAX),
        }
    }

    fn row(&self) -> String {
        let findings = match self.findings {
            0 => "none".to_owned(),
            count => count.to_string(),
        };
        format!(
            "| `{}` | {} | {} | {} | {findings} |",
            self.target,
            self.seconds,
            grouped(self.inputs),
            grouped(self.edges)
        )
    }
}

/// The table, line by line.
pub(super) fn table(runs: &[Run]) -> Vec<String> {
    let head = [HEAD.to_owned(), "|---|---|---|---|---|".to_owned()];
    head.into_iter().chain(runs.iter().map(Run::row)).collect()
}

/// Puts the rows of these runs into the README; rows of other targets stay.
pub(super) fn write(readme: &Path, runs: &[Run]) -> Result<()> {
    let old = std::fs::read_to_string(readme).context("cannot read the README of the fuzzers")?;
    std::fs::write(readme, merged(&old, runs)?).context("cannot write the README of the fuzzers")
}

fn merged(old: &str, runs: &[Run]) -> Result<String> {
    let (before, rest) = old
        .split_once(BEGIN)
        .with_context(|| format!("the README has no line `{BEGIN}`"))?;
    let (kept, after) = rest
        .split_once(END)
        .with_context(|| format!("the README has no line `{END}`"))?;
    let begins = |row: &str, run: &Run| row.starts_with(&format!("| `{}` ", run.target));
    let mut left: Vec<&Run> = runs.iter().collect();
    let mut rows = Vec::new();
    for row in kept.lines().filter(|line| line.starts_with("| `")) {
        match left.iter().position(|run| begins(row, run)) {
            Some(at) => rows.push(left.remove(at).row()),
            None => rows.push(row.to_owned()),
        }
    }
    rows.extend(left.into_iter().map(Run::row));
    let table = [table(&[]), rows].concat().join("\n");
    Ok(format!("{before}{BEGIN}\n\n{table}\n\n{END}{after}"))
}

/// 1234567 as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, Run, grouped, merged};

    fn run(target: &str) -> Run {
        let said =
            "INFO: x\n#2\tINITED cov: 10 ft: 11\n#123456\tDONE   cov: 1336 ft: 9 corp: 5/1Kb\n";
        Run::read(target, 5, said)
    }

    #[test]
    fn what_libfuzzer_says_is_read() {
        let run = run("lzx");
        assert_eq!((run.inputs, run.edges, run.findings), (123_456, 1336, 0));
        let forked = Run::read("a", 1, "#99: cov: 7 ft: 1 corp: 1\nTest unit written to x");
        assert_eq!((forked.inputs, forked.edges, forked.findings), (99, 7, 1));
    }

    #[test]
    fn rows_of_other_targets_stay() {
        let old =
            format!("text\n\n{BEGIN}\n\nhead\n| `hive` | 1 |\n| `lzx` | 2 |\n\n{END}\nmore\n");
        let new = merged(&old, &[run("lzx"), run("wim")]).unwrap();
        let rows: Vec<&str> = new.lines().filter(|line| line.starts_with("| `")).collect();
        let expected = [
            "| `hive` | 1 |",
            "| `lzx` | 5 | 123,456 | 1,336 | none |",
            "| `wim` | 5 | 123,456 | 1,336 | none |",
        ];
        assert_eq!(rows, expected);
        assert!(new.starts_with("text\n") && new.ends_with("\nmore\n"));
        assert_eq!(merged(&new, &[run("wim")]).unwrap(), new);
    }

    #[test]
    fn digits_are_grouped() {
        assert_eq!(
            ["1", "1,000", "999,999"],
            [1, 1000, 999_999]
                .map(grouped)
                .each_ref()
                .map(String::as_str)
        );
    }
}
