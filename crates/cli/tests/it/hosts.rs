//! Simulated hosts: made, kept, shared between commands, and left alone when something is wrong with them.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use crate::support::{Home, IMAGE, IMAGE_FILE, bytes, text};

#[test]
fn hosts_are_made_listed_and_removed() {
    let home = Home::new();
    assert_eq!(home.wcow(&["host", "ls"]).ok().lines().count(), 1);
    let made = home.wcow(&["host", "new", "nano", "--profile", "nano-tp3"]);
    assert_eq!(made.ok(), "nano\n");
    made.says(&["--host sim:nano"]);
    home.wcow(&["host", "new", "nano"])
        .fails(4, &["\"nano\" exists already", "help: "]);
    let listed = home.wcow(&["host", "ls"]).ok();
    assert!(listed.contains("nano-tp3") && listed.contains("10514"));
    home.wcow(&["host", "new", "other", "--profile", "nonsense"])
        .fails(3, &["nonsense", "nano-tp3", "server-2022"]);
    assert_eq!(home.wcow(&["host", "rm", "nano"]).ok(), "nano\n");
    assert!(!home.world("nano").exists());
    home.wcow(&["host", "rm", "nano"]).fails(3, &["\"nano\""]);
}

#[test]
fn a_host_of_every_profile_is_made_and_says_what_it_is() {
    let home = Home::new();
    let profiles = home.wcow(&["host", "profiles"]).ok();
    let rows: Vec<Vec<&str>> = profiles
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert!(rows.len() >= 11, "{profiles}");
    for row in rows {
        let (profile, build) = (row[0], row[1]);
        let host = format!("sim:{profile}");
        home.wcow(&["host", "new", profile, "--profile", profile])
            .ok();
        let info = home.wcow(&["--host", &host, "host", "info"]).ok();
        assert!(info.contains(build), "{profile}: {info}");
    }
}

#[test]
fn odd_names_are_refused() {
    let home = Home::with_image();
    let long = "x".repeat(64);
    for name in [
        "", ".", "..", "../x", "a/b", r"a\b", "a b", "é", "a\u{1b}b", "-a", "con", "LPT1", &long,
    ] {
        // After `--` a name may begin like an option.
        home.wcow(&["host", "new", "--", name])
            .fails(2, &["cannot be the name of a host"]);
        home.wcow(&["--host", &format!("sim:{name}"), "ps"])
            .fails(3, &["no simulated host"]);
    }
    for name in ["", ".", "..", "../x", "a/b", "a b", "a\u{1b}b"] {
        home.wcow(&["network", "create", "--", name])
            .fails(2, &["cannot be the name of a network"]);
        home.wcow(&["container", "create", IMAGE, "--name", name])
            .fails(2, &["cannot be the name of a container"]);
    }
    let hosts = fs::read_dir(home.path("data/hosts")).expect("made").count();
    assert_eq!(hosts, 1, "only the default host is there");
}

#[test]
fn hosts_that_are_not_there_are_named_with_those_that_are() {
    let home = Home::new();
    home.wcow(&["host", "new", "lab"]).ok();
    for command in [
        vec!["ps"],
        vec!["image", "ls"],
        vec!["network", "ls"],
        vec!["host", "info"],
        vec!["host", "reboot"],
    ] {
        let mut words = vec!["--host", "sim:nosuch"];
        words.extend(&command);
        home.wcow(&words).fails(3, &["\"nosuch\"", "lab", "help: "]);
        words.splice(1..2, ["nosuch"]);
        home.wcow(&words)
            .fails(3, &["\"nosuch\"", "sim:lab", "help: "]);
        if cfg!(not(windows)) {
            words.splice(1..2, ["windows"]);
            home.wcow(&words)
                .fails(5, &["does not run Windows", "--host sim"]);
        }
    }
}

#[test]
fn the_default_host_is_made_on_first_use_and_kept() {
    let home = Home::new();
    let first = home.wcow(&["network", "create", "web"]);
    assert_eq!(first.ok(), "web\n");
    first.says(&["made the simulated host \"default\"", "server-2022"]);
    let second = home.wcow(&["network", "ls"]);
    assert!(second.ok().contains("web"));
    assert_eq!(second.stderr, "");
    assert!(
        home.wcow(&["--host", "sim:default", "network", "ls"])
            .ok()
            .contains("web")
    );
    home.wcow(&["network", "rm", "web"]).ok();
    assert!(!home.wcow(&["network", "ls"]).ok().contains("web"));
}

