//! The tests of the workspace and the program `wcow`, as Windows programs, run under Wine.
//!
//! The Wine prefix is fresh and lies in the target directory. Wine 8 lacks `bcryptprimitives.dll`, which Rust's standard
//! library takes its random numbers from, so a substitute that exports `ProcessPrng` is compiled and put into `System32`.
//!
//! It has no HCS either. The first run is of a host without: whatever is called is missing. Then stand-ins for two of the DLLs are
//! compiled and put there, and the tests of `wcow-hcs` and `wcow-winhost` run once more. At last the simulator takes their place.

mod overhead;
mod programs;
mod simulated;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use self::programs::{Choice, Programs};
use crate::report::Report;
use crate::workspace::{
    Workspace, bytes_of, files_of_package, find_program, installed_targets, output,
    run as run_command,
};

const TARGET: &str = "x86_64-pc-windows-gnu";
const COMPILER: &str = "x86_64-w64-mingw32-gcc";

/// `SystemFunction036` is the exported name of `RtlGenRandom`.
const RANDOM_DLL: &str = "\
unsigned char __stdcall SystemFunction036(void *buffer, unsigned long length);
__declspec(dllexport) int __stdcall ProcessPrng(unsigned char *buffer, unsigned long long length) {
    while (length > 0) {
        unsigned long part = length > 65536 ? 65536 : (unsigned long)length;
        if (!SystemFunction036(buffer, part)) return 0;
        buffer += part;
        length -= part;
    }
    return 1;
}
";

/// Where the stand-ins' sources lie.
const STAND_INS: &str = "crates/hcs/tests/stand_in";

/// The DLLs that have one, with what they are linked to beside the C library and kernel32.
const STAND_IN_DLLS: &[(&str, &[&str])] = &[("vmcompute", &["-lole32"]), ("computecore", &[])];

/// Packages whose tests are not for Windows.
const EXCLUDED: &[(&str, &str)] = &[("xtask", "chores run on the machine that builds")];

/// Builds and runs the tests, or measures what `--overhead` asks for.
pub(crate) fn run_with(workspace: &Workspace, arguments: &[String]) -> Result<Report> {
    match arguments {
        [] => run(workspace),
        [word] if word == "--overhead" => overhead::run(workspace),
        _ => bail!("`windows` takes `--overhead` or nothing"),
    }
}

/// Builds and runs the tests.
pub(crate) fn run(workspace: &Workspace) -> Result<Report> {
    let loader = match loader() {
        Ok(loader) => loader,
        Err(reason) => return Ok(Report::skipped(reason)),
    };
    let programs = Programs::build(workspace)?;
    let wine = Wine::make(workspace, loader)?;
    let (counts, ok) = programs.run(&wine, &Choice::default())?;
    let mut report = Report::noted(format!(
        "{} tests passed under Wine in {} programs",
        counts.passed, counts.programs
    ));
    if counts.ignored > 0 {
        report.skip(format!(
            "{} tests are ignored by their authors",
            counts.ignored
        ));
    }
    EXCLUDED
        .iter()
        .for_each(|(package, why)| report.skip(format!("{package}: {why}")));
    report.skip("examples in the documentation: they run on the machine that builds");
    report.skip(
        "Windows itself: all of this is Wine, with stand-ins and the simulator in the place of Microsoft's DLLs",
    );
    let ran = run_program(workspace, &programs, &wine);
    if !ok {
        bail!(
            "{} tests failed under Wine, {} passed",
            counts.failed,
            counts.passed
        );
    }
    report.note(ran?);
    report.note(run_stand_ins(&programs, &wine)?);
    for line in simulated::run(workspace, &programs, &wine)? {
        report.note(line);
    }
    Ok(report)
}

/// The tests of `wcow-hcs` and `wcow-winhost` with stand-ins for two of the DLLs.
fn run_stand_ins(programs: &Programs, wine: &Wine<'_>) -> Result<String> {
    install_stand_ins(wine, &[])?;
    let (counts, ok) = programs.run(
        wine,
        &Choice {
            packages: &["wcow-hcs", "wcow-winhost"],
            env: &[("WCOW_HCS_STAND_IN", "1")],
            ..Choice::default()
        },
    )?;
    if !ok {
        bail!(
            "{} tests of wcow-hcs and wcow-winhost failed against the stand-ins, {} passed",
            counts.failed,
            counts.passed
        );
    }
    let names: Vec<_> = STAND_IN_DLLS
        .iter()
        .map(|(name, _)| format!("{name}.dll"))
        .collect();
    Ok(format!(
        "{} tests of wcow-hcs and wcow-winhost passed against stand-ins for {} (in the run before, those that need one did \
         nothing); \
         computestorage.dll, computenetwork.dll and virtdisk.dll have none",
        counts.passed,
        names.join(" and ")
    ))
}

/// Compiles the stand-ins into `System32`, with these options of the compiler beside the usual ones.
fn install_stand_ins(wine: &Wine<'_>, options: &[&str]) -> Result<()> {
    let sources = wine.root.join(STAND_INS);
    let system = wine.prefix.system();
    for (name, libraries) in STAND_IN_DLLS {
        let mut compile = Command::new(COMPILER);
        compile
            .args(["-shared", "-O1", "-s", "-Wall", "-Wextra", "-Werror"])
            .arg("-Wno-cast-function-type")
            .args(options)
            .arg("-o")
            .arg(system.join(name).with_extension("dll"))
            .arg(sources.join(name).with_extension("c"))
            .args(*libraries);
        run_command(&mut compile)?;
    }
    Ok(())
}

