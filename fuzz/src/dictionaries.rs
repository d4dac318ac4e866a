//! Words that the fuzzers put into their inputs: magic numbers, flags, tags, names of elements.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use wcow_hcs_schema::describe;

use crate::mutate::xml::WORDS;

/// Words of every target that reads WIM structures.
const WIM: &[(&str, &[u8])] = &[
    ("magic", b"MSWIM\0\0\0"),
    ("magic_pipable", b"WLPWM\0\0\0"),
    ("magic_blob", b"\xD8\xB9\x3D\x44\xA2\x9B\x9B\x2B"),
    ("header_size", b"\xD0\0\0\0"),
    ("version", b"\0\x0D\x01\0"),
    ("version_solid", b"\0\x0E\0\0"),
    ("version_old", b"\0\x0C\x01\0"),
    ("flags_xpress", b"\x82\0\x02\0"),
    ("flags_lzx", b"\x82\0\x04\0"),
    ("flags_lzms", b"\x82\0\x08\0"),
    ("flags_xpress_small", b"\x82\0\x20\0"),
    ("flags_spanned", b"\x88\0\0\0"),
    ("chunk_4k", b"\0\x10\0\0"),
    ("chunk_32k", b"\0\x80\0\0"),
    ("chunk_128k", b"\0\0\x02\0"),
    ("chunk_2m", b"\0\0\x20\0"),
    ("chunk_64m", b"\0\0\0\x04"),
    ("part", b"\x01\0\x01\0"),
    ("parts", b"\x02\0\x02\0"),
    ("resource_metadata", b"\x02"),
    ("resource_compressed", b"\x04"),
    ("resource_both", b"\x06"),
    ("resource_solid", b"\x10"),
    ("solid_mark", b"\0\0\0\0\x01\0\0\0"),
    ("solid_lzms", b"\0\x80\0\0\x03\0\0\0"),
    ("solid_lzx", b"\0\x80\0\0\x02\0\0\0"),
    ("no_digest", &[0; 20]),
];

/// Words of metadata.
const METADATA: &[(&str, &[u8])] = &[
    ("no_security", b"\x08\0\0\0\0\0\0\0"),
    ("no_id", b"\xFF\xFF\xFF\xFF"),
    ("entry", b"\x68\0\0\0\0\0\0\0"),
    ("end", &[0; 8]),
    ("directory", b"\x10\0\0\0"),
    ("file", b"\x20\0\0\0"),
    ("reparse", b"\0\x04\0\0"),
    ("junction", b"\x10\x04\0\0"),
    ("encrypted", b"\0\x40\0\0"),
    ("symlink", b"\x0C\0\0\xA0"),
    ("mount_point", b"\x03\0\0\xA0"),
    ("wof", b"\x17\0\0\x80"),
    ("stream", b"\x28\0\0\0\0\0\0\0"),
    ("object_id", b"\x01\0\0\0\x40\0\0\0"),
    ("extended_attributes", b"\x02\0\0\0\x10\0\0\0"),
    ("unix", b"\x73\xD8\x7D\x33\x10\0\0\0"),
    ("unix_old", b"\x74\xD8\x7D\x33\x10\0\0\0"),
    ("dot", b".\0"),
    ("dots", b".\0.\0"),
    ("slash", b"/\0"),
    ("backslash", b"\\\0"),
    ("surrogate", b"\0\xD8"),
];

/// Words of the metadata beside a tree.
const SIDECAR: &[&str] = &[
    "{\"schema\":\"wcow.metadata/1\"}\n",
    "{\"security\":{\"id\":0,\"descriptor\":\"",
    "{\"entry\":{\"id\":1,\"parent\":0,",
    "{\"named\":{\"id\":1,\"name\":\"other\"}}\n",
    "{\"link\":{\"id\":1,\"target\":\"dir\"}}\n",
    "{\"aside\":1}\n",
    "{\"lost\":1}\n",
    "{\"times_unset\":1}\n",
    "{\"bytes\":{\"id\":1,\"stream\":0,\"data\":\"00\"}}\n",
    "{\"stored\":{\"id\":1,\"stream\":0,\"offset\":0}}\n",
    "{\"end\":{\"entries\":2,\"stored\":0}}\n",
    "\"attributes\":16,",
    "\"attributes\":32,",
    "\"attributes\":1024,",
    "\"times\":[1,2,3]",
    "\"name\":\"dir\",",
    "\"name\":[55296],",
    "\"short_name\":\"A~1\",",
    "\"security\":0,",
    "\"reparse\":{\"tag\":2684354572,\"data\":\"\"},",
    "\"link_to\":1,",
    "\"streams\":[{\"len\":1}],",
    "\"streams\":[{\"name\":\"s\",\"len\":5000,\"encrypted\":true}],",
    "\"object_id\":\"00\",",
    "\"extended_attributes\":\"00\",",
    "\"unknown\":[{\"tag\":7,\"data\":\"\"}],",
    "\"reserved\":1,",
    "\"target_not_fixed\":true,",
    "\"..\"",
    "18446744073709551615",
    "4294967295",
];

