//! Changes to the XML data, as text.

use crate::rng::Rng;

/// Elements of the XML data, and other words that readers look for.
pub(crate) const WORDS: &[&str] = &[
    "<WIM>",
    "</WIM>",
    "<IMAGE INDEX=\"1\">",
    "<IMAGE INDEX=\"2\">",
    "<IMAGE>",
    "<IMAGE INDEX=\" 2 \"/>",
    "<a:IMAGE xmlns:a=\"u\" INDEX=\"1\"/>",
    "<:A/>",
    "</IMAGE>",
    "<NAME>n</NAME>",
    "<NAME/>",
    "<DESCRIPTION>d</DESCRIPTION>",
    "<DISPLAYNAME>d</DISPLAYNAME>",
    "<DISPLAYDESCRIPTION>d</DISPLAYDESCRIPTION>",
    "<FLAGS>Nano</FLAGS>",
    "<DIRCOUNT>1</DIRCOUNT>",
    "<FILECOUNT>1</FILECOUNT>",
    "<TOTALBYTES>18446744073709551615</TOTALBYTES>",
    "<HARDLINKBYTES>0</HARDLINKBYTES>",
    "<CREATIONTIME><HIGHPART>0x01D00000</HIGHPART><LOWPART>0xFFFFFFFF</LOWPART></CREATIONTIME>",
    "<LASTMODIFICATIONTIME><HIGHPART>0x0</HIGHPART></LASTMODIFICATIONTIME>",
    "<WIMBOOT>1</WIMBOOT>",
    "<WINDOWS>",
    "</WINDOWS>",
    "<ARCH>9</ARCH>",
    "<PRODUCTNAME>p</PRODUCTNAME>",
    "<EDITIONID>ServerDatacenterNano</EDITIONID>",
    "<INSTALLATIONTYPE>Nano Server</INSTALLATIONTYPE>",
    "<HAL>acpiapic</HAL>",
    "<PRODUCTTYPE>ServerNT</PRODUCTTYPE>",
    "<PRODUCTSUITE>Terminal Server</PRODUCTSUITE>",
    "<SYSTEMROOT>WINDOWS</SYSTEMROOT>",
    "<LANGUAGES><LANGUAGE>en-US</LANGUAGE><DEFAULT>en-US</DEFAULT></LANGUAGES>",
    "<VERSION><MAJOR>10</MAJOR><MINOR>0</MINOR><BUILD>10514</BUILD><SPBUILD>0</SPBUILD></VERSION>",
    "<SPLEVEL>0</SPLEVEL>",
    "<BRANCH>th1_st1</BRANCH>",
    "<SERVICINGDATA/>",
    "<ESD><ENCRYPTED/></ESD>",
    "<!DOCTYPE a [<!ENTITY b \"c\">]>",
    "<![CDATA[<]]>",
    "<!-- -->",
    "<?xml version=\"1.0\"?>",
    "&amp;",
    "&lt;",
    "&#x41;",
    "&#0;",
    "&b;",
    "\u{0}",
    "\u{feff}",
    "]]>",
];

/// Changes one thing in the XML data.
pub(crate) fn mutate(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let (units, _) = bytes.as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    let mut text = String::from_utf16_lossy(&units);
    mutate_text(&mut text, rng);
    *bytes = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    if rng.one_in(32) {
        bytes.push(0);
    }
}

/// Changes one thing in the text.
fn mutate_text(text: &mut String, rng: &mut Rng) {
    match rng.below(6) {
        0 | 1 => {
            let at = tag(text, rng);
            text.insert_str(at, rng.pick(WORDS).unwrap_or(&""));
        }
        2 => {
            let (a, b) = (tag(text, rng), tag(text, rng));
            text.replace_range(a.min(b)..a.max(b), "");
        }
        3 => {
            let (a, b) = (tag(text, rng), tag(text, rng));
            let copy = text.get(a.min(b)..a.max(b)).unwrap_or_default().to_owned();
            let copy: String = copy.chars().take(400).collect();
            let at = tag(text, rng);
            text.insert_str(at, &copy);
        }
        4 => number(text, rng),
        _ => {
            let depth = rng.below(60);
            let at = tag(text, rng);
            text.insert_str(at, &("<A>".repeat(depth) + &"</A>".repeat(depth)));
        }
    }
}

/// Where a tag begins; the end of the text is one too.
fn tag(text: &str, rng: &mut Rng) -> usize {
    let tags: Vec<usize> = text.match_indices('<').map(|(at, _)| at).collect();
    rng.pick(&tags)
        .copied()
        .filter(|_| !rng.one_in(8))
        .unwrap_or(text.len())
}

/// Another number in the place of one.
fn number(text: &mut String, rng: &mut Rng) {
    let is_digit = |character: char| character.is_ascii_digit();
    let digits: Vec<usize> = text.match_indices(is_digit).map(|(at, _)| at).collect();
    let Some(&start) = rng.pick(&digits) else {
        return;
    };
    let rest = text.get(start..).unwrap_or_default();
    let len = rest
        .find(|character: char| !is_digit(character))
        .unwrap_or(rest.len());
    let old = rest.get(..len).and_then(|digits| digits.parse().ok());
    let new = rng.number(old.unwrap_or(0)).to_string();
    text.replace_range(start..start + len, &new);
}
