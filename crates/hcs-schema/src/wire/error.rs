//! What is wrong with a document, and where.

use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use super::Wire;
use super::path::{self, Step};

/// A document that cannot be read. Lines and columns count from 1, columns in bytes; the path is that of the value, for example
/// `Container.Storage.Layers[1].Id`, and empty for the document itself.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The text is no JSON.
    #[error("line {line}, column {column}{}: malformed JSON: {what}", shown(path))]
    Malformed {
        /// What it breaks off in.
        path: String,
        /// Where.
        line: usize,
        /// Where.
        column: usize,
        /// What was expected.
        what: String,
    },
    /// A value is not of the type that the schema says.
    #[error("line {line}, column {column}{}: {what}", shown(path))]
    Mismatch {
        /// The value.
        path: String,
        /// Where.
        line: usize,
        /// Where.
        column: usize,
        /// What was expected, and what was found.
        what: String,
    },
}

fn shown(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!(", {path}")
    }
}

/// A value of another type than the schema says.
#[derive(Debug)]
pub(crate) struct Mismatch(Box<Inner>);

#[derive(Debug)]
struct Inner {
    /// Innermost first.
    steps: Vec<Step>,
    what: String,
}

impl Mismatch {
    #[cold]
    pub(crate) fn new(expected: &str, found: &Value) -> Self {
        Self::of(format!("expected {expected}, found {}", describe(found)))
    }

    /// A key that is none.
    #[cold]
    pub(crate) fn key(expected: &str, found: &str) -> Self {
        let found = Value::from(found);
        Self::of(format!(
            "expected {expected} as a key, found {}",
            describe(&found)
        ))
    }

    fn of(what: String) -> Self {
        Self(Box::new(Inner {
            steps: Vec::new(),
            what,
        }))
    }

    #[cold]
    pub(crate) fn under_key(mut self, key: &str) -> Self {
        self.0.steps.push(Step::Key(Some(key.to_owned())));
        self
    }

    #[cold]
    pub(crate) fn under_item(mut self, number: usize) -> Self {
        self.0.steps.push(Step::Item(number));
        self
    }

    fn path(&self) -> Vec<Step> {
        self.0.steps.iter().rev().cloned().collect()
    }
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = path::show(&self.path());
        if !path.is_empty() {
            write!(f, "{path}: ")?;
        }
        f.write_str(&self.0.what)
    }
}

/// Longest text that a message repeats, in characters.
const LONGEST: usize = 40;

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => {
            let start: String = text.chars().take(LONGEST).collect();
            let more = if start.len() < text.len() { "..." } else { "" };
            format!("{start:?}{more}")
        }
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// Reads a document by way of [`Value`].
pub(crate) fn parse_wire<T: Wire>(text: &[u8]) -> Result<T, ParseError> {
    let value = serde_json::from_slice(text).map_err(|error| of_serde(text, &error))?;
    T::read(value).map_err(|mismatch| of_mismatch(text, &mismatch))
}

/// Reads a document whose reader serde has made.
pub(crate) fn parse_serde<T: DeserializeOwned>(text: &[u8]) -> Result<T, ParseError> {
    // Such a reader stops at the first value that it does not expect, and looks less closely at values that it skips.
    serde_json::from_slice::<Value>(text)
        .and_then(|_| serde_json::from_slice(text))
        .map_err(|error| of_serde(text, &error))
}

fn of_mismatch(text: &[u8], mismatch: &Mismatch) -> ParseError {
    let steps = mismatch.path();
    let offset = path::offset_of(text, &steps).unwrap_or_default();
    let (line, column) = path::position(text, offset);
    ParseError::Mismatch {
        path: path::show(&steps),
        line,
        column,
        what: mismatch.0.what.clone(),
    }
}

fn of_serde(text: &[u8], error: &serde_json::Error) -> ParseError {
    let (line, column) = (error.line(), error.column());
    let offset = path::offset(text, line, column);
    let path = path::show(&path::path_at(text, offset));
    let what = error.to_string();
    // The place is told already.
    let what = match what.rsplit_once(" at line ") {
        Some((what, _)) => what.to_owned(),
        None => what,
    };
    if error.is_data() {
        ParseError::Mismatch {
            path,
            line,
            column,
            what,
        }
    } else {
        ParseError::Malformed {
            path,
            line,
            column,
            what,
        }
    }
}
