//! What an install makes, and what it refuses.

use wcow_host::{Code, FileKind, FileSystem, Host};
use wcow_image_store::{ImageStore, ImageVersion, InstallError, InstallRequest, StoreError};
use wcow_sim::{Profile, Sim};
use wcow_tree::memory::MemoryTree;
use wcow_tree::{Entry, SendError, SinkError, StreamEnd, StreamRef, TreeSink, TreeSource};

use crate::support::*;

#[test]
fn the_layout_is_the_one_of_technical_preview_3() {
    let (sim, host) = with_image();
    let names = folder(&sim, &host, FULL_NAME);
    for name in ["files", "hives", "metadata.json", "version.wcx"] {
        assert!(
            names.contains(&name.to_owned()),
            "{name} is missing in {names:?}"
        );
    }
    let hives = folder(&sim, &host, &format!(r"{FULL_NAME}\hives"));
    for name in [
        "DefaultUser_Base",
        "Sam_Base",
        "Security_Base",
        "Software_Base",
        "System_Base",
    ] {
        assert!(
            hives.contains(&name.to_owned()),
            "{name} is missing in {hives:?}"
        );
    }
    assert_eq!(
        read(&sim, &host, &format!(r"{FULL_NAME}\hives\Software_Base")),
        hive("SOFTWARE")
    );
    assert_eq!(
        folder(&sim, &host, &format!(r"{FULL_NAME}\files")),
        ["PerfLogs", "Program Files", "Users", "Windows"]
    );
    assert_eq!(
        String::from_utf8(read(&sim, &host, &format!(r"{FULL_NAME}\version.wcx"))).unwrap(),
        "BuildNumber=10514\r\nProductName=ServerDatacenter\r\n"
    );
    assert!(folder(&sim, &host, ".staging").is_empty());
}

#[test]
fn the_metadata_has_the_keys_of_the_time_in_their_order() {
    let (sim, host) = with_image();
    let text =
        String::from_utf8(read(&sim, &host, &format!(r"{FULL_NAME}\metadata.json"))).unwrap();
    let (time, rest) = text
        .strip_prefix("{\"CreatedTime\":\"")
        .unwrap()
        .split_once('"')
        .unwrap();
    assert_eq!(time.len(), "2015-08-14T15:51:55.0510000Z".len(), "{time}");
    assert!(
        rest.starts_with(
            ",\"Size\":9696754476,\"Path\":\"C:\\\\ProgramData\\\\Microsoft\\\\Windows\\\\Images\\\\\
             CN=Microsoft_WindowsServerCore_10.0.10514.0\",\"Name\":\"WindowsServerCore\",\
             \"Version\":\"10.0.10514.0\",\"Wcow\":{\"Format\":1,"
        ),
        "{rest}"
    );
}

#[test]
fn an_installed_image_is_listed_inspected_and_sound() {
    let (sim, host) = with_image();
    let store = ImageStore::open_read_only(&host);
    let found = sim.block_on(store.list()).unwrap();
    assert_eq!(names(&found), [FULL_NAME]);
    assert!(found.damaged.is_empty());
    let facts = found.images[0].facts();
    assert_eq!((facts.build, facts.revision), (10514, 0));
    assert_eq!(facts.product_name, "ServerDatacenter");
    assert!(facts.container_service);

    let details = sim.block_on(store.inspect("windowsservercore")).unwrap();
    assert_eq!(details.image, found.images[0]);
    assert_eq!(details.format, Some(1));
    assert_eq!(
        details.description,
        "Windows Server 2016 Technical Preview 3"
    );
    assert_eq!(details.tree.unwrap().files, 8);
    assert!(
        details
            .layout
            .iter()
            .any(|entry| entry.path == "files" && entry.kind == FileKind::Directory)
    );
    for hive in &details.hives {
        assert_eq!(hive.sha256.as_ref().unwrap().len(), 64, "{}", hive.name);
        assert!(hive.len.unwrap() > 4096, "{}", hive.name);
    }
    assert_eq!(sim.block_on(store.test(FULL_NAME)).unwrap(), []);
}

#[test]
fn an_image_without_the_container_service_installs_and_says_so() {
    let sim = core();
    let host = sim.client();
    let installed = sim
        .block_on(install(&host, &request(), &mut image_without("")))
        .unwrap();
    assert!(!installed.container_service);
    let listed = sim.block_on(list(&host)).unwrap();
    assert_eq!(listed.images, [installed]);
    assert_eq!(
        sim.block_on(ImageStore::open_read_only(&host).test(FULL_NAME))
            .unwrap(),
        []
    );
}

#[test]
fn a_missing_hive_is_refused_by_its_name() {
    for missing in HIVES {
        let error = refused(&request(), image_without(missing));
        let InstallError::MissingHive { name, path } = error else {
            panic!("{error}")
        };
        assert_eq!(name, missing);
        assert_eq!(path, format!(r"Windows\System32\config\{missing}"));
    }
}

