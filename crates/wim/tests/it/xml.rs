//! XML data that is odd, or hostile.

use crate::support::{open, problems, small_tree, utf16, wim_of, with_xml};

const GOOD: &str = "<WIM><IMAGE INDEX=\"1\"><NAME>x</NAME></IMAGE></WIM>";

#[track_caller]
fn check(xml: &[u8], expected: &str) {
    let text = problems(&with_xml(&wim_of(&small_tree()), xml));
    let text = text
        .split_once("could not be understood: ")
        .map_or(text.as_str(), |(_, cause)| cause);
    assert!(
        text.starts_with(expected) && text.is_empty() == expected.is_empty(),
        "{text}"
    );
}

#[test]
fn a_missing_mark_and_trailing_nuls_are_read() {
    check(&utf16(GOOD), "");
    check(&utf16(&format!("\u{FEFF}{GOOD}\0\0")), "");
    check(&[&utf16(&format!("\u{FEFF}{GOOD}"))[..], &[0]].concat(), "");
}

#[test]
fn images_are_numbered_and_counted() {
    check(
        &utf16("<WIM></WIM>"),
        "expected 1 IMAGE elements as the header counts, found 0",
    );
    check(
        &utf16("<WIM><IMAGE INDEX=\"2\"/></WIM>"),
        "expected IMAGE elements numbered from 1 to 1, each once, found \"2\"",
    );
    check(
        &utf16("<WIM><IMAGE/></WIM>"),
        "expected IMAGE elements numbered from 1 to 1, each once, found \"\"",
    );
    check(
        &utf16("<WIM><IMAGE INDEX=\"1\"/><IMAGE INDEX=\"1\"/></WIM>"),
        "expected IMAGE elements numbered from 1 to 2, each once",
    );
    check(&utf16("<ESD/>"), "expected the root element WIM, found ESD");
    check(
        &utf16("<WIM><IMAGE INDEX=\"1\"/><ESD><ENCRYPTED/></ESD></WIM>"),
        "an encrypted ESD file cannot be verified",
    );
}

#[test]
fn bombs_are_refused() {
    let malformed = "expected a well-formed document without a document type";
    check(
        &utf16("<!DOCTYPE WIM [<!ENTITY a \"aaaa\">]><WIM>&a;</WIM>"),
        malformed,
    );
    check(&utf16("<WIM>"), malformed);
    check(&utf16(""), malformed);
    check(&utf16("<!-- "), malformed);
    check(
        &utf16(&"<a>".repeat(100_000)),
        "expected at most 50 elements within each other, found more at character offset 0x96",
    );
    let attributes: String = (0..10_000)
        .map(|number| format!(" a{number}=\"\""))
        .collect();
    check(
        &utf16(&format!("<WIM{attributes}/>")),
        "expected a tag of at most 4096 bytes, found a longer one at character offset 0x0",
    );
    check(
        &utf16(&format!("<WIM{}", "x".repeat(10_000))),
        "expected a tag of at most 4096 bytes",
    );
    check(
        &utf16(&format!("<WIM a=\"{}", ">".repeat(10_000))),
        "expected a tag of at most 4096 bytes",
    );
}

#[test]
fn a_lone_surrogate_is_read_as_the_replacement_character() {
    let xml = [
        &utf16("<WIM><IMAGE INDEX=\"1\"><NAME>a")[..],
        &[0x00, 0xD8],
        &utf16("b</NAME></IMAGE></WIM>"),
    ]
    .concat();
    let wim = open(&with_xml(&wim_of(&small_tree()), &xml)).expect("it opens");
    assert_eq!(wim.images()[0].name.as_deref(), Some("a\u{FFFD}b"));
}

#[test]
fn elements_with_a_prefix_are_none_of_the_formats() {
    check(
        &utf16("<a:WIM xmlns:a=\"u\"><IMAGE INDEX=\"1\"/></a:WIM>"),
        "expected the root element WIM, found WIM",
    );
    check(
        &utf16("<WIM xmlns:WIM=\"u\"><WIM:IMAGE INDEX=\"1\"/></WIM>"),
        "expected 1 IMAGE elements as the header counts, found 0",
    );
    let xml = "<WIM xmlns=\"u\" xmlns:a=\"v\"><a:IMAGE INDEX=\"1\"/>\
        <IMAGE INDEX=\"1\"><a:NAME>a</a:NAME><NAME>b</NAME></IMAGE></WIM>";
    assert_eq!(name(xml).as_deref(), Some("b"));
}

#[test]
fn names_that_begin_with_a_colon_are_refused() {
    for xml in [
        "<WIM><:IMAGE INDEX=\"1\"></IMAGE></WIM>",
        "<WIM><IMAGE INDEX=\"1\"></:IMAGE></WIM>",
        "<WIM><IMAGE :INDEX=\"1\"/></WIM>",
    ] {
        check(
            &utf16(xml),
            "expected names that do not begin with a colon, found one at character offset",
        );
    }
    let good = "<WIM><IMAGE INDEX=\"1\" a=\" :/:\"><NAME>: :</NAME></IMAGE></WIM>";
    assert_eq!(name(good).as_deref(), Some(": :"));
}

#[test]
fn an_element_without_content_counts_as_nested() {
    let nested = |depth: usize| {
        let (open, close) = ("<A>".repeat(depth), "</A>".repeat(depth));
        utf16(&format!(
            "<WIM><IMAGE INDEX=\"1\">{open}<A/>{close}</IMAGE></WIM>"
        ))
    };
    check(&nested(47), "");
    check(
        &nested(48),
        "expected at most 50 elements within each other",
    );
}

#[test]
fn text_ends_at_the_first_element_behind_it() {
    for (content, expected) in [
        ("a<B/>b", "a"),
        ("<B>x</B>a", "a"),
        ("a<!-- -->b<![CDATA[<]]><B/>c", "ab<"),
    ] {
        let xml = format!("<WIM><IMAGE INDEX=\"1\"><NAME>{content}</NAME></IMAGE></WIM>");
        assert_eq!(name(&xml).as_deref(), Some(expected), "{content}");
    }
}

fn name(xml: &str) -> Option<String> {
    let wim = open(&with_xml(&wim_of(&small_tree()), &utf16(xml))).expect("it opens");
    wim.images()[0].name.clone()
}
