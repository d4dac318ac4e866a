//! Systems, processes and notifications of vmcompute.dll, against the stand-in.

use std::io::Read;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use wcow_hcs::v1::{self, Completion, ComputeSystem, Notification};
use wcow_hcs::values::NotificationType;
use wcow_hcs::{Dll, Subscription};
use wcow_ntmeta::Hresult;

use crate::stand_in::{LONG, StandIn};

fn system(configuration: &str) -> ComputeSystem {
    let (system, _) = ComputeSystem::create("one", configuration).expect("the stand-in creates it");
    system
}

#[test]
fn an_error_brings_its_document() {
    let Some(stand_in) = StandIn::find(Dll::VmCompute) else {
        return;
    };
    let error = ComputeSystem::create("one", "refuse").expect_err("refused");
    assert_eq!(error.call, "HcsCreateComputeSystem");
    assert_eq!(error.code, Hresult(0xC037_010D));
    assert_eq!(
        error.document.as_deref(),
        Some("{\"Error\":-1070137075,\"ErrorMessage\":\"\u{e4} refused\"}")
    );
    let error = ComputeSystem::open("missing").expect_err("not there");
    assert_eq!((error.code, error.document), (Hresult(0xC037_010E), None));
    let error = system("").start("refuse").expect_err("refused");
    assert_eq!(error.code, Hresult(0xC037_0105));
    assert_eq!(error.document.as_deref(), Some("{\"Error\":-1070137083}"));
    assert_eq!(stand_in.strings(), 2);
    stand_in.assert_nothing_is_left();
}

/// A success may come with a document too, and a failure with handles.
#[test]
fn what_comes_beside_an_answer_is_taken_over() {
    let Some(stand_in) = StandIn::find(Dll::VmCompute) else {
        return;
    };
    assert_eq!(v1::enumerate("{}").as_deref(), Ok("[]"));
    assert_eq!(stand_in.strings(), 2);
    ComputeSystem::create("one", "half").expect_err("failed, with a handle");
    let system = system("");
    let error = system
        .create_process("half")
        .expect_err("failed, with handles");
    assert_eq!(error.code, Hresult(0xC037_0105));
    drop(system);
    stand_in.assert_nothing_is_left();
}

#[test]
fn strings_are_freed_once() {
    let Some(stand_in) = StandIn::find(Dll::VmCompute) else {
        return;
    };
    let system = system("");
    let query = "\u{1F600}".repeat(500);
    for _ in 0..2000 {
        assert_eq!(system.properties(&query).as_deref(), Ok(&*query));
    }
    assert_eq!(stand_in.strings(), 2000);
    drop(system);
    stand_in.assert_nothing_is_left();
}

#[test]
fn a_creation_that_is_pending_is_told_to_who_subscribes_after_it() {
    let Some(stand_in) = StandIn::find(Dll::VmCompute) else {
        return;
    };
    let (system, completion) = ComputeSystem::create("one", "pending").expect("begun");
    assert_eq!(completion, Completion::Pending);
    let mut told = system.subscribe().expect("a callback");
    let created = told.next_within(LONG).expect("the end of the creation");
    assert_eq!(created.kind, NotificationType::SYSTEM_CREATE_COMPLETED);
    assert_eq!((created.status, created.data), (Hresult::S_OK, None));
    assert_eq!(system.start(""), Ok(Completion::Pending));
    let started = told.next_within(LONG).expect("the end of the start");
    assert_eq!(started.kind, NotificationType::SYSTEM_START_COMPLETED);
    assert_eq!(system.terminate(""), Ok(Completion::Pending));
    let exited = told.next_within(LONG).expect("the exit");
    assert_eq!(exited.kind, NotificationType::SYSTEM_EXITED);
    assert_eq!(
        exited.data.as_deref(),
        Some("{\"Status\":0,\"ExitType\":\"GracefulExit\"}")
    );
    assert_eq!((told.try_next(), told.lost()), (None, 0));
    drop((told, system));
    stand_in.assert_nothing_is_left();
}

