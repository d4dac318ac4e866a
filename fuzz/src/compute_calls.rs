//! Any sequence of calls to the compute service, legal and illegal, against the legality matrix of `wcow-conformance`.

use std::sync::LazyLock;

use wcow_conformance::{Call, Expect, State, rules};
use wcow_hcs_schema::schema1::{ContainerConfig, Layer, ProcessParameters};
use wcow_host::{
    ComputeApi, ComputeService, CreateDocument, FileSystem, Host, HostControl, HostError,
    LayerDescriptor, LayerStorage, SaveType, SystemHandle, SystemId, WriteMode, era,
};
use wcow_ntmeta::HostPath;
use wcow_sim::{Profile, Sim, SimHost};

use crate::budget;

const IMAGE: &str = "C:\\ProgramData\\Microsoft\\Windows\\Images\\CN=Microsoft_Fuzz_10.0.1.0";
/// The ids that are used: the first for a container with process isolation, the second for one with Hyper-V isolation.
const IDS: [&str; 2] = ["process", "hyperv"];
/// So many calls are made at most.
const LONGEST: usize = 64;

/// A host on which both containers can be made; forked for every input.
static HOST: LazyLock<Sim> = LazyLock::new(|| {
    let sim = Sim::new(Profile::server_2022(), 0);
    let host = sim.client();
    sim.run(prepare(&host)).expect("nothing goes wrong");
    sim
});

/// The first byte chooses the surface that the service is seen through; then two bytes each choose a call and what it is about.
///
/// # Panics
/// If a call is answered otherwise than the matrix says.
pub fn compute_calls(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    let api = if first % 2 == 0 {
        ComputeApi::V1
    } else {
        ComputeApi::V2
    };
    let sim = HOST.fork();
    budget::answer(data.len(), "a sequence of calls", || {
        let host = sim.client_of(api);
        let mut model = Model::default();
        sim.run(async {
            for step in rest.chunks_exact(2).take(LONGEST) {
                if let [call, about] = *step {
                    model.step(&host, call, usize::from(about)).await;
                }
            }
        })
        .expect("every call is answered");
    });
}

/// A compute system that was created, as the facts have it.
#[derive(Clone, Copy, Debug)]
struct System {
    slot: usize,
    state: State,
    /// Saved: as paused, but it can only be ended.
    saved: bool,
}

/// What the facts say of the host.
#[derive(Debug, Default)]
struct Model {
    systems: Vec<System>,
    /// The one that each id stands for.
    current: [Option<usize>; IDS.len()],
    /// Handles that were given out, and to which system they lead; `None` once closed.
    handles: Vec<(SystemHandle, Option<usize>)>,
}

impl Model {
    async fn step(&mut self, host: &SimHost, call: u8, about: usize) {
        const CALLS: [Call; 9] = [
            Call::Start,
            Call::Shutdown,
            Call::Terminate,
            Call::Pause,
            Call::Resume,
            Call::Save,
            Call::CreateProcess,
            Call::OpenUnknownProcess,
            Call::Properties,
        ];
        let slots = match host.compute().api() {
            ComputeApi::V1 => IDS.len(),
            ComputeApi::V2 => 1,
        };
        let slot = about % slots;
        match call % 16 {
            0 | 1 => self.create(host, slot).await,
            2 => self.open(host, slot).await,
            3 => self.close(host, about).await,
            4 => {
                self.restart_service(host).await;
            }
            other => {
                let call = CALLS.get(usize::from(other - 5) % CALLS.len());
                if let Some(call) = call {
                    self.call(host, *call, about).await;
                }
            }
        }
    }

    async fn create(&mut self, host: &SimHost, slot: usize) {
        let document = document(host, slot).await;
        let answer = host.compute().create(&id(slot), &document).await;
        let state = self.state_of(slot);
        let absent = matches!(state, State::Absent | State::Stopped);
        let expected = if absent {
            Expect::Works
        } else {
            expected(Call::CreateSameId, state)
        };
        check(host, "create", &expected, &answer, state);
        if let Ok(handle) = answer {
            self.systems.push(System {
                slot,
                state: State::Created,
                saved: false,
            });
            let system = self.systems.len() - 1;
            self.handles.push((handle, Some(system)));
            if let Some(current) = self.current.get_mut(slot) {
                *current = Some(system);
            }
        }
    }

