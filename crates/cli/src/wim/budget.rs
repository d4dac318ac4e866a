//! Budgets: which one an error is about, and which option raises it.

use std::error::Error;

use wcow_wim::{Budget, ExtractError, ReadError};

/// The budget that an error, or one behind it, names.
pub(super) fn exceeded(error: &(dyn Error + 'static)) -> Option<Budget> {
    std::iter::successors(Some(error), |error| (*error).source()).find_map(|error| {
        match (error.downcast_ref(), error.downcast_ref()) {
            (Some(ReadError::Budget { budget, .. }), _) => Some(*budget),
            (_, Some(ExtractError::Budget { .. })) => Some(Budget::Output),
            _ => None,
        }
    })
}

/// The next step.
pub(super) fn help(budget: Budget) -> String {
    let option = match budget {
        Budget::Output => "--max-output",
        Budget::ChunkMemory => "--max-chunk",
        // XML data and metadata.
        _ => "--max-metadata",
    };
    format!("if you trust the file, allow it more with {option} BYTES")
}
