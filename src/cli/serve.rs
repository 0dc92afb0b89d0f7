//! `doorward serve`.

use std::io::{IsTerminal, Write};

use clap::Args;
use tracing_subscriber::EnvFilter;

use super::Installation;
use crate::app::opening::KeyOrigin;
use crate::app::serve::{self, Audience, Started};
use crate::blueprint::render::Format;
use crate::model::counted::counted;
use crate::store::Opening;

#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    at: Installation,
    /// Refuse to start when the files cannot be taken into force
    #[arg(long)]
    strict: bool,
    /// How the log is written
    #[arg(long, value_name = "FORM", value_enum, default_value = "human")]
    log: Log,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Log {
    Human,
    Json,
}

impl Serve {
    pub fn run(self) -> anyhow::Result<u8> {
        start_log(self.log);
        let mut options = self.at.options();
        options.strict = self.strict;
        let style = super::style(Format::Human, &std::io::stderr());
        let audience = match self.log == Log::Human && std::io::stdout().is_terminal() {
            true => Audience::Terminal,
            false => Audience::Nobody,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let log = self.log;
        runtime.block_on(serve::run(options, style, audience, |started| {
            if log == Log::Human {
                let _ = std::io::stdout().write_all(greeting(started).as_bytes());
            }
        }))?;
        Ok(0)
    }
}

fn start_log(log: Log) {
    let wanted = std::env::var_os("DOORWARD_LOG").and_then(|text| text.into_string().ok());
    let filter = EnvFilter::new(directives(wanted));
    let to_terminal = std::io::stderr().is_terminal();
    let log_lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log {
        Log::Json => log_lines.json().flatten_event(true).init(),
        Log::Human => log_lines.with_target(false).with_ansi(to_terminal).compact().init(),
    }
}

/// The crate that reads LDAP tells what it could not read, which may be a password.
const READS_SECRETS: &str = "ldap3_proto=off";

/// What is logged. The crate that watches directories warns of each one that is gone, though the
/// kernel ends such a watch by itself; what matters of it is told by `app::watch`. Whoever names
/// it in `DOORWARD_LOG` hears it.
fn directives(wanted: Option<String>) -> String {
    let wanted = wanted.filter(|text| text.parse::<EnvFilter>().is_ok());
    let wanted = match wanted.unwrap_or_else(|| "info".to_owned()) {
        named if named.contains("notify") => named,
        others => format!("notify=off,{others}"),
    };
    format!("{wanted},{READS_SECRETS}")
}

/// What the first lines say: where everything is, and what to do next.
fn greeting(started: &Started) -> String {
    let mut text = format!("Doorward {}\n\n", env!("CARGO_PKG_VERSION"));
    let mut line = |name: &str, value: String| text += &format!("  {name:<12} {value}\n");
    for root in &started.blueprints {
        line("blueprints", root.display().to_string());
    }
    let generation = match &started.not_in_force {
        None => format!("generation {}", started.generation),
        Some(_) => format!("NOT in force: generation {} goes on", started.generation),
    };
    line(
        "",
        format!(
            "{}, {}, {generation}",
            counted(started.files, "file"),
            counted(started.nodes, "node")
        ),
    );
    let opened = match started.opening {
        Opening::Created => "created",
        Opening::Opened => "opened",
    };
    line("state", format!("{} ({opened})", started.state));
    if let Some((path, origin)) = &started.key {
        let origin = if *origin == KeyOrigin::Created { "created, keep a copy" } else { "opened" };
        line("master key", format!("{} ({origin})", path.display()));
    }
    for folder in &started.overrides {
        line("theme from", folder.display().to_string());
    }
    line("sign in at", started.external.clone());
    for missing in &started.missing {
        line("warning", missing.clone());
    }
    if let Some(problem) = &started.not_in_force {
        line("warning", format!("{problem}; `doorward check` shows everything"));
    }
    text += &next_step(started);
    text
}

fn next_step(started: &Started) -> String {
    let mut text = String::new();
    if let Some(link) = &started.link {
        text += &match &link.file {
            None => format!(
                "\n  Set the password of {}, within 30 minutes:\n    {}\n",
                link.user,
                link.url.reveal()
            ),
            Some(path) => format!(
                "\n  A link to set the password of {} lies in {}\n",
                link.user,
                path.display()
            ),
        };
    }
    if started.over_ssh
        && let Some(at) = started.listen.first()
    {
        let port = at.port();
        text += &format!(
            "\n  You are here over SSH. To open the address in your own browser, run there:\n    \
             ssh -L {port}:127.0.0.1:{port} this-machine\n"
        );
    }
    text += "\n  An edit to a file is in force when it is saved. Ctrl-C stops the server.\n\n";
    text
}

#[cfg(test)]
mod tests {
    use super::directives;

    #[test]
    fn the_crate_that_watches_is_heard_only_by_who_names_it() {
        assert_eq!(directives(None), "notify=off,info,ldap3_proto=off");
        assert_eq!(
            directives(Some("doorward=debug".into())),
            "notify=off,doorward=debug,ldap3_proto=off"
        );
        assert_eq!(
            directives(Some("info,notify=trace".into())),
            "info,notify=trace,ldap3_proto=off"
        );
        assert_eq!(directives(Some("a=b=c".into())), "notify=off,info,ldap3_proto=off");
    }
}
