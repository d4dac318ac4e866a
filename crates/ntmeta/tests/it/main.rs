//! Tests of the Windows value types through their public interface.

mod attributes;
mod guid;
mod names;
mod paths;
mod reparse;
mod security;
mod time;
