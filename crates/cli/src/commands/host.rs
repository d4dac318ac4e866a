//! `wcow host`.

use serde::Serialize;
use wcow_engine::Enabled;
use wcow_host::{FeatureState, HostInfo};
use wcow_sim::Profile;

use super::{each, remove_each};
use crate::args::{Global, HostCommand};
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::session::{hosts_failure, open_hosts, with_host};

/// Runs one command of the group; the exit code is 0, except for the doctor's.
pub(crate) fn run(command: &HostCommand, global: &Global, output: &Output) -> Result<u8, Failure> {
    match command {
        HostCommand::New {
            name,
            profile,
            seed,
        } => {
            let host = open_hosts(global)?
                .create(name, profile, *seed)
                .map_err(|error| hosts_failure(&error))?;
            let fingerprint = host.sim.fingerprint();
            drop(host);
            note(&format!(
                "made a simulated host; use it with --host sim:{name}, or WCOW_HOST=sim:{name}"
            ));
            output.line(name)?;
            if output.is_json() {
                let made = NewHost {
                    name,
                    profile,
                    seed: *seed,
                    fingerprint,
                };
                output.json("host.new", &[made])?;
            }
        }
        HostCommand::Ls => list(global, output)?,
        HostCommand::Profiles => {
            output.list(
                "host.profile",
                &Profile::all(),
                &["PROFILE", "BUILD", "EDITION", "WHAT IT IS"],
                |profile| {
                    vec![
                        profile.name.to_string(),
                        profile.build.to_string(),
                        profile.edition.to_string(),
                        profile.product.to_string(),
                    ]
                },
            )?;
        }
        HostCommand::Info => info(global, output)?,
        HostCommand::Features => features(global, output)?,
        HostCommand::Doctor(args) => return super::doctor::run(args, global, output),
        HostCommand::Enable { names } => with_host(global, |session| {
            each(names, output, "host.change", |name| {
                let enabled = session.run(|engine| engine.enable(name))?;
                let waits = enabled == Enabled::AfterReboot;
                if waits {
                    note(&format!(
                        "{name} works after a restart of the host: wcow host reboot"
                    ));
                }
                Ok(Changed::new(name, waits))
            })
        })?,
        HostCommand::Disable { names } => with_host(global, |session| {
            each(names, output, "host.change", |name| {
                let state = session.run(|engine| engine.disable(name))?;
                let waits = state == FeatureState::DisablePending;
                if waits {
                    note(&format!(
                        "{name} goes with the next restart of the host: wcow host reboot"
                    ));
                }
                Ok(Changed::new(name, waits))
            })
        })?,
        HostCommand::Reboot => {
            let info = with_host(global, |session| {
                session.run(|engine| engine.reboot())?;
                session.run(|engine| engine.info())
            })?;
            note("the host was restarted; containers that ran on it have ended");
            if output.is_json() {
                output.json("host.reboot", &[info])?;
            }
        }
        HostCommand::Serve { speed, address } => {
            return super::serve::run(*speed, address.as_deref(), global, output);
        }
        HostCommand::Rm { names } => {
            let hosts = open_hosts(global)?;
            remove_each("host", names, output, |name| {
                hosts.remove(name).map_err(|error| hosts_failure(&error))
            })?;
        }
    }
    Ok(0)
}

/// A package or feature that was turned on or off.
#[derive(Serialize)]
struct Changed {
    name: String,
    reboot_needed: bool,
}

impl Changed {
    fn new(name: &str, reboot_needed: bool) -> Self {
        Self {
            name: name.to_owned(),
            reboot_needed,
        }
    }
}

#[derive(Serialize)]
struct NewHost<'a> {
    name: &'a str,
    profile: &'a str,
    seed: u64,
    fingerprint: String,
}

#[derive(Serialize)]
struct ListedHost {
    name: String,
    profile: Option<String>,
    build: Option<u32>,
    product: Option<String>,
    problem: Option<String>,
}

