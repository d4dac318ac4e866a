//! Run files: a run as JSON, to be repeated anywhere and for ever.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use wcow_scenario::WimShelf;
use wcow_sim::TraceRecord;

use crate::run::{Report, RunSpec};

/// The form of the files.
pub const SCHEMA: &str = "wcow.run/1";

/// A run, with what came of it when it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RunFile {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version of wcow that recorded it.
    pub version: String,
    /// The run.
    pub run: RunSpec,
    /// The check whose promise it broke, if it broke one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
    /// What it broke, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<String>,
    /// The host's fingerprint at the end.
    pub fingerprint: String,
    /// Four hexadecimal digits for each event of the trace, to find the first one that differs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub events: String,
}

/// A text that is no run file.
#[derive(Debug, thiserror::Error)]
#[error("not a run file: {0}")]
pub struct RunFileError(#[from] serde_json::Error);

/// Why a run file does not repeat what it recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// There is no such profile any more.
    #[error(transparent)]
    Profile(#[from] crate::run::UnknownProfile),
    /// Something else happened.
    #[error(
        "expected the run that version {recorded_by} recorded, found another one from event {event} on: {happened}"
    )]
    Diverged {
        /// The version that recorded it.
        recorded_by: String,
        /// The first event that differs, from 1.
        event: usize,
        /// What happened instead.
        happened: String,
    },
}

impl RunFile {
    /// Runs it and keeps what came of it.
    ///
    /// # Errors
    /// There is no such profile.
    pub fn record(
        spec: RunSpec,
        shelf: &dyn WimShelf,
    ) -> Result<(Self, Report), crate::run::UnknownProfile> {
        let (report, trace) = traced(&spec, shelf)?;
        let file = Self {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            broken: report
                .violations
                .first()
                .map(|violation| violation.check().to_owned()),
            violations: report.violations.iter().map(ToString::to_string).collect(),
            fingerprint: report.fingerprint.clone(),
            events: trace.iter().map(digits).collect(),
            run: spec,
        };
        Ok((file, report))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`RunFileError`] says what is wrong, and in which line and column.
    pub fn read(text: &str) -> Result<Self, RunFileError> {
        let file: Self = serde_json::from_str(text)?;
        if file.schema == SCHEMA {
            Ok(file)
        } else {
            let found = &file.schema;
            let error: serde_json::Error =
                serde::de::Error::custom(format!("expected schema {SCHEMA:?}, found {found:?}"));
            Err(error.into())
        }
    }

    /// The file as text.
    #[must_use]
    pub fn text(&self) -> String {
        // Strings, numbers, lists and structures: nothing that JSON cannot hold.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Runs it again. What it breaks stands in the report.
    ///
    /// # Errors
    /// [`ReplayError`]: it does not run as it did.
    pub fn replay(&self, shelf: &dyn WimShelf) -> Result<Report, ReplayError> {
        let (report, trace) = traced(&self.run, shelf)?;
        if report.fingerprint == self.fingerprint {
            return Ok(report);
        }
        let now: Vec<String> = trace.iter().map(digits).collect();
        let before = self.events.as_bytes().chunks(4);
        let same = now
            .iter()
            .zip(before.clone())
            .take_while(|(now, before)| now.as_bytes() == *before)
            .count();
        let happened = match trace.get(same) {
            Some(record) => record.to_string(),
            None if same < before.count() => "it ends earlier".to_owned(),
            None => "nothing that the trace shows".to_owned(),
        };
        Err(ReplayError::Diverged {
            recorded_by: self.version.clone(),
            event: same + 1,
            happened,
        })
    }

    /// The run as a Rust test of this name, for a repository of tests: it fails as long as the promise is broken.
    #[must_use]
    pub fn as_test(&self, name: &str) -> String {
        let about = self.violations.first().cloned().unwrap_or_default();
        format!(
            "/// {about}\n#[test]\nfn {name}() {{\n    let shelf = wcow_scenario::wims::Shelf::build().unwrap();\n    \
             let file = wcow_campaign::RunFile::read(include_str!(\"{name}.json\")).unwrap();\n    \
             let report = file.run.run(&shelf).unwrap();\n    assert_eq!(report.violations, []);\n}}\n"
        )
    }
}

/// Runs a spec twice; the first event that differs, from 1, with both sides.
///
/// # Errors
/// There is no such profile.
pub fn divergence(
    spec: &RunSpec,
    shelf: &dyn WimShelf,
) -> Result<Option<(usize, String, String)>, crate::run::UnknownProfile> {
    let [first, second] = [traced(spec, shelf)?, traced(spec, shelf)?];
    let text = |trace: &[TraceRecord], place: usize| {
        trace
            .get(place)
            .map_or_else(|| "it ends".to_owned(), ToString::to_string)
    };
    let longest = first.1.len().max(second.1.len());
    let differing = (0..longest).find(|&place| first.1.get(place) != second.1.get(place));
    Ok(match differing {
        Some(place) => Some((place + 1, text(&first.1, place), text(&second.1, place))),
        None if first.0.fingerprint != second.0.fingerprint => {
            Some((longest + 1, first.0.fingerprint, second.0.fingerprint))
        }
        None => None,
    })
}

/// Runs a spec with a trace.
fn traced(
    spec: &RunSpec,
    shelf: &dyn WimShelf,
) -> Result<(Report, Vec<TraceRecord>), crate::run::UnknownProfile> {
    let sim = spec.host()?;
    sim.start_trace();
    let report = spec.run_on(&sim, shelf);
    Ok((report, sim.take_trace()))
}

/// The first sixteen bits of an event's hash.
fn digits(record: &TraceRecord) -> String {
    let hash = Sha256::digest(format!("{} {}", record.time.ticks(), record.event));
    hash.iter()
        .take(2)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
