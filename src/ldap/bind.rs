//! A bind (RFC 4511 §4.2): a name and a secret. Who that is, and whether the apps behind the name let them
//! in.

use std::sync::Arc;

use ldap3_proto::proto::LdapResultCode as Code;

use super::tree::{self, Named};
use super::walk::{self, Stopped, Walk};
use super::{Ldap, Trouble};
use crate::access::person::Proofs;
use crate::access::target::Client;
use crate::access::{self, Decision, Query};
use crate::blueprint::flow::Flow;
use crate::client_secret::Known;
use crate::clock::Millis;
use crate::factor::held::Held;
use crate::flow::attempts::{Guesses, Taken};
use crate::flow::hashing::LONGEST;
use crate::model::directory_profile::DirectoryProfile;
use crate::model::dn::Dn;
use crate::runtime::Runtime;
use crate::runtime::app::App;
use crate::runtime::ldap::{Binder, Directory};
use crate::secret::{Secret, TokenDigest};
use crate::session::Account;
use crate::store::User;
use crate::token::{self, Live};
use crate::web::token::NoToken;
use crate::web::{self, visitor};

/// Who a connection speaks for.
#[derive(Clone, Debug)]
pub enum Bound {
    /// A service account, by the token that it brought.
    Program {
        name: String,
        token: TokenDigest,
    },
    Person {
        account: Arc<Account>,
        by: By,
    },
}

/// What a person brought: another password, or the end of the token, ends the bind.
#[derive(Clone, Debug)]
pub enum By {
    Password { set_at: Option<Millis> },
    Token(Arc<Live>),
}

/// Why nobody is bound.
#[derive(Debug)]
pub struct Refusal {
    pub code: Code,
    /// For the client: no more than it may know.
    pub message: String,
    /// For the log, where it is not the client's fault.
    pub trouble: Option<String>,
}

impl Refusal {
    fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), trouble: None }
    }

    /// One answer for every wrong name and every wrong secret.
    fn wrong() -> Self {
        Self::new(Code::InvalidCredentials, "the name or the secret is wrong")
    }

    fn wait() -> Self {
        Self::new(Code::Busy, "too many binds failed: wait a while")
    }
}

impl<E: Into<Trouble>> From<E> for Refusal {
    fn from(error: E) -> Self {
        let error: Trouble = error.into();
        let refusal = match error {
            Trouble::Hash(_) => Self::new(Code::Busy, "too many sign in at this moment"),
            _ => Self::new(Code::Unavailable, "the server cannot answer now"),
        };
        Self { trouble: Some(error.to_string()), ..refusal }
    }
}

/// One bind.
struct Bind<'a> {
    front: &'a Ldap,
    runtime: &'a Runtime,
    client: Client,
    /// The name as it is compared.
    name: &'a str,
    /// The app whose tree the name lies in.
    app: Option<&'a App>,
    secret: &'a Secret,
}

impl Ldap {
    /// Judges a name and a secret.
    ///
    /// # Errors
    /// If they open nothing.
    pub(super) async fn bind(
        &self,
        client: Client,
        dn: &str,
        secret: &Secret,
    ) -> Result<Bound, Refusal> {
        let runtime = self.server.runtime.load_full();
        let Some(directory) = &runtime.directory else {
            return Err(Refusal::new(Code::Unavailable, "no directory is declared any more"));
        };
        if secret.reveal().len() > LONGEST {
            return Err(Refusal::wrong());
        }
        let (app, name) = match Dn::parse(dn) {
            Ok(dn) => match tree::named(&runtime, directory, &dn) {
                Named::In { tree, name } => (tree.and_then(|slug| runtime.app(slug)), name),
                Named::Nobody => (None, String::new()),
            },
            Err(error) => match principal(&runtime, directory, dn) {
                Some(name) => (None, name),
                None => return Err(Refusal::new(Code::InvalidDNSyntax, error.to_string())),
            },
        };
        let bind = Bind { front: self, runtime: &runtime, client, name: &name, app, secret };
        match directory.binder(&name) {
            Some(binder) => bind.program(binder).await,
            None => bind.person().await,
        }
    }
}

/// `user@domain`, where something looks like Active Directory.
fn principal(runtime: &Runtime, directory: &Directory, text: &str) -> Option<String> {
    let apps = runtime.apps.iter().filter_map(|app| app.ldap.as_ref()).map(|ldap| ldap.profile);
    let mut profiles = apps.chain([directory.profile]);
    let is_known = profiles.any(|profile| profile == DirectoryProfile::AdLike);
    is_known.then(|| tree::principal(directory, text)).flatten()
}

