//! A plan for people.

use std::fmt::Write as _;

use super::access_change::AccessChange;
use super::fields::FieldChange;
use super::plan::{Change, Op, Outcome, Plan};
use crate::clock::Millis;
use crate::model::counted::counted;

/// Whether the reader sees colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Off,
    On,
}

/// Lines of access changes shown; the rest is counted.
const MOST_LINES: usize = 60;

/// The whole plan, ending in a newline.
#[must_use]
pub fn render(plan: &Plan, now: Millis, colour: Colour) -> String {
    let mut page = Page { text: String::new(), colour };
    page.header(plan, now);
    let width = plan.changes.iter().map(|change| title(change).chars().count()).max().unwrap_or(0);
    plan.changes.iter().for_each(|change| page.change(change, width));
    page.access(plan);
    page.sums(plan);
    page.effects(plan);
    page.rest(plan);
    page.text
}

/// The last line alone: `1 to add, 3 to change, 1 to rename, 1 to remove.`
#[must_use]
pub fn summary(plan: &Plan) -> String {
    if plan.outcome() == Outcome::Nothing {
        return "Nothing to do.".to_owned();
    }
    let counts = [
        (Op::Add, "to add"),
        (Op::Update, "to change"),
        (Op::Rename, "to rename"),
        (Op::Revive, "to revive"),
        (Op::Adopt, "to adopt"),
        (Op::Remove, "to remove"),
    ];
    let counted = counts.iter().map(|(op, word)| (plan.count(*op), word));
    let parts: Vec<String> =
        counted.filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    match (parts.is_empty(), plan.people.writes()) {
        (false, _) => format!("{}.", parts.join(", ")),
        (true, true) => "0 to change; the store differs from the files.".to_owned(),
        (true, false) => "0 to change.".to_owned(),
    }
}

struct Page {
    text: String,
    colour: Colour,
}

const GREEN: &str = "32";
const YELLOW: &str = "33";
const RED: &str = "31";
const CYAN: &str = "36";
const BOLD: &str = "1";
const PLAIN: &str = "";

impl Page {
    fn line(&mut self, colour: &str, text: &str) {
        let text = printable(text.trim_end());
        let _ = match (self.colour, colour) {
            (Colour::On, code) if !code.is_empty() => {
                writeln!(self.text, "\u{1b}[{code}m{text}\u{1b}[0m")
            }
            _ => writeln!(self.text, "{text}"),
        };
    }

    fn gap(&mut self) {
        self.text.push('\n');
    }

    fn header(&mut self, plan: &Plan, now: Millis) {
        let target = &plan.target;
        let revision = match &target.revision {
            Some(revision) => format!("rev {revision}"),
            None => format!("digest {}", short(&target.source_digest)),
        };
        let roots = &target.roots;
        let (files, nodes) = (counted(target.files, "file"), counted(target.nodes, "node"));
        self.line(PLAIN, &format!("Blueprints  {roots}   {revision}   {files}, {nodes}"));
        match &plan.base {
            Some(base) => {
                let revision = base.revision.as_ref();
                let revision = revision.map(|revision| format!("rev {revision}"));
                let revision = revision.unwrap_or_else(|| short(&base.source_digest).to_owned());
                let ago = ago(base.applied_at, now);
                let (number, by) = (base.number, &base.applied_by);
                let text =
                    format!("Running     generation {number}  {revision}   applied {ago} by {by}");
                self.line(PLAIN, &text);
            }
            None => self.line(PLAIN, "Running     nothing yet"),
        }
        self.gap();
    }

    fn change(&mut self, change: &Change, width: usize) {
        let (mark, colour) = mark(change.op);
        let place = match change.op {
            Op::Remove => format!("was {}", change.at),
            _ => change.at.to_string(),
        };
        let protected =
            if change.protected && change.op == Op::Remove { "   PROTECTED" } else { "" };
        let title = title(change);
        self.line(colour, &format!("  {mark} {title:<width$}   {place}{protected}"));
        let paths = change.fields.iter().map(|field| field.path.chars().count()).max();
        for field in &change.fields {
            self.field(field, paths.unwrap_or(0));
        }
    }

    fn field(&mut self, field: &FieldChange, width: usize) {
        let path = &field.path;
        let (mark, colour, value) = match (&field.old, &field.new) {
            (Some(old), Some(new)) => ("~", YELLOW, format!("{old}  →  {new}")),
            (None, Some(new)) => ("+", GREEN, new.clone()),
            (Some(old), None) => ("-", RED, old.clone()),
            (None, None) => return,
        };
        self.line(colour, &format!("      {mark} {path:<width$}   {value}"));
    }

    fn access(&mut self, plan: &Plan) {
        let shown: Vec<&AccessChange> =
            plan.access.list.iter().filter(|change| !change.implied).collect();
        if shown.is_empty() {
            return;
        }
        self.gap();
        self.line(
            BOLD,
            "  Access that changes (declared users, from the internet, MFA taken as given):",
        );
        let rows: Vec<[String; 5]> =
            shown.iter().take(MOST_LINES).map(|change| access_row(change)).collect();
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let (who, app, old, new) = (width(0), width(1), width(2), width(3));
        for [subject, name, was, is, rest] in &rows {
            let text =
                format!("    {subject:<who$}  {name:<app$}  {was:>old$} → {is:<new$}  {rest}");
            self.line(if is == "allow" { GREEN } else { YELLOW }, &text);
        }
        let more = shown.len().saturating_sub(MOST_LINES);
        if more > 0 {
            self.line(PLAIN, &format!("    … and {more} more (see --format json)"));
        }
        if plan.access.subjects_left_out > 0 {
            let count = plan.access.subjects_left_out;
            self.line(PLAIN, &format!("    {count} users and groups were not looked at: too many"));
        }
    }

