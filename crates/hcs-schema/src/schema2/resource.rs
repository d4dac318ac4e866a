//! Paths of what can be changed in a running compute system.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;
use thiserror::Error;
use wcow_ntmeta::Guid;

use super::{
    Attachment, ComPort, ContainerProcessor, CpuGroup, Device, FlexibleIoDevice, GpuConfiguration,
    GuestRequest, HvSocketServiceConfig, IdleProcessorsRequest, MappedDirectory, MappedPipe,
    ModifyRequestType, ModifySettingRequest, NetworkAdapter, Plan9Share, ProcessorLimits,
    RegistryFlushState, SharedMemoryRegion, VirtualPMemDevice, VirtualPMemMapping,
    VirtualPciDevice, VirtualSmbShare,
};
use crate::describe::Kind;
use crate::wire::{Mismatch, Wire};

/// What can be changed in a running compute system. It is shown and read as the path in a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourcePath {
    /// Folders of the host that a container sees.
    MappedDirectories,
    /// Named pipes of the host that a container sees.
    MappedPipes,
    /// Limit of a container's memory.
    ContainerMemory,
    /// Limits of a container's processor time.
    ContainerProcessor,
    /// Whether the registry of a container is flushed.
    RegistryFlushState,
    /// Devices of a container.
    ContainerDevices,
    /// The group of processors of a virtual machine.
    CpuGroup,
    /// How many processors of a virtual machine are left idle.
    IdledProcessors,
    /// Limit of the frequency of the processors of a virtual machine.
    CpuFrequencyPowerCap,
    /// Limits of processor time of a virtual machine.
    ProcessorLimits,
    /// Graphics processors of a virtual machine.
    Gpu,
    /// Memory of a virtual machine.
    MachineMemory,
    /// An emulated device.
    FlexibleIov(PathPart),
    /// A named pipe between host and guest; its name may hold slashes.
    MachinePipe(PathPart),
    /// A network adapter.
    NetworkAdapter(PathPart),
    /// Folders of the host that a Linux guest sees.
    Plan9Shares,
    /// A disk: controller, and number on it (LUN).
    ScsiAttachment(PathPart, u32),
    /// A serial port.
    ComPort(ComPortNumber),
    /// Memory that host and guest share.
    SharedMemoryRegions,
    /// A persistent memory device, by number.
    VirtualPMemDevice(u8),
    /// A file in a persistent memory device: number of the device, offset in it.
    VirtualPMemMapping(u8, u64),
    /// Folders of the host that a Windows guest sees.
    VirtualSmbShares,
    /// An assigned PCI device.
    VirtualPci(PathPart),
    /// A service that can be reached over Hyper-V sockets.
    HvSocketService(Guid),
    /// Licensing. Clients know the path; nothing tells what it takes.
    Licensing,
}

/// A name in a path: not empty and, but for pipes, without a slash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathPart(String);

