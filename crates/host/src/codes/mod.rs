//! Codes that a container host answers with: names, texts per generation, and looking them up.
//!
//! Four families: the Host Compute Service ([`v1`], [`v2`]), the Host Compute Network service ([`hcn`]), Win32 errors as
//! HRESULTs of facility 7 ([`win32`]), and a few general HRESULTs. Decisions are made on codes; texts are for people, differ
//! between generations and are localised on real hosts.

mod advice;
mod hcn_table;
mod hcs_table;
mod search;
mod win32_table;

use wcow_ntmeta::Hresult;

use crate::ComputeApi;
use crate::era::Generation;

pub use advice::{Advice, advice};
pub use hcn_table::names as hcn;
pub use hcs_table::{v1, v2};
pub use search::find_in;
pub use win32_table::names as win32;

/// NTSTATUS codes: what programs in containers, and services, end with. Their names are those of the SDK header `ntstatus.h`.
pub mod nt {
    use wcow_ntmeta::Hresult;

    /// `STATUS_ACCESS_VIOLATION`
    pub const ACCESS_VIOLATION: Hresult = Hresult(0xC000_0005);
    /// `STATUS_INVALID_IMAGE_FORMAT`
    pub const INVALID_IMAGE_FORMAT: Hresult = Hresult(0xC000_007B);
    /// `STATUS_COMMITMENT_LIMIT`
    pub const COMMITMENT_LIMIT: Hresult = Hresult(0xC000_012D);
    /// `STATUS_DLL_NOT_FOUND`
    pub const DLL_NOT_FOUND: Hresult = Hresult(0xC000_0135);
    /// `STATUS_ENTRYPOINT_NOT_FOUND`
    pub const ENTRYPOINT_NOT_FOUND: Hresult = Hresult(0xC000_0139);
    /// `STATUS_CONTROL_C_EXIT`
    pub const CONTROL_C_EXIT: Hresult = Hresult(0xC000_013A);
    /// `STATUS_DLL_INIT_FAILED`
    pub const DLL_INIT_FAILED: Hresult = Hresult(0xC000_0142);
    /// `STATUS_STACK_BUFFER_OVERRUN`
    pub const STACK_BUFFER_OVERRUN: Hresult = Hresult(0xC000_0409);
}

/// The image does not match the host, in the spelling of version 1: what hosts from build 14393 on answer.
pub const IMAGE_MISMATCH_V1: Hresult = v1::IMAGE_MISMATCH;
/// `E_UNEXPECTED`: "Catastrophic failure".
pub const UNEXPECTED: Hresult = Hresult(0x8000_FFFF);
/// `E_FAIL`: "Unspecified error".
pub const FAIL: Hresult = Hresult(0x8000_4005);
/// `E_NOTIMPL`: "Not implemented".
pub const NOT_IMPLEMENTED: Hresult = Hresult(0x8000_4001);
/// `CBS_E_UNKNOWN_UPDATE`: DISM knows no feature of that name.
pub const FEATURE_UNKNOWN: Hresult = Hresult(0x800F_080C);
/// `WBEM_E_INVALID_CLASS`: a cmdlet is there, but the provider behind it is not.
pub const WMI_INVALID_CLASS: Hresult = Hresult(0x8004_1010);

/// A code, its public name and its text.
#[derive(Clone, Copy)]
struct Row {
    code: u32,
    name: &'static str,
    text: Option<&'static str>,
}

/// The system's texts of these end without a full stop.
const GENERAL: &[Row] = &[
    Row {
        code: UNEXPECTED.0,
        name: "E_UNEXPECTED",
        text: Some("Catastrophic failure"),
    },
    Row {
        code: FAIL.0,
        name: "E_FAIL",
        text: Some("Unspecified error"),
    },
    Row {
        code: NOT_IMPLEMENTED.0,
        name: "E_NOTIMPL",
        text: Some("Not implemented"),
    },
    Row {
        code: FEATURE_UNKNOWN.0,
        name: "CBS_E_UNKNOWN_UPDATE",
        text: Some("Feature name is unknown."),
    },
    Row {
        code: WMI_INVALID_CLASS.0,
        name: "WBEM_E_INVALID_CLASS",
        text: Some("Invalid class"),
    },
];

/// A code of the Host Compute Service as that surface spells it: 0xC037.... of version 1, 0x8037.... of version 2. Codes of other
/// families, and those that only one surface has, stay as they are.
#[must_use]
pub fn spelled(code: Hresult, api: ComputeApi) -> Hresult {
    /// What tells the two apart: the customer bit.
    const CUSTOMER: u32 = 0x4000_0000;
    let other = Hresult(code.0 ^ CUSTOMER);
    let wanted = match api {
        ComputeApi::V1 => CUSTOMER,
        ComputeApi::V2 => 0,
    };
    if code.0 & 0xBFFF_0000 == 0x8037_0000
        && code.0 & CUSTOMER != wanted
        && hcs_table::is_known(other)
    {
        other
    } else {
        code
    }
}

