//! `doorward export`.

use anyhow::bail;
use clap::Args;

use crate::blueprint::builtin;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  doorward export builtin.authentication > blueprints/flows.kdl")]
pub struct Export {
    /// A built-in flow; left out: all of them
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

impl Export {
    pub fn run(self) -> anyhow::Result<u8> {
        let Some(name) = self.name else {
            super::print(builtin::TEXT)?;
            return Ok(0);
        };
        let Some(text) = builtin::text(&name) else {
            let names: Vec<_> = builtin::flows().into_iter().map(|flow| flow.slug.value).collect();
            bail!("`{name}` is not built in; there are: {}", names.join(", "));
        };
        super::print(&text)?;
        Ok(0)
    }
}
