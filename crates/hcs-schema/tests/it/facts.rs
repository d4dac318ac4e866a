//! The types against the tables that they are written from, by what they do: every struct, field, word and version.

use serde_json::{Map, Value, json};
use wcow_hcs_schema::describe::{self, Kind, Type, Words};
use wcow_hcs_schema::schema2::{AttachmentType, EnlightenmentModifications, SystemType};
use wcow_hcs_schema::{ParseError, SchemaVersion};

/// Names, types and versions of schema 2.
pub(crate) fn table() -> Value {
    serde_json::from_str(include_str!("../../data/schema2.json")).unwrap()
}

/// A table, and the types that are written from it.
struct Set {
    table: Value,
    types: &'static [Type],
    words: &'static [&'static Words],
    /// How many structs, fields, fields with limits, structs within structs and enumerations the table has.
    counts: [usize; 5],
}

fn sets() -> [Set; 2] {
    [
        Set {
            table: table(),
            types: describe::types(),
            words: describe::words(),
            counts: [189, 655, 130, 94, 64],
        },
        Set {
            table: serde_json::from_str(include_str!("../../data/hcn.json")).unwrap(),
            types: describe::hcn::types(),
            words: describe::hcn::words(),
            counts: [114, 552, 120, 40, 41],
        },
    ]
}

impl Set {
    /// The type of a name.
    #[track_caller]
    fn find(&self, name: &str) -> &'static Type {
        let known = self.types.iter().find(|known| known.schema.name == name);
        known.unwrap_or_else(|| panic!("no type is called {name}"))
    }

    #[track_caller]
    fn check(&self, name: &str, document: &Value) -> Result<Value, ParseError> {
        self.find(name).check(document.to_string())
    }

    /// The structs but for that of versions, which the crate has a type of its own for.
    fn structs(&self) -> Vec<(String, Vec<Field>)> {
        let mut structs = structs(&self.table);
        structs.retain(|(name, _)| name != "Version");
        structs
    }
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
        "MacAddress" if table["structs"].get(kind).is_none() => json!("00-15-5D-00-00-01"),
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
                if describe::hcn::numbers()
                    .iter()
                    .any(|known| known.name == name)
                {
                    return json!(u32::MAX);
                }
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

#[test]
fn every_struct_has_the_fields_of_the_table() {
    for set in sets() {
        let structs = set.structs();
        assert_eq!(structs.len(), set.types.len());
        let mut fields = 0;
        for (name, expected) in &structs {
            let known = set.find(name).schema;
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
        assert_eq!([structs.len() + 1, fields], set.counts[..2]);
    }
    for (name, key) in ADDED {
        assert!(describe::find(name).unwrap().schema.field(key).is_some());
    }
}

#[test]
fn every_struct_is_read_and_written_with_all_fields_set() {
    for set in sets() {
        for (name, _) in set.structs() {
            let document = sample(&set.table, &name, &mut Vec::new());
            let written = set.check(&name, &document);
            assert_eq!(written.as_ref(), Ok(&document), "{name}");
        }
    }
    let version = json!({ "Major": 2, "Minor": 1 });
    let read: SchemaVersion = serde_json::from_value(version.clone()).unwrap();
    assert_eq!(read, SchemaVersion::V2_1);
    assert_eq!(serde_json::to_value(read).unwrap(), version);
}

/// A key that landed among the unknown ones would take anything.
#[test]
fn every_field_refuses_what_is_not_of_its_type() {
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
    for (set, least) in sets().iter().zip([4000, 2500]) {
        let mut refused = 0;
        for (name, fields) in set.structs() {
            for field in fields {
                let kind = set.find(&name).schema.field(&field.name).unwrap().kind();
                for value in &wrong {
                    let document = json!({ &field.name: value });
                    let place = format!("{name}.{}: {value}", field.name);
                    match set.check(&name, &document) {
                        // Nothing but its two numbers is kept of a version.
                        Ok(written) if field.kind == "Version" => {
                            let nothing = json!({ "Major": 0, "Minor": 0 });
                            assert_eq!(written, json!({ &field.name: nothing }), "{place}");
                        }
                        Ok(written) => {
                            assert!(fits(kind, value), "{place}");
                            assert_eq!(written, document, "{place}");
                        }
                        Err(ParseError::Mismatch { path, line: 1, .. }) => {
                            assert!(!fits(kind, value), "{place}");
                            assert!(path.starts_with(&field.name), "{place}: {path}");
                            refused += 1;
                        }
                        Err(other) => panic!("{place}: {other}"),
                    }
                }
            }
        }
        assert!(refused > least, "{refused}");
    }
}

/// Whether one of the values above is of a type.
fn fits(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::Any => true,
        Kind::Text | Kind::Words(_) => value.is_string(),
        Kind::Bool => value.is_boolean(),
        Kind::Integer("int32" | "int64") => value.is_i64(),
        Kind::Integer("uint32" | "uint64") | Kind::Numbers(_) => value.is_u64(),
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
    }
}

