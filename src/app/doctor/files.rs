//! Whether the files are in force.

use serde_json::Value;

use super::finding::Finding;
use crate::app::candidate::{self, Demands, Known};
use crate::app::options::Options;
use crate::app::places::Places;
use crate::blueprint::diagnostic::Severity;
use crate::blueprint::load::{self, Loaded};
use crate::model::counted::counted;
use crate::runtime::health::AwaitsRestart;

const TOPIC: &str = "files";

/// What is known of the files and of what the server runs on.
#[derive(Debug, Default)]
pub struct Facts {
    pub files: usize,
    pub errors: usize,
    pub warnings: usize,
    /// One line each: what stands in the way of these files.
    pub problems: Vec<String>,
    pub digest: String,
    /// What the running server says of itself.
    pub status: Option<Value>,
    pub control: String,
}

/// Gathers the facts.
pub fn look(options: &Options, places: &Places, loaded: &Loaded, status: Option<Value>) -> Facts {
    let count = |severity| loaded.diagnostics.iter().filter(|d| d.severity == severity).count();
    let again = load::load(&options.roots, options.mode());
    let judged = candidate::build(options, places, again, &Known::default(), Demands::Tests);
    Facts {
        files: loaded.sources.files.len(),
        errors: count(Severity::Error) + loaded.problems.len(),
        warnings: count(Severity::Warning),
        problems: judged.err().map(|rejected| rejected.lines()).unwrap_or_default(),
        digest: candidate::source_digest(&loaded.sources),
        status,
        control: places.control.display().to_string(),
    }
}

/// Says what the facts mean.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let mut found = vec![content(facts)];
    match &facts.status {
        Some(status) => found.extend(server(facts, status)),
        None => found.push(
            Finding::warning(TOPIC, "no server runs with these files")
                .why(format!("nobody answers at {}", facts.control))
                .change("doorward serve"),
        ),
    }
    found
}

fn content(facts: &Facts) -> Finding {
    let files = facts.files;
    if let Some(first) = facts.problems.first() {
        let more = match facts.problems.len() {
            1 => String::new(),
            count => format!(", and {} more", count.saturating_sub(1)),
        };
        return Finding::error(
            TOPIC,
            format!("{} cannot be taken into force", counted(files, "file")),
        )
        .why(format!("{first}{more}"))
        .change("doorward check");
    }
    if facts.warnings > 0 {
        let what = format!(
            "{} without errors, {}",
            counted(files, "file"),
            counted(facts.warnings, "warning")
        );
        return Finding::warning(TOPIC, what).change("doorward check");
    }
    Finding::ok(TOPIC, format!("{} without errors; their tests hold", counted(files, "file")))
}

fn server(facts: &Facts, status: &Value) -> Vec<Finding> {
    let word = |name: &str| status.get(name).and_then(Value::as_str).unwrap_or("unknown");
    let lines = |name: &str| -> Vec<String> {
        let list = status.get(name).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|line| line.as_str().map(str::to_owned)).collect()
    };
    let why = lines("problems").first().cloned().unwrap_or_default();
    let mut found = vec![match word("state") {
        "rejected" => {
            Finding::error(TOPIC, "the server refused these files and runs on earlier ones")
                .why(why)
                .change("doorward check")
        }
        "held" => Finding::warning(TOPIC, "the files are held and not in force")
            .why(why)
            .change("doorward plan"),
        _ if word("source") != facts.digest => {
            Finding::warning(TOPIC, "the server runs on other files than these")
                .why("they changed a moment ago, or the server was started with other --blueprints")
                .change("doorward reload --wait")
        }
        _ => Finding::ok(TOPIC, format!("in force, revision {}", word("revision"))),
    }];
    let restart = status.get("restart").cloned();
    let restart: Vec<AwaitsRestart> =
        restart.and_then(|list| serde_json::from_value(list).ok()).unwrap_or_default();
    found.extend(restart.iter().map(|awaited| Finding::warning(TOPIC, awaited.to_string())));
    let degraded = lines("degraded");
    found.extend(degraded.into_iter().map(|line| {
        Finding::error(TOPIC, "the server runs with less than was declared").why(line)
    }));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::doctor::finding::Level;

    fn levels(facts: &Facts) -> Vec<Level> {
        judge(facts).iter().map(|finding| finding.level).collect()
    }

    fn running(state: &str) -> Facts {
        let status = serde_json::json!({
            "state": state, "source": "sha256:a", "problems": ["app.kdl:1: no"], "degraded": [],
        });
        Facts { files: 3, digest: "sha256:a".into(), status: Some(status), ..Facts::default() }
    }

    #[test]
    fn files_in_force_are_fine() {
        assert_eq!(levels(&running("in-sync")), [Level::Ok, Level::Ok]);
    }

    #[test]
    fn rejected_is_an_error_held_is_not_and_both_name_the_command() {
        let found = judge(&running("rejected"));
        assert_eq!(found[1].level, Level::Error);
        assert_eq!(found[1].why.as_deref(), Some("app.kdl:1: no"));
        let found = judge(&running("held"));
        assert_eq!(
            (found[1].level, found[1].change.as_deref()),
            (Level::Warning, Some("doorward plan"))
        );
    }

    #[test]
    fn a_server_on_other_files_is_noticed() {
        let facts = Facts { digest: "sha256:b".into(), ..running("in-sync") };
        assert_eq!(levels(&facts), [Level::Ok, Level::Warning]);
    }

    #[test]
    fn without_a_server_the_files_are_still_judged() {
        let problems = vec!["app.kdl:3:1: no".to_owned(), "x".to_owned()];
        let found = judge(&Facts { problems, ..Facts::default() });
        assert_eq!(found[0].why.as_deref(), Some("app.kdl:3:1: no, and 1 more"));
        assert_eq!(levels(&Facts::default()), [Level::Ok, Level::Warning]);
    }
}
