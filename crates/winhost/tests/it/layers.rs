//! Layers and networks of the stand-in for vmcompute.dll.

use std::thread;

use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork};
use wcow_host::codes::{self, hcn, win32};
use wcow_host::{
    HostError, HostInfo, LayerDescriptor, LayerStorage, NetworkService, Retry, failures,
};
use wcow_ntmeta::{Guid, HostPath, Hresult, WideName};
use wcow_winhost::layers::WinLayers;
use wcow_winhost::network::WinNetwork;
use wcow_winhost::{CallLimits, block_on, machine};

use crate::stand_in::{BUILD, StandIns};

const KNOWN: Guid = Guid::from_u128(0xbd9c_3ef9_f239_59b5_a27e_15c5_23b1_d149);

fn path(text: &str) -> HostPath {
    HostPath::parse(text).expect("a path")
}

/// Two parents, with the ids that the stand-in expects.
fn parents() -> Vec<LayerDescriptor> {
    let parent = |number: u128| LayerDescriptor {
        id: Guid::from_u128(0xbd9c_3ef9_f239_59b5_a27e_15c5_23b1_d100 | number),
        path: path(r"C:\parent"),
    };
    vec![parent(1), parent(2)]
}

#[track_caller]
fn check<T: std::fmt::Debug>(answer: Result<T, HostError>, code: Hresult) {
    let error = answer.expect_err("it is refused");
    assert_eq!(error.hresult(), Some(code), "{error}");
}

#[test]
fn a_scratch_layer_is_made_mounted_and_taken_away() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    let layers = WinLayers::new(CallLimits::default());
    let scratch = path(r"C:\scratch");
    block_on(async {
        let parents = parents();
        assert_eq!(layers.create_scratch(&scratch, &parents).await, Ok(()));
        assert_eq!(layers.expand(&scratch, 0x1_2345_6789).await, Ok(()));
        assert_eq!(layers.activate(&scratch).await, Ok(()));
        assert_eq!(layers.prepare(&scratch, &parents).await, Ok(()));
        let volume = layers.mount_path(&scratch).await.expect("it is mounted");
        assert_eq!(volume, format!(r"\\?\Volume{{{KNOWN}}}"));
        assert_eq!(layers.unprepare(&scratch).await, Ok(()));
        assert_eq!(layers.deactivate(&scratch).await, Ok(()));
        let folder = path(r"C:\folder");
        let imported = layers.import(&scratch, &folder, &parents).await;
        assert_eq!(imported, Ok(()));
        let exported = layers.export(&scratch, &folder, &parents).await;
        assert_eq!(exported, Ok(()));
        assert_eq!(layers.exists(&scratch).await, Ok(true));
        assert_eq!(layers.exists(&path(r"C:\missing")).await, Ok(false));
        assert_eq!(layers.process_base(&scratch).await, Ok(()));
        assert_eq!(layers.destroy(&scratch).await, Ok(()));
    });
    stand_ins.assert_nothing_is_left();
}

#[test]
fn layers_are_refused_by_the_codes_of_the_host() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    let layers = WinLayers::new(CallLimits::default());
    block_on(async {
        // Not elevated.
        let denied = layers.activate(&path(r"C:\denied")).await;
        check(denied, win32::PRIVILEGE_NOT_HELD);
        let busy = layers.destroy(&path(r"C:\busy")).await;
        check(busy, win32::SHARING_VIOLATION);
        let missing = layers.process_base(&path(r"C:\missing")).await;
        check(missing, win32::PATH_NOT_FOUND);
        let none = layers.prepare(&path(r"C:\scratch"), &[]).await;
        check(none, win32::INVALID_PARAMETER);
        // The stand-in has no such functions.
        let vm = layers.process_utility_vm(&path(r"C:\vm")).await;
        check(vm, win32::PROC_NOT_FOUND);
        check(layers.base_images().await, win32::PROC_NOT_FOUND);
        // Half of a surrogate pair is no text that could be passed on.
        let mut half = path(r"C:\");
        let name = WideName::from_units(vec![0xD800]);
        half.push(name.units()).expect("a component");
        check(layers.activate(&half).await, win32::INVALID_NAME);
    });
    stand_ins.assert_nothing_is_left();
}

