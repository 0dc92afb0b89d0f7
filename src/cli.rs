//! The command line: one file per command. Only here is the environment read and text printed.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::app::options::{Environment, Options};
use crate::app::places::Places;
use crate::app::{generation, opening};
use crate::blueprint::Blueprint;
use crate::blueprint::load::{self, Loaded};
use crate::blueprint::read::Root;
use crate::blueprint::render::{self, Format, Style};
use crate::blueprint::source::Sources;
use crate::clock::Clock;
use crate::ids::Rng;
use crate::runtime::Runtime;
use crate::secret::Secret;
use crate::store::{Event, Tx};

mod apply;
mod backup;
mod check;
mod doctor;
mod email;
mod explain;
mod export;
mod group;
mod import;
mod invite;
mod keys;
mod notify;
mod plan;
mod recover;
mod reference;
mod reload;
mod secret;
mod serve;
mod show;
mod snippet;
mod socket;
mod status;
mod test;
mod token;
mod user;

/// The identity provider whose configuration is a directory of files in git.
///
/// People, groups, apps and rules stand in KDL files ("blueprints"). They are checked with errors
/// that point at the character, planned before they are applied, and taken into force while the
/// server runs.
#[derive(Debug, Parser)]
#[command(
    name = "doorward",
    version,
    after_help = "Begin with:\n  doorward serve            in a directory with ./blueprints\n  doorward check            what is wrong with the files\n  doorward plan             what the files would change\n  doorward reference app    what may stand in an app\n\nExit codes: 0 fine, 1 an error, 2 changes (plan), 3 held: something must be confirmed."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Serve),
    /// Say everything that is wrong with the files
    Check(check::Check),
    /// Run the tests that stand in the files
    Test(test::Test),
    /// Show what the files would change, and for whom
    Plan(plan::Plan),
    /// Take the files into force, with confirmations
    Apply(apply::Apply),
    /// Have the running server read the files again
    Reload(reload::Reload),
    /// Say which files are in force
    Status(status::Status),
    /// Print an object after templates and variables are filled in
    Show(show::Show),
    /// Say who decides about a request, rule by rule, or why a token was refused
    Explain(explain::Explain),
    /// Print configuration for nginx, Caddy or Envoy
    Snippet(snippet::Snippet),
    /// Print what may stand in a blueprint
    Reference(reference::Reference),
    /// Print a built-in flow, to start one of your own from
    Export(export::Export),
    /// Write the configuration of another provider as blueprints
    Import(import::Import),
    /// Write the whole state into one file, while the server goes on
    Backup(backup::Backup),
    /// Bring a backup back, where there is no state yet
    Restore(backup::Restore),
    /// Show generated secrets to whoever must copy one
    Secret(secret::Secret),
    /// List and replace the keys that tokens are signed with
    Keys(keys::Keys),
    /// Do something about one person, on the host
    User(user::User),
    /// Set a new password by a one-time link: the way back in when everything else is lost
    Recover(recover::Recover),
    /// Try where events are told, as `notify` says
    Notify(notify::Notify),
    /// Put people into groups that files do not fill
    Group(group::Group),
    /// Invite people to an account of their own
    Invite(invite::Invite),
    /// Make, list and revoke app passwords and API tokens
    Token(token::Token),
    /// See whether mail can be sent
    Email(email::Email),
    /// Look for the usual mistakes around the server
    Doctor(doctor::Doctor),
}

/// Where the installation is: the same for every command.
#[derive(Debug, Clone, Args)]
pub struct Installation {
    /// A directory of blueprints, or one file; may be given several times. DIR=app,template lets
    /// only these kinds of nodes stand in it
    #[arg(long, value_name = "DIR[=KINDS]", default_value = "blueprints")]
    blueprints: Vec<String>,
    /// Where the state is kept: sqlite:///path/state.db or postgres://user:password@host/name
    #[arg(long, value_name = "URL")]
    state: Option<String>,
    /// The address to listen on; moves the port of http://*.localhost addresses with it
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// A development server: loopback only, every host H at http://H.localhost, state below ./state
    #[arg(long)]
    dev: bool,
    /// A directory that secret files and linked files may be read from; several times
    #[arg(long, value_name = "DIR")]
    read_from: Vec<PathBuf>,
    /// A directory that files may be written to, such as Traefik's; several times
    #[arg(long, value_name = "DIR")]
    write_to: Vec<PathBuf>,
    /// Let `raw` in `traefik` hold routers and services
    #[arg(long)]
    allow_raw_routers: bool,
    /// The revision of the files; else a REVISION file or git says it
    #[arg(long, value_name = "REV", env = "DOORWARD_REVISION")]
    revision: Option<String>,
}

impl Installation {
    fn options(&self) -> Options {
        let roots = self.blueprints.iter().map(|argument| {
            let root = Root::from_argument(argument);
            Root { allow: self.read_from.clone(), ..root }
        });
        Options {
            roots: roots.collect(),
            state: self.state.clone(),
            listen: self.listen,
            dev: self.dev,
            read_from: self.read_from.clone(),
            write_to: self.write_to.clone(),
            allow_raw_routers: self.allow_raw_routers,
            strict: false,
            revision: self.revision.clone(),
            environment: environment(),
        }
    }
}

