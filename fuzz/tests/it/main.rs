//! Runs every kept finding, and the seeds that are made in code, through the target bodies.

use std::path::Path;

use wcow_fuzz::{TARGETS, seeds};

#[test]
fn kept_findings_stay_fixed() {
    for (name, body) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("artifacts")
            .join(name);
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            println!("{}", path.display());
            body(&std::fs::read(&path).unwrap());
        }
    }
}

#[test]
fn seeds_made_in_code_run() {
    for (target, name, bytes) in seeds::made() {
        println!("{target}/{name}");
        run(target, &bytes);
    }
}

/// Every seed with a byte flipped, and cut short: what a fuzzer tries first.
#[test]
fn damaged_seeds_run() {
    for (target, name, bytes) in seeds::made() {
        println!("{target}/{name}");
        let step = (bytes.len() / 400).max(1);
        for at in (0..bytes.len()).step_by(step) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x81;
            run(target, &damaged);
            run(target, &bytes[..at]);
        }
    }
}

#[test]
fn every_target_has_a_seed() {
    let made = seeds::made();
    for (name, _) in TARGETS {
        assert!(made.iter().any(|(target, ..)| target == name), "{name}");
    }
}

#[track_caller]
fn run(target: &str, bytes: &[u8]) {
    let body = TARGETS
        .iter()
        .find(|(name, _)| *name == target)
        .map(|(_, body)| body);
    body.expect("every seed is for a target")(bytes);
}
