//! Tests of the WIM crate from outside.

mod about;
mod build;
mod cancelling;
mod chunks;
mod corpus;
mod encode;
mod header;
mod hostile;
mod huge;
mod in_memory;
mod layouts;
mod lenient;
#[path = "../../../lzx/tests/it/encode.rs"]
#[expect(
    dead_code,
    reason = "it writes more than is needed here, for the tests of its own crate"
)]
mod lzx;
mod metadata;
mod mutations;
mod pipable;
mod readers;
mod reading;
mod record;
mod round_trip;
mod sending;
mod sets;
mod solid;
mod support;
mod verifying;
mod xml;
#[path = "../../../xpress/tests/it/encode.rs"]
#[expect(
    dead_code,
    reason = "it writes more than is needed here, for the tests of its own crate"
)]
mod xpress;
