//! `wcow explain`, `wcow sim catalogue`, the page that is made from it, and the scenarios of failures.

use serde_json::Value;

use crate::support::Home;

/// The page in the repository.
const PAGE: &str = include_str!("../../../../docs/failures.html");

fn ids(home: &Home, words: &[&str]) -> Vec<String> {
    let mut all = vec!["sim", "catalogue", "--format", "json"];
    all.extend(words);
    let id = |item: &Value| item["id"].as_str().map(str::to_owned);
    let items = home.wcow(&all).items("sim.failure");
    items.iter().filter_map(id).collect()
}

#[test]
fn the_page_in_the_repository_is_the_one_that_is_made() {
    let home = Home::new();
    let page = home.wcow(&["sim", "catalogue", "--html"]).ok();
    if std::env::var_os("WCOW_RENEW").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/failures.html");
        std::fs::write(path, &page).expect("docs/failures.html can be written");
        return;
    }
    let same = page == PAGE;
    assert!(
        same,
        "docs/failures.html is not what `wcow sim catalogue --html` makes now: `WCOW_RENEW=1 cargo test -p wcow --test it catalogue` \
         writes it anew"
    );
}

#[test]
fn every_entry_and_code_of_the_page_can_be_linked_to() {
    let home = Home::new();
    for id in ids(&home, &[]) {
        assert!(PAGE.contains(&format!("<article id=\"{id}\">")), "{id}");
        assert!(PAGE.contains(&format!("href=\"#{id}\"")), "{id}");
    }
    let anchors: Vec<&str> = PAGE.split("href=\"#").skip(1).collect();
    for anchor in anchors {
        let anchor = anchor.split('"').next().unwrap_or_default();
        assert!(
            PAGE.contains(&format!("id=\"{anchor}\"")),
            "#{anchor} leads nowhere"
        );
    }
    for from_elsewhere in ["src=", "<link", "@import", "url("] {
        assert!(
            !PAGE.contains(from_elsewhere),
            "the page needs more than itself: {from_elsewhere}"
        );
    }
}

#[test]
fn the_catalogue_can_be_narrowed() {
    let home = Home::new();
    let all = ids(&home, &[]).len();
    let raised = ids(&home, &["--simulated"]);
    let not_raised = ids(&home, &["--simulated", "no"]);
    assert_eq!(raised.len() + not_raised.len(), all);
    assert!(raised.contains(&"image-mismatch".to_owned()));
    assert!(not_raised.contains(&"layer-filter-conflict".to_owned()));
    let lasting = ids(&home, &["--cause", "lasting"]).len();
    assert_eq!(lasting + ids(&home, &["--cause", "passing"]).len(), all);
    let of_2022 = ids(&home, &["--build", "20348"]);
    assert!(of_2022.contains(&"image-mismatch".to_owned()));
    assert!(!of_2022.contains(&"machine-type-mismatch".to_owned()));
    home.wcow(&["sim", "catalogue", "--cause", "none"])
        .fails(2, &["lasting"]);
}

#[test]
fn codes_are_explained_in_every_form() {
    let home = Home::new();
    for form in [
        "0xC0370101",
        "-1070137087",
        "3224830209",
        "HCS_E_IMAGE_MISMATCH",
    ] {
        let told = home.wcow(&["explain", form]).ok();
        for words in [
            "0xC0370101 HCS_E_IMAGE_MISMATCH (-1070137087, 3224830209)",
            "The container operating system does not match the host operating system.",
            "before build 17763",
            "0x80370101",
            "image-mismatch: ",
            "wcow sim run image-mismatch",
        ] {
            assert!(told.contains(words), "{form}: no {words:?} in\n{told}");
        }
        assert!(told.lines().all(|line| line.len() <= 120), "{told}");
    }
}

#[test]
fn an_id_is_explained_entry_first() {
    let home = Home::new();
    let told = home.wcow(&["explain", "scratch-disk-locked"]).ok();
    assert!(told.starts_with("scratch-disk-locked: "), "{told}");
    assert!(
        told.contains("0x80070020 ERROR_SHARING_VIOLATION"),
        "{told}"
    );
}

#[test]
fn a_line_of_a_log_is_explained_with_or_without_quotes() {
    let home = Home::new();
    let line = "hcsshim::PrepareLayer failed in Win32: Incorrect function. (0x1)";
    let quoted = home.wcow(&["explain", line]).ok();
    assert!(quoted.contains("layer-filter-conflict: "), "{quoted}");
    let words: Vec<&str> = std::iter::once("explain").chain(line.split(' ')).collect();
    assert_eq!(home.wcow(&words).ok(), quoted);
}

#[test]
fn what_is_not_known_says_what_is_near() {
    let home = Home::new();
    home.wcow(&["explain", "scratch-disk-loked"])
        .fails(3, &["did you mean scratch-disk-locked?"]);
    home.wcow(&["explain", "0x80"])
        .fails(3, &["Win32 error 128", "net helpmsg 128"]);
    home.wcow(&["explain", "0x12345678"])
        .fails(3, &["0x12345678"]);
    home.wcow(&["explain", "it", "does", "not", "work"])
        .fails(3, &["wcow sim catalogue"]);
}

#[test]
fn explanations_have_a_documented_form() {
    let home = Home::new();
    let items = home
        .wcow(&["explain", "0x20", "--format", "json"])
        .items("explanation");
    let [item] = items.as_slice() else {
        panic!("one explanation: {items:?}");
    };
    assert_eq!(item["code"], "0x80070020");
    assert_eq!(item["signed"], -2_147_024_864_i64);
    assert_eq!(item["unsigned"], 2_147_942_432_u64);
    assert_eq!(item["name"], "ERROR_SHARING_VIOLATION");
    assert_eq!(item["twin"], Value::Null);
    assert!(item["texts"][0]["generations"].is_array());
    for key in ["meaning", "causes", "way_out"] {
        assert!(item[key].is_string(), "{key}");
    }
    let first = &item["failures"][0];
    assert_eq!(first["id"], "scratch-disk-locked");
    for key in [
        "title",
        "codes",
        "hosts",
        "builds",
        "operations",
        "trigger",
        "way_out",
        "source",
        "provenance",
        "reported",
        "cause",
        "simulated",
        "scenario",
    ] {
        assert!(first.get(key).is_some(), "{key}");
    }
}

#[test]
fn a_failure_can_be_watched_and_its_way_out_too() {
    let home = Home::new();
    for id in ["scratch-disk-locked", "netnat-missing"] {
        let seen = home.wcow(&["sim", "run", id, "--format", "json"]);
        let items = seen.ends(0).items("sim.run");
        assert_eq!(items[0]["id"], id);
        assert_eq!(items[0]["agrees"], true);
        let steps = items[0]["steps"].as_array().map_or(0, Vec::len);
        assert!(steps > 1, "{id}: {items:?}");
    }
    let told = home.wcow(&["sim", "run", "scratch-disk-locked"]).ok();
    assert!(
        told.contains("open scratch:web\\sandbox.vhdx so that nobody else can"),
        "{told}"
    );
}
