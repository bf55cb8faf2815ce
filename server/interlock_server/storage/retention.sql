-- Version 3 of the journal of one partition.

-- How long final jobs stay, as their definition said when they were archived. No row: for ever.
CREATE TABLE kept (
  job            INTEGER PRIMARY KEY,
  definition     TEXT NOT NULL,
  ended_ms       INTEGER NOT NULL,
  top            INTEGER NOT NULL,  -- it goes together with that one; 0: by itself
  keep_count     INTEGER NOT NULL,  -- newest of the definition that stay; 0: no such limit
  expire_ms      INTEGER NOT NULL   -- when it may go; 0: no such limit
) STRICT;
CREATE INDEX kept_by_expiry ON kept (expire_ms) WHERE top = 0 AND keep_count = 0;
CREATE INDEX kept_by_definition ON kept (definition, ended_ms, job) WHERE top = 0 AND keep_count > 0;
CREATE INDEX kept_with_another ON kept (job) WHERE top > 0;

-- Which archived jobs are restarts of which.
CREATE TABLE restarts (
  original       INTEGER NOT NULL,
  job            INTEGER NOT NULL,
  PRIMARY KEY (original, job)
) STRICT, WITHOUT ROWID;
CREATE INDEX restarts_by_job ON restarts (job);

-- What is known of recordings; their contents are files named by digest.
CREATE TABLE media (
  job            INTEGER NOT NULL,
  name           TEXT NOT NULL,
  digest         TEXT NOT NULL,
  size_bytes     INTEGER NOT NULL,
  content_type   TEXT NOT NULL,
  at_ms          INTEGER NOT NULL,
  robot          TEXT NOT NULL,
  PRIMARY KEY (job, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX media_by_digest ON media (digest);
