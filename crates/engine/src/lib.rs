//! Names, images, networks and containers of one host: what the command line calls, and later servers.
//!
//! The engine is where people's names meet the host's ids. It keeps its own records on the host's file system
//! (`C:\ProgramData\wcow\records`), asks the host for everything that the host knows better, and holds nothing between two
//! calls: any number of short-lived commands see the same host, and two that change the same object do so one after the other.
//! It is generic over [`Host`] and runs on any executor.
//!
//! | module | what it does |
//! |---|---|
//! | images | base OS images through `wcow-image-store`, from WIM files through `wcow-wim` |
//! | networks | plans from `wcow-network`, carried out step by step, undone when a step fails |
//! | containers | the life cycle of `wcow-runtime`, with names, records and states |
//! | creation | how a container comes to be: its record first |
//! | records | what the engine keeps, one file per object |
//! | precautions | what is done only because something may go wrong, by name |
//! | locks | one command at a time changes an object |
//! | doctor | why containers do not start: checks, and what can be set right |
//! | machine | what the host is; packages, features, restarts |
#![forbid(unsafe_code)]

mod containers;
mod creation;
pub mod doctor;
mod error;
mod images;
mod locks;
mod machine;
mod networks;
mod precautions;
mod records;

use wcow_host::{Host, HostControl, HostInfo};

pub use containers::{ContainerStatus, ContainerSummary, Force};
pub use creation::CreateContainer;
pub use error::{EngineError, Kind};
pub use images::{InstallWimError, request_for};
pub use machine::Enabled;
pub use networks::{NetworkBacking, NetworkSummary};
pub use precautions::PRECAUTIONS;

/// One host, with its names.
#[derive(Debug)]
pub struct Engine<H: Host> {
    host: H,
    durable: records::DurableFolders,
}

impl<H: Host> Engine<H> {
    /// An engine for `host`.
    pub fn new(host: H) -> Self {
        Self {
            host,
            durable: records::DurableFolders::default(),
        }
    }

    /// The host behind it.
    pub fn host(&self) -> &H {
        &self.host
    }

    /// Which Windows the host is.
    ///
    /// # Errors
    /// [`EngineError::Host`] if it cannot be reached.
    pub async fn info(&self) -> Result<HostInfo, EngineError> {
        self.host
            .control()
            .info()
            .await
            .map_err(|error| EngineError::host("read what the host is", error))
    }
}

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
