//! Tables that `fltmc.exe` and `netsh.exe` write.

use std::cmp::Reverse;

use wcow_host::{FilterDriver, PortRange, TransportProtocol};

/// The filter drivers that `fltmc filters` lists, highest altitude first.
///
/// ```text
/// Filter Name                     Num Instances    Altitude    Frame
/// ------------------------------  -------------  ------------  -----
/// wcifs                                   0       189900         0
/// oldav                                  389998.99     <Legacy>
/// ```
#[must_use]
pub fn filter_drivers(text: &str) -> Option<Vec<FilterDriver>> {
    let mut found: Vec<FilterDriver> = rows(text)?.filter_map(filter_driver).collect();
    // Altitudes are decimal numbers; those with a fraction stand between two others.
    found.sort_by_cached_key(|driver| {
        let (whole, fraction) = driver
            .altitude
            .split_once('.')
            .unwrap_or((&driver.altitude, ""));
        Reverse((whole.parse::<u64>().unwrap_or(0), fraction.to_owned()))
    });
    Some(found)
}

fn filter_driver(row: &str) -> Option<FilterDriver> {
    let words: Vec<&str> = row.split_whitespace().collect();
    let is_number = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    let (name, altitude) = match words.as_slice() {
        [name @ .., instances, altitude, frame]
            if !name.is_empty() && [instances, altitude, frame].into_iter().all(is_number) =>
        {
            (name, (*altitude).to_owned())
        }
        // A legacy driver is shown with the altitude of its place in the stack, which is none of its own.
        [name @ .., place, frame]
            if !name.is_empty() && is_number(place) && frame.starts_with('<') =>
        {
            (name, String::new())
        }
        [name @ .., frame] if !name.is_empty() && frame.starts_with('<') => (name, String::new()),
        _ => return None,
    };
    Some(FilterDriver {
        name: name.join(" "),
        altitude,
    })
}

/// The ranges that `netsh int ipv4 show excludedportrange` lists for one protocol, by first port. A star marks what an administrator
/// excluded.
///
/// ```text
/// Start Port    End Port
/// ----------    --------
///      50000       50059     *
/// ```
#[must_use]
pub fn port_ranges(text: &str, protocol: TransportProtocol) -> Option<Vec<PortRange>> {
    let mut found: Vec<PortRange> = rows(text)?
        .filter_map(|row| port_range(row, protocol))
        .collect();
    found.sort_by_key(|range| range.first);
    Some(found)
}

fn port_range(row: &str, protocol: TransportProtocol) -> Option<PortRange> {
    let mut words = row.split_whitespace();
    let first = words.next()?.parse().ok()?;
    let last = words.next()?.parse().ok()?;
    (first <= last).then(|| PortRange {
        protocol,
        first,
        last,
        administered: words.next() == Some("*"),
    })
}

/// What stands below the line of dashes; none if there is no such line.
fn rows(text: &str) -> Option<impl Iterator<Item = &str>> {
    let is_rule =
        |line: &str| line.contains("---") && line.chars().all(|c| c == '-' || c.is_whitespace());
    let mut lines = text.lines();
    lines.find(|line| is_rule(line))?;
    Some(lines.map(str::trim).filter(|line| !line.is_empty()))
}
