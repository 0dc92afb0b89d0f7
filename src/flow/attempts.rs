//! Counting failures, shared by every way in (`security.md` 17).
//!
//! Two counters: one for the account that was meant, whichever way its name was spelled, and one
//! for the address. A right password clears the account's.

use std::time::Duration;

use crate::blueprint::flow::Lockout;
use crate::clock::Millis;
use crate::store::{Store, StoreError, Tx};

/// Failures of one address, over all accounts, within a window.
const ADDRESS_LIMIT: u64 = 50;
const ADDRESS_WINDOW: Duration = Duration::from_secs(15 * 60);

/// Sign-ins that one address may begin within a minute: each is a row in the store until it ends.
const STARTS_LIMIT: u64 = 60;
const STARTS_WINDOW: Duration = Duration::from_secs(60);

/// The lockout of a flow that declares none.
pub const DEFAULT_LOCKOUT: Lockout = Lockout { after: 10, lasts: Duration::from_secs(15 * 60) };

/// The key that failures at an account count under.
#[must_use]
pub fn account_key(user_id: &str) -> String {
    format!("account:{user_id}")
}

/// The two keys that one attempt counts under.
#[derive(Clone, Debug)]
pub struct Keys {
    account: String,
    address: String,
}

impl Keys {
    /// An unknown name counts like an account, so that nobody can tell them apart.
    #[must_use]
    pub fn new(user_id: Option<&str>, login: &str, address: String) -> Self {
        let account = match user_id {
            Some(id) => account_key(id),
            None => {
                format!("name:{}", crate::secret::sha256_hex(crate::store::fold(login).as_bytes()))
            }
        };
        Self { account, address }
    }

    /// Takes one of the attempts that are left, before anything is compared: many at once get no
    /// more than one after the other. The last one locks until it turns out right.
    ///
    /// # Errors
    /// If the store cannot be told.
    pub async fn take(
        &self,
        store: &Store,
        lockout: Lockout,
        now: Millis,
    ) -> Result<Taken, StoreError> {
        let mut tx = store.begin().await?;
        let account = tx.count_failure(&self.account, now, lockout.lasts).await?;
        if let Some(until) = account.blocked_until.filter(|until| now < *until) {
            return Ok(Taken::Wait(until.since(now)));
        }
        let address = tx.count_failure(&self.address, now, ADDRESS_WINDOW).await?;
        if address.failures > ADDRESS_LIMIT {
            return Ok(Taken::Wait(address.first_at.plus(ADDRESS_WINDOW).since(now)));
        }
        let last = account.failures >= u64::from(lockout.after);
        if last {
            tx.block_attempts(&self.account, now.plus(lockout.lasts)).await?;
        }
        tx.commit().await?;
        Ok(if last { Taken::Last } else { Taken::One })
    }

    /// Nothing was compared: the attempt is there for the next one.
    ///
    /// # Errors
    /// If the store cannot be told.
    pub async fn give_back(&self, store: &Store) -> Result<(), StoreError> {
        let mut tx = store.begin().await?;
        tx.take_back_failure(&self.account).await?;
        tx.take_back_failure(&self.address).await?;
        tx.commit().await
    }

    /// The attempt was right: the account has no failures, and the address one fewer.
    ///
    /// # Errors
    /// If the store cannot be told.
    pub async fn succeeded(&self, store: &Store) -> Result<(), StoreError> {
        let mut tx = store.begin().await?;
        tx.clear_attempts(&self.account).await?;
        tx.take_back_failure(&self.address).await?;
        tx.commit().await
    }
}

/// Guesses at second factors of one account, which a right password does not clear: whoever has it
/// would otherwise have all the guesses in the world.
#[derive(Clone, Debug)]
pub struct FactorKeys(Keys);

impl FactorKeys {
    #[must_use]
    pub fn new(user_id: &str, address: String) -> Self {
        Self(Keys { account: format!("factor:{user_id}"), address })
    }

    /// Takes one of the guesses that are left, before anything is compared.
    ///
    /// # Errors
    /// If the store cannot be told.
    pub async fn take(
        &self,
        store: &Store,
        lockout: Lockout,
        now: Millis,
    ) -> Result<Taken, StoreError> {
        self.0.take(store, lockout, now).await
    }

    /// The proof was right.
    ///
    /// # Errors
    /// If the store cannot be told.
    pub async fn succeeded(&self, store: &Store) -> Result<(), StoreError> {
        self.0.succeeded(store).await
    }
}

/// Guesses at secrets that name no account: they count at the address, with those of the form.
#[derive(Clone, Debug)]
pub struct Guesses {
    address: String,
}

impl Guesses {
    #[must_use]
    pub fn of(address: &str) -> Self {
        Self { address: address.to_owned() }
    }

    /// Takes one of the guesses that are left, before anything is looked up.
    ///
    /// # Errors
    /// If the store cannot be told.
    pub async fn take(&self, store: &Store, now: Millis) -> Result<Taken, StoreError> {
        let mut tx = store.begin().await?;
        let address = tx.count_failure(&self.address, now, ADDRESS_WINDOW).await?;
        if address.failures > ADDRESS_LIMIT {
            return Ok(Taken::Wait(address.first_at.plus(ADDRESS_WINDOW).since(now)));
        }
        tx.commit().await?;
        Ok(Taken::One)
    }

    /// It was no guess: the address has one fewer.
    ///
    /// # Errors
    /// If the store cannot be told.
    pub async fn give_back(&self, store: &Store) -> Result<(), StoreError> {
        let mut tx = store.begin().await?;
        tx.take_back_failure(&self.address).await?;
        tx.commit().await
    }
}

/// Whether there was an attempt left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    One,
    /// If it is wrong, the account is locked.
    Last,
    /// None is left for so long.
    Wait(Duration),
}

/// The sign-ins that an address begins, whatever comes of them.
#[derive(Clone, Debug)]
pub struct Starts {
    key: String,
}

impl Starts {
    pub const LONGEST_WAIT: Duration = STARTS_WINDOW;

    #[must_use]
    pub fn of(address: &str) -> Self {
        Self { key: format!("starts:{address}") }
    }

    /// How long to wait before another may begin, if at all. Asking writes nothing.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn wait(&self, store: &Store, now: Millis) -> Result<Option<Duration>, StoreError> {
        let found = store.read().await?.find_attempts(&self.key).await?;
        let over = found.filter(|starts| starts.failures >= STARTS_LIMIT);
        let wait = over.map(|starts| starts.first_at.plus(STARTS_WINDOW).since(now));
        Ok(wait.filter(|wait| !wait.is_zero()))
    }

    /// Counts one that begins in this transaction. `false` if others took the last place.
    ///
    /// # Errors
    /// If the store cannot be told.
    pub async fn count(&self, tx: &mut Tx, now: Millis) -> Result<bool, StoreError> {
        let starts = tx.count_failure(&self.key, now, STARTS_WINDOW).await?;
        Ok(starts.failures <= STARTS_LIMIT)
    }
}
