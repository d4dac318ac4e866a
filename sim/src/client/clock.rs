//! The host's clock, as a client sees it.

use std::future::Future;

use wcow_host::Clock;
use wcow_ntmeta::FileTime;

use super::Face;
use crate::call::Call;
use crate::deadline::Deadline;

impl Clock for Face {
    fn now(&self) -> FileTime {
        self.sim.now()
    }

    fn sleep_until(&self, time: FileTime) -> impl Future<Output = ()> + Send {
        let sleep = self.call::<()>(Call::SleepUntil(time));
        async move {
            // A sleep cannot fail: the world answers it whatever happens to the machine.
            let _ = sleep.await;
        }
    }

    fn deadline(&self, time: FileTime) -> impl Future<Output = ()> + Send {
        Deadline::new(self, time)
    }
}
