//! A deterministic simulated Windows container host
#![forbid(unsafe_code)]
