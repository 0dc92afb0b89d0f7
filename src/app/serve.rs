//! Start to finish: opens the store, takes the files into force or falls back on the last good
//! ones, listens, and ends when it is told to.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use arc_swap::{ArcSwap, ArcSwapOption};
use axum::body::Body;
use http::{Request, Response};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

use super::candidate::{self, Candidate, Demands, Known};
use super::certificate::Certificate;
use super::dispatch::Fronts;
use super::generation;
use super::keeper::Keeper;
use super::ldap_listeners::LdapListeners;
use super::opening::{KeyOrigin, Opened, open, write_private};
use super::options::Options;
use super::places::Places;
use super::theme::{self, ThemeWatch};
use super::verdict::Verdict;
use super::watch::Watch;
use super::{
    initial_passwords, listen, logouts, mailer, metrics, notify, open_files, password_link, tasks,
};
use crate::app::control;
use crate::blueprint::load::{self, Loaded};
use crate::blueprint::render::Style;
use crate::client_keys::ClientKeys;
use crate::client_secret::ClientSecrets;
use crate::clock::Clock;
use crate::flow::hashing::Hasher;
use crate::flow::reputation::Scores;
use crate::forward_auth::ForwardAuth;
use crate::identity_source::IdentitySources;
use crate::ids::Rng;
use crate::journal;
use crate::mail::post::Post;
use crate::outbound::Outbound;
use crate::pages::Pages;
use crate::reconcile::apply::Applied;
use crate::reconcile::{self, Confirmations, Outcome, Plan};
use crate::runtime::Runtime;
use crate::runtime::health::Health;
use crate::secret::Secret;
use crate::session::Sessions;
use crate::signing::SigningKeys;
use crate::store::{Opening, StateUrl};
use crate::token::Tokens;
use crate::web::refused::Refused;
use crate::web::server::{Listening, Server};

/// What happened while starting, for the person who started it.
#[derive(Debug)]
pub struct Started {
    pub blueprints: Vec<PathBuf>,
    pub files: usize,
    pub nodes: usize,
    pub warnings: usize,
    pub state: String,
    pub opening: Opening,
    pub key: Option<(PathBuf, KeyOrigin)>,
    pub listen: Vec<SocketAddr>,
    pub external: String,
    pub generation: i64,
    /// Why the files are not in force, if they are not.
    pub not_in_force: Option<String>,
    pub missing: Vec<String>,
    /// Directories whose files are laid over the shipped theme.
    pub overrides: Vec<PathBuf>,
    pub link: Option<FirstLink>,
    pub over_ssh: bool,
}

/// The link for the first password, and where it went if nobody watches.
#[derive(Debug)]
pub struct FirstLink {
    pub user: String,
    pub url: Secret,
    pub file: Option<PathBuf>,
}

/// Whether somebody reads what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    Terminal,
    Nobody,
}

