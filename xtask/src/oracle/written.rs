//! WIM files that we write: accepted by wimlib and 7-Zip, and read by wimlib as by us.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use wcow_ntmeta::{FileAttributes, FileTime, Guid, ReparsePoint, SecurityDescriptor};
use wcow_tree::disk::DiskSource;
use wcow_tree::memory::MemoryTree;
use wcow_tree::{Times, TreeSource};
use wcow_wim::{ImageIndex, IntegrityChoice, NewImage, Wim, WriteOptions, write_uncompressed};

use crate::oracle::seven_zip::SevenZip;
use crate::oracle::wimlib::Wimlib;
use crate::oracle::{base, extracted, metadata};
use crate::report::Report;
use crate::workspace::{Workspace, find_program, remove_dir};

/// Writes WIM files and has them judged.
pub(crate) fn run(workspace: &Workspace) -> Result<Report> {
    let mut report = Report::default();
    let dir = workspace.fresh_dir("oracle/written")?;
    let files = write_all(&dir)?;
    match find_program("wimlib-imagex") {
        None => report.skip("oracle written: no wimlib-imagex (package wimtools)"),
        Some(program) => {
            let wimlib = Wimlib { program };
            for (file, images) in &files {
                judge(&wimlib, file, *images)?;
            }
            report.note(format!(
                "oracle written: {} files verify with wimlib, which reads all metadata as we do",
                files.len()
            ));
            round_trip(&wimlib, &dir)?;
            report.note(
                "oracle written: a tree captured by us and applied by wimlib is the same tree",
            );
        }
    }
    match SevenZip::find() {
        None => report.skip("oracle written: no 7zz (package 7zip)"),
        Some(seven_zip) => {
            for (file, _) in &files {
                ensure!(
                    seven_zip.accepts(file)?,
                    "oracle written: 7-Zip refuses {}",
                    file.display()
                );
            }
            report.note(format!("oracle written: {} files pass 7zz t", files.len()));
        }
    }
    Ok(report)
}

/// Files with the number of their images.
fn write_all(dir: &Path) -> Result<Vec<(PathBuf, u32)>> {
    let full = full_tree()?;
    let sets: [(&str, Vec<MemoryTree>, IntegrityChoice); 4] = [
        ("nothing.wim", Vec::new(), IntegrityChoice::None),
        ("empty.wim", vec![MemoryTree::new()], IntegrityChoice::None),
        ("full.wim", vec![full.clone()], IntegrityChoice::Table),
        (
            "three.wim",
            vec![full.clone(), MemoryTree::new().file("one", "1"), full],
            IntegrityChoice::None,
        ),
    ];
    let mut files = Vec::new();
    for (name, mut trees, integrity) in sets {
        let path = dir.join(name);
        let sources = trees
            .iter_mut()
            .map(|tree| tree as &mut dyn TreeSource)
            .collect();
        write(&path, sources, integrity)?;
        let wim = Wim::open(File::open(&path)?)?;
        for (number, tree) in (1..).zip(&trees) {
            let image = wim.image(ImageIndex::new(number).context("images are counted from 1")?)?;
            let read = MemoryTree::collect(&mut wim.extractor(&image))?;
            ensure!(
                read == *tree,
                "oracle written: {name}, image {number}: read back as another tree: {:?}",
                tree.differences(&read)
            );
        }
        files.push((path, u32::try_from(trees.len())?));
    }
    Ok(files)
}

