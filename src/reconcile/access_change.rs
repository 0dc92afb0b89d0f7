//! Who gains and who loses which app, found by asking both runtimes the same questions.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::identity::{Fate, Matched};
use super::power::{Account, Side};
use crate::access::condition::Reputation;
use crate::access::groups::GroupSet;
use crate::access::person::{Attributes, Person, PersonKind};
use crate::access::target::Client;
use crate::access::{Query, Target, decide};
use crate::blueprint::object::Kind;
use crate::runtime::Runtime;
use crate::runtime::app::{Address, App, Reach};
use crate::runtime::compile::attribute_map;

pub mod classes;

use classes::{Class, Distinctions, Sample};

/// One subject's access to one app in one class of requests, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessChange {
    /// `user:alice`, `group:users` or `anonymous`.
    pub subject: String,
    pub app: String,
    pub class: Class,
    pub old: &'static str,
    pub new: &'static str,
    /// The line that decides now.
    pub by: Option<String>,
    /// Already told by the line of a member: for machines only.
    pub implied: bool,
}

/// All of them, and how many subjects were left out because there are too many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessChanges {
    pub list: Vec<AccessChange>,
    pub subjects_left_out: usize,
}

/// More subjects than this are not looked at one by one.
const MOST_SUBJECTS: usize = 1000;

/// Compares the access of declared users, groups and strangers.
#[must_use]
pub fn compare(before: Option<Side<'_>>, after: Side<'_>, matched: &[Matched]) -> AccessChanges {
    let pairs = app_pairs(before.map(|side| side.runtime), after.runtime, matched);
    let mut subjects = subjects(before, after, matched);
    let left_out = subjects.len().saturating_sub(MOST_SUBJECTS);
    subjects.truncate(MOST_SUBJECTS);
    let mut list = Vec::new();
    for pair in &pairs {
        let samples = pair.samples();
        for subject in &subjects {
            subject.compare(pair, &samples, &mut list);
        }
        strangers(pair, &mut list);
    }
    imply(&subjects, &mut list);
    list.sort_by(|a, b| {
        (rank(&a.subject), &a.subject, &a.app, &a.class).cmp(&(
            rank(&b.subject),
            &b.subject,
            &b.app,
            &b.class,
        ))
    });
    AccessChanges { list, subjects_left_out: left_out }
}

/// Users first, then groups, then strangers.
fn rank(subject: &str) -> usize {
    ["user:", "group:"].iter().position(|kind| subject.starts_with(kind)).unwrap_or(2)
}

/// One app on both sides.
struct Pair<'a> {
    slug: String,
    before: Option<(&'a Runtime, &'a App)>,
    after: Option<(&'a Runtime, &'a App)>,
}

fn app_pairs<'a>(
    before: Option<&'a Runtime>,
    after: &'a Runtime,
    matched: &[Matched],
) -> Vec<Pair<'a>> {
    let apps = matched.iter().filter(|each| each.kind == Kind::App);
    apps.map(|each| {
        let was = match &each.fate {
            Fate::Rename { was, .. } => Some(was.as_str()),
            Fate::Keep { .. } | Fate::Remove { .. } => Some(each.slug.as_str()),
            Fate::Add | Fate::Revive { .. } | Fate::Adopt { .. } => None,
        };
        Pair {
            slug: each.slug.clone(),
            before: before.zip(was).and_then(|(runtime, was)| Some((runtime, runtime.app(was)?))),
            after: after.app(&each.slug).map(|app| (after, app)),
        }
    })
    .collect()
}

impl Pair<'_> {
    fn samples(&self) -> Vec<Sample> {
        let mut distinctions = Distinctions::default();
        for (runtime, app) in self.before.iter().chain(&self.after) {
            if let Some(declared) = runtime.blueprint.apps.get(app.index) {
                distinctions.add(&runtime.blueprint, declared);
            }
        }
        distinctions.samples()
    }
}

/// Somebody on one side.
struct Face<'a> {
    username: &'a str,
    name: Option<&'a str>,
    email: Option<&'a str>,
    groups: GroupSet,
    group_names: Vec<String>,
    attributes: Attributes,
    disabled: bool,
}

struct Subject<'a> {
    label: String,
    before: Option<Face<'a>>,
    after: Option<Face<'a>>,
}

