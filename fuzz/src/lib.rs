//! Fuzz target bodies, replayed by cargo test; the fuzzer programs are behind a feature
#![forbid(unsafe_code)]
