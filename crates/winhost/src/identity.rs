//! What a machine is, from what its registry says.

use wcow_host::{EditionClass, HostInfo, Machine};
use wcow_ntmeta::Guid;

/// The first build that is called Windows 11; the registry's ProductName goes on saying Windows 10.
const FIRST_WINDOWS_11: u32 = 22_000;

/// What was read. A value that is not there is none; old hosts have fewer of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The computer's name.
    pub name: String,
    /// The build, as `RtlGetVersion` says it: no manifest and no compatibility mode changes that.
    pub build: u32,
    /// `UBR`: the update build revision.
    pub revision: Option<u32>,
    /// `EditionID`.
    pub edition: Option<String>,
    /// `InstallationType`: `Client`, `Server`, `Server Core`, `Nano Server`.
    pub installation: Option<String>,
    /// `ProductName`.
    pub product: Option<String>,
    /// `DisplayVersion`, for example `22H2`.
    pub version: Option<String>,
    /// Whether the key is there that Hyper-V keeps in its guests.
    pub is_guest: bool,
    /// Whether something waits for a restart.
    pub reboot_pending: bool,
    /// A value that was drawn since the machine was started last.
    pub boot_id: Guid,
}

/// What follows from the facts.
pub fn describe(facts: Facts) -> HostInfo {
    let edition = facts.edition.unwrap_or_default();
    let class = edition_class(&edition, facts.installation.as_deref());
    HostInfo {
        name: facts.name.into(),
        build: facts.build,
        revision: facts.revision.unwrap_or(0),
        class,
        product: product(
            facts.product.as_deref(),
            facts.version.as_deref(),
            facts.build,
            class,
        )
        .into(),
        edition: edition.into(),
        machine: if facts.is_guest {
            Machine::Virtual
        } else {
            Machine::Physical
        },
        boot_id: facts.boot_id,
        reboot_pending: facts.reboot_pending,
        simulated: None,
    }
}

/// The kind of an installation. `InstallationType` says it; where that is missing or new, the EditionID tells.
///
/// Nano Server is `ServerTuva` in the technical previews, `ServerDatacenterNano` and `ServerStandardNano` later; server editions
/// without a desktop may end with `Cor`.
pub fn edition_class(edition: &str, installation: Option<&str>) -> EditionClass {
    match installation {
        Some("Nano Server") => return EditionClass::Nano,
        Some("Server Core") => return EditionClass::Core,
        Some("Server") => return EditionClass::Full,
        Some("Client") => return EditionClass::Client,
        _ => {}
    }
    if edition == "ServerTuva" || edition.ends_with("Nano") {
        EditionClass::Nano
    } else if edition.starts_with("Server") && edition.ends_with("Cor") {
        EditionClass::Core
    } else if edition.starts_with("Server") {
        EditionClass::Full
    } else {
        EditionClass::Client
    }
}

fn product(name: Option<&str>, version: Option<&str>, build: u32, class: EditionClass) -> String {
    let name = name.unwrap_or("Windows");
    let mut shown = match name.strip_prefix("Windows 10") {
        Some(rest) if class == EditionClass::Client && build >= FIRST_WINDOWS_11 => {
            format!("Windows 11{rest}")
        }
        _ => name.to_owned(),
    };
    if let Some(version) = version {
        shown.push(' ');
        shown.push_str(version);
    }
    shown
}
