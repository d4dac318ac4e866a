//! Containers between commands: run, exec, the codes they end with, and what stays.

use std::io::Write;
use std::process::Stdio;

use crate::support::{Home, IMAGE};

/// A home with a running container `web`.
#[track_caller]
fn running() -> Home {
    let home = Home::with_image();
    home.wcow(&["container", "create", IMAGE, "--name", "web"])
        .ok();
    assert_eq!(home.wcow(&["container", "start", "web"]).ok(), "web\n");
    home
}

/// The status of `web`.
#[track_caller]
fn status(home: &Home) -> String {
    let items = home
        .wcow(&["container", "inspect", "web", "--format", "json"])
        .items("container");
    items[0]["status"].as_str().expect("a status").to_owned()
}

#[test]
fn run_ends_with_the_code_of_the_program() {
    let home = Home::with_image();
    for (words, code) in [
        (&["cmd", "/c", "exit", "0"][..], 0),
        (&["cmd", "/c", "exit 7"], 7),
        (&["cmd", "/c", "exit 255"], 255),
        (&["cmd", "/c", "exit 256"], 255),
        (&["nosuch"], 127),
    ] {
        let mut all = vec!["run", "--rm", IMAGE];
        all.extend(words);
        home.wcow(&all).ends(code);
    }
    home.wcow(&["run", "--rm", "nosuch", "cmd"])
        .fails(125, &["\"nosuch\"", "servercore"]);
    home.wcow(&["run", "--rm", "--network", "nosuch", IMAGE, "cmd"])
        .fails(125, &["\"nosuch\""]);
    assert_eq!(home.wcow(&["ps"]).ok().lines().count(), 1, "none is left");
}

#[test]
fn words_after_the_image_belong_to_the_program() {
    let home = Home::with_image();
    let echoed = home.wcow(&[
        "run", "--rm", IMAGE, "cmd", "/c", "echo", "--rm", "--help", "-e", "--format", "json",
    ]);
    assert_eq!(echoed.ok(), "--rm --help -e --format json\r\n");
    let home = running();
    let echoed = home.wcow(&[
        "exec", "web", "cmd", "/c", "echo", "-i", "-d", "--host", "x",
    ]);
    assert_eq!(echoed.ok(), "-i -d --host x\r\n");
    home.wcow(&["exec", "web", "--help"])
        .fails(127, &["--help"]);
}

#[test]
fn run_keeps_the_container_unless_told_otherwise() {
    let home = Home::with_image();
    home.wcow(&["run", "--name", "kept", IMAGE, "cmd", "/c", "ver"])
        .ok();
    let listed = home.wcow(&["ps"]).ok();
    assert!(
        listed.contains("kept") && listed.contains("Off"),
        "{listed}"
    );
    home.wcow(&[
        "run", "--rm", "--name", "gone", IMAGE, "cmd", "/c", "exit 3",
    ])
    .ends(3);
    assert!(!home.wcow(&["ps"]).ok().contains("gone"));
    home.wcow(&["run", "--name", "kept", IMAGE, "cmd"])
        .fails(125, &["exists already"]);
}

#[test]
fn standard_error_of_the_program_is_ours() {
    let home = Home::with_image();
    let ran = home.wcow(&["run", "--rm", IMAGE, "cmd", "/c", "echo good& type nosuch"]);
    assert_eq!(ran.text(), "good\r\n");
    assert!(ran.stderr.contains("cannot find"), "{}", ran.stderr);
    assert_eq!(ran.code, Some(1));
}

