//! What was expected of a step, and what was seen.

use crate::{Answer, Expect};

/// What was expected, in a few words.
pub(super) fn expected(expect: &Expect) -> String {
    let code = expect.code.as_deref().unwrap_or("ok");
    expect
        .or
        .iter()
        .fold(code.to_owned(), |codes, code| codes + " or " + code)
}

/// What was seen, in as few.
pub(super) fn seen(answer: &Answer) -> &str {
    answer.code.as_deref().unwrap_or("ok")
}

/// What differs; empty if nothing does.
pub(super) fn differences(expect: &Expect, answer: &Answer) -> Vec<String> {
    let mut differences = Vec::new();
    let allowed = |code: &Option<String>| {
        *code == expect.code || code.as_ref().is_some_and(|code| expect.or.contains(code))
    };
    if !allowed(&answer.code) {
        differences.push(format!(
            "expected {}, seen {}",
            expected(expect),
            seen(answer)
        ));
    }
    if let Some(failure) = &expect.failure
        && answer.failure != Some(failure.as_str())
    {
        let seen = answer.failure.unwrap_or("none");
        differences.push(format!(
            "expected the catalogue entry {failure}, the first candidate is {seen}"
        ));
    }
    if let Some(text) = &expect.answer
        && text.trim_end() != answer.text.trim_end()
    {
        differences.push(format!(
            "expected to the letter:\n{}\nseen:\n{}",
            text.trim_end(),
            answer.text.trim_end()
        ));
    }
    for words in &expect.shows {
        if !answer.text.contains(words.as_str()) {
            differences.push(format!(
                "expected {words:?} in the answer, seen:\n{}",
                answer.text.trim_end()
            ));
        }
    }
    for words in &expect.hides {
        if answer.text.contains(words.as_str()) {
            differences.push(format!(
                "expected no {words:?} in the answer, seen:\n{}",
                answer.text.trim_end()
            ));
        }
    }
    differences
}