#[test]
fn a_damaged_hive_is_refused_by_its_name() {
    for bytes in [b"regf but not for long".to_vec(), Vec::new(), vec![0; 8192]] {
        let tree = image().file(r"Windows\System32\config\SYSTEM", bytes);
        let error = refused(&request(), tree);
        assert!(
            matches!(error, InstallError::BadHive { name: "SYSTEM", .. }),
            "{error}"
        );
        assert_eq!(error.exit_code(), 6);
    }
}

#[test]
fn damaged_contents_are_refused_with_their_path() {
    let sim = core();
    let host = sim.client();
    let answer = sim.block_on(async {
        let store = ImageStore::open(&host).await.unwrap();
        store.install(&request(), &mut Damaging(image())).await
    });
    let error = answer.unwrap_err();
    let InstallError::DamagedStreams { count, first } = &error else {
        panic!("{error}")
    };
    assert_eq!(*count, 8);
    assert!(first.contains('\\'), "{first}");
    assert_eq!(error.exit_code(), 6);
    assert!(sim.block_on(list(&host)).unwrap().images.is_empty());
}

#[test]
fn names_that_no_folder_can_have_are_refused() {
    let long = "x".repeat(181);
    for name in [
        "",
        " ",
        "a/b",
        r"a\b",
        "a:b",
        "a*",
        "a\0",
        "..\\..\\x",
        " a",
        "a ",
        "\u{7}",
        &long,
    ] {
        let request = InstallRequest {
            name: name.to_owned(),
            ..request()
        };
        let error = refused(&request, image());
        assert!(
            matches!(error, InstallError::BadName { .. }),
            "{name:?}: {error}"
        );
        assert_eq!(error.exit_code(), 2);
    }
    for product_name in ["", "Server\r\nBuildNumber=1", "S\u{e9}rver"] {
        let request = InstallRequest {
            product_name: product_name.to_owned(),
            ..request()
        };
        assert!(
            matches!(
                refused(&request, image()),
                InstallError::BadProductName { .. }
            ),
            "{product_name:?}"
        );
    }
}

#[test]
fn the_names_of_the_field_report_are_accepted() {
    let sim = core();
    let host = sim.client();
    for name in [
        "CORESYSTEMSERVER_INSTALL",
        "Windows Server 2012 R2 SERVERSTANDARDCORE",
        "WindowsServerCore",
    ] {
        let request = InstallRequest {
            name: name.to_owned(),
            ..request()
        };
        sim.block_on(install(&host, &request, &mut image()))
            .unwrap();
    }
    let list = sim.block_on(list(&host)).unwrap();
    assert_eq!(
        names(&list),
        [
            "CN=Microsoft_CORESYSTEMSERVER_INSTALL_10.0.10514.0",
            "CN=Microsoft_Windows Server 2012 R2 SERVERSTANDARDCORE_10.0.10514.0",
            "CN=Microsoft_WindowsServerCore_10.0.10514.0",
        ]
    );
}

#[test]
fn an_image_that_exists_is_a_conflict_and_stays() {
    let (sim, host) = with_image();
    let before = read(&sim, &host, &format!(r"{FULL_NAME}\metadata.json"));
    for name in ["WindowsServerCore", "WINDOWSSERVERCORE"] {
        let request = InstallRequest {
            name: name.to_owned(),
            ..request()
        };
        let error = sim
            .block_on(install(&host, &request, &mut image()))
            .unwrap_err();
        assert!(
            matches!(error, InstallError::AlreadyExists { .. }),
            "{error}"
        );
        assert_eq!(error.exit_code(), 4);
    }
    assert_eq!(
        read(&sim, &host, &format!(r"{FULL_NAME}\metadata.json")),
        before
    );
}

#[test]
fn a_host_without_the_container_package_refuses_and_nothing_stays() {
    let sim = Sim::new(Profile::nano_tp3().without_packages(), 0);
    let host = sim.client();
    let error = sim
        .block_on(install(&host, &request(), &mut image()))
        .unwrap_err();
    let code = &error.host_error().expect("the host refused").code;
    assert!(matches!(code, Code::PowerShell(_) | Code::Hresult(_)));
    assert!(sim.block_on(list(&host)).unwrap().images.is_empty());
    assert!(folder(&sim, &host, ".staging").is_empty());
}

#[test]
fn a_full_disk_at_any_point_leaves_nothing() {
    let mut installed = false;
    let mut free = 0;
    while !installed {
        let sim = Sim::new(
            Profile {
                free_bytes: free,
                ..Profile::core_tp3()
            },
            0,
        );
        let host = sim.client();
        match sim.block_on(install(&host, &request(), &mut image())) {
            Ok(_) => installed = true,
            Err(error) => {
                let host_error = error
                    .host_error()
                    .unwrap_or_else(|| panic!("{free} bytes free: {error}"));
                assert!(host_error.is_win32(0x70), "{free} bytes free: {host_error}");
                assert!(
                    sim.block_on(list(&host)).unwrap().images.is_empty(),
                    "{free} bytes free"
                );
                assert!(
                    folder(&sim, &host, ".staging").is_empty(),
                    "{free} bytes free"
                );
            }
        }
        // Small steps where small files are written, and ever larger ones where the host makes virtual disks.
        free += 1024 + free / 16;
    }
}

