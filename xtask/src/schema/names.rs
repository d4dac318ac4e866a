//! Names of the schema as names of Rust.

use anyhow::{Result, bail};

/// Parts of keys that stay one word, or become two.
const PARTS: &[(&str, &str)] = &[
    ("QoS", "Qos"),
    ("PMem", "Pmem"),
    ("DWord", "Dword"),
    ("QWord", "Qword"),
    ("MHz", "Mhz"),
    ("P2P", "P2p"),
    ("100ns", "_100ns"),
    ("IPv4", "Ipv4"),
    ("IPv6", "Ipv6"),
    ("VIPs", "Vips"),
];

/// The name of a type: `Container_Memory` is `ContainerMemory`, `DNS` is `Dns`. Where two share a name and only a number parts them, the one
/// of guests says so.
pub(super) fn type_name(name: &str) -> String {
    match name {
        "Version" => "SchemaVersion".to_owned(),
        "DNS" => "Dns".to_owned(),
        "DNS_2" => "GuestDns".to_owned(),
        "Route_2" => "GuestRoute".to_owned(),
        "NamespaceResource_2" => "GuestNamespaceResource".to_owned(),
        name => name.replace('_', ""),
    }
}

/// The name of a field: `HostPath` is `host_path`; `Type` is `kind`, because `type` is taken.
pub(super) fn field_name(key: &str) -> String {
    let mut key = key.to_owned();
    for (part, other) in PARTS {
        key = key.replace(part, other);
    }
    if key.eq_ignore_ascii_case("type") {
        return "kind".to_owned();
    }
    let letters: Vec<char> = key.chars().collect();
    let mut name = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after_small = before.is_some_and(|before| before.is_lowercase() || before.is_numeric());
        let before_small = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        let after_capital = before.is_some_and(|before| before.is_uppercase());
        if letter.is_uppercase() && (after_small || after_capital && before_small) {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

/// The name of a word that stands for a number: `EnableDnsProxy` is `ENABLE_DNS_PROXY`.
pub(super) fn constant_name(word: &str) -> String {
    field_name(word).to_ascii_uppercase()
}

/// The name of a word of an enumeration: `hard` is `Hard`, `Xsave_Opt` is `XsaveOpt`, `LRPC` is `Lrpc`, `Sse4_1` stays.
pub(super) fn variant_name(word: &str) -> String {
    let mut name = String::new();
    for part in word.split('_') {
        let digit = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_digit());
        if digit(name.chars().next_back()) && digit(part.chars().next()) {
            name.push('_');
        }
        let mut letters = part.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        if part.chars().any(|letter| letter.is_ascii_lowercase()) {
            name.push_str(letters.as_str());
        } else {
            name.push_str(&letters.as_str().to_ascii_lowercase());
        }
    }
    name
}

/// The type of a field, as Rust has it: lists and maps may be empty, all else may be absent.
pub(super) fn rust_type(kind: &str) -> Result<String> {
    if kind == "[uint16, 2]" {
        return Ok("Option<[u16; 2]>".to_owned());
    }
    if let Some(of) = kind
        .strip_prefix('[')
        .and_then(|kind| kind.strip_suffix(']'))
    {
        return Ok(format!("Vec<{}>", value_type(of)?));
    }
    if let Some((key, of)) = map(kind) {
        return Ok(format!(
            "BTreeMap<{}, {}>",
            value_type(key)?,
            value_type(of)?
        ));
    }
    Ok(format!("Option<{}>", value_type(kind)?))
}

fn value_type(kind: &str) -> Result<String> {
    if kind.contains(['[', '<', ' ']) {
        bail!("a type in a type: {kind}");
    }
    let name = match kind {
        "string" | "DateTime" | "MacAddress" | "string_binary" => "String",
        "ByteArray" | "NullableByteArray" => "Bytes",
        "Any" => "Value",
        "Guid" | "bool" => kind,
        "uint8" => "u8",
        "uint16" => "u16",
        "uint32" => "u32",
        "uint64" => "u64",
        "int32" => "i32",
        "int64" => "i64",
        name => return Ok(type_name(name)),
    };
    Ok(name.to_owned())
}

/// The struct or enumeration that a type of a field is made of.
pub(super) fn kind_name(kind: &str) -> Option<&str> {
    let kind = match map(kind) {
        Some((_, of)) => of,
        None => kind.trim_matches(['[', ']']),
    };
    let capital = kind.starts_with(|letter: char| letter.is_uppercase());
    let plain = [
        "DateTime",
        "MacAddress",
        "ByteArray",
        "NullableByteArray",
        "Any",
        "Guid",
    ];
    (capital && !plain.contains(&kind)).then_some(kind)
}

fn map(kind: &str) -> Option<(&str, &str)> {
    kind.strip_prefix("Map<")?
        .strip_suffix('>')?
        .split_once(", ")
}

#[cfg(test)]
mod tests {
    use super::{constant_name, field_name, kind_name, rust_type, type_name, variant_name};

    #[test]
    fn names() {
        for (key, name) in [
            ("HostPath", "host_path"),
            ("SizeInMB", "size_in_mb"),
            ("EnableHostOSInfoKvpItems", "enable_host_os_info_kvp_items"),
            ("StorageQoS", "storage_qos"),
            ("UserTime100ns", "user_time_100ns"),
            ("VirtualPMem", "virtual_pmem"),
            ("AllowDirectTranslatedP2P", "allow_direct_translated_p2p"),
            ("ForceLevelIIOplocks", "force_level_ii_oplocks"),
            ("PreOSId", "pre_os_id"),
            ("Type", "kind"),
            ("device_category", "device_category"),
        ] {
            assert_eq!(field_name(key), name);
        }
        for (word, name) in [
            ("VirtualDisk", "VirtualDisk"),
            ("hard", "Hard"),
            ("Sse4_1", "Sse4_1"),
            ("Xsave_Opt", "XsaveOpt"),
            ("AVX512_Ifma", "Avx512Ifma"),
            ("LRPC", "Lrpc"),
            ("GuestOS", "GuestOS"),
        ] {
            assert_eq!(variant_name(word), name);
        }
        assert_eq!(type_name("Container_Memory"), "ContainerMemory");
        assert_eq!(type_name("DNS_2"), "GuestDns");
        assert_eq!(constant_name("IPv6"), "IPV6");
        assert_eq!(
            constant_name("EnableDirectServerReturn"),
            "ENABLE_DIRECT_SERVER_RETURN"
        );
    }

    #[test]
    fn types() {
        for (kind, rust) in [
            ("string", "Option<String>"),
            ("[Layer]", "Vec<Layer>"),
            ("[uint16, 2]", "Option<[u16; 2]>"),
            ("Map<uint32, Attachment>", "BTreeMap<u32, Attachment>"),
            ("Version", "Option<SchemaVersion>"),
            ("NullableByteArray", "Option<Bytes>"),
        ] {
            assert_eq!(rust_type(kind).unwrap(), rust);
        }
        assert!(rust_type("[[Layer]]").is_err());
        assert_eq!(kind_name("Map<uint32, Attachment>"), Some("Attachment"));
        assert_eq!(kind_name("[Layer]"), Some("Layer"));
        assert_eq!(kind_name("[Guid]"), None);
    }
}