/// Words of registry hives.
const HIVE: &[(&str, &[u8])] = &[
    ("base", b"regf"),
    ("bin", b"hbin"),
    ("key", b"nk"),
    ("value", b"vk"),
    ("security", b"sk"),
    ("big", b"db"),
    ("fast", b"lf"),
    ("hashed", b"lh"),
    ("index", b"li"),
    ("root", b"ri"),
    ("class", b"ck"),
    ("nothing", b"\xFF\xFF\xFF\xFF"),
    ("resident", b"\x04\0\0\x80"),
    ("compressed_name", b"\x20\0"),
    ("entry_root", b"\x2C\0"),
];

/// The words for a target, in libFuzzer's form: `name="bytes"` lines.
#[must_use]
pub fn dictionary(target: &str) -> String {
    let mut text = String::new();
    let mut add = |name: &str, bytes: &[u8]| {
        let mut value = String::new();
        for byte in bytes {
            // Writing to a string does not fail.
            let _ = match byte {
                b'"' | b'\\' => write!(value, "\\x{byte:02X}"),
                0x20..0x7F => write!(value, "{}", char::from(*byte)),
                _ => write!(value, "\\x{byte:02X}"),
            };
        }
        let _ = writeln!(text, "{name}=\"{value}\"");
    };
    let lists: &[&[(&str, &[u8])]] = match target {
        "wim" | "extract" | "parts" | "diff_wim" => &[WIM, METADATA],
        "header" | "lookup_table" => &[WIM],
        "metadata" => &[METADATA],
        "hive" => &[HIVE],
        _ => &[],
    };
    for (name, bytes) in lists.iter().copied().flatten() {
        add(name, bytes);
    }
    let words: &[&str] = match target {
        "xml" => WORDS,
        "sidecar" => SIDECAR,
        _ => &[],
    };
    for (number, word) in words.iter().enumerate() {
        add(&format!("word_{number}"), word.as_bytes());
    }
    if target == "hcs_schema" {
        for (number, word) in document_words().iter().enumerate() {
            add(&format!("word_{number}"), word.as_bytes());
        }
    }
    text
}

/// Keys and words of the documents of the container services, with their quotes, and some values.
fn document_words() -> BTreeSet<String> {
    let types = describe::types().iter().chain(describe::hcn::types());
    let keys = types.flat_map(|known| known.schema.fields);
    let keys = keys.map(|field| format!("\"{}\":", field.key));
    let words = describe::words().iter().chain(describe::hcn::words());
    let words = words.flat_map(|known| known.words);
    let words = words.map(|(word, _)| format!("\"{word}\""));
    let values = ["{}", "[]", "null", "4294967295", "-2147483648", "\"AP8=\""];
    let values = values.into_iter().map(str::to_owned);
    let id = "\"5c9b3a0e-7b0c-4a8e-8f4f-0b2f8f3e9a11\"".to_owned();
    keys.chain(words).chain(values).chain([id]).collect()
}

#[cfg(test)]
mod tests {
    use super::dictionary;

    #[test]
    fn bytes_are_written_as_libfuzzer_reads_them() {
        let text = dictionary("metadata");
        assert!(text.contains("dots=\".\\x00.\\x00\"\n"), "{text}");
        assert!(text.contains("backslash=\"\\x5C\\x00\"\n"), "{text}");
        assert!(dictionary("xml").contains("=\"<NAME>n</NAME>\"\n"));
        assert!(dictionary("hcs_schema").contains("=\"\\x22Container\\x22:\"\n"));
        assert!(dictionary("lzx").is_empty());
    }
}
