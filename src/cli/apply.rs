//! `doorward apply`.

use clap::Args;
use http::Method;

use super::{Installation, reload, socket};
use crate::app::control::Ask;
use crate::app::offline;
use crate::blueprint::render::Format;

#[derive(Debug, Args)]
#[command(
    after_help = "Every confirmation names one thing; `doorward plan` prints the exact arguments.\n\nExit codes: 0 in force, 1 rejected, 3 something else is still held."
)]
pub struct Apply {
    #[command(flatten)]
    at: Installation,
    #[command(flatten)]
    confirm: Confirm,
    /// Print the verdict for scripts
    #[arg(long)]
    json: bool,
}

/// Confirmations of what is held.
#[derive(Debug, Clone, Default, Args)]
pub struct Confirm {
    /// Let this object be removed, such as app:vaultwarden; several times
    #[arg(long, value_name = "KIND:NAME")]
    allow_prune: Vec<String>,
    /// Let the files take over this object made at run time, such as user:bob; several times
    #[arg(long, value_name = "KIND:NAME")]
    adopt: Vec<String>,
    /// Let this change of power happen, as `plan` names it; several times
    #[arg(long, value_name = "WHAT")]
    allow: Vec<String>,
}

impl Confirm {
    /// The arguments as `plan` prints them.
    pub fn arguments(&self) -> Vec<String> {
        let named = |flag: &'static str, names: &[String]| -> Vec<String> {
            names.iter().map(|name| format!("{flag} {name}")).collect()
        };
        [
            named("--allow-prune", &self.allow_prune),
            named("--adopt", &self.adopt),
            named("--allow", &self.allow),
        ]
        .concat()
    }
}

impl Apply {
    pub fn run(self) -> anyhow::Result<u8> {
        let places = socket::places(&self.at)?;
        let confirm = self.confirm.arguments();
        let running =
            super::block_on(socket::ask(&places.control, Method::GET, "/status", &Ask::default()))?;
        if running.is_some() {
            return reload::reload(&self.at, confirm, self.json);
        }
        let style = super::style(Format::Human, &std::io::stdout());
        let answer =
            super::block_on(offline::apply(&self.at.options(), &places, &confirm, &style))?;
        if self.json {
            super::print_json(&answer.json)?
        } else {
            super::print(&answer.text)?
        }
        Ok(answer.exit)
    }
}
