//! What a search gives (RFC 4511 §4.5): the entries of a tree that are in scope, seen by whoever asks, and
//! that the filter holds of.

use std::borrow::Cow;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{
    LdapFilter, LdapPartialAttribute, LdapResultCode as Code, LdapSearchRequest,
    LdapSearchResultEntry, LdapSearchScope as Scope,
};

use super::bind::Bound;
use super::entry::{OPERATIONAL, View, canonical};
use super::filter::{Filter, Reader, plain};
use super::tree::{Branch, Place, Tree, tree_of, trees};
use super::{Ldap, Trouble, index, page, schema};
use crate::access::person::Proofs;
use crate::model::dn::Dn;
use crate::runtime::Runtime;

/// Entries that a search gives which does not come in pages.
const MOST: usize = 10_000;
/// How long a search may take.
const LONGEST: Duration = Duration::from_secs(10);
/// Attributes that may be asked for by name.
const MOST_NAMES: usize = 256;

/// What came of a search.
#[derive(Debug)]
pub struct Found {
    pub entries: Vec<LdapSearchResultEntry>,
    pub code: Code,
    pub message: String,
    /// The name of the nearest entry that there is, where the base is none.
    pub matched: String,
    /// With pages: where to go on; empty at the end.
    pub cookie: Option<Vec<u8>>,
}

impl Found {
    fn end(code: Code, message: impl Into<String>) -> Self {
        let (message, matched) = (message.into(), String::new());
        Self { entries: Vec::new(), code, message, matched, cookie: None }
    }

    fn only(entry: LdapSearchResultEntry) -> Self {
        Self { entries: vec![entry], ..Self::end(Code::Success, "") }
    }

    fn nothing() -> Self {
        Self::end(Code::Success, "")
    }
}

/// What of an entry is wanted.
#[derive(Debug, Default)]
struct Wanted {
    /// Everything that an entry bears.
    all: bool,
    operational: bool,
    /// By name, as it was asked for.
    named: Vec<String>,
    types_only: bool,
}

impl Wanted {
    fn of(request: &LdapSearchRequest) -> Self {
        let names = request.attrs.iter().take(MOST_NAMES);
        let named = names.filter(|name| !matches!(name.as_str(), "*" | "+" | "1.1"));
        Self {
            all: request.attrs.is_empty() || request.attrs.iter().any(|name| name == "*"),
            operational: request.attrs.iter().any(|name| name == "+"),
            named: named.cloned().collect(),
            types_only: request.typesonly,
        }
    }

    fn is_for(&self, name: &str, operational: bool) -> bool {
        let general = if operational { self.operational } else { self.all };
        general || self.named.iter().any(|wanted| plain(wanted) == plain(name))
    }

    fn told(&self, name: &str, values: Vec<Vec<u8>>) -> LdapPartialAttribute {
        let vals = if self.types_only { Vec::new() } else { values };
        LdapPartialAttribute { atype: name.to_owned(), vals }
    }

    fn entry(&self, view: View<'_>, place: Place) -> LdapSearchResultEntry {
        let mut attributes = Vec::new();
        let mut known = Vec::new();
        let mut names = if self.all { view.names(place) } else { Vec::new() };
        if self.operational {
            names.extend(OPERATIONAL.map(Cow::Borrowed));
        }
        names.extend(self.named.iter().map(|name| canonical(name).into()));
        for name in names {
            let key = plain(&name);
            if known.contains(&key) {
                continue;
            }
            let values = view.values(place, &key);
            if !values.is_empty() {
                let bytes = values.iter().map(|value| value.as_bytes().to_vec());
                attributes.push(self.told(&name, bytes.collect()));
            }
            known.push(key);
        }
        LdapSearchResultEntry { dn: view.dn(place), attributes }
    }
}

