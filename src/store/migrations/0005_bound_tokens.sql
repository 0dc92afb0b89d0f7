-- The key that a token is bound to, by its thumbprint (RFC 9449).
ALTER TABLE refresh_tokens ADD COLUMN bound_to TEXT;
ALTER TABLE access_tokens ADD COLUMN bound_to TEXT;
