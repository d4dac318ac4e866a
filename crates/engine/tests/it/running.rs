//! The main process of a container: followed, waited for, collected; what it wrote.

use std::sync::Arc;

use wcow_engine::{
    Action, ContainerStatus, CreateContainer, Engine, EngineError, Flow, Followed, Force, LogQuery,
    Settings,
};
use wcow_host::{Clock, FileSystem, Host, Operation, Output};
use wcow_ntmeta::{FileTime, HostPath};
use wcow_sim::{
    FaultPlan, FaultRule, GuestCall, GuestNext, GuestProgram, GuestReply, Profile, SimHost, What,
    When,
};

use crate::support::{Stage, wanted};

/// Ticks of 100 ns in a second.
const SECOND: u64 = 10_000_000;
/// What ends with a container that is shut down.
const CONTROL_C_EXIT: u32 = 0xC000_013A;

fn profiles() -> [Profile; 2] {
    [Profile::core_tp3(), Profile::server_2022()]
}

fn with_command(command: &str) -> CreateContainer {
    CreateContainer {
        settings: Settings {
            command: Some(command.to_owned()),
            ..Settings::default()
        },
        ..wanted("base", "one")
    }
}

/// A host with a container `one` that runs this.
#[track_caller]
fn stage(profile: Profile, command: &str) -> Stage {
    let stage = Stage::new(profile);
    stage.ok(stage.engine.create_container(with_command(command)));
    stage
}

/// Follows to the end: the exit code, and what was written.
#[track_caller]
fn follow(stage: &Stage) -> (Option<u32>, String) {
    let mut text = Vec::new();
    let followed = stage.ok(stage.engine.follow("one", |_, bytes| {
        text.extend_from_slice(bytes);
        Flow::Go
    }));
    let Followed::Ended(exit) = followed else {
        panic!("{followed:?}")
    };
    (exit.code, String::from_utf8(text).unwrap())
}

/// The log as text.
#[track_caller]
fn log(stage: &Stage, query: &LogQuery) -> String {
    let lines = stage.ok(stage.engine.logs("one", query));
    let bytes: Vec<u8> = lines.into_iter().flat_map(|line| line.bytes).collect();
    String::from_utf8(bytes).unwrap()
}

fn status(stage: &Stage) -> (ContainerStatus, Option<Option<u32>>) {
    let one = stage.ok(stage.engine.container("one"));
    (one.status, one.exit.map(|exit| exit.code))
}

#[test]
fn a_container_ends_with_its_main_process() {
    for profile in profiles() {
        let stage = stage(profile, "cmd /c \"echo hello& exit 3\"");
        assert_eq!(status(&stage), (ContainerStatus::Off, None));
        stage.ok(stage.engine.start("one"));
        assert_eq!(follow(&stage), (Some(3), "hello\r\n".to_owned()));
        assert_eq!(status(&stage), (ContainerStatus::Off, Some(Some(3))));
        assert_eq!(stage.sim.attached_layers(), Vec::new());
        // It is known afterwards, too.
        assert_eq!(follow(&stage), (Some(3), String::new()));
        assert_eq!(stage.ok(stage.engine.wait("one")).code, Some(3));
        assert_eq!(log(&stage, &LogQuery::default()), "hello\r\n");
        let told: Vec<Action> = stage
            .ok(stage.engine.events(FileTime::ZERO))
            .into_iter()
            .filter(|event| event.name == "one")
            .map(|event| event.action)
            .collect();
        let died = Action::Died { code: Some(3) };
        assert_eq!(told, [Action::Created, Action::Started, died]);
        // The log goes on with the next run, and goes with the container.
        stage.ok(stage.engine.start("one"));
        follow(&stage);
        assert_eq!(log(&stage, &LogQuery::default()), "hello\r\nhello\r\n");
        stage.ok(stage.engine.remove_container("one", Force::No));
        assert_eq!(logs(&stage), Vec::<String>::new());
        assert_eq!(stage.traces(), Vec::<String>::new());
    }
}

/// The folders of logs.
fn logs(stage: &Stage) -> Vec<String> {
    let folder = HostPath::parse(r"C:\ProgramData\wcow\logs").unwrap();
    let listed = stage.engine.host().files().list(&folder);
    let listed = stage.sim.run(listed).unwrap().unwrap_or_default();
    listed.iter().map(|entry| entry.name.to_string()).collect()
}

