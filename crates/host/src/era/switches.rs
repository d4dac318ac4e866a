//! Virtual switches, NAT objects and NAT networks: what a host takes.

use ipnet::Ipv4Net;
use wcow_ntmeta::Hresult;

use super::generation::TP3;
use super::{cmdlet, has_hns, has_nat_switch};
use crate::codes::win32;
use crate::{EditionClass, ErrorCategory, HostInfo, PowerShellError, SwitchType};

/// How many internal prefixes WinNAT takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NatPrefixes {
    /// One per host.
    One,
    /// Several that do not overlap.
    Many,
}

/// The first build whose WinNAT takes several prefixes: Windows 11 22H2.
const MANY_PREFIXES: u32 = 22621;
/// The first build whose Host Network Service takes several NAT networks: version 1709.
const MANY_NAT_NETWORKS: u32 = 16299;

/// How many internal prefixes WinNAT takes on a build.
#[must_use]
pub fn nat_prefixes(build: u32) -> NatPrefixes {
    if build >= MANY_PREFIXES {
        NatPrefixes::Many
    } else {
        NatPrefixes::One
    }
}

/// What `New-VMSwitch` answers to a switch of this type, before adapters and addresses are looked at.
///
/// # Errors
/// Not recognised (no Hyper-V module); `Sequence contains no matching element` (Nano Server TP3, every type but NAT; leaves
/// nothing behind); no such parameter (type NAT where there is none).
#[expect(
    clippy::result_large_err,
    reason = "the record is the answer, and errors are rare"
)]
pub fn new_switch(
    host: &HostInfo,
    modules: &[impl AsRef<str>],
    kind: SwitchType,
) -> Result<(), PowerShellError> {
    cmdlet(modules, "New-VMSwitch")?;
    let nat = kind == SwitchType::Nat;
    if nat && !has_nat_switch(host.build) {
        return Err(hyper_v(
            ErrorCategory::InvalidArgument,
            "ParameterBindingException",
            "NamedParameterNotFound",
            "A parameter cannot be found that matches parameter name 'NATSubnetAddress'."
                .to_owned(),
        ));
    }
    if !nat && host.class == EditionClass::Nano && host.build == TP3 {
        return Err(hyper_v(
            ErrorCategory::InvalidOperation,
            "VirtualizationException",
            "InvalidOperation",
            "Sequence contains no matching element".to_owned(),
        ));
    }
    Ok(())
}

/// What `New-VMSwitch` answers when the physical adapter for an external switch is not there. Category and id are inferred.
#[must_use]
pub fn adapter_missing(adapter: &str) -> PowerShellError {
    hyper_v(
        ErrorCategory::ObjectNotFound,
        "VirtualizationException",
        "ObjectNotFound",
        format!("No physical network adapter was found with the name '{adapter}'."),
    )
}

/// What `New-VMSwitch` answers when another switch is bound to the physical adapter. Category and id are inferred.
#[must_use]
pub fn adapter_in_use(adapter: &str) -> PowerShellError {
    hyper_v(
        ErrorCategory::InvalidArgument,
        "VirtualizationException",
        "InvalidParameter",
        format!("The network adapter '{adapter}' is already bound to another virtual switch."),
    )
}

/// What `New-NetNat` answers, given the prefixes that are translated already.
///
/// # Errors
/// Not recognised (no NetNat module); `Windows System Error 87` for a second prefix where one is the limit, or for one that
/// overlaps another.
#[expect(
    clippy::result_large_err,
    reason = "the record is the answer, and errors are rare"
)]
pub fn new_nat(
    host: &HostInfo,
    modules: &[impl AsRef<str>],
    existing: &[Ipv4Net],
    wanted: Ipv4Net,
) -> Result<(), PowerShellError> {
    cmdlet(modules, "New-NetNat")?;
    let refused = match nat_prefixes(host.build) {
        NatPrefixes::One => !existing.is_empty(),
        NatPrefixes::Many => existing.iter().any(|prefix| overlap(prefix, &wanted)),
    };
    if !refused {
        return Ok(());
    }
    Err(PowerShellError {
        category: ErrorCategory::InvalidArgument,
        target: "MSFT_NetNat:root/StandardCimv2/MSFT_NetNat".to_owned(),
        activity: "New-NetNat".to_owned(),
        exception: "CimException".to_owned(),
        id: "Windows System Error 87,New-NetNat".to_owned(),
        message: "The parameter is incorrect.".to_owned(),
    })
}

/// What the Host Network Service answers to a NAT network, given the prefixes that are translated already, by NAT objects and by
/// other networks.
///
/// # Errors
/// 0x7F where there is no such service; 0x57 for a prefix that overlaps another, and before build 16299 for one outside the
/// prefix that is there.
pub fn hns_create_network(
    host: &HostInfo,
    existing: &[Ipv4Net],
    wanted: Ipv4Net,
) -> Result<(), Hresult> {
    if !has_hns(host.build) {
        return Err(win32::PROC_NOT_FOUND);
    }
    let taken = if host.build >= MANY_NAT_NETWORKS {
        existing.iter().any(|prefix| overlap(prefix, &wanted))
    } else {
        // The widest prefix is the host's own: a further network must be a part of it that no other network has.
        let around = |prefix: &Ipv4Net| prefix.contains(&wanted) && *prefix != wanted;
        let host_prefix = existing
            .iter()
            .filter(|prefix| around(prefix))
            .min_by_key(|prefix| prefix.prefix_len());
        match host_prefix {
            None => !existing.is_empty(),
            Some(own) => existing
                .iter()
                .any(|prefix| prefix != own && overlap(prefix, &wanted)),
        }
    };
    if taken {
        Err(win32::INVALID_PARAMETER)
    } else {
        Ok(())
    }
}

fn overlap(a: &Ipv4Net, b: &Ipv4Net) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

/// An error of `New-VMSwitch`.
fn hyper_v(category: ErrorCategory, exception: &str, id: &str, message: String) -> PowerShellError {
    PowerShellError {
        category,
        target: String::new(),
        activity: "New-VMSwitch".to_owned(),
        exception: exception.to_owned(),
        id: format!("{id},Microsoft.HyperV.PowerShell.Commands.NewVMSwitch"),
        message,
    }
}
