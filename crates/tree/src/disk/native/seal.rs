//! The last things that are set on a file or directory, and their order.
//!
//! They are set when nothing more is written, children before their directories: a descriptor may refuse the writer itself, and
//! a directory's times change with its children. On one file the order is: what needs writing (compression, extended attributes, object
//! id, reparse point, short name), the descriptor, and at last attributes and times, because everything before changes them. The
//! rights for all of it are asked for at once, before the first is set; what is set cannot take them back.
//!
//! Without `SeRestorePrivilege` a file can be given to its owner alone, and neither object id nor short name can be set; without
//! `SeSecurityPrivilege` there are no SACLs. What the system refuses is left out, and the rest is set all the same.

use std::io;

use wcow_ntmeta::{ReparsePoint, SecurityDescriptor, WideName};
use wcow_win32::access;

use super::attributes::{self, object_id, reparse_buffer};
use super::{At, Native, Places, Privileges, Step};
use crate::disk::report::Part;
use crate::{Entry, Times};

const OWNER: u32 = 0x1;
const GROUP: u32 = 0x2;
const DACL: u32 = 0x4;
const SACL: u32 = 0x8;
const PROTECTED_DACL: u32 = 0x8000_0000;
const PROTECTED_SACL: u32 = 0x4000_0000;

/// `ERROR_ACCESS_DENIED`, `ERROR_INVALID_OWNER`, `ERROR_PRIVILEGE_NOT_HELD`.
const DENIED: [i32; 3] = [5, 1307, 1314];

/// What is still to be set on something that is there.
#[derive(Debug)]
pub(in crate::disk) struct Sealed {
    directory: bool,
    attributes: wcow_ntmeta::FileAttributes,
    times: Times,
    short_name: WideName,
    security: Option<SecurityDescriptor>,
    /// A reparse point that is no link: links have theirs from the beginning.
    reparse: Option<ReparsePoint>,
    extended_attributes: Vec<u8>,
    object_id: Vec<u8>,
}

/// What the system did not set.
#[derive(Debug)]
pub(in crate::disk) struct Refusal {
    pub(in crate::disk) part: Part,
    pub(in crate::disk) error: io::Error,
}

impl Sealed {
    pub(in crate::disk) fn of(entry: &Entry) -> Self {
        let reparse = entry.reparse.as_ref();
        Self {
            directory: entry.is_directory(),
            attributes: entry.attributes,
            times: entry.times,
            short_name: entry.short_name.clone(),
            security: entry.security.clone(),
            reparse: reparse.filter(|point| point.target().is_none()).cloned(),
            extended_attributes: entry.extra.extended_attributes.clone(),
            object_id: entry.extra.object_id.clone(),
        }
    }

    /// The steps, as far as the volume has a place for them. The destination itself keeps its attributes: those of a volume's root, which
    /// is hidden, mean nothing there.
    fn steps(&self, places: Places, is_root: bool, refused: &mut Vec<Refusal>) -> Vec<Step> {
        let mut steps = Vec::new();
        let wants = |attribute| !is_root && self.attributes.contains(attribute);
        if places.compression && wants(wcow_ntmeta::FileAttributes::COMPRESSED) {
            steps.push(Step::Compressed);
        }
        let sparse = wants(wcow_ntmeta::FileAttributes::SPARSE_FILE) && !self.directory;
        if places.sparse_files && sparse {
            steps.push(Step::Sparse);
        }
        let mut add = |wanted: bool, step: Option<Step>, part| match step {
            Some(step) if wanted => steps.push(step),
            None if wanted => refused.push(Refusal {
                part,
                error: io::ErrorKind::InvalidData.into(),
            }),
            _ => {}
        };
        add(
            places.extended_attributes && !self.extended_attributes.is_empty(),
            attributes::extended_attributes(&self.extended_attributes)
                .map(Step::ExtendedAttributes),
            Part::ExtendedAttributes,
        );
        add(
            places.object_ids && !self.object_id.is_empty(),
            object_id(&self.object_id).map(Step::ObjectId),
            Part::ObjectId,
        );
        if let Some(point) = self.reparse.as_ref().filter(|_| !is_root) {
            let step = reparse_buffer(point).map(Step::ReparsePoint);
            add(places.reparse_points, step, Part::ReparsePoint);
        }
        if places.basic && !self.short_name.is_empty() && !is_root {
            steps.push(Step::ShortName(self.short_name.clone()));
        }
        if let Some(security) = self.security.as_ref().filter(|_| places.security) {
            let (parts, descriptor) = to_set(security);
            if parts != 0 {
                steps.push(Step::Security { parts, descriptor });
            }
        }
        let ticks = |time: wcow_ntmeta::FileTime| i64::try_from(time.ticks()).unwrap_or(0);
        steps.push(Step::Basic {
            times: [
                ticks(self.times.created),
                ticks(self.times.accessed),
                ticks(self.times.written),
            ],
            attributes: if is_root {
                0
            } else {
                attributes::bits(self.attributes)
            },
        });
        steps
    }
}

