//! Faults: which calls they hit, what they do, and that they are choices like all others.

use wcow_host::{
    Clock, FileSystem, Host, HostControl, HostError, NewVmSwitch, Operation, SwitchService,
    SwitchType, WriteMode,
};
use wcow_ntmeta::Hresult;
use wcow_sim::{Choices, FaultPlan, FaultRule, Profile, Recording, Sim, SimHost, What, When};

use crate::support::{STEP, code, host, path, run};

fn plan(when: When, what: What, budget: u32) -> FaultPlan {
    FaultPlan {
        rules: vec![FaultRule { when, what }],
        budget,
    }
}

fn switch(name: &str) -> NewVmSwitch {
    NewVmSwitch {
        name: name.to_owned(),
        kind: SwitchType::Internal,
        adapter: None,
        nat_subnet: None,
    }
}

/// Writes five files; gives what each came to.
async fn five_files(client: &SimHost) -> Vec<String> {
    let mut codes = Vec::new();
    for number in 0..5 {
        let file = path(&format!(r"C:\file{number}"));
        let written = client
            .files()
            .write(&file, b"bytes", WriteMode::CreateNew)
            .await;
        codes.push(code(written));
    }
    codes
}

#[test]
fn the_call_of_a_number_is_refused_and_has_no_effect() {
    for number in 1..=6 {
        let (sim, client) = host(Profile::server_2022());
        sim.set_faults(FaultPlan::refuse_call(number));
        let codes = run(&sim, five_files(&client));
        let refused: Vec<usize> = (0..5).filter(|&index| codes[index] != "ok").collect();
        assert_eq!(sim.calls(), 5);
        if number == 6 {
            assert!(refused.is_empty() && sim.fault_hits().is_empty());
            continue;
        }
        assert_eq!(refused, [usize::try_from(number - 1).unwrap()]);
        let [hit] = &sim.fault_hits()[..] else {
            panic!("one call is hit")
        };
        assert_eq!((hit.call, hit.operation), (number, Operation::WriteFile));
        let listed = run(&sim, async {
            client.files().list(&path(r"C:\")).await.unwrap()
        });
        assert_eq!(listed.len(), 4, "a refused write leaves nothing");
    }
}

#[test]
fn the_nth_call_of_an_operation_is_hit() {
    let (sim, client) = host(Profile::server_2022());
    let when = When::Nth {
        operation: Operation::WriteFile,
        number: 2,
    };
    let what = What::RefusedWith(Hresult(0x8007_0070));
    sim.set_faults(plan(when, what, 9));
    let codes = run(&sim, async {
        client.control().info().await.unwrap();
        five_files(&client).await
    });
    assert_eq!(codes, ["ok", "0x80070070", "ok", "ok", "ok"]);
}

#[test]
fn a_call_whose_answer_is_lost_took_effect() {
    let (sim, client) = host(Profile::server_2022());
    sim.set_faults(plan(When::Call(1), What::AnswerLost, 1));
    run(&sim, async {
        let made = client.switches().new_switch(&switch("kept")).await;
        assert_eq!(code(made), "0x800706BE");
        let names: Vec<String> = client
            .switches()
            .switches()
            .await
            .unwrap()
            .into_iter()
            .map(|switch| switch.name)
            .collect();
        assert!(names.contains(&"kept".to_owned()), "{names:?}");
    });
}

#[test]
fn a_hit_is_told_as_what_became_of_the_call() {
    let (sim, client) = host(Profile::server_2022());
    let always = When::Chance {
        operation: None,
        numerator: 1,
        denominator: 1,
    };
    sim.set_faults(plan(always, What::AnswerLost, 3));
    run(&sim, async {
        let written = client
            .files()
            .write(&path(r"C:\a"), b"a", WriteMode::CreateNew)
            .await;
        assert!(written.is_err());
        let _ = client.switches().new_switch(&switch("kept")).await;
        let gone = client.switches().remove_switch("gone").await;
        assert_ne!(code(gone), "0x800706BE");
        assert_eq!(client.files().metadata(&path(r"C:\a")).await, Ok(None));
    });
    let told: Vec<String> = sim.fault_hits().iter().map(ToString::to_string).collect();
    let expected = [
        "refused without effect",
        "takes effect, and its answer is lost",
        "its answer was to be lost, but the host refuses by itself or answers later",
    ];
    assert_eq!(told.len(), expected.len());
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.ends_with(expected), "{told}");
    }
}