    async fn open(&mut self, host: &SimHost, slot: usize) {
        let answer = host.compute().open(&id(slot)).await;
        let state = self.state_of(slot);
        check(host, "open", &expected(Call::Open, state), &answer, state);
        if let Ok(handle) = answer {
            let system = self.current.get(slot).copied().flatten();
            self.handles.push((handle, system));
        }
    }

    async fn close(&mut self, host: &SimHost, about: usize) {
        let (handle, system) = self.handle(about);
        let answer = host.compute().close(handle).await;
        let wanted = match system {
            Some(_) => Expect::Works,
            None => Expect::Win32(6),
        };
        check(host, "close", &wanted, &answer, State::Closed);
        if let Some(known) = self.handles.iter_mut().find(|known| known.0 == handle) {
            known.1 = None;
        }
    }

    /// The service takes all handles with it; what runs goes on.
    async fn restart_service(&mut self, host: &SimHost) {
        let answer = host.control().restart_service("vmcompute").await;
        check(host, "restart", &Expect::Works, &answer, State::Running);
        self.handles.iter_mut().for_each(|handle| handle.1 = None);
    }

    async fn call(&mut self, host: &SimHost, call: Call, about: usize) {
        let (handle, index) = self.handle(about);
        let compute = host.compute();
        let answer = match call {
            Call::Start => compute.start(handle).await,
            Call::Shutdown => compute.shutdown(handle).await,
            Call::Terminate => compute.terminate(handle).await,
            Call::Pause => compute.pause(handle).await,
            Call::Resume => compute.resume(handle).await,
            Call::Save => compute.save(handle, SaveType::ToFile).await,
            Call::CreateProcess => compute
                .create_process(handle, &parameters())
                .await
                .map(drop),
            Call::OpenUnknownProcess => compute.open_process(handle, u32::MAX).await.map(drop),
            Call::Properties | Call::CreateSameId | Call::Open | Call::Modify => {
                compute.status(handle).await.map(drop)
            }
        };
        let Some(system) = index.and_then(|index| self.systems.get_mut(index)) else {
            check(
                host,
                &format!("{call:?}"),
                &Expect::Win32(6),
                &answer,
                State::Closed,
            );
            return;
        };
        let state = system.state;
        let isolated = matches!(call, Call::Pause | Call::Resume | Call::Save);
        let wanted = if system.slot == 0 && isolated && state != State::Stopped {
            Expect::Win32(0x32)
        } else if system.saved
            && state != State::Stopped
            && matches!(call, Call::Resume | Call::Save)
        {
            Expect::Hcs(&[0x0105])
        } else {
            expected(call, state)
        };
        check(host, &format!("{call:?}"), &wanted, &answer, state);
        if answer.is_ok() {
            match call {
                Call::Start | Call::Resume => system.state = State::Running,
                Call::Pause => system.state = State::Paused,
                Call::Save => system.saved = true,
                Call::Shutdown | Call::Terminate => {
                    system.state = State::Stopped;
                    let slot = system.slot;
                    if let Some(current) = self.current.get_mut(slot) {
                        *current = None;
                    }
                }
                _ => {}
            }
        }
    }

    /// One of the handles that were ever given out; one that never was if there is none.
    fn handle(&self, about: usize) -> (SystemHandle, Option<usize>) {
        let count = self.handles.len().max(1);
        let found = self.handles.get(about / IDS.len() % count);
        found.copied().unwrap_or((SystemHandle(u64::MAX), None))
    }

    fn state_of(&self, slot: usize) -> State {
        let system = self.current.get(slot).copied().flatten();
        system
            .and_then(|system| self.systems.get(system))
            .map_or(State::Absent, |system| system.state)
    }
}

