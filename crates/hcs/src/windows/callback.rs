//! Registrations, and what happens on a DLL's thread when it calls back.
#![expect(unsafe_code, reason = "is called by DLLs")]

use std::any::Any;
use std::cell::Cell;
use std::ffi::c_void;
use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use windows_sys::core::HRESULT;

use crate::error::Error;
use crate::mailbox::Mailbox;
use crate::registry::{Registry, Ticket};

/// What a service tells about one object, in the order in which it told it, from the registration on.
///
/// Dropping it ends the registration and waits for a callback that runs at that moment. The object's handle stays open as
/// long, so nothing is closed under a callback. Up to 1024 notifications wait to be read; of more, the oldest go, but never one
/// that says that something has ended.
pub struct Subscription<T: 'static> {
    // The order matters: first the DLL stops calling, then the number is forgotten.
    _registration: Registration,
    _ticket: Ticket<Mailbox<T>>,
    mailbox: Arc<Mailbox<T>>,
}

impl<T> Subscription<T> {
    /// Registers: `register` is given the context to pass to the DLL.
    pub(crate) fn new(
        registry: &'static Registry<Mailbox<T>>,
        register: impl FnOnce(*const c_void) -> Result<Registration, Error>,
    ) -> Result<Self, Error> {
        let mailbox = Arc::new(Mailbox::new());
        let ticket = registry.enter(Arc::clone(&mailbox));
        let registration = register(context(&ticket))?;
        Ok(Self {
            _registration: registration,
            _ticket: ticket,
            mailbox,
        })
    }

    /// The next notification, if one is there.
    pub fn try_next(&mut self) -> Option<T> {
        self.mailbox.take()
    }

    /// The next notification, waited for; none if none came in time.
    pub fn next_within(&mut self, timeout: Duration) -> Option<T> {
        self.mailbox.take_within(timeout)
    }

    /// The next notification, for a task. It waits for ever if none comes: services crash, so race it against a clock.
    pub async fn next(&mut self) -> T {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// As [`Subscription::next`], for those who write futures. The task is woken on a thread of the service.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<T> {
        self.mailbox.poll(context)
    }

    /// How many notifications went because too many waited.
    pub fn lost(&self) -> u64 {
        self.mailbox.lost()
    }
}

impl<T> fmt::Debug for Subscription<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}

/// The number of a ticket as the word that a DLL keeps with a callback.
pub(crate) fn context<T>(ticket: &Ticket<T>) -> *const c_void {
    ptr::without_provenance(ticket.number())
}

/// The target of a callback, if its registration still lives.
pub(crate) fn target<T>(registry: &Registry<T>, context: *const c_void) -> Option<Arc<T>> {
    registry.find(context.addr())
}

/// Ends a registration: `HcsUnregisterComputeSystemCallback` and its like.
pub(crate) type Unregister = unsafe fn(*mut c_void) -> Result<HRESULT, Error>;

/// A callback that a DLL was given.
pub(crate) struct Registration(Option<Registered>);

struct Registered {
    /// What to unregister, and with what; none where the object's handle is all there is.
    unregister: Option<(Unregister, *mut c_void)>,
    /// Keeps the object's handle open.
    owner: Option<Arc<dyn Any + Send + Sync>>,
}

// SAFETY: a callback handle belongs to no thread; it is used once, by whoever drops the registration.
unsafe impl Send for Registered {}
// SAFETY: nothing can be done with it by reference.
unsafe impl Sync for Registered {}

impl Registration {
    /// A callback that has a handle of its own.
    ///
    /// # Safety
    /// `callback` is a handle that `unregister` ends, and nobody else ends it.
    pub(crate) unsafe fn with_handle(
        unregister: Unregister,
        callback: *mut c_void,
        owner: Option<Arc<dyn Any + Send + Sync>>,
    ) -> Self {
        Self(Some(Registered {
            unregister: Some((unregister, callback)),
            owner,
        }))
    }

    /// A callback that lives as long as the handle of its object.
    pub(crate) fn with_owner(owner: Arc<dyn Any + Send + Sync>) -> Self {
        Self(Some(Registered {
            unregister: None,
            owner: Some(owner),
        }))
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let Some(registered) = self.0.take() else {
            return;
        };
        if !IsInside::here() {
            return registered.end();
        }
        // A waker dropped the registration, on the very thread that the DLL would wait for. Another thread waits instead. If none can be
        // had, the DLL keeps the callback; it is for a number that nobody has any more.
        let _ = std::thread::Builder::new()
            .name("wcow-hcs-unregister".to_owned())
            .spawn(move || registered.end());
    }
}

impl Registered {
    fn end(self) {
        if let Some((unregister, callback)) = self.unregister {
            // SAFETY: whoever made this value said so. It is consumed, so the callback is ended once. What it answers
            // changes nothing: the number is forgotten in any case.
            let _ = unsafe { unregister(callback) };
        }
        // Only now may the object's handle be closed.
        drop(self.owner);
    }
}

thread_local! {
    static INSIDE: Cell<u32> = const { Cell::new(0) };
}

/// Marks the threads of DLLs while they run a callback.
struct IsInside;

impl IsInside {
    fn enter() -> Self {
        let _ = INSIDE.try_with(|depth| depth.set(depth.get().saturating_add(1)));
        Self
    }

    fn here() -> bool {
        INSIDE.try_with(|depth| depth.get() > 0).unwrap_or(false)
    }
}

impl Drop for IsInside {
    fn drop(&mut self) {
        let _ = INSIDE.try_with(|depth| depth.set(depth.get().saturating_sub(1)));
    }
}

/// Runs the body of a callback: a panic ends here, because a DLL has no way to go on with it.
pub(crate) fn guarded(body: impl FnOnce()) {
    let inside = IsInside::enter();
    if let Err(payload) = catch_unwind(AssertUnwindSafe(body)) {
        // Dropping it may panic again.
        std::mem::forget(payload);
    }
    drop(inside);
}
