//! Programs in containers.

use wcow_hcs_schema::schema1::ProcessParameters;
use wcow_host::{Clock, ComputeService, FileSystem, Host, LayerStorage, Output};
use wcow_sim::{BlobId, GuestCall, GuestNext, GuestReply, Profile, SaveError, Sim, SimHost};

use crate::containers::*;
use crate::support::{code, path, run, win32};

const SECOND: u64 = 10_000_000;

/// Runs a line with `cmd /c` in a fresh container of the current host.
fn cmd(line: &str) -> Ran {
    let (sim, client, system) = with_container(&Profile::server_2022(), 1);
    run(&sim, exec(&client, system, &format!("cmd /c {line}")))
}

#[track_caller]
fn check(line: &str, out: &str, err: &str, exit: u32) {
    let expected = Ran {
        out: out.to_owned(),
        err: err.to_owned(),
        exit,
    };
    assert_eq!(cmd(line), expected, "for {line:?}");
}

#[test]
fn the_command_processor_does_what_it_is_known_for() {
    check("echo hello", "hello\r\n", "", 0);
    check("echo.", "\r\n", "", 0);
    check("echo", "ECHO is on.\r\n", "", 0);
    check("\"echo a & echo b\"", "a \r\nb\r\n", "", 0);
    check("exit 7", "", "", 7);
    check("exit /b 9", "", "", 9);
    check(
        "ver",
        "\r\nMicrosoft Windows [Version 10.0.20348]\r\n",
        "",
        0,
    );
    check("echo %COMPUTERNAME% %nosuch%", "BOX %nosuch%\r\n", "", 0);
    check(
        "set system",
        "SystemDrive=C:\r\nSystemRoot=C:\\Windows\r\n",
        "",
        0,
    );
    check("set X=1& set X", "X=1\r\n", "", 0);
    check(
        "set nosuch",
        "",
        "Environment variable nosuch not defined\r\n",
        1,
    );
    check("cd \\docs & cd", "C:\\Docs\r\n", "", 0);
    check(
        "nosuch",
        "",
        "'nosuch' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n",
        1,
    );
    check("type \\docs\\\"read me.txt\"", "from the image\r\n", "", 0);
    check(
        "type nosuch",
        "",
        "The system cannot find the file specified.\r\n",
        1,
    );
    check(
        "type \\nosuch\\x",
        "",
        "The system cannot find the path specified.\r\n",
        1,
    );
    check("dir /b \\docs", "old.txt\r\nRead Me.txt\r\n", "", 0);
    check("dir /b \\docs\\n*", "", "File Not Found\r\n", 1);
    check(
        "copy a b",
        "",
        "The system cannot find the file specified.\r\n",
        1,
    );
    check("del nosuch", "", "Could Not Find C:\\nosuch\r\n", 0);
    check(
        "echo a |",
        "",
        "The syntax of the command is incorrect.\r\n",
        1,
    );
}

#[test]
fn results_decide_what_follows() {
    check("exit /b 1 & echo never", "", "", 1);
    check("echo a&& echo b", "a\r\nb\r\n", "", 0);
    check("cd nosuch 2>nul|| echo b", "b\r\n", "", 0);
    check("cd nosuch 2>nul&& echo b", "", "", 1);
    check("cd . || echo b && echo c", "", "", 0);
    check("cmd /c exit 3 & echo no", "no\r\n", "", 0);
    check("cmd /c exit 3 || echo failed", "failed\r\n", "", 0);
}

#[test]
fn dir_shows_the_files_of_the_image_and_of_the_container() {
    let ran = cmd("echo hi>\\docs\\new.txt& dir \\docs");
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], " Volume in drive C has no label.");
    assert!(lines[1].starts_with(" Volume Serial Number is "));
    assert_eq!(lines[3], r" Directory of C:\docs");
    assert_eq!(lines[5], "08/08/2015  03:29 PM    <DIR>          .");
    assert!(
        lines[7].ends_with("                 4 new.txt"),
        "{}",
        lines[7]
    );
    assert_eq!(lines[8], "08/08/2015  03:29 PM                 5 old.txt");
    assert_eq!(
        lines[9],
        "08/08/2015  03:29 PM                16 Read Me.txt"
    );
    assert_eq!(lines[10], "               3 File(s)             25 bytes");
    assert!(
        lines[11].starts_with("               2 Dir(s)  21,"),
        "{}",
        lines[11]
    );
    assert!(lines[11].ends_with(" bytes free"));
}

/// The blobs that an image's files have, by name.
async fn image_blobs(client: &SimHost) -> Vec<(String, BlobId)> {
    let mut blobs = Vec::new();
    for folder in [r"files\Docs", r"files\Windows\System32"] {
        let folder = path(IMAGE).join(folder);
        for file in client.files().list(&folder).await.unwrap() {
            let mut at = folder.clone();
            at.push(file.name.units()).unwrap();
            let bytes = client.files().read(&at, 1 << 20).await.unwrap();
            blobs.push((at.to_string(), BlobId::of(&bytes)));
        }
    }
    blobs
}

