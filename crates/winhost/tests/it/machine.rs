//! This machine: Wine, or a Windows.

use std::sync::Barrier;

use wcow_host::ServiceState;
use wcow_ntmeta::Guid;
use wcow_winhost::machine;

#[test]
fn the_machine_says_what_it_is() {
    let info = machine::info().expect("the registry can be read");
    let key = windows_registry::LOCAL_MACHINE
        .open(r"SOFTWARE\Microsoft\Windows NT\CurrentVersion")
        .expect("every Windows has it");
    let registry = key.get_string("CurrentBuildNumber").expect("a number");
    assert_eq!(info.build.to_string(), registry);
    assert!(!info.name.is_empty() && info.product.contains("Windows"));
    assert_eq!(info.simulated, None);
}

/// Whoever asks, and however many at once: it is the same time between two starts.
#[test]
fn the_boot_id_is_the_same_for_all() {
    let start = Barrier::new(8);
    let ask = || {
        start.wait();
        machine::info().expect("the registry can be read").boot_id
    };
    let ids: Vec<Guid> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        let results = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        results.map(|id| id.expect("nobody panics")).collect()
    });
    assert_ne!(ids[0], Guid::NIL);
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[test]
fn services_are_asked_of_the_service_manager() {
    assert_eq!(machine::service("wcow-is-not-there"), Ok(None));
    // Wine and Windows both have this one.
    let known = machine::service("RpcSs").expect("it can be asked");
    assert!(known.is_some());
    let listed = machine::services().expect("they can be asked");
    for service in listed {
        assert_eq!(
            machine::service(&service.name),
            Ok(Some(service.state)),
            "{}",
            service.name
        );
        assert!(matches!(
            service.state,
            ServiceState::Running | ServiceState::Stopped
        ));
    }
}

#[test]
fn a_name_with_a_nul_is_an_error() {
    let error = machine::service("a\0b").expect_err("a NUL");
    assert!(error.hresult().is_some_and(|code| code.is_failure()));
}