#[test]
fn a_main_process_that_cannot_be_run_leaves_the_container_off() {
    for profile in profiles() {
        let stage = stage(profile, "nosuch.exe");
        let error = stage.err(stage.engine.start("one"));
        assert!(matches!(error, EngineError::Program { .. }), "{error:?}");
        let code = error.host_error().and_then(|error| error.hresult());
        assert_eq!(code.unwrap().to_string(), "0x80070002");
        assert_eq!(status(&stage), (ContainerStatus::Off, None));
        assert_eq!(stage.sim.attached_layers(), Vec::new());
        stage.ok(stage.engine.remove_container("one", Force::No));
        assert_eq!(stage.traces(), Vec::<String>::new());
    }
}

#[test]
fn a_container_without_a_command_has_nothing_to_wait_for() {
    let stage = Stage::new(Profile::server_2022());
    stage.create("base", "one");
    stage.ok(stage.engine.start("one"));
    for error in [
        stage.err(stage.engine.follow("one", |_, _| Flow::Go)),
        stage.err(stage.engine.wait("one")),
        stage.err(stage.engine.give_input("one", b"x")),
    ] {
        assert_eq!(
            error.to_string(),
            "container \"one\" has no main process: it was created without a command"
        );
        assert_eq!(error.exit_code(), 4);
    }
    assert_eq!(log(&stage, &LogQuery::default()), "");
}

#[test]
fn what_a_detached_program_wrote_is_collected_later() {
    for profile in profiles() {
        let stage = stage(profile, "ping -n 3 127.0.0.1");
        stage.ok(stage.engine.start("one"));
        stage.sim.advance(SECOND + SECOND / 2);
        let early = log(&stage, &LogQuery::default());
        assert_eq!(early.matches("Reply").count(), 2, "{early}");
        assert_eq!(status(&stage), (ContainerStatus::Running, None));
        stage.sim.advance(60 * SECOND);
        // Nobody was there: its end is seen, and its code is read when it is collected.
        assert_eq!(status(&stage), (ContainerStatus::Exited, None));
        let late = log(&stage, &LogQuery::default());
        assert_eq!(late.matches("Reply").count(), 3, "{late}");
        assert!(late.starts_with(&early), "{late}");
        assert_eq!(status(&stage), (ContainerStatus::Off, Some(Some(0))));
        stage.ok(stage.engine.start("one"));
    }
}

#[test]
fn what_is_stopped_or_killed_is_in_the_log_to_the_end() {
    for profile in profiles() {
        let stage = stage(profile, "ping -n 1000 127.0.0.1");
        stage.ok(stage.engine.start("one"));
        stage.sim.advance(10 * SECOND);
        stage.ok(stage.engine.stop("one", 10 * SECOND));
        assert_eq!(
            status(&stage),
            (ContainerStatus::Off, Some(Some(CONTROL_C_EXIT)))
        );
        let first = log(&stage, &LogQuery::default());
        assert!(first.matches("Reply").count() >= 10, "{first}");
        stage.ok(stage.engine.restart("one", SECOND));
        stage.sim.advance(10 * SECOND);
        stage.ok(stage.engine.kill("one"));
        assert_eq!(status(&stage), (ContainerStatus::Off, Some(Some(1067))));
        let both = log(&stage, &LogQuery::default());
        assert!(both.len() >= 2 * first.len() - 100, "{both}");
    }
}

#[test]
fn another_engine_learns_of_the_end_and_not_of_the_code() {
    for profile in profiles() {
        let stage = stage(profile, "ping -n 3 127.0.0.1");
        let starter = stage.sim.client();
        let started = Engine::new(starter.clone());
        stage.ok(started.start("one"));
        // It cannot read the pipes.
        assert_eq!(log(&stage, &LogQuery::default()), "");
        assert_eq!(status(&stage), (ContainerStatus::Running, None));
        assert_eq!(stage.ok(stage.engine.wait("one")).code, None);
        assert_eq!(status(&stage), (ContainerStatus::Off, Some(None)));
    }
}

#[test]
fn a_restart_of_the_host_ends_a_main_process_without_a_code() {
    for profile in profiles() {
        let stage = stage(profile, "ping -n 1000 127.0.0.1");
        stage.ok(stage.engine.start("one"));
        stage.ok(stage.engine.reboot());
        assert_eq!(status(&stage), (ContainerStatus::Exited, None));
        stage.ok(stage.engine.start("one"));
        assert_eq!(status(&stage), (ContainerStatus::Running, None));
        stage.ok(stage.engine.reboot());
        stage.ok(stage.engine.stop("one", SECOND));
        assert_eq!(status(&stage), (ContainerStatus::Off, Some(None)));
    }
}