#[test]
fn a_sequence_of_commands_can_be_repeated_exactly() {
    let one = Home::with_image();
    let other = Home::with_image();
    for words in [
        vec!["network", "create", "web"],
        vec!["run", "--rm", "--network", "web", IMAGE, "cmd", "/c", "ver"],
        vec!["container", "create", IMAGE, "--name", "a"],
        vec!["container", "inspect", "a"],
        vec!["image", "ls"],
    ] {
        assert_eq!(one.wcow(&words).ok(), other.wcow(&words).ok());
    }
}

#[test]
fn time_that_passes_is_a_number() {
    let home = Home::with_image();
    let words = ["ps"];
    let mut command = home.command(&words);
    command.env("WCOW_ELAPSED", "soon");
    crate::support::run(command, &words).fails(2, &["WCOW_ELAPSED", "\"soon\""]);
}

/// The host `default` with this world is refused with this code, whatever is done, and stays as it is.
#[track_caller]
fn check_refused(home: &Home, world: &[u8], says: &str) {
    let path = home.world("default");
    fs::write(&path, world).expect("written");
    for words in [
        vec!["network", "create", "web"],
        vec!["run", "--rm", IMAGE, "cmd"],
    ] {
        home.wcow(&words)
            .fails(6, &[says, "nothing was changed", "help: "]);
        assert!(bytes(&path) == world, "the world was changed");
    }
}

#[test]
fn hosts_of_another_version_are_left_alone() {
    let home = Home::with_image();
    let world = String::from_utf8(bytes(&home.world("default"))).expect("JSON");
    let newer = world.replacen("{\"wcow_host\":1,", "{\"wcow_host\":2,", 1);
    check_refused(&home, newer.as_bytes(), "format 2");
    check_refused(&home, b"{\"wcow_host\":77}\nanything", "format 77");
    let listed = home.wcow(&["host", "ls"]);
    assert!(listed.ok().contains("format 77"));
    home.wcow(&["host", "new", "default"])
        .fails(4, &["exists already"]);
}

#[test]
fn damaged_hosts_are_left_alone() {
    let home = Home::with_image();
    let world = bytes(&home.world("default"));
    let mut flipped = world.clone();
    if let Some(byte) = flipped.get_mut(world.len() / 2) {
        *byte ^= 1;
    }
    check_refused(&home, &flipped, "is damaged");
    check_refused(&home, b"\n\n", "is damaged");
    check_refused(&home, &[0xff; 5000], "is damaged");
    // A damaged host can still be removed.
    home.wcow(&["host", "rm", "default"]).ok();
    home.wcow(&["ps"]).ok();
}

#[test]
fn truncated_hosts_are_left_alone() {
    let home = Home::with_image();
    let world = bytes(&home.world("default"));
    let path = home.world("default");
    let head = world
        .iter()
        .position(|byte| *byte == b'\n')
        .expect("a head");
    // Every length around the head, then some on the way, and all but the last byte.
    let lengths = (0..head + 30)
        .step_by(7)
        .chain((head + 30..world.len()).step_by(world.len() / 20))
        .chain([head, head + 1, world.len() - 1]);
    for length in lengths {
        let cut = &world[..length];
        fs::write(&path, cut).expect("written");
        home.wcow(&["ps"])
            .fails(6, &["is damaged", "nothing was changed"]);
        assert!(bytes(&path) == cut, "{length}");
    }
    fs::write(&path, &world).expect("written");
    home.wcow(&["ps"]).ok();
}

#[test]
fn contents_that_are_missing_or_damaged_are_found() {
    let home = Home::with_image();
    let world = bytes(&home.world("default"));
    let mut blobs = Vec::new();
    for shard in fs::read_dir(home.path("data/hosts/default/blobs")).expect("blobs") {
        for blob in fs::read_dir(shard.expect("a shard").path()).expect("a folder") {
            blobs.push(blob.expect("a blob").path());
        }
    }
    assert!(!blobs.is_empty());
    let kept: Vec<_> = blobs.iter().map(|blob| bytes(blob)).collect();
    for blob in &blobs {
        fs::write(blob, "changed").expect("written");
    }
    home.wcow(&["image", "ls"])
        .fails(6, &["is damaged", "nothing was changed"]);
    assert!(bytes(&home.world("default")) == world);
    for (blob, kept) in blobs.iter().zip(&kept) {
        fs::write(blob, kept).expect("written");
    }
    home.wcow(&["image", "test", IMAGE]).ok();
    let world = bytes(&home.world("default"));
    fs::remove_file(&blobs[0]).expect("removed");
    home.wcow(&["ps"]).fails(6, &["it is missing"]);
    assert!(bytes(&home.world("default")) == world);
}

