//! How much memory a process needs that tracks many containers, and how long a diagnosis takes then.
//!
//! ```text
//! cargo run --release --package wcow-engine --example many -- [CONTAINERS]
//! ```
//!
//! The containers run a program each on a simulated Windows Server 2022, which lies in the same process: its whole world is counted too.

use std::error::Error;
use std::time::Instant;

use wcow_engine::doctor::checks;
use wcow_engine::{CreateContainer, Engine, Settings};
use wcow_image_store::InstallRequest;
use wcow_sim::{Profile, Sim};
use wcow_tree::memory::MemoryTree;

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let many: usize = words.next().map_or(Ok(1000), |word| word.parse())?;
    let profile = Profile::server_2022();
    let sim = Sim::new(profile.clone(), 0);
    let engine = Engine::new(sim.client());
    sim.run(engine.install_image(request(&profile), &mut tree()))??;
    println!("containers  resident   most");
    show(0)?;
    let begun = Instant::now();
    for number in 0..many {
        let name = format!("c{number}");
        let wanted = CreateContainer {
            image: "base".to_owned(),
            name: Some(name.clone()),
            settings: Settings {
                // It waits for input.
                command: Some("cmd".to_owned()),
                stdin: true,
                ..Settings::default()
            },
            ..CreateContainer::default()
        };
        sim.run(engine.create_container(wanted))??;
        sim.run(engine.start(&name))??;
        if (number + 1) % (many / 4).max(1) == 0 {
            show(number + 1)?;
        }
    }
    println!("all of them run after {:.2?}", begun.elapsed());

    let begun = Instant::now();
    let listed = sim.run(engine.containers())??;
    println!("{} are listed in {:.3?}", listed.len(), begun.elapsed());
    let begun = Instant::now();
    let reports = sim.run(engine.diagnose(&checks()))??;
    println!("{} checks take {:.3?}", reports.len(), begun.elapsed());
    show(many)?;
    Ok(())
}

/// Prints what the process has in memory now, and the most that it had, as Linux tells it.
fn show(containers: usize) -> Result<(), Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let mib = |key: &str| -> f64 {
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        kib.unwrap_or(0.0) / 1024.0
    };
    println!(
        "{containers:>10}  {:>5.1} MiB  {:>5.1} MiB",
        mib("VmRSS:"),
        mib("VmHWM:")
    );
    Ok(())
}

fn request(profile: &Profile) -> InstallRequest {
    InstallRequest {
        name: "base".to_owned(),
        version: format!("10.0.{}.0", profile.build)
            .parse()
            .expect("four numbers"),
        product_name: profile.edition.to_string(),
        description: "for measurements".to_owned(),
        size: 1 << 30,
    }
}

/// An image as small as one can be.
fn tree() -> MemoryTree {
    let mut tree = MemoryTree::new();
    for program in ["cmd.exe", "CExecSvc.exe"] {
        let path = format!(r"Windows\System32\{program}");
        tree = tree.file(path.as_str(), b"MZ");
    }
    for name in ["DEFAULT", "SAM", "SECURITY", "SOFTWARE", "SYSTEM"] {
        let path = format!(r"Windows\System32\config\{name}");
        tree = tree.file(path.as_str(), wcow_hive::empty_hive(name));
    }
    tree
}
