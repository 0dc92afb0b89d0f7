//! `doorward status`.

use clap::Args;
use http::Method;

use super::{Installation, socket};
use crate::app::control::Ask;
use crate::runtime::health::AwaitsRestart;

#[derive(Debug, Args)]
#[command(after_help = "Exit codes with --exit-code: 0 in sync, 1 rejected or degraded, 3 held.")]
pub struct Status {
    #[command(flatten)]
    at: Installation,
    /// Print everything for scripts (doorward.status/1)
    #[arg(long)]
    json: bool,
    /// Tell by the exit code whether the files are in force
    #[arg(long)]
    exit_code: bool,
}

impl Status {
    pub fn run(self) -> anyhow::Result<u8> {
        let places = socket::places(&self.at)?;
        let asked =
            super::block_on(socket::ask(&places.control, Method::GET, "/status", &Ask::default()))?;
        let answer = asked.ok_or_else(|| socket::nobody(&places.control))?;
        if self.json {
            super::print_json(&answer.json)?;
        } else {
            super::print(&text(&answer.json))?;
        }
        Ok(if self.exit_code { answer.exit } else { 0 })
    }
}

/// One line about mail on its way out.
fn mail(status: &serde_json::Value) -> String {
    let Some(mail) = status.get("mail").filter(|mail| mail.is_object()) else {
        return "unknown".to_owned();
    };
    let count = |name: &str| mail.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
    let (waiting, failing, given_up) = (count("waiting"), count("failing"), count("given-up"));
    let configured = mail.get("configured").and_then(serde_json::Value::as_bool) == Some(true);
    let mut text = match configured {
        true => format!("{waiting} waiting, {failing} failing, {given_up} given up"),
        false if waiting == 0 => return "no file says how it is sent".to_owned(),
        false => format!("{waiting} waiting, and no file says how it is sent"),
    };
    if let Some(error) = mail.get("last-error").and_then(serde_json::Value::as_str) {
        text += &format!("; last error: {error}");
    }
    text
}

/// A line for each `notify` whose next event is not taken.
fn failing_notices(status: &serde_json::Value) -> Vec<String> {
    let all = status.get("notify").and_then(serde_json::Value::as_array);
    let failing = |each: &serde_json::Value| {
        let word = |name: &str| each.get(name)?.as_str().map(str::to_owned);
        let (slug, error, since) = (word("notify")?, word("last-error")?, word("failing-since")?);
        Some(format!("{slug} fails since {since}: {error}; try `doorward notify test {slug}`"))
    };
    all.into_iter().flatten().filter_map(failing).collect()
}

fn text(status: &serde_json::Value) -> String {
    let word = |pointer: &str| match status.pointer(pointer) {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(serde_json::Value::Null) | None => "unknown".to_owned(),
        Some(other) => other.to_string(),
    };
    let list = |name: &str| -> Vec<String> {
        let list = status.get(name).and_then(serde_json::Value::as_array);
        list.into_iter().flatten().filter_map(|each| each.as_str().map(str::to_owned)).collect()
    };
    let mut text = String::new();
    let mut line = |name: &str, value: String| text += &format!("  {name:<12} {value}\n");
    line("files", format!("{} since {}", word("/state"), word("/since")));
    line("generation", format!("{}, revision {}", word("/generation"), word("/revision")));
    line("sign in at", word("/external"));
    line("apps", word("/apps"));
    line("store", word("/store/place"));
    line(
        "sessions",
        format!(
            "{} live sign-ins, {} live at apps",
            word("/sessions/sign-ins"),
            word("/sessions/apps")
        ),
    );
    line("mail", mail(status));
    for failing in failing_notices(status) {
        line("notify", failing);
    }
    for problem in list("problems") {
        line("problem", problem);
    }
    for problem in list("degraded") {
        line("degraded", problem);
    }
    for awaited in restart(status) {
        line("restart", awaited.to_string());
    }
    if let Some(remedy) = status.get("remedy").and_then(serde_json::Value::as_str) {
        text += &format!("\n  {remedy}\n");
    }
    text
}

fn restart(status: &serde_json::Value) -> Vec<AwaitsRestart> {
    let list = status.get("restart").cloned();
    list.and_then(|list| serde_json::from_value(list).ok()).unwrap_or_default()
}