/// What the matrix says.
fn expected(call: Call, state: State) -> Expect {
    rules()
        .iter()
        .filter_map(|rule| rule.row)
        .find(|row| row.call == call && row.state == state)
        .map(|row| row.expect)
        .expect("the matrix has a row for every call in every state")
}

#[track_caller]
fn check<T>(
    host: &SimHost,
    call: &str,
    expected: &Expect,
    answer: &Result<T, HostError>,
    state: State,
) {
    let plain = answer.as_ref().map(drop).map_err(Clone::clone);
    assert!(
        expected.fits(&plain, host.compute().api()),
        "{call} of a system that is {state:?}: expected {expected}, found {plain:?}"
    );
}

fn id(slot: usize) -> SystemId {
    SystemId(IDS.get(slot).copied().unwrap_or_default().to_owned())
}

fn scratch(slot: usize) -> HostPath {
    era::scratch_folder(20348, &id(slot).0)
}

fn image() -> HostPath {
    HostPath::parse(IMAGE).expect("it is a path")
}

fn parents() -> Vec<LayerDescriptor> {
    vec![LayerDescriptor {
        id: era::layer_id("CN=Microsoft_Fuzz_10.0.1.0"),
        path: image(),
    }]
}

fn parameters() -> ProcessParameters {
    ProcessParameters {
        command_line: "cmd /c ver".to_owned(),
        ..ProcessParameters::default()
    }
}

async fn document(host: &SimHost, slot: usize) -> CreateDocument {
    let hyperv = slot == 1;
    let layer = era::layer_id("CN=Microsoft_Fuzz_10.0.1.0");
    let volume = if hyperv {
        String::new()
    } else {
        let volume = host.layers().mount_path(&scratch(slot)).await;
        volume.expect("it is mounted")
    };
    let document = ContainerConfig {
        system_type: "Container".to_owned(),
        name: id(slot).0,
        volume_path: volume,
        layer_folder_path: scratch(slot).to_string(),
        layers: vec![Layer {
            id: layer.to_string(),
            path: IMAGE.to_owned(),
            ..Layer::default()
        }],
        hv_partition: hyperv,
        ..ContainerConfig::default()
    };
    match host.compute().api() {
        ComputeApi::V1 => CreateDocument::Schema1(document),
        // Version 2 of the surface takes no other schema, and there is no Hyper-V isolation without a virtual machine in it.
        ComputeApi::V2 => CreateDocument::Schema2(Box::new(document.to_schema2())),
    }
}

/// An image, and two scratch layers, one of them mounted.
async fn prepare(host: &SimHost) {
    let files = host.files();
    let new = WriteMode::CreateNew;
    let write = async |name: &str, bytes: &[u8]| {
        let path = image().join(name);
        let folder = path.parent().expect("it lies in the image");
        files.create_dir_all(&folder).await.expect("a fresh disk");
        files.write(&path, bytes, new).await.expect("a fresh disk");
    };
    for hive in ["DefaultUser", "Sam", "Security", "Software", "System"] {
        write(&format!(r"hives\{hive}_Base"), b"regf").await;
    }
    let version = b"BuildNumber=20348\r\nProductName=ServerDatacenter\r\n";
    write("version.wcx", version).await;
    write(r"files\Windows\System32\CExecSvc.exe", b"MZ").await;
    write(r"files\Windows\System32\cmd.exe", b"MZ").await;
    write(r"UtilityVM\Files\bootmgfw.efi", b"MZ").await;
    let layers = host.layers();
    layers
        .process_base(&image())
        .await
        .expect("the image is whole");
    for slot in 0..IDS.len() {
        layers
            .create_scratch(&scratch(slot), &parents())
            .await
            .expect("a fresh disk");
    }
    layers.activate(&scratch(0)).await.expect("nobody has it");
    layers
        .prepare(&scratch(0), &parents())
        .await
        .expect("it is activated");
}
