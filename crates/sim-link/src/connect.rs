//! A world of another process.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io::{self, BufReader};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use wcow_host::codes::v2;
use wcow_host::{ComputeApi, Identity};
use wcow_sim::{Answer, Carried, Carrier, RemoteHost, Request};

use crate::address::Address;
use crate::frame;
use crate::message::{Ask, FORM, Facts, Tell};
use crate::runner::{Runner, Timeless};

/// How long a server may take to answer the greeting, and to take a call.
const PATIENCE: Duration = Duration::from_secs(10);

/// A served host cannot be talked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nobody listens there, or the connection broke.
    #[error("the served host on port {port} does not answer; is `wcow host serve` running?")]
    Broken {
        /// The port.
        port: u16,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// The server does not take this client.
    #[error("the served host refuses this program: {0}")]
    Refused(String),
}

/// A client of a world in another process.
///
/// When the connection breaks, every call that waits is answered, and every later one, with 0x8037011E: the service has
/// disconnected.
#[derive(Debug)]
pub struct Connection {
    link: Arc<Link>,
    runner: Runner,
    facts: Facts,
}

#[derive(Debug)]
struct Link {
    stream: TcpStream,
    /// Held while a message is written.
    writing: Mutex<()>,
    calls: Mutex<Calls>,
}

#[derive(Debug, Default)]
struct Calls {
    last: u64,
    waiting: BTreeMap<u64, Waiting>,
    lost: bool,
}

#[derive(Debug)]
enum Waiting {
    Nobody,
    Task(Waker),
    Answered(Box<Answer>),
}

impl Connection {
    /// Comes to a served host as somebody.
    ///
    /// # Errors
    /// Nobody answers; it refuses.
    pub fn open(address: &Address, identity: Identity) -> Result<Self, ConnectError> {
        let broken = |source| ConnectError::Broken {
            port: address.port,
            source,
        };
        let (stream, facts) = greet(address, identity).map_err(broken)?;
        let facts = match facts {
            Tell::Welcome(facts) => facts,
            Tell::Refused { why } => return Err(ConnectError::Refused(why)),
            Tell::Answer { .. } => return Err(broken(io::ErrorKind::InvalidData.into())),
        };
        let link = Arc::new(Link {
            stream,
            writing: Mutex::default(),
            calls: Mutex::default(),
        });
        let ours = Arc::clone(&link);
        std::thread::Builder::new()
            .name("wcow-sim connection".to_owned())
            .spawn(move || ours.take_answers())
            .map_err(broken)?;
        let runner = Runner::start("wcow-sim calls", Timeless).map_err(broken)?;
        Ok(Self {
            link,
            runner,
            facts,
        })
    }

    /// What the host is.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The thread that futures of this client are to be polled on.
    #[must_use]
    pub fn runner(&self) -> &Runner {
        &self.runner
    }

    /// The client, seeing the compute service through that surface.
    #[must_use]
    pub fn host(&self, api: ComputeApi) -> RemoteHost {
        let link = Arc::clone(&self.link);
        RemoteHost::new(Arc::new(Served { link, api }))
    }
}

/// Ends the client.
impl Drop for Connection {
    fn drop(&mut self) {
        // It may be closed already.
        let _ = self.link.stream.shutdown(Shutdown::Both);
        self.runner.stop();
    }
}

fn greet(address: &Address, identity: Identity) -> io::Result<(TcpStream, Tell)> {
    let place = SocketAddr::from((Ipv4Addr::LOCALHOST, address.port));
    let stream = TcpStream::connect_timeout(&place, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let hello = Ask::Hello {
        form: FORM,
        token: address.token.clone(),
        identity,
    };
    frame::write(&mut &stream, &hello)?;
    let told = frame::read(&mut &stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    stream.set_read_timeout(None)?;
    Ok((stream, told))
}

struct Served {
    link: Arc<Link>,
    api: ComputeApi,
}

impl Carrier for Served {
    fn api(&self) -> ComputeApi {
        self.api
    }

    fn carry(&self, request: Request) -> Carried {
        let lost = Answer::from(request.refused(v2::SERVICE_DISCONNECT));
        let call = OnTheWay {
            id: self.link.begin(),
            link: Arc::clone(&self.link),
        };
        let api = self.api;
        // Written when it is first polled: calls go out in the order in which they are spawned.
        let mut request = Some(request);
        Box::pin(async move {
            let answer = poll_fn(|context| {
                if let Some(request) = request.take() {
                    let id = call.id;
                    call.link.write(&Ask::Call { id, api, request });
                }
                call.link.poll(call.id, context.waker())
            });
            answer.await.unwrap_or(lost)
        })
    }
}

/// A call whose answer somebody waits for.
struct OnTheWay {
    id: u64,
    link: Arc<Link>,
}

impl Drop for OnTheWay {
    fn drop(&mut self) {
        self.link.calls().waiting.remove(&self.id);
    }
}

impl Link {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) -> u64 {
        let mut calls = self.calls();
        calls.last += 1;
        let id = calls.last;
        calls.waiting.insert(id, Waiting::Nobody);
        id
    }

    fn write(&self, ask: &Ask) {
        let written = {
            let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            frame::write(&mut &self.stream, ask)
        };
        if written.is_err() {
            self.lose();
        }
    }

    /// `None` if it will never be answered.
    fn poll(&self, id: u64, waker: &Waker) -> Poll<Option<Answer>> {
        let mut calls = self.calls();
        let lost = calls.lost;
        match calls.waiting.remove(&id) {
            Some(Waiting::Answered(answer)) => Poll::Ready(Some(*answer)),
            _ if lost => Poll::Ready(None),
            _ => {
                calls.waiting.insert(id, Waiting::Task(waker.clone()));
                Poll::Pending
            }
        }
    }

    fn take_answers(&self) {
        let mut reader = BufReader::new(&self.stream);
        while let Ok(Some(Tell::Answer { id, answer })) = frame::read(&mut reader) {
            let before = {
                let mut calls = self.calls();
                // An answer that nobody waits for, or that comes twice, goes nowhere.
                match calls.waiting.get_mut(&id) {
                    Some(place) => Some(std::mem::replace(
                        place,
                        Waiting::Answered(Box::new(answer)),
                    )),
                    None => None,
                }
            };
            if let Some(Waiting::Task(waker)) = before {
                waker.wake();
            }
        }
        self.lose();
    }

    /// Nothing will be answered any more.
    fn lose(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
        let waiting: Vec<Waker> = {
            let mut calls = self.calls();
            calls.lost = true;
            let wakers = calls.waiting.values().filter_map(|waiting| match waiting {
                Waiting::Task(waker) => Some(waker.clone()),
                Waiting::Nobody | Waiting::Answered(_) => None,
            });
            wakers.collect()
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}
