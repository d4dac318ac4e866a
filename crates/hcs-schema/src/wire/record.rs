//! The steps by which a struct is read and written.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{Mismatch, Node, Slot, Wire};
use crate::Unknown;
use crate::describe::Struct;

/// The keys of an object.
pub(crate) fn keys(value: Value, name: &str) -> Result<Map<String, Value>, Mismatch> {
    match value {
        Value::Object(keys) => Ok(keys),
        other => Err(Mismatch::new(&format!("an object ({name})"), &other)),
    }
}

/// The value of the first of some keys that is there; a null is an absent one.
pub(crate) fn take<T: Slot>(keys: &mut Map<String, Value>, names: &[&str]) -> Result<T, Mismatch> {
    for name in names {
        match keys.remove(*name) {
            None | Some(Value::Null) => {}
            Some(value) => return T::fill(value).map_err(|error| error.under_key(name)),
        }
    }
    Ok(T::default())
}

/// What is left.
pub(crate) fn rest(keys: &mut Map<String, Value>) -> Unknown {
    std::mem::take(keys).into_iter().collect()
}

/// The items of a list.
pub(crate) fn list<T: Wire>(value: Value) -> Result<Vec<T>, Mismatch> {
    let Value::Array(items) = value else {
        return Err(Mismatch::new("a list", &value));
    };
    let read = |(number, item)| T::read(item).map_err(|error: Mismatch| error.under_item(number));
    items.into_iter().enumerate().map(read).collect()
}

/// Writes a field, unless it is empty.
pub(crate) fn put<'a, T: Slot>(
    into: &mut Vec<(Cow<'a, str>, Node<'a>)>,
    key: &'static str,
    slot: &'a T,
) {
    into.extend(slot.write().map(|node| (Cow::Borrowed(key), node)));
}

/// Writes the keys that the schema does not know. One that it does know belongs to its field, and would be there twice.
pub(crate) fn put_unknown<'a>(
    into: &mut Vec<(Cow<'a, str>, Node<'a>)>,
    unknown: &'a Unknown,
    schema: &Struct,
) {
    let unknown = unknown
        .iter()
        .filter(|(key, _)| schema.field(key).is_none());
    into.extend(unknown.map(|(key, value)| (Cow::Borrowed(key.as_str()), Node::Any(value))));
}
