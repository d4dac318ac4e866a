//! The command line of containers.

use clap::{ArgAction, Args, Subcommand, ValueEnum};
use wcow_engine::RestartPolicy;
use wcow_network::PortMapping;
use wcow_ntmeta::HostPath;
use wcow_runtime::{Access, Mount};

use super::byte_count;

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct CreateArgs {
    /// The image: its name, `name:version`, or full name.
    pub(crate) image: String,
    #[command(flatten)]
    pub(crate) options: CreateOptions,
    /// The main process and its arguments: the container ends when it ends. Options from here on are the program's. Without it the
    /// container runs until it is stopped.
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// What `create` and `run` have in common.
#[derive(Debug, Args)]
pub(crate) struct CreateOptions {
    /// The container's name; made up if left out.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The network it is connected to.
    #[arg(long)]
    pub(crate) network: Option<String>,
    /// Publish a port of the container: HOST:CONTAINER[/tcp|udp].
    #[arg(short, long, value_name = "PORTS")]
    pub(crate) publish: Vec<PortMapping>,
    /// Set an environment variable: NAME=VALUE.
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) env: Vec<(String, String)>,
    /// Working directory of the programs in it.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) workdir: Option<String>,
    /// The user of the programs in it.
    #[arg(short, long)]
    pub(crate) user: Option<String>,
    /// Its host name; made from its name if left out.
    #[arg(short = 'h', long, value_name = "NAME")]
    pub(crate) hostname: Option<String>,
    /// The most memory it gets: `512M`, `2G`.
    #[arg(short, long, value_name = "BYTES", value_parser = byte_count)]
    pub(crate) memory: Option<u64>,
    /// How many processors it gets.
    #[arg(long, visible_alias = "cpu-count", value_name = "N", value_parser = processors)]
    pub(crate) cpus: Option<u32>,
    /// How much of all processors together it gets, in percent.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub(crate) cpu_percent: Option<u32>,
    /// Its weight against other containers: 1 to 10000.
    #[arg(long, value_name = "WEIGHT")]
    pub(crate) cpu_shares: Option<u32>,
    /// Let it see a folder of the host: `C:\data:C:\inside[:ro]`. One that is not there is made, and stays.
    #[arg(short, long, value_name = "HOST:CONTAINER[:ro]", value_parser = volume)]
    pub(crate) volume: Vec<Mount>,
    /// How it is kept apart from the host.
    #[arg(long, value_enum, default_value_t = IsolationArg::Process)]
    pub(crate) isolation: IsolationArg,
    /// A label: NAME or NAME=VALUE.
    #[arg(short, long, value_name = "NAME[=VALUE]", value_parser = label)]
    pub(crate) label: Vec<(String, String)>,
    /// When it is started again: no, on-failure or on-failure:N, always, unless-stopped. Whoever follows it does so: `run`, or
    /// `wcow container supervise`.
    #[arg(long, value_name = "POLICY", default_value_t = RestartPolicy::No)]
    pub(crate) restart: RestartPolicy,
    /// How long it gets to stop, in seconds; 10 if left out.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) stop_timeout: Option<u32>,
    /// The main process has a standard input; `run` passes its own on, once all of it is there.
    #[arg(short, long)]
    pub(crate) interactive: bool,
    /// The main process has a console: standard error goes into standard output.
    #[arg(short, long)]
    pub(crate) tty: bool,
    /// Print help.
    #[arg(long, action = ArgAction::Help)]
    pub(crate) help: Option<bool>,
}

/// How a container is kept apart from the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum IsolationArg {
    /// It shares the host's kernel.
    #[value(alias = "default")]
    Process,
    /// It has a virtual machine of its own.
    Hyperv,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct RunArgs {
    /// Remove the container afterwards.
    #[arg(long, conflicts_with = "detach")]
    pub(crate) rm: bool,
    /// Do not wait for the program to end: `wcow container logs` shows what it wrote, `wait` waits for it.
    #[arg(short, long)]
    pub(crate) detach: bool,
    #[command(flatten)]
    pub(crate) options: CreateOptions,
    /// The image (its name, `name:version`, or full name), then the program and its arguments: options from here on are the
    /// program's.
    #[arg(required = true, num_args = 2.., trailing_var_arg = true, value_names = ["IMAGE", "COMMAND"])]
    pub(crate) words: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ExecArgs {
    /// Pass standard input on, once all of it is there.
    #[arg(short, long, conflicts_with = "detach")]
    pub(crate) interactive: bool,
    /// The program has a console: standard error goes into standard output.
    #[arg(short, long)]
    pub(crate) tty: bool,
    /// Do not wait for the program to end; what it writes is lost.
    #[arg(short, long)]
    pub(crate) detach: bool,
    /// Set an environment variable: NAME=VALUE.
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) env: Vec<(String, String)>,
    /// Working directory.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) workdir: Option<String>,
    /// The user it runs as.
    #[arg(short, long)]
    pub(crate) user: Option<String>,
    /// The container, then the program and its arguments: options from here on are the program's.
    #[arg(required = true, num_args = 2.., trailing_var_arg = true, value_names = ["CONTAINER", "COMMAND"])]
    pub(crate) words: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// For people who are used to it: all containers are listed anyway.
    #[arg(short, long)]
    pub(crate) all: bool,
    /// Print names only.
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Only those that fit all of these: name=PART, status=STATUS, ancestor=IMAGE, network=NAME, label=NAME[=VALUE], exited=CODE.
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = filter)]
    pub(crate) filter: Vec<(String, String)>,
}