#[test]
fn who_follows_is_told_when_another_command_stops_it() {
    for profile in profiles() {
        for seed in 0..6 {
            let stage = Stage::seeded(profile.clone(), seed).with_base();
            let command = "ping -n 1000 127.0.0.1";
            stage.ok(stage.engine.create_container(with_command(command)));
            let host: SimHost = stage.engine.host().clone();
            let follower = Arc::new(Engine::new(host.clone()));
            stage.ok(follower.start("one"));
            let follow = stage.sim.spawn({
                let follower = Arc::clone(&follower);
                async move { follower.follow("one", |_, _| Flow::Go).await }
            });
            let waiter = stage.sim.spawn({
                let follower = Arc::clone(&follower);
                async move {
                    let clock = follower.host().clock();
                    let later = clock.now().ticks() + SECOND;
                    clock.sleep_until(FileTime::from_ticks(later)).await;
                    follower.wait("one").await
                }
            });
            let stopper = Engine::new(stage.sim.client());
            let stop = stage.sim.spawn(async move {
                let clock = stopper.host().clock();
                let later = clock.now().ticks() + 5 * SECOND + 1000 * seed;
                clock.sleep_until(FileTime::from_ticks(later)).await;
                stopper.stop("one", 10 * SECOND).await
            });
            let answers = stage
                .sim
                .run(async { (follow.await, waiter.await, stop.await) })
                .unwrap();
            let Followed::Ended(exit) = answers.0.unwrap() else {
                panic!("it was left")
            };
            assert_eq!(exit.code, Some(CONTROL_C_EXIT), "seed {seed}");
            answers.1.unwrap();
            answers.2.unwrap();
            assert_eq!(status(&stage).0, ContainerStatus::Off);
            assert_eq!(stage.sim.attached_layers(), Vec::new());
            stage.ok(stage.engine.remove_container("one", Force::No));
            assert_eq!(stage.traces(), Vec::<String>::new());
        }
    }
}

/// Writes lines of 4000 bytes, and odd ones to standard error; ends after 500.
struct Chatty;

impl GuestProgram for Chatty {
    fn run(&self, call: GuestCall) -> GuestReply {
        let mut line = format!("line {} ", call.step).into_bytes();
        line.resize(3998, b'.');
        line.extend(b"\r\n");
        let next = if call.step == 500 {
            GuestNext::Exit(0)
        } else {
            GuestNext::Sleep(SECOND / 10)
        };
        let (out, err) = if call.step.is_multiple_of(2) {
            (line, Vec::new())
        } else {
            (Vec::new(), line)
        };
        GuestReply { out, err, next }
    }
}

#[test]
fn a_log_is_bounded_and_keeps_the_newest() {
    let stage = Stage::new(Profile::server_2022());
    stage.sim.register_program("chatty", Arc::new(Chatty));
    stage.ok(stage.engine.create_container(with_command("chatty")));
    let id = stage.ok(stage.engine.start("one")).id;
    assert_eq!(follow(&stage).0, Some(0));
    let folder = HostPath::parse(r"C:\ProgramData\wcow\logs")
        .unwrap()
        .join(&id.0);
    let listed = stage.engine.host().files().list(&folder);
    let listed = stage.sim.run(listed).unwrap().unwrap();
    assert_eq!(listed.len(), 16);
    let bytes: u64 = listed.iter().map(|entry| entry.metadata.len).sum();
    assert!(bytes <= 16 * (64 + 5) * 1024, "{bytes}");
    let lines = stage.ok(stage.engine.logs("one", &LogQuery::default()));
    assert!(lines.len() > 200, "{}", lines.len());
    for (line, number) in lines.iter().rev().zip((0..=500).rev()) {
        let expected = format!("line {number} ");
        assert!(line.bytes.starts_with(expected.as_bytes()), "{number}");
        assert_eq!(line.bytes.len(), 4000);
        let stream = if number % 2 == 0 {
            Output::Out
        } else {
            Output::Err
        };
        assert_eq!(line.stream, stream);
    }
    let tail = LogQuery {
        tail: Some(2),
        ..LogQuery::default()
    };
    assert_eq!(
        stage.ok(stage.engine.logs("one", &tail)),
        lines[lines.len() - 2..]
    );
    let since = LogQuery {
        since: lines[lines.len() - 3].at,
        ..LogQuery::default()
    };
    assert_eq!(
        stage.ok(stage.engine.logs("one", &since)),
        lines[lines.len() - 3..]
    );
}

/// Writes bytes that are no text, half a line at a time.
struct Odd;