/// Whether two codes say the same, each in the spelling of its own surface.
#[must_use]
pub fn same(one: Hresult, other: Hresult) -> bool {
    spelled(one, ComputeApi::V2) == spelled(other, ComputeApi::V2)
}

/// NTSTATUS codes have texts of their own, which no log of a container host shows.
const NT: &[Row] = &[
    status(nt::ACCESS_VIOLATION, "STATUS_ACCESS_VIOLATION"),
    status(nt::INVALID_IMAGE_FORMAT, "STATUS_INVALID_IMAGE_FORMAT"),
    status(nt::COMMITMENT_LIMIT, "STATUS_COMMITMENT_LIMIT"),
    status(nt::DLL_NOT_FOUND, "STATUS_DLL_NOT_FOUND"),
    status(nt::ENTRYPOINT_NOT_FOUND, "STATUS_ENTRYPOINT_NOT_FOUND"),
    status(nt::CONTROL_C_EXIT, "STATUS_CONTROL_C_EXIT"),
    status(nt::DLL_INIT_FAILED, "STATUS_DLL_INIT_FAILED"),
    status(nt::STACK_BUFFER_OVERRUN, "STATUS_STACK_BUFFER_OVERRUN"),
];

const fn status(code: Hresult, name: &'static str) -> Row {
    Row {
        code: code.0,
        name,
        text: None,
    }
}

/// The symbolic name of a code (`HCS_E_...`, `HCN_E_...`, `ERROR_...`, `E_...`), if it has a public one.
///
/// Both spellings of a Host Compute Service code have the same name.
#[must_use]
pub fn name(code: Hresult) -> Option<&'static str> {
    row(code).map(|row| row.name)
}

/// The text of a code as hosts of that generation give it, in English, if it has a public one.
///
/// It ends as it does at run time: with a full stop, except for a few general codes whose text has none. Placeholders that
/// Windows leaves unfilled stay (`%hs` of 0x800702C2).
#[must_use]
pub fn text(code: Hresult, generation: Generation) -> Option<&'static str> {
    let older = if generation < Generation::Server2019 {
        hcs_table::older_text(code.0)
    } else {
        None
    };
    older.or_else(|| row(code)?.text)
}

/// Reads a code as people write it: `0x80370101`, `C0370101` (eight hexadecimal digits that begin with 8 or C), `2147942402`,
/// `-1070137087`, `0x20`, `32`, or a symbolic name in any case. A number below 0x10000 is a Win32 error. `None` if it is none
/// of these.
///
/// A name that both spellings share stands for version 1 where that exists: it is what containers meet. The names of version 1 in
/// `winerror.h` (`ERROR_VMCOMPUTE_IMAGE_MISMATCH`) are read too.
#[must_use]
pub fn lookup(text: &str) -> Option<Hresult> {
    let text = text.trim();
    if let Some(row) = rows().find(|row| row.name.eq_ignore_ascii_case(text)) {
        return Some(Hresult(row.code));
    }
    if let Some(code) = hcs_table::by_old_name(text) {
        return Some(Hresult(code));
    }
    let digits = |text: &str, radix| {
        if text.starts_with('+') {
            None
        } else {
            u32::from_str_radix(text, radix).ok()
        }
    };
    let bare_hex = text.len() == 8
        && text.starts_with(['8', 'C', 'c'])
        && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        digits(hex, 16)?
    } else if text.starts_with('-') {
        text.parse::<i32>().ok()?.cast_unsigned()
    } else if bare_hex {
        digits(text, 16)?
    } else {
        digits(text, 10)?
    };
    Some(if number < 0x1_0000 {
        Hresult::from_win32(number)
    } else {
        Hresult(number)
    })
}

/// The same answer in the other spelling of the Host Compute Service: version 2 for version 1 and the other way round; `None` for
/// other codes, and where only one of the two exists.
#[must_use]
pub fn twin(code: Hresult) -> Option<Hresult> {
    const CUSTOMER: u32 = 0x4000_0000;
    let other = Hresult(code.0 ^ CUSTOMER);
    let of_the_service = code.0 & !CUSTOMER & 0xFFFF_0000 == 0x8037_0000;
    (of_the_service && name(code).is_some() && name(other).is_some()).then_some(other)
}

/// Every code that has a name here.
pub fn all() -> impl Iterator<Item = Hresult> {
    rows().map(|row| Hresult(row.code))
}

fn row(code: Hresult) -> Option<Row> {
    rows().find(|row| row.code == code.0)
}

fn rows() -> impl Iterator<Item = Row> {
    hcs_table::rows().chain(
        hcn_table::ROWS
            .iter()
            .chain(win32_table::ROWS)
            .chain(GENERAL)
            .chain(NT)
            .copied(),
    )
}
