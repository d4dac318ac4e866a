//! The rules of the suite, each with a name, and the macro that makes tests of them.

use wcow_host::era::Provenance;
use wcow_host::{ComputeApi, ComputeService, Host};

use crate::answer::{Ruled, Stop};
use crate::layers::Shelf;
use crate::matrix::{Call, Expect, Row, State};
use crate::networks::Wire;
use crate::stage::{Isolation, Stage, Unlike};
use crate::{Arm, documents, hosted, layers, machines, networks, processes, systems};

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// A compute system.
    Systems,
    /// Layers.
    Layers,
    /// Networks and endpoints.
    Networks,
}

/// A rule, as [`rules`] lists it.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name: that of its test.
    pub name: &'static str,
    /// How it is known.
    pub provenance: Provenance,
    /// What it is about.
    pub about: About,
    /// The row of the matrix, if it is one.
    pub row: Option<Row>,
    isolation: Isolation,
    /// Whether it makes files of its own, which the services of the host must see.
    files: bool,
}

impl Case {
    /// Whether it is about a virtual machine of its own, which only version 2 is tried with.
    #[must_use]
    pub fn is_of_machine(&self) -> bool {
        self.isolation == Isolation::Machine
    }
}

/// What became of a rule on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The host does so.
    Holds,
    /// It could not be tried, and why.
    Skipped(String),
    /// The host does otherwise.
    Differs(String),
}

/// Tries one rule on a host, as a test: prints what was skipped, fails with what differs.
///
/// # Panics
/// The host does otherwise; or there is no rule of that name.
#[track_caller]
pub fn run<A: Arm>(name: &str, arm: &A) {
    match verdict(name, arm) {
        Verdict::Holds => {}
        Verdict::Skipped(why) => println!("skipped: {name}: {why}"),
        Verdict::Differs(how) => {
            let case = rules().iter().find(|case| case.name == name);
            let provenance = case.map_or(Provenance::Inferred, |case| case.provenance);
            if arm.is_real() && provenance == Provenance::Inferred {
                println!("differs from what was inferred: {name}: {how}");
            } else {
                assert!(how.is_empty(), "{name} ({provenance}): {how}");
            }
        }
    }
}

/// Tries one rule on a host.
pub fn verdict<A: Arm>(name: &str, arm: &A) -> Verdict {
    let Some(case) = rules().iter().find(|case| case.name == name) else {
        return Verdict::Differs(format!("there is no rule of the name {name}"));
    };
    if case.is_of_machine() && arm.host().compute().api() == ComputeApi::V1 {
        return Verdict::Skipped("it is about what version 2 is told".to_owned());
    }
    if case.files && !arm.reaches_files() {
        let why = "the services of this host do not see its files";
        return Verdict::Skipped(why.to_owned());
    }
    if case.about == About::Networks {
        let networks = match arm.networks() {
            Ok(()) => arm.block_on(async {
                let fresh = || arm.fresh_id();
                let wire = Wire::new(arm.host(), &fresh);
                let outcome = check_network(name, &wire).await;
                wire.clear().await;
                outcome
            }),
            Err(why) => Err(Stop::Skipped(why)),
        };
        return networks.into();
    }
    let image = match arm.image(case.isolation != Isolation::Process) {
        Ok(image) => image,
        Err(why) => return Verdict::Skipped(why),
    };
    let outcome: Ruled = arm.block_on(async {
        if case.about == About::Layers {
            let fresh = || arm.fresh_id();
            let shelf = Shelf::new(arm.host(), image, &fresh);
            let outcome = check_layer(name, &shelf).await;
            shelf.clear().await;
            return outcome;
        }
        let stage = Stage::new(arm, image, case.isolation).await?;
        let outcome = match case.row {
            Some(row) => row.check(&stage).await,
            None => check_case(name, &stage).await,
        };
        stage.clear().await;
        Ok(outcome?)
    });
    outcome.into()
}

impl From<Ruled> for Verdict {
    fn from(outcome: Ruled) -> Self {
        match outcome {
            Ok(()) => Self::Holds,
            Err(Stop::Differs(how)) => Self::Differs(how),
            Err(Stop::Skipped(why)) => Self::Skipped(why),
        }
    }
}