#[test]
fn a_late_call_is_late_once() {
    let (sim, client) = host(Profile::server_2022());
    let hour = 3600 * 10_000_000;
    let always = When::Chance {
        operation: None,
        numerator: 1,
        denominator: 1,
    };
    sim.set_faults(plan(always, What::Late(hour), 3));
    let start = client.clock().now();
    assert_eq!(run(&sim, five_files(&client)), ["ok"; 5]);
    let passed = client.clock().now().ticks() - start.ticks();
    assert!(passed >= 3 * hour && passed < 4 * hour, "{passed}");
    assert_eq!(sim.fault_hits().len(), 3, "no more than the budget");
}

#[test]
fn a_service_that_the_host_has_not_got_does_not_crash() {
    let (sim, client) = host(Profile::server_2022());
    let what = What::ServiceRestart("spooler".to_owned());
    sim.set_faults(plan(When::Call(1), what, 1));
    assert_eq!(run(&sim, five_files(&client)), ["ok"; 5]);
    assert_eq!(sim.fault_hits().len(), 1);
}

/// What two hundred calls come to, with any faults.
fn battered(sim: &Sim) -> Vec<Result<(), HostError>> {
    let client = sim.client();
    run(sim, async {
        let mut answers = Vec::new();
        for number in 0..50 {
            let file = path(&format!(r"C:\file{number}"));
            let files = client.files();
            answers.push(files.write(&file, b"x", WriteMode::CreateNew).await);
            answers.push(files.sync_file(&file, STEP).await);
            let made = client
                .switches()
                .new_switch(&switch(&number.to_string()))
                .await;
            answers.push(made.map(|_| ()));
            answers.push(client.control().info().await.map(|_| ()));
        }
        answers
    })
}

#[test]
fn a_swarm_of_faults_follows_from_the_seed_and_can_be_recorded() {
    let mut seen = 0;
    for seed in 0..20_u64 {
        let sim = Sim::new(Profile::server_2022(), seed);
        sim.record_draws();
        sim.draw_faults(10);
        let answers = battered(&sim);
        let hits = sim.fault_hits();
        assert!(hits.len() <= 10);
        seen += hits.len();
        let refused = answers.iter().filter(|answer| answer.is_err()).count();
        let refusing = hits
            .iter()
            .filter(|hit| matches!(hit.what, What::Refused | What::AnswerLost))
            .count();
        assert!(refused >= refusing, "seed {seed}: {refused} of {refusing}");

        let recording = Recording::of(Some(seed), &sim.take_draws());
        let again = Sim::new(Profile::server_2022(), Choices::Recorded(recording));
        again.draw_faults(10);
        assert_eq!(battered(&again), answers);
        assert_eq!(again.fault_hits(), hits);
        assert_eq!(again.fingerprint(), sim.fingerprint());
    }
    assert!(seen > 50, "{seen} faults in twenty runs");
}

#[test]
fn choices_of_zeros_bring_no_faults_of_chance() {
    let sim = Sim::new(Profile::server_2022(), Choices::Bytes(Vec::new()));
    sim.draw_faults(100);
    battered(&sim);
    assert_eq!(sim.fault_hits(), []);
}

#[test]
fn a_plan_is_read_from_text_and_mistakes_in_it_are_told() {
    let text = r#"{"rules":[{"when":{"nth":{"operation":"WriteFile","number":2}},"what":"refused"},
        {"when":{"call":7},"what":{"service-restart":"hns"}}],"budget":2}"#;
    let plan: FaultPlan = serde_json::from_str(text).unwrap();
    assert_eq!(plan.rules.len(), 2);
    let written = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<FaultPlan>(&written).unwrap(), plan);
    for (wrong, told) in [
        (r#"{"rules":[],"budgets":1}"#, "unknown field `budgets`"),
        (
            r#"{"budget":1,"rules":[{"when":{"nth":{"operation":"Fly","number":1}},"what":"refused"}]}"#,
            "unknown variant `Fly`",
        ),
        (r#"{"budget":-1}"#, "invalid value"),
    ] {
        let error = serde_json::from_str::<FaultPlan>(wrong).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
}
