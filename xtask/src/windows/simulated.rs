//! The simulator as the DLLs of a Windows host: built, put into `System32` behind four DLLs that forward to it, and called by the tests
//! of `wcow-hcs`, by the conformance suite through `wcow-winhost`, and by a program in C.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use wcow_sim_dll::exports::{Dll, Export, TABLES};

use super::programs::{Choice, Programs};
use super::{COMPILER, Wine};
use crate::workspace::{Workspace, run as run_command, text_of};

/// The DLLs that forward, in the order of [`Dll::ALL`].
const FORWARDING: [Dll; 4] = [
    Dll::VmCompute,
    Dll::ComputeCore,
    Dll::ComputeStorage,
    Dll::ComputeNetwork,
];

/// What each of them has beside the functions of the real one.
const OUR_OWN: [&str; 2] = ["WcowSimCount", "WcowSimDescribe"];

/// The program in C, and what it is linked to beside the C library and kernel32.
const PROGRAM: &str = "crates/sim-dll/tests/program/program.c";
/// Cycles of create, start, exec and terminate that it goes through.
const CYCLES: &str = "200";

/// Where the world of the library stands, which is a Windows Server 2022: its base image, the folder for scratch layers, and how much
/// faster than the clock its programs run.
const WORLD: [(&str, &str); 3] = [
    (
        "WCOW_IMAGE",
        r"C:\ProgramData\Microsoft\Windows\Images\CN=Microsoft_Simulated_10.0.20348.169",
    ),
    ("WCOW_SCRATCH", r"C:\ProgramData\wcow\containers"),
    ("WCOW_SIM_SPEED", "2"),
];

/// A DLL must have code of its own for the linker to make one.
const ENTRY: &str = "\
int __stdcall DllMain(void *module, unsigned long reason, void *reserved) {
    (void)module, (void)reason, (void)reserved;
    return 1;
}
";

/// Puts everything in its place and runs it.
pub(super) fn run(
    workspace: &Workspace,
    programs: &Programs,
    wine: &Wine<'_>,
) -> Result<Vec<String>> {
    install(workspace, programs, wine)?;
    let (counts, ok) = programs.run(
        wine,
        &Choice {
            packages: &["wcow-hcs"],
            env: &[("WCOW_HCS_SIMULATED", "1")],
            ..Choice::default()
        },
    )?;
    if !ok {
        bail!(
            "{} tests of wcow-hcs failed against the simulator's DLLs, {} passed",
            counts.failed,
            counts.passed
        );
    }
    let rules = run_conformance(programs, wine)?;
    let said = run_program(workspace, wine)?;
    Ok(vec![
        format!(
            "{} tests of wcow-hcs passed with the simulator's DLLs in System32 (those that need a stand-in did nothing)",
            counts.passed
        ),
        rules,
        format!("a program in C against the simulator's DLLs: {said}"),
    ])
}

/// The rules for every container host, seen by `wcow-winhost` through the simulator's DLLs.
fn run_conformance(programs: &Programs, wine: &Wine<'_>) -> Result<String> {
    // What a client does depends on the build. Wine calls itself Windows 7; as Windows 10 it is between the same changes as the world.
    let mut version = wine.command("reg");
    version.args(["add", r"HKCU\Software\Wine", "/v", "Version"]);
    version.args(["/d", "win10", "/f"]);
    text_of(&mut version).context("cannot make the Wine prefix a Windows 10")?;
    let mut env = vec![("WCOW_HCS", "sim")];
    env.extend(WORLD);
    let (counts, ok) = programs.run(
        wine,
        &Choice {
            packages: &["wcow-winhost"],
            filter: "conformance::",
            by_name: true,
            env: &env,
        },
    )?;
    if !ok || counts.passed == 0 {
        bail!(
            "{} conformance tests of wcow-winhost failed against the simulator's DLLs, {} passed",
            counts.failed,
            counts.passed
        );
    }
    Ok(format!(
        "{} conformance tests of wcow-winhost passed through the simulator's DLLs, both surfaces; rules that make files of their own did \
         nothing",
        counts.passed
    ))
}

/// Puts the library and the DLLs that forward to it into the prefix.
fn install(workspace: &Workspace, programs: &Programs, wine: &Wine<'_>) -> Result<()> {
    let built = &programs.sim_dll;
    let system = wine.prefix.system();
    fs::copy(built, system.join("wcow_sim_dll.dll"))
        .with_context(|| format!("cannot copy {}", built.display()))?;
    let folder = workspace.fresh_dir("forwarding")?;
    let entry = folder.join("entry.c");
    fs::write(&entry, ENTRY)?;
    for dll in FORWARDING {
        let file = system.join(dll.file_name());
        let definition = folder.join(dll.file_name()).with_extension("def");
        fs::write(&definition, forwarders(dll))?;
        let mut link = Command::new(COMPILER);
        link.args(["-shared", "-s", "-o"])
            .arg(&file)
            .arg(&entry)
            .arg(&definition);
        run_command(&mut link)?;
    }
    Ok(())
}

/// The module definition of a DLL that only forwards.
fn forwarders(dll: Dll) -> String {
    let exports = TABLES.iter().copied().flatten();
    let names = exports
        .filter(|export| export.dll == dll)
        .map(|Export { name, symbol, .. }| (*name, *symbol));
    let ours = OUR_OWN.map(|name| (name, name));
    let lines: String = names
        .chain(ours)
        .map(|(name, symbol)| format!("    {name} = wcow_sim_dll.{symbol}\n"))
        .collect();
    format!("LIBRARY {}\nEXPORTS\n{lines}", dll.file_name())
}

/// Compiles the program and runs it; gives its last line.
fn run_program(workspace: &Workspace, wine: &Wine<'_>) -> Result<String> {
    let folder = workspace.fresh_dir("program")?;
    let program = folder.join("program.exe");
    let mut compile = Command::new(COMPILER);
    compile
        .args(["-O1", "-s", "-Wall", "-Wextra", "-Werror"])
        .arg("-Wno-cast-function-type")
        .arg("-o")
        .arg(&program)
        .arg(workspace.root.join(PROGRAM))
        .arg("-lole32");
    run_command(&mut compile)?;
    let mut command = wine.command(&program);
    command.arg(CYCLES).env("WCOW_SIM_LOG", folder.join("log"));
    let said = text_of(&mut command)?;
    let last = said.lines().last().unwrap_or_default();
    Ok(last.trim_end().to_owned())
}
