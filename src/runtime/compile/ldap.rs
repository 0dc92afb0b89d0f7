//! The directory and how apps use it.

use super::Compiler;
use crate::blueprint::app as declared;
use crate::blueprint::object::Kind;
use crate::blueprint::people::TokenPurpose;
use crate::runtime::ldap::{Binder, Directory, LdapApp};

impl Compiler<'_> {
    pub(super) fn directory(&self) -> Option<Directory> {
        let ldap = self.blueprint.ldap.as_ref()?;
        Some(Directory {
            base: ldap.base_dn.as_ref()?.value.clone(),
            profile: ldap.profile,
            search: self.subjects(&ldap.search),
            searchers: ldap.search.iter().map(|each| each.value.to_string()).collect(),
            binders: self.binders(),
        })
    }

    fn binders(&self) -> Vec<Binder> {
        let accounts = self.blueprint.service_accounts.iter().filter_map(|declared| {
            let tokens = &declared.tokens;
            let token = tokens.iter().find(|each| each.purpose == TokenPurpose::LdapBind)?;
            let name = &declared.name.value;
            let uid = (self.inputs.uids)(Kind::ServiceAccount, name);
            Some(Binder {
                uid: uid.unwrap_or_else(|| format!("service-account:{name}")),
                account: self.service_account(name)?,
                lasts: token.expires,
            })
        });
        accounts.collect()
    }

    pub(super) fn ldap_app(&self, app: &declared::App) -> Option<LdapApp> {
        let declared = app.ldap.as_ref()?;
        let general = self.blueprint.ldap.as_ref().map(|ldap| ldap.profile);
        Some(LdapApp {
            flow: declared.flow.as_ref().map(|flow| flow.value.clone()),
            bind_as: declared.bind_as.as_ref().map(|name| name.value.clone()),
            profile: declared.profile.or(general).unwrap_or_default(),
        })
    }
}
