//! Request classes: the circumstances between which the rules themselves tell a difference.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ipnet::IpNet;

use crate::access::person::Proofs;
use crate::blueprint::Blueprint;
use crate::blueprint::app::{App, RequiredFactor};
use crate::blueprint::object::Kind;
use crate::blueprint::policy::{Condition, Part};
use crate::blueprint::tree::Node;
use crate::clock::Millis;
use crate::model::factor::Factor;
use crate::model::time_window::TimeWindow;

/// 2026-01-07T12:00:00Z, a Wednesday: the moment that `test` blocks use, too.
const NOON: Millis = Millis(1_767_787_200_000);
const INTERNET: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));
const HOUR: Duration = Duration::from_secs(3600);
const HOURS_IN_A_WEEK: u32 = 168;
/// More combinations than this are not looked at; those closest to the usual come first.
const MOST_CLASSES: usize = 96;

/// One set of circumstances. What is absent is as usual: the front page, from the internet, with
/// every second factor, on a Wednesday at noon.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Class {
    /// The pattern as written.
    pub path: Option<String>,
    pub method: Option<String>,
    /// The network as written.
    pub from: Option<String>,
    /// `none`, or the only factor proven.
    pub mfa: Option<&'static str>,
    /// RFC 3339.
    pub at: Option<String>,
}

/// A class with what to ask in it.
#[derive(Clone, Debug)]
pub struct Sample {
    pub class: Class,
    pub path: String,
    pub method: String,
    pub address: IpAddr,
    pub proofs: Proofs,
    pub now: Millis,
}

/// What the rules of an app tell apart, gathered from both sides.
#[derive(Debug, Default)]
pub struct Distinctions {
    paths: BTreeSet<String>,
    methods: BTreeSet<String>,
    /// An address in each network, by the network as written.
    networks: BTreeMap<String, IpAddr>,
    /// The networks of each `network` line.
    lines: Vec<Vec<IpNet>>,
    moments: BTreeSet<i64>,
    factors: bool,
    factor_kinds: bool,
}

impl Distinctions {
    pub fn add(&mut self, blueprint: &Blueprint, app: &App) {
        for need in &app.access.requires {
            self.factors = true;
            self.factor_kinds |= need.factor != RequiredFactor::Mfa;
        }
        for rule in &app.access.rules {
            self.paths.extend(rule.path.iter().map(|glob| glob.value.as_str().to_owned()));
            self.methods.extend(rule.method.clone());
            for name in rule.when.iter().chain(&rule.unless) {
                self.policy(blueprint, &name.value, 0);
            }
        }
    }

    fn policy(&mut self, blueprint: &Blueprint, name: &str, depth: usize) {
        let Some(policy) = blueprint.policies.iter().find(|policy| policy.slug.value == name)
        else {
            return;
        };
        let mut objects = blueprint.objects.iter();
        let node = objects.find(|object| object.kind == Kind::Policy && object.slug.value == name);
        if let Some(object) = node {
            self.networks_in(&object.node);
        }
        if depth < 16 {
            self.parts(blueprint, &policy.parts, depth + 1);
        }
    }

    fn parts(&mut self, blueprint: &Blueprint, parts: &[Part], depth: usize) {
        for part in parts {
            match &part.condition {
                Condition::Mfa { kinds, .. } => {
                    self.factors = true;
                    self.factor_kinds |= !kinds.is_empty();
                }
                Condition::Time(window) => self.window(window),
                Condition::Use(name) => self.policy(blueprint, &name.value, depth),
                Condition::Any(parts) | Condition::Not(parts) => {
                    self.parts(blueprint, parts, depth);
                }
                Condition::Network(_)
                | Condition::Cel(_)
                | Condition::Attribute { .. }
                | Condition::Reputation { .. }
                | Condition::Group(_) => {}
            }
        }
    }

    /// The first address of each network is one inside of it.
    fn networks_in(&mut self, node: &Node) {
        for line in node.kids_named("network") {
            let texts = line.args.iter().filter_map(|value| value.text());
            let networks: Vec<(&str, IpNet)> =
                texts.filter_map(|text| Some((text, network(text)?))).collect();
            for (text, network) in &networks {
                self.networks.insert((*text).to_owned(), network.network());
            }
            self.lines.push(networks.into_iter().map(|(_, network)| network).collect());
        }
        node.kids.iter().for_each(|kid| self.networks_in(kid));
    }

    /// One address for each group of networks that no line tells apart.
    fn distinct_networks(&self) -> Vec<&String> {
        let mut seen = BTreeSet::new();
        let distinct = self.networks.iter().filter(|(_, address)| {
            let inside = |line: &Vec<IpNet>| line.iter().any(|net| net.contains(*address));
            seen.insert(self.lines.iter().map(inside).collect::<Vec<_>>())
        });
        distinct.map(|(text, _)| text).collect()
    }

