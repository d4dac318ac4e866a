//! `cmd.exe`: one command line after `/c` or `/k`, or lines from standard input.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use wcow_host::codes::win32;
use wcow_ntmeta::Hresult;

use super::builtins::{self, Done};
use super::parse::{self, Command, Redirection};
use super::pipes::{Chunk, Sink};
use super::{Context, Next, Spawn, Words, cmdline, paths};

/// How long the command processor takes for a command, in ticks: a millisecond.
const COMMAND_TICKS: u64 = 10_000;
/// What ERRORLEVEL is after a command that does not exist.
const NOT_RECOGNIZED: u32 = 9009;

/// The longest line that it reads, in bytes; what is behind that is the next one.
const LONGEST_LINE: usize = 8191;

/// The program's state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cmd {
    mode: Mode,
    /// The commands of the current line that did not run yet.
    commands: VecDeque<Command>,
    /// The place of the command that runs or ran last.
    place: (u32, u32),
    /// How that ended.
    result: u32,
    /// ERRORLEVEL.
    pub(super) level: u32,
    /// Whether prompts and command lines are shown.
    pub(super) echo: bool,
    begun: bool,
    prompted: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Mode {
    /// A line from the command line; reads on afterwards if `stay`.
    Line {
        text: String,
        always_strip: bool,
        stay: bool,
    },
    /// Lines from standard input.
    Input,
}

/// Where the streams of one command go.
pub(super) struct Streams {
    pub(super) out: Sink,
    pub(super) err: Sink,
}

impl Streams {
    /// Writes text to standard output.
    pub(super) fn print(&self, context: &mut Context<'_, '_>, text: &str) -> Result<(), Hresult> {
        context.emit(&self.out, Chunk::Bytes(text.as_bytes().to_vec()))
    }

    /// Writes a line to standard error.
    pub(super) fn complain(&self, context: &mut Context<'_, '_>, text: &str) {
        // There is nowhere to report that an error could not be reported.
        let _ = context.emit(&self.err, Chunk::Bytes(format!("{text}\r\n").into_bytes()));
    }
}

impl Cmd {
    /// The command processor with its whole command line.
    pub(crate) fn new(line: &str) -> Self {
        let (_, mut rest) = cmdline::program(line);
        let (mut always_strip, mut quiet) = (false, false);
        let mode = loop {
            rest = rest.trim_start_matches([' ', '\t', ',', ';', '=']);
            let mut characters = rest.chars();
            if characters.next() != Some('/') {
                break Mode::Input;
            }
            let letter = characters.next().map(|letter| letter.to_ascii_lowercase());
            match letter {
                Some(letter @ ('c' | 'k' | 'r')) => {
                    break Mode::Line {
                        text: characters.as_str().to_owned(),
                        always_strip,
                        stay: letter == 'k',
                    };
                }
                Some('s') => always_strip = true,
                Some('q') => quiet = true,
                _ => {}
            }
            let after = characters.as_str();
            let end = after.find([' ', '\t', '/']).unwrap_or(after.len());
            rest = after.get(end..).unwrap_or_default();
        };
        Self {
            mode,
            commands: VecDeque::new(),
            place: (0, 0),
            result: 0,
            level: 0,
            echo: !quiet,
            begun: false,
            prompted: false,
        }
    }

    pub(super) fn step(&mut self, context: &mut Context<'_, '_>) -> Next {
        if let Some(code) = context.process.child_exit.take() {
            self.level = code;
            self.finish(code);
        }
        if !self.begun {
            self.begun = true;
            self.begin(context);
        }
        loop {
            if let Some(command) = self.commands.pop_front() {
                return self.run(&command, context);
            }
            if matches!(self.mode, Mode::Line { stay: false, .. }) {
                return Next::Exit(self.result);
            }
            if !self.next_line(context) {
                return if context.process.input_ended {
                    Next::Exit(self.level)
                } else {
                    Next::Input
                };
            }
        }
    }

    fn begin(&mut self, context: &mut Context<'_, '_>) {
        match &self.mode {
            Mode::Line {
                text, always_strip, ..
            } => {
                let line = strip_quotes(text, *always_strip, context);
                self.take_line(&line, context);
            }
            Mode::Input => {
                let banner = format!(
                    "Microsoft Windows [Version 10.0.{}]\r\n(c) Microsoft Corporation. All rights reserved.\r\n",
                    context.build
                );
                context.print(&banner);
            }
        }
    }

    /// Takes the next line from standard input; false if there is none yet, or never will be.
    fn next_line(&mut self, context: &mut Context<'_, '_>) -> bool {
        if self.echo && !self.prompted {
            self.prompted = true;
            let prompt = format!("\r\n{}>", paths::show(&context.process.directory));
            context.print(&prompt);
        }
        let input = &mut context.process.input;
        let end = input.iter().position(|&byte| byte == b'\n');
        let line: Vec<u8> = match end {
            Some(end) => input.drain(..=end).collect(),
            None if context.process.input_ended && !input.is_empty() => std::mem::take(input),
            None if input.len() >= LONGEST_LINE => input.drain(..LONGEST_LINE).collect(),
            None => return false,
        };
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches(['\r', '\n']);
        if self.echo {
            context.print(&format!("{line}\r\n"));
        }
        self.prompted = false;
        self.take_line(line, context);
        true
    }

