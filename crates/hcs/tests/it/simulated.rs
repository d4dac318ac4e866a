//! This crate against the simulator behind the same C ABI (`wcow-sim-dll`): containers that live, and not only calls that return.
//!
//! `cargo xtask windows` sets `WCOW_HCS_SIMULATED` when the simulator's DLLs lie in `System32`.

use std::ffi::c_void;
use std::io::Read;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wcow_hcs::layers::{self, Parent};
use wcow_hcs::values::{EventOptions, EventType, NotificationType};
use wcow_hcs::{Dll, network, raw, v1, v2};
use wcow_ntmeta::{Guid, Hresult};

use crate::stand_in::LONG;

/// What the simulator counts, in its order: open handles to systems, processes, operations, registrations, networks; calls with bad
/// handles; texts; texts that live; callbacks; streams.
type Counters = [u64; 10];

/// The simulator, for one test at a time.
struct Simulator {
    before: Counters,
    image: String,
    image_id: Guid,
    scratch_root: String,
    _alone: MutexGuard<'static, ()>,
}

impl Simulator {
    /// The simulator; none where its DLLs are not there.
    fn find() -> Option<Self> {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        if std::env::var_os("WCOW_HCS_SIMULATED").is_none() {
            eprintln!("WCOW_HCS_SIMULATED is not set: no simulator");
            return None;
        }
        let told = describe();
        Some(Self {
            before: counters(),
            image: value(&told, "Image"),
            image_id: value(&told, "ImageId").parse().expect("a GUID"),
            scratch_root: value(&told, "ScratchRoot"),
            _alone: alone,
        })
    }

    #[track_caller]
    fn assert_nothing_is_left(&self) {
        let mut now = counters();
        while now[9] > self.before[9] {
            std::thread::yield_now();
            now = counters();
        }
        let mut expected = self.before;
        (expected[6], expected[8]) = (now[6], now[8]);
        assert_eq!(now, expected, "left: now, right: as it should be");
    }

    fn mount(&self, id: &str) -> (String, String) {
        let scratch = format!(r"{}\{id}", self.scratch_root);
        let parents = [Parent {
            id: self.image_id,
            path: &self.image,
        }];
        layers::create_scratch(&scratch, &parents).expect("made");
        layers::activate(&scratch).expect("attached");
        layers::prepare(&scratch, &parents).expect("mounted");
        let volume = layers::mount_path(&scratch).expect("a volume");
        (scratch, volume)
    }

    fn unmount(&self, scratch: &str) {
        layers::unprepare(scratch).expect("mounted before");
        layers::deactivate(scratch).expect("attached before");
        layers::destroy(scratch).expect("there before");
        assert_eq!(layers::exists(scratch), Ok(false));
    }
}

/// Text as JSON has it.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\")
}

