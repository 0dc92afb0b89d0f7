-- What devices asked for that have no keyboard, until somebody types the code that they show (RFC 8628).
CREATE TABLE device_codes (
    digest BYTEA NOT NULL PRIMARY KEY,
    user_code BYTEA NOT NULL,    -- a keyed digest of what is typed
    app_uid TEXT NOT NULL,
    scopes TEXT NOT NULL,        -- JSON list
    address TEXT NOT NULL,       -- where the device asked from
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    asked_at BIGINT NOT NULL,    -- when the device last asked
    wait_ms BIGINT NOT NULL,     -- how long it has to wait in between
    grant_id TEXT REFERENCES grants (id) ON DELETE CASCADE,  -- once somebody agreed
    refused_at BIGINT,
    used_at BIGINT
);
CREATE UNIQUE INDEX device_codes_by_user_code ON device_codes (user_code);
CREATE INDEX device_codes_by_address ON device_codes (address);
CREATE INDEX device_codes_by_expiry ON device_codes (expires_at);
