//! Finding codes in the lines of a log.

use wcow_ntmeta::Hresult;

use super::{advice, lookup, name, rows};
use crate::era::Generation;

/// A number in a line below this is a port, a line number or a process id rather than a code, unless it is written `0x20`.
const LEAST_DECIMAL: i64 = 0x1_0000;

/// The known codes in a line or more of a log, in the order in which they are met first: by number (`0xc0370101`, `(0x20)`,
/// `r1=2147942452`, `-1070137087`), by name, and by the text of any generation.
///
/// Texts count only where no number and no name is found: who wrote a number meant it, and several codes can have one text.
#[must_use]
pub fn find_in(log: &str) -> Vec<Hresult> {
    let mut found: Vec<Hresult> = Vec::new();
    for word in log.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))) {
        let Some(code) = of_word(word) else { continue };
        let known = name(code).is_some() || advice(code).is_some();
        if known && !found.contains(&code) {
            found.push(code);
        }
    }
    if found.is_empty() {
        found = by_text(log);
    }
    found
}

/// A word that can only be a code.
fn of_word(word: &str) -> Option<Hresult> {
    let is_hex = word.starts_with("0x") || word.starts_with("0X");
    let is_name = word.contains('_');
    let is_bare = word.len() == 8 && word.starts_with(['8', 'c', 'C']);
    let is_large = word
        .parse::<i64>()
        .is_ok_and(|number| !(-LEAST_DECIMAL..LEAST_DECIMAL).contains(&number));
    if is_hex || is_name || is_large || is_bare {
        lookup(word)
    } else {
        None
    }
}

/// The codes whose text is in a log: of those that lie in one another, the longest; of those that several codes share, the first.
fn by_text(log: &str) -> Vec<Hresult> {
    let log = log.to_lowercase();
    let mut met: Vec<(usize, usize, Hresult)> = Vec::new();
    for row in rows() {
        let code = Hresult(row.code);
        for generation in [Generation::Server2016, Generation::Server2025] {
            let Some(text) = super::text(code, generation) else {
                continue;
            };
            let text = text.trim_end_matches('.').to_lowercase();
            if let Some(at) = log.find(&text) {
                met.push((at, at + text.len(), code));
            }
        }
    }
    let mut kept: Vec<(usize, usize, Hresult)> = Vec::new();
    // Longest first; a text within one that is kept says nothing of its own.
    met.sort_by_key(|(start, end, _)| std::cmp::Reverse(end - start));
    for (start, end, code) in met {
        if kept
            .iter()
            .all(|(from, to, _)| end <= *from || start >= *to)
        {
            kept.push((start, end, code));
        }
    }
    kept.sort_by_key(|(start, ..)| *start);
    kept.into_iter().map(|(.., code)| code).collect()
}
