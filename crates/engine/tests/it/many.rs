//! Many containers: what a command reads, and that what it does not read is as it was.

use wcow_engine::{CreateContainer, Engine, Force};
use wcow_host::Operation;
use wcow_runtime::ExecSpec;
use wcow_sim::{Profile, TraceEvent};

use crate::support::{Stage, records, wanted};

/// Ticks of 100 ns in a second.
const SECOND: u64 = 10_000_000;

/// Which records a command reads that comes when the last change lies back, by their files.
fn reads<T>(stage: &Stage, command: impl FnOnce() -> T) -> Vec<String> {
    stage.sim.advance(2 * SECOND);
    reads_at_once(stage, command)
}

fn reads_at_once<T>(stage: &Stage, command: impl FnOnce() -> T) -> Vec<String> {
    stage.sim.start_trace();
    let _ = stage.sim.take_trace();
    command();
    let below = records().to_string();
    let trace = stage.sim.take_trace().into_iter();
    let read = trace.filter_map(|record| match record.event {
        TraceEvent::Call {
            operation: Operation::ReadFile,
            object,
            ..
        } if object.starts_with(&below) => Some(object),
        _ => None,
    });
    read.collect()
}

#[test]
fn a_command_reads_as_many_records_among_few_containers_as_among_many() {
    let read = [2, 20].map(|others: usize| {
        let stage = Stage::new(Profile::server_2022());
        for other in 0..others {
            stage.create("base", &format!("other{other}"));
        }
        let engine = &stage.engine;
        stage.sim.advance(2 * SECOND);
        stage.ok(engine.containers());
        let id = Some("aaaaaaaa-0000-4000-8000-000000000001".parse().unwrap());
        let one = CreateContainer {
            id,
            ..wanted("base", "one")
        };
        [
            reads(&stage, || stage.ok(engine.create_container(one))),
            reads(&stage, || stage.ok(engine.start("one"))),
            reads(&stage, || {
                stage.ok(engine.exec("one", &ExecSpec::new("cmd /c ver")))
            }),
            reads(&stage, || stage.ok(engine.inspect("one"))),
            reads(&stage, || stage.ok(engine.containers())),
            reads(&stage, || stage.ok(engine.stop("one", SECOND))),
            reads(&stage, || {
                stage.ok(engine.remove_container("one", Force::No))
            }),
            reads(&stage, || stage.ok(engine.containers())),
        ]
    });
    let [few, many] = read;
    assert_eq!(few, many);
    assert!(few[1].len() <= 3, "{few:?}");
    assert_eq!(few[7], Vec::<String>::new(), "nothing has changed");
}

/// A file system may give two writes the same time.
#[test]
fn a_record_that_was_just_written_is_read_until_its_time_lies_back() {
    let stage = Stage::new(Profile::server_2022());
    for name in ["one", "two"] {
        stage.create("base", name);
    }
    let list = || stage.ok(stage.engine.containers());
    let both = reads(&stage, list);
    assert_eq!(both.len(), 2);
    assert_eq!(reads_at_once(&stage, list), [""; 0]);
    let one = stage.ok(stage.engine.container("one"));
    stage.ok(stage.engine.start("one"));
    let of_one = |file: &String| file.contains(&one.id.0);
    for _ in 0..2 {
        let read = reads_at_once(&stage, list);
        assert!(read.len() == 1 && read.iter().all(of_one), "{read:?}");
    }
    let read = reads(&stage, list);
    assert!(read.len() == 1 && read.iter().all(of_one), "{read:?}");
    assert_eq!(reads_at_once(&stage, list), [""; 0]);
}

#[test]
fn a_record_that_comes_back_is_no_other_one() {
    let stage = Stage::new(Profile::server_2022());
    let create = || {
        let id = Some("aaaaaaaa-0000-4000-8000-000000000001".parse().unwrap());
        stage.ok(stage.engine.create_container(CreateContainer {
            id,
            ..wanted("base", "one")
        }))
    };
    let first = create();
    stage.sim.advance(2 * SECOND);
    assert_eq!(stage.ok(stage.engine.containers()), [first]);
    let other = Engine::new(stage.sim.client());
    stage.ok(other.remove_container("one", Force::No));
    stage.sim.advance(2 * SECOND);
    assert_eq!(stage.ok(stage.engine.containers()), []);
    let second = create();
    stage.sim.advance(2 * SECOND);
    assert_eq!(stage.ok(stage.engine.containers()), [second]);
}

/// Pseudo-random numbers below `bound`, by xorshift.
fn draw(state: &mut u64, bound: u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state % bound
}

#[test]
fn an_engine_that_stays_sees_what_a_new_one_sees() {
    for seed in 1..=6_u64 {
        let stage = Stage::new(Profile::server_2022());
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut done = 0;
        for step in 0..40 {
            let name = ["one", "two", "three"][usize::try_from(draw(&mut state, 3)).unwrap()];
            let other = Engine::new(stage.sim.client());
            let engine = match draw(&mut state, 2) {
                0 => &stage.engine,
                _ => &other,
            };
            let answer = match draw(&mut state, 5) {
                0 | 1 => stage
                    .sim
                    .run(engine.create_container(wanted("base", name)))
                    .unwrap()
                    .map(drop),
                2 => stage.sim.run(engine.start(name)).unwrap().map(drop),
                3 => stage.sim.run(engine.kill(name)).unwrap().map(drop),
                _ => stage
                    .sim
                    .run(engine.remove_container(name, Force::Yes))
                    .unwrap(),
            };
            done += usize::from(answer.is_ok());
            if draw(&mut state, 3) == 0 {
                stage.sim.advance(draw(&mut state, 3 * SECOND));
            }
            let fresh = Engine::new(stage.sim.client());
            assert_eq!(
                stage.ok(stage.engine.containers()),
                stage.ok(fresh.containers()),
                "seed {seed}, step {step}"
            );
        }
        assert!(done > 10, "seed {seed}: {done}");
    }
}
