//! The documents of the compute service: what is sent, and how what comes back is read.
//!
//! Both surfaces take and give the same JSON, except for what a compute system is created from and changed by, which the caller
//! chooses. A document that cannot be read is none ([`None`]): whoever asked makes an error of it.

use serde_json::Value;
use wcow_hcs::values::{EventType, NotificationType};
use wcow_hcs_schema::schema1::{
    self, ContainerProperties, ProcessParameters, ProcessStatus, PropertyQuery, PropertyType,
};
use wcow_hcs_schema::schema2::{self, ProcessModifyRequest, SystemExitStatus};
use wcow_host::{
    CreateDocument, ExitType, Modification, SaveType, Signal, SystemId, SystemState, SystemSummary,
};
use wcow_ntmeta::Hresult;

use super::inbox::{Outcome, Step, Told};

/// `HCS_E_UNEXPECTED_EXIT` and `HCS_E_TERMINATED`, whatever the surface: the low word.
const UNEXPECTED_EXIT: u32 = 0x0106;
const TERMINATED: u32 = 0x0107;

/// What a compute system is created from.
pub(crate) fn creation(document: &CreateDocument) -> Option<String> {
    match document {
        CreateDocument::TechnicalPreview(document) => serde_json::to_string(document),
        CreateDocument::Schema1(document) => serde_json::to_string(document),
        CreateDocument::Schema2(document) => serde_json::to_string(document),
    }
    .ok()
}

/// A change.
pub(crate) fn modification(change: &Modification) -> Option<String> {
    match change {
        Modification::Schema1(change) => serde_json::to_string(change),
        Modification::Schema2(change) => serde_json::to_string(change),
    }
    .ok()
}

/// What a process is created from.
pub(crate) fn process(parameters: &ProcessParameters) -> Option<String> {
    serde_json::to_string(parameters).ok()
}

/// Which properties are wanted. Without any, the basic ones come.
pub(crate) fn query(wanted: &[PropertyType]) -> Option<String> {
    serde_json::to_string(&PropertyQuery {
        property_types: wanted.to_vec(),
        ..PropertyQuery::default()
    })
    .ok()
}

/// How a system is saved.
pub(crate) fn saving(save: SaveType) -> Option<String> {
    let save = match save {
        SaveType::ToFile => schema2::SaveType::ToFile,
        SaveType::AsTemplate => schema2::SaveType::AsTemplate,
    };
    serde_json::to_string(&schema2::SaveOptions {
        save_type: Some(save),
        ..schema2::SaveOptions::default()
    })
    .ok()
}

/// What a process is told.
pub(crate) fn signal(signal: Signal) -> Option<String> {
    use schema1::ProcessSignal;
    let signal = match signal {
        Signal::CtrlC => ProcessSignal::CtrlC,
        Signal::CtrlBreak => ProcessSignal::CtrlBreak,
        Signal::CtrlClose => ProcessSignal::CtrlClose,
        Signal::CtrlLogOff => ProcessSignal::CtrlLogOff,
        Signal::CtrlShutdown => ProcessSignal::CtrlShutdown,
    };
    serde_json::to_string(&schema1::SignalProcessOptions::new(signal)).ok()
}

/// How large a console is now: rows, columns.
pub(crate) fn console([rows, columns]: [u16; 2]) -> Option<String> {
    serde_json::to_string(&ProcessModifyRequest::resize(rows, columns)).ok()
}

/// That a process's standard input ends.
pub(crate) fn end_of_input() -> Option<String> {
    serde_json::to_string(&ProcessModifyRequest::close(schema1::StdHandle::StdIn)).ok()
}

/// The properties of a system. An empty answer tells nothing.
pub(crate) fn properties(answer: &str) -> Option<ContainerProperties> {
    wcow_hcs_schema::parse(answer).ok()
}

