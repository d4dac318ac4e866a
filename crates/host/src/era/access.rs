//! Which calls a host refuses to callers who are no elevated administrators.
//!
//! Measured on build 26200 by the authors of hcsctl, with a filtered token of a member of Hyper-V Administrators: attaching,
//! mounting, growing and processing layers are refused, everything else of layers, networks and compute systems is not. The
//! code of the compute service for everybody else is documented. The rest follows from how Windows guards such calls, and is
//! inferred.

use crate::codes::{v2, win32};
use crate::{Code, ErrorCategory, Identity, Operation, PowerShellError};

/// From this build on the compute service has a code of its own for callers without rights.
const ACCESS_CODE_FROM: u32 = 17763;

/// What a host answers to a call because of who makes it.
///
/// Of all checks it is the first, except for `PrepareLayer`: there a layer that is not attached comes first (0x37, measured).
///
/// # Errors
/// The code of the refusal: `0x8037011B` or `0x5` of the compute service, `0x522` where a privilege is missing, `0x5` where only an
/// elevated administrator may, `0x2E4` of DISM, an error record of cmdlets.
pub fn access(identity: Identity, build: u32, operation: Operation) -> Result<(), Code> {
    if identity.is_elevated() {
        return Ok(());
    }
    elevated_only(operation)?;
    if identity.may_use_containers() {
        return Ok(());
    }
    members_only(build, operation)
}

/// What even a member of Hyper-V Administrators may not do.
fn elevated_only(operation: Operation) -> Result<(), Code> {
    use Operation as O;
    match operation {
        // Measured: SeManageVolumePrivilege is missing.
        O::ActivateLayer | O::ProcessBase | O::ProcessUtilityVm => {
            Err(Code::Hresult(win32::PRIVILEGE_NOT_HELD))
        }
        // Documented: SeBackupPrivilege and SeRestorePrivilege are needed; the code is inferred.
        O::ImportLayer | O::ExportLayer => Err(Code::Hresult(win32::PRIVILEGE_NOT_HELD)),
        // Measured: the token has no enabled Administrators group.
        O::PrepareLayer | O::ExpandScratch => Err(Code::Hresult(win32::ACCESS_DENIED)),
        // Standard: DISM wants elevation, also to look.
        O::Packages | O::Features => Err(Code::Hresult(win32::ELEVATION_REQUIRED)),
        // Standard: the service manager and the shutdown of a server.
        O::Services | O::StartService | O::StopService | O::Reboot => {
            Err(Code::Hresult(win32::ACCESS_DENIED))
        }
        // Inferred: NetNat is a class of WMI that administrators may change.
        O::NewNat | O::RemoveNat | O::AddStaticMapping | O::RemoveStaticMapping => {
            Err(Code::PowerShell(Box::new(wmi_denied(operation.name()))))
        }
        _ => Ok(()),
    }
}

/// What only administrators and members of Hyper-V Administrators may do.
fn members_only(build: u32, operation: Operation) -> Result<(), Code> {
    use Operation as O;
    match operation {
        // Documented; before build 17763 the code is inferred.
        O::CreateSystem
        | O::OpenSystem
        | O::EnumerateSystems
        | O::QuerySystem
        | O::StartSystem
        | O::ShutdownSystem
        | O::TerminateSystem
        | O::PauseSystem
        | O::ResumeSystem
        | O::SaveSystem
        | O::RemoveSystem
        | O::WaitSystem
        | O::CreateProcess
        | O::OpenProcess
        | O::QueryProcess
        | O::TerminateProcess
        | O::SignalProcess
        | O::ModifyProcess => Err(Code::Hresult(if build >= ACCESS_CODE_FROM {
            v2::ACCESS_DENIED
        } else {
            win32::ACCESS_DENIED
        })),
        // Inferred: the folders of layers belong to administrators.
        O::CreateScratch
        | O::UnprepareLayer
        | O::DeactivateLayer
        | O::DestroyLayer
        | O::CreateNetwork
        | O::ListNetworks
        | O::DeleteNetwork
        | O::CreateEndpoint
        | O::ListEndpoints
        | O::DeleteEndpoint
        | O::ReadNetworkObject
        | O::CreateNetworkObject
        | O::ModifyNetworkObject
        | O::DeleteNetworkObject => Err(Code::Hresult(win32::ACCESS_DENIED)),
        O::ListSwitches | O::NewSwitch | O::RemoveSwitch => {
            Err(Code::PowerShell(Box::new(hyper_v_denied(operation.name()))))
        }
        _ => Ok(()),
    }
}

/// What a NetNat cmdlet answers to a caller without rights. Inferred from how such cmdlets render a Win32 error.
fn wmi_denied(cmdlet: &str) -> PowerShellError {
    PowerShellError {
        category: ErrorCategory::PermissionDenied,
        target: "MSFT_NetNat:root/StandardCimv2/MSFT_NetNat".to_owned(),
        activity: cmdlet.to_owned(),
        exception: "CimException".to_owned(),
        id: format!("Windows System Error 5,{cmdlet}"),
        message: "Access is denied.".to_owned(),
    }
}

/// What a Hyper-V cmdlet answers to a caller without rights. The id is inferred.
fn hyper_v_denied(cmdlet: &str) -> PowerShellError {
    PowerShellError {
        category: ErrorCategory::PermissionDenied,
        target: String::new(),
        activity: cmdlet.to_owned(),
        exception: "VirtualizationException".to_owned(),
        id: format!(
            "AccessDenied,Microsoft.HyperV.PowerShell.Commands.{}",
            cmdlet.replace('-', "")
        ),
        message: "You do not have the required permission to complete this task. Contact the administrator of the authorization \
             policy for the computer."
            .to_owned(),
    }
}