/// The stand-in refuses the second of two at once, as build 17763 does.
#[test]
fn layers_are_prepared_one_after_the_other() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    let layers = WinLayers::new(CallLimits::default());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let prepared = block_on(layers.prepare(&path(r"C:\scratch"), &parents()));
                    assert_eq!(prepared, Ok(()));
                }
            });
        }
    });
    stand_ins.assert_nothing_is_left();
}

#[test]
fn networks_are_asked_for_and_refusals_are_read() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    let service = WinNetwork::new(CallLimits::default());
    let network = |name: &str| HnsNetwork {
        name: name.to_owned(),
        kind: "nat".to_owned(),
        ..HnsNetwork::default()
    };
    let endpoint = |network: Guid| HnsEndpoint {
        virtual_network: network.to_string(),
        ..HnsEndpoint::default()
    };
    block_on(async {
        let networks = service.networks().await.expect("they are listed");
        assert_eq!((networks.len(), &*networks[0].kind), (1, "nat"));
        assert_eq!(service.endpoints().await, Ok(Vec::new()));
        let made = service.create_network(&network("nat")).await;
        assert_eq!(made.map(|made| made.name), Ok("nat".to_owned()));
        let taken = service.create_network(&network("taken")).await;
        let taken = taken.expect_err("the name is taken");
        assert_eq!(taken.hresult(), Some(hcn::NETWORK_ALREADY_EXISTS));
        assert!(
            taken
                .document
                .is_some_and(|text| text.contains("ErrorCode"))
        );
        // Refusals without a code.
        let nil = Guid::NIL;
        check(service.delete_network(nil).await, win32::NOT_FOUND);
        check(service.delete_network(KNOWN).await, codes::FAIL);
        check(service.delete_endpoint(KNOWN).await, win32::NOT_FOUND);
        let nowhere = service.create_endpoint(&endpoint(nil)).await;
        check(nowhere, hcn::NETWORK_NOT_FOUND);
        check(service.create_endpoint(&endpoint(KNOWN)).await, codes::FAIL);
    });
    stand_ins.assert_nothing_is_left();
}

/// The DLL is there, and the Host Network Service is not, not yet, or not any more. The call goes through, the answer is a code.
#[test]
fn a_network_service_that_does_not_run_is_told_from_one_that_is_missing() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    let service = WinNetwork::new(CallLimits::default());
    let host = HostInfo {
        build: BUILD,
        ..machine::info().expect("it can be read")
    };
    for (name, code, retry, may_have_happened) in [
        ("stopped", win32::SERVICE_NOT_ACTIVE, Retry::No, false),
        (
            "starting",
            win32::RPC_S_SERVER_UNAVAILABLE,
            Retry::Soon,
            false,
        ),
        ("restarted", win32::RPC_S_CALL_FAILED, Retry::Soon, true),
    ] {
        let network = HnsNetwork {
            name: name.to_owned(),
            ..HnsNetwork::default()
        };
        let endpoint = HnsEndpoint {
            name: name.to_owned(),
            ..HnsEndpoint::default()
        };
        let of_network = block_on(service.create_network(&network)).map(drop);
        let of_endpoint = block_on(service.create_endpoint(&endpoint)).map(drop);
        for answer in [of_network, of_endpoint] {
            let error = answer.expect_err("nobody answers");
            assert_eq!((error.hresult(), error.retry), (Some(code), retry));
            assert_eq!(error.is_ambiguous(), may_have_happened, "{error}");
            let known = failures::candidates(&error, &host);
            let first = known.first().map(|failure| failure.id.0);
            assert_eq!(first, Some("hns-stopped"), "{error}");
        }
    }
    stand_ins.assert_nothing_is_left();
}