/// Sets what is to be set on what is there, and tells what the system refused; an error if it cannot be opened at all.
pub(in crate::disk) fn seal(
    native: &mut dyn Native,
    at: At<'_>,
    sealed: &Sealed,
    durable: bool,
) -> io::Result<Vec<Refusal>> {
    let mut refused = Vec::new();
    let mut steps = sealed.steps(native.places(), at.name.is_empty(), &mut refused);
    steps.retain_mut(|step| may_be_tried(step, native.privileges(), &mut refused));
    let file = loop {
        let wanted = steps.iter().fold(0, |all, step| all | rights(step));
        let flushing = if durable { access::WRITE_DATA } else { 0 };
        match native.open(at, wanted | flushing) {
            Ok(file) => break file,
            Err(error) if is_denied(&error) => give_up_one(&mut steps, &mut refused, error)?,
            Err(error) => return Err(error),
        }
    };
    for step in &steps {
        match native.set(&file, step) {
            Ok(()) => {}
            Err(error) => match without_owner(step) {
                Some(less) if is_denied(&error) => {
                    refused.push(Refusal {
                        part: Part::Owner,
                        error,
                    });
                    if let Err(error) = native.set(&file, &less) {
                        refused.push(Refusal {
                            part: Part::Security,
                            error,
                        });
                    }
                }
                _ => refuse(&mut refused, step, error),
            },
        }
    }
    if durable {
        native.set(&file, &Step::Flush)?;
    }
    Ok(refused)
}

/// Which parts of a descriptor there are, and the descriptor as it is set.
///
/// Windows takes the mark that an ACL was inherited only together with the one that asks for inheritance ([MS-DTYP] 2.4.6, DC and SC
/// beside DI and SI).
fn to_set(security: &SecurityDescriptor) -> (u32, Vec<u8>) {
    const DACL_PRESENT: u16 = 0x4;
    const SACL_PRESENT: u16 = 0x10;
    const DACL_INHERITED: u16 = 0x400;
    const SACL_INHERITED: u16 = 0x800;
    const DACL_PROTECTED: u16 = 0x1000;
    const SACL_PROTECTED: u16 = 0x2000;
    /// From the mark of having inherited down to the one of asking for it.
    const ASKED: u32 = 2;
    let control = security.control();
    let has = |bit: u16| control & bit != 0;
    let part = |there: bool, bits: u32| if there { bits } else { 0 };
    let parts = part(security.owner().is_some(), OWNER)
        | part(security.group().is_some(), GROUP)
        | part(has(DACL_PRESENT), DACL)
        | part(has(DACL_PRESENT) && has(DACL_PROTECTED), PROTECTED_DACL)
        | part(has(SACL_PRESENT), SACL)
        | part(has(SACL_PRESENT) && has(SACL_PROTECTED), PROTECTED_SACL);
    let asked = control | (control & (DACL_INHERITED | SACL_INHERITED)) >> ASKED;
    let mut descriptor = security.as_bytes().to_vec();
    let field = descriptor.iter_mut().skip(2);
    field
        .zip(asked.to_le_bytes())
        .for_each(|(to, from)| *to = from);
    (parts, descriptor)
}

