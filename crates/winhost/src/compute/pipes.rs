//! The standard streams of a process, as their creator has them.
//!
//! A read of a pipe waits as long as the process writes nothing, so each output has a thread that reads ahead, up to
//! [`AHEAD`] bytes, and each input a thread while something is written. They end with their pipe, or when the process handle is closed:
//! then the read or write that waits is cut off. A write waits for the process to read, however long that takes.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use wcow_host::codes::{self, win32};
use wcow_ntmeta::Hresult;

use crate::pool::{Pool, wake};

/// How many bytes of an output are read before somebody asks for them.
const AHEAD: usize = 64 * 1024;

/// How often and for how long a closed pipe waits for its thread. Each time whatever the thread waits for is cut off again, because it
/// may have begun to wait just after the time before.
const TRIES: u32 = 100;
const TRY: Duration = Duration::from_millis(20);

/// Cuts off a read or a write that another thread waits for.
pub(crate) type CutOff = Box<dyn Fn() + Send + Sync>;

/// An output of a process.
pub(crate) struct OutputPipe {
    shared: Arc<Shared>,
    cut_off: CutOff,
}

struct Shared {
    state: Mutex<State>,
    /// There is room again, or the thread has ended.
    changed: Condvar,
}

struct State {
    bytes: VecDeque<u8>,
    /// The thread has ended: at the end of the pipe, or with an error.
    ended: Option<Result<(), Hresult>>,
    is_closed: bool,
    waiting: Vec<Waker>,
}

impl OutputPipe {
    /// Begins to read.
    ///
    /// # Errors
    /// No thread can be had.
    pub(crate) fn new(
        source: impl Read + Send + 'static,
        cut_off: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                bytes: VecDeque::new(),
                ended: None,
                is_closed: false,
                waiting: Vec::new(),
            }),
            changed: Condvar::new(),
        });
        let filled = Arc::clone(&shared);
        thread::Builder::new()
            .name("wcow-output".to_owned())
            .spawn(move || filled.fill(source))?;
        Ok(Self {
            shared,
            cut_off: Box::new(cut_off),
        })
    }

    /// What was written, at most `max` bytes; waits for some. Nothing is the end.
    ///
    /// # Errors
    /// The code of a read that failed; 0x6 if the pipe is closed here.
    pub(crate) async fn read(&self, max: usize) -> Result<Vec<u8>, Hresult> {
        poll_fn(|context| {
            let mut state = self.shared.lock();
            if state.is_closed {
                return Poll::Ready(Err(win32::INVALID_HANDLE));
            }
            if !state.bytes.is_empty() {
                let count = max.min(state.bytes.len());
                let bytes = state.bytes.drain(..count).collect();
                drop(state);
                self.shared.changed.notify_all();
                return Poll::Ready(Ok(bytes));
            }
            if let Some(ended) = state.ended {
                return Poll::Ready(ended.map(|()| Vec::new()));
            }
            let waker = context.waker();
            if !state.waiting.iter().any(|known| known.will_wake(waker)) {
                state.waiting.push(waker.clone());
            }
            Poll::Pending
        })
        .await
    }

    /// Whether a read would not wait.
    ///
    /// # Errors
    /// 0x6 if the pipe is closed here.
    pub(crate) fn is_ready(&self) -> Result<bool, Hresult> {
        let state = self.shared.lock();
        if state.is_closed {
            return Err(win32::INVALID_HANDLE);
        }
        Ok(!state.bytes.is_empty() || state.ended.is_some())
    }

    /// Closes it, and waits a moment for its thread to end. Call it where waiting is allowed.
    pub(crate) fn close(&self) {
        let mut state = self.shared.lock();
        state.is_closed = true;
        state.bytes = VecDeque::new();
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.shared.changed.notify_all();
        waiting.into_iter().for_each(wake);
        for _ in 0..TRIES {
            if self.shared.lock().ended.is_some() {
                return;
            }
            (self.cut_off)();
            let state = self.shared.lock();
            if state.ended.is_none() {
                let waited = self.shared.changed.wait_timeout(state, TRY);
                drop(waited);
            }
        }
    }
}

/// Nothing is waited for here: the thread ends by itself, as soon as what it waits for is cut off.
impl Drop for OutputPipe {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_closed = true;
        let reads = state.ended.is_none();
        drop(state);
        self.shared.changed.notify_all();
        if reads {
            (self.cut_off)();
        }
    }
}

