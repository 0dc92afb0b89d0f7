//! Makes and seals the secrets that Doorward generates itself.

use super::{ApplyError, Applying, Uids};
use crate::reconcile::generated::binding;
use crate::secret::Secret;
use crate::store::Tx;

/// A secret that was made, without its value.
pub struct Made {
    /// `app:gitea`, or `traefik`.
    pub subject: String,
    pub field: String,
    pub rotation: i64,
    pub rotates: bool,
}

pub async fn write(
    applying: &Applying<'_>,
    tx: &mut Tx,
    uids: &Uids,
) -> Result<Vec<Made>, ApplyError> {
    let mut made = Vec::new();
    for secret in &applying.plan.generated {
        let uid = secret.owner.uid(uids).ok_or(ApplyError::Raced)?;
        let subject = secret.owner.subject();
        let value = Secret::new(applying.rng.token()?);
        let bound_to = binding(&uid, &secret.field);
        let sealed = applying.key.seal(&value, &bound_to, applying.rng)?;
        let row = tx.put_secret(&uid, &secret.field, &sealed, applying.now).await?;
        let (field, rotates) = (secret.field.clone(), secret.rotates);
        made.push(Made { subject, field, rotation: row.rotation, rotates });
    }
    Ok(made)
}
