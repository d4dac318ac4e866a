//! Layers that travel: made out of a folder, and written to one.

use wcow_hive::{Hive, empty_hive};
use wcow_host::codes::win32;
use wcow_host::{LayerDescriptor, WriteMode};
use wcow_ntmeta::{FileAttributes, FileTime, HostPath, Hresult, RelPath, WideName};

use super::base::{bytes_of, contents};
use super::transport::{self, DIRECTORY_SUFFIX, Described, TOMBSTONES};
use super::{HIVES, beside, check_parents, is_directory};
use crate::call::{ClientId, ContentRef};
use crate::choice::Label;
use crate::fs::{EMPTY, FileStreams, Fs, Restored, Spot, StreamData};
use crate::world::guest::view::{Change, Overlay};
use crate::world::{Outside, World};

/// The first build that exports layers. Verbatim: release notes of Technical Preview 3.
const EXPORT_FROM: u32 = 10586;
/// The folder of a utility virtual machine's files.
const UTILITY_VM: &str = r"UtilityVM\Files";

impl World {
    /// A layer with parents is made out of a folder. If the caller's process has ended meanwhile, part of it is.
    pub(super) fn import_layer(
        &mut self,
        client: ClientId,
        layer: &HostPath,
        folder: &HostPath,
        parents: &[LayerDescriptor],
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        let now = self.now;
        let Some(base) = parents.last() else {
            return Err(win32::INVALID_PARAMETER);
        };
        check_parents(&self.fs, parents, out)?;
        check_base_hives(&self.fs, &base.path, out)?;
        if !is_directory(&self.fs, &folder.join("Files"), out)? {
            return Err(win32::PATH_NOT_FOUND);
        }
        for name in HIVES {
            let hive = folder.join(&format!(r"Hives\{name}_Delta"));
            if self.fs.find(&hive, out)?.is_none() {
                return Err(win32::PATH_NOT_FOUND);
            }
        }
        self.check_utility_vm(folder, parents, out)?;
        empty_folder(&mut self.fs, layer, now, out)?;
        if !self.is_alive(client) {
            // Whoever did the work is gone: a folder, with or without the files, and no hives.
            if self.choice.draw(Label::Torn, 2) == 1 {
                self.fs.create_dir_all(&layer.join("Files"), now, out)?;
            }
            return Ok(());
        }
        for part in ["Files", UTILITY_VM] {
            if is_directory(&self.fs, &folder.join(part), out)? {
                unpack(
                    &mut self.fs,
                    &folder.join(part),
                    &layer.join(part),
                    now,
                    out,
                )?;
            }
        }
        self.fs.create_dir_all(&layer.join("Hives"), now, out)?;
        for name in HIVES {
            let hive = format!(r"Hives\{name}_Delta");
            self.fs
                .copy(&folder.join(&hive), &layer.join(&hive), now, out)?;
        }
        if let Some(bytes) = contents(&self.fs, &folder.join(TOMBSTONES), out)? {
            transport::read_tombstones(&bytes).ok_or(win32::INVALID_DATA)?;
            self.fs
                .copy(&folder.join(TOMBSTONES), &layer.join(TOMBSTONES), now, out)?;
        }
        Ok(())
    }

    /// What was changed in a scratch layer is written to a folder.
    pub(super) fn export_layer(
        &mut self,
        layer: &HostPath,
        folder: &HostPath,
        parents: &[LayerDescriptor],
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        let now = self.now;
        if self.profile.build < EXPORT_FROM {
            return Err(win32::INVALID_NAME);
        }
        if parents.is_empty() {
            return Err(win32::INVALID_PARAMETER);
        }
        check_parents(&self.fs, parents, out)?;
        let scratch = match self.layers.get(layer) {
            Some(scratch) if scratch.prepared > 0 => return Err(win32::SHARING_VIOLATION),
            Some(scratch) if scratch.was_prepared => scratch,
            Some(_) | None => return Err(win32::FILE_NOT_FOUND),
        };
        let changes = changes(&self.fs, &scratch.overlay, parents, out)?;
        let fs = &mut self.fs;
        empty_folder(fs, folder, now, out)?;
        let files = folder.join("Files");
        fs.create_dir_all(&files, now, out)?;
        fs.create_dir_all(&folder.join("Hives"), now, out)?;
        for name in HIVES {
            let hive = folder.join(&format!(r"Hives\{name}_Delta"));
            put(fs, &hive, &empty_hive(name), now, out)?;
        }
        let mut removed = Vec::new();
        for (path, change) in changes {
            let at = files.join_rel(&path).map_err(|_| win32::INVALID_NAME)?;
            match change {
                Exported::Removed => removed.push(path),
                Exported::Directory => pack_directories(fs, &files, &path, now, out)?,
                Exported::File(attributes, content) => {
                    if let Some(parent) = path.parent() {
                        pack_directories(fs, &files, &parent, now, out)?;
                    }
                    let data = bytes_of(content, out)?;
                    put(
                        fs,
                        &at,
                        &transport::encode(attributes, Some(&data)),
                        now,
                        out,
                    )?;
                }
            }
        }
        if !removed.is_empty() {
            let tombstones = transport::write_tombstones(removed.iter());
            put(fs, &folder.join(TOMBSTONES), &tombstones, now, out)?;
        }
        Ok(())
    }

