//! Codes, rules, catalogue and renderings, against the facts they were made from.

mod codes;
mod era;
mod explain;
mod failures;
mod files;
mod render;
mod support;
