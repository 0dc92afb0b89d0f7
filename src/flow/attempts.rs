//! Counting failures, shared by every way in (`security.md` 17).
//!
//! Three counters: one for the name as it was typed, one for the account behind it, whichever way it
//! was spelled, and one for the address. A right password clears the first two.

use std::time::Duration;

use super::reputation::{self, account_key};
use crate::blueprint::flow::Lockout;
use crate::clock::Millis;
use crate::store::{Store, StoreError, Tx, User};

/// Failures of one address, over all accounts, within a window.
const ADDRESS_LIMIT: u64 = 50;
/// The same for an address that many people come by.
const LIMIT_OF_MANY: u64 = 1_000;
const ADDRESS_WINDOW: Duration = Duration::from_secs(15 * 60);

/// Sign-ins that one address may begin within a minute: each is a row in the store until it ends.
const STARTS_LIMIT: u64 = 60;
const STARTS_WINDOW: Duration = Duration::from_secs(60);

/// The lockout of a flow that declares none.
const DEFAULT_LOCKOUT: Lockout = Lockout { after: 10, lasts: Duration::from_secs(15 * 60) };

/// Each lockout of a key lasts twice as long as the one before it, up to so many doublings.
const DOUBLINGS: u32 = 4;

/// A guess at one secret: the counters that it counts under.
#[derive(Clone, Debug)]
pub struct Guesses {
    /// Whoever guesses may see that this one locks: it is what they know already.
    open: Option<String>,
    /// Nobody may see that this one locks: it would tell that two names are one account's.
    hidden: Option<String>,
    /// Whose reputation suffers besides the address's.
    account: Option<String>,
    address: String,
    address_limit: u64,
    lockout: Lockout,
}

impl Guesses {
    /// At the password of a name. An unknown name counts like an account's.
    #[must_use]
    pub fn at_password(login: &str, user_id: Option<&str>, address: String) -> Self {
        let open = Some(name_key(login));
        let account = user_id.map(account_key);
        Self { open, hidden: account.clone(), account, ..Self::at_key(address) }
    }

    /// At a code of an account, which a right password does not clear: whoever has it would
    /// otherwise have all the guesses in the world.
    #[must_use]
    pub fn at_code(user_id: &str, address: String) -> Self {
        let account = Some(account_key(user_id));
        Self { open: Some(format!("factor:{user_id}")), account, ..Self::at_key(address) }
    }

    /// At what is too long to be guessed, such as a token or a passkey's signature.
    #[must_use]
    pub fn at_key(address: String) -> Self {
        Self {
            open: None,
            hidden: None,
            account: None,
            address,
            address_limit: ADDRESS_LIMIT,
            lockout: DEFAULT_LOCKOUT,
        }
    }

    /// From where many people come by one address, such as an app's: counted under this, and with more to
    /// spare.
    #[must_use]
    pub fn of_many(self, address: String) -> Self {
        Self { address, address_limit: LIMIT_OF_MANY, ..self }
    }

    /// Locks as a flow says.
    #[must_use]
    pub fn with(self, lockout: Option<Lockout>) -> Self {
        Self { lockout: lockout.unwrap_or(self.lockout), ..self }
    }

    /// Takes one of the guesses that are left, before anything is compared: many at once get no
    /// more than one after the other. The last one locks until it turns out right.
    ///
    /// # Errors
    /// If the store cannot be told.
    pub async fn take(&self, store: &Store, now: Millis) -> Result<Taken, StoreError> {
        let mut tx = store.begin().await?;
        let mut taken = Taken::One;
        if let Some(key) = &self.open {
            match count(&mut tx, key, self.lockout, now).await? {
                Counted::Blocked(until) => return Ok(Taken::Wait(until.since(now))),
                Counted::Last => taken = Taken::Last,
                Counted::One => {}
            }
        }
        let address = tx.count_failure(&self.address, now, ADDRESS_WINDOW).await?;
        if address.failures > self.address_limit {
            return Ok(Taken::Wait(address.first_at.plus(ADDRESS_WINDOW).since(now)));
        }
        if let Some(key) = &self.hidden {
            match count(&mut tx, key, self.lockout, now).await? {
                Counted::Blocked(_) => taken = Taken::InVain,
                Counted::Last => taken = Taken::Last,
                Counted::One => {}
            }
        }
        reputation::lower(&mut tx, self.reputed(), now).await?;
        tx.commit().await?;
        Ok(taken)
    }

    /// Whether no guess at this account is left, so that nothing may be compared. Asking writes nothing.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn are_over(&self, store: &Store, now: Millis) -> Result<bool, StoreError> {
        let read = store.read().await?;
        for key in self.of_the_person() {
            let found = read.find_attempts(key).await?;
            if found.and_then(|found| found.blocked_until).is_some_and(|until| now < until) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Nothing was compared: the guess is there for the next one.
    ///
    /// # Errors
    /// If the store cannot be told.
    pub async fn give_back(&self, store: &Store) -> Result<(), StoreError> {
        let mut tx = store.begin().await?;
        for key in self.of_the_person() {
            tx.take_back_failure(key).await?;
        }
        tx.take_back_failure(&self.address).await?;
        reputation::raise(&mut tx, self.reputed()).await?;
        tx.commit().await
    }

    /// It was right: the person has no failures, and the address one fewer.
    ///
    /// # Errors
    /// If the store cannot be told.
    pub async fn succeeded(&self, store: &Store) -> Result<(), StoreError> {
        let mut tx = store.begin().await?;
        for key in self.of_the_person() {
            tx.clear_attempts(key).await?;
        }
        tx.take_back_failure(&self.address).await?;
        reputation::raise(&mut tx, self.reputed()).await?;
        tx.commit().await
    }

    fn reputed(&self) -> impl Iterator<Item = &String> {
        self.account.iter().chain([&self.address])
    }

    fn of_the_person(&self) -> impl Iterator<Item = &String> {
        self.open.iter().chain(&self.hidden)
    }
}

/// Forgets the guesses at the password of an account, whatever name they were made under.
///
/// # Errors
/// If the store cannot be told.
pub async fn forget(tx: &mut Tx, user: &User) -> Result<(), StoreError> {
    tx.clear_attempts(&account_key(&user.id)).await?;
    for name in [Some(&user.username), user.email.as_ref()].into_iter().flatten() {
        tx.clear_attempts(&name_key(name)).await?;
    }
    Ok(())
}

fn name_key(login: &str) -> String {
    format!("name:{}", crate::secret::sha256_hex(crate::store::fold(login).as_bytes()))
}

/// What one more failure under a key came to.
enum Counted {
    One,
    Last,
    Blocked(Millis),
}

async fn count(
    tx: &mut Tx,
    key: &str,
    lockout: Lockout,
    now: Millis,
) -> Result<Counted, StoreError> {
    let found = tx.count_failure(key, now, lockout.lasts).await?;
    if let Some(until) = found.blocked_until.filter(|until| now < *until) {
        return Ok(Counted::Blocked(until));
    }
    if found.failures < u64::from(lockout.after) {
        return Ok(Counted::One);
    }
    let lasts = lockout.lasts.saturating_mul(1 << found.blocks.min(DOUBLINGS));
    tx.block_attempts(key, now.plus(lasts)).await?;
    Ok(Counted::Last)
}

/// Whether there was a guess left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    One,
    /// If it is wrong, the account is locked.
    Last,
    /// The account is locked, and whoever asks cannot know: the answer is that it was wrong.
    InVain,
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