    /// A layer may bring files of a utility virtual machine only if a parent has one.
    fn check_utility_vm(
        &self,
        folder: &HostPath,
        parents: &[LayerDescriptor],
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        if !is_directory(&self.fs, &folder.join(UTILITY_VM), out)? {
            return Ok(());
        }
        for parent in parents {
            if is_directory(&self.fs, &parent.path.join(UTILITY_VM), out)? {
                return Ok(());
            }
        }
        Err(win32::PATH_NOT_FOUND)
    }
}

/// What the layers that are to be mounted take away of those below them is not seen in the scratch layer, unless a nearer layer has
/// it again.
pub(super) fn hide_tombstones(
    fs: &Fs,
    overlay: &mut Overlay,
    parents: &[LayerDescriptor],
    out: &mut Outside<'_>,
) -> Result<(), Hresult> {
    for (place, parent) in parents.iter().enumerate() {
        let Some(bytes) = contents(fs, &parent.path.join(TOMBSTONES), out)? else {
            continue;
        };
        'paths: for path in transport::read_tombstones(&bytes).ok_or(win32::INVALID_DATA)? {
            for nearer in parents.iter().take(place + 1) {
                let there = nearer.path.join("files").join_rel(&path);
                let there = there.map_err(|_| win32::INVALID_DATA)?;
                if fs.find(&there, out)?.is_some() {
                    continue 'paths;
                }
            }
            overlay.hide(&path);
        }
    }
    Ok(())
}

/// The hives of a base image must be there, and be more than the empty ones with which a tool can fool the processing of it.
fn check_base_hives(fs: &Fs, base: &HostPath, out: &mut Outside<'_>) -> Result<(), Hresult> {
    for name in HIVES {
        let hive = base.join(&format!(r"hives\{name}_Base"));
        let bytes = contents(fs, &hive, out)?.ok_or(win32::PATH_NOT_FOUND)?;
        let is_filled = Hive::parse(&*bytes)
            .ok()
            .and_then(|hive| Some(hive.root().ok()?.subkey_count() > 0));
        if is_filled != Some(true) {
            return Err(win32::BADDB);
        }
    }
    Ok(())
}

/// Makes a folder that is not there yet, or takes one that is empty.
fn empty_folder(
    fs: &mut Fs,
    folder: &HostPath,
    now: FileTime,
    out: &mut Outside<'_>,
) -> Result<(), Hresult> {
    match fs.find(folder, out)? {
        None => fs.create_dir_all(folder, now, out).map(drop),
        Some(spot) if fs.is_directory(&spot) && fs.children(&spot, out)?.is_empty() => Ok(()),
        Some(_) => Err(win32::ALREADY_EXISTS),
    }
}

/// Writes a file out of bytes.
fn put(
    fs: &mut Fs,
    path: &HostPath,
    bytes: &[u8],
    now: FileTime,
    out: &mut Outside<'_>,
) -> Result<(), Hresult> {
    let content = kept(bytes, out)?;
    fs.write(path, content, WriteMode::CreateNew, now, out)
        .map(drop)
}

fn kept(bytes: &[u8], out: &Outside<'_>) -> Result<ContentRef, Hresult> {
    if bytes.is_empty() {
        return Ok(EMPTY);
    }
    let blob = out.blobs.put(bytes).map_err(|_| win32::IO_DEVICE)?;
    Ok(ContentRef {
        blob: Some(blob),
        len: bytes.len() as u64,
    })
}

