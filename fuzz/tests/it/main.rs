//! Runs every kept finding, and the seeds that are made in code, through the target bodies.

use std::path::Path;

use wcow_fuzz::mutate::{self, Form, reshaped};
use wcow_fuzz::{DIFFERENTIAL, Rng, SIMULATED, TARGETS, seeds};

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
        // A run of the simulator takes longer than anything about a file.
        let places = if SIMULATED.contains(&target) { 12 } else { 400 };
        let step = (bytes.len() / places).max(1);
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
    for (target, name, _) in &made {
        let known = TARGETS.iter().any(|(name, _)| name == target);
        assert!(known || is_optional(target), "{target}/{name}");
    }
}

/// What is cut out of a file with chunks is for the targets that read them.
#[test]
fn files_give_seeds() {
    for form in [Form::Chunked, Form::Solid, Form::Pipable] {
        let file = reshaped(&seeds::rich(), form);
        let cut = seeds::cut_from("name", &file);
        for target in [
            "wim",
            "extract",
            "header",
            "xml",
            "lookup_table",
            "metadata",
        ] {
            assert!(
                cut.iter().any(|(name, ..)| *name == target),
                "{form:?}: {target}"
            );
        }
        for (target, _, bytes) in cut {
            run(target, &bytes);
        }
    }
    assert!(seeds::cut_from("name", b"something else").is_empty());
}

#[track_caller]
fn run(target: &str, bytes: &[u8]) {
    let body = TARGETS.iter().find(|(name, _)| *name == target);
    match body {
        Some((_, body)) => body(bytes),
        None => assert!(is_optional(target), "{target}"),
    }
}

/// Whether a target may have been left out of this build.
fn is_optional(target: &str) -> bool {
    DIFFERENTIAL.contains(&target) || SIMULATED.contains(&target)
}

/// Mutants of a file in all its forms, through every target that takes a file. The same ones each time.
#[test]
fn mutants_keep_the_promises() {
    let rich = seeds::rich();
    let forms = [Form::Chunked, Form::Solid, Form::Pipable].map(|form| reshaped(&rich, form));
    for (number, file) in [rich].into_iter().chain(forms).enumerate() {
        for seed in 0..150 {
            let mut rng = Rng::new(u64::from(seed) << 8 | number as u64);
            let mutant = mutate::wim(&file, 1 << 16, seed, &mut |bytes, max| {
                mutate::any_bytes(bytes, max, &mut rng);
            });
            for target in ["wim", "extract", "diff_wim"] {
                println!("{target}: form {number}, seed {seed}");
                run(target, &mutant);
            }
        }
    }
}
