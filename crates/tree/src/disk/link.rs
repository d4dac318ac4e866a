//! Where a link of the tree leads, as a relative path on the disk.

use wcow_ntmeta::{ReparseTarget, WideName};

use crate::names::{NameRule, written_name};

const SEPARATORS: [u16; 2] = [b'\\' as u16, b'/' as u16];

/// The target as seen from the link's own directory, with `/`; `None` if it does not lie in the tree.
///
/// The path goes up first and then only down, so on the disk it cannot leave the tree either: above the link there are
/// real directories only, and every link on the way down is one of ours.
pub(super) fn relative_target(
    link_dir: &[WideName],
    target: &ReparseTarget,
    rule: NameRule,
) -> Option<String> {
    let destination = resolve(link_dir, target)?;
    let common = link_dir
        .iter()
        .zip(&destination)
        .take_while(|(ours, theirs)| ours == theirs)
        .count();
    let up = link_dir.iter().skip(common).map(|_| "..".to_owned());
    let down = destination
        .iter()
        .skip(common)
        .map(|name| written_name(name, rule));
    let parts: Vec<String> = up.chain(down).collect();
    Some(if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    })
}

/// The components of the target below the tree's root. `..` is taken by the text alone, as Windows does.
fn resolve(link_dir: &[WideName], target: &ReparseTarget) -> Option<Vec<WideName>> {
    let (text, relative) = match target {
        ReparseTarget::Symlink {
            substitute,
            relative,
            ..
        } => (substitute, *relative),
        ReparseTarget::MountPoint { substitute, .. } => (substitute, false),
    };
    let units = text.units();
    let (mut path, rest) = match (relative, units.first()) {
        (true, Some(first)) if SEPARATORS.contains(first) => (Vec::new(), units),
        (true, _) => (link_dir.to_vec(), units),
        (false, _) => (Vec::new(), after_drive(units)?),
    };
    for part in rest.split(|unit| SEPARATORS.contains(unit)) {
        let name = WideName::from_units(part.to_vec());
        if name == ".." {
            path.pop()?;
        } else if !name.is_empty() && name != "." {
            path.push(name);
        }
    }
    Some(path)
}

/// What follows `\??\C:` or `C:`; `None` if there is no drive letter.
fn after_drive(units: &[u16]) -> Option<&[u16]> {
    let native: Vec<u16> = r"\??\".encode_utf16().collect();
    let units = units.strip_prefix(native.as_slice()).unwrap_or(units);
    let (drive, rest) = units.split_at_checked(2)?;
    let letter = drive
        .first()
        .and_then(|unit| u8::try_from(*unit).ok())
        .is_some_and(|byte| byte.is_ascii_alphabetic());
    let whole = rest.first().is_none_or(|first| SEPARATORS.contains(first));
    (letter && drive.last() == Some(&u16::from(b':')) && whole).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wcow_ntmeta::RelPath;

    #[test]
    fn targets_stay_in_the_tree() {
        #[track_caller]
        fn check(link_dir: &str, target: &str, relative: bool, expected: Option<&str>) {
            let names = RelPath::parse(link_dir);
            let target = ReparseTarget::Symlink {
                substitute: target.into(),
                print: "".into(),
                relative,
            };
            assert_eq!(
                relative_target(names.components(), &target, NameRule::Unix).as_deref(),
                expected
            );
        }
        check("a/b", "c", true, Some("c"));
        check("a/b", r"..\c\d", true, Some("../c/d"));
        check("a/b", r"c\..\..\x", true, Some("../x"));
        check("a/b", r"..\b\c", true, Some("c"));
        check("a/b", r"..\..\..", true, None);
        check("a/b", r"..\..", true, Some("../.."));
        check("a/b", "", true, Some("."));
        check("a/b", r"\c", true, Some("../../c"));
        check("a/b", r"\..\c", true, None);
        check("a/b", r"\??\C:\a\c", false, Some("../c"));
        check("a/b", r"C:\", false, Some("../.."));
        check("a/b", r"\??\C:", false, Some("../.."));
        check("a/b", r"\??\C:x", false, None);
        check("a/b", r"\??\Volume{0}\x", false, None);
        check("a/b", r"\\server\share", false, None);
        check("a/b", "/etc/passwd", false, None);
        check("a/b", r"C:\..\x", false, None);
        check("", r"C:\x\nul", true, Some(r"C:/x/nul"));
        check("", "a\0b", true, Some("a%0000b"));
    }
}
