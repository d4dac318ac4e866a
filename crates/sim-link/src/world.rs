//! A simulated host with the thread that its time passes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wcow_host::{ComputeApi, Identity};
use wcow_sim::{Carried, Carrier, RemoteHost, Request, Sim, SimHost};

use crate::message::Facts;
use crate::runner::{Runner, Time};

/// How long virtual time jumps, in ticks of 100 ns, while no call begins or ends: half an hour. A call that is not answered by then
/// waits for something that others do, or was lost.
const LONGEST_JUMP: u64 = 30 * 60 * 10_000_000;
/// The longest sleep when nothing is planned.
const IDLE: Duration = Duration::from_secs(1);

/// A simulated host, and the thread that everything in it happens on. Clones are the same host.
#[derive(Clone, Debug)]
pub struct World {
    sim: Sim,
    runner: Runner,
    prompt: Arc<Prompt>,
}

/// The calls under way that end by themselves.
#[derive(Debug, Default)]
struct Prompt {
    running: AtomicU64,
    /// Grows whenever one begins or ends.
    changes: AtomicU64,
}

impl World {
    /// Lets the time of a host pass from now on. While calls are under way that end by themselves, it jumps from event to event;
    /// otherwise it runs `speed` times as fast as the wall clock, so that a program in a container that sleeps for a minute does
    /// so. Nobody else lets time pass on this host meanwhile.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(sim: Sim, speed: u32) -> std::io::Result<Self> {
        let prompt = Arc::<Prompt>::default();
        let pace = Pace {
            sim: sim.clone(),
            prompt: Arc::clone(&prompt),
            speed: speed.max(1),
            began: Instant::now(),
            from: sim.now().ticks(),
            seen: 0,
            jumped: 0,
        };
        Ok(Self {
            runner: Runner::start("wcow-sim world", pace)?,
            sim,
            prompt,
        })
    }

    /// The host.
    #[must_use]
    pub fn sim(&self) -> &Sim {
        &self.sim
    }

    /// The thread.
    #[must_use]
    pub fn runner(&self) -> &Runner {
        &self.runner
    }

    /// What a client learns of the host when it comes.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let profile = self.sim.profile();
        Facts {
            profile: profile.name.to_string(),
            build: profile.build,
            revision: profile.revision,
        }
    }

    /// A new client, which sees the compute service through that surface.
    #[must_use]
    pub fn client(&self, identity: Identity, api: ComputeApi) -> Surface {
        Surface {
            host: self.sim.client_with(identity, api),
            api,
            prompt: Arc::clone(&self.prompt),
        }
    }
}

/// A client of a [`World`]. Its futures are polled on the runner of that.
#[derive(Clone, Debug)]
pub struct Surface {
    host: SimHost,
    api: ComputeApi,
    prompt: Arc<Prompt>,
}

impl Surface {
    /// The client, as the simulator knows it.
    #[must_use]
    pub fn host(&self) -> &SimHost {
        &self.host
    }

    /// The same client behind the form that clients of other processes have.
    #[must_use]
    pub fn remote(&self) -> RemoteHost {
        RemoteHost::new(Arc::new(self.clone()))
    }
}

impl Carrier for Surface {
    fn api(&self) -> ComputeApi {
        self.api
    }

    fn carry(&self, request: Request) -> Carried {
        let under_way = (!request.waits_for_others()).then(|| UnderWay::new(&self.prompt));
        let answer = self.host.perform(request);
        Box::pin(async move {
            let answer = answer.await;
            drop(under_way);
            answer
        })
    }
}

/// Counts a call as long as it lives.
struct UnderWay(Arc<Prompt>);

impl UnderWay {
    fn new(prompt: &Arc<Prompt>) -> Self {
        prompt.running.fetch_add(1, Ordering::SeqCst);
        prompt.changes.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(prompt))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        self.0.changes.fetch_add(1, Ordering::SeqCst);
    }
}

/// Lets virtual time pass.
struct Pace {
    sim: Sim,
    prompt: Arc<Prompt>,
    /// Virtual seconds to the second.
    speed: u32,
    /// When virtual time last jumped.
    began: Instant,
    /// The virtual time then, in ticks.
    from: u64,
    /// The state of the calls when the jump began.
    seen: u64,
    /// How far it has gone since, in ticks.
    jumped: u64,
}

impl Pace {
    /// Jumps to the next event for the sake of calls that end by themselves. False if there are none, or no event.
    fn jump(&mut self, next: u64) -> bool {
        if self.prompt.running.load(Ordering::SeqCst) == 0 {
            return false;
        }
        let changes = self.prompt.changes.load(Ordering::SeqCst);
        if changes != self.seen {
            (self.seen, self.jumped) = (changes, 0);
        }
        if self.jumped > LONGEST_JUMP {
            return false;
        }
        let ticks = next.saturating_sub(self.sim.now().ticks());
        self.sim.advance(ticks);
        self.jumped = self.jumped.saturating_add(ticks);
        (self.began, self.from) = (Instant::now(), self.sim.now().ticks());
        true
    }
}

impl Time for Pace {
    fn pass(&mut self) -> Option<Duration> {
        let next = self.sim.next_event().map(|time| time.ticks());
        if next.is_some_and(|next| self.jump(next)) {
            return None;
        }
        let gone = self.began.elapsed().as_nanos() / 100 * u128::from(self.speed);
        let now = self
            .from
            .saturating_add(u64::try_from(gone).unwrap_or(u64::MAX));
        let ticks = now.saturating_sub(self.sim.now().ticks());
        let due = next.is_some_and(|next| next <= now);
        self.sim.advance(ticks);
        if due {
            return None;
        }
        let left = next.map(|next| next.saturating_sub(now).div_ceil(self.speed.into()));
        Some(left.map_or(IDLE, |left| {
            Duration::from_nanos(left.saturating_mul(100)).min(IDLE)
        }))
    }
}
