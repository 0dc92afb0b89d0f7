//! What decides whether a stage runs.

use std::sync::Arc;

use crate::access::Target;
use crate::access::condition::{ConditionError, Facts, Reputation, Truth};
use crate::access::person::{Person, Proofs};
use crate::blueprint::source::{Name, Span};
use crate::clock::Millis;
use crate::expression::facts;
use crate::expression::program::Program;
use crate::factor::held::Held;
use crate::flow::progress::Progress;
use crate::flow::stages::{self, Agreed, Flows, Known, Next, Wanted};
use crate::model::factor::Factor;
use crate::pages::pinned::Generation;
use crate::pages::visit::Visit;
use crate::runtime::Runtime;
use crate::session::{Account, Profile, Standing};
use crate::store::ProofTimes;

/// What conditions of stages are judged by.
pub struct Conditions<'a> {
    pub visit: &'a Visit<'a>,
    pub generation: &'a Generation,
    /// Whom the flow is about, once that is proven.
    pub person: Option<&'a Proven>,
    pub reputation: Reputation,
}

/// What the store knows of the person.
#[derive(Debug, Default)]
pub struct Record {
    pub held: Held,
    /// What this browser remembers.
    pub remembered: ProofTimes,
    pub agreed: Agreed,
}

/// Somebody who has proven who they are, in this flow or in the session around it.
pub struct Proven {
    profile: Arc<Profile>,
    standing: Arc<Standing>,
    proofs: Proofs,
}

impl Proven {
    /// An account with what it has proven here, in the session, and to this browser.
    pub fn new<'p>(
        account: &Account,
        runtime: &Runtime,
        proofs: impl Iterator<Item = (&'p Factor, &'p Millis)>,
    ) -> Self {
        let profile = account.profile();
        let standing = profile.standing(runtime);
        Self { profile, standing, proofs: proofs.map(|(factor, at)| (*factor, *at)).collect() }
    }

    fn person(&self) -> Person<'_> {
        self.standing.person(&self.profile.user.username, &self.proofs)
    }
}

impl Conditions<'_> {
    /// What the flow asks for next.
    pub fn next<'f>(
        &self,
        flows: Flows<'f>,
        progress: &mut Progress,
        record: &Record,
        wanted: Wanted<'_>,
    ) -> Next<'f> {
        let holds = |policy: &Name| self.holds(policy);
        let known = Known {
            holds: &holds,
            held: &record.held,
            remembered: &record.remembered,
            agreed: &record.agreed,
            wanted,
            now: self.visit.server.clock.now(),
        };
        stages::next(flows, progress, &known)
    }

    /// Before anything is proven, a policy sees the request alone.
    fn holds(&self, policy: &Name) -> Truth {
        let Some(found) = self.visit.runtime.policies.get(&policy.value) else {
            let reason = format!("policy `{}` is no longer declared", policy.value);
            return Err(ConditionError { place: self.place(policy.span), reason });
        };
        let person = self.person.map(Proven::person);
        let target = Target {
            host: self.visit.runtime.external.host.as_str().into(),
            path: self.visit.path().into(),
            method: "GET".into(),
            client: self.visit.client,
        };
        let facts = Facts {
            person: person.as_ref(),
            target: &target,
            app: "",
            now: self.visit.server.clock.now(),
            reputation: self.reputation,
        };
        found.holds(&facts)
    }

    fn place(&self, at: Span) -> String {
        self.generation.sources.place(at)
    }
}

/// What an expression about the person, once known, and the app gives; nothing if it reads what is not
/// there.
pub fn text(
    expression: &Program,
    person: Option<&Proven>,
    app: &str,
    now: Millis,
) -> Option<String> {
    let person = person.map(Proven::person);
    let mfa: Vec<&str> = person.iter().flat_map(|person| person.proofs.words()).collect();
    let user = person.map(|person| person.for_expressions(&mfa));
    let app = Some(facts::AppFacts { slug: app, ..Default::default() });
    expression.text(&facts::Facts { user, app, now, ..Default::default() }).ok()
}
