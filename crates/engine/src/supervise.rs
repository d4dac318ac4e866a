//! Restart policies, without a daemon: whoever supervises a container follows its main process and starts it again as its policy says.

use wcow_host::{Clock, Host, Output};
use wcow_ntmeta::FileTime;

use crate::containers::ContainerRecord;
use crate::life::Again;
use crate::{Engine, EngineError, Exit, Flow, Followed, RestartPolicy};

/// Ticks of 100 ns in a second.
const SECOND: u64 = 10_000_000;
/// The first wait before a container is started again: 100 milliseconds. Each further one is twice as long.
const FIRST_WAIT: u64 = SECOND / 10;
/// The longest.
const LONGEST_WAIT: u64 = 60 * SECOND;
/// A container that ran so long begins with the first wait again.
const LONG_RUN: u64 = 10 * SECOND;

/// What happens to a container that is supervised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched<'b> {
    /// It was started.
    Started,
    /// Its main process wrote something.
    Wrote(Output, &'b [u8]),
    /// Its main process has ended.
    Ended(Exit),
    /// It will be started again after so many ticks of 100 ns.
    Waits(u64),
}

/// How a supervision ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supervised {
    /// Its policy does not start the container again, or somebody stopped or removed it. How it ended last, if it ran.
    AtRest(Option<Exit>),
    /// Whoever watched has left; it goes on running, and is not started again.
    Left,
}

impl<H: Host> Engine<H> {
    /// Follows a container and starts it again whenever its main process ends and its policy says so, after a wait: 100 ms at first,
    /// twice as long each time, a minute at the most, and from the beginning after a run of 10 s. Of containers that are off, starts
    /// those whose policy is `always`, those that failed under `on-failure`, and under `unless-stopped` those that nobody stopped.
    /// `most` bounds how often it starts one again, on top of the policy.
    ///
    /// # Errors
    /// As for [`start`](Self::start) and [`follow`](Self::follow).
    pub async fn supervise(
        &self,
        name: &str,
        most: Option<u32>,
        mut watch: impl FnMut(Watched<'_>) -> Flow,
    ) -> Result<Supervised, EngineError> {
        let mut record = self.container_record(name).await?;
        let mut wait = FIRST_WAIT;
        let mut restarts = 0_u32;
        if record.running.is_none() || self.main_has_ended(&record).await {
            if record.running.is_some() {
                // It ended while nobody was there.
                self.collect(name).await?;
                record = self.container_record(name).await?;
            }
            if !is_due(&record) {
                return Ok(Supervised::AtRest(record.exit));
            }
            self.start(name).await?;
            if watch(Watched::Started) == Flow::Leave {
                return Ok(Supervised::Left);
            }
        }
        let clock = self.host.clock();
        loop {
            let began = clock.now().ticks();
            let followed = self
                .follow(name, |output, bytes| watch(Watched::Wrote(output, bytes)))
                .await?;
            let exit = match followed {
                Followed::Left => return Ok(Supervised::Left),
                Followed::Ended(exit) => exit,
            };
            if watch(Watched::Ended(exit)) == Flow::Leave {
                return Ok(Supervised::Left);
            }
            if clock.now().ticks().saturating_sub(began) >= LONG_RUN {
                wait = FIRST_WAIT;
            }
            let record = match self.container_record(name).await {
                Err(EngineError::NotFound { .. }) => return Ok(Supervised::AtRest(Some(exit))),
                answer => answer?,
            };
            let bounded = most.is_some_and(|most| restarts >= most);
            if bounded || record.stopped || !starts_again(&record, exit) {
                return Ok(Supervised::AtRest(Some(exit)));
            }
            if watch(Watched::Waits(wait)) == Flow::Leave {
                return Ok(Supervised::Left);
            }
            let later = clock.now().ticks().saturating_add(wait);
            clock.sleep_until(FileTime::from_ticks(later)).await;
            wait = wait.saturating_mul(2).min(LONGEST_WAIT);
            match self.start_again(name, Again::Yes).await {
                // Somebody else was faster: started it, or removed it.
                Err(EngineError::NotFound { .. }) => {
                    return Ok(Supervised::AtRest(Some(exit)));
                }
                Err(EngineError::State { is: "Running", .. }) => {}
                answer => {
                    answer?;
                }
            }
            restarts = restarts.saturating_add(1);
            if watch(Watched::Started) == Flow::Leave {
                return Ok(Supervised::Left);
            }
        }
    }
}

/// Whether a container that is off is started by whoever begins to supervise it.
fn is_due(record: &ContainerRecord) -> bool {
    if record.settings.command.is_none() || record.is_partial() {
        return false;
    }
    match record.settings.restart {
        RestartPolicy::No => false,
        RestartPolicy::Always => true,
        RestartPolicy::UnlessStopped => !record.stopped,
        RestartPolicy::OnFailure(_) => {
            let exit = record.exit.filter(|_| !record.stopped);
            exit.is_some_and(|exit| starts_again(record, exit))
        }
    }
}

/// Whether the policy starts a container again that has ended like this.
fn starts_again(record: &ContainerRecord, exit: Exit) -> bool {
    match record.settings.restart {
        RestartPolicy::No => false,
        RestartPolicy::Always | RestartPolicy::UnlessStopped => true,
        RestartPolicy::OnFailure(most) => {
            exit.code != Some(0) && most.is_none_or(|most| record.restarts < most)
        }
    }
}
