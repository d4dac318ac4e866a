//! What the programs share.

use std::time::Instant;

/// How many messages go each way: the first argument, or a hundred thousand.
///
/// # Panics
/// The argument is no number.
pub fn rounds() -> u32 {
    std::env::args().nth(1).map_or(100_000, |count| {
        count.parse().expect("expected how many messages")
    })
}

/// Prints how many messages a second there were since `begin`.
pub fn print(name: &str, rounds: u32, begin: Instant) {
    let seconds = begin.elapsed().as_secs_f64();
    let messages = 2.0 * f64::from(rounds);
    println!(
        "{name}: {messages} messages in {seconds:.2} s: {:.0} a second",
        messages / seconds
    );
}
