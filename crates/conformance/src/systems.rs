//! Compute systems: what they tell, how they end, what becomes of their ids and handles.

use wcow_host::{ComputeService, ExitType, Host, SystemEvent, SystemState};

use crate::State;
use crate::stage::{Stage, Unlike, build, ensure, must};

/// From this build on an enumeration leaves out the state of what was never started, and what has ended can still be asked.
const NEWEST: u32 = 26100;

pub(crate) async fn created_system_is_listed<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    stage.bring(State::Created).await?;
    let build = build(stage.host()).await?;
    let systems = must("enumerate", stage.host().compute().enumerate().await)?;
    let found = systems.iter().find(|system| system.id == *stage.id());
    let expected = (build < NEWEST).then_some(SystemState::Created);
    ensure(found.is_some_and(|system| system.state == expected), || {
        format!("expected the system with state {expected:?} in the list, found {found:?}")
    })
}

pub(crate) async fn running_system_is_listed<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    stage.bring(State::Running).await?;
    let systems = must("enumerate", stage.host().compute().enumerate().await)?;
    let found = systems.iter().find(|system| system.id == *stage.id());
    let running = Some(SystemState::Running);
    ensure(found.is_some_and(|system| system.state == running), || {
        format!("expected the system with state {running:?} in the list, found {found:?}")
    })
}

pub(crate) async fn stopped_system_is_not_listed<H: Host>(
    stage: &Stage<'_, H>,
) -> Result<(), Unlike> {
    stage.bring(State::Stopped).await?;
    let systems = must("enumerate", stage.host().compute().enumerate().await)?;
    let found = systems.iter().find(|system| system.id == *stage.id());
    ensure(found.is_none(), || {
        format!("expected the ended system to be gone from the list, found {found:?}")
    })
}

pub(crate) async fn ended_id_is_free<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    stage.bring(State::Stopped).await?;
    let again = must("create", stage.create().await?)?;
    must("start", stage.host().compute().start(again).await)
}

pub(crate) async fn shutdown_is_told<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    let system = stage.bring(State::Running).await?;
    must("shutdown", stage.host().compute().shutdown(system).await)?;
    exit_is(stage, system, ExitType::GracefulExit).await
}

pub(crate) async fn termination_is_told<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    let system = stage.bring(State::Stopped).await?;
    exit_is(stage, system, ExitType::ForcedExit).await
}

/// The handle that was open gets the event, once.
async fn exit_is<H: Host>(
    stage: &Stage<'_, H>,
    system: wcow_host::SystemHandle,
    expected: ExitType,
) -> Result<(), Unlike> {
    let compute = stage.host().compute();
    let event = must("next_event", compute.next_event(system).await)?;
    let told = matches!(&event, SystemEvent::Exited { status, exit }
        if status.0 == 0 && *exit == expected);
    ensure(told, || format!("expected {expected:?}, found {event:?}"))?;
    let second = compute.next_event(system).await;
    ensure(second.is_err(), || {
        format!("expected no event after the last one, found {second:?}")
    })
}

pub(crate) async fn exit_is_readable_on_newest<H: Host>(
    stage: &Stage<'_, H>,
) -> Result<(), Unlike> {
    let system = stage.bring(State::Stopped).await?;
    let status = stage.host().compute().status(system).await;
    if build(stage.host()).await? < NEWEST {
        return ensure(status.is_err(), || {
            format!("expected a refusal before build {NEWEST}, found {status:?}")
        });
    }
    let status = must("status", status)?;
    let expected = (SystemState::Stopped, Some(ExitType::ForcedExit));
    ensure((status.state, status.exit) == expected, || {
        format!("expected {expected:?}, found {status:?}")
    })
}

pub(crate) async fn handles_are_their_owners<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    let first = stage.bring(State::Running).await?;
    let compute = stage.host().compute();
    let second = must("open", compute.open(stage.id()).await)?;
    must("close", compute.close(first).await)?;
    let status = must("status", compute.status(second).await)?;
    ensure(status.state == SystemState::Running, || {
        format!("expected the other handle to show a running system, found {status:?}")
    })
}

pub(crate) async fn last_handle_ends_it<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    let mut document = stage.document().await?;
    document.terminate_on_last_handle_closed = true;
    let compute = stage.host().compute();
    let first = must("create", stage.create_from(&document).await)?;
    must("start", compute.start(first).await)?;
    let watched = must("open", compute.open(stage.id()).await)?;
    must("close", compute.close(first).await)?;
    let status = must("status", compute.status(watched).await)?;
    ensure(status.state == SystemState::Running, || {
        "expected it to go on while a handle is open".to_owned()
    })?;
    must("close", compute.close(watched).await)?;
    // It takes a moment, and nothing tells a client without a handle.
    for _ in 0..100 {
        match compute.open(stage.id()).await {
            Err(_) => return Ok(()),
            Ok(open) => must("close", compute.close(open).await)?,
        }
        crate::stage::pause(stage.host(), 100).await;
    }
    Err("expected the system to end with its last handle, and it runs after 10 s".to_owned())
}

pub(crate) async fn pause_holds_programs<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    let (system, container) = stage.bring_both().await?;
    let compute = stage.host().compute();
    let process = stage.spawn(container, "ping -n 3 localhost").await?;
    must("pause", compute.pause(system).await)?;
    crate::stage::pause(stage.host(), 20_000).await;
    let status = must("process_status", compute.process_status(process).await)?;
    ensure(!status.exited, || {
        "expected the program to stand still while the system is paused, and it has ended"
            .to_owned()
    })?;
    must("resume", compute.resume(system).await)?;
    let status = must("wait_process", compute.wait_process(process).await)?;
    ensure(status.exit_code == 0, || {
        format!("expected exit code 0 after the system went on, found {status:?}")
    })
}
