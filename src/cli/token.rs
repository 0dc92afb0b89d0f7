//! `doorward token`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use clap::{Args, Subcommand};
use http::Method;

use super::{Installation, Opened, socket};
use crate::app::control::Ask;
use crate::clock::{Clock, Millis};
use crate::ids::Rng;
use crate::model::scope::Scope;
use crate::runtime::Runtime;
use crate::store::{self, TokenKind};
use crate::token::{Tokens, Wanted};

#[derive(Debug, Args)]
pub struct Token {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an app password for programs that cannot show a sign-in page; it is printed once
    #[command(
        after_help = "Examples:\n  doorward token create alice --app gitea --name \"git on the laptop\"\n  doorward token create root --api --scope invitations\n\nThe program sends it with the user name (HTTP Basic). With --api it is sent as `Authorization: Bearer`.\nIt opens the named apps as far as their rules let its owner in, and never an app that requires a second factor."
    )]
    Create {
        /// Whose it is
        #[arg(value_name = "USER")]
        user: String,
        /// An app that it opens; several times
        #[arg(long = "app", value_name = "SLUG", required_unless_present = "scopes", num_args = 1..)]
        apps: Vec<String>,
        /// What it may do by the API of the sign-in host, for a console admin; several times
        #[arg(long = "scope", id = "scopes", value_name = "SCOPE", requires = "api", value_parser = scope)]
        scopes: Vec<Scope>,
        /// What it is for, to know it again
        #[arg(long, value_name = "TEXT", default_value = "made on the host")]
        name: String,
        /// After how many days it expires; never if not given
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
        expires: Option<u32>,
        /// Make an API token, sent as `Authorization: Bearer`
        #[arg(long)]
        api: bool,
        #[command(flatten)]
        at: Installation,
    },
    /// List tokens that are not revoked, without their texts
    List {
        /// Only this person's
        #[arg(value_name = "USER")]
        user: Option<String>,
        #[command(flatten)]
        at: Installation,
        /// Print for scripts
        #[arg(long)]
        json: bool,
    },
    /// Revoke a token at once and for good
    Revoke {
        /// As `doorward token list` prints it, such as tok_01J8Z3…
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        at: Installation,
    },
}

impl Token {
    pub fn run(self) -> anyhow::Result<u8> {
        match self.command {
            Command::Create { user, apps, scopes, name, expires, api, at } => {
                let kind = if api { TokenKind::ApiToken } else { TokenKind::AppPassword };
                super::block_on(create(&at, &user, (&apps, &scopes), (kind, &name, expires)))
            }
            Command::List { user, at, json } => super::block_on(list(&at, user.as_deref(), json)),
            Command::Revoke { id, at } => super::block_on(revoke(&at, &id)),
        }
    }
}

fn scope(word: &str) -> Result<Scope, String> {
    let words = || Scope::ALL.map(Scope::word).join(", ");
    Scope::from_word(word).ok_or_else(|| format!("there are: {}", words()))
}

fn tokens(opened: &Opened) -> Tokens {
    let (store, key) = (opened.stored.store.clone(), Arc::clone(&opened.stored.key));
    Tokens::new(store, key, Clock::machine(), Rng::system())
}

async fn user(opened: &Opened, name: &str) -> anyhow::Result<store::User> {
    match opened.stored.store.read().await?.find_user_by_username(name).await? {
        Some(user) => Ok(user),
        None => bail!("there is no user `{name}`; `doorward user list` lists people"),
    }
}

async fn create(
    at: &Installation,
    name: &str,
    (apps, scopes): (&[String], &[Scope]),
    (kind, about, expires): (TokenKind, &str, Option<u32>),
) -> anyhow::Result<u8> {
    let opened = Opened::at(at).await?;
    let owner = user(&opened, name).await?;
    let Some(runtime) = opened.last_good().await? else {
        bail!("no files were ever in force here: start the server before making tokens");
    };
    if !scopes.is_empty() && !runtime.administrators().any(|admin| admin == owner.username) {
        bail!(
            "`{name}` is in no group with `console admin`: their token could do nothing by the API"
        );
    }
    let apps: Vec<String> =
        apps.iter().map(|slug| app_uid(&runtime, slug)).collect::<anyhow::Result<_>>()?;
    let days = |days: u32| Duration::from_secs(u64::from(days) * 86_400);
    let wanted = Wanted {
        user_id: &owner.id,
        username: &owner.username,
        kind,
        name: about,
        apps: &apps,
        scopes,
        expires_at: expires.map(|count| Clock::machine().now().plus(days(count))),
        by: super::COMMAND_LINE,
    };
    let (text, token) = tokens(&opened).create(wanted).await?;
    super::print(&format!("{}\n", text.reveal()))?;
    let how = match kind {
        TokenKind::AppPassword => format!("HTTP Basic with the user name {}", owner.username),
        TokenKind::ApiToken => "Authorization: Bearer".to_owned(),
    };
    eprintln!("shown this once; sent as {how}. Revoke it: doorward token revoke {}", token.id);
    Ok(0)
}

