//! Rights that a handle is opened with; `SYNCHRONIZE` always comes with them. The numbers are on every system.

/// Read contents, or list a directory.
pub const READ_DATA: u32 = 0x1;
/// Write contents, or make files in a directory.
pub const WRITE_DATA: u32 = 0x2;
/// Append to contents, or make directories in a directory.
pub const APPEND_DATA: u32 = 0x4;
/// Set extended attributes.
pub const WRITE_EA: u32 = 0x10;
/// Read attributes and times.
pub const READ_ATTRIBUTES: u32 = 0x80;
/// Set attributes and times.
pub const WRITE_ATTRIBUTES: u32 = 0x100;
/// Delete or rename.
pub const DELETE: u32 = 0x1_0000;
/// Read the security descriptor, but for its SACL.
pub const READ_CONTROL: u32 = 0x2_0000;
/// Set the DACL.
pub const WRITE_DAC: u32 = 0x4_0000;
/// Set owner and group.
pub const WRITE_OWNER: u32 = 0x8_0000;
/// Read and set the SACL; needs `SeSecurityPrivilege`.
pub const SYSTEM_SECURITY: u32 = 0x100_0000;
