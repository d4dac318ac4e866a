//! Scenarios as data: steps run against any host through the engine, with what is expected of each
#![forbid(unsafe_code)]
