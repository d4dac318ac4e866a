//! Optional features and packages: names, states, and what `dism.exe` lists where there is no PowerShell for it.
//!
//! | here | in Windows |
//! |---|---|
//! | feature `Hyper-V` | `Microsoft-Hyper-V` |
//! | package `Guest` of Nano Server | `Microsoft-NanoServer-Guest-Package~<token>~amd64~~10.0.14393.0` |
//!
//! A package's name has five parts between tildes; the fourth is the language of one that brings nothing but texts.

use wcow_host::{Feature, FeatureState, Package};

const HYPER_V: (&str, &str) = ("Hyper-V", "Microsoft-Hyper-V");
const PACKAGE_START: &str = "Microsoft-NanoServer-";
const PACKAGE_END: &str = "-Package";

/// What Windows calls a feature.
#[must_use]
pub fn windows_name(feature: &str) -> &str {
    match feature.eq_ignore_ascii_case(HYPER_V.0) {
        true => HYPER_V.1,
        false => feature,
    }
}

/// A feature, from what Windows says of it; none if the state is not known here.
#[must_use]
pub fn feature(windows_name: &str, state: &str) -> Option<Feature> {
    let name = match windows_name.eq_ignore_ascii_case(HYPER_V.1) {
        true => HYPER_V.0,
        false => windows_name,
    };
    Some(Feature {
        name: name.to_owned(),
        state: feature_state(state)?,
    })
}

/// The state of that name. PowerShell writes it in one word, `dism.exe` in several.
#[must_use]
pub fn feature_state(state: &str) -> Option<FeatureState> {
    let word: String = state.split_whitespace().collect();
    Some(match word.to_ascii_lowercase().as_str() {
        "enabled" => FeatureState::Enabled,
        "enablepending" => FeatureState::EnablePending,
        "disablepending" => FeatureState::DisablePending,
        "disabled" | "disabledwithpayloadremoved" | "removed" => FeatureState::Disabled,
        _ => return None,
    })
}

/// Features by name, each once.
#[must_use]
pub fn sort_features(mut features: Vec<Feature>) -> Vec<Feature> {
    features.sort_by(|a, b| a.name.cmp(&b.name));
    features.dedup_by(|a, b| a.name == b.name);
    features
}

/// The packages of Nano Server among all packages, given as name and state; by name, each once.
#[must_use]
pub fn packages(all: impl IntoIterator<Item = (String, String)>) -> Vec<Package> {
    let mut found: Vec<Package> = all
        .into_iter()
        .filter_map(|(name, state)| package(&name, &state))
        .collect();
    found.sort_by(|a, b| (&a.name, a.reboot_pending).cmp(&(&b.name, b.reboot_pending)));
    found.dedup_by(|a, b| a.name == b.name);
    found
}

fn package(identity: &str, state: &str) -> Option<Package> {
    let mut parts = identity.split('~');
    let name = parts.next()?;
    let language = parts.nth(2).unwrap_or_default();
    let state: String = state.split_whitespace().collect();
    let reboot_pending = match state.to_ascii_lowercase().as_str() {
        "installed" => false,
        "installpending" => true,
        _ => return None,
    };
    let short = strip_ignore_case(name, PACKAGE_START, PACKAGE_END)?;
    (language.is_empty() && !short.is_empty()).then(|| Package {
        name: short.to_owned(),
        reboot_pending,
    })
}

fn strip_ignore_case<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let middle = start.len()..text.len().checked_sub(end.len())?;
    let fits = text.get(..middle.start)?.eq_ignore_ascii_case(start)
        && text.get(middle.end..)?.eq_ignore_ascii_case(end);
    fits.then(|| text.get(middle)).flatten()
}

/// Whether a name can be that of a feature or a package: nothing that a program could take for something else, nor a path.
#[must_use]
pub fn is_plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty()
        && name.len() <= 128
        && name.chars().all(plain)
        && !name.starts_with(['-', '.'])
}

/// The rows of a table of `dism.exe /English /Format:Table`: the first two cells of every line below the line of dashes.
///
/// ```text
/// ------------------------------- | --------
/// Feature Name                    | State
/// ------------------------------- | --------
/// Containers                      | Enabled
/// ```
///
/// None if there is no such line: that is no table.
#[must_use]
pub fn dism_table(text: &str) -> Option<Vec<(String, String)>> {
    let is_rule =
        |line: &str| line.contains("---") && line.chars().all(|c| matches!(c, '-' | '|' | ' '));
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let rule = lines.iter().rposition(|line| is_rule(line))?;
    let rows = lines.iter().skip(rule + 1).filter_map(|line| {
        let mut cells = line.split('|').map(str::trim);
        Some((cells.next()?.to_owned(), cells.next()?.to_owned()))
    });
    Some(rows.collect())
}
