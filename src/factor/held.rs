//! What an account can prove.

use crate::model::factor::Factor as Class;
use crate::store::{Factor, Read, StoreError};

/// The factors of one account.
#[derive(Clone, Debug, Default)]
pub struct Held {
    pub factors: Vec<Factor>,
    /// How many recovery codes are left.
    pub recovery_codes: u64,
}

impl Held {
    /// What this person holds.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn of(read: &Read, user_id: &str) -> Result<Self, StoreError> {
        Ok(Self {
            factors: read.list_factors_of(user_id).await?,
            recovery_codes: read.count_recovery_codes_of(user_id).await?,
        })
    }

    /// Whether there is no factor of any class (`security.md` R9).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.factors.is_empty() && self.recovery_codes == 0
    }

    /// Whether there is one of this class.
    #[must_use]
    pub fn has(&self, class: Class) -> bool {
        match class {
            Class::RecoveryCode => self.recovery_codes > 0,
            _ => self.of_class(class).next().is_some(),
        }
    }

    /// The factors of a class, the oldest first.
    pub fn of_class(&self, class: Class) -> impl Iterator<Item = &Factor> {
        self.factors.iter().filter(move |factor| factor.kind == class)
    }
}
