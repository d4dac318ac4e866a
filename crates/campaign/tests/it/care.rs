//! What plans try beyond making, starting and removing things.

use wcow_campaign::{
    Allowed, ClientPlan, Done, Ending, Faults, Plan, RunSpec, Step, Thing, Wishes, allowed,
};
use wcow_engine::RestartPolicy;
use wcow_host::ComputeApi;
use wcow_ntmeta::FileTime;
use wcow_runtime::Isolation;
use wcow_scenario::wims::Shelf;
use wcow_sim::{Choices, Schedule};

/// One client on a host where nothing goes wrong; it did and was told this. No promise is broken.
#[track_caller]
fn told(surface: ComputeApi, steps: Vec<Step>) -> Vec<Done> {
    let spec = RunSpec {
        profile: "server-2022".to_owned(),
        choices: Choices::Seed(0),
        schedule: Schedule::default(),
        surface,
        faults: Faults::None,
        power: None,
        ignore: [].into(),
        plan: Plan {
            clients: vec![ClientPlan {
                steps,
                ..ClientPlan::default()
            }],
        },
    };
    let report = spec.run(&Shelf::build().unwrap()).unwrap();
    assert_eq!(report.violations, []);
    report.history
}

fn web() -> String {
    "web".to_owned()
}

fn create(image: &str, wishes: Wishes) -> Step {
    Step::CreateContainer {
        name: web(),
        image: image.to_owned(),
        network: None,
        wishes,
    }
}

#[test]
fn a_container_is_frozen_and_looked_at_through_both_surfaces() {
    for surface in [ComputeApi::V1, ComputeApi::V2] {
        let isolated = Wishes {
            isolation: Isolation::HyperV,
            ..Wishes::default()
        };
        let steps = vec![
            Step::InstallImage("servercore-20348-hyperv.wim".to_owned()),
            create("servercore-hyperv", isolated),
            Step::Start(web()),
            Step::Pause(web()),
            Step::Stats(web()),
            Step::Resume(web()),
            Step::Restart(web()),
            Step::Inspect(web()),
            Step::Stop(web()),
            Step::Prune,
        ];
        let history = told(surface, steps);
        for done in &history {
            assert_eq!(done.ending, Ending::Done, "{surface:?}: {}", done.step);
        }
        assert_eq!(history.last().unwrap().removed, ["web"]);
    }
}

#[test]
fn a_main_process_is_supervised_waited_for_and_its_log_is_read() {
    let failing = Wishes {
        command: Some("cmd /c exit 3".to_owned()),
        restart: RestartPolicy::Always,
        ..Wishes::default()
    };
    let steps = vec![
        Step::InstallImage("servercore-20348.wim".to_owned()),
        create("servercore", failing),
        Step::Supervise {
            name: web(),
            most: 2,
        },
        Step::WaitFor(web()),
        Step::Logs(web()),
        Step::RemoveStopped(web()),
    ];
    for done in told(ComputeApi::V1, steps) {
        assert_eq!(done.ending, Ending::Done, "{}", done.step);
    }
}

#[test]
fn a_wait_without_end_is_given_up_and_its_client_goes_on() {
    let endless = Wishes {
        command: Some("ping -t 127.0.0.1".to_owned()),
        ..Wishes::default()
    };
    let wait = Step::WaitFor(web());
    let patience = wait.patience().unwrap();
    let steps = vec![
        Step::InstallImage("servercore-20348.wim".to_owned()),
        create("servercore", endless),
        Step::Start(web()),
        wait,
        Step::RemoveStopped(web()),
        Step::RemoveContainer(web()),
    ];
    let history = told(ComputeApi::V1, steps);
    let [.., waited, refused, removed] = &history[..] else {
        panic!("{history:?}")
    };
    assert_eq!(waited.ending, Ending::Unknown);
    let cut_off = waited.cut_off.unwrap();
    assert_eq!(cut_off.ticks() - waited.began.ticks(), patience);
    assert!(
        matches!(&refused.ending, Ending::Refused(told) if told.contains("is Running")),
        "{refused:?}"
    );
    assert_eq!(removed.ending, Ending::Done);
}

#[test]
fn a_prune_may_have_removed_what_it_names_and_one_that_failed_anything() {
    let done = |step, began: u64, ending| Done {
        client: 0,
        step,
        began: FileTime::from_ticks(began),
        ended: Some(FileTime::from_ticks(began + 1)),
        cut_off: None,
        ending,
        one_fault: true,
        left_behind: Vec::new(),
        removed: Vec::new(),
    };
    let made = done(create("servercore", Wishes::default()), 1, Ending::Done);
    let after = |prune: Done| {
        let Allowed { there, missing } = allowed(&[made.clone(), prune], Thing::Container, "web");
        (there, missing)
    };
    assert_eq!(after(done(Step::Prune, 5, Ending::Done)), (true, false));
    let named = Done {
        removed: vec![web()],
        ..done(Step::Prune, 5, Ending::Done)
    };
    assert_eq!(after(named), (false, true));
    let failed = Ending::Failed("container web: the disk is full".to_owned());
    assert_eq!(after(done(Step::Prune, 5, failed)), (true, true));
    assert_eq!(after(done(Step::Prune, 5, Ending::Unknown)), (true, true));
}

#[test]
fn wishes_are_shown_as_options() {
    let wishes = Wishes {
        command: Some("cmd /c exit 3".to_owned()),
        restart: RestartPolicy::OnFailure(Some(2)),
        isolation: Isolation::HyperV,
        memory_mib: Some(512),
        processors: Some(wcow_runtime::Processors::Limit(5025)),
        publish: vec!["8080:80".parse().unwrap()],
    };
    assert_eq!(
        create("servercore", wishes).to_string(),
        "container create servercore --name web --isolation hyperv --restart on-failure:2 --memory 512M --cpu-percent 50.25 \
         --publish 8080:80/tcp cmd /c exit 3"
    );
    let plain = create("servercore", Wishes::default());
    assert_eq!(plain.to_string(), "container create servercore --name web");
    let json = serde_json::to_string(&plain).unwrap();
    assert!(!json.contains("wishes"), "{json}");
}
