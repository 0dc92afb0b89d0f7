//! A small installation for tests, read from real blueprint text.

use std::path::PathBuf;

use super::Case;
use crate::app::options::{Environment, Options};
use crate::app::places::{Places, server_of};
use crate::blueprint::Blueprint;
use crate::blueprint::load;
use crate::blueprint::read::Limits;
use crate::blueprint::source::Sources;

pub struct Sample {
    blueprint: Blueprint,
    sources: Sources,
    options: Options,
    places: Places,
}

impl Sample {
    pub fn of(text: &str) -> Self {
        let options = Options {
            roots: Vec::new(),
            state: None,
            listen: None,
            dev: false,
            read_from: Vec::new(),
            write_to: Vec::new(),
            allow_raw_routers: false,
            strict: false,
            revision: None,
            environment: Environment {
                working_directory: PathBuf::from("/nowhere"),
                ..Environment::default()
            },
        };
        let sources = Sources::single("home.kdl", text);
        let loaded = load::understand_sources(sources, &Limits::default(), options.mode());
        let blueprint = loaded.blueprint.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
        let places = Places::new(&options, server_of(Some(&blueprint))).expect("places");
        Self { blueprint, sources: loaded.sources, options, places }
    }

    /// A home with Traefik on another machine, and what `more` adds.
    pub fn home(server: &str, traefik: &str, more: &str) -> Self {
        Self::of(&format!(
            "server {{ {server}; }}\nsettings {{ external-host \"https://auth.example.com\"; }}\n\
             traefik {{ entrypoints websecure; {traefik}; }}\ngroup admins {{ role admin; }}\n\
             user anna {{ name Anna; email \"anna@example.com\"; groups admins; }}\n{more}\n"
        ))
    }

    pub fn case(&self) -> Case<'_> {
        Case {
            blueprint: &self.blueprint,
            sources: &self.sources,
            options: &self.options,
            places: &self.places,
        }
    }
}