macro_rules! suite {
    (
        $d:tt
        rows { $($row:ident: $call:ident, $state:ident, $row_hyperv:literal, $expect:expr, $row_provenance:ident;)* }
        cases { $($case:ident: $module:ident, $isolation:ident, $provenance:ident;)* }
        layers { $($layer:ident: $files:literal, $layer_provenance:ident;)* }
        networks { $($network:ident: $network_provenance:ident;)* }
    ) => {
        /// Every rule: the rows of the matrix first.
        #[must_use]
        pub fn rules() -> &'static [Case] {
            use Expect::{Hcs, Win32, Works, WorksOrHcs};
            const RULES: &[Case] = &[
                $(Case {
                    name: stringify!($row),
                    provenance: Provenance::$row_provenance,
                    about: About::Systems,
                    row: Some(Row {
                        call: Call::$call,
                        state: State::$state,
                        hyperv: $row_hyperv,
                        expect: $expect,
                    }),
                    isolation: if $row_hyperv { Isolation::HyperV } else { Isolation::Process },
                    files: false,
                },)*
                $(Case {
                    name: stringify!($case),
                    provenance: Provenance::$provenance,
                    about: About::Systems,
                    row: None,
                    isolation: Isolation::$isolation,
                    files: false,
                },)*
                $(Case {
                    name: stringify!($layer),
                    provenance: Provenance::$layer_provenance,
                    about: About::Layers,
                    row: None,
                    isolation: Isolation::Process,
                    files: $files,
                },)*
                $(Case {
                    name: stringify!($network),
                    provenance: Provenance::$network_provenance,
                    about: About::Networks,
                    row: None,
                    isolation: Isolation::Process,
                    files: false,
                },)*
            ];
            RULES
        }

        /// A rule that is no row of the matrix.
        async fn check_case<H: Host>(name: &str, stage: &Stage<'_, H>) -> Result<(), Unlike> {
            match name {
                $(stringify!($case) => $module::$case(stage).await,)*
                other => Err(format!("there is no rule of the name {other}")),
            }
        }

        /// A rule about layers.
        async fn check_layer<H: Host>(name: &str, shelf: &Shelf<'_, H>) -> Ruled {
            match name {
                $(stringify!($layer) => layers::$layer(shelf).await,)*
                other => Err(Stop::Differs(format!("there is no rule of the name {other}"))),
            }
        }

        /// A rule about networks.
        async fn check_network<H: Host>(name: &str, wire: &Wire<'_, H>) -> Ruled {
            match name {
                $(stringify!($network) => networks::$network(wire).await,)*
                other => Err(Stop::Differs(format!("there is no rule of the name {other}"))),
            }
        }

        /// Makes a module of tests, one per rule about layers or networks, for hosts of before Windows Server 2016, whose compute systems
        /// are others: `storage_conformance!(name, arm)`.
        #[macro_export]
        macro_rules! storage_conformance {
            ($d module:ident, $d arm:expr) => {
                mod $d module {
                    use super::*;
                    $(#[test]
                    fn $layer() {
                        $d crate::run(stringify!($layer), &$d arm);
                    })*
                    $(#[test]
                    fn $network() {
                        $d crate::run(stringify!($network), &$d arm);
                    })*
                }
            };
        }

        /// Makes a module of tests, one per rule: `host_conformance!(name, arm)`. `arm` is an expression that makes an
        /// [`Arm`](crate::Arm); every test makes its own.
        #[macro_export]
        macro_rules! host_conformance {
            ($d module:ident, $d arm:expr) => {
                mod $d module {
                    use super::*;
                    $(#[test]
                    fn $layer() {
                        $d crate::run(stringify!($layer), &$d arm);
                    })*
                    $(#[test]
                    fn $network() {
                        $d crate::run(stringify!($network), &$d arm);
                    })*
                    $(#[test]
                    fn $row() {
                        $d crate::run(stringify!($row), &$d arm);
                    })*
                    $(#[test]
                    fn $case() {
                        $d crate::run(stringify!($case), &$d arm);
                    })*
                }
            };
        }
    };
}

