//! The WIM files of the scenarios, built in code: small, and the same bytes every time.
//!
//! They hold no part of Windows. Where Windows has a program there is a stand-in that says so; the registry hives are real hives
//! with the few values that tell one edition from another.

use std::io::Cursor;

use wcow_hive::{BuildError, HiveBuilder, ValueKind};
use wcow_ntmeta::{FileTime, Guid};
use wcow_tree::memory::MemoryTree;
use wcow_tree::{Times, TreeSource};
use wcow_wim::{
    Architecture, ImageIndex, NewImage, OpenError, Options, Wim, WindowsInfo, WindowsVersion,
    WriteError, WriteOptions, write_uncompressed,
};

use crate::WimShelf;

/// 2015-08-08 15:29 UTC, when the Technical Preview 3 was built.
const BUILT: &str = "2015-08-08T15:29:00Z";

/// What one of the WIM files holds.
#[derive(Clone, Copy, Debug)]
pub struct DemoWim {
    /// The file's name.
    pub name: &'static str,
    /// The image's name in the XML data.
    pub image: &'static str,
    /// Its version, `major.minor.build.revision`.
    pub version: &'static str,
    /// Its EditionID.
    pub edition: &'static str,
    installation: &'static str,
    build: u32,
    revision: u32,
    container_base: bool,
    utility_vm: UtilityVm,
}

/// What stands in the folder `UtilityVM` of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UtilityVm {
    /// Nothing: there is no such folder.
    None,
    /// A virtual machine with its boot manager and the configuration of that.
    Whole,
    /// One without them.
    NoBoot,
}

/// The four files that most scenarios are about.
pub const WIMS: [DemoWim; 4] = [
    DemoWim {
        name: "WindowsServerCore.wim",
        image: "WindowsServerCore",
        version: "10.0.10514.0",
        edition: "ServerDatacenter",
        installation: "Server Core",
        build: 10514,
        revision: 0,
        container_base: true,
        utility_vm: UtilityVm::None,
    },
    DemoWim {
        name: "install.wim",
        image: "Windows Server 2012 R2 SERVERSTANDARDCORE",
        version: "10.0.10514.0",
        edition: "ServerStandard",
        installation: "Server Core",
        build: 10514,
        revision: 0,
        container_base: false,
        utility_vm: UtilityVm::None,
    },
    DemoWim {
        name: "NanoServer.wim",
        image: "CORESYSTEMSERVER_INSTALL",
        version: "10.0.10514.0",
        edition: "ServerTuva",
        installation: "Nano Server",
        build: 10514,
        revision: 0,
        container_base: false,
        utility_vm: UtilityVm::None,
    },
    DemoWim {
        name: "servercore-20348.wim",
        image: "servercore",
        version: "10.0.20348.169",
        edition: "ServerDatacenter",
        installation: "Server Core",
        build: 20348,
        revision: 169,
        container_base: true,
        utility_vm: UtilityVm::None,
    },
];

/// More, for failures that take a rare image: of Technical Preview 5, of a build that was never released, and with a virtual machine
/// for Hyper-V isolation, whole and not.
pub const RARE: [DemoWim; 4] = [
    DemoWim {
        name: "nanoserver-14300.wim",
        image: "nanoserver",
        version: "10.0.14300.1000",
        edition: "ServerTuva",
        installation: "Nano Server",
        build: 14300,
        revision: 1000,
        container_base: true,
        utility_vm: UtilityVm::None,
    },
    DemoWim {
        name: "servercore-25900.wim",
        image: "servercore-insider",
        version: "10.0.25900.1000",
        edition: "ServerDatacenter",
        installation: "Server Core",
        build: 25900,
        revision: 1000,
        container_base: true,
        utility_vm: UtilityVm::None,
    },
    DemoWim {
        name: "servercore-20348-hyperv.wim",
        image: "servercore-hyperv",
        version: "10.0.20348.169",
        edition: "ServerDatacenter",
        installation: "Server Core",
        build: 20348,
        revision: 169,
        container_base: true,
        utility_vm: UtilityVm::Whole,
    },
    DemoWim {
        name: "servercore-20348-no-boot.wim",
        image: "servercore-no-boot",
        version: "10.0.20348.169",
        edition: "ServerDatacenter",
        installation: "Server Core",
        build: 20348,
        revision: 169,
        container_base: true,
        utility_vm: UtilityVm::NoBoot,
    },
];

