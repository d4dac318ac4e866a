//! computecore.dll: operations. A call that ends later is given one; how it ended is asked of it.
//!
//! | state | `HcsGetOperationResult` | `HcsWaitForOperationResult` | another call |
//! |---|---|---|---|
//! | new | 0x80370115 | 0x80370115 | begins |
//! | running | 0x80370117 | waits; 0x80370118 when the time is over | 0x80370116 |
//! | ended | how it ended | how it ended | begins anew |
//!
//! An operation that is closed while it runs tells nobody how it ends. A function that is set for one that has ended is called at once.
#![expect(
    unsafe_code,
    non_snake_case,
    reason = "foreign functions, by their names"
)]

use std::ffi::c_void;
use std::future::Future;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wcow_hcs::values::{EventType, OperationType};
use wcow_host::codes::v2;
use wcow_ntmeta::Hresult;

use crate::abi::{
    HANDLE, HCS_EVENT_CALLBACK, HCS_OPERATION, HCS_OPERATION_COMPLETION, HCS_OPERATION_OPTIONS,
    HCS_OPERATION_TYPE, HCS_PROCESS, HCS_PROCESS_INFORMATION, HCS_RESOURCE_TYPE, HCS_SYSTEM,
    HRESULT, PCWSTR, PWSTR,
};
use crate::answer::{E_INVALIDARG, E_NOTIMPL, E_UNEXPECTED, Outcome, number};
use crate::callbacks::{Function, Notice, Registration, deliver};
use crate::exports::exports;
use crate::latch::{Latch, milliseconds};
use crate::session::{Session, session};
use crate::strings::{self, Owner};
use crate::system::{Process, System};
use crate::table::{self, Object};

/// What an operation ended with: a document, if there is one.
pub(crate) type Ended = Outcome<Option<String>>;

/// An operation.
pub(crate) struct Operation {
    number: u64,
    /// The handle that the program knows it by.
    handle: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    context: usize,
    /// Called when it ends.
    completion: Option<Arc<Registration>>,
    run: Option<Run>,
}

/// What an operation is used for.
#[derive(Clone)]
struct Run {
    kind: OperationType,
    ended: Arc<Latch<Ended>>,
    subject: Subject,
}

/// A call that is given up before it ends, because something panicked, ends as E_UNEXPECTED: nobody waits for it for ever.
struct Unfinished(Arc<Latch<Ended>>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // The first value stays.
        self.0.set(Err(E_UNEXPECTED.into()));
    }
}

/// What a call is about.
#[derive(Clone, Default)]
pub(crate) struct Subject {
    /// As the program knows it.
    pub(crate) system: usize,
    /// As the program knows it.
    pub(crate) process: usize,
    /// Told of the end of each operation, if the program asked for that.
    pub(crate) listener: Option<Arc<System>>,
    /// Whose streams can be asked for.
    pub(crate) streams: Option<Arc<Process>>,
}

