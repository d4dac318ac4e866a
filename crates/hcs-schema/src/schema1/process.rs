//! Processes. Changes and signals are the same as in schema 2.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::is_zero;
use crate::Unknown;
pub use crate::schema2::{
    CloseHandle, ConsoleSize, ModifyOperation, ProcessModifyRequest, ProcessSignal,
    SignalProcessOptions, StdHandle,
};
use crate::wire::document;

/// The document a process is created from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ProcessParameters {
    /// The program; empty to take it from the command line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub application_name: String,
    /// The whole command line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub command_line: String,
    /// The arguments one by one, for Linux.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command_args: Vec<String>,
    /// User to run as; empty for the container's default.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// Working directory in the container.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub working_directory: String,
    /// Environment variables on top of the container's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// A console: standard error goes into standard output.
    #[serde(skip_serializing_if = "is_zero")]
    pub emulate_console: bool,
    /// Ask for a standard input pipe.
    #[serde(skip_serializing_if = "is_zero")]
    pub create_std_in_pipe: bool,
    /// Ask for a standard output pipe.
    #[serde(skip_serializing_if = "is_zero")]
    pub create_std_out_pipe: bool,
    /// Ask for a standard error pipe.
    #[serde(skip_serializing_if = "is_zero")]
    pub create_std_err_pipe: bool,
    /// Console size: rows, columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console_size: Option<[u16; 2]>,
    /// Runs the process in the utility VM, beside its container.
    #[serde(skip_serializing_if = "is_zero")]
    pub create_in_utility_vm: bool,
    /// The specification of the container, for a Linux guest.
    #[serde(skip_serializing_if = "Option::is_none", rename = "OCISpecification")]
    pub oci_specification: Option<Value>,
    /// Keys this version does not know.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What is known of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ProcessStatus {
    /// Its process id in the container.
    pub process_id: u32,
    /// True once it has ended.
    pub exited: bool,
    /// Its exit code, once it has ended.
    pub exit_code: u32,
    /// HRESULT of the wait for it; not 0 means that the exit code cannot be trusted.
    pub last_wait_result: i32,
    /// Keys this version does not know.
    #[serde(flatten)]
    pub unknown: Unknown,
}

crate::wire::serde_documents! { ProcessParameters ProcessStatus }

document! {
    /// A signal to a process of a Linux guest.
    LinuxSignal = "LinuxSignal" {
        /// Its number, for example 15.
        signal: Option<u32> = "Signal" @ 1.0,
    }
}

impl ProcessModifyRequest {
    /// Gives the console of a process another size, in characters.
    #[must_use]
    pub fn resize(height: u16, width: u16) -> Self {
        Self {
            operation: Some(ModifyOperation::ConsoleSize),
            console_size: Some(ConsoleSize {
                height: Some(height),
                width: Some(width),
                ..ConsoleSize::default()
            }),
            ..Self::default()
        }
    }

    /// Closes a pipe of a process: the end of its standard input, for example.
    #[must_use]
    pub fn close(handle: StdHandle) -> Self {
        Self {
            operation: Some(ModifyOperation::CloseHandle),
            close_handle: Some(CloseHandle {
                handle: Some(handle),
                ..CloseHandle::default()
            }),
            ..Self::default()
        }
    }
}

impl SignalProcessOptions {
    /// Sends a console event.
    #[must_use]
    pub fn new(signal: ProcessSignal) -> Self {
        Self {
            signal: Some(signal),
            ..Self::default()
        }
    }
}
