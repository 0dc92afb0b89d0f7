-- Sign-ins that ended, to be told to the applications that were entered by them (OIDC Back-Channel Logout).
ALTER TABLE grants ADD COLUMN told_at BIGINT;   -- that the end of its sign-in was seen
CREATE TABLE logouts (
    session_id TEXT NOT NULL,
    app_uid TEXT NOT NULL,
    user_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    next_at BIGINT NOT NULL,     -- nobody tries before
    attempts BIGINT NOT NULL,
    PRIMARY KEY (session_id, app_uid)
);
CREATE INDEX logouts_by_next ON logouts (next_at);
