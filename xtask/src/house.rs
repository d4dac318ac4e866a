//! House rules: what no compiler checks.
//!
//! * every crate forbids unsafe code, describes itself, has a README, and shares the workspace's lints;
//! * the arrows between crates point one way, along an explicit list;
//! * nothing in the default build compiles C;
//! * every Rust file opens with its documentation;
//! * a library that is not built for unit tests has none;
//! * no file names a folder of somebody's machine, and no test is switched off or expects a panic;
//! * no file is large: fixtures are built by code;
//! * the workflow names commands, packages and a compiler that there are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::native;
use crate::report::Report;
use crate::workflow;
use crate::workspace::{Workspace, output};

/// Which of our crates each of our crates may use, in its normal dependencies. A new arrow is a decision of its own.
const ARROWS: &[(&str, &[&str])] = &[
    ("wcow-xpress", &[]),
    ("wcow-lzx", &[]),
    ("wcow-lzms", &[]),
    ("wcow-ntmeta", &[]),
    ("wcow-win32", &[]),
    ("wcow-tree", &["wcow-ntmeta", "wcow-win32"]),
    (
        "wcow-wim",
        &[
            "wcow-lzms",
            "wcow-lzx",
            "wcow-xpress",
            "wcow-ntmeta",
            "wcow-tree",
        ],
    ),
    ("wcow-hive", &["wcow-ntmeta", "wcow-tree"]),
    ("wcow-hcs-schema", &["wcow-ntmeta"]),
    ("wcow-hcs", &["wcow-ntmeta"]),
    (
        "wcow-host",
        &["wcow-hcs-schema", "wcow-ntmeta", "wcow-tree"],
    ),
    (
        "wcow-winhost",
        &[
            "wcow-hcs",
            "wcow-hcs-schema",
            "wcow-host",
            "wcow-ntmeta",
            "wcow-tree",
            "wcow-win32",
        ],
    ),
    (
        "wcow-sim",
        &[
            "wcow-hcs-schema",
            "wcow-hive",
            "wcow-host",
            "wcow-ntmeta",
            "wcow-tree",
        ],
    ),
    (
        "wcow-sim-link",
        &["wcow-host", "wcow-ntmeta", "wcow-sim", "wcow-tree"],
    ),
    (
        "wcow-sim-dll",
        &[
            "wcow-hcs",
            "wcow-hcs-schema",
            "wcow-host",
            "wcow-ntmeta",
            "wcow-sim",
            "wcow-sim-link",
        ],
    ),
    (
        "wcow-network",
        &["wcow-hcs-schema", "wcow-host", "wcow-ntmeta"],
    ),
    (
        "wcow-image-store",
        &["wcow-hive", "wcow-host", "wcow-ntmeta", "wcow-tree"],
    ),
    (
        "wcow-conformance",
        &["wcow-hcs-schema", "wcow-host", "wcow-ntmeta"],
    ),
    (
        "wcow-runtime",
        &[
            "wcow-hcs-schema",
            "wcow-host",
            "wcow-network",
            "wcow-ntmeta",
            "wcow-tree",
        ],
    ),
    (
        "wcow-engine",
        &[
            "wcow-hcs-schema",
            "wcow-host",
            "wcow-image-store",
            "wcow-network",
            "wcow-ntmeta",
            "wcow-runtime",
            "wcow-tree",
            "wcow-wim",
        ],
    ),
    (
        "wcow-scenario",
        &[
            "wcow-engine",
            "wcow-hcs-schema",
            "wcow-hive",
            "wcow-host",
            "wcow-image-store",
            "wcow-network",
            "wcow-ntmeta",
            "wcow-runtime",
            "wcow-tree",
            "wcow-wim",
        ],
    ),
    (
        "wcow-campaign",
        &[
            "wcow-engine",
            "wcow-hcs-schema",
            "wcow-host",
            "wcow-image-store",
            "wcow-network",
            "wcow-ntmeta",
            "wcow-runtime",
            "wcow-scenario",
            "wcow-sim",
        ],
    ),
];

