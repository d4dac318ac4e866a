//! `wcow image`.

use serde::Serialize;
use wcow_engine::InstallWimError;
use wcow_host::HostInfo;
use wcow_image_store::StoredImage;

use super::remove_each;
use crate::args::{Global, ImageCommand};
use crate::failure::{Failure, exit};
use crate::output::{Output, note, size};
use crate::session::with_host;
use crate::wim;

/// Runs one command of the group.
pub(crate) fn run(command: &ImageCommand, global: &Global, output: &Output) -> Result<(), Failure> {
    match command {
        ImageCommand::Install { file, index, name } => {
            let opened = wim::open(file)?;
            let index = wim::choose(&opened, file, index.as_deref())?;
            // A file that cannot be read is told before a host is asked.
            wim::readable(&opened, file)?;
            drop(wim::load(&opened, file, index)?);
            let image = with_host(global, |session| {
                let installed = session
                    .try_run(|engine| engine.install_wim(&opened, index, name.as_deref()))?;
                installed.map_err(|error| failure(&error, session.info().as_ref()))
            })?;
            if output.is_json() {
                output.json("image", &[image])?;
            } else {
                output.line(&image.full_name)?;
            }
        }
        ImageCommand::Ls => list(global, output)?,
        ImageCommand::Inspect { image } => {
            let details = with_host(global, |session| {
                session.run(|engine| engine.inspect_image(image))
            })?;
            let image = &details.image;
            let mut lines = vec![
                ("Name", image.name.clone()),
                ("Version", image.version.to_string()),
                ("Full name", image.full_name.clone()),
                ("Folder", image.path.to_string()),
                ("Edition", image.product_name.clone()),
                ("Size", size(image.size)),
                ("Created", image.created.to_string()),
                (
                    "Container service",
                    if image.container_service {
                        "yes"
                    } else {
                        "no: no container of it will start"
                    }
                    .to_owned(),
                ),
            ];
            for hive in &details.hives {
                lines.push((
                    "Hive",
                    format!(
                        "{} ({})",
                        hive.name,
                        hive.len.map_or_else(|| "missing".to_owned(), size)
                    ),
                ));
            }
            output.record("image.details", &details, &lines)?;
        }
        ImageCommand::Test { image } => test(image, global, output)?,
        ImageCommand::Rm { images } => {
            with_host(global, |session| {
                remove_each("image", images, output, |image| {
                    session.run(|engine| engine.remove_image(image)).map(drop)
                })
            })?;
        }
    }
    Ok(())
}

fn list(global: &Global, output: &Output) -> Result<(), Failure> {
    let (images, damaged) = with_host(global, |session| {
        Ok((
            session.run(|engine| engine.images())?,
            session.run(|engine| engine.damaged_images())?,
        ))
    })?;
    output.list(
        "image",
        &images,
        &["NAME", "VERSION", "EDITION", "SIZE", "CREATED", "FULL NAME"],
        row,
    )?;
    for image in damaged {
        note(&format!(
            "warning: {} is not a usable image: {}",
            image.path, image.reason
        ));
    }
    Ok(())
}

fn row(image: &StoredImage) -> Vec<String> {
    vec![
        image.name.clone(),
        image.version.to_string(),
        image.product_name.clone(),
        size(image.size),
        image.created.to_string(),
        image.full_name.clone(),
    ]
}

fn test(image: &str, global: &Global, output: &Output) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Tested<'a> {
        image: &'a str,
        validation_errors: Vec<String>,
    }
    let errors = with_host(global, |session| {
        session.run(|engine| engine.test_image(image))
    })?;
    let tested = Tested {
        image,
        validation_errors: errors.iter().map(ToString::to_string).collect(),
    };
    let shown = tested.validation_errors.join(", ");
    output.record(
        "image.test",
        &tested,
        &[
            ("Image", image.to_owned()),
            ("ValidationErrors", format!("{{{shown}}}")),
        ],
    )?;
    if tested.validation_errors.is_empty() {
        return Ok(());
    }
    Err(
        Failure::new(exit::INTEGRITY, format!("image {image:?} is damaged"))
            .help("remove it and install it again: wcow image rm, wcow image install"),
    )
}

fn failure(error: &InstallWimError, host: Option<&HostInfo>) -> Failure {
    match error {
        InstallWimError::Engine(error) => Failure::engine(error, host),
        InstallWimError::NoName(_) => {
            Failure::new(exit::USAGE, error.to_string()).help("give one with --name")
        }
        InstallWimError::Image { .. } => {
            Failure::new(exit::INTEGRITY, error.to_string()).because_source(error)
        }
        _ => Failure::new(exit::FAILED, error.to_string())
            .help("wcow wim info FILE shows what the WIM says of itself"),
    }
}
