-- Version 1 of the journal of one partition.

-- One row per commit: append-only, dropped from the front by compaction. The small columns stand
-- before the blobs, so that searching never reads what a large commit spills to other pages.
CREATE TABLE commits (
  number         INTEGER PRIMARY KEY,
  first_revision INTEGER NOT NULL,
  last_revision  INTEGER NOT NULL,  -- first_revision - 1 if the commit has no changes
  at_ms          INTEGER NOT NULL,
  bytes_so_far   INTEGER NOT NULL,  -- of all commits ever, this one included: sizes without sums
  crc            INTEGER NOT NULL,  -- over every other column but bytes_so_far
  public         BLOB NOT NULL,
  private        BLOB NOT NULL
) STRICT;

-- Where the journal begins: the newest commit that was dropped. Always exactly one row.
CREATE TABLE dropped (
  only_row       INTEGER PRIMARY KEY CHECK (only_row = 1),
  number         INTEGER NOT NULL,
  last_revision  INTEGER NOT NULL,
  bytes_so_far   INTEGER NOT NULL
) STRICT;
INSERT INTO dropped VALUES (1, 0, 0, 0);

-- Answers to request_ids, one row per commit that has any: they are looked up in memory, and an
-- index over random ids would cost a page for each.
CREATE TABLE answers (
  commit_number  INTEGER PRIMARY KEY,
  newest_ms      INTEGER NOT NULL,
  count          INTEGER NOT NULL,
  crc            INTEGER NOT NULL,
  answers        BLOB NOT NULL
) STRICT;

-- Final jobs, written once.
CREATE TABLE archived (
  job            INTEGER PRIMARY KEY,
  lifecycle      INTEGER NOT NULL,
  status         INTEGER NOT NULL,
  definition     TEXT NOT NULL,
  queue          TEXT NOT NULL,
  robot          TEXT NOT NULL,
  created_ms     INTEGER NOT NULL,
  ended_ms       INTEGER NOT NULL,
  crc            INTEGER NOT NULL,
  record         BLOB NOT NULL,
  history        BLOB NOT NULL
) STRICT;
-- Both end in the job id, so a page of a listing is read in order without sorting.
CREATE INDEX archived_by_status ON archived (status);
CREATE INDEX archived_by_definition ON archived (definition, status);

-- Older history of live jobs that change very often.
CREATE TABLE spilled (
  job            INTEGER NOT NULL,
  part           INTEGER NOT NULL,
  crc            INTEGER NOT NULL,
  entries        BLOB NOT NULL,
  PRIMARY KEY (job, part)
) STRICT;

-- Snapshots of the live objects; the newest complete one counts.
CREATE TABLE snapshots (
  generation     INTEGER PRIMARY KEY,
  first_commit   INTEGER NOT NULL,
  complete       INTEGER NOT NULL
) STRICT;
CREATE TABLE snapshot_slices (
  generation     INTEGER NOT NULL,
  part           INTEGER NOT NULL,
  crc            INTEGER NOT NULL,
  slice_rows     BLOB NOT NULL,
  PRIMARY KEY (generation, part)
) STRICT;
