//! Host answers as a console of their time showed them.
//!
//! Texts are for people: nothing matches on them. Verbatim texts agree to the letter with the field report of 2015 and with the
//! threads that the tests name.

mod client;
mod powershell;

use crate::era::{containers_persist, generation};
use crate::{Code, HostError, HostInfo};

pub use client::hcs;
pub use powershell::powershell;

/// A command as somebody typed it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// The whole line, for example `New-VmSwitch 'Virtual Switch' -NetAdapterName $netAdapter.Name`; may be empty if nobody knows.
    pub typed: String,
}

/// The container that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// Its name.
    pub container_name: &'a str,
    /// Its id, a GUID; shown in upper case.
    pub container_id: &'a str,
}

/// The text of an error as the host's generation shows it: what PowerShell prints for every PowerShell error and for whatever
/// cmdlets do on Technical Previews 3 and 4, what clients of the compute service print otherwise. Ends with a line feed.
#[must_use]
pub fn answer(
    error: &HostError,
    host: &HostInfo,
    typed: &CommandLine,
    subject: Option<&Subject<'_>>,
) -> String {
    let by_cmdlet = containers_persist(host.build) && powershell::is_cmdlet_call(error, typed);
    if matches!(error.code, Code::PowerShell(_)) || by_cmdlet {
        powershell(error, typed, subject)
    } else {
        hcs(error, generation(host.build)) + "\n"
    }
}
