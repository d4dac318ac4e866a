//! Seeds that need no file.

use wcow_hive::{HiveBuilder, ValueKind, empty_hive};
use wcow_ntmeta::{FileAttributes, Guid, ReparsePoint};
use wcow_tree::memory::MemoryTree;
use wcow_wim::{IntegrityChoice, NewImage, WriteOptions, write_uncompressed};

use super::Seed;
use super::documents::DOCUMENTS;
use crate::codecs::{Codec, CodecInput};
use crate::craft::{Parts, empty_root, one_file, wim_of_metadata};
use crate::mutate::{Form, delta, reshaped};
use crate::parts::{Role, good_set};

/// Seeds that need no file.
#[must_use]
pub fn made() -> Vec<Seed> {
    let mut seeds: Vec<Seed> = Vec::new();
    let mut add = |target, name: &str, bytes: Vec<u8>| seeds.push((target, name.to_owned(), bytes));
    for (codec, name, len, chunk) in [
        (
            Codec::Lzx,
            "uncompressed-block",
            3,
            LZX_UNCOMPRESSED.to_vec(),
        ),
        (Codec::Lzx, "nothing", 1, Vec::new()),
        (Codec::Xpress, "two-symbols", 4, xpress_two_symbols()),
        (Codec::Lzms, "nothing", 1, vec![0; 4]),
    ] {
        let bytes = CodecInput::seed(codec, 1 << 15, len, &chunk);
        add(
            "diff_codec",
            name,
            [&[codec.number()], bytes.as_slice()].concat(),
        );
        add(codec.target(), name, bytes);
    }
    for (name, text) in SIDECARS {
        add("sidecar", name, text.join("\n").into_bytes());
    }
    for (name, text) in DOCUMENTS {
        add("hcs_schema", name, text.as_bytes().to_vec());
    }
    for (at, role) in (0_u8..).zip(Role::ALL) {
        let (name, file) = match role {
            Role::Part(part) => (format!("part-{part}"), good_set().get(part).cloned()),
            Role::Delta => ("delta".to_owned(), Some(delta(&rich()))),
            Role::Reference => ("reference".to_owned(), Some(rich())),
        };
        add(
            "parts",
            &name,
            [vec![at, 0xFF], file.unwrap_or_default()].concat(),
        );
    }
    for (name, plan) in SIM_RUNS {
        let len = u8::try_from(plan.len()).unwrap_or(u8::MAX);
        add("sim_run", name, [&[len], *plan].concat());
        // The same plan on a host where every draw gives something.
        let host: Vec<u8> = (0..=u8::MAX).map(|byte| byte.wrapping_mul(73)).collect();
        let restless = format!("{name}-restless");
        add("sim_run", &restless, [&[len], *plan, &host, &host].concat());
    }
    for surface in 0..2 {
        // Two containers live their lives, then every call meets whatever state there is.
        let lives = [
            0, 0, 0, 1, 5, 0, 5, 2, 8, 2, 13, 2, 9, 2, 11, 0, 6, 0, 2, 0, 0, 0, 7, 2, 4, 0,
        ];
        let name = |what: &str| format!("{what}-v{}", surface + 1);
        add(
            "compute_calls",
            &name("lives"),
            [&[surface], &lives[..]].concat(),
        );
        let every: Vec<u8> = (0..64_u8)
            .flat_map(|step| [step, step.wrapping_mul(5)])
            .collect();
        add(
            "compute_calls",
            &name("every"),
            [&[surface], &every[..]].concat(),
        );
    }
    add("hive", "empty", empty_hive("EMPTY"));
    add("hive", "small", small_hive());
    add("metadata", "empty-root", empty_root());
    add("metadata", "one-file", one_file());
    let good = Parts::default().build();
    add("header", "good", good.get(..208).unwrap_or(&good).to_vec());
    let table = good.len().saturating_sub(crate::craft::xml(1).len() + 100);
    let rows = good.get(table..table + 100).unwrap_or_default();
    add("lookup_table", "good", [&[2], rows].concat());
    add("lookup_table", "no-images", vec![0]);
    add("xml", "good", [&[9], TEXT.as_bytes()].concat());
    add("xml", "two-images", [&[10], TWO.as_bytes()].concat());
    add("integrity", "good", vec![7]);
    add("integrity", "one-piece", vec![15]);
    add(
        "integrity",
        "other-digest",
        [vec![6], vec![0; 20], vec![1]].concat(),
    );
    add("integrity", "nothing", vec![0x80, 1]);
    for target in ["wim", "extract", "diff_wim"] {
        add(target, "empty-root", wim_of_metadata(&empty_root()));
        add(target, "one-file", wim_of_metadata(&one_file()));
        add(target, "no-metadata", wim_of_metadata(&[]));
        let rich = rich();
        for form in [
            Form::Chunked,
            Form::Solid,
            Form::Pipable,
            Form::PipableChunked,
        ] {
            add(target, form.name(), reshaped(&rich, form));
        }
        add(target, "rich", rich);
    }
    seeds
}

