//! The workspace's programs for Windows: built in one go, then started as often as a run needs.
//!
//! Asked for a package alone, Cargo would build it with fewer features, and all that is below it once more. So Cargo builds everything
//! once and tells where it lies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{EXCLUDED, TARGET, Wine};
use crate::counts::{Counts, run_tests, run_tests_by_name};
use crate::workspace::Workspace;

/// What Cargo built.
pub(super) struct Programs {
    tests: Vec<TestProgram>,
    /// `wcow.exe`.
    pub(super) wcow: PathBuf,
    /// The simulator as a library for Windows.
    pub(super) sim_dll: PathBuf,
}

/// A test program, where Cargo would start it.
struct TestProgram {
    package: String,
    target: String,
    path: PathBuf,
    folder: PathBuf,
}

/// Which tests of which programs; every one if nothing else is said.
#[derive(Default)]
pub(super) struct Choice<'a> {
    /// The packages; none is every package.
    pub(super) packages: &'a [&'a str],
    /// Only tests with this in their names; empty is every test.
    pub(super) filter: &'a str,
    /// Whether every test's name is printed.
    pub(super) by_name: bool,
    /// What the programs find in their environment.
    pub(super) env: &'a [(&'a str, &'a str)],
}

impl Programs {
    /// Builds the tests of every package, and what they need.
    pub(super) fn build(workspace: &Workspace) -> Result<Self> {
        let mut command = workspace.cargo();
        command.args(["test", "--workspace", "--no-run", "--target", TARGET]);
        command.arg("--message-format=json-render-diagnostics");
        EXCLUDED.iter().for_each(|(package, _)| {
            command.args(["--exclude", package]);
        });
        let built = command
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .context("cannot start cargo")?;
        if !built.status.success() {
            bail!("the tests do not build for {TARGET}");
        }
        let said = String::from_utf8_lossy(&built.stdout).into_owned();
        let artifacts = said
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|message| text(message, "reason") == Some("compiler-artifact"));
        Self::of(&artifacts.collect::<Vec<_>>(), &workspace.packages())
    }

    fn of(artifacts: &[Value], packages: &BTreeMap<PathBuf, String>) -> Result<Self> {
        let mut tests = Vec::new();
        let (mut wcow, mut sim_dll) = (None, None);
        for artifact in artifacts {
            let manifest = text(artifact, "manifest_path").map(Path::new);
            let Some((manifest, package)) = manifest.and_then(|path| packages.get_key_value(path))
            else {
                continue;
            };
            let target = artifact.get("target");
            let target = target.and_then(|target| text(target, "name"));
            let is_test = artifact.pointer("/profile/test") == Some(&Value::Bool(true));
            match (text(artifact, "executable"), target) {
                (Some(path), Some(target)) if is_test => tests.push(TestProgram {
                    package: package.clone(),
                    target: target.to_owned(),
                    path: path.into(),
                    folder: manifest.parent().map(Into::into).unwrap_or_default(),
                }),
                (Some(path), Some("wcow")) => wcow = Some(path.into()),
                (None, Some("wcow_sim_dll")) => {
                    let files = artifact.get("filenames").and_then(Value::as_array);
                    let mut files = files.into_iter().flatten().filter_map(Value::as_str);
                    sim_dll = files.find(|file| file.ends_with(".dll")).map(Into::into);
                }
                _ => {}
            }
        }
        tests.sort_by(|a, b| (&a.package, &a.target).cmp(&(&b.package, &b.target)));
        Ok(Self {
            tests,
            wcow: wcow.context("cargo built no wcow.exe")?,
            sim_dll: sim_dll.context("cargo built no wcow_sim_dll.dll")?,
        })
    }

    /// Runs tests under Wine, program by program; true if all passed. That a chosen package has no test program is an error.
    pub(super) fn run(&self, wine: &Wine<'_>, choice: &Choice<'_>) -> Result<(Counts, bool)> {
        let chosen = |program: &&TestProgram| {
            choice.packages.is_empty() || choice.packages.contains(&&*program.package)
        };
        let mut counts = Counts::default();
        let mut all_passed = true;
        for program in self.tests.iter().filter(chosen) {
            println!("     Running {} of {}", program.target, program.package);
            let mut command = wine.command(&program.path);
            command.current_dir(&program.folder);
            if !choice.filter.is_empty() {
                command.arg(choice.filter);
            }
            // Wine maps the file system of this machine, so the corpus would be found; its checks belong to this machine's own run.
            command.env_remove("WCOW_CORPUS");
            // A program under Wine cannot ask Cargo where the workspace is; snapshots are looked for below it.
            command.env("INSTA_WORKSPACE_ROOT", wine.root);
            command.envs(choice.env.iter().copied());
            let (seen, passed) = if choice.by_name {
                run_tests_by_name(&mut command)?
            } else {
                run_tests(&mut command)?
            };
            if seen.programs == 0 {
                println!("{} of {} told no result", program.target, program.package);
            }
            all_passed &= passed && seen.programs > 0;
            counts += seen;
        }
        if counts.programs == 0 {
            bail!("no test program was built for {:?}", choice.packages);
        }
        Ok((counts, all_passed))
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn programs_are_told_from_libraries() {
        let packages = [
            ("/p/cli/Cargo.toml", "wcow"),
            ("/p/dll/Cargo.toml", "wcow-sim-dll"),
        ];
        let packages = packages.map(|(path, name)| (path.into(), name.to_owned()));
        let test = json!({"manifest_path": "/p/cli/Cargo.toml", "target": {"name": "it"}, "profile": {"test": true}, "executable": "/t/it.exe"});
        let wcow = json!({"manifest_path": "/p/cli/Cargo.toml", "target": {"name": "wcow"}, "profile": {"test": false}, "executable": "/t/wcow.exe"});
        let dll = json!({"manifest_path": "/p/dll/Cargo.toml", "target": {"name": "wcow_sim_dll"}, "profile": {"test": false}, "executable": null,
            "filenames": ["/t/wcow_sim_dll.rlib", "/t/wcow_sim_dll.dll"]});
        let other = json!({"manifest_path": "/registry/x/Cargo.toml", "target": {"name": "it"}, "profile": {"test": true}, "executable": "/x"});
        let all = [test, wcow, other];
        let packages = packages.into_iter().collect();
        assert!(Programs::of(&all, &packages).is_err());
        let all = [all.as_slice(), &[dll]].concat();
        let programs = Programs::of(&all, &packages).unwrap();
        assert_eq!(programs.wcow, Path::new("/t/wcow.exe"));
        assert_eq!(programs.sim_dll, Path::new("/t/wcow_sim_dll.dll"));
        let [test] = &*programs.tests else {
            panic!("one test program")
        };
        assert_eq!(
            (&*test.package, &*test.target, &*test.folder),
            ("wcow", "it", Path::new("/p/cli"))
        );
    }
}
