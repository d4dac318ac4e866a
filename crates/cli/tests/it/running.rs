//! Main processes between commands: detached, logged, waited for, started again.

use serde_json::Value;

use crate::support::{Home, IMAGE};

/// What `container inspect` says of `web`.
#[track_caller]
fn inspect(home: &Home) -> Value {
    home.wcow(&["container", "inspect", "web", "--format", "json"])
        .items("container")
        .remove(0)
}

/// The program with so many seconds between the commands.
#[track_caller]
fn later(home: &Home, seconds: &str, words: &[&str]) -> crate::support::Ran {
    let mut command = home.command(words);
    command.env("WCOW_ELAPSED", seconds);
    crate::support::run(command, words)
}

#[test]
fn a_detached_program_goes_on_between_commands_and_its_output_waits() {
    let home = Home::with_image();
    let started = home.wcow(&[
        "run",
        "-d",
        "--name",
        "web",
        IMAGE,
        "ping",
        "-n",
        "5",
        "127.0.0.1",
    ]);
    assert_eq!(started.ok(), "web\n");
    assert_eq!(inspect(&home)["status"], "running");
    assert!(inspect(&home)["process"].is_u64());
    let early = later(&home, "2", &["logs", "web"]).ok();
    let replies = early.matches("Reply").count();
    assert!((2..=3).contains(&replies), "{early}");
    assert_eq!(
        later(&home, "60", &["container", "wait", "web"]).ok(),
        "0\n"
    );
    let all = home.wcow(&["container", "logs", "web"]).ok();
    assert_eq!(all.matches("Reply").count(), 5, "{all}");
    assert!(all.starts_with(&early), "{all}");
    let web = inspect(&home);
    assert_eq!(web["status"], "off");
    assert_eq!(web["exit"]["code"], 0);
    assert!(home.wcow(&["ps"]).ok().contains("Off (0)"));
    // It is started again with the same program.
    assert_eq!(
        home.wcow(&["container", "start", "-a", "web"])
            .ok()
            .matches("Reply")
            .count(),
        5
    );
    let tail = home.wcow(&["logs", "-n", "1", "--timestamps", "web"]).ok();
    assert_eq!(tail.lines().count(), 1, "{tail}");
    assert!(tail.starts_with("20"), "{tail}");
    let lines = home
        .wcow(&["logs", "--format", "json", "web"])
        .items("container.log");
    assert!(lines.len() > 10);
    assert_eq!(lines[0]["stream"], "out");
    assert!(lines[1]["text"].as_str().unwrap().ends_with("\r\n"));
}

#[test]
fn logs_are_followed_to_the_end() {
    let home = Home::with_image();
    home.wcow(&[
        "run",
        "-d",
        "--name",
        "web",
        IMAGE,
        "ping",
        "-n",
        "5",
        "127.0.0.1",
    ])
    .ok();
    let all = later(&home, "2", &["logs", "-f", "web"]).ok();
    assert_eq!(all.matches("Reply").count(), 5, "{all}");
    assert_eq!(home.wcow(&["logs", "web"]).ok(), all);
    let since = home.wcow(&["logs", "--since", "2s", "web"]).ok();
    assert!(since.len() < all.len());
    home.wcow(&["logs", "--since", "soon", "web"])
        .fails(2, &["\"soon\"", "1h30m"]);
    home.wcow(&["logs", "nosuch"])
        .fails(3, &["\"nosuch\"", "web"]);
}

#[test]
fn an_attached_command_gives_the_code_and_the_log_keeps_the_output() {
    let home = Home::with_image();
    let ran = home.wcow(&[
        "run",
        "--name",
        "web",
        IMAGE,
        "cmd",
        "/c",
        "echo good& type nosuch& exit 7",
    ]);
    ran.ends(7);
    assert_eq!(ran.text(), "good\r\n");
    assert!(ran.stderr.contains("cannot find"), "{}", ran.stderr);
    let logged = home.wcow(&["logs", "web"]);
    assert_eq!(logged.text(), "good\r\n");
    assert!(logged.stderr.contains("cannot find"), "{}", logged.stderr);
    home.wcow(&["container", "attach", "web"]).ends(7);
    home.wcow(&["container", "start", "-a", "web"]).ends(7);
}

