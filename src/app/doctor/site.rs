//! The address of an application, and what is declared for it.

use super::Case;
use super::backend;
use crate::blueprint::app::{App, Proxy, Reach};
use crate::model::host::HostPattern;

#[derive(Clone, Debug)]
pub struct Site {
    pub app: String,
    pub hosts: Vec<HostPattern>,
    pub place: String,
    /// Where the application itself is, if that is declared.
    pub to: Option<String>,
    /// Some paths need no login, so a router of their own may do without the middleware.
    pub open_paths: bool,
}

impl Site {
    pub(crate) fn all(case: &Case<'_>) -> Vec<Self> {
        let apps = case.blueprint.apps.iter();
        apps.flat_map(|app| app.proxies.iter().map(|proxy| Self::of(case, app, proxy))).collect()
    }

    fn of(case: &Case<'_>, app: &App, proxy: &Proxy) -> Self {
        Self {
            app: app.slug.value.clone(),
            hosts: match &proxy.reach {
                Reach::Address(url) => HostPattern::parse(url.value.host()).into_iter().collect(),
                Reach::Domain { hosts, .. } => {
                    hosts.iter().map(|host| host.value.clone()).collect()
                }
            },
            place: case.place(proxy.at),
            to: proxy.to.as_ref().and_then(|to| backend::normal(to.value.as_str())),
            open_paths: !proxy.bypass.is_empty() || !proxy.protect_only.is_empty(),
        }
    }

    /// Whether this host is one of its own.
    pub fn has(&self, host: &str) -> bool {
        self.hosts.iter().any(|pattern| pattern.matches(host))
    }
}
