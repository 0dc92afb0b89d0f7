//! A bind as a walk through a flow: the same stages as in a browser, answered by what a bind carries, which
//! is a name, a password and at most one code. What asks for more refuses (`security.md` R8, R9).

use super::{Ldap, Trouble};
use crate::access::condition::{ConditionError, Facts, Reputation, Truth};
use crate::access::person::Proofs;
use crate::access::target::{Client, Target};
use crate::blueprint::flow::{Flow, Lockout, StageKind};
use crate::blueprint::source::Name;
use crate::factor::codes::{self, Outcome};
use crate::factor::held::Held;
use crate::flow::attempts::{Guesses, Taken};
use crate::flow::hashing::Verified;
use crate::flow::progress::{First, Progress};
use crate::flow::stages::{self, Agreed, Flows, Known, Next, Wanted};
use crate::model::factor::Factor;
use crate::runtime::Runtime;
use crate::secret::Secret;
use crate::session::{Profile, Standing, is_enabled};
use crate::store::{ProofTimes, User};
use crate::web::server::Server;
use crate::web::visitor;

/// Somebody on the way through a flow.
pub struct Walk<'a> {
    pub server: &'a Server,
    pub runtime: &'a Runtime,
    pub flow: &'a Flow,
    pub client: Client,
    /// The name as it is compared.
    pub name: &'a str,
    pub user: Option<&'a User>,
    pub front: &'a Ldap,
}

/// What a bind carries besides the name.
pub struct Given {
    pub password: Secret,
    pub code: Option<String>,
}

/// Why a walk ends before it has come to its end.
#[derive(Debug)]
pub enum Stopped {
    /// The name or the password is wrong, or the account is locked: one answer for all of it.
    Wrong {
        reason: &'static str,
        locks: bool,
    },
    /// Wrong too often.
    Wait,
    /// The flow wants what a bind cannot give.
    Wants(&'static str),
    Trouble(Trouble),
}

impl<E: Into<Trouble>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Trouble(error.into())
    }
}

/// What was proven.
#[derive(Debug)]
pub struct Proven {
    pub proofs: Proofs,
    /// When the password that was given was set.
    pub password_set_at: Option<crate::clock::Millis>,
}

/// Whether a code may stand behind the password, after a `;`.
#[must_use]
pub fn takes_code(flow: &Flow) -> bool {
    flow.stages.iter().any(|stage| match &stage.kind {
        StageKind::AuthenticatorValidate(validate) => validate.code_in_password,
        _ => false,
    })
}

/// Takes what was typed apart: only where a code may be asked for and there is one to ask for, so that a
/// password that looks as if it ended in a code stays whole.
#[must_use]
pub fn given(flow: &Flow, held: &Held, typed: &Secret) -> Given {
    let whole = || Given { password: typed.clone(), code: None };
    if !takes_code(flow) || !(held.has(Factor::Totp) || held.has(Factor::RecoveryCode)) {
        return whole();
    }
    match typed.reveal().rsplit_once(';') {
        Some((password, code)) if is_code(code) => {
            Given { password: Secret::new(password), code: Some(code.to_owned()) }
        }
        _ => whole(),
    }
}

fn is_code(text: &str) -> bool {
    let digits = (6..=8).contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit());
    let recovery = text.len() == 11 && text.as_bytes().get(5) == Some(&b'-');
    digits || recovery
}