    fn sums(&mut self, plan: &Plan) {
        if !plan.changes.is_empty() {
            self.gap();
        }
        self.line(BOLD, &format!("  {}", summary(plan)));
        for reason in &plan.held {
            let place = match reason.place.as_str() {
                "" => String::new(),
                place => format!(" ({place})"),
            };
            let confirm = match reason.confirm.join(" ") {
                none if none.is_empty() => "this cannot be confirmed".to_owned(),
                arguments => format!("confirm with {arguments}"),
            };
            self.line(RED, &format!("  HELD: {}{place}; {confirm}", reason.sentence));
        }
        for reason in &plan.confirmed {
            self.line(YELLOW, &format!("  Confirmed: {}", reason.sentence));
        }
    }

    fn effects(&mut self, plan: &Plan) {
        if plan.outcome() == Outcome::Nothing {
            return self.restarts(plan, "  Restart   ");
        }
        let effects = &plan.effects;
        self.gap();
        self.line(BOLD, "  Effects");
        for (flow, logins) in &effects.new_logins_only {
            let base = plan.base.as_ref().map_or(0, |base| base.number);
            let keep = counted(*logins, "login");
            let rest = match logins {
                0 => String::new(),
                1 => format!("   ({keep} in progress keeps generation {base})"),
                _ => format!("   ({keep} in progress keep generation {base})"),
            };
            self.line(PLAIN, &format!("    new logins only   flow {flow}{rest}"));
        }
        for (what, sessions) in &effects.sessions_ended {
            let count = counted(*sessions, "session");
            self.line(PLAIN, &format!("    sessions ended    {what}   ({count})"));
        }
        let routers = effects.routers;
        let middlewares = if routers.middlewares_changed { "changed" } else { "unchanged" };
        self.line(
            PLAIN,
            &format!(
                "    traefik           routers: +{} ~{} -{}, middlewares {middlewares}",
                routers.added, routers.changed, routers.removed
            ),
        );
        for (secret, path) in &effects.delivered {
            self.line(PLAIN, &format!("    secret written    {path}   ({secret})"));
        }
        if effects.restart.is_empty() {
            self.line(PLAIN, "    restart           none");
        }
        self.restarts(plan, "    restart           ");
    }

    fn restarts(&mut self, plan: &Plan, label: &str) {
        for awaited in &plan.effects.restart {
            self.line(YELLOW, &format!("{label}{awaited}"));
        }
    }

    fn rest(&mut self, plan: &Plan) {
        for drift in &plan.people.drift {
            let what = if drift.restored { "is restored" } else { "stays until `drift enforce`" };
            let (name, field) = (&drift.what, &drift.field);
            let (declared, found) = (&drift.declared, &drift.found);
            let text =
                format!("  Drift   {name} {field}: files {declared}, store {found}; it {what}");
            self.line(YELLOW, &text);
        }
        for warning in &plan.warnings {
            self.line(YELLOW, &format!("  Warning   {warning}"));
        }
        let tests = plan.tests;
        if tests.passed + tests.failed > 0 {
            let failed = match tests.failed {
                0 => String::new(),
                count => format!(", {count} failed"),
            };
            self.line(PLAIN, &format!("  Tests   {} passed{failed}", tests.passed));
        }
    }
}

fn title(change: &Change) -> String {
    let slug = match change.kind.as_str() {
        "persona" | "test" | "invariant" => format!("`{}`", change.slug),
        _ => change.slug.clone(),
    };
    let was = change.was.as_ref().map(|was| format!(" (was {was})")).unwrap_or_default();
    format!("{} {slug}{was}", change.kind).trim_end().to_owned()
}

fn mark(op: Op) -> (&'static str, &'static str) {
    match op {
        Op::Update => ("~", YELLOW),
        Op::Add => ("+", GREEN),
        Op::Rename => ("→", CYAN),
        Op::Revive => ("↺", GREEN),
        Op::Adopt => ("⇐", YELLOW),
        Op::Remove => ("-", RED),
    }
}

fn access_row(change: &AccessChange) -> [String; 5] {
    let subject = change.subject.strip_prefix("user:").unwrap_or(&change.subject).to_owned();
    let by = format!("by {}", change.by.as_deref().unwrap_or("default"));
    let class: Vec<String> =
        change.class.facts().iter().map(|(name, value)| format!("{name} {value}")).collect();
    let rest = match class.join(", ") {
        usual if usual.is_empty() => by,
        class => format!("{by}   [{class}]"),
    };
    [subject, change.app.clone(), change.old.to_owned(), change.new.to_owned(), rest]
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

fn ago(then: Millis, now: Millis) -> String {
    let seconds = now.since(then).as_secs();
    let units = [("day", 86_400), ("hour", 3600), ("minute", 60)];
    let fitting = units.iter().find(|(_, size)| seconds >= *size);
    match fitting {
        Some((unit, size)) => {
            format!("{} ago", counted(usize::try_from(seconds / size).unwrap_or(0), unit))
        }
        None => "just now".to_owned(),
    }
}

/// Text of files cannot steer a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
