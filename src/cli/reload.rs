//! `doorward reload`.

use clap::Args;
use http::Method;

use super::{Installation, socket};
use crate::app::control::Ask;
use crate::blueprint::render::Format;

#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 in force, 1 rejected (the last good files go on), 3 held.")]
pub struct Reload {
    #[command(flatten)]
    at: Installation,
    /// Wait for the verdict and return it. This is what `reload` does anyway
    #[arg(long)]
    wait: bool,
    /// Print the verdict for scripts
    #[arg(long)]
    json: bool,
}

impl Reload {
    pub fn run(self) -> anyhow::Result<u8> {
        reload(&self.at, Vec::new(), self.json)
    }
}

/// Has the server read the files; complaints go to standard error.
pub fn reload(at: &Installation, confirm: Vec<String>, json: bool) -> anyhow::Result<u8> {
    let places = socket::places(at)?;
    let style = super::style(Format::Human, &std::io::stderr());
    let ask = Ask { confirm, colour: style.colour, width: style.width, ..Ask::default() };
    let answer = super::block_on(socket::ask(&places.control, Method::POST, "/reload", &ask))?;
    let answer = answer.ok_or_else(|| socket::nobody(&places.control))?;
    if json {
        super::print_json(&answer.json)?;
    } else if answer.exit == 0 {
        super::print(&answer.text)?;
    } else {
        eprint!("{}", answer.text);
    }
    Ok(answer.exit)
}
