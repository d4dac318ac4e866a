//! HRESULT codes: MS-ERREF section 2.1.

use std::fmt;

use serde::{Deserialize, Serialize};

const FACILITY_WIN32: u16 = 7;

/// A result code as Windows gives it: severity in bit 31, facility in bits 16 to 26, code in bits 0 to 15.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hresult(pub u32);

impl Hresult {
    /// Success.
    pub const S_OK: Self = Self(0);

    /// The code that the signed number stands for, as .NET and PowerShell show it.
    pub const fn from_i32(value: i32) -> Self {
        Self(value.cast_unsigned())
    }

    /// The code as a signed number.
    pub const fn as_i32(self) -> i32 {
        self.0.cast_signed()
    }

    /// Wraps a Win32 error number as `HRESULT_FROM_WIN32` does: 0 stays 0, a value that already is a failed HRESULT
    /// stays as it is, of others the low 16 bits are kept.
    pub const fn from_win32(error: u32) -> Self {
        if error == 0 || error & 0x8000_0000 != 0 {
            Self(error)
        } else {
            Self(0x8007_0000 | error & 0xffff)
        }
    }

    /// Whether the severity bit is set.
    pub const fn is_failure(self) -> bool {
        self.0 & 0x8000_0000 != 0
    }

    /// The facility, 11 bits.
    pub const fn facility(self) -> u16 {
        (self.0 >> 16 & 0x7ff) as u16
    }

    /// The code within its facility.
    pub const fn code(self) -> u16 {
        (self.0 & 0xffff) as u16
    }

    /// The Win32 error number inside, for a failure of facility 7.
    pub const fn as_win32(self) -> Option<u16> {
        if self.is_failure() && self.facility() == FACILITY_WIN32 {
            Some(self.code())
        } else {
            None
        }
    }
}

impl fmt::Display for Hresult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08X}", self.0)
    }
}

impl fmt::Debug for Hresult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hresult({self})")
    }
}
