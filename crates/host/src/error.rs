//! A failed call to a host.

use std::fmt;

use serde::{Deserialize, Serialize};
use wcow_ntmeta::Hresult;

use crate::codes::{v1, v2, win32};

/// A failed call: what was asked for, of which object, and the host's answer, exactly as its generation gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostError {
    /// The code. Decisions are made on this, never on a text.
    pub code: Code,
    /// The call that failed.
    pub operation: Operation,
    /// What it was asked of: an id, a name, a path.
    pub object: String,
    /// The result document of the call, if the host gave one (JSON, as received).
    pub document: Option<String>,
    /// Whether the same call can succeed later.
    pub retry: Retry,
}

impl HostError {
    /// An error with an HRESULT, no document and no promise about retrying.
    pub fn new(operation: Operation, object: impl Into<String>, code: Hresult) -> Self {
        Self {
            code: Code::Hresult(code),
            operation,
            object: object.into(),
            document: None,
            retry: Retry::No,
        }
    }

    /// An error that a PowerShell cmdlet reported.
    pub fn powershell(
        operation: Operation,
        object: impl Into<String>,
        error: PowerShellError,
    ) -> Self {
        Self {
            code: Code::PowerShell(Box::new(error)),
            operation,
            object: object.into(),
            document: None,
            retry: Retry::No,
        }
    }

    /// The HRESULT, if the host gave one.
    #[must_use]
    pub fn hresult(&self) -> Option<Hresult> {
        match self.code {
            Code::Hresult(code) => Some(code),
            Code::PowerShell(_) => None,
        }
    }

    /// True if the host does not know the command: the PowerShell module that has it is not there.
    #[must_use]
    pub fn is_command_missing(&self) -> bool {
        matches!(&self.code, Code::PowerShell(error) if error.id == "CommandNotFoundException")
    }

    /// True if a cmdlet says that what it was asked for by name is not there.
    #[must_use]
    pub fn is_object_missing(&self) -> bool {
        let not_found = "CmdletizationQuery_NotFound";
        matches!(&self.code, Code::PowerShell(error) if error.id.starts_with(not_found))
    }

    /// True if the call may have taken effect although it failed: its answer was lost, or did not come in time.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.hresult().is_some_and(|code| {
            code == win32::RPC_S_CALL_FAILED
                || code == win32::TIMEOUT
                || code == v1::CONNECTION_TIMEOUT
                || code == v2::CONNECTION_TIMEOUT
                || code == v2::OPERATION_TIMEOUT
                || code == v2::SERVICE_DISCONNECT
        })
    }

    /// True if the host gave this Win32 error, as an HRESULT of facility 7.
    #[must_use]
    pub fn is_win32(&self, code: u16) -> bool {
        self.hresult().and_then(|hresult| hresult.as_win32()) == Some(code)
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} failed: {}",
            self.operation, self.object, self.code
        )
    }
}

impl std::error::Error for HostError {}

/// The code of a failed call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Code {
    /// An HRESULT. A Win32 error is one of facility 7. `0xC037....` and `0x8037....` are different answers.
    Hresult(Hresult),
    /// An error record of PowerShell, boxed because it is large.
    PowerShell(Box<PowerShellError>),
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hresult(code) => match crate::codes::name(*code) {
                Some(name) => write!(f, "{code} {name}"),
                None => write!(f, "{code}"),
            },
            Self::PowerShell(error) => write!(f, "{error}"),
        }
    }
}

/// What a PowerShell error record carries beside its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PowerShellError {
    /// The category.
    pub category: ErrorCategory,
    /// The target as CategoryInfo shows it, for example `New-NetNat:String`; empty shows as `:`.
    pub target: String,
    /// The activity (the cmdlet) as CategoryInfo shows it; empty for a command that is not recognised.
    pub activity: String,
    /// The exception's class, for example `CommandNotFoundException`.
    pub exception: String,
    /// FullyQualifiedErrorId.
    pub id: String,
    /// The message as the host gave it. For people; nothing matches on it.
    pub message: String,
}

impl fmt::Display for PowerShellError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.id, self.category)
    }
}