impl Subject<'_> {
    /// Adds what changes, the usual class first, and others only where they differ from it.
    fn compare(&self, pair: &Pair<'_>, samples: &[Sample], list: &mut Vec<AccessChange>) {
        let mut told: Vec<(&Class, (&'static str, &'static str))> = Vec::new();
        for sample in samples {
            let (old, _) = ask(pair.before, self.before.as_ref(), sample);
            let (new, by) = ask(pair.after, self.after.as_ref(), sample);
            if is_same(old, new) {
                continue;
            }
            let known = told
                .iter()
                .any(|(class, change)| class.covers(&sample.class) && is_like(*change, (old, new)));
            if !known {
                told.push((&sample.class, (old, new)));
                list.push(AccessChange {
                    subject: self.label.clone(),
                    app: pair.slug.clone(),
                    class: sample.class.clone(),
                    old,
                    new,
                    by,
                    implied: false,
                });
            }
        }
    }
}

/// To be refused and to find nothing there is the same to whoever asks.
fn is_same(old: &str, new: &str) -> bool {
    old == new || (is_shut(old) && is_shut(new))
}

fn is_shut(word: &str) -> bool {
    matches!(word, "absent" | "deny" | "login")
}

/// Whether the second change goes without saying after the first: both are a loss, or the same.
fn is_like(told: (&str, &str), next: (&str, &str)) -> bool {
    let loss = |change: (&str, &str)| !is_shut(change.0) && is_shut(change.1);
    let gain = |change: (&str, &str)| is_shut(change.0) && !is_shut(change.1);
    // To get in at once says more than to get in by a further step, not the other way round.
    let more = gain(told) && gain(next) && told.1 == "allow";
    told == next || (loss(told) && loss(next)) || more
}

fn ask(
    side: Option<(&Runtime, &App)>,
    face: Option<&Face<'_>>,
    sample: &Sample,
) -> (&'static str, Option<String>) {
    let (Some((_, app)), Some(face)) = (side, face) else { return ("absent", None) };
    let target = Target {
        host: Cow::Borrowed(app.addresses.first().map_or("", host)),
        path: Cow::Borrowed(&sample.path),
        method: Cow::Borrowed(&sample.method),
        client: Client::Known(sample.address),
    };
    let person = Person {
        username: face.username,
        kind: PersonKind::User,
        name: face.name,
        email: face.email,
        groups: &face.groups,
        group_names: &face.group_names,
        attributes: &face.attributes,
        proofs: &sample.proofs,
        disabled: face.disabled,
    };
    let verdict = decide(
        &Query {
            access: &app.access,
            gate: None,
            target: &target,
            person: Some(&person),
            now: sample.now,
            reputation: Reputation::Score(0),
        },
        None,
    );
    (verdict.decision.word(), verdict.by.place().map(str::to_owned))
}

fn host(address: &Address) -> &str {
    match &address.reach {
        Reach::Host { declared, .. } => &declared.host,
        Reach::Domain { domain, .. } => domain,
    }
}

fn subjects<'a>(
    before: Option<Side<'a>>,
    after: Side<'a>,
    matched: &'a [Matched],
) -> Vec<Subject<'a>> {
    let mut subjects = Vec::new();
    for each in matched {
        let was = match &each.fate {
            Fate::Rename { was, .. } => was.as_str(),
            _ => each.slug.as_str(),
        };
        let uid = match &each.fate {
            Fate::Keep { uid } | Fate::Rename { uid, .. } | Fate::Remove { uid } => Some(uid),
            Fate::Revive { uid } | Fate::Adopt { uid } => Some(uid),
            Fate::Add => None,
        };
        match each.kind {
            Kind::User => subjects.push(Subject {
                label: format!("user:{}", each.slug),
                before: before.and_then(|side| user_face(side, was, uid)),
                after: user_face(after, &each.slug, uid),
            }),
            Kind::Group => subjects.push(Subject {
                label: format!("group:{}", each.slug),
                before: before.map(|side| group_face(side, was)),
                after: Some(group_face(after, &each.slug)),
            }),
            _ => {}
        }
    }
    subjects
}

fn user_face<'a>(side: Side<'a>, name: &str, uid: Option<&String>) -> Option<Face<'a>> {
    let user = side.runtime.blueprint.users.iter().find(|user| user.name.value == name)?;
    let account =
        Account { declared: Some(user), stored: uid.and_then(|uid| side.stored.user(uid)) };
    let groups = side.runtime.groups.expand(side.direct_groups(&account));
    Some(Face {
        username: &user.name.value,
        name: user.title.as_deref(),
        email: user.email.as_ref().map(|email| email.value.as_str()),
        group_names: names(side.runtime, &groups),
        groups,
        attributes: attribute_map(&user.attributes),
        disabled: user.disabled,
    })
}