impl GuestProgram for Odd {
    fn run(&self, call: GuestCall) -> GuestReply {
        let (out, next) = match call.step {
            0 => (vec![0xE4, 0xFF, 0], GuestNext::Sleep(SECOND)),
            1 => (b"rest\nno end".to_vec(), GuestNext::Sleep(SECOND)),
            _ => (Vec::new(), GuestNext::Exit(0)),
        };
        GuestReply {
            out,
            err: Vec::new(),
            next,
        }
    }
}

#[test]
fn a_log_keeps_bytes_that_are_no_text_and_puts_lines_together() {
    let stage = Stage::new(Profile::server_2022());
    stage.sim.register_program("odd", Arc::new(Odd));
    stage.ok(stage.engine.create_container(with_command("odd")));
    stage.ok(stage.engine.start("one"));
    stage.ok(stage.engine.wait("one"));
    let lines = stage.ok(stage.engine.logs("one", &LogQuery::default()));
    let bytes: Vec<&[u8]> = lines.iter().map(|line| &line.bytes[..]).collect();
    assert_eq!(bytes, [&b"\xE4\xFF\0rest\n"[..], b"no end"]);
}

#[test]
fn a_torn_log_is_read_as_far_as_it_goes() {
    let stage = stage(Profile::server_2022(), "cmd /c echo hello");
    let id = stage.ok(stage.engine.start("one")).id;
    stage.ok(stage.engine.wait("one"));
    let file = HostPath::parse(&format!(r"C:\ProgramData\wcow\logs\{id}\00000001.log")).unwrap();
    let files = stage.engine.host().files();
    let whole = stage.sim.run(files.read(&file, 1 << 20)).unwrap().unwrap();
    for cut in [0, 1, whole.len() / 2, whole.len() - 2] {
        let torn = [&whole[..], &whole[..cut]].concat();
        let write = files.write(&file, &torn, wcow_host::WriteMode::Overwrite);
        stage.sim.run(write).unwrap().unwrap();
        assert_eq!(log(&stage, &LogQuery::default()), "hello\r\n");
        stage.ok(stage.engine.start("one"));
        stage.ok(stage.engine.wait("one"));
        assert_eq!(log(&stage, &LogQuery::default()), "hello\r\nhello\r\n");
    }
}

#[test]
fn standard_input_is_given_to_a_main_process() {
    for profile in profiles() {
        let stage = Stage::new(profile);
        let mut asked = with_command("cmd");
        asked.settings.stdin = true;
        stage.ok(stage.engine.create_container(asked));
        stage.ok(stage.engine.start("one"));
        stage.ok(stage.engine.give_input("one", b"exit 5\r\n"));
        assert_eq!(follow(&stage).0, Some(5));
    }
}

#[test]
fn the_journal_is_bounded() {
    let stage = stage(Profile::server_2022(), "cmd /c exit 0");
    for _ in 0..120 {
        stage.ok(stage.engine.start("one"));
        stage.ok(stage.engine.wait("one"));
    }
    let events = stage.ok(stage.engine.events(FileTime::ZERO));
    assert!((200..=320).contains(&events.len()), "{}", events.len());
    let last = events.last().unwrap();
    assert_eq!(last.action, Action::Died { code: Some(0) });
    let late = stage.ok(stage.engine.events(last.at));
    assert_eq!(late, std::slice::from_ref(last));
}

/// What a read of a pipe gives may come after somebody has removed the container, and its log with it.
#[test]
fn who_follows_a_container_that_is_removed_is_not_told_of_its_log() {
    for number in 1..=6 {
        let stage = Stage::new(Profile::server_2022());
        let command = "ping -n 5 127.0.0.1";
        stage.ok(stage.engine.create_container(with_command(command)));
        stage.ok(stage.engine.start("one"));
        stage.sim.set_faults(FaultPlan {
            rules: vec![FaultRule {
                when: When::Nth {
                    operation: Operation::ProcessPipe,
                    number,
                },
                what: What::Late(30 * SECOND),
            }],
            budget: 1,
        });
        let other = Engine::new(stage.sim.client());
        let removed = stage.sim.spawn(async move {
            let clock = other.host().clock();
            let later = clock.now().ticks() + 6 * SECOND;
            clock.sleep_until(FileTime::from_ticks(later)).await;
            other.remove_container("one", Force::Yes).await
        });
        let followed = stage
            .sim
            .run(stage.engine.follow("one", |_, _| Flow::Go))
            .unwrap();
        assert!(
            matches!(followed, Ok(Followed::Ended(_))),
            "read {number}: {followed:?}"
        );
        stage.sim.run(removed).unwrap().unwrap();
        assert_eq!(stage.traces(), Vec::<String>::new());
    }
}
