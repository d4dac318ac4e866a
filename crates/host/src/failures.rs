//! The catalogue of failures.
