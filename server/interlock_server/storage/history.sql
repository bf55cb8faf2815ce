-- Version 2 of the journal of one partition.

-- The history that the revisions belong to. No row means: not opened since it was made or copied,
-- so that every backup that is put in place begins a history of its own.
CREATE TABLE history (
  only_row       INTEGER PRIMARY KEY CHECK (only_row = 1),
  id             TEXT NOT NULL
) STRICT;