/// The uid of an app that stands behind a reverse proxy or takes binds: tokens are good nowhere else.
fn app_uid(runtime: &Runtime, slug: &str) -> anyhow::Result<String> {
    let takes = || runtime.apps.iter().filter(|app| app.takes_tokens());
    if let Some(app) = takes().find(|app| app.slug == slug) {
        return Ok(app.uid.clone());
    }
    let known: Vec<_> = takes().map(|app| app.slug.as_str()).collect();
    bail!(
        "no app `{slug}` with a `proxy` or `ldap` is in force; there are: {}",
        if known.is_empty() { "none".to_owned() } else { known.join(", ") }
    )
}

/// Tokens with the names of their owners and apps.
struct Listed {
    tokens: Vec<store::Token>,
    owners: HashMap<String, String>,
    apps: HashMap<String, String>,
}

impl Listed {
    async fn read(opened: &Opened, of: Option<&str>) -> anyhow::Result<Self> {
        let owner = match of {
            Some(name) => Some(user(opened, name).await?.id),
            None => None,
        };
        let read = opened.stored.store.read().await?;
        let tokens = match &owner {
            Some(id) => read.list_tokens_of(id).await?,
            None => read.list_tokens().await?,
        };
        let mut owners = HashMap::new();
        for id in tokens.iter().map(|token| &token.user_id) {
            if !owners.contains_key(id)
                && let Some(user) = read.find_user(id).await?
            {
                owners.insert(id.clone(), user.username);
            }
        }
        let objects = read.list_live_objects().await?.into_iter();
        let apps = objects.filter(|object| object.kind == "app");
        Ok(Self { tokens, owners, apps: apps.map(|app| (app.uid, app.slug)).collect() })
    }

    fn owner(&self, token: &store::Token) -> &str {
        self.owners.get(&token.user_id).map_or("", String::as_str)
    }

    /// Slugs of its apps; one that is gone opens nothing.
    fn apps(&self, token: &store::Token) -> Vec<&str> {
        token.apps.iter().filter_map(|uid| self.apps.get(uid)).map(String::as_str).collect()
    }

    fn json(&self, now: Millis) -> serde_json::Value {
        let moment = |at: Option<Millis>| at.map(|at| at.to_string());
        let line = |token: &store::Token| {
            serde_json::json!({
                "id": token.id,
                "user": self.owner(token),
                "kind": token.kind.word(),
                "name": token.name,
                "apps": self.apps(token),
                "scopes": token.scopes,
                "created": token.created_at.to_string(),
                "expires": moment(token.expires_at),
                "expired": !token.is_live(now),
                "used": moment(token.used_at),
            })
        };
        self.tokens.iter().map(line).collect()
    }

    fn text(&self, now: Millis) -> String {
        if self.tokens.is_empty() {
            return "none: `doorward token create` makes one\n".to_owned();
        }
        let line = |token: &store::Token| {
            let mut notes = vec![
                token.used_at.map_or("never used".to_owned(), |at| format!("used {}", at.day())),
            ];
            if let Some(end) = token.expires_at {
                let word = if token.is_live(now) { "expires" } else { "expired" };
                notes.push(format!("{word} {}", end.day()));
            }
            let (id, owner, kind) = (&token.id, self.owner(token), token.kind.word());
            let mut opens = self.apps(token);
            opens.extend(token.scopes.iter().map(|scope| scope.word()));
            let apps = opens.join(",");
            format!(
                "{id}  {owner:<16} {kind:<12} {apps:<24} {} ({})\n",
                token.name,
                notes.join(", ")
            )
        };
        self.tokens.iter().map(line).collect()
    }
}

async fn list(at: &Installation, of: Option<&str>, json: bool) -> anyhow::Result<u8> {
    let listed = Listed::read(&Opened::at(at).await?, of).await?;
    let now = Clock::machine().now();
    if json {
        super::print_json(&listed.json(now))?;
    } else {
        super::print(&listed.text(now))?;
    }
    Ok(0)
}

/// Through the server that runs, which then refuses it at once; else in the store.
async fn revoke(at: &Installation, id: &str) -> anyhow::Result<u8> {
    let control = socket::places(at)?.control;
    let ask = Ask { token: id.to_owned(), ..Ask::default() };
    if let Some(answer) = socket::ask(&control, Method::POST, "/token/revoke", &ask).await? {
        if answer.exit != 0 {
            bail!("{}", answer.text.trim_end());
        }
        eprintln!("{}", answer.text.trim_end());
        return Ok(0);
    }
    let opened = Opened::at(at).await?;
    match tokens(&opened).revoke(id, None, super::COMMAND_LINE).await? {
        Some(token) => eprintln!("revoked `{}`", token.name),
        None => bail!("there is no token {id}, or it was revoked before"),
    }
    Ok(0)
}