/// Why a WIM file could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildWimError {
    /// A registry hive.
    #[error("a registry hive could not be built")]
    Hive(#[from] BuildError),
    /// The WIM.
    #[error("the WIM could not be written")]
    Write(#[from] WriteError),
    /// What was written cannot be read.
    #[error("the WIM that was written cannot be opened")]
    Open(#[from] OpenError),
}

/// The files, opened.
pub struct Shelf {
    wims: Vec<(DemoWim, Wim)>,
}

impl Shelf {
    /// Builds and opens [`WIMS`] and [`RARE`].
    ///
    /// # Errors
    /// [`BuildWimError`]: a defect of the writers, since nothing here depends on the outside.
    pub fn build() -> Result<Self, BuildWimError> {
        let wims = WIMS
            .iter()
            .chain(&RARE)
            .map(|demo| {
                let mut options = Options::default();
                // They are installed again and again.
                options.keep_images = true;
                Ok((*demo, Wim::open_with(demo.build()?, options)?))
            })
            .collect::<Result<_, BuildWimError>>()?;
        Ok(Self { wims })
    }

    /// What the files of [`WIMS`] are.
    pub fn files(&self) -> impl Iterator<Item = &DemoWim> {
        let every = self.wims.iter().map(|(demo, _)| demo);
        every.take(WIMS.len())
    }
}

impl WimShelf for Shelf {
    fn wim(&self, name: &str) -> Option<(&Wim, ImageIndex)> {
        let (_, wim) = self.wims.iter().find(|(demo, _)| demo.name == name)?;
        Some((wim, ImageIndex::new(1)?))
    }
}

impl DemoWim {
    /// The bytes of the file.
    ///
    /// # Errors
    /// [`BuildWimError`].
    pub fn build(&self) -> Result<Vec<u8>, BuildWimError> {
        let built = FileTime::parse_rfc3339(BUILT).unwrap_or(FileTime::ZERO);
        let mut tree = self.tree(built)?;
        let source: &mut dyn TreeSource = &mut tree;
        let mut image = NewImage::new(self.image, source);
        image.description =
            Some("A stand-in made by wcow. No part of Windows is in it.".to_owned());
        image.flags = Some(self.edition.to_owned());
        image.created = built;
        image.windows = Some(WindowsInfo {
            architecture: Some(Architecture::X64),
            product_name: Some("Microsoft\u{ae} Windows\u{ae} Operating System".to_owned()),
            edition_id: Some(self.edition.to_owned()),
            installation_type: Some(self.installation.to_owned()),
            product_type: Some("ServerNT".to_owned()),
            languages: vec!["en-US".to_owned()],
            default_language: Some("en-US".to_owned()),
            version: Some(WindowsVersion {
                major: 10,
                minor: 0,
                build: self.build,
                sp_build: self.revision,
                sp_level: 0,
                branch: (self.build == 10514).then(|| "th2_release".to_owned()),
            }),
            system_root: Some("WINDOWS".to_owned()),
            ..WindowsInfo::default()
        });
        let guid = Guid::from_u128(
            0x77_63_6f_77_00_00_40_00_80_00_00_00_00_00_00_00
                | u128::from(self.build) << 8
                | self.number(),
        );
        let mut file = Cursor::new(Vec::new());
        write_uncompressed(&mut file, vec![image], &WriteOptions::new(guid))?;
        Ok(file.into_inner())
    }

    /// Tells the files of one build apart.
    fn number(&self) -> u128 {
        self.name
            .bytes()
            .fold(0_u128, |sum, byte| (sum + u128::from(byte)) & 0xff)
    }

    fn tree(&self, built: FileTime) -> Result<MemoryTree, BuildError> {
        let mut tree = MemoryTree::new()
            .dir("PerfLogs")
            .dir(r"Program Files\Common Files")
            .dir("Program Files (x86)")
            .dir(r"Users\Public")
            .file(r"Windows\win.ini", "; for 16-bit app support\r\n[fonts]\r\n[extensions]\r\n")
            .file(
                r"Windows\System32\drivers\etc\hosts",
                "# Made by wcow as a stand-in.\r\n127.0.0.1       localhost\r\n::1             localhost\r\n",
            );
        for program in [
            "cmd", "csrss", "lsass", "ping", "services", "smss", "svchost", "wininit",
        ] {
            tree = tree.file(
                format!(r"Windows\System32\{program}.exe"),
                stand_in(program, self),
            );
        }
        for library in ["kernel32", "ntdll", "ws2_32"] {
            tree = tree.file(
                format!(r"Windows\System32\{library}.dll"),
                stand_in(library, self),
            );
        }
        if self.container_base {
            tree = tree.file(r"Windows\System32\CExecSvc.exe", stand_in("CExecSvc", self));
        }
        if self.utility_vm != UtilityVm::None {
            let kernel = r"UtilityVM\Files\Windows\System32\ntoskrnl.exe";
            tree = tree.file(kernel, stand_in("ntoskrnl", self));
        }
        if self.utility_vm == UtilityVm::Whole {
            let mut configuration = HiveBuilder::new("BCD");
            configuration.timestamp(built);
            configuration.key("Objects")?;
            let file = r"UtilityVM\Files\EFI\Microsoft\Boot\BCD";
            tree = tree.file(file, configuration.build());
            // What a machine described by schema 2 boots from.
            let loader = r"UtilityVM\Files\EFI\Microsoft\Boot\bootmgfw.efi";
            tree = tree.file(loader, stand_in("bootmgfw", self));
        }
        for (name, hive) in self.hives(built)? {
            tree = tree.file(format!(r"Windows\System32\config\{name}"), hive);
        }
        let paths = tree.paths();
        let times = Times {
            created: built,
            accessed: built,
            written: built,
        };
        Ok(paths
            .into_iter()
            .fold(tree, |tree, path| tree.times(path, times)))
    }

    fn hives(&self, built: FileTime) -> Result<Vec<(&'static str, Vec<u8>)>, BuildError> {
        let version = r"Microsoft\Windows NT\CurrentVersion";
        let mut software = HiveBuilder::new("SOFTWARE");
        software.timestamp(built);
        software.value(
            version,
            "CurrentBuildNumber",
            ValueKind::Sz,
            &text(&self.build.to_string()),
        )?;
        software.value(version, "EditionID", ValueKind::Sz, &text(self.edition))?;
        software.value(
            version,
            "InstallationType",
            ValueKind::Sz,
            &text(self.installation),
        )?;
        software.value(
            version,
            "UBR",
            ValueKind::Dword,
            &self.revision.to_le_bytes(),
        )?;

        let mut system = HiveBuilder::new("SYSTEM");
        system.timestamp(built);
        system.value("Select", "Current", ValueKind::Dword, &1_u32.to_le_bytes())?;
        system.value(
            r"ControlSet001\Control",
            "SystemBootDevice",
            ValueKind::Sz,
            &text("multi(0)disk(0)rdisk(0)partition(1)"),
        )?;
        if self.container_base {
            let service = r"ControlSet001\Services\CExecSvc";
            system.value(
                service,
                "ImagePath",
                ValueKind::ExpandSz,
                &text(r"%SystemRoot%\System32\CExecSvc.exe"),
            )?;
            system.value(service, "Start", ValueKind::Dword, &2_u32.to_le_bytes())?;
        }

        let mut hives = vec![("SOFTWARE", software.build()), ("SYSTEM", system.build())];
        for (name, key) in [
            ("DEFAULT", "Environment"),
            ("SAM", r"SAM\Domains"),
            ("SECURITY", "Policy"),
        ] {
            let mut hive = HiveBuilder::new(name);
            hive.timestamp(built);
            hive.key(key)?;
            hives.push((name, hive.build()));
        }
        Ok(hives)
    }
}

/// A file where Windows has a program: it begins like one, and says what it is.
fn stand_in(name: &str, wim: &DemoWim) -> Vec<u8> {
    format!("MZ\r\nThis is not {name}. It stands in for it in {}, which wcow made for its tour and its tests.\r\n", wim.name)
        .into_bytes()
}

/// A registry string: UTF-16LE with a terminator.
fn text(text: &str) -> Vec<u8> {
    text.encode_utf16()
        .chain([0])
        .flat_map(u16::to_le_bytes)
        .collect()
}