/// Starts the server, tells `greet` about it, and runs until the process is told to stop.
///
/// # Errors
/// If it cannot start.
pub async fn run(
    options: Options,
    style: Style,
    audience: Audience,
    greet: impl FnOnce(&Started),
) -> anyhow::Result<()> {
    open_files::raise();
    let loaded = load::load(&options.roots, options.mode());
    let places = Places::new(&options, &loaded.server)?;
    let listeners = open_listeners(&places)?;
    let files = places.certificate.clone();
    let certificate = files.map(|files| Certificate::open(files, Some("http/1.1"), &options));
    let certificate = certificate.transpose().map_err(|error| anyhow::anyhow!("server {error}"))?;
    let opened = open(&options, &places, &loaded.server).await?;
    let (clock, rng) = (Clock::machine(), Rng::system());
    let watched = loaded.watched.clone();
    let digest = candidate::source_digest(&loaded.sources);
    let nodes = loaded.nodes;
    let files = loaded.sources.files.len();
    let start = first(&options, &places, &opened, loaded, &style).await?;
    let (journal, writer) = journal::open(opened.store.clone(), clock.clone(), rng.clone());
    let bound = match places.state {
        StateUrl::Sqlite(_) => Duration::from_secs(60),
        StateUrl::Postgres(_) => Duration::from_secs(10),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let theme = theme::load(&options, &start.runtime.paths, &start.runtime.blueprint)?;
    let server = Arc::new(Server {
        runtime: ArcSwap::from_pointee(start.runtime),
        health: ArcSwap::from_pointee(Health::in_sync(clock.now())),
        looks: ArcSwap::from_pointee(theme.looks),
        sessions: Sessions::new(
            opened.store.clone(),
            Arc::clone(&opened.key),
            clock.clone(),
            rng.clone(),
            bound,
        ),
        tokens: Tokens::new(
            opened.store.clone(),
            Arc::clone(&opened.key),
            clock.clone(),
            rng.clone(),
        ),
        signing_keys: SigningKeys::new(
            opened.store.clone(),
            Arc::clone(&opened.key),
            clock.clone(),
            rng.clone(),
        ),
        client_secrets: ClientSecrets::default(),
        client_keys: ClientKeys::new(clock.clone()),
        identity_sources: IdentitySources::new(clock.clone()),
        outbound: Outbound::default(),
        refused: Refused::default(),
        store: opened.store.clone(),
        key: Arc::clone(&opened.key),
        journal,
        post: Post::new(Arc::clone(&opened.key), clock.clone(), rng.clone()),
        hasher: Hasher::new(cores),
        reputations: Scores::default(),
        clock,
        rng,
        listening: Listening {
            loopback_only: places.loopback_only(),
            tls: places.certificate.is_some(),
            banner: options.dev.then(|| banner().to_owned()),
        },
    });
    let keeper = keeper(&options, &places, &server, certificate);
    let warnings = into_force(&keeper, start.what, &digest).await?;
    let external = server.runtime.load().external.to_string();
    let started = Started {
        blueprints: options
            .roots
            .iter()
            .map(|root| super::places::absolute(&options.environment.working_directory, &root.path))
            .collect(),
        files,
        nodes,
        warnings: warnings.count,
        state: opened.store.place().to_owned(),
        opening: opened.opening,
        key: opened.key_file,
        listen: places.listen.clone(),
        generation: server.runtime.load().generation,
        not_in_force: warnings.not_in_force,
        missing: warnings.missing,
        overrides: theme.overrides,
        link: first_link(&server, &external, &places, audience).await?,
        external,
        over_ssh: options.environment.over_ssh,
    };
    let mut ldap = LdapListeners::new(Arc::clone(&server), options.clone());
    ldap.tend();
    greet(&started);
    tracing::info!(listen = ?started.listen, generation = started.generation, external = started.external, "ready");
    live(keeper, server, writer, (listeners, ldap), Followed { files: watched, theme: theme.watch })
        .await
}

fn banner() -> &'static str {
    "development mode: loopback only, missing secrets are warnings"
}

/// All listeners, opened before anything else is touched: a busy port changes nothing.
struct Listeners {
    main: Vec<TcpListener>,
    envoy: Option<TcpListener>,
    metrics: Option<TcpListener>,
}

fn open_listeners(places: &Places) -> anyhow::Result<Listeners> {
    let main = places.listen.iter().map(|at| listen::open(*at, "--listen"));
    Ok(Listeners {
        main: main.collect::<Result<_, _>>()?,
        envoy: places.envoy.map(|at| listen::open(at, "listen-envoy")).transpose()?,
        metrics: places.metrics.map(|at| listen::open(at, "metrics")).transpose()?,
    })
}

/// What the server begins with.
struct Start {
    runtime: Runtime,
    what: What,
}

enum What {
    /// The files themselves.
    Files { warnings: usize, missing: Vec<String> },
    /// The last good ones, and what came of the files.
    LastGood(Verdict),
}

