//! What a disk promises: one knob per assumption.

use serde::{Deserialize, Serialize};

/// What the disk of a host promises across a power loss. Everything that is not promised is left to the seed.
///
/// The default is adversarial but fair. Win32 documents no promise about names and contents before a flush
/// (`FlushFileBuffers`), and none about the order of what is not flushed; a rename is taken as one operation, because NTFS
/// logs it as one. Readers see every rename as one operation, whatever this says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DiskModel {
    /// A rename survives with both of its names or with none. Otherwise the old name and the new one survive or do not, each
    /// for itself. Source: NTFS logs a rename as one transaction; Win32 documents nothing. Default: true.
    pub rename_is_one_operation: bool,
    /// What survives of the operations on names is a beginning of them, in their order. Otherwise it is any part of them
    /// that a disk could have, so an older one can be lost and a newer one stay. Source: NTFS has one log, in order, but
    /// nothing documents that users may rely on it. Default: false.
    pub names_keep_their_order: bool,
    /// A file whose name survived may be empty, zeros, or torn if its contents were not synced. Otherwise contents that survive
    /// are whole: those of before, or the new ones. Source: NTFS logs metadata and not contents. Default: true.
    pub contents_come_late: bool,
    /// Contents are torn at multiples of this many bytes: each unit is old, new or zero. At least 1. Source: the usual
    /// cluster of NTFS, and what openvmm's crash tests assume. Default: 4096.
    pub torn_unit: u32,
    /// What the services of the host write (layers, disks and configuration of containers) is durable when their call
    /// returns, except names of folders that were there before, and that a base image is deleted. Source: none; nothing that uses
    /// these services could sync for them. Default: true.
    pub services_write_through: bool,
    /// So many operations on names are kept back at most; the oldest goes to the disk before one more. No promise, but the
    /// bound of the simulated host's memory. Default: 256.
    pub most_unsynced_names: u32,
}

impl Default for DiskModel {
    fn default() -> Self {
        Self {
            rename_is_one_operation: true,
            names_keep_their_order: false,
            contents_come_late: true,
            torn_unit: 4096,
            services_write_through: true,
            most_unsynced_names: 256,
        }
    }
}
