//! From facts to a description.

use wcow_host::{EditionClass, Machine};
use wcow_ntmeta::Guid;
use wcow_winhost::{Facts, describe, edition_class};

#[track_caller]
fn check_class(edition: &str, installation: Option<&str>, expected: EditionClass) {
    let found = edition_class(edition, installation);
    assert_eq!(found, expected, "{edition} {installation:?}");
}

#[test]
fn the_kind_of_an_installation() {
    check_class("ServerTuva", None, EditionClass::Nano);
    check_class("ServerDatacenterNano", Some("?"), EditionClass::Nano);
    check_class("ServerDatacenter", Some("Nano Server"), EditionClass::Nano);
    check_class("ServerDatacenter", Some("Server Core"), EditionClass::Core);
    check_class("ServerDatacenterCor", None, EditionClass::Core);
    check_class("ServerDatacenter", Some("Server"), EditionClass::Full);
    check_class("ServerStandard", None, EditionClass::Full);
    check_class("Professional", Some("Client"), EditionClass::Client);
    check_class("", None, EditionClass::Client);
}

fn facts(build: u32, product: &str, installation: &str) -> Facts {
    Facts {
        name: "HOST".to_owned(),
        build,
        revision: Some(1),
        edition: Some("X".to_owned()),
        installation: Some(installation.to_owned()),
        product: Some(product.to_owned()),
        version: None,
        is_guest: false,
        reboot_pending: false,
        boot_id: Guid::NIL,
    }
}

/// The registry of Windows 11 says Windows 10; a server of the same build is no Windows 11.
#[test]
fn the_name_of_the_product() {
    let product = |build, name, kind| describe(facts(build, name, kind)).product.to_string();
    assert_eq!(
        product(26_200, "Windows 10 Pro", "Client"),
        "Windows 11 Pro"
    );
    assert_eq!(
        product(19_045, "Windows 10 Pro", "Client"),
        "Windows 10 Pro"
    );
    assert_eq!(
        product(26_100, "Windows Server 2025 Datacenter", "Server"),
        "Windows Server 2025 Datacenter"
    );
    let with_version = describe(Facts {
        version: Some("22H2".to_owned()),
        ..facts(22_621, "Windows 10 Home", "Client")
    });
    assert_eq!(&*with_version.product, "Windows 11 Home 22H2");
}

#[test]
fn an_old_host_has_fewer_values() {
    let info = describe(Facts {
        revision: None,
        edition: None,
        installation: None,
        product: None,
        is_guest: true,
        ..facts(10_514, "", "")
    });
    assert_eq!((info.revision, info.machine), (0, Machine::Virtual));
    assert_eq!((&*info.product, &*info.edition), ("Windows", ""));
    assert_eq!(info.simulated, None);
}
