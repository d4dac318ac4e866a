//! Whole files: the same verdict, the same trees. The bytes are compared by their SHA-1, which both check when they verify.

use wcow_wim::{Image, ImageIndex, Problem, StreamRole, Wim};

use super::rules;
use crate::image::told;
use crate::wimlib::{Item, Judged, PROPERTIES, judge};
use crate::wims::{open, verify};

/// Images that are compared at most.
const IMAGES: u32 = 4;

/// A WIM file, opened, listed and verified by both.
///
/// # Panics
/// If the two disagree, and the disagreement is none that is meant.
pub fn diff_wim(data: &[u8]) {
    let difference = disagreement(data);
    assert!(difference.is_none(), "{}", difference.unwrap_or_default());
}

/// What the two disagree about, if it is anything.
pub(super) fn disagreement(data: &[u8]) -> Option<String> {
    let wim = open(data, 1);
    if rules::is_too_much(data)
        || rules::is_freed_twice(data)
        || rules::is_refused_for_its_form(wim.as_ref())
    {
        return None;
    }
    let images = wim.as_ref().map_or(1, Wim::image_count).min(IMAGES);
    let judged = judge(data, images)?;
    let Some(wim) = wim else {
        let meant = judged.open != 0
            || rules::is_refused_by_us_alone(data, Wim::open(data.to_vec()).err().as_ref());
        return (!meant && judged.verify == 0)
            .then(|| format!("wimlib accepts the file, we do not open it: {}", why(data)));
    };
    if judged.open != 0 {
        let report = verify(&wim, 1);
        return (report.is_ok() && !rules::is_refused_by_wimlib_alone(data, &wim, judged.open))
            .then(|| {
                format!(
                    "we accept the file, wimlib does not open it: code {}",
                    judged.open
                )
            });
    }
    if rules::has_empty_image(data) {
        return None;
    }
    properties(&wim, &judged)
        .or_else(|| trees(data, &wim, &judged))
        .or_else(|| verdicts(data, &wim, &judged))
}

fn why(data: &[u8]) -> String {
    Wim::open(data.to_vec())
        .err()
        .map_or_else(String::new, |error| told(&error))
}

/// The XML data says the same of the same images.
fn properties(wim: &Wim, judged: &Judged) -> Option<String> {
    let of_images = wim.images().iter().zip(&judged.properties);
    (1..).zip(of_images).find_map(|(number, (ours, theirs))| {
        let windows = ours.windows.as_ref();
        let version = windows.and_then(|windows| windows.version.as_ref());
        // In the order of `PROPERTIES`.
        let ours = [
            ours.name.as_ref(),
            ours.description.as_ref(),
            ours.display_name.as_ref(),
            ours.display_description.as_ref(),
            ours.flags.as_ref(),
            windows.and_then(|windows| windows.product_name.as_ref()),
            windows.and_then(|windows| windows.edition_id.as_ref()),
            windows.and_then(|windows| windows.installation_type.as_ref()),
            windows.and_then(|windows| windows.hal.as_ref()),
            windows.and_then(|windows| windows.product_type.as_ref()),
            windows.and_then(|windows| windows.product_suite.as_ref()),
            windows.and_then(|windows| windows.default_language.as_ref()),
            version.and_then(|version| version.branch.as_ref()),
            windows.and_then(|windows| windows.system_root.as_ref()),
        ];
        let both = ours.into_iter().zip(theirs).zip(PROPERTIES);
        both.map(|((ours, theirs), name)| (ours.map_or("", String::as_str), theirs, name))
            .find(|(ours, theirs, _)| **ours != rules::as_we_read(theirs))
            .map(|(ours, theirs, name)| {
                let theirs = String::from_utf16_lossy(theirs);
                format!("image {number}: {name:?} is {ours:?}, to wimlib {theirs:?}")
            })
    })
}