/// The end of the arrows: these may use every crate, and no crate may use them (xtask takes the fuzzers' seeds from wcow-fuzz).
const ENDS: &[&str] = &["wcow", "wcow-benches", "wcow-fuzz", "xtask"];

/// Packages whose library may contain unsafe code, with the reason.
const UNSAFE_ALLOWED: &[(&str, &str)] = &[
    (
        "wcow-fuzz",
        "its bindings to wimlib, behind the feature `wimlib`",
    ),
    ("wcow-hcs", "calls Microsoft's DLLs"),
    ("wcow-win32", "calls Windows for what is set on open files"),
    ("wcow-sim-dll", "is called as Microsoft's DLLs are"),
];

/// Larger files have no place in the repository.
const LARGEST_FILE: u64 = 512 * 1024;

/// Text that no file may contain, and why. Written in two halves, so that this file does not contain it either. Folders count
/// only where a path begins, which keeps `a/home/b` apart.
const FORBIDDEN: &[(&str, &str, bool)] = &[
    (
        concat!("/ho", "me/"),
        "a folder of somebody's machine",
        true,
    ),
    (
        concat!("/ro", "ot/"),
        "a folder of somebody's machine",
        true,
    ),
    (
        concat!("/wo", "rk/"),
        "a folder of somebody's machine",
        true,
    ),
    (
        concat!("#[ig", "nore"),
        "a test that is switched off tells nothing",
        false,
    ),
    (
        concat!("#[should_", "panic"),
        "assert on the error value instead",
        false,
    ),
    (concat!("#[al", "low("), "use `expect` with a reason", false),
];

/// Checks every rule and lists every breach.
pub(crate) fn run(workspace: &Workspace) -> Result<Report> {
    let packages = packages(&workspace.metadata)?;
    let mut breaches = Vec::new();
    for package in packages.values() {
        check_package(workspace, package, &mut breaches)?;
    }
    check_arrows(&packages, ARROWS, &mut breaches);
    native::check(workspace, &mut breaches)?;
    if !workspace.root.join("sim/clippy.toml").is_file() {
        breaches.push("sim/clippy.toml: missing; the simulator's bans on clocks, threads and hash maps stand there".to_owned());
    }
    let names: Vec<&str> = packages.keys().map(String::as_str).collect();
    workflow::check(&workspace.root, &names, &mut breaches)?;
    let files = files(&workspace.root)?;
    let untested: Vec<PathBuf> = packages.values().filter_map(Package::untested).collect();
    for file in &files {
        check_file(&workspace.root, file, &untested, &mut breaches)?;
    }
    if !breaches.is_empty() {
        breaches.sort();
        bail!(
            "{} house rules broken:\n{}",
            breaches.len(),
            breaches.join("\n")
        );
    }
    Ok(Report::noted(format!(
        "{} packages and {} files keep the house rules",
        packages.len(),
        files.len()
    )))
}

struct Package {
    name: String,
    dir: PathBuf,
    description: Option<String>,
    /// Sources of the library, or of the programs where there is none.
    sources: Vec<PathBuf>,
    /// Whether `cargo test` builds it for the tests that stand in its sources.
    unit_tests: bool,
    uses: Vec<String>,
}

impl Package {
    /// The folder of sources whose tests would never run.
    fn untested(&self) -> Option<PathBuf> {
        (!self.unit_tests).then(|| self.dir.join("src"))
    }
}

fn packages(metadata: &Value) -> Result<BTreeMap<String, Package>> {
    let list = metadata
        .get("packages")
        .and_then(Value::as_array)
        .context("cargo metadata lists no packages")?;
    list.iter()
        .map(|value| package(value).map(|package| (package.name.clone(), package)))
        .collect()
}

