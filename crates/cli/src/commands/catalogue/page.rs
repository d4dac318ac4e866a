//! The catalogue as a page for a browser, in one file: by symptom, entry by entry, and by code.

use wcow_host::Operation;
use wcow_host::codes;
use wcow_host::era::Generation;
use wcow_host::failures::{Cause, Failure, FailureCode, Simulated};
use wcow_ntmeta::Hresult;
use wcow_sim::scenarios;

use super::super::explain::builds;

const TEMPLATE: &str = include_str!("page.html");

/// What somebody was doing when it failed, and the calls behind that.
const SYMPTOMS: &[(&str, &[Operation])] = &[
    (
        "Installing a base image",
        &[Operation::ProcessBase, Operation::WriteTree],
    ),
    (
        "Creating a container",
        &[Operation::CreateScratch, Operation::CreateSystem],
    ),
    (
        "Starting a container",
        &[
            Operation::ActivateLayer,
            Operation::PrepareLayer,
            Operation::StartSystem,
        ],
    ),
    (
        "Running programs in it",
        &[
            Operation::CreateProcess,
            Operation::OpenProcess,
            Operation::TerminateProcess,
            Operation::WaitSystem,
        ],
    ),
    (
        "Stopping and removing it",
        &[
            Operation::ShutdownSystem,
            Operation::TerminateSystem,
            Operation::RemoveSystem,
            Operation::UnprepareLayer,
            Operation::DeactivateLayer,
            Operation::DestroyLayer,
        ],
    ),
    (
        "Networks, endpoints and published ports",
        &[
            Operation::CreateNetwork,
            Operation::ListNetworks,
            Operation::DeleteNetwork,
            Operation::CreateEndpoint,
            Operation::DeleteEndpoint,
        ],
    ),
    (
        "Switches and NAT by cmdlet",
        &[
            Operation::NewSwitch,
            Operation::RemoveSwitch,
            Operation::NewNat,
            Operation::AddStaticMapping,
        ],
    ),
    (
        "The machine, its features and services",
        &[
            Operation::Features,
            Operation::Services,
            Operation::Packages,
            Operation::LockFile,
        ],
    ),
];

