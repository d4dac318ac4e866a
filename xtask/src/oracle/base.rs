//! A tree like that of a container base image, and its captures.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use wcow_hive::{HiveBuilder, ValueKind};

use crate::workspace::{Workspace, bytes_of, files_of_package, remove_dir};

/// Bytes of real programs that go into the tree.
const PROGRAM_BYTES: u64 = 64 << 20;

/// What the capture says of itself: the container base image of Technical Preview 3.
const PROPERTIES: &[(&str, &str)] = &[
    ("NAME", "WindowsServerCore"),
    ("DESCRIPTION", "Container base image made for testing"),
    ("WINDOWS/ARCH", "9"),
    (
        "WINDOWS/PRODUCTNAME",
        "Microsoft\u{ae} Windows\u{ae} Operating System",
    ),
    ("WINDOWS/EDITIONID", "ServerDatacenter"),
    ("WINDOWS/INSTALLATIONTYPE", "Server Core"),
    ("WINDOWS/PRODUCTTYPE", "ServerNT"),
    ("WINDOWS/LANGUAGES/LANGUAGE", "en-US"),
    ("WINDOWS/LANGUAGES/DEFAULT", "en-US"),
    ("WINDOWS/VERSION/MAJOR", "10"),
    ("WINDOWS/VERSION/MINOR", "0"),
    ("WINDOWS/VERSION/BUILD", "10514"),
    ("WINDOWS/VERSION/SPBUILD", "0"),
    ("WINDOWS/VERSION/SPLEVEL", "0"),
    ("WINDOWS/SYSTEMROOT", "WINDOWS"),
];

/// One capture.
struct Capture {
    name: &'static str,
    options: &'static [&'static str],
    /// Of the whole tree; a quarter does for the rarer layouts.
    whole: bool,
    /// The capture that it leaves out the blobs of.
    base: Option<&'static str>,
}

