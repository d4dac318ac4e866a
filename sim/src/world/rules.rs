//! The rules of each Windows generation, as `wcow_host::era` has them.

use ipnet::Ipv4Net;
use wcow_hcs_schema::hns::HnsNetwork;
use wcow_host::{
    EditionClass, ErrorCategory, Feature, FeatureState, HostInfo, Package, PowerShellError,
    SwitchType,
};
use wcow_ntmeta::Hresult;

pub(super) fn has_hns(build: u32) -> bool {
    build >= 14300
}

pub(super) fn modules(
    class: EditionClass,
    build: u32,
    packages: &[Package],
    features: &[Feature],
) -> Vec<String> {
    let package = |name: &str| {
        class != EditionClass::Nano || packages.iter().any(|package| package.name == name)
    };
    let feature = |name: &str| {
        class == EditionClass::Nano
            || features
                .iter()
                .any(|feature| feature.name == name && feature.state == FeatureState::Enabled)
    };
    let mut modules = vec!["NetAdapter".to_owned()];
    if package("Compute") && feature("Hyper-V") {
        modules.push("Hyper-V".to_owned());
    }
    if package("Containers") && feature("Containers") && build < 14393 {
        modules.push("Containers".to_owned());
    }
    if class != EditionClass::Nano || build >= 10586 {
        modules.push("NetNat".to_owned());
    }
    modules
}

pub(super) fn cmdlet(modules: &[String], cmdlet: &str) -> Result<(), PowerShellError> {
    let module = match cmdlet.split_once('-').map(|(_, noun)| noun) {
        Some("VMSwitch") => "Hyper-V",
        Some("NetAdapter") => "NetAdapter",
        Some(noun) if noun.starts_with("NetNat") => "NetNat",
        _ => "Containers",
    };
    if modules.iter().any(|known| known == module) {
        return Ok(());
    }
    Err(PowerShellError {
        category: ErrorCategory::ObjectNotFound,
        target: format!("{cmdlet}:String"),
        activity: String::new(),
        exception: "CommandNotFoundException".to_owned(),
        id: "CommandNotFoundException".to_owned(),
        message: String::new(),
    })
}

pub(super) fn new_switch(
    host: &HostInfo,
    modules: &[String],
    kind: SwitchType,
) -> Result<(), PowerShellError> {
    cmdlet(modules, "New-VMSwitch")?;
    if host.class == EditionClass::Nano && host.build == 10514 && kind != SwitchType::Nat {
        return Err(PowerShellError {
            category: ErrorCategory::InvalidOperation,
            target: String::new(),
            activity: "New-VMSwitch".to_owned(),
            exception: "VirtualizationException".to_owned(),
            id: "InvalidOperation,Microsoft.HyperV.PowerShell.Commands.NewVMSwitch".to_owned(),
            message: "Sequence contains no matching element".to_owned(),
        });
    }
    Ok(())
}

pub(super) fn new_nat(
    _host: &HostInfo,
    modules: &[String],
    existing: &[Ipv4Net],
    _wanted: Ipv4Net,
) -> Result<(), PowerShellError> {
    cmdlet(modules, "New-NetNat")?;
    if existing.is_empty() {
        return Ok(());
    }
    Err(super::switches::cim_error(
        "New-NetNat",
        ErrorCategory::InvalidArgument,
        87,
        "The parameter is incorrect.",
    ))
}

pub(super) fn hns_create_network(
    _host: &HostInfo,
    _existing: &[HnsNetwork],
    _wanted: &HnsNetwork,
) -> Result<(), Hresult> {
    Ok(())
}
