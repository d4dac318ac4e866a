//! The rules as sentences, with where they come from.

use std::fmt;

use serde::Serialize;

/// How a rule is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// A screenshot, log or thread shows it, to the letter.
    Verbatim,
    /// The standard behaviour of a well-known program.
    Standard,
    /// A vendor's document says it.
    Documented,
    /// Somebody measured it on a real host.
    Measured,
    /// It follows from what is known, but nobody has shown it.
    Inferred,
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verbatim => "verbatim",
            Self::Standard => "standard",
            Self::Documented => "documented",
            Self::Measured => "measured",
            Self::Inferred => "inferred",
        })
    }
}

/// A rule of one or more generations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Its stable id.
    pub id: &'static str,
    /// What it says, in one sentence.
    pub sentence: &'static str,
    /// Who says so.
    pub source: &'static str,
    /// How it is known.
    pub provenance: Provenance,
}

/// The rule with this id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

macro_rules! rules {
    ($([$($name:ident)?] $id:literal, $provenance:ident, $source:literal, $sentence:literal;)*) => {
        $($(pub(super) const $name: &str = $sentence;)?)*

        /// Every rule of this module.
        pub const RULES: &[Rule] = &[$(Rule {
            id: $id,
            sentence: $sentence,
            source: $source,
            provenance: Provenance::$provenance,
        },)*];
    };
}

