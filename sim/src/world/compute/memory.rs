//! Memory of compute systems: what programs commit, and the limit.
//!
//! The limit of a container is one of what its programs may commit together. Who asks for more is refused with 0x5AF, and nobody else
//! is touched; a container whose own Windows finds no room ends while it starts. With Hyper-V isolation the limit is the size of the
//! virtual machine: one that is too small to boot in, or larger than the host's memory, ends as well. In a virtual machine of its own the
//! programs of all containers in it share its size; and unless the document lets its memory be backed by the page file, the sizes of all
//! that run must fit the host together. How much each program takes is a guess (inferred).

use wcow_host::codes::win32;
use wcow_ntmeta::Hresult;

use super::{Compute, Place, System, SystemKey};
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
        let fits = match &system.place {
            Place::Host => true,
            Place::UtilityVm => system.memory_limit.is_none_or(|size| size <= self.memory()),
            Place::Machine(_) => self.fits_machine(key) && self.compute.has_room_in(key, image),
            Place::In(machine) => self.compute.has_room_in(*machine, image),
        };
        if !fits || !system.has_room(image) {
            return Err(win32::COMMITMENT_LIMIT);
        }
        Ok(())
    }

    /// Whether the host has memory for a virtual machine, beside those that have theirs for themselves.
    pub(super) fn fits_machine(&self, key: SystemKey) -> bool {
        let size = match self.compute.systems.get(&key).map(|system| &**system) {
            Some(System {
                place: Place::Machine(machine),
                memory_limit: Some(size),
                ..
            }) if machine.overcommits => *size,
            // Its own is among these: it is about to run.
            Some(_) => self.compute.reserved(),
            None => 0,
        };
        size <= self.memory()
    }

    /// The host's memory in bytes.
    fn memory(&self) -> u64 {
        self.profile.memory_mib.saturating_mul(MIB)
    }
}

impl Compute {
    /// Whether a virtual machine has room for one more program in it, or in a container in it.
    fn has_room_in(&self, machine: SystemKey, image: &str) -> bool {
        let Some(size) = self
            .systems
            .get(&machine)
            .and_then(|system| system.memory_limit)
        else {
            return true;
        };
        let inside = self
            .systems
            .iter()
            .filter(|(key, system)| **key == machine || system.place.is_in(machine));
        let used = inside
            .map(|(_, system)| system.committed())
            .fold(UTILITY_VM, u64::saturating_add);
        used.saturating_add(Memory::of(image).committed) <= size
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
            let own = match self.place {
                Place::UtilityVm | Place::Machine(_) => UTILITY_VM,
                Place::Host | Place::In(_) => 0,
            };
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
        let known = [
            ("smss.exe", (MIB / 2, MIB / 4, MIB)),
            ("csrss.exe", (2 * MIB, MIB, 3 * MIB)),
            ("wininit.exe", (MIB, MIB / 2, 4 * MIB)),
            ("services.exe", (4 * MIB, 2 * MIB, 7 * MIB)),
            ("lsass.exe", (4 * MIB, 2 * MIB, 7 * MIB)),
            ("svchost.exe", (6 * MIB, 3 * MIB, 9 * MIB)),
            ("cexecsvc.exe", (2 * MIB, MIB, 5 * MIB)),
        ];
        let known = known
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(image));
        let (committed, private, shared) =
            known.map_or((3 * MIB, MIB, 4 * MIB), |(_, memory)| *memory);
        Self {
            committed,
            private,
            shared,
        }
    }
}
