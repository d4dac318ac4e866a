//! Callbacks into programs: on one thread of their own, in the order in which things happened, as the real service calls them from a
//! thread of its own.
//!
//! A callback may call any function of this library, ending its own registration included. One that never returns keeps all
//! others from being called.
#![expect(unsafe_code, reason = "calls functions that programs registered")]

use std::collections::VecDeque;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use wcow_ntmeta::Hresult;

use crate::abi::{
    HCS_EVENT, HCS_EVENT_CALLBACK, HCS_NOTIFICATION_CALLBACK, HCS_OPERATION,
    HCS_OPERATION_COMPLETION, PCWSTR,
};
use crate::guard::log;

/// The most notifications that wait for the first registration.
const KEPT: usize = 64;
/// How long the end of a registration waits for its callback.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is told.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    /// The number by which the surface calls it.
    pub(crate) kind: u32,
    pub(crate) status: Hresult,
    pub(crate) data: Option<String>,
    /// The operation that it is about, as the program knows it.
    pub(crate) operation: usize,
}

/// What is called, by surface.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Function {
    Notification(HCS_NOTIFICATION_CALLBACK),
    Event(HCS_EVENT_CALLBACK),
    Completion(HCS_OPERATION_COMPLETION),
}

/// A function that is called with what happens, until this ends.
#[derive(Debug)]
pub(crate) struct Registration {
    function: Function,
    /// Whatever the program passed; only ever passed back.
    context: usize,
    state: Mutex<State>,
    changed: Condvar,
    /// Where it hears from.
    hub: Option<Arc<Hub>>,
}

#[derive(Debug, Default)]
struct State {
    ended: bool,
    /// The thread that calls it now.
    running: Option<ThreadId>,
}

/// Where the notifications of one handle come in.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    state: Mutex<HubState>,
}

#[derive(Debug, Default)]
struct HubState {
    registrations: Vec<Arc<Registration>>,
    /// What came before anybody registered.
    kept: VecDeque<Notice>,
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, HubState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells everybody who is registered; what nobody hears is kept for who registers first.
    pub(crate) fn tell(&self, notice: Notice) {
        let mut state = self.lock();
        if state.registrations.is_empty() {
            if state.kept.len() == KEPT {
                state.kept.pop_front();
            }
            state.kept.push_back(notice);
            return;
        }
        for registration in &state.registrations {
            deliver(registration, notice.clone());
        }
    }

    /// Tells everybody who is registered, and keeps nothing.
    pub(crate) fn tell_registered(&self, notice: &Notice) {
        for registration in &self.lock().registrations {
            deliver(registration, notice.clone());
        }
    }

    /// Adds a registration, which hears at once what was kept.
    pub(crate) fn register(
        self: &Arc<Self>,
        function: Function,
        context: *const c_void,
    ) -> Arc<Registration> {
        let mut registration = Registration::new(function, context);
        registration.hub = Some(Arc::clone(self));
        let registration = Arc::new(registration);
        let mut state = self.lock();
        state.registrations.push(Arc::clone(&registration));
        for notice in state.kept.drain(..) {
            deliver(&registration, notice);
        }
        registration
    }

    /// The same, if nobody is registered yet.
    pub(crate) fn register_alone(
        self: &Arc<Self>,
        function: Function,
        context: *const c_void,
    ) -> bool {
        let free = self.lock().registrations.is_empty();
        if free {
            self.register(function, context);
        }
        free
    }

    /// Ends every registration.
    pub(crate) fn close(&self) {
        let registrations = {
            let mut state = self.lock();
            state.kept.clear();
            std::mem::take(&mut state.registrations)
        };
        registrations
            .iter()
            .for_each(|registration| registration.end());
    }
}

impl Registration {
    pub(crate) fn new(function: Function, context: *const c_void) -> Self {
        Self {
            function,
            context: context.expose_provenance(),
            state: Mutex::default(),
            changed: Condvar::new(),
            hub: None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it: the function is not called any more. Waits for a call that runs, unless this is it.
    pub(crate) fn end(&self) {
        if let Some(hub) = &self.hub {
            let mut state = hub.lock();
            state
                .registrations
                .retain(|other| !std::ptr::eq(Arc::as_ptr(other), self));
        }
        let mut state = self.lock();
        state.ended = true;
        let this = std::thread::current().id();
        let (state, timeout) = self
            .changed
            .wait_timeout_while(state, PATIENCE, |state| {
                state.running.is_some_and(|running| running != this)
            })
            .unwrap_or_else(PoisonError::into_inner);
        drop(state);
        if timeout.timed_out() {
            log(
                "a callback ran for 30 seconds after its registration was to end; it is not waited for",
            );
        }
    }

    fn call(&self, notice: &Notice) {
        {
            let mut state = self.lock();
            if state.ended {
                return;
            }
            state.running = Some(std::thread::current().id());
        }
        CALLS.fetch_add(1, Ordering::SeqCst);
        let text: Option<Vec<u16>> = notice
            .data
            .as_ref()
            .map(|data| data.encode_utf16().chain([0]).collect());
        let data: PCWSTR = text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
        let context = std::ptr::with_exposed_provenance(self.context);
        let operation: HCS_OPERATION = std::ptr::without_provenance_mut(notice.operation);
        match self.function {
            Function::Notification(Some(function)) => {
                // SAFETY: the program registered the function for this; the text lives until it returns.
                unsafe { function(notice.kind, context, notice.status.as_i32(), data) };
            }
            Function::Event(Some(function)) => {
                let event = HCS_EVENT {
                    Type: notice.kind.cast_signed(),
                    EventData: data,
                    Operation: operation,
                };
                // SAFETY: the program registered the function for this; the event lives until it returns.
                unsafe { function(&raw const event, context) };
            }
            Function::Completion(Some(function)) => {
                // SAFETY: the program registered the function for this.
                unsafe { function(operation, context) };
            }
            Function::Notification(None) | Function::Event(None) | Function::Completion(None) => {}
        }
        self.lock().running = None;
        self.changed.notify_all();
    }
}

/// What is told, and to whom.
type Delivery = (Arc<Registration>, Notice);

/// Callbacks that were made so far.
static CALLS: AtomicU64 = AtomicU64::new(0);

pub(crate) fn calls() -> u64 {
    CALLS.load(Ordering::SeqCst)
}

/// Has a registration called, on the thread for that.
pub(crate) fn deliver(registration: &Arc<Registration>, notice: Notice) {
    static QUEUE: OnceLock<Option<Sender<Delivery>>> = OnceLock::new();
    let queue = QUEUE.get_or_init(|| {
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new().name("wcow-sim callbacks".to_owned());
        match thread.spawn(move || run(&receiver)) {
            Ok(_) => Some(sender),
            Err(error) => {
                log(&format!("no thread for callbacks: {error}"));
                None
            }
        }
    });
    if let Some(queue) = queue {
        // The thread ends with the process only.
        let _ = queue.send((Arc::clone(registration), notice));
    }
}

fn run(queue: &Receiver<Delivery>) {
    for (registration, notice) in queue {
        registration.call(&notice);
    }
}
