//! `doorward recover`.

use clap::Args;

use super::{Installation, user};

/// The same link as `doorward user link` makes, under the name that people look for.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  doorward recover akadmin\n\nThe link sets a new password, and second factors stay as they are: recovery codes are the way past a lost one."
)]
pub struct Recover {
    /// The name of a person
    #[arg(value_name = "USER")]
    name: String,
    #[command(flatten)]
    at: Installation,
}

impl Recover {
    pub fn run(self) -> anyhow::Result<u8> {
        super::block_on(user::link(&self.at, &self.name))
    }
}
