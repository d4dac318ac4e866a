//! A world for other processes.

use std::io::{self, BufReader};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use wcow_host::ComputeApi;
use wcow_sim::Carrier;

use crate::address::Address;
use crate::frame;
use crate::message::{Ask, FORM, Tell};
use crate::world::{Surface, World};

/// How long a client may take to say who it is, and to take an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most clients at a time.
const CLIENTS: usize = 64;
/// The most answers that wait for one client to take them.
const ANSWERS: usize = 4096;

/// Lets other processes of this computer call a world, over the loopback interface, as long as it lives.
///
/// Each connection is a client of the world. When it ends, however that is, the client ends as a killed process does.
#[derive(Debug)]
pub struct Server {
    address: Address,
    state: Arc<State>,
    listener: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct State {
    world: World,
    address: Address,
    stopped: AtomicBool,
    clients: Mutex<usize>,
    left: Condvar,
    streams: Mutex<Vec<(usize, TcpStream)>>,
}

impl Server {
    /// Begins to serve a world on a port that the system chooses.
    ///
    /// # Errors
    /// The system gives no port or no thread.
    pub fn start(world: &World) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = Address::new(listener.local_addr()?.port());
        let state = Arc::new(State {
            world: world.clone(),
            address: address.clone(),
            stopped: AtomicBool::new(false),
            clients: Mutex::default(),
            left: Condvar::new(),
            streams: Mutex::default(),
        });
        let ours = Arc::clone(&state);
        let thread = std::thread::Builder::new()
            .name("wcow-sim server".to_owned())
            .spawn(move || ours.accept(&listener))?;
        Ok(Self {
            address,
            state,
            listener: Some(thread),
        })
    }

    /// Where it is, and its token.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// How many clients there are now.
    #[must_use]
    pub fn clients(&self) -> usize {
        *self.state.clients()
    }
}

/// Ends all connections, and waits until their clients have come to their ends.
impl Drop for Server {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        // The listener waits for somebody to come.
        let knock = SocketAddr::from((Ipv4Addr::LOCALHOST, self.address.port));
        drop(TcpStream::connect_timeout(&knock, PATIENCE));
        if let Some(listener) = self.listener.take() {
            // One that panicked has told so itself.
            let _ = listener.join();
        }
        for (_, stream) in self.state.streams().drain(..) {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
        // So that no client comes to its end after somebody has saved the world.
        let clients = self.state.clients();
        drop(
            self.state
                .left
                .wait_timeout_while(clients, PATIENCE, |clients| *clients > 0)
                .unwrap_or_else(PoisonError::into_inner),
        );
    }
}

impl State {
    fn streams(&self) -> MutexGuard<'_, Vec<(usize, TcpStream)>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clients(&self) -> MutexGuard<'_, usize> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a client, unless there are too many.
    fn enter(&self) -> bool {
        let mut clients = self.clients();
        let free = *clients < CLIENTS;
        *clients += usize::from(free);
        free
    }

    fn leave(&self, number: usize) {
        self.streams().retain(|(other, _)| *other != number);
        *self.clients() -= 1;
        self.left.notify_all();
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for number in 0.. {
            let accepted = listener.accept();
            if self.stopped.load(Ordering::SeqCst) {
                return;
            }
            // Who could not be accepted has gone; who is too much is let go.
            let Ok((stream, _)) = accepted else { continue };
            if !self.enter() {
                continue;
            }
            if let Ok(kept) = stream.try_clone() {
                self.streams().push((number, kept));
            }
            let state = Arc::clone(self);
            let spawned = std::thread::Builder::new()
                .name("wcow-sim client".to_owned())
                .spawn(move || {
                    // What went wrong with a connection is the matter of the client, which finds it closed.
                    let _ = state.serve(&stream);
                    let _ = stream.shutdown(Shutdown::Both);
                    state.leave(number);
                });
            if spawned.is_err() {
                self.leave(number);
            }
        }
    }

    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut reader = BufReader::new(stream);
        let hello = frame::read(&mut reader)?;
        let refuse = |why: &str| {
            let why = why.to_owned();
            frame::write(&mut &*stream, &Tell::Refused { why })
        };
        let identity = match hello {
            Some(Ask::Hello {
                form,
                token,
                identity,
            }) => {
                if !self.address.admits(&token) {
                    return refuse("the token is not the one of this host");
                }
                if form != FORM {
                    return refuse(&format!(
                        "messages of form {form}: this host speaks form {FORM}"
                    ));
                }
                identity
            }
            Some(Ask::Call { .. }) => return refuse("a call came before the greeting"),
            None => return Ok(()),
        };
        frame::write(&mut &*stream, &Tell::Welcome(self.world.facts()))?;
        stream.set_read_timeout(None)?;
        let v1 = self.world.client(identity, ComputeApi::V1);
        let v2 = self.world.client(identity, ComputeApi::V2);
        let (answers, to_send) = sync_channel(ANSWERS);
        let writing = stream.try_clone()?;
        let writer = std::thread::Builder::new()
            .name("wcow-sim answers".to_owned())
            .spawn(move || send(&writing, &to_send))?;
        let read = self.take_calls(&mut reader, [&v1, &v2], &answers);
        for surface in [&v1, &v2] {
            self.world.sim().kill(surface.host());
        }
        drop(answers);
        // Whoever does not take its answers is not waited for.
        let _ = stream.shutdown(Shutdown::Both);
        let _ = writer.join();
        read
    }

    fn take_calls(
        &self,
        reader: &mut BufReader<&TcpStream>,
        [v1, v2]: [&Surface; 2],
        answers: &SyncSender<Tell>,
    ) -> io::Result<()> {
        while let Some(ask) = frame::read(reader)? {
            let Ask::Call { id, api, request } = ask else {
                return Err(io::ErrorKind::InvalidData.into());
            };
            let surface = match api {
                ComputeApi::V1 => v1,
                ComputeApi::V2 => v2,
            };
            let (answer, answers) = (surface.carry(request), answers.clone());
            let stream = reader.get_ref().try_clone()?;
            self.world.runner().spawn(async move {
                let answer = answer.await;
                // The world does not wait for a client that takes no answers: it is let go.
                if let Err(TrySendError::Full(_)) = answers.try_send(Tell::Answer { id, answer }) {
                    let _ = stream.shutdown(Shutdown::Both);
                }
            });
        }
        Ok(())
    }
}

/// Writes answers until there are no more, or nobody takes them.
fn send(mut stream: &TcpStream, answers: &Receiver<Tell>) {
    for answer in answers {
        if frame::write(&mut stream, &answer).is_err() {
            let _ = stream.shutdown(Shutdown::Both);
            return;
        }
    }
}
