//! Documents of callers, as what the host takes; and what the host says, as documents.

use wcow_hcs_schema::schema1::{
    ContainerConfig, ContainerProperties, ProcessParameters, ProcessStatus, PropertyQuery,
    PropertyType, ResourceModificationRequest,
};
use wcow_hcs_schema::schema2::{
    ComputeSystem, ModifyOperation, ModifySettingRequest, NotificationType, ProcessModifyRequest,
    ProcessSignal, SaveOptions, SaveType as SaveWord, SignalProcessOptions, State, StdHandle,
    SystemExitStatus, SystemQuery,
};
use wcow_hcs_schema::tp3::Tp3ContainerConfig;
use wcow_hcs_schema::{Document, SchemaVersion, parse};
use wcow_host::codes::v1;
use wcow_host::{
    ComputeApi, CreateDocument, ExitType, Modification, SaveType, Signal, SystemState,
    SystemSummary, codes, era,
};
use wcow_ntmeta::Hresult;

use crate::answer::{E_INVALIDARG, Failure, NOT_SUPPORTED, Outcome, json};

/// Reads a document; what is wrong with it is 010D of the surface, with where.
pub(crate) fn read<T: Document>(text: &str, api: ComputeApi) -> Outcome<T> {
    parse(text).map_err(|error| {
        let code = codes::spelled(v1::INVALID_JSON, api);
        let message = error.to_string();
        let told = wcow_hcs_schema::schema2::ResultError {
            error: Some(code.as_i32()),
            error_message: Some(message),
            ..wcow_hcs_schema::schema2::ResultError::default()
        };
        Failure {
            code,
            document: Some(json(&told)),
        }
    })
}

/// Reads a document that may be left out: a null pointer, or an empty text.
pub(crate) fn optional<T: Document>(text: Option<&str>, api: ComputeApi) -> Outcome<Option<T>> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => read(text, api).map(Some),
    }
}

/// Whether an object has this key at its top.
fn has_key(text: &str, key: &str) -> bool {
    let value: Option<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(text).ok();
    value.is_some_and(|value| value.contains_key(key))
}

/// What a system is created from: which schema it is, the host's build and the document itself say.
pub(crate) fn create(text: &str, api: ComputeApi, build: u32) -> Outcome<CreateDocument> {
    if era::containers_persist(build) {
        return read::<Tp3ContainerConfig>(text, api).map(CreateDocument::TechnicalPreview);
    }
    if api == ComputeApi::V2 || has_key(text, "SchemaVersion") {
        return read::<ComputeSystem>(text, api)
            .map(|system| CreateDocument::Schema2(Box::new(system)));
    }
    read::<ContainerConfig>(text, api).map(CreateDocument::Schema1)
}

/// A change of a system.
pub(crate) fn modify(text: &str, api: ComputeApi) -> Outcome<Modification> {
    if api == ComputeApi::V2 || has_key(text, "ResourcePath") {
        return read::<ModifySettingRequest>(text, api).map(Modification::Schema2);
    }
    read::<ResourceModificationRequest>(text, api).map(Modification::Schema1)
}

/// Which properties are asked for.
pub(crate) fn query(text: Option<&str>, api: ComputeApi) -> Outcome<Vec<PropertyType>> {
    let query: Option<PropertyQuery> = optional(text, api)?;
    Ok(query.unwrap_or_default().property_types)
}

/// How a system is saved; to a file, if it is not said.
pub(crate) fn save(text: Option<&str>, api: ComputeApi) -> Outcome<SaveType> {
    let options: Option<SaveOptions> = optional(text, api)?;
    match options.and_then(|options| options.save_type) {
        None | Some(SaveWord::ToFile) => Ok(SaveType::ToFile),
        Some(SaveWord::AsTemplate) => Ok(SaveType::AsTemplate),
        Some(_) => Err(E_INVALIDARG.into()),
    }
}

/// Which signal is meant; Ctrl+C, if it is not said.
pub(crate) fn signal(text: Option<&str>, api: ComputeApi) -> Outcome<Signal> {
    let options: Option<SignalProcessOptions> = optional(text, api)?;
    match options.and_then(|options| options.signal) {
        None | Some(ProcessSignal::CtrlC) => Ok(Signal::CtrlC),
        Some(ProcessSignal::CtrlBreak) => Ok(Signal::CtrlBreak),
        Some(ProcessSignal::CtrlClose) => Ok(Signal::CtrlClose),
        Some(ProcessSignal::CtrlLogOff) => Ok(Signal::CtrlLogOff),
        Some(ProcessSignal::CtrlShutdown) => Ok(Signal::CtrlShutdown),
        Some(ProcessSignal::Other(_)) => Err(E_INVALIDARG.into()),
    }
}

