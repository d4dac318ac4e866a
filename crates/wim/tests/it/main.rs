//! Tests of the WIM crate from outside.

mod chunks;
mod corpus;
mod header;
mod metadata;
mod mutations;
mod reading;
mod round_trip;
mod support;
mod xml;