/// The page, with these entries and every code.
pub(super) fn page(entries: &[&'static Failure]) -> String {
    let simulated = entries
        .iter()
        .filter(|entry| entry.simulated == Simulated::Yes)
        .count();
    let about = format!(
        "{} failures that people who run Windows containers meet, from the technical previews of 2015 to the Windows of today: how \
         each shows itself, what causes it, and the way out. Simulated hosts raise {simulated} of them.",
        entries.len()
    );
    TEMPLATE
        .replace("{{ABOUT}}", &escape(&about))
        .replace("{{SYMPTOMS}}", &symptoms(entries))
        .replace("{{FAILURES}}", &failures(entries))
        .replace("{{CODES}}", &all_codes(entries))
}

fn symptoms(entries: &[&'static Failure]) -> String {
    let mut html = String::new();
    let mut group = |title: &str, of_it: Vec<&&Failure>| {
        if of_it.is_empty() {
            return;
        }
        html.push_str(&format!(
            "<div class=\"group\">\n<h3 class=\"index-head\">{}</h3>\n<ul class=\"index\">\n",
            escape(title)
        ));
        for entry in of_it {
            html.push_str(&format!(
                "<li><a href=\"#{}\">{}</a></li>\n",
                entry.id,
                escape(entry.title)
            ));
        }
        html.push_str("</ul>\n</div>\n");
    };
    let belongs = |entry: &Failure, calls: &[Operation]| {
        // One that any call can meet belongs nowhere in particular.
        entry.operations.len() < Operation::ALL.len()
            && entry.operations.iter().any(|call| calls.contains(call))
    };
    let silent = |entry: &Failure| entry.codes.contains(&FailureCode::Silent);
    group(
        "Nothing fails, and yet it does not work",
        entries.iter().filter(|entry| silent(entry)).collect(),
    );
    for (title, calls) in SYMPTOMS {
        let of_it = entries
            .iter()
            .filter(|entry| !silent(entry) && belongs(entry, calls));
        group(title, of_it.collect());
    }
    let elsewhere = entries
        .iter()
        .filter(|entry| !silent(entry) && !SYMPTOMS.iter().any(|(_, calls)| belongs(entry, calls)));
    group("In logs, and with any call", elsewhere.collect());
    html
}

fn failures(entries: &[&'static Failure]) -> String {
    let mut html = String::new();
    for entry in entries {
        html.push_str(&format!(
            "<article id=\"{id}\">\n<header><h3>{}</h3><a class=\"id code\" href=\"#{id}\">{id}</a></header>\n<ul class=\"chips\">{}</ul>\n\
             <dl>\n<dt>When</dt><dd>{}</dd>\n<dt>Way out</dt><dd class=\"out\">{}</dd>\n<dt>Hosts</dt><dd>{}</dd>\n{}<dt>Source</dt><dd>{} \
             <span class=\"faint\">({})</span></dd>\n</dl>\n<div class=\"tags\">{}</div>\n</article>\n",
            escape(entry.title),
            chips(entry),
            escape(entry.trigger),
            escape(entry.way_out),
            escape(&sentence(entry.hosts.text)),
            calls(entry),
            linked(entry.source),
            entry.provenance,
            tags(entry),
            id = entry.id,
        ));
    }
    html
}

fn chips(entry: &Failure) -> String {
    let mut html = String::new();
    for code in entry.codes {
        html.push_str(&match code {
            FailureCode::Hresult(code) | FailureCode::ExitCode(code) => {
                let code = Hresult(*code);
                let name = codes::name(code).unwrap_or_default();
                format!(
                    "<li class=\"code\"><a href=\"#{}\">{code}</a> {name}</li>",
                    anchor(code)
                )
            }
            FailureCode::PowerShellId(id) => format!("<li class=\"code\">{}</li>", escape(id)),
            FailureCode::Text(text) => format!("<li>&ldquo;{}&rdquo;</li>", escape(text)),
            FailureCode::Silent => {
                "<li class=\"faint\">no code: every call succeeds</li>".to_owned()
            }
        });
    }
    html
}

fn calls(entry: &Failure) -> String {
    let names: Vec<&str> = entry.operations.iter().map(|call| call.name()).collect();
    let text = match names.len() {
        0 => return String::new(),
        all if all == Operation::ALL.len() => "any".to_owned(),
        _ => names.join(", "),
    };
    format!("<dt>Calls</dt><dd class=\"code\">{}</dd>\n", escape(&text))
}

fn tags(entry: &Failure) -> String {
    let mut html = match entry.simulated {
        Simulated::Yes if scenarios::of_failure(entry.id.0).is_some() => format!(
            "<span class=\"yes\">simulated: <code>wcow sim run {}</code></span>",
            entry.id
        ),
        Simulated::Yes => "<span class=\"yes\">simulated</span>".to_owned(),
        Simulated::No(why) => format!("<span>not simulated: {}</span>", escape(&uncapped(why))),
    };
    if entry.cause == Cause::Lasting {
        html.push_str(
            "<span class=\"stays\">its cause stays on the host until it is removed</span>",
        );
    }
    if let Some(place) = entry.reported.first() {
        html.push_str(&format!(
            "<span>number {place} of the sixty reported most</span>"
        ));
    }
    html
}

/// One row for each code; the two spellings of the compute service share one.
fn all_codes(entries: &[&'static Failure]) -> String {
    let mut html = String::new();
    for code in codes::all() {
        let twin = codes::twin(code);
        // The spelling of version 2 stands beside that of version 1.
        if twin.is_some_and(|twin| twin > code) {
            continue;
        }
        let spelled: Vec<Hresult> = [Some(code), twin].into_iter().flatten().collect();
        let mut shown: Vec<String> = spelled
            .iter()
            .map(|code| format!("<span class=\"code\" id=\"{code}\">{code}</span>"))
            .collect();
        if let Some(error) = code.as_win32() {
            shown.push(format!("<span class=\"code\">{error:#x}</span>, {error}"));
        }
        let behind: Vec<String> = entries
            .iter()
            .filter(|entry| {
                entry.codes.iter().any(|known| match known {
                    FailureCode::Hresult(known) | FailureCode::ExitCode(known) => {
                        spelled.contains(&Hresult(*known))
                    }
                    _ => false,
                })
            })
            .map(|entry| format!("<a href=\"#{id}\">{id}</a>", id = entry.id))
            .collect();
        let behind = if behind.is_empty() {
            String::new()
        } else {
            format!("<p>See {}</p>", behind.join(", "))
        };
        let advice = codes::advice(code).map_or_else(String::new, |advice| {
            format!(
                "<p>{} {} <b>{}</b></p>",
                escape(advice.meaning),
                escape(advice.causes),
                escape(advice.way_out)
            )
        });
        html.push_str(&format!(
            "<tr><td>{}<span class=\"name\">{}</span></td><td>{}{advice}{behind}</td></tr>\n",
            shown.join("<br>"),
            codes::name(code).unwrap_or_default(),
            texts(code)
        ));
    }
    html
}

/// The texts of a code, the newest first.
fn texts(code: Hresult) -> String {
    let mut groups: Vec<(&str, Vec<Generation>)> = Vec::new();
    for generation in Generation::ALL.iter().rev() {
        let Some(text) = codes::text(code, *generation) else {
            continue;
        };
        match groups.iter_mut().find(|(known, _)| *known == text) {
            Some((_, generations)) => generations.insert(0, *generation),
            None => groups.push((text, vec![*generation])),
        }
    }
    groups
        .iter()
        .map(|(text, generations)| {
            format!(
                "<p>&ldquo;{}&rdquo;<span class=\"faint\">{}</span></p>",
                escape(text),
                escape(&builds(generations))
            )
        })
        .collect()
}

/// The anchor of a code: that of its own spelling.
fn anchor(code: Hresult) -> String {
    code.to_string()
}

/// Repositories by the short names that sources use.
const REPOSITORIES: &[(&str, &str)] = &[
    ("moby", "moby/moby"),
    ("buildkit", "moby/buildkit"),
    ("docker/for-win", "docker/for-win"),
    ("compose", "docker/compose"),
    ("hcsshim", "microsoft/hcsshim"),
    ("microsoft/SDN", "microsoft/SDN"),
    ("navcontainerhelper", "microsoft/navcontainerhelper"),
    ("Windows-Containers", "microsoft/Windows-Containers"),
    ("mssql-docker", "microsoft/mssql-docker"),
    ("containers-toolkit", "microsoft/containers-toolkit"),
    (
        "dotnet-framework-docker",
        "microsoft/dotnet-framework-docker",
    ),
    (
        "Virtualization-Documentation",
        "MicrosoftDocs/Virtualization-Documentation",
    ),
    (
        "azure-container-networking",
        "Azure/azure-container-networking",
    ),
    ("containerd", "containerd/containerd"),
    ("ovn-kubernetes", "ovn-org/ovn-kubernetes"),
    ("kubernetes", "kubernetes/kubernetes"),
    ("ko", "ko-build/ko"),
];

/// A source with links where it names issues of repositories that are known: `moby#35462, #40792; ...`.
fn linked(source: &str) -> String {
    let mut repository = None;
    let parts: Vec<String> = source
        .split(", ")
        .map(|part| {
            let Some((name, number)) = part.split_once('#') else {
                return escape(part);
            };
            if !name.is_empty() {
                repository = REPOSITORIES
                    .iter()
                    .find(|(short, _)| *short == name)
                    .map(|(_, whole)| *whole);
            }
            let digits = number
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(number.len());
            let (number, rest) = number.split_at(digits);
            match repository {
                Some(repository) if !number.is_empty() => format!(
                    "<a href=\"https://github.com/{repository}/issues/{number}\">{name}#{number}</a>{}",
                    escape(rest)
                ),
                _ => escape(part),
            }
        })
        .collect();
    parts.join(", ")
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        format!("{}{}.", first.to_uppercase(), letters.as_str())
    })
}

/// A sentence as it stands after a colon, without its capital; names such as `Hyper-V` and `IPv6` keep theirs.
fn uncapped(text: &str) -> String {
    let first = text.split(' ').next().unwrap_or_default();
    let is_name = first.chars().skip(1).any(|c| !c.is_lowercase());
    let mut letters = text.chars();
    match letters.next() {
        Some(capital) if !is_name => format!("{}{}", capital.to_lowercase(), letters.as_str()),
        _ => text.to_owned(),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::{escape, linked, sentence, uncapped};

    #[test]
    fn sources_become_links_where_the_repository_is_known() {
        assert_eq!(
            linked("moby#1, #23; Microsoft Learn"),
            "<a href=\"https://github.com/moby/moby/issues/1\">moby#1</a>, <a href=\"https://github.com/moby/moby/issues/23\">#23</a>; \
             Microsoft Learn"
        );
        assert_eq!(linked("nobody#5, #6"), "nobody#5, #6");
        assert_eq!(linked("field report of 2015"), "field report of 2015");
    }

    #[test]
    fn words_in_their_place() {
        assert_eq!(sentence("any"), "Any.");
        assert_eq!(
            uncapped("Simulated hosts do not."),
            "simulated hosts do not."
        );
        assert_eq!(
            uncapped("Hyper-V isolation is not."),
            "Hyper-V isolation is not."
        );
        assert_eq!(uncapped("IPv6 is on."), "IPv6 is on.");
        assert_eq!(
            escape("<a href=\"x\">&"),
            "&lt;a href=&quot;x&quot;&gt;&amp;"
        );
    }
}
