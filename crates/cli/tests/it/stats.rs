//! What containers take: `container top`, `container stats`.

use serde_json::Value;

use crate::support::{Home, IMAGE};

/// A home with a running container `web`, and `off`, which does not run.
#[track_caller]
fn home() -> Home {
    let home = Home::with_image();
    for name in ["web", "off"] {
        home.wcow(&["container", "create", IMAGE, "--name", name])
            .ok();
    }
    home.wcow(&["container", "start", "web"]).ok();
    home
}

/// The names of the fields of an item, in order of the alphabet.
#[track_caller]
fn fields(item: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = item
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn top_lists_the_processes_of_a_container() {
    let home = home();
    home.wcow(&["exec", "-d", "web", "ping", "-n", "1000", "127.0.0.1"])
        .ok();
    let table = home.wcow(&["container", "top", "web"]).ok();
    let head: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(
        head,
        ["PID", "NAME", "CPU", "PRIVATE", "WORKING", "SET"],
        "{table}"
    );
    let ping = table
        .lines()
        .find(|line| line.to_lowercase().contains("ping"));
    let cells: Vec<&str> = ping.expect("it runs").split_whitespace().collect();
    assert!(cells[0].parse::<u32>().is_ok(), "{cells:?}");
    assert!(cells[2].starts_with("0:00:0"), "{cells:?}");
    assert_eq!(cells[3..], ["1.0", "MiB"], "{table}");

    let items = home
        .wcow(&["container", "top", "web", "--format", "json"])
        .items("process");
    assert_eq!(items.len(), table.lines().count() - 1);
    for item in &items {
        assert_eq!(
            fields(item),
            [
                "commit_bytes",
                "created",
                "kernel_100ns",
                "name",
                "private_bytes",
                "process",
                "shared_bytes",
                "user_100ns"
            ]
        );
    }
}

#[test]
fn stats_of_a_pipe_are_told_once() {
    let home = home();
    let table = home.wcow(&["container", "stats"]).ok();
    let lines: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines.len(), 2, "only what runs, and once: {table}");
    assert_eq!(lines[0], ["NAME", "CPU", "%", "MEM", "PIDS", "UPTIME"]);
    assert_eq!(lines[1][0], "web");
    assert!(lines[1][1].ends_with('%'), "{table}");
    assert!(!table.contains('\u{1b}'), "{table}");
    let processes = home.wcow(&["container", "top", "web"]).ok().lines().count() - 1;
    assert_eq!(lines[1][4], processes.to_string(), "{table}");
    for words in [
        &["container", "stats", "web"][..],
        &["container", "stats", "--no-stream"],
        &["container", "stats", "--no-stream", "web"],
    ] {
        assert_eq!(home.wcow(words).ok().lines().count(), 2, "{words:?}");
    }

    let items = home
        .wcow(&["container", "stats", "--format", "json"])
        .items("stats");
    assert_eq!(items.len(), 1);
    assert_eq!(
        fields(&items[0]),
        [
            "at",
            "commit_bytes",
            "commit_peak_bytes",
            "id",
            "name",
            "private_bytes",
            "processes",
            "processor_100ns",
            "processor_share",
            "uptime_100ns"
        ]
    );
    let number = |name: &str| items[0][name].as_u64().expect("a number");
    assert_eq!(
        number("processor_share"),
        number("processor_100ns") * 10_000 / number("uptime_100ns")
    );
}

#[test]
fn what_does_not_run_is_not_measured() {
    let home = home();
    home.wcow(&["container", "top", "off"])
        .fails(4, &["Off", "wcow container start off"]);
    home.wcow(&["container", "stats", "off"])
        .fails(4, &["Off", "wcow container start off"]);
    for command in ["top", "stats"] {
        home.wcow(&["container", command, "nosuch"])
            .fails(3, &["\"nosuch\"", "web", "help: "]);
    }
    home.wcow(&["container", "top", "web", "off"])
        .fails(2, &["off"]);
    let mixed = home.wcow(&["container", "stats", "nosuch", "web", "off"]);
    mixed.ends(3);
    mixed.says(&["\"nosuch\"", "\"off\""]);
    let text = mixed.text();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("web"), "{text}");
    home.wcow(&["container", "stop", "web"]).ok();
    let none = home.wcow(&["container", "stats"]).ok();
    assert_eq!(none, "NAME  CPU %  MEM  PIDS  UPTIME\n");
}
