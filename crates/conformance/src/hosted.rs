//! Containers in virtual machines of their own: when there can be one, and what becomes of it with its machine.

use wcow_host::{ComputeService, ExitType, Host, SaveType, SystemEvent, SystemHandle, SystemState};

use crate::documents::expect;
use crate::matrix::{Expect, State};
use crate::stage::{Stage, Unlike, ensure, must, parameters};

pub(crate) async fn hosted_container_runs<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    let (_, container) = stage.bring_both().await?;
    let (out, code) = stage.exec(container, "cmd /c echo hosted").await?;
    ensure(out.trim() == "hosted" && code == 0, || {
        format!("expected \"hosted\" and 0, found {out:?} and {code}")
    })
}

pub(crate) async fn hosted_container_tells_its_machine<H: Host>(
    stage: &Stage<'_, H>,
) -> Result<(), Unlike> {
    let (_, container) = stage.bring_both().await?;
    let compute = stage.host().compute();
    let properties = must("properties", compute.properties(container, &[]).await)?;
    let machine = properties.hosting_system_id.unwrap_or_default();
    ensure(machine.eq_ignore_ascii_case(&stage.id().0), || {
        format!("expected the machine {}, found {machine:?}", stage.id())
    })
}

pub(crate) async fn hosted_container_is_not_paused<H: Host>(
    stage: &Stage<'_, H>,
) -> Result<(), Unlike> {
    let (_, container) = stage.bring_both().await?;
    let compute = stage.host().compute();
    let answer = compute.pause(container).await;
    expect(compute.api(), Expect::Win32(0x0032), &answer, || {
        "pause of a container in a machine".to_owned()
    })
}

pub(crate) async fn hosted_container_needs_its_machine<H: Host>(
    stage: &Stage<'_, H>,
) -> Result<(), Unlike> {
    // The machine was never created.
    refused(stage, Expect::Hcs(&[0x010E]), "no such machine").await
}

pub(crate) async fn hosted_container_needs_a_running_machine<H: Host>(
    stage: &Stage<'_, H>,
) -> Result<(), Unlike> {
    stage.bring(State::Created).await?;
    refused(stage, Expect::Hcs(&[0x0105]), "the machine is off").await
}

pub(crate) async fn hosted_container_needs_its_layers<H: Host>(
    stage: &Stage<'_, H>,
) -> Result<(), Unlike> {
    stage.bring(State::Running).await?;
    let what = "the machine has no such layers";
    refused(stage, Expect::Win32(0x0003), what).await
}

/// The container cannot be created in the machine as it is.
async fn refused<H: Host>(
    stage: &Stage<'_, H>,
    expected: Expect,
    what: &str,
) -> Result<(), Unlike> {
    let document = stage.machine().await?.container();
    let answer = stage.create_hosted(&document).await.map(drop);
    let api = stage.host().compute().api();
    expect(api, expected, &answer, || {
        format!("a container in a machine, when {what}")
    })
}

pub(crate) async fn hosted_container_ends_with_its_machine<H: Host>(
    stage: &Stage<'_, H>,
) -> Result<(), Unlike> {
    let (machine, container) = stage.bring_both().await?;
    let compute = stage.host().compute();
    must("terminate", compute.terminate(machine).await)?;
    has_ended(stage, container).await
}

pub(crate) async fn hosted_container_ends_with_a_saved_machine<H: Host>(
    stage: &Stage<'_, H>,
) -> Result<(), Unlike> {
    let (machine, container) = stage.bring_both().await?;
    let compute = stage.host().compute();
    must("pause", compute.pause(machine).await)?;
    must("save", compute.save(machine, SaveType::ToFile).await)?;
    out_of_reach(stage, container).await?;
    must("terminate", compute.terminate(machine).await)?;
    has_ended(stage, container).await
}

pub(crate) async fn hosted_container_is_out_of_reach_while_its_machine_is_paused<H: Host>(
    stage: &Stage<'_, H>,
) -> Result<(), Unlike> {
    let (machine, container) = stage.bring_both().await?;
    let compute = stage.host().compute();
    must("pause", compute.pause(machine).await)?;
    out_of_reach(stage, container).await?;
    let again = must("open", compute.open(stage.container()).await)?;
    must("properties", compute.properties(again, &[]).await)?;
    must("resume", compute.resume(machine).await)?;
    let (out, _) = stage.exec(again, "cmd /c echo again").await?;
    ensure(out.trim() == "again", || {
        format!("expected programs to run again, found {out:?}")
    })
}

pub(crate) async fn machine_outlives_its_container<H: Host>(
    stage: &Stage<'_, H>,
) -> Result<(), Unlike> {
    let (machine, container) = stage.bring_both().await?;
    let compute = stage.host().compute();
    must("terminate", compute.terminate(container).await)?;
    let status = must("status", compute.status(machine).await)?;
    ensure(status.state == SystemState::Running, || {
        format!("expected the machine to run on, found {status:?}")
    })?;
    let document = stage.machine().await?.container();
    let again = must("create", stage.create_hosted(&document).await)?;
    must("start", compute.start(again).await)
}

/// Nothing can be started in it.
async fn out_of_reach<H: Host>(
    stage: &Stage<'_, H>,
    container: SystemHandle,
) -> Result<(), Unlike> {
    let compute = stage.host().compute();
    let parameters = parameters("cmd /c ver");
    let started = compute.create_process(container, &parameters).await;
    let answer = started.map(drop);
    expect(compute.api(), Expect::Hcs(&[0x0105]), &answer, || {
        "a program in a container whose machine stands still".to_owned()
    })
}

/// It has ended, and nobody asked for that.
async fn has_ended<H: Host>(stage: &Stage<'_, H>, container: SystemHandle) -> Result<(), Unlike> {
    let compute = stage.host().compute();
    let event = must("next_event", compute.next_event(container).await)?;
    let unexpected = matches!(&event, SystemEvent::Exited { exit, .. }
        if *exit == ExitType::UnexpectedExit);
    ensure(unexpected, || {
        format!("expected an unexpected exit, found {event:?}")
    })?;
    let again = compute.open(stage.container()).await.map(drop);
    expect(compute.api(), Expect::Hcs(&[0x010E]), &again, || {
        "a container whose machine has ended".to_owned()
    })
}
