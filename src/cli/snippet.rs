//! `doorward snippet`.

use anyhow::bail;
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
        let proxy = match self.proxy {
            Proxy::Nginx => make::Program::Nginx,
            Proxy::Caddy => make::Program::Caddy,
            Proxy::Envoy => make::Program::Envoy,
        };
        let text = make::snippet(proxy, &blueprint, slug)?;
        super::print(&text)?;
        Ok(0)
    }
}
