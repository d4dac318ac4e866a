//! What a chore has to say when it ends well: what it saw, and what it left out and why.

use std::fmt;

/// The notes and skips of one chore.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// What was checked, in numbers.
    pub(crate) notes: Vec<String>,
    /// What was left out, each with its reason.
    pub(crate) skips: Vec<String>,
}

impl Report {
    /// A report that says only that everything was left out, and why.
    pub(crate) fn skipped(reason: impl Into<String>) -> Self {
        Self {
            notes: Vec::new(),
            skips: vec![reason.into()],
        }
    }

    /// A report with one note.
    pub(crate) fn noted(note: impl Into<String>) -> Self {
        Self {
            notes: vec![note.into()],
            skips: Vec::new(),
        }
    }

    /// Adds a note.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Adds a skip with its reason.
    pub(crate) fn skip(&mut self, reason: impl Into<String>) {
        self.skips.push(reason.into());
    }

    /// Takes over everything another report says.
    pub(crate) fn merge(&mut self, other: Self) {
        self.notes.extend(other.notes);
        self.skips.extend(other.skips);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.notes
            .iter()
            .try_for_each(|note| writeln!(f, "  {note}"))?;
        self.skips
            .iter()
            .try_for_each(|reason| writeln!(f, "  skipped: {reason}"))
    }
}
