//! The program as a user meets it: what it prints where, and which code it ends with.

mod budgets;
mod campaign;
mod catalogue;
mod containers;
mod corpus;
mod data;
mod doctor;
mod hosts;
mod interrupted;
mod listings;
mod running;
mod serve;
mod stats;
mod streams;
mod support;
mod usage;
mod wims;
