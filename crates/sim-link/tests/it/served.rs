//! A world over the socket, with clients that behave and others.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use wcow_host::{ComputeApi, ComputeService, Identity};
use wcow_ntmeta::Hresult;
use wcow_sim_link::{Address, ConnectError, Connection, Server, frame};

use crate::support::{exec, start, wait, world};

#[test]
fn two_processes_share_a_world() {
    let (world, image) = world();
    let server = Server::start(&world).expect("a port");
    let open = || Connection::open(server.address(), Identity::Administrator).expect("welcome");
    let (one, two) = (open(), open());
    assert_eq!((one.facts().build, server.clients()), (20348, 2));
    let host = one.host(ComputeApi::V1);
    let system = wait(one.runner(), async move {
        let system = start(&host, &image, "shared").await?;
        exec(&host, system, "cmd /c echo hello").await
    });
    assert_eq!(system.expect("it runs"), ("hello\r\n".to_owned(), 0));
    let host = two.host(ComputeApi::V2);
    let seen = wait(two.runner(), async move { host.enumerate().await }).expect("a list");
    assert_eq!(seen.len(), 1);
    // A handle of the one is none of the other.
    drop(one);
    let host = two.host(ComputeApi::V1);
    let bad = wait(two.runner(), async move {
        host.start(wcow_host::SystemHandle(1)).await
    });
    assert_eq!(bad.unwrap_err().hresult(), Some(Hresult(0x8007_0006)));
    world.runner().stop();
}

#[test]
fn a_connection_that_breaks_answers_everything() {
    let (world, image) = world();
    let server = Server::start(&world).expect("a port");
    let connection = Connection::open(server.address(), Identity::Administrator).expect("welcome");
    let host = connection.host(ComputeApi::V1);
    let system = {
        let host = host.clone();
        wait(connection.runner(), async move {
            start(&host, &image, "cut").await
        })
    };
    let system = system.expect("it starts");
    let waiting = {
        let (host, runner) = (host.clone(), connection.runner().clone());
        std::thread::spawn(move || wait(&runner, async move { host.next_event(system).await }))
    };
    drop(server);
    let gone = Some(Hresult(0x8037_011E));
    let error = waiting.join().expect("no panic").expect_err("cut off");
    assert_eq!(error.hresult(), gone);
    let later = wait(connection.runner(), async move { host.enumerate().await });
    assert_eq!(later.expect_err("gone").hresult(), gone);
    world.runner().stop();
}

#[test]
fn nobody_comes_in_without_the_token() {
    let (world, _) = world();
    let server = Server::start(&world).expect("a port");
    let wrong = Address {
        token: "0".repeat(server.address().token.len()),
        ..server.address().clone()
    };
    let error = Connection::open(&wrong, Identity::Administrator).expect_err("refused");
    assert!(matches!(error, ConnectError::Refused(_)), "{error}");
    assert_ne!(
        server.address().token,
        Server::start(&world).expect("a port").address().token
    );
    let port = server.address().port;
    drop(server);
    let nobody = Address {
        port,
        token: String::new(),
    };
    let error = Connection::open(&nobody, Identity::Administrator).expect_err("nobody");
    assert!(matches!(error, ConnectError::Broken { .. }), "{error}");
    world.runner().stop();
}

/// Lengths that lie, no JSON, calls before the greeting, an end in the middle: the connection ends, and the server goes on.
#[test]
fn hostile_clients_are_let_go() {
    let (world, _) = world();
    let server = Server::start(&world).expect("a port");
    let place = (Ipv4Addr::LOCALHOST, server.address().port);
    let call = br#"{"call":{"id":1,"api":"v1","request":{"Compute":"Enumerate"}}}"#;
    let framed = |bytes: &[u8]| {
        let mut framed = u32::try_from(bytes.len()).unwrap().to_le_bytes().to_vec();
        framed.extend(bytes);
        framed
    };
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    let messages = [
        u32::MAX.to_le_bytes().to_vec(),
        frame::LONGEST.to_le_bytes().to_vec(),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        framed(b"{}"),
        framed(&deep),
        framed(call),
        vec![1, 2],
    ];
    for message in messages {
        let mut stream = TcpStream::connect(place).expect("it listens");
        // The server may have closed its end already.
        let _ = stream.write_all(&message);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut told = Vec::new();
        let _ = stream.read_to_end(&mut told);
        let told = String::from_utf8_lossy(&told).into_owned();
        assert!(
            !told.contains("welcome") && !told.contains("answer"),
            "{told}"
        );
    }
    Connection::open(server.address(), Identity::Administrator).expect("it goes on");
    world.runner().stop();
}

#[test]
fn a_length_is_not_believed() {
    let lie = [0, 0, 0, 1, b'{'];
    let error = frame::read::<serde_json::Value>(&mut &lie[..]).expect_err("too short");
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    let error = frame::read::<serde_json::Value>(&mut &[1, 0, 0, 1][..]).expect_err("too long");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    assert!(
        frame::read::<serde_json::Value>(&mut &[][..])
            .expect("a clean end")
            .is_none()
    );
}

#[test]
fn an_address_file_is_read_as_it_was_written() {
    let (world, _) = world();
    let server = Server::start(&world).expect("a port");
    let path = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("address-{}", server.address().port));
    for _ in 0..2 {
        server.address().write(&path).expect("it can be written");
    }
    assert_eq!(
        &Address::read(&path).expect("it can be read"),
        server.address()
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).expect("it is there").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }
    std::fs::write(&path, "{}").expect("it can be written");
    assert!(Address::read(&path).is_err());
    std::fs::remove_file(&path).expect("it is there");
    assert!(Address::read(&path).is_err());
    world.runner().stop();
}
