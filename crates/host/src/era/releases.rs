//! Builds of Windows that were released, as far as images of them were published or hosts run containers.

/// Released builds with their names, oldest first.
const RELEASES: &[(u32, &str)] = &[
    (10514, "Windows Server 2016 Technical Preview 3"),
    (10586, "Windows Server 2016 Technical Preview 4"),
    (14300, "Windows Server 2016 Technical Preview 5"),
    (14393, "Windows Server 2016, Windows 10 1607"),
    (15063, "Windows 10 1703"),
    (16299, "Windows Server and Windows 10 1709"),
    (17134, "Windows Server and Windows 10 1803"),
    (17763, "Windows Server 2019, Windows 10 1809"),
    (18362, "Windows Server and Windows 10 1903"),
    (18363, "Windows Server and Windows 10 1909"),
    (19041, "Windows Server and Windows 10 2004"),
    (19042, "Windows Server and Windows 10 20H2"),
    (19043, "Windows 10 21H1"),
    (19044, "Windows 10 21H2"),
    (19045, "Windows 10 22H2"),
    (20348, "Windows Server 2022"),
    (22000, "Windows 11 21H2"),
    (22621, "Windows 11 22H2"),
    (22631, "Windows 11 23H2"),
    (25398, "Windows Server 23H2"),
    (26100, "Windows Server 2025, Windows 11 24H2"),
    (26200, "Windows 11 25H2"),
];

/// What a build was released as; `None` for one that was not, as far as this table knows: an Insider build, or one of the future.
#[must_use]
pub fn release(build: u32) -> Option<&'static str> {
    RELEASES
        .binary_search_by_key(&build, |(build, _)| *build)
        .ok()
        .and_then(|place| RELEASES.get(place))
        .map(|(_, name)| *name)
}

/// Whether an image is one that only members of the Insider program may run on a host: a build between the releases on a host
/// that is itself a release.
#[must_use]
pub fn insider_only(host: u32, image: u32) -> bool {
    let newest = RELEASES.last().map_or(0, |(build, _)| *build);
    image <= newest && release(image).is_none() && release(host).is_some()
}