/// The value of a key in a flat document.
fn value(document: &str, key: &str) -> String {
    let from = format!("\"{key}\":\"");
    let (_, rest) = document.split_once(&from).expect("the key is there");
    let (value, _) = rest.split_once('"').expect("a text ends");
    value.replace(r"\\", r"\")
}

fn counters() -> Counters {
    let mut counters = Counters::default();
    let address = raw::address(Dll::VmCompute, c"WcowSimCount").expect("the simulator has it");
    // SAFETY: the export of this name writes ten numbers of this type.
    let code = unsafe {
        let function: unsafe extern "system" fn(*mut Counters) -> i32 =
            std::mem::transmute(address.as_ptr());
        function(&raw mut counters)
    };
    assert_eq!(code, 0);
    counters
}

fn describe() -> String {
    let address = raw::address(Dll::VmCompute, c"WcowSimDescribe").expect("the simulator has it");
    let mut text: *mut u16 = std::ptr::null_mut();
    // SAFETY: the export of this name hands out a text that ends with a NUL and is freed with `CoTaskMemFree`.
    unsafe {
        let function: unsafe extern "system" fn(*mut *mut u16) -> i32 =
            std::mem::transmute(address.as_ptr());
        assert_eq!(function(&raw mut text), 0);
        let length = (0..)
            .take_while(|&index| text.add(index).read() != 0)
            .count();
        let told = String::from_utf16_lossy(std::slice::from_raw_parts(text, length));
        raw::combase::CoTaskMemFree(text.cast::<c_void>()).expect("every Windows has it");
        told
    }
}

fn read(stream: Option<std::os::windows::io::OwnedHandle>) -> String {
    let mut text = String::new();
    std::fs::File::from(stream.expect("it was asked for"))
        .read_to_string(&mut text)
        .expect("a pipe that ends");
    text
}

#[test]
fn a_container_of_the_first_generation_lives() {
    let Some(simulator) = Simulator::find() else {
        return;
    };
    let (scratch, volume) = simulator.mount("rust-one");
    let document = format!(
        r#"{{"SystemType":"Container","Name":"rust-one","Owner":"hcs","VolumePath":"{}","LayerFolderPath":"{}","Layers":[{{"ID":"{}","Path":"{}"}}]}}"#,
        escaped(&volume),
        escaped(&scratch),
        simulator.image_id,
        escaped(&simulator.image),
    );
    let (system, created) = v1::ComputeSystem::create("rust-one", &document).expect("begun");
    assert_eq!(created, v1::Completion::Pending);
    let mut told = system.subscribe().expect("a callback");
    let next = told.next_within(LONG).expect("the end of the creation");
    assert_eq!(
        (next.kind, next.status),
        (NotificationType::SYSTEM_CREATE_COMPLETED, Hresult::S_OK)
    );
    assert_eq!(system.start(""), Ok(v1::Completion::Pending));
    let next = told.next_within(LONG).expect("the end of the start");
    assert_eq!(
        (next.kind, next.status),
        (NotificationType::SYSTEM_START_COMPLETED, Hresult::S_OK)
    );
    let error = system.start("").expect_err("it runs");
    assert_eq!(error.code, Hresult(0xC037_0105));
    assert!(
        error
            .document
            .is_some_and(|document| document.contains("-1070137083"))
    );
    assert!(v1::enumerate("{}").expect("a list").contains("rust-one"));
    let parameters = r#"{"CommandLine":"cmd /c echo hello","CreateStdOutPipe":true}"#;
    let (process, streams) = system.create_process(parameters).expect("a process");
    assert_eq!(read(streams.stdout), "hello\r\n");
    let mut ended = process.subscribe().expect("a callback");
    let exited = ended.next_within(LONG).expect("the exit");
    assert_eq!(exited.kind, NotificationType::PROCESS_EXITED);
    assert_eq!(system.terminate(""), Ok(v1::Completion::Pending));
    let exited = told.next_within(LONG).expect("the exit");
    assert_eq!(exited.kind, NotificationType::SYSTEM_EXITED);
    drop((ended, process, told, system));
    simulator.unmount(&scratch);
    simulator.assert_nothing_is_left();
}

#[test]
fn a_container_of_the_second_generation_lives() {
    let Some(simulator) = Simulator::find() else {
        return;
    };
    let (scratch, volume) = simulator.mount("rust-two");
    let document = format!(
        r#"{{"Owner":"hcs","SchemaVersion":{{"Major":2,"Minor":1}},"Container":{{"Storage":{{"Layers":[{{"Id":"{}","Path":"{}"}}],"Path":"{}\\"}}}}}}"#,
        simulator.image_id,
        escaped(&simulator.image),
        escaped(&volume),
    );
    let (system, created) = v2::ComputeSystem::create("rust-two", &document).expect("begun");
    assert_eq!(created.wait(LONG), Ok(None));
    let mut told = system.subscribe(EventOptions::NONE).expect("a callback");
    assert_eq!(system.start(None).expect("begun").wait(LONG), Ok(None));
    let properties = system.properties(None).expect("begun").wait(LONG);
    assert!(
        properties
            .expect("told")
            .is_some_and(|text| text.contains("Running"))
    );
    let parameters = r#"{"CommandLine":"cmd /c echo hello","CreateStdOutPipe":true}"#;
    let (process, operation) = system.create_process(parameters).expect("begun");
    let (streams, _) = operation.wait_for_process(LONG).expect("created");
    assert_eq!(read(streams.stdout), "hello\r\n");
    let error = operation.wait_for_process(LONG).expect_err("once");
    assert_eq!(error.code, Hresult(0x8037_011D));
    assert_eq!(system.terminate(None).expect("begun").wait(LONG), Ok(None));
    let exited = told.next_within(LONG).expect("the exit");
    assert_eq!(exited.kind, EventType::SYSTEM_EXITED);
    assert_eq!(system.wait_for_exit(LONG), Ok(exited.data));
    drop((created, operation, process, told, system));
    simulator.unmount(&scratch);
    simulator.assert_nothing_is_left();
}

#[test]
fn networks_are_seen_by_both_generations() {
    let Some(simulator) = Simulator::find() else {
        return;
    };
    let document = r#"{"Name":"rust","Type":"nat","Subnets":[{"AddressPrefix":"172.31.0.0/16","GatewayAddress":"172.31.0.1"}]}"#;
    let made = network::hns_call("POST", "/networks/", document).expect("an answer");
    let id: Guid = value(&made, "ID").parse().expect("a GUID");
    let opened = network::Object::open(network::Kind::Network, id).expect("it is there");
    drop(opened);
    let path = format!("/networks/{}", value(&made, "ID"));
    network::hns_call("DELETE", &path, "").expect("an answer");
    let error = network::Object::open(network::Kind::Network, id).expect_err("it is gone");
    assert_eq!(error.code, Hresult(0x8007_0490));
    simulator.assert_nothing_is_left();
}
