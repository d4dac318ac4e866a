//! vmcompute.dll: `HNSCall`, networks and endpoints of the first generation.
//!
//! | call | answer |
//! |---|---|
//! | `GET /networks/`, `/endpoints/` | all of them |
//! | `GET /networks/<id>`, `/endpoints/<id>` | one |
//! | `POST /networks/`, `/endpoints/` | the new one |
//! | `DELETE /networks/<id>`, `/endpoints/<id>` | nothing |
//! | `GET /globals/version` | the version of the network service |
//!
//! Everything else is not simulated and refused. A refusal of the service is told in the answer on builds before 18362, and by the code
//! of the call from then on.
#![expect(
    unsafe_code,
    non_snake_case,
    reason = "a foreign function, by its name"
)]

use serde::Serialize;
use serde_json::{Value, json};
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork};
use wcow_host::era;
use wcow_host::{NetworkService, codes};
use wcow_ntmeta::{Guid, Hresult};

use super::layers::run;
use crate::abi::{HRESULT, PCWSTR, PWSTR};
use crate::answer::{E_INVALIDARG, Failure, NOT_SUPPORTED, Outcome};
use crate::exports::exports;
use crate::session::session;
use crate::strings::{self, Owner, required};

/// The first build that tells refusals by the code of the call.
const CODES_SINCE: u32 = 18362;
/// No object of that id.
pub(crate) const NOT_FOUND: Hresult = Hresult(0x8007_0490);

exports! {
    VmCompute;

    /// Calls the network service with texts.
    "vmcompute_HNSCall" fn HNSCall(method: PCWSTR, path: PCWSTR, request: PCWSTR, response: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { strings::clear(response) };
        let outcome = (|| {
            if response.is_null() {
                return Err(Failure::from(E_INVALIDARG));
            }
            // SAFETY: as above.
            let (method, path, request) = unsafe { (required(method)?, required(path)?, strings::read(request)?) };
            let build = session()?.facts.build;
            let (answer, code) = match call(&method, &path, request.as_deref().unwrap_or_default(), build) {
                Ok(output) => (json!({ "Success": true, "Output": output }), Hresult::S_OK),
                Err(failure) => (refusal(&failure, build), if build < CODES_SINCE { Hresult::S_OK } else { failure.code }),
            };
            // SAFETY: as above.
            unsafe { strings::give(response, &answer.to_string(), Owner::CoTask) }?;
            Ok(code)
        })();
        outcome.unwrap_or_else(|failure: Failure| failure.code).as_i32()
    }
}

/// What a refusal says of itself. The service ends its texts with a space.
pub(crate) fn refusal(failure: &Failure, build: u32) -> Value {
    let text = codes::text(failure.code, era::generation(build))
        .map_or_else(|| failure.code.to_string(), |text| format!("{text} "));
    json!({ "Success": false, "Error": text, "ErrorCode": failure.code.0 })
}

fn call(method: &str, path: &str, request: &str, build: u32) -> Outcome<Value> {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let (object, id, rest) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    if rest.is_some() {
        return Err(NOT_SUPPORTED.into());
    }
    match (method, object, id) {
        ("GET", "networks", None) => told(&run(|host| async move { host.networks().await })?),
        ("GET", "endpoints", None) => told(&run(|host| async move { host.endpoints().await })?),
        ("GET", "networks", Some(id)) => told(&network(id)?),
        ("GET", "endpoints", Some(id)) => told(&endpoint(id)?),
        ("POST", "networks", None) => {
            let wanted: HnsNetwork = read(request)?;
            told(&run(move |host| async move {
                host.create_network(&wanted).await
            })?)
        }
        ("POST", "endpoints", None) => {
            let wanted: HnsEndpoint = read(request)?;
            told(&run(move |host| async move {
                host.create_endpoint(&wanted).await
            })?)
        }
        ("DELETE", "networks", Some(id)) => {
            let id = guid(id)?;
            told(&run(
                move |host| async move { host.delete_network(id).await },
            )?)
        }
        ("DELETE", "endpoints", Some(id)) => {
            let id = guid(id)?;
            told(&run(
                move |host| async move { host.delete_endpoint(id).await },
            )?)
        }
        ("GET", "globals", Some("version")) => Ok(version(build)),
        _ => Err(NOT_SUPPORTED.into()),
    }
}

/// The network of this id.
pub(crate) fn network(id: &str) -> Outcome<HnsNetwork> {
    let found = run(|host| async move { host.networks().await })?;
    let mut found = found.into_iter();
    found
        .find(|network| network.id.eq_ignore_ascii_case(id))
        .ok_or_else(|| NOT_FOUND.into())
}

/// The endpoint of this id.
pub(crate) fn endpoint(id: &str) -> Outcome<HnsEndpoint> {
    let found = run(|host| async move { host.endpoints().await })?;
    let mut found = found.into_iter();
    found
        .find(|endpoint| endpoint.id.eq_ignore_ascii_case(id))
        .ok_or_else(|| NOT_FOUND.into())
}

fn told(output: &impl Serialize) -> Outcome<Value> {
    serde_json::to_value(output).map_err(|_| crate::answer::E_UNEXPECTED.into())
}

fn read<T: serde::de::DeserializeOwned>(request: &str) -> Outcome<T> {
    serde_json::from_str(request).map_err(|_| codes::hcn::INVALID_JSON.into())
}

pub(crate) fn guid(id: &str) -> Outcome<Guid> {
    id.parse().map_err(|_| NOT_FOUND.into())
}

/// The version of the network service, by build. The service of Windows 11 24H2 was measured; the others are those that features came
/// with.
fn version(build: u32) -> Value {
    let (major, minor) = match build {
        26100.. => (16, 0),
        22000.. => (14, 0),
        20348.. => (13, 2),
        19041.. => (11, 0),
        18362.. => (10, 2),
        17763.. => (9, 2),
        _ => (7, 2),
    };
    json!({ "Major": major, "Minor": minor })
}
