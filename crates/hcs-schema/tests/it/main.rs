//! Documents as services and clients of their time wrote them, read and written again.

mod properties;
mod samples;