/// A change of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcessChange {
    /// Rows, columns.
    Console([u16; 2]),
    CloseInput,
    /// Pipes that the caller holds the only end of: there is nothing to do.
    CloseOutput,
}

/// Reads a change of a process.
pub(crate) fn process_change(text: &str, api: ComputeApi) -> Outcome<ProcessChange> {
    let request: ProcessModifyRequest = read(text, api)?;
    match (
        request.operation,
        request.console_size,
        request.close_handle,
    ) {
        (Some(ModifyOperation::ConsoleSize), Some(size), _) => Ok(ProcessChange::Console([
            size.height.unwrap_or_default(),
            size.width.unwrap_or_default(),
        ])),
        (Some(ModifyOperation::CloseHandle), _, Some(close)) => match close.handle {
            Some(StdHandle::StdIn | StdHandle::All) => Ok(ProcessChange::CloseInput),
            Some(StdHandle::StdOut | StdHandle::StdErr) => Ok(ProcessChange::CloseOutput),
            Some(StdHandle::Other(_)) | None => Err(E_INVALIDARG.into()),
        },
        (Some(ModifyOperation::Other(_)), ..) => Err(NOT_SUPPORTED.into()),
        _ => Err(E_INVALIDARG.into()),
    }
}

/// What a process is created from; both schemas call the fields the same.
pub(crate) fn process(text: &str, api: ComputeApi) -> Outcome<ProcessParameters> {
    read(text, api)
}

/// The list of systems, of those that are asked for.
pub(crate) fn systems(
    found: Vec<SystemSummary>,
    query: Option<&str>,
    api: ComputeApi,
) -> Outcome<String> {
    let query: SystemQuery = optional(query, api)?.unwrap_or_default();
    let asked = |wanted: &[String], value: &str| {
        wanted.is_empty() || wanted.iter().any(|wanted| wanted == value)
    };
    let types = &query.types;
    let containers = types.is_empty() || types.iter().any(|kind| kind.as_str() == "Container");
    let found = found.into_iter().filter(|system| {
        containers
            && asked(&query.ids, &system.id.0)
            && asked(&query.names, &system.name)
            && asked(&query.owners, &system.owner)
    });
    let list: Vec<ContainerProperties> = found
        .map(|system| ContainerProperties {
            id: Some(system.id.0),
            name: Some(system.name),
            owner: Some(system.owner),
            system_type: Some("Container".to_owned()),
            state: system.state.map(state),
            ..ContainerProperties::default()
        })
        .collect();
    Ok(json(&list))
}

fn state(state: SystemState) -> State {
    match state {
        SystemState::Created => State::Created,
        SystemState::Running => State::Running,
        SystemState::Paused => State::Paused,
        SystemState::SavedAsTemplate => State::SavedAsTemplate,
        SystemState::Stopped => State::Stopped,
    }
}

/// What the service is asked for: the schemas that the build knows.
pub(crate) fn service(query: Option<&str>, api: ComputeApi, build: u32) -> Outcome<String> {
    let query: Option<PropertyQuery> = optional(query, api)?;
    let wanted = query.unwrap_or_default().property_types;
    if wanted.iter().any(|property| property.as_str() != "Basic") {
        return Err(NOT_SUPPORTED.into());
    }
    let mut versions = vec![SchemaVersion::V1];
    versions.extend(SchemaVersion::of_build(build).last());
    Ok(json(&serde_json::json!({
        "Properties": [{ "SupportedSchemaVersions": versions }]
    })))
}

/// How a system ended.
pub(crate) fn system_exit(status: Hresult, exit: ExitType) -> String {
    let how = match exit {
        ExitType::GracefulExit => NotificationType::GracefulExit,
        ExitType::ForcedExit => NotificationType::ForcedExit,
        ExitType::UnexpectedExit => NotificationType::UnexpectedExit,
    };
    json(&SystemExitStatus::new(status.0, how))
}

/// How a process is.
pub(crate) fn process_status(status: &ProcessStatus) -> String {
    json(status)
}
