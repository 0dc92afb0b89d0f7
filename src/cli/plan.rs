//! `doorward plan`.

use clap::Args;
use http::Method;

use super::apply::Confirm;
use super::{Installation, socket};
use crate::app::control::Ask;
use crate::app::offline;
use crate::blueprint::render::Format;

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing to do, 1 the files have errors, 2 changes, 3 changes and something is held."
)]
pub struct Plan {
    #[command(flatten)]
    at: Installation,
    #[command(flatten)]
    confirm: Confirm,
    /// Print the plan for scripts (doorward.plan/1)
    #[arg(long)]
    json: bool,
    /// Print the last line alone
    #[arg(long, short)]
    quiet: bool,
}

impl Plan {
    pub fn run(self) -> anyhow::Result<u8> {
        let places = socket::places(&self.at)?;
        let style = super::style(Format::Human, &std::io::stdout());
        let confirm = self.confirm.arguments();
        let ask = Ask {
            confirm: confirm.clone(),
            colour: style.colour,
            width: style.width,
            ..Ask::default()
        };
        let answer = super::block_on(async {
            match socket::ask(&places.control, Method::POST, "/plan", &ask).await? {
                Some(answer) => Ok(answer),
                None => offline::plan(&self.at.options(), &places, &confirm, &style).await,
            }
        })?;
        if self.json {
            super::print_json(&answer.json)?;
        } else if self.quiet {
            let last = answer.text.lines().rev().find(|line| !line.trim().is_empty());
            super::print(&format!("{}\n", last.unwrap_or("").trim()))?;
        } else {
            super::print(&answer.text)?;
        }
        Ok(answer.exit)
    }
}