impl PathPart {
    /// The name, if it can stand in a path.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        (!name.is_empty() && !name.contains('/')).then(|| Self(name.to_owned()))
    }

    /// The name of a pipe, if it can stand at the end of a path.
    #[must_use]
    pub fn of_pipe(name: &str) -> Option<Self> {
        (!name.is_empty()).then(|| Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PathPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Guid> for PathPart {
    fn from(id: Guid) -> Self {
        Self(id.to_string())
    }
}

/// The number of a serial port: there are two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ComPortNumber {
    /// COM1.
    Zero,
    /// COM2.
    One,
}

/// A path that is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected the path of something that can be changed, found {found:?}")]
pub struct ResourcePathError {
    /// The path as given.
    pub found: String,
}

const PROCESSOR: &str = "VirtualMachine/ComputeTopology/Processor";
const DEVICES: &str = "VirtualMachine/Devices";
const SERVICES: &str = "HvSocket/HvSocketConfig/ServiceTable";

impl fmt::Display for ResourcePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MappedDirectories => f.write_str("Container/MappedDirectories"),
            Self::MappedPipes => f.write_str("Container/MappedPipes"),
            Self::ContainerMemory => f.write_str("Container/Memory/SizeInMB"),
            Self::ContainerProcessor => f.write_str("Container/Processor"),
            Self::RegistryFlushState => f.write_str("Container/RegistryFlushState"),
            Self::ContainerDevices => f.write_str("Container/Devices/Generic"),
            Self::CpuGroup => write!(f, "{PROCESSOR}/CpuGroup"),
            Self::IdledProcessors => write!(f, "{PROCESSOR}/IdledProcessors"),
            Self::CpuFrequencyPowerCap => write!(f, "{PROCESSOR}/CpuFrequencyPowerCap"),
            Self::ProcessorLimits => write!(f, "{PROCESSOR}/Limits"),
            Self::Gpu => f.write_str("VirtualMachine/ComputeTopology/Gpu"),
            Self::MachineMemory => f.write_str("VirtualMachine/ComputeTopology/Memory/SizeInMB"),
            Self::FlexibleIov(name) => write!(f, "{DEVICES}/FlexibleIov/{name}"),
            Self::MachinePipe(name) => write!(f, "{DEVICES}/MappedPipes/{name}"),
            Self::NetworkAdapter(name) => write!(f, "{DEVICES}/NetworkAdapters/{name}"),
            Self::Plan9Shares => write!(f, "{DEVICES}/Plan9/Shares"),
            Self::ScsiAttachment(name, lun) => write!(f, "{DEVICES}/Scsi/{name}/Attachments/{lun}"),
            Self::ComPort(ComPortNumber::Zero) => write!(f, "{DEVICES}/ComPorts/0"),
            Self::ComPort(ComPortNumber::One) => write!(f, "{DEVICES}/ComPorts/1"),
            Self::SharedMemoryRegions => write!(f, "{DEVICES}/SharedMemory/Regions"),
            Self::VirtualPMemDevice(number) => write!(f, "{DEVICES}/VirtualPMem/Devices/{number}"),
            Self::VirtualPMemMapping(number, offset) => {
                write!(
                    f,
                    "{DEVICES}/VirtualPMem/Devices/{number}/Mappings/{offset}"
                )
            }
            Self::VirtualSmbShares => write!(f, "{DEVICES}/VirtualSmb/Shares"),
            Self::VirtualPci(name) => write!(f, "{DEVICES}/VirtualPci/{name}"),
            Self::HvSocketService(id) => write!(f, "{DEVICES}/{SERVICES}/{id}"),
            Self::Licensing => write!(f, "{DEVICES}/Licensing"),
        }
    }
}

impl FromStr for ResourcePath {
    type Err = ResourcePathError;

    fn from_str(path: &str) -> Result<Self, Self::Err> {
        let parsed = match path.split_once("/Devices/") {
            Some(("VirtualMachine", device)) => of_device(device),
            _ => of_other(path),
        };
        parsed.ok_or_else(|| ResourcePathError {
            found: path.to_owned(),
        })
    }
}

fn of_other(path: &str) -> Option<ResourcePath> {
    let plain = [
        ResourcePath::MappedDirectories,
        ResourcePath::MappedPipes,
        ResourcePath::ContainerMemory,
        ResourcePath::ContainerProcessor,
        ResourcePath::RegistryFlushState,
        ResourcePath::ContainerDevices,
        ResourcePath::CpuGroup,
        ResourcePath::IdledProcessors,
        ResourcePath::CpuFrequencyPowerCap,
        ResourcePath::ProcessorLimits,
        ResourcePath::Gpu,
        ResourcePath::MachineMemory,
    ];
    plain.into_iter().find(|plain| plain.to_string() == path)
}