#[test]
fn a_container_ends_with_its_program_and_stops_when_told() {
    let home = Home::with_image();
    let create = [
        "container",
        "create",
        "--stop-timeout",
        "3",
        IMAGE,
        "--name",
        "web",
        "ping",
        "-n",
        "1000",
        "127.0.0.1",
    ];
    assert_eq!(home.wcow(&create).ok(), "web\n");
    assert_eq!(inspect(&home)["command"], "ping -n 1000 127.0.0.1");
    home.wcow(&["container", "wait", "web"]).fails(4, &["Off"]);
    home.wcow(&["container", "start", "web"]).ok();
    later(&home, "5", &["stop", "web"]).ok();
    let web = inspect(&home);
    assert_eq!(web["exit"]["code"], 0xC000_013A_u32);
    assert_eq!(web["stopped"], true);
    assert!(home.wcow(&["logs", "web"]).ok().matches("Reply").count() >= 5);
    home.wcow(&["container", "restart", "-t", "1", "web"]).ok();
    assert_eq!(inspect(&home)["status"], "running");
    home.wcow(&["container", "kill", "--signal", "int", "web"])
        .ok();
    assert_eq!(
        home.wcow(&["container", "wait", "web"]).ok(),
        "3221225786\n"
    );
    home.wcow(&["container", "kill", "-s", "term", "web"])
        .fails(4, &["Off"]);
    home.wcow(&["container", "kill", "-s", "nosuch", "web"])
        .ends(2);
}

#[test]
fn what_is_not_there_ends_as_docker_has_it() {
    let home = Home::with_image();
    home.wcow(&["run", "--name", "web", IMAGE, "nosuch.exe"])
        .ends(127);
    assert_eq!(inspect(&home)["status"], "off");
    home.wcow(&["container", "start", "web"])
        .fails(1, &["nosuch.exe"]);
    home.wcow(&["run", "-d", "--rm", IMAGE, "cmd"]).ends(2);
    home.wcow(&["run", "--rm", "--restart", "always", IMAGE, "cmd"])
        .fails(2, &["--restart"]);
    home.wcow(&["run", "--restart", "sometimes", IMAGE, "cmd"])
        .ends(2);
}

#[test]
fn a_failing_program_is_started_again() {
    let home = Home::with_image();
    let ran = home.wcow(&[
        "run",
        "--name",
        "web",
        "--restart",
        "on-failure:2",
        IMAGE,
        "cmd",
        "/c",
        "echo try& exit 3",
    ]);
    ran.ends(3);
    assert_eq!(ran.text(), "try\r\ntry\r\ntry\r\n");
    ran.says(&[
        "web ended with exit code 3",
        "started again in 0.1 s",
        "started again in 0.2 s",
    ]);
    let web = inspect(&home);
    assert_eq!(web["restarts"], 2);
    home.wcow(&[
        "container",
        "create",
        IMAGE,
        "--name",
        "always",
        "--restart",
        "always",
        "cmd",
        "/c",
        "exit 0",
    ])
    .ok();
    home.wcow(&[
        "container",
        "create",
        IMAGE,
        "--name",
        "never",
        "cmd",
        "/c",
        "exit 0",
    ])
    .ok();
    let supervised = home.wcow(&["container", "supervise", "--max-restarts", "3"]);
    assert_eq!(supervised.ok(), "");
    supervised.says(&[
        "always started",
        "always ended with exit code 0",
        "again in 0.4 s",
    ]);
    assert!(
        !supervised.stderr.contains("never"),
        "{}",
        supervised.stderr
    );
}

