//! A client of a simulated host: the traits of `wcow-host`, each method one call of the world.

mod clock;
mod compute;
mod control;
mod diagnostics;
mod files;
mod layers;
mod network;
mod remote;
mod switches;

use std::fmt;
use std::sync::Arc;

use wcow_host::{ComputeApi, Host, Precaution};

use crate::Sim;
use crate::blobs::BlobStore;
use crate::call::{Call, ClientId, FromReply};
use crate::op::OpFuture;

pub use files::SimTree;
pub use remote::{Answer, Carried, Carrier, RemoteHost, Request};

/// One client of a simulated host, such as a `wcow` process. Clones are the same client; [`Sim::kill`] ends it.
#[derive(Clone, Debug)]
pub struct SimHost {
    face: Face,
}

impl SimHost {
    pub(crate) fn new(sim: Sim, id: ClientId) -> Self {
        let blobs = sim.blobs();
        Self {
            face: Face { sim, id, blobs },
        }
    }

    /// The simulated host.
    #[must_use]
    pub fn sim(&self) -> &Sim {
        &self.face.sim
    }

    pub(crate) fn face(&self) -> &Face {
        &self.face
    }

    /// Which client this is.
    #[must_use]
    pub fn id(&self) -> ClientId {
        self.face.id
    }
}

impl Host for SimHost {
    type Compute = Face;
    type Layers = Face;
    type Network = Face;
    type Switches = Face;
    type Control = Face;
    type Files = Face;
    type Clock = Face;
    type Diagnostics = Face;

    fn compute(&self) -> &Face {
        &self.face
    }

    fn layers(&self) -> &Face {
        &self.face
    }

    fn network(&self) -> &Face {
        &self.face
    }

    fn switches(&self) -> &Face {
        &self.face
    }

    fn control(&self) -> &Face {
        &self.face
    }

    fn files(&self) -> &Face {
        &self.face
    }

    fn clock(&self) -> &Face {
        &self.face
    }

    fn diagnostics(&self) -> &Face {
        &self.face
    }

    fn ignores(&self, precaution: Precaution) -> bool {
        self.face.sim.lock().world.ignores(precaution.name())
    }
}

/// All faces of the host in one type; [`Host`] gives it out once per trait.
#[derive(Clone)]
pub struct Face {
    pub(crate) sim: Sim,
    pub(crate) id: ClientId,
    /// The contents of the host's files: each client asks for them without the host's lock.
    pub(crate) blobs: Arc<dyn BlobStore>,
}

impl Face {
    /// The surface of the compute service that the client sees.
    fn surface(&self) -> ComputeApi {
        self.sim.lock().world.api_of(self.id)
    }

    /// A call on its way.
    pub(crate) fn call<T: FromReply>(&self, call: impl Into<Call>) -> OpFuture<'_, T> {
        OpFuture::new(self, Box::new(call.into()))
    }
}

impl fmt::Debug for Face {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Face")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