fn package(value: &Value) -> Result<Package> {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let list = |key: &str| {
        value
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let name = text(value, "name").context("a package without a name")?;
    let manifest = text(value, "manifest_path").context("a package without a manifest")?;
    let is_kind = |target: &Value, wanted: &str| {
        target
            .get("kind")
            .and_then(Value::as_array)
            .is_some_and(|kinds| kinds.iter().any(|kind| kind == wanted))
    };
    let targets = |wanted: &str| -> Vec<PathBuf> {
        list("targets")
            .filter(|target| is_kind(target, wanted))
            .filter_map(|target| text(target, "src_path").map(PathBuf::from))
            .collect()
    };
    let library = targets("lib");
    let unit_tests = list("targets")
        .filter(|target| is_kind(target, "lib"))
        .all(|target| target.get("test") != Some(&Value::Bool(false)));
    let normal =
        list("dependencies").filter(|dependency| dependency.get("kind").is_none_or(Value::is_null));
    Ok(Package {
        dir: Path::new(&manifest)
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default(),
        description: text(value, "description"),
        sources: if library.is_empty() {
            targets("bin")
        } else {
            library
        },
        unit_tests,
        uses: normal
            .filter_map(|dependency| text(dependency, "name"))
            .collect(),
        name,
    })
}

fn check_package(
    workspace: &Workspace,
    package: &Package,
    breaches: &mut Vec<String>,
) -> Result<()> {
    let shown = package
        .dir
        .strip_prefix(&workspace.root)
        .unwrap_or(&package.dir)
        .display()
        .to_string();
    if package
        .description
        .as_ref()
        .is_none_or(|text| text.trim().is_empty())
    {
        breaches.push(format!("{shown}/Cargo.toml: no description"));
    }
    if !package.dir.join("README.md").is_file() {
        breaches.push(format!("{shown}/README.md: missing; it says what the crate is, what it is not, and shows an example"));
    }
    let manifest = std::fs::read_to_string(package.dir.join("Cargo.toml"))?;
    if !manifest.contains("[lints]\nworkspace = true") {
        breaches.push(format!(
            "{shown}/Cargo.toml: does not take the workspace's lints"
        ));
    }
    if UNSAFE_ALLOWED.iter().any(|(name, _)| *name == package.name) {
        return Ok(());
    }
    for source in &package.sources {
        let text = std::fs::read_to_string(source)?;
        if !text.contains("#![forbid(unsafe_code)]") {
            let shown = source
                .strip_prefix(&workspace.root)
                .unwrap_or(source)
                .display();
            breaches.push(format!("{shown}: no #![forbid(unsafe_code)]"));
        }
    }
    Ok(())
}

fn check_arrows(
    packages: &BTreeMap<String, Package>,
    arrows: &[(&str, &[&str])],
    breaches: &mut Vec<String>,
) {
    for package in packages.values() {
        let ours = package
            .uses
            .iter()
            .filter(|name| packages.contains_key(*name));
        let row = arrows.iter().find(|(name, _)| *name == package.name);
        if row.is_none() && !ENDS.contains(&package.name.as_str()) {
            breaches.push(format!(
                "{}: not in the table of arrows (xtask/src/house.rs)",
                package.name
            ));
            continue;
        }
        for used in ours {
            let allowed = match row {
                Some((_, allowed)) => allowed.contains(&used.as_str()),
                None => !ENDS.contains(&used.as_str()) || package.name == "xtask",
            };
            if !allowed {
                breaches.push(format!(
                    "{} uses {used}: the table of arrows (xtask/src/house.rs) has no such arrow",
                    package.name
                ));
            }
        }
    }
}

/// Files that Git tracks or would; where there is no Git, all below the root but build output.
fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut git = std::process::Command::new("git");
    git.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ])
    .current_dir(root);
    if let Ok(output) = output(&mut git)
        && output.status.success()
    {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        return Ok(text
            .split('\0')
            .filter(|name| !name.is_empty())
            .map(PathBuf::from)
            .filter(|name| root.join(name).is_file())
            .collect());
    }
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            let kind = entry.file_type()?;
            let output = [".git", "target"]
                .iter()
                .any(|name| entry.file_name() == *name)
                || path == Path::new("fuzz/corpus");
            if kind.is_dir() && !output {
                folders.push(path);
            } else if kind.is_file() {
                found.push(path);
            }
        }
    }
    Ok(found)
}

