//! How far a flow in progress has come: what the store keeps between two steps.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::blueprint::flow::{Field, FieldKind};
use crate::clock::Millis;
use crate::factor::held::Held;
use crate::model::factor::Factor;
use crate::store::{ProofTimes, Terms};

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
    /// The invitation that the flow goes on by.
    pub invitation: Option<String>,
    /// What was filled in.
    pub filled: Filled,
    /// A `user-write` that waits until the address is verified.
    pub waits_to_write: bool,
    /// The last mail that the flow sent.
    pub mailed: Option<Mailed>,
    /// Whether its person came by a link from a mail.
    pub by_link: bool,
    /// The address that it was mailed to.
    pub linked_by: Option<String>,
    /// The code that was mailed last.
    pub code: Option<SentCode>,
    /// The address that was verified in this flow.
    pub verified: Option<String>,
    /// What another provider said of whoever is here.
    pub asserted: Option<Asserted>,
    /// Terms that were agreed to in this flow: kept once it is proven whose agreement it is.
    pub agreed: Vec<Terms>,
}

/// What another provider said of whoever is here. It becomes a connection when a session begins: until
/// then it is nobody's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asserted {
    /// The source, by name.
    pub source: String,
    /// Who vouches, and the name there.
    pub issuer: String,
    pub subject: String,
    /// What its person calls it.
    pub shown_as: String,
    /// What an account of theirs may be called.
    pub username: Option<String>,
    pub name: Option<String>,
    /// The address that the provider verified.
    pub email: Option<String>,
    /// The groups that the source gives.
    pub groups: Vec<String>,
    /// It is decided whether it goes to an account that is there.
    pub chosen: bool,
    /// Why it is this account's.
    pub basis: Basis,
}

/// Why what a provider says is an account's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The account's own proof was given beside it, or the account was made with it.
    #[default]
    OwnProof,
    /// It was connected before: worth nothing once that is taken away.
    Connection,
    /// Both sides have verified the same address.
    Address,
}

/// What was filled into the forms of a flow. It is nobody's before `user-write`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filled {
    pub username: Option<String>,
    pub email: Option<String>,
    /// The hash of the new password.
    pub password: Option<String>,
    /// Everything else, by the name of its field.
    pub fields: BTreeMap<String, String>,
    /// The fields that an invitation filled in: nobody changes them.
    pub fixed: Vec<String>,
    /// The username turned out to be somebody's.
    pub taken: bool,
}

impl Filled {
    /// What is filled into the field of this kind and name.
    #[must_use]
    pub fn get(&self, field: &Field) -> Option<&str> {
        let value = match field.kind {
            FieldKind::Username => self.username.as_ref(),
            FieldKind::Email => self.email.as_ref(),
            FieldKind::NewPassword => None,
            _ => self.fields.get(&field.name.value),
        };
        value.map(String::as_str)
    }

    /// Fills a field in. Passwords are hashed first, and set by themselves.
    pub fn set(&mut self, field: &Field, value: &str) {
        let kept = (!value.is_empty()).then(|| value.to_owned());
        match field.kind {
            FieldKind::Username => self.username = kept,
            FieldKind::Email => self.email = kept,
            FieldKind::NewPassword => {}
            _ => {
                self.fields.insert(field.name.value.clone(), value.to_owned());
            }
        }
    }

    /// Fills in what an invitation says, for good.
    pub fn fix(&mut self, fields: &BTreeMap<String, String>) {
        for (name, value) in fields {
            match name.as_str() {
                "username" => self.username = Some(value.clone()),
                "email" => self.email = Some(value.clone()),
                _ => {
                    self.fields.insert(name.clone(), value.clone());
                }
            }
            self.fixed.push(name.clone());
        }
    }

    #[must_use]
    pub fn is_fixed(&self, field: &Field) -> bool {
        let name = match field.kind {
            FieldKind::Username => "username",
            FieldKind::Email => "email",
            _ => field.name.value.as_str(),
        };
        self.fixed.iter().any(|fixed| fixed == name)
    }
}

/// A mail that the flow sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mailed {
    pub at: Millis,
    /// How many the flow sent so far.
    pub count: u32,
    /// The digest of the token that verifies an address, in hex.
    pub token: Option<String>,
}

/// A code that was mailed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentCode {
    /// In hex.
    pub digest: String,
    pub at: Millis,
    /// Wrong guesses at it.
    pub wrong: u32,
    /// How many the flow sent so far.
    pub count: u32,
}

impl fmt::Debug for Filled {
    /// Without what people typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filled({:?})", self.fields.keys().collect::<Vec<_>>())
    }
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