async fn first(
    options: &Options,
    places: &Places,
    opened: &Opened,
    loaded: Loaded,
    style: &Style,
) -> anyhow::Result<Start> {
    let store = &opened.store;
    let active = store.read().await?.find_active_generation().await?;
    let known = Known {
        uids: generation::uids(store).await?,
        generation: active.as_ref().map_or(0, |active| active.line.number),
    };
    let built = candidate::build(options, places, loaded, &known, Demands::All);
    let now = Clock::machine().now();
    match (built, active) {
        (Ok(candidate), Some(active))
            if active.line.source_digest == candidate.runtime.source_digest =>
        {
            Ok(with_files(candidate, None))
        }
        (Ok(candidate), active) => {
            let before = match active {
                Some(_) => generation::last_good(options, places, store).await.ok().flatten(),
                None => None,
            };
            let stored = crate::reconcile::gather::gather(&store.read().await?, now).await?;
            let none = Confirmations::default();
            let running = before.as_ref();
            let plan = generation::plan_candidate(options, running, &candidate, &stored, &none);
            if plan.outcome() != Outcome::Held {
                let applied = apply(opened, &candidate, &plan).await?;
                return Ok(with_files(candidate, Some(&applied)));
            }
            let rng = Rng::system();
            generation::hold(&opened.applying(&rng, &plan, &candidate.runtime, "start")).await;
            fall_back(options, before, Verdict::Held(Box::new(plan)))
        }
        (Err(rejected), None) => {
            eprint!("{}", rejected.render(style));
            bail!("there is nothing to start with: mend the files and start again");
        }
        (Err(rejected), Some(_)) => {
            eprint!("{}", rejected.render(style));
            let good = generation::last_good(options, places, store).await?;
            fall_back(options, good, Verdict::from(rejected))
        }
    }
}

/// Starts with the files, as the store now knows them.
fn with_files(candidate: Candidate, applied: Option<&Applied>) -> Start {
    let Candidate { runtime, diagnostics, missing, .. } = candidate;
    let runtime = match applied {
        Some(applied) => generation::identified(runtime, applied),
        None => runtime,
    };
    Start { runtime, what: What::Files { warnings: diagnostics.len(), missing } }
}

/// Takes new files into force before anybody is answered.
async fn apply(opened: &Opened, candidate: &Candidate, plan: &Plan) -> anyhow::Result<Applied> {
    let rng = Rng::system();
    let applying = opened.applying(&rng, plan, &candidate.runtime, "start");
    Ok(reconcile::apply::apply(&applying).await?)
}

/// The last good files in the place of those that cannot be taken.
fn fall_back(options: &Options, good: Option<Runtime>, verdict: Verdict) -> anyhow::Result<Start> {
    let why = match verdict {
        Verdict::Held(_) => "they wait for a confirmation",
        Verdict::Vanished(_) => "a directory of theirs is gone or empty",
        _ => "they have errors",
    };
    if options.strict {
        bail!("the files are not in force ({why}), and --strict refuses to start without them");
    }
    let Some(runtime) = good else {
        for problem in &verdict.state().1 {
            eprintln!("error: {problem}");
        }
        bail!("the files cannot be taken into force ({why}), and no earlier ones are stored");
    };
    Ok(Start { runtime, what: What::LastGood(verdict) })
}

/// What is worth telling about the files.
#[derive(Default)]
struct Warnings {
    count: usize,
    missing: Vec<String>,
    not_in_force: Option<String>,
}

fn keeper(
    options: &Options,
    places: &Places,
    server: &Arc<Server>,
    certificate: Option<Certificate>,
) -> Arc<Keeper> {
    let forward_auth = Arc::new(ForwardAuth::new(Arc::clone(server)));
    let fronts = Arc::new(Fronts {
        server: Arc::clone(server),
        forward_auth: Arc::clone(&forward_auth),
        pages: Pages::new(Arc::clone(server), forward_auth),
        provided: ArcSwapOption::empty(),
    });
    Arc::new(Keeper::new(options.clone(), places.clone(), fronts, certificate))
}

async fn into_force(keeper: &Keeper, what: What, digest: &str) -> anyhow::Result<Warnings> {
    Ok(match what {
        What::Files { warnings: count, missing } => {
            initial_passwords::apply(&keeper.options, &keeper.fronts.server).await?;
            keeper.begin(digest, None).await;
            Warnings { count, missing, not_in_force: None }
        }
        What::LastGood(verdict) => {
            keeper.begin(digest, Some(&verdict)).await;
            let not_in_force = verdict.state().1.into_iter().next();
            Warnings { not_in_force, ..Warnings::default() }
        }
    })
}

