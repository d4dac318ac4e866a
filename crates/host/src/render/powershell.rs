//! PowerShell error records as a console shows them.
//!
//! ```text
//! <command as typed> : <message>
//! At line:1 char:<column>
//! + <the whole line>
//! + ~~~~ (under what is wrong)
//!     + CategoryInfo          : <category>: (<target>) [<cmdlet>], <exception>
//!     + FullyQualifiedErrorId : <id>
//! ```
//!
//! Records of the container cmdlets have no `At line` part, and say everything twice: the second time each line that names the
//! container ends with its id.

use std::fmt::{Display, Write as _};

use wcow_ntmeta::Hresult;

use super::client::message;
use super::{CommandLine, Subject};
use crate::codes::win32;
use crate::era::Generation;
use crate::{Code, HostError, Operation, PowerShellError};

/// No usual error is longer, in bytes.
const USUAL_LEN: usize = 1024;

/// The text that a console shows for an error, every line ended by a line feed.
#[must_use]
pub fn powershell(error: &HostError, typed: &CommandLine, subject: Option<&Subject<'_>>) -> String {
    let command = Command::of(error, typed);
    let mut text = String::with_capacity(USUAL_LEN);
    match &error.code {
        Code::PowerShell(record) => {
            text.extend([command.typed, " : ", &record.message, "\n"]);
            if let Some(extent) = Extent::of(record, &typed.typed, &command) {
                extent.show(&typed.typed, &mut text);
            }
            footer(
                &mut text,
                record.category,
                &record.target,
                &record.activity,
                &record.exception,
                &record.id,
            );
        }
        Code::Hresult(code) => container_cmdlet(&mut text, error, *code, &command, subject),
    }
    text
}

/// Whether the call behind an error is one that a cmdlet made.
pub(super) fn is_cmdlet_call(error: &HostError, typed: &CommandLine) -> bool {
    error.operation.cmdlet().is_some() || known_in(&typed.typed).is_some()
}

/// Writes a record of a container cmdlet.
fn container_cmdlet(
    text: &mut String,
    error: &HostError,
    code: Hresult,
    command: &Command<'_>,
    subject: Option<&Subject<'_>>,
) {
    let name = subject.map_or(error.object.as_str(), |subject| subject.container_name);
    // The cmdlets lived on technical previews only: their wording is the oldest.
    let reason = format!("{} ({code}).", message(code, Generation::TechnicalPreview3));
    let timed_out = code == win32::TIMEOUT;
    let lines: Vec<String> = match command.canonical {
        "New-Container" => {
            let what = match error.operation {
                Operation::CreateSystem => "Failed to create container",
                _ => "Failed to create storage for container",
            };
            vec![
                "Failed to create a new virtual machine.".to_owned(),
                format!("'{name}' failed to realize."),
                format!("{what} '{name}': {reason}"),
            ]
        }
        "Start-Container" if timed_out => vec![format!("'{name}' failed to start: {reason}")],
        "Start-Container" => vec![
            format!("'{name}' failed to start."),
            format!("'{name}' failed to initialize: {reason}"),
        ],
        "Stop-Container" => vec![format!("'{name}' failed to stop: {reason}")],
        "Remove-Container" => vec![format!("'{name}' failed to be removed: {reason}")],
        _ => vec![reason],
    };
    text.extend([command.typed, " : "]);
    for line in &lines {
        text.extend([line, "\n"]);
    }
    let quoted = format!("'{name}'");
    if let Some(subject) = subject
        && lines.iter().any(|line| line.contains(&quoted))
    {
        let id = format!(" (Container ID {})", subject.container_id.to_uppercase());
        for line in &lines {
            let id = if line.contains(&quoted) {
                id.as_str()
            } else {
                ""
            };
            text.extend([line, id, "\n"]);
        }
    }
    let (category, kind) = if timed_out {
        ("OperationTimeout", "OperationTimeout")
    } else {
        ("NotSpecified", "OperationFailed")
    };
    let id = format!(
        "{kind},Microsoft.Containers.PowerShell.Cmdlets.{}",
        command.canonical.replace('-', "")
    );
    footer(
        text,
        category,
        "",
        command.canonical,
        "VirtualizationException",
        &id,
    );
}

