//! A tool that keeps its state in a file: whatever happens, and be it the power that goes, the file holds what was saved last, or what
//! was about to be.
//!
//! `cargo run --package wcow-sim --example state` runs it as it was and as it is now, and cuts the power at every durable step.

use wcow_host::{FileSystem, Host, HostError, Precaution, WriteMode};
use wcow_ntmeta::HostPath;
use wcow_sim::{Check, Ended, PowerCut, Profile, Sim, SimHost};

// The tool: it writes beside the file and puts the new one in its place. What it syncs has names, so that a test can leave each out.

const STATE: Precaution = Precaution::new("sync-state");
const NAME: Precaution = Precaution::new("sync-state-name");

/// As it was: the name is durable, the bytes are not.
async fn save<H: Host>(host: &H, state: &str) -> Result<(), HostError> {
    let (files, fresh) = (host.files(), folder().join("state.new"));
    files
        .write(&fresh, state.as_bytes(), WriteMode::Overwrite)
        .await?;
    files.replace(&fresh, &folder().join("state")).await?;
    files.sync_dir(&folder(), NAME).await
}

/// As it is now.
async fn save_durably<H: Host>(host: &H, state: &str) -> Result<(), HostError> {
    let (files, fresh) = (host.files(), folder().join("state.new"));
    files
        .write(&fresh, state.as_bytes(), WriteMode::Overwrite)
        .await?;
    files.sync_file(&fresh, STATE).await?;
    files.replace(&fresh, &folder().join("state")).await?;
    files.sync_dir(&folder(), NAME).await
}

fn folder() -> HostPath {
    HostPath::root("C:").join("lab")
}

// The test.

/// Longer than what a disk writes at once.
fn state(generation: u8) -> String {
    format!("generation {generation} ").repeat(1000)
}

async fn holds_what_was_saved(
    sim: Sim,
    save: impl AsyncFn(&SimHost, &str) -> Result<(), HostError>,
) -> Result<(), String> {
    let told = |error: HostError| error.to_string();
    let (host, old, new) = (sim.client(), state(1), state(2));
    host.files().create_dir_all(&folder()).await.map_err(told)?;
    host.files()
        .sync_ancestors(&folder(), NAME)
        .await
        .map_err(told)?;
    save(&host, &old).await.map_err(told)?;
    for step in sim.durable_steps() + 1.. {
        for cut in [PowerCut::Before(step), PowerCut::After(step)] {
            // Each time another copy of the world.
            let world = sim.fork();
            world.power_loss_at(cut);
            let writer = world.client();
            let ended = world.run_to_end(save(&writer, &new));
            let ended = ended.map_err(|stuck| stuck.to_string())?;
            if ended != Ended::PowerLost {
                // There is no such step any more: now the power goes when all is done.
                world.power_loss();
            }
            let reader = world.client();
            let file = folder().join("state");
            let read = world.run(reader.files().read(&file, 1 << 20));
            let read = read.map_err(|stuck| stuck.to_string())?.map_err(told)?;
            let is_whole =
                read == new.as_bytes() || ended == Ended::PowerLost && read == old.as_bytes();
            if !is_whole {
                return Err(format!("{cut:?}: the file does not hold what was saved"));
            }
            if ended != Ended::PowerLost {
                return Ok(());
            }
        }
    }
    Ok(())
}

pub(crate) fn main() -> Result<(), String> {
    let check = Check::new(Profile::server_2022()).seeds(20);
    let was = check.try_run(async |sim| holds_what_was_saved(sim, save::<SimHost>).await);
    let found = was
        .err()
        .ok_or("the file that was not synced is not found")?;
    println!("as it was: {found}");
    println!(
        "to repeat: WCOW_SEED={} cargo run --package wcow-sim --example state",
        found.seed
    );
    check
        .try_run(async |sim| holds_what_was_saved(sim, save_durably::<SimHost>).await)
        .map_err(|found| format!("as it is now: {found}"))?;
    println!("as it is now: whole after every power loss");
    Ok(())
}
