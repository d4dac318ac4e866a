//! Paced mode: virtual time follows the wall clock, so that programs with a runtime of their own, such as tokio, can use a
//! simulated host.
//!
//! This is the only place in the simulator with a clock and a thread. What happens in paced mode depends on how fast the program
//! is, so it cannot be repeated from a seed.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use wcow_ntmeta::FileTime;

use crate::Sim;
use crate::inner::Stepped;

/// Nanoseconds in a tick of virtual time.
const NANOS_PER_TICK: u128 = 100;
/// The longest wait between two looks at a host where nothing is planned.
const IDLE: Duration = Duration::from_secs(1);

/// How virtual time follows the wall clock.
#[derive(Debug)]
pub(crate) struct Pace {
    began: Wall,
    /// The virtual time then.
    from: FileTime,
    /// Virtual seconds in a second.
    speed: u32,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// A call was issued since the driver last looked.
    issued: bool,
    stopped: bool,
}

impl Pace {
    /// What the virtual time is by now.
    pub(crate) fn now(&self) -> FileTime {
        let ticks = self.began.elapsed().as_nanos() / NANOS_PER_TICK * u128::from(self.speed);
        let ticks = u64::try_from(ticks).unwrap_or(u64::MAX);
        FileTime::from_ticks(self.from.ticks().saturating_add(ticks))
    }

    /// Tells the driver that something was planned.
    pub(crate) fn issued(&self) {
        self.lock().issued = true;
        self.changed.notify_all();
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    /// How long it is till a virtual time.
    fn until(&self, time: FileTime) -> Duration {
        let ticks = time.ticks().saturating_sub(self.now().ticks());
        // Rounded up, so that the time has come when the wait is over.
        let ticks = ticks.div_ceil(u64::from(self.speed));
        Duration::from_nanos(ticks.saturating_mul(100))
    }

    /// Waits for a call, for the end, or for `longest`. False at the end.
    fn wait(&self, longest: Duration) -> bool {
        let state = self.lock();
        let (mut state, _) = self
            .changed
            .wait_timeout_while(state, longest, |state| !state.issued && !state.stopped)
            .unwrap_or_else(PoisonError::into_inner);
        state.issued = false;
        !state.stopped
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A simulated host whose time follows the wall clock; it stops to do so when this is dropped.
#[derive(Debug)]
pub struct Paced {
    sim: Sim,
    pace: Arc<Pace>,
    driver: Option<JoinHandle<()>>,
}

impl Sim {
    /// Lets virtual time follow the wall clock, `speed` virtual seconds to the second, from now until the answer is dropped.
    ///
    /// A thread of its own lets happen what is due and wakes the futures that wait for it; who polls them is for the caller, who
    /// may use any runtime. [`run`](Self::run) and [`advance`](Self::advance) let time jump as ever and are not for such a host.
    ///
    /// ```
    /// use wcow_host::{Host, HostControl};
    /// use wcow_sim::{Profile, Sim};
    ///
    /// let sim = Sim::new(Profile::server_2022(), 1);
    /// let host = sim.client();
    /// let _paced = sim.pace(1000)?;
    /// let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// let info = runtime.block_on(async { host.control().info().await });
    /// assert_eq!(info?.build, 20348);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn pace(&self, speed: u32) -> std::io::Result<Paced> {
        let pace = Arc::new(Pace {
            began: Wall::now(),
            from: self.now(),
            speed: speed.max(1),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        self.lock().inner.pace = Some(Arc::clone(&pace));
        let (sim, paced) = (self.clone(), Arc::clone(&pace));
        let driver = std::thread::Builder::new()
            .name("wcow-sim paced".to_owned())
            .spawn(move || drive(&sim, &paced))?;
        Ok(Paced {
            sim: self.clone(),
            pace,
            driver: Some(driver),
        })
    }
}

impl Drop for Paced {
    fn drop(&mut self) {
        self.pace.stop();
        if let Some(driver) = self.driver.take() {
            // A driver that panicked has told so itself.
            let _ = driver.join();
        }
        self.sim.lock().inner.pace = None;
    }
}

/// Lets happen what is due, and waits for the next.
fn drive(sim: &Sim, pace: &Pace) {
    loop {
        let now = pace.now();
        while sim.step(Some(now)) != Stepped::Nothing {}
        let next = {
            let mut locked = sim.lock();
            locked.inner.set_time(now);
            locked.inner.next_time()
        };
        let longest = next.map_or(IDLE, |time| pace.until(time));
        if !pace.wait(longest) {
            return;
        }
    }
}

#[expect(
    clippy::disallowed_types,
    reason = "in paced mode virtual time follows this clock"
)]
type Wall = Clock<std::time::Instant>;

/// The wall clock, named once.
#[derive(Debug)]
struct Clock<T>(T);

#[expect(
    clippy::disallowed_types,
    reason = "in paced mode virtual time follows this clock"
)]
impl Clock<std::time::Instant> {
    fn now() -> Self {
        Self(std::time::Instant::now())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
