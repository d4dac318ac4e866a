//! `wcow explain`.

use serde::Serialize;
use wcow_host::codes;
use wcow_host::era::Generation;
use wcow_host::failures::{self, CATALOGUE, Explanation as Known};
use wcow_ntmeta::Hresult;

use super::catalogue::Entry;
use crate::failure::{Failure, exit};
use crate::output::{Output, plain};

/// Where lines for people end.
const WIDTH: usize = 100;
/// So many ids like a misspelt one are told.
const MAX_TOLD: usize = 3;

/// What a code or an entry means. `--format json` shows these, best first, as `wcow.explanation/1`.
#[derive(Serialize)]
struct Explanation {
    /// `0xC0370101`; `null` for a failure without a code.
    code: Option<String>,
    /// The same as logs of Go and .NET programs show it.
    signed: Option<i32>,
    /// And as an unsigned number.
    unsigned: Option<u32>,
    /// Its symbolic name.
    name: Option<&'static str>,
    /// The same answer in the other spelling of the compute service.
    twin: Option<String>,
    /// Its texts, the newest first.
    texts: Vec<Text>,
    /// What it says, in our words.
    meaning: Option<&'static str>,
    /// What it usually comes from.
    causes: Option<&'static str>,
    /// What to do.
    way_out: Option<&'static str>,
    /// The failures of the catalogue that can be behind it, best first.
    failures: Vec<Entry>,
}

/// A text of a code, and which generations of Windows have it.
#[derive(Serialize)]
struct Text {
    text: &'static str,
    generations: Vec<Generation>,
}

/// Explains a code, a name, an id, or lines of a log.
pub(crate) fn run(words: &[String], output: &Output) -> Result<(), Failure> {
    let found = words.join(" ");
    let by_id = failures::get(&found.trim().to_ascii_lowercase()).is_some();
    let explanations: Vec<Explanation> = failures::explain(&found).iter().map(of).collect();
    if explanations.is_empty() {
        return Err(not_known(&found));
    }
    if output.is_json() {
        output.json("explanation", &explanations)?;
    } else {
        let show = |explanation| {
            if by_id {
                entry_first(explanation)
            } else {
                for_people(explanation)
            }
        };
        let texts: Vec<String> = explanations.iter().map(show).collect();
        output.text(&texts.join("\n"))?;
    }
    Ok(())
}

fn of(known: &Known) -> Explanation {
    let code = known.code;
    let advice = code.and_then(codes::advice);
    Explanation {
        code: code.map(|code| code.to_string()),
        signed: code.map(Hresult::as_i32),
        unsigned: code.map(|code| code.0),
        name: code.and_then(codes::name),
        twin: code.and_then(codes::twin).map(|twin| twin.to_string()),
        texts: code.map(texts).unwrap_or_default(),
        meaning: advice.map(|advice| advice.meaning),
        causes: advice.map(|advice| advice.causes),
        way_out: advice.map(|advice| advice.way_out),
        failures: known
            .failures
            .iter()
            .map(|entry| Entry::of(entry))
            .collect(),
    }
}

/// The texts of a code, the newest first.
fn texts(code: Hresult) -> Vec<Text> {
    let mut texts: Vec<Text> = Vec::new();
    for generation in Generation::ALL.iter().rev() {
        let Some(text) = codes::text(code, *generation) else {
            continue;
        };
        match texts.iter_mut().find(|known| known.text == text) {
            Some(known) => known.generations.insert(0, *generation),
            None => texts.push(Text {
                text,
                generations: vec![*generation],
            }),
        }
    }
    texts
}

/// Which builds have a text: nothing to say if all have.
pub(super) fn builds(generations: &[Generation]) -> String {
    let first = generations.first().map_or(0, |first| first.first_build());
    let next = Generation::ALL
        .iter()
        .find(|next| generations.last().is_some_and(|last| *next > last));
    match (first, next) {
        (0, None) => String::new(),
        (0, Some(next)) => format!(" (before build {}, {next})", next.first_build()),
        (first, None) => format!(" (from build {first} on)"),
        (first, Some(next)) => format!(" (from build {first} on, before {})", next.first_build()),
    }
}

