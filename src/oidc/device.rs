//! Devices without a keyboard (RFC 8628): they show a code, and a person types it here.
//!
//! The address that a device shows never holds the code: whoever is sent a link cannot let a stranger's
//! device in by a click (`security.md` R19).

use std::time::Duration;

use axum::body::Body;
use http::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::client_auth::authenticate;
use super::entitled::target;
use super::refusal::{ErrorCode, Refusal};
use super::{Asked, DEVICE, approval, sealed, token};
use crate::access::target::Client as Address;
use crate::blueprint::oidc::Grant as GrantType;
use crate::clock::Millis;
use crate::entry::{Door, Entry, Wish};
use crate::ids::{NoRandomness, Rng};
use crate::runtime::Runtime;
use crate::runtime::app::App;
use crate::runtime::client::Client;
use crate::secret::{MasterKey, TokenDigest};
use crate::session::SignIn;
use crate::store::{DeviceCode, StoreError};
use crate::web::form::Form;
use crate::web::server::Server;
use crate::web::{reply, visitor};

/// How long a person has to find the page and type.
const LASTS: Duration = Duration::from_secs(10 * 60);
/// How long a device waits before it asks again (RFC 8628 §3.2).
pub const WAIT: Duration = Duration::from_secs(5);
/// Codes that one address may have open: each is a row.
const MOST_OPEN: i64 = 20;
/// Letters that make no word and look like no other (RFC 8628 §6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;
/// The parameter that holds what was typed, sealed.
const SEALED: &str = "asked";
const BOUND: &str = "typed-device-code";

/// A device asks for a code (RFC 8628 §3.1).
pub(super) async fn answer(asked: &Asked<'_>, body: Body) -> Result<Response<Body>, Refusal> {
    let form = token::read(body).await?;
    let (app, client) = authenticate(asked, &form).await?;
    if !client.may(GrantType::DeviceCode) {
        let why = "this client is not declared with this grant";
        return Err(Refusal::new(ErrorCode::UnauthorizedClient, why));
    }
    let wanted = form.exact("scope").unwrap_or("openid");
    let scopes = client.granted(wanted);
    if scopes.is_empty() {
        let why = "none of these scopes is declared for this client";
        return Err(Refusal::new(ErrorCode::InvalidScope, why));
    }
    let (server, now) = (asked.server, asked.server.clock.now());
    let address = visitor::address_key(asked.client);
    if server.store.read().await?.count_device_codes(&address, now).await? >= MOST_OPEN {
        let wait = Some(LASTS);
        let many = Refusal::new(ErrorCode::SlowDown, "too many codes from here wait to be typed");
        return Err(Refusal { wait, ..many });
    }
    let device_code = server.rng.token()?;
    for _ in 0..5 {
        let user_code = letters(&server.rng)?;
        let row = DeviceCode {
            digest: server.key.digest(device_code.as_bytes()),
            user_code: digest_of_typed(&server.key, &user_code),
            app_uid: app.uid.clone(),
            scopes: scopes.clone(),
            address: address.clone(),
            created_at: now,
            expires_at: now.plus(LASTS),
            asked_at: now.minus(WAIT),
            wait: WAIT,
            grant_id: None,
            refused_at: None,
            used_at: None,
        };
        let mut tx = server.store.begin().await?;
        let is_kept = tx.insert_device_code(&row).await?;
        tx.commit().await?;
        if is_kept {
            let body = json!({
                "device_code": device_code,
                "user_code": user_code,
                "verification_uri": format!("{}{DEVICE}", asked.runtime.external),
                "expires_in": LASTS.as_secs(),
                "interval": WAIT.as_secs(),
            });
            return Ok(reply::json(StatusCode::OK, &body));
        }
    }
    Err(Refusal::new(ErrorCode::Unavailable, "no code is free at the moment"))
}

/// A code for people, in two halves.
fn letters(rng: &Rng) -> Result<String, NoRandomness> {
    let mut code = String::with_capacity(LENGTH + 1);
    while code.len() < LENGTH + 1 {
        let mut byte = [0];
        rng.fill(&mut byte)?;
        // Each letter is as likely as any other.
        let [byte] = byte;
        let index = usize::from(byte);
        if let Some(letter) = LETTERS.get(index % LETTERS.len()).filter(|_| index < 240) {
            code.push(char::from(*letter));
            if code.len() == LENGTH / 2 {
                code.push('-');
            }
        }
    }
    Ok(code)
}

/// However it is typed: small letters, blanks and dashes change nothing.
fn digest_of_typed(key: &MasterKey, typed: &str) -> TokenDigest {
    let letters = typed.chars().filter(char::is_ascii_alphanumeric);
    let letters: String = letters.map(|letter| letter.to_ascii_uppercase()).take(64).collect();
    key.digest(format!("device\0{letters}").as_bytes())
}

/// What a person typed, as it travels while they prove who they are. It is good for that person alone,
/// so that nobody is sent an address in which somebody else's code is typed already.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Typed {
    user_code: String,
    user_id: String,
    client_id: String,
    scopes: Vec<String>,
    /// Where the device asked from, and when.
    origin: (String, Millis),
    at: Millis,
}

/// A device that somebody may let in, with the app that it is of.
#[derive(Debug)]
pub struct Device<'a> {
    pub app: &'a App,
    pub client: &'a Client,
    typed: Typed,
}

