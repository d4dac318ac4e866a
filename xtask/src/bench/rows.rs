//! What is measured, how good it must be, and the table that says so.

use std::collections::BTreeMap;
use std::fmt;

use super::data::Data;
use super::measure::Figures;

/// What the programs are asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Action {
    /// Decode and hash everything.
    Verify,
    /// Write the whole tree to a disk in memory.
    Extract,
    /// Open the file and list every path in it.
    List,
}

/// Which figure of a run counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantity {
    Cpu,
    Wall,
    Peak,
}

/// How good is good enough.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Limit {
    /// Times as much as wimlib takes.
    Ratio(f64),
    /// So many MiB, and so many bytes for each entry of the tree.
    Memory { mib: u64, per_entry: u64 },
    /// Whatever it is.
    Any,
}

/// One line of the table.
pub(super) struct Row {
    pub(super) action: Action,
    pub(super) data: Data,
    /// Workers of ours; wimlib decodes on one thread always.
    pub(super) workers: usize,
    quantity: Quantity,
    must: Limit,
    goal: Limit,
}

/// Every line.
pub(super) fn all() -> Vec<Row> {
    use Action::{Extract, List, Verify};
    use Data::{Lzx, Many, SolidLzms, Uncompressed, Xpress};
    use Quantity::{Cpu, Peak, Wall};

    let ratio = |action, data, workers, quantity, must, goal| Row {
        action,
        data,
        workers,
        quantity,
        must: Limit::Ratio(must),
        goal: Limit::Ratio(goal),
    };
    let any = |action, data, workers, quantity| Row {
        action,
        data,
        workers,
        quantity,
        must: Limit::Any,
        goal: Limit::Any,
    };
    let memory = |action, data, must, goal, per_entry| Row {
        action,
        data,
        workers: 2,
        quantity: Peak,
        must: Limit::Memory {
            mib: must,
            per_entry,
        },
        goal: Limit::Memory {
            mib: goal,
            per_entry,
        },
    };
    let mut rows = vec![
        ratio(Verify, Xpress, 1, Cpu, 1.00, 0.75),
        ratio(Verify, Lzx, 1, Cpu, 1.00, 0.75),
        ratio(Verify, SolidLzms, 1, Cpu, 1.10, 0.85),
        any(Verify, Uncompressed, 1, Cpu),
        ratio(Verify, Xpress, 2, Wall, 0.55, 0.40),
        ratio(Verify, Lzx, 2, Wall, 0.55, 0.40),
        ratio(Verify, SolidLzms, 2, Wall, 0.62, 0.50),
        any(Verify, Uncompressed, 2, Wall),
        ratio(Extract, Xpress, 2, Wall, 0.62, 0.50),
        ratio(Extract, Lzx, 2, Wall, 0.62, 0.50),
        ratio(Extract, SolidLzms, 2, Wall, 0.62, 0.50),
        any(Extract, Uncompressed, 2, Wall),
        ratio(List, Many, 1, Wall, 0.5, 0.3),
        ratio(List, Many, 1, Cpu, 0.5, 0.3),
    ];
    for action in [Verify, Extract] {
        for data in [Uncompressed, Xpress, Lzx] {
            rows.push(memory(action, data, 48, 32, 200));
        }
        rows.push(memory(action, SolidLzms, 256, 192, 0));
    }
    rows
}

/// What came of one program's runs, or why nothing did.
pub(super) type Measured = Result<Figures, String>;

/// The figures of all trials: by what was done with which file; ours by workers as well.
#[derive(Default)]
pub(super) struct Results {
    pub(super) theirs: BTreeMap<(Action, Data), Figures>,
    pub(super) ours: BTreeMap<(Action, Data, usize), Measured>,
}

/// What a line comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The goal is reached.
    Goal,
    /// What must be is.
    Holds,
    /// What must be is not.
    Misses,
    /// There is no limit.
    Free,
    /// There is no figure, for this reason.
    NotMeasured(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Goal => f.write_str("goal reached"),
            Self::Holds => f.write_str("holds"),
            Self::Misses => f.write_str("MISSES"),
            Self::Free => f.write_str("for information"),
            Self::NotMeasured(why) => write!(f, "not measured: {why}"),
        }
    }
}

/// A line with its figures, as text.
pub(super) struct Line {
    cells: Vec<String>,
    pub(super) verdict: Verdict,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| {} | {} |", self.cells.join(" | "), self.verdict)
    }
}

/// The first lines of the table.
pub(super) const HEAD: &str = "\
| measured | file | workers | wcow | wimlib | ratio | must | goal | verdict |
|---|---|---|---|---|---|---|---|---|";

impl Row {
    /// What is measured, as the table says it.
    pub(super) fn name(&self) -> String {
        let action = match self.action {
            Action::Verify => "verify",
            Action::Extract => "extract",
            Action::List => "list",
        };
        let quantity = match self.quantity {
            Quantity::Cpu => "CPU time",
            Quantity::Wall => "wall time",
            Quantity::Peak => "peak memory",
        };
        format!("{action}, {quantity}")
    }

