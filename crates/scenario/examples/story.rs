//! How many times a second one core plays the whole seed story, S1 to S14.
//!
//! ```sh
//! cargo run --release -p wcow-scenario --example story -- 1000
//! ```

use std::error::Error;
use std::time::Instant;

use wcow_engine::Engine;
use wcow_scenario::{Player, Scenario, parse, wims};
use wcow_sim::{Profile, Sim, scenarios};

fn main() -> Result<(), Box<dyn Error>> {
    let runs: u32 = std::env::args()
        .nth(1)
        .map_or(Ok(1000), |count| count.parse())?;
    let shelf = wims::Shelf::build()?;
    let story = seed_story()?;
    let begin = Instant::now();
    for seed in 0..u64::from(runs) {
        play(&story, seed, &shelf)?;
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "{runs} runs in {seconds:.2} s: {:.0} a second",
        f64::from(runs) / seconds
    );
    Ok(())
}

fn seed_story() -> Result<Vec<Scenario>, Box<dyn Error>> {
    let files = scenarios::SEED.iter();
    Ok(files
        .map(|file| parse(file.text))
        .collect::<Result<_, _>>()?)
}

/// S1 to S13 one after the other on one Nano Server, S14 on a Server Core.
fn play(story: &[Scenario], seed: u64, shelf: &wims::Shelf) -> Result<(), Box<dyn Error>> {
    let hosts = [
        (
            Profile::nano_tp3_bare(),
            story.get(..13).unwrap_or_default(),
        ),
        (Profile::core_tp3(), story.get(13..).unwrap_or_default()),
    ];
    for (profile, scenarios) in hosts {
        let sim = Sim::new(profile, seed);
        let engine = Engine::new(sim.client());
        let player = Player::new(&engine, shelf);
        for scenario in scenarios {
            for outcome in sim.run(player.play(scenario))?? {
                if !outcome.agrees() {
                    return Err(format!(
                        "{} with seed {seed}: {:?}",
                        scenario.id, outcome.differences
                    )
                    .into());
                }
            }
        }
    }
    Ok(())
}

#[test]
fn the_story_is_played_to_its_end() -> Result<(), Box<dyn Error>> {
    let (story, shelf) = (seed_story()?, wims::Shelf::build()?);
    assert_eq!(story.len(), 14);
    (0..3).try_for_each(|seed| play(&story, seed, &shelf))
}