impl Walk<'_> {
    /// Goes as far as what was given leads, which is the end or nowhere.
    pub async fn go(&self, held: &Held, given: &Given) -> Result<Proven, Stopped> {
        let now = self.server.clock.now();
        let mut progress = Progress::default();
        let mut about = None;
        loop {
            let reputation = self.reputation(about.is_some()).await;
            match self.next(&mut progress, held, about.as_ref(), reputation) {
                Next::AskName(asked) if asked.takes_names() && !progress.is_named() => {
                    progress.login = Some(self.name.to_owned());
                    progress.user_id = self.user.map(|user| user.id.clone());
                }
                Next::AskPassword { lockout } if progress.first.is_none() => {
                    self.password(lockout, &given.password).await?;
                    let user = self.user.ok_or(Stopped::wrong("no such account"))?;
                    progress.first = Some(First { at: now, password_set_at: user.password_set_at });
                    progress.must_change = user.must_change;
                    about = Some(self.about(user).await?);
                }
                Next::AskFactor { classes, .. } if takes_code(self.flow) => {
                    let (class, by) = self.code(held, &classes, given).await?;
                    progress.prove(class, by.as_deref(), now);
                }
                Next::AskFactor { .. } | Next::Lacks { .. } => {
                    return Err(Stopped::Wants("a second factor: bind with an app password"));
                }
                Next::AskNewPassword => {
                    return Err(Stopped::Wants("a new password: sign in with a browser once"));
                }
                Next::SignIn { .. } => break,
                Next::Refuse { .. } => {
                    return Err(Stopped::Wants("what nobody here can give: a stage refuses"));
                }
                Next::Stuck { at, reason } => {
                    let place = self.runtime.sources.place(at);
                    tracing::error!(place, reason, "a bind cannot go on");
                    return Err(Stopped::Wants("what the files do not say: the log knows more"));
                }
                _ => return Err(Stopped::Wants("a browser: bind with an app password")),
            }
        }
        let password_set_at = progress.first.and_then(|first| first.password_set_at);
        let proofs = progress.proven.iter().map(|(factor, at)| (*factor, *at)).collect();
        Ok(Proven { proofs, password_set_at })
    }

    /// What the flow asks for next.
    fn next(
        &self,
        progress: &mut Progress,
        held: &Held,
        about: Option<&Somebody>,
        reputation: Reputation,
    ) -> Next<'_> {
        let known = Known {
            holds: &|policy: &Name| self.holds(policy, about, reputation),
            held,
            remembered: &ProofTimes::default(),
            agreed: &Agreed::default(),
            wanted: Wanted::SignIn,
            now: self.server.clock.now(),
        };
        let flows = Flows { outer: self.flow, all: &self.runtime.flows };
        stages::next(flows, progress, &known)
    }

    /// Counted before it is compared, unless it was right a moment ago; the same work for everybody.
    async fn password(&self, lockout: Option<Lockout>, given: &Secret) -> Result<(), Stopped> {
        let server = self.server;
        let now = server.clock.now();
        let user_id = self.user.map(|user| user.id.as_str());
        let guesses = Guesses::at_password(self.name, user_id, visitor::address_key(self.client));
        let guesses = self.counted(guesses).with(lockout);
        // While nothing is left to guess, not even what is known to be right is said to be so.
        if let Some(user) = self.user
            && self.front.verified.knows(&server.key, user, given, now)
            && is_enabled(self.runtime, user)
            && !guesses.are_over(&server.store, now).await?
        {
            return Ok(());
        }
        let taken = guesses.take(&server.store, now).await?;
        if let Taken::Wait(_) = taken {
            return Err(Stopped::Wait);
        }
        let in_vain = taken == Taken::InVain;
        let hash = self.user.filter(|_| !in_vain).and_then(|user| user.password_hash.as_ref());
        let answer = match server.hasher.verify(given, hash).await {
            Ok(answer) => answer,
            Err(error) => {
                guesses.give_back(&server.store).await?;
                return Err(error.into());
            }
        };
        let reason = match self.user {
            _ if in_vain => "the account is locked",
            None => "no such account",
            Some(user) if !is_enabled(self.runtime, user) => "the account is disabled",
            Some(user) if user.password_hash.is_none() => "the account has no password",
            Some(_) if answer == Verified::Wrong => "wrong password",
            Some(user) => {
                guesses.succeeded(&server.store).await?;
                match answer {
                    Verified::RightButOld => self.upgrade(user, given).await?,
                    _ => self.front.verified.put(&server.key, user, given, now),
                }
                return Ok(());
            }
        };
        Err(Stopped::Wrong { reason, locks: taken == Taken::Last })
    }

    /// Today's parameters for a hash that was made with weaker ones.
    async fn upgrade(&self, user: &User, given: &Secret) -> Result<(), Trouble> {
        let Some(old) = &user.password_hash else { return Ok(()) };
        let new = self.server.hasher.hash(given, &self.server.rng).await?;
        let mut tx = self.server.store.begin().await?;
        tx.upgrade_password_hash(&user.id, old, &new).await?;
        Ok(tx.commit().await?)
    }

    /// Where an app asks from, all of its people do.
    fn counted(&self, guesses: Guesses) -> Guesses {
        let address = visitor::address_key(self.client);
        match self.front.programs.know(&address, self.server.clock.now()) {
            true => guesses.of_many(format!("program:{address}")),
            false => guesses,
        }
    }

    /// The code behind the password.
    async fn code(
        &self,
        held: &Held,
        classes: &[Factor],
        given: &Given,
    ) -> Result<(Factor, Option<String>), Stopped> {
        let server = self.server;
        let Some(code) = &given.code else {
            return Err(Stopped::Wants("a code behind the password, as in `password;123456`"));
        };
        let class = match code.contains('-') {
            true => Factor::RecoveryCode,
            false => Factor::Totp,
        };
        let Some(user) = self.user.filter(|_| classes.contains(&class)) else {
            return Err(Stopped::Wants("another kind of code"));
        };
        let now = server.clock.now();
        let guesses = Guesses::at_code(&user.id, visitor::address_key(self.client));
        let guesses = self.counted(guesses);
        let taken = guesses.take(&server.store, now).await?;
        if let Taken::Wait(_) = taken {
            return Err(Stopped::Wait);
        }
        let (store, key) = (&server.store, &server.key);
        let outcome = match class {
            Factor::RecoveryCode => codes::recovery_code(store, key, &user.id, code, now).await?,
            _ => codes::totp(store, key, held, code, now).await?,
        };
        match outcome {
            Outcome::Right { by } => {
                guesses.succeeded(store).await?;
                Ok((class, by))
            }
            Outcome::Used => Err(Stopped::wrong("the code was used before")),
            Outcome::Expired | Outcome::Wrong => {
                Err(Stopped::Wrong { reason: "wrong code", locks: taken == Taken::Last })
            }
        }
    }

    async fn reputation(&self, is_proven: bool) -> Reputation {
        let user = self.user.filter(|_| is_proven).map(|user| user.id.as_str());
        visitor::reputation(self.server, self.client, user).await
    }

    async fn about(&self, user: &User) -> Result<Somebody, Trouble> {
        let account = self.server.sessions.account(&user.id).await?;
        let profile = account.profile();
        let standing = profile.standing(self.runtime);
        Ok(Somebody { profile, standing })
    }

    /// Before anything is proven, a policy sees the program alone.
    fn holds(&self, policy: &Name, about: Option<&Somebody>, reputation: Reputation) -> Truth {
        let Some(found) = self.runtime.policies.get(&policy.value) else {
            let reason = format!("policy `{}` is no longer declared", policy.value);
            return Err(ConditionError { place: self.runtime.sources.place(policy.span), reason });
        };
        let proofs = Proofs::default();
        let person = about.map(|it| it.standing.person(&it.profile.user.username, &proofs));
        let target = target(self.client);
        found.holds(&Facts {
            person: person.as_ref(),
            target: &target,
            app: "",
            now: self.server.clock.now(),
            reputation,
        })
    }
}

impl Stopped {
    fn wrong(reason: &'static str) -> Self {
        Self::Wrong { reason, locks: false }
    }
}

/// Somebody who has proven who they are.
struct Somebody {
    profile: std::sync::Arc<Profile>,
    standing: std::sync::Arc<Standing>,
}

/// What rules see of a bind: no host and no path.
#[must_use]
pub fn target(client: Client) -> Target<'static> {
    Target { host: "".into(), path: "/".into(), method: "BIND".into(), client }
}
