//! Codes, rules, catalogue and renderings, against the facts they were made from.

mod access;
mod codes;
mod era;
mod explain;
mod failures;
mod files;
mod isolation;
mod render;
mod support;
mod utility_vm;
