//! The file that is generated for Traefik: there, ours, and what would be written now.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Case;
use super::finding::Finding;
use crate::app::{candidate, revision};
use crate::blueprint::source::Sources;
use crate::proxy_config::FIRST_WORDS;
use crate::proxy_config::traefik;

const TOPIC: &str = "traefik-file";

/// The file as it is and as it should be.
#[derive(Debug)]
pub struct Facts {
    pub path: PathBuf,
    pub place: String,
    /// `None` if it is not there; else its text, or why it cannot be read.
    pub text: Option<Result<String, String>>,
    pub expected: String,
    /// Whether the server runs on these very files.
    pub in_force: bool,
}

pub(crate) fn look(case: &Case<'_>, status: Option<&Value>) -> Vec<Finding> {
    let Some(declared) = &case.blueprint.traefik else { return Vec::new() };
    let Some(write) = &declared.write else {
        return declared.serve.iter().map(|serve| served(case, &serve.path.value)).collect();
    };
    let digest = candidate::source_digest(case.sources);
    let Some(expected) = expected(case, case.sources) else { return Vec::new() };
    let path = case.places.written(case.options, &write.value);
    let source = status.and_then(|status| status.get("source")).and_then(Value::as_str);
    let facts = Facts {
        text: read(&path),
        path,
        place: case.place(write.span),
        expected,
        in_force: source == Some(digest.as_str()),
    };
    let mut found = vec![judge(&facts)];
    if let Some(Ok(text)) = &facts.text {
        let others =
            super::middleware::judge(&super::middleware::Facts::new(case, &facts.path, text));
        found.extend(others);
    }
    found
}

fn served(case: &Case<'_>, path: &str) -> Finding {
    let reach = super::declared::reach_at(case).map_or("", |(url, _)| url.as_str());
    let what = format!("Traefik fetches its routers from {}{path}", reach.trim_end_matches('/'));
    Finding::ok(TOPIC, what)
}

/// What these files would have written.
fn expected(case: &Case<'_>, sources: &Sources) -> Option<String> {
    let roots: Vec<PathBuf> = case.options.roots.iter().map(|root| root.path.clone()).collect();
    let revision = case.options.revision.clone().or_else(|| revision::find(&roots));
    let stamp = candidate::stamp(revision.as_deref(), &candidate::source_digest(sources));
    let made = traefik::dynamic(case.blueprint, &stamp, case.options.raw_routers()).ok()??;
    Some(made.to_yaml())
}

fn read(path: &Path) -> Option<Result<String, String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Some(Ok(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => Some(Err(error.to_string())),
    }
}

/// Says how the file differs.
pub fn judge(facts: &Facts) -> Finding {
    let path = facts.path.display();
    let directory = facts.path.parent().unwrap_or(&facts.path).display();
    let finding = match &facts.text {
        None => Finding::error(TOPIC, format!("{path} is not there"))
            .why("it is written when the files come into force; the directory must exist and be allowed")
            .change(format!("doorward serve --write-to {directory}")),
        Some(Err(error)) => Finding::warning(TOPIC, format!("{path} cannot be read from here"))
            .why(error)
            .change("run this command as the user that the server runs as"),
        Some(Ok(text)) => return content(facts, text),
    };
    finding.at(&facts.place)
}

fn content(facts: &Facts, text: &str) -> Finding {
    let path = facts.path.display();
    let (head, body) = text.split_once('\n').unwrap_or((text, ""));
    let (made, wanted) = facts.expected.split_once('\n').unwrap_or((&facts.expected, ""));
    if !head.starts_with(FIRST_WORDS) {
        return Finding::error(TOPIC, format!("{path} was not written by Doorward"))
            .why("a file that somebody else wrote is never replaced, so it does not follow the blueprints")
            .at(&facts.place)
            .change(format!("mv {path} {path}.old && doorward reload --wait"));
    }
    if body == wanted {
        return Finding::ok(TOPIC, format!("{path} is up to date"));
    }
    if head == made {
        return Finding::error(TOPIC, format!("{path} was edited by hand"))
            .why("its first line names these files, but its content is another; the next reload replaces it")
            .at(&facts.place)
            .change("put the change into the blueprints (`traefik { raw … }`), then: doorward reload --wait");
    }
    let why = match facts.in_force {
        true => "these files are in force, but the file could not be written",
        false => "it was written from earlier files; these are not in force yet",
    };
    Finding::warning(TOPIC, format!("{path} is not what these files would write"))
        .why(why)
        .at(&facts.place)
        .change("doorward reload --wait")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::doctor::finding::Level;

    fn facts(text: Option<&str>) -> Facts {
        Facts {
            path: "/etc/traefik/dynamic/doorward.yml".into(),
            place: "home.kdl:4".into(),
            text: text.map(|text| Ok(text.to_owned())),
            expected: format!("{FIRST_WORDS} from revision b\nhttp: {{}}\n"),
            in_force: true,
        }
    }

    fn level(text: Option<&str>) -> Level {
        judge(&facts(text)).level
    }

    #[test]
    fn the_same_content_is_fine_whatever_revision_it_came_from() {
        assert_eq!(level(Some(&facts(None).expected)), Level::Ok);
        assert_eq!(level(Some(&format!("{FIRST_WORDS} from revision a\nhttp: {{}}\n"))), Level::Ok);
    }

    #[test]
    fn missing_foreign_edited_and_stale_are_told_apart() {
        assert!(judge(&facts(None)).what.ends_with("is not there"));
        assert!(judge(&facts(Some("http: {}\n"))).what.ends_with("was not written by Doorward"));
        let edited = format!("{FIRST_WORDS} from revision b\nhttp: {{routers: {{}}}}\n");
        assert!(judge(&facts(Some(&edited))).what.ends_with("was edited by hand"));
        let stale = format!("{FIRST_WORDS} from revision a\nhttp: {{routers: {{}}}}\n");
        assert_eq!(level(Some(&stale)), Level::Warning);
    }
}