impl Ldap {
    /// Answers a search.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub(super) async fn search(
        &self,
        runtime: &Runtime,
        bound: Option<&Bound>,
        request: &LdapSearchRequest,
        controls: &[LdapControl],
    ) -> Result<Found, Trouble> {
        let Some(declared) = &runtime.directory else {
            return Ok(Found::end(Code::Unavailable, "no directory is declared any more"));
        };
        let trees = trees(runtime, declared);
        let base = match Dn::parse(&request.base) {
            Ok(base) => base,
            Err(error) => return Ok(Found::end(Code::InvalidDNSyntax, error.to_string())),
        };
        if let Some(found) = self.of_itself(runtime, &trees, &base, request) {
            return Ok(found);
        }
        let Some(bound) = bound else {
            let message =
                "bind first: without a bind only the root of all names and the schema are read";
            return Ok(Found::end(Code::InsufficentAccessRights, message));
        };
        let Some(tree) = tree_of(&trees, &base) else {
            let message = format!("the directory begins at {}", declared.base);
            return Ok(Found::end(Code::NoSuchObject, message));
        };
        let directory = self.directory.get(&self.server, runtime).await?;
        let only = match bound {
            Bound::Program { name, .. } => {
                let binder =
                    declared.binder(name).filter(|it| declared.may_search(&it.account.person()));
                match binder {
                    Some(_) => None,
                    None => return Ok(may_not_search(name)),
                }
            }
            Bound::Person { account, .. } => {
                let profile = account.profile();
                let standing = profile.standing(runtime);
                let proofs = Proofs::default();
                let person = standing.person(&profile.user.username, &proofs);
                let own = directory.person(&profile.user.username_key).unwrap_or(usize::MAX);
                (!declared.may_search(&person)).then_some(own)
            }
        };
        let looked_at = AtomicUsize::new(0);
        let view = View { tree, directory: &directory, only, looked_at: &looked_at };
        let Some(start) = tree.place(&directory, &base).filter(|place| view.sees(*place)) else {
            let mut found = Found::end(Code::NoSuchObject, "there is no such entry");
            found.matched = nearest(tree, &base);
            return Ok(found);
        };
        let reader = Reader { trees: &trees, directory: &directory };
        let Ok(filter) = reader.read(&request.filter) else {
            return Ok(Found::end(
                Code::UnwillingToPerform,
                "the filter has too many parts, or too deep ones",
            ));
        };
        self.look(bound, view, start, &filter, request, controls).await
    }

    /// The root of all names and the schema: for anybody, by their names alone.
    fn of_itself(
        &self,
        runtime: &Runtime,
        trees: &[Tree<'_>],
        base: &Dn,
        request: &LdapSearchRequest,
    ) -> Option<Found> {
        let is_schema = base.to_string().eq_ignore_ascii_case(schema::DN);
        if !base.is_root() && !is_schema {
            return None;
        }
        if request.scope != Scope::Base {
            let message = "name a base: the root of all names is read by itself alone";
            return Some(Found::end(Code::NoSuchObject, message));
        }
        let wanted = Wanted::of(request);
        let told = if is_schema {
            schema::subschema(runtime)
        } else {
            schema::root(trees, self.offers_start_tls())
        };
        // Clients read it before they know what is operational.
        let attributes = told
            .into_iter()
            .filter(|(name, _)| wanted.is_for(name, false) || wanted.is_for(name, true));
        let bytes = |values: Vec<String>| values.into_iter().map(String::into_bytes).collect();
        let attributes =
            attributes.map(|(name, values)| wanted.told(name, bytes(values))).collect();
        let asked = is_schema
            || matches!(&request.filter, LdapFilter::Present(_) | LdapFilter::Equality(..));
        match asked || matches!(&request.filter, LdapFilter::And(parts) if parts.is_empty()) {
            true => Some(Found::only(LdapSearchResultEntry { dn: base.to_string(), attributes })),
            false => Some(Found::nothing()),
        }
    }

    /// Goes through the places in scope, from where the page before ended.
    async fn look(
        &self,
        bound: &Bound,
        view: View<'_>,
        start: Place,
        filter: &Filter,
        request: &LdapSearchRequest,
        controls: &[LdapControl],
    ) -> Result<Found, Trouble> {
        let (key, rng) = (&self.server.key, &self.server.rng);
        let paged = controls.iter().find_map(|control| match control {
            LdapControl::SimplePagedResults { size, cookie } => Some((*size, cookie)),
            _ => None,
        });
        let asked = asked(bound, request);
        let from = match paged {
            Some((_, cookie)) if !cookie.is_empty() => {
                match page::open(key, &asked, view.directory, cookie) {
                    Some(from) => Some(from),
                    None => {
                        let message = "the cookie belongs to another search, or to nobody";
                        return Ok(Found::end(Code::UnwillingToPerform, message));
                    }
                }
            }
            _ => None,
        };
        let page = paged.map(|(size, _)| usize::try_from(size).unwrap_or(0).min(page::LARGEST));
        // A page of nothing: whoever asks wants no more (RFC 2696 §3).
        if page == Some(0) {
            return Ok(Found { cookie: Some(Vec::new()), ..Found::nothing() });
        }
        let most = limit(request.sizelimit, page.unwrap_or(MOST));
        let wanted = Wanted::of(request);
        let within = match u64::try_from(request.timelimit) {
            Ok(seconds) if seconds > 0 => Duration::from_secs(seconds).min(LONGEST),
            _ => LONGEST,
        };
        let began = self.server.clock.now();
        let mut found = Found { cookie: page.map(|_| Vec::new()), ..Found::nothing() };
        let mut last = None;
        let places = match index::few(filter, view) {
            Some(few) => these(few, view, (start, &request.scope), from),
            None => places(view, start, request.scope.clone(), from),
        };
        for (count, place) in places.enumerate() {
            if count % 64 == 63 {
                tokio::task::yield_now().await;
                if self.server.clock.now().since(began) > within {
                    found.code = Code::TimeLimitExceeded;
                    break;
                }
            }
            if view.is_spent() {
                found.code = Code::AdminLimitExceeded;
                "the filter looks at too much: ask for less at once".clone_into(&mut found.message);
                break;
            }
            if !view.sees(place) || filter.holds(view, place) != Some(true) {
                continue;
            }
            if found.entries.len() >= most {
                let seal = |last| page::seal(key, rng, &asked, view.directory, last);
                match (page, last) {
                    (Some(page), Some(last)) if most == page => {
                        found.cookie = Some(seal(last).map_err(crate::factor::FactorError::from)?);
                    }
                    _ => found.code = Code::SizeLimitExceeded,
                }
                break;
            }
            found.entries.push(wanted.entry(view, place));
            last = Some(place);
        }
        Ok(found)
    }
}

