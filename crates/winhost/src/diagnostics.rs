//! What tells why containers fail, of this Windows.
//!
//! | what | from |
//! |---|---|
//! | volumes, listeners, routes, interfaces, hardware, processes | functions of Windows |
//! | registry values, service setups | the registry, the service manager |
//! | filter drivers, port ranges, events | `fltmc.exe`, `netsh.exe`, `wevtutil.exe` |
//! | translated prefixes, attached disks, types of switches | PowerShell |

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use ipnet::Ipv4Net;
use serde::Deserialize;
use wcow_hcs::machine as windows;
use wcow_hcs::sockets::SocketProtocol;
use wcow_host::{
    Diagnostics, EventRecord, FilterDriver, Hardware, HostError, HostProcess, Interface, Listener,
    Operation, PortRange, RegistryData, RegistryValue, Route, ServiceSetup, TransportProtocol,
    Volume,
};
use wcow_ntmeta::{FileTime, HostPath, Hresult};
use windows_registry::{LOCAL_MACHINE, Type, Value};

use crate::powershell::Script;
use crate::reading::{self, RawRoute, TimedQuery, scratch_of};
use crate::tools::{INVALID_DATA, Tools, code_of, code_of_exit, decode};
use crate::work::on_thread;
use crate::{services, switches};

const GET_DISKS: Script = Script {
    name: "MSFT_Disk",
    parts: &[include_str!("scripts/get-virtual-disks.ps1")],
};
/// Where the machine's own variables of the environment are; those of this program may be others.
const ENVIRONMENT: &str = r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment";
/// `ERROR_EVT_CHANNEL_NOT_FOUND`.
const NO_SUCH_CHANNEL: i32 = 15007;
/// What `netsh` calls the protocols.
const PROTOCOLS: [(TransportProtocol, &str); 2] = [
    (TransportProtocol::Tcp, "protocol=tcp"),
    (TransportProtocol::Udp, "protocol=udp"),
];

/// The evidence of this Windows. Every call only looks.
#[derive(Clone, Debug)]
pub struct WinDiagnostics {
    tools: Tools,
}

impl Default for WinDiagnostics {
    fn default() -> Self {
        Self::new()
    }
}

impl WinDiagnostics {
    /// By the tools of this Windows.
    #[must_use]
    pub fn new() -> Self {
        Self::with(Tools::of_windows())
    }

    /// By other tools.
    #[must_use]
    pub fn with(tools: Tools) -> Self {
        Self { tools }
    }

    async fn call<T: Send + 'static>(
        &self,
        operation: Operation,
        work: impl FnOnce(&Tools) -> Result<T, HostError> + Send + 'static,
    ) -> Result<T, HostError> {
        let tools = self.tools.clone();
        on_thread(operation, "host", move || work(&tools)).await
    }
}

fn failed(operation: Operation) -> impl Fn(io::Error) -> HostError {
    move |error| HostError::new(operation, "host", code_of(&error))
}

