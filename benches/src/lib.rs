//! Benchmarks, and side-by-side runs against wimlib
#![forbid(unsafe_code)]
