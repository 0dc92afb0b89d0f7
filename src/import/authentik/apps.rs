//! `application` and how its provider reaches it.

use super::Import;
use super::entries::{Entry, Reference};
use crate::blueprint::schema::Want;
use crate::blueprint::validate::fault;
use crate::import::document::Part;
use crate::import::kdl::Line;

const APPLICATION: &str = "authentik_core.application";

impl Import<'_> {
    pub(super) fn apps(&mut self) {
        for entry in self.entries.of_model(APPLICATION) {
            let slug = self.text(entry, "slug").unwrap_or_default();
            let title = self.text(entry, "name").unwrap_or_else(|| slug.clone());
            let name = self.apps.fresh(if slug.is_empty() { &title } else { &slug });
            if name != slug {
                let why = format!("it is called `{name}` here");
                self.report.changed(&entry.place, format!("application `{slug}`"), why);
            }
            let access = self.access(entry, &name);
            let mut app = Line::new("app").word(&name).text(&title);
            if let Some(category) = self.text(entry, "group").filter(|text| !text.is_empty()) {
                app = app.prop("category", &category);
            }
            if let Some(url) = self.text(entry, "meta_launch_url").filter(|text| !text.is_empty()) {
                if url == "blank://blank" {
                    app = app.word("hidden");
                } else if let Some(why) = fault(Want::Page, &url) {
                    self.report.not_carried(&entry.place, "`meta_launch_url`", why);
                } else {
                    app.push(Line::new("launch-url").text(&url));
                }
            }
            let provided = self.provided(entry, &name);
            if provided.is_empty() {
                let why =
                    "it is reached by nothing that is carried: it is a link in the portal at most";
                self.report.changed(&entry.place, format!("application `{name}`"), why);
            }
            let app = app.kids(provided).kid(access);
            self.document.push(Part::Apps, app, &entry.place, format!("application `{name}`"));
        }
    }

    /// The lines for its providers.
    fn provided(&mut self, app: &Entry<'_>, name: &str) -> Vec<Line> {
        let mut references: Vec<Reference> =
            self.reference_at(app, "provider").into_iter().collect();
        references
            .extend(app.list("backchannel_providers").iter().map(|node| self.reference(app, node)));
        let mut lines = Vec::new();
        for reference in references {
            let provider = match reference {
                Reference::Entry(number) => self.entries.number(number),
                Reference::Named { value, .. } => {
                    let why = format!("`{value}` is in none of the files");
                    self.report.not_carried(&app.place, format!("the provider of `{name}`"), why);
                    None
                }
                Reference::Unknown(why) => {
                    self.report.not_carried(&app.place, format!("the provider of `{name}`"), why);
                    None
                }
            };
            let Some(provider) = provider else { continue };
            match provider.model.as_str() {
                "authentik_providers_oauth2.oauth2provider" => {
                    lines.push(self.oauth2(provider, name))
                }
                "authentik_providers_proxy.proxyprovider" => {
                    lines.extend(self.proxy(provider, name))
                }
                "authentik_providers_ldap.ldapprovider" => lines.push(self.ldap(provider)),
                _ => {}
            }
        }
        lines
    }
}
