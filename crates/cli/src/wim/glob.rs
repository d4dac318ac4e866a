//! `*` and `?` over names, without case, as Windows compares them.

use wcow_ntmeta::WideName;
use wcow_ntmeta::upcase::upcase_unit;

const STAR: u16 = b'*' as u16;
const QUESTION: u16 = b'?' as u16;

/// A path pattern: one name pattern per component. `*` stands for any units of one name, `?` for one unit.
#[derive(Debug)]
pub(crate) struct Glob {
    components: Vec<Vec<u16>>,
}

impl Glob {
    /// Reads a pattern; `/` and `\` separate components.
    pub(crate) fn new(pattern: &str) -> Self {
        let components = pattern
            .split(['/', '\\'])
            .filter(|component| !component.is_empty());
        Self {
            components: components
                .map(|component| component.encode_utf16().map(upcase_unit).collect())
                .collect(),
        }
    }

    /// True if the whole path matches.
    pub(crate) fn matches(&self, path: &[WideName]) -> bool {
        self.components.len() == path.len()
            && self
                .components
                .iter()
                .zip(path)
                .all(|(pattern, name)| matches(pattern, name.units()))
    }
}

/// One name against one pattern, in time of at most their product.
fn matches(pattern: &[u16], name: &[u16]) -> bool {
    let (mut at, mut unit) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&current) = name.get(unit) {
        match pattern.get(at) {
            Some(&STAR) => {
                star = Some((at, unit));
                at += 1;
            }
            Some(&wanted) if wanted == QUESTION || wanted == upcase_unit(current) => {
                at += 1;
                unit += 1;
            }
            _ => {
                let Some((star_at, taken)) = star else {
                    return false;
                };
                star = Some((star_at, taken + 1));
                at = star_at + 1;
                unit = taken + 1;
            }
        }
    }
    pattern
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|&rest| rest == STAR))
}

#[cfg(test)]
mod tests {
    use wcow_ntmeta::WideName;

    use super::Glob;

    #[track_caller]
    fn check(pattern: &str, path: &str, expected: bool) {
        let path: Vec<WideName> = path.split('\\').map(WideName::from).collect();
        assert_eq!(
            Glob::new(pattern).matches(&path),
            expected,
            "{pattern:?} against {path:?}"
        );
    }

    #[test]
    fn patterns_match_whole_paths_without_case() {
        check("windows", "Windows", true);
        check("/Windows/*.exe", r"Windows\NOTEPAD.EXE", true);
        check("*", r"Windows\notepad.exe", false);
        check("Windows/*/c*g", r"Windows\System32\config", true);
        check("a?c", "abc", true);
        check("a?c", "ac", false);
        check("*a*a*b", &"a".repeat(60), false);
        check("**", "anything", true);
    }
}