/// `System.Management.Automation.ErrorCategory`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorCategory {
    /// `AuthenticationError`.
    AuthenticationError,
    /// `CloseError`.
    CloseError,
    /// `ConnectionError`.
    ConnectionError,
    /// `DeadlockDetected`.
    DeadlockDetected,
    /// `DeviceError`.
    DeviceError,
    /// `FromStdErr`.
    FromStdErr,
    /// `InvalidArgument`.
    InvalidArgument,
    /// `InvalidData`.
    InvalidData,
    /// `InvalidOperation`.
    InvalidOperation,
    /// `InvalidResult`.
    InvalidResult,
    /// `InvalidType`.
    InvalidType,
    /// `LimitsExceeded`.
    LimitsExceeded,
    /// `MetadataError`.
    MetadataError,
    /// `NotEnabled`.
    NotEnabled,
    /// `NotImplemented`.
    NotImplemented,
    /// `NotInstalled`.
    NotInstalled,
    /// `NotSpecified`.
    NotSpecified,
    /// `ObjectNotFound`.
    ObjectNotFound,
    /// `OpenError`.
    OpenError,
    /// `OperationStopped`.
    OperationStopped,
    /// `OperationTimeout`.
    OperationTimeout,
    /// `ParserError`.
    ParserError,
    /// `PermissionDenied`.
    PermissionDenied,
    /// `ProtocolError`.
    ProtocolError,
    /// `QuotaExceeded`.
    QuotaExceeded,
    /// `ReadError`.
    ReadError,
    /// `ResourceBusy`.
    ResourceBusy,
    /// `ResourceExists`.
    ResourceExists,
    /// `ResourceUnavailable`.
    ResourceUnavailable,
    /// `SecurityError`.
    SecurityError,
    /// `SyntaxError`.
    SyntaxError,
    /// `WriteError`.
    WriteError,
}

impl fmt::Display for ErrorCategory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Whether the same call can succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Retry {
    /// Not without a change.
    No,
    /// At once or a little later.
    Soon,
    /// After a restart of the host.
    AfterReboot,
}

macro_rules! operations {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal, $cmdlet:expr;)*) => {
        /// The call that failed, named as Windows names it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Operation { $($(#[doc = $doc])* $variant,)* }

        impl Operation {
            /// Every operation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name of the function or cmdlet.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The cmdlet of the technical-preview era that made this call, where there was one.
            #[must_use]
            pub const fn cmdlet(self) -> Option<&'static str> {
                match self { $(Self::$variant => $cmdlet,)* }
            }
        }
    };
}

