//! Base OS images on a host: install, list, inspect, test and remove, crash-safe
#![forbid(unsafe_code)]