impl<'a> Bind<'a> {
    /// A service account: its token is too long to be guessed, and is counted where it is wrong.
    async fn program(&self, binder: &Binder) -> Result<Bound, Refusal> {
        let server = &self.front.server;
        let now = server.clock.now();
        let good = server.client_secrets.of(&binder.uid, now);
        let fits =
            |known: &Known| matches!(known, Known::Value { secret, .. } if secret == self.secret);
        // Every one is compared, whichever fits.
        if good.iter().filter(|known| fits(known)).count() > 0 {
            let token = server.key.digest(self.secret.reveal().as_bytes());
            self.front.programs.saw(&visitor::address_key(self.client), now);
            self.note_success(&binder.account.name);
            return Ok(Bound::Program { name: binder.account.name.clone(), token });
        }
        // Counted apart: a program with an old token shuts nobody out but itself.
        let name = &binder.account.name;
        let guesses = Guesses::at_key(format!("{}/{name}", visitor::address_key(self.client)));
        if let Taken::Wait(_) = guesses.take(&server.store, now).await? {
            return Err(Refusal::wait());
        }
        // As long as for a person whose password is wrong.
        let _ = server.hasher.verify(self.secret, None).await;
        self.note("login.failed", Some(name), "wrong or expired token");
        Err(Refusal::wrong())
    }

    async fn person(&self) -> Result<Bound, Refusal> {
        let apps = self.apps();
        if apps.is_empty() {
            return Err(Refusal::new(
                Code::UnwillingToPerform,
                "no app signs people in by binds: give one an `ldap` block",
            ));
        }
        match token::look(self.secret.reveal()) {
            Some(look) => self.by_token(&apps, &look).await,
            None => self.by_password(&apps).await,
        }
    }