impl<'a> Device<'a> {
    /// The device whose code somebody typed, if it waits.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn find(
        server: &Server,
        runtime: &'a Runtime,
        sign_in: &SignIn,
        typed: &str,
    ) -> Result<Option<Self>, StoreError> {
        let now = server.clock.now();
        let digest = digest_of_typed(&server.key, typed);
        let found = server.store.read().await?.find_typed_code(&digest).await?;
        let Some(found) = found.filter(|found| found.is_open(now)) else { return Ok(None) };
        let app = runtime.app_by_uid(&found.app_uid);
        let Some((app, client)) = app.and_then(|app| Some((app, app.client.as_ref()?))) else {
            return Ok(None);
        };
        let typed = Typed {
            user_code: typed.to_owned(),
            user_id: sign_in.account.id().to_owned(),
            client_id: client.id.clone(),
            scopes: found.scopes,
            origin: (found.address, found.created_at),
            at: now,
        };
        Ok(Some(Self { app, client, typed }))
    }

    /// What travelled in the query of the page.
    #[must_use]
    pub fn of_query(server: &Server, runtime: &'a Runtime, query: &str) -> Option<Self> {
        let form = Form::of_query(query).ok()?;
        let typed: Typed = sealed::open(server, form.exact(SEALED)?, BOUND)?;
        let now = server.clock.now();
        if now < typed.at || now.since(typed.at) > LASTS {
            return None;
        }
        let (app, client) = runtime.client(&typed.client_id)?;
        Some(Self { app, client, typed })
    }

    /// Where it goes on.
    #[must_use]
    pub fn address(&self, server: &Server) -> Option<String> {
        Some(format!("{DEVICE}?{SEALED}={}", sealed::seal(server, &self.typed, BOUND)?))
    }

    /// Whether this person typed it.
    #[must_use]
    pub fn is_of(&self, sign_in: &SignIn) -> bool {
        self.typed.user_id == sign_in.account.id()
    }

    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.typed.scopes
    }

    /// Where the device asked from, and when.
    #[must_use]
    pub fn origin(&self) -> (&str, Millis) {
        let (address, at) = &self.typed.origin;
        (address.strip_prefix("address:").unwrap_or(address), *at)
    }

    /// What stands before somebody who is signed in.
    pub async fn entry(
        &self,
        server: &Server,
        runtime: &Runtime,
        address: Address,
        sign_in: &SignIn,
    ) -> Entry {
        let target = target(self.client, address);
        let door = Door { app: self.app, gate: None, target, wish: Wish::default() };
        door.judge(server, runtime, sign_in).await
    }

    /// Lets the device in. False if its code is over, or was answered before.
    ///
    /// # Errors
    /// If the store cannot be told, or the system has no randomness.
    pub async fn approve(
        &self,
        server: &Server,
        address: Address,
        sign_in: &SignIn,
    ) -> Result<bool, crate::session::SessionError> {
        let now = server.clock.now();
        let digest = digest_of_typed(&server.key, &self.typed.user_code);
        let found = server.store.read().await?.find_typed_code(&digest).await?;
        let Some(found) = found.filter(|found| found.app_uid == self.app.uid) else {
            return Ok(false);
        };
        let mut grant = approval::grant(server, self.app, sign_in, address, found.scopes)?;
        // The browser that it was typed in is not the device: it may be closed.
        (grant.session_id, grant.offline) = (None, true);
        grant.expires_at = found.expires_at;
        let mut tx = server.store.begin().await?;
        tx.insert_grant(&grant).await?;
        if !tx.approve_device_code(&found.digest, &grant.id, now).await? {
            return Ok(false);
        }
        tx.commit().await?;
        approval::note(server, self.app, sign_in, &grant, Some(self.origin().0));
        Ok(true)
    }

    /// Turns the device away. False as for [`Device::approve`].
    ///
    /// # Errors
    /// If the store cannot be told.
    pub async fn refuse(&self, server: &Server) -> Result<bool, StoreError> {
        let digest = digest_of_typed(&server.key, &self.typed.user_code);
        let Some(found) = server.store.read().await?.find_typed_code(&digest).await? else {
            return Ok(false);
        };
        let mut tx = server.store.begin().await?;
        let refused = tx.refuse_device_code(&found.digest, server.clock.now()).await?;
        tx.commit().await?;
        Ok(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_easy_to_type_and_hard_to_guess() {
        let rng = Rng::system();
        for _ in 0..100 {
            let code = letters(&rng).expect("a code");
            let (a, b) = code.split_once('-').expect("two halves");
            assert_eq!((a.len(), b.len()), (4, 4), "{code}");
            assert!(code.bytes().all(|byte| byte == b'-' || LETTERS.contains(&byte)), "{code}");
        }
    }

    #[test]
    fn small_letters_blanks_and_dashes_change_nothing() {
        let key = MasterKey::generate(&Rng::system())
            .and_then(|key| MasterKey::parse(&key).map_err(|_| NoRandomness));
        let key = key.expect("a key");
        let digest = |typed: &str| digest_of_typed(&key, typed).0;
        assert_eq!(digest("WDJB-MJHT"), digest(" wdjb mjht "));
        assert_ne!(digest("WDJB-MJHT"), digest("WDJB-MJHX"));
    }
}