/// The path behind `VirtualMachine/Devices/`.
fn of_device(path: &str) -> Option<ResourcePath> {
    if let Some(pipe) = path.strip_prefix("MappedPipes/") {
        return PathPart::of_pipe(pipe).map(ResourcePath::MachinePipe);
    }
    let parts: Vec<&str> = path.split('/').collect();
    Some(match parts.as_slice() {
        ["FlexibleIov", name] => ResourcePath::FlexibleIov(PathPart::new(name)?),
        ["NetworkAdapters", name] => ResourcePath::NetworkAdapter(PathPart::new(name)?),
        ["Plan9", "Shares"] => ResourcePath::Plan9Shares,
        ["Scsi", name, "Attachments", lun] => {
            ResourcePath::ScsiAttachment(PathPart::new(name)?, number(lun)?)
        }
        ["ComPorts", "0"] => ResourcePath::ComPort(ComPortNumber::Zero),
        ["ComPorts", "1"] => ResourcePath::ComPort(ComPortNumber::One),
        ["SharedMemory", "Regions"] => ResourcePath::SharedMemoryRegions,
        ["VirtualPMem", "Devices", device] => ResourcePath::VirtualPMemDevice(number(device)?),
        ["VirtualPMem", "Devices", device, "Mappings", offset] => {
            ResourcePath::VirtualPMemMapping(number(device)?, number(offset)?)
        }
        ["VirtualSmb", "Shares"] => ResourcePath::VirtualSmbShares,
        ["VirtualPci", name] => ResourcePath::VirtualPci(PathPart::new(name)?),
        ["HvSocket", "HvSocketConfig", "ServiceTable", id] => {
            ResourcePath::HvSocketService(id.parse().ok()?)
        }
        ["Licensing"] => ResourcePath::Licensing,
        _ => return None,
    })
}

/// Digits alone: no sign.
fn number<T: FromStr>(text: &str) -> Option<T> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

const ADD: &[ModifyRequestType] = &[ModifyRequestType::Add];
const UPDATE: &[ModifyRequestType] = &[ModifyRequestType::Update];
const ADD_REMOVE: &[ModifyRequestType] = &[ModifyRequestType::Add, ModifyRequestType::Remove];
const ANY: &[ModifyRequestType] = &[
    ModifyRequestType::Add,
    ModifyRequestType::Remove,
    ModifyRequestType::Update,
];

impl ResourcePath {
    /// How it can be changed.
    #[must_use]
    pub fn requests(&self) -> &'static [ModifyRequestType] {
        match self {
            Self::FlexibleIov(_) => ADD,
            Self::ContainerMemory
            | Self::ContainerProcessor
            | Self::RegistryFlushState
            | Self::IdledProcessors
            | Self::ProcessorLimits
            | Self::Gpu => UPDATE,
            Self::MappedDirectories
            | Self::MappedPipes
            | Self::ContainerDevices
            | Self::MachinePipe(_)
            | Self::VirtualPMemDevice(_)
            | Self::VirtualPMemMapping(..)
            | Self::VirtualPci(_) => ADD_REMOVE,
            Self::CpuGroup
            | Self::CpuFrequencyPowerCap
            | Self::MachineMemory
            | Self::NetworkAdapter(_)
            | Self::Plan9Shares
            | Self::ScsiAttachment(..)
            | Self::ComPort(_)
            | Self::SharedMemoryRegions
            | Self::VirtualSmbShares
            | Self::HvSocketService(_)
            | Self::Licensing => ANY,
        }
    }

    /// The type of the settings; `None` where there are none.
    #[must_use]
    pub fn settings(&self) -> Option<Kind> {
        self.reader().map(|(kind, _)| kind)
    }

    fn reader(&self) -> Option<Reader> {
        Some(match self {
            Self::MappedDirectories => reader::<MappedDirectory>(),
            Self::MappedPipes => reader::<MappedPipe>(),
            Self::ContainerMemory | Self::MachineMemory => reader::<u64>(),
            Self::ContainerProcessor => reader::<ContainerProcessor>(),
            Self::RegistryFlushState => reader::<RegistryFlushState>(),
            Self::ContainerDevices => reader::<Device>(),
            Self::CpuGroup => reader::<CpuGroup>(),
            Self::IdledProcessors => reader::<IdleProcessorsRequest>(),
            Self::CpuFrequencyPowerCap => reader::<u32>(),
            Self::ProcessorLimits => reader::<ProcessorLimits>(),
            Self::Gpu => reader::<GpuConfiguration>(),
            Self::FlexibleIov(_) => reader::<FlexibleIoDevice>(),
            Self::MachinePipe(_) => return None,
            Self::NetworkAdapter(_) => reader::<NetworkAdapter>(),
            Self::Plan9Shares => reader::<Plan9Share>(),
            Self::ScsiAttachment(..) => reader::<Attachment>(),
            Self::ComPort(_) => reader::<ComPort>(),
            Self::SharedMemoryRegions => reader::<SharedMemoryRegion>(),
            Self::VirtualPMemDevice(_) => reader::<VirtualPMemDevice>(),
            Self::VirtualPMemMapping(..) => reader::<VirtualPMemMapping>(),
            Self::VirtualSmbShares => reader::<VirtualSmbShare>(),
            Self::VirtualPci(_) => reader::<VirtualPciDevice>(),
            Self::HvSocketService(_) => reader::<HvSocketServiceConfig>(),
            Self::Licensing => reader::<Value>(),
        })
    }

    /// Whether a removal is done by the path alone, whatever the settings are.
    #[must_use]
    pub fn removes_by_path(&self) -> bool {
        matches!(
            self,
            Self::ScsiAttachment(..)
                | Self::VirtualPMemDevice(_)
                | Self::VirtualPMemMapping(..)
                | Self::VirtualPci(_)
        )
    }
}

