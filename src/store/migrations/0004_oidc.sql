-- Keys that tokens are signed with, sealed with the master key. The newest of an algorithm whose time
-- has come signs; the others are published for as long as something they signed may be good.
CREATE TABLE signing_keys (
    algorithm TEXT NOT NULL,
    number BIGINT NOT NULL,      -- 1 for the first, one more with each rotation
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL,
    PRIMARY KEY (algorithm, number)
);

-- What a person let an app have: everything that it was given hangs on this.
CREATE TABLE grants (
    id TEXT NOT NULL PRIMARY KEY,
    app_uid TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id TEXT,             -- the sign-in that it was given in
    offline BOOLEAN NOT NULL,    -- outlives that sign-in
    scopes TEXT NOT NULL,        -- JSON list
    approved TEXT NOT NULL,      -- JSON: from where, by which proofs, for which claims
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    revoked_for TEXT
);
CREATE INDEX grants_by_user ON grants (user_id);
CREATE INDEX grants_by_session ON grants (session_id);
CREATE INDEX grants_by_expiry ON grants (expires_at);

-- Authorization codes, each good once.
CREATE TABLE codes (
    digest BYTEA NOT NULL PRIMARY KEY,
    grant_id TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    redirect_uri TEXT NOT NULL,
    challenge TEXT,              -- SHA-256 of the verifier, base64url
    nonce TEXT,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX codes_by_grant ON codes (grant_id);
CREATE INDEX codes_by_expiry ON codes (expires_at);

-- Refresh tokens, each good once; its successor is made in the same transaction.
CREATE TABLE refresh_tokens (
    digest BYTEA NOT NULL PRIMARY KEY,
    grant_id TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    parent BYTEA,                -- the one that it took the place of
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX refresh_tokens_by_grant ON refresh_tokens (grant_id);
CREATE INDEX refresh_tokens_by_parent ON refresh_tokens (parent) WHERE parent IS NOT NULL;
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

-- Access tokens that say nothing themselves.
CREATE TABLE access_tokens (
    digest BYTEA NOT NULL PRIMARY KEY,
    grant_id TEXT REFERENCES grants (id) ON DELETE CASCADE,  -- none if the app asked for itself
    app_uid TEXT NOT NULL,
    scopes TEXT NOT NULL,        -- JSON list
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX access_tokens_by_grant ON access_tokens (grant_id);
CREATE INDEX access_tokens_by_expiry ON access_tokens (expires_at);

-- Signed access tokens that were called back before their time, by the name in them.
CREATE TABLE revoked_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX revoked_tokens_by_expiry ON revoked_tokens (expires_at);