suite! {
    $
    rows {
        create_same_id_when_created: CreateSameId, Created, false, Hcs(&[0x010F]), Documented;
        open_when_created: Open, Created, false, Works, Documented;
        start_when_created: Start, Created, false, Works, Documented;
        shutdown_when_created: Shutdown, Created, false, Hcs(&[0x0105]), Inferred;
        terminate_when_created: Terminate, Created, false, Works, Documented;
        pause_when_created: Pause, Created, true, Hcs(&[0x0105]), Inferred;
        resume_when_created: Resume, Created, true, Hcs(&[0x0105]), Inferred;
        save_when_created: Save, Created, true, Hcs(&[0x0105]), Inferred;
        create_process_when_created: CreateProcess, Created, false, Hcs(&[0x0105]), Verbatim;
        open_unknown_process_when_created: OpenUnknownProcess, Created, false, Win32(0x0490), Inferred;
        properties_when_created: Properties, Created, false, Works, Documented;
        modify_when_created: Modify, Created, false, Works, Documented;
        create_same_id_when_running: CreateSameId, Running, false, Hcs(&[0x010F]), Documented;
        open_when_running: Open, Running, false, Works, Documented;
        start_when_running: Start, Running, false, Hcs(&[0x0105]), Verbatim;
        shutdown_when_running: Shutdown, Running, false, Works, Documented;
        terminate_when_running: Terminate, Running, false, Works, Documented;
        pause_when_running: Pause, Running, true, Works, Documented;
        resume_when_running: Resume, Running, true, Hcs(&[0x0105]), Inferred;
        save_when_running: Save, Running, true, Hcs(&[0x0105]), Documented;
        create_process_when_running: CreateProcess, Running, false, Works, Documented;
        open_unknown_process_when_running: OpenUnknownProcess, Running, false, Win32(0x0490), Inferred;
        properties_when_running: Properties, Running, false, Works, Documented;
        modify_when_running: Modify, Running, false, Works, Documented;
        create_same_id_when_paused: CreateSameId, Paused, true, Hcs(&[0x010F]), Documented;
        open_when_paused: Open, Paused, true, Works, Documented;
        start_when_paused: Start, Paused, true, Hcs(&[0x0105]), Inferred;
        shutdown_when_paused: Shutdown, Paused, true, Hcs(&[0x0105]), Inferred;
        terminate_when_paused: Terminate, Paused, true, Works, Documented;
        pause_when_paused: Pause, Paused, true, Hcs(&[0x0105]), Inferred;
        resume_when_paused: Resume, Paused, true, Works, Documented;
        save_when_paused: Save, Paused, true, Works, Documented;
        create_process_when_paused: CreateProcess, Paused, true, Hcs(&[0x0105]), Inferred;
        open_unknown_process_when_paused: OpenUnknownProcess, Paused, true, Win32(0x0490), Inferred;
        properties_when_paused: Properties, Paused, true, Works, Documented;
        modify_when_paused: Modify, Paused, true, Hcs(&[0x0105]), Inferred;
        create_same_id_when_stopped: CreateSameId, Stopped, false, Works, Inferred;
        open_when_stopped: Open, Stopped, false, Hcs(&[0x010E]), Measured;
        start_when_stopped: Start, Stopped, false, Hcs(&[0x0110]), Inferred;
        shutdown_when_stopped: Shutdown, Stopped, false, Hcs(&[0x0110]), Documented;
        terminate_when_stopped: Terminate, Stopped, false, Hcs(&[0x0110]), Documented;
        pause_when_stopped: Pause, Stopped, false, Hcs(&[0x0110]), Inferred;
        resume_when_stopped: Resume, Stopped, false, Hcs(&[0x0110]), Inferred;
        save_when_stopped: Save, Stopped, false, Hcs(&[0x0110]), Inferred;
        create_process_when_stopped: CreateProcess, Stopped, false, Hcs(&[0x0105, 0x0110]), Verbatim;
        open_unknown_process_when_stopped: OpenUnknownProcess, Stopped, false, Hcs(&[0x0110]), Inferred;
        properties_when_stopped: Properties, Stopped, false, WorksOrHcs(&[0x0110]), Measured;
        modify_when_stopped: Modify, Stopped, false, Hcs(&[0x0110]), Verbatim;
        create_same_id_when_absent: CreateSameId, Absent, false, Works, Documented;
        open_when_absent: Open, Absent, false, Hcs(&[0x010E]), Documented;
        start_when_handle_closed: Start, Closed, false, Win32(0x0006), Documented;
        shutdown_when_handle_closed: Shutdown, Closed, false, Win32(0x0006), Documented;
        terminate_when_handle_closed: Terminate, Closed, false, Win32(0x0006), Documented;
        pause_when_handle_closed: Pause, Closed, false, Win32(0x0006), Documented;
        resume_when_handle_closed: Resume, Closed, false, Win32(0x0006), Documented;
        save_when_handle_closed: Save, Closed, false, Win32(0x0006), Documented;
        create_process_when_handle_closed: CreateProcess, Closed, false, Win32(0x0006), Documented;
        open_unknown_process_when_handle_closed: OpenUnknownProcess, Closed, false, Win32(0x0006), Documented;
        properties_when_handle_closed: Properties, Closed, false, Win32(0x0006), Documented;
        modify_when_handle_closed: Modify, Closed, false, Win32(0x0006), Documented;
        process_isolation_is_not_paused: Pause, Running, false, Win32(0x0032), Inferred;
    }
    cases {
        created_system_is_listed: systems, Process, Measured;
        running_system_is_listed: systems, Process, Documented;
        stopped_system_is_not_listed: systems, Process, Documented;
        ended_id_is_free: systems, Process, Measured;
        shutdown_is_told: systems, Process, Documented;
        termination_is_told: systems, Process, Documented;
        exit_is_readable_on_newest: systems, Process, Measured;
        handles_are_their_owners: systems, Process, Documented;
        last_handle_ends_it: systems, Process, Documented;
        pause_holds_programs: systems, HyperV, Inferred;
        output_and_exit_code: processes, Process, Documented;
        missing_program: processes, Process, Verbatim;
        missing_directory: processes, Process, Documented;
        empty_variable_is_not_seen: processes, Process, Measured;
        pipes_are_their_creators: processes, Process, Measured;
        killed_process_has_its_code: processes, Process, Measured;
        kill_spares_children: processes, Process, Measured;
        exited_process_cannot_be_ended: processes, Process, Documented;
        signal_ends_program: processes, Process, Inferred;
        closed_process_handle: processes, Process, Documented;
        console_joins_the_outputs: processes, Process, Documented;
        document_of_no_kind: documents, Process, Inferred;
        document_of_two_kinds: documents, Process, Inferred;
        machine_tells_what_it_is: machines, Machine, Documented;
        machine_outlives_a_closed_handle: machines, Machine, Documented;
        machine_needs_access_to_its_disk: machines, Machine, Measured;
        machine_needs_its_disk: machines, Machine, Inferred;
        machine_needs_its_folders: machines, Machine, Inferred;
        machine_starts_without_a_guest: machines, Machine, Measured;
        machine_without_services_does_not_shut_down: machines, Machine, Measured;
        hosted_container_runs: hosted, Machine, Documented;
        hosted_container_tells_its_machine: hosted, Machine, Documented;
        hosted_container_is_not_paused: hosted, Machine, Inferred;
        hosted_container_needs_its_machine: hosted, Machine, Inferred;
        hosted_container_needs_a_running_machine: hosted, Machine, Inferred;
        hosted_container_needs_its_layers: hosted, Machine, Inferred;
        hosted_container_ends_with_its_machine: hosted, Machine, Inferred;
        hosted_container_ends_with_a_saved_machine: hosted, Machine, Inferred;
        hosted_container_is_out_of_reach_while_its_machine_is_paused: hosted, Machine, Inferred;
        machine_outlives_its_container: hosted, Machine, Inferred;
    }
    layers {
        scratch_is_made_once: false, Documented;
        scratch_needs_parents: false, Inferred;
        scratch_over_a_missing_parent: false, Documented;
        missing_layer_is_not_activated: false, Inferred;
        missing_layer_is_not_destroyed: false, Inferred;
        missing_layer_does_not_exist: false, Documented;
        prepare_needs_activation: false, Measured;
        mount_path_needs_activation: false, Inferred;
        mount_path_is_a_volume: false, Documented;
        every_layer_has_its_volume: false, Documented;
        unmounted_layer_is_not_unmounted: false, Documented;
        destroyed_layer_is_not_unmounted: false, Documented;
        activations_are_counted: false, Documented;
        preparations_are_counted: false, Inferred;
        prepared_layer_is_not_deactivated: false, Inferred;
        activated_layer_is_not_destroyed: false, Documented;
        parent_in_use_is_not_destroyed: false, Measured;
        prepare_over_a_missing_parent: false, Verbatim;
        scratch_grows: false, Documented;
        scratch_does_not_shrink: false, Inferred;
        activated_scratch_does_not_grow: false, Inferred;
        open_disk_is_not_attached: true, Verbatim;
        layers_travel: false, Documented;
        layer_is_imported_once: false, Verbatim;
        import_needs_parents: false, Inferred;
        import_needs_a_folder: false, Verbatim;
        export_needs_parents: false, Measured;
        export_needs_a_mount_before: false, Inferred;
        mounted_layer_is_not_exported: false, Inferred;
        empty_folder_exists: true, Documented;
        torn_import_is_not_mounted: true, Documented;
        base_needs_its_files: false, Verbatim;
        utility_vm_needs_its_files: false, Verbatim;
        shared_images_end_with_2016: false, Inferred;
    }
    networks {
        service_came_with_its_build: Documented;
        network_is_listed: Documented;
        network_name_is_taken_once: Documented;
        network_is_deleted_once: Documented;
        network_in_use: Documented;
        network_type_must_exist: Inferred;
        network_type_in_any_case: Documented;
        network_needs_its_adapter: Documented;
        network_prefix_must_be_one: Inferred;
        nat_chooses_its_subnet: Documented;
        endpoint_needs_its_network: Documented;
        endpoint_names_its_network_by_id: Documented;
        endpoints_have_addresses: Documented;
        endpoint_has_the_address_it_wants: Documented;
        address_is_taken_once: Inferred;
        endpoint_names_repeat: Documented;
        endpoint_is_deleted_once: Documented;
        published_port_is_taken_once: Measured;
        published_port_must_exist: Documented;
        ports_are_published_on_nat: Documented;
    }
}
