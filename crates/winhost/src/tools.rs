//! The programs of Windows that are asked where no function answers, and how long they may take.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wcow_host::codes::win32;
use wcow_host::{HostError, Operation};
use wcow_ntmeta::Hresult;

use crate::child::{self, Limits, Ran, RunError};

/// `ERROR_MORE_DATA`.
const MORE_DATA: Hresult = Hresult::from_win32(234);
/// `ERROR_INVALID_DATA`.
pub(crate) const INVALID_DATA: Hresult = Hresult::from_win32(13);
const E_FAIL: Hresult = Hresult(0x8000_4005);

/// Where the programs are: `powershell.exe`, `dism.exe`, `fltmc.exe`, `netsh.exe`, `shutdown.exe`, `wevtutil.exe`.
///
/// Each is started by its whole path. `PATH` and the current folder are not searched: they may belong to somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tools {
    system: PathBuf,
    powershell: PathBuf,
    limits: Limits,
}

impl Tools {
    /// Those of this Windows, each with two minutes and 16 MiB.
    #[must_use]
    pub fn of_windows() -> Self {
        let root =
            std::env::var_os("SystemRoot").map_or_else(|| r"C:\Windows".into(), PathBuf::from);
        let system = root.join("System32");
        Self {
            powershell: system.join("WindowsPowerShell").join("v1.0"),
            system,
            limits: Limits {
                time: Duration::from_secs(120),
                output: 16 << 20,
            },
        }
    }

    /// Those in one folder.
    #[must_use]
    pub fn in_folder(folder: &Path, limits: Limits) -> Self {
        Self {
            system: folder.to_owned(),
            powershell: folder.to_owned(),
            limits,
        }
    }

    /// Runs one of them. Only that it ran is looked at, not what it says.
    pub(crate) fn run(
        &self,
        operation: Operation,
        name: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Ran, HostError> {
        let folder = match name {
            "powershell" => &self.powershell,
            _ => &self.system,
        };
        let program = folder
            .join(name)
            .with_extension(std::env::consts::EXE_EXTENSION);
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        child::run(&program, &arguments, environment, self.limits).map_err(|error| {
            let object = format!("{} ({error})", program.display());
            HostError::new(operation, object, code_of_failure(&error))
        })
    }

    /// Runs one of them that must end with zero, and gives what it wrote.
    #[cfg(windows)]
    pub(crate) fn text_of(
        &self,
        operation: Operation,
        name: &str,
        arguments: &[&str],
    ) -> Result<String, HostError> {
        let ran = self.run(operation, name, arguments, &[])?;
        match ran.exit {
            Some(0) => Ok(decode(&ran.stdout)),
            exit => Err(HostError::new(operation, name, code_of_exit(exit))),
        }
    }
}

fn code_of_failure(error: &RunError) -> Hresult {
    match error {
        RunError::Start(error) => code_of(error),
        RunError::TooLong => win32::TIMEOUT,
        RunError::TooMuch => MORE_DATA,
    }
}

/// The code of an error of the operating system.
pub(crate) fn code_of(error: &io::Error) -> Hresult {
    error
        .raw_os_error()
        .map_or(E_FAIL, |code| Hresult::from_win32(code.cast_unsigned()))
}

/// What the exit code of a program of Windows says: a Win32 error number, or a whole HRESULT.
pub(crate) fn code_of_exit(exit: Option<i32>) -> Hresult {
    match exit {
        Some(code @ 1..=0xFFFF) => Hresult::from_win32(code.cast_unsigned()),
        Some(code) if code < 0 => Hresult::from_i32(code),
        _ => E_FAIL,
    }
}

/// What a program wrote: UTF-16 if it says so or every other byte of its beginning is zero, else bytes of a code page, of which
/// only ASCII is certain.
pub(crate) fn decode(bytes: &[u8]) -> String {
    let start: Vec<u8> = bytes.iter().copied().take(16).collect();
    let has_mark = start.starts_with(&[0xFF, 0xFE]);
    let is_wide = start.len() >= 4 && start.iter().skip(1).step_by(2).all(|byte| *byte == 0);
    if has_mark || is_wide {
        let units: Vec<u16> = bytes
            .chunks_exact(2)
            .filter_map(|pair| Some(u16::from_le_bytes(*pair.first_chunk()?)))
            .collect();
        let text = String::from_utf16_lossy(&units);
        return text.trim_start_matches('\u{FEFF}').to_owned();
    }
    String::from_utf8_lossy(bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes)).into_owned()
}