    /// An hour inside of the window and one outside.
    fn window(&mut self, window: &TimeWindow) {
        let hours = (0..HOURS_IN_A_WEEK).map(|hour| NOON.plus(HOUR * hour));
        let (inside, outside): (Vec<_>, Vec<_>) = hours.partition(|moment| window.holds(*moment));
        let ends = [inside.first(), outside.first()];
        self.moments.extend(ends.into_iter().flatten().filter(|m| **m != NOON).map(|m| m.0));
    }

    /// The combinations, those with the fewest peculiarities first.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        let mut classes = vec![Class::default()];
        let widen = |classes: &mut Vec<Class>, set: &dyn Fn(&Class) -> Vec<Class>| {
            let more: Vec<Class> = classes.iter().flat_map(set).collect();
            classes.extend(more);
            classes.sort_by_key(|class| (class.weight(), class.clone()));
            classes.truncate(MOST_CLASSES);
        };
        let some = |text: &String| Some(text.clone());
        let networks = self.distinct_networks();
        widen(&mut classes, &|class| {
            self.paths.iter().map(|path| Class { path: some(path), ..class.clone() }).collect()
        });
        widen(&mut classes, &|class| {
            self.methods.iter().map(|word| Class { method: some(word), ..class.clone() }).collect()
        });
        widen(&mut classes, &|class| {
            networks.iter().map(|net| Class { from: some(net), ..class.clone() }).collect()
        });
        widen(&mut classes, &|class| {
            let moments = self.moments.iter().map(|at| Millis(*at).to_string());
            moments.map(|at| Class { at: Some(at), ..class.clone() }).collect()
        });
        widen(&mut classes, &|class| {
            let words = self.factor_words();
            words.iter().map(|word| Class { mfa: Some(word), ..class.clone() }).collect()
        });
        classes.into_iter().map(|class| self.sample(class)).collect()
    }

    fn factor_words(&self) -> &'static [&'static str] {
        match (self.factors, self.factor_kinds) {
            (_, true) => &["none", "totp"],
            (true, false) => &["none"],
            (false, false) => &[],
        }
    }

    fn sample(&self, class: Class) -> Sample {
        let moment = self.moments.iter().find(|at| class.at == Some(Millis(**at).to_string()));
        let now = moment.map_or(NOON, |at| Millis(*at));
        let network = class.from.as_ref().and_then(|text| self.networks.get(text));
        Sample {
            path: class.path.as_deref().map_or_else(|| "/".to_owned(), fitting_path),
            method: class.method.clone().unwrap_or_else(|| "GET".to_owned()),
            address: network.copied().unwrap_or(INTERNET),
            proofs: proofs(class.mfa, now),
            now,
            class,
        }
    }
}

fn network(text: &str) -> Option<IpNet> {
    let single = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(single)
}

/// A path that a pattern matches.
#[must_use]
pub fn fitting_path(pattern: &str) -> String {
    let path = pattern.replace('*', "x");
    if path.starts_with('/') { path } else { format!("/{path}") }
}

fn proofs(mfa: Option<&str>, now: Millis) -> Proofs {
    let mut proofs = Proofs::default();
    for factor in Factor::ALL {
        if mfa.is_none_or(|word| word == factor.word()) {
            proofs.add(factor, now);
        }
    }
    proofs
}

impl Class {
    /// In how many ways it is peculiar.
    #[must_use]
    pub fn weight(&self) -> usize {
        [
            self.path.is_some(),
            self.method.is_some(),
            self.from.is_some(),
            self.mfa.is_some(),
            self.at.is_some(),
        ]
        .into_iter()
        .filter(|set| *set)
        .count()
    }

    /// Whether everything peculiar about this one is so about the other, too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        fn within<T: PartialEq>(mine: Option<&T>, theirs: Option<&T>) -> bool {
            mine.is_none() || mine == theirs
        }
        within(self.path.as_ref(), other.path.as_ref())
            && within(self.method.as_ref(), other.method.as_ref())
            && within(self.from.as_ref(), other.from.as_ref())
            && within(self.mfa.as_ref(), other.mfa.as_ref())
            && within(self.at.as_ref(), other.at.as_ref())
    }

    /// Its peculiarities by name, in one order.
    #[must_use]
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("method", self.method.clone()),
            ("path", self.path.clone()),
            ("from", self.from.clone()),
            ("mfa", self.mfa.map(str::to_owned)),
            ("at", self.at.clone()),
        ];
        all.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
    }
}