#[test]
fn containers_live_between_commands() {
    let home = running();
    assert_eq!(status(&home), "running");
    home.wcow(&["container", "start", "web"])
        .fails(4, &["Running"]);
    home.wcow(&["container", "rm", "web"])
        .fails(4, &["Running", "help: "]);
    home.wcow(&["exec", "web", "cmd", "/c", "echo hello> c:\\new.txt"])
        .ok();
    assert_eq!(
        home.wcow(&["exec", "web", "cmd", "/c", "type c:\\new.txt"])
            .ok(),
        "hello\r\n"
    );
    assert_eq!(home.wcow(&["container", "stop", "web"]).ok(), "web\n");
    assert_eq!(status(&home), "off");
    home.wcow(&["exec", "web", "cmd"])
        .fails(4, &["Off", "wcow container start web"]);
    home.wcow(&["container", "start", "web"]).ok();
    home.wcow(&["container", "kill", "web"]).ok();
    assert_eq!(home.wcow(&["container", "rm", "web"]).ok(), "web\n");
    home.wcow(&["container", "rm", "web"])
        .fails(3, &["\"web\""]);
}

#[test]
fn what_is_written_goes_with_the_container() {
    let home = running();
    home.wcow(&[
        "exec",
        "web",
        "cmd",
        "/c",
        "echo mine> c:\\Windows\\win.ini",
    ])
    .ok();
    home.wcow(&[
        "exec",
        "web",
        "cmd",
        "/c",
        "del c:\\Windows\\System32\\ping.exe",
    ])
    .ok();
    let look = "type c:\\Windows\\win.ini";
    let own = home.wcow(&["exec", "web", "cmd", "/c", look]).ok();
    assert_eq!(own, "mine\r\n");
    let others = home.wcow(&["run", "--rm", IMAGE, "cmd", "/c", look]).ok();
    assert!(others.contains("[fonts]"), "{others}");
    home.wcow(&["container", "rm", "-f", "web"]).ok();
    home.wcow(&["container", "create", IMAGE, "--name", "web"])
        .ok();
    home.wcow(&["container", "start", "web"]).ok();
    let again = home.wcow(&["exec", "web", "cmd", "/c", look]).ok();
    assert_eq!(again, others);
    home.wcow(&["exec", "web", "ping", "-n", "1", "127.0.0.1"])
        .ok();
    home.wcow(&["image", "test", IMAGE]).ok();
}

#[test]
fn a_restart_of_the_host_ends_what_runs_on_it() {
    let home = running();
    home.wcow(&["exec", "-d", "web", "ping", "-n", "1000", "127.0.0.1"])
        .ok();
    assert_eq!(status(&home), "running");
    home.wcow(&["host", "reboot"]).ok();
    assert_eq!(status(&home), "exited");
    assert!(home.wcow(&["ps"]).ok().contains("Exited"));
    home.wcow(&["exec", "web", "cmd"]).fails(4, &["Exited"]);
    home.wcow(&["container", "start", "web"]).ok();
    assert_eq!(status(&home), "running");
}

#[test]
fn a_program_takes_virtual_time_only() {
    let home = running();
    let ping = home
        .wcow(&["exec", "web", "ping", "-n", "3600", "127.0.0.1"])
        .ok();
    assert_eq!(ping.matches("Reply from").count(), 3600);
}

#[test]
fn standard_input_is_passed_on_when_asked_to() {
    let home = running();
    let mut child = home
        .command(&["exec", "-i", "web", "cmd"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    child
        .stdin
        .take()
        .expect("piped")
        .write_all(b"echo from outside\r\nexit 5\r\n")
        .expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&output.stdout).contains("\r\nfrom outside\r\n"));
}