/// A WIM file of a tree with something of everything.
#[must_use]
pub fn rich() -> Vec<u8> {
    let symlink = ReparsePoint::symlink(r"C:\dir\file", r"C:\dir\file", false).ok();
    let mut tree = MemoryTree::new()
        .dir(r"dir\empty")
        .file(r"dir\file", "some bytes of a file")
        .stream(r"dir\file", "Zone.Identifier", "[ZoneTransfer]\r\nZoneId=3")
        .file(r"dir\long name.txt", vec![b'x'; 5000])
        .short_name(r"dir\long name.txt", "LONGNA~1.TXT")
        .hard_link("link", r"dir\file")
        .attributes("link", FileAttributes::ARCHIVE)
        .file("nothing", "");
    if let Some(symlink) = symlink {
        tree = tree.reparse("symlink", symlink);
    }
    let mut second = MemoryTree::new().file("other", "other bytes");
    let images = vec![
        NewImage::new("one", &mut tree),
        NewImage::new("two", &mut second),
    ];
    let mut options = WriteOptions::new(Guid::from_u128(0x5A));
    options.integrity = IntegrityChoice::Table;
    let mut out = std::io::Cursor::new(Vec::new());
    // A seed with less in it is a seed too.
    let _ = write_uncompressed(&mut out, images, &options);
    out.into_inner()
}

/// What makes up the plan of a run: profile, faults, order, whether and where the power goes, clients; then for each client its steps.
const SIM_RUNS: &[(&str, &[u8])] = &[
    // Server 2022: install, create with a network, start, exec, remove.
    (
        "container",
        &[
            0, 0, 0, 0, 0, 6, 0, 11, 0, 0, 0, 0, 1, 0, 0, 5, 0, 9, 0, 0, 14, 0, 16, 0, 0,
        ],
    ),
    // The technical preview: the same, with a restart, a few faults and another client.
    (
        "two-clients",
        &[
            1, 2, 1, 0, 1, 5, 0, 0, 0, 0, 5, 0, 18, 0, 0, 5, 0, 16, 0, 0, 3, 3, 0, 0, 1, 0, 5, 0,
            16, 3, 40,
        ],
    ),
    // Server 2022: images come and go, everything at once, many faults, a client is killed, the power goes.
    (
        "images",
        &[
            0, 3, 2, 2, 9, 1, 2, 4, 0, 18, 1, 0, 18, 2, 0, 0, 0, 0, 18, 1, 3, 60, 0, 3, 0, 18, 2,
            0, 18, 1, 0, 17, 0, 5, 2, 0, 18, 2, 0, 18, 1, 0,
        ],
    ),
];

