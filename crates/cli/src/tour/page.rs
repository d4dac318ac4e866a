//! How the tour looks.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use wcow_host::HostInfo;
use wcow_scenario::predict::Inspection;
use wcow_scenario::{Action, Outcome, Scenario, wims};

use super::Item;
use crate::output::{colours, table};

/// The page that the tour writes, or nothing if data is to be JSON.
pub(crate) struct Page {
    silent: bool,
    ink: Ink,
}

/// Escape sequences, empty where colours are not wanted.
struct Ink {
    bold: &'static str,
    dim: &'static str,
    good: &'static str,
    bad: &'static str,
    plain: &'static str,
}

impl Page {
    pub(crate) fn new(silent: bool) -> Self {
        let ink = if colours(&io::stdout()) {
            Ink {
                bold: "\u{1b}[1m",
                dim: "\u{1b}[2m",
                good: "\u{1b}[32m",
                bad: "\u{1b}[31m",
                plain: "\u{1b}[0m",
            }
        } else {
            Ink {
                bold: "",
                dim: "",
                good: "",
                bad: "",
                plain: "",
            }
        };
        Self { silent, ink }
    }

    /// What is going to happen, and the WIM files it happens to.
    pub(super) fn opening(&mut self, shelf: &wims::Shelf) -> io::Result<()> {
        let rows: Vec<Vec<String>> = shelf
            .files()
            .map(|file| {
                vec![
                    file.name.to_owned(),
                    file.image.to_owned(),
                    file.version.to_owned(),
                    file.edition.to_owned(),
                ]
            })
            .collect();
        self.print(&format!(
            "{}From a WIM file to a running container.{}\n\n\
             In August 2015 somebody tried to run containers on Nano Server, Technical Preview 3 of Windows Server 2016.\n\
             This is that story, step by step, on simulated hosts that answer as the real ones did. Nothing here is a\n\
             Windows: the WIM files are made now, in memory, and are these:\n\n{}\n",
            self.ink.bold,
            self.ink.plain,
            indent(&table(&["FILE", "IMAGE", "VERSION", "EDITION"], &rows), "  "),
        ))
    }

    /// What was found in a WIM.
    pub(super) fn inspection(&mut self, path: &Path, inspection: &Inspection) -> io::Result<()> {
        let mut text = format!("{}{}{}\n", self.ink.bold, path.display(), self.ink.plain);
        match &inspection.request {
            Ok(request) => text.push_str(&format!(
                "  image              {} {}\n  edition            {}\n",
                request.name, request.version, request.product_name
            )),
            Err(reason) => text.push_str(&format!("  image              {reason}\n")),
        }
        let hives = match inspection.missing_hives.as_slice() {
            [] => "all five".to_owned(),
            missing => format!("missing: {}", missing.join(", ")),
        };
        let yes_no = |yes| if yes { "yes" } else { "no" };
        text.push_str(&format!(
            "  files and folders  {}\n  registry hives     {hives}\n  CExecSvc.exe       {}\n  cmd.exe            {}\n",
            inspection.entries,
            yes_no(inspection.container_service),
            yes_no(inspection.command_shell),
        ));
        self.print(&text)
    }

    /// A host is made.
    pub(super) fn host(&mut self, host: &HostInfo) -> io::Result<()> {
        let title = format!("{} (build {}, {})", host.product, host.build, host.edition);
        let line = "=".repeat(title.chars().count());
        self.print(&format!(
            "\n{}{title}\n{line}{}\n",
            self.ink.bold, self.ink.plain
        ))
    }

    /// A scenario begins.
    pub(super) fn scenario(&mut self, scenario: &Scenario) -> io::Result<()> {
        self.print(&format!(
            "\n{}{}  {}{}\n{}\n",
            self.ink.bold,
            scenario.id,
            scenario.title,
            self.ink.plain,
            wrapped(&scenario.story, "    ")
        ))
    }

    /// A step was done.
    pub(super) fn step(&mut self, outcome: &Outcome) -> io::Result<()> {
        let Ink {
            bold,
            dim,
            good,
            bad,
            plain,
        } = &self.ink;
        let mut text = String::from("\n");
        if let Some(caller) = outcome.step.caller {
            text.push_str(&format!("    {dim}who{plain}   {caller}\n"));
        }
        if let Some(powershell) = &outcome.step.powershell {
            text.push_str(&format!("    {dim}then{plain}  PS> {powershell}\n"));
        }
        if let Some(command) = outcome.step.action.command() {
            text.push_str(&format!("    {dim}now{plain}   $ {bold}{command}{plain}\n"));
        }
        if let Action::Call(call) = &outcome.step.action {
            text.push_str(&format!("    {dim}call{plain}  {bold}{call}{plain}\n"));
        }
        let shown = outcome.answer.text.trim_end();
        if !shown.is_empty() {
            text.push_str(&format!("{}\n", indent(shown, "        | ")));
        }
        let (mark, colour) = if outcome.agrees() {
            ("as expected", good)
        } else {
            ("NOT as expected", bad)
        };
        text.push_str(&format!(
            "    {colour}{}{plain} ({mark}): {}\n",
            outcome.seen(),
            outcome.step.means
        ));
        if let Some(failure) = outcome.answer.failure {
            text.push_str(&format!("    {dim}more:{plain} wcow explain {failure}\n"));
        }
        for difference in &outcome.differences {
            text.push_str(&format!("{bad}{}{plain}\n", indent(difference, "      ! ")));
        }
        self.print(&text)
    }

    /// All of it in one table.
    pub(super) fn table(&mut self, items: &[Item]) -> io::Result<()> {
        let rows: Vec<Vec<String>> = items
            .iter()
            .map(|item| {
                vec![
                    item.id.clone(),
                    item.profile.clone(),
                    item.expected.clone(),
                    item.seen.clone(),
                    if item.agrees { "yes" } else { "NO" }.to_owned(),
                    item.title.clone(),
                ]
            })
            .collect();
        let steps: usize = items.iter().map(|item| item.steps.len()).sum();
        let disagreeing = items.iter().filter(|item| !item.agrees).count();
        let verdict = if disagreeing == 0 {
            format!(
                "{}All {steps} steps went as expected.{}",
                self.ink.good, self.ink.plain
            )
        } else {
            format!(
                "{}{disagreeing} of {} did not go as expected.{}",
                self.ink.bad,
                items.len(),
                self.ink.plain
            )
        };
        self.print(&format!(
            "\n{}\n{verdict}\n",
            table(&["ID", "HOST", "EXPECTED", "SEEN", "AGREES", "WHAT"], &rows)
        ))
    }

    fn print(&mut self, text: &str) -> io::Result<()> {
        if self.silent {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        if out.is_terminal() {
            out.flush()
        } else {
            Ok(())
        }
    }
}

/// Puts something before every line.
fn indent(text: &str, with: &str) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(|line| format!("{with}{line}").trim_end().to_owned())
        .collect();
    lines.join("\n")
}

/// Breaks running text into lines of at most 96 columns, and puts something before each.
fn wrapped(text: &str, with: &str) -> String {
    const WIDTH: usize = 96;
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        if let Some(line) = lines.last_mut()
            && (line.is_empty() || line.chars().count() + 1 + word.chars().count() <= WIDTH)
        {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        lines.push(word.to_owned());
    }
    indent(&lines.join("\n"), with)
}
