//! Help, usage errors, pages and scripts.

use crate::support::{Home, run};

/// Every command, without its arguments.
const COMMANDS: &[&[&str]] = &[
    &["tour"],
    &["wim"],
    &["wim", "info"],
    &["wim", "ls"],
    &["wim", "cat"],
    &["wim", "extract"],
    &["wim", "verify"],
    &["image"],
    &["image", "install"],
    &["image", "ls"],
    &["image", "inspect"],
    &["image", "test"],
    &["image", "rm"],
    &["network"],
    &["network", "create"],
    &["network", "ls"],
    &["network", "inspect"],
    &["network", "rm"],
    &["container"],
    &["container", "create"],
    &["container", "start"],
    &["container", "run"],
    &["container", "exec"],
    &["container", "stop"],
    &["container", "kill"],
    &["container", "ls"],
    &["container", "inspect"],
    &["container", "top"],
    &["container", "stats"],
    &["container", "rm"],
    &["run"],
    &["exec"],
    &["ps"],
    &["host"],
    &["host", "new"],
    &["host", "ls"],
    &["host", "profiles"],
    &["host", "info"],
    &["host", "features"],
    &["host", "doctor"],
    &["host", "enable"],
    &["host", "disable"],
    &["host", "reboot"],
    &["host", "serve"],
    &["host", "rm"],
    &["sim"],
    &["sim", "replay"],
    &["sim", "catalogue"],
    &["sim", "fingerprints"],
    &["explain"],
    &["completion"],
    &["man"],
];

/// Commands that do something when nothing is said to them.
const WITHOUT_ARGUMENTS: &[&[&str]] = &[
    &["tour"],
    &["image", "ls"],
    &["network", "ls"],
    &["container", "ls"],
    &["container", "stats"],
    &["ps"],
    &["host", "ls"],
    &["host", "profiles"],
    &["host", "info"],
    &["host", "features"],
    &["host", "reboot"],
    &["host", "serve"],
    &["host", "doctor"],
    &["sim", "catalogue"],
    &["sim", "fingerprints"],
    &["man"],
];

#[test]
fn every_command_has_help_and_a_page() {
    let home = Home::new();
    for command in COMMANDS {
        let mut words = command.to_vec();
        words.push("--help");
        let help = home.wcow(&words).ok();
        assert!(help.contains("Usage: wcow"), "{help}");
        assert!(!help.contains('\u{1b}'), "{help}");
        let mut words = vec!["man"];
        words.extend(*command);
        assert!(home.wcow(&words).ok().contains(".TH "), "{words:?}");
    }
    assert!(!home.path("data").exists(), "help needs no host");
}

#[test]
fn missing_and_unknown_arguments_are_usage_errors() {
    let home = Home::new();
    home.wcow(&[]).ends(2);
    home.wcow(&["nonsense"]).fails(2, &["nonsense"]);
    home.wcow(&["man", "nonsense"]).fails(3, &["wcow nonsense"]);
    home.wcow(&["completion", "nonsense"])
        .fails(2, &["nonsense"]);
    for command in COMMANDS {
        let mut words = command.to_vec();
        words.push("--no-such-option");
        home.wcow(&words).fails(2, &["--no-such-option"]);
        if !WITHOUT_ARGUMENTS.contains(command) {
            home.wcow(command).ends(2);
        }
    }
    home.wcow(&["host", "new", "a", "--seed", "x"])
        .fails(2, &["--seed"]);
    home.wcow(&["network", "create", "a", "--subnet", "1.2.3.4/33"])
        .fails(2, &["--subnet"]);
    home.wcow(&["network", "create", "a", "--driver", "b"])
        .fails(2, &["--driver"]);
    home.wcow(&["container", "create", "a", "-p", "x"])
        .fails(2, &["--publish"]);
    home.wcow(&["container", "create", "a", "-e", "=x"])
        .fails(2, &["NAME=VALUE"]);
    home.wcow(&["ps", "--format", "xml"]).fails(2, &["xml"]);
    assert!(!home.path("data").exists(), "nothing was made");
}

#[test]
fn scripts_for_every_shell() {
    let home = Home::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(home.wcow(&["completion", shell]).ok().contains("wcow"));
    }
}

/// The sizes of pipes and the end of readers are what they are on Unix.
#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    use crate::support::{IMAGE_FILE, text};

    let home = Home::new();
    let file = home.demo(IMAGE_FILE);
    for words in [
        vec!["tour"],
        vec!["tour", "--format", "json"],
        vec!["sim", "catalogue"],
        vec![
            "wim",
            "cat",
            text(&file),
            "1",
            "Windows/System32/config/SYSTEM",
        ],
        vec!["man"],
        vec!["completion", "bash"],
    ] {
        let mut child = home
            .command(&words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let mut line = Vec::new();
        // Taken out of the child and dropped after one line: the pipe has no reader then.
        BufReader::new(child.stdout.take().expect("piped"))
            .read_until(b'\n', &mut line)
            .expect("a line");
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "",
            "wcow {words:?}"
        );
        assert!(output.status.code() <= Some(1), "wcow {words:?}");
    }
}

#[test]
fn no_colours_in_a_pipe() {
    let home = Home::new();
    for words in [vec!["sim", "run", "S3"], vec!["explain", "nothing"]] {
        let mut command = home.command(&words);
        command.env_remove("NO_COLOR");
        let ran = run(command, &words);
        assert!(!ran.text().contains('\u{1b}') && !ran.stderr.contains('\u{1b}'));
    }
}
