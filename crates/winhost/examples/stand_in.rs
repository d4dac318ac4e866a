//! Stands in for a program of Windows in the tests: writes down what it was given, and answers what it was told to.
//!
//! It goes by the name of its file: beside `powershell.exe` lies `powershell.json` with its answers, and in `calls` what it was given
//! is put down, one file for each call.
#![forbid(unsafe_code)]

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::{env, process, thread};

use serde::{Deserialize, Serialize};

/// The answers of one program: the first is taken whose `to` is contained in the arguments, PowerShell's script among them.
type Answers = Vec<Answer>;

#[derive(Deserialize)]
struct Answer {
    /// What the arguments must contain.
    to: String,
    /// What is written to the standard output.
    #[serde(default)]
    stdout: String,
    /// So often.
    #[serde(default = "once")]
    times: usize,
    /// Whether it is written as UTF-16.
    #[serde(default)]
    wide: bool,
    #[serde(default)]
    stderr: String,
    #[serde(default)]
    exit: i32,
    /// Whether the program starts `left-over`, if that is there, and neither ends.
    #[serde(default)]
    hangs: bool,
}

fn once() -> usize {
    1
}

#[derive(Serialize)]
struct Call {
    program: String,
    arguments: Vec<String>,
    /// PowerShell's script, decoded.
    script: Option<String>,
    /// The script's arguments, which are in a variable of the environment; decoded.
    given: Option<Vec<String>>,
}

fn main() {
    let exit = answer().unwrap_or_else(|error| {
        eprintln!("the stand-in failed: {error}");
        99
    });
    process::exit(exit);
}

fn answer() -> io::Result<i32> {
    let own = env::current_exe()?;
    let folder = own.parent().unwrap_or(Path::new(".")).to_path_buf();
    let program = own
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments == ["sleep"] {
        sleep();
    }
    let script = arguments
        .iter()
        .position(|argument| argument == "-EncodedCommand")
        .and_then(|at| decode(arguments.get(at + 1)?));
    let asked = match &script {
        Some(script) => script.lines().next().unwrap_or_default().to_owned(),
        None => arguments.join(" "),
    };
    let call = Call {
        program: program.clone(),
        arguments,
        script,
        given: env::var("WCOW_ARGUMENTS")
            .ok()
            .and_then(|given| given.split(',').skip(1).map(decode).collect()),
    };
    put_down(&folder, &call)?;
    let answers: Answers =
        serde_json::from_slice(&fs::read(folder.join(program).with_extension("json"))?)?;
    let Some(answer) = answers.iter().find(|answer| asked.contains(&answer.to)) else {
        return Err(io::Error::other(format!("no answer to {asked:?}")));
    };
    let bytes = match answer.wide {
        true => answer
            .stdout
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect(),
        false => answer.stdout.clone().into_bytes(),
    };
    let mut stdout = io::stdout().lock();
    for _ in 0..answer.times {
        stdout.write_all(&bytes)?;
    }
    stdout.flush()?;
    eprint!("{}", answer.stderr);
    if answer.hangs {
        let left_over = own.with_file_name(format!("left-over{}", env::consts::EXE_SUFFIX));
        if left_over.is_file() {
            // A program that this one starts has the same pipes, and keeps them open.
            let _child = process::Command::new(left_over).arg("sleep").spawn()?;
        }
        sleep();
    }
    Ok(answer.exit)
}

fn sleep() -> ! {
    loop {
        thread::park();
    }
}

/// Names of files are taken in turn; no two calls get one.
fn put_down(folder: &Path, call: &Call) -> io::Result<()> {
    let calls: PathBuf = folder.join("calls");
    fs::create_dir_all(&calls)?;
    for number in 0..10_000 {
        let file = fs::File::create_new(calls.join(format!("{number:04}.json")));
        match file {
            Ok(file) => return Ok(serde_json::to_writer(file, call)?),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("too many calls"))
}

/// Base64 of UTF-16, as PowerShell takes scripts.
fn decode(text: &str) -> Option<String> {
    let digit = |letter: u8| -> Option<u32> {
        Some(match letter {
            b'A'..=b'Z' => u32::from(letter - b'A'),
            b'a'..=b'z' => u32::from(letter - b'a') + 26,
            b'0'..=b'9' => u32::from(letter - b'0') + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        })
    };
    let mut bytes = Vec::new();
    for four in text.trim_end_matches('=').as_bytes().chunks(4) {
        let mut bits = 0;
        for letter in four {
            bits = bits << 6 | digit(*letter)?;
        }
        bits <<= 6 * (4 - four.len());
        bytes.extend(bits.to_be_bytes().into_iter().skip(1).take(four.len() - 1));
    }
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .filter_map(|pair| Some(u16::from_le_bytes(*pair.first_chunk()?)))
        .collect();
    String::from_utf16(&units).ok()
}
