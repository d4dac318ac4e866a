//! Schema 1: containers and processes, as `vmcompute.dll` takes them from Windows Server 2016 on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Unknown;

/// The document a container is created from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerConfig {
    /// Always `Container`.
    pub system_type: String,
    /// The system's id again, by convention.
    pub name: String,
    /// Who made it, for example `wcow`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// The mounted scratch volume, `\\?\Volume{GUID}` without a trailing backslash; empty with Hyper-V isolation.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub volume_path: String,
    /// Faster start: flushes are ignored until the container has booted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ignore_flushes_during_boot: bool,
    /// The folder of the scratch layer.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub layer_folder_path: String,
    /// The read-only layers, nearest first, base last.
    pub layers: Vec<Layer>,
    /// Host name in the container.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub host_name: String,
    /// Memory limit in MiB; 0 = none.
    #[serde(skip_serializing_if = "is_zero", rename = "MemoryMaximumInMB")]
    pub memory_maximum_in_mb: i64,
    /// Number of processors; 0 = all.
    #[serde(skip_serializing_if = "is_zero_u32")]
    pub processor_count: u32,
    /// True for Hyper-V isolation.
    pub hv_partition: bool,
    /// Ids of the HNS endpoints it gets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub endpoint_list: Vec<String>,
    /// Ends the container when the last handle to it is closed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub terminate_on_last_handle_closed: bool,
    /// Keys this version does not know.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A read-only layer of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Layer {
    /// The layer's id, a GUID. Services also take `Id`.
    #[serde(rename = "ID", alias = "Id")]
    pub id: String,
    /// The layer's folder.
    pub path: String,
}

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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub emulate_console: bool,
    /// Ask for a standard input pipe.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub create_std_in_pipe: bool,
    /// Ask for a standard output pipe.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub create_std_out_pipe: bool,
    /// Ask for a standard error pipe.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub create_std_err_pipe: bool,
    /// Console size: rows, columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console_size: Option<[u16; 2]>,
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
}

fn is_zero(value: &i64) -> bool {
    *value == 0
}

fn is_zero_u32(value: &u32) -> bool {
    *value == 0
}