operations! {
    /// A compute system is created.
    CreateSystem = "HcsCreateComputeSystem", Some("New-Container");
    /// A compute system is opened.
    OpenSystem = "HcsOpenComputeSystem", Some("Get-Container");
    /// A handle is closed.
    CloseSystem = "HcsCloseComputeSystem", None;
    /// Compute systems are listed.
    EnumerateSystems = "HcsEnumerateComputeSystems", Some("Get-Container");
    /// A compute system's properties are read.
    QuerySystem = "HcsGetComputeSystemProperties", Some("Get-Container");
    /// A compute system is started.
    StartSystem = "HcsStartComputeSystem", Some("Start-Container");
    /// A compute system is shut down.
    ShutdownSystem = "HcsShutdownComputeSystem", Some("Stop-Container");
    /// A compute system is ended.
    TerminateSystem = "HcsTerminateComputeSystem", Some("Stop-Container");
    /// A compute system is frozen.
    PauseSystem = "HcsPauseComputeSystem", None;
    /// A compute system goes on.
    ResumeSystem = "HcsResumeComputeSystem", None;
    /// A compute system is saved.
    SaveSystem = "HcsSaveComputeSystem", None;
    /// A compute system is changed.
    ModifySystem = "HcsModifyComputeSystem", None;
    /// A persistent container is removed.
    RemoveSystem = "Remove-Container", Some("Remove-Container");
    /// An event is waited for.
    WaitSystem = "HcsRegisterComputeSystemCallback", None;
    /// A process is created.
    CreateProcess = "HcsCreateProcess", Some("Invoke-Command");
    /// A process is opened.
    OpenProcess = "HcsOpenProcess", None;
    /// A process's state is read.
    QueryProcess = "HcsGetProcessInfo", None;
    /// A process is ended.
    TerminateProcess = "HcsTerminateProcess", None;
    /// A process is told something.
    SignalProcess = "HcsSignalProcess", None;
    /// A process's console changes.
    ModifyProcess = "HcsModifyProcess", None;
    /// A pipe of a process is read or written.
    ProcessPipe = "process pipe", None;
    /// A process handle is closed.
    CloseProcess = "HcsCloseProcess", None;
    /// A base layer is made usable.
    ProcessBase = "ProcessBaseImage", Some("Install-ContainerOSImage");
    /// A scratch layer is created.
    CreateScratch = "CreateSandboxLayer", Some("New-Container");
    /// A scratch layer is attached.
    ActivateLayer = "ActivateLayer", None;
    /// Layers are mounted.
    PrepareLayer = "PrepareLayer", None;
    /// The volume of a layer is asked for.
    LayerMountPath = "GetLayerMountPath", None;
    /// Layers are unmounted.
    UnprepareLayer = "UnprepareLayer", None;
    /// A scratch layer is detached.
    DeactivateLayer = "DeactivateLayer", None;
    /// A layer is deleted.
    DestroyLayer = "DestroyLayer", Some("Remove-Container");
    /// A utility virtual machine is made usable.
    ProcessUtilityVm = "ProcessUtilityImage", Some("Install-ContainerOSImage");
    /// A layer is looked for.
    LayerExists = "LayerExists", None;
    /// A scratch disk is made larger.
    ExpandScratch = "ExpandSandboxSize", None;
    /// A layer is made out of a folder.
    ImportLayer = "ImportLayer", Some("Import-ContainerImage");
    /// A layer is written to a folder.
    ExportLayer = "ExportLayer", Some("New-ContainerImage");
    /// The shared base images are listed.
    BaseImages = "GetBaseImages", Some("Get-ContainerImage");
    /// A virtual machine is given a file.
    GrantVmAccess = "GrantVmAccess", None;
    /// A network is created.
    CreateNetwork = "HNSCall POST /networks", None;
    /// Networks are listed.
    ListNetworks = "HNSCall GET /networks", None;
    /// A network is deleted.
    DeleteNetwork = "HNSCall DELETE /networks", None;
    /// An endpoint is created.
    CreateEndpoint = "HNSCall POST /endpoints", None;
    /// Endpoints are listed.
    ListEndpoints = "HNSCall GET /endpoints", None;
    /// An endpoint is deleted.
    DeleteEndpoint = "HNSCall DELETE /endpoints", None;
    /// Switches are listed.
    ListSwitches = "Get-VMSwitch", Some("Get-VMSwitch");
    /// A switch is created.
    NewSwitch = "New-VMSwitch", Some("New-VMSwitch");
    /// A switch is removed.
    RemoveSwitch = "Remove-VMSwitch", Some("Remove-VMSwitch");
    /// NAT objects are listed.
    ListNats = "Get-NetNat", Some("Get-NetNat");
    /// A NAT object is created.
    NewNat = "New-NetNat", Some("New-NetNat");
    /// A NAT object is removed.
    RemoveNat = "Remove-NetNat", Some("Remove-NetNat");
    /// Port mappings are listed.
    ListStaticMappings = "Get-NetNatStaticMapping", Some("Get-NetNatStaticMapping");
    /// A port mapping is added.
    AddStaticMapping = "Add-NetNatStaticMapping", Some("Add-NetNatStaticMapping");
    /// A port mapping is removed.
    RemoveStaticMapping = "Remove-NetNatStaticMapping", Some("Remove-NetNatStaticMapping");
    /// Adapters are listed.
    ListAdapters = "Get-NetAdapter", Some("Get-NetAdapter");
    /// The host's description is read.
    HostInfo = "RtlGetVersion", None;
    /// Packages are listed or added.
    Packages = "Add-WindowsPackage", Some("Add-WindowsPackage");
    /// PowerShell modules are listed.
    Modules = "Get-Module", Some("Get-Module");
    /// Features are listed or changed.
    Features = "Enable-WindowsOptionalFeature", Some("Enable-WindowsOptionalFeature");
    /// Services are listed or restarted.
    Services = "Restart-Service", Some("Restart-Service");
    /// A service is started.
    StartService = "Start-Service", Some("Start-Service");
    /// A service is stopped.
    StopService = "Stop-Service", Some("Stop-Service");
    /// The caller is identified.
    Identity = "GetTokenInformation", None;
    /// The machine is restarted.
    Reboot = "Restart-Computer", Some("Restart-Computer");
    /// A GUID is made.
    NewGuid = "CoCreateGuid", None;
    /// A file or directory is looked at.
    FileMetadata = "GetFileAttributesEx", None;
    /// A directory is listed.
    ListDirectory = "FindFirstFile", None;
    /// A directory is created.
    CreateDirectory = "CreateDirectory", None;
    /// A file is read.
    ReadFile = "ReadFile", None;
    /// A file is written.
    WriteFile = "WriteFile", None;
    /// A file is copied.
    CopyFile = "CopyFile", None;
    /// A file or directory is made durable.
    FlushFile = "FlushFileBuffers", None;
    /// A file or directory is renamed.
    MoveFile = "MoveFileEx", None;
    /// A file is deleted.
    DeleteFile = "DeleteFile", None;
    /// A directory is deleted.
    RemoveDirectory = "RemoveDirectory", None;
    /// A file is opened for this process alone.
    LockFile = "LockFileEx", None;
    /// A tree of files is written.
    WriteTree = "BackupWrite", None;
    /// Volumes are listed.
    Volumes = "GetVolumeInformation", None;
    /// Filter drivers are listed.
    FilterDrivers = "FilterFindFirst", None;
    /// Registry values are read.
    RegistryValues = "RegEnumValue", None;
    /// The setup of services is read.
    ServiceSetups = "QueryServiceConfig", Some("Get-Service");
    /// Excluded port ranges are listed.
    PortRanges = "netsh int ipv4 show excludedportrange", None;
    /// Listening sockets are listed.
    Listeners = "GetExtendedTcpTable", Some("Get-NetTCPConnection");
    /// Routes are listed.
    Routes = "GetIpForwardTable2", Some("Get-NetRoute");
    /// Interfaces are listed.
    Interfaces = "GetAdaptersAddresses", Some("Get-NetIPAddress");
    /// Translated prefixes are listed.
    TranslatedPrefixes = "MSFT_NetNat", Some("Get-NetNat");
    /// Processors and memory are looked at.
    Hardware = "GetNativeSystemInfo", None;
    /// Event logs are read.
    Events = "EvtQuery", Some("Get-WinEvent");
    /// Processes are listed.
    Processes = "CreateToolhelp32Snapshot", Some("Get-Process");
    /// Attached virtual disks are listed.
    AttachedDisks = "GetAllAttachedVirtualDiskPhysicalPaths", None;
    /// A program is looked for.
    FindProgram = "SearchPath", Some("Get-Command");
    /// Namespaces, load balancers, routes or guest network services are listed or read.
    ReadNetworkObject = "HcnQuery", None;
    /// A namespace, load balancer, route or guest network service is created.
    CreateNetworkObject = "HcnCreate", None;
    /// Such an object, a network or an endpoint is changed.
    ModifyNetworkObject = "HcnModify", None;
    /// Such an object is deleted.
    DeleteNetworkObject = "HcnDelete", None;
}