/// What a program wrote, read; if that is not what it should be, an error.
fn read<T>(
    tools: &Tools,
    operation: Operation,
    program: &str,
    arguments: &[&str],
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, HostError> {
    let text = tools.text_of(operation, program, arguments)?;
    read(&text).ok_or_else(|| HostError::new(operation, program, INVALID_DATA))
}

impl Diagnostics for WinDiagnostics {
    async fn volumes(&self) -> Result<Vec<Volume>, HostError> {
        self.call(Operation::Volumes, |_| {
            let volumes = windows::volumes().map_err(failed(Operation::Volumes))?;
            let shown = volumes.into_iter().map(|volume| Volume {
                drive: format!("{}:", volume.letter),
                file_system: volume.file_system,
                free_bytes: volume.free_bytes,
            });
            Ok(shown.collect())
        })
        .await
    }

    async fn filter_drivers(&self) -> Result<Vec<FilterDriver>, HostError> {
        const OPERATION: Operation = Operation::FilterDrivers;
        self.call(OPERATION, |tools| {
            read(
                tools,
                OPERATION,
                "fltmc",
                &["filters"],
                reading::filter_drivers,
            )
        })
        .await
    }

    async fn registry_values(&self, keys: &[&str]) -> Result<Vec<RegistryValue>, HostError> {
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        self.call(Operation::RegistryValues, move |_| {
            let mut found = Vec::new();
            for key in keys {
                found.extend(values_of(&key)?);
            }
            Ok(found)
        })
        .await
    }

    async fn service_setups(&self, names: &[&str]) -> Result<Vec<ServiceSetup>, HostError> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        self.call(Operation::ServiceSetups, move |_| services::setups(&names))
            .await
    }

    async fn port_ranges(&self) -> Result<Vec<PortRange>, HostError> {
        const OPERATION: Operation = Operation::PortRanges;
        self.call(OPERATION, |tools| {
            let mut found = Vec::new();
            for (protocol, named) in PROTOCOLS {
                let arguments = ["interface", "ipv4", "show", "excludedportrange", named];
                found.extend(read(tools, OPERATION, "netsh", &arguments, |text| {
                    reading::port_ranges(text, protocol)
                })?);
            }
            Ok(found)
        })
        .await
    }

    async fn listeners(&self) -> Result<Vec<Listener>, HostError> {
        const OPERATION: Operation = Operation::Listeners;
        self.call(OPERATION, |_| {
            let sockets = windows::sockets().map_err(failed(OPERATION))?;
            let programs: BTreeMap<u32, String> = windows::processes()
                .map_err(failed(OPERATION))?
                .into_iter()
                .map(|process| (process.id, process.program))
                .collect();
            let shown = sockets.into_iter().map(|socket| Listener {
                protocol: match socket.protocol {
                    SocketProtocol::Tcp => TransportProtocol::Tcp,
                    SocketProtocol::Udp => TransportProtocol::Udp,
                },
                address: socket.address,
                port: socket.port,
                // A process that has ended since.
                process: programs.get(&socket.process).cloned().unwrap_or_default(),
            });
            Ok(shown.collect())
        })
        .await
    }

    async fn routes(&self) -> Result<Vec<Route>, HostError> {
        const OPERATION: Operation = Operation::Routes;
        self.call(OPERATION, |_| {
            let table = windows::routes().map_err(failed(OPERATION))?;
            let raw = table.into_iter().filter_map(|route| {
                Some(RawRoute {
                    destination: Ipv4Net::new(route.destination, route.prefix_length).ok()?,
                    next_hop: route.next_hop,
                    interface: route.interface,
                })
            });
            Ok(reading::routes(raw.collect()))
        })
        .await
    }

    async fn interfaces(&self) -> Result<Vec<Interface>, HostError> {
        const OPERATION: Operation = Operation::Interfaces;
        self.call(OPERATION, |tools| {
            let found = windows::interfaces().map_err(failed(OPERATION))?;
            let named: Vec<(String, Vec<Ipv4Net>)> = found
                .into_iter()
                .map(|interface| {
                    let addresses = interface.addresses.iter();
                    let nets = addresses
                        .filter_map(|(address, length)| Ipv4Net::new(*address, *length).ok());
                    (interface.name, nets.collect())
                })
                .collect();
            // Without the Hyper-V module nothing tells the types, and the interfaces are there all the same.
            let switches = switches::switches(tools, OPERATION).unwrap_or_default();
            Ok(reading::interfaces(&named, &switches))
        })
        .await
    }

    async fn translated_prefixes(&self) -> Result<Vec<Ipv4Net>, HostError> {
        const OPERATION: Operation = Operation::TranslatedPrefixes;
        self.call(OPERATION, |tools| match switches::nats(tools, OPERATION) {
            Ok(nats) => Ok(nats.into_iter().map(|nat| nat.internal_prefix).collect()),
            Err(error) if error.is_command_missing() => Ok(Vec::new()),
            Err(error) => Err(error),
        })
        .await
    }

    async fn hardware(&self) -> Result<Hardware, HostError> {
        self.call(Operation::Hardware, |_| {
            let hardware = windows::hardware().map_err(failed(Operation::Hardware))?;
            Ok(Hardware {
                processors: hardware.processors,
                memory_mib: hardware.memory_bytes >> 20,
                virtualization: hardware.virtualization,
                // A virtual machine cannot ask what was set up for it.
                mac_spoofing: None,
            })
        })
        .await
    }

    async fn events(
        &self,
        channels: &[&str],
        since: FileTime,
        max: usize,
    ) -> Result<Vec<EventRecord>, HostError> {
        let channels: Vec<String> = channels.iter().map(ToString::to_string).collect();
        self.call(Operation::Events, move |tools| {
            let mut found = Vec::new();
            for channel in channels {
                found.extend(events_of(tools, &channel, since, max)?);
            }
            Ok(reading::newest_first(found, max))
        })
        .await
    }

    async fn processes(&self) -> Result<Vec<HostProcess>, HostError> {
        const OPERATION: Operation = Operation::Processes;
        self.call(OPERATION, |_| {
            let mut found: Vec<HostProcess> = windows::processes()
                .map_err(failed(OPERATION))?
                .into_iter()
                .map(|process| HostProcess {
                    id: process.id,
                    name: process.program,
                })
                .collect();
            found.sort_by_key(|process| process.id);
            Ok(found)
        })
        .await
    }

    async fn attached_scratches(&self) -> Result<Vec<HostPath>, HostError> {
        const OPERATION: Operation = Operation::AttachedDisks;
        self.call(OPERATION, |tools| {
            let build = windows_version::OsVersion::current().build;
            let disks: Vec<DiskRow> = tools.powershell(OPERATION, "host", &GET_DISKS, &[])?;
            let scratches = disks
                .iter()
                .filter_map(|disk| scratch_of(&disk.location, build));
            Ok(scratches.collect())
        })
        .await
    }

    async fn program_on_path(&self, name: &str) -> Result<Option<HostPath>, HostError> {
        const OPERATION: Operation = Operation::FindProgram;
        let name = name.to_owned();
        self.call(OPERATION, move |_| {
            let list = LOCAL_MACHINE
                .open(ENVIRONMENT)
                .and_then(|key| key.get_string("Path"))
                .map_err(|error| {
                    let code = Hresult::from_i32(error.code().0);
                    HostError::new(OPERATION, format!(r"HKLM\{ENVIRONMENT}"), code)
                })?;
            let variable = |name: &str| std::env::var(name).ok();
            let is_file = |path: &HostPath| Path::new(&path.to_string()).is_file();
            Ok(reading::find_on_path(&list, &name, variable, is_file))
        })
        .await
    }
}

