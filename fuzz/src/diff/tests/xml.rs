//! Differences in the XML data.

use wcow_wim::{OpenError, Wim, XmlError};

use super::both;
use crate::craft::{Parts, utf16};
use crate::diff::diff_wim;
use crate::diff::rules::{as_we_read, is_freed_twice};
use crate::diff::wim::disagreement;
use crate::rng::Rng;

/// The file whose XML data is this text.
fn of_text(text: &str) -> Vec<u8> {
    of_bytes(utf16(text))
}

fn of_bytes(xml: Vec<u8>) -> Vec<u8> {
    Parts {
        xml: Some(xml),
        ..Parts::default()
    }
    .build()
}

#[test]
fn xml_data_that_no_parser_reads() {
    let long = format!("<A a=\"{}\"/>", "x".repeat(4096));
    let good = "<IMAGE INDEX=\"1\"></IMAGE>";
    for (inside, behind) in [
        ("<?xml version=\"1.0\"?>", ""),
        ("<A a=\"1\" a=\"2\"/>", ""),
        ("<1/>", ""),
        ("<:A/>", ""),
        ("<a:A/>", ""),
        ("\u{1}", ""),
        ("<!-- -- -->", ""),
        (&long, ""),
        ("", "\0<"),
        ("", "<!DOCTYPE a>"),
    ] {
        let text = format!("\u{feff}<WIM>{good}{inside}</WIM>{behind}");
        let (ours, theirs) = both(&of_text(&text));
        assert!(matches!(ours, Err(OpenError::Xml { .. })), "{text}");
        assert_eq!(theirs.verify, 0, "{text}");
    }
}

#[test]
fn characters_by_number_or_two_marks_in_xml_data() {
    for (mark, name) in [("\u{feff}", "&#x41;"), ("\u{feff}\u{feff}", "A")] {
        let text = format!("{mark}<WIM><IMAGE INDEX=\"1\"><NAME>{name}</NAME></IMAGE></WIM>");
        let file = Parts {
            xml: Some(utf16(&text)),
            ..Parts::default()
        }
        .build();
        let (ours, theirs) = both(&file);
        assert_eq!(ours.unwrap().images()[0].name.as_deref(), Some("A"));
        assert_eq!(theirs.open, 73);
    }
}

/// wimlib 1.14.4 would end this process, so that it is not given such files; we refuse them.
#[test]
fn two_images_of_one_number() {
    let file = |numbers: &[&str]| {
        let images = numbers
            .iter()
            .map(|number| format!("<IMAGE INDEX='{number}'/>"));
        Parts {
            xml: Some(utf16(&format!(
                "\u{feff}<WIM>{}</WIM>",
                images.collect::<String>()
            ))),
            images: u32::try_from(numbers.len()).ok(),
            ..Parts::default()
        }
        .build()
    };
    for numbers in [&["2", "2"][..], &["1", " 3", "+03"]] {
        let file = file(numbers);
        assert!(is_freed_twice(&file));
        diff_wim(&file);
        let refused = matches!(
            Wim::open(file),
            Err(OpenError::Xml {
                source: XmlError::ImageIndex { .. },
                ..
            })
        );
        assert!(refused, "{numbers:?}");
    }
    assert!(!is_freed_twice(&file(&["2", "1", "3"])));
}

#[test]
fn an_odd_byte_behind_the_xml_data() {
    let mut xml = utf16("\u{feff}<WIM><IMAGE INDEX=\"1\"/></WIM>");
    xml.push(b'\n');
    let (ours, theirs) = both(&of_bytes(xml));
    assert!(!ours.unwrap().warnings().is_empty());
    assert_eq!(theirs.open, 73);
}

#[test]
fn spaces_around_the_number_of_an_image() {
    for (number, code) in [(" 1", 0), ("1 ", 73), ("\u{a0}1", 73)] {
        let text = format!("\u{feff}<WIM><IMAGE INDEX=\"{number}\"/></WIM>");
        let (ours, theirs) = both(&of_text(&text));
        assert!(ours.is_ok());
        assert_eq!(theirs.open, code, "{number:?}");
    }
}

#[test]
fn names_that_differ_by_half_a_character() {
    for (close, code) in [("\u{fffd}", 73), ("\0", 0)] {
        let text = format!("\u{feff}<WIM><IMAGE INDEX=\"1\"><A\0></A{close}></IMAGE></WIM>");
        let half = |unit: u16| if unit == 0 { 0xD800 } else { unit };
        let xml = text.encode_utf16().map(half).flat_map(u16::to_le_bytes);
        let (ours, theirs) = both(&of_bytes(xml.collect()));
        assert!(!ours.unwrap().warnings().is_empty());
        assert_eq!(theirs.open, code);
    }
}

/// Both give the same name out, but for ends of lines.
#[test]
fn names_of_images() {
    for (content, expected) in [
        ("a", "a"),
        ("", ""),
        ("<B>x</B>a<!-- -->b<![CDATA[&]]>&amp;<B/>c", "ab&&"),
        ("a\r\nb\rc", "a\nb\nc"),
    ] {
        let text = format!(
            "\u{feff}<WIM xmlns:a=\"u\"><a:IMAGE INDEX=\"7\"/><IMAGE INDEX=\"1\"><a:NAME>z</a:NAME>\
            <NAME>{content}</NAME><NAME>y</NAME></IMAGE></WIM>"
        );
        let (ours, theirs) = both(&of_text(&text));
        assert_eq!(ours.unwrap().images()[0].name.as_deref(), Some(expected));
        assert_eq!(as_we_read(&theirs.properties[0][0]), expected);
    }
}

