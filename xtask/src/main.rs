//! Every chore of the project: `cargo xtask CHORE`. `cargo xtask help` lists them.
#![forbid(unsafe_code)]

mod bench;
mod ci;
mod corpus;
mod counts;
mod coverage;
mod fuzz;
mod house;
mod mutants;
mod native;
mod oracle;
mod report;
mod schema;
mod targets;
mod windows;
mod workflow;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::report::Report;
use crate::workspace::Workspace;

pub(crate) const USAGE: &str = "\
usage: cargo xtask CHORE
  ci [STEP...]                   every check in order, or only the named ones
  house-rules                    what no compiler checks
  docs                           the documentation, with warnings as errors
  check-targets                  type check for macOS and Windows
  windows                        the tests, cross-compiled and run under Wine
  windows --overhead             what a call through the host costs more than one of the DLL, under Wine
  oracle [wim|written|hive]...   our results against wimlib, 7-Zip, hivex and reglookup
  schema                         the types of HCS schema 2, from their table
  corpus                         seeds and dictionaries for the fuzzers, under fuzz/corpus
  bench --vs wimlib [--dir D] [--runs N] [--wcow PROGRAM] [--only WORDS]
                                 verify, extract and list beside wimlib, held to the limits
  coverage [--min PERCENT] [CRATE...]
                                 which lines of wim, lzx, lzms and xpress the tests reach
  sim mutants [--seeds N] [PRECAUTION...]
                                 each sync, rollback and recovery of the engine left out in turn: seeds must find it
  fuzz [--target T] [--seconds N] [--jobs N] [--seed N] [--wimlib] [--record]";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(report) => {
            print!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<Report> {
    let Some((chore, rest)) = args.split_first() else {
        bail!("no chore given\n{USAGE}")
    };
    if matches!(chore.as_str(), "help" | "--help" | "-h") {
        println!("{USAGE}");
        return Ok(Report::default());
    }
    let workspace = Workspace::find()?;
    if !rest.is_empty()
        && !matches!(
            chore.as_str(),
            "bench" | "ci" | "coverage" | "oracle" | "fuzz" | "sim" | "windows"
        )
    {
        bail!("`{chore}` takes no arguments\n{USAGE}");
    }
    match chore.as_str() {
        "bench" => bench::run(&workspace, &bench::Options::parse(rest)?),
        "ci" => ci::run(&workspace, rest),
        "coverage" => coverage::run(&workspace, &coverage::Options::parse(rest)?),
        "house-rules" => house::run(&workspace),
        "docs" => ci::docs(&workspace),
        "check-targets" => targets::run(&workspace),
        "windows" => windows::run_with(&workspace, rest),
        "oracle" => oracle::run(&workspace, rest),
        "schema" => schema::run(&workspace),
        "corpus" => corpus::run(&workspace),
        "sim" => mutants::run(&workspace, rest),
        "fuzz" => fuzz::run(&workspace, &fuzz::Options::parse(rest)?),
        other => bail!("no chore is called `{other}`\n{USAGE}"),
    }
}
