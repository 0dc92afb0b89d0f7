//! The OpenID Connect client that an app is.

use std::time::Duration;

use super::{Compiler, attribute_map};
use crate::blueprint::app as declared;
use crate::blueprint::oidc::{self, Grant, Oidc, Rule};
use crate::blueprint::source::Spanned;
use crate::jose::{Algorithm, KeySet};
use crate::runtime::client::{Client, Keys, ServiceAccount, Subject};

/// What may be asked for where nothing is said.
const SCOPES: [&str; 3] = ["openid", "profile", "email"];

impl Compiler<'_> {
    pub(super) fn client(&self, app: &declared::App) -> Option<Client> {
        let oidc = app.oidc.as_ref()?;
        let slug = &app.slug.value;
        let id = oidc.client_id.as_ref().map_or(slug, |id| &id.value).clone();
        let default = self.blueprint.settings.default_token_lifetime;
        let access_token_lasts = oidc.access_token.lasts.unwrap_or(default);
        let scopes: Vec<_> = oidc.scopes.iter().map(|scope| scope.value.clone()).collect();
        let texts = |uris: &[crate::blueprint::source::Spanned<String>]| {
            uris.iter().map(|uri| uri.value.clone()).collect()
        };
        let text = |uri: &Option<Spanned<String>>| uri.as_ref().map(|uri| uri.value.clone());
        Some(Client {
            public: oidc.public,
            auth: oidc.proves_by(),
            keys: keys(oidc),
            may_reach: oidc.may_reach.iter().map(|each| oidc::with_port(&each.value)).collect(),
            is_fapi: oidc.is_fapi(),
            grants: [Grant::AuthorizationCode, Grant::ClientCredentials, Grant::DeviceCode]
                .into_iter()
                .filter(|grant| oidc.may(*grant))
                .collect(),
            acts_as: oidc.acts_as.as_ref().and_then(|name| self.service_account(&name.value)),
            needs_challenge: oidc.public || is_required(&oidc.pkce, true),
            must_push: is_required(&oidc.pushed_requests, oidc.is_fapi()),
            must_sign_requests: is_required(&oidc.signed_requests, false),
            must_bind: is_required(&oidc.dpop, oidc.is_fapi()),
            redirect_uris: texts(&oidc.redirect_uris),
            post_logout_redirect_uris: texts(&oidc.post_logout_redirect_uris),
            back_channel_logout_uri: text(&oidc.back_channel_logout_uri),
            front_channel_logout_uri: text(&oidc.front_channel_logout_uri),
            scopes: match scopes.is_empty() {
                true => SCOPES.map(str::to_owned).to_vec(),
                false => scopes,
            },
            subject: subject(oidc),
            signing: signing(oidc),
            id_token_lasts: oidc.id_token.unwrap_or(access_token_lasts),
            access_token_lasts,
            access_token_format: oidc.access_token.format,
            audience: oidc.access_token.audience.clone().unwrap_or_else(|| id.clone()),
            refresh_token_lasts: oidc.refresh_token.filter(|lasts| *lasts > Duration::ZERO),
            consent: oidc.consent.as_ref().map(|flow| flow.value.clone()),
            id,
        })
    }

    pub(super) fn service_account(&self, name: &str) -> Option<ServiceAccount> {
        let declared = self.blueprint.service_accounts.iter().find(|a| a.name.value == name)?;
        let groups = self.groups.expand(declared.groups.iter().map(|group| group.value.as_str()));
        let mut group_names: Vec<_> = self.groups.names_in(&groups).map(str::to_owned).collect();
        group_names.sort_unstable();
        Some(ServiceAccount {
            name: name.to_owned(),
            title: declared.title.clone(),
            groups,
            group_names,
            attributes: attribute_map(&declared.attributes),
            proofs: crate::access::person::Proofs::default(),
        })
    }
}

fn is_required(rule: &Option<Spanned<Rule>>, unsaid: bool) -> bool {
    rule.as_ref().map_or(unsaid, |rule| rule.value == Rule::Required)
}

/// What every application understands, and for a profile that forbids it the quickest.
fn signing(oidc: &Oidc) -> Algorithm {
    let unsaid = if oidc.is_fapi() { Algorithm::Es256 } else { Algorithm::Rs256 };
    oidc.signing.as_ref().map_or(unsaid, |signing| signing.value)
}

fn keys(oidc: &Oidc) -> Option<Keys> {
    match (&oidc.jwks, &oidc.jwks_uri) {
        (Some(text), _) => KeySet::read(&text.value).ok().map(Keys::Declared),
        (None, Some(uri)) => Some(Keys::At(uri.value.clone())),
        (None, None) => None,
    }
}

fn subject(oidc: &Oidc) -> Subject {
    match &oidc.subject {
        oidc::Subject::Public => Subject::Public,
        oidc::Subject::Pairwise { sector } => {
            let delivered = || {
                let first = oidc.redirect_uris.first()?;
                url::Url::parse(&first.value).ok()?.host_str().map(str::to_owned)
            };
            let sector = sector.clone().or_else(delivered).unwrap_or_default();
            Subject::Pairwise { sector }
        }
        oidc::Subject::Attribute { key } => match key {
            Some(key) => Subject::Attribute { key: key.value.clone() },
            None => Subject::Public,
        },
    }
}