/// Pieces of XML data, good ones and others, of which documents are made at random.
const PIECES: &[&str] = &[
    "<WIM>",
    "</WIM>",
    "<IMAGE INDEX=\"1\">",
    "</IMAGE>",
    "<NAME>",
    "</NAME>",
    "<NAME/>",
    "<WIM",
    "<IMAGE",
    "<NAME",
    ">",
    "/>",
    "/",
    "<",
    "</",
    "<A>",
    "</A>",
    "<A/>",
    "<A />",
    "<A b=\"c\">",
    "<A b='c'/>",
    " a=\"1\"",
    " a=\"1\" a=\"2\"",
    " a",
    "=",
    "\"",
    "'",
    " INDEX=\"2\"",
    "INDEX=\"1\"",
    " a:INDEX=\"1\"",
    " xmlns=\"u\"",
    " xmlns:a=\"u\"",
    "<a:IMAGE INDEX=\"1\"/>",
    "<a:NAME>",
    "a:",
    ":",
    "<IMAGE INDEX=\"2\"/>",
    "<IMAGE INDEX=\"0\"/>",
    "<IMAGE/>",
    " ",
    "\n",
    "\t",
    "\r\n",
    "\r",
    "text",
    "1",
    "2",
    "+",
    "0x",
    "&amp;",
    "&lt;",
    "&gt;",
    "&quot;",
    "&apos;",
    "&",
    "&#65;",
    "&#x41;",
    "&#0;",
    "&b;",
    ";",
    "<!--",
    "-->",
    "<!-- c -->",
    "<!---->",
    "--",
    "<![CDATA[",
    "]]>",
    "<![CDATA[x]]>",
    "<![CDATA[]]>",
    "]",
    "<?a b?>",
    "<?",
    "?>",
    "<?xml version=\"1.0\"?>",
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>",
    "<!DOCTYPE WIM>",
    "<!",
    "\u{0}",
    "\u{0}\u{0}",
    "\u{1}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{b7}",
    "\u{e9}",
    "\u{2028}",
    "\u{3000}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{feff}",
    "\u{fffd}",
    "\u{e000}",
    "\u{1f600}",
    "-",
    ".",
    "_",
    "$",
    "<DESCRIPTION>d</DESCRIPTION>",
    "<FLAGS>f</FLAGS>",
    "<WINDOWS>",
    "</WINDOWS>",
    "<EDITIONID>e</EDITIONID>",
    "<VERSION><BRANCH>b</BRANCH></VERSION>",
    "<LANGUAGES><DEFAULT>l</DEFAULT></LANGUAGES>",
    "<ESD/>",
];

/// Good XML data, of one image, with some pieces put in and some cut out.
fn random(rng: &mut Rng) -> Vec<u8> {
    let good = [
        "\u{feff}<WIM><IMAGE INDEX=\"1\"><NAME>a name</NAME></IMAGE></WIM>",
        "\u{feff}<WIM><TOTALBYTES>9</TOTALBYTES><IMAGE INDEX=\"1\"><WINDOWS><EDITIONID>x</EDITIONID></WINDOWS></IMAGE></WIM>",
    ];
    let mut text: Vec<char> = rng.pick(&good).unwrap_or(&"").chars().collect();
    for _ in 0..=rng.below(2) {
        // Before or behind a mark, mostly.
        let marks: Vec<usize> = (0..=text.len())
            .filter(|at| {
                let near = text.get(at.saturating_sub(1)..(at + 1).min(text.len()));
                near.unwrap_or_default()
                    .iter()
                    .any(|one| "<>\"=/ ".contains(*one))
            })
            .collect();
        let at = match rng.one_in(4) {
            true => rng.below(text.len() + 1),
            false => rng.pick(&marks).copied().unwrap_or(0),
        };
        let end = match rng.one_in(4) {
            true => (at + rng.below(8)).min(text.len()),
            false => at,
        };
        let piece = rng.pick(PIECES).unwrap_or(&"");
        text.splice(at..end, piece.chars());
    }
    if rng.one_in(16) {
        let depth = 40 + rng.below(16);
        let at = text.len() / 2;
        let deep = "<A>".repeat(depth) + "<A/>" + &"</A>".repeat(depth);
        text.splice(at..at, deep.chars());
    }
    let mut bytes = utf16(&text.into_iter().collect::<String>());
    match rng.below(24) {
        0 => bytes.push(0),
        1 => {
            // Half a character, or another one.
            let at = rng.below(bytes.len() / 2) * 2;
            bytes.splice(at..at, [0, 0xD8]);
        }
        _ => {}
    }
    bytes
}

/// All differences that such files show are meant.
#[test]
fn random_xml_data() {
    let mut opened = 0;
    for seed in 0..4000 {
        let xml = random(&mut Rng::new(seed));
        let file = of_bytes(xml);
        opened += u32::from(Wim::open(file.clone()).is_ok());
        let difference = disagreement(&file);
        assert!(difference.is_none(), "seed {seed}: {difference:?}");
    }
    // The others are refused by both, or by one on purpose.
    assert!(opened > 200, "{opened}");
}
