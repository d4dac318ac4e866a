//! For tests of your own: a body that runs over many seeds.

use std::fmt::{self, Debug, Display};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::choice::{Draws, Label};
use crate::executor::Sim;
use crate::faults::FaultPlan;
use crate::profile::Profile;
use crate::queue::{Order, Schedule};

/// Seeds that are tried if nobody says how many.
const SEEDS: u64 = 100;
/// Times are rounded up to a hundredth of a second where the order of things is left to chance, so that much is due at the same
/// time.
const QUANTUM: u64 = 100_000;

/// Runs `body` on a fresh host of this profile for each of many seeds; see [`Check`].
///
/// ```
/// use wcow_host::{Host, HostControl};
/// use wcow_sim::{Profile, check};
///
/// check(Profile::server_2022(), async |sim| {
///     let host = sim.client();
///     assert_eq!(host.control().info().await?.build, 20348);
///     Ok::<_, wcow_host::HostError>(())
/// });
/// ```
///
/// # Panics
/// `body` panics or fails with some seed.
pub fn check<T: CheckResult>(profile: Profile, body: impl AsyncFn(Sim) -> T) {
    Check::new(profile).run(body);
}

/// A body that is to hold whatever happens, and what may happen.
///
/// The environment has the last word on seeds: `WCOW_SEED=17` runs that seed alone, `WCOW_SEEDS=100000` so many from 0 on. What
/// fails is told with the command that repeats it, and with the calls of the body's host that faults had hit. What hits the calls of a
/// [fork](Sim::fork) is the body's to tell: [`Sim::fault_hits`].
///
/// A body may cut the power of its own host or of a fork ([`Sim::power_loss_at`]): what is to be cut off goes through
/// [`Sim::run_to_end`], and whoever looks afterwards is a new client.
#[derive(Clone, Debug)]
pub struct Check {
    profile: Profile,
    seeds: u64,
    faults: u32,
    any_order: bool,
}

impl Check {
    /// A hundred seeds, no faults, everything in the order in which it was planned.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        Self {
            profile,
            seeds: SEEDS,
            faults: 0,
            any_order: false,
        }
    }

    /// So many seeds, from 0 on.
    #[must_use]
    pub fn seeds(mut self, seeds: u64) -> Self {
        self.seeds = seeds;
        self
    }

    /// A random part of all faults, hitting at most so many calls; another number, up to this, with each seed.
    #[must_use]
    pub fn faults(mut self, budget: u32) -> Self {
        self.faults = budget;
        self
    }

    /// What is due at about the same time comes in any order.
    #[must_use]
    pub fn any_order(mut self) -> Self {
        self.any_order = true;
        self
    }

    /// The host of a seed, as the body gets it.
    #[must_use]
    pub fn host(&self, seed: u64) -> Sim {
        let sim = Sim::new(self.profile.clone(), seed);
        // The host's own choices stay what they are, whatever is drawn here.
        let mut draws = Draws::new(seed);
        if self.any_order {
            let order = match draws.draw(Label::Plan, 3) {
                0 => Order::FirstIn,
                1 => Order::Random,
                _ => Order::Priority { depth: 3 },
            };
            sim.set_schedule(Schedule {
                order,
                quantum: QUANTUM,
            });
        }
        let budget = draws.draw(Label::Plan, u64::from(self.faults) + 1);
        if budget > 0 {
            let budget = u32::try_from(budget).unwrap_or(self.faults);
            sim.set_faults(FaultPlan::draw(&mut draws, budget));
        }
        sim
    }

    /// The first seed with which the body fails; `None` if there is none. The environment is not asked: this is for tests of tests.
    #[must_use]
    pub fn find<T: CheckResult>(&self, body: impl AsyncFn(Sim) -> T) -> Option<Found> {
        (0..self.seeds).find_map(|seed| self.try_seed(seed, &body).err())
    }

    /// Runs the body with every seed, for programs that are no tests.
    ///
    /// # Errors
    /// The first seed with which `body` panics or fails.
    ///
    /// # Panics
    /// `WCOW_SEED` or `WCOW_SEEDS` is set and no number.
    pub fn try_run<T: CheckResult>(&self, body: impl AsyncFn(Sim) -> T) -> Result<(), Found> {
        let seeds = match number("WCOW_SEED") {
            Some(seed) => seed..seed.saturating_add(1),
            None => 0..number("WCOW_SEEDS").unwrap_or(self.seeds),
        };
        for seed in seeds {
            self.try_seed(seed, &body)?;
        }
        Ok(())
    }

    /// Runs the body with every seed.
    ///
    /// # Panics
    /// `body` panics or fails with some seed.
    pub fn run<T: CheckResult>(&self, body: impl AsyncFn(Sim) -> T) {
        let Err(found) = self.try_run(body) else {
            return;
        };
        let test = std::thread::current()
            .name()
            .filter(|name| *name != "main")
            .map(|name| format!(" {name} -- --exact"))
            .unwrap_or_default();
        eprintln!(
            "{found}\nto repeat: WCOW_SEED={} cargo test{test}",
            found.seed
        );
        // A test fails by unwinding; what it says has been said.
        resume_unwind(found.panic.unwrap_or_else(|| Box::new(found.told)));
    }

    fn try_seed<T: CheckResult>(
        &self,
        seed: u64,
        body: &impl AsyncFn(Sim) -> T,
    ) -> Result<(), Found> {
        let sim = self.host(seed);
        let future = body(sim.clone());
        let (failure, panic) = match catch_unwind(AssertUnwindSafe(|| sim.run(future))) {
            Ok(Ok(result)) => match result.failure() {
                None => return Ok(()),
                Some(failure) => (failure, None),
            },
            Ok(Err(stuck)) => (stuck.to_string(), None),
            Err(panic) => {
                let said = panic
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or_else(|| panic.downcast_ref::<&str>().copied());
                let failure = match said {
                    Some(said) => format!("the body panicked: {said}"),
                    None => "the body panicked".to_owned(),
                };
                (failure, Some(panic))
            }
        };
        let mut told = format!("seed {seed}: {failure}");
        for hit in sim.fault_hits() {
            told.push_str(&format!("\n  {hit}"));
        }
        Err(Found { seed, told, panic })
    }
}

/// The number that a variable of the environment holds.
#[expect(
    clippy::panic,
    reason = "a test that was told a seed must not run with others"
)]
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let Ok(number) = text.parse() else {
        panic!("expected a number in {name}, found {text:?}");
    };
    Some(number)
}

/// A seed with which a body fails.
pub struct Found {
    /// The seed.
    pub seed: u64,
    /// What went wrong, in words: a line, and one more for each call that a fault hit before.
    pub told: String,
    panic: Option<Box<dyn std::any::Any + Send>>,
}

impl Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told)
    }
}

impl Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told)
    }
}

/// What a body gives: nothing, or whether it succeeded. An error is told as `Debug` shows it: a body for whose errors `Display` has the
/// better words ends with `map_err(|error| error.to_string())`.
pub trait CheckResult {
    /// What went wrong, if something did.
    fn failure(self) -> Option<String>;
}

impl CheckResult for () {
    fn failure(self) -> Option<String> {
        None
    }
}

impl<T, E: Debug> CheckResult for Result<T, E> {
    fn failure(self) -> Option<String> {
        self.err().map(|error| format!("{error:?}"))
    }
}