#[test]
fn a_creation_that_fails_later_tells_why() {
    let Some(stand_in) = StandIn::find(Dll::VmCompute) else {
        return;
    };
    let system = system("broken");
    let mut told = system.subscribe().expect("a callback");
    let created = told.next_within(LONG).expect("the end of the creation");
    assert_eq!(created.status, Hresult(0xC037_0101));
    assert_eq!(created.data.as_deref(), Some("{\"Error\":-1070137087}"));
    drop((told, system));
    stand_in.assert_nothing_is_left();
}

#[test]
fn streams_belong_to_the_creator_of_the_process() {
    let Some(stand_in) = StandIn::find(Dll::VmCompute) else {
        return;
    };
    let system = system("");
    let (process, streams) = system.create_process("{}").expect("a process");
    assert!(streams.process_id >= 1000 && streams.stdin.is_some() && streams.stderr.is_none());
    let mut text = String::new();
    let mut stdout = std::fs::File::from(streams.stdout.expect("stdout"));
    stdout.read_to_string(&mut text).expect("a pipe that ends");
    assert_eq!(text, "hello");
    let again = process.information().expect("of the same process");
    assert!(again.stdin.is_none() && again.stdout.is_none());
    let opened = system
        .open_process(streams.process_id)
        .expect("it is there");
    let error = system.open_process(404).expect_err("it is not");
    assert_eq!(error.code, Hresult(0x8007_0490));
    let mut told = process.subscribe().expect("a callback");
    process.terminate().expect("ended");
    let exited = told.next_within(LONG).expect("the exit");
    assert_eq!(exited.kind, NotificationType::PROCESS_EXITED);
    // In any order: each closes what is its own.
    drop((system, opened, process, told));
    stand_in.assert_nothing_is_left();
}

/// The stand-in does what no DLL should: it calls back after the registration has ended.
#[test]
fn a_late_callback_reaches_nobody() {
    let Some(stand_in) = StandIn::find(Dll::VmCompute) else {
        return;
    };
    let first = system("");
    drop(first.subscribe().expect("a callback"));
    // Whoever registers now must not get what was meant for the other.
    let second = system("");
    let mut told = second.subscribe().expect("a callback");
    let third = first.subscribe().expect("a callback");
    drop(third);
    for _ in 0..100 {
        stand_in.run(c"StandInLate");
    }
    assert_eq!(told.try_next(), None);
    drop((first, told, second));
    stand_in.assert_nothing_is_left();
}

/// Callbacks run on other threads while the registration ends and the system is closed.
#[test]
fn callbacks_during_close_are_waited_for() {
    let Some(stand_in) = StandIn::find(Dll::VmCompute) else {
        return;
    };
    for _ in 0..50 {
        let system = system("");
        let (mut one, two) = (
            system.subscribe().expect("a callback"),
            system.subscribe().expect("a callback"),
        );
        stand_in.storm(200);
        assert!(one.next_within(LONG).is_some());
        // The subscriptions keep the handle open: closing it under them counts as a bad handle.
        drop(system);
        drop(one);
        drop(two);
    }
    stand_in.assert_nothing_is_left();
}

#[test]
fn a_flood_is_bounded_and_the_exit_is_kept() {
    let Some(stand_in) = StandIn::find(Dll::VmCompute) else {
        return;
    };
    let system = system("");
    let mut told = system.subscribe().expect("a callback");
    let before = stand_in.counters().calls;
    system.terminate("").expect("pending");
    stand_in.storm(5000);
    while stand_in.counters().calls < before + 5001 {
        std::thread::yield_now();
    }
    // The last calls may still run, so the exit is waited for.
    while told.next_within(LONG).expect("an exit").kind != NotificationType::SYSTEM_EXITED {}
    assert!(told.lost() > 3000, "{} of 5001 were lost", told.lost());
    drop((told, system));
    stand_in.assert_nothing_is_left();
}

