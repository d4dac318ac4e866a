//! Commands of PowerShell, for what Windows offers nowhere else: switches, NAT objects, features.
//!
//! ```text
//! script (constant) ──▶ -EncodedCommand ─┐
//! arguments ──▶ Base64 of UTF-16 ──▶ WCOW_ARGUMENTS ─┴▶ powershell.exe ──▶ one line of JSON: rows, or the error record
//! ```
//!
//! The text of a script never depends on an argument, so nothing in an argument can become script: it travels in a variable of the
//! environment, in an alphabet without quotes, and is decoded into a string there. What comes back is ASCII, which no code page
//! of a console changes.
//!
//! A failed command answers with its error record, of which the category and the FullyQualifiedErrorId are the code. No message is
//! looked at.

use std::iter;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use wcow_host::{Code, ErrorCategory, HostError, Operation, PowerShellError};
use wcow_ntmeta::Hresult;

use crate::tools::{INVALID_DATA, Tools, code_of_exit, decode};

const FRAME: &str = include_str!("scripts/frame.ps1");
/// Where a script goes in the frame.
const BODY: &str = "#BODY";
/// What the line begins with that is the answer. Modules may write lines of their own.
const ANSWER: &str = "wcow-answer:";
/// The longest value that a variable of the environment can have is 32767 units; names and the rest of it need little.
const LONGEST_ARGUMENTS: usize = 24 * 1024;
/// `ERROR_BUFFER_OVERFLOW`: the arguments are too long.
const TOO_LONG: Hresult = Hresult::from_win32(111);

/// Codes of this facility are those of .NET itself, which tell only that something was thrown.
const DOT_NET: u16 = 0x13;

/// A script.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Script {
    /// What it is known by, in its first line.
    pub(crate) name: &'static str,
    /// Its parts, in their order.
    pub(crate) parts: &'static [&'static str],
}

impl Script {
    /// The whole text.
    fn text(&self) -> String {
        let body = self.parts.join("\n");
        format!("# {}\n{}", self.name, FRAME.replace(BODY, &body))
    }
}

impl Tools {
    /// Runs a script and gives its rows.
    ///
    /// # Errors
    /// The error record of the command that failed; PowerShell cannot be started, takes too long or says what cannot be read.
    pub(crate) fn powershell<T: DeserializeOwned>(
        &self,
        operation: Operation,
        object: &str,
        script: &Script,
        arguments: &[&str],
    ) -> Result<Vec<T>, HostError> {
        let arguments = encode_arguments(arguments);
        if arguments.len() > LONGEST_ARGUMENTS {
            return Err(HostError::new(operation, object, TOO_LONG));
        }
        let ran = self.run(
            operation,
            "powershell",
            &[
                "-NoLogo",
                "-NoProfile",
                "-NonInteractive",
                "-EncodedCommand",
                &base64_utf16(&script.text()),
            ],
            &[("WCOW_ARGUMENTS", &arguments)],
        )?;
        match read_answer(&decode(&ran.stdout)) {
            Some(Ok(rows)) => Ok(rows),
            Some(Err(record)) => Err(record.into_error(operation, object)),
            None => {
                let code = match ran.exit {
                    Some(0) => INVALID_DATA,
                    exit => code_of_exit(exit),
                };
                Err(HostError::new(operation, object, code))
            }
        }
    }
}

/// The answer in what a script wrote; none if there is no such line, or it cannot be read.
pub(crate) fn read_answer<T: DeserializeOwned>(output: &str) -> Option<Result<Vec<T>, Record>> {
    let line = output
        .lines()
        .rev()
        .find_map(|line| line.trim().strip_prefix(ANSWER))?;
    match serde_json::from_str(line).ok()? {
        Answer {
            rows: Some(rows),
            error: None,
        } => Some(Ok(rows)),
        Answer {
            error: Some(record),
            ..
        } => Some(Err(record)),
        Answer { .. } => None,
    }
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Answer<T> {
    rows: Option<Vec<T>>,
    error: Option<Record>,
}

/// An error record, as a script writes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Record {
    category: String,
    target: String,
    activity: String,
    exception: String,
    id: String,
    message: String,
    /// The exception's own code; old versions of .NET do not show it.
    hresult: Option<i64>,
}

impl Record {
    fn into_error(self, operation: Operation, object: &str) -> HostError {
        let hresult = self.hresult();
        let error = PowerShellError {
            category: category(&self.category),
            target: self.target,
            activity: self.activity,
            exception: self.exception,
            id: self.id,
            message: self.message,
        };
        let mut error = HostError::powershell(operation, object, error);
        if is_answered_by_code(operation)
            && !error.is_command_missing()
            && let Some(code) = hresult
        {
            error.code = Code::Hresult(code);
        }
        error
    }

    /// The code of what is below PowerShell, if it gave one.
    fn hresult(&self) -> Option<Hresult> {
        let low = u32::try_from(self.hresult? & 0xFFFF_FFFF).ok()?;
        let code = Hresult(low);
        (code.is_failure() && code.facility() != DOT_NET).then_some(code)
    }
}

/// Whether callers of an operation expect the code of what the cmdlet called, instead of the cmdlet's error record. Those of switches,
/// NAT objects and adapters are about the record.
fn is_answered_by_code(operation: Operation) -> bool {
    matches!(operation, Operation::Features | Operation::Packages) || operation.is_diagnostic()
}

/// The category of that name. One that a later PowerShell may add says nothing to us.
fn category(name: &str) -> ErrorCategory {
    serde_json::from_value(name.into()).unwrap_or(ErrorCategory::NotSpecified)
}

/// The arguments as the frame takes them apart: a word, then each behind a comma, so that none and one empty one differ.
pub(crate) fn encode_arguments(arguments: &[&str]) -> String {
    iter::once("arguments".to_owned())
        .chain(arguments.iter().map(|argument| base64_utf16(argument)))
        .collect::<Vec<_>>()
        .join(",")
}

/// Base64 (RFC 4648, section 4) of the text in UTF-16, the low byte of each unit first.
pub(crate) fn base64_utf16(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut encoded = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |index: usize| chunk.get(index).copied().map_or(0, u32::from);
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let digit = usize::try_from(bits >> (18 - 6 * place) & 0x3F).unwrap_or(0);
            let letter = ALPHABET.get(digit).copied().map_or('=', char::from);
            encoded.push(if place > chunk.len() { '=' } else { letter });
        }
    }
    encoded
}
