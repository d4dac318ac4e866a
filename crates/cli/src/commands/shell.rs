//! `wcow completion`, `wcow man`.

use std::io::{self, Write};

use clap::CommandFactory;

use crate::args::Cli;
use crate::failure::Failure;

/// Prints a completion script.
pub(crate) fn completion(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "wcow", &mut script);
    Ok(io::stdout().lock().write_all(&script)?)
}

/// Prints the manual page, as roff.
pub(crate) fn man() -> Result<(), Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    Ok(io::stdout().lock().write_all(&page)?)
}
