//! The program as a user meets it: what it prints where, and which code it ends with.

mod containers;
mod corpus;
mod data;
mod hosts;
mod listings;
mod support;
mod usage;
mod wims;
