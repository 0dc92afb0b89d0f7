//! What decides whether a stage runs.

use crate::access::Target;
use crate::access::condition::{ConditionError, Facts, Reputation, Truth};
use crate::access::person::{Person, PersonKind, Proofs};
use crate::blueprint::flow::Stage;
use crate::blueprint::source::{Name, Sources, Span};
use crate::factor::held::Held;
use crate::flow::progress::Progress;
use crate::flow::stages::{self, Flows, Known, Next, Wanted};
use crate::pages::pinned::Generation;
use crate::pages::visit::Visit;
use crate::store::ProofTimes;
use crate::web::templates::{Declared, SourcePlace};

/// What conditions of stages are judged by.
pub struct Conditions<'a> {
    pub visit: &'a Visit<'a>,
    pub generation: &'a Generation,
}

impl Conditions<'_> {
    /// What the flow asks for next.
    pub fn next<'f>(
        &self,
        flows: Flows<'f>,
        progress: &mut Progress,
        held: &Held,
        remembered: &ProofTimes,
        wanted: Wanted<'_>,
    ) -> Next<'f> {
        let (holds, skip) = (|policy: &Name| self.holds(policy), |stage: &Stage| self.skips(stage));
        let now = self.visit.server.clock.now();
        let known = Known { holds: &holds, skip: &skip, held, remembered, wanted, now };
        stages::next(flows, progress, &known)
    }

    /// Only a development server lets pass what is not served.
    fn skips(&self, stage: &Stage) -> bool {
        let dev = self.visit.runtime.addressing.dev && self.visit.server.listening.loopback_only;
        if dev {
            tracing::warn!(place = %self.place(stage.at), "a stage that is not served yet was skipped: this is a development server");
        }
        dev
    }

    /// A policy about somebody who is not signed in yet sees the request alone.
    fn holds(&self, policy: &Name) -> Truth {
        let Some(found) = self.visit.runtime.policies.get(&policy.value) else {
            let reason = format!("policy `{}` is no longer declared", policy.value);
            return Err(ConditionError { place: self.place(policy.span), reason });
        };
        let (groups, names) = (Default::default(), Vec::new());
        let (attributes, proofs) = (Default::default(), Proofs::default());
        let person = Person {
            username: "",
            kind: PersonKind::User,
            name: None,
            email: None,
            groups: &groups,
            group_names: &names,
            attributes: &attributes,
            proofs: &proofs,
            disabled: false,
        };
        let target = Target {
            host: self.visit.runtime.external.host.as_str().into(),
            path: self.visit.path().into(),
            method: "GET".into(),
            client: self.visit.client,
        };
        let facts = Facts {
            person: &person,
            target: &target,
            app: "",
            now: self.visit.server.clock.now(),
            reputation: Reputation::Unkept,
        };
        found.holds(&facts)
    }

    fn place(&self, at: Span) -> String {
        self.generation.sources.place(at)
    }
}

/// The line of a stage, to be shown.
pub fn declared(sources: &Sources, at: Span) -> Declared {
    let line = u32::try_from(sources.position(at).line).unwrap_or(u32::MAX);
    let text = sources.slice(at).lines().next().unwrap_or("").to_owned();
    Declared { place: SourcePlace { file: sources.name(at.file).to_owned(), line }, text }
}
