//! `wcow host doctor`.

use std::io::{self, BufRead, IsTerminal, Write};

use serde::Serialize;
use wcow_engine::doctor::{self, Check, CheckReport, Fix, Fixed, Outcome};

use crate::args::{DoctorArgs, Global};
use crate::failure::{Failure, exit};
use crate::output::{Output, colours, note, plain};
use crate::session::{Session, with_host};

/// How many lines of what was seen are shown of one check, unless everything is asked for.
const SHOWN_EVIDENCE: usize = 6;
/// Where lines break on a terminal, in characters.
const WIDTH: usize = 100;
/// How far what belongs to a check is indented.
const INDENT: usize = 6;

/// A check as JSON shows it.
#[derive(Serialize)]
struct Item<'a> {
    #[serde(flatten)]
    report: &'a CheckReport,
    /// What was done about it.
    done: Vec<&'a Done>,
}

/// A fix that was tried.
#[derive(Serialize)]
struct Done {
    /// The check that proposed it.
    #[serde(skip)]
    check: &'static str,
    #[serde(flatten)]
    fix: Fix,
    /// `done`, `after-restart`, `not-needed` or `failed`.
    outcome: &'static str,
}

/// Checks the host, and sets right what was asked for. Exit code 1 if something is wrong in the end.
pub(crate) fn run(args: &DoctorArgs, global: &Global, output: &Output) -> Result<u8, Failure> {
    let chosen = chosen(&args.checks)?;
    if args.list {
        list(&chosen, output)?;
        return Ok(0);
    }
    let (reports, done) = with_host(global, |session| {
        let mut reports = session.run(|engine| engine.diagnose(&chosen))?;
        let mut done = Vec::new();
        if args.fix {
            done = set_right(session, &reports, args.yes)?;
            if !done.is_empty() {
                reports = session.run(|engine| engine.diagnose(&chosen))?;
            }
        }
        Ok((reports, done))
    })?;
    if output.is_json() {
        let items: Vec<Item<'_>> = reports
            .iter()
            .map(|report| Item {
                report,
                done: done.iter().filter(|done| done.check == report.id).collect(),
            })
            .collect();
        output.json("doctor", &items)?;
    } else {
        let page = Page {
            colours: colours(&io::stdout()),
            width: io::stdout().is_terminal().then_some(WIDTH),
            all: args.all || !args.checks.is_empty(),
        };
        output.text(&page.of(&reports))?;
    }
    let fixes = reports
        .iter()
        .map(|report| report.fixes.len())
        .sum::<usize>();
    if fixes > 0 && !args.fix {
        note(&format!(
            "wcow host doctor --fix can do something about {}; it asks before it does",
            if fixes == 1 {
                "one thing".to_owned()
            } else {
                format!("{fixes} things")
            }
        ));
    }
    let failed = reports
        .iter()
        .any(|report| report.outcome == Outcome::Failure);
    Ok(if failed { exit::FAILED } else { 0 })
}

/// The checks of these ids; all, if none is named.
fn chosen(ids: &[String]) -> Result<Vec<&'static Check>, Failure> {
    if ids.is_empty() {
        return Ok(doctor::checks());
    }
    let find = |id: &String| {
        doctor::check(id).ok_or_else(|| {
            Failure::new(exit::NOT_FOUND, format!("no check {id:?}"))
                .help("wcow host doctor --list lists the checks")
        })
    };
    ids.iter().map(find).collect()
}

fn list(checks: &[&Check], output: &Output) -> Result<(), Failure> {
    output.list(
        "doctor.check",
        checks,
        &["CHECK", "THEME", "WHAT IS TO BE SO", "ASKED FOR BY"],
        |check| {
            vec![
                check.id.to_owned(),
                check.theme.to_string(),
                check.title.to_owned(),
                check.source.to_owned(),
            ]
        },
    )?;
    Ok(())
}

