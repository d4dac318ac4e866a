//! Classic layers and `HNSCall` of vmcompute.dll, and the layers of computestorage.dll.

use std::ptr::null_mut;

use serde_json::{Value, json};
use wcow_sim_dll::abi::GUID;
use wcow_sim_dll::control::WcowSimCounters;
use wcow_sim_dll::storage;
use wcow_sim_dll::v1::{hns::HNSCall, layers};

use crate::program::{
    BAD_HANDLE, Scratch, Wide, alone, assert_nothing_is_left, counters, driver, take,
};

#[test]
fn layers_are_made_and_removed() {
    let _alone = alone();
    let before = counters();
    let scratch = Scratch::new("layer-life");
    assert!(
        scratch.volume().starts_with(r"\\?\Volume{"),
        "{}",
        scratch.volume()
    );
    let (path, driver, mut there) = (Wide::new(&scratch.path), driver(), 0_u32);
    let mut id = GUID::default();
    let name = Wide::new("layer-life");
    let mut short = 3_usize;
    let mut buffer = [0_u16; 3];
    // SAFETY: texts end with a NUL, places can be written.
    unsafe {
        assert_eq!(
            layers::LayerExists(&raw const driver, path.get(), &raw mut there),
            0
        );
        assert_eq!(there, 1);
        let code = layers::GetLayerMountPath(
            &raw const driver,
            path.get(),
            &raw mut short,
            buffer.as_mut_ptr(),
        );
        assert_eq!((code, buffer), (0x8007_007A_u32 as i32, [0; 3]));
        assert!(short > 3);
        // It is mounted.
        assert!(layers::DestroyLayer(&raw const driver, path.get()) < 0);
        assert_eq!(layers::NameToGuid(name.get(), &raw mut id), 0);
    }
    let told = wcow_ntmeta::Guid::from(id);
    assert_eq!(told, wcow_host::era::layer_id("layer-life"));
    assert_eq!(GUID::from(told), id);
    let gone = Wide::new(&scratch.path);
    scratch.remove();
    // SAFETY: as above.
    unsafe {
        assert_eq!(
            layers::LayerExists(&raw const driver, gone.get(), &raw mut there),
            0
        );
        assert_eq!(there, 0);
        // The second generation sees the same folders.
        assert!(storage::HcsDestroyLayer(gone.get()) < 0);
    }
    assert_nothing_is_left(before);
}

