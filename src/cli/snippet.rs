//! `doorward snippet`.

use anyhow::{anyhow, bail};
use clap::Args;

use super::Installation;
use crate::blueprint::load;
use crate::blueprint::render::{self, Format};
use crate::proxy_config::snippet as make;

#[derive(Debug, Args)]
pub struct Snippet {
    /// The proxy
    #[arg(value_name = "PROXY", value_enum)]
    proxy: Proxy,
    /// The app, such as app:grafana
    #[arg(value_name = "APP")]
    app: String,
    #[command(flatten)]
    at: Installation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Proxy {
    Nginx,
    Caddy,
    Envoy,
}

impl Snippet {
    pub fn run(self) -> anyhow::Result<u8> {
        let options = self.at.options();
        let loaded = load::load(&options.roots, options.mode());
        let style = super::style(Format::Human, &std::io::stderr());
        let Some(blueprint) = loaded.blueprint else {
            eprint!("{}", render::render(&loaded.diagnostics, &loaded.sources, &style));
            bail!("the files have errors: mend them first");
        };
        let slug = self.app.strip_prefix("app:").unwrap_or(&self.app);
        let app = blueprint.apps.iter().find(|app| app.slug.value == slug);
        let app = app.ok_or_else(|| anyhow!("there is no app `{slug}`; `doorward show` lists what there is"))?;
        let proxy = match self.proxy {
            Proxy::Nginx => make::Proxy::Nginx,
            Proxy::Caddy => make::Proxy::Caddy,
            Proxy::Envoy => make::Proxy::Envoy,
        };
        let text = make::snippet(proxy, &blueprint, app)?;
        super::print(&text)?;
        Ok(0)
    }
}
