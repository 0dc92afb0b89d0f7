//! Carries what waits in the outbox to the mail server, one message at a time.
//!
//! A message is claimed before it is tried. A node that dies in between loses its claim after a
//! while, and another one sends: rather twice than not at all.

use std::time::Duration;

use super::letter::{self, Heading, Letter, Words};
use super::post::{Opened, Post, PostError};
use super::route::Route;
use super::smtp::{self, Failure, Patience, Stage};
use crate::clock::Millis;
use crate::store::{Given, Outgoing, Store, Tx};

/// How long a claim holds: longer than any conversation may take.
pub const LEASE: Duration = Duration::from_secs(5 * 60);
const LONGEST_CONVERSATION: Duration = Duration::from_secs(4 * 60);

const FIRST_DELAY: Duration = Duration::from_secs(30);
const LONGEST_DELAY: Duration = Duration::from_secs(60 * 60);
/// Some thirteen hours with these delays.
const MOST_ATTEMPTS: u64 = 20;

const BATCH: i64 = 100;

/// Puts a message into words.
pub type Render<'a> = &'a (dyn Fn(&Opened) -> Result<Words, String> + Sync);

/// Everything that it takes to send.
pub struct Carrier<'a> {
    pub store: &'a Store,
    pub post: &'a Post,
    pub route: Result<&'a Route, &'a Failure>,
    pub render: Render<'a>,
    pub patience: Patience,
}

/// One message, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    pub id: String,
    pub recipient: String,
    pub kind: String,
    pub attempts: u64,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Sent {
        reply: String,
    },
    /// It is tried again then.
    Postponed {
        failure: Failure,
        next: Millis,
    },
    GivenUp {
        failure: Failure,
    },
    /// Somebody said that it is enough before it was through.
    Released,
}

impl Outcome {
    /// Whether the next message would fare the same: the failure was none of this message's own.
    #[must_use]
    pub fn concerns_all(&self) -> bool {
        match self {
            Self::Sent { .. } => false,
            Self::Released => true,
            Self::Postponed { failure, .. } | Self::GivenUp { failure } => {
                !matches!(failure.stage, Stage::Recipient | Stage::Message | Stage::Settings)
                    || failure.stage == Stage::Settings && !failure.lasting
            }
        }
    }
}

impl Carrier<'_> {
    /// Drops what has run out.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn drop_expired(&self) -> Result<Vec<Given>, PostError> {
        let mut tx = self.store.begin().await?;
        let dropped = tx.drop_expired_outgoing(self.post.now(), BATCH).await?;
        tx.commit().await?;
        Ok(dropped)
    }

    /// Sends the message that is due longest; `None` if none is. When `enough` comes to an end
    /// first, the message is given back.
    ///
    /// # Errors
    /// If the store fails. A message that was handed in then may be sent again.
    pub async fn carry_one(
        &self,
        enough: impl Future<Output = ()>,
    ) -> Result<Option<Carried>, PostError> {
        let now = self.post.now();
        let mut tx = self.store.begin().await?;
        let claimed = tx.claim_outgoing(now, now.plus(LEASE)).await?;
        tx.commit().await?;
        let Some(outgoing) = claimed else { return Ok(None) };
        let tried = tokio::select! {
            tried = self.try_once(&outgoing) => Some(tried),
            () = enough => None,
        };
        let mut tx = self.store.begin().await?;
        let outcome = self.settle(&mut tx, &outgoing, tried).await?;
        tx.commit().await?;
        Ok(Some(Carried {
            id: outgoing.id,
            recipient: outgoing.recipient,
            kind: outgoing.kind,
            attempts: outgoing.attempts,
            outcome,
        }))
    }

    async fn try_once(&self, outgoing: &Outgoing) -> Result<String, Failure> {
        // A process that dies of a message never gets as far as to count its failures.
        if outgoing.attempts > MOST_ATTEMPTS {
            return Err(unusable("it was claimed again and again, and never came through"));
        }
        let opened = self.post.open(outgoing).map_err(|error| unusable(&error.to_string()))?;
        let to = letter::address(&outgoing.recipient);
        let to = to.ok_or_else(|| unusable("its address is none"))?;
        let route = self.route.map_err(Clone::clone)?;
        let words = (self.render)(&opened).map_err(|error| {
            Failure::settings(&error, "see the templates below `custom-templates/mail`")
        })?;
        let heading = Heading {
            from: &route.from,
            to: &to,
            id: &outgoing.id,
            host: &route.hello,
            at: outgoing.created_at,
        };
        let letter = Letter::new(heading, &words).map_err(|error| unusable(&error.to_string()))?;
        let mut reply = String::new();
        let mut tell = |step| {
            if let smtp::Step::Accepted { reply: said } = step {
                reply = said;
            }
        };
        let conversation = smtp::hand_in(route, &letter, self.patience, &mut tell);
        match tokio::time::timeout(LONGEST_CONVERSATION, conversation).await {
            Ok(done) => done?,
            Err(_) => return Err(Failure::too_long()),
        }
        Ok(reply)
    }

    async fn settle(
        &self,
        tx: &mut Tx,
        outgoing: &Outgoing,
        tried: Option<Result<String, Failure>>,
    ) -> Result<Outcome, PostError> {
        let now = self.post.now();
        let failure = match tried {
            None => {
                tx.release_outgoing(outgoing).await?;
                return Ok(Outcome::Released);
            }
            Some(Ok(reply)) => {
                tx.finish_outgoing(outgoing).await?;
                return Ok(Outcome::Sent { reply });
            }
            Some(Err(failure)) => failure,
        };
        let next = now.plus(delay(outgoing.attempts));
        let (error, too_late) = (failure.to_string(), next >= outgoing.expires_at);
        if failure.lasting || too_late || outgoing.attempts >= MOST_ATTEMPTS {
            tx.give_up_outgoing(outgoing, &error, now).await?;
            return Ok(Outcome::GivenUp { failure });
        }
        tx.postpone_outgoing(outgoing, &error, next).await?;
        Ok(Outcome::Postponed { failure, next })
    }
}

/// A message that can never be sent.
fn unusable(reason: &str) -> Failure {
    let remedy = "nothing can be done about this message; have it sent anew";
    Failure { lasting: true, ..Failure::settings(reason, remedy) }
}

/// Twice as long after each attempt.
fn delay(attempts: u64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    FIRST_DELAY.saturating_mul(1 << doublings).min(LONGEST_DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_up_to_an_hour() {
        let seconds: Vec<u64> = (1..=9).map(|attempts| delay(attempts).as_secs()).collect();
        assert_eq!(seconds, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        assert_eq!(delay(u64::MAX), LONGEST_DELAY);
    }
}
