//! Memory of compute systems: what programs commit, and the limit.
//!
//! The limit of a container is one of what its programs may commit together. Who asks for more is refused with 0x5AF, and nobody else
//! is touched; a container whose own Windows finds no room ends while it starts. With Hyper-V isolation the limit is the size of the
//! virtual machine: one that is too small to boot in, or larger than the host's memory, ends as well. How much each program takes is
//! a guess (inferred).

use wcow_host::codes::win32;
use wcow_ntmeta::Hresult;

use super::{System, SystemKey};
use crate::world::World;

const MIB: u64 = 1 << 20;
/// What the Windows of a utility virtual machine takes beside its programs, in bytes. Inferred.
const UTILITY_VM: u64 = 128 * MIB;

impl World {
    /// Refuses a program that the system's limit has no room for, or whose virtual machine the host has none for.
    pub(in crate::world) fn room_for(&self, key: SystemKey, image: &str) -> Result<(), Hresult> {
        let Some(system) = self.compute.systems.get(&key) else {
            return Ok(());
        };
        let of_host = self.profile.memory_mib.saturating_mul(MIB);
        let too_large = system.hyperv && system.memory_limit.is_some_and(|limit| limit > of_host);
        if too_large || !system.has_room(image) {
            return Err(win32::COMMITMENT_LIMIT);
        }
        Ok(())
    }
}

impl System {
    /// The memory that its processes have committed, in bytes.
    pub(in crate::world) fn committed(&self) -> u64 {
        self.living()
            .map(|(_, image, ..)| Memory::of(image).committed)
            .sum()
    }

    fn has_room(&self, image: &str) -> bool {
        // Usually there is no limit; then nothing is added up.
        self.memory_limit.is_none_or(|limit| {
            let own = if self.hyperv { UTILITY_VM } else { 0 };
            let used = self.committed().saturating_add(own);
            used.saturating_add(Memory::of(image).committed) <= limit
        })
    }
}

/// The limit that a document asks for, in bytes: 0 is none.
pub(super) fn limit(mib: u64) -> Option<u64> {
    (mib > 0).then(|| mib.saturating_mul(MIB))
}

/// Memory of a program in bytes.
pub(super) struct Memory {
    pub(super) committed: u64,
    /// Its own part of the working set.
    pub(super) private: u64,
    /// The part that it shares.
    pub(super) shared: u64,
}

impl Memory {
    pub(super) fn of(image: &str) -> Self {
        let (committed, private, shared) = match image.to_ascii_lowercase().as_str() {
            "smss.exe" => (MIB / 2, MIB / 4, MIB),
            "csrss.exe" => (2 * MIB, MIB, 3 * MIB),
            "wininit.exe" => (MIB, MIB / 2, 4 * MIB),
            "services.exe" | "lsass.exe" => (4 * MIB, 2 * MIB, 7 * MIB),
            "svchost.exe" => (6 * MIB, 3 * MIB, 9 * MIB),
            "cexecsvc.exe" => (2 * MIB, MIB, 5 * MIB),
            _ => (3 * MIB, MIB, 4 * MIB),
        };
        Self {
            committed,
            private,
            shared,
        }
    }
}
