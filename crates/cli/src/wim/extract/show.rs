//! What an extraction has to tell.

use serde::Serialize;
use wcow_tree::disk::{DiskReport, Part};
use wcow_wim::Image;

use crate::args::WimExtractArgs;
use crate::failure::Failure;
use crate::output::{Output, count, note, plain, size};
use crate::wim::ls::target_name;

/// What was extracted, and what was not.
#[derive(Serialize)]
struct Shown {
    folder: String,
    directories: u64,
    files: u64,
    hard_links: u64,
    symlinks: u64,
    bytes: u64,
    renamed: Vec<Renamed>,
    links_not_made: Vec<Link>,
    problems: Vec<String>,
    /// What the disk has no place for; with `metadata`, it is there.
    not_kept: Vec<String>,
    /// What the system refused to set; with `metadata`, it is there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<Refused>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<String>,
}

/// A name that this disk cannot hold.
#[derive(Serialize)]
struct Renamed {
    path: String,
    written: String,
}

/// A symbolic link or junction that is not there.
#[derive(Serialize)]
struct Link {
    path: String,
    target: String,
}

/// A kind of metadata that the system refused to set.
#[derive(Serialize)]
struct Refused {
    what: &'static str,
    entries: u64,
    /// The first of them, and why it was refused there.
    first: String,
    why: String,
}

/// Tells what was done on standard output, and what was not on standard error.
pub(super) fn show(
    report: &DiskReport,
    problems: &[String],
    image: &Image,
    args: &WimExtractArgs,
    output: &Output,
) -> Result<(), Failure> {
    let shown = Shown::new(report, problems, args);
    for renamed in &shown.renamed {
        note(&format!(
            "renamed: {} is {} here",
            plain(&renamed.path),
            plain(&renamed.written)
        ));
    }
    let more = |listed: usize, all: u64| all > super::as_u64(listed);
    if more(report.renamed.len(), report.renamed_count) {
        note(&format!("renamed: {} in all", report.renamed_count));
    }
    for link in &shown.links_not_made {
        note(&format!(
            "not made: the link {} -> {} (what it leads to is not in the tree, or this disk has no such links)",
            link.path, link.target
        ));
    }
    if more(report.skipped_links.len(), report.skipped_link_count) {
        note(&format!(
            "not made: {} in all",
            count(report.skipped_link_count, "link")
        ));
    }
    if !shown.not_kept.is_empty() {
        let what = shown.not_kept.join(", ");
        note(&match &shown.metadata {
            Some(file) => format!("kept in {file}, because this disk does not: {what}"),
            None => format!("this disk does not keep: {what} (--metadata FILE does)"),
        });
    }
    for refused in &shown.refused {
        note(&format!(
            "not set: {} of {}, first of {}: {}",
            refused.what,
            count_entries(refused.entries),
            plain(&refused.first),
            refused.why
        ));
    }
    let needs_more = |part| {
        matches!(
            part,
            Part::Owner | Part::Audit | Part::ShortName | Part::ObjectId
        )
    };
    if report
        .refused
        .iter()
        .any(|refused| needs_more(refused.part))
    {
        note("a program that was started as an administrator, and elevated, may set more");
    }
    for problem in problems {
        note(&format!("not extracted: {problem}"));
    }
    for warning in image.warnings() {
        note(&format!("warning: {warning}"));
    }
    if output.is_json() {
        output.json("wim.extract", &[shown])?;
    } else {
        output.text(&shown.line())?;
    }
    Ok(())
}

impl Shown {
    fn new(report: &DiskReport, problems: &[String], args: &WimExtractArgs) -> Self {
        let renamed = report.renamed.iter().map(|renamed| Renamed {
            path: renamed.original.to_string(),
            written: renamed.written.clone(),
        });
        let links = report.skipped_links.iter().map(|link| Link {
            path: link.path.to_string(),
            target: target_name(&link.target).to_string(),
        });
        let metadata = args.metadata.as_ref();
        Self {
            folder: args.dest.display().to_string(),
            directories: report.directories,
            files: report.files,
            hard_links: report.hard_links,
            symlinks: report.symlinks,
            bytes: report.bytes,
            renamed: renamed.collect(),
            links_not_made: links.collect(),
            problems: problems.to_vec(),
            not_kept: not_kept(report),
            refused: refused(report),
            metadata: metadata.map(|path| path.display().to_string()),
        }
    }