fn footer(
    text: &mut String,
    category: impl Display,
    target: &str,
    activity: &str,
    exception: &str,
    id: &str,
) {
    let target = if target.is_empty() { ":" } else { target };
    let _ = write!(
        text,
        "    + CategoryInfo          : {category}: ({target}) [{activity}], {exception}\n    + FullyQualifiedErrorId : {id}\n"
    );
}

/// The command that failed: as typed, and as it is really spelled.
struct Command<'a> {
    typed: &'a str,
    canonical: &'a str,
}

impl<'a> Command<'a> {
    fn of(error: &'a HostError, line: &'a CommandLine) -> Self {
        let named = match &error.code {
            Code::PowerShell(record) if !record.activity.is_empty() => {
                Some(record.activity.as_str())
            }
            Code::PowerShell(record) => record.target.strip_suffix(":String"),
            Code::Hresult(_) => error.operation.cmdlet(),
        };
        if let Some(named) = named
            && let Some(typed) = word(&line.typed, named)
        {
            return Self {
                typed,
                canonical: named,
            };
        }
        // A PowerShell record knows its cmdlet; behind an HRESULT is whatever was typed.
        if let Code::Hresult(_) = error.code
            && let Some((typed, canonical)) = known_in(&line.typed)
        {
            return Self { typed, canonical };
        }
        let name = named.unwrap_or(error.operation.name());
        Self {
            typed: name,
            canonical: name,
        }
    }
}

/// The word of a line that is this command, in any case.
fn word<'a>(line: &'a str, command: &str) -> Option<&'a str> {
    words(line).find(|word| word.eq_ignore_ascii_case(command))
}

/// The first word of a line that is a cmdlet known here, with its real spelling.
fn known_in(line: &str) -> Option<(&str, &'static str)> {
    words(line).find_map(|word| {
        let mut cmdlets = Operation::ALL
            .iter()
            .filter_map(|operation| operation.cmdlet());
        cmdlets
            .find(|cmdlet| cmdlet.eq_ignore_ascii_case(word))
            .map(|cmdlet| (word, cmdlet))
    })
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| c.is_whitespace() || matches!(c, ';' | '|' | '(' | ')' | '{' | '}' | '='))
        .filter(|word| !word.is_empty())
}

/// The part of a line that a record points at, in characters.
struct Extent {
    start: usize,
    length: usize,
}

impl Extent {
    /// The command of one that is not recognised, the parameter of one that does not exist, else the whole line.
    fn of(record: &PowerShellError, line: &str, command: &Command<'_>) -> Option<Self> {
        if line.is_empty() {
            return None;
        }
        let part = match record.exception.as_str() {
            "CommandNotFoundException" => Some(command.typed.to_ascii_lowercase()),
            "ParameterBindingException" => record
                .message
                .split('\'')
                .nth(1)
                .map(|parameter| format!("-{}", parameter.to_ascii_lowercase())),
            _ => None,
        };
        let found = part.and_then(|part| {
            let offset = line.to_ascii_lowercase().find(&part)?;
            Some(Self {
                start: line.get(..offset)?.chars().count(),
                length: part.chars().count(),
            })
        });
        // A whole line is underlined to one past its end, as the one surviving screenshot has it.
        Some(found.unwrap_or_else(|| Self {
            start: 0,
            length: line.chars().count() + 1,
        }))
    }

    fn show(&self, line: &str, text: &mut String) {
        let Self { start, length } = *self;
        let char = start + 1;
        let _ = write!(
            text,
            "At line:1 char:{char}\n+ {line}\n+ {:start$}{:~<length$}\n",
            "", ""
        );
    }
}
