//! Who this program runs as.
#![expect(unsafe_code, reason = "a foreign function")]

use std::io;
use std::ptr;

use windows_sys::Win32::Security::CheckTokenMembership;

use super::check_bool;

/// A group that every Windows has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltinGroup {
    /// `S-1-5-32-544`. A token that is not elevated has it only to be denied what the group may do, and is no member then.
    Administrators,
    /// `S-1-5-32-578`.
    HyperVAdministrators,
}

/// Whether this program's token is that of a member, with what the group may do.
///
/// # Errors
/// Windows does not tell.
pub fn is_member_of(group: BuiltinGroup) -> io::Result<bool> {
    let last = match group {
        BuiltinGroup::Administrators => 544,
        BuiltinGroup::HyperVAdministrators => 578,
    };
    // Revision 1, two parts, authority 5 (of 6 bytes, the highest first), BUILTIN, the group; [MS-DTYP] 2.4.2.2.
    let sid: [u32; 4] = [
        u32::from_le_bytes([1, 2, 0, 0]),
        u32::from_le_bytes([0, 0, 0, 5]),
        32,
        last,
    ];
    let mut is_member = 0;
    // SAFETY: without a token the function takes the caller's own; the identifier is whole and aligned, and is only read.
    check_bool(unsafe {
        CheckTokenMembership(
            ptr::null_mut(),
            sid.as_ptr().cast_mut().cast(),
            &raw mut is_member,
        )
    })?;
    Ok(is_member != 0)
}
