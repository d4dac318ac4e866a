//! Tests of trees in memory, of the name rule, and of the disk side.

// These expect a disk that tells case apart and takes any bytes as a name.
#[cfg(target_os = "linux")]
mod disk;
mod memory;
#[cfg(target_os = "linux")]
mod metadata;
mod names;
#[cfg(windows)]
mod windows;
