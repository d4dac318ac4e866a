//! Reads registry hive files (regf) and writes small ones
#![forbid(unsafe_code)]
