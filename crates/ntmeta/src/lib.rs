//! Small Windows value types: times, GUIDs, names, paths, security descriptors, reparse points, HRESULTs
#![forbid(unsafe_code)]