#[test]
fn two_threads_use_one_handle() {
    let Some(stand_in) = StandIn::find(Dll::VmCompute) else {
        return;
    };
    let system = system("");
    let wrong = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for name in ["one", "two"] {
            let (system, wrong) = (&system, &wrong);
            scope.spawn(move || {
                for number in 0..500 {
                    let query = format!("{name}{number}");
                    let answer = system.properties(&query);
                    wrong.fetch_add(usize::from(answer != Ok(query)), Ordering::SeqCst);
                    let (process, _) = system.create_process("{}").expect("a process");
                    drop((system.clone(), process));
                }
            });
        }
    });
    assert_eq!(wrong.into_inner(), 0);
    assert_eq!(stand_in.strings(), 1000);
    drop(system);
    stand_in.assert_nothing_is_left();
}

/// Sends the name of the thread that wakes it.
struct Knock(Sender<()>);

impl Wake for Knock {
    fn wake(self: Arc<Self>) {
        self.0.send(()).expect("the test waits");
    }
}

fn knock() -> (Waker, Receiver<()>) {
    let (sender, receiver) = channel();
    (Waker::from(Arc::new(Knock(sender))), receiver)
}

#[test]
fn a_notification_wakes_a_task() {
    let Some(stand_in) = StandIn::find(Dll::VmCompute) else {
        return;
    };
    let system = system("");
    let mut told = system.subscribe().expect("a callback");
    let (waker, woken) = knock();
    let mut context = Context::from_waker(&waker);
    {
        let mut next = pin!(told.next());
        assert!(next.as_mut().poll(&mut context).is_pending());
        system.pause("").expect("pending");
        woken.recv_timeout(LONG).expect("woken");
        let Poll::Ready(paused) = next.as_mut().poll(&mut context) else {
            panic!("woken for nothing");
        };
        assert_eq!(paused.kind, NotificationType::SYSTEM_PAUSE_COMPLETED);
    }
    drop((told, system));
    stand_in.assert_nothing_is_left();
}

/// A waker may drop the subscription that wakes it. The DLL would wait for the callback that this happens in.
#[test]
fn a_subscription_can_be_dropped_by_its_own_callback() {
    struct DropIt(Mutex<Option<Subscription<Notification>>>, Sender<()>);
    impl Wake for DropIt {
        fn wake(self: Arc<Self>) {
            drop(self.0.lock().expect("nobody panics with it").take());
            self.1.send(()).expect("the test waits");
        }
    }
    let Some(stand_in) = StandIn::find(Dll::VmCompute) else {
        return;
    };
    let system = system("");
    let (sender, receiver) = channel();
    let dropper = Arc::new(DropIt(Mutex::new(None), sender));
    let mut told = system.subscribe().expect("a callback");
    let waker = Waker::from(Arc::clone(&dropper));
    assert!(
        told.poll_next(&mut Context::from_waker(&waker))
            .is_pending()
    );
    *dropper.0.lock().expect("nobody panics with it") = Some(told);
    system.start("").expect("pending");
    receiver.recv_timeout(LONG).expect("woken, and gone on");
    drop(system);
    // Another thread ends the registration, and then closes the system.
    while stand_in.counters().callbacks > 0 || stand_in.counters().systems > 0 {
        std::thread::yield_now();
    }
    stand_in.assert_nothing_is_left();
}

#[test]
fn a_waker_that_panics_does_not_reach_the_dll() {
    struct Angry(Sender<()>);
    impl Wake for Angry {
        fn wake(self: Arc<Self>) {
            self.0.send(()).expect("the test waits");
            std::panic::resume_unwind(Box::new("angry"));
        }
    }
    let Some(stand_in) = StandIn::find(Dll::VmCompute) else {
        return;
    };
    let system = system("");
    let mut told = system.subscribe().expect("a callback");
    let (sender, receiver) = channel();
    let waker = Waker::from(Arc::new(Angry(sender)));
    assert!(
        told.poll_next(&mut Context::from_waker(&waker))
            .is_pending()
    );
    system.start("").expect("pending");
    receiver.recv_timeout(LONG).expect("woken");
    let started = told.next_within(LONG).expect("it is there all the same");
    assert_eq!(started.kind, NotificationType::SYSTEM_START_COMPLETED);
    drop((told, system));
    stand_in.assert_nothing_is_left();
}
