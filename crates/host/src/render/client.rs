//! Answers of the compute and network services as their clients print them, by generation.
//!
//! The shapes are those of threads: 2016 (TP5 and build 14393) `HCSShim::Title - Win32 API call returned error r1=...`; 2016 to 2017
//! `container ID encountered an error during ...`; 2018 to 2020 `hcsshim::Title - failed failed in Win32: ...`; later
//! `hcsshim::Title failed in Win32: ...` and `hcs::System::Start ID: ...`.

use wcow_ntmeta::Hresult;

use crate::era::Generation;
use crate::{Code, HostError, Operation, codes};

/// One line, without a line feed.
#[must_use]
pub fn hcs(error: &HostError, generation: Generation) -> String {
    let code = match &error.code {
        Code::Hresult(code) => *code,
        Code::PowerShell(record) => return record.message.clone(),
    };
    let message = message(code, generation);
    let shown = short_hex(code);
    match Face::of(error.operation) {
        Face::System(call) => system(error, call, generation, code, &message),
        Face::Layer(title) => match generation {
            Generation::TechnicalPreview3
            | Generation::TechnicalPreview4
            | Generation::TechnicalPreview5
            | Generation::Server2016 => old_call(title, code, &message),
            Generation::Sac2017 | Generation::Server2019 => {
                format!("hcsshim::{title} - failed failed in Win32: {message} ({shown})")
            }
            Generation::Server2022 | Generation::Server2025 => {
                format!("hcsshim::{title} failed in Win32: {message} ({shown})")
            }
        },
        Face::Network if generation < Generation::Server2019 => {
            format!("HNS failed with error : {message}")
        }
        Face::Network => format!(
            "failed during hnsCallRawResponse: hnsCall failed in Win32: {message} ({shown})"
        ),
        Face::Other => format!("{} {}: {message} ({shown})", error.operation, error.object),
    }
}

/// The text of a code, or the code itself where it has no public text.
pub(super) fn message(code: Hresult, generation: Generation) -> String {
    codes::text(code, generation).map_or_else(|| format!("Unknown error {code}"), str::to_owned)
}

fn system(
    error: &HostError,
    call: &str,
    generation: Generation,
    code: Hresult,
    message: &str,
) -> String {
    let id = &error.object;
    let create = error.operation == Operation::CreateSystem;
    let shown = short_hex(code);
    match generation {
        Generation::TechnicalPreview3
        | Generation::TechnicalPreview4
        | Generation::TechnicalPreview5 => {
            let title = if create { "CreateComputeSystem" } else { call };
            old_call(title, code, message)
        }
        Generation::Server2016 => {
            let call = if create { "CreateContainer" } else { call };
            format!(
                "container {id} encountered an error during {call}: failure in a Windows system call: {message} ({shown})"
            )
        }
        Generation::Sac2017 if create => format!("CreateComputeSystem {id}: {message}"),
        Generation::Sac2017 => format!(
            "container {id} encountered an error during hcsshim::System::{call}: failure in a Windows system call: {message} \
             ({shown})"
        ),
        Generation::Server2019 | Generation::Server2022 if create => {
            format!("hcsshim::CreateComputeSystem {id}: {message}")
        }
        Generation::Server2025 if create => format!("hcs::CreateComputeSystem {id}: {message}"),
        Generation::Server2019 | Generation::Server2022 | Generation::Server2025 => {
            format!("hcs::System::{call} {id}: {message}")
        }
    }
}

/// The form of 2016. The code is in decimal.
fn old_call(title: &str, code: Hresult, message: &str) -> String {
    format!(
        "HCSShim::{title} - Win32 API call returned error r1={} err={message}",
        code.0
    )
}

/// Facility 7 shows its low 16 bits, others show the whole code.
fn short_hex(code: Hresult) -> String {
    match code.as_win32() {
        Some(error) => format!("{error:#x}"),
        None => format!("{:#x}", code.0),
    }
}

/// Which part of a client made a call.
enum Face {
    System(&'static str),
    Layer(&'static str),
    Network,
    Other,
}

impl Face {
    fn of(operation: Operation) -> Self {
        match operation {
            Operation::CreateSystem => Self::System("Create"),
            Operation::OpenSystem => Self::System("Open"),
            Operation::CloseSystem => Self::System("Close"),
            Operation::EnumerateSystems => Self::System("Enumerate"),
            Operation::QuerySystem => Self::System("Properties"),
            Operation::StartSystem => Self::System("Start"),
            Operation::ShutdownSystem => Self::System("Shutdown"),
            Operation::TerminateSystem => Self::System("Terminate"),
            Operation::WaitSystem => Self::System("Wait"),
            Operation::PauseSystem => Self::System("Pause"),
            Operation::ResumeSystem => Self::System("Resume"),
            Operation::SaveSystem => Self::System("Save"),
            Operation::CreateProcess => Self::System("CreateProcess"),
            Operation::OpenProcess => Self::System("OpenProcess"),
            Operation::ProcessBase
            | Operation::CreateScratch
            | Operation::ActivateLayer
            | Operation::PrepareLayer
            | Operation::LayerMountPath
            | Operation::UnprepareLayer
            | Operation::DeactivateLayer
            | Operation::DestroyLayer => Self::Layer(operation.name()),
            Operation::CreateNetwork
            | Operation::ListNetworks
            | Operation::DeleteNetwork
            | Operation::CreateEndpoint
            | Operation::ListEndpoints
            | Operation::DeleteEndpoint
            | Operation::ReadNetworkObject
            | Operation::CreateNetworkObject
            | Operation::ModifyNetworkObject
            | Operation::DeleteNetworkObject => Self::Network,
            _ => Self::Other,
        }
    }
}
