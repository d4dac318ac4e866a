//! One file per group of commands.

pub(crate) mod container;
pub(crate) mod explain;
pub(crate) mod host;
pub(crate) mod image;
pub(crate) mod network;
pub(crate) mod shell;
pub(crate) mod sim;
