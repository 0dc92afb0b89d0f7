//! `doorward doctor`.

use clap::Args;

use super::Installation;
use crate::blueprint::load;

#[derive(Debug, Args)]
pub struct Doctor {
    #[command(flatten)]
    at: Installation,
}

impl Doctor {
    pub fn run(self) -> anyhow::Result<u8> {
        let options = self.at.options();
        let loaded = load::load(&options.roots, options.mode());
        anyhow::bail!("{} files read; no examination is made yet", loaded.sources.files.len())
    }
}
