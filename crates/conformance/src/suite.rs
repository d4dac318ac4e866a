//! The rules of the suite, each with a name, and the macro that makes tests of them.

use wcow_host::era::Provenance;
use wcow_host::{ComputeApi, ComputeService, Host};

use crate::matrix::{Call, Expect, Row, State};
use crate::stage::{Isolation, Stage, Unlike};
use crate::{Arm, documents, hosted, machines, processes, systems};

/// A rule, as [`rules`] lists it.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name: that of its test.
    pub name: &'static str,
    /// How it is known.
    pub provenance: Provenance,
    /// The row of the matrix, if it is one.
    pub row: Option<Row>,
    isolation: Isolation,
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
    let image = match arm.image(case.isolation != Isolation::Process) {
        Ok(image) => image,
        Err(why) => return Verdict::Skipped(why),
    };
    let outcome = arm.block_on(async {
        let stage = Stage::new(arm, image, case.isolation).await?;
        let outcome = match case.row {
            Some(row) => row.check(&stage).await,
            None => check_case(name, &stage).await,
        };
        stage.clear().await;
        outcome
    });
    match outcome {
        Ok(()) => Verdict::Holds,
        Err(how) => Verdict::Differs(how),
    }
}

macro_rules! suite {
    (
        $d:tt
        rows { $($row:ident: $call:ident, $state:ident, $row_hyperv:literal, $expect:expr, $row_provenance:ident;)* }
        cases { $($case:ident: $module:ident, $isolation:ident, $provenance:ident;)* }
    ) => {
        /// Every rule: the rows of the matrix first.
        #[must_use]
        pub fn rules() -> &'static [Case] {
            use Expect::{Hcs, Win32, Works, WorksOrHcs};
            const RULES: &[Case] = &[
                $(Case {
                    name: stringify!($row),
                    provenance: Provenance::$row_provenance,
                    row: Some(Row {
                        call: Call::$call,
                        state: State::$state,
                        hyperv: $row_hyperv,
                        expect: $expect,
                    }),
                    isolation: if $row_hyperv { Isolation::HyperV } else { Isolation::Process },
                },)*
                $(Case {
                    name: stringify!($case),
                    provenance: Provenance::$provenance,
                    row: None,
                    isolation: Isolation::$isolation,
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

        /// Makes a module of tests, one per rule: `host_conformance!(name, arm)`. `arm` is an expression that makes an
        /// [`Arm`](crate::Arm); every test makes its own.
        #[macro_export]
        macro_rules! host_conformance {
            ($d module:ident, $d arm:expr) => {
                mod $d module {
                    use super::*;
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
}