/// Somebody who is in one group and nothing else.
fn group_face<'a>(side: Side<'a>, name: &str) -> Face<'a> {
    let groups = side.runtime.groups.expand([name]);
    Face {
        username: "",
        name: None,
        email: None,
        group_names: names(side.runtime, &groups),
        groups,
        attributes: Attributes::new(),
        disabled: false,
    }
}

fn names(runtime: &Runtime, groups: &GroupSet) -> Vec<String> {
    let mut names: Vec<String> = runtime.groups.names_in(groups).map(str::to_owned).collect();
    names.sort();
    names
}

/// What anybody may reach without signing in, address by address.
fn strangers(pair: &Pair<'_>, list: &mut Vec<AccessChange>) {
    let before = gates(pair.before);
    let after = gates(pair.after);
    let mut told = BTreeSet::new();
    let origins: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for origin in origins {
        let (old, new) = (before.get(origin).copied(), after.get(origin).copied());
        for (pattern, method) in open_patterns(old, new) {
            let path = pattern.as_deref().map_or_else(|| "/".to_owned(), classes::fitting_path);
            let asked = method.as_deref().unwrap_or("GET");
            let (was, _) = stranger(old, &path, asked);
            let (is, by) = stranger(new, &path, asked);
            let class = Class { path: pattern, method, ..Class::default() };
            if !is_same(was, is) && told.insert((class.clone(), was, is)) {
                list.push(AccessChange {
                    subject: "anonymous".to_owned(),
                    app: pair.slug.clone(),
                    class,
                    old: was,
                    new: is,
                    by,
                    implied: false,
                });
            }
        }
    }
}

fn gates<'a>(side: Option<(&'a Runtime, &'a App)>) -> BTreeMap<String, &'a Address> {
    let addresses = side.into_iter().flat_map(|(_, app)| &app.addresses);
    addresses
        .map(|address| match &address.reach {
            Reach::Host { declared, .. } => (declared.to_string(), address),
            Reach::Domain { domain, .. } => (domain.clone(), address),
        })
        .collect()
}

type Asked = (Option<String>, Option<String>);

fn open_patterns(old: Option<&Address>, new: Option<&Address>) -> BTreeSet<Asked> {
    let mut asked = BTreeSet::from([(None, None)]);
    for address in old.into_iter().chain(new) {
        for bypass in &address.gate.bypass {
            let methods: Vec<Option<String>> = match bypass.methods.is_empty() {
                true => vec![None],
                false => bypass.methods.iter().cloned().map(Some).collect(),
            };
            for path in &bypass.paths {
                let path = path.as_str().to_owned();
                asked.extend(methods.iter().map(|method| (Some(path.clone()), method.clone())));
            }
        }
        let guarded = &address.gate.protect_only;
        asked.extend(guarded.iter().map(|path| (Some(path.as_str().to_owned()), None)));
    }
    asked
}

fn stranger(address: Option<&Address>, path: &str, method: &str) -> (&'static str, Option<String>) {
    let Some(address) = address else { return ("absent", None) };
    match address.gate.opens(path, method) {
        Some(open) => ("allow", crate::access::By::Open(open).place().map(str::to_owned)),
        None => ("login", None),
    }
}

/// Marks lines of groups that say what the line of a member says already.
fn imply(subjects: &[Subject<'_>], list: &mut [AccessChange]) {
    let told: Vec<AccessChange> = list.to_vec();
    for change in list.iter_mut() {
        let Some(group) = change.subject.strip_prefix("group:") else { continue };
        change.implied = told.iter().any(|other| {
            other.subject.starts_with("user:")
                && (&other.app, &other.class, other.old, other.new)
                    == (&change.app, &change.class, change.old, change.new)
                && subjects
                    .iter()
                    .any(|subject| subject.label == other.subject && subject.is_member(group))
        });
    }
}

impl Subject<'_> {
    fn is_member(&self, group: &str) -> bool {
        let faces = [self.before.as_ref(), self.after.as_ref()];
        faces.into_iter().flatten().any(|face| face.group_names.iter().any(|name| name == group))
    }
}