/// A listing, by id. An empty answer lists nothing; an entry without an id is none.
pub(crate) fn systems(answer: &str) -> Option<Vec<SystemSummary>> {
    if answer.trim().is_empty() {
        return Some(Vec::new());
    }
    let entries: Vec<Value> = serde_json::from_str::<Option<_>>(answer)
        .ok()?
        .unwrap_or_default();
    let mut systems = Vec::with_capacity(entries.len());
    for entry in entries {
        let properties: ContainerProperties = serde_json::from_value(entry).ok()?;
        systems.push(summary(properties)?);
    }
    systems.sort_by(|a, b| a.id.cmp(&b.id));
    Some(systems)
}

fn summary(properties: ContainerProperties) -> Option<SystemSummary> {
    use schema1::State;
    Some(SystemSummary {
        id: SystemId(properties.id?),
        name: properties.name.unwrap_or_default(),
        owner: properties.owner.unwrap_or_default(),
        // A state that is empty or has no name is one that the service leaves out.
        state: properties.state.and_then(|state| match state {
            State::Created => Some(SystemState::Created),
            State::Running => Some(SystemState::Running),
            State::Paused => Some(SystemState::Paused),
            State::Stopped => Some(SystemState::Stopped),
            State::SavedAsTemplate => Some(SystemState::SavedAsTemplate),
            State::Unknown | State::Other(_) => None,
        }),
    })
}

/// What is known of a process. Services leave its id out of some answers.
pub(crate) fn process_status(answer: &str, process_id: u32) -> Option<ProcessStatus> {
    let mut status: ProcessStatus = wcow_hcs_schema::parse(answer).ok()?;
    if status.process_id == 0 {
        status.process_id = process_id;
    }
    Some(status)
}

/// The status of a process that has exited, out of what came with its exit; none if that says nothing of how.
pub(crate) fn exit_status(exit: &Outcome, process_id: u32) -> Option<ProcessStatus> {
    let document = exit.document.as_deref()?;
    let keys: Value = serde_json::from_str(document).ok()?;
    keys.get("ExitCode")?;
    let status = process_status(document, process_id)?;
    Some(ProcessStatus {
        exited: true,
        ..status
    })
}

/// How a system ended: its code, and which kind of end that is.
///
/// The exit status says so in words. Where it does not, the code does: a failure that is not "terminated" is a crash.
pub(crate) fn system_exit(exit: &Outcome) -> (Hresult, ExitType) {
    use schema1::NotificationType as Kind;
    let document = exit.document.as_deref().unwrap_or_default();
    let said: Option<SystemExitStatus> = wcow_hcs_schema::parse(document).ok();
    let kind = said.and_then(|said| match said.exit_type? {
        Kind::GracefulExit => Some(ExitType::GracefulExit),
        Kind::ForcedExit => Some(ExitType::ForcedExit),
        Kind::UnexpectedExit => Some(ExitType::UnexpectedExit),
        Kind::None | Kind::Unknown | Kind::Other(_) => None,
    });
    let kind = kind.unwrap_or(match exit.status.0 & 0xFFFF {
        _ if !exit.status.is_failure() => ExitType::GracefulExit,
        TERMINATED => ExitType::ForcedExit,
        _ => ExitType::UnexpectedExit,
    });
    (exit.status, kind)
}

/// What a notification of version 1 tells.
pub(crate) fn notified(kind: NotificationType, status: Hresult, data: Option<String>) -> Told {
    use NotificationType as N;
    let outcome = Outcome {
        status,
        document: data,
    };
    let step = match kind {
        N::SYSTEM_EXITED | N::PROCESS_EXITED => return Told::Exited(outcome),
        N::SERVICE_DISCONNECT => return Told::Disconnected,
        N::SYSTEM_CREATE_COMPLETED => Step::Create,
        N::SYSTEM_START_COMPLETED => Step::Start,
        N::SYSTEM_PAUSE_COMPLETED => Step::Pause,
        N::SYSTEM_RESUME_COMPLETED => Step::Resume,
        N::SYSTEM_SAVE_COMPLETED => Step::Save,
        N::SYSTEM_SHUTDOWN_FAILED => Step::Shutdown,
        _ => return Told::Other,
    };
    Told::StepEnded(step, outcome)
}