/// Runs the command that the arguments name.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Serve(command) => command.run(),
        Command::Check(command) => command.run(),
        Command::Test(command) => command.run(),
        Command::Plan(command) => command.run(),
        Command::Apply(command) => command.run(),
        Command::Reload(command) => command.run(),
        Command::Status(command) => command.run(),
        Command::Show(command) => command.run(),
        Command::Explain(command) => command.run(),
        Command::Snippet(command) => command.run(),
        Command::Reference(command) => command.run(),
        Command::Export(command) => command.run(),
        Command::Import(command) => command.run(),
        Command::Backup(command) => command.run(),
        Command::Restore(command) => command.run(),
        Command::Secret(command) => command.run(),
        Command::User(command) => command.run(),
        Command::Recover(command) => command.run(),
        Command::Notify(command) => command.run(),
        Command::Group(command) => command.run(),
        Command::Invite(command) => command.run(),
        Command::Keys(command) => command.run(),
        Command::Token(command) => command.run(),
        Command::Email(command) => command.run(),
        Command::Doctor(command) => command.run(),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn environment() -> Environment {
    let path = |name| std::env::var_os(name).map(PathBuf::from);
    let secrets = std::env::vars().filter(|(name, _)| name.starts_with("DOORWARD_SECRET_"));
    Environment {
        credentials: path("CREDENTIALS_DIRECTORY"),
        runtime_directory: path("RUNTIME_DIRECTORY"),
        secrets: secrets.map(|(name, value)| (name, Secret::new(value))).collect(),
        over_ssh: std::env::var("SSH_CONNECTION").is_ok(),
        working_directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
    }
}

/// How text is printed to this output: colour on terminals only, and never against `NO_COLOR`.
fn style(format: Format, to: &impl IsTerminal) -> Style {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let terminal = to.is_terminal();
    let width = terminal.then(terminal_width).flatten().unwrap_or(100);
    Style { format, colour: terminal && !plain, unicode: true, width }
}

fn terminal_width() -> Option<usize> {
    let columns = std::env::var_os("COLUMNS")?;
    columns.to_str()?.parse().ok().filter(|width| (40..=400).contains(width))
}

/// Who did what a command did, in events.
const COMMAND_LINE: &str = "command line";

/// Notes in the transaction of a command what it did.
async fn note(
    tx: &mut Tx,
    kind: &str,
    subject: &str,
    data: serde_json::Value,
) -> anyhow::Result<()> {
    let now = Clock::machine().now();
    let event = Event {
        id: Rng::system().id("evt", now)?,
        at: now,
        kind: kind.to_owned(),
        actor: Some(COMMAND_LINE.to_owned()),
        subject: Some(subject.to_owned()),
        data,
    };
    Ok(tx.insert_event(&event).await?)
}

/// Prints to standard output; a reader that went away is no error of ours.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Prints a value for scripts.
fn print_json(value: &serde_json::Value) -> anyhow::Result<()> {
    print(&format!("{value:#}\n"))
}

/// The blueprint of an installation; files with errors are shown and end the command.
fn blueprint(at: &Installation) -> anyhow::Result<(Blueprint, Sources)> {
    let options = at.options();
    let loaded = load::load(&options.roots, options.mode());
    let Some(blueprint) = loaded.blueprint else {
        let style = style(Format::Human, &std::io::stderr());
        eprint!("{}", render::render(&loaded.diagnostics, &loaded.sources, &style));
        anyhow::bail!("the files have errors: mend them first");
    };
    Ok((blueprint, loaded.sources))
}

/// An installation with its store open, for commands that need no server.
///
/// It is the store of the server that runs here; without one, the store that the arguments name.
/// None is ever made.
struct Opened {
    options: Options,
    places: Places,
    loaded: Loaded,
    stored: opening::Opened,
}

impl Opened {
    async fn at(at: &Installation) -> anyhow::Result<Self> {
        let mut options = at.options();
        let mut loaded = load::load(&options.roots, options.mode());
        let mut places = Places::new(&options, &loaded.server)?;
        let control = places.control.clone();
        let running = socket::installed(&control).await?;
        let note = match running {
            None => Some(format!("no server answers at {}", control.display())),
            Some(running) if running.is_at(&places) => None,
            Some(_) if at.state.is_some() => {
                Some(format!("the server that answers at {} uses another", control.display()))
            }
            Some(running) => {
                options = running.lead(options);
                loaded = load::load(&options.roots, options.mode());
                places = Places { control, ..Places::new(&options, &loaded.server)? };
                None
            }
        };
        let stored = opening::open_existing(&options, &places, &loaded.server).await?;
        if let Some(note) = note {
            eprintln!("note: opened the store {} ({note})", stored.store.place());
        }
        Ok(Self { options, places, loaded, stored })
    }

    /// The files that were last in force.
    async fn last_good(&self) -> anyhow::Result<Option<Runtime>> {
        Ok(generation::last_good(&self.options, &self.places, &self.stored.store).await?)
    }
}

/// A runtime for commands that talk to the store or the server.
fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}
