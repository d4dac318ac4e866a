//! `--format json` of every command that shows data.

use serde_json::Value;

use crate::support::{Home, IMAGE, IMAGE_FILE, text};

/// The items have these keys.
#[track_caller]
fn check_keys(items: &[Value], keys: &[&str]) {
    for item in items {
        for key in keys {
            assert!(item.get(key).is_some(), "no {key:?} in {item}");
        }
    }
}

#[test]
fn every_command_with_data_has_json() {
    let home = Home::new();
    let file = home.demo(IMAGE_FILE);
    let file = text(&file);
    let out = home.path("out");
    // In the order of a life; each with its kind and what its items have at least.
    let table: &[(&[&str], &str, &[&str])] = &[
        (
            &["host", "new", "lab"],
            "host.new",
            &["name", "fingerprint"],
        ),
        (&["host", "ls"], "host", &["name", "profile", "problem"]),
        (&["host", "profiles"], "host.profile", &["name", "build"]),
        (&["host", "info"], "host.info", &["build", "adapters"]),
        (&["host", "features"], "host.feature", &["name", "state"]),
        (&["wim", "info", file], "wim", &["compression", "images"]),
        (&["wim", "ls", file], "wim.entry", &["path", "kind", "size"]),
        (
            &["wim", "ls", file, "1", "-R", "-l"],
            "wim.entry",
            &["path", "written"],
        ),
        (
            &["wim", "extract", file, "1", text(&out)],
            "wim.extract",
            &["files", "problems"],
        ),
        (&["wim", "verify", file], "wim.verify", &["ok", "problems"]),
        (
            &["image", "install", file],
            "image",
            &["name", "version", "full_name"],
        ),
        (&["image", "ls"], "image", &["name", "version", "full_name"]),
        (&["image", "inspect", IMAGE], "image.details", &[]),
        (
            &["image", "test", IMAGE],
            "image.test",
            &["validation_errors"],
        ),
        (
            &["network", "create", "lan"],
            "network",
            &["name", "driver", "subnet"],
        ),
        (&["network", "ls"], "network", &["name", "driver", "subnet"]),
        (
            &["network", "inspect", "lan"],
            "network",
            &["name", "driver", "subnet"],
        ),
        (
            &["container", "create", IMAGE, "--name", "web"],
            "container",
            &["name", "id", "status"],
        ),
        (
            &["container", "start", "web"],
            "container",
            &["name", "status"],
        ),
        (
            &["container", "ls"],
            "container",
            &["name", "status", "image"],
        ),
        (&["ps"], "container", &["name", "status", "image"]),
        (
            &["container", "inspect", "web"],
            "container",
            &["name", "scratch"],
        ),
        (
            &["container", "stop", "web"],
            "container",
            &["name", "status"],
        ),
        (
            &["container", "kill", "web"],
            "container",
            &["name", "status"],
        ),
        (&["container", "rm", "web"], "removed", &["kind", "name"]),
        (&["network", "rm", "lan"], "removed", &["kind", "name"]),
        (&["image", "rm", IMAGE], "removed", &["kind", "name"]),
        (
            &["host", "disable", "Hyper-V"],
            "host.change",
            &["name", "reboot_needed"],
        ),
        (
            &["host", "enable", "Hyper-V"],
            "host.change",
            &["name", "reboot_needed"],
        ),
        (&["host", "reboot"], "host.reboot", &["build"]),
        (&["host", "rm", "lab"], "removed", &["kind", "name"]),
        (
            &["sim", "run", "S4"],
            "sim.run",
            &["id", "fingerprint", "agrees", "seed"],
        ),
        (
            &["sim", "catalogue"],
            "sim.failure",
            &["id", "codes", "simulated"],
        ),
        (
            &["explain", "0x800702C2"],
            "explanation",
            &["code", "texts", "failures"],
        ),
    ];
    for (words, kind, keys) in table {
        let mut all = words.to_vec();
        all.extend(["--format", "json"]);
        let ran = home.wcow(&all);
        ran.ends(0);
        let items = ran.items(kind);
        assert!(!items.is_empty(), "wcow {all:?}: no items");
        check_keys(&items, keys);
    }
}

#[test]
fn the_tour_says_what_was_expected_and_seen() {
    let home = Home::new();
    let ran = home.wcow(&["tour", "--format", "json"]);
    let items = ran.items("tour");
    check_keys(
        &items,
        &["id", "title", "expected", "seen", "agrees", "steps"],
    );
    let ids: Vec<&str> = items
        .iter()
        .filter_map(|item| item["id"].as_str())
        .collect();
    for number in 1..=14 {
        assert!(ids.contains(&format!("S{number}").as_str()), "{ids:?}");
    }
    let agree = items.iter().all(|item| item["agrees"] == Value::Bool(true));
    ran.ends(if agree { 0 } else { 1 });
    assert_eq!(ran.stderr, "");
    assert!(!home.path("data").exists(), "the tour keeps nothing");
}

#[test]
fn a_tour_with_a_wim_of_ones_own() {
    let home = Home::new();
    let file = home.demo(IMAGE_FILE);
    let ran = home.wcow(&["tour", "--wim", text(&file), "--format", "json"]);
    assert_eq!(ran.items("tour").len(), 3);
    home.wcow(&["tour", "--wim", "nosuch.wim"])
        .fails(3, &["nosuch.wim"]);
    home.wcow(&["tour", "--index", "1"]).fails(2, &["--wim"]);
}

#[test]
fn the_same_seed_has_the_same_fingerprint() {
    let home = Home::new();
    let fingerprint = |seed| {
        let words = ["sim", "run", "S14", "--seed", seed, "--format", "json"];
        home.wcow(&words).items("sim.run")[0]["fingerprint"].clone()
    };
    assert_eq!(fingerprint("1"), fingerprint("1"));
    assert_ne!(fingerprint("1"), fingerprint("2"));
}

#[test]
fn scenarios_and_codes_that_are_not_known() {
    let home = Home::new();
    home.wcow(&["sim", "run", "nosuch"])
        .fails(3, &["nosuch", "S14"]);
    let file = home.put("bad.toml", b"this is no scenario");
    home.wcow(&["sim", "run", text(&file)])
        .fails(2, &["bad.toml", "cause: "]);
    home.wcow(&["explain", "nonsense"])
        .fails(3, &["nonsense", "wcow sim catalogue"]);
    home.wcow(&["explain", ""]).ends(3);
    let by_id = home.wcow(&["explain", "machine-type-mismatch"]).ok();
    assert!(by_id.contains("0x800702C2"), "{by_id}");
}
