//! Volumes with drive letters.
#![expect(unsafe_code, reason = "foreign functions")]

use std::io;
use std::ptr;

use windows_sys::Win32::Storage::FileSystem::{
    GetDiskFreeSpaceExW, GetDriveTypeW, GetLogicalDrives, GetVolumeInformationW,
};

use super::{check_bool, text_of};

/// `DRIVE_REMOVABLE` and `DRIVE_FIXED`. Drives of the network may not answer for minutes.
const LOCAL: [u32; 2] = [2, 3];

/// A volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its letter.
    pub letter: char,
    /// Its file system: `NTFS`.
    pub file_system: String,
    /// Free bytes, whoever may use them.
    pub free_bytes: u64,
}

/// The volumes of local disks that have a letter, by letter. One that cannot be read (no medium, locked) is left out.
///
/// # Errors
/// Windows does not list its drives.
pub fn volumes() -> io::Result<Vec<Volume>> {
    // SAFETY: returns a number.
    let drives = unsafe { GetLogicalDrives() };
    if drives == 0 {
        return Err(io::Error::last_os_error());
    }
    let there = ('A'..='Z')
        .enumerate()
        .filter(|(bit, _)| drives >> bit & 1 != 0);
    Ok(there.filter_map(|(_, letter)| volume(letter)).collect())
}

fn volume(letter: char) -> Option<Volume> {
    let root: Vec<u16> = format!("{letter}:\\\0").encode_utf16().collect();
    // SAFETY: the path ends with a NUL.
    let kind = unsafe { GetDriveTypeW(root.as_ptr()) };
    if !LOCAL.contains(&kind) {
        return None;
    }
    let mut name = [0u16; 64];
    // SAFETY: the path ends with a NUL; the buffer is as long as said; everything else is not asked for.
    let answer = unsafe {
        GetVolumeInformationW(
            root.as_ptr(),
            ptr::null_mut(),
            0,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            name.as_mut_ptr(),
            u32::try_from(name.len()).unwrap_or(0),
        )
    };
    check_bool(answer).ok()?;
    let mut free_bytes = 0;
    // SAFETY: the path ends with a NUL; one number is written.
    let answer = unsafe {
        GetDiskFreeSpaceExW(
            root.as_ptr(),
            ptr::null_mut(),
            ptr::null_mut(),
            &raw mut free_bytes,
        )
    };
    check_bool(answer).ok()?;
    Some(Volume {
        letter,
        file_system: text_of(&name),
        free_bytes,
    })
}