/// `wcow.exe` itself: the tour, and a WIM file that wimlib made.
fn run_program(workspace: &Workspace, programs: &Programs, wine: &Wine<'_>) -> Result<String> {
    let run = |arguments: &[&OsStr]| bytes_of(wine.command(&programs.wcow).args(arguments));
    run(&["tour".as_ref()])?;
    let mut seen = "`wcow.exe tour` exits 0 under Wine".to_owned();
    let file = workspace.target.join("oracle").join("base-lzx.wim");
    if file.is_file() {
        run(&["wim".as_ref(), "verify".as_ref(), file.as_ref()])?;
        seen.push_str(", so does `wcow.exe wim verify` on the oracle's LZX image");
    }
    Ok(seen)
}

/// Wine, where Windows programs can be built and run here; why not otherwise.
fn loader() -> Result<PathBuf, String> {
    if let Some(reason) = missing() {
        return Err(reason);
    }
    find_wine().ok_or_else(|| {
        "no Wine (packages wine64 and libwine): Windows programs cannot be run".to_owned()
    })
}

fn missing() -> Option<String> {
    match installed_targets() {
        None => {
            return Some(
                "no rustup: whether the Windows target is installed is not known".to_owned(),
            );
        }
        Some(installed) if !installed.iter().any(|name| name == TARGET) => {
            return Some(format!(
                "the target is not installed (`rustup target add {TARGET}`)"
            ));
        }
        Some(_) => {}
    }
    find_program(COMPILER).is_none().then(|| {
        format!("no {COMPILER} (package gcc-mingw-w64-x86-64): Windows programs cannot be linked")
    })
}

/// The loader itself where the package can be asked, and not the script in `PATH` that starts it.
fn find_wine() -> Option<PathBuf> {
    let loader = files_of_package("wine64")
        .into_iter()
        .find(|path| path.ends_with("wine/wine64"));
    loader.or_else(|| {
        ["wine64", "wine"]
            .iter()
            .find_map(|name| find_program(name))
    })
}

/// Wine with a prefix of its own, for programs of the workspace.
struct Wine<'a> {
    loader: PathBuf,
    prefix: Prefix,
    root: &'a Path,
}

impl<'a> Wine<'a> {
    /// With a fresh prefix.
    fn make(workspace: &'a Workspace, loader: PathBuf) -> Result<Self> {
        Ok(Self {
            prefix: Prefix::make(workspace, &loader)?,
            loader,
            root: &workspace.root,
        })
    }

    /// A program for Windows, to be run.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(&self.loader);
        command.arg(program);
        self.prefix.apply(&mut command);
        command
    }
}

/// A Wine prefix of our own. Its server is ended with it.
struct Prefix {
    dir: PathBuf,
    server: Option<PathBuf>,
}

impl Prefix {
    fn make(workspace: &Workspace, wine: &Path) -> Result<Self> {
        let dir = workspace.fresh_dir("wine")?;
        let beside = wine
            .canonicalize()
            .ok()
            .and_then(|real| real.parent().map(|dir| dir.join("wineserver")));
        let server = beside
            .filter(|path| path.is_file())
            .or_else(|| find_program("wineserver"));
        let prefix = Self {
            dir: dir.join("prefix"),
            server,
        };
        std::fs::create_dir(&prefix.dir)?;
        if let Some(server) = &prefix.server {
            // One that stays: a server that ends when it has no clients for a while resets the connection of one that comes just then.
            let mut stay = Command::new(server);
            stay.arg("--persistent")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            prefix.apply(&mut stay);
            stay.status().context("cannot start wineserver")?;
        }
        let mut boot = Command::new(wine);
        boot.args(["wineboot", "--init"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        prefix.apply(&mut boot);
        run_command(&mut boot).context("cannot make a Wine prefix")?;
        let system = prefix.system();
        if !system.is_dir() {
            bail!("the new Wine prefix has no {}", system.display());
        }
        let source = dir.join("random.c");
        std::fs::write(&source, RANDOM_DLL)?;
        let mut compile = Command::new(COMPILER);
        compile
            .args(["-shared", "-O1", "-s", "-o"])
            .arg(system.join("bcryptprimitives.dll"))
            .arg(&source)
            .arg("-ladvapi32");
        run_command(&mut compile)?;
        Ok(prefix)
    }

    fn system(&self) -> PathBuf {
        self.dir.join("drive_c").join("windows").join("system32")
    }

    fn apply(&self, command: &mut Command) {
        command
            .env("WINEPREFIX", &self.dir)
            .env("WINEDEBUG", "-all")
            // Without the debugger a program that faults ends at once; with it, it waits for somebody to look.
            .env(
                "WINEDLLOVERRIDES",
                "mscoree,mshtml,winemenubuilder.exe,winedbg.exe=",
            );
        command.env_remove("DISPLAY");
    }
}

impl Drop for Prefix {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            let mut stop = Command::new(server);
            stop.arg("-k");
            self.apply(&mut stop);
            // It may have ended by itself; there is nobody to tell.
            let _ = output(&mut stop);
        }
    }
}