fn list(global: &Global, output: &Output) -> Result<(), Failure> {
    let hosts = open_hosts(global)?;
    let mut items = Vec::new();
    for name in hosts.names().map_err(|error| hosts_failure(&error))? {
        items.push(match hosts.look(&name) {
            Ok(host) => {
                let profile = host.sim.profile();
                ListedHost {
                    name,
                    profile: Some(profile.name.to_string()),
                    build: Some(profile.build),
                    product: Some(profile.product.to_string()),
                    problem: None,
                }
            }
            Err(error) => ListedHost {
                name,
                profile: None,
                build: None,
                product: None,
                problem: Some(problem(&error)),
            },
        });
    }
    output.list(
        "host",
        &items,
        &["NAME", "PROFILE", "BUILD", "WHAT IT IS"],
        |item| {
            vec![
                item.name.clone(),
                item.profile.clone().unwrap_or_else(|| "-".to_owned()),
                item.build
                    .map_or_else(|| "-".to_owned(), |build| build.to_string()),
                item.product
                    .clone()
                    .or_else(|| item.problem.clone())
                    .unwrap_or_default(),
            ]
        },
    )?;
    Ok(())
}

fn problem(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn info(global: &Global, output: &Output) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Shown {
        #[serde(flatten)]
        info: HostInfo,
        packages: Vec<String>,
        adapters: Option<Vec<String>>,
    }
    let shown = with_host(global, |session| {
        let info = session.run(|engine| engine.info())?;
        let packages = session.run(|engine| engine.packages())?;
        // A host that cannot tell its adapters is still one.
        let adapters = session.try_run(|engine| engine.adapters())?;
        if let Err(error) = &adapters {
            note(&problem(error));
        }
        Ok(Shown {
            info,
            packages: packages
                .into_iter()
                .map(|package| {
                    if package.reboot_pending {
                        format!("{} (after restart)", package.name)
                    } else {
                        package.name
                    }
                })
                .collect(),
            adapters: adapters
                .ok()
                .map(|all| all.into_iter().map(|adapter| adapter.name).collect()),
        })
    })?;
    let info = &shown.info;
    let mut lines = vec![
        ("Name", info.name.to_string()),
        ("Windows", info.product.to_string()),
        ("Build", format!("{}.{}", info.build, info.revision)),
        ("Edition", info.edition.to_string()),
        (
            "Restart pending",
            if info.reboot_pending { "yes" } else { "no" }.to_owned(),
        ),
    ];
    if !shown.packages.is_empty() {
        lines.push(("Packages", shown.packages.join(", ")));
    }
    let adapters = match shown.adapters.as_deref() {
        None => "not known".to_owned(),
        Some([]) => "none".to_owned(),
        Some(all) => all.join(", "),
    };
    lines.push(("Adapters", adapters));
    if let Some(profile) = &info.simulated {
        lines.push(("Simulated", format!("yes, from profile {profile}")));
    }
    output.record("host.info", &shown, &lines)?;
    Ok(())
}

fn features(global: &Global, output: &Output) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Shown {
        name: String,
        kind: &'static str,
        state: &'static str,
    }
    let items = with_host(global, |session| {
        let mut items: Vec<Shown> = session
            .run(|engine| engine.packages())?
            .into_iter()
            .map(|package| Shown {
                name: package.name,
                kind: "package",
                state: if package.reboot_pending {
                    "after restart"
                } else {
                    "there"
                },
            })
            .collect();
        items.extend(
            session
                .run(|engine| engine.features())?
                .into_iter()
                .map(|feature| Shown {
                    name: feature.name,
                    kind: "feature",
                    state: match feature.state {
                        FeatureState::Disabled => "off",
                        FeatureState::Enabled => "on",
                        FeatureState::EnablePending => "on after restart",
                        FeatureState::DisablePending => "off after restart",
                    },
                }),
        );
        Ok(items)
    })?;
    output.list("host.feature", &items, &["NAME", "KIND", "STATE"], |item| {
        vec![
            item.name.clone(),
            item.kind.to_owned(),
            item.state.to_owned(),
        ]
    })?;
    Ok(())
}
