//! What a service has told about one handle, for all who wait for some of it.
//!
//! A service tells through one feed per handle: the end of a start, the exit, that it is gone itself. Several tasks may wait at once: one
//! for the end of a pause, one for events. Whoever looks first takes everything out of the feed and into the [`Story`]; the feed
//! wakes them all, and each looks for what concerns it. Nothing of the story is lost by being read, except that the exit is given
//! out as an event once.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};

use wcow_ntmeta::Hresult;

/// A step in the life of a system, whose end is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// It is created.
    Create,
    /// It is started.
    Start,
    /// It is paused.
    Pause,
    /// It goes on.
    Resume,
    /// It is saved.
    Save,
    /// It is shut down; a success is only told by the exit.
    Shutdown,
}

/// What a service tells, whatever its generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// A step has ended.
    StepEnded(Step, Outcome),
    /// The system or process has ended.
    Exited(Outcome),
    /// The service is gone.
    Disconnected,
    /// Something that nobody waits for.
    Other,
}

/// How something ended: a code, and the document with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The HRESULT.
    pub(crate) status: Hresult,
    /// Of an exit its status, of a failure the error; JSON.
    pub(crate) document: Option<String>,
}

/// Where a service's words come from.
pub(crate) trait Feed: Send {
    /// The next one, for a task. Of several tasks the latest is woken.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Told>;
}

/// Everything that was told about a handle so far.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// How often each step has ended, and how it did the last time.
    steps: BTreeMap<Step, (u64, Outcome)>,
    exit: Option<Outcome>,
    exit_is_given: bool,
    is_disconnected: bool,
    disconnect_is_given: bool,
    is_closed: bool,
}

/// How a wait for the end of a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StepEnd {
    /// The step has ended.
    Ended(Outcome),
    /// The system has ended instead.
    Exited(Outcome),
    /// The service is gone.
    Disconnected,
    /// The handle was closed meanwhile.
    Closed,
}

/// What comes next to who waits for events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The end, for the first time.
    Exited(Outcome),
    /// The end was told already: nothing more will come.
    Over,
    /// The service is gone, for the first time.
    Disconnected,
    /// The handle leads nowhere any more.
    Closed,
}

impl Story {
    fn add(&mut self, told: Told) {
        match told {
            Told::StepEnded(step, outcome) => {
                let count = self.count(step).saturating_add(1);
                self.steps.insert(step, (count, outcome));
            }
            Told::Exited(outcome) => {
                self.exit.get_or_insert(outcome);
            }
            Told::Disconnected => self.is_disconnected = true,
            Told::Other => {}
        }
    }

    /// How often a step has ended so far. Asked before a call that is to end so, because its end may be told before it returns.
    pub(crate) fn count(&self, step: Step) -> u64 {
        self.steps.get(&step).map_or(0, |(count, _)| *count)
    }

    /// The end of a step after the first `before` ones. The end itself counts more than what came with it.
    pub(crate) fn step_end(&self, step: Step, before: u64) -> Option<StepEnd> {
        match self.steps.get(&step) {
            Some((count, outcome)) if *count > before => {
                return Some(StepEnd::Ended(outcome.clone()));
            }
            _ => {}
        }
        if let Some(exit) = &self.exit {
            return Some(StepEnd::Exited(exit.clone()));
        }
        self.cut_off()
    }

    /// The exit, or a shutdown that failed after the first `before` ones.
    pub(crate) fn end(&self, before: u64) -> Option<StepEnd> {
        if let Some(exit) = &self.exit {
            return Some(StepEnd::Exited(exit.clone()));
        }
        match self.steps.get(&Step::Shutdown) {
            // The same number tells of a shutdown that succeeded; the exit is still to come then.
            Some((count, outcome)) if *count > before && outcome.status.is_failure() => {
                Some(StepEnd::Ended(outcome.clone()))
            }
            _ => self.cut_off(),
        }
    }

    /// How it ended, if it has.
    pub(crate) fn exit(&self) -> Option<&Outcome> {
        self.exit.as_ref()
    }

    /// The next event.
    pub(crate) fn next_event(&mut self) -> Option<Event> {
        if self.is_closed {
            return Some(Event::Closed);
        }
        match &self.exit {
            Some(exit) if !self.exit_is_given => {
                self.exit_is_given = true;
                return Some(Event::Exited(exit.clone()));
            }
            Some(_) => return Some(Event::Over),
            None => {}
        }
        if !self.is_disconnected {
            return None;
        }
        if std::mem::replace(&mut self.disconnect_is_given, true) {
            return Some(Event::Closed);
        }
        Some(Event::Disconnected)
    }