/// Everything a WIM can hold of a file.
fn full_tree() -> Result<MemoryTree> {
    let time = |ticks: u64| FileTime::from_ticks(130_840_771_550_510_000 + ticks);
    let times = Times {
        created: time(0),
        accessed: time(1),
        written: time(2),
    };
    let security = SecurityDescriptor::from_sddl("O:SYG:SYD:(A;;FA;;;SY)(A;;FA;;;BA)")?;
    let other = SecurityDescriptor::from_sddl("O:BAG:SYD:(A;;FR;;;WD)")?;
    let mut tree = MemoryTree::new()
        .security("", security.clone())
        .dir(r"inetpub\empty")
        .file(r"Windows\win.ini", "[fonts]\r\n")
        .times(r"Windows\win.ini", times)
        .security(r"Windows\win.ini", security)
        .security(r"Windows", other)
        .short_name(r"Program Files", "PROGRA~1")
        .dir("Program Files")
        .file(r"Windows\empty", "")
        .stream(
            r"Windows\win.ini",
            "Zone.Identifier",
            "[ZoneTransfer]\r\nZoneId=3\r\n",
        )
        .stream(r"Windows\empty", "only named", "x")
        .stream(r"Windows\win.ini", "empty", "")
        .hard_link(r"Windows\System32\win.ini", r"Windows\win.ini")
        .hard_link(r"Users\win.ini", r"Windows\win.ini")
        .attributes(
            r"Windows\empty",
            FileAttributes::HIDDEN | FileAttributes::SYSTEM,
        )
        .file(r"Windows\link", "")
        .reparse(
            r"Windows\link",
            ReparsePoint::symlink("win.ini", "win.ini", true)?,
        )
        .dir(r"Users\All Users")
        .reparse(
            r"Users\All Users",
            ReparsePoint::mount_point(r"\??\C:\ProgramData", r"C:\ProgramData")?,
        )
        .file("\u{65e5}\u{672c}\u{1f600}", "names")
        .file(r"Windows\copy of names", "names");
    for size in [1_usize, 4096, 32768, 100_000] {
        tree = tree.file(format!(r"Windows\Fonts\{size}.ttf"), vec![0x5A; size]);
    }
    Ok(tree)
}

fn write(path: &Path, sources: Vec<&mut dyn TreeSource>, integrity: IntegrityChoice) -> Result<()> {
    let mut options = WriteOptions::new(Guid::from_u128(0x5743_4F57));
    options.integrity = integrity;
    let image = |(number, source)| NewImage {
        name: format!("image {number}"),
        description: None,
        flags: None,
        windows: None,
        created: FileTime::from_ticks(130_840_771_550_510_000),
        source,
    };
    let images = (1..).zip(sources).map(image).collect();
    let mut file = File::create(path)?;
    write_uncompressed(&mut file, images, &options)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}

fn judge(wimlib: &Wimlib, file: &Path, images: u32) -> Result<()> {
    let case = base::Case::alone(file.to_path_buf());
    ensure!(
        wimlib.accepts(&case)?,
        "oracle written: wimlib refuses {}",
        file.display()
    );
    for image in 1..=images {
        let (theirs, ours) = (
            wimlib.metadata(file, image)?,
            metadata::of_image(&case, image)?,
        );
        ensure!(
            theirs.len() == ours.len(),
            "oracle written: {}: wimlib knows {} paths, we {}",
            file.display(),
            theirs.len(),
            ours.len()
        );
        if let Some((their, our)) = theirs.iter().zip(&ours).find(|(their, our)| their != our) {
            bail!(
                "oracle written: {}, {}: by wimlib and by us: {}",
                file.display(),
                String::from_utf8_lossy(&their.path),
                their.difference(our)
            );
        }
    }
    Ok(())
}

/// The tree of real programs: captured by us from the disk, applied by wimlib.
fn round_trip(wimlib: &Wimlib, dir: &Path) -> Result<()> {
    let tree = dir.join("tree");
    base::plant(&tree)?;
    // Read first: reading sets access times, and the two names of a linked file are looked at one after the other.
    let before = extracted::read(&tree)?;
    let (file, applied) = (dir.join("tree.wim"), dir.join("applied"));
    write(
        &file,
        vec![&mut DiskSource::open(&tree)?],
        IntegrityChoice::Table,
    )?;
    judge(wimlib, &file, 1)?;
    wimlib.apply(&base::Case::alone(file), 1, &applied)?;
    let after = extracted::read(&applied)?;
    let lines = extracted::compare(&after, &before, &mut std::collections::BTreeMap::new());
    ensure!(
        lines.is_empty(),
        "oracle written: {} paths differ: {}",
        lines.len(),
        lines.join("\n")
    );
    remove_dir(&tree)?;
    remove_dir(&applied)
}
