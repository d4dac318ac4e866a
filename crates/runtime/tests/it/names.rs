//! Names that no sensible person gives: quotes, characters beyond the first 65,536, halves of surrogate pairs.

use std::collections::BTreeMap;
use std::sync::Arc;

use wcow_host::{Output, SystemId};
use wcow_ntmeta::HostPath;
use wcow_runtime::{Access, ExecSpec, Mount, RuntimeError};
use wcow_sim::{GuestCall, GuestNext, GuestReply, Profile};

use crate::support::*;

const ODD: [&str; 5] = [
    "a\"b",
    "a\\\"b",
    "'; Remove-Item C:\\ -Recurse; '",
    "\u{1F980}\u{FFFD}",
    "{\"Name\":1}",
];

#[test]
fn a_container_of_any_name_is_made_found_and_taken_back() {
    for profile in profiles() {
        for odd in ODD {
            let stage = Stage::new(profile.clone());
            let mut spec = stage.spec(None);
            spec.name = odd.to_owned();
            spec.owner = odd.to_owned();
            let created = stage.try_create(spec).unwrap();
            let running = stage.start(&created);
            let runtime = stage.runtime();
            let nobody = SystemId(odd.to_owned());
            assert_eq!(
                stage.run(runtime.state(&nobody)).unwrap(),
                wcow_runtime::ContainerState::Off
            );
            let error = stage.run(runtime.exec(&nobody, &ExecSpec::new("cmd /c ver")));
            assert_eq!(code(&error.unwrap_err()), "0xC037010E");
            stage.run(runtime.kill(&created, &running)).unwrap();
            stage.run(runtime.remove(&created)).unwrap();
            assert_eq!(stage.traces(), nothing());
        }
    }
}

#[test]
fn what_a_program_is_given_comes_through_as_it_is() {
    let stage = Stage::new(Profile::server_2022());
    let created = stage.create(None);
    stage.start(&created);
    stage.sim.register_program(
        "tell.exe",
        Arc::new(|call: GuestCall| GuestReply {
            out: call.environment["ODD"].clone().into_bytes(),
            err: call.arguments[1].clone().into_bytes(),
            next: GuestNext::Exit(0),
        }),
    );
    for odd in ODD {
        let arguments = ["tell".to_owned(), odd.to_owned()];
        let spec = ExecSpec {
            environment: BTreeMap::from([("ODD".to_owned(), odd.to_owned())]),
            ..ExecSpec::from_arguments(&arguments)
        };
        let told = stage.run(async {
            let runtime = stage.runtime();
            let process = runtime.exec(&created.spec.id, &spec).await.unwrap();
            let out = process.read(Output::Out, 1000).await.unwrap();
            let err = process.read(Output::Err, 1000).await.unwrap();
            process.wait().await.unwrap();
            [out, err].map(|bytes| String::from_utf8(bytes).unwrap())
        });
        assert_eq!(told, [odd, odd]);
    }
}

#[test]
fn a_folder_that_no_document_can_name_is_refused_before_the_host_is_asked() {
    let stage = Stage::new(Profile::server_2022());
    let mut host = HostPath::parse(r"C:\data").unwrap();
    host.push(&[0x61, 0xD800]).unwrap();
    let mut spec = stage.spec(None);
    spec.mounts = vec![Mount {
        host,
        container: r"C:\data".to_owned(),
        access: Access::ReadWrite,
    }];
    let error = stage.try_create(spec).unwrap_err();
    assert!(matches!(error, RuntimeError::Unsupported { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains(r"a\u{d800}"), "{text}");
    assert!(text.contains("half a surrogate pair"), "{text}");
    assert_eq!(stage.traces(), nothing());
}
