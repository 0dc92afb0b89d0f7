-- The numbers that POSIX knows people and groups by. A number is never given twice, not even after its owner is gone.
CREATE TABLE posix_numbers (
    number BIGINT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL UNIQUE           -- the id of a user, or the uid of a group
);