#[derive(Deserialize)]
struct DiskRow {
    location: String,
}

fn events_of(
    tools: &Tools,
    channel: &str,
    since: FileTime,
    max: usize,
) -> Result<Vec<EventRecord>, HostError> {
    const OPERATION: Operation = Operation::Events;
    let failed = |code| HostError::new(OPERATION, channel, code);
    // Nothing else that begins with a slash or a dash is a channel; it would be taken for an option.
    if channel.is_empty() || channel.starts_with(['/', '-']) {
        return Ok(Vec::new());
    }
    let query = format!("/q:{}", TimedQuery(since));
    let count = format!("/c:{max}");
    let ran = tools.run(
        OPERATION,
        "wevtutil",
        &[
            "qe",
            channel,
            &query,
            &count,
            "/rd:true",
            "/f:RenderedXml",
            "/uni:true",
        ],
        &[],
    )?;
    match ran.exit {
        Some(0) => reading::events(&decode(&ran.stdout)).ok_or_else(|| failed(INVALID_DATA)),
        Some(NO_SUCH_CHANNEL) => Ok(Vec::new()),
        exit => Err(failed(code_of_exit(exit))),
    }
}

fn values_of(key: &str) -> Result<Vec<RegistryValue>, HostError> {
    let failed = |code| {
        HostError::new(
            Operation::RegistryValues,
            format!(r"HKLM\{key}"),
            Hresult::from_i32(code),
        )
    };
    let open = match LOCAL_MACHINE.open(key) {
        Ok(open) => open,
        Err(error) => {
            let error = failed(error.code().0);
            return match error.is_win32(2) || error.is_win32(3) {
                true => Ok(Vec::new()),
                false => Err(error),
            };
        }
    };
    let values = open.values().map_err(|error| failed(error.code().0))?;
    let found = values.map(|(name, value)| RegistryValue {
        key: key.to_owned(),
        name,
        data: data_of(value),
    });
    Ok(found.collect())
}

fn data_of(value: Value) -> RegistryData {
    let kind = value.ty();
    let known = match kind {
        Type::U32 => u32::try_from(value).ok().map(RegistryData::Dword),
        Type::String | Type::ExpandString => String::try_from(value).ok().map(RegistryData::Text),
        _ => None,
    };
    known.unwrap_or(RegistryData::Other(kind.into()))
}
