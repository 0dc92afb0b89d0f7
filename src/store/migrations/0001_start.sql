-- The state store, first version. One text for SQLite and Postgres: TEXT, BIGINT, BOOLEAN and
-- BYTEA only; times are milliseconds since 1970; JSON is TEXT; digests are keyed (HMAC-SHA-256).

-- Facts about the store itself, such as the fingerprint of the master key.
CREATE TABLE meta (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Identity of what blueprints declare: kind and slug to a uid that survives renames and removal.
CREATE TABLE objects (
    uid TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    slug TEXT NOT NULL,
    aliases TEXT NOT NULL,       -- JSON list of the slugs it had before
    declared_at TEXT NOT NULL,   -- file and line of its declaration
    protect BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    tombstoned_at BIGINT
);
CREATE UNIQUE INDEX objects_by_slug ON objects (kind, slug) WHERE tombstoned_at IS NULL;
CREATE INDEX objects_by_tombstone ON objects (tombstoned_at) WHERE tombstoned_at IS NOT NULL;

-- People. The *_key columns are folded (NFKC and case) in Rust: neither database folds alike.
CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL,
    username_key TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT,
    email_key TEXT,
    declared BOOLEAN NOT NULL,            -- a blueprint owns name, e-mail, attributes, disabled
    disabled BOOLEAN NOT NULL,
    attributes TEXT NOT NULL,             -- JSON map of lists, written by blueprints
    own_attributes TEXT NOT NULL,         -- JSON map of lists, written at run time
    language TEXT,                        -- what the person chose
    password_hash TEXT,
    password_set_at BIGINT,
    must_change BOOLEAN NOT NULL,
    initial_password_applied BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    signed_in_at BIGINT
);
CREATE UNIQUE INDEX users_by_username ON users (username_key);
-- Somebody removed from the blueprints is disabled, and the address may be given to another.
CREATE UNIQUE INDEX users_by_email ON users (email_key) WHERE NOT disabled;

-- Who belongs to which group, and whether a blueprint or the run time says so.
CREATE TABLE memberships (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    group_slug TEXT NOT NULL,
    owner TEXT NOT NULL CHECK (owner IN ('git', 'runtime')),
    PRIMARY KEY (user_id, group_slug, owner)
);
CREATE INDEX memberships_by_group ON memberships (group_slug);

-- Sign-in sessions on Doorward's own host. Proofs are times of factors, on the session alone.
CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    digest BYTEA NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,  -- at the latest, however busy
    idle_ms BIGINT NOT NULL,     -- ends this long after seen_at
    ended_at BIGINT,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    flows TEXT NOT NULL,         -- JSON map of the flows it came by, each good until then
    proofs TEXT NOT NULL         -- JSON: what was proven, and when
);
CREATE UNIQUE INDEX sessions_by_digest ON sessions (digest);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_by_end ON sessions (ended_at) WHERE ended_at IS NOT NULL;

