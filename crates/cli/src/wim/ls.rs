//! `wcow wim ls`.

use std::io::{self, Write};

use wcow_ntmeta::{ReparseTarget, SecurityDescriptor, WideName};
use wcow_wim::{Image, NodeId, ReadError, StreamRole, Wim};

use super::line::Line;
use super::paths::{Paths, escaped};
use super::select::{Depth, below, matching};
use super::{choose, load};
use crate::args::WimLsArgs;
use crate::failure::Failure;
use crate::output::{Output, note};

/// Lists an image, a folder of it, or what matches.
pub(crate) fn run(args: &WimLsArgs, output: &Output) -> Result<(), Failure> {
    let wim = args.source.open()?;
    let (index, patterns) = image_and_patterns(&wim, args)?;
    let image = load(&wim, &args.source.file, index)?;
    let depth = if args.recursive {
        Depth::All
    } else {
        Depth::One
    };
    let nodes = if patterns.is_empty() {
        below(&image, image.root(), depth)
    } else {
        matching(&image, &patterns, depth)?
    };
    let mut listing = Listing::new(&image, args);
    let written = if output.is_json() {
        let mut paths = Paths::lossy(&image);
        output.json_each("wim.entry", &nodes, |node| {
            let target = listing.target(*node);
            Line::new(&image, *node, paths.shown(*node).to_owned(), target)
        })
    } else {
        listing.text(&nodes)
    };
    written?;
    for problem in &listing.problems {
        note(&format!("warning: {problem}"));
    }
    for warning in image.warnings() {
        note(&format!("warning: {warning}"));
    }
    Ok(())
}

/// The image may be left out when there is one: a first word that names no image is a pattern then.
fn image_and_patterns(
    wim: &Wim,
    args: &WimLsArgs,
) -> Result<(wcow_wim::ImageIndex, Vec<String>), Failure> {
    let mut patterns = args.globs.clone();
    let image = match &args.image {
        Some(word) if wim.image_count() == 1 && wim.find_image(word).is_err() => {
            patterns.insert(0, word.clone());
            None
        }
        word => word.as_deref(),
    };
    Ok((choose(wim, &args.source.file, image)?, patterns))
}

/// Links whose targets could not be read, told one by one.
const MAX_PROBLEMS: usize = 20;

struct Listing<'a> {
    image: &'a Image,
    args: &'a WimLsArgs,
    problems: Vec<String>,
}

impl<'a> Listing<'a> {
    fn new(image: &'a Image, args: &'a WimLsArgs) -> Self {
        Self {
            image,
            args,
            problems: Vec::new(),
        }
    }

    /// Writes a line for each, and under it what else was asked for.
    fn text(&mut self, nodes: &[NodeId]) -> io::Result<()> {
        let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
        let mut paths = Paths::new(self.image);
        let mut width = "SIZE".len();
        if self.args.long {
            let sizes = nodes.iter().map(|node| size(self.image, *node));
            let largest = sizes.max().unwrap_or(0);
            width = width.max(largest.to_string().len());
            writeln!(
                out,
                "{:ATTRIBUTES_WIDTH$}  {:>width$}  {:TIME_WIDTH$}  PATH",
                "ATTRIBUTES", "SIZE", "WRITTEN"
            )?;
        }
        for node in nodes {
            self.line(*node, paths.shown(*node), width, &mut out)?;
        }
        out.flush()
    }

    fn line(
        &mut self,
        node: NodeId,
        path: &str,
        width: usize,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let image = self.image;
        let bits = image.attributes(node);
        if self.args.long {
            write!(
                out,
                "{:ATTRIBUTES_WIDTH$}  {:width$}  {:TIME_WIDTH$}  ",
                attributes(bits.bits()),
                size(image, node),
                image.times(node).written.to_string()
            )?;
        }
        out.write_all(path.as_bytes())?;
        if bits.is_directory() && !bits.is_reparse_point() {
            out.write_all(b"\\")?;
        }
        if self.args.long
            && bits.is_reparse_point()
            && let Some(target) = self.target(node)
        {
            write!(out, " -> {}", escaped(target_name(&target)))?;
        }
        out.write_all(b"\n")?;
        if self.args.streams {
            let streams = image.streams(node).iter();
            for stream in streams.filter(|stream| stream.role == StreamRole::Named) {
                let name = stream.name.as_ref().map(escaped).unwrap_or_default();
                match image.stream_len(stream) {
                    Some(len) => writeln!(out, "    stream {name}  {len}")?,
                    None => writeln!(out, "    stream {name}  missing")?,
                }
            }
        }
        if self.args.sddl {
            let sddl = image.security(node).map(SecurityDescriptor::to_sddl);
            let sddl = sddl.as_deref().unwrap_or("none");
            writeln!(out, "    security {sddl}")?;
        }
        Ok(())
    }

    /// Where a link leads; `None` also if it cannot be read, which is told at the end.
    fn target(&mut self, node: NodeId) -> Option<ReparseTarget> {
        self.image.reparse_tag(node)?;
        match self.image.reparse(node) {
            Ok(point) => point?.target(),
            Err(error) => {
                self.problem(node, &error);
                None
            }
        }
    }

    fn problem(&mut self, node: NodeId, error: &ReadError) {
        if self.problems.len() < MAX_PROBLEMS {
            let mut paths = Paths::new(self.image);
            let path = paths.shown(node);
            self.problems
                .push(format!("the target of {path} could not be read: {error}"));
        }
    }
}

/// Letters of [`attributes`].
const LETTERS: [(u32, char); 12] = [
    (0x10, 'd'),
    (0x1, 'r'),
    (0x2, 'h'),
    (0x4, 's'),
    (0x20, 'a'),
    (0x400, 'l'),
    (0x800, 'c'),
    (0x4000, 'e'),
    (0x200, 'p'),
    (0x1000, 'o'),
    (0x2000, 'i'),
    (0x100, 't'),
];
const ATTRIBUTES_WIDTH: usize = LETTERS.len();
/// A time as it is shown, to the tenth of a microsecond, up to the year 9999.
const TIME_WIDTH: usize = 28;

/// `d` directory, `r` read-only, `h` hidden, `s` system, `a` archive, `l` reparse point, `c` compressed, `e` encrypted,
/// `p` sparse, `o` offline, `i` not indexed, `t` temporary.
fn attributes(bits: u32) -> String {
    LETTERS
        .into_iter()
        .map(|(bit, letter)| if bits & bit == 0 { '-' } else { letter })
        .collect()
}

fn size(image: &Image, node: NodeId) -> u64 {
    image.data_len(node).unwrap_or(0)
}

/// The target as it is meant for people, if there is such a form of it.
pub(super) fn target_name(target: &ReparseTarget) -> &WideName {
    let (ReparseTarget::Symlink {
        substitute, print, ..
    }
    | ReparseTarget::MountPoint { substitute, print }) = target;
    if print.is_empty() { substitute } else { print }
}
