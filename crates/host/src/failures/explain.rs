//! From what somebody has (a code, a name, an id, a line of a log) to what it means.

use wcow_ntmeta::Hresult;

use super::{CATALOGUE, Failure, FailureCode};
use crate::{Operation, codes};

/// What is known about a code, or about words of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The code. `None` for a failure that shows itself without one.
    pub code: Option<Hresult>,
    /// The entries of the catalogue that can be behind it, best first: those whose call is named in the line, then by how often they
    /// are reported.
    pub failures: Vec<&'static Failure>,
}

/// Explains what somebody found in a log or typed: a code in any spelling that [`codes::lookup`] reads, a symbolic name, a
/// FullyQualifiedErrorId, the id of an entry, or a line or more of a log in which codes or known words are. The best explanation comes
/// first; empty if nothing in it is known.
#[must_use]
pub fn explain(found: &str) -> Vec<Explanation> {
    let found = found.trim();
    if let Some(entry) = super::get(&found.to_ascii_lowercase()) {
        return vec![Explanation {
            code: first_code(entry),
            failures: vec![entry],
        }];
    }
    if let Some(code) = codes::lookup(found) {
        return of_code(code, &[]).into_iter().collect();
    }
    of_log(found)
}

/// What is known about one code: `None` if nothing is.
fn of_code(code: Hresult, calls: &[Operation]) -> Option<Explanation> {
    let mut failures: Vec<&Failure> = CATALOGUE
        .iter()
        .filter(|entry| entry.codes.iter().any(|known| is_code(*known, code)))
        .collect();
    rank(&mut failures, calls);
    let known = codes::name(code).is_some() || codes::advice(code).is_some();
    (known || !failures.is_empty()).then_some(Explanation {
        code: Some(code),
        failures,
    })
}

fn of_log(log: &str) -> Vec<Explanation> {
    let lower = log.to_lowercase();
    let calls = calls_in(&lower);
    let mut explanations = Vec::new();
    let mut in_words: Vec<&Failure> = CATALOGUE
        .iter()
        .filter(|entry| {
            entry.codes.iter().any(|code| match code {
                FailureCode::PowerShellId(words) | FailureCode::Text(words) => {
                    lower.contains(&words.trim_end_matches('.').to_lowercase())
                }
                FailureCode::Hresult(_) | FailureCode::ExitCode(_) | FailureCode::Silent => false,
            })
        })
        .collect();
    rank(&mut in_words, &calls);
    let by_number = codes::find_in(log);
    if !in_words.is_empty() {
        let code = match in_words.as_slice() {
            [only] => first_code(only).filter(|code| by_number.contains(code)),
            _ => None,
        };
        explanations.push(Explanation {
            code,
            failures: in_words,
        });
    }
    for code in by_number {
        let told = explanations
            .iter()
            .any(|explanation| explanation.code == Some(code));
        if !told {
            explanations.extend(of_code(code, &calls));
        }
    }
    explanations
}

/// Entries whose call is known to have failed first, then by how often they are reported, then in the order of the catalogue.
fn rank(failures: &mut [&'static Failure], calls: &[Operation]) {
    failures.sort_by_key(|entry| {
        let call = calls.iter().any(|call| entry.operations.contains(call));
        (!call, entry.reported.first().copied().unwrap_or(u8::MAX))
    });
}

fn first_code(entry: &Failure) -> Option<Hresult> {
    entry.codes.iter().find_map(|code| match code {
        FailureCode::Hresult(code) | FailureCode::ExitCode(code) => Some(Hresult(*code)),
        FailureCode::PowerShellId(_) | FailureCode::Text(_) | FailureCode::Silent => None,
    })
}

fn is_code(known: FailureCode, code: Hresult) -> bool {
    match known {
        FailureCode::Hresult(known) | FailureCode::ExitCode(known) => known == code.0,
        FailureCode::PowerShellId(id) => of_cmdlet(id) == Some(code),
        FailureCode::Text(_) | FailureCode::Silent => false,
    }
}

/// The code in a FullyQualifiedErrorId of a management cmdlet: `Windows System Error 87,New-NetNat`, `HRESULT 0x80041010,New-NetNat`.
fn of_cmdlet(id: &str) -> Option<Hresult> {
    let (code, _) = id.split_once(',')?;
    let number = code
        .strip_prefix("Windows System Error ")
        .or_else(|| code.strip_prefix("HRESULT "))?;
    codes::lookup(number)
}

/// How clients name calls whose function is called otherwise.
const TITLES: &[(&str, &[Operation])] = &[
    ("createcomputesystem", &[Operation::CreateSystem]),
    ("createcontainer", &[Operation::CreateSystem]),
    ("system::start", &[Operation::StartSystem]),
    ("failed to start", &[Operation::StartSystem]),
    ("system::shutdown", &[Operation::ShutdownSystem]),
    ("system::terminate", &[Operation::TerminateSystem]),
    ("createprocess", &[Operation::CreateProcess]),
    ("processbaselayer", &[Operation::ProcessBase]),
    ("network", &[Operation::CreateNetwork]),
    ("endpoint", &[Operation::CreateEndpoint]),
];

/// The calls that a log names, in lower case.
fn calls_in(log: &str) -> Vec<Operation> {
    let by_name = Operation::ALL.iter().copied().filter(|operation| {
        let named = |name: &str| log.contains(&name.to_ascii_lowercase());
        named(operation.name()) || operation.cmdlet().is_some_and(named)
    });
    let by_title = TITLES
        .iter()
        .filter(|(title, _)| log.contains(title))
        .flat_map(|(_, operations)| *operations)
        .copied();
    by_name.chain(by_title).collect()
}
