//! The form of Windows Server 2016 Technical Preview 3: network devices name a virtual switch, there are no endpoints.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use crate::Unknown;
use crate::schema1::Layer;
use crate::wire::document;

/// The document a container is created from on Technical Preview 3.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Tp3ContainerConfig {
    /// Always `Container`.
    pub system_type: String,
    /// The container's name. Names need not be unique; the id is.
    pub name: String,
    /// A test double without a guest; never set here.
    pub is_dummy: bool,
    /// The mounted scratch volume.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub volume_path: String,
    /// Its devices: network adapters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Device>,
    /// Faster start: flushes are ignored until the container has booted.
    pub ignore_flushes_during_boot: bool,
    /// The scratch layer.
    pub layer_folder_path: String,
    /// The read-only layers, nearest first, base last. This form writes their key as `Id`.
    #[serde(serialize_with = "write_layers")]
    pub layers: Vec<Layer>,
    /// Keys this version does not know.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A device of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Device {
    /// Always `Network`.
    pub device_type: String,
    /// What it is connected to.
    pub connection: Connection,
    /// Its settings.
    pub settings: DeviceSettings,
    /// Keys this version does not know.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What a network adapter of a container is connected to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Connection {
    /// The name of a virtual switch.
    pub network_name: String,
    /// True when a NAT stands behind the switch.
    pub enable_nat: bool,
    /// The NAT and the published ports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nat: Option<Nat>,
    /// Keys this version does not know.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A NAT and published ports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Nat {
    /// The name of the NetNat object.
    pub name: String,
    /// Published ports.
    pub port_bindings: Vec<PortBinding>,
    /// Keys this version does not know.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A published port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PortBinding {
    /// `TCP` or `UDP`.
    pub protocol: String,
    /// Port in the container.
    pub internal_port: u16,
    /// Port on the host.
    pub external_port: u16,
    /// Keys this version does not know.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Settings of a network adapter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DeviceSettings {
    /// With dashes: `00-15-5D-00-00-01`; empty to let the host choose.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mac_address: String,
    /// Keys this version does not know.
    #[serde(flatten)]
    pub unknown: Unknown,
}

crate::wire::serde_documents! { Tp3ContainerConfig }

document! {
    /// The document a process is created from on Technical Preview 3: its standard streams are named pipes of the host.
    Tp3ProcessParameters = "ProcessParameters" {
        /// The program; absent to take it from the command line.
        application_name: Option<String> = "ApplicationName" @ 1.0,
        /// The whole command line.
        command_line: Option<String> = "CommandLine" @ 1.0,
        /// Working directory in the container.
        working_directory: Option<String> = "WorkingDirectory" @ 1.0,
        /// Environment variables on top of the container's.
        environment: BTreeMap<String, String> = "Environment" @ 1.0,
        /// A console: standard error goes into standard output.
        emulate_console: Option<bool> = "EmulateConsole" @ 1.0,
        /// Console size: rows, columns.
        console_size: Option<[u16; 2]> = "ConsoleSize" @ 1.0,
        /// The pipe of standard input, as [`pipe_name`] tells it.
        std_in_pipe: Option<String> = "StdInPipe" @ 1.0,
        /// The pipe of standard output.
        std_out_pipe: Option<String> = "StdOutPipe" @ 1.0,
        /// The pipe of standard error.
        std_err_pipe: Option<String> = "StdErrPipe" @ 1.0,
    }
}

/// A standard stream of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard input.
    In,
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// The named pipe of the host through which Docker of that time reached a standard stream of a process in a container.
#[must_use]
pub fn pipe_name(container: &str, stream: Stream) -> String {
    let stream = match stream {
        Stream::In => "stdin",
        Stream::Out => "stdout",
        Stream::Err => "stderr",
    };
    format!(r"\\.\Containers\{container}\Device\NamedPipe\docker-run-{stream}")
}

fn write_layers<S: Serializer>(layers: &[Layer], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Tp3Layer<'a> {
        id: &'a str,
        path: &'a str,
        #[serde(flatten)]
        unknown: &'a Unknown,
    }
    serializer.collect_seq(layers.iter().map(|layer| Tp3Layer {
        id: &layer.id,
        path: &layer.path,
        unknown: &layer.unknown,
    }))
}