-- What a sign-in session is at one application's host: a cookie of its own.
CREATE TABLE app_sessions (
    id TEXT NOT NULL PRIMARY KEY,
    digest BYTEA NOT NULL,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    app_uid TEXT NOT NULL,
    host TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE UNIQUE INDEX app_sessions_by_digest ON app_sessions (digest);
CREATE INDEX app_sessions_by_session ON app_sessions (session_id);
CREATE INDEX app_sessions_by_app ON app_sessions (app_uid);
CREATE INDEX app_sessions_by_end ON app_sessions (ended_at) WHERE ended_at IS NOT NULL;

-- Single-use hand-over from the sign-in host to an application's host.
CREATE TABLE tickets (
    digest BYTEA NOT NULL PRIMARY KEY,
    app_uid TEXT NOT NULL,
    host TEXT NOT NULL,
    return_to TEXT NOT NULL,
    nonce_digest BYTEA NOT NULL,  -- of the cookie set where the login began
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX tickets_by_session ON tickets (session_id);
CREATE INDEX tickets_by_expiry ON tickets (expires_at);

-- Logins and other flows in progress, keyed by their browser's cookie.
CREATE TABLE flow_states (
    digest BYTEA NOT NULL PRIMARY KEY,
    flow TEXT NOT NULL,
    purpose TEXT NOT NULL,
    generation BIGINT NOT NULL,  -- the one in which the flow began
    data TEXT NOT NULL,          -- JSON
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    version BIGINT NOT NULL      -- each step names the version it saw
);
CREATE INDEX flow_states_by_expiry ON flow_states (expires_at);

-- One-time links, such as the one to set a password. One unused link for each purpose.
CREATE TABLE links (
    digest BYTEA NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE UNIQUE INDEX links_by_user ON links (user_id, purpose) WHERE used_at IS NULL;
CREATE INDEX links_by_expiry ON links (expires_at);

-- Invitations to make an account, by one flow. What they give is written by whoever may give it.
CREATE TABLE invitations (
    id TEXT NOT NULL PRIMARY KEY,
    digest BYTEA NOT NULL,
    flow TEXT NOT NULL,
    note TEXT NOT NULL,          -- for whoever made it
    made_by TEXT NOT NULL,
    groups TEXT NOT NULL,        -- JSON list of slugs
    fields TEXT NOT NULL,        -- JSON map, filled in and fixed
    uses_left BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX invitations_by_digest ON invitations (digest);
CREATE INDEX invitations_by_expiry ON invitations (expires_at);

-- What a person lets an app know, until it runs out or is taken back.
CREATE TABLE consents (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    app_uid TEXT NOT NULL,
    shares TEXT NOT NULL,        -- JSON list of words
    session_id TEXT,             -- good in this sign-in alone, if there is one
    given_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, app_uid)
);
CREATE INDEX consents_by_expiry ON consents (expires_at);

-- Terms that a person agreed to, in each version.
CREATE TABLE agreements (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    terms TEXT NOT NULL,
    version TEXT NOT NULL,
    agreed_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, terms, version)
);

-- Generated secrets, sealed with the master key. One current value for each field.
CREATE TABLE secrets (
    owner_uid TEXT NOT NULL,
    field TEXT NOT NULL,
    rotation BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT,
    PRIMARY KEY (owner_uid, field, rotation)
);
CREATE UNIQUE INDEX secrets_current ON secrets (owner_uid, field) WHERE retired_at IS NULL;

-- Accepted blueprints with their sources.
CREATE TABLE generations (
    number BIGINT NOT NULL PRIMARY KEY,
    source_digest TEXT NOT NULL,
    model_digest TEXT NOT NULL,
    revision TEXT,
    sources TEXT NOT NULL,       -- JSON
    applied_at BIGINT NOT NULL,
    applied_by TEXT NOT NULL,
    summary TEXT NOT NULL        -- JSON
);
CREATE INDEX generations_by_source ON generations (source_digest);

-- The generation in force: one row, changed only by whoever knows its present value.
CREATE TABLE active (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    generation BIGINT REFERENCES generations (number)
);
INSERT INTO active (one, generation) VALUES (1, NULL);

-- The set of files that waits for a confirmation: at most one row.
CREATE TABLE held (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    source_digest TEXT NOT NULL,
    reasons TEXT NOT NULL,       -- JSON
    at BIGINT NOT NULL
);

-- What happened. The id is time-ordered.
CREATE TABLE events (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT,
    subject TEXT,
    data TEXT NOT NULL           -- JSON
);
CREATE INDEX events_by_time ON events (at);
CREATE INDEX events_by_kind ON events (kind, id);
CREATE INDEX events_by_actor ON events (actor, id);
CREATE INDEX events_by_subject ON events (subject, id);

-- How far the events went that files want told elsewhere.
CREATE TABLE notices (
    slug TEXT NOT NULL PRIMARY KEY,
    event_id TEXT NOT NULL,
    failures BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    first_failed_at BIGINT,
    last_error TEXT
);

-- Failed attempts, shared by all nodes; the key names account and address.
CREATE TABLE attempts (
    key TEXT NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    blocked_until BIGINT,
    blocks BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX attempts_by_time ON attempts (last_at);

-- App passwords and API tokens: long-lived, each good at the apps that it names.
CREATE TABLE tokens (
    id TEXT NOT NULL PRIMARY KEY,
    digest BYTEA NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('app-password', 'api-token')),
    name TEXT NOT NULL,
    apps TEXT NOT NULL,          -- JSON list of uids
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX tokens_by_digest ON tokens (digest);
CREATE INDEX tokens_by_user ON tokens (user_id);
CREATE INDEX tokens_by_revocation ON tokens (revoked_at) WHERE revoked_at IS NOT NULL;

-- Second factors and passkeys, several for each person. Sealed with the master key.
CREATE TABLE factors (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('totp', 'webauthn', 'email-code', 'duo')),
    name TEXT NOT NULL,
    credential TEXT,             -- of a passkey: its id, base64url
    sealed BYTEA NOT NULL,       -- JSON, empty where there is nothing to keep
    counter BIGINT NOT NULL,     -- the last time step or signature count; only ever grows
    created_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE UNIQUE INDEX factors_by_credential ON factors (credential) WHERE credential IS NOT NULL;
CREATE INDEX factors_by_user ON factors (user_id);

-- Recovery codes, each good once.
CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    digest BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (user_id, digest)
);

-- Browsers that a person signed in with, and what was proven there. One browser may have several.
CREATE TABLE browsers (
    digest BYTEA NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    proofs TEXT NOT NULL,        -- JSON map of factors, each with the time of its proof
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    PRIMARY KEY (digest, user_id)
);
CREATE INDEX browsers_by_user ON browsers (user_id);
CREATE INDEX browsers_by_time ON browsers (seen_at);

-- Mail on its way out, each with its words sealed. A claim that is not completed runs out.
CREATE TABLE outbox (
    id TEXT NOT NULL PRIMARY KEY,
    recipient TEXT NOT NULL,
    kind TEXT NOT NULL,
    sealed BYTEA NOT NULL,       -- empty once it was given up
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,  -- what is not sent by then is worth nothing
    next_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,    -- one more with each claim
    claimed_until BIGINT,
    last_error TEXT,
    given_up_at BIGINT
);
CREATE INDEX outbox_by_time ON outbox (next_at) WHERE given_up_at IS NULL;
CREATE INDEX outbox_by_end ON outbox (given_up_at) WHERE given_up_at IS NOT NULL;

-- What may be used once, such as the challenge of a passkey, until it means nothing any more.
CREATE TABLE once (
    digest BYTEA NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX once_by_expiry ON once (expires_at);