/// Does what the checks propose, as far as it is agreed to.
fn set_right(session: &Session, reports: &[CheckReport], yes: bool) -> Result<Vec<Done>, Failure> {
    let mut proposed: Vec<(&Fix, &'static str)> = Vec::new();
    for report in reports {
        for fix in &report.fixes {
            if !proposed.iter().any(|(known, _)| *known == fix) {
                proposed.push((fix, report.id));
            }
        }
    }
    proposed.sort_by_key(|(fix, _)| *fix);
    if proposed.is_empty() {
        note("there is nothing that the doctor can set right");
        return Ok(Vec::new());
    }
    note("the doctor would:");
    for (fix, check) in &proposed {
        note(&format!("  {} ({check})", described(fix)));
    }
    if !yes && !io::stdin().is_terminal() {
        return Err(Failure::new(
            exit::USAGE,
            "nothing was changed: there is nobody to ask, as standard input is no terminal",
        )
        .help("--yes does all of it without asking"));
    }
    let (costly, cheap): (Vec<_>, Vec<_>) = proposed
        .into_iter()
        .partition(|(fix, _)| fix.loses().is_some());
    let mut agreed = Vec::new();
    let question = if costly.is_empty() {
        "do this?"
    } else {
        "do this, as far as nothing is lost by it?"
    };
    if !cheap.is_empty() && (yes || ask(question)?) {
        agreed.extend(cheap);
    }
    for (fix, check) in costly {
        if yes || ask(&format!("{}?", described(fix)))? {
            agreed.push((fix, check));
        }
    }
    agreed.sort_by_key(|(fix, _)| *fix);
    let mut done = Vec::new();
    for (fix, check) in agreed {
        let outcome = match session.run(|engine| engine.fix(fix)) {
            Ok(Fixed::Now) => "done",
            Ok(Fixed::AfterReboot) => {
                note(&format!(
                    "{fix}: works after a restart of the host: wcow host reboot"
                ));
                "after-restart"
            }
            Ok(Fixed::NotNeeded) => "not-needed",
            Err(failure) => {
                // The others are not the worse for it, and the checks say what is still wrong.
                failure.show();
                "failed"
            }
        };
        if outcome == "done" {
            note(&format!("done: {fix}"));
        }
        done.push(Done {
            check,
            fix: fix.clone(),
            outcome,
        });
    }
    Ok(done)
}

fn described(fix: &Fix) -> String {
    match fix.loses() {
        Some(loses) => format!("{fix}: {loses}"),
        None if fix.needs_reboot() => format!("{fix}, which needs a restart of the host"),
        None => fix.to_string(),
    }
}

/// Asks on the terminal; anything but yes is no.
fn ask(question: &str) -> Result<bool, Failure> {
    let mut err = io::stderr().lock();
    write!(err, "{} [y/N] ", plain(question))?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// How reports look to people.
struct Page {
    colours: bool,
    /// Where lines break; nowhere where the reader is a program.
    width: Option<usize>,
    /// Whether checks are shown in full on which nothing is wrong.
    all: bool,
}

impl Page {
    fn of(&self, reports: &[CheckReport]) -> String {
        let mut ordered: Vec<&CheckReport> = reports.iter().collect();
        ordered.sort_by_key(|report| report.outcome);
        let mut text = String::new();
        for report in &ordered {
            let quiet = matches!(report.outcome, Outcome::Ok | Outcome::NotApplicable);
            if self.all || !(quiet || is_bare(report)) {
                self.report(report, &mut text);
            }
        }
        if !self.all {
            self.unanswered(&ordered, &mut text);
            for outcome in [Outcome::Ok, Outcome::NotApplicable] {
                let ids: Vec<&str> = ordered
                    .iter()
                    .filter(|report| report.outcome == outcome)
                    .map(|report| report.id)
                    .collect();
                if !ids.is_empty() {
                    text.push_str(&self.mark(outcome));
                    let wrapped = self.wrapped(&ids.join(", "), INDENT);
                    text.push_str(&wrapped);
                }
            }
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&summary(reports));
        text
    }

    /// Checks that cannot be told, together where one answer of the host is the reason of several.
    fn unanswered(&self, reports: &[&CheckReport], text: &mut String) {
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for report in reports.iter().filter(|report| is_bare(report)) {
            let reason = report.reason.as_deref().unwrap_or_default();
            match reasons.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, ids)) => ids.push(report.id),
                None => reasons.push((reason, vec![report.id])),
            }
        }
        for (reason, ids) in reasons {
            text.push_str(&self.mark(Outcome::CannotTell));
            text.push_str(&self.wrapped(&ids.join(", "), INDENT));
            text.push_str(&format!("{:INDENT$}{:<9}", "", "because"));
            text.push_str(&self.wrapped(reason, INDENT + 9));
        }
    }

    fn report(&self, report: &CheckReport, text: &mut String) {
        text.push_str(&self.mark(report.outcome));
        text.push_str(&format!("{}: {}\n", report.id, report.title));
        let mut line = |name: &str, what: &str| {
            text.push_str(&format!("{:INDENT$}{name:<9}", ""));
            text.push_str(&self.wrapped(what, INDENT + 9));
        };
        if let Some(reason) = &report.reason {
            line("because", reason);
        }
        let shown = if self.all { usize::MAX } else { SHOWN_EVIDENCE };
        for evidence in report.evidence.iter().take(shown) {
            line("seen", evidence);
        }
        if let Some(more) = report
            .evidence
            .len()
            .checked_sub(shown)
            .filter(|more| *more > 0)
        {
            line("", &format!("and {more} more: --all shows them"));
        }
        for way_out in &report.way_out {
            line("way out", way_out);
        }
        for fix in &report.fixes {
            line("--fix", &described(fix));
        }
        for cause in &report.causes {
            line("explain", &format!("wcow explain {cause}"));
        }
    }

    /// The mark at the beginning of a line, as wide as the indent.
    fn mark(&self, outcome: Outcome) -> String {
        let (word, colour) = match outcome {
            Outcome::Failure => ("FAIL", "1;31"),
            Outcome::Warning => ("warn", "33"),
            Outcome::CannotTell => ("?", "36"),
            Outcome::Ok => ("ok", "32"),
            Outcome::NotApplicable => ("n/a", "2"),
        };
        let padded = format!("{word:<INDENT$}");
        if self.colours {
            padded.replacen(word, &format!("\u{1b}[{colour}m{word}\u{1b}[0m"), 1)
        } else {
            padded
        }
    }

    /// Text from outside as lines: the first goes on where the cursor is, the others are indented.
    fn wrapped(&self, what: &str, indent: usize) -> String {
        let what = plain(what);
        let Some(width) = self.width else {
            return what + "\n";
        };
        let mut text = String::new();
        let mut column = indent;
        for (position, word) in what.split(' ').enumerate() {
            let length = word.chars().count();
            if position > 0 {
                if column + 1 + length > width {
                    text.push_str(&format!("\n{:indent$}", ""));
                    column = indent;
                } else {
                    text.push(' ');
                    column += 1;
                }
            }
            text.push_str(word);
            column += length;
        }
        text.push('\n');
        text
    }
}

