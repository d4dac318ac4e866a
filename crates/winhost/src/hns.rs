//! What the Host Network Service is asked, and how its answers are read.
//!
//! An answer is `{"Success": bool, "Error": text, "Output": any}`, newer services add `"ErrorCode"`. A request that failed may have
//! come back as a call that succeeded. The text of an error is in the language of the host and is no ground for a decision; where there is
//! no code, it is looked whether what the request was about exists.

use serde_json::Value;
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork};
use wcow_host::codes::{self, hcn, win32};
use wcow_ntmeta::{Guid, Hresult};

/// The path of all networks, and of all endpoints.
pub(crate) const NETWORKS: &str = "/networks/";
pub(crate) const ENDPOINTS: &str = "/endpoints/";

/// An answer of the service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// What was asked for.
    Done(Value),
    /// It was refused; with a code, where the service gives one.
    Refused(Option<Hresult>),
    /// It is no answer of this service.
    Unreadable,
}

/// What an answer says.
pub(crate) fn read(answer: &str) -> Answer {
    let Ok(Value::Object(mut keys)) = serde_json::from_str(answer) else {
        return Answer::Unreadable;
    };
    match keys.get("Success").and_then(Value::as_bool) {
        Some(true) => Answer::Done(keys.remove("Output").unwrap_or(Value::Null)),
        Some(false) => Answer::Refused(keys.get("ErrorCode").and_then(code)),
        None => Answer::Unreadable,
    }
}

/// A code, as a number of either sign. One that is no failure says nothing.
fn code(value: &Value) -> Option<Hresult> {
    let unsigned = value.as_u64().and_then(|code| u32::try_from(code).ok());
    let signed = || Some(i32::try_from(value.as_i64()?).ok()?.cast_unsigned());
    let code = Hresult(unsigned.or_else(signed)?);
    code.is_failure().then_some(code)
}

/// The networks of a listing, by name. Types are spelled in small letters: services spell them as whoever created the network did.
pub(crate) fn networks(output: Value) -> Option<Vec<HnsNetwork>> {
    let mut networks: Vec<HnsNetwork> = list(output)?;
    networks
        .iter_mut()
        .for_each(|network| network.kind.make_ascii_lowercase());
    networks.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    Some(networks)
}

/// A network that was created.
pub(crate) fn network(output: Value) -> Option<HnsNetwork> {
    let mut network: HnsNetwork = serde_json::from_value(output).ok()?;
    network.kind.make_ascii_lowercase();
    (!network.id.is_empty()).then_some(network)
}

/// The endpoints of a listing, by id.
pub(crate) fn endpoints(output: Value) -> Option<Vec<HnsEndpoint>> {
    let mut endpoints: Vec<HnsEndpoint> = list(output)?;
    endpoints.sort_by(|a, b| a.id.cmp(&b.id));
    Some(endpoints)
}

/// An endpoint that was created.
pub(crate) fn endpoint(output: Value) -> Option<HnsEndpoint> {
    let endpoint: HnsEndpoint = serde_json::from_value(output).ok()?;
    (!endpoint.id.is_empty()).then_some(endpoint)
}

/// A service that has none may answer with nothing.
fn list<T: wcow_hcs_schema::Document>(output: Value) -> Option<Vec<T>> {
    match output {
        Value::Null => Some(Vec::new()),
        output => serde_json::from_value(output).ok(),
    }
}

/// The path of one object.
pub(crate) fn one(all: &str, id: Guid) -> String {
    format!("{all}{id}")
}

/// The code of a deletion that was refused without one: whether there is such an object decides.
pub(crate) fn deletion_refused<'a>(id: Guid, mut known: impl Iterator<Item = &'a str>) -> Hresult {
    if known.any(|known| is(known, id)) {
        codes::FAIL
    } else {
        win32::NOT_FOUND
    }
}

/// The code of an endpoint that was refused without one: whether there is its network decides.
pub(crate) fn endpoint_refused(endpoint: &HnsEndpoint, networks: &[HnsNetwork]) -> Hresult {
    let wanted: Option<Guid> = endpoint.virtual_network.parse().ok();
    let is_there = wanted.is_some_and(|id| networks.iter().any(|network| is(&network.id, id)));
    if is_there {
        codes::FAIL
    } else {
        hcn::NETWORK_NOT_FOUND
    }
}

