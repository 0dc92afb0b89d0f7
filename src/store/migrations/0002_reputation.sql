-- When accounts and addresses will be forgiven every failure; each failure puts it off.
CREATE TABLE reputation (
    key TEXT NOT NULL PRIMARY KEY,
    clean_at BIGINT NOT NULL
);
CREATE INDEX reputation_by_time ON reputation (clean_at);
