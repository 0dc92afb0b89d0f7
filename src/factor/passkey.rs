//! Passkeys and security keys (Web Authentication Level 2). The library checks what the
//! specification says; what it is asked for, and what a proof counts as, is decided here.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use url::Url;
use webauthn_rs_core::WebauthnCore;
use webauthn_rs_core::proto::{
    AttestationConveyancePreference, AuthenticationState, Credential, PublicKeyCredential,
    RegisterPublicKeyCredential, RegistrationState, UserVerificationPolicy,
};

use super::{FactorError, ceremony};
use crate::model::web_url::Origin;
use crate::secret::MasterKey;
use crate::store::Factor;

/// Whether the person must prove themselves to their device, by a PIN or a finger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verification {
    Required,
    Preferred,
    Discouraged,
}

impl From<Verification> for UserVerificationPolicy {
    fn from(wanted: Verification) -> Self {
        match wanted {
            Verification::Required => Self::Required,
            Verification::Preferred => Self::Preferred,
            Verification::Discouraged => Self::Discouraged_DO_NOT_USE,
        }
    }
}

/// How a passkey is to be made.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    pub verification: Verification,
    /// Whether the device keeps it, so that no name need be typed.
    pub resident: bool,
    /// Whether the device is asked to say what it is.
    pub attestation: bool,
}

/// Whose passkey it will be.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    pub user_id: &'a str,
    pub username: &'a str,
    pub name: &'a str,
}

/// The sign-in host, as devices know it.
pub struct RelyingParty {
    core: WebauthnCore,
}

/// A challenge for the browser, and what has to be remembered of it.
#[derive(Debug)]
pub struct Challenge<T> {
    /// The argument of `navigator.credentials`, as JSON.
    pub options: String,
    pub state: T,
}

/// A right answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The device's signature count; 0 from one that does not count.
    pub counter: u32,
    /// The person proved themselves to the device.
    pub verified: bool,
}

impl RelyingParty {
    /// The relying party of the sign-in host.
    ///
    /// # Errors
    /// If the address is none that a browser could know.
    pub fn new(external: &Origin, name: &str) -> Result<Self, FactorError> {
        let origin = Url::parse(&external.to_string());
        let origin = origin.map_err(|error| FactorError::Passkey(error.to_string()))?;
        let (id, timeout) = (external.host.as_str(), ceremony::LASTS.min(Duration::from_secs(300)));
        let (subdomains, ports) = (Some(false), Some(false));
        let core = WebauthnCore::new_unsafe_experts_only(
            name,
            id,
            vec![origin],
            timeout,
            subdomains,
            ports,
        );
        Ok(Self { core })
    }

    /// Asks for a new passkey, on a device that holds none of `held`.
    ///
    /// # Errors
    /// If the library refuses.
    pub fn ask_to_make(
        &self,
        owner: Owner<'_>,
        wish: Wish,
        held: &[Credential],
    ) -> Result<Challenge<RegistrationState>, FactorError> {
        let name = if owner.name.is_empty() { owner.username } else { owner.name };
        let handle = owner.user_id.as_bytes();
        let builder = self.core.new_challenge_register_builder(handle, owner.username, name);
        let attestation = match wish.attestation {
            true => AttestationConveyancePreference::Direct,
            false => AttestationConveyancePreference::None,
        };
        let builder = builder
            .map_err(refused)?
            .user_verification_policy(wish.verification.into())
            .require_resident_key(wish.resident)
            .attestation(attestation)
            .exclude_credentials(Some(held.iter().map(|each| each.cred_id.clone()).collect()));
        let (options, state) = self.core.generate_challenge_register(builder).map_err(refused)?;
        let options = serde_json::to_string(&options).map_err(FactorError::Damaged)?;
        Ok(Challenge { options, state })
    }

    /// The passkey that was made, or why the answer is not one.
    ///
    /// # Errors
    /// With the reason, for the log.
    pub fn made(&self, answer: &str, state: &RegistrationState) -> Result<Credential, String> {
        let answer: RegisterPublicKeyCredential =
            serde_json::from_str(answer).map_err(|error| error.to_string())?;
        self.core.register_credential(&answer, state, None).map_err(|error| error.to_string())
    }

    /// Asks for a proof with one of `held`, or with whatever the device has if there are none.
    ///
    /// # Errors
    /// If the library refuses.
    pub fn ask_to_prove(
        &self,
        held: Vec<Credential>,
        wanted: Verification,
    ) -> Result<Challenge<AuthenticationState>, FactorError> {
        let builder = self.core.new_challenge_authenticate_builder(held, Some(wanted.into()));
        let builder = builder.map_err(refused)?.allow_backup_eligible_upgrade(true);
        let asked = self.core.generate_challenge_authenticate(builder);
        let (options, mut state) = asked.map_err(refused)?;
        // What the account holds is read again when the answer comes.
        state.set_allowed_credentials(Vec::new());
        let options = serde_json::to_string(&options).map_err(FactorError::Damaged)?;
        Ok(Challenge { options, state })
    }

    /// Whether `answer` is a proof with `credential`, and which.
    ///
    /// # Errors
    /// With the reason, for the log.
    pub fn proven(
        &self,
        answer: &PublicKeyCredential,
        state: &AuthenticationState,
        credential: &Credential,
    ) -> Result<Proof, String> {
        let checked = self.core.authenticate_single_credential(answer, state, credential);
        let checked = checked.map_err(|error| error.to_string())?;
        Ok(Proof { counter: checked.counter(), verified: checked.user_verified() })
    }
}

/// An answer of the browser, read before anything of it is believed.
#[must_use]
pub fn read_answer(text: &str) -> Option<PublicKeyCredential> {
    serde_json::from_str(text).ok()
}

/// The name under which the store finds a passkey.
#[must_use]
pub fn credential_id(id: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(id)
}

/// The passkey of a stored factor, with the count that the store knows.
///
/// # Errors
/// If it is damaged or sealed by another key.
pub fn stored(key: &MasterKey, factor: &Factor) -> Result<Credential, FactorError> {
    let mut credential: Credential = super::open(key, &factor.id, &factor.sealed)?;
    credential.counter = u32::try_from(factor.counter).unwrap_or(u32::MAX);
    Ok(credential)
}

fn refused(error: impl std::fmt::Display) -> FactorError {
    FactorError::Passkey(error.to_string())
}

#[cfg(test)]
mod tests;