/// The code of a network that was refused without one: whether its name is taken decides.
pub(crate) fn network_refused(network: &HnsNetwork, networks: &[HnsNetwork]) -> Hresult {
    if networks.iter().any(|known| known.name == network.name) {
        hcn::NETWORK_ALREADY_EXISTS
    } else {
        codes::FAIL
    }
}

fn is(text: &str, id: Guid) -> bool {
    text.parse() == Ok(id)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork};
    use wcow_host::codes::{self, hcn, win32};
    use wcow_ntmeta::{Guid, Hresult};

    use super::Answer;

    #[track_caller]
    fn check(answer: &str, expected: Answer) {
        assert_eq!(super::read(answer), expected, "{answer}");
    }

    #[test]
    fn an_answer_that_came_may_be_a_refusal() {
        check(r#"{"Success":true,"Output":[1]}"#, Answer::Done(json!([1])));
        check(r#"{"Success":true}"#, Answer::Done(Value::Null));
        check(
            r#"{"Success":false,"Error":"Das Netzwerk wurde nicht gefunden. "}"#,
            Answer::Refused(None),
        );
        check(
            r#"{"Success":false,"Error":"x","ErrorCode":2151350282}"#,
            Answer::Refused(Some(hcn::INVALID_NETWORK)),
        );
        check(
            r#"{"Success":false,"ErrorCode":-2143617014}"#,
            Answer::Refused(Some(Hresult(0x803B_000A))),
        );
        for nothing in ["0", "1", "\"x\"", "1e99", "4294967296", "-4294967296"] {
            check(
                &format!(r#"{{"Success":false,"ErrorCode":{nothing}}}"#),
                Answer::Refused(None),
            );
        }
        for wrong in [
            "",
            "[]",
            "{}",
            "null",
            r#"{"Success":"true"}"#,
            "{\"Success\":true",
        ] {
            check(wrong, Answer::Unreadable);
        }
    }

    #[test]
    fn listings_are_sorted_and_empty_ones_may_be_null() {
        let output = json!([
            {"ID":"2","Name":"nat","Type":"NAT","Subnets":[{"AddressPrefix":"172.20.0.0/16"}],"Version":64},
            {"ID":"1","Name":"Default Switch","Type":"ICS"}]);
        let networks = super::networks(output).expect("a listing");
        let found: Vec<_> = networks.iter().map(|n| (&*n.name, &*n.kind)).collect();
        assert_eq!(found, [("Default Switch", "ics"), ("nat", "nat")]);
        assert_eq!(networks[1].unknown.get("Version"), Some(&json!(64)));
        assert_eq!(super::networks(Value::Null), Some(Vec::new()));
        assert_eq!(super::networks(json!({})), None);
        assert_eq!(super::endpoints(Value::Null), Some(Vec::new()));
        assert_eq!(super::endpoints(json!([1])), None);
        assert_eq!(super::network(json!({"Name":"x"})), None);
        assert_eq!(super::endpoint(json!(null)), None);
    }

    #[test]
    fn a_refusal_without_a_code_gets_one_from_what_exists() {
        let id = Guid::from_u128(0xbd9c_3ef9_f239_59b5_a27e_15c5_23b1_d149);
        let upper = id.to_upper_string();
        let known = [upper.as_str()];
        let refused = |known: &[&str]| super::deletion_refused(id, known.iter().copied());
        assert_eq!(refused(&known), codes::FAIL);
        assert_eq!(refused(&["x"]), win32::NOT_FOUND);
        let networks = [HnsNetwork {
            id: upper.clone(),
            name: "nat".to_owned(),
            ..HnsNetwork::default()
        }];
        let mut endpoint = HnsEndpoint {
            virtual_network: id.to_string(),
            ..HnsEndpoint::default()
        };
        assert_eq!(super::endpoint_refused(&endpoint, &networks), codes::FAIL);
        assert_eq!(
            super::endpoint_refused(&endpoint, &[]),
            hcn::NETWORK_NOT_FOUND
        );
        endpoint.virtual_network = "nat".to_owned();
        assert_eq!(
            super::endpoint_refused(&endpoint, &networks),
            hcn::NETWORK_NOT_FOUND
        );
        let again = HnsNetwork {
            name: "nat".to_owned(),
            ..HnsNetwork::default()
        };
        assert_eq!(
            super::network_refused(&again, &networks),
            hcn::NETWORK_ALREADY_EXISTS
        );
        assert_eq!(super::network_refused(&again, &[]), codes::FAIL);
        assert_eq!(super::one(super::ENDPOINTS, id), format!("/endpoints/{id}"));
    }
}
