-- What an API token may do here, besides opening apps: a JSON list of words.
ALTER TABLE tokens ADD COLUMN scopes TEXT NOT NULL DEFAULT '[]';
