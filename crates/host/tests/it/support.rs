//! Hosts and images to test with.

use wcow_host::era::ImageFacts;
use wcow_host::{EditionClass, Feature, FeatureState, HostInfo, Machine, Package};
use wcow_ntmeta::Guid;

pub(crate) fn host(build: u32, class: EditionClass, edition: &str) -> HostInfo {
    HostInfo {
        name: "HOST".into(),
        build,
        revision: 0,
        class,
        edition: edition.into(),
        product: "Windows".into(),
        machine: Machine::Virtual,
        boot_id: Guid::NIL,
        reboot_pending: false,
        simulated: None,
    }
}

pub(crate) fn nano_tp3() -> HostInfo {
    host(10514, EditionClass::Nano, "ServerTuva")
}

pub(crate) fn core(build: u32) -> HostInfo {
    host(build, EditionClass::Core, "ServerDatacenter")
}

pub(crate) fn image(build: u32, product_name: &str) -> ImageFacts {
    ImageFacts {
        build,
        revision: 0,
        product_name: product_name.to_owned(),
        container_service: true,
    }
}

pub(crate) fn packages(names: &[&str]) -> Vec<Package> {
    let package = |name: &&str| Package {
        name: (*name).to_owned(),
        reboot_pending: false,
    };
    names.iter().map(package).collect()
}

pub(crate) fn features(names: &[&str], state: FeatureState) -> Vec<Feature> {
    let feature = |name: &&str| Feature {
        name: (*name).to_owned(),
        state,
    };
    names.iter().map(feature).collect()
}
