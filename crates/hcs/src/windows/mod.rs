//! The safe layer over [`crate::raw`].

pub(crate) mod answer;
pub(crate) mod callback;
pub mod disk;
pub mod io;
pub mod layers;
pub mod machine;
pub(crate) mod memory;
pub mod network;
pub(crate) mod process_info;
pub mod storage;
pub mod v1;
pub mod v2;
