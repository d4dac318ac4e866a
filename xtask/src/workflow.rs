//! What the workflow of GitHub Actions says, held to the workspace: it runs nowhere but there, so nothing else notices when it is
//! out of date.
//!
//! Its `run:` lines may only name Cargo commands that are in the table, chores that there are, packages of the workspace and files that
//! exist; the oldest compiler is the one that the workspace promises, and the tests are run by the command that the README gives.

use std::path::Path;

use anyhow::{Context, Result};

use crate::USAGE;

const WORKFLOW: &str = ".github/workflows/ci.yml";

/// Cargo's own commands that it uses.
const COMMANDS: &[&str] = &["build", "check", "clippy", "run", "test"];

/// The command for the tests, in the README and on every system.
const TESTS: &str = "cargo test --workspace";

/// Checks the workflow.
pub(crate) fn check(root: &Path, packages: &[&str], breaches: &mut Vec<String>) -> Result<()> {
    let read = |name: &str| {
        std::fs::read_to_string(root.join(name)).with_context(|| format!("cannot read {name}"))
    };
    let (workflow, manifest) = (read(WORKFLOW)?, read("Cargo.toml")?);
    let known = Known {
        root,
        packages,
        compiler: compiler(&manifest).context("Cargo.toml says no rust-version")?,
    };
    let found = known.breaches(&workflow);
    breaches.extend(found.into_iter().map(|what| format!("{WORKFLOW}: {what}")));
    if !read("README.md")?.contains(TESTS) {
        breaches.push(format!("README.md: does not give the command `{TESTS}`"));
    }
    Ok(())
}

/// What the workflow may name.
struct Known<'a> {
    root: &'a Path,
    packages: &'a [&'a str],
    compiler: &'a str,
}

impl Known<'_> {
    fn breaches(&self, workflow: &str) -> Vec<String> {
        let mut breaches = Vec::new();
        let runs: Vec<&str> = workflow
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("- run: "))
            .collect();
        for command in runs.iter().flat_map(|line| line.split("&&")) {
            let words: Vec<&str> = command.split_whitespace().collect();
            self.command(&words, &mut breaches);
        }
        if !runs.contains(&TESTS) {
            breaches.push(format!("does not run `{TESTS}`"));
        }
        if !runs
            .iter()
            .any(|line| line.contains(&format!("cargo +{} ", self.compiler)))
        {
            breaches.push(format!(
                "does not try the compiler {}, which Cargo.toml promises",
                self.compiler
            ));
        }
        for system in ["ubuntu", "macos", "windows"] {
            if !workflow.contains(&format!("{system}-")) {
                breaches.push(format!("does not run on {system}"));
            }
        }
        breaches
    }

    fn command(&self, words: &[&str], breaches: &mut Vec<String>) {
        let mut after = words.iter();
        if after.any(|word| *word == "cargo") {
            let mut rest: Vec<&str> = after.copied().collect();
            if let Some(version) = rest.first().and_then(|word| word.strip_prefix('+')) {
                self.compiler_is(version, breaches);
                rest.remove(0);
            }
            match *rest {
                ["xtask", chore, ..] if is_chore(chore) => {}
                ["xtask", ..] => breaches.push(format!("`{}` is no chore", rest.join(" "))),
                [command, ..] if COMMANDS.contains(&command) => {}
                _ => breaches.push(format!("`{}` is no command it may use", words.join(" "))),
            }
            let named = rest.windows(2).filter_map(|pair| match pair {
                ["-p" | "--package", name] => Some(*name),
                _ => None,
            });
            for name in named.filter(|name| !self.packages.contains(name)) {
                breaches.push(format!("there is no package `{name}`"));
            }
        }
        if let ["rustup", "toolchain", "install", version, ..] = words {
            self.compiler_is(version, breaches);
        }
        for word in words.iter().filter(|word| word.starts_with(".ci/")) {
            if !self.root.join(word).is_file() {
                breaches.push(format!("there is no `{word}`"));
            }
        }
    }

    fn compiler_is(&self, version: &str, breaches: &mut Vec<String>) {
        if version != self.compiler {
            breaches.push(format!(
                "names the compiler {version}; Cargo.toml promises {}",
                self.compiler
            ));
        }
    }
}

fn is_chore(word: &str) -> bool {
    let mut chores = USAGE
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
    chores.any(|chore| chore == word)
}

fn compiler(manifest: &str) -> Option<&str> {
    let mut lines = manifest.lines();
    lines
        .find_map(|line| line.strip_prefix("rust-version = "))
        .map(|version| version.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &[&str]) {
        let known = Known {
            root: Path::new(env!("CARGO_MANIFEST_DIR")),
            packages: &["wcow"],
            compiler: "1.90",
        };
        let mut breaches = Vec::new();
        known.command(&line.split_whitespace().collect::<Vec<_>>(), &mut breaches);
        assert_eq!(breaches, expected, "{line}");
    }

    #[test]
    fn what_a_line_names_exists() {
        check("cargo test -p wcow -- --nocapture", &[]);
        check("sudo -E cargo xtask ci", &[]);
        check("cargo +1.90 check --workspace", &[]);
        check("rustup update stable", &[]);
        check("cargo test -p gone", &["there is no package `gone`"]);
        check("cargo xtask gone", &["`xtask gone` is no chore"]);
        check(
            "cargo publish",
            &["`cargo publish` is no command it may use"],
        );
        check(
            "cargo +1.80 check",
            &["names the compiler 1.80; Cargo.toml promises 1.90"],
        );
        check(
            "rustup toolchain install 1.80 --profile minimal",
            &["names the compiler 1.80; Cargo.toml promises 1.90"],
        );
        check("env .ci/gone", &["there is no `.ci/gone`"]);
    }

    #[test]
    fn the_compiler_is_the_one_of_the_workspace() {
        assert_eq!(compiler("[x]\nrust-version = \"1.90\"\n"), Some("1.90"));
        assert_eq!(compiler("[x]\n"), None);
    }

    #[test]
    fn a_workflow_without_the_tests_is_found() {
        let known = Known {
            root: Path::new("."),
            packages: &[],
            compiler: "1.90",
        };
        let found = known.breaches("on: push\n  ubuntu-24.04\n    - run: cargo xtask ci\n");
        let expected = [
            "does not run `cargo test --workspace`",
            "does not try the compiler 1.90, which Cargo.toml promises",
            "does not run on macos",
            "does not run on windows",
        ];
        assert_eq!(found, expected);
    }
}
