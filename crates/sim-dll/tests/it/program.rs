//! A program: texts, handles and callbacks as one in C has them.

use std::ffi::c_void;
use std::fs::File;
use std::io::Read;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use wcow_sim_dll::abi::{DriverInfo, GUID, HANDLE, LayerDescriptor, PCWSTR, PWSTR};
use wcow_sim_dll::control::{WcowSimCount, WcowSimCounters, WcowSimDescribe};
use wcow_sim_dll::v1::layers;

/// Long enough for a loaded machine; a test that waits so long fails.
pub(crate) const LONG: Duration = Duration::from_secs(120);
pub(crate) const PENDING: i32 = 0xC037_0103_u32 as i32;
pub(crate) const BAD_HANDLE: i32 = 0x8007_0006_u32 as i32;
pub(crate) const BAD_ARGUMENT: i32 = 0x8007_0057_u32 as i32;

/// One test at a time: the counts are those of the process.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A text as a program passes it.
pub(crate) struct Wide(Vec<u16>);

impl Wide {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.encode_utf16().chain([0]).collect())
    }

    pub(crate) fn get(&self) -> PCWSTR {
        self.0.as_ptr()
    }
}

/// A text that a function handed out: read and freed.
pub(crate) fn take(text: PWSTR) -> Option<String> {
    if text.is_null() {
        return None;
    }
    let mut units = Vec::new();
    for index in 0.. {
        // SAFETY: texts that are handed out end with a NUL, which has not come yet.
        let unit = unsafe { text.add(index).read() };
        if unit == 0 {
            break;
        }
        units.push(unit);
    }
    free(text);
    Some(String::from_utf16(&units).expect("UTF-16"))
}

#[cfg(not(windows))]
fn free(text: PWSTR) {
    // SAFETY: nobody uses it any more.
    assert_eq!(unsafe { wcow_sim_dll::control::WcowSimFree(text) }, 0);
}

#[cfg(windows)]
fn free(text: PWSTR) {
    // Both functions of Windows free from the heap of the process; what belongs to which DLL is tested where the DLLs are.
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn LocalFree(memory: *mut c_void) -> *mut c_void;
    }
    // SAFETY: nobody uses it any more.
    unsafe { LocalFree(text.cast()) };
}

pub(crate) fn counters() -> WcowSimCounters {
    let mut counters = WcowSimCounters::default();
    // SAFETY: the place can be written.
    assert_eq!(unsafe { WcowSimCount(&raw mut counters) }, 0);
    counters
}

/// Nothing is open that was not before; streams may still be on their way out.
#[track_caller]
pub(crate) fn assert_nothing_is_left(before: WcowSimCounters) {
    let mut now = counters();
    let until = std::time::Instant::now() + LONG;
    while now.streams > before.streams && std::time::Instant::now() < until {
        std::thread::yield_now();
        now = counters();
    }
    let expected = WcowSimCounters {
        strings: now.strings,
        calls: now.calls,
        ..before
    };
    assert_eq!(now, expected, "left: now, right: as it should be");
}

/// What the world is.
pub(crate) fn world() -> Value {
    let mut text = std::ptr::null_mut();
    // SAFETY: the place can be written.
    assert_eq!(unsafe { WcowSimDescribe(&raw mut text) }, 0);
    serde_json::from_str(&take(text).expect("a text")).expect("JSON")
}

/// A scratch layer over the base image of the world.
pub(crate) struct Scratch {
    pub(crate) path: String,
    image: String,
    image_id: String,
}

pub(crate) static EMPTY: [u16; 1] = [0];

pub(crate) fn driver() -> DriverInfo {
    DriverInfo {
        flavour: 1,
        home: EMPTY.as_ptr(),
    }
}

fn guid(text: &str) -> GUID {
    text.parse::<wcow_ntmeta::Guid>().expect("a GUID").into()
}

impl Scratch {
    pub(crate) fn new(id: &str) -> Self {
        let world = world();
        let text = |key: &str| world[key].as_str().expect("an own world").to_owned();
        let scratch = Self {
            path: format!(r"{}\{id}", text("ScratchRoot")),
            image: text("Image"),
            image_id: text("ImageId"),
        };
        let (path, image, driver) = (
            Wide::new(&scratch.path),
            Wide::new(&scratch.image),
            driver(),
        );
        let parent = LayerDescriptor {
            id: guid(&scratch.image_id),
            flags: 0,
            path: image.get(),
        };
        // SAFETY: all texts end with a NUL; there is one descriptor.
        unsafe {
            let (driver, parent) = (&raw const driver, &raw const parent);
            assert_eq!(
                layers::CreateSandboxLayer(driver, path.get(), 0, parent, 1),
                0
            );
            assert_eq!(layers::ActivateLayer(driver, path.get()), 0);
            assert_eq!(layers::PrepareLayer(driver, path.get(), parent, 1), 0);
        }
        scratch
    }

