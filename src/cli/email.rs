//! `doorward email`.

use std::sync::Arc;

use clap::{Args, Subcommand};
use lettre::Address;

use super::{Installation, blueprint};
use crate::app::places::Places;
use crate::app::{mail_route, theme};
use crate::blueprint::load;
use crate::blueprint::settings::Brand;
use crate::clock::Clock;
use crate::ids::Rng;
use crate::mail::letter::{self, Heading, Letter};
use crate::mail::message::Message;
use crate::mail::route::Route;
use crate::mail::smtp::{self, Failure, Patience, Step};
use crate::web::reply;
use crate::web::templates::{Brand as Dress, Templates};

#[derive(Debug, Args)]
pub struct Email {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Send a message right now, as the files say, and tell each step
    #[command(
        after_help = "Example:\n  doorward email test me@example.com\n\nIt goes past the outbox and needs no running server. Give it the same --read-from and credentials\nas the server.\n\nExit codes: 0 if the mail server took the message, 1 otherwise."
    )]
    Test {
        /// Where the message goes
        #[arg(value_name = "ADDRESS", value_parser = address)]
        to: Address,
        #[command(flatten)]
        at: Installation,
        /// Print everything for scripts (doorward.email-test/1)
        #[arg(long)]
        json: bool,
    },
}

fn address(text: &str) -> Result<Address, String> {
    letter::address(text).ok_or_else(|| "write an address such as me@example.com".to_owned())
}

impl Email {
    pub fn run(self) -> anyhow::Result<u8> {
        match self.command {
            Command::Test { to, at, json } => test(&to, &at, json),
        }
    }
}

/// What a message is made of and where it goes.
struct Sending {
    look: Arc<Templates>,
    brand: Dress,
    home: String,
    route: Result<Route, Failure>,
}

fn sending(at: &Installation) -> anyhow::Result<Sending> {
    let (blueprint, _) = blueprint(at)?;
    let options = at.options();
    let loaded = load::load(&options.roots, options.mode());
    let places = Places::new(&options, &loaded.server)?;
    let external = blueprint.settings.external_host.value.origin();
    let declared = Brand::of_host(&blueprint.brands, &external.host);
    let theme = theme::load(&options, &loaded.paths, &blueprint)?;
    let look = Arc::clone(theme.looks.of(declared));
    let home = places.addressing.public(&external);
    Ok(Sending {
        brand: reply::brand(declared, &look),
        look,
        home: home.to_string(),
        route: mail_route::route(&options, &blueprint),
    })
}

fn test(to: &Address, at: &Installation, json: bool) -> anyhow::Result<u8> {
    let sending = sending(at)?;
    let mut steps = Vec::new();
    let done = match &sending.route {
        Ok(route) => send(&sending, route, to, &mut |step| {
            if !json {
                let _ = super::print(&format!("{}\n", told(&step)));
            }
            steps.push(step);
        })?,
        Err(failure) => Err(failure.clone()),
    };
    if json {
        let steps: Vec<_> = steps.iter().map(step_json).collect();
        super::print_json(&serde_json::json!({
            "schema": "doorward.email-test/1",
            "to": to.to_string(),
            "server": sending.route.as_ref().ok().map(|route| route.server.authority()),
            "sent": done.is_ok(),
            "steps": steps,
            "failure": done.as_ref().err().map(|failure| serde_json::json!({
                "place": failure.stage.word(),
                "reason": failure.reason,
                "remedy": failure.remedy,
            })),
        }))?;
    } else if let Err(failure) = &done {
        super::print(&format!("failed         {failure}\n  remedy: {}\n", failure.remedy))?;
    } else {
        super::print(&format!("sent to {to}; see that it arrives, and not among the junk\n"))?;
    }
    Ok(u8::from(done.is_err()))
}

fn send(
    sending: &Sending,
    route: &Route,
    to: &Address,
    tell: &mut (dyn FnMut(Step) + Send),
) -> anyhow::Result<Result<(), Failure>> {
    let now = Clock::machine().now();
    let message = Message::Test { at: now };
    let words = sending.look.render_mail((&sending.brand, None), &sending.home, &message)?;
    let id = Rng::system().id("mail", now)?;
    let heading = Heading { from: &route.from, to, id: &id, host: &route.hello, at: now };
    let letter = Letter::new(heading, &words)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sent = runtime.block_on(smtp::hand_in(route, &letter, Patience::default(), tell));
    // A resolver without a network may still wait, long after we have given up on it.
    runtime.shutdown_background();
    Ok(sent)
}

fn told(step: &Step) -> String {
    match step {
        Step::Connected { to } => format!("connected      {to}"),
        Step::Encrypted { version } => {
            format!("encrypted      {version}, and the certificate is good")
        }
        Step::NotEncrypted => "not encrypted  as the files say".to_owned(),
        Step::Authenticated { username } => format!("authenticated  as {username}"),
        Step::Accepted { reply } => format!("accepted       {reply}"),
    }
}

fn step_json(step: &Step) -> serde_json::Value {
    match step {
        Step::Connected { to } => {
            serde_json::json!({ "step": "connected", "to": to.to_string() })
        }
        Step::Encrypted { version } => {
            serde_json::json!({ "step": "encrypted", "version": version })
        }
        Step::NotEncrypted => serde_json::json!({ "step": "not-encrypted" }),
        Step::Authenticated { username } => {
            serde_json::json!({ "step": "authenticated", "username": username })
        }
        Step::Accepted { reply } => serde_json::json!({ "step": "accepted", "reply": reply }),
    }
}
