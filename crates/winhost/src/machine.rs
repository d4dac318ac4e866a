//! The machine that this program runs on.

use std::collections::hash_map::RandomState;
use std::fs::{self, File, OpenOptions};
use std::hash::BuildHasher;
use std::path::PathBuf;

use wcow_host::{HostError, HostInfo, Operation, Service, ServiceState};
use wcow_ntmeta::{Guid, Hresult};
use windows_registry::{Key, LOCAL_MACHINE};
use windows_service::service::{
    ServiceAccess, ServiceExitCode, ServiceState as State, ServiceStatus,
};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};

use crate::identity::{Facts, describe};

const VERSION: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
const NAME: &str = r"SYSTEM\CurrentControlSet\Control\ComputerName\ActiveComputerName";
const GUEST: &str = r"SOFTWARE\Microsoft\Virtual Machine\Guest\Parameters";
const SESSION_MANAGER: &str = r"SYSTEM\CurrentControlSet\Control\Session Manager";

/// Keys that are there only while something waits for a restart.
const PENDING: &[&str] = &[
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending",
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired",
];

/// A key that is gone when the machine starts again, and in it what was drawn for this time.
const BOOT: &str = r"SOFTWARE\wcow\boot";
const BOOT_ID: &str = "id";

/// The services that containers need: compute, networks, virtual machines and switches.
const SERVICES: &[&str] = &["vmcompute", "hns", "vmms"];

const FILE_NOT_FOUND: u16 = 2;
const PATH_NOT_FOUND: u16 = 3;
/// `RPC_S_CALL_FAILED_DNE`: the call failed and was not carried out.
const RPC_NOT_EXECUTED: u16 = 1727;
const SERVICE_DOES_NOT_EXIST: u32 = 1060;
/// `ERROR_PROCESS_ABORTED`: what the service manager keeps of a service whose process ended by itself.
const PROCESS_ABORTED: u32 = 1067;

/// What machine this is.
///
/// # Errors
/// The registry cannot be read; or nobody has asked since the machine was started, and this program may not write what it drew
/// as the id of this time (0x80070005).
pub fn info() -> Result<HostInfo, HostError> {
    let version = open(VERSION)?;
    let number = |name| optional(VERSION, version.get_u32(name));
    let text = |name| optional(VERSION, version.get_string(name));
    let name = open(NAME)?.get_string("ComputerName");
    Ok(describe(Facts {
        name: name.map_err(|error| failed(NAME, error.code().0))?,
        build: windows_version::OsVersion::current().build,
        revision: number("UBR")?,
        edition: text("EditionID")?,
        installation: text("InstallationType")?,
        product: text("ProductName")?,
        version: text("DisplayVersion")?,
        is_guest: is_there(GUEST)?,
        reboot_pending: reboot_pending()?,
        boot_id: boot_id()?,
    }))
}

/// Which of the services that containers need are installed, and whether they run. A service that starts or stops does not.
///
/// # Errors
/// The service manager cannot be asked.
pub fn services() -> Result<Vec<Service>, HostError> {
    let manager = manager()?;
    let mut found = Vec::new();
    for name in SERVICES {
        if let Some(state) = state_of(&manager, name)? {
            found.push(Service {
                name: (*name).to_owned(),
                state,
            });
        }
    }
    Ok(found)
}

/// Whether a service of this host runs; none if there is no such service.
///
/// # Errors
/// The service manager cannot be asked.
pub fn service(name: &str) -> Result<Option<ServiceState>, HostError> {
    state_of(&manager()?, name)
}

/// Connects to the service manager. One that is just coming up (Wine's does, when it was idle) may fail a call, with the promise that
/// nothing was done; then it is asked once more.
pub(crate) fn manager() -> Result<ServiceManager, HostError> {
    let connect = || {
        ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT)
            .map_err(|error| service_failed("service manager", error))
    };
    connect().or_else(|error| {
        if error.is_win32(RPC_NOT_EXECUTED) {
            connect()
        } else {
            Err(error)
        }
    })
}

fn state_of(manager: &ServiceManager, name: &str) -> Result<Option<ServiceState>, HostError> {
    let service = match manager.open_service(name, ServiceAccess::QUERY_STATUS) {
        Ok(service) => service,
        Err(windows_service::Error::Winapi(error))
            if error.raw_os_error() == Some(SERVICE_DOES_NOT_EXIST.cast_signed()) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(service_failed(name, error)),
    };
    let status = service
        .query_status()
        .map_err(|error| service_failed(name, error))?;
    Ok(Some(run_state(&status)))
}

