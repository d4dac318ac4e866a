//! Scratch disks and programs, by their paths.

use wcow_host::era;
use wcow_ntmeta::{Guid, HostPath, WideName};

/// The scratch layer that a virtual disk belongs to; none for any other disk.
///
/// Since 2016 a scratch layer is a folder with a `sandbox.vhdx` in it. Technical previews name the disk after the container
/// (`<GUID>.vhdx`), and the layer goes by that path without the ending.
#[must_use]
pub fn scratch_of(disk: &str, build: u32) -> Option<HostPath> {
    let disk = disk.strip_prefix(r"\\?\").unwrap_or(disk);
    let path = HostPath::parse(disk).ok()?;
    let folder = path.parent()?;
    let name = WideName::from(path.file_name()?).to_string();
    if !era::containers_persist(build) {
        return name.eq_ignore_ascii_case("sandbox.vhdx").then_some(folder);
    }
    let stem = name.get(..name.len().checked_sub(5)?)?;
    let is_disk = name.to_ascii_lowercase().ends_with(".vhdx");
    (is_disk && stem.parse::<Guid>().is_ok()).then(|| folder.join(stem))
}

/// The first place in a `PATH` where a program is.
///
/// `variable` gives the value of a variable of the environment, which may stand between percent signs in the list; `is_file` looks.
/// A name with a path in it is none.
pub fn find_on_path(
    list: &str,
    name: &str,
    variable: impl Fn(&str) -> Option<String>,
    is_file: impl Fn(&HostPath) -> bool,
) -> Option<HostPath> {
    if name.is_empty() || name.contains(['\\', '/', ':']) {
        return None;
    }
    list.split(';')
        .map(|folder| expand(folder.trim().trim_matches('"'), &variable))
        .filter_map(|folder| HostPath::parse(folder.trim_end_matches('\\')).ok())
        .filter_map(|folder| HostPath::parse(&format!(r"{folder}\{name}")).ok())
        .find(|path| is_file(path))
}

/// The text with its variables replaced; one that is not set stays as it is, as in Windows.
fn expand(text: &str, variable: &impl Fn(&str) -> Option<String>) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        expanded.push_str(before);
        let value = after
            .split_once('%')
            .and_then(|(name, end)| Some((variable(name)?, end)));
        match value {
            Some((value, end)) => {
                expanded.push_str(&value);
                rest = end;
            }
            None => {
                expanded.push('%');
                rest = after;
            }
        }
    }
    expanded + rest
}
