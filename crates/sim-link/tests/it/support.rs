//! What the tests share.

use std::future::Future;
use std::time::Duration;

use wcow_hcs_schema::schema1::{ContainerConfig, Layer, ProcessParameters};
use wcow_host::{
    ComputeApi, ComputeService, CreateDocument, HostError, Identity, LayerStorage, Output,
    SystemHandle, SystemId,
};
use wcow_sim::{Profile, RemoteHost, Sim};
use wcow_sim_link::{Runner, StagedImage, World, install_image};

/// Long enough for a loaded machine; a test that waits so long fails.
const LONG: Duration = Duration::from_secs(120);

/// A world with a base image.
pub(crate) fn world() -> (World, StagedImage) {
    let profile = Profile::server_2022().restarted();
    let sim = Sim::new(profile.clone(), 3);
    let client = sim.client_with(Identity::Administrator, ComputeApi::V1);
    let image = sim
        .run(install_image(&client, &profile))
        .expect("it ends")
        .expect("it is taken");
    (World::start(sim, 1000).expect("a thread"), image)
}

/// The outcome of a future on a runner.
#[track_caller]
pub(crate) fn wait<T: Send + 'static>(
    runner: &Runner,
    future: impl Future<Output = T> + Send + 'static,
) -> T {
    runner.wait(future, Some(LONG)).expect("an answer in time")
}

/// Makes a container and starts it.
pub(crate) async fn start(
    host: &RemoteHost,
    image: &StagedImage,
    id: &str,
) -> Result<SystemHandle, HostError> {
    let scratch = image.scratch_root.join(id);
    host.create_scratch(&scratch, &image.layers).await?;
    host.activate(&scratch).await?;
    host.prepare(&scratch, &image.layers).await?;
    let volume_path = host.mount_path(&scratch).await?;
    let layers = image.layers.iter().map(|layer| Layer {
        id: layer.id.to_string(),
        path: layer.path.to_string(),
        ..Layer::default()
    });
    let document = ContainerConfig {
        system_type: "Container".to_owned(),
        name: id.to_owned(),
        volume_path,
        layer_folder_path: scratch.to_string(),
        layers: layers.collect(),
        ..ContainerConfig::default()
    };
    let document = CreateDocument::Schema1(document);
    let system = host.create(&SystemId(id.to_owned()), &document).await?;
    host.start(system).await?;
    Ok(system)
}

/// Runs a program to its end: what it wrote, and its exit code.
pub(crate) async fn exec(
    host: &RemoteHost,
    system: SystemHandle,
    line: &str,
) -> Result<(String, u32), HostError> {
    let parameters = ProcessParameters {
        command_line: line.to_owned(),
        create_std_out_pipe: true,
        ..ProcessParameters::default()
    };
    let process = host.create_process(system, &parameters).await?;
    let mut text = Vec::new();
    loop {
        let bytes = host.read_output(process, Output::Out, 4096).await?;
        if bytes.is_empty() {
            break;
        }
        text.extend(bytes);
    }
    let status = host.wait_process(process).await?;
    host.close_process(process).await?;
    Ok((
        String::from_utf8_lossy(&text).into_owned(),
        status.exit_code,
    ))
}
