-- Accounts at other providers by which people sign in: known by who vouches and the name there.
CREATE TABLE connections (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    source TEXT NOT NULL,        -- the name of the source, as it was last used
    shown_as TEXT NOT NULL,      -- what its person calls it
    given TEXT NOT NULL,         -- JSON list: what it gave at the last sign-in
    proven BOOLEAN NOT NULL,     -- by the account's own proof; else an address alone told whose it is
    created_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX connections_by_user ON connections (user_id);
