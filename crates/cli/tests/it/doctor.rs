//! `wcow host doctor`: what it shows, what it does, and how it ends.

use serde_json::Value;

use crate::support::{Home, IMAGE, run};

fn items(text: &str) -> Vec<Value> {
    let page: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(page["schema"], "wcow.doctor/1");
    page["items"].as_array().expect("a list").clone()
}

#[test]
fn a_host_that_is_ready_ends_with_0() {
    let home = Home::with_image();
    home.wcow(&["network", "create", "net"]).ok();
    let text = home.wcow(&["host", "doctor"]).ok();
    let last = text.lines().last().expect("a summary");
    assert!(last.contains(" checks: 0 failures, 0 warnings, "), "{text}");
    assert!(text.starts_with("ok    windows-build, "), "{text}");
    let all = home.wcow(&["host", "doctor", "--all"]).ok();
    assert!(all.contains("ok    containers-feature: "), "{all}");
}

#[test]
fn a_failure_comes_first_and_ends_with_1() {
    let home = Home::with_image();
    home.wcow(&["host", "disable", "Containers"]).ok();
    home.wcow(&["host", "reboot"]).ok();
    let ran = home.wcow(&["host", "doctor"]);
    let text = ran.ends(1).text();
    let expected = "\
FAIL  containers-feature: The container feature (on Nano Server the package) is there
      seen     the feature Containers is off
      way out  Enable it and restart the host: wcow host enable Containers; wcow host reboot
      --fix    enable Containers, which needs a restart of the host
      explain  wcow explain compute-service-missing
";
    assert!(text.starts_with(expected), "{text}");
    ran.says(&["wcow host doctor --fix can do something about one thing"]);
    let items = items(
        &home
            .wcow(&["host", "doctor", "--format", "json"])
            .ends(1)
            .text(),
    );
    let item = items
        .iter()
        .find(|item| item["id"] == "containers-feature")
        .expect("the check");
    assert_eq!(item["outcome"], "failure");
    assert_eq!(item["causes"][0], "compute-service-missing");
    assert_eq!(item["fixes"][0]["action"], "enable-feature");
    assert_eq!(item["fixes"][0]["needs_reboot"], true);
    assert_eq!(item["done"], Value::Array(Vec::new()));
}

#[test]
fn named_checks_are_shown_in_full() {
    let home = Home::with_image();
    let expected = "\
ok    disk-space: The disk has room for images and containers
      seen     C: has 127.9 GiB free
n/a   update-level: Windows Server 2016 has revision 351 or later
      because  it is about build 14393 (Windows Server 2016)

2 checks: 0 failures, 0 warnings, 0 cannot be told, 1 ok, 1 not about this host
";
    let text = home
        .wcow(&["host", "doctor", "update-level", "disk-space"])
        .ok();
    assert_eq!(text, expected);
    home.wcow(&["host", "doctor", "disk"])
        .fails(3, &["no check \"disk\"", "--list"]);
}

#[test]
fn the_checks_are_listed() {
    let home = Home::new();
    let text = home.wcow(&["host", "doctor", "--list"]).ok();
    assert!(text.starts_with("CHECK "), "{text}");
    assert!(text.contains("\nmac-spoofing  "), "{text}");
    // No host was needed.
    assert!(!home.path("data/hosts/default").exists());
    let list = home.wcow(&["host", "doctor", "--list", "--format", "json"]);
    assert!(
        list.ok()
            .starts_with("{\"schema\":\"wcow.doctor.check/1\",")
    );
}

#[test]
fn nothing_is_set_right_without_being_asked_for() {
    let home = Home::with_image();
    home.wcow(&["host", "disable", "Containers"]).ok();
    home.wcow(&["host", "reboot"]).ok();
    home.wcow(&["host", "doctor", "--yes"]).ends(2);
    home.wcow(&["host", "doctor", "--fix"])
        .fails(2, &["enable Containers", "nothing was changed", "--yes"]);
    let features = home.wcow(&["host", "features"]).ok();
    assert!(
        features.contains("Containers  feature  off\n"),
        "{features}"
    );
    let fixed = home.wcow(&["host", "doctor", "--fix", "--yes", "--format", "json"]);
    let items = items(&fixed.ends(1).text());
    let done = |id: &str| {
        let item = items.iter().find(|item| item["id"] == id);
        item.expect("the check")["done"][0]["outcome"].clone()
    };
    assert_eq!(done("containers-feature"), "after-restart");
    home.wcow(&["host", "reboot"]).ok();
    home.wcow(&["host", "doctor"]).ok();
    home.wcow(&["host", "doctor", "--fix"]).ok();
}

#[test]
fn a_start_that_a_restart_cut_off_is_told() {
    let home = Home::with_image();
    home.wcow(&["container", "create", IMAGE, "--name", "web"])
        .ok();
    home.wcow(&["container", "start", "web"]).ok();
    home.wcow(&["host", "reboot"]).ok();
    let text = home.wcow(&["host", "doctor", "lost-systems"]).ok();
    assert!(text.starts_with("warn  lost-systems: "), "{text}");
    assert!(text.contains("container web was started"), "{text}");
}

#[test]
fn what_is_piped_has_no_colours() {
    let home = Home::with_image();
    let mut command = home.command(&["host", "doctor", "--all"]);
    command.env_remove("NO_COLOR");
    let ran = run(command, &["host", "doctor", "--all"]);
    assert!(!ran.ok().contains('\u{1b}'));
}
