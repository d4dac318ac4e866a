//! `wcow explain`.

use serde::Serialize;
use wcow_host::codes;
use wcow_host::era::Generation;
use wcow_host::failures::{self, Failure as Entry, FailureCode};
use wcow_ntmeta::Hresult;

use crate::failure::{Failure, exit};
use crate::output::Output;

/// What a code or an entry means.
#[derive(Serialize)]
struct Explanation {
    code: Option<String>,
    name: Option<String>,
    texts: Vec<Text>,
    failures: Vec<Cause>,
}

/// The text of a code in one generation.
#[derive(Serialize)]
struct Text {
    generation: String,
    text: String,
}

/// A known failure with this code.
#[derive(Serialize)]
struct Cause {
    id: String,
    title: String,
    hosts: String,
    trigger: String,
    way_out: String,
    source: String,
}

/// Explains a code or a catalogue id.
pub(crate) fn run(code: &str, output: &Output) -> Result<(), Failure> {
    let explanation = match failures::get(code) {
        Some(entry) => of_entry(entry),
        None => match codes::lookup(code) {
            Some(code) => of_code(code),
            None => None,
        },
    };
    let Some(explanation) = explanation else {
        return Err(Failure::new(exit::NOT_FOUND, format!("{code:?} is not a code, name or failure that is known here"))
            .help("wcow sim catalogue lists the failures; codes are written 0xC0370101, 32 or HCS_E_IMAGE_MISMATCH"));
    };
    if output.is_json() {
        output.json("explanation", &[explanation])?;
    } else {
        output.text(&for_people(&explanation))?;
    }
    Ok(())
}

fn of_entry(entry: &'static Entry) -> Option<Explanation> {
    let code = entry.codes.iter().find_map(|code| match code {
        FailureCode::Hresult(code) => Some(Hresult(*code)),
        FailureCode::PowerShellId(_) | FailureCode::Silent => None,
    });
    Some(Explanation {
        code: code.map(|code| code.to_string()),
        name: code.and_then(codes::name).map(str::to_owned),
        texts: code.map(texts).unwrap_or_default(),
        failures: vec![cause(entry)],
    })
}

fn of_code(code: Hresult) -> Option<Explanation> {
    let texts = texts(code);
    let failures: Vec<Cause> = failures::CATALOGUE
        .iter()
        .filter(|entry| {
            entry
                .codes
                .iter()
                .any(|known| matches!(known, FailureCode::Hresult(known) if *known == code.0))
        })
        .map(cause)
        .collect();
    let name = codes::name(code);
    if name.is_none() && texts.is_empty() && failures.is_empty() {
        return None;
    }
    Some(Explanation {
        code: Some(code.to_string()),
        name: name.map(str::to_owned),
        texts,
        failures,
    })
}

/// The texts of a code, one line per wording, with the generations that have it.
fn texts(code: Hresult) -> Vec<Text> {
    let mut texts: Vec<Text> = Vec::new();
    for generation in Generation::ALL {
        let Some(text) = codes::text(code, *generation) else {
            continue;
        };
        match texts.iter_mut().find(|known| known.text == text) {
            Some(known) => {
                known.generation = format!("{}, {}", known.generation, generation.label())
            }
            None => texts.push(Text {
                generation: generation.label().to_owned(),
                text: text.to_owned(),
            }),
        }
    }
    texts
}

fn cause(entry: &Entry) -> Cause {
    Cause {
        id: entry.id.0.to_owned(),
        title: entry.title.to_owned(),
        hosts: entry.hosts.to_string(),
        trigger: entry.trigger.to_owned(),
        way_out: entry.way_out.to_owned(),
        source: entry.source.to_owned(),
    }
}

fn for_people(explanation: &Explanation) -> String {
    let mut text = String::new();
    if let Some(code) = &explanation.code {
        let name = explanation
            .name
            .as_ref()
            .map_or_else(String::new, |name| format!(" {name}"));
        text.push_str(&format!("{code}{name}\n"));
    }
    let one = explanation.texts.len() == 1;
    for wording in &explanation.texts {
        let when = if one {
            String::new()
        } else {
            format!("  ({})", wording.generation)
        };
        text.push_str(&format!("  {}{when}\n", wording.text));
    }
    for cause in &explanation.failures {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!(
            "{}: {}\n  Hosts:   {}\n  When:    {}\n  Way out: {}\n  Source:  {}\n",
            cause.id, cause.title, cause.hosts, cause.trigger, cause.way_out, cause.source
        ));
    }
    if explanation.failures.is_empty() {
        text.push_str("\nNo failure in the catalogue has this code.\n");
    }
    text
}