/// What an event of version 2 tells. It has no code beside its document.
pub(crate) fn happened(kind: EventType, data: Option<String>) -> Told {
    match kind {
        EventType::SYSTEM_EXITED | EventType::PROCESS_EXITED => {
            let document = data.as_deref().unwrap_or_default();
            let said: Option<SystemExitStatus> = wcow_hcs_schema::parse(document).ok();
            let status = said
                .and_then(|said| said.hresult())
                .map_or(Hresult::S_OK, Hresult);
            Told::Exited(Outcome {
                status,
                document: data,
            })
        }
        EventType::SERVICE_DISCONNECT => Told::Disconnected,
        _ => Told::Other,
    }
}

/// The code of a step that was cut short by the end of its system: that of the exit where it is a failure.
pub(crate) fn cut_short(step: Step, exit: &Outcome, spell: impl Fn(u32) -> Hresult) -> Hresult {
    /// `HCS_E_TERMINATED_DURING_START`.
    const TERMINATED_DURING_START: u32 = 0x0100;
    if exit.status.is_failure() {
        exit.status
    } else if matches!(step, Step::Create | Step::Start) {
        spell(TERMINATED_DURING_START)
    } else {
        spell(UNEXPECTED_EXIT)
    }
}

#[cfg(test)]
mod tests {
    use wcow_hcs::values::{EventType, NotificationType};
    use wcow_hcs_schema::schema1::{ContainerConfig, ProcessParameters, PropertyType};
    use wcow_host::{CreateDocument, ExitType, SaveType, Signal, SystemState};
    use wcow_ntmeta::Hresult;

    use super::super::inbox::{Outcome, Step, Told};

    fn outcome(code: u32, document: &str) -> Outcome {
        Outcome {
            status: Hresult(code),
            document: Some(document.to_owned()).filter(|document| !document.is_empty()),
        }
    }

    #[track_caller]
    fn check_exit(code: u32, document: &str, expected: ExitType) {
        let exit = super::system_exit(&outcome(code, document));
        assert_eq!(exit, (Hresult(code), expected), "{document}");
    }

