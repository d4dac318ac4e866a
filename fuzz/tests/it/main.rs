//! Runs every kept finding, and the seeds that are made in code, through the target bodies.

use std::path::Path;

use serde_json::Value;
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

/// Documents in which values stand where those of other documents do. The same ones each time.
#[test]
fn documents_with_parts_exchanged_keep_the_promises() {
    let documents = seeds::made().into_iter();
    let documents = documents.filter(|(target, ..)| *target == "hcs_schema");
    let documents: Vec<Value> = documents
        .map(|(_, name, bytes)| serde_json::from_slice(&bytes).expect(&name))
        .collect();
    let mut parts: Vec<Value> = ["{}", "[]", "null", "-1", "70000", "1.1", "true", "\"x\""]
        .map(|text| serde_json::from_str(text).expect("JSON"))
        .to_vec();
    for document in &documents {
        parts.extend(parts_of(document));
    }
    let mut rng = Rng::new(7);
    for round in 0..200 {
        let mut document = documents[round % documents.len()].clone();
        for _ in 0..=rng.below(3) {
            let mut places = rng.below(20);
            let part = &parts[rng.below(parts.len())];
            exchange(&mut document, &mut places, part);
        }
        println!("{document}");
        run("hcs_schema", document.to_string().as_bytes());
    }
}

fn parts_of(value: &Value) -> Vec<Value> {
    let inner: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(keys) => keys.values().collect(),
        _ => Vec::new(),
    };
    let parts = inner.into_iter().flat_map(parts_of);
    std::iter::once(value.clone()).chain(parts).collect()
}

/// Puts `part` in the place that is reached when `places` have been passed.
fn exchange(value: &mut Value, places: &mut usize, part: &Value) {
    let inner: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(keys) => keys.values_mut().collect(),
        _ => Vec::new(),
    };
    for inner in inner {
        if *places == 0 {
            *inner = part.clone();
            *places = usize::MAX;
            return;
        }
        *places = places.saturating_sub(1);
        exchange(inner, places, part);
        if *places == usize::MAX {
            return;
        }
    }
}
