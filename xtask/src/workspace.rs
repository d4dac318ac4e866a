//! Where things are, and how other programs are run.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The workspace that this program was built from.
pub(crate) struct Workspace {
    /// The folder of the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// The folder that Cargo builds into.
    pub(crate) target: PathBuf,
    /// What `cargo metadata` says of the members.
    pub(crate) metadata: Value,
}

impl Workspace {
    /// Asks Cargo where the workspace is.
    pub(crate) fn find() -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = cargo();
        command
            .args(["metadata", "--format-version=1", "--no-deps"])
            .current_dir(here);
        let metadata: Value =
            serde_json::from_str(&text_of(&mut command)?).context("cargo metadata gave no JSON")?;
        let folder = |key: &str| {
            metadata
                .get(key)
                .and_then(Value::as_str)
                .map(PathBuf::from)
                .with_context(|| format!("cargo metadata has no `{key}`"))
        };
        Ok(Self {
            root: folder("workspace_root")?,
            target: folder("target_directory")?,
            metadata,
        })
    }

    /// Cargo, to be run at the root.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = cargo();
        command.current_dir(&self.root);
        command
    }

    /// The folder named by `WCOW_CORPUS`, if it is there.
    pub(crate) fn corpus(&self) -> Option<PathBuf> {
        std::env::var_os("WCOW_CORPUS")
            .map(PathBuf::from)
            .filter(|folder| folder.is_dir())
    }

    /// The members by the paths of their manifests.
    pub(crate) fn packages(&self) -> BTreeMap<PathBuf, String> {
        let packages = self.metadata.get("packages").and_then(Value::as_array);
        let packages = packages.into_iter().flatten();
        let text = |package: &Value, key| Some(package.get(key)?.as_str()?.to_owned());
        packages
            .filter_map(|package| {
                let manifest = text(package, "manifest_path")?;
                Some((manifest.into(), text(package, "name")?))
            })
            .collect()
    }

    /// Builds the `wcow` program in release and returns its path.
    pub(crate) fn wcow(&self) -> Result<PathBuf> {
        run(self
            .cargo()
            .args(["build", "--quiet", "--release", "--package", "wcow"]))?;
        Ok(self
            .target
            .join("release")
            .join(format!("wcow{}", std::env::consts::EXE_SUFFIX)))
    }

    /// Makes an empty folder under the target directory.
    pub(crate) fn fresh_dir(&self, name: &str) -> Result<PathBuf> {
        let dir = self.target.join(name);
        remove_dir(&dir)?;
        std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        Ok(dir)
    }
}

/// The Cargo that runs this program.
fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Removes a folder and everything in it; none there is as good.
pub(crate) fn remove_dir(dir: &Path) -> Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", dir.display()))
        }
        _ => Ok(()),
    }
}

/// Runs a command with its output shown; an exit code other than 0 is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs a command and keeps what it writes, whatever its exit code.
pub(crate) fn output(command: &mut Command) -> Result<Output> {
    command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", shown(command)))
}

/// Runs a command and returns its standard output; an exit code other than 0 is an error that shows what it wrote.
pub(crate) fn bytes_of(command: &mut Command) -> Result<Vec<u8>> {
    let output = output(command)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(
            "{} ended with {}: {}",
            shown(command),
            output.status,
            said.trim()
        );
    }
    Ok(output.stdout)
}

/// As [`bytes_of`], as text.
pub(crate) fn text_of(command: &mut Command) -> Result<String> {
    Ok(String::from_utf8_lossy(&bytes_of(command)?).into_owned())
}

/// Looks a program up in `PATH`.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path)
        .map(|dir| dir.join(&file))
        .find(|candidate| candidate.is_file())
}

/// The files of an installed Debian package; none where there is no dpkg or no such package.
pub(crate) fn files_of_package(package: &str) -> Vec<PathBuf> {
    let Ok(output) = output(Command::new("dpkg").args(["-L", package])) else {
        return Vec::new();
    };
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(PathBuf::from)
        .filter(|path| path.is_file())
        .collect()
}

/// The targets whose standard library the toolchain has; `None` where there is no rustup to ask.
pub(crate) fn installed_targets() -> Option<Vec<String>> {
    let output = output(Command::new("rustup").args(["target", "list", "--installed"])).ok()?;
    output.status.success().then(|| {
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .map(str::to_owned)
            .collect()
    })
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy);
    format!("`{}`", words.collect::<Vec<_>>().join(" "))
}
