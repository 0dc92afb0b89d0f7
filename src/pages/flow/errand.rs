//! What a flow is gone through for: its address says it.

use std::sync::Arc;
use std::time::Duration;

use super::{Trouble, app_of};
use crate::blueprint::flow::{Flow, Purpose};
use crate::entry::Entry;
use crate::flow::progress::{First, Progress};
use crate::flow::stages::Wanted;
use crate::model::factor::Factor;
use crate::pages::visit::Visit;
use crate::session::SignIn;

/// For how long a proof is fresh enough to change what an account is proven by.
pub const FRESH: Duration = Duration::from_secs(10 * 60);

/// Where a flow leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// To a session.
    SignIn,
    /// To an account of one's own.
    Enroll,
    /// To a new password for an account that is there.
    Recover,
    /// To one more proof in the session that is there.
    StepUp,
    /// To one more factor of the account that is signed in.
    SetUp,
    /// Into an app, by what it wants to be agreed to.
    Authorize,
}

impl Errand {
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        let outside = [Self::SignIn, Self::Enroll, Self::Recover];
        let inside = [Self::StepUp, Self::SetUp, Self::Authorize];
        outside.into_iter().chain(inside).find(|errand| errand.path() == path)
    }

    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::SignIn => "/sign-in",
            Self::Enroll => "/enroll",
            Self::Recover => "/recover",
            Self::StepUp => "/step-up",
            Self::SetUp => "/set-up",
            Self::Authorize => "/authorize",
        }
    }

    /// The flow that this visit is to go through.
    pub fn flow<'v>(self, visit: &'v Visit<'_>) -> Option<&'v Arc<Flow>> {
        match self {
            Self::SignIn => visit.runtime.authentication_flow(app_of(visit)),
            Self::StepUp => visit.runtime.default_flow(Purpose::StepUp),
            Self::Enroll => named(visit, Purpose::Enrollment)
                .or_else(|| visit.runtime.default_flow(Purpose::Enrollment)),
            Self::Recover => named(visit, Purpose::Recovery)
                .or_else(|| visit.runtime.default_flow(Purpose::Recovery)),
            Self::SetUp => named(visit, Purpose::Setup),
            Self::Authorize => visit.onward()?.authorization_flow(visit),
        }
    }

    /// The errand that a flow is for, if people go on it by themselves.
    #[must_use]
    pub fn for_purpose(purpose: Purpose) -> Option<Self> {
        match purpose {
            Purpose::Authentication => Some(Self::SignIn),
            Purpose::Enrollment => Some(Self::Enroll),
            Purpose::Recovery => Some(Self::Recover),
            Purpose::StepUp => Some(Self::StepUp),
            Purpose::Setup => Some(Self::SetUp),
            Purpose::Consent => Some(Self::Authorize),
            Purpose::Logout => None,
        }
    }

    /// Whether it is for whoever is signed in already.
    #[must_use]
    pub fn is_inside_session(self) -> bool {
        matches!(self, Self::StepUp | Self::SetUp | Self::Authorize)
    }

    /// What somebody who is signed in begins with. A factor is set up by whoever proved one just
    /// now, or gave the password if there is none (`security.md` R9). An app is entered with all
    /// that the session has seen.
    pub fn begin(self, visit: &Visit<'_>, sign_in: Option<&SignIn>) -> Progress {
        let Some(sign_in) = sign_in.filter(|_| self.is_inside_session()) else {
            return Progress::default();
        };
        let user = &sign_in.account.profile().user;
        let mut progress = Progress {
            login: Some(user.username.clone()),
            user_id: Some(user.id.clone()),
            ..Progress::default()
        };
        if self != Self::StepUp {
            let now = visit.server.clock.now();
            let fresh = |at: &crate::clock::Millis| {
                self == Self::Authorize || (*at <= now && now.since(*at) <= FRESH)
            };
            let password_set_at = user.password_set_at;
            let first = sign_in.proven.first.filter(fresh);
            progress.first = first.map(|at| First { at, password_set_at });
            let proven = sign_in.proven.factors.iter().filter(|(_, at)| fresh(at));
            progress.proven = proven.map(|(factor, at)| (*factor, *at)).collect();
        }
        progress
    }
}

/// The flow that the address names, if it is for this purpose.
fn named<'v>(visit: &'v Visit<'_>, purpose: Purpose) -> Option<&'v Arc<Flow>> {
    let flow = visit.runtime.flows.get(&visit.query("flow")?)?;
    (flow.purpose == purpose).then_some(flow)
}

/// What a step-up is wanted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: the way is open, or closed for another reason.
    Nothing,
    /// A rule of an app asks for one of these, or any if there are none.
    Factor(Vec<Factor>),
    /// The person wants to change something.
    Presence,
}

impl Need {
    /// What is to be proven before this visit may go on.
    pub async fn of(
        errand: Errand,
        visit: &Visit<'_>,
        sign_in: Option<&Arc<SignIn>>,
    ) -> Result<Self, Trouble> {
        let (Errand::StepUp, Some(sign_in)) = (errand, sign_in) else { return Ok(Self::Nothing) };
        let Some(onward) = visit.onward() else {
            let fresh = is_fresh(visit, sign_in).await?;
            return Ok(if fresh { Self::Nothing } else { Self::Presence });
        };
        Ok(match onward.entry(visit, sign_in).await? {
            Entry::StepUp(kinds) => Self::Factor(kinds),
            Entry::Presence => Self::Presence,
            Entry::SignIn | Entry::Open | Entry::Closed => Self::Nothing,
        })
    }

    #[must_use]
    pub fn wanted(&self) -> Wanted<'_> {
        match self {
            Self::Nothing => Wanted::SignIn,
            Self::Factor(kinds) => Wanted::Factor(kinds),
            Self::Presence => Wanted::Presence,
        }
    }
}

/// Whether the session has seen a proof just now: of a factor, if the account holds any.
pub async fn is_fresh(visit: &Visit<'_>, sign_in: &SignIn) -> Result<bool, Trouble> {
    let now = visit.server.clock.now();
    let read = visit.server.store.read().await?;
    let held = crate::factor::held::Held::of(&read, sign_in.account.id()).await?;
    if held.is_empty() {
        let fresh = |at| at <= now && now.since(at) <= FRESH;
        return Ok(sign_in.proven.first.is_some_and(fresh));
    }
    Ok(sign_in.proofs.hold(&[], Some(FRESH), now))
}
