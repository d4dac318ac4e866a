//! The types against the table that they are written from, by what they do: every struct, field, word and version.

use serde_json::{Map, Value, json};
use wcow_hcs_schema::describe::{self, Kind};
use wcow_hcs_schema::schema2::{AttachmentType, EnlightenmentModifications, SystemType};
use wcow_hcs_schema::{ParseError, SchemaVersion};

/// Names, types and versions of schema 2.
pub(crate) fn table() -> Value {
    serde_json::from_str(include_str!("../../data/schema2.json")).unwrap()
}

/// What the table calls Any and the types call something.
const TYPED: &[(&str, &str, &str)] = &[("ComputeSystem", "HostedSystem", "HostedSystem")];

/// What clients send and the table does not have.
const ADDED: &[(&str, &str)] = &[
    ("Container", "IsolationType"),
    ("Storage", "PrivilegedContainerRootPath"),
    ("LayerData", "FilterType"),
];

pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) since: String,
}

pub(crate) fn structs(table: &Value) -> Vec<(String, Vec<Field>)> {
    rows(table, "structs")
}

fn rows(table: &Value, part: &str) -> Vec<(String, Vec<Field>)> {
    let types = table[part].as_object().unwrap().iter();
    types
        .map(|(name, rows)| {
            let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
            let field = |row: &Value| Field {
                name: text(row, "name"),
                kind: text(row, "type"),
                since: text(row, "since"),
            };
            (
                name.clone(),
                rows.as_array().unwrap().iter().map(field).collect(),
            )
        })
        .collect()
}

fn item(kind: &str) -> Option<&str> {
    kind.strip_prefix('[')?.strip_suffix(']')
}

pub(crate) fn map(kind: &str) -> Option<(&str, &str)> {
    kind.strip_prefix("Map<")?
        .strip_suffix('>')?
        .split_once(", ")
}

/// A value of a type, with every field of every struct in it; a struct within itself is empty.
pub(crate) fn sample(table: &Value, kind: &str, within: &mut Vec<String>) -> Value {
    if kind == "[uint16, 2]" {
        return json!([65535, 0]);
    }
    if let Some(of) = item(kind) {
        return json!([sample(table, of, within), sample(table, of, within)]);
    }
    if let Some((key, of)) = map(kind) {
        let key = match sample(table, key, within) {
            Value::String(key) => key,
            key => key.to_string(),
        };
        return json!({ key: sample(table, of, within) });
    }
    match kind {
        "string" | "string_binary" => json!("a \"text\" \u{1F980}"),
        "DateTime" => json!("2015-08-19T10:00:00.1234567Z"),
        "MacAddress" => json!("00-15-5D-00-00-01"),
        "Guid" => json!("b1f5b1f0-93c2-5b9b-9e6c-1c5a9d1d6f0a"),
        "ByteArray" | "NullableByteArray" => json!("AP8="),
        "Any" => json!({ "any": [1, "thing", null] }),
        "bool" => json!(false),
        "uint8" => json!(u8::MAX),
        "uint16" => json!(u16::MAX),
        "uint32" => json!(u32::MAX),
        "uint64" => json!(u64::MAX),
        "int32" => json!(i32::MIN),
        "int64" => json!(i64::MIN),
        name => {
            if let Some(words) = table["enums"].get(name) {
                return words.as_array().unwrap().last().unwrap()["name"].clone();
            }
            if within.iter().any(|outer| outer == name) {
                return json!({});
            }
            within.push(name.to_owned());
            let fields = table["structs"][name].as_array();
            let fields = fields.unwrap_or_else(|| panic!("no type is called {name}"));
            let keys: Map<String, Value> = fields
                .iter()
                .map(|field| {
                    let key = field["name"].as_str().unwrap();
                    let kind = typed(name, key).unwrap_or(field["type"].as_str().unwrap());
                    (key.to_owned(), sample(table, kind, within))
                })
                .collect();
            within.pop();
            Value::Object(keys)
        }
    }
}

fn typed(name: &str, key: &str) -> Option<&'static str> {
    let mut known = TYPED.iter();
    known
        .find(|(of, field, _)| (*of, *field) == (name, key))
        .map(|(.., kind)| *kind)
}

