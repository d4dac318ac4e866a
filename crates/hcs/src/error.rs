//! What a failed call says.

use std::fmt;

use wcow_ntmeta::Hresult;

const E_INVALIDARG: Hresult = Hresult(0x8007_0057);
const MODULE_NOT_FOUND: Hresult = Hresult(0x8007_007E);
const PROCEDURE_NOT_FOUND: Hresult = Hresult(0x8007_007F);

/// A DLL of Windows that this crate calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dll {
    /// HCS of the first generation, classic layers, `HNSCall`.
    VmCompute,
    /// HCS of the second generation.
    ComputeCore,
    /// Layers of the second generation.
    ComputeStorage,
    /// HCN.
    ComputeNetwork,
    /// Virtual disks.
    VirtDisk,
    /// The base of COM, whose allocator most of the strings come from.
    ComBase,
}

impl Dll {
    /// Every DLL.
    pub const ALL: [Self; 6] = [
        Self::VmCompute,
        Self::ComputeCore,
        Self::ComputeStorage,
        Self::ComputeNetwork,
        Self::VirtDisk,
        Self::ComBase,
    ];

    /// The name of its file.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::VmCompute => "vmcompute.dll",
            Self::ComputeCore => "computecore.dll",
            Self::ComputeStorage => "computestorage.dll",
            Self::ComputeNetwork => "computenetwork.dll",
            Self::VirtDisk => "virtdisk.dll",
            Self::ComBase => "combase.dll",
        }
    }
}

impl fmt::Display for Dll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.file_name())
    }
}

/// How far a call came before it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The DLL could not be loaded.
    Load,
    /// The DLL has no such function.
    Find,
    /// An argument was refused before the call: a text with a NUL in it, or too long a list.
    Argument,
    /// The function was called, and answered with the code.
    Call,
}

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Error {
    /// The function, as the DLL calls it.
    pub call: &'static str,
    /// The DLL that has it.
    pub dll: Dll,
    /// How far the call came.
    pub stage: Stage,
    /// The code, as the host gave it. Codes of v1 (0xC037....) and v2 (0x8037....) are not made the same.
    pub code: Hresult,
    /// What the host says beside the code: a `ResultError` document of HCS, an error record of HCN. Most calls give none.
    pub document: Option<String>,
}

#[cfg_attr(
    not(any(windows, test)),
    expect(
        dead_code,
        reason = "calls exist on Windows; the tests are for every system"
    )
)]
impl Error {
    /// A DLL that could not be loaded; `code` is the reason, most often 0x8007007E.
    pub(crate) fn load(call: &'static str, dll: Dll, code: Hresult) -> Self {
        Self {
            code: or(code, MODULE_NOT_FOUND),
            ..Self::new(call, dll, Stage::Load)
        }
    }

    /// A function that the DLL does not have.
    pub(crate) fn find(call: &'static str, dll: Dll, code: Hresult) -> Self {
        Self {
            code: or(code, PROCEDURE_NOT_FOUND),
            ..Self::new(call, dll, Stage::Find)
        }
    }

    /// An argument that cannot be passed on.
    pub(crate) fn argument(call: &'static str, dll: Dll) -> Self {
        Self {
            code: E_INVALIDARG,
            ..Self::new(call, dll, Stage::Argument)
        }
    }

    /// An answer of the function.
    pub(crate) fn answered(
        call: &'static str,
        dll: Dll,
        code: Hresult,
        document: Option<String>,
    ) -> Self {
        Self {
            code,
            document,
            ..Self::new(call, dll, Stage::Call)
        }
    }

    fn new(call: &'static str, dll: Dll, stage: Stage) -> Self {
        Self {
            call,
            dll,
            stage,
            code: Hresult::S_OK,
            document: None,
        }
    }
}

impl Error {
    /// Whether the host has no such function at all: too old a host, or a feature that is not installed.
    pub fn is_missing(&self) -> bool {
        matches!(self.stage, Stage::Load | Stage::Find)
    }
}

fn or(code: Hresult, otherwise: Hresult) -> Hresult {
    if code.is_failure() { code } else { otherwise }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            call, dll, code, ..
        } = self;
        match self.stage {
            Stage::Load => write!(f, "{call}: {dll} cannot be loaded from System32: {code}"),
            Stage::Find => write!(f, "{call}: {dll} of this host has no such function: {code}"),
            Stage::Argument => write!(f, "{call}: an argument cannot be passed to {dll}: {code}"),
            Stage::Call => write!(f, "{call} of {dll} failed: {code}"),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use wcow_ntmeta::Hresult;

    use super::{Dll, Error};

    #[track_caller]
    fn check(error: &Error, missing: bool, text: &str) {
        assert_eq!(error.to_string(), text);
        assert_eq!(error.is_missing(), missing, "{error}");
    }

    #[test]
    fn an_error_says_which_call_failed_and_how() {
        check(
            &Error::load("HcnOpenNetwork", Dll::ComputeNetwork, Hresult(0x8007_007E)),
            true,
            "HcnOpenNetwork: computenetwork.dll cannot be loaded from System32: 0x8007007E",
        );
        check(
            &Error::find("GetBaseImages", Dll::VmCompute, Hresult::S_OK),
            true,
            "GetBaseImages: vmcompute.dll of this host has no such function: 0x8007007F",
        );
        check(
            &Error::answered("ActivateLayer", Dll::VmCompute, Hresult(0x8007_0020), None),
            false,
            "ActivateLayer of vmcompute.dll failed: 0x80070020",
        );
    }
}
