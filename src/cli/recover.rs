//! `doorward recover`.

use std::sync::Arc;

use clap::Args;

use super::{Installation, Opened, user};
use crate::clock::Clock;
use crate::ids::Rng;
use crate::mail::message::Message;
use crate::mail::post::{Addressee, Post, Queued};
use crate::store::{Tx, User};

/// The way back in when everything else is lost.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  doorward recover akadmin\n  doorward recover alice --forget-factors\n\nThe link sets a new password. Second factors stay as they are unless --forget-factors removes them: a recovery\ncode is the way past a lost one. An account whose factors are gone is told so by mail."
)]
pub struct Recover {
    /// The name of a person
    #[arg(value_name = "USER")]
    name: String,
    /// Remove every second factor and recovery code, too, and end every session
    #[arg(long)]
    forget_factors: bool,
    #[command(flatten)]
    at: Installation,
}

impl Recover {
    pub fn run(self) -> anyhow::Result<u8> {
        super::block_on(self.recover())
    }

    async fn recover(&self) -> anyhow::Result<u8> {
        let (opened, external) = user::open_with_address(&self.at).await?;
        let user = user::enabled(&opened, &self.name).await?;
        if self.forget_factors {
            forget_factors(&opened, &user).await?;
        }
        user::print_link(&opened, &external, &user).await
    }
}

/// What proved the account before proves nothing from now on, in no session and no browser.
async fn forget_factors(opened: &Opened, user: &User) -> anyhow::Result<()> {
    let now = Clock::machine().now();
    let mut tx = opened.stored.store.begin().await?;
    let mut names = Vec::new();
    for factor in tx.list_factors_of(&user.id).await? {
        tx.delete_factor(&user.id, &factor.id).await?;
        names.push(factor.name);
    }
    tx.delete_recovery_codes_of(&user.id).await?;
    tx.forget_proofs_of(&user.id).await?;
    tx.end_sessions_of(&user.id, now).await?;
    let data = serde_json::json!({ "factors": names });
    super::note(&mut tx, "factors.forgotten", &user.username, data).await?;
    if !names.is_empty() {
        tell(opened, &mut tx, user, &names.join(", ")).await?;
    }
    tx.commit().await?;
    match names.as_slice() {
        [] => eprintln!("{} had no second factor", user.username),
        names => eprintln!("removed: {}; every session is over", names.join(", ")),
    }
    Ok(())
}

/// Whoever did not ask for it hears of it, if mail is sent from here.
async fn tell(opened: &Opened, tx: &mut Tx, user: &User, factors: &str) -> anyhow::Result<()> {
    let (Some(runtime), Some(to)) = (opened.last_good().await?, &user.email) else { return Ok(()) };
    let clock = Clock::machine();
    let message = Message::FactorRemoved {
        name: user.called().to_owned(),
        factor: factors.to_owned(),
        address: "the host itself".to_owned(),
        at: clock.now(),
    };
    let post = Post::new(Arc::clone(&opened.stored.key), clock, Rng::system());
    let to = Addressee { address: to, language: user.language.as_deref() };
    if post.queue(&runtime, tx, to, &message).await? != Queued::Yes {
        eprintln!("no mail tells {} of it", user.username);
    }
    Ok(())
}