/// Metadata beside the tree that the target makes.
const SIDECARS: &[(&str, &[&str])] = &[
    (
        "root",
        &[
            r#"{"schema":"wcow.metadata/1"}"#,
            r#"{"entry":{"id":0,"attributes":16,"times":[0,0,0]}}"#,
            r#"{"end":{"entries":1,"stored":0}}"#,
            "",
        ],
    ),
    (
        "tree",
        &[
            r#"{"schema":"wcow.metadata/1"}"#,
            r#"{"security":{"id":0,"descriptor":"0100048014000000000000000000000000000000"}}"#,
            r#"{"entry":{"id":0,"attributes":16,"times":[0,0,0],"security":0}}"#,
            r#"{"entry":{"id":1,"parent":0,"name":"dir","attributes":16,"times":[1,2,3],"object_id":"00112233445566778899aabbccddeeff"}}"#,
            r#"{"entry":{"id":2,"parent":1,"name":"file","short_name":"FILE~1","attributes":32,"times":[1,2,3],"security":0,"streams":[{"len":10},{"name":"s","len":2},{"name":"t","len":5000}]}}"#,
            r#"{"bytes":{"id":2,"stream":1,"data":"5a5b"}}"#,
            r#"{"stored":{"id":2,"stream":2,"offset":0}}"#,
            r#"{"entry":{"id":3,"parent":0,"name":"oth:er","attributes":32,"times":[1,2,3],"streams":[{"len":11}],"unknown":[{"tag":7,"data":"00"}]}}"#,
            r#"{"named":{"id":3,"name":"other"}}"#,
            r#"{"entry":{"id":4,"parent":0,"name":"link","attributes":1056,"times":[1,2,3],"reparse":{"tag":2684354572,"data":"00000000000000000000000000"},"reserved":1}}"#,
            r#"{"aside":4}"#,
            r#"{"entry":{"id":5,"parent":1,"name":"again","attributes":32,"times":[1,2,3],"link_to":2}}"#,
            r#"{"aside":5}"#,
            r#"{"entry":{"id":6,"parent":0,"name":"gone","attributes":32,"times":[1,2,3]}}"#,
            r#"{"lost":6}"#,
            r#"{"end":{"entries":7,"stored":5000}}"#,
            "",
        ],
    ),
];

const TEXT: &str = "<WIM><TOTALBYTES>9</TOTALBYTES><IMAGE INDEX=\"1\"><NAME>n</NAME><DIRCOUNT>1</DIRCOUNT><CREATIONTIME><HIGHPART>0x01D00000</HIGHPART><LOWPART>0x1</LOWPART></CREATIONTIME><WINDOWS><ARCH>9</ARCH><VERSION><MAJOR>10</MAJOR></VERSION></WINDOWS></IMAGE></WIM>";

const TWO: &str =
    "<WIM><IMAGE INDEX=\"2\"><NAME>a</NAME></IMAGE><IMAGE INDEX=\"1\"><NAME>A</NAME></IMAGE></WIM>";

/// One uncompressed block of 3 bytes.
const LZX_UNCOMPRESSED: &[u8] = &[
    0x00, 0x60, 0x30, 0x00, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, b'a', b'b', b'c',
];

/// "a" and a match, with one bit each.
fn xpress_two_symbols() -> Vec<u8> {
    let mut chunk = vec![0; 260];
    for (at, byte) in [(0x61 / 2, 0x10), (0x100 / 2, 0x01), (257, 0x40)] {
        if let Some(place) = chunk.get_mut(at) {
            *place = byte;
        }
    }
    chunk
}

fn small_hive() -> Vec<u8> {
    let mut builder = HiveBuilder::new("SOFTWARE");
    let long = vec![0x42; 20_000];
    let values: &[(&str, &str, ValueKind, &[u8])] = &[
        (
            r"Microsoft\Windows NT\CurrentVersion",
            "CurrentBuild",
            ValueKind::Sz,
            b"1\x000\x005\x001\x004\x00\x00\x00",
        ),
        (
            r"Microsoft\Windows NT\CurrentVersion",
            "InstallDate",
            ValueKind::Dword,
            &[1, 2, 3, 4],
        ),
        (r"Microsoft\Windows NT", "", ValueKind::Binary, b"default"),
        ("Classes", "long", ValueKind::Binary, &long),
    ];
    for (path, name, kind, data) in values {
        // A seed with less in it is a seed too.
        let _ = builder.value(path, name, *kind, data);
    }
    for number in 0..40 {
        let _ = builder.key(&format!(r"Classes\k{number}"));
    }
    builder.build()
}
