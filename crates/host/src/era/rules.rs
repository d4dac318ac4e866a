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
    [] "persistent-containers", Verbatim, "field report of 2015 (screenshots); documents of TP3 and TP4",
        "Containers of Technical Previews 3 and 4 are there until they are removed; later ones end with their compute system.";
}