/// One entry that was asked for, then what its code means by itself.
fn entry_first(explanation: &Explanation) -> String {
    let mut text = String::new();
    for entry in &explanation.failures {
        show_entry(&mut text, entry, None);
    }
    if explanation.code.is_some() {
        text.push('\n');
        show_code(&mut text, explanation);
    }
    text
}

fn show_code(text: &mut String, explanation: &Explanation) {
    let Some(code) = &explanation.code else {
        return;
    };
    let name = explanation.name.unwrap_or_default();
    let signed = explanation.signed.unwrap_or_default();
    let unsigned = explanation.unsigned.unwrap_or_default();
    text.push_str(&format!("{code} {name} ({signed}, {unsigned})\n"));
    for (place, wording) in explanation.texts.iter().enumerate() {
        let name = if place == 0 { "Message" } else { "Earlier" };
        line(
            text,
            name,
            &format!("{}{}", wording.text, builds(&wording.generations)),
        );
    }
    if let Some(twin) = &explanation.twin {
        let (own, other) = if code.starts_with("0xC") {
            (1, 2)
        } else {
            (2, 1)
        };
        line(
            text,
            "Twin",
            &format!(
                "{twin}, the same answer of version {other} of the service; this is that of version {own}"
            ),
        );
    }
    for (name, sentence) in [
        ("Meaning", explanation.meaning),
        ("Causes", explanation.causes),
        ("Way out", explanation.way_out),
    ] {
        if let Some(sentence) = sentence {
            line(text, name, sentence);
        }
    }
}

fn for_people(explanation: &Explanation) -> String {
    let mut text = String::new();
    show_code(&mut text, explanation);
    match explanation.failures.as_slice() {
        [] => text.push_str("\nNo failure in the catalogue has this code.\n"),
        failures => {
            if failures.len() > 1 {
                text.push_str(&format!(
                    "\n{} known failures can be behind it, the likeliest first:\n",
                    failures.len()
                ));
            }
            for entry in failures {
                if !text.is_empty() {
                    text.push('\n');
                }
                show_entry(&mut text, entry, explanation.code.as_deref());
            }
        }
    }
    text
}

fn show_entry(text: &mut String, entry: &Entry, code: Option<&str>) {
    text.push_str(&format!("{}: {}\n", entry.id, entry.title));
    let other: Vec<&str> = entry
        .codes
        .iter()
        .map(String::as_str)
        .filter(|known| Some(*known) != code)
        .collect();
    if !other.is_empty() {
        let name = if code.is_some() { "Also" } else { "Shows as" };
        line(text, name, &other.join(", "));
    }
    line(text, "Hosts", &entry.hosts);
    if !entry.operations.is_empty() {
        line(text, "Calls", &entry.operations.join(", "));
    }
    line(text, "When", entry.trigger);
    line(text, "Way out", entry.way_out);
    line(
        text,
        "Source",
        &format!("{} ({})", entry.source, entry.provenance),
    );
    let simulated = match (entry.why_not, entry.scenario) {
        (Some(why), _) => format!("no. {why}"),
        (None, true) => format!("yes; wcow sim run {} shows it", entry.id),
        (None, false) => "yes".to_owned(),
    };
    line(text, "Simulated", &simulated);
}

/// A name and a text beside it, broken into lines between words.
fn line(text: &mut String, name: &str, value: &str) {
    const INDENT: usize = 13;
    let mut at = INDENT;
    text.push_str(&format!("  {name:<11}"));
    for (place, word) in value.split(' ').enumerate() {
        let length = word.chars().count();
        if place > 0 && at + 1 + length > WIDTH {
            text.push_str(&format!("\n{:INDENT$}", ""));
            at = INDENT;
        } else if place > 0 {
            text.push(' ');
            at += 1;
        }
        text.push_str(word);
        at += length;
    }
    text.push('\n');
}