/// The rights that a step needs.
fn rights(step: &Step) -> u32 {
    match step {
        Step::Compressed => access::READ_DATA | access::WRITE_DATA,
        Step::Sparse | Step::ObjectId(_) | Step::ReparsePoint(_) | Step::Flush => {
            access::WRITE_DATA
        }
        Step::ExtendedAttributes(_) => access::WRITE_EA,
        Step::ShortName(_) => access::DELETE | access::WRITE_DATA,
        Step::Basic { .. } => access::WRITE_ATTRIBUTES,
        Step::Security { parts, .. } => {
            let when = |part, right| if parts & part != 0 { right } else { 0 };
            when(OWNER | GROUP, access::WRITE_OWNER)
                | when(DACL, access::WRITE_DAC)
                | when(SACL, access::SYSTEM_SECURITY)
        }
    }
}

/// Leaves out what cannot succeed without a privilege that is missing.
fn may_be_tried(step: &mut Step, privileges: Privileges, refused: &mut Vec<Refusal>) -> bool {
    let missing = |name: &str| io::Error::other(format!("the program does not have {name}"));
    match step {
        Step::ShortName(_) | Step::ObjectId(_) if !privileges.restore => {
            refuse(refused, step, missing("SeRestorePrivilege"));
            false
        }
        Step::Security { parts, .. } if !privileges.security && *parts & SACL != 0 => {
            *parts &= !(SACL | PROTECTED_SACL);
            refused.push(Refusal {
                part: Part::Audit,
                error: missing("SeSecurityPrivilege"),
            });
            *parts != 0
        }
        _ => true,
    }
}

/// Leaves out the step, or the part of the descriptor, that most likely was refused; the error if nothing is left that can be.
fn give_up_one(
    steps: &mut Vec<Step>,
    refused: &mut Vec<Refusal>,
    error: io::Error,
) -> io::Result<()> {
    for (bits, part) in [
        (SACL | PROTECTED_SACL, Part::Audit),
        (OWNER | GROUP, Part::Owner),
    ] {
        for step in &mut *steps {
            if let Step::Security { parts, .. } = step
                && *parts & bits != 0
                && *parts & !bits != 0
            {
                *parts &= !bits;
                refused.push(Refusal { part, error });
                return Ok(());
            }
        }
    }
    // The last step, times and attributes, is what remains of a file that is opened at all.
    let given_up = steps.len().checked_sub(2);
    match given_up.filter(|_| steps.len() > 1) {
        Some(at) => {
            let step = steps.remove(at);
            refuse(refused, &step, error);
            Ok(())
        }
        None => Err(error),
    }
}

fn refuse(refused: &mut Vec<Refusal>, step: &Step, error: io::Error) {
    let part = match step {
        Step::Compressed | Step::Sparse => Part::Attributes,
        Step::ExtendedAttributes(_) => Part::ExtendedAttributes,
        Step::ObjectId(_) => Part::ObjectId,
        Step::ReparsePoint(_) => Part::ReparsePoint,
        Step::ShortName(_) => Part::ShortName,
        Step::Security { .. } => Part::Security,
        Step::Basic { .. } | Step::Flush => Part::Basic,
    };
    refused.push(Refusal { part, error });
}

/// The step for a descriptor that sets no owner, if there is one.
fn without_owner(step: &Step) -> Option<Step> {
    let Step::Security { parts, descriptor } = step else {
        return None;
    };
    let less = parts & !(OWNER | GROUP);
    (less != *parts && less != 0).then(|| Step::Security {
        parts: less,
        descriptor: descriptor.clone(),
    })
}

fn is_denied(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
        || error
            .raw_os_error()
            .is_some_and(|code| cfg!(windows) && DENIED.contains(&code))
}

#[cfg(test)]
mod tests;
