//! Other providers.

use super::{CompileError, Compiler};
use crate::blueprint::identity_source::{self as declared, GroupGrant};
use crate::expression::catalogue::Context;
use crate::runtime::identity_source::{Grant, IdentitySource, Protocol};

const GITHUB: &str = "https://github.com";
const GITHUB_API: &str = "https://api.github.com";

impl Compiler<'_> {
    pub(super) fn identity_sources(&self) -> Result<Vec<IdentitySource>, CompileError> {
        self.blueprint.sources.iter().map(|source| self.identity_source(source)).collect()
    }

    fn identity_source(
        &self,
        source: &declared::IdentitySource,
    ) -> Result<IdentitySource, CompileError> {
        let slug = source.slug.value.clone();
        let grants = source.groups.iter().map(|grant| self.grant(grant, source));
        Ok(IdentitySource {
            title: source.title.clone().unwrap_or_else(|| slug.clone()),
            protocol: protocol(&source.protocol),
            client_id: source.client.id.clone(),
            client_secret: self.inputs.source_secrets.get(&slug).cloned(),
            scopes: scopes(source),
            link: source.link,
            enroll: source.enroll.as_ref().map(|flow| flow.value.clone()),
            for_domains: source.for_domains.iter().map(|each| each.value.to_lowercase()).collect(),
            may_reach: source.may_reach.clone(),
            grants: grants.collect::<Result<_, _>>()?,
            slug,
        })
    }

    fn grant(
        &self,
        grant: &GroupGrant,
        source: &declared::IdentitySource,
    ) -> Result<Grant, CompileError> {
        let when = grant.when.as_ref().map(|text| self.program(text, Context::Source));
        Ok(Grant {
            groups: grant.groups.iter().map(|group| group.value.clone()).collect(),
            when: when.transpose()?,
            place: self.sources.place(grant.when.as_ref().map_or(source.at, |when| when.span)),
        })
    }
}

fn protocol(protocol: &declared::Protocol) -> Protocol {
    match protocol {
        declared::Protocol::Oidc { issuer } => Protocol::Oidc { issuer: issuer.value.clone() },
        declared::Protocol::Oauth2(endpoints) => Protocol::Oauth2 {
            authorize: endpoints.authorize.value.clone(),
            token: endpoints.token.value.clone(),
            userinfo: endpoints.userinfo.value.clone(),
            fields: endpoints.fields.clone(),
        },
        declared::Protocol::Github { url: None } => {
            Protocol::Github { url: GITHUB.to_owned(), api: GITHUB_API.to_owned() }
        }
        declared::Protocol::Github { url: Some(url) } => {
            let url = url.value.trim_end_matches('/').to_owned();
            Protocol::Github { api: format!("{url}/api/v3"), url }
        }
    }
}

/// What is asked for if the files say nothing.
fn scopes(source: &declared::IdentitySource) -> Vec<String> {
    if !source.client.scopes.is_empty() {
        return source.client.scopes.clone();
    }
    let usual: &[&str] = match source.protocol {
        declared::Protocol::Oidc { .. } => &["openid", "profile", "email"],
        declared::Protocol::Oauth2(_) => &[],
        declared::Protocol::Github { .. } => &["read:user", "user:email"],
    };
    usual.iter().map(|scope| (*scope).to_owned()).collect()
}