/// A type as it is shown: texts of all kinds are strings, and bytes are bytes.
fn shown(kind: &str) -> String {
    match kind {
        "DateTime" | "MacAddress" | "string_binary" => "string".to_owned(),
        "NullableByteArray" => "ByteArray".to_owned(),
        other => other.to_owned(),
    }
}

fn check(name: &str, document: &Value) -> Result<Value, ParseError> {
    let known = describe::find(name).unwrap_or_else(|| panic!("no type is called {name}"));
    known.check(document.to_string())
}

#[test]
fn every_struct_has_the_fields_of_the_table() {
    let table = table();
    let structs = structs(&table);
    assert_eq!((structs.len(), describe::types().len()), (189, 188));
    let mut fields = 0;
    for (name, expected) in structs.iter().filter(|(name, _)| name != "Version") {
        let known = describe::find(name).unwrap().schema;
        let added = ADDED.iter().filter(|(of, _)| of == name).count();
        assert_eq!(known.fields.len(), expected.len() + added, "{name}");
        for (field, expected) in known.fields.iter().zip(expected) {
            let place = format!("{name}.{}", expected.name);
            assert_eq!(field.key, expected.name, "{place}");
            assert_eq!(field.since.to_string(), expected.since, "{place}");
            let kind = typed(name, field.key).map_or(shown(&expected.kind), str::to_owned);
            assert_eq!(field.kind().to_string(), kind, "{place}");
            fields += 1;
        }
    }
    assert_eq!(fields, 655);
    for (name, key) in ADDED {
        assert!(describe::find(name).unwrap().schema.field(key).is_some());
    }
}

#[test]
fn every_struct_is_read_and_written_with_all_fields_set() {
    let table = table();
    for (name, _) in structs(&table).iter().filter(|(name, _)| name != "Version") {
        let document = sample(&table, name, &mut Vec::new());
        assert_eq!(check(name, &document).as_ref(), Ok(&document), "{name}");
    }
    let version = json!({ "Major": 2, "Minor": 1 });
    let read: SchemaVersion = serde_json::from_value(version.clone()).unwrap();
    assert_eq!(read, SchemaVersion::V2_1);
    assert_eq!(serde_json::to_value(read).unwrap(), version);
}

/// A key that landed among the unknown ones would take anything.
#[test]
fn every_field_refuses_what_is_not_of_its_type() {
    let table = table();
    let wrong = [
        json!(true),
        json!(-1),
        json!(1.5),
        json!(70_000),
        json!("text"),
        json!([1, 2, 3]),
        json!([true]),
        json!({ "x": 1 }),
    ];
    let mut refused = 0;
    for (name, fields) in structs(&table).iter().filter(|(name, _)| name != "Version") {
        for field in fields {
            let kind = describe::find(name).unwrap().schema.field(&field.name);
            let kind = kind.unwrap().kind();
            let fits = |value: &Value| match kind {
                Kind::Any => true,
                Kind::Text | Kind::Words(_) => value.is_string(),
                Kind::Bool => value.is_boolean(),
                Kind::Integer("int32" | "int64") => value.is_i64(),
                Kind::Integer("uint32" | "uint64") => value.is_u64(),
                Kind::Struct(_) => value.is_object(),
                // Four letters of its alphabet are base64.
                Kind::Bytes => value == "text",
                Kind::Map(key, of) => {
                    let takes_one = matches!(of(), Kind::Any | Kind::Integer(_));
                    value.is_object() && matches!(key(), Kind::Text) && takes_one
                }
                Kind::List(of) if matches!(of(), Kind::Any) => value.is_array(),
                Kind::List(of) if matches!(of(), Kind::Integer("uint32" | "uint64")) => {
                    *value == json!([1, 2, 3])
                }
                _ => false,
            };
            for value in &wrong {
                let document = json!({ &field.name: value });
                let place = format!("{name}.{}: {value}", field.name);
                match check(name, &document) {
                    // Nothing but its two numbers is kept of a version.
                    Ok(written) if field.kind == "Version" => {
                        let nothing = json!({ "Major": 0, "Minor": 0 });
                        assert_eq!(written, json!({ &field.name: nothing }), "{place}");
                    }
                    Ok(written) => {
                        assert!(fits(value), "{place}");
                        assert_eq!(written, document, "{place}");
                    }
                    Err(ParseError::Mismatch { path, line: 1, .. }) => {
                        assert!(!fits(value), "{place}");
                        assert!(path.starts_with(&field.name), "{place}: {path}");
                        refused += 1;
                    }
                    Err(other) => panic!("{place}: {other}"),
                }
            }
        }
    }
    assert!(refused > 4000, "{refused}");
}

