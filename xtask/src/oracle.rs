//! Oracle.
use crate::report::Report;
use crate::workspace::Workspace;
use anyhow::Result;
pub(crate) fn run(_workspace: &Workspace, _: &[String]) -> Result<Report> {
    Ok(Report::default())
}