/// A cookie is for whoever got it, and for the same search.
fn asked(bound: &Bound, request: &LdapSearchRequest) -> String {
    let who = match bound {
        Bound::Program { name, .. } => format!("program/{name}"),
        Bound::Person { account, .. } => format!("person/{}", account.id()),
    };
    let LdapSearchRequest { base, scope, filter, .. } = request;
    let what = crate::secret::sha256_hex(format!("{base:?}{scope:?}{filter:?}").as_bytes());
    format!("ldap-page/{who}/{what}")
}

fn limit(asked: i32, most: usize) -> usize {
    match usize::try_from(asked) {
        Ok(asked) if asked > 0 => asked.min(most),
        _ => most,
    }
}

fn may_not_search(name: &str) -> Found {
    let message = format!(
        "service-account {name} may not search: put it, or a group that it is in, into `ldap {{ search … }}`"
    );
    Found::end(Code::InsufficentAccessRights, message)
}

/// The nearest entry above that there is (RFC 4511 §4.1.9).
fn nearest(tree: &Tree<'_>, base: &Dn) -> String {
    let own = base.within(&tree.root).map_or(0, <[_]>::len);
    let branches = tree.branches();
    let branch = base.parts().get(own.saturating_sub(1));
    let found =
        branches.iter().find(|it| branch.is_some_and(|part| part.is("ou", tree.word(**it))));
    match found {
        Some(branch) if own > 1 => tree.branch(*branch).to_owned(),
        _ => tree.root.to_string(),
    }
}

/// Of these places those in scope, in the order of all.
fn these<'a>(
    mut few: Vec<Place>,
    view: View<'a>,
    (start, scope): (Place, &Scope),
    from: Option<Place>,
) -> Box<dyn Iterator<Item = Place> + Send + 'a> {
    few.retain(|place| {
        index::is_within(view, start, scope, *place) && from.is_none_or(|from| *place >= from)
    });
    few.sort_unstable();
    few.dedup();
    Box::new(few.into_iter())
}

/// The places in scope, in order, beginning at `from`.
fn places<'a>(
    view: View<'a>,
    start: Place,
    scope: Scope,
    from: Option<Place>,
) -> Box<dyn Iterator<Item = Place> + Send + 'a> {
    let (people, groups) = (view.directory.people.len(), view.directory.groups.len());
    let leaves = move |branch| -> Box<dyn Iterator<Item = Place> + Send> {
        // Nobody looks again at what earlier pages gave.
        match (branch, from) {
            (Branch::People, Some(Place::Person(first))) => {
                Box::new((first..people).map(Place::Person))
            }
            (Branch::People, _) => Box::new((0..people).map(Place::Person)),
            (Branch::Groups, _) => Box::new((0..groups).map(Place::Group)),
            (Branch::OwnGroups, Some(Place::OwnGroup(first))) => {
                Box::new((first..people).map(Place::OwnGroup))
            }
            (Branch::OwnGroups, _) => Box::new((0..people).map(Place::OwnGroup)),
        }
    };
    let after = move |place: &Place| from.is_none_or(|from| *place >= from);
    let branches = view.tree.branches();
    let below = branches
        .clone()
        .into_iter()
        .map(Place::Branch)
        .chain(branches.into_iter().flat_map(leaves));
    match (start, scope) {
        (start, Scope::Base) => Box::new(std::iter::once(start).filter(after)),
        (Place::Root, Scope::OneLevel) => {
            Box::new(view.tree.branches().into_iter().map(Place::Branch).filter(after))
        }
        (Place::Root, Scope::Subtree) => {
            Box::new(std::iter::once(Place::Root).chain(below).filter(after))
        }
        (Place::Root, Scope::Children) => Box::new(below.filter(after)),
        (Place::Branch(branch), Scope::OneLevel | Scope::Children) => {
            Box::new(leaves(branch).filter(after))
        }
        (Place::Branch(branch), Scope::Subtree) => {
            Box::new(std::iter::once(start).chain(leaves(branch)).filter(after))
        }
        (start, Scope::Subtree) => Box::new(std::iter::once(start).filter(after)),
        (_, Scope::OneLevel | Scope::Children) => Box::new(std::iter::empty()),
    }
}