    pub(crate) fn volume(&self) -> String {
        let (path, driver) = (Wide::new(&self.path), driver());
        let mut length = 0_usize;
        // SAFETY: the text ends with a NUL; without a buffer only the length is written.
        let code = unsafe {
            layers::GetLayerMountPath(
                &raw const driver,
                path.get(),
                &raw mut length,
                std::ptr::null_mut(),
            )
        };
        assert_eq!(code, 0);
        let mut buffer = vec![0_u16; length];
        // SAFETY: the buffer is as long as is said.
        let code = unsafe {
            layers::GetLayerMountPath(
                &raw const driver,
                path.get(),
                &raw mut length,
                buffer.as_mut_ptr(),
            )
        };
        assert_eq!((code, buffer.pop()), (0, Some(0)));
        String::from_utf16(&buffer).expect("UTF-16")
    }

    /// The document of a container, schema 1.
    pub(crate) fn document(&self) -> String {
        json!({
            "SystemType": "Container",
            "Name": "program",
            "Owner": "tests",
            "VolumePath": self.volume(),
            "LayerFolderPath": self.path,
            "Layers": [{ "ID": self.image_id, "Path": self.image }],
        })
        .to_string()
    }

    /// The document of a container, schema 2.
    pub(crate) fn document_v2(&self) -> String {
        json!({
            "Owner": "tests",
            "SchemaVersion": { "Major": 2, "Minor": 1 },
            "Container": { "Storage": {
                "Layers": [{ "Id": self.image_id, "Path": self.image }],
                "Path": format!(r"{}\", self.volume()),
            }},
            "ShouldTerminateOnLastHandleClosed": true,
        })
        .to_string()
    }

    /// The parents of the layer, as documents of the second generation name them.
    pub(crate) fn layer_data(&self) -> String {
        json!({
            "SchemaVersion": { "Major": 2, "Minor": 1 },
            "Layers": [{ "Id": self.image_id, "Path": self.image }],
        })
        .to_string()
    }

    pub(crate) fn remove(self) {
        let (path, driver) = (Wide::new(&self.path), driver());
        // SAFETY: the text ends with a NUL.
        unsafe {
            assert_eq!(layers::UnprepareLayer(&raw const driver, path.get()), 0);
            assert_eq!(layers::DeactivateLayer(&raw const driver, path.get()), 0);
            assert_eq!(layers::DestroyLayer(&raw const driver, path.get()), 0);
        }
    }
}

/// A notification of the first generation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) kind: u32,
    pub(crate) status: i32,
    pub(crate) data: Option<String>,
}

/// Takes notifications; its address is the context of registrations.
pub(crate) struct Ear {
    sender: Sender<Told>,
    receiver: Receiver<Told>,
}

impl Ear {
    pub(crate) fn new() -> Box<Self> {
        let (sender, receiver) = channel();
        Box::new(Self { sender, receiver })
    }

    pub(crate) fn context(&self) -> *const c_void {
        (&raw const self.sender).cast()
    }

    #[track_caller]
    pub(crate) fn next(&self) -> Told {
        self.receiver.recv_timeout(LONG).expect("a notification")
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.receiver.try_recv().is_err()
    }
}

/// Reads a text that belongs to somebody else.
pub(crate) fn look(text: PCWSTR) -> Option<String> {
    if text.is_null() {
        return None;
    }
    let mut units = Vec::new();
    for index in 0.. {
        // SAFETY: the text ends with a NUL, which has not come yet.
        match unsafe { text.add(index).read() } {
            0 => break,
            unit => units.push(unit),
        }
    }
    Some(String::from_utf16(&units).expect("UTF-16"))
}

/// The function that hears for an [`Ear`].
pub(crate) unsafe extern "system" fn hear(
    kind: u32,
    context: *const c_void,
    status: i32,
    data: PCWSTR,
) {
    // SAFETY: the context is the sender of an ear, which lives until its registration has ended.
    let sender = unsafe { &*context.cast::<Sender<Told>>() };
    let data = look(data);
    sender
        .send(Told { kind, status, data })
        .expect("the test listens");
}

/// A stream that was handed over.
pub(crate) fn stream(handle: HANDLE) -> File {
    assert!(!handle.is_null(), "a stream was asked for");
    #[cfg(unix)]
    {
        use std::os::fd::{FromRawFd, OwnedFd};
        let descriptor = i32::try_from(handle.addr()).expect("a descriptor");
        // SAFETY: the library gave it away.
        unsafe { OwnedFd::from_raw_fd(descriptor) }.into()
    }
    #[cfg(windows)]
    {
        use std::os::windows::io::{FromRawHandle, OwnedHandle};
        // SAFETY: the library gave it away.
        unsafe { OwnedHandle::from_raw_handle(handle) }.into()
    }
}

/// Everything that comes out of a stream.
pub(crate) fn drain(handle: HANDLE) -> String {
    let mut text = String::new();
    stream(handle).read_to_string(&mut text).expect("it ends");
    text
}
