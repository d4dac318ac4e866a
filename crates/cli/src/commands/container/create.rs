//! What `create` and `run` ask the engine for.

use wcow_engine::{CreateContainer, Settings};
use wcow_runtime::{ExecSpec, Isolation, Processors};

use crate::args::CreateOptions;
use crate::failure::{Failure, exit};
use crate::output::note;
use crate::session::Session;

/// Bytes in a MiB.
const MIB: u64 = 1 << 20;

/// The container that was asked for.
pub(super) fn wanted(
    image: &str,
    command: &[String],
    args: &CreateOptions,
) -> Result<CreateContainer, Failure> {
    let shares = [
        args.cpus
            .map(|count| (format!("count ({count})"), Processors::Count(count))),
        args.cpu_percent.map(|percent| {
            let limit = Processors::Limit(percent.saturating_mul(100));
            (format!("limit ({percent} %)"), limit)
        }),
        args.cpu_shares
            .map(|weight| (format!("weight ({weight})"), Processors::Weight(weight))),
    ];
    let shares: Vec<(String, Processors)> = shares.into_iter().flatten().collect();
    let processors = match &shares[..] {
        [] => None,
        [(_, processors)] => Some(*processors),
        several => {
            let words: Vec<&str> = several.iter().map(|(words, _)| words.as_str()).collect();
            return Err(Failure::new(
                exit::USAGE,
                format!(
                    "the processors of a Windows container have one of count, limit and weight, not {} together",
                    words.join(" and ")
                ),
            )
            .help("leave out all but one of --cpus, --cpu-percent and --cpu-shares"));
        }
    };
    Ok(CreateContainer {
        image: image.to_owned(),
        name: args.name.clone(),
        id: None,
        network: args.network.clone(),
        publish: args.publish.clone(),
        environment: args.env.iter().cloned().collect(),
        working_directory: args.workdir.clone().unwrap_or_default(),
        host_name: args.hostname.clone(),
        isolation: match args.isolation {
            crate::args::IsolationArg::Process => Isolation::Process,
            crate::args::IsolationArg::Hyperv => Isolation::HyperV,
        },
        memory_mib: args.memory.map(|bytes| bytes.div_ceil(MIB)),
        processors,
        mounts: args.volume.clone(),
        settings: Settings {
            command: (!command.is_empty()).then(|| ExecSpec::from_arguments(command).command_line),
            user: args.user.clone().unwrap_or_default(),
            stdin: args.interactive,
            console: args.tty,
            labels: args.label.iter().cloned().collect(),
            restart: args.restart,
            stop_seconds: args.stop_timeout,
        },
    })
}

/// Says that a container got fewer processors than were asked for: the host has no more.
pub(super) fn warn_of_processors(session: &Session, name: &str, wanted: Option<u32>) {
    let Some(wanted) = wanted else { return };
    if let Ok(Ok(details)) = session.try_run(|engine| engine.inspect(name))
        && let Some(Processors::Count(count)) = details.processors
        && count < wanted
    {
        note(&format!(
            "warning: the host has {count} processors: container {name:?} gets these, not {wanted}"
        ));
    }
}

/// Says what will keep a container from running, before the host says it in its own way. The host has the last word: nothing is
/// refused because of it.
pub(super) fn warn(session: &Session, name: &str) {
    if let Ok(Ok(Some(sentence))) = session.try_run(|engine| engine.foresee(name)) {
        note(&format!(
            "warning: container {name:?} will not run on this host: {sentence}"
        ));
    }
}
