//! What a call through the pool costs: the way to its thread and back, and its time limit, beside the same work done directly.
//!
//! ```text
//! cargo run --release -p wcow-winhost --example pool
//! ```
//!
//! It runs on every system: nothing in it is of Windows. What whole calls cost, `calls` measures.

use std::time::{Duration, Instant};

#[path = "../src/pool.rs"]
mod pool;
#[path = "../src/timer.rs"]
mod timer;

use wcow_winhost::block_on;

/// Calls in a round.
const CALLS: u32 = 10_000;
const ROUNDS: usize = 9;
/// As long as calls of a host have.
const LIMIT: Duration = Duration::from_secs(240);

fn main() {
    let pool = pool::Pool::new("overhead", 16);
    let work = || std::hint::black_box(7_u64);
    let (mut through, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        through.push(time(|| {
            let ended = block_on(pool.run_within(LIMIT, work));
            assert_eq!(ended, Ok(7));
        }));
        bare.push(time(|| {
            assert_eq!(work(), 7);
        }));
    }
    through.sort_unstable();
    bare.sort_unstable();
    let each = |round: &Duration| round.as_nanos() / u128::from(CALLS);
    for (name, rounds) in [("through the pool", &through), ("bare", &bare)] {
        let (least, median) = (rounds.first(), rounds.get(ROUNDS / 2));
        println!(
            "{name}: {} ns a call in the best round, {} ns in the median of {ROUNDS} rounds of {CALLS}",
            least.map_or(0, each),
            median.map_or(0, each),
        );
    }
}

fn time(mut call: impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..CALLS {
        call();
    }
    start.elapsed()
}
