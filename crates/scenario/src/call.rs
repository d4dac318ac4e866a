//! Calls straight to the host, past the engine's names: for what the engine would not do, or would take care of.

use std::fmt;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

/// A call, or a few that belong together.
///
/// A place on the host is a path (`C:\folder`), or begins with `scratch:NAME` (the scratch layer of a container) or `image:NAME` (the
/// folder of a base image): `scratch:web\sandbox.vhdx`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    deny_unknown_fields
)]
pub enum Call {
    /// A service is restarted, or started if it does not run.
    RestartService(String),
    /// A service is stopped.
    StopService(String),
    /// A service is started.
    StartService(String),
    /// A virtual switch is removed.
    RemoveSwitch(String),
    /// A NAT object is removed.
    RemoveNat(String),
    /// A port of the host is mapped to one of a container.
    AddStaticMapping {
        /// The NAT object.
        nat: String,
        /// The port of the host, TCP.
        port: u16,
        /// The address of the container.
        address: Ipv4Addr,
        /// The port of the container.
        to: u16,
    },
    /// A file is opened so that nobody else can, as a scanner or a backup does.
    HoldFile(String),
    /// All such files are closed.
    ReleaseFiles,
    /// A file of so many bytes is written.
    WriteFile {
        /// Where.
        path: String,
        /// Its length in bytes.
        bytes: u32,
    },
    /// A file is deleted.
    DeleteFile(String),
    /// A folder is made.
    MakeFolder(String),
    /// A folder is deleted, with everything below it.
    DeleteFolder(String),
    /// A folder is made a base layer.
    ProcessBase(String),
    /// A scratch layer is made over a base image.
    CreateScratch {
        /// Its folder.
        folder: String,
        /// The image.
        image: String,
    },
    /// A scratch layer is attached and mounted over a base image.
    MountLayer {
        /// Its folder.
        layer: String,
        /// The image.
        image: String,
    },
    /// Two scratch layers are attached, and mounted at the same time; neither is mounted afterwards if one is refused.
    MountTogether {
        /// The folder of one.
        first: String,
        /// The folder of the other.
        second: String,
        /// The image of both.
        image: String,
    },
    /// What was changed in a scratch layer is written to a folder, in the form in which layers travel.
    ExportLayer {
        /// Its folder.
        layer: String,
        /// Where to.
        folder: String,
        /// The image below it; a layer without parents if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        image: Option<String>,
    },
    /// A layer is made of a folder in that form.
    ImportLayer {
        /// Its folder.
        layer: String,
        /// Where from.
        folder: String,
        /// The image below it; a layer without parents if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        image: Option<String>,
    },
    /// The disk of a scratch layer is made larger.
    ExpandScratch {
        /// Its folder.
        layer: String,
        /// The size in GiB.
        gib: u32,
    },
    /// A scratch layer is unmounted.
    UnprepareLayer(String),
    /// A layer is deleted.
    DestroyLayer(String),
    /// A network of the Host Network Service is made.
    HnsNetwork {
        /// Its name.
        name: String,
        /// Its type.
        kind: String,
        /// Its subnet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subnet: Option<Ipv4Net>,
        /// Its gateway.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gateway: Option<Ipv4Addr>,
    },
    /// The network of this name is deleted.
    DeleteHnsNetwork(String),
    /// An endpoint is made.
    HnsEndpoint {
        /// The name of its network; the id of none if there is none of this name.
        network: String,
        /// Its id, a GUID; the host's choice if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// Its address; the host's choice if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<Ipv4Addr>,
        /// The ports of the host that are published, TCP, each to the same port of the container.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        publish: Vec<u16>,
    },
    /// The endpoint of this id is deleted.
    DeleteHnsEndpoint(String),
    /// The compute system of a container is opened. The handle is kept for later calls.
    OpenSystem(String),
    /// A compute system is made for a container, its layers mounted before; they are unmounted if it fails.
    CreateSystem {
        /// The container.
        container: String,
        /// Another form of document than the host's own.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        other_form: bool,
        /// With Hyper-V isolation; its layers are not mounted then.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        hyper_v: bool,
        /// The container whose endpoints it is to get.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        endpoints_of: Option<String>,
        /// The most memory that it is to get, in MiB; no limit if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        memory_mib: Option<u32>,
        /// A folder of the host that it is to see as `C:\mapped`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mapped: Option<String>,
    },
    /// The utility virtual machine of a container is made as a compute system of its own, with a disk of its own that is copied from
    /// the image's. The handle is kept in the place of the container's.
    CreateMachine(String),
    /// The utility virtual machine of a container is let open a file.
    GrantMachine {
        /// The container.
        container: String,
        /// The file.
        file: String,
    },
    /// A compute system is started, by the handle that is kept.
    StartSystem(String),
    /// It is started, and ended before it is up.
    StartAndTerminate(String),
    /// It is frozen.
    PauseSystem(String),
    /// Its state is asked for.
    QuerySystem(String),
    /// It is ended.
    TerminateSystem(String),
    /// A process is made in it. The handle is kept for later calls.
    CreateProcess {
        /// The container.
        container: String,
        /// The command line.
        command: String,
    },
    /// The process of this id is opened.
    OpenProcess {
        /// The container.
        container: String,
        /// The id.
        id: u32,
    },
    /// The process that was made last in a container is waited for.
    WaitProcess(String),
    /// It is ended.
    TerminateProcess(String),
}