    /// The line for this row; a tree of so many entries is in the file.
    pub(super) fn line(&self, results: &Results, entries: u64) -> Line {
        let theirs = results.theirs.get(&(self.action, self.data));
        let ours = results.ours.get(&(self.action, self.data, self.workers));
        let (ours, why) = match ours {
            Some(Ok(figures)) => (Some(figures), String::new()),
            Some(Err(why)) => (None, why.clone()),
            None => (None, "not tried".to_owned()),
        };
        let ratio = ours
            .zip(theirs)
            .map(|(ours, theirs)| self.ratio(ours, theirs));
        let verdict = match (ours, ratio) {
            (Some(ours), Some(ratio)) => self.verdict(ours, ratio, entries),
            _ => Verdict::NotMeasured(why),
        };
        let shown = |figures: Option<&Figures>| figures.map_or("-".to_owned(), |f| self.shown(f));
        let cells = vec![
            self.name(),
            self.data.to_string(),
            self.workers.to_string(),
            shown(ours),
            shown(theirs),
            ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}")),
            self.must.shown(entries),
            self.goal.shown(entries),
        ];
        Line { cells, verdict }
    }

    fn verdict(&self, ours: &Figures, ratio: f64, entries: u64) -> Verdict {
        let keeps = |limit: Limit| match limit {
            Limit::Ratio(most) => ratio <= most,
            Limit::Memory { mib, per_entry } => ours.peak <= budget(mib, per_entry, entries),
            Limit::Any => true,
        };
        if self.must == Limit::Any {
            Verdict::Free
        } else if keeps(self.goal) {
            Verdict::Goal
        } else if keeps(self.must) {
            Verdict::Holds
        } else {
            Verdict::Misses
        }
    }

    fn ratio(&self, ours: &Figures, theirs: &Figures) -> f64 {
        match self.quantity {
            Quantity::Cpu => ours.cpu.as_secs_f64() / theirs.cpu.as_secs_f64(),
            Quantity::Wall => ours.wall.as_secs_f64() / theirs.wall.as_secs_f64(),
            Quantity::Peak => ours.peak as f64 / theirs.peak as f64,
        }
    }

    fn shown(&self, figures: &Figures) -> String {
        match self.quantity {
            Quantity::Cpu => format!("{:.3} s", figures.cpu.as_secs_f64()),
            Quantity::Wall => format!("{:.3} s", figures.wall.as_secs_f64()),
            Quantity::Peak => format!("{:.1} MiB", mib(figures.peak)),
        }
    }
}

impl Limit {
    fn shown(self, entries: u64) -> String {
        match self {
            Self::Ratio(ratio) => format!("{ratio:.2}"),
            Self::Memory {
                mib: base,
                per_entry,
            } => format!("{:.1} MiB", mib(budget(base, per_entry, entries))),
            Self::Any => "-".to_owned(),
        }
    }
}

fn budget(mib: u64, per_entry: u64, entries: u64) -> u64 {
    (mib << 20) + per_entry * entries
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Action, Data, Figures, Limit, Quantity, Results, Row, Verdict, all};

    fn figures(cpu: u64, wall: u64, peak_mib: u64) -> Figures {
        Figures {
            cpu: Duration::from_millis(cpu),
            wall: Duration::from_millis(wall),
            peak: peak_mib << 20,
        }
    }

    #[track_caller]
    fn check(quantity: Quantity, must: Limit, goal: Limit, ours: Figures, text: &str) {
        let row = Row {
            action: Action::Verify,
            data: Data::Lzx,
            workers: 2,
            quantity,
            must,
            goal,
        };
        let mut results = Results::default();
        let key = (row.action, row.data);
        results.theirs.insert(key, figures(1000, 2000, 100));
        let not_tried = row.line(&results, 0).verdict;
        assert_eq!(not_tried, Verdict::NotMeasured("not tried".to_owned()));
        results.ours.insert((key.0, key.1, 2), Ok(ours));
        assert_eq!(row.line(&results, 1 << 20).to_string(), text);
    }

    #[test]
    fn a_line_holds_its_figures_to_the_limits() {
        use Limit::{Any, Memory, Ratio};
        use Quantity::{Cpu, Peak, Wall};
        let cost = figures(800, 1500, 40);
        check(
            Cpu,
            Ratio(1.0),
            Ratio(0.8),
            cost,
            "| verify, CPU time | LZX | 2 | 0.800 s | 1.000 s | 0.80 | 1.00 | 0.80 | goal reached |",
        );
        check(
            Wall,
            Ratio(0.6),
            Ratio(0.5),
            cost,
            "| verify, wall time | LZX | 2 | 1.500 s | 2.000 s | 0.75 | 0.60 | 0.50 | MISSES |",
        );
        check(
            Wall,
            Any,
            Any,
            cost,
            "| verify, wall time | LZX | 2 | 1.500 s | 2.000 s | 0.75 | - | - | for information |",
        );
        let memory = |mib, per_entry| Memory { mib, per_entry };
        check(
            Peak,
            memory(30, 10),
            memory(29, 10),
            cost,
            "| verify, peak memory | LZX | 2 | 40.0 MiB | 100.0 MiB | 0.40 | 40.0 MiB | 39.0 MiB | holds |",
        );
    }

    #[test]
    fn goals_are_never_looser_than_what_must_be() {
        for row in all() {
            match (row.must, row.goal) {
                (Limit::Ratio(must), Limit::Ratio(goal)) => assert!(goal <= must, "{}", row.name()),
                (Limit::Memory { mib: must, .. }, Limit::Memory { mib: goal, .. }) => {
                    assert!(goal <= must, "{}", row.name());
                }
                (must, goal) => assert_eq!(must, goal, "{}", row.name()),
            }
        }
    }
}
