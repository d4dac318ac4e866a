//! Classic layers and `HNSCall` of vmcompute.dll, against the stand-in: what is passed, and what comes back.

use wcow_hcs::layers::{self, Parent};
use wcow_hcs::{Dll, network};
use wcow_ntmeta::{Guid, Hresult};

use crate::stand_in::StandIn;

fn id(last: u8) -> Guid {
    Guid::from_u128(0xbd9c3ef9_f239_59b5_a27e_15c523b1d100 | u128::from(last))
}

/// The stand-in looks at every member of the list, as a C compiler lays it out.
#[test]
fn parents_are_passed_in_order() {
    let Some(stand_in) = StandIn::find(Dll::VmCompute) else {
        return;
    };
    let mut parents = [
        Parent {
            id: id(1),
            path: r"C:\top",
        },
        Parent {
            id: id(2),
            path: r"C:\base",
        },
    ];
    assert_eq!(layers::create_scratch(r"C:\scratch", &parents), Ok(()));
    parents.swap(0, 1);
    let code = |result: Result<(), wcow_hcs::Error>| result.map_err(|error| error.code);
    assert_eq!(
        code(layers::create_scratch(r"C:\scratch", &parents)),
        Err(Hresult(0x8007_0057))
    );
    parents.swap(0, 1);
    parents[1].path = r"C:\missing";
    assert_eq!(
        code(layers::create_scratch(r"C:\scratch", &parents)),
        Err(Hresult(0x8007_0003))
    );
    stand_in.assert_nothing_is_left();
}

#[test]
fn answers_come_back_whole() {
    let Some(stand_in) = StandIn::find(Dll::VmCompute) else {
        return;
    };
    assert_eq!(layers::name_to_guid("abc"), Ok(id(3)));
    assert_eq!(layers::exists(r"C:\x"), Ok(true));
    assert_eq!(layers::exists(r"C:\missing"), Ok(false));
    assert_eq!(
        layers::mount_path(r"C:\x").as_deref(),
        Ok(r"\\?\Volume{bd9c3ef9-f239-59b5-a27e-15c523b1d149}")
    );
    stand_in.assert_nothing_is_left();
}

/// The length comes from the DLL; nothing of that size is taken.
#[test]
fn a_length_without_end_is_refused() {
    let Some(_stand_in) = StandIn::find(Dll::VmCompute) else {
        return;
    };
    let error = layers::mount_path(r"C:\endless").expect_err("too long");
    assert_eq!(
        (error.call, error.code),
        ("GetLayerMountPath", Hresult(0x8007_00CE))
    );
}

/// The stand-in has no `GetBaseImages`, as no later host has.
#[test]
fn a_function_of_another_era_is_an_error() {
    let Some(_stand_in) = StandIn::find(Dll::VmCompute) else {
        return;
    };
    let error = layers::base_images().expect_err("not there");
    assert_eq!(
        (error.call, error.code, error.is_missing()),
        ("GetBaseImages", Hresult(0x8007_007F), true)
    );
}

#[test]
fn the_network_service_is_asked_with_texts() {
    let Some(stand_in) = StandIn::find(Dll::VmCompute) else {
        return;
    };
    assert_eq!(
        network::hns_call("GET", "/globals/version", "").as_deref(),
        Ok("/globals/version")
    );
    let error = network::hns_call("POST", "/networks/", "{}").expect_err("no service");
    assert_eq!((error.call, error.code), ("HNSCall", Hresult(0x8007_0426)));
    stand_in.assert_nothing_is_left();
}