impl Operation {
    fn open(context: *const c_void, function: Function) -> HANDLE {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let has_function = !matches!(function, Function::Completion(None) | Function::Event(None));
        let operation = Arc::new(Self {
            number: NUMBER.fetch_add(1, Ordering::SeqCst) + 1,
            handle: AtomicUsize::new(0),
            state: Mutex::new(State {
                context: context.expose_provenance(),
                completion: has_function.then(|| Arc::new(Registration::new(function, context))),
                run: None,
            }),
        });
        let handle = table::open(Object::Operation(Arc::clone(&operation)));
        operation.handle.store(handle.addr(), Ordering::SeqCst);
        handle
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a call.
    ///
    /// # Errors
    /// It is used for one that runs; both it and the system have a function for its end.
    pub(crate) fn begin(
        self: &Arc<Self>,
        session: &'static Session,
        kind: OperationType,
        subject: Subject,
        call: impl Future<Output = Ended> + Send + 'static,
    ) -> Result<(), Hresult> {
        let ended = Arc::<Latch<Ended>>::default();
        {
            let mut state = self.lock();
            if state
                .run
                .as_ref()
                .is_some_and(|run| run.ended.now().is_none())
            {
                return Err(v2::OPERATION_ALREADY_STARTED);
            }
            if state.completion.is_some() && subject.listener.is_some() {
                return Err(v2::OPERATION_SYSTEM_CALLBACK_ALREADY_SET);
            }
            state.run = Some(Run {
                kind,
                ended: Arc::clone(&ended),
                subject,
            });
        }
        // Weak: an operation that is closed meanwhile tells nobody.
        let operation = Arc::downgrade(self);
        let unfinished = Unfinished(Arc::clone(&ended));
        session.runner.spawn(async move {
            let value = call.await;
            match operation.upgrade() {
                Some(operation) => {
                    // Both under one lock: whoever sets a function for one that has ended calls it, and no other does.
                    let state = operation.lock();
                    ended.set(value);
                    operation.tell(state);
                }
                None => {
                    ended.set(value);
                }
            }
            drop(unfinished);
        });
        Ok(())
    }

    /// It has ended: whoever wants to know is called.
    fn tell(&self, state: MutexGuard<'_, State>) {
        let operation = self.handle.load(Ordering::SeqCst);
        let notice = Notice {
            kind: EventType::OPERATION_CALLBACK.0.cast_unsigned(),
            status: Hresult::S_OK,
            data: None,
            operation,
        };
        if let Some(completion) = &state.completion {
            deliver(completion, notice.clone());
        }
        let listener = state
            .run
            .as_ref()
            .and_then(|run| run.subject.listener.clone());
        drop(state);
        if let Some(system) = listener {
            system.hub.tell(notice);
        }
    }

    fn close(&self) {
        let completion = self.lock().completion.take();
        if let Some(completion) = completion {
            completion.end();
        }
    }

    fn run(&self) -> Result<Run, Hresult> {
        self.lock().run.clone().ok_or(v2::OPERATION_NOT_STARTED)
    }

    /// How it ended, with the streams of its process if they are asked for.
    fn result(
        &self,
        timeout: Option<u32>,
        information: Option<&mut HCS_PROCESS_INFORMATION>,
    ) -> Ended {
        let run = self.run()?;
        let ended = match timeout {
            None => run.ended.now().ok_or(v2::OPERATION_PENDING)?,
            Some(timeout) => run
                .ended
                .wait(milliseconds(timeout))
                .ok_or(v2::OPERATION_TIMEOUT)?,
        };
        let Some(place) = information else {
            return ended;
        };
        if ![
            OperationType::CREATE_PROCESS,
            OperationType::GET_PROCESS_INFO,
        ]
        .contains(&run.kind)
        {
            return Err(E_INVALIDARG.into());
        }
        let document = ended?;
        let process = run.subject.streams.ok_or(v2::PROCESS_INFO_NOT_AVAILABLE)?;
        if run.kind == OperationType::CREATE_PROCESS && !process.has_streams() {
            return Err(v2::PROCESS_INFO_NOT_AVAILABLE.into());
        }
        *place = process.information()?;
        Ok(document)
    }
}

/// Answers with how an operation ended, and hands its document out.
///
/// # Safety
/// The places are null or can be written.
unsafe fn answer(
    operation: HCS_OPERATION,
    timeout: Option<u32>,
    information: Option<*mut HCS_PROCESS_INFORMATION>,
    document: *mut PWSTR,
) -> HRESULT {
    // SAFETY: the caller vouches for the places.
    unsafe { strings::clear(document) };
    let ended = (|| {
        let operation = table::find(operation, table::operation)?;
        let Some(place) = information else {
            return operation.result(timeout, None);
        };
        if place.is_null() {
            return Err(E_INVALIDARG.into());
        }
        let mut information = HCS_PROCESS_INFORMATION::default();
        let ended = operation.result(timeout, Some(&mut information))?;
        // SAFETY: it is not null; the caller vouches for the rest.
        unsafe { place.write_unaligned(information) };
        Ok(ended)
    })();
    let (code, text) = match ended {
        Ok(document) => (Hresult::S_OK, document),
        // What an operation says of itself has no document.
        Err(failure) if is_of_operation(failure.code) => (failure.code, None),
        Err(failure) => {
            let build = session()
                .map(|session| session.facts.build)
                .unwrap_or_default();
            (failure.code, Some(failure.text(build)))
        }
    };
    if let Some(text) = text {
        // SAFETY: the caller vouches for the place.
        if unsafe { strings::give(document, &text, Owner::Local) }.is_err() {
            return v2::OPERATION_RESULT_ALLOCATION_FAILED.as_i32();
        }
    }
    code.as_i32()
}

fn is_of_operation(code: Hresult) -> bool {
    [
        v2::OPERATION_NOT_STARTED,
        v2::OPERATION_PENDING,
        v2::OPERATION_TIMEOUT,
        v2::PROCESS_INFO_NOT_AVAILABLE,
        E_INVALIDARG,
        crate::answer::E_HANDLE,
    ]
    .contains(&code)
}

exports! {
    ComputeCore;

    /// A new operation.
    "computecore_HcsCreateOperation" fn HcsCreateOperation(context: *const c_void, callback: HCS_OPERATION_COMPLETION) -> HCS_OPERATION {
        Operation::open(context, Function::Completion(callback))
    }

    /// A new operation that tells of its progress: the simulator's have none, so that its end is all it tells.
    "computecore_HcsCreateOperationWithNotifications" fn HcsCreateOperationWithNotifications(eventtypes: HCS_OPERATION_OPTIONS, context: *const c_void, callback: HCS_EVENT_CALLBACK) -> HCS_OPERATION {
        let _ = eventtypes;
        Operation::open(context, Function::Event(callback))
    }

    /// Closes an operation. What it began goes on.
    "computecore_HcsCloseOperation" fn HcsCloseOperation(operation: HCS_OPERATION) -> () {
        if let Ok(operation) = table::close(operation, table::operation) {
            operation.close();
        }
    }

    /// What the program keeps with an operation.
    "computecore_HcsGetOperationContext" fn HcsGetOperationContext(operation: HCS_OPERATION) -> *mut c_void {
        let context = table::find(operation, table::operation).map_or(0, |operation| operation.lock().context);
        std::ptr::with_exposed_provenance_mut(context)
    }

    /// Changes what the program keeps with an operation. Its function is called with what it was set with.
    "computecore_HcsSetOperationContext" fn HcsSetOperationContext(operation: HCS_OPERATION, context: *const c_void) -> HRESULT {
        number(table::find(operation, table::operation).map(|operation| {
            operation.lock().context = context.expose_provenance();
        }))
    }

    /// The system that an operation is used for.
    "computecore_HcsGetComputeSystemFromOperation" fn HcsGetComputeSystemFromOperation(operation: HCS_OPERATION) -> HCS_SYSTEM {
        let run = table::find(operation, table::operation).and_then(|operation| operation.run());
        std::ptr::without_provenance_mut(run.map_or(0, |run| run.subject.system))
    }

    /// The process that an operation is used for.
    "computecore_HcsGetProcessFromOperation" fn HcsGetProcessFromOperation(operation: HCS_OPERATION) -> HCS_PROCESS {
        let run = table::find(operation, table::operation).and_then(|operation| operation.run());
        std::ptr::without_provenance_mut(run.map_or(0, |run| run.subject.process))
    }

    /// What an operation is used for.
    "computecore_HcsGetOperationType" fn HcsGetOperationType(operation: HCS_OPERATION) -> HCS_OPERATION_TYPE {
        let run = table::find(operation, table::operation).and_then(|operation| operation.run());
        run.map_or(OperationType::NONE, |run| run.kind).0
    }

    /// The number of an operation; 0 for none.
    "computecore_HcsGetOperationId" fn HcsGetOperationId(operation: HCS_OPERATION) -> u64 {
        table::find(operation, table::operation).map_or(0, |operation| operation.number)
    }

    /// How an operation ended.
    "computecore_HcsGetOperationResult" fn HcsGetOperationResult(operation: HCS_OPERATION, resultdocument: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { answer(operation, None, None, resultdocument) }
    }

    /// How an operation ended, and the streams of its process.
    "computecore_HcsGetOperationResultAndProcessInfo" fn HcsGetOperationResultAndProcessInfo(operation: HCS_OPERATION, processinformation: *mut HCS_PROCESS_INFORMATION, resultdocument: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { answer(operation, None, Some(processinformation), resultdocument) }
    }

    /// How an operation ended, when it has.
    "computecore_HcsWaitForOperationResult" fn HcsWaitForOperationResult(operation: HCS_OPERATION, timeoutms: u32, resultdocument: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { answer(operation, Some(timeoutms), None, resultdocument) }
    }

    /// How an operation ended, when it has, and the streams of its process.
    "computecore_HcsWaitForOperationResultAndProcessInfo" fn HcsWaitForOperationResultAndProcessInfo(operation: HCS_OPERATION, timeoutms: u32, processinformation: *mut HCS_PROCESS_INFORMATION, resultdocument: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { answer(operation, Some(timeoutms), Some(processinformation), resultdocument) }
    }

    /// Sets the function that is called when an operation has ended.
    "computecore_HcsSetOperationCallback" fn HcsSetOperationCallback(operation: HCS_OPERATION, context: *const c_void, callback: HCS_OPERATION_COMPLETION) -> HRESULT {
        number((|| {
            let operation = table::find(operation, table::operation)?;
            let registration = callback.is_some().then(|| Arc::new(Registration::new(Function::Completion(callback), context)));
            let mut state = operation.lock();
            let listener = state.run.as_ref().is_some_and(|run| run.subject.listener.is_some());
            if listener && registration.is_some() {
                return Err(v2::OPERATION_SYSTEM_CALLBACK_ALREADY_SET);
            }
            let before = std::mem::replace(&mut state.completion, registration);
            let over = state.run.as_ref().is_some_and(|run| run.ended.now().is_some());
            match before {
                None if over => operation.tell(state),
                None => {}
                Some(before) => {
                    drop(state);
                    before.end();
                }
            }
            Ok(())
        })())
    }

    /// Hosts so far do not implement this, and neither does this one.
    "computecore_HcsCancelOperation" fn HcsCancelOperation(operation: HCS_OPERATION) -> HRESULT {
        number(table::find(operation, table::operation).and(Err(E_NOTIMPL)))
    }

    /// Gives an operation something of the caller's: no call of the simulator uses one.
    "computecore_HcsAddResourceToOperation" fn HcsAddResourceToOperation(operation: HCS_OPERATION, kind: HCS_RESOURCE_TYPE, uri: PCWSTR, handle: HANDLE) -> HRESULT {
        let _ = (kind, handle);
        // SAFETY: the caller vouches for the pointers.
        let uri = unsafe { strings::required(uri) };
        number(table::find(operation, table::operation).and(uri).map(|_| ()))
    }
}

/// The outcome of a call that has no document.
pub(crate) async fn without_document(call: impl Future<Output = Outcome<()>>) -> Ended {
    call.await.map(|()| None)
}