/// What is done, in a few words.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RestartService(name) => write!(f, "start the service {name} anew"),
            Self::StopService(name) => write!(f, "stop the service {name}"),
            Self::StartService(name) => write!(f, "start the service {name}"),
            Self::RemoveSwitch(name) => write!(f, "remove the switch {name:?}"),
            Self::RemoveNat(name) => write!(f, "remove the NAT {name:?}"),
            Self::AddStaticMapping {
                nat,
                port,
                address,
                to,
            } => write!(f, "map port {port} of the NAT {nat:?} to {address}:{to}"),
            Self::HoldFile(path) => write!(f, "open {path} so that nobody else can"),
            Self::ReleaseFiles => f.write_str("close the files that were opened"),
            Self::WriteFile { path, bytes } => write!(f, "write {bytes} bytes to {path}"),
            Self::DeleteFile(path) => write!(f, "delete {path}"),
            Self::MakeFolder(path) => write!(f, "make the folder {path}"),
            Self::DeleteFolder(path) => write!(f, "delete the folder {path}"),
            Self::ProcessBase(path) => write!(f, "make {path} a base layer"),
            Self::CreateScratch { folder, image } => {
                write!(f, "make a scratch layer of {image} in {folder}")
            }
            Self::MountLayer { layer, image } => write!(f, "mount the layer {layer} over {image}"),
            Self::MountTogether {
                first,
                second,
                image,
            } => write!(
                f,
                "mount the layers {first} and {second} over {image} at once"
            ),
            Self::ExportLayer {
                layer,
                folder,
                image,
            } => {
                write!(f, "export the layer {layer} to {folder}")?;
                parents(f, image.as_deref())
            }
            Self::ImportLayer {
                layer,
                folder,
                image,
            } => {
                write!(f, "import {folder} as the layer {layer}")?;
                parents(f, image.as_deref())
            }
            Self::ExpandScratch { layer, gib } => {
                write!(f, "make the disk of the layer {layer} {gib} GiB large")
            }
            Self::UnprepareLayer(path) => write!(f, "unmount the layer {path}"),
            Self::DestroyLayer(path) => write!(f, "destroy the layer {path}"),
            Self::HnsNetwork {
                name, kind, subnet, ..
            } => {
                write!(f, "make the {kind} network {name:?}")?;
                subnet.map_or(Ok(()), |subnet| write!(f, " of {subnet}"))
            }
            Self::DeleteHnsNetwork(name) => write!(f, "delete the network {name:?}"),
            Self::HnsEndpoint {
                network,
                id,
                address,
                publish,
            } => {
                write!(f, "make an endpoint on {network:?}")?;
                if let Some(id) = id {
                    write!(f, ", id {id}")?;
                }
                if let Some(address) = address {
                    write!(f, ", address {address}")?;
                }
                for port in publish {
                    write!(f, ", port {port} published")?;
                }
                Ok(())
            }
            Self::DeleteHnsEndpoint(id) => write!(f, "delete the endpoint {id}"),
            Self::OpenSystem(name) => write!(f, "open the compute system of {name}"),
            Self::CreateSystem {
                container,
                other_form,
                hyper_v,
                endpoints_of,
                memory_mib,
                mapped,
            } => {
                write!(f, "create the compute system of {container}")?;
                if *other_form {
                    f.write_str(" from a document of Technical Preview 3")?;
                }
                if *hyper_v {
                    f.write_str(" with Hyper-V isolation")?;
                }
                if let Some(mib) = memory_mib {
                    write!(f, " with {mib} MiB of memory")?;
                }
                if let Some(folder) = mapped {
                    write!(f, " with the folder {folder} in it")?;
                }
                match endpoints_of {
                    Some(other) => write!(f, " with the endpoints of {other}"),
                    None => Ok(()),
                }
            }
            Self::CreateMachine(name) => write!(f, "create the virtual machine of {name}"),
            Self::GrantMachine { container, file } => {
                write!(f, "let the virtual machine of {container} open {file}")
            }
            Self::StartSystem(name) => write!(f, "start the compute system of {name}"),
            Self::StartAndTerminate(name) => {
                write!(
                    f,
                    "start the compute system of {name}, and end it meanwhile"
                )
            }
            Self::PauseSystem(name) => write!(f, "freeze the compute system of {name}"),
            Self::QuerySystem(name) => write!(f, "ask for the state of {name}"),
            Self::TerminateSystem(name) => write!(f, "end the compute system of {name}"),
            Self::CreateProcess { container, command } => {
                write!(f, "make a process in {container}: {command}")
            }
            Self::OpenProcess { container, id } => write!(f, "open process {id} of {container}"),
            Self::WaitProcess(name) => write!(f, "wait for the process in {name}"),
            Self::TerminateProcess(name) => write!(f, "end the process in {name}"),
        }
    }
}

fn parents(f: &mut fmt::Formatter<'_>, image: Option<&str>) -> fmt::Result {
    match image {
        Some(image) => write!(f, ", with {image} below it"),
        None => f.write_str(", with nothing below it"),
    }
}