const fn whole(name: &'static str, options: &'static [&'static str]) -> Capture {
    Capture {
        name,
        options,
        whole: true,
        base: None,
    }
}

const fn part(name: &'static str, options: &'static [&'static str]) -> Capture {
    Capture {
        name,
        options,
        whole: false,
        base: None,
    }
}

/// Every codec, chunk sizes at both ends, every layout.
const CAPTURES: &[Capture] = &[
    whole(BASE_LZX, &["--compress=LZX", "--check"]),
    whole("base-xpress.wim", &["--compress=XPRESS", "--check"]),
    whole("base-none.wim", &["--compress=none", "--check"]),
    part(
        "part-xpress-4k.wim",
        &["--compress=XPRESS", "--chunk-size=4096"],
    ),
    part(
        "part-xpress-64k.wim",
        &["--compress=XPRESS", "--chunk-size=65536"],
    ),
    part(
        "part-lzx-128k.wim",
        &["--compress=LZX", "--chunk-size=131072"],
    ),
    part(
        "part-lzx-2m.wim",
        &["--compress=LZX", "--chunk-size=2097152"],
    ),
    part(
        "part-lzms-32k.wim",
        &["--compress=LZMS", "--chunk-size=32768"],
    ),
    part(
        "part-lzms-16m.wim",
        &["--compress=LZMS", "--chunk-size=16777216", "--check"],
    ),
    part(SOLID_LZMS, &["--solid", "--check"]),
    part(
        "part-solid-lzx.esd",
        &[
            "--solid",
            "--solid-compress=LZX",
            "--solid-chunk-size=32768",
        ],
    ),
    part(
        "part-solid-xpress.esd",
        &["--solid", "--solid-compress=XPRESS"],
    ),
    part("part-pipable-none.wim", &["--pipable", "--compress=none"]),
    part(
        "part-pipable-xpress.wim",
        &["--pipable", "--compress=XPRESS", "--check"],
    ),
    part("part-pipable-lzx.wim", &["--pipable", "--compress=LZX"]),
    part("part-pipable-lzms.wim", &["--pipable", "--compress=LZMS"]),
    Capture {
        name: "delta.wim",
        options: &["--compress=XPRESS"],
        whole: true,
        base: Some(BASE_LZX),
    },
    Capture {
        name: "delta-of-solid.wim",
        options: &["--compress=none"],
        whole: false,
        base: Some(SOLID_LZMS),
    },
];

const BASE_LZX: &str = "base-lzx.wim";
const SOLID_LZMS: &str = "part-solid-lzms.esd";

/// A WIM, with the files that belong to it.
#[derive(Debug)]
pub(crate) struct Case {
    /// The file; of a split set the first part.
    pub(crate) file: PathBuf,
    /// The other parts of a split set.
    pub(crate) parts: Vec<PathBuf>,
    /// Files with blobs that it does not hold.
    pub(crate) references: Vec<PathBuf>,
}

impl Case {
    /// A file that stands alone.
    pub(crate) fn alone(file: PathBuf) -> Self {
        Self {
            file,
            parts: Vec::new(),
            references: Vec::new(),
        }
    }
}

/// Makes the tree and its captures, and returns the captures.
pub(crate) fn make(workspace: &Workspace, wimlib: &Path) -> Result<Vec<Case>> {
    let dir = workspace.target.join("oracle");
    let tree = dir.join("tree");
    remove_dir(&tree)?;
    plant(&tree)?;
    let drivers = tree.join("Windows/System32/drivers");
    let mut cases = Vec::new();
    for capture in CAPTURES {
        let mut case = Case::alone(dir.join(capture.name));
        let source = if capture.whole { &tree } else { &drivers };
        let mut command = command(wimlib, "capture", source, &case.file)?;
        command.args(capture.options);
        if let Some(base) = capture.base {
            // Something of its own, which the base lacks.
            std::fs::write(drivers.join("new.sys"), noise(70_000))?;
            case.references.push(dir.join(base));
            command.arg(format!("--delta-from={}", dir.join(base).display()));
        }
        bytes_of(&mut command)?;
        cases.push(case);
    }
    // A second solid resource, and a second image.
    let twice = dir.join("part-solid-twice.esd");
    std::fs::copy(dir.join(SOLID_LZMS), &twice)?;
    let fonts = tree.join("Windows/Fonts");
    let mut append = Command::new(wimlib);
    append
        .arg("append")
        .arg(&fonts)
        .arg(&twice)
        .args(["second", "--solid"]);
    bytes_of(&mut append)?;
    cases.push(Case::alone(twice));
    cases.push(split(wimlib, &dir, BASE_LZX, "split-lzx")?);
    cases.push(split(
        wimlib,
        &dir,
        "part-pipable-xpress.wim",
        "split-pipable",
    )?);
    Ok(cases)
}

fn command(wimlib: &Path, verb: &str, source: &Path, file: &Path) -> Result<Command> {
    let _ = std::fs::remove_file(file);
    let mut command = Command::new(wimlib);
    command.arg(verb).arg(source).arg(file).arg("image");
    for (name, value) in PROPERTIES {
        command
            .arg("--image-property")
            .arg(format!("{name}={value}"));
    }
    Ok(command)
}

/// Splits a capture into parts of 8 MiB.
fn split(wimlib: &Path, dir: &Path, file: &str, name: &str) -> Result<Case> {
    for old in parts_of(dir, name)? {
        std::fs::remove_file(old)?;
    }
    let first = dir.join(format!("{name}.swm"));
    bytes_of(
        Command::new(wimlib)
            .arg("split")
            .arg(dir.join(file))
            .arg(&first)
            .arg("8"),
    )?;
    let mut parts = parts_of(dir, name)?;
    parts.retain(|part| *part != first);
    if parts.is_empty() {
        bail!("wimlib made one part of {file}: it is too small to be split");
    }
    Ok(Case {
        file: first,
        parts,
        references: Vec::new(),
    })
}

/// The parts of a split set in a folder.
pub(crate) fn parts_of(dir: &Path, name: &str) -> Result<Vec<PathBuf>> {
    let mut parts: Vec<PathBuf> = files_in(dir)?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "swm"))
        .filter(|path| {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let number = stem.strip_prefix(name);
            number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        })
        .collect();
    parts.sort();
    Ok(parts)
}

fn files_in(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// Plants the tree.
pub(crate) fn plant(tree: &Path) -> Result<()> {
    let folders = [
        "Windows/System32/config",
        "Windows/System32/drivers/etc",
        "Windows/System32/en-US",
        "Windows/SysWOW64",
        "Windows/WinSxS",
        "Windows/Fonts",
        "Windows/Temp",
        "Program Files/Common Files",
        "Program Files (x86)",
        "ProgramData/Microsoft",
        "Users/Default/AppData/Local",
        "Users/Public",
        "inetpub/empty/empty/empty",
    ];
    for folder in folders {
        std::fs::create_dir_all(tree.join(folder))?;
    }
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(tree.join(name), bytes).with_context(|| format!("cannot write {name}"))
    };
    write_hives(&tree.join("Windows/System32/config"))?;
    plant_programs(&tree.join("Windows/System32"))?;
    write(
        "Windows/System32/drivers/etc/hosts",
        b"127.0.0.1 localhost\r\n::1 localhost\r\n",
    )?;
    write(
        "Windows/win.ini",
        b"; for 16-bit app support\r\n[fonts]\r\n",
    )?;
    write("Windows/Temp/empty.txt", b"")?;
    write("License.txt", "terms\r\n".repeat(3000).as_bytes())?;
    // Sizes around a chunk's: the last chunk, and the raw ones, are where readers err.
    for size in [1_usize, 32767, 32768, 32769, 65536, 98_305] {
        write(&format!("Windows/Fonts/zeros-{size}.fon"), &vec![0; size])?;
        write(&format!("Windows/Fonts/noise-{size}.ttf"), &noise(size))?;
    }
    let long = format!(
        "Windows/WinSxS/{}",
        "amd64_microsoft-windows-long_".repeat(8)
    );
    std::fs::create_dir_all(tree.join(&long))?;
    write(
        &format!("{long}/{}.manifest", "n".repeat(240)),
        b"<assembly/>",
    )?;
    for (number, name) in [
        "\u{df}stra\u{df}e",
        "\u{65e5}\u{672c}\u{8a9e}",
        "\u{1f600}",
        "e\u{301}",
        "a b  c",
        "semi;colon,comma",
        "UPPER",
        "upper2",
    ]
    .iter()
    .enumerate()
    {
        write(
            &format!("Users/Public/{name}.txt"),
            format!("{number}\n").as_bytes(),
        )?;
    }
    std::fs::hard_link(
        tree.join("Windows/win.ini"),
        tree.join("Windows/WinSxS/win.ini"),
    )?;
    std::fs::hard_link(
        tree.join("License.txt"),
        tree.join("Windows/System32/license.rtf"),
    )?;
    std::fs::hard_link(
        tree.join("License.txt"),
        tree.join("Users/Public/license copy.txt"),
    )?;
    plant_links(tree)
}