#[test]
fn what_a_container_writes_stays_in_its_scratch_layer() {
    for profile in both() {
        let (sim, client, system) = with_container(&profile, 1);
        run(&sim, async {
            let before = image_blobs(&client).await;
            let script = "echo new>\\docs\\OLD.TXT& echo more>>\\docs\\old.txt& del \\docs\\\"read me.txt\"& \
                          copy \\windows\\system32\\cmd.exe \\docs\\c.exe& md \\a\\b& echo x>\\a\\b\\c";
            let ran = exec(&client, system, &format!("cmd /c \"{script}\"")).await;
            assert_eq!((ran.err.as_str(), ran.exit), ("", 0));
            let look = "cmd /c \"dir /b \\docs& type \\docs\\old.txt& type \\a\\b\\c& type \\docs\\c.exe\"";
            let expected = "c.exe\r\nold.txt\r\nnew\r\nmore\r\nx\r\nMZ cmd";
            assert_eq!(exec(&client, system, look).await.out, expected);
            assert_eq!(image_blobs(&client).await, before, "the image is untouched");

            // The same container, stopped and started.
            let compute = client.compute();
            compute.terminate(system).await.unwrap();
            let again = match create(&client, &profile).await {
                Ok(again) => again,
                Err(_) => compute.open(&id()).await.unwrap(),
            };
            compute.start(again).await.unwrap();
            assert_eq!(exec(&client, again, look).await.out, expected);

            // A new container in its place.
            compute.terminate(again).await.unwrap();
            if profile.build == 10514 {
                compute.remove(&id()).await.unwrap();
            }
            let (layers, scratch) = (client.layers(), scratch(&profile));
            layers.unprepare(&scratch).await.unwrap();
            layers.deactivate(&scratch).await.unwrap();
            layers.destroy(&scratch).await.unwrap();
            mount(&client, &profile).await;
            let fresh = create(&client, &profile).await.unwrap();
            compute.start(fresh).await.unwrap();
            let ran = exec(&client, fresh, "cmd /c dir /b \\docs").await;
            assert_eq!(ran.out, "old.txt\r\nRead Me.txt\r\n");
            assert_eq!(image_blobs(&client).await, before);
        });
    }
}

#[test]
fn ping_replies_once_a_second() {
    let (sim, client, system) = with_container(&Profile::server_2022(), 1);
    run(&sim, async {
        let compute = client.compute();
        let ping = parameters("ping -n 3 box");
        let process = compute.create_process(system, &ping).await.unwrap();
        let mut text = String::new();
        let mut times = Vec::new();
        loop {
            let bytes = compute
                .read_output(process, Output::Out, 4096)
                .await
                .unwrap();
            if bytes.is_empty() {
                break;
            }
            let piece = String::from_utf8(bytes).unwrap();
            if piece.contains("Reply") {
                times.push(client.clock().now().ticks() / (SECOND / 10));
            }
            text += &piece;
        }
        assert_eq!(times.len(), 3);
        assert!((9..=11).contains(&(times[1] - times[0])), "{times:?}");
        assert!((9..=11).contains(&(times[2] - times[1])), "{times:?}");
        assert!(text.starts_with(
            "\r\nPinging box [127.0.0.1] with 32 bytes of data:\r\nReply from 127.0.0.1: "
        ));
        assert!(text.contains("    Packets: Sent = 3, Received = 3, Lost = 0 (0% loss),\r\n"));
        assert_eq!(compute.wait_process(process).await.unwrap().exit_code, 0);

        let ran = exec(&client, system, "ping elsewhere").await;
        assert_eq!(
            ran.out,
            "Ping request could not find host elsewhere. Please check the name and try again.\r\n"
        );
        assert_eq!(ran.exit, 1);
    });
}

#[test]
fn a_host_saved_in_the_middle_of_a_ping_goes_on_as_if_it_had_not_been() {
    let begin = || {
        let (sim, client, system) = with_container(&Profile::server_2022(), 3);
        run(&sim, async {
            let ping =
                parameters("cmd /c \"ping -n 5 localhost > \\ping.txt & echo done>>\\ping.txt\"");
            client
                .compute()
                .create_process(system, &ping)
                .await
                .unwrap();
        });
        sim.advance(2 * SECOND);
        sim
    };
    let end = |sim: &Sim| {
        let client = sim.client();
        let text = run(sim, async {
            let system = client.compute().open(&id()).await.unwrap();
            let wake = wcow_ntmeta::FileTime::from_ticks(client.clock().now().ticks() + 9 * SECOND);
            client.clock().sleep_until(wake).await;
            exec(&client, system, "cmd /c type \\ping.txt").await.out
        });
        (text, sim.fingerprint(), sim.now())
    };
    let unbroken = begin();
    let saved = begin();
    let bytes = saved.save().unwrap();
    let loaded = Sim::load(&bytes, saved.blobs()).unwrap();
    let (text, fingerprint, now) = end(&loaded);
    assert_eq!(text.matches("Reply from").count(), 5, "{text}");
    assert!(text.ends_with("\r\ndone\r\n"), "{text}");
    let (same_text, _, _) = end(&unbroken);
    assert_eq!(text, same_text);
    let again = Sim::load(&bytes, saved.blobs()).unwrap();
    assert_eq!(end(&again), (text, fingerprint, now));
}

