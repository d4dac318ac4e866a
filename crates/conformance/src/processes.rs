//! Processes: their pipes, their ends, what they are told.

use wcow_host::codes::{v1, v2, win32};
use wcow_host::{ComputeService, Host, HostError, Output, Signal, codes};

use crate::State;
use crate::stage::{Stage, Unlike, build, ensure, must, parameters};

/// The exit code of a process that was ended from outside.
const KILLED: u32 = 1067;
/// From this build on processes can be told something.
const SIGNALS: u32 = 17763;

pub(crate) async fn output_and_exit_code<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    let system = stage.bring(State::Running).await?;
    let ran = stage.exec(system, "cmd /c echo hello& exit 7").await?;
    ensure(ran.0.trim() == "hello" && ran.1 == 7, || {
        format!("expected \"hello\" and exit code 7, found {ran:?}")
    })
}

pub(crate) async fn missing_program<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    let system = stage.bring(State::Running).await?;
    let refused = stage
        .host()
        .compute()
        .create_process(system, &parameters("no-such-program-here.exe"))
        .await;
    is_win32(refused.map(drop), 0x2)
}

pub(crate) async fn missing_directory<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    let system = stage.bring(State::Running).await?;
    let mut parameters = parameters("cmd /c ver");
    parameters.working_directory = r"C:\no such directory".to_owned();
    let refused = stage
        .host()
        .compute()
        .create_process(system, &parameters)
        .await;
    is_win32(refused.map(drop), 0x10B)
}

pub(crate) async fn empty_variable_is_not_seen<H: Host>(
    stage: &Stage<'_, H>,
) -> Result<(), Unlike> {
    let system = stage.bring(State::Running).await?;
    let mut parameters = parameters("cmd /c set WCOW_");
    let environment = &mut parameters.environment;
    environment.insert("WCOW_EMPTY".to_owned(), String::new());
    environment.insert("WCOW_FULL".to_owned(), "1".to_owned());
    let (out, _) = stage.exec_with(system, &parameters).await?;
    ensure(
        out.contains("WCOW_FULL=1") && !out.contains("WCOW_EMPTY"),
        || format!("expected WCOW_FULL alone, found {out:?}"),
    )
}

pub(crate) async fn pipes_are_their_creators<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    let system = stage.bring(State::Running).await?;
    let compute = stage.host().compute();
    let process = stage.spawn(system, "ping -n 4 localhost").await?;
    let status = must("process_status", compute.process_status(process).await)?;
    let again = must(
        "open_process",
        compute.open_process(system, status.process_id).await,
    )?;
    let read = compute.read_output(again, Output::Out, 16).await;
    ensure(read.is_err(), || {
        format!("expected no pipe behind a reopened process, found {read:?}")
    })?;
    let bytes = must(
        "read_output",
        compute.read_output(process, Output::Out, 16).await,
    )?;
    ensure(!bytes.is_empty(), || {
        "expected output at the creator's handle".to_owned()
    })
}

pub(crate) async fn killed_process_has_its_code<H: Host>(
    stage: &Stage<'_, H>,
) -> Result<(), Unlike> {
    let system = stage.bring(State::Running).await?;
    let compute = stage.host().compute();
    let process = stage.spawn(system, "ping -t localhost").await?;
    let status = must("process_status", compute.process_status(process).await)?;
    let other = must(
        "open_process",
        compute.open_process(system, status.process_id).await,
    )?;
    must(
        "terminate_process",
        compute.terminate_process(process).await,
    )?;
    let seen = must("wait_process", compute.wait_process(other).await)?;
    ensure(seen.exited && seen.exit_code == KILLED, || {
        format!("expected exit code {KILLED}, found {seen:?}")
    })
}

pub(crate) async fn kill_spares_children<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    let system = stage.bring(State::Running).await?;
    let compute = stage.host().compute();
    let parent = stage.spawn(system, "cmd /c ping -n 6 localhost").await?;
    // The child has begun when it writes.
    must(
        "read_output",
        compute.read_output(parent, Output::Out, 64).await,
    )?;
    must("terminate_process", compute.terminate_process(parent).await)?;
    let bytes = must(
        "read_output",
        compute.read_output(parent, Output::Out, 4096).await,
    )?;
    ensure(!bytes.is_empty(), || {
        "expected the child to go on writing after its parent was ended".to_owned()
    })
}

pub(crate) async fn exited_process_cannot_be_ended<H: Host>(
    stage: &Stage<'_, H>,
) -> Result<(), Unlike> {
    let system = stage.bring(State::Running).await?;
    let compute = stage.host().compute();
    let process = stage.spawn(system, "cmd /c ver").await?;
    must("wait_process", compute.wait_process(process).await)?;
    is_exited(compute.terminate_process(process).await)?;
    if build(stage.host()).await? >= SIGNALS {
        is_exited(compute.signal_process(process, Signal::CtrlC).await)?;
    }
    Ok(())
}

pub(crate) async fn signal_ends_program<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    let system = stage.bring(State::Running).await?;
    let compute = stage.host().compute();
    let process = stage.spawn(system, "ping -t localhost").await?;
    let told = compute.signal_process(process, Signal::CtrlC).await;
    if build(stage.host()).await? < SIGNALS {
        return is_win32(told, 0x32);
    }
    must("signal_process", told)?;
    let status = must("wait_process", compute.wait_process(process).await)?;
    ensure(status.exited && status.exit_code == 0xC000_013A, || {
        format!("expected exit code 0xC000013A, found {status:?}")
    })
}

pub(crate) async fn closed_process_handle<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    let system = stage.bring(State::Running).await?;
    let compute = stage.host().compute();
    let process = stage.spawn(system, "cmd /c ver").await?;
    must("close_process", compute.close_process(process).await)?;
    is_win32(compute.process_status(process).await.map(drop), 6)
}

pub(crate) async fn console_joins_the_outputs<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    let system = stage.bring(State::Running).await?;
    let compute = stage.host().compute();
    let mut parameters = parameters("cmd /c dir C:\\no-such-file");
    parameters.emulate_console = true;
    parameters.console_size = Some([30, 100]);
    let process = must(
        "create_process",
        compute.create_process(system, &parameters).await,
    )?;
    let err = compute.read_output(process, Output::Err, 16).await;
    ensure(err.is_err(), || {
        format!("expected no pipe for standard error under a console, found {err:?}")
    })?;
    must("wait_process", compute.wait_process(process).await).map(drop)
}

/// The answers to a call about a process that has exited, of which builds differ.
fn is_exited(answer: Result<(), HostError>) -> Result<(), Unlike> {
    let known = [
        v1::INVALID_STATE,
        v1::SYSTEM_NOT_FOUND,
        win32::NOT_FOUND,
        v2::PROCESS_ALREADY_STOPPED,
    ];
    let fits = match &answer {
        Ok(()) => false,
        Err(error) => error
            .hresult()
            .is_some_and(|code| known.iter().any(|known| codes::same(*known, code))),
    };
    ensure(fits, || {
        format!("expected one of the answers for a process that has exited, found {answer:?}")
    })
}

fn is_win32(answer: Result<(), HostError>, low: u16) -> Result<(), Unlike> {
    let expected = wcow_ntmeta::Hresult::from_win32(u32::from(low));
    let fits = answer
        .as_ref()
        .err()
        .and_then(HostError::hresult)
        .is_some_and(|code| code == expected);
    ensure(fits, || format!("expected {expected}, found {answer:?}"))
}
