//! How many times a second one core has a whole host live: a small image installed, a network, a container created, started, stopped
//! and removed, a program that is killed while it creates another, and the next one that clears up after it.
//!
//! ```sh
//! cargo run --release -p wcow-scenario --example hosts -- 1000
//! ```

use std::error::Error;
use std::time::Instant;

use wcow_engine::{CreateContainer, Engine, Force};
use wcow_network::NetworkSpec;
use wcow_scenario::{WimShelf, wims};
use wcow_sim::{Ended, Profile, Sim};

/// The image, by the file that it is installed from.
const WIM: &str = "servercore-20348.wim";
const IMAGE: &str = "servercore";
/// How long a container gets to stop, in ticks of 100 ns.
const GRACE: u64 = 10 * 10_000_000;
/// The second program is killed after one call to so many. To create a container takes it more.
const KILLED_AFTER: u64 = 15;

fn main() -> Result<(), Box<dyn Error>> {
    let runs: u32 = std::env::args()
        .nth(1)
        .map_or(Ok(1000), |count| count.parse())?;
    let shelf = wims::Shelf::build()?;
    let mut events = 0_u64;
    let begin = Instant::now();
    for seed in 0..u64::from(runs) {
        events += host(seed, &shelf).map_err(|error| format!("seed {seed}: {error}"))?;
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "{runs} hosts in {seconds:.2} s: {:.0} a second, {} events each",
        f64::from(runs) / seconds,
        events / u64::from(runs.max(1))
    );
    Ok(())
}

/// The life of one host. Gives the number of events: each call takes effect, and is answered.
fn host(seed: u64, shelf: &wims::Shelf) -> Result<u64, Box<dyn Error>> {
    let sim = Sim::new(Profile::server_2022(), seed);
    let engine = Engine::new(sim.client());
    sim.run(live(&engine, shelf))??;

    let killed = sim.client();
    let other = Engine::new(killed.clone());
    let calls = 1 + seed % KILLED_AFTER;
    let ended = sim.run_killed_after(&killed, calls, other.create_container(container("two")))?;
    if !matches!(ended, Ended::Killed) {
        return Err("the second program was done before it could be killed".into());
    }
    // What the host was asked for goes on for a while without it.
    sim.advance(60 * 10_000_000);

    let next = Engine::new(sim.client());
    sim.run(clear_up(&next))??;
    if !sim.attached_layers().is_empty() || !sim.run(next.containers())??.is_empty() {
        return Err("something was left behind".into());
    }
    Ok(2 * sim.calls())
}

async fn live(
    engine: &Engine<wcow_sim::SimHost>,
    shelf: &wims::Shelf,
) -> Result<(), Box<dyn Error>> {
    let (wim, index) = shelf.wim(WIM).ok_or("the WIM file is not on the shelf")?;
    engine.install_wim(wim, index, None).await?;
    let network = NetworkSpec {
        name: "nat".to_owned(),
        driver: "nat".parse()?,
        subnet: None,
        gateway: None,
        adapter: None,
    };
    engine.create_network(&network).await?;
    engine.create_container(container("one")).await?;
    engine.start("one").await?;
    engine.stop("one", GRACE).await?;
    engine.remove_container("one", Force::No).await?;
    Ok(())
}

async fn clear_up(engine: &Engine<wcow_sim::SimHost>) -> Result<(), Box<dyn Error>> {
    for left in engine.containers().await? {
        engine.remove_container(&left.name, Force::Yes).await?;
    }
    engine.prune().await?;
    Ok(())
}

fn container(name: &str) -> CreateContainer {
    CreateContainer {
        image: IMAGE.to_owned(),
        name: Some(name.to_owned()),
        network: Some("nat".to_owned()),
        ..CreateContainer::default()
    }
}

#[test]
fn every_host_is_cleared_up() -> Result<(), Box<dyn Error>> {
    let shelf = wims::Shelf::build()?;
    for seed in 0..2 * KILLED_AFTER {
        assert!(host(seed, &shelf)? > 200, "seed {seed}");
    }
    Ok(())
}