#[test]
fn a_process_is_refused_with_the_codes_of_windows() {
    let (sim, client, system) = with_container(&Profile::server_2022(), 1);
    run(&sim, async {
        let create = async |parameters: &ProcessParameters| {
            code(client.compute().create_process(system, parameters).await)
        };
        assert_eq!(create(&parameters("nosuch.exe")).await, win32(2));
        assert_eq!(create(&parameters("notepad")).await, win32(0x32));
        assert_eq!(create(&parameters("")).await, win32(0x57));
        let mut elsewhere = parameters("cmd /c cd");
        elsewhere.working_directory = r"C:\nosuch".to_owned();
        assert_eq!(create(&elsewhere).await, win32(0x10b));
        elsewhere.working_directory = r"C:\Docs".to_owned();
        elsewhere.environment = [
            ("EMPTY".to_owned(), String::new()),
            ("A".to_owned(), "b".to_owned()),
        ]
        .into();
        elsewhere.command_line = "cmd /c echo %CD% %A% %EMPTY%".to_owned();
        let ran = exec_with(&client, system, &elsewhere).await;
        assert_eq!(ran.out, "C:\\Docs b %EMPTY%\r\n");
    });
}

#[test]
fn pipes_belong_to_the_creator_and_an_ended_process_has_its_code() {
    let (sim, client, system) = with_container(&Profile::server_2022(), 1);
    run(&sim, async {
        let compute = client.compute();
        let ping = compute
            .create_process(system, &parameters("ping -t localhost"))
            .await
            .unwrap();
        let pid = compute.process_status(ping).await.unwrap().process_id;
        assert_eq!(pid % 4, 0);
        let other = sim.client();
        let theirs = other.compute().open(&id()).await.unwrap();
        let seen = other.compute().open_process(theirs, pid).await.unwrap();
        assert_eq!(
            code(other.compute().read_output(seen, Output::Out, 9).await),
            win32(6)
        );
        assert_eq!(code(other.compute().wait_process(ping).await), win32(6));
        compute.terminate_process(ping).await.unwrap();
        assert_eq!(
            other.compute().wait_process(seen).await.unwrap().exit_code,
            1067
        );
        assert_eq!(code(compute.terminate_process(ping).await), "0x8037011F");
        assert_eq!(code(compute.open_process(system, pid).await), win32(0x490));
        assert_eq!(code(compute.open_process(system, 3).await), win32(0x490));
    });
}

#[test]
fn lines_from_standard_input_are_commands() {
    let (sim, client, system) = with_container(&Profile::server_2022(), 1);
    run(&sim, async {
        let compute = client.compute();
        let mut shell = parameters("cmd /q");
        shell.create_std_in_pipe = true;
        let process = compute.create_process(system, &shell).await.unwrap();
        compute.write_input(process, b"echo o").await.unwrap();
        compute
            .write_input(process, b"ne\r\nping -n 2 localhost >nul\r\n")
            .await
            .unwrap();
        compute.write_input(process, b"exit 5\r\n").await.unwrap();
        let out = read_all(&client, process, Output::Out).await;
        assert!(out.ends_with("All rights reserved.\r\none\r\n"), "{out}");
        assert_eq!(compute.wait_process(process).await.unwrap().exit_code, 5);
        assert_eq!(code(compute.write_input(process, b"x").await), win32(0xe8));
    });
}

#[test]
fn a_program_of_a_test_runs_in_the_container_and_is_no_data() {
    let (sim, client, system) = with_container(&Profile::server_2022(), 1);
    sim.register_program(
        "Server.exe",
        std::sync::Arc::new(|call: GuestCall| GuestReply {
            out: format!("{} {:?} {:?}\n", call.step, call.arguments, call.input).into_bytes(),
            err: Vec::new(),
            next: match call.step {
                0 => GuestNext::Sleep(SECOND),
                1 => GuestNext::Input,
                _ => GuestNext::Exit(4),
            },
        }),
    );
    run(&sim, async {
        let compute = client.compute();
        let mut server = parameters("server a \"b c\"");
        server.create_std_in_pipe = true;
        let process = compute.create_process(system, &server).await.unwrap();
        let before = client.clock().now();
        compute.write_input(process, b"1").await.unwrap();
        let wake = wcow_ntmeta::FileTime::from_ticks(before.ticks() + 2 * SECOND);
        client.clock().sleep_until(wake).await;
        compute.write_input(process, b"2").await.unwrap();
        let out = read_all(&client, process, Output::Out).await;
        let arguments = r#"["server", "a", "b c"]"#;
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[1].starts_with(&format!("1 {arguments}")), "{out}");
        assert_eq!(lines[2], format!("2 {arguments} [50]"));
        assert_eq!(compute.wait_process(process).await.unwrap().exit_code, 4);
    });
    let refused = sim.save();
    assert!(matches!(refused, Err(SaveError::ProgramsRun { programs }) if programs == ["server"]));
}
