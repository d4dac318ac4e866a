//! What every code means in our words, what usually causes it, and the way out.
//!
//! The tables are keyed by the code itself; both spellings of a Host Compute Service code share a row. The failure catalogue goes
//! further for failures that people report: it knows hosts, calls and sources.

mod general;
mod hcn;
mod hcn_guest;
mod hcs;
mod win32;

use wcow_ntmeta::Hresult;

/// What a code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What the host says with it, in one sentence.
    pub meaning: &'static str,
    /// What it usually comes from.
    pub causes: &'static str,
    /// What to do.
    pub way_out: &'static str,
}

/// A row of a table: the code, and what it means.
type Row = (u32, Advice);

/// Rows of `code "meaning" "causes" "way out";`.
macro_rules! table {
    ($($code:literal $meaning:literal $causes:literal $way_out:literal;)*) => {
        pub(super) const ROWS: &[super::Row] = &[$((
            $code,
            super::Advice { meaning: $meaning, causes: $causes, way_out: $way_out },
        ),)*];
    };
}
use table;

/// What a code means, if it is one that container hosts answer with.
#[must_use]
pub fn advice(code: Hresult) -> Option<Advice> {
    // The customer bit alone tells the two spellings of a Host Compute Service code apart.
    let code = match code.0 {
        spelled if spelled & 0xBFFF_0000 == 0x8037_0000 => spelled & !0x4000_0000,
        other => other,
    };
    [
        hcs::ROWS,
        hcn::ROWS,
        hcn_guest::ROWS,
        win32::ROWS,
        general::ROWS,
    ]
    .into_iter()
    .flatten()
    .find(|(known, _)| *known == code)
    .map(|(_, advice)| *advice)
}