async fn first_link(
    server: &Server,
    external: &str,
    places: &Places,
    audience: Audience,
) -> anyhow::Result<Option<FirstLink>> {
    let runtime = server.runtime.load_full();
    let Some(user) = password_link::wanted(&server.store, &runtime).await? else {
        let _ = fs::remove_file(places.directory.join(LINK_FILE));
        return Ok(None);
    };
    let tools = (&server.clock, &server.rng);
    let url =
        password_link::make(&server.store, &server.key, tools, external, (&user, "the server"))
            .await?;
    let file = match audience {
        Audience::Terminal => None,
        Audience::Nobody => {
            let path = places.directory.join(LINK_FILE);
            let _ = fs::remove_file(&path);
            write_private(&path, &url)?;
            Some(path)
        }
    };
    Ok(Some(FirstLink { user: user.username, url: Secret::new(url), file }))
}

const LINK_FILE: &str = "set-password-link";

/// Answers requests and follows the files until somebody says stop.
async fn live(
    keeper: Arc<Keeper>,
    server: Arc<Server>,
    writer: journal::Writer,
    (listeners, ldap): (Listeners, LdapListeners),
    followed: Followed,
) -> anyhow::Result<()> {
    let (stopper, stop) = watch::channel(false);
    let journal_ends = Arc::new(Notify::new());
    let mut running = tokio::task::JoinSet::new();
    let fronts = Arc::clone(&keeper.fronts);
    let handler = Arc::new(move |request: Request<Body>, peer: SocketAddr| {
        let fronts = Arc::clone(&fronts);
        async move { fronts.answer(request, peer).await }
    });
    let bounds = listen::Bounds::default();
    for listener in listeners.main {
        let tls = keeper.certificate.as_ref().map(Certificate::acceptor);
        let way = listen::Way { bounds, tls };
        running.spawn(listen::serve(listener, way, stop.clone(), Arc::clone(&handler)));
    }
    if let Some(listener) = listeners.envoy {
        let fronts = Arc::clone(&keeper.fronts);
        let handler = Arc::new(move |request: Request<Body>, peer: SocketAddr| {
            let fronts = Arc::clone(&fronts);
            async move { fronts.answer_envoy(request, peer).await }
        });
        running.spawn(listen::serve(listener, bounds.into(), stop.clone(), handler));
    }
    if let Some(listener) = listeners.metrics {
        let server = Arc::clone(&server);
        let handler = Arc::new(move |request: Request<Body>, _peer: SocketAddr| {
            let answer: Response<Body> = metrics::answer(&server, &request);
            async move { answer }
        });
        running.spawn(listen::serve(listener, bounds.into(), stop.clone(), handler));
    }
    running.spawn(ldap.run(stop.clone()));
    running.spawn(tasks::run(Arc::clone(&server), stop.clone()));
    running.spawn(mailer::run(Arc::clone(&server), keeper.options.clone(), stop.clone()));
    running.spawn(logouts::run(Arc::clone(&server), stop.clone()));
    running.spawn(notify::run(Arc::clone(&server), keeper.options.clone(), stop.clone()));
    running.spawn(follow(Arc::clone(&keeper), followed, stop.clone()));
    running.spawn(control::serve(Arc::clone(&keeper), stop.clone()));
    let journal = tokio::spawn(writer.run(Arc::clone(&journal_ends)));
    told_to_stop().await;
    tracing::info!("stopping: open requests may end");
    let _ = stopper.send(true);
    while running.join_next().await.is_some() {}
    journal_ends.notify_one();
    let _ = journal.await;
    Ok(())
}

async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            tracing::error!(%error, "signals cannot be received");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// What is followed from the start on.
struct Followed {
    files: Vec<PathBuf>,
    theme: ThemeWatch,
}

/// Follows the files.
async fn follow(keeper: Arc<Keeper>, mut followed: Followed, mut stop: watch::Receiver<bool>) {
    let mut watch = Watch::new();
    watch.follow(&followed.files);
    let none = Confirmations::default();
    loop {
        tokio::select! {
            () = watch.changed() => {}
            () = crate::app::listen::told(&mut stop) => return,
        }
        let (_, watched) = keeper.reload(&none, "file change", false).await;
        watch.follow(&watched);
        followed.theme.look(&keeper.fronts.server).await;
    }
}
