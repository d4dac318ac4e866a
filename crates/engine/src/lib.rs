//! Names, images, networks and containers of one host: what the command line calls, and later servers.
//!
//! The engine is where people's names meet the host's ids. It keeps its own records on the host's file system
//! (`C:\ProgramData\wcow\records`), asks the host for everything that the host knows better, and holds nothing between two
//! calls but records whose files have not changed, and what it wrote last, for when a file still has the same bytes: any number of
//! short-lived commands see the same host, and two that change the same object do so one after the other.
//! It is generic over [`Host`] and runs on any executor.
//!
//! | module | what it does |
//! |---|---|
//! | images | base OS images through `wcow-image-store`, from WIM files through `wcow-wim` |
//! | networks | plans from `wcow-network`, carried out step by step, undone when a step fails |
//! | containers | what the engine keeps of a container; lists, states, programs run in it |
//! | details | all that is known of a container |
//! | usage | what a running container takes: processor time, memory, processes |
//! | creation | how a container comes to be: its record first |
//! | settings | what a container runs and when again, and which wishes are refused |
//! | life | started, stopped, killed, removed, over the life cycle of `wcow-runtime` |
//! | main_process | what a container is there for: followed, waited for, collected |
//! | logs | what it wrote, on the host's disk |
//! | supervise | restart policies |
//! | events | the journal of what happened |
//! | prune | what nobody needs any more |
//! | records | what the engine keeps, one file per object |
//! | json | what the engine keeps, as text |
//! | known | records that were read, while their files stay as they are |
//! | precautions | what is done only because something may go wrong, by name |
//! | locks | one command at a time changes an object |
//! | doctor | why containers do not start: checks, and what can be set right |
//! | machine | what the host is; packages, features, restarts |
#![forbid(unsafe_code)]

mod containers;
mod creation;
mod details;
pub mod doctor;
mod error;
mod events;
mod images;
mod json;
mod known;
mod life;
mod locks;
mod logs;
mod machine;
mod main_process;
mod networks;
mod precautions;
mod prune;
mod records;
mod settings;
mod supervise;
mod usage;

use wcow_host::{Host, HostControl, HostInfo, Written};

pub use containers::{ContainerStatus, ContainerSummary, Exit, Force};
pub use creation::CreateContainer;
pub use details::ContainerDetails;
pub use error::{EngineError, Kind};
pub use events::{Action, Event, EventKind};
pub use images::{InstallWimError, request_for};
pub use logs::{LogLine, LogQuery};
pub use machine::Enabled;
pub use main_process::{Flow, Followed};
pub use networks::{NetworkBacking, NetworkSummary};
pub use precautions::PRECAUTIONS;
pub use prune::Pruned;
pub use settings::{RestartPolicy, Settings};
pub use supervise::{Supervised, Watched};
pub use usage::{ContainerProcess, ContainerStats};

/// One host, with its names.
#[derive(Debug)]
pub struct Engine<H: Host> {
    host: H,
    durable: records::DurableFolders,
    known: records::KnownRecords,
    /// Records, and descriptions of images.
    written: Written,
    following: main_process::Following,
}

impl<H: Host> Engine<H> {
    /// An engine for `host`.
    pub fn new(host: H) -> Self {
        Self {
            host,
            durable: records::DurableFolders::default(),
            known: records::KnownRecords::default(),
            written: Written::default(),
            following: main_process::Following::default(),
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