    #[test]
    fn an_exit_says_how_or_its_code_does() {
        let forced = r#"{"Status":0,"ExitType":"ForcedExit"}"#;
        check_exit(0, forced, ExitType::ForcedExit);
        check_exit(0, r#"{"ExitType":"Unknown"}"#, ExitType::GracefulExit);
        check_exit(0, "", ExitType::GracefulExit);
        check_exit(0, "no JSON", ExitType::GracefulExit);
        check_exit(0xC037_0106, "", ExitType::UnexpectedExit);
        check_exit(0x8037_0107, "{}", ExitType::ForcedExit);
        check_exit(0x8000_4005, "[]", ExitType::UnexpectedExit);
    }

    #[test]
    fn a_listing_is_by_id_and_keeps_what_is_left_out() {
        let answer = r#"[
            {"Id":"b","SystemType":"Container","Owner":"docker","State":"Running","Name":"n","RuntimeId":"x"},
            {"Id":"c","SystemType":"VirtualMachine","State":""},
            {"ID":"a","State":"SavedAsTemplate"}]"#;
        let systems = super::systems(answer).expect("a listing");
        let found: Vec<_> = systems
            .iter()
            .map(|system| (system.id.0.as_str(), system.owner.as_str(), system.state))
            .collect();
        assert_eq!(
            found,
            [
                ("a", "", Some(SystemState::SavedAsTemplate)),
                ("b", "docker", Some(SystemState::Running)),
                ("c", "", None),
            ]
        );
        for nothing in ["", " ", "[]", "null"] {
            assert_eq!(super::systems(nothing), Some(Vec::new()), "{nothing:?}");
        }
        for wrong in ["{}", "[1]", "[{}]", r#"[{"Id":7}]"#, "x"] {
            assert_eq!(super::systems(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_status_of_a_process_is_read_or_taken_from_its_exit() {
        let read = super::process_status(r#"{"ExitCode":7,"Exited":true}"#, 12).expect("one");
        assert_eq!((read.process_id, read.exit_code), (12, 7));
        let read = super::process_status(r#"{"ProcessId":9,"Exited":false}"#, 12).expect("one");
        assert_eq!((read.process_id, read.exited), (9, false));
        assert_eq!(super::process_status("", 12), None);
        let exit = super::exit_status(&outcome(0, r#"{"ExitCode":3221225786}"#), 12);
        let exit = exit.expect("it says how");
        assert_eq!((exit.exited, exit.exit_code), (true, 0xC000_013A));
        assert_eq!(super::exit_status(&outcome(0, "{}"), 12), None);
        assert_eq!(super::exit_status(&outcome(0, ""), 12), None);
    }

    #[test]
    fn both_surfaces_tell_the_same() {
        let exit = r#"{"Status":-1070137082,"ExitType":"UnexpectedExit"}"#;
        let data = || Some(exit.to_owned());
        let first = super::notified(
            NotificationType::SYSTEM_EXITED,
            Hresult(0xC037_0106),
            data(),
        );
        let second = super::happened(EventType::SYSTEM_EXITED, data());
        assert_eq!(first, second);
        assert_eq!(first, Told::Exited(outcome(0xC037_0106, exit)));
        let gone = NotificationType::SERVICE_DISCONNECT;
        assert_eq!(
            super::notified(gone, Hresult::S_OK, None),
            Told::Disconnected
        );
        // The same number means something else in the other version.
        let operation = EventType(0x0100_0000);
        assert_eq!(super::happened(operation, None), Told::Other);
        assert_eq!(
            super::happened(EventType::SERVICE_DISCONNECT, None),
            Told::Disconnected
        );
        let end = super::notified(NotificationType(3), Hresult(0xC037_0101), None);
        assert_eq!(end, Told::StepEnded(Step::Start, outcome(0xC037_0101, "")));
    }

    #[test]
    fn a_step_that_was_cut_short_has_the_code_of_the_exit_or_its_own() {
        let spell = |low| Hresult(0x8037_0000 | low);
        let cut = |step, code| super::cut_short(step, &outcome(code, ""), spell).0;
        assert_eq!(cut(Step::Start, 0xC037_0106), 0xC037_0106);
        assert_eq!(cut(Step::Start, 0), 0x8037_0100);
        assert_eq!(cut(Step::Pause, 0), 0x8037_0106);
    }

    #[test]
    fn documents_are_written_as_services_take_them() {
        let none = super::query(&[]).expect("it can be written");
        assert_eq!(none, "{}");
        let some = super::query(&[PropertyType::Statistics, PropertyType::ProcessList]);
        assert_eq!(
            some.as_deref(),
            Some(r#"{"PropertyTypes":["Statistics","ProcessList"]}"#)
        );
        let saving = super::saving(SaveType::AsTemplate);
        assert_eq!(saving.as_deref(), Some(r#"{"SaveType":"AsTemplate"}"#));
        let signal = super::signal(Signal::CtrlShutdown);
        assert_eq!(signal.as_deref(), Some(r#"{"Signal":"CtrlShutdown"}"#));
        assert_eq!(
            super::console([30, 100]).as_deref(),
            Some(r#"{"Operation":"ConsoleSize","ConsoleSize":{"Height":30,"Width":100}}"#)
        );
        assert_eq!(
            super::end_of_input().as_deref(),
            Some(r#"{"Operation":"CloseHandle","CloseHandle":{"Handle":"StdIn"}}"#)
        );
        let parameters = ProcessParameters {
            command_line: "cmd /c \"echo \u{e4}\"".to_owned(),
            create_std_out_pipe: true,
            ..ProcessParameters::default()
        };
        assert_eq!(
            super::process(&parameters).as_deref(),
            Some(r#"{"CommandLine":"cmd /c \"echo ä\"","CreateStdOutPipe":true}"#)
        );
        let config = ContainerConfig {
            system_type: "Container".to_owned(),
            name: "a".to_owned(),
            ..ContainerConfig::default()
        };
        let creation = super::creation(&CreateDocument::Schema1(config));
        assert_eq!(
            creation.as_deref(),
            Some(r#"{"SystemType":"Container","Name":"a","Layers":[],"HvPartition":false}"#)
        );
    }
}
