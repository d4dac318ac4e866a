//! What to expect of a WIM that nobody has seen before.
//!
//! [`Inspection::of`] looks into an image for what decides its fate: name and version, the five registry hives, the container
//! service, the programs that the walk runs. [`Inspection::walk`] makes the steps of a walk with it on one host, each with what
//! the rules of [`wcow_host::era`] expect. Played on a host, prediction and verdict must agree.

use wcow_engine::{InstallWimError, request_for};
use wcow_host::era::{self, ImageFacts, Stage, Verdict};
use wcow_host::{EditionClass, HostInfo};
use wcow_image_store::InstallRequest;
use wcow_ntmeta::RelPath;
use wcow_wim::{Image, ImageError, ImageIndex, ImageInfo, Wim};

use crate::{Action, Expect, Scenario, Source, Step};

/// The registry hives that a base image needs, by file name under `Windows\System32\config`.
const HIVES: [&str; 5] = ["DEFAULT", "SAM", "SECURITY", "SOFTWARE", "SYSTEM"];
/// The container that the walk makes.
const CONTAINER: &str = "MyFirstContainer";

/// What was found in an image of a WIM.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// What it would be installed as, or why it cannot be.
    pub request: Result<InstallRequest, String>,
    /// The hives that are missing.
    pub missing_hives: Vec<&'static str>,
    /// True if the container service (CExecSvc) is in it.
    pub container_service: bool,
    /// True if `cmd.exe` is in it.
    pub command_shell: bool,
    /// Files and folders in it.
    pub entries: usize,
}

impl Inspection {
    /// Looks into an image.
    ///
    /// # Errors
    /// The metadata of the image cannot be read.
    pub fn of(wim: &Wim, index: ImageIndex) -> Result<Self, ImageError> {
        let image = wim.image(index)?;
        let info = wim.images().iter().find(|info| info.index == index);
        Ok(Self {
            request: request(info),
            missing_hives: HIVES
                .into_iter()
                .filter(|hive| !has(&image, &format!(r"Windows\System32\config\{hive}")))
                .collect(),
            container_service: has(&image, r"Windows\System32\CExecSvc.exe"),
            command_shell: has(&image, r"Windows\System32\cmd.exe"),
            entries: image.len(),
        })
    }

    /// What a host compares with itself; `None` if the image cannot be installed.
    #[must_use]
    pub fn facts(&self) -> Option<ImageFacts> {
        let request = self.request.as_ref().ok()?;
        Some(ImageFacts {
            build: request.version.build,
            revision: request.version.revision,
            product_name: request.product_name.clone(),
            container_service: self.container_service,
        })
    }

    /// What is to be expected of it on a host, in a sentence.
    #[must_use]
    pub fn sentence(&self, host: &HostInfo) -> String {
        let Some(facts) = self.facts() else {
            return "it cannot be installed".to_owned();
        };
        if !self.missing_hives.is_empty() {
            return format!(
                "it cannot be installed: it lacks the registry hive {}",
                self.missing_hives.join(", ")
            );
        }
        match era::start_verdict(host, &facts) {
            Verdict::Runs => "a container of it runs".to_owned(),
            Verdict::Refused { code, rule, .. } => {
                format!("a container of it does not start ({code}): {rule}")
            }
        }
    }

    /// The walk with this image on a host, with what is expected of each step. `wim` is the name under which the player's shelf
    /// has the file.
    #[must_use]
    pub fn walk(&self, wim: &str, host: &HostInfo) -> Scenario {
        let mut walk = Walk { steps: Vec::new() };
        walk.image(self, wim, host);
        Scenario {
            id: host.simulated.as_deref().unwrap_or(&host.name).to_owned(),
            title: format!("The way of this image on {}", host.product),
            profile: host.simulated.as_deref().unwrap_or_default().to_owned(),
            story: self.sentence(host),
            source: Source::Inferred,
            setup: crate::Setup::default(),
            given: Vec::new(),
            steps: walk.steps,
            elsewhere: None,
        }
    }
}

fn request(info: Option<&ImageInfo>) -> Result<InstallRequest, String> {
    let info = info.ok_or_else(|| "the XML data does not describe it".to_owned())?;
    request_for(info, None).map_err(|error: InstallWimError| error.to_string())
}

fn has(image: &Image, path: &str) -> bool {
    image
        .lookup(&RelPath::parse(path))
        .is_some_and(|node| !image.is_directory(node))
}

struct Walk {
    steps: Vec<Step>,
}