fn not_known(found: &str) -> Failure {
    let shown: String = plain(found).chars().take(80).collect();
    let near = near(&found.trim().to_lowercase());
    let failure = Failure::new(
        exit::NOT_FOUND,
        format!("{shown:?} is not a code, name or failure that is known here"),
    );
    if let Some(code) = codes::lookup(found) {
        let more = match code.as_win32() {
            Some(error) => {
                format!("it is Win32 error {error}: on Windows `net helpmsg {error}` has its text")
            }
            None => format!(
                "it is {code}, facility {:#x}: no container host is known to answer so",
                code.facility()
            ),
        };
        return failure.help(more);
    }
    if near.is_empty() {
        failure.help(
            "wcow sim catalogue lists the failures; codes are written 0xC0370101, -1070137087, 32 or HCS_E_IMAGE_MISMATCH, and a line of a log is taken too",
        )
    } else {
        failure.help(format!("did you mean {}?", near.join(" or ")))
    }
}

/// Ids and names that begin like a word, have it in them, or differ in few letters.
fn near(wanted: &str) -> Vec<String> {
    // Shorter words are near to too much, longer ones to nothing.
    if !(3..=60).contains(&wanted.chars().count()) || wanted.contains(char::is_whitespace) {
        return Vec::new();
    }
    let ids = CATALOGUE.iter().map(|entry| entry.id.0.to_owned());
    let names = codes::all().filter_map(codes::name).map(str::to_owned);
    let mut best: Vec<(usize, String)> = ids
        .chain(names)
        .filter_map(|known| Some((distance(wanted, &known.to_lowercase())?, known)))
        .collect();
    best.sort();
    best.dedup();
    best.truncate(MAX_TOLD);
    best.into_iter().map(|(_, known)| known).collect()
}

/// How far two words are from each other, if they are near.
fn distance(wanted: &str, known: &str) -> Option<usize> {
    let edits = edits(wanted, known);
    if edits <= wanted.len().div_ceil(6).min(3) {
        return Some(edits);
    }
    // One that has it in it comes after those with a slip of the finger.
    known.contains(wanted).then_some(10)
}

/// The least number of letters to change, add or take away.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (taken, letter) in a.chars().enumerate() {
        let mut above = taken;
        let mut left = taken + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(&b) {
            let edits = (above + usize::from(letter != *other))
                .min(*cell + 1)
                .min(left + 1);
            above = std::mem::replace(cell, edits);
            left = edits;
        }
        if let Some(first) = row.first_mut() {
            *first = taken + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{edits, line, near};

    #[test]
    fn letters_between_words() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("ab", "ba", 2),
            ("same", "same", 0),
        ] {
            assert_eq!(edits(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn words_that_are_near() {
        assert_eq!(near("scratch-disk-loked"), ["scratch-disk-locked"]);
        assert_eq!(near("disk-locked"), ["scratch-disk-locked"]);
        assert_eq!(near("hcs_e_image_missmatch"), ["HCS_E_IMAGE_MISMATCH"]);
        assert_eq!(near("nonsense"), Vec::<String>::new());
        assert_eq!(near("x"), Vec::<String>::new());
        assert!(near("layer").len() <= 3);
    }

    #[test]
    fn long_values_are_broken_between_words() {
        let mut text = String::new();
        line(&mut text, "Name", &"word ".repeat(30));
        assert!(text.lines().count() > 1, "{text}");
        assert!(
            text.lines()
                .all(|line| line.chars().count() <= super::WIDTH),
            "{text}"
        );
        assert!(
            text.lines()
                .skip(1)
                .all(|line| line.starts_with("             ")),
            "{text}"
        );
    }
}