/// A type, and whether a value is of it.
type Reader = (Kind, fn(Value) -> Result<(), Mismatch>);

fn reader<T: Wire>() -> Reader {
    (T::kind(), |value| T::read(value).map(drop))
}

/// A request that does not fit its path.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ModifyError {
    /// There is no path, or nothing that can be changed has it.
    #[error("ResourcePath: {0}")]
    Path(ResourcePathError),
    /// What the path names is not changed so.
    #[error("RequestType: expected {expected} for {path}, found {found:?}")]
    Request {
        /// The path.
        path: ResourcePath,
        /// The words that the path takes.
        expected: String,
        /// The word that was found; empty for none.
        found: String,
    },
    /// The settings are not those of the path.
    #[error("Settings: expected {expected} for {path}: {what}")]
    Settings {
        /// The path.
        path: ResourcePath,
        /// The type of the settings.
        expected: String,
        /// What is wrong with them.
        what: String,
    },
}

impl ModifySettingRequest {
    /// A request without settings.
    #[must_use]
    pub fn new(path: &ResourcePath, request: ModifyRequestType) -> Self {
        Self {
            resource_path: Some(path.to_string()),
            request_type: Some(request),
            ..Self::default()
        }
    }

    /// The same with settings: a number, or a document by its `to_value`.
    #[must_use]
    pub fn with_settings(mut self, settings: impl Into<Value>) -> Self {
        self.settings = Some(settings.into());
        self
    }

    /// The same with a request that the guest gets as well.
    #[must_use]
    pub fn with_guest_request(mut self, request: &GuestRequest) -> Self {
        self.guest_request = Some(request.to_value());
        self
    }

    /// What is to be changed, if the path takes such a request with such settings.
    ///
    /// # Errors
    /// If the path is none, or does not take them.
    pub fn check(&self) -> Result<ResourcePath, ModifyError> {
        let path = self.resource_path.as_deref().unwrap_or_default();
        let path: ResourcePath = path.parse().map_err(ModifyError::Path)?;
        let request = self.request_type.as_ref();
        if !request.is_some_and(|request| path.requests().contains(request)) {
            let words = path.requests().iter().map(ModifyRequestType::as_str);
            return Err(ModifyError::Request {
                expected: words.collect::<Vec<_>>().join(" or "),
                found: request.map_or_else(String::new, ToString::to_string),
                path,
            });
        }
        if request == Some(&ModifyRequestType::Remove) && path.removes_by_path() {
            return Ok(path);
        }
        let settings = self.settings.clone().unwrap_or_default();
        let (expected, fit) = match path.reader() {
            Some((kind, read)) => {
                let fit = read(settings).map_err(|mismatch| mismatch.to_string());
                (kind.to_string(), fit)
            }
            None => ("nothing".to_owned(), nothing(&settings)),
        };
        match fit {
            Ok(()) => Ok(path),
            Err(what) => Err(ModifyError::Settings {
                path,
                expected,
                what,
            }),
        }
    }
}

fn nothing(settings: &Value) -> Result<(), String> {
    let none = settings.is_null() || settings.as_object().is_some_and(serde_json::Map::is_empty);
    none.then_some(())
        .ok_or_else(|| format!("found {settings}"))
}
