//! Stages that make and change accounts: invitations, forms, links by mail.
//!
//! An account that waits for its address to be verified is not made before: until then nobody can
//! be it, and nothing has to be cleaned up.

use std::time::Duration;

use super::progress::Progress;
use super::stages::{Ask, Asked, Next, may_add, stuck};
use crate::blueprint::flow::{Purpose, StageKind};
use crate::blueprint::source::Name;

/// How long a mailed link is good if the stage does not say.
pub const LINK_LASTS: Duration = Duration::from_secs(30 * 60);

impl<'a> Ask<'a, '_> {
    pub(super) fn invitation(&self, required: bool, progress: &Progress) -> Asked<'a> {
        match progress.invitation.is_none() && required {
            true => Asked::Next(Next::AskInvitation),
            false => Asked::Done,
        }
    }

    /// `user-write`: only for whoever has proven to be the account, or makes it.
    pub(super) fn write(
        &self,
        groups: &'a [Name],
        until_verified: bool,
        progress: &mut Progress,
    ) -> Asked<'a> {
        let enrolls = self.flows.outer.purpose == Purpose::Enrollment;
        if enrolls && progress.user_id.is_some() {
            return Asked::Done;
        }
        if enrolls && until_verified && progress.verified.is_none() {
            progress.waits_to_write = true;
            return Asked::Done;
        }
        if !enrolls && !progress.is_proven() {
            let reason = "`user-write` was reached without a proof";
            return Asked::Next(stuck(self.stage.at, reason));
        }
        Asked::Next(Next::Write { groups })
    }

    pub(super) fn verify(&self, expires: Option<Duration>, progress: &mut Progress) -> Asked<'a> {
        if progress.verified.is_some() {
            return match std::mem::take(&mut progress.waits_to_write) {
                true => self.write_now(progress),
                false => Asked::Done,
            };
        }
        // An address is as good as a factor: a link to a new password goes there (R9).
        let may_replace = match self.flows.outer.purpose {
            Purpose::Enrollment => true,
            Purpose::Setup => may_add(self.known.held, progress),
            _ => progress.is_proven(),
        };
        if !may_replace {
            let reason = "an address was to be replaced by somebody who proved nothing";
            return Asked::Next(stuck(self.stage.at, reason));
        }
        match progress.filled.email.clone() {
            Some(address) => {
                let lasts = expires.unwrap_or(LINK_LASTS);
                Asked::Next(Next::VerifyAddress { lasts, address })
            }
            None if progress.waits_to_write => {
                let reason =
                    "there is no address to verify: no field of type `email` was filled in";
                Asked::Next(stuck(self.stage.at, reason))
            }
            None => Asked::Done,
        }
    }

    /// Goes back to the `user-write` that waited.
    fn write_now(&self, progress: &mut Progress) -> Asked<'a> {
        let waiting = |kind: &StageKind| {
            matches!(kind, StageKind::UserWrite { inactive_until_verified: true, .. })
        };
        let passed = self.flows.outer.stages.get(..progress.stage).unwrap_or_default();
        match passed.iter().rposition(|stage| waiting(&stage.kind)) {
            Some(at) => {
                progress.go_back(at);
                Asked::Entered
            }
            None => Asked::Next(stuck(self.stage.at, "the stage that waited to write is gone")),
        }
    }

    pub(super) fn link(&self, expires: Option<Duration>, progress: &Progress) -> Asked<'a> {
        if progress.by_link {
            return Asked::Done;
        }
        if !progress.is_named() {
            return Asked::Next(stuck(
                self.stage.at,
                "`email-link` stands before `identification`",
            ));
        }
        Asked::Next(Next::MailLink { lasts: expires.unwrap_or(LINK_LASTS) })
    }
}