#[test]
fn a_volume_gets_its_parents_through_the_second_generation() {
    let _alone = alone();
    let before = counters();
    let scratch = Scratch::new("layer-filter");
    let (path, volume, driver) = (
        Wide::new(&scratch.path),
        Wide::new(&scratch.volume()),
        driver(),
    );
    let data = Wide::new(&scratch.layer_data());
    let empty = Wide::new(r#"{"SchemaVersion":{"Major":2,"Minor":1},"Layers":[]}"#);
    let (broken, nowhere) = (Wide::new("{"), Wide::new(r"\\?\Volume{0}"));
    let (container, vm) = (
        Wide::new(r#"{"Type":"Container"}"#),
        Wide::new(r#"{"Type":"Vm"}"#),
    );
    let mut text = null_mut();
    let code = |number: u32| number as i32;
    // SAFETY: texts end with a NUL, places can be written; handles are numbers here.
    unsafe {
        // It was mounted through the first generation.
        assert_eq!(storage::HcsDetachLayerStorageFilter(volume.get()), 0);
        assert_eq!(
            storage::HcsDetachLayerStorageFilter(volume.get()),
            code(0x8007_0037)
        );
        for (volume, data, expected) in [
            (&nowhere, &data, 0x8007_0003),
            (&volume, &broken, 0x8007_0003),
            (&volume, &empty, 0x8007_0003),
            (&volume, &data, 0),
        ] {
            let told =
                storage::HcsInitializeWritableLayer(volume.get(), data.get(), std::ptr::null());
            assert_eq!(told, code(expected));
        }
        assert_eq!(
            storage::HcsAttachLayerStorageFilter(nowhere.get(), data.get()),
            code(0x8007_0003)
        );
        assert_eq!(
            storage::HcsAttachLayerStorageFilter(volume.get(), data.get()),
            0
        );
        assert!(layers::DestroyLayer(&raw const driver, path.get()) < 0);
        assert_eq!(storage::HcsDetachOverlayFilter(volume.get(), data.get()), 0);
        assert_eq!(storage::HcsAttachOverlayFilter(volume.get(), data.get()), 0);
        // There are no virtual disks.
        let disk = std::ptr::dangling_mut::<u64>().cast();
        for refused in [
            storage::HcsFormatWritableLayerVhd(disk),
            storage::HcsGetLayerVhdMountPath(disk, &raw mut text),
            storage::HcsSetupBaseOSLayer(path.get(), disk, container.get()),
            storage::HcsSetupBaseOSLayer(path.get(), null_mut(), vm.get()),
        ] {
            assert_eq!(refused, BAD_HANDLE);
        }
        // A scratch layer is no folder with files and hives.
        assert_eq!(
            storage::HcsSetupBaseOSLayer(path.get(), null_mut(), container.get()),
            code(0x8007_0003)
        );
    }
    scratch.remove();
    let before = WcowSimCounters {
        bad_handles: before.bad_handles + 4,
        ..before
    };
    assert_nothing_is_left(before);
}

#[track_caller]
fn hns(method: &str, path: &str, request: &str) -> (i32, Value) {
    let (method, path, request) = (Wide::new(method), Wide::new(path), Wide::new(request));
    let mut response = null_mut();
    // SAFETY: texts end with a NUL, the place can be written.
    let code = unsafe { HNSCall(method.get(), path.get(), request.get(), &raw mut response) };
    let text = take(response).expect("an answer");
    (code, serde_json::from_str(&text).expect("JSON"))
}

#[test]
fn networks_are_made_by_texts() {
    let _alone = alone();
    let before = counters();
    let wanted = json!({
        "Name": "texts", "Type": "nat",
        "Subnets": [{ "AddressPrefix": "172.29.0.0/16", "GatewayAddress": "172.29.0.1" }],
    });
    let (code, made) = hns("POST", "/networks/", &wanted.to_string());
    assert_eq!((code, &made["Success"]), (0, &Value::from(true)), "{made}");
    let id = made["Output"]["ID"].as_str().expect("an id").to_owned();
    let (_, one) = hns("GET", &format!("/networks/{id}"), "");
    assert_eq!(one["Output"]["Name"], "texts");
    let (_, all) = hns("GET", "/networks/", "");
    assert!(
        all["Output"]
            .as_array()
            .expect("a list")
            .contains(&one["Output"])
    );
    let wanted = json!({ "VirtualNetwork": id, "Name": "end" });
    let (code, made) = hns("POST", "/endpoints/", &wanted.to_string());
    assert_eq!(code, 0, "{made}");
    let endpoint = made["Output"]["ID"].as_str().expect("an id").to_owned();
    assert_eq!(hns("DELETE", &format!("/endpoints/{endpoint}"), "").0, 0);
    assert_eq!(hns("DELETE", &format!("/networks/{id}"), "").0, 0);
    let (code, gone) = hns("GET", &format!("/networks/{id}"), "");
    assert_eq!(
        (code, &gone["Success"]),
        (0x8007_0490_u32 as i32, &Value::from(false))
    );
    let (code, _) = hns("POST", "/networks/", "{");
    assert_eq!(code, 0x803B_001B_u32 as i32);
    let (code, _) = hns("GET", "/plugins/", "");
    assert_eq!(code, 0x8007_0032_u32 as i32);
    assert_eq!(hns("GET", "/globals/version", "").1["Output"]["Major"], 13);
    assert_nothing_is_left(before);
}