impl Shared {
    fn fill(&self, mut source: impl Read) {
        let mut buffer = vec![0; 8 * 1024];
        let ended = loop {
            {
                let mut state = self.lock();
                while state.bytes.len() >= AHEAD && !state.is_closed {
                    state = self
                        .changed
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                if state.is_closed {
                    break Ok(());
                }
            }
            let count = match source.read(&mut buffer) {
                Ok(0) => break Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break Ok(()),
                Err(error) => break Err(code_of(&error)),
            };
            let read = buffer.get(..count).unwrap_or_default();
            let mut state = self.lock();
            if state.is_closed {
                break Ok(());
            }
            state.bytes.extend(read);
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            waiting.into_iter().for_each(wake);
        };
        // The pipe is closed before anybody learns that it has ended.
        drop(source);
        let mut state = self.lock();
        state.ended = Some(ended);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.changed.notify_all();
        waiting.into_iter().for_each(wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that runs under this lock leaves it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The input of a process.
pub(crate) struct InputPipe {
    sink: Arc<Mutex<Option<Box<dyn Write + Send>>>>,
    /// One thread: what is written first arrives first.
    lane: Arc<Pool>,
    cut_off: CutOff,
}

impl InputPipe {
    pub(crate) fn new(
        sink: impl Write + Send + 'static,
        cut_off: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self {
            sink: Arc::new(Mutex::new(Some(Box::new(sink)))),
            lane: Pool::new("wcow-input", 1),
            cut_off: Box::new(cut_off),
        }
    }

    /// Writes all of it. Once begun it goes on, also when the future is dropped.
    ///
    /// # Errors
    /// The pipe is closed, at either end (0xE8); the code of a write that failed.
    pub(crate) async fn write(&self, bytes: Vec<u8>) -> Result<(), Hresult> {
        let sink = Arc::clone(&self.sink);
        let write = move || match &mut *lock(&sink) {
            Some(sink) => sink
                .write_all(&bytes)
                .and_then(|()| sink.flush())
                .map_err(|error| code_of(&error)),
            None => Err(win32::NO_DATA),
        };
        self.lane.run(write).await.unwrap_or(Err(codes::UNEXPECTED))
    }

    /// Waits until what was given to be written is.
    pub(crate) async fn settle(&self) {
        let _ = self.lane.run(|| {}).await;
    }

    /// Ends the input, after what is being written.
    pub(crate) async fn end(&self) {
        let sink = Arc::clone(&self.sink);
        let _ = self.lane.run(move || drop(lock(&sink).take())).await;
    }

    /// Ends it at once: a write that waits is cut off. Call it where waiting is allowed.
    pub(crate) fn close(&self) {
        for _ in 0..TRIES {
            match self.sink.try_lock() {
                Ok(mut sink) => return drop(sink.take()),
                Err(std::sync::TryLockError::Poisoned(sink)) => {
                    return drop(sink.into_inner().take());
                }
                Err(std::sync::TryLockError::WouldBlock) => {
                    (self.cut_off)();
                    thread::park_timeout(TRY);
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The code of a read or a write that failed.
fn code_of(error: &io::Error) -> Hresult {
    // Windows has two numbers for a pipe whose other end is closed; both are of this kind.
    if error.kind() == io::ErrorKind::BrokenPipe {
        return win32::NO_DATA;
    }
    let code = error.raw_os_error();
    code.map_or(codes::FAIL, |code| {
        Hresult::from_win32(code.cast_unsigned())
    })
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read, Write, pipe};
    use std::pin::pin;
    use std::sync::mpsc::{self, Receiver, Sender};
    use std::sync::{Arc, Mutex};
    use std::task::{Context, Waker};

    use wcow_host::codes::win32;

    use super::{AHEAD, InputPipe, OutputPipe};
    use crate::block_on;

    /// Reads what it is sent, and ends when it is cut off, as a pipe does.
    struct Source(Receiver<Vec<u8>>);

    impl Read for Source {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Ok(bytes) = self.0.recv() else {
                return Err(io::ErrorKind::BrokenPipe.into());
            };
            buffer[..bytes.len()].copy_from_slice(&bytes);
            Ok(bytes.len())
        }
    }

    /// The sender that is dropped when the pipe is cut off.
    type Kept = Arc<Mutex<Option<Sender<Vec<u8>>>>>;

    fn output() -> (Sender<Vec<u8>>, OutputPipe, Kept) {
        let (sender, receiver) = mpsc::channel();
        let kept = Arc::new(Mutex::new(Some(sender.clone())));
        let cut = Arc::clone(&kept);
        let cut_off = move || drop(cut.lock().expect("nobody panics").take());
        let pipe = OutputPipe::new(Source(receiver), cut_off).expect("a thread");
        (sender, pipe, kept)
    }

    #[test]
    fn output_comes_in_order_and_then_its_end() {
        let (sender, pipe, kept) = output();
        sender.send(b"hello ".to_vec()).expect("it reads");
        assert_eq!(block_on(pipe.read(4)), Ok(b"hell".to_vec()));
        assert_eq!(pipe.is_ready(), Ok(true));
        assert_eq!(block_on(pipe.read(100)), Ok(b"o ".to_vec()));
        assert_eq!(pipe.is_ready(), Ok(false));
        sender.send(b"you".to_vec()).expect("it reads");
        drop((sender, kept.lock().expect("nobody panics").take()));
        let mut all = Vec::new();
        loop {
            let bytes = block_on(pipe.read(2)).expect("no error");
            if bytes.is_empty() {
                break;
            }
            all.extend(bytes);
        }
        assert_eq!(all, b"you");
        assert_eq!(pipe.is_ready(), Ok(true));
        assert_eq!(block_on(pipe.read(1)), Ok(Vec::new()));
    }

    /// However much a process writes: what nobody reads stays in the pipe.
    #[test]
    fn what_is_read_ahead_is_limited() {
        let (reader, mut writer) = pipe().expect("a pipe");
        let pipe = OutputPipe::new(reader, || {}).expect("a thread");
        let total = 4 * AHEAD;
        let written = std::thread::spawn(move || writer.write_all(&vec![7; total]).is_ok());
        let mut count = 0;
        loop {
            assert!(pipe.shared.lock().bytes.len() < AHEAD + 8 * 1024);
            match block_on(pipe.read(10_000)).expect("no error").len() {
                0 => break,
                read => count += read,
            }
        }
        assert_eq!(count, total);
        assert!(matches!(written.join(), Ok(true)));
    }

    #[test]
    fn closing_cuts_off_who_reads() {
        let (sender, pipe, _) = output();
        let mut read = pin!(pipe.read(1));
        let mut context = Context::from_waker(Waker::noop());
        assert!(read.as_mut().poll(&mut context).is_pending());
        // The sender that is left would keep the thread waiting, were it not cut off.
        drop(sender);
        pipe.close();
        assert!(pipe.shared.lock().ended.is_some());
        assert_eq!(block_on(read), Err(win32::INVALID_HANDLE));
        assert_eq!(pipe.is_ready(), Err(win32::INVALID_HANDLE));
        pipe.close();
    }

    #[test]
    fn input_arrives_and_ends() {
        let (mut reader, writer) = pipe().expect("a pipe");
        let input = InputPipe::new(writer, || {});
        for part in ["one ", "two ", "three"] {
            assert_eq!(block_on(input.write(part.as_bytes().to_vec())), Ok(()));
        }
        block_on(input.end());
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("it ends");
        assert_eq!(text, "one two three");
        assert_eq!(block_on(input.write(vec![1])), Err(win32::NO_DATA));
        block_on(input.end());
        input.close();
    }

    #[test]
    fn input_that_nobody_will_read_is_refused() {
        let (reader, writer) = pipe().expect("a pipe");
        let input = InputPipe::new(writer, || {});
        drop(reader);
        assert_eq!(block_on(input.write(vec![1])), Err(win32::NO_DATA));
    }

    /// A process that reads nothing holds the write, and not who closes the handle.
    #[test]
    fn closing_cuts_off_who_writes() {
        struct Stuck(Receiver<()>, Sender<()>);
        impl Write for Stuck {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                let _ = self.1.send(());
                let _ = self.0.recv();
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (cut, waits) = mpsc::channel::<()>();
        let (began, begins) = mpsc::channel();
        let cut = Mutex::new(Some(cut));
        let cut_off = move || drop(cut.lock().expect("nobody panics").take());
        let input = InputPipe::new(Stuck(waits, began), cut_off);
        let mut write = pin!(input.write(vec![1]));
        let mut context = Context::from_waker(Waker::noop());
        assert!(write.as_mut().poll(&mut context).is_pending());
        begins.recv().expect("it writes");
        input.close();
        assert_eq!(block_on(write), Err(win32::NO_DATA));
        assert_eq!(block_on(input.write(vec![1])), Err(win32::NO_DATA));
    }
}
