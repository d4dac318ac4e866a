//! `wcow host serve`: programs of other processes on a host that is kept.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use wcow_hcs_schema::hns::HnsNetwork;
use wcow_host::{ComputeApi, Identity, NetworkService};
use wcow_sim_link::{Address, Connection};

use crate::support::{Home, Ran};

const WORDS: [&str; 2] = ["host", "serve"];

/// Starts to serve; gives the program and the file that it names.
fn serve(home: &Home) -> (Child, String) {
    let mut child = home
        .command(&WORDS)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be run");
    let mut line = String::new();
    let stdout = child.stdout.as_mut().expect("it is piped");
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("a line of text");
    (child, line.trim_end().to_owned())
}

/// Asks it to stop, and waits for that.
fn stop(child: Child) {
    let sent = Command::new("kill")
        .args(["-s", "TERM", &child.id().to_string()])
        .status();
    assert!(sent.expect("kill is there").success());
    Ran::new(&WORDS, child.wait_with_output().expect("it ends")).ends(0);
}

#[test]
fn what_a_program_makes_on_a_served_host_is_kept() {
    let home = Home::new();
    let (child, path) = serve(&home);
    let address = Address::read(Path::new(&path)).expect("an address");
    let connection = Connection::open(&address, Identity::Administrator).expect("welcome");
    let host = connection.host(ComputeApi::V1);
    let network = HnsNetwork {
        name: "theirs".to_owned(),
        kind: "nat".to_owned(),
        ..HnsNetwork::default()
    };
    let made = connection
        .runner()
        .wait(async move { host.create_network(&network).await }, None)
        .expect("an answer");
    assert_eq!(made.expect("it is made").name, "theirs");
    drop(connection);
    stop(child);
    assert!(!Path::new(&path).exists());
    let (child, path) = serve(&home);
    let address = Address::read(Path::new(&path)).expect("an address");
    let connection = Connection::open(&address, Identity::Administrator).expect("welcome");
    let host = connection.host(ComputeApi::V1);
    let networks = connection
        .runner()
        .wait(async move { host.networks().await }, None)
        .expect("an answer")
        .expect("a list");
    assert!(networks.iter().any(|network| network.name == "theirs"));
    drop(connection);
    stop(child);
}

#[test]
fn what_cannot_be_served_is_refused() {
    let home = Home::new();
    home.wcow(&["host", "serve", "--speed", "0"])
        .fails(2, &["--speed", "0"]);
    let nowhere = home.path("nosuch").join("address");
    let nowhere = nowhere.to_str().expect("text");
    home.wcow(&["host", "serve", "--address", nowhere])
        .fails(1, &["nosuch", "help: name a file"]);
}
