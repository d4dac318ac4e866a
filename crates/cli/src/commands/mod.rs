//! One file per group of commands.

pub(crate) mod campaign;
pub(crate) mod catalogue;
pub(crate) mod container;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod host;
pub(crate) mod image;
pub(crate) mod mutants;
pub(crate) mod network;
pub(crate) mod serve;
pub(crate) mod shell;
pub(crate) mod sim;

use serde::Serialize;

use crate::failure::Failure;
use crate::output::Output;

/// Something that is gone.
#[derive(Serialize)]
struct Removed {
    kind: &'static str,
    name: String,
}

/// Does the same to each, says the name of each that it was done to, and goes on after a failure; ends with the first one's code.
fn each<T: Serialize>(
    names: &[String],
    output: &Output,
    schema: &str,
    work: impl Fn(&str) -> Result<T, Failure>,
) -> Result<(), Failure> {
    let mut done = Vec::new();
    let mut code = None;
    for name in names {
        match work(name) {
            Ok(item) => {
                output.line(name)?;
                done.push(item);
            }
            Err(failure) => {
                let shown = failure.show();
                code.get_or_insert(shown);
            }
        }
    }
    if output.is_json() {
        output.json(schema, &done)?;
    }
    code.map_or(Ok(()), |code| Err(Failure::silent(code)))
}

/// Removes each.
fn remove_each(
    kind: &'static str,
    names: &[String],
    output: &Output,
    remove: impl Fn(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    each(names, output, "removed", |name| {
        remove(name).map(|()| Removed {
            kind,
            name: name.to_owned(),
        })
    })
}
