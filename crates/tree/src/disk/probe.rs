//! Finds out which names a directory holds, by making files in it.

use std::io;

use cap_std::fs::{Dir, OpenOptions};

use crate::names::NameRule;

/// What was found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Probe {
    /// Names that differ in case only are one.
    pub(super) ignores_case: bool,
    /// Which names can be written.
    pub(super) rule: NameRule,
}

/// Tries names in the directory, and removes them again.
pub(super) fn probe(dir: &Dir) -> io::Result<Probe> {
    let mut number: u32 = 0;
    let name = loop {
        let name = format!(".wcow-probe-{number}");
        let upper_is_free = dir.symlink_metadata(name.to_uppercase()).is_err();
        match create(dir, &name) {
            Ok(()) if upper_is_free => break name,
            Ok(()) => dir.remove_file(&name)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        number = number.checked_add(1).ok_or(io::ErrorKind::AlreadyExists)?;
    };
    let ignores_case = dir.symlink_metadata(name.to_uppercase()).is_ok();
    let odd = format!("{name} :?");
    // Drives of other systems may be mounted here, so the disk is asked, not only the system.
    let rule = if cfg!(windows) || create(dir, &odd).is_err() {
        NameRule::Windows
    } else {
        dir.remove_file(&odd)?;
        NameRule::Unix
    };
    dir.remove_file(&name)?;
    Ok(Probe { ignores_case, rule })
}

fn create(dir: &Dir, name: &str) -> io::Result<()> {
    dir.open_with(name, OpenOptions::new().write(true).create_new(true))
        .map(drop)
}