    /// The apps that the name leads into: the one whose tree it lies in, else every one, so that nobody
    /// gets into one by another's rules.
    fn apps(&self) -> Vec<&'a App> {
        match self.app {
            Some(app) => vec![app],
            None => self.runtime.apps.iter().filter(|app| app.ldap.is_some()).collect(),
        }
    }

    /// An app password proves no second factor (`security.md` R15).
    async fn by_token(&self, apps: &[&App], look: &token::Look) -> Result<Bound, Refusal> {
        let server = &self.front.server;
        let token = match web::token::find(server, self.client, look).await {
            Ok(token) => token,
            Err(NoToken::Wait(_)) => return Err(Refusal::wait()),
            Err(NoToken::Unavailable) => {
                return Err(Refusal::new(Code::Unavailable, "the server cannot answer now"));
            }
            Err(why) => {
                self.note_refused(&why);
                return Err(Refusal::wrong());
            }
        };
        let username_key = token.account.profile().user.username_key.clone();
        if username_key != self.name || !apps.iter().all(|app| token.opens(&app.uid)) {
            self.note_seldom("token.refused", None, "other-user-or-app");
            return Err(Refusal::wrong());
        }
        self.enter(apps, &token.account, &Proofs::default()).await?;
        if server.tokens.touch(&token, server.clock.now()) {
            let data = serde_json::json!({ "token": token.id, "kind": token.kind.word(), "name": token.name });
            let username = &token.account.profile().user.username;
            server.journal.note("token.used", Some(username), None, data);
        }
        Ok(Bound::Person { account: Arc::clone(&token.account), by: By::Token(token) })
    }

    async fn by_password(&self, apps: &[&App]) -> Result<Bound, Refusal> {
        let server = &self.front.server;
        let read = server.store.read().await?;
        let user = read.find_user_by_username(self.name).await?;
        let user_id = user.as_ref().map(|user| user.id.as_str());
        let held = Held::of(&read, user_id.unwrap_or_default()).await?;
        drop(read);
        let mut last = None;
        for (flow, apps) in self.flows(apps) {
            let proven = self.walk(flow, user.as_ref(), &held).await?;
            let Some(user) = &user else { return Err(Refusal::wrong()) };
            let account = server.sessions.account(&user.id).await?;
            self.enter(&apps, &account, &proven.proofs).await?;
            self.note_success(&user.username);
            let by = By::Password { set_at: proven.password_set_at };
            last = Some(Bound::Person { account, by });
        }
        last.ok_or_else(Refusal::wrong)
    }

    /// The flows to be gone through, each with the apps that are entered by it.
    fn flows(&self, apps: &[&'a App]) -> Vec<(&'a Flow, Vec<&'a App>)> {
        let mut flows: Vec<(&Flow, Vec<&App>)> = Vec::new();
        for app in apps {
            let named = app.ldap.as_ref().and_then(|ldap| ldap.flow.as_ref());
            let flow = match named {
                Some(slug) => self.runtime.flows.get(slug),
                None => self.runtime.authentication_flow(Some(app)),
            };
            // Without a flow nobody gets in: no walk, no bind.
            let Some(flow) = flow else { return Vec::new() };
            match flows.iter_mut().find(|(known, _)| known.slug.value == flow.slug.value) {
                Some((_, apps)) => apps.push(app),
                None => flows.push((flow, vec![app])),
            }
        }
        flows
    }

    async fn walk(
        &self,
        flow: &Flow,
        user: Option<&User>,
        held: &Held,
    ) -> Result<walk::Proven, Refusal> {
        let (server, runtime) = (&self.front.server, self.runtime);
        let front = self.front;
        let walk =
            Walk { server, runtime, flow, client: self.client, name: self.name, user, front };
        let given = walk::given(flow, held, self.secret);
        let username = user.map(|user| user.username.as_str());
        walk.go(held, &given).await.map_err(|stopped| match stopped {
            Stopped::Trouble(trouble) => trouble.into(),
            Stopped::Wait => Refusal::wait(),
            Stopped::Wrong { reason, locks } => {
                self.note(if locks { "login.locked" } else { "login.failed" }, username, reason);
                Refusal::wrong()
            }
            Stopped::Wants(what) => {
                self.note_seldom("login.failed", username, what);
                Refusal::new(Code::InvalidCredentials, format!("signing in wants {what}"))
            }
        })
    }

    /// What the rules of every app say.
    async fn enter(
        &self,
        apps: &[&App],
        account: &Account,
        proofs: &Proofs,
    ) -> Result<(), Refusal> {
        let server = &self.front.server;
        let profile = account.profile();
        let standing = profile.standing(self.runtime);
        let person = standing.person(&profile.user.username, proofs);
        let target = walk::target(self.client);
        for app in apps {
            let access = &app.access;
            let reputation =
                visitor::reputation_for(server, access, self.client, &profile.user.id).await;
            let now = server.clock.now();
            let query = Query {
                access,
                gate: None,
                target: &target,
                person: Some(&person),
                now,
                reputation,
            };
            let verdict = access::decide(&query, None);
            let (code, what) = match verdict.decision {
                Decision::Allow => continue,
                Decision::StepUp(need) => (Code::StrongerAuthRequired, need.text.clone()),
                Decision::Deny | Decision::Login => {
                    (Code::InsufficentAccessRights, verdict.by.text().to_owned())
                }
            };
            let (address, slug) = (visitor::address_key(self.client), &app.slug);
            let username = &profile.user.username;
            if self.front.is_news(&format!("access.denied/{username}/{slug}/{address}")) {
                tracing::info!(
                    user = username,
                    app = slug,
                    address,
                    by = what,
                    "a bind was denied"
                );
                let data = serde_json::json!({ "address": address, "by": what });
                server.journal.note("access.denied", Some(username), Some(slug), data);
            }
            let message = match self.app {
                Some(_) => format!("the rules of {slug} do not let this account in"),
                None => format!(
                    "the rules of {slug} do not let this account in; names below ou=APP,{} enter one app alone",
                    self.runtime
                        .directory
                        .as_ref()
                        .map(|it| it.base.to_string())
                        .unwrap_or_default()
                ),
            };
            return Err(Refusal::new(code, message));
        }
        Ok(())
    }

    /// Programs bind all day long: told at once from each address, and then ever more seldom.
    fn note_success(&self, name: &str) {
        let address = visitor::address_key(self.client);
        let app = self.app.map(|app| app.slug.as_str());
        if self
            .front
            .is_news(&format!("bind.succeeded/{name}/{}/{address}", app.unwrap_or_default()))
        {
            let data = serde_json::json!({ "address": address });
            self.front.server.journal.note("bind.succeeded", Some(name), app, data);
        }
    }

    /// A guess is counted, and so there are few. What is known to be worthless costs nobody anything.
    fn note_refused(&self, why: &NoToken) {
        match why {
            NoToken::Guess => self.note("token.refused", None, why.word()),
            _ => self.note_seldom("token.refused", None, why.word()),
        }
    }

    /// For what no counter bounds.
    fn note_seldom(&self, kind: &str, username: Option<&str>, reason: &str) {
        let address = visitor::address_key(self.client);
        let who = username.unwrap_or_default();
        if self.front.is_news(&format!("{kind}/{who}/{address}/{reason}")) {
            self.note(kind, username, reason);
        }
    }

    /// What was given as a name may be a secret in the wrong field: only names of accounts are kept.
    fn note(&self, kind: &str, username: Option<&str>, reason: &str) {
        let address = visitor::address_key(self.client);
        tracing::info!(user = username, address, kind, reason, "a bind failed");
        let data = serde_json::json!({ "address": address, "reason": reason, "by": "ldap" });
        let app = self.app.map(|app| app.slug.as_str());
        self.front.server.journal.note(kind, username, app, data);
    }
}

impl Bound {
    /// Whether it still holds: the account, and what was brought. A lock, another password and a revoked
    /// token end it with the next operation.
    pub async fn holds(&self, front: &Ldap, runtime: &Runtime) -> Result<bool, Trouble> {
        let server = &front.server;
        let now = server.clock.now();
        Ok(match self {
            Self::Program { name, token } => {
                let binder = runtime.directory.as_ref().and_then(|it| it.binder(name));
                let good = binder.map(|binder| server.client_secrets.of(&binder.uid, now));
                good.into_iter().flatten().any(|known| match known {
                    Known::Value { secret, .. } => {
                        server.key.digest(secret.reveal().as_bytes()) == *token
                    }
                    Known::Verifier(_) => false,
                })
            }
            Self::Person { account, by } => {
                let user = server.store.read().await?.find_user(account.id()).await?;
                let brought = user.is_some_and(|user| match by {
                    By::Password { set_at } => !user.disabled && user.password_set_at == *set_at,
                    By::Token(token) => !user.disabled && token.is_live(now),
                });
                brought && !account.profile().standing(runtime).disabled
            }
        })
    }
}
