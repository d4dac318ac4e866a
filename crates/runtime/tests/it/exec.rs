//! Programs in a container.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use wcow_host::Output;
use wcow_runtime::{ExecSpec, RuntimeError};
use wcow_sim::{GuestCall, GuestNext, GuestReply, Profile};

use crate::support::*;

/// What a program wrote, and how it ended.
#[derive(Debug, PartialEq, Eq)]
struct Ran {
    out: String,
    err: String,
    exit: u32,
}

fn running(profile: Profile) -> Stage {
    let stage = Stage::new(profile);
    let created = stage.create(None);
    stage.start(&created);
    stage
}

fn try_exec(stage: &Stage, spec: &ExecSpec, input: &[u8]) -> Result<Ran, RuntimeError> {
    let id = wcow_host::SystemId(ID.to_owned());
    stage.run(async {
        let runtime = wcow_runtime::Runtime::new(&stage.host);
        let process = runtime.exec(&id, spec).await?;
        if spec.stdin {
            process.write(input).await.unwrap();
            process.close_input().await.unwrap();
        }
        let mut texts = [String::new(), String::new()];
        for (output, text) in [Output::Out, Output::Err].into_iter().zip(&mut texts) {
            if output == Output::Err && spec.console {
                continue;
            }
            let mut all = Vec::new();
            loop {
                let bytes = process.read(output, 5).await.unwrap();
                if bytes.is_empty() {
                    break;
                }
                all.extend(bytes);
            }
            *text = String::from_utf8(all).unwrap();
        }
        let [out, err] = texts;
        let exit = process.wait().await.unwrap().code.unwrap();
        Ok(Ran { out, err, exit })
    })
}

#[track_caller]
fn check(stage: &Stage, spec: &ExecSpec, out: &str, err: &str, exit: u32) {
    let ran = try_exec(stage, spec, b"").unwrap();
    let expected = Ran {
        out: out.to_owned(),
        err: err.to_owned(),
        exit,
    };
    assert_eq!(ran, expected, "for {spec:?}");
}

#[track_caller]
fn check_refused(stage: &Stage, spec: &ExecSpec, expected: &str) {
    let error = try_exec(stage, spec, b"").expect_err("the host refuses");
    assert_eq!(code(&error), expected, "for {spec:?}");
    let text = error.to_string();
    assert_eq!(text, format!("container {ID} could not run a program"));
}

#[test]
fn programs_have_output_errors_and_an_exit_code() {
    for profile in profiles() {
        let stage = running(profile);
        check(
            &stage,
            &ExecSpec::new("cmd /c echo hello"),
            "hello\r\n",
            "",
            0,
        );
        check(&stage, &ExecSpec::new("cmd /c exit 42"), "", "", 42);
        check(
            &stage,
            &ExecSpec::new("cmd /c echo out& echo err>&2"),
            "out\r\n",
            "err\r\n",
            0,
        );
        let console = ExecSpec {
            console: true,
            ..ExecSpec::new("cmd /c echo out& echo err>&2")
        };
        check(&stage, &console, "out\r\nerr\r\n", "", 0);
        let environment = ExecSpec {
            environment: BTreeMap::from([("COLOUR".to_owned(), "green".to_owned())]),
            ..ExecSpec::new("cmd /c echo %COLOUR%")
        };
        check(&stage, &environment, "green\r\n", "", 0);
        let there = ExecSpec {
            working_directory: r"C:\Windows".to_owned(),
            ..ExecSpec::new("cmd /c cd")
        };
        check(&stage, &there, "C:\\Windows\r\n", "", 0);
    }
}

#[test]
fn what_cannot_be_run_is_refused() {
    for profile in profiles() {
        let stage = running(profile);
        check_refused(&stage, &ExecSpec::new("nothing.exe"), "0x80070002");
        let nowhere = ExecSpec {
            working_directory: r"C:\Nowhere".to_owned(),
            ..ExecSpec::new("cmd /c cd")
        };
        check_refused(&stage, &nowhere, "0x8007010B");
    }
    for (profile, expected) in [
        (Profile::core_tp3(), "0xC0370105"),
        (Profile::server_2022(), "0xC037010E"),
    ] {
        let stage = Stage::new(profile);
        stage.create(None);
        check_refused(&stage, &ExecSpec::new("cmd /c ver"), expected);
    }
}

#[test]
fn a_program_reads_what_is_written_to_it() {
    let stage = running(Profile::server_2022());
    stage.sim.register_program(
        "upper.exe",
        Arc::new(|call: GuestCall| GuestReply {
            out: call.input.to_ascii_uppercase(),
            err: Vec::new(),
            next: if call.input_ended {
                GuestNext::Exit(0)
            } else {
                GuestNext::Input
            },
        }),
    );
    let spec = ExecSpec {
        stdin: true,
        ..ExecSpec::new("upper")
    };
    let ran = try_exec(&stage, &spec, b"some input").unwrap();
    assert_eq!((ran.out.as_str(), ran.exit), ("SOME INPUT", 0));
    // Without a pipe it reads the end of the file.
    check(&stage, &ExecSpec::new("upper"), "", "", 0);
}

/// A container in which `argv` prints its arguments.
fn echoing() -> Stage {
    let stage = running(Profile::server_2022());
    stage.sim.register_program(
        "argv.exe",
        Arc::new(|call: GuestCall| GuestReply {
            out: call.arguments.join("\0").into_bytes(),
            err: Vec::new(),
            next: GuestNext::Exit(0),
        }),
    );
    stage
}

#[track_caller]
fn check_arguments(stage: &Stage, arguments: &[String]) {
    let ran = try_exec(stage, &ExecSpec::from_arguments(arguments), b"").unwrap();
    let found: Vec<&str> = ran.out.split('\0').collect();
    assert_eq!(found, arguments);
}

#[test]
fn arguments_come_through_as_they_were_given() {
    let stage = echoing();
    let programs = ["argv", "argv.exe", r"C:\my tools\argv.exe"];
    let argument = proptest::collection::vec(
        prop_oneof![
            4 => Just('\\'),
            4 => Just('"'),
            2 => Just(' '),
            1 => Just('\t'),
            4 => proptest::char::range('a', 'e'),
            1 => any::<char>().prop_filter("a terminator", |character| *character != '\0'),
        ],
        0..12,
    )
    .prop_map(|characters| characters.into_iter().collect::<String>());
    let arguments = (
        proptest::sample::select(programs.to_vec()),
        proptest::collection::vec(argument, 0..5),
    );
    proptest!(ProptestConfig::with_cases(300), |((program, rest) in arguments)| {
        let mut all = vec![program.to_owned()];
        all.extend(rest);
        check_arguments(&stage, &all);
    });
}
