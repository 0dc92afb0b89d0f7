//! How far a flow in progress has come: what the store keeps between two steps.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::factor::held::Held;
use crate::model::factor::Factor;
use crate::store::ProofTimes;

/// A flow in progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The stage to look at next.
    pub stage: usize,
    /// Flows under way inside this one, such as one that sets a factor up: the last is where the
    /// person is.
    pub inside: Vec<Inside>,
    /// Flows that ran inside and came to their end.
    pub done: Vec<String>,
    /// The name as it was typed.
    pub login: Option<String>,
    /// The account of that name, if there is one. No page may show whether there is.
    pub user_id: Option<String>,
    /// The first proof that the person is who they say.
    pub first: Option<First>,
    /// The account must set a new password before it is signed in.
    pub must_change: bool,
    /// The second factors that were proven in this flow.
    pub proven: ProofTimes,
    /// The ids of the factors that proved it.
    pub proven_by: Vec<String>,
    /// Whether the browser may remember them.
    pub remember: bool,
    /// What is being set up, sealed: it is nobody's before it was proven once.
    pub pending: Option<String>,
}

/// A flow inside another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inside {
    pub flow: String,
    pub stage: usize,
}

/// The first proof. It is worth something for as long as the account's password stays what it was,
/// whether or not the proof was the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct First {
    pub at: Millis,
    /// When the account's password of that moment was set; `None` if it had none.
    pub password_set_at: Option<Millis>,
}

impl Progress {
    /// Goes one stage on, in the flow where the person is.
    pub fn advance(&mut self) {
        let stage = self.inside.last_mut().map_or(&mut self.stage, |inside| &mut inside.stage);
        *stage = stage.saturating_add(1);
    }

    /// Goes into another flow.
    pub fn enter(&mut self, flow: &str) {
        self.pending = None;
        self.inside.push(Inside { flow: flow.to_owned(), stage: 0 });
    }

    /// Whether a flow runs or ran inside this one.
    #[must_use]
    pub fn has_entered(&self, flow: &str) -> bool {
        self.done.iter().any(|done| done == flow) || self.inside.iter().any(|i| i.flow == flow)
    }

    /// Comes back from the flow inside, at its end or before.
    pub fn leave(&mut self) -> Option<Inside> {
        self.pending = None;
        self.inside.pop()
    }

    /// Goes back to an earlier stage of the outer flow.
    pub fn go_back(&mut self, stage: usize) {
        self.stage = stage;
        self.inside.clear();
        self.pending = None;
    }

    /// A factor was proven, in this flow and now: the one of this id, unless it was a code that is
    /// used up.
    pub fn prove(&mut self, factor: Factor, id: Option<&str>, at: Millis) {
        self.proven.insert(factor, at);
        self.proven_by.extend(id.map(str::to_owned));
    }

    /// Whether everything that proved something here is still the account's.
    #[must_use]
    pub fn stands(&self, held: &Held) -> bool {
        self.proven_by.iter().all(|id| held.factors.iter().any(|factor| factor.id == *id))
    }

    /// Whether it is said whom the flow is about.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.login.is_some() || self.user_id.is_some()
    }

    /// Whether anything was proven.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.first.is_some() || !self.proven.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_survives_the_store() {
        let mut progress = Progress { stage: 2, login: Some("ä".into()), ..Default::default() };
        progress.enter("mfa-totp");
        progress.advance();
        progress.prove(Factor::RecoveryCode, None, Millis(7));
        let stored = serde_json::to_value(&progress).expect("JSON");
        assert_eq!(serde_json::from_value::<Progress>(stored).expect("progress"), progress);
        let more = serde_json::json!({ "stage": 0, "admin": true });
        assert!(serde_json::from_value::<Progress>(more).is_err());
    }
}