#[test]
fn a_store_opened_for_reading_installs_and_removes_nothing() {
    let (sim, host) = with_image();
    let store = ImageStore::open_read_only(&host);
    let error = sim
        .block_on(store.install(&request(), &mut image()))
        .unwrap_err();
    assert!(
        matches!(error, InstallError::Store(StoreError::ReadOnly)),
        "{error}"
    );
    let error = sim.block_on(store.remove(FULL_NAME)).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly), "{error}");
}

#[test]
fn a_reader_never_sees_an_install_before_its_end() {
    let sim = core();
    let (writer, reader) = (sim.client(), sim.client());
    let looks = sim.block_on(async {
        let store = ImageStore::open(&writer).await.unwrap();
        let request = request();
        let mut tree = image();
        let mut install = Box::pin(store.install(&request, &mut tree));
        let mut looks = Vec::new();
        let done = loop {
            let look = list(&reader);
            let (progress, seen) = both(install.as_mut(), look).await;
            looks.push(seen.unwrap());
            if let Some(done) = progress {
                break done;
            }
        };
        done.unwrap();
        looks.push(list(&reader).await.unwrap());
        looks
    });
    assert!(looks.len() > 3, "the reader looked {} times", looks.len());
    for look in &looks {
        assert!(look.damaged.is_empty());
        assert!(look.images.is_empty() || names(look) == [FULL_NAME]);
    }
    assert_eq!(names(looks.last().unwrap()), [FULL_NAME]);
}

#[test]
fn versions_are_four_numbers() {
    let version: ImageVersion = "10.0.10514.0".parse().unwrap();
    assert_eq!(
        version,
        ImageVersion {
            major: 10,
            minor: 0,
            build: 10514,
            revision: 0
        }
    );
    assert_eq!(version.to_string(), "10.0.10514.0");
    for text in [
        "",
        "10",
        "10.0.10514",
        "10.0.10514.0.0",
        "10.0.-1.0",
        "10.0.+1.0",
        "10.0.x.0",
        "10.0..0",
        "10.0.4294967296.0",
    ] {
        assert!(text.parse::<ImageVersion>().is_err(), "{text:?}");
    }
}

#[test]
fn futures_of_the_store_can_move_between_threads() {
    fn check<T: Send>(_: &T) {}
    let sim = core();
    let host = sim.client();
    let store = ImageStore::open_read_only(&host);
    let (request, mut tree) = (request(), image());
    check(&store.install(&request, &mut tree));
    check(&store.remove(FULL_NAME));
    check(&store.test(FULL_NAME));
    check(&ImageStore::open(&host));
}

/// Drives the second future to its end, and the first as far as it gets meanwhile.
async fn both<A, B>(
    mut first: std::pin::Pin<&mut impl Future<Output = A>>,
    second: impl Future<Output = B>,
) -> (Option<A>, B) {
    let mut second = std::pin::pin!(second);
    let mut done = None;
    std::future::poll_fn(|context| {
        if done.is_none()
            && let std::task::Poll::Ready(value) = first.as_mut().poll(context)
        {
            done = Some(value);
        }
        second
            .as_mut()
            .poll(context)
            .map(|value| (done.take(), value))
    })
    .await
}

#[track_caller]
fn refused(request: &InstallRequest, mut tree: MemoryTree) -> InstallError {
    let sim = core();
    let host = sim.client();
    let error = sim
        .block_on(install(&host, request, &mut tree))
        .unwrap_err();
    assert!(
        sim.block_on(list(&host)).unwrap().images.is_empty(),
        "something is listed"
    );
    assert!(
        folder(&sim, &host, ".staging").is_empty(),
        "something is left in .staging"
    );
    assert!(
        sim.block_on(host.files().metadata(&at("store.lock")))
            .unwrap()
            .is_some()
    );
    error
}

/// Ends every stream as damaged.
struct Damaging(MemoryTree);

impl TreeSource for Damaging {
    fn send(&mut self, sink: &mut dyn TreeSink) -> Result<(), SendError> {
        self.0.send(&mut DamagingSink(sink))
    }
}

struct DamagingSink<'a>(&'a mut dyn TreeSink);

impl TreeSink for DamagingSink<'_> {
    fn entry(&mut self, entry: &Entry) -> Result<(), SinkError> {
        self.0.entry(entry)
    }

    fn open_stream(&mut self, stream: StreamRef) -> Result<bool, SinkError> {
        self.0.open_stream(stream)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        self.0.write(bytes)
    }

    fn close_stream(&mut self, _: StreamEnd) -> Result<(), SinkError> {
        self.0.close_stream(StreamEnd::Damaged)
    }
}