fn check_file(
    root: &Path,
    file: &Path,
    untested: &[PathBuf],
    breaches: &mut Vec<String>,
) -> Result<()> {
    let path = root.join(file);
    let shown = file.display();
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {shown}"))?;
    if u64::try_from(bytes.len())? > LARGEST_FILE {
        breaches.push(format!(
            "{shown}: {} bytes; the largest file may have {LARGEST_FILE}",
            bytes.len()
        ));
    }
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Ok(());
    };
    if file.extension().is_some_and(|extension| extension == "rs") && !text.starts_with("//!") {
        breaches.push(format!("{shown}: the first line is not `//!`"));
    }
    if untested.iter().any(|sources| path.starts_with(sources)) && has_tests(text) {
        breaches.push(format!(
            "{shown}: a test that never runs: the crate's Cargo.toml says `test = false`"
        ));
    }
    for (number, line) in text.lines().enumerate() {
        for why in forbidden_in(line) {
            breaches.push(format!("{shown}:{}: {why}", number + 1));
        }
    }
    Ok(())
}

fn forbidden_in(line: &str) -> impl Iterator<Item = String> + '_ {
    FORBIDDEN.iter().filter_map(move |(text, why, is_path)| {
        let mut places = line.match_indices(text).map(|(at, _)| at);
        let found = places.any(|at| {
            !is_path
                || !line
                    .get(..at)
                    .is_some_and(|before| before.ends_with(in_a_path))
        });
        found.then(|| format!("`{text}`: {why}"))
    })
}

/// Whether a Rust file has a test in it, other than in its documentation.
fn has_tests(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim_start();
        line.starts_with("#[test]") || line.starts_with("#[cfg(test)]")
    })
}

/// True for what can stand before a `/` inside a path.
fn in_a_path(character: char) -> bool {
    character.is_alphanumeric()
        || matches!(character, '.' | '_' | '-' | '}' | ')' | '>' | '~' | '*')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Package, check_arrows, forbidden_in, has_tests};

    #[track_caller]
    fn check_line(line: &str, expected: bool) {
        assert_eq!(forbidden_in(line).next().is_some(), expected, "{line}");
    }

    #[test]
    fn folders_of_a_machine_are_found_where_a_path_begins() {
        let home = concat!("/ho", "me/");
        check_line(&format!("see {home}me/notes"), true);
        check_line(&format!("\"{home}me\""), true);
        check_line(&format!("tree{home}x"), false);
        check_line("target/release", false);
    }

    #[track_caller]
    fn check_table(packages: &[(&str, &[&str])], arrows: &[(&str, &[&str])], breaches: usize) {
        let package = |(name, uses): &(&str, &[&str])| {
            let uses = uses.iter().map(|used| (*used).to_owned()).collect();
            let package = Package {
                name: (*name).to_owned(),
                dir: "x".into(),
                description: None,
                sources: Vec::new(),
                unit_tests: true,
                uses,
            };
            ((*name).to_owned(), package)
        };
        let packages: BTreeMap<_, _> = packages.iter().map(package).collect();
        let mut found = Vec::new();
        check_arrows(&packages, arrows, &mut found);
        assert_eq!(found.len(), breaches, "{found:?}");
    }

    #[test]
    fn arrows_point_one_way() {
        let arrows: &[(&str, &[&str])] = &[("a", &[]), ("b", &["a"])];
        check_table(
            &[("a", &["serde"]), ("b", &["a"]), ("xtask", &["a", "b"])],
            arrows,
            0,
        );
        check_table(&[("a", &["b"]), ("b", &[])], arrows, 1);
        check_table(&[("a", &[]), ("c", &[])], arrows, 1);
        check_table(&[("a", &["xtask"]), ("xtask", &[])], arrows, 1);
        check_table(&[("xtask", &["wcow-fuzz"]), ("wcow-fuzz", &[])], arrows, 0);
        check_table(&[("xtask", &[]), ("wcow-fuzz", &["xtask"])], arrows, 1);
    }

    #[test]
    fn tests_are_found_and_documentation_is_none() {
        assert!(has_tests("mod a;\n\n    #[test]\n    fn one() {}\n"));
        assert!(has_tests("#[cfg(test)]\nmod tests;\n"));
        assert!(!has_tests(
            "//! #[test] is for tests\n#[cfg(doctest)]\nstruct Readme;\n"
        ));
    }
}