#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// The container.
    pub(crate) name: String,
    /// Go on until the main process ends.
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Only so many of the newest lines.
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) tail: Option<usize>,
    /// Only what came since then: a time (2025-01-31T12:00:00Z) or how long ago (90s, 10m, 1h30m).
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// With the time of each line, on the host's clock.
    #[arg(short, long)]
    pub(crate) timestamps: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    /// Only what happened since then: a time (2025-01-31T12:00:00Z) or how long ago (90s, 10m, 1h30m).
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    /// Their names; all that run if left out.
    pub(crate) names: Vec<String>,
    /// Show it once.
    #[arg(long)]
    pub(crate) no_stream: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StopArgs {
    /// Their names.
    #[arg(required = true)]
    pub(crate) names: Vec<String>,
    /// Seconds to wait before a container is ended; its own time, or 10, if left out.
    #[arg(short, long)]
    pub(crate) time: Option<u32>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ContainerCommand {
    /// Create a container that is off.
    Create(CreateArgs),
    /// Start containers, each with its main process if it has one.
    Start {
        /// Their names.
        #[arg(required = true)]
        names: Vec<String>,
        /// Pass on what the main process writes, and end with its exit code. For one container.
        #[arg(short, long)]
        attach: bool,
    },
    /// Create a container, start it with a program, pass on what that writes, and stop it when the program ends.
    Run(RunArgs),
    /// Run a program in a running container.
    Exec(ExecArgs),
    /// Pass on what the main process of a running container writes from now on, and end with its exit code.
    Attach {
        /// Its name.
        name: String,
    },
    /// Stop containers.
    Stop(StopArgs),
    /// Stop containers and start them again.
    Restart(StopArgs),
    /// End containers at once, or signal their main processes.
    Kill {
        /// Their names.
        #[arg(required = true)]
        names: Vec<String>,
        /// KILL ends the container; CTRL-C (INT), CTRL-BREAK, CTRL-CLOSE, CTRL-LOGOFF and CTRL-SHUTDOWN (TERM) go to its main process.
        #[arg(short, long, value_enum, ignore_case = true, default_value_t = SignalArg::Kill)]
        signal: SignalArg,
    },
    /// Freeze containers, where their isolation allows it.
    Pause {
        /// Their names.
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Let frozen containers go on.
    #[command(visible_alias = "unpause")]
    Resume {
        /// Their names.
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Wait until the main processes of containers have ended, and print their exit codes.
    Wait {
        /// Their names.
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Show what the main process of a container wrote.
    ///
    /// What a program writes goes into a log on the host: the newest MiB of it is kept. There is no daemon: output is collected by the
    /// command that follows the program, or waits for the next one that asks for the log.
    Logs(LogsArgs),
    /// Follow containers and start them again as their restart policies say, until none is left to follow.
    ///
    /// There is no daemon that would do it. Containers that are off are started first if their policy is `always`, or `unless-stopped`
    /// and nobody stopped them, or `on-failure` and they failed. A container is started again after 100 ms, then after twice as long each
    /// time, a minute at the most; a run of 10 s begins anew.
    Supervise {
        /// Their names; all that have a policy if left out.
        names: Vec<String>,
        /// Start none again more often than that.
        #[arg(long, value_name = "N")]
        max_restarts: Option<u32>,
    },
    /// List containers.
    Ls(ListArgs),
    /// Show all that is known of a container.
    Inspect {
        /// Its name.
        name: String,
    },
    /// Show the processes of a running container: processor time, and the memory that each has alone.
    Top {
        /// Its name.
        name: String,
    },
    /// Show what running containers take: processor time, memory, processes.
    ///
    /// On a terminal it is shown anew every second of the host's clock, until Ctrl+C; elsewhere, and as JSON, once. CPU % is the part of
    /// one processor that was used since the line was shown last, and the first time since the container was started; several
    /// processors make more than 100 %. MEM is the memory that its processes alone have.
    Stats(StatsArgs),
    /// Remove containers.
    Rm {
        /// Their names.
        #[arg(required = true)]
        names: Vec<String>,
        /// Also those that run.
        #[arg(short, long)]
        force: bool,
    },
    /// Remove all containers that are off, and what is left on the host of containers that nobody knows.
    Prune,
}

/// What a container or its main process is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignalArg {
    /// The container is ended.
    #[value(alias = "SIGKILL", alias = "9")]
    Kill,
    /// Ctrl+C.
    #[value(name = "ctrl-c", alias = "INT", alias = "SIGINT", alias = "2")]
    CtrlC,
    /// Ctrl+Break.
    #[value(name = "ctrl-break")]
    CtrlBreak,
    /// Its console window is closed.
    #[value(name = "ctrl-close")]
    CtrlClose,
    /// Its user logs off.
    #[value(name = "ctrl-logoff")]
    CtrlLogoff,
    /// The system shuts down.
    #[value(
        name = "ctrl-shutdown",
        alias = "TERM",
        alias = "SIGTERM",
        alias = "15"
    )]
    CtrlShutdown,
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    if name.is_empty() {
        return Err("expected NAME or NAME=VALUE".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn filter(text: &str) -> Result<(String, String), String> {
    const KEYS: [&str; 6] = ["name", "status", "ancestor", "network", "label", "exited"];
    match text.split_once('=') {
        Some((key, value)) if KEYS.contains(&key) && !value.is_empty() => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err(format!(
            "expected KEY=VALUE with one of {}",
            KEYS.join(", ")
        )),
    }
}

fn processors(text: &str) -> Result<u32, String> {
    if text.contains('.') && text.parse::<f64>().is_ok() {
        return Err("a host gives whole processors; a part of them is --cpu-percent".to_owned());
    }
    match text.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("expected a number of processors, 1 at least".to_owned()),
    }
}

fn percent(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(percent) if (1..=100).contains(&percent) => Ok(percent),
        _ => Err("expected a number from 1 to 100".to_owned()),
    }
}

/// A folder of the host, where the container sees it, and what it may do there. Both paths begin with a drive.
fn volume(text: &str) -> Result<Mount, String> {
    let expected = || {
        format!(
            r"expected HOST:CONTAINER or HOST:CONTAINER:ro, as C:\data:C:\inside, found {text:?}"
        )
    };
    let (rest, access) = match text.strip_suffix(":ro") {
        Some(rest) => (rest, Access::ReadOnly),
        None => (text.strip_suffix(":rw").unwrap_or(text), Access::ReadWrite),
    };
    let is_drive = |at: usize| {
        let mut letters = rest.bytes().skip(at);
        letters
            .next()
            .is_some_and(|letter| letter.is_ascii_alphabetic())
            && letters.next() == Some(b':')
    };
    // The first colon belongs to the drive of the host's path, the second one stands between the two.
    let between = rest
        .match_indices(':')
        .nth(1)
        .map(|(at, _)| at)
        .filter(|at| is_drive(0) && is_drive(at.saturating_add(1)))
        .ok_or_else(expected)?;
    let (host, container) = rest.split_at(between);
    let container = container.trim_start_matches(':').to_owned();
    let host = HostPath::parse(host).map_err(|error| format!("{host:?}: {error}"))?;
    if host.is_root() {
        return Err("a whole drive of the host cannot be given to a container".to_owned());
    }
    Ok(Mount {
        host,
        container,
        access,
    })
}

#[cfg(test)]
mod tests {
    use super::{processors, volume};

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, &str, bool)>) {
        let found = volume(text).ok().map(|mount| {
            let read_only = mount.access == wcow_runtime::Access::ReadOnly;
            (mount.host.to_string(), mount.container, read_only)
        });
        let found = found
            .as_ref()
            .map(|(host, container, read_only)| (host.as_str(), container.as_str(), *read_only));
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn volumes_have_two_drives() {
        check(
            r"C:\data:C:\inside",
            Some((r"C:\data", r"C:\inside", false)),
        );
        check(r"C:\data:C:\in:ro", Some((r"C:\data", r"C:\in", true)));
        check(r"c:\a b:d:\x:rw", Some((r"c:\a b", r"d:\x", false)));
        check("", None);
        check(":", None);
        check(r"C:\data", None);
        check(r"C:\data:ro", None);
        check(r"C:\data:\inside", None);
        check(r"data:C:\inside", None);
        check(r"C:\:C:\inside", None);
        check(
            r"C:\data:C:\inside:no",
            Some((r"C:\data", r"C:\inside:no", false)),
        );
    }

    #[test]
    fn processors_are_whole() {
        assert_eq!(processors("2"), Ok(2));
        for bad in ["0", "-1", "", "x", "1.5"] {
            assert!(processors(bad).is_err(), "{bad}");
        }
        assert!(processors("1.5").unwrap_err().contains("--cpu-percent"));
    }
}
