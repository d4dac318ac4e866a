//! Reads, verifies and writes WIM (Windows Imaging) files
#![forbid(unsafe_code)]