/// Unpacks a folder of the form in which layers travel.
fn unpack(
    fs: &mut Fs,
    from: &HostPath,
    to: &HostPath,
    now: FileTime,
    out: &mut Outside<'_>,
) -> Result<(), Hresult> {
    let mut left = vec![(from.clone(), to.clone())];
    while let Some((from, to)) = left.pop() {
        fs.create_dir_all(&to, now, out)?;
        let Some(folder) = fs.find(&from, out)? else {
            continue;
        };
        for (name, spot) in fs.children(&folder, out)? {
            let below = |folder: &HostPath, name: &WideName| {
                let mut path = folder.clone();
                path.push(name.units())
                    .map(|()| path)
                    .map_err(|_| win32::INVALID_NAME)
            };
            if fs.is_directory(&spot) {
                left.push((below(&from, &name)?, below(&to, &name)?));
                continue;
            }
            let bytes = bytes_of(fs.content(&spot).unwrap_or(EMPTY), out)?;
            let described = transport::decode(&bytes).ok_or(win32::INVALID_DATA)?;
            match directory_name(&name) {
                Some(directory) => {
                    let restored = restored(described, false, out)?;
                    fs.restore_directory(&below(&to, &directory)?, restored, now, out)?;
                }
                None => {
                    let restored = restored(described, true, out)?;
                    fs.restore_file(&below(&to, &name)?, restored, now, out)?;
                }
            }
        }
    }
    Ok(())
}

/// The directory that a file describes, by the file's name.
fn directory_name(name: &WideName) -> Option<WideName> {
    let suffix: Vec<u16> = DIRECTORY_SUFFIX.encode_utf16().collect();
    let directory = name.units().strip_suffix(&*suffix)?;
    (!directory.is_empty()).then(|| WideName::from_units(directory.to_vec()))
}

fn restored(described: Described, file: bool, out: &Outside<'_>) -> Result<Restored, Hresult> {
    let mut streams = FileStreams::default();
    if file {
        streams.push(StreamData {
            name: WideName::new(),
            content: kept(&described.data, out)?,
        });
        for (name, data) in described.streams {
            let content = kept(&data, out)?;
            streams.push(StreamData { name, content });
        }
    }
    Ok(Restored {
        attributes: described.attributes,
        security: described.security,
        reparse: described.reparse,
        streams,
    })
}

/// A change of a scratch layer, as it is exported.
enum Exported {
    Removed,
    Directory,
    File(FileAttributes, ContentRef),
}

/// The changes of a scratch layer, their paths spelled as the container sees them.
fn changes(
    fs: &Fs,
    overlay: &Overlay,
    parents: &[LayerDescriptor],
    out: &mut Outside<'_>,
) -> Result<Vec<(RelPath, Exported)>, Hresult> {
    let mut found = Vec::new();
    for (key, change) in overlay.changes() {
        let exported = match change {
            Change::Removed => Exported::Removed,
            Change::Directory => Exported::Directory,
            Change::File(attributes, content) => Exported::File(attributes, content),
        };
        found.push((spelled(fs, overlay, key, parents, out)?, exported));
    }
    Ok(found)
}

/// An upcased path, spelled as the scratch layer or the image spells it.
fn spelled(
    fs: &Fs,
    overlay: &Overlay,
    key: &RelPath,
    parents: &[LayerDescriptor],
    out: &mut Outside<'_>,
) -> Result<RelPath, Hresult> {
    let (mut prefix, mut path) = (RelPath::root(), RelPath::root());
    for name in key.components() {
        prefix.push(name.clone());
        let known = match overlay.name(&prefix) {
            Some(name) => Some(name.clone()),
            None => in_image(fs, &prefix, parents, out)?,
        };
        path.push(known.unwrap_or_else(|| name.clone()));
    }
    Ok(path)
}

/// The last name of a path as the image spells it.
fn in_image(
    fs: &Fs,
    path: &RelPath,
    parents: &[LayerDescriptor],
    out: &mut Outside<'_>,
) -> Result<Option<WideName>, Hresult> {
    let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(None);
    };
    for parent in parents {
        let folder = parent.path.join("files").join_rel(&above);
        let Ok(folder) = folder else { continue };
        let Some(spot) = fs.find(&folder, out)? else {
            continue;
        };
        if !fs.is_directory(&spot) {
            continue;
        }
        let names: Vec<(WideName, Spot)> = fs.children(&spot, out)?;
        let same = names.into_iter().map(|(known, _)| known);
        if let Some(known) = same.into_iter().find(|known| known.eq_ignore_case(name)) {
            return Ok(Some(known));
        }
    }
    Ok(None)
}

/// Makes a directory of an export, and those above it, each with the file that describes it.
fn pack_directories(
    fs: &mut Fs,
    files: &HostPath,
    path: &RelPath,
    now: FileTime,
    out: &mut Outside<'_>,
) -> Result<(), Hresult> {
    let mut at = files.clone();
    for name in path.components() {
        at.push(name.units()).map_err(|_| win32::INVALID_NAME)?;
        if fs.find(&at, out)?.is_some() {
            continue;
        }
        fs.create_dir_all(&at, now, out)?;
        let describes = beside(&at, DIRECTORY_SUFFIX).ok_or(win32::INVALID_NAME)?;
        let bytes = transport::encode(FileAttributes::DIRECTORY, None);
        put(fs, &describes, &bytes, now, out)?;
    }
    Ok(())
}