impl Walk {
    fn image(&mut self, image: &Inspection, wim: &str, host: &HostInfo) {
        let install = Action::InstallImage(wim.to_owned());
        let typed = format!("Install-ContainerOSImage -WimPath .\\{wim} -Force");
        let (Ok(request), Some(facts)) = (&image.request, image.facts()) else {
            self.step(
                install,
                &typed,
                refused("refused"),
                "The WIM does not say which Windows is in it: it is refused.",
            );
            return;
        };
        if let Some(hive) = image.missing_hives.first() {
            let expect = Expect {
                shows: vec![(*hive).to_owned()],
                ..refused("refused")
            };
            self.step(install, &typed, expect, "A base image needs five registry hives. It is refused, and nothing is left behind.");
            return;
        }
        let full_name = format!("CN=Microsoft_{}_{}", request.name, request.version);
        self.step(
            install,
            &typed,
            shows(&[&full_name]),
            "It is installed under the name and version that the WIM gives.",
        );
        self.step(
            Action::TestImage(request.name.clone()),
            &format!(
                "Get-ContainerImage -Name '{}' | Test-ContainerImage",
                request.name
            ),
            shows(&["{}"]),
            "The form is right; whether it can run is another matter.",
        );
        self.container(image, &request.name, &facts, host);
    }

    fn container(&mut self, image: &Inspection, name: &str, facts: &ImageFacts, host: &HostInfo) {
        let create = Action::CreateContainer {
            image: name.to_owned(),
            name: CONTAINER.to_owned(),
            id: None,
            network: None,
        };
        let typed = format!("New-Container -Name '{CONTAINER}' -ContainerImageName '{name}'");
        if host.class == EditionClass::Nano && host.reboot_pending {
            let expect = Expect {
                failure: Some("container-before-reboot".to_owned()),
                ..refused("0x8000FFFF")
            };
            self.step(
                create.clone(),
                &typed,
                expect,
                "The host was not restarted since it got the Containers package.",
            );
            self.step(
                Action::Restart,
                "Restart-Computer -Wait",
                Expect::default(),
                "The filter driver is loaded.",
            );
        }
        self.step(
            create,
            &typed,
            Expect::default(),
            "The container is there, and off.",
        );
        let start = Action::StartContainer(CONTAINER.to_owned());
        let typed = format!("Start-Container -Name '{CONTAINER}'");
        match era::start_verdict(host, facts) {
            Verdict::Refused {
                stage,
                code,
                failure,
                rule,
            } => {
                // Since 2016 the system is created when the container is started: both stages are one step here.
                let (Stage::Create | Stage::Start) = stage;
                let expect = Expect {
                    failure: Some(failure.0.to_owned()),
                    ..refused(&code.to_string())
                };
                self.step(start, &typed, expect, rule);
            }
            Verdict::Runs => {
                self.step(
                    start,
                    &typed,
                    Expect::default(),
                    "Host and image fit: it starts.",
                );
                self.programs(image, facts);
                self.step(
                    Action::StopContainer(CONTAINER.to_owned()),
                    &format!("Stop-Container -Name '{CONTAINER}'"),
                    Expect::default(),
                    "It stops.",
                );
            }
        }
        self.step(
            Action::RemoveContainer(CONTAINER.to_owned()),
            &format!("Remove-Container -Name '{CONTAINER}' -Force"),
            Expect::default(),
            "It is gone, and its scratch layer with it.",
        );
    }

    fn programs(&mut self, image: &Inspection, facts: &ImageFacts) {
        for (command, words, means) in [
            (
                "cmd /c ver",
                format!("10.0.{}", facts.build),
                "A program runs inside.",
            ),
            (
                "cmd /c dir C:\\Windows",
                "System32".to_owned(),
                "It sees the files of the WIM.",
            ),
        ] {
            let (expect, means) = if image.command_shell {
                (shows(&[&words]), means)
            } else {
                (refused("0x80070002"), "There is no cmd.exe in this image.")
            };
            self.step(
                Action::Exec {
                    name: CONTAINER.to_owned(),
                    command: command.to_owned(),
                    directory: None,
                    user: None,
                },
                &format!("Invoke-Command -ContainerId $id -RunAsAdministrator {{ {command} }}"),
                expect,
                means,
            );
        }
    }

    fn step(&mut self, action: Action, powershell: &str, expect: Expect, means: &str) {
        self.steps.push(Step {
            action,
            caller: None,
            powershell: Some(powershell.to_owned()),
            expect,
            means: means.to_owned(),
        });
    }
}

fn refused(code: &str) -> Expect {
    Expect {
        code: Some(code.to_owned()),
        ..Expect::default()
    }
}

fn shows(words: &[&str]) -> Expect {
    Expect {
        shows: words.iter().map(|word| (*word).to_owned()).collect(),
        ..Expect::default()
    }
}