#[test]
fn options_reach_the_program() {
    let home = Home::with_image();
    let shown = home.wcow(&[
        "run",
        "--rm",
        "-h",
        "pump-1",
        "-u",
        "ContainerUser",
        "--cpus",
        "1",
        "-m",
        "512M",
        "-l",
        "tier=web",
        IMAGE,
        "cmd",
        "/c",
        "echo %COMPUTERNAME% %USERNAME% %NUMBER_OF_PROCESSORS%",
    ]);
    assert_eq!(shown.ok(), "PUMP-1 ContainerUser 1\r\n");
    home.wcow(&[
        "container",
        "create",
        IMAGE,
        "--name",
        "web",
        "--cpu-percent",
        "50",
        "-l",
        "tier=web",
        "-l",
        "blue",
        "-v",
        r"C:\data:C:\inside:ro",
    ])
    .ok();
    let web = inspect(&home);
    assert_eq!(web["processors"]["limit"], 5000);
    assert_eq!(web["labels"]["tier"], "web");
    assert_eq!(web["mounts"][0]["access"], "read-only");
    let text = home.wcow(&["container", "inspect", "web"]).ok();
    assert!(
        text.contains("50.00 % of all") && text.contains(r"C:\data:C:\inside:ro"),
        "{text}"
    );
    home.wcow(&[
        "container",
        "create",
        IMAGE,
        "--cpus",
        "2",
        "--cpu-shares",
        "100",
    ])
    .fails(2, &["count (2) and weight (100)", "help: "]);
    home.wcow(&["container", "create", IMAGE, "--cpus", "1.5"])
        .ends(2);
    home.wcow(&["container", "create", IMAGE, "--cpu-shares", "0"])
        .fails(2, &["weight"]);
    home.wcow(&["container", "create", IMAGE, "-v", "data"])
        .ends(2);
    home.wcow(&["container", "create", IMAGE, "-h", "_"])
        .fails(2, &["host name"]);
    home.wcow(&["container", "create", "--help"]).ok();
}

#[test]
fn a_folder_of_the_host_outlives_its_containers() {
    let home = Home::with_image();
    let mount = r"C:\shared:C:\data";
    home.wcow(&[
        "run",
        "--rm",
        "-v",
        mount,
        IMAGE,
        "cmd",
        "/c",
        r"echo kept> C:\data\a.txt",
    ])
    .ok();
    let read = home.wcow(&[
        "run",
        "--rm",
        "-v",
        r"C:\shared:C:\other:ro",
        IMAGE,
        "cmd",
        "/c",
        r"type C:\other\a.txt",
    ]);
    assert_eq!(read.ok(), "kept\r\n");
}

#[test]
fn lists_are_filtered() {
    let home = Home::with_image();
    home.wcow(&[
        "container",
        "create",
        IMAGE,
        "--name",
        "web",
        "-l",
        "tier=front",
    ])
    .ok();
    home.wcow(&[
        "container",
        "create",
        IMAGE,
        "--name",
        "db",
        "-l",
        "tier=back",
    ])
    .ok();
    home.wcow(&["container", "start", "db"]).ok();
    home.wcow(&["run", "--name", "job", IMAGE, "cmd", "/c", "exit 4"])
        .ends(4);
    for (filter, names) in [
        ("name=w", "web\n"),
        ("status=running", "db\n"),
        ("status=off", "job\nweb\n"),
        ("label=tier", "db\nweb\n"),
        ("label=tier=back", "db\n"),
        ("exited=4", "job\n"),
        ("ancestor=servercore", "db\njob\nweb\n"),
        ("network=none", ""),
    ] {
        let listed = home.wcow(&["container", "ls", "-a", "-q", "--filter", filter]);
        assert_eq!(listed.ok(), names, "{filter}");
    }
    home.wcow(&["ps", "--filter", "colour=blue"]).ends(2);
    assert_eq!(
        home.wcow(&["container", "prune"]).ok(),
        "container job\ncontainer web\n"
    );
    let left = home.wcow(&["ps", "--format", "json"]).items("container");
    assert_eq!(left.len(), 1);
}