impl Operation {
    /// True for what only diagnosis asks for: no container depends on it.
    #[must_use]
    pub const fn is_diagnostic(self) -> bool {
        matches!(
            self,
            Self::Volumes
                | Self::FilterDrivers
                | Self::RegistryValues
                | Self::ServiceSetups
                | Self::PortRanges
                | Self::Listeners
                | Self::Routes
                | Self::Interfaces
                | Self::TranslatedPrefixes
                | Self::Hardware
                | Self::Events
                | Self::Processes
                | Self::AttachedDisks
                | Self::FindProgram
        )
    }
}

impl Operation {
    /// True for calls to the Host Compute Service.
    #[must_use]
    pub const fn is_compute(self) -> bool {
        matches!(
            self,
            Self::CreateSystem
                | Self::OpenSystem
                | Self::CloseSystem
                | Self::EnumerateSystems
                | Self::QuerySystem
                | Self::StartSystem
                | Self::ShutdownSystem
                | Self::TerminateSystem
                | Self::PauseSystem
                | Self::ResumeSystem
                | Self::SaveSystem
                | Self::ModifySystem
                | Self::RemoveSystem
                | Self::WaitSystem
                | Self::CreateProcess
                | Self::OpenProcess
                | Self::QueryProcess
                | Self::TerminateProcess
                | Self::SignalProcess
                | Self::ModifyProcess
                | Self::ProcessPipe
                | Self::CloseProcess
        )
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