#[test]
fn integers_have_their_limits() {
    for set in sets() {
        let mut seen = 0;
        for (name, fields) in set.structs() {
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
                let known = set.find(&name);
                let fits = |number: i128| {
                    let document = format!("{{\"{}\":{number}}}", field.name);
                    known.check(document).is_ok()
                };
                let found = [least, most, least - 1, most + 1].map(fits);
                assert_eq!(found, [true, true, false, false], "{name}.{}", field.name);
                seen += 1;
            }
        }
        assert_eq!(seen, set.counts[2]);
    }
}

#[test]
fn absence_presence_and_unknown_keys_are_kept() {
    for set in sets() {
        let mut sections = 0;
        for (name, fields) in set.structs() {
            assert_eq!(set.check(&name, &json!({})), Ok(json!({})), "{name}");
            let unknown = json!({ "xNew": { "a": [null] }, "xOther": null });
            assert_eq!(set.check(&name, &unknown).as_ref(), Ok(&unknown), "{name}");
            for field in fields {
                let place = format!("{name}.{}", field.name);
                let absent = json!({ &field.name: null });
                assert_eq!(set.check(&name, &absent), Ok(json!({})), "{place}");
                let is_struct = set.table["structs"].get(&field.kind).is_some();
                if is_struct && field.kind != "Version" {
                    let present = json!({ &field.name: {} });
                    assert_eq!(set.check(&name, &present).as_ref(), Ok(&present), "{place}");
                    sections += 1;
                }
            }
        }
        assert_eq!(sections, set.counts[3]);
    }
}

#[test]
fn every_enumeration_has_the_words_of_the_table() {
    let mut unused = Vec::new();
    for set in sets() {
        let enums = rows(&set.table, "enums");
        let numbers = describe::hcn::numbers();
        let is_number = |name: &str| numbers.iter().any(|known| known.name == name);
        assert_eq!(enums.len(), set.counts[4]);
        let structs = set.structs();
        let words = enums.iter().filter(|(name, _)| !is_number(name));
        assert_eq!(words.clone().count(), set.words.len());
        for (name, expected) in words {
            let known = set.words.iter().find(|known| known.name == name).unwrap();
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
                unused.push(name.clone());
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
                assert_eq!(set.check(of, &document).as_ref(), Ok(&document), "{name}");
            }
        }
    }
    assert_eq!(
        unused,
        [
            "EnlightenmentModifications",
            "EntityFlags",
            "HostResourceType",
            "ProxyType"
        ]
    );
}

/// Flags are numbers; a value has one bit, and no other one has it.
#[test]
fn every_number_has_the_words_of_the_table() {
    let [_, hcn] = sets();
    let enums = rows(&hcn.table, "enums");
    for known in describe::hcn::numbers() {
        let name = known.name;
        let expected = &enums.iter().find(|(of, _)| of == name).unwrap().1;
        let words = expected.iter().map(|row| (&*row.name, row.since.clone()));
        let found = known.values.iter();
        let found = found.map(|(word, _, since)| (*word, since.to_string()));
        let found: Vec<_> = found.collect();
        assert!(found.starts_with(&words.collect::<Vec<_>>()), "{name}");
        let mut values: Vec<u32> = known.values.iter().map(|(_, value, _)| *value).collect();
        assert_eq!(values.first(), Some(&0), "{name}");
        let flags = !["ProtocolType", "LoadBalancerDistribution"].contains(&name);
        let one_bit = values.iter().all(|value| value.count_ones() <= 1);
        assert!(!flags || one_bit, "{name}");
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), known.values.len(), "{name}");
    }
    assert_eq!(describe::hcn::numbers().len(), 13);
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