#[test]
fn events_tell_what_happened() {
    let home = Home::with_image();
    home.wcow(&["network", "create", "lan"]).ok();
    home.wcow(&[
        "run",
        "--name",
        "web",
        "--network",
        "lan",
        IMAGE,
        "cmd",
        "/c",
        "exit 9",
    ])
    .ends(9);
    home.wcow(&["container", "rm", "web"]).ok();
    home.wcow(&["network", "rm", "lan"]).ok();
    let events = home.wcow(&["events", "--format", "json"]).items("event");
    let told: Vec<String> = events
        .iter()
        .map(|event| {
            format!(
                "{} {}",
                event["name"].as_str().unwrap(),
                event["action"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        told[1..],
        [
            "lan created",
            "web created",
            "web started",
            "web died",
            "web removed",
            "lan removed"
        ]
    );
    assert_eq!(events[4]["code"], 9);
    let text = home.wcow(&["events", "--since", "1d"]).ok();
    assert!(text.contains("died, exit code 9"), "{text}");
}

#[test]
fn isolation_that_the_image_or_the_host_cannot_give_is_refused_with_a_sentence() {
    let home = Home::with_image();
    home.wcow(&[
        "run",
        "--rm",
        "--isolation",
        "hyperv",
        IMAGE,
        "cmd",
        "/c",
        "ver",
    ])
    .fails(125, &["utility virtual machine"]);
    home.wcow(&["container", "create", IMAGE, "--name", "web"])
        .ok();
    home.wcow(&["container", "start", "web"]).ok();
    home.wcow(&["container", "pause", "web"])
        .fails(1, &["0x80070032", "help: Use Hyper-V isolation to pause"]);
    home.wcow(&["container", "resume", "web"])
        .fails(4, &["Running", "Paused"]);
}

#[test]
fn what_will_not_run_is_said_before_the_host_says_it() {
    let home = Home::new();
    home.wcow(&["host", "new", "lab", "--profile", "server-2022"])
        .ok();
    let file = home.demo("WindowsServerCore.wim");
    let lab = |words: &[&str]| {
        let words = [&["--host", "sim:lab"][..], words].concat();
        home.wcow(&words)
    };
    lab(&["image", "install", crate::support::text(&file)]).ok();
    let ran = lab(&["run", "--rm", "WindowsServerCore", "cmd"]);
    ran.ends(125);
    ran.says(&[
        "warning: container",
        "10514",
        "20348",
        "HCS_E_IMAGE_MISMATCH",
    ]);
    let warned = ran.stderr.find("warning:").unwrap();
    assert!(warned < ran.stderr.find("error:").unwrap());
}

#[test]
fn a_wim_with_a_utility_virtual_machine_runs_isolated_by_hyper_v() {
    let home = Home::new();
    let file = home.demo("servercore-20348-hyperv.wim");
    home.wcow(&["image", "install", crate::support::text(&file)])
        .ok();
    let isolated = |words: &[&str]| {
        let start = ["run", "--isolation", "hyperv"];
        home.wcow(&[&start[..], words].concat())
    };
    let seen = isolated(&["--rm", "servercore-hyperv", "cmd", "/c", "dir", r"C:\"]).ok();
    assert!(
        seen.contains("Windows") && !seen.contains("UtilityVM"),
        "{seen}"
    );
    isolated(&[
        "-d",
        "--name",
        "web",
        "servercore-hyperv",
        "ping",
        "-t",
        "localhost",
    ])
    .ok();
    home.wcow(&["container", "pause", "web"]).ok();
    assert!(home.wcow(&["ps"]).ok().contains("Paused"));
    home.wcow(&["exec", "web", "cmd"]).fails(4, &["Paused"]);
    home.wcow(&["container", "resume", "web"]).ok();
    home.wcow(&["exec", "web", "cmd", "/c", "exit 3"]).ends(3);
    home.wcow(&["stop", "web"]).ok();
    // What a console signal ends with is an NTSTATUS, and shown as one.
    assert!(home.wcow(&["ps"]).ok().contains("Off (0xC000013A)"));
    isolated(&["--rm", "-m", "64M", "servercore-hyperv", "cmd", "/c", "ver"])
        .fails(125, &["0xC0370106", "unexpected-exit"]);
}