    /// `out: 3 files, 2 folders, 12 B`, with what else there is.
    fn line(&self) -> String {
        let mut parts = vec![
            count(self.files, "file"),
            count(self.directories, "folder"),
            size(self.bytes),
        ];
        let others = [
            (self.hard_links, "hard link"),
            (self.symlinks, "symbolic link"),
        ];
        let others = others.into_iter().filter(|(number, _)| *number > 0);
        parts.extend(others.map(|(number, what)| count(number, what)));
        format!("{}: {}\n", plain(&self.folder), parts.join(", "))
    }
}

/// What the disk has no place for, without what the system refused to set, which is told with its reason.
fn not_kept(report: &DiskReport) -> Vec<String> {
    let kept = &report.not_kept;
    let but = |number: u64, parts: &[Part]| {
        let refused = report.refused.iter();
        let refused = refused.filter(|refused| parts.contains(&refused.part));
        number.saturating_sub(refused.map(|refused| refused.count).sum())
    };
    [
        (but(kept.security, &[Part::Security]), "security descriptor"),
        (but(kept.attributes, &[Part::Attributes]), "attribute set"),
        (kept.creation_times, "creation time"),
        (but(kept.times, &[Part::Basic]), "other time"),
        (but(kept.short_names, &[Part::ShortName]), "short name"),
        (
            but(kept.named_streams, &[Part::NamedStream]),
            "alternate data stream",
        ),
        (kept.reparse_points, "reparse point"),
        (kept.encrypted, "encrypted file"),
        (kept.hard_links, "hard link"),
        (
            but(kept.extra, &[Part::ExtendedAttributes, Part::ObjectId]),
            "object id or set of extended attribute",
        ),
        (report.skipped_link_count, "link"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, what)| count(number, what))
    .collect()
}

fn refused(report: &DiskReport) -> Vec<Refused> {
    let refused = report.refused.iter().map(|refused| Refused {
        what: match refused.part {
            Part::Basic => "times and attributes",
            Part::Attributes => "compression and holes",
            Part::Owner => "owner and group",
            Part::Security => "permissions (the DACL)",
            Part::Audit => "what is audited (the SACL)",
            Part::ShortName => "short names",
            Part::NamedStream => "alternate data streams",
            Part::ReparsePoint => "reparse points",
            Part::ExtendedAttributes => "extended attributes",
            Part::ObjectId => "object ids",
            _ => "metadata",
        },
        entries: refused.count,
        first: refused.first.to_string(),
        why: refused.why.clone(),
    });
    refused.collect()
}

fn count_entries(number: u64) -> String {
    if number == 1 {
        "1 entry".to_owned()
    } else {
        format!("{number} entries")
    }
}

#[cfg(test)]
mod tests {
    use wcow_ntmeta::RelPath;
    use wcow_tree::disk;

    use super::*;

    #[test]
    fn what_was_refused_is_told_once() {
        let mut report = DiskReport::default();
        report.not_kept.short_names = 3;
        report.not_kept.security = 2;
        report.not_kept.extra = 1;
        let mut add = |part, count| {
            report.refused.push(disk::Refused {
                part,
                count,
                first: RelPath::parse("a/b"),
                why: "denied".to_owned(),
            });
        };
        add(Part::ShortName, 3);
        add(Part::Security, 1);
        add(Part::Owner, 5);
        assert_eq!(
            not_kept(&report),
            [
                "1 security descriptor",
                "1 object id or set of extended attribute"
            ]
        );
        let told: Vec<_> = refused(&report)
            .iter()
            .map(|refused| format!("{} {}", refused.what, count_entries(refused.entries)))
            .collect();
        let expected = [
            "short names 3 entries",
            "permissions (the DACL) 1 entry",
            "owner and group 5 entries",
        ];
        assert_eq!(told, expected);
    }
}
