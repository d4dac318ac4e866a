//! Documents of the container services.

use std::fmt::Debug;

use serde_json::Value;
use wcow_hcs_schema::hcn::{
    EndpointPolicy, HostComputeQuery, ModifyEndpointSettingRequest, ModifyNamespaceSettingRequest,
    ModifyNetworkSettingRequest, NetworkPolicy, SubnetPolicy,
};
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork};
use wcow_hcs_schema::schema1::{self, ContainerConfig, ProcessParameters, ProcessStatus};
use wcow_hcs_schema::schema2::{ComputeSystem, GuestRequest, ModifySettingRequest, ResourcePath};
use wcow_hcs_schema::tp3::{Tp3ContainerConfig, Tp3ProcessParameters};
use wcow_hcs_schema::{Document, ParseError, SchemaVersion, describe, drop_newer, parse};

use crate::budget::answer;

/// A document, read as one of every type.
///
/// # Panics
/// If what is read is not written as something that reads the same, an older service's part of it cannot be read, or an error points
/// outside of the text.
pub fn hcs_schema(data: &[u8]) {
    let Ok(document) = serde_json::from_slice::<Value>(data) else {
        // No type can be read then: one of either kind of reader will do.
        refused(data, parse::<ComputeSystem>(data));
        refused(data, parse::<ContainerConfig>(data));
        return;
    };
    for known in describe::types().iter().chain(describe::hcn::types()) {
        let name = known.schema.name;
        let written = match answer(data.len(), name, || known.check(data)) {
            Ok(written) => written,
            Err(error) => {
                check_place(data, &error);
                continue;
            }
        };
        // Some keys have another spelling.
        let knows = |key: &str| {
            let mut fields = known.schema.fields.iter();
            fields.any(|field| field.key.eq_ignore_ascii_case(key))
        };
        let mut keys = document.as_object().into_iter().flatten();
        if !keys.any(|(key, _)| knows(key)) {
            assert!(
                same(&written, &document),
                "{name}: keys are lost: {written}"
            );
            continue;
        }
        let again = known.check(written.to_string()).ok();
        let again = again.as_ref();
        assert!(
            again.is_some_and(|again| same(again, &written)),
            "{name}: {written} reads as {again:?}"
        );
        for minor in [0, 3] {
            let mut older = written.clone();
            let version = SchemaVersion::new(2, minor);
            drop_newer(&mut older, known.schema, version);
            assert!(known.check(older.to_string()).is_ok(), "{name}: {older}");
            let left = drop_newer(&mut older, known.schema, version);
            assert!(left.is_empty(), "{name}: {left:?} should have gone before");
        }
    }
    check::<ContainerConfig>(data);
    check::<ProcessParameters>(data);
    check::<ProcessStatus>(data);
    check::<schema1::ContainerProperties>(data);
    check::<schema1::PropertyQuery>(data);
    check::<schema1::ResourceModificationRequest>(data);
    check::<schema1::LinuxSignal>(data);
    check::<schema1::GuestCapabilities>(data);
    check::<Tp3ContainerConfig>(data);
    check::<Tp3ProcessParameters>(data);
    check::<HnsNetwork>(data);
    check::<HnsEndpoint>(data);
    check::<GuestRequest>(data);
    hcn(data);
    if let Some(system) = check::<ComputeSystem>(data) {
        let parts = [
            system.container.is_some(),
            system.virtual_machine.is_some(),
            system.hosted_system.is_some(),
        ];
        let one = parts.iter().filter(|part| **part).count() == 1;
        assert_eq!(system.kind().is_ok(), one, "{system:?}");
    }
    if let Some(path) = check::<ModifySettingRequest>(data).and_then(|request| request.check().ok())
    {
        assert_eq!(path.to_string().parse::<ResourcePath>().as_ref(), Ok(&path));
    }
}

/// What looks into documents of the network service.
fn hcn(data: &[u8]) {
    if let Some(query) = check::<HostComputeQuery>(data)
        && let Ok(keys) = query.keys()
    {
        assert_eq!(HostComputeQuery::of_keys(&keys).keys().ok(), Some(keys));
    }
    let checks = [
        check::<EndpointPolicy>(data).map(|policy| policy.check()),
        check::<NetworkPolicy>(data).map(|policy| policy.check()),
        check::<SubnetPolicy>(data).map(|policy| policy.check()),
        check::<ModifyNetworkSettingRequest>(data).map(|change| change.check()),
        check::<ModifyEndpointSettingRequest>(data).map(|change| change.check()),
        check::<ModifyNamespaceSettingRequest>(data).map(|change| change.check()),
    ];
    for error in checks.into_iter().flatten().filter_map(Result::err) {
        assert!(!error.to_string().is_empty());
    }
}

fn check<T: Document + Debug>(data: &[u8]) -> Option<T> {
    let document: T = match parse(data) {
        Ok(document) => document,
        Err(error) => {
            check_place(data, &error);
            return None;
        }
    };
    let text = serde_json::to_string(&document).unwrap_or_default();
    let again: Option<T> = parse(&text).ok();
    let values =
        [Some(&document), again.as_ref()].map(|document| serde_json::to_value(document).ok());
    let [Some(one), Some(two)] = &values else {
        return None;
    };
    assert!(same(one, two), "{text} reads as {again:?}");
    Some(document)
}

#[track_caller]
fn refused<T>(data: &[u8], result: Result<T, ParseError>) {
    let error = result.err();
    let malformed = matches!(error, Some(ParseError::Malformed { .. }));
    assert!(
        malformed,
        "malformed JSON is read, or called something else: {error:?}"
    );
    if let Some(error) = error {
        check_place(data, &error);
    }
}

#[track_caller]
fn check_place(data: &[u8], error: &ParseError) {
    let (line, column) = match error {
        ParseError::Malformed { line, column, .. } | ParseError::Mismatch { line, column, .. } => {
            (*line, *column)
        }
        _ => return,
    };
    let mut lines = data.split(|byte| *byte == b'\n');
    let text = line.checked_sub(1).and_then(|before| lines.nth(before));
    let within = text.is_some_and(|text| column <= text.len() + 1);
    assert!(within, "outside of the text: {error}");
}

/// Whether two values are the same; numbers with a point lose a last digit when they are read.
fn same(one: &Value, two: &Value) -> bool {
    match (one, two) {
        (Value::Array(one), Value::Array(two)) => {
            one.len() == two.len() && one.iter().zip(two).all(|(one, two)| same(one, two))
        }
        (Value::Object(one), Value::Object(two)) => {
            let mut both = one.iter().zip(two);
            one.len() == two.len()
                && both.all(|((key, one), (other, two))| key == other && same(one, two))
        }
        (Value::Number(one), Value::Number(two)) => {
            let near = |one: f64, two: f64| (one - two).abs() <= one.abs() * 1e-12;
            one == two
                || one.is_f64()
                    && one
                        .as_f64()
                        .zip(two.as_f64())
                        .is_some_and(|(one, two)| near(one, two))
        }
        (one, two) => one == two,
    }
}