/// Whether a service with this status runs. One that starts, stops or pauses does not.
pub(crate) fn run_state(status: &ServiceStatus) -> ServiceState {
    match (status.current_state, &status.exit_code) {
        (State::Running, _) => ServiceState::Running,
        (State::Stopped, ServiceExitCode::Win32(PROCESS_ABORTED)) => ServiceState::Crashed,
        _ => ServiceState::Stopped,
    }
}

fn reboot_pending() -> Result<bool, HostError> {
    for key in PENDING {
        if is_there(key)? {
            return Ok(true);
        }
    }
    let renames = open(SESSION_MANAGER)?.get_multi_string("PendingFileRenameOperations");
    let renames = optional(SESSION_MANAGER, renames)?.unwrap_or_default();
    Ok(!renames.is_empty())
}

/// What was drawn for this time between two starts of the machine: by whoever asked first, and kept in a volatile key.
fn boot_id() -> Result<Guid, HostError> {
    if let Some(id) = kept_boot_id()? {
        return Ok(id);
    }
    // Of two who ask first at the same time, one draws.
    let lock = lock()?;
    let id = match kept_boot_id()? {
        Some(id) => id,
        None => draw_boot_id()?,
    };
    drop(lock);
    Ok(id)
}

fn kept_boot_id() -> Result<Option<Guid>, HostError> {
    let Some(key) = optional(BOOT, LOCAL_MACHINE.open(BOOT))? else {
        return Ok(None);
    };
    let text = optional(BOOT, key.get_string(BOOT_ID))?;
    // Whatever is there and is no GUID was not written by us: it is drawn again.
    Ok(text.and_then(|text| text.parse().ok()))
}

fn draw_boot_id() -> Result<Guid, HostError> {
    let half = |side: u8| u128::from(RandomState::new().hash_one(side));
    let id = Guid::v4_from(half(0) << 64 | half(1));
    LOCAL_MACHINE
        .options()
        .read()
        .write()
        .create()
        .volatile()
        .open(BOOT)
        .and_then(|key| key.set_string(BOOT_ID, id.to_string()))
        .map_err(|error| failed(BOOT, error.code().0))?;
    Ok(id)
}

fn lock() -> Result<File, HostError> {
    let data =
        std::env::var_os("ProgramData").map_or_else(|| r"C:\ProgramData".into(), PathBuf::from);
    let folder = data.join("wcow");
    let path = folder.join("boot.lock");
    let locked = fs::create_dir_all(&folder).and_then(|()| {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        file.lock()?;
        Ok(file)
    });
    locked.map_err(|error| {
        let code = error.raw_os_error().map_or(0x8000_4005, |code| {
            Hresult::from_win32(code.cast_unsigned()).0
        });
        HostError::new(
            Operation::HostInfo,
            path.display().to_string(),
            Hresult(code),
        )
    })
}

fn open(key: &str) -> Result<Key, HostError> {
    LOCAL_MACHINE
        .open(key)
        .map_err(|error| failed(key, error.code().0))
}

fn is_there(key: &str) -> Result<bool, HostError> {
    Ok(optional(key, LOCAL_MACHINE.open(key))?.is_some())
}

/// A value or key that may be missing.
fn optional<T>(key: &str, found: windows_registry::Result<T>) -> Result<Option<T>, HostError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) => {
            let error = failed(key, error.code().0);
            if error.is_win32(FILE_NOT_FOUND) || error.is_win32(PATH_NOT_FOUND) {
                Ok(None)
            } else {
                Err(error)
            }
        }
    }
}

fn failed(key: &str, code: i32) -> HostError {
    HostError::new(
        Operation::HostInfo,
        format!(r"HKLM\{key}"),
        Hresult::from_i32(code),
    )
}

fn service_failed(object: &str, error: windows_service::Error) -> HostError {
    HostError::new(Operation::Services, object, service_code(&error))
}

/// The code of an error of the service manager.
pub(crate) fn service_code(error: &windows_service::Error) -> Hresult {
    match error {
        windows_service::Error::Winapi(error) => crate::tools::code_of(error),
        // A name with a NUL, or a status that the library does not know.
        _ => Hresult(0x8007_0057),
    }
}
