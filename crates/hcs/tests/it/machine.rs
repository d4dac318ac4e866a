//! What every Windows, and Wine, tells of itself.

use std::os::windows::io::AsHandle;
use std::process::{Command, Stdio};

use wcow_hcs::machine::{Job, hardware, interfaces, new_guid, processes, routes, volumes};

#[test]
fn this_machine_has_a_disk_processors_and_memory() {
    let volumes = volumes().expect("they are listed");
    assert!(volumes.iter().any(|volume| volume.letter == 'C'));
    let hardware = hardware().expect("it is known");
    assert!(hardware.processors > 0 && hardware.memory_bytes > 1 << 20);
}

#[test]
fn lists_are_read_to_their_end() {
    let own = std::process::id();
    let processes = processes().expect("they are listed");
    assert!(processes.iter().any(|process| process.id == own));
    for route in routes().expect("they are listed") {
        assert!(route.prefix_length <= 32);
    }
    for interface in interfaces().expect("they are listed") {
        assert!(!interface.name.is_empty());
        assert!(interface.addresses.iter().all(|(_, length)| *length <= 32));
    }
}

#[test]
fn guids_differ() {
    let [a, b] = [new_guid(), new_guid()].map(|guid| guid.expect("combase.dll makes them"));
    assert_ne!(a, b);
}

/// A process that would wait for ever ends with its job, and what it is told by `end` is its exit code.
#[test]
fn processes_end_with_their_job() {
    let wait = || {
        let mut command = Command::new("cmd.exe");
        command
            .args(["/c", "pause"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        command.spawn().expect("every Windows has it")
    };
    let mut told = wait();
    let job = Job::new().expect("there is room");
    job.add(told.as_handle()).expect("it runs");
    job.end(7).expect("it may be ended");
    assert_eq!(told.wait().expect("it has ended").code(), Some(7));
    let mut dropped = wait();
    // Kept open: the end of its input would end the program too.
    let input = dropped.stdin.take();
    let job = Job::new().expect("there is room");
    job.add(dropped.as_handle()).expect("it runs");
    drop(job);
    assert!(dropped.wait().is_ok());
    drop(input);
}
