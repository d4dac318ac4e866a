//! The life cycle of one container over the host traits
#![forbid(unsafe_code)]
