//! Much on standard input and output, and clients and programs that do not read.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use wcow_host::Output;
use wcow_host::client::beside;
use wcow_runtime::{ExecSpec, Process};
use wcow_sim::{GuestCall, GuestNext, GuestProgram, GuestReply, Profile, SimHost};

use crate::support::*;

const PIECE: usize = 64 << 10;
/// What may be under way between the two sides at any time, in bytes.
const BUDGET: usize = 6 * PIECE;
/// A hundred million bytes and a little.
const PIECES: usize = 1_526;

fn running(name: &str, program: impl GuestProgram + 'static) -> Stage {
    let stage = Stage::new(Profile::server_2022());
    let created = stage.create(None);
    stage.start(&created);
    stage.sim.register_program(name, Arc::new(program));
    stage
}

async fn exec<'s>(stage: &'s Stage, program: &str) -> Process<'s, SimHost> {
    let id = wcow_host::SystemId(ID.to_owned());
    let spec = ExecSpec {
        stdin: true,
        ..ExecSpec::new(program)
    };
    stage.runtime().exec(&id, &spec).await.unwrap()
}

#[test]
fn a_hundred_megabytes_go_through_a_program_within_a_budget() {
    let stage = running("echo.exe", |call: GuestCall| GuestReply {
        out: call.input,
        err: Vec::new(),
        next: if call.input_ended {
            GuestNext::Exit(0)
        } else {
            GuestNext::Input
        },
    });
    stage.run(async {
        let process = exec(&stage, "echo").await;
        let (given, taken, most) = (Cell::new(0), Cell::new(0), Cell::new(0));
        let piece = || {
            if given.get() == PIECES * PIECE {
                return Vec::new();
            }
            let number = u8::try_from(given.get() / PIECE % 251).unwrap();
            given.set(given.get() + PIECE);
            most.set(usize::max(most.get(), given.get() - taken.get()));
            vec![number; PIECE]
        };
        let mut fed = Ok(());
        let read = async {
            let mut outputs = process.outputs(PIECE);
            while let Some((output, bytes)) = outputs.next().await.unwrap() {
                assert_eq!(output, Output::Out);
                // Each byte tells in which piece it was given.
                for part in bytes.chunk_by(|a, b| a == b) {
                    let number = u8::try_from(taken.get() / PIECE % 251).unwrap();
                    assert_eq!(part[0], number);
                    taken.set(taken.get() + part.len());
                }
            }
        };
        beside(read, async { fed = process.feed(piece).await }).await;
        fed.unwrap();
        assert_eq!(process.wait().await.unwrap().code, Some(0));
        assert_eq!(taken.get(), PIECES * PIECE);
        assert!(most.get() <= BUDGET, "{} bytes were under way", most.get());
    });
}

#[test]
fn a_program_whose_output_nobody_reads_stands_still_until_somebody_does() {
    let steps = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&steps);
    let stage = running("chatter.exe", move |_: GuestCall| {
        counted.fetch_add(1, Ordering::Relaxed);
        GuestReply {
            out: vec![b'x'; 10_000],
            err: Vec::new(),
            next: GuestNext::Sleep(SECOND / 1000),
        }
    });
    stage.run(async {
        let mut process = exec(&stage, "chatter").await;
        stage.sim.advance(3_600 * SECOND);
        let stopped = steps.load(Ordering::Relaxed);
        assert!((5..10).contains(&stopped), "{stopped} steps in an hour");
        let mut read = 0;
        while read < 1_000_000 {
            read += process.read(Output::Out, PIECE).await.unwrap().len();
        }
        assert!(steps.load(Ordering::Relaxed) >= 99);
        // It can be ended while it stands still, and what it wrote can still be read.
        stage.sim.advance(3_600 * SECOND);
        assert!(process.kill().await.unwrap());
        assert!(!process.read(Output::Out, PIECE).await.unwrap().is_empty());
        assert_eq!(process.wait().await.unwrap().code, Some(1067));
    });
}

#[test]
fn a_program_goes_on_whose_pipes_were_closed_while_they_were_full() {
    let stage = running("chatter.exe", |call: GuestCall| GuestReply {
        out: vec![b'x'; 10_000],
        err: Vec::new(),
        next: if call.step < 20 {
            GuestNext::Sleep(1)
        } else {
            GuestNext::Exit(0)
        },
    });
    stage.run(async {
        let process = exec(&stage, "chatter").await;
        let (id, pid) = (wcow_host::SystemId(ID.to_owned()), process.id());
        stage.sim.advance(SECOND);
        let runtime = stage.runtime();
        assert!(runtime.has_process(&id, pid).await.unwrap());
        process.close().await.unwrap();
        runtime.wait_for(&id, pid).await.unwrap();
    });
}

#[test]
fn a_program_that_reads_nothing_is_not_waited_for_for_ever() {
    let stage = running("deaf.exe", |_: GuestCall| GuestReply {
        out: Vec::new(),
        err: Vec::new(),
        next: GuestNext::Sleep(36_000 * SECOND),
    });
    stage.run(async {
        let mut process = exec(&stage, "deaf").await;
        let began = stage.sim.now().ticks();
        let mut pieces = 0;
        let error = process.feed(|| {
            pieces += 1;
            vec![b'x'; PIECE]
        });
        let error = error.await.unwrap_err();
        assert_eq!(error.hresult().unwrap().to_string(), "0x80370118");
        let waited = (stage.sim.now().ticks() - began) / SECOND;
        assert!((300..310).contains(&waited), "{waited} s");
        assert!(pieces <= 3, "{pieces} pieces were taken");
        assert!(process.kill().await.unwrap());
        process.wait().await.unwrap();
    });
}

#[test]
fn a_program_that_ends_before_it_has_read_everything_is_no_error() {
    let stage = running("brief.exe", |call: GuestCall| GuestReply {
        out: Vec::new(),
        err: Vec::new(),
        next: if call.step == 0 {
            GuestNext::Sleep(SECOND)
        } else {
            GuestNext::Exit(3)
        },
    });
    stage.run(async {
        let process = exec(&stage, "brief").await;
        process.feed(|| vec![b'x'; PIECE]).await.unwrap();
        assert_eq!(process.wait().await.unwrap().code, Some(3));
    });
}
