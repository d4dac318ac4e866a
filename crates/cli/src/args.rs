//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::Ipv4Net;
use wcow_campaign::Mutant;
use wcow_network::Driver;

mod container;

pub(crate) use container::{
    ContainerCommand, CreateOptions, EventsArgs, ExecArgs, IsolationArg, ListArgs, LogsArgs,
    RunArgs, SignalArg, StatsArgs, StopArgs,
};

/// Takes a WIM file to a running Windows container, on a real or a simulated host.
#[derive(Debug, Parser)]
#[command(
    name = "wcow",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(
    after_help = "Start with `wcow tour`: the whole way from a WIM to a running container, on simulated hosts.\n\
Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 conflict or in use, 5 not supported on this host, 6 integrity check failed,\n130 interrupted."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Which host: `windows` (the real one), `sim` or `sim:NAME` (a simulated one).
    #[arg(long, global = true, env = "WCOW_HOST", value_name = "HOST")]
    pub(crate) host: Option<String>,
    /// Where simulated hosts are kept.
    #[arg(long, global = true, env = "WCOW_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// How data is shown on standard output.
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

/// How data is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For programs: `{"schema":"wcow.<kind>/1","items":[...]}`.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Walk the whole story, from a WIM to a running container, on simulated hosts.
    Tour(TourArgs),
    /// Look into, verify and extract WIM files.
    #[command(subcommand)]
    Wim(WimCommand),
    /// Base OS images on a host.
    #[command(subcommand)]
    Image(ImageCommand),
    /// Networks on a host.
    #[command(subcommand)]
    Network(NetworkCommand),
    /// Containers on a host.
    #[command(subcommand)]
    Container(ContainerCommand),
    /// Create a container, start it, run a program in it, and stop it again.
    Run(RunArgs),
    /// Run a program in a running container.
    Exec(ExecArgs),
    /// List containers.
    Ps(ListArgs),
    /// Show what the main process of a container wrote.
    Logs(LogsArgs),
    /// Stop containers.
    Stop(StopArgs),
    /// Show what happened to containers, networks and images.
    Events(EventsArgs),
    /// Hosts: make simulated ones, look at one, change it.
    #[command(subcommand)]
    Host(HostCommand),
    /// The simulator: scenarios and the catalogue of failures.
    #[command(subcommand)]
    Sim(SimCommand),
    /// Explain a code, a failure, or a line of a log.
    ///
    /// Codes are read in every form that logs have: 0xC0370101, -1070137087, 3224830209, 0x20, 32, HCS_E_IMAGE_MISMATCH,
    /// ERROR_SHARING_VIOLATION, an NTSTATUS that a program ended with, the FullyQualifiedErrorId of a PowerShell error. Exit code 3 if
    /// nothing of it is known.
    Explain {
        /// For example 0xC0370101, scratch-disk-locked, or "hcsshim::ActivateLayer failed in Win32: ... (0x20)".
        #[arg(required = true, num_args = 1.., allow_negative_numbers = true, value_name = "CODE")]
        found: Vec<String>,
    },
    /// Print a completion script for a shell.
    Completion {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page of wcow, or of one of its commands.
    Man {
        /// The command, for example `wim ls`.
        command: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TourArgs {
    /// Walk with this WIM as the base image: it is looked at first, and what to expect of it is said.
    #[arg(long, value_name = "FILE")]
    pub(crate) wim: Option<PathBuf>,
    /// The image in the WIM, by index or name; needed if there are several.
    #[arg(long, requires = "wim", value_name = "IMAGE")]
    pub(crate) index: Option<String>,
    /// Seed of the simulated hosts.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WimCommand {
    /// Show what a WIM file is and which images are in it.
    ///
    /// That is all of its header, of its lookup table and its integrity table in numbers, and what its XML data says.
    Info(WimInfoArgs),
    /// List the files of an image.
    Ls(WimLsArgs),
    /// Write one file of an image, or one of its streams, to standard output.
    Cat(WimCatArgs),
    /// Extract an image, or parts of it, into a folder.
    ///
    /// Nothing is written outside that folder. If it is interrupted (Ctrl+C; a second one ends it at once), what was written until
    /// then stays, each file whole; the same command with --overwrite does it all again.
    Extract(WimExtractArgs),
    /// Check every byte that can be checked, and list every problem.
    ///
    /// Checked are the integrity table if there is one, the metadata of every image, that each blob an image needs is there, that no
    /// two of them share bytes of the file, and the SHA-1 of every blob. Exit code 6 if anything is wrong.
    Verify(WimVerifyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct WimInfoArgs {
    #[command(flatten)]
    pub(crate) source: WimSource,
    /// Print the XML data as it is, as UTF-8.
    #[arg(long)]
    pub(crate) xml: bool,
}

/// A WIM file, and how to read it.
#[derive(Debug, Args)]
pub(crate) struct WimSource {
    /// The WIM file; of a split set any part, the others are looked for beside it.
    pub(crate) file: PathBuf,
    /// Another WIM to look into for what this one does not hold (a delta WIM needs its base); `*` and `?` may name several.
    #[arg(long = "ref", value_name = "FILE")]
    pub(crate) refs: Vec<String>,
    /// How many threads to use; all cores if not given. Results do not depend on it.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Refuse to make more than so many bytes (`64M`, `2G`); 256 MiB plus 2048 times the size of the file if not given.
    #[arg(long, value_name = "BYTES", value_parser = byte_count)]
    pub(crate) max_output: Option<u64>,
    /// Refuse chunks that are larger when uncompressed; 64 MiB if not given. Each thread holds one or two.
    #[arg(long, value_name = "BYTES", value_parser = byte_count)]
    pub(crate) max_chunk: Option<u64>,
    /// Refuse metadata of an image that is larger when uncompressed; 256 MiB, and 512 times the size of the file, if not given.
    /// XML data may be a sixteenth of it.
    #[arg(long, value_name = "BYTES", value_parser = byte_count)]
    pub(crate) max_metadata: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct WimCatArgs {
    #[command(flatten)]
    pub(crate) source: WimSource,
    /// The image: an index or a name.
    pub(crate) image: String,
    /// The path in the image; `path:stream` for an alternate data stream, `path::$REPARSE_POINT` for the data of a link or another
    /// reparse point, `path::$EFS` for the raw backup of an encrypted file.
    pub(crate) path: String,
}

#[derive(Debug, Args)]
pub(crate) struct WimVerifyArgs {
    #[command(flatten)]
    pub(crate) source: WimSource,
}

#[derive(Debug, Args)]
pub(crate) struct WimLsArgs {
    #[command(flatten)]
    pub(crate) source: WimSource,
    /// The image: an index or a name; may be left out when there is one.
    pub(crate) image: Option<String>,
    /// Only these: paths, in which `*`, `?` and `[a-z]` stand for parts of a name, and `**` for any folders.
    pub(crate) globs: Vec<String>,
    /// With everything below.
    #[arg(short = 'R', long)]
    pub(crate) recursive: bool,
    /// With attributes, sizes, times, and the targets of links.
    #[arg(short, long)]
    pub(crate) long: bool,
    /// With alternate data streams and their sizes.
    #[arg(long)]
    pub(crate) streams: bool,
    /// With security descriptors, as SDDL.
    #[arg(long)]
    pub(crate) sddl: bool,
}

#[derive(Debug, Args)]
pub(crate) struct WimExtractArgs {
    #[command(flatten)]
    pub(crate) source: WimSource,
    /// The image: an index or a name.
    pub(crate) image: String,
    /// The folder to extract into; made if missing.
    pub(crate) dest: PathBuf,
    /// Only these, with everything below them: paths, in which `*`, `?` and `[a-z]` stand for parts of a name, and `**` for any
    /// folders.
    pub(crate) paths: Vec<String>,
    /// Replace files that are there.
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Keep what this disk has no place for in FILE (long alternate data streams in FILE.streams): attributes, exact times,
    /// security descriptors, short names, streams, reparse data, encrypted files and more. It must not lie in the folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) metadata: Option<PathBuf>,
    /// Which names are written as they are; the others are changed, and told.
    #[arg(long, value_enum, default_value_t = ExtractNames::Host)]
    pub(crate) names: ExtractNames,
}

/// Which names are written as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExtractNames {
    /// Those that this disk can hold.
    Host,
    /// Those that Windows can hold too: the folder can be copied there.
    Windows,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ImageCommand {
    /// Install an image of a WIM file as a base OS image.
    Install {
        /// The WIM file.
        file: PathBuf,
        /// The image in it, by index or name; needed if there are several.
        #[arg(long, value_name = "IMAGE")]
        index: Option<String>,
        /// Another name than the one in the WIM.
        #[arg(long)]
        name: Option<String>,
    },
    /// List the installed images.
    Ls,
    /// Show all that is known of an image.
    Inspect {
        /// Its name, `name:version`, or full name.
        image: String,
    },
    /// Check an installed image.
    Test {
        /// Its name, `name:version`, or full name.
        image: String,
    },
    /// Remove images.
    Rm {
        /// Their names.
        #[arg(required = true)]
        images: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum NetworkCommand {
    /// Make a network.
    Create {
        /// Its name.
        name: String,
        /// nat, external (also called transparent), internal or private.
        #[arg(long, default_value = "nat")]
        driver: Driver,
        /// Its subnet, for example 172.20.0.0/16.
        #[arg(long)]
        subnet: Option<Ipv4Net>,
        /// Its gateway; the first address of the subnet if left out.
        #[arg(long)]
        gateway: Option<std::net::Ipv4Addr>,
        /// The adapter under an external network; the first that is up if left out.
        #[arg(long)]
        adapter: Option<String>,
    },
    /// List the networks.
    Ls,
    /// Show all that is known of a network.
    Inspect {
        /// Its name.
        name: String,
    },
    /// Remove networks.
    Rm {
        /// Their names.
        #[arg(required = true)]
        names: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum HostCommand {
    /// Make a simulated host.
    New {
        /// Its name.
        name: String,
        /// What it is: see `wcow host profiles`.
        #[arg(long, default_value = "server-2022")]
        profile: String,
        /// Seed of everything in it that could go either way.
        #[arg(long, default_value_t = 0)]
        seed: u64,
    },
    /// List the simulated hosts.
    Ls,
    /// List the profiles that simulated hosts can be made from.
    Profiles,
    /// Show what the host is.
    Info,
    /// List packages and features.
    Features,
    /// Find out why containers do not start: check the host, and set right what is safe.
    ///
    /// Looks at builds, features, services, disks, drivers, layers, networks, ports, containers and images. Nothing is changed without
    /// --fix. Exit code 1 if a check failed.
    Doctor(DoctorArgs),
    /// Add packages (Nano Server) or turn features on.
    Enable {
        /// Their names.
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Turn features off.
    Disable {
        /// Their names.
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Restart the host. Everything that runs on it ends.
    Reboot,
    /// Let programs that were written for Windows use the simulated host, by the DLLs of wcow-sim-dll, until Ctrl+C.
    ///
    /// Prints the file that says where it listens and proves that one may come; a program is given it in WCOW_SIM_SERVER. Meanwhile
    /// no other command can use the host.
    Serve {
        /// How much faster the host's time runs than the clock when all programs wait.
        #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
        speed: u32,
        /// The file to write, instead of one in the host's folder.
        #[arg(long, value_name = "FILE")]
        address: Option<PathBuf>,
    },
    /// Remove simulated hosts and everything on them.
    Rm {
        /// Their names.
        #[arg(required = true)]
        names: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The checks to carry out; all, if none is named.
    #[arg(value_name = "CHECK")]
    pub(crate) checks: Vec<String>,
    /// List the checks.
    #[arg(long, conflicts_with_all = ["fix", "all"])]
    pub(crate) list: bool,
    /// Set right what the checks propose. It says what, asks, and checks again.
    #[arg(long)]
    pub(crate) fix: bool,
    /// Do not ask.
    #[arg(long, requires = "fix")]
    pub(crate) yes: bool,
    /// Show every check in full.
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SimCommand {
    /// Play a scenario on a fresh simulated host, or, without one, what the seed makes up.
    Run {
        /// A built-in scenario (S1 to S14, the id of a failure) or a file.
        scenario: Option<String>,
        /// The seed.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Write the run to a file, to be replayed anywhere. Not for scenarios.
        #[arg(long, value_name = "FILE", conflicts_with = "scenario")]
        save: Option<PathBuf>,
        /// Show every event. Not for scenarios.
        #[arg(long, conflicts_with = "scenario")]
        trace: bool,
        /// Leave out a precaution of the engine; `sim mutants` lists them. Can be repeated. Not for scenarios.
        #[arg(long, value_name = "PRECAUTION", conflicts_with = "scenario")]
        ignore: Vec<Mutant>,
    },
    /// Play what many seeds make up, and check every promise after each.
    Sweep(SweepArgs),
    /// Leave out each precaution of the engine in turn (a sync, a rollback, a recovery), and show that seeds find it.
    Mutants(MutantsArgs),
    /// Show what scenarios come to, seed by seed: the same on every system and in every build of this version.
    Fingerprints,
    /// Repeat a run from its file.
    Replay {
        /// The file, as `sim run --save` or `sim sweep --keep` wrote it.
        file: PathBuf,
        /// Show every event.
        #[arg(long)]
        trace: bool,
    },
    /// Make a run small that breaks a promise.
    Shrink {
        /// The file of the run.
        file: PathBuf,
        /// Where the small one is written to; to standard output if not given.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Show a run as a page for a browser, with a lane for each client and object.
    Timeline {
        /// The file of the run; the run of a seed if not given.
        #[arg(conflicts_with = "seed")]
        file: Option<PathBuf>,
        /// The seed.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Where it is written to; to standard output if not given.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// In the format of Chrome's trace viewer and Perfetto instead.
        #[arg(long)]
        chrome: bool,
    },
    /// Print the run of a file as a Rust test.
    Promote {
        /// The file of the run.
        file: PathBuf,
        /// The name of the test.
        #[arg(long)]
        name: String,
    },
    /// List the failures that are known. `wcow explain ID` tells more of one, `wcow sim run ID` shows it where there is a scenario.
    Catalogue(CatalogueArgs),
}

#[derive(Args, Debug)]
pub(crate) struct CatalogueArgs {
    /// Only those that simulated hosts raise, or only those that they do not.
    #[arg(long, value_enum, num_args = 0..=1, default_missing_value = "yes")]
    pub(crate) simulated: Option<YesNo>,
    /// Only those whose cause stays on the host, or only the others.
    #[arg(long, value_enum)]
    pub(crate) cause: Option<CauseChoice>,
    /// Only those that can occur on hosts of this build, for example 20348.
    #[arg(long)]
    pub(crate) build: Option<u32>,
    /// As a page for a browser, on standard output.
    #[arg(long)]
    pub(crate) html: bool,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum YesNo {
    /// Yes.
    Yes,
    /// No.
    No,
}

/// Whether the cause of a failure stays on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CauseChoice {
    /// It stays, and a diagnosis can find it.
    Lasting,
    /// It is a matter of the call, or of the moment.
    Passing,
}

#[derive(Args, Debug)]
pub(crate) struct SweepArgs {
    /// How many seeds.
    #[arg(long, default_value_t = 1000)]
    pub(crate) seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    pub(crate) first: u64,
    /// How many threads to use; all cores if not given. Results do not depend on it.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Make runs small that break a promise, and write them to files in this folder.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) keep: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct MutantsArgs {
    /// The precautions to leave out; all, one by one, if none is given.
    #[arg(value_name = "PRECAUTION")]
    pub(crate) mutants: Vec<Mutant>,
    /// How many seeds are tried for each at most.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) seeds: u64,
    /// How many threads to use; all cores if not given. Results do not depend on it.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
}

/// A number of bytes: `1048576`, `1024K`, `1MiB`.
fn byte_count(text: &str) -> Result<u64, String> {
    const UNITS: [&str; 6] = ["", "K", "M", "G", "T", "P"];
    let digits = text.find(|character: char| !character.is_ascii_digit());
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let unit = unit.trim_start().to_ascii_uppercase();
    let unit = unit
        .strip_suffix("IB")
        .or(unit.strip_suffix('B'))
        .unwrap_or(&unit);
    let power = UNITS.iter().position(|known| *known == unit);
    power
        .and_then(|power| 1024_u64.checked_pow(u32::try_from(power).ok()?))
        .and_then(|factor| number.parse::<u64>().ok()?.checked_mul(factor))
        .ok_or_else(|| "expected a number of bytes, for example 64M or 2GiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::byte_count;

    #[test]
    fn bytes_have_units() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("1000", Some(1000)),
            ("64k", Some(65536)),
            ("64 KiB", Some(65536)),
            ("2GB", Some(2 << 30)),
            ("7B", Some(7)),
            ("", None),
            ("M", None),
            ("-1", None),
            ("1.5G", None),
            ("1X", None),
            ("99999999999P", None),
        ] {
            assert_eq!(byte_count(text).ok(), bytes, "{text:?}");
        }
    }
}