#[test]
fn integers_have_their_limits() {
    let table = table();
    let mut seen = 0;
    for (name, fields) in structs(&table).iter().filter(|(name, _)| name != "Version") {
        for field in fields {
            let (least, most): (i128, i128) = match field.kind.as_str() {
                "uint8" => (0, u8::MAX.into()),
                "uint16" => (0, u16::MAX.into()),
                "uint32" => (0, u32::MAX.into()),
                "uint64" => (0, u64::MAX.into()),
                "int32" => (i32::MIN.into(), i32::MAX.into()),
                "int64" => (i64::MIN.into(), i64::MAX.into()),
                _ => continue,
            };
            let known = describe::find(name).unwrap();
            let fits = |number: i128| {
                known
                    .check(format!("{{\"{}\":{number}}}", field.name))
                    .is_ok()
            };
            let found = [least, most, least - 1, most + 1].map(fits);
            assert_eq!(found, [true, true, false, false], "{name}.{}", field.name);
            seen += 1;
        }
    }
    assert_eq!(seen, 130);
}

#[test]
fn absence_presence_and_unknown_keys_are_kept() {
    let table = table();
    let mut sections = 0;
    for (name, fields) in structs(&table).iter().filter(|(name, _)| name != "Version") {
        assert_eq!(check(name, &json!({})), Ok(json!({})), "{name}");
        let unknown = json!({ "xNew": { "a": [null] }, "xOther": null });
        assert_eq!(check(name, &unknown).as_ref(), Ok(&unknown), "{name}");
        for field in fields {
            let absent = json!({ &field.name: null });
            assert_eq!(check(name, &absent), Ok(json!({})), "{name}.{}", field.name);
            if table["structs"].get(&field.kind).is_some() && field.kind != "Version" {
                let present = json!({ &field.name: {} });
                assert_eq!(
                    check(name, &present).as_ref(),
                    Ok(&present),
                    "{name}.{}",
                    field.name
                );
                sections += 1;
            }
        }
    }
    assert_eq!(sections, 94);
}

#[test]
fn every_enumeration_has_the_words_of_the_table() {
    let table = table();
    let enums = rows(&table, "enums");
    assert_eq!((enums.len(), describe::words().len()), (64, 64));
    let structs = structs(&table);
    let mut unused = Vec::new();
    for (name, expected) in &enums {
        let known = describe::words()
            .iter()
            .find(|known| known.name == name)
            .unwrap();
        let known: Vec<(String, String)> = known
            .words
            .iter()
            .map(|(word, since)| ((*word).to_owned(), since.to_string()))
            .collect();
        let expected = expected
            .iter()
            .map(|row| (row.name.clone(), row.since.clone()));
        assert_eq!(known, expected.collect::<Vec<_>>(), "{name}");
        // Every word and one more, in a document that has the enumeration.
        let field = structs.iter().find_map(|(of, fields)| {
            let field = fields.iter().find(|field| {
                field.kind == *name || item(&field.kind).is_some_and(|item| item == name)
            });
            field.map(|field| (of, field))
        });
        let Some((of, field)) = field else {
            unused.push(name.as_str());
            continue;
        };
        for word in known
            .iter()
            .map(|(word, _)| word.as_str())
            .chain(["NotYetKnown"])
        {
            let value = if field.kind == *name {
                json!(word)
            } else {
                json!([word])
            };
            let document = json!({ &field.name: value });
            assert_eq!(check(of, &document).as_ref(), Ok(&document), "{name}");
        }
    }
    assert_eq!(unused, ["EnlightenmentModifications"]);
}

#[test]
fn words_become_variants() {
    assert_eq!(AttachmentType::from("Iso"), AttachmentType::Iso);
    assert_eq!(
        AttachmentType::from("iso"),
        AttachmentType::Other("iso".to_owned())
    );
    assert_eq!(
        EnlightenmentModifications::from("RsvdZ1").as_str(),
        "RsvdZ1"
    );
    // Services and clients write this one in both cases.
    assert_eq!(SystemType::from("container"), SystemType::Container);
    assert_eq!(SystemType::Container.to_string(), "Container");
}