rules! {
    [PREVIEW_IDENTITY] "preview-image-identity", Verbatim, "field report of 2015 (screenshot); Containers module of TP3",
        "A technical preview starts a container only if build and edition in the image's version.wcx are its own.";
    [PREVIEW_SERVICE] "preview-container-service", Inferred, "field report of 2015: images of install.wim pass every test, and give no valid container",
        "A technical preview waits for the container service (CExecSvc) and gives up if the image has none.";
    [EXACT_BUILD] "exact-build", Documented, "Microsoft Learn, Windows container version compatibility",
        "A host before build 20348 runs process-isolated containers of exactly its own build.";
    [STABLE_ABI] "stable-container-abi", Measured, "hcsshim's compatibility check; a host of build 26200 refuses an image of 20348",
        "A host from build 20348 on runs process-isolated containers from the last long-term release before it up to its own build.";
    [] "stable-container-abi-containerd", Documented, "containerd's compatibility check",
        "Containerd's own check reaches one long-term release further back than hcsshim's.";
    [NEWER_IMAGE] "no-newer-image", Documented, "Microsoft Learn, Windows container version compatibility",
        "No host runs a process-isolated container of a newer build than its own.";
    [NEWER_GUEST] "no-newer-guest", Documented, "Microsoft Learn, Windows container version compatibility",
        "A host runs Hyper-V isolated containers of its own build and of older ones; a newer one does not come up.";
    [] "published-table", Documented, "Microsoft Learn, Windows container version compatibility",
        "Microsoft's table lets Windows 10 and 11 run process-isolated containers of exactly their own build; later clients are laxer.";
    [NANO_HOST] "nano-host-images", Documented, "Microsoft Learn, Windows container requirements; the code is inferred",
        "A Nano Server host runs process-isolated containers of Nano Server images only.";
    [INSIDER] "insider-image", Documented, "Microsoft Learn, HCS error codes; which builds are meant is inferred",
        "An image of a build that was never released runs on hosts of the Insider program only.";
    [] "os-features", Documented, "the OCI image specification, os.features; which hosts have win32k is inferred",
        "An image that names the feature win32k needs a host that has it, which a Nano Server is not, or Hyper-V isolation.";
    [HYPER_V_FROM_TP4] "hyper-v-from-tp4", Documented, "release notes of TP4; the code is inferred",
        "Hyper-V isolation exists from Technical Preview 4 on.";
    [HYPER_V_ROLE] "hyper-v-role", Verbatim, "moby#40792, docker/for-win#3118",
        "Hyper-V isolation needs the Hyper-V role, and in a virtual machine nested virtualization.";
    [HYPER_V_UTILITY_VM] "hyper-v-utility-vm", Verbatim, "Virtualization-Documentation#252 for the code",
        "Hyper-V isolation needs an image with a utility virtual machine.";
    [HYPER_V_PREVIEW] "hyper-v-preview", Verbatim, "Virtualization-Documentation#252: an image of TP4 on a host of TP5",
        "A technical preview boots the utility virtual machine of its own build only.";
    [HYPER_V_NANO_TP5] "hyper-v-nano-tp5", Verbatim, "Virtualization-Documentation#358",
        "A Nano Server of Technical Preview 5 does not reach the utility virtual machine.";
    [SERVICE] "container-service", Documented, "moby#36635 for the code, the service list of every container for the cause",
        "A host waits for the container service (CExecSvc) and gives up if the image has none.";
    [] "revision-of-2016", Documented, "Microsoft Learn, Windows container version compatibility",
        "On build 14393 an image of another revision may not start.";
    [PREVIEW_RESTART] "preview-restart", Verbatim, "field report of 2015 (screenshot)",
        "A technical preview creates no container storage until it has been restarted with the container package.";
    [COMPUTE_SERVICE] "compute-service", Inferred, "Virtualization-Documentation#369 shows the code on a host without the package",
        "A host has no compute service until it has been restarted with the Containers feature.";
    [] "nano-tp3-switch", Verbatim, "field report of 2015 (screenshot)",
        "Nano Server of Technical Preview 3 makes no virtual switch but one of type NAT.";
    [] "nat-switch-type", Documented, "Install-ContainerHost.ps1 and the documents of TP3 to TP5",
        "Virtual switches of type NAT exist on Technical Previews 3 and 4 only.";
    [] "nano-netnat", Verbatim, "field report of 2015; module lists of Nano Server images",
        "Nano Server has the NetNat module from Technical Preview 4 on.";
    [] "package-modules", Verbatim, "field report of 2015; package lists of Nano Server",
        "On Nano Server, Hyper-V cmdlets come with the package Compute, container cmdlets with Containers, share cmdlets with Storage.";
    [] "container-module", Documented, "Microsoft Learn, release notes of TP5",
        "The container cmdlets exist on technical previews only.";
    [] "one-nat-prefix", Verbatim, "Virtualization-Documentation#361",
        "WinNAT takes one internal prefix per host up to Windows Server 2022.";
    [] "many-nat-prefixes", Measured, "Virtualization-Documentation#1945",
        "WinNAT takes several internal prefixes that do not overlap from build 22621 on.";
    [] "hns-sub-prefix", Documented, "Microsoft Learn, container network drivers; moby#30280",
        "Before build 16299 a further NAT network must lie within the prefix that the host translates already.";
    [] "hns-overlap", Verbatim, "moby#30280, docker/for-win#598, microsoft/SDN#177",
        "The Host Network Service refuses a NAT network whose prefix overlaps one that is translated already.";
    [] "hns", Documented, "release notes of TP5",
        "The Host Network Service exists from Technical Preview 5 on.";
    [] "elevation", Measured, "the authors of hcsctl, on build 26200",
        "Attaching disks and processing base layers need SeManageVolumePrivilege, mounting and growing layers an elevated administrator.";
    [] "compute-access", Documented, "Microsoft Learn, HCS error codes; that older builds answer 0x5 is inferred",
        "Only administrators and members of the group Hyper-V Administrators may call the compute service.";
    [] "service-stopped", Verbatim, "docker/for-win#8226, docker/for-win#4554; when which code comes is inferred",
        "A call whose service was stopped answers 0x426; while one that crashed is down, 0x6BA, and 0x6BF for the call that met the crash.";
    [] "firewall-service", Verbatim, "docker/for-win#6535; that only NAT asks the firewall is inferred",
        "NAT networks and published ports need the firewall service.";
    [] "persistent-containers", Verbatim, "field report of 2015 (screenshots); documents of TP3 and TP4",
        "Containers of Technical Previews 3 and 4 are there until they are removed; later ones end with their compute system.";
}
