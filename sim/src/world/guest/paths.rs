//! Paths as people write them in a container.

use wcow_ntmeta::{RelPath, WideName};

/// There is no such drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoSuchDrive;

/// The path on `C:` that a text means in a working directory. Quotes are dropped; `.` and `..` are resolved.
pub(super) fn resolve(text: &str, directory: &RelPath) -> Result<RelPath, NoSuchDrive> {
    let text = text.replace('"', "").replace('/', r"\");
    let rest = match text.as_bytes() {
        [letter, b':', ..] if letter.is_ascii_alphabetic() => {
            if !letter.eq_ignore_ascii_case(&b'c') {
                return Err(NoSuchDrive);
            }
            text.get(2..).unwrap_or_default()
        }
        _ => text.as_str(),
    };
    let mut names: Vec<WideName> = if rest.starts_with('\\') {
        Vec::new()
    } else {
        directory.components().to_vec()
    };
    for part in rest.split('\\') {
        match part.trim() {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            _ => names.push(part.into()),
        }
    }
    Ok(names.into_iter().collect())
}

/// The path with its drive: `C:\Windows`.
pub(super) fn show(path: &RelPath) -> String {
    format!(r"C:\{path}")
}

/// Whether the text names the device that swallows everything.
pub(super) fn is_nul(text: &str) -> bool {
    text.trim_matches('"').eq_ignore_ascii_case("nul")
}

/// Whether a name fits a pattern of `*` and `?`, without regard to case. `*.*` fits every name.
pub(super) fn fits(pattern: &WideName, name: &WideName) -> bool {
    const STAR: u16 = b'*' as u16;
    const ANY: u16 = b'?' as u16;
    let (pattern, name) = (pattern.upcased(), name.upcased());
    let (pattern, name) = (pattern.units(), name.units());
    if pattern == [STAR, u16::from(b'.'), STAR] {
        return true;
    }
    // Where the last star stands, and how much of the name it has taken so far.
    let (mut at, mut of) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&unit) = name.get(of) {
        match pattern.get(at) {
            Some(&STAR) => {
                star = Some((at, of));
                at += 1;
            }
            Some(&wanted) if wanted == ANY || wanted == unit => {
                at += 1;
                of += 1;
            }
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    at = place + 1;
                    of = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern
        .get(at..)
        .unwrap_or_default()
        .iter()
        .all(|&unit| unit == STAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved_in_the_working_directory() {
        let check = |text: &str, expected: &str| {
            let path = resolve(text, &RelPath::parse(r"Users\me")).unwrap();
            assert_eq!(show(&path), expected, "for {text:?}");
        };
        check("a.txt", r"C:\Users\me\a.txt");
        check(r"..\..\..\b", r"C:\b");
        check("c:/x", r"C:\x");
        check("C:x", r"C:\Users\me\x");
        check(r#""\Program Files\""#, r"C:\Program Files");
        assert_eq!(resolve(r"D:\x", &RelPath::root()), Err(NoSuchDrive));
    }

    #[test]
    fn patterns_fit_without_case() {
        let check = |pattern: &str, name: &str, expected: bool| {
            assert_eq!(
                fits(&pattern.into(), &name.into()),
                expected,
                "{pattern} {name}"
            );
        };
        check("*.txt", "A.TXT", true);
        check("*.txt", "a.txt.bak", false);
        check("?a*", "Banana", true);
        check("*an*a", "banana", true);
        check("*.*", "noext", true);
        check("*", "x", true);
        check("a", "b", false);
    }
}