    fn take_line(&mut self, line: &str, context: &mut Context<'_, '_>) {
        let level = self.level;
        let process = &*context.process;
        let line = parse::expand(line, &process.environment, |name| {
            if name.eq_ignore_ascii_case("ERRORLEVEL") {
                Some(level.to_string())
            } else if name.eq_ignore_ascii_case("CD") {
                Some(paths::show(&process.directory))
            } else {
                None
            }
        });
        match parse::commands(&line) {
            Ok(commands) => self.commands = commands.into(),
            Err(parse::BadSyntax) => {
                self.streams(context)
                    .complain(context, "The syntax of the command is incorrect.");
                (self.result, self.level) = (1, 1);
            }
        }
    }

    fn streams(&self, context: &Context<'_, '_>) -> Streams {
        Streams {
            out: context.process.out.clone(),
            err: context.process.err.clone(),
        }
    }

    fn run(&mut self, command: &Command, context: &mut Context<'_, '_>) -> Next {
        self.place = (command.sequence, command.alternative);
        let own = self.streams(context);
        let streams = match redirect(command, &own, context) {
            Ok(streams) => streams,
            Err(code) => {
                own.complain(context, builtins::text(code, context.build));
                self.level = 1;
                return self.go_on(1);
            }
        };
        let text = command
            .text
            .trim_start_matches(['@', ' ', '\t', ',', ';', '=']);
        match builtins::run(text, &streams, self, context) {
            Some(Done::Code(code)) => self.go_on(code),
            Some(Done::Exit(code)) => Next::Exit(code),
            None => self.start(text, streams, context),
        }
    }

    /// Starts a program of the image.
    fn start(&mut self, text: &str, streams: Streams, context: &mut Context<'_, '_>) -> Next {
        let text = text.trim_end();
        let (name, _) = cmdline::program(text);
        match context.program(&Words {
            name: &name,
            line: text,
        }) {
            Ok((program, image)) => Next::Child(Spawn {
                program,
                image,
                out: streams.out,
                err: streams.err,
            }),
            Err(code) if code == win32::FILE_NOT_FOUND => {
                streams.complain(
                    context,
                    &format!(
                        "'{name}' is not recognized as an internal or external command,\r\noperable program or batch file."
                    ),
                );
                self.level = NOT_RECOGNIZED;
                self.go_on(1)
            }
            Err(code) => {
                streams.complain(context, builtins::text(code, context.build));
                self.level = 1;
                self.go_on(1)
            }
        }
    }

    fn go_on(&mut self, code: u32) -> Next {
        self.finish(code);
        Next::After(COMMAND_TICKS)
    }

    /// A command ended: what does not follow from that is left out.
    fn finish(&mut self, code: u32) {
        self.result = code;
        let (sequence, alternative) = self.place;
        while let Some(next) = self.commands.front() {
            let same = next.alternative == alternative;
            if next.sequence != sequence || same == (code == 0) {
                break;
            }
            self.commands.pop_front();
        }
    }
}

/// Takes off the quotes around a command line: the first and the last one, unless exactly two stand around the name of a
/// program and `/s` was not given.
fn strip_quotes(text: &str, always: bool, context: &mut Context<'_, '_>) -> String {
    let text = text.trim_start_matches([' ', '\t']);
    let Some(rest) = text.strip_prefix('"') else {
        return text.to_owned();
    };
    if !always
        && text.matches('"').count() == 2
        && !text.contains(['&', '<', '>', '(', ')', '@', '^', '|'])
    {
        let (name, line) = (cmdline::program(text).0, text);
        if name.contains([' ', '\t']) && context.program(&Words { name: &name, line }).is_ok() {
            return text.to_owned();
        }
    }
    match rest.rsplit_once('"') {
        Some((before, after)) => format!("{before}{after}"),
        None => rest.to_owned(),
    }
}

/// Opens what a command's streams are redirected to.
fn redirect(
    command: &Command,
    own: &Streams,
    context: &mut Context<'_, '_>,
) -> Result<Streams, Hresult> {
    let mut streams = Streams {
        out: own.out.clone(),
        err: own.err.clone(),
    };
    for redirection in &command.redirections {
        let (stream, sink) = match redirection {
            Redirection::ToStream { stream, other } => {
                let other = if *other == 2 {
                    &streams.err
                } else {
                    &streams.out
                };
                (*stream, other.clone())
            }
            Redirection::ToFile { stream, file, .. } if paths::is_nul(file) => (*stream, Sink::Nul),
            Redirection::ToFile {
                stream,
                file,
                append,
            } => {
                let path = paths::resolve(file, &context.process.directory)
                    .map_err(|paths::NoSuchDrive| win32::PATH_NOT_FOUND)?;
                if !append || context.view.stat(&path)?.is_none() {
                    context.view.write(&path, crate::fs::EMPTY)?;
                }
                (*stream, Sink::File(path))
            }
            Redirection::FromFile { file } => {
                let path = paths::resolve(file, &context.process.directory)
                    .map_err(|paths::NoSuchDrive| win32::PATH_NOT_FOUND)?;
                if !paths::is_nul(file) && !context.view.is_file(&path) {
                    return Err(win32::FILE_NOT_FOUND);
                }
                continue;
            }
        };
        if stream == 2 {
            streams.err = sink;
        } else {
            streams.out = sink;
        }
    }
    Ok(streams)
}
