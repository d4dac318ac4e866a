//! The JSON documents of the Host Compute Service and Host Network Service
#![forbid(unsafe_code)]