/// A program that answers every line must be read while it is written to: pipes are shorter than this.
#[test]
fn a_program_that_answers_at_once_gets_all_of_a_long_input() {
    const LINES: usize = 1 << 8;
    let home = Home::with_image();
    for restart in [&["--rm"][..], &["--restart", "on-failure:1"]] {
        let words = [&["run", "-i"], restart, &[IMAGE, "cmd"]].concat();
        let mut child = home
            .command(&words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let mut input = child.stdin.take().expect("piped");
        let writer = std::thread::spawn(move || {
            let line = format!("echo {}\r\n", "x".repeat(1017));
            let all = [line.repeat(LINES), "exit 0\r\n".to_owned()].concat();
            assert!(all.len() > 1 << 18);
            input.write_all(all.as_bytes())
        });
        let output = child.wait_with_output().expect("it ends");
        writer.join().expect("it ends").expect("it is read");
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{errors}");
        let answer = format!("\r\n{}\r\n", "x".repeat(1017));
        assert_eq!(said.matches(&answer).count(), LINES, "{errors}");
    }
}

#[test]
fn no_more_processors_than_there_are_and_no_unknown_user() {
    let home = Home::with_image();
    let many = home.wcow(&[
        "run",
        "--rm",
        "--cpus",
        "4000",
        IMAGE,
        "cmd",
        "/c",
        "echo %NUMBER_OF_PROCESSORS%",
    ]);
    let shown = String::from_utf8_lossy(&many.stdout);
    let processors: u32 = shown.trim().parse().expect("a number");
    assert!((1..4000).contains(&processors), "{processors}");
    let warning = format!("warning: the host has {processors} processors");
    assert!(many.stderr.contains(&warning), "{}", many.stderr);
    let user = |name: &str| home.wcow(&["run", "--rm", "-u", name, IMAGE, "cmd", "/c", "ver"]);
    user(r"User Manager\containeradministrator").ok();
    for nobody in ["nobody", r"NT AUTHORITY\SYSTEM", r"X\ContainerUser"] {
        user(nobody).fails(126, &["52E", "user name or password is incorrect"]);
    }
}

#[test]
fn environment_and_folder() {
    let home = Home::with_image();
    let shown = home.wcow(&[
        "run",
        "--rm",
        "-e",
        "A=one",
        "-w",
        "C:\\Windows",
        IMAGE,
        "cmd",
        "/c",
        "echo %A%& cd",
    ]);
    assert_eq!(shown.ok(), "one\r\nC:\\Windows\r\n");
}

#[test]
fn networks_and_images_in_use_stay() {
    let home = Home::with_image();
    home.wcow(&["network", "create", "lan"]).ok();
    home.wcow(&[
        "container",
        "create",
        IMAGE,
        "--name",
        "web",
        "--network",
        "lan",
        "-p",
        "80:80",
    ])
    .ok();
    home.wcow(&["network", "rm", "lan"])
        .fails(4, &["in use", "web", "help: "]);
    home.wcow(&["image", "rm", IMAGE])
        .fails(4, &["in use", "web"]);
    home.wcow(&["network", "create", "lan"])
        .fails(4, &["exists already"]);
    home.wcow(&["container", "rm", "web"]).ok();
    home.wcow(&["network", "rm", "lan"]).ok();
    home.wcow(&["image", "rm", IMAGE]).ok();
}

#[test]
fn names_that_are_not_there_are_answered_with_those_that_are() {
    let home = running();
    home.wcow(&["network", "create", "lan"]).ok();
    for words in [
        &["container", "start", "nosuch"][..],
        &["container", "stop", "nosuch"],
        &["container", "kill", "nosuch"],
        &["container", "rm", "nosuch"],
        &["container", "inspect", "nosuch"],
        &["exec", "nosuch", "cmd"],
    ] {
        home.wcow(words).fails(3, &["\"nosuch\"", "web", "help: "]);
    }
    for words in [
        &["image", "inspect", "nosuch"][..],
        &["image", "test", "nosuch"],
        &["image", "rm", "nosuch"],
        &["container", "create", "nosuch"],
    ] {
        home.wcow(words).fails(3, &["\"nosuch\"", "servercore"]);
    }
    for words in [
        &["network", "inspect", "nosuch"][..],
        &["network", "rm", "nosuch"],
        &["container", "create", IMAGE, "--network", "nosuch"],
    ] {
        home.wcow(words).fails(3, &["\"nosuch\"", "lan"]);
    }
}

#[test]
fn one_failure_does_not_stop_the_others() {
    let home = running();
    let removed = home.wcow(&["container", "rm", "-f", "nosuch", "web"]);
    removed.ends(3);
    assert_eq!(removed.text(), "web\n");
    assert_eq!(home.wcow(&["ps"]).ok().lines().count(), 1);
}
