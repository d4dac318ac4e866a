//! Virtual machines of their own: what they are made of, how they start and end.

use wcow_hcs_schema::SchemaVersion;
use wcow_hcs_schema::schema2::{
    Chipset, ComputeSystem, Devices, Scsi, Uefi, UefiBootDevice, UefiBootEntry, VirtualMachine,
    VirtualSmb,
};
use wcow_host::{ComputeService, Host, SystemState};

use crate::documents::expect;
use crate::matrix::{Expect, State};
use crate::stage::{Stage, Unlike, ensure, must};

pub(crate) async fn machine_tells_what_it_is<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    let machine = stage.bring(State::Running).await?;
    let compute = stage.host().compute();
    let properties = must("properties", compute.properties(machine, &[]).await)?;
    let kind = properties.system_type.unwrap_or_default();
    ensure(kind.eq_ignore_ascii_case("VirtualMachine"), || {
        format!("expected a virtual machine, found {kind:?}")
    })
}

pub(crate) async fn machine_outlives_a_closed_handle<H: Host>(
    stage: &Stage<'_, H>,
) -> Result<(), Unlike> {
    let machine = stage.bring(State::Running).await?;
    let compute = stage.host().compute();
    must("close", compute.close(machine).await)?;
    let again = must("open", compute.open(stage.id()).await)?;
    let status = must("status", compute.status(again).await)?;
    ensure(status.state == SystemState::Running, || {
        format!("expected the machine to run on without a handle, found {status:?}")
    })
}

/// Nobody gave the machine that disk.
pub(crate) async fn machine_needs_access_to_its_disk<H: Host>(
    stage: &Stage<'_, H>,
) -> Result<(), Unlike> {
    let other = stage.other_disk().await?.to_string();
    let document = with_disk(stage.machine().await?.machine(), &other);
    start(stage, document, Expect::Win32(0x0005)).await
}

pub(crate) async fn machine_needs_its_disk<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    let nowhere = format!("{}.none", stage.machine().await?.scratch_disk());
    let document = with_disk(stage.machine().await?.machine(), &nowhere);
    start(stage, document, Expect::Win32(0x0002)).await
}

pub(crate) async fn machine_needs_its_folders<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    let mut document = stage.machine().await?.machine();
    let devices = devices(&mut document);
    let shares = devices.virtual_smb.get_or_insert_with(VirtualSmb::default);
    for share in &mut shares.shares {
        share.path = share.path.as_deref().map(|path| format!("{path}.none"));
    }
    start(stage, document, Expect::Win32(0x0003)).await
}

/// A boot device that is none of the machine's, and a guest that nobody talks to: the firmware runs, and that is a start.
pub(crate) async fn machine_starts_without_a_guest<H: Host>(
    stage: &Stage<'_, H>,
) -> Result<(), Unlike> {
    let mut document = stage.machine().await?.machine();
    let boot = UefiBootEntry {
        device_type: Some(UefiBootDevice::ScsiDrive),
        device_path: Some("no such controller".to_owned()),
        ..UefiBootEntry::default()
    };
    let machine = document
        .virtual_machine
        .get_or_insert_with(VirtualMachine::default);
    machine.guest_connection = None;
    machine.chipset = Some(Chipset {
        uefi: Some(Uefi {
            boot_this: Some(boot),
            ..Uefi::default()
        }),
        ..Chipset::default()
    });
    let compute = stage.host().compute();
    let machine = must("create", stage.create_machine(&document).await)?;
    must("start", compute.start(machine).await)?;
    let status = must("status", compute.status(machine).await)?;
    ensure(status.state == SystemState::Running, || {
        format!("expected a machine that runs and boots nothing, found {status:?}")
    })
}

/// Services are newer than the version of the document, and so not there.
pub(crate) async fn machine_without_services_does_not_shut_down<H: Host>(
    stage: &Stage<'_, H>,
) -> Result<(), Unlike> {
    let mut document = stage.machine().await?.machine();
    document.schema_version = Some(SchemaVersion::V2_1);
    let compute = stage.host().compute();
    let machine = must("create", stage.create_machine(&document).await)?;
    must("start", compute.start(machine).await)?;
    let answer = compute.shutdown(machine).await;
    expect(compute.api(), Expect::Win32(0x0032), &answer, || {
        "shutdown of a machine without the service for it".to_owned()
    })
}

/// A machine of that document is created, and its start has that answer.
async fn start<H: Host>(
    stage: &Stage<'_, H>,
    document: ComputeSystem,
    expected: Expect,
) -> Result<(), Unlike> {
    let compute = stage.host().compute();
    let machine = must("create", stage.create_machine(&document).await)?;
    let answer = compute.start(machine).await;
    expect(compute.api(), expected, &answer, || {
        "start of a machine that lacks something".to_owned()
    })
}

fn devices(document: &mut ComputeSystem) -> &mut Devices {
    document
        .virtual_machine
        .get_or_insert_with(VirtualMachine::default)
        .devices
        .get_or_insert_with(Devices::default)
}

/// The same machine with another disk of its own.
fn with_disk(mut document: ComputeSystem, path: &str) -> ComputeSystem {
    for controller in devices(&mut document).scsi.values_mut() {
        let Scsi { attachments, .. } = controller;
        for disk in attachments.values_mut() {
            disk.path = Some(path.to_owned());
        }
    }
    document
}
