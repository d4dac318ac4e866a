//! The rules of each Windows generation, as `wcow_host::era` has them.

use wcow_host::{EditionClass, Feature, Package};

pub(super) fn has_hns(build: u32) -> bool {
    build >= 14300
}

pub(super) fn modules(
    _class: EditionClass,
    _build: u32,
    _packages: &[Package],
    _features: &[Feature],
) -> Vec<String> {
    Vec::new()
}