    /// That the handle was closed, or the service is gone.
    pub(crate) fn cut_off(&self) -> Option<StepEnd> {
        if self.is_closed {
            Some(StepEnd::Closed)
        } else {
            self.is_disconnected.then_some(StepEnd::Disconnected)
        }
    }
}

/// The story of one handle, and who waits for it to go on.
pub(crate) struct Inbox {
    inner: Mutex<Inner>,
    bell: Arc<Bell>,
}

struct Inner {
    /// None once the handle is closed.
    feed: Option<Box<dyn Feed>>,
    story: Story,
}

/// What the feed wakes: it wakes all who wait.
struct Bell {
    waiting: Mutex<Vec<Waker>>,
}

impl Inbox {
    pub(crate) fn new(feed: impl Feed + 'static) -> Self {
        Self {
            inner: Mutex::new(Inner {
                feed: Some(Box::new(feed)),
                story: Story::default(),
            }),
            bell: Arc::new(Bell {
                waiting: Mutex::new(Vec::new()),
            }),
        }
    }

    /// Waits until `look` finds something in the story.
    pub(crate) async fn wait<T>(&self, mut look: impl FnMut(&mut Story) -> Option<T>) -> T {
        poll_fn(|context| {
            if let Some(found) = self.look(&mut look) {
                return Poll::Ready(found);
            }
            // Only now, because whoever does not wait need not be woken; and looked at once more, because something may have come
            // before the bell knew of this task.
            self.bell.add(context.waker());
            self.look(&mut look).map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// Looks at what was told so far.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&mut Story) -> T) -> T {
        let mut inner = self.lock();
        let Inner { feed, story } = &mut *inner;
        if let Some(feed) = feed {
            let waker = Waker::from(Arc::new(Ring(Arc::downgrade(&self.bell))));
            let mut context = Context::from_waker(&waker);
            while let Poll::Ready(told) = feed.poll_next(&mut context) {
                story.add(told);
            }
        }
        look(story)
    }

    /// The handle is closed: nothing more is told, and whoever waits learns of it. Waits for a callback that runs.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.story.is_closed = true;
        let feed = inner.feed.take();
        drop(inner);
        drop(feed);
        self.bell.ring();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that runs under this lock leaves it half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The feed keeps this. It must not keep what keeps the feed.
struct Ring(Weak<Bell>);

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        if let Some(bell) = self.0.upgrade() {
            bell.ring();
        }
    }
}

impl Bell {
    fn add(&self, waker: &Waker) {
        let mut waiting = self.lock();
        if !waiting.iter().any(|known| known.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    }

    fn ring(&self) {
        let waiting = std::mem::take(&mut *self.lock());
        waiting.into_iter().for_each(crate::pool::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Waker>> {
        // Nothing that runs under this lock leaves it half changed.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};
    use std::task::{Context, Poll, Wake, Waker};

    use wcow_ntmeta::Hresult;

    use super::{Event, Feed, Inbox, Outcome, Step, StepEnd, Told};
    use crate::block_on;

    /// As a mailbox of `wcow-hcs`: one waker, taken when it is used.
    #[derive(Clone, Default)]
    struct Line(Arc<Mutex<(VecDeque<Told>, Option<Waker>)>>);

    impl Line {
        fn tell(&self, told: Told) {
            let waker = {
                let mut line = self.0.lock().expect("nobody panics");
                line.0.push_back(told);
                line.1.take()
            };
            waker.into_iter().for_each(Waker::wake);
        }
    }

    impl Feed for Line {
        fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Told> {
            let mut line = self.0.lock().expect("nobody panics");
            match line.0.pop_front() {
                Some(told) => Poll::Ready(told),
                None => {
                    line.1 = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        }
    }

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn outcome(code: u32) -> Outcome {
        Outcome {
            status: Hresult(code),
            document: None,
        }
    }

    #[test]
    fn an_end_that_was_told_before_it_is_waited_for_counts() {
        let line = Line::default();
        let inbox = Inbox::new(line.clone());
        let before = inbox.look(|story| story.count(Step::Start));
        line.tell(Told::Other);
        line.tell(Told::StepEnded(Step::Start, outcome(0)));
        let end = block_on(inbox.wait(|story| story.step_end(Step::Start, before)));
        assert_eq!(end, StepEnd::Ended(outcome(0)));
        // The next start is another one.
        let before = inbox.look(|story| story.count(Step::Start));
        assert_eq!(before, 1);
        line.tell(Told::StepEnded(Step::Start, outcome(5)));
        let end = block_on(inbox.wait(|story| story.step_end(Step::Start, before)));
        assert_eq!(end, StepEnd::Ended(outcome(5)));
    }

    /// Two tasks wait for different things; what one takes out of the feed is there for the other.
    #[test]
    fn all_who_wait_are_woken() {
        let line = Line::default();
        let inbox = Inbox::new(line.clone());
        let counts = [(); 2].map(|()| Arc::new(Count::default()));
        let [one, two] = counts.clone().map(Waker::from);
        let mut events = pin!(inbox.wait(super::Story::next_event));
        let mut pause = pin!(inbox.wait(|story| story.step_end(Step::Pause, 0)));
        assert!(
            events
                .as_mut()
                .poll(&mut Context::from_waker(&one))
                .is_pending()
        );
        assert!(
            pause
                .as_mut()
                .poll(&mut Context::from_waker(&two))
                .is_pending()
        );
        line.tell(Told::StepEnded(Step::Pause, outcome(0)));
        assert_eq!(counts.clone().map(|n| n.0.load(Ordering::SeqCst)), [1, 1]);
        // The one that it is not for looks first.
        assert!(
            events
                .as_mut()
                .poll(&mut Context::from_waker(&one))
                .is_pending()
        );
        assert_eq!(
            pause.as_mut().poll(&mut Context::from_waker(&two)),
            Poll::Ready(StepEnd::Ended(outcome(0)))
        );
        line.tell(Told::Exited(outcome(0)));
        assert_eq!(counts.map(|n| n.0.load(Ordering::SeqCst)), [2, 1]);
        assert_eq!(
            events.as_mut().poll(&mut Context::from_waker(&one)),
            Poll::Ready(Event::Exited(outcome(0)))
        );
    }

    #[test]
    fn an_exit_is_one_event_and_ends_every_wait() {
        let line = Line::default();
        let inbox = Inbox::new(line.clone());
        line.tell(Told::Exited(outcome(0xC037_0106)));
        line.tell(Told::Exited(outcome(0)));
        let exit = outcome(0xC037_0106);
        let end = inbox.look(|story| story.step_end(Step::Start, 0));
        assert_eq!(end, Some(StepEnd::Exited(exit.clone())));
        assert_eq!(
            inbox.look(|story| story.end(0)),
            Some(StepEnd::Exited(exit.clone()))
        );
        assert_eq!(
            inbox.look(super::Story::next_event),
            Some(Event::Exited(exit))
        );
        assert_eq!(inbox.look(super::Story::next_event), Some(Event::Over));
    }

    #[test]
    fn a_shutdown_that_fails_ends_the_wait_and_one_that_succeeds_does_not() {
        let line = Line::default();
        let inbox = Inbox::new(line.clone());
        line.tell(Told::StepEnded(Step::Shutdown, outcome(0)));
        assert_eq!(inbox.look(|story| story.end(0)), None);
        line.tell(Told::StepEnded(Step::Shutdown, outcome(0x8007_05B4)));
        assert_eq!(
            inbox.look(|story| story.end(1)),
            Some(StepEnd::Ended(outcome(0x8007_05B4)))
        );
        assert_eq!(inbox.look(|story| story.end(2)), None);
    }

    #[test]
    fn a_service_that_is_gone_is_told_once_and_ends_every_wait() {
        let line = Line::default();
        let inbox = Inbox::new(line.clone());
        line.tell(Told::Disconnected);
        let end = inbox.look(|story| story.step_end(Step::Save, 0));
        assert_eq!(end, Some(StepEnd::Disconnected));
        let next = || inbox.look(super::Story::next_event);
        assert_eq!(next(), Some(Event::Disconnected));
        assert_eq!(next(), Some(Event::Closed));
    }

    #[test]
    fn closing_wakes_who_waits_and_drops_the_feed() {
        let line = Line::default();
        let inbox = Inbox::new(line.clone());
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let mut event = pin!(inbox.wait(super::Story::next_event));
        assert!(
            event
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        assert_eq!(Arc::strong_count(&line.0), 2);
        inbox.close();
        assert_eq!(Arc::strong_count(&line.0), 1);
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert_eq!(
            event.as_mut().poll(&mut Context::from_waker(&waker)),
            Poll::Ready(Event::Closed)
        );
        // What the feed still has of it wakes nobody and keeps nothing.
        line.tell(Told::Other);
    }
}
