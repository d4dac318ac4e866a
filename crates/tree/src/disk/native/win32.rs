//! Windows itself.

use std::fs::File;
use std::io;
use std::os::windows::io::AsHandle;

use cap_std::fs::Dir;
use wcow_ntmeta::{FileAttributes, WideName};
use wcow_win32::{Basic, Opening, ReadOnly, access};

use super::{At, Native, Places, Privileges, Step};

/// Switched on before anything is opened. With the first two, files are opened for backup, whatever their DACLs say; with the last,
/// symbolic links can be made.
const SE_RESTORE: &str = "SeRestorePrivilege";
const SE_BACKUP: &str = "SeBackupPrivilege";
const SE_SECURITY: &str = "SeSecurityPrivilege";
const SE_SYMLINK: &str = "SeCreateSymbolicLinkPrivilege";

#[derive(Debug)]
pub(super) struct Win32 {
    places: Places,
    privileges: Privileges,
}

impl Win32 {
    pub(super) fn new(root: &Dir) -> Self {
        let has = |name| wcow_win32::enable_privilege(name).is_ok();
        let privileges = Privileges {
            restore: has(SE_RESTORE),
            security: has(SE_SECURITY),
        };
        // Without these two, what needs them is refused when it is tried.
        let _ = (has(SE_BACKUP), has(SE_SYMLINK));
        // A volume that does not say what it holds is tried.
        let flags = wcow_win32::volume_flags(root.as_handle()).unwrap_or(u32::MAX);
        Self {
            places: Places::from_flags(flags),
            privileges,
        }
    }
}

impl Native for Win32 {
    fn places(&self) -> Places {
        self.places
    }

    fn privileges(&self) -> Privileges {
        self.privileges
    }

    fn open(&mut self, at: At<'_>, access: u32) -> io::Result<File> {
        let name: Vec<u16> = at.name.encode_utf16().collect();
        let handle = wcow_win32::open_at(at.dir.as_handle(), &name, Opening::existing(access))?;
        Ok(File::from(handle))
    }

    fn set(&mut self, file: &File, step: &Step) -> io::Result<()> {
        let handle = file.as_handle();
        match step {
            Step::Compressed => wcow_win32::set_compressed(handle),
            Step::Sparse => wcow_win32::set_sparse(handle),
            Step::ExtendedAttributes(chain) => wcow_win32::set_extended_attributes(handle, chain),
            Step::ObjectId(ids) => wcow_win32::set_object_id(handle, ids),
            Step::ReparsePoint(buffer) => wcow_win32::set_reparse_point(handle, buffer),
            Step::ShortName(name) => wcow_win32::set_short_name(handle, name.units()),
            Step::Security { parts, descriptor } => {
                wcow_win32::set_security(handle, *parts, descriptor)
            }
            Step::Basic {
                times: [created, accessed, written],
                attributes,
            } => wcow_win32::set_basic(
                handle,
                &Basic {
                    created: *created,
                    accessed: *accessed,
                    written: *written,
                    attributes: *attributes,
                },
            ),
            Step::Flush => file.sync_all(),
        }
    }

    fn create_stream(&mut self, at: At<'_>, stream: &WideName) -> io::Result<File> {
        let file = self.open(at, access::READ_ATTRIBUTES)?;
        let how = Opening::new_file(access::WRITE_DATA);
        let handle = wcow_win32::open_at(file.as_handle(), &stream_name(stream), how)?;
        Ok(File::from(handle))
    }

    fn remove_stream(&mut self, at: At<'_>, stream: &WideName) -> io::Result<()> {
        let file = self.open(at, access::READ_ATTRIBUTES)?;
        let how = Opening::existing(access::DELETE);
        let handle = wcow_win32::open_at(file.as_handle(), &stream_name(stream), how)?;
        wcow_win32::delete(handle.as_handle(), ReadOnly::Goes)
    }

    fn release(&mut self, at: At<'_>) -> io::Result<()> {
        let file = self.open(at, access::WRITE_ATTRIBUTES)?;
        wcow_win32::set_basic(
            file.as_handle(),
            &Basic {
                attributes: FileAttributes::NORMAL.bits(),
                ..Basic::default()
            },
        )
    }
}

fn stream_name(stream: &WideName) -> Vec<u16> {
    let colon = [u16::from(b':')];
    colon.iter().chain(stream.units()).copied().collect()
}
