//! Troubles that a test makes for a simulated host: power losses, services that crash, programs that have files open.

use std::task::Waker;

use wcow_ntmeta::{FileTime, HostPath, Hresult};

use crate::executor::Sim;
use crate::world::power::PowerCut;

impl Sim {
    /// Cuts the power now, and switches the host on again. Whatever was not synced is gone, torn or there, as the seed and the
    /// profile's [`DiskModel`](crate::DiskModel) decide; all clients are dead; compute systems, attachments and handles are gone,
    /// as after a restart that nobody prepared.
    ///
    /// It takes 30 to 90 seconds of virtual time. In a world of several hosts the others go on; what was due there meanwhile
    /// happens when it is over.
    pub fn power_loss(&self) {
        let mut locked = self.lock();
        locked.inner.power_loss(self.place);
    }

    /// How many durable steps the host has taken: syncs of files and directories, finished trees, and the calls of its services that
    /// write to the disk (base layers processed, scratch layers made or destroyed, compute systems created or removed).
    #[must_use]
    pub fn durable_steps(&self) -> u64 {
        self.lock().world.power.steps()
    }

    /// Cuts the power at a durable step to come; one that has passed never comes again. A later cut replaces this one. Whoever
    /// waits for a future then learns it as [`Ended::PowerLost`](crate::Ended::PowerLost). A host that takes fewer steps keeps its power:
    /// a test that means to cut it off looks for that ending.
    pub fn power_loss_at(&self, cut: PowerCut) {
        self.lock().world.power.cut_at(cut);
    }

    /// Takes back what [`power_loss_at`](Self::power_loss_at) asked for.
    pub fn keep_power(&self) {
        self.lock().world.power.keep();
    }

    /// A program on the host, such as a scanner, opens a file for `ticks` of 100 ns, so that others can do with it what they want. If
    /// it is deleted meanwhile it keeps its name until then, and the name is of no use (0x12F).
    ///
    /// # Errors
    /// There is no such file.
    pub fn open_elsewhere(&self, path: &HostPath, ticks: u64) -> Result<(), Hresult> {
        let mut inner = self.lock();
        let (world, mut outside) = inner.parts();
        let until = FileTime::from_ticks(world.now().ticks().saturating_add(ticks));
        world.fs.open_elsewhere(path, until, &mut outside)
    }

    /// A service crashes now, and the service manager starts it again `ticks` of 100 ns later. Calls that come meanwhile answer 0x6BA.
    /// False if the host has no such service, or it does not run.
    #[must_use]
    pub fn crash_service(&self, name: &str, ticks: u64) -> bool {
        let mut others = Vec::new();
        let crashed = {
            let mut locked = self.lock();
            let (world, mut outside) = locked.parts();
            let crashed = world.crash_service(name, ticks, &mut outside);
            locked.inner.collect_answers(self.place, &mut others);
            crashed
        };
        others.into_iter().for_each(Waker::wake);
        crashed
    }

    /// Free space on `C:` in bytes.
    #[must_use]
    pub fn free_bytes(&self) -> u64 {
        self.lock().world.fs.free()
    }
}
