//! `wcow completion`, `wcow man`.

use std::io::{self, Write};

use clap::CommandFactory;

use crate::args::Cli;
use crate::failure::{Failure, exit};

/// Prints a completion script.
pub(crate) fn completion(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "wcow", &mut script);
    Ok(io::stdout().lock().write_all(&script)?)
}

/// Prints the manual page of the program or of one of its commands, as roff.
pub(crate) fn man(words: &[String]) -> Result<(), Failure> {
    let mut root = Cli::command();
    root.build();
    let mut command = &root;
    for word in words {
        command = command.find_subcommand(word).ok_or_else(|| {
            Failure::new(
                exit::NOT_FOUND,
                format!("no command {:?}", format!("wcow {}", words.join(" "))),
            )
            .help("wcow --help lists the commands")
        })?;
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    Ok(io::stdout().lock().write_all(&page)?)
}
