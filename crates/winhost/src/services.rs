//! Services: started, stopped, and how they are set up.

use std::ffi::OsStr;
use std::thread;
use std::time::{Duration, Instant};

use wcow_host::codes::win32;
use wcow_host::{HostError, Operation, ServiceSetup, StartMode};
use wcow_ntmeta::Hresult;
use windows_service::service::{Service, ServiceAccess, ServiceStartType, ServiceState as State};

use crate::machine::{manager, run_state, service_code};

/// How long a service may take to come up or to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long between two looks at it.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// `ERROR_SERVICE_ALREADY_RUNNING` and `ERROR_SERVICE_NOT_ACTIVE`: it is as it should be.
const ALREADY_RUNNING: Hresult = Hresult::from_win32(1056);
const NOT_ACTIVE: Hresult = Hresult::from_win32(1062);

/// Starts a service and waits until it runs. One that runs is left alone.
///
/// # Errors
/// No such service (0x424); it is disabled (0x422); no rights (0x5); it does not come up (its own code, or 0x41D).
pub(crate) fn start(name: &str) -> Result<(), HostError> {
    let operation = Operation::StartService;
    let access = ServiceAccess::START | ServiceAccess::QUERY_STATUS;
    start_open(operation, name, &open(operation, name, access)?)
}

/// Stops a service and waits until it has ended. One that does not run is left alone.
///
/// # Errors
/// No such service (0x424); no rights (0x5); others need it that run (0x41B); it does not end (0x5B4).
pub(crate) fn stop(name: &str) -> Result<(), HostError> {
    let operation = Operation::StopService;
    let access = ServiceAccess::STOP | ServiceAccess::QUERY_STATUS;
    stop_open(operation, name, &open(operation, name, access)?)
}

/// Stops a service if it runs, and starts it.
///
/// # Errors
/// Those of both.
pub(crate) fn restart(name: &str) -> Result<(), HostError> {
    let operation = Operation::Services;
    let access = ServiceAccess::START | ServiceAccess::STOP | ServiceAccess::QUERY_STATUS;
    let service = open(operation, name, access)?;
    stop_open(operation, name, &service)?;
    start_open(operation, name, &service)
}

/// How those of these services are set up that exist.
///
/// # Errors
/// The service manager cannot be asked, or not about one of them.
pub(crate) fn setups(names: &[String]) -> Result<Vec<ServiceSetup>, HostError> {
    let operation = Operation::ServiceSetups;
    let mut found = Vec::new();
    for name in names {
        let access = ServiceAccess::QUERY_CONFIG | ServiceAccess::QUERY_STATUS;
        let service = match open(operation, name, access) {
            Ok(service) => service,
            Err(error) if error.hresult() == Some(win32::SERVICE_DOES_NOT_EXIST) => continue,
            Err(error) => return Err(error),
        };
        let failed = |error| HostError::new(operation, name, service_code(&error));
        let config = service.query_config().map_err(failed)?;
        let status = service.query_status().map_err(failed)?;
        found.push(ServiceSetup {
            name: name.clone(),
            start: match config.start_type {
                ServiceStartType::OnDemand => StartMode::Manual,
                ServiceStartType::Disabled => StartMode::Disabled,
                ServiceStartType::AutoStart
                | ServiceStartType::SystemStart
                | ServiceStartType::BootStart => StartMode::Automatic,
            },
            state: run_state(&status),
        });
    }
    Ok(found)
}

fn open(operation: Operation, name: &str, access: ServiceAccess) -> Result<Service, HostError> {
    let service = manager()?.open_service(name, access);
    service.map_err(|error| HostError::new(operation, name, service_code(&error)))
}

fn start_open(operation: Operation, name: &str, service: &Service) -> Result<(), HostError> {
    // One that is just ending would refuse. One that runs is not asked: Wine would start it a second time.
    let status = settle(operation, name, service, |state| {
        state != State::StopPending
    })?;
    if status.current_state == State::Running {
        return Ok(());
    }
    let failed = |code| HostError::new(operation, name, code);
    match service.start::<&OsStr>(&[]) {
        Ok(()) => {}
        Err(error) if service_code(&error) == ALREADY_RUNNING => {}
        Err(error) => return Err(failed(service_code(&error))),
    }
    let status = settle(operation, name, service, |state| {
        state != State::StartPending
    })?;
    if status.current_state == State::Running {
        return Ok(());
    }
    let code = match status.exit_code {
        windows_service::service::ServiceExitCode::Win32(code) if code != 0 => {
            Hresult::from_win32(code)
        }
        // ERROR_SERVICE_REQUEST_TIMEOUT: it was started and does not run.
        _ => Hresult::from_win32(1053),
    };
    Err(failed(code))
}

fn stop_open(operation: Operation, name: &str, service: &Service) -> Result<(), HostError> {
    // One that is just coming up would refuse. One that has ended is not asked: Windows and Wine refuse with different codes.
    let status = settle(operation, name, service, |state| {
        state != State::StartPending
    })?;
    if status.current_state == State::Stopped {
        return Ok(());
    }
    match service.stop() {
        Ok(_) => {}
        Err(error) if service_code(&error) == NOT_ACTIVE => return Ok(()),
        Err(error) => return Err(HostError::new(operation, name, service_code(&error))),
    }
    // It may go on as running for a moment, until it has seen that it is to end.
    settle(operation, name, service, |state| state == State::Stopped).map(drop)
}

/// Waits until a service is in a state that is meant to last.
fn settle(
    operation: Operation,
    name: &str,
    service: &Service,
    is_settled: impl Fn(State) -> bool,
) -> Result<windows_service::service::ServiceStatus, HostError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status = service
            .query_status()
            .map_err(|error| HostError::new(operation, name, service_code(&error)))?;
        if is_settled(status.current_state) {
            return Ok(status);
        }
        if Instant::now() >= deadline {
            return Err(HostError::new(operation, name, win32::TIMEOUT));
        }
        thread::sleep(LOOK_AGAIN);
    }
}
