//! Schema 1: containers and processes, as `vmcompute.dll` takes them from Windows Server 2016 on.
//!
//! What differs between the two kinds of isolation:
//!
//! | field | process | Hyper-V |
//! |---|---|---|
//! | `hv_partition` | false | true |
//! | `volume_path` | the mounted scratch volume, without a trailing backslash | empty |
//! | `layer_folder_path` | the folder of the scratch layer | the same |
//! | `layers` | the read-only layers; the id comes from the name of the folder | the same |
//! | `hv_runtime` | absent | the folder `UtilityVM` of the uppermost layer that has one |

mod container;
mod convert;
mod modify;
mod process;
mod properties;

pub use container::*;
pub use modify::*;
pub use process::*;
pub use properties::*;

/// Whether the `SystemType` of a document is that of containers: services take it in any case.
#[must_use]
pub fn is_container(system_type: &str) -> bool {
    system_type.eq_ignore_ascii_case("Container")
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
