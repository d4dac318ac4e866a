//! The `wcow` program: a thin skin over `wcow-engine`, `wcow-wim` and `wcow-sim`.
//!
//! | module | what it does |
//! |---|---|
//! | `args` | the command line, as clap sees it |
//! | `commands` | one file per group of commands |
//! | `wim` | the commands that read WIM files and need no host |
//! | `tour` | the walk through the whole story |
//! | `session`, `hosts`, `blobs` | which host a command talks to, and where simulated ones are kept |
//! | `cancel`, `progress` | stopping long commands, and showing how far they are |
//! | `output`, `failure` | data on standard output; errors, codes and next steps on standard error |
#![forbid(unsafe_code)]

mod args;
mod blobs;
mod cancel;
mod commands;
mod failure;
mod hosts;
mod machine;
mod output;
mod progress;
mod session;
mod tour;
mod wim;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::failure::Failure;
use crate::output::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => ExitCode::from(failure.show()),
    }
}

/// Runs one command; the exit code is 0, except for `run` and `exec`, which end with the program's own, and commands that say by it
/// what they found.
fn run(cli: &Cli) -> Result<u8, Failure> {
    let global = &cli.global;
    let output = Output::new(global.format);
    match &cli.command {
        Command::Tour(args) => return tour::tour(args, &output),
        Command::Wim(command) => wim::run(command, &output)?,
        Command::Image(command) => commands::image::run(command, global, &output)?,
        Command::Network(command) => commands::network::run(command, global, &output)?,
        Command::Container(command) => return commands::container::run(command, global, &output),
        Command::Run(args) => return commands::container::create_and_run(args, global, &output),
        Command::Exec(args) => return commands::container::exec(args, global),
        Command::Ps(args) => commands::container::list(args, global, &output)?,
        Command::Logs(args) => return commands::container::logs(args, global, &output),
        Command::Stop(args) => commands::container::stop(args, global, &output)?,
        Command::Events(args) => commands::container::events(args, global, &output)?,
        Command::Host(command) => return commands::host::run(command, global, &output),
        Command::Sim(command) => return commands::sim::run(command, &output),
        Command::Explain { found } => commands::explain::run(found, &output)?,
        Command::Completion { shell } => commands::shell::completion(*shell)?,
        Command::Man { command } => commands::shell::man(command)?,
    }
    Ok(0)
}