/// Nothing is to be said of a check but why it cannot be told.
fn is_bare(report: &CheckReport) -> bool {
    report.outcome == Outcome::CannotTell && report.way_out.is_empty() && report.evidence.is_empty()
}

/// One line: how many checks came to what.
fn summary(reports: &[CheckReport]) -> String {
    let number = |outcome| {
        reports
            .iter()
            .filter(|report| report.outcome == outcome)
            .count()
    };
    let checks = match reports.len() {
        1 => "1 check".to_owned(),
        number => format!("{number} checks"),
    };
    let count = |outcome, one: &str, many: &str| match number(outcome) {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    };
    format!(
        "{checks}: {}, {}, {} cannot be told, {} ok, {} not about this host\n",
        count(Outcome::Failure, "failure", "failures"),
        count(Outcome::Warning, "warning", "warnings"),
        number(Outcome::CannotTell),
        number(Outcome::Ok),
        number(Outcome::NotApplicable)
    )
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn lines_break_on_a_terminal_only() {
        let page = |width| Page {
            colours: false,
            width,
            all: false,
        };
        let text = "one two three";
        assert_eq!(page(None).wrapped(text, 2), "one two three\n");
        assert_eq!(page(Some(10)).wrapped(text, 2), "one two\n  three\n");
        assert_eq!(page(Some(4)).wrapped("unbreakable", 2), "unbreakable\n");
    }
}