#[cfg(unix)]
fn plant_links(tree: &Path) -> Result<()> {
    std::os::unix::fs::symlink("Public", tree.join("Users/All Users"))?;
    std::os::unix::fs::symlink("../win.ini", tree.join("Windows/System32/relative.ini"))?;
    std::os::unix::fs::symlink("nowhere", tree.join("Users/dangling"))?;
    Ok(())
}

#[cfg(not(unix))]
fn plant_links(_tree: &Path) -> Result<()> {
    Ok(())
}

/// Real programs: Wine's DLLs and drivers if they are installed, otherwise this machine's own programs.
fn plant_programs(system: &Path) -> Result<()> {
    let mut programs: Vec<PathBuf> = files_of_package("libwine")
        .into_iter()
        .filter(|path| {
            path.parent()
                .is_some_and(|dir| dir.ends_with("x86_64-windows"))
        })
        .collect();
    if programs.is_empty() {
        programs = files_below(Path::new("/usr/bin")).unwrap_or_default();
    }
    programs.sort();
    let mut room = PROGRAM_BYTES;
    let mut last = None;
    for (number, program) in programs.iter().enumerate() {
        let Some(name) = program.file_name() else {
            continue;
        };
        let size = program.metadata()?.len();
        if size > room || size == 0 {
            continue;
        }
        room -= size;
        let folder = if number % 4 == 0 {
            system.join("drivers")
        } else {
            system.to_path_buf()
        };
        std::fs::copy(program, folder.join(name))?;
        last = Some(program);
    }
    let Some(last) = last else {
        bail!("found no programs to put into the tree (package libwine)")
    };
    // The file that makes a base image one for containers.
    std::fs::copy(last, system.join("CExecSvc.exe"))?;
    Ok(())
}

/// The five hives that a base image needs.
pub(crate) fn write_hives(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    for name in ["DEFAULT", "SAM", "SECURITY", "SOFTWARE", "SYSTEM"] {
        let mut builder = HiveBuilder::new(name);
        match name {
            "SOFTWARE" => {
                let version = r"Microsoft\Windows NT\CurrentVersion";
                for (value, text) in [
                    ("CurrentBuild", "10514"),
                    ("EditionID", "ServerDatacenter"),
                    ("InstallationType", "Server Core"),
                    ("ProductName", "Windows Server 2016 Technical Preview 3"),
                ] {
                    builder.value(version, value, ValueKind::Sz, &wide(text))?;
                }
            }
            "SYSTEM" => {
                builder.value("Select", "Current", ValueKind::Dword, &1_u32.to_le_bytes())?;
                builder.value(
                    r"ControlSet001\Services\CExecSvc",
                    "ImagePath",
                    ValueKind::ExpandSz,
                    &wide(r"%SystemRoot%\System32\CExecSvc.exe"),
                )?;
                for number in 0..300 {
                    builder.value(
                        &format!(r"ControlSet001\Services\svc{number}"),
                        "Start",
                        ValueKind::Dword,
                        &3_u32.to_le_bytes(),
                    )?;
                }
            }
            _ => {
                builder.key("Software")?;
            }
        }
        std::fs::write(dir.join(name), builder.build())?;
    }
    Ok(())
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16()
        .chain([0])
        .flat_map(u16::to_le_bytes)
        .collect()
}

/// Bytes that no codec makes smaller; the same every time.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..len).map(|_| next()).collect()
}

/// Every file below a folder.
pub(crate) fn files_below(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files_below(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}