/// The same images can be read, and they have the same entries.
fn trees(data: &[u8], wim: &Wim, judged: &Judged) -> Option<String> {
    for (number, theirs) in (1..).zip(&judged.images) {
        let index = ImageIndex::new(number)?;
        match (wim.image(index), theirs) {
            (Ok(image), Ok(theirs)) => {
                let (mut ours, mut theirs) = (items(&image), theirs.clone());
                let linked = rules::nodes_of_files_with_several_names(&image);
                let linked = image
                    .nodes()
                    .zip(&ours)
                    .filter(|(node, _)| linked.contains(node));
                let linked = linked.map(|(_, item)| item.path.clone()).collect();
                rules::soften(&mut ours, &mut theirs, &linked);
                ours.sort();
                theirs.sort();
                if ours != theirs {
                    return Some(first_difference(number, &ours, &theirs));
                }
            }
            (Ok(image), Err(code)) if !rules::is_image_refused_by_wimlib_alone(&image, *code) => {
                return Some(format!(
                    "image {number}: we read it, wimlib does not: code {code}"
                ));
            }
            (Err(error), Ok(_)) if !rules::is_image_refused_by_us_alone(data, &error) => {
                return Some(format!(
                    "image {number}: wimlib reads it, we do not: {}",
                    told(&error)
                ));
            }
            _ => {}
        }
    }
    None
}

/// The first entry that only one of the two has; where it is one entry that differs, both.
fn first_difference(number: u32, ours: &[Item], theirs: &[Item]) -> String {
    let alone = |of: &[Item], others: &[Item]| {
        let found = of.iter().find(|item| !others.contains(item));
        found.cloned()
    };
    match (alone(ours, theirs), alone(theirs, ours)) {
        (None, None) => format!(
            "image {number}: {} entries, wimlib has {}",
            ours.len(),
            theirs.len()
        ),
        (ours, theirs) => format!("image {number}: ours {ours:?}, wimlib's {theirs:?}"),
    }
}

/// Both verify the file, or neither does.
fn verdicts(data: &[u8], wim: &Wim, judged: &Judged) -> Option<String> {
    let report = verify(wim, 1);
    // Images were compared before: what only one of the two reads is meant.
    let good = judged.verify == 0;
    let readable = judged.images.iter().all(Result::is_ok);
    let ours: Vec<&Problem> = report
        .problems
        .iter()
        .filter(|problem| {
            !rules::is_strictness(data, problem, &report.problems)
                && !rules::is_needed_by_a_name_alone(wim, problem)
        })
        .collect();
    let first = ours.first().map(|problem| told(problem));
    match first {
        Some(first) if good && readable => {
            Some(format!("wimlib verifies the file, we do not: {first}"))
        }
        None if !good
            && report.is_ok()
            && !rules::is_verified_by_us_alone(data, &report, judged) =>
        {
            Some(format!(
                "we verify the file, wimlib does not: code {}",
                judged.verify
            ))
        }
        _ => None,
    }
}

fn items(image: &Image) -> Vec<Item> {
    let mut list = Vec::with_capacity(image.len());
    let mut paths: Vec<Vec<u16>> = Vec::with_capacity(image.len());
    for node in image.nodes() {
        // Parents come first, and their paths with them.
        let parent = image
            .parent(node)
            .and_then(|parent| paths.get(usize::try_from(parent.index()).ok()?).cloned());
        let mut path = parent.unwrap_or_default();
        if image.parent(node).is_some() {
            path.push(u16::from(b'/'));
            path.extend(image.name(node).units());
        }
        paths.push(path.clone());
        if path.is_empty() {
            path.push(u16::from(b'/'));
        }
        let attributes = image.attributes(node);
        let streams = image.streams(node);
        let data = streams
            .iter()
            .find(|stream| stream.role == StreamRole::Data)
            .map_or([0; 20], |stream| stream.digest.0);
        let mut named: Vec<_> = streams
            .iter()
            .filter(|stream| stream.role == StreamRole::Named)
            .map(|stream| {
                let name = stream.name.clone().unwrap_or_default();
                (name.units().to_vec(), stream.digest.0)
            })
            .collect();
        named.sort();
        list.push(Item {
            path,
            short_name: image
                .short_name(node)
                .map(|name| name.units().collect())
                .unwrap_or_default(),
            attributes: attributes.bits(),
            reparse_tag: image.reparse_tag(node).unwrap_or(0),
            security: image
                .security(node)
                .map(|security| security.as_bytes().to_vec())
                .unwrap_or_default(),
            data,
            named,
        });
    }
    list
}
