//! PowerShell modules: which are there, and what a cmdlet answers whose module is not.

use super::generation::{RS1, TP4};
use crate::{EditionClass, ErrorCategory, Feature, FeatureState, Package, PowerShellError};

/// Modules of every Nano Server: screenshot of a TP2 image with OEM-Drivers, Storage and Guest, without what Storage brings.
const NANO: &[&str] = &[
    "CimCmdlets",
    "Defender",
    "Dism",
    "DnsClient",
    "EventTracingManagement",
    "Microsoft.PowerShell.Management",
    "Microsoft.PowerShell.Security",
    "Microsoft.PowerShell.Utility",
    "Microsoft.WSMan.Management",
    "NetAdapter",
    "NetEventPacketCapture",
    "NetTCPIP",
    "PcsvDevice",
    "PnpDevice",
];

/// Modules that Nano Server has from Technical Preview 4 on: list of an author of 2016.
const NANO_TP4: &[&str] = &[
    "Appx",
    "BitLocker",
    "NetNat",
    "NetSecurity",
    "PackageManagement",
    "PowerShellGet",
    "ScheduledTasks",
];

/// Modules that other editions have beside those of Nano Server, as far as containers need them. Inferred.
const OTHERS: &[&str] = &[
    "NetNat",
    "NetSecurity",
    "ScheduledTasks",
    "ServerManager",
    "SmbShare",
    "SmbWitness",
    "Storage",
];

/// Modules by package of Nano Server.
const PACKAGES: &[(&str, &[&str])] = &[
    ("Compute", &["Hyper-V"]),
    ("Containers", &["Containers"]),
    ("Storage", &["SmbShare", "SmbWitness", "Storage"]),
];

/// Modules by optional feature or role of other editions.
const FEATURES: &[(&str, &[&str])] = &[("Containers", &["Containers"]), ("Hyper-V", &["Hyper-V"])];

/// No host has more of them.
const USUAL_MODULES: usize = 32;

/// Cmdlets by module, by whole name or by noun.
const CMDLETS: &[(&str, &[&str])] = &[
    (
        "Containers",
        &[
            "Container",
            "ContainerHost",
            "ContainerImage",
            "ContainerImageRepository",
            "ContainerNetworkAdapter",
            "ContainerOSImage",
        ],
    ),
    ("Hyper-V", &["VMSwitch", "VMHost", "VM", "VMNetworkAdapter"]),
    (
        "NetNat",
        &[
            "NetNat",
            "NetNatStaticMapping",
            "NetNatGlobal",
            "NetNatSession",
        ],
    ),
    ("NetAdapter", &["NetAdapter"]),
    ("NetTCPIP", &["NetIPAddress"]),
    ("Dism", &["WindowsPackage", "WindowsOptionalFeature"]),
    ("Microsoft.PowerShell.Management", &["Service", "Computer"]),
];

/// The PowerShell modules that can be loaded, by name.
///
/// On Nano Server packages bring modules, elsewhere features do; both at once, before any restart. The container cmdlets went with
/// the technical previews.
#[must_use]
pub fn modules(
    class: EditionClass,
    build: u32,
    packages: &[Package],
    features: &[Feature],
) -> Vec<&'static str> {
    let nano = class == EditionClass::Nano;
    let has_package = |name: &str| {
        packages
            .iter()
            .any(|package| package.name.eq_ignore_ascii_case(name))
    };
    let has_feature = |name: &str| {
        features.iter().any(|feature| {
            feature.name.eq_ignore_ascii_case(name) && feature.state != FeatureState::Disabled
        })
    };
    let (table, is_there): (_, &dyn Fn(&str) -> bool) = if nano {
        (PACKAGES, &has_package)
    } else {
        (FEATURES, &has_feature)
    };
    let brought = table
        .iter()
        .filter(|(name, _)| is_there(name))
        .flat_map(|(_, modules)| *modules);
    let late: &[&str] = match (nano, build >= TP4) {
        (true, true) => NANO_TP4,
        (true, false) => &[],
        (false, _) => OTHERS,
    };
    let all = NANO.iter().chain(late).chain(brought).copied();
    let mut modules = Vec::with_capacity(USUAL_MODULES);
    modules.extend(all.filter(|module| *module != "Containers" || build < RS1));
    modules.sort_unstable();
    modules.dedup();
    modules
}

/// Whether a cmdlet can be called: the error record of a command that is not recognised if the module that brings it is not
/// there. Cmdlets that no module of the table brings are taken to be there.
///
/// # Errors
/// `CommandNotFoundException`, in PowerShell's standard words.
#[expect(
    clippy::result_large_err,
    reason = "the record is the answer, and errors are rare"
)]
pub fn cmdlet(modules: &[impl AsRef<str>], cmdlet: &str) -> Result<(), PowerShellError> {
    match module_of(cmdlet) {
        Some(module)
            if !modules
                .iter()
                .any(|present| present.as_ref().eq_ignore_ascii_case(module)) =>
        {
            Err(not_recognized(cmdlet))
        }
        _ => Ok(()),
    }
}

/// The module that brings a cmdlet, as far as containers need it.
#[must_use]
pub fn module_of(cmdlet: &str) -> Option<&'static str> {
    let (_, noun) = cmdlet.split_once('-')?;
    CMDLETS
        .iter()
        .find(|(_, nouns)| nouns.iter().any(|known| known.eq_ignore_ascii_case(noun)))
        .map(|(module, _)| *module)
}

fn not_recognized(cmdlet: &str) -> PowerShellError {
    PowerShellError {
        category: ErrorCategory::ObjectNotFound,
        target: format!("{cmdlet}:String"),
        activity: String::new(),
        exception: "CommandNotFoundException".to_owned(),
        id: "CommandNotFoundException".to_owned(),
        message: format!(
            "The term '{cmdlet}' is not recognized as the name of a cmdlet, function, script file, or operable program. Check \
             the spelling of the name, or if a path was included, verify that the path is correct and try again."
        ),
    }
}
