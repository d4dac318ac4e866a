//! `wcow sim`: runs that are made up from seeds.

use crate::support::{Home, text};

#[test]
fn the_run_of_a_seed_is_shown_saved_and_replayed() {
    let home = Home::new();
    let file = home.path("run.json");
    let words = ["sim", "run", "--seed", "5", "--save", text(&file)];
    let shown = home.wcow(&words).ok();
    for told in [
        "CLIENT",
        "image install",
        "seed 5, profile ",
        "fingerprint ",
    ] {
        assert!(shown.contains(told), "{told:?} in {shown}");
    }
    let item = &home
        .wcow(&["sim", "run", "--seed", "5", "--format", "json"])
        .items("sim.run")[0];
    let replayed = &home
        .wcow(&["sim", "replay", text(&file), "--format", "json"])
        .items("sim.run")[0];
    for key in ["fingerprint", "steps", "faults", "violations", "calls"] {
        assert_eq!(item[key], replayed[key], "{key}");
    }
    let traced = home.wcow(&["sim", "replay", text(&file), "--trace"]).ok();
    assert!(traced.contains("LockFileEx"), "{traced}");
}

#[test]
fn a_run_that_differs_from_its_file_is_told() {
    let home = Home::new();
    let file = home.path("run.json");
    let words = ["sim", "run", "--seed", "5", "--save", text(&file)];
    home.wcow(&words).ok();
    let saved = std::fs::read_to_string(&file).unwrap();
    let changed = saved
        .replace("\"fingerprint\": \"", "\"fingerprint\": \"00")
        .replace("\"events\": \"", "\"events\": \"zzzz");
    let other = home.put("other.json", changed.as_bytes());
    home.wcow(&["sim", "replay", text(&other)])
        .fails(6, &["other.json", "event 1", "version"]);
}

#[test]
fn fingerprints_are_lines_of_the_committed_table() {
    let home = Home::new();
    let table = include_str!("../../../campaign/tests/it/fingerprints.txt");
    assert_eq!(home.wcow(&["sim", "fingerprints"]).ok(), table);
    let items = home
        .wcow(&["sim", "fingerprints", "--format", "json"])
        .items("sim.fingerprints");
    assert_eq!(items.len(), table.lines().count());
    let first = table.lines().next().unwrap();
    let told = ["scenario", "seed", "fingerprint"].map(|key| items[0][key].to_string());
    assert_eq!(told.join(" ").replace('"', ""), first);
}

#[test]
fn a_sweep_counts_situations() {
    let home = Home::new();
    let swept = home.wcow(&["sim", "sweep", "--seeds", "20"]).ok();
    assert!(swept.contains("20 runs from seed 0 on"), "{swept}");
    assert!(swept.contains("every promise kept"), "{swept}");
    let item = &home
        .wcow(&[
            "sim", "sweep", "--seeds", "20", "--first", "7", "--format", "json",
        ])
        .items("sim.sweep")[0];
    assert_eq!(item["runs"], 20);
    assert_eq!(item["first"], 7);
    assert_eq!(item["broken"], serde_json::json!([]));
}

#[test]
fn a_power_loss_is_told() {
    let home = Home::new();
    let mut went = 0;
    for seed in 0..8 {
        let seed = seed.to_string();
        let words = ["sim", "run", "--seed", &seed];
        let text = home.wcow(&words).ok();
        let item = &home
            .wcow(&[&words[..], &["--format", "json"]].concat())
            .items("sim.run")[0];
        let told = text.contains("the power went, and the host was up again at 20");
        assert_eq!(told, item["up_again"].is_string(), "seed {seed}");
        went += u32::from(told);
    }
    assert!((1..8).contains(&went), "{went} of 8");
}

#[test]
fn files_that_are_no_runs() {
    let home = Home::new();
    let missing = home.path("nosuch.json");
    for command in ["replay", "shrink"] {
        home.wcow(&["sim", command, text(&missing)])
            .fails(3, &["nosuch.json"]);
    }
    let bad = home.put("bad.json", b"{\"schema\": 7}");
    home.wcow(&["sim", "replay", text(&bad)])
        .fails(2, &["bad.json", "line 1 column 12", "help: "]);
    home.wcow(&["sim", "run", "S4", "--save", "x.json"])
        .fails(2, &["--save"]);
}

#[test]
fn only_what_fails_is_made_small_and_any_run_becomes_a_test() {
    let home = Home::new();
    let file = home.path("run.json");
    let words = ["sim", "run", "--seed", "5", "--save", text(&file)];
    home.wcow(&words).ok();
    home.wcow(&["sim", "shrink", text(&file)])
        .fails(1, &["run.json", "breaks no promise"]);
    let test = home.wcow(&["sim", "promote", text(&file), "--name", "seed_5"]);
    assert!(test.ok().contains("fn seed_5()"));
    home.wcow(&["sim", "promote", text(&file), "--name", "5 seeds"])
        .fails(2, &["5 seeds"]);
}

#[test]
fn a_timeline_is_a_page_of_its_own() {
    let home = Home::new();
    let file = home.path("run.json");
    home.wcow(&["sim", "run", "--seed", "5", "--save", text(&file)])
        .ok();
    let page = home.wcow(&["sim", "timeline", text(&file)]).ok();
    assert!(page.starts_with("<!doctype html>"));
    assert!(page.contains("image install") && page.contains("LockFileEx"));
    for outside in ["http://", "https://", "src=", "/*DATA*/null"] {
        assert!(!page.contains(outside), "{outside}");
    }
    let drawn = home.path("seed.json");
    home.wcow(&[
        "sim",
        "timeline",
        "--seed",
        "5",
        "--chrome",
        "-o",
        text(&drawn),
    ])
    .ok();
    let trace: serde_json::Value = serde_json::from_slice(&std::fs::read(&drawn).unwrap()).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    assert!(events.len() > 100);
    assert!(
        events
            .iter()
            .all(|event| event["ph"].is_string() && event["tid"].is_u64())
    );
    home.wcow(&["sim", "timeline", "nosuch.json"])
        .fails(3, &["nosuch.json"]);
}

#[test]
fn a_precaution_that_is_left_out_is_found_saved_and_replayed() {
    let home = Home::new();
    let item = &home
        .wcow(&["sim", "mutants", "sync-image", "--format", "json"])
        .items("sim.mutants")[0];
    assert_eq!(item["ignored"], "sync-image");
    assert_eq!(item["found"], true);
    assert_eq!(item["check"], "failures-leave-nothing");
    let seed = (item["seeds"].as_u64().unwrap() - 1).to_string();
    let file = home.path("mutant.json");
    let shown = home.wcow(&[
        "sim",
        "run",
        "--ignore",
        "sync-image",
        "--seed",
        &seed,
        "--save",
        text(&file),
    ]);
    shown.ends(1);
    let replayed = home.wcow(&["sim", "replay", text(&file)]);
    replayed.ends(1);
    home.wcow(&["sim", "run", "--seed", &seed]).ok();
    home.wcow(&["sim", "run", "--ignore", "sync-nothing"])
        .fails(2, &["sync-nothing", "sync-record"]);
    home.wcow(&["sim", "run", "S4", "--ignore", "sync-image"])
        .fails(2, &["--ignore"]);
}

#[test]
fn a_precaution_that_nothing_misses_is_a_failure() {
    let home = Home::new();
    let survived = home.wcow(&["sim", "mutants", "sync-record", "--seeds", "1"]);
    survived.ends(1);
    let found = home.wcow(&["sim", "mutants", "sync-record", "--seeds", "100"]);
    assert!(found.ok().contains("1 mutant, all found"));
}