#[test]
fn a_host_in_use_is_waited_for_and_listed_as_busy() {
    let home = Home::with_image();
    let lock = File::options()
        .write(true)
        .open(home.path("data/hosts/default/lock"))
        .expect("a lock");
    lock.lock().expect("nobody else has it");
    let listed = home.wcow(&["host", "ls"]).ok();
    assert!(listed.contains("another wcow command"), "{listed}");
    let mut child = home
        .command(&["image", "ls"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut line = String::new();
    BufReader::new(child.stderr.take().expect("piped"))
        .read_line(&mut line)
        .expect("a line");
    assert!(
        line.starts_with("waiting for another wcow command"),
        "{line}"
    );
    assert_eq!(child.try_wait().expect("a child"), None, "it waits");
    drop(lock);
    let mut listed = String::new();
    child
        .stdout
        .take()
        .expect("piped")
        .read_to_string(&mut listed)
        .expect("text");
    assert!(child.wait().expect("it ends").success());
    assert!(listed.contains(IMAGE));
}

#[test]
fn many_commands_at_once_lose_nothing() {
    let home = Home::new();
    home.wcow(&["host", "info"]).ok();
    let names: Vec<String> = (0..6).map(|number| format!("net{number}")).collect();
    let children: Vec<_> = names
        .iter()
        .map(|name| {
            home.command(&["network", "create", "--driver", "private", name])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("it runs")
        })
        .collect();
    let done = children
        .into_iter()
        .map(|mut child| child.wait().expect("it ends").success())
        .filter(|ok| *ok)
        .count();
    let listed = home.wcow(&["network", "ls"]).ok();
    let there = names
        .iter()
        .filter(|name| listed.contains(name.as_str()))
        .count();
    assert_eq!(there, done, "{listed}");
}

#[test]
fn packages_and_features() {
    let home = Home::new();
    home.wcow(&["host", "new", "bare", "--profile", "nano-tp3-bare"])
        .ok();
    let on = |words: &[&str]| {
        let mut all = vec!["--host", "sim:bare"];
        all.extend(words);
        home.wcow(&all)
    };
    on(&["host", "enable", "Nonsense"]).fails(1, &["\"Nonsense\"", "code: 0x"]);
    let enabled = on(&["host", "enable", "Containers"]);
    assert_eq!(enabled.ok(), "Containers\n");
    enabled.says(&["wcow host reboot"]);
    assert!(on(&["host", "features"]).ok().contains("after restart"));
    on(&["host", "reboot"]).ok();
    assert!(!on(&["host", "features"]).ok().contains("after restart"));
    // The host of today has features.
    home.wcow(&["host", "disable", "Nonsense"])
        .fails(1, &["\"Nonsense\""]);
    home.wcow(&["host", "disable", "Hyper-V"]).ok();
}

#[test]
fn the_walk_of_the_readme() {
    let home = Home::new();
    let file = home.demo("WindowsServerCore.wim");
    home.wcow(&["host", "new", "nano", "--profile", "nano-tp3"])
        .ok();
    let on = |words: &[&str]| {
        let mut all = vec!["--host", "sim:nano"];
        all.extend(words);
        home.wcow(&all)
    };
    on(&["host", "info"]).ok();
    on(&["image", "install", text(&file)]).ok();
    let create = [
        "container",
        "create",
        "WindowsServerCore",
        "--name",
        "first",
    ];
    on(&create).fails(1, &["0x8000FFFF", "help: Restart the host"]);
    on(&["host", "reboot"]).ok();
    assert_eq!(on(&create).ok(), "first\n");
    on(&["container", "start", "first"]).fails(
        1,
        &[
            "0x800702C2",
            "ServerTuva",
            "ServerDatacenter",
            "wcow explain",
        ],
    );
    assert!(on(&["ps"]).ok().contains("Off"));
    assert!(
        home.wcow(&["explain", "0x800702C2"])
            .ok()
            .contains("machine-type-mismatch")
    );
    let file = home.demo(IMAGE_FILE);
    on(&["image", "install", text(&file), "--index", "7"]).fails(3, &["7"]);
}
