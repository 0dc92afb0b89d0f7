//! `doorward reference`.

use anyhow::bail;
use clap::Args;

use crate::blueprint::schema;
use crate::web::templates::contexts;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  doorward reference              everything, as Markdown\n  doorward reference access       one node\n  doorward reference --templates  what templates are given"
)]
pub struct Reference {
    /// The node, such as app or access
    #[arg(value_name = "NODE")]
    node: Option<String>,
    /// What templates of pages and messages are given, instead
    #[arg(long, conflicts_with = "node")]
    templates: bool,
}

impl Reference {
    pub fn run(self) -> anyhow::Result<u8> {
        if self.templates {
            super::print(&contexts())?;
            return Ok(0);
        }
        let text = schema::reference(self.node.as_deref());
        if text.is_empty() {
            bail!(
                "there is no node `{}`; `doorward reference` prints all",
                self.node.unwrap_or_default()
            );
        }
        super::print(&text)?;
        Ok(0)
    }
}
