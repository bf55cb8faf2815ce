-- Every statement that is not put together at run time. `-- name:` starts one; the rest of that
-- line is its comment.

-- name: insert_commit
INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: history_id
SELECT id FROM history;

-- name: insert_history_id
INSERT INTO history VALUES (1, ?);

-- name: forget_history_id
DELETE FROM history;

-- name: insert_answers
INSERT INTO answers VALUES (?, ?, ?, ?, ?);

-- name: insert_archived -- again is the same: recovery may archive once more what it replayed
INSERT OR REPLACE INTO archived VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: insert_spilled -- again is the same, as above
INSERT OR REPLACE INTO spilled VALUES (?, ?, ?, ?);

-- name: newest_commit
SELECT number, last_revision, bytes_so_far FROM commits ORDER BY number DESC LIMIT 1;

-- name: newest_dropped
SELECT number, last_revision, bytes_so_far FROM dropped;

-- name: newest_number
SELECT max(number) FROM commits;

-- name: commit_position -- without the blobs
SELECT last_revision, at_ms, bytes_so_far FROM commits WHERE number = ?;

-- name: changes_from
SELECT first_revision, last_revision, public FROM commits WHERE number >= ? ORDER BY number;

-- name: commits_from
SELECT number, first_revision, last_revision, at_ms, crc, public, private
FROM commits WHERE number > ? ORDER BY number LIMIT ?;

-- name: drop_commits
DELETE FROM commits WHERE number <= ?;

-- name: set_dropped
UPDATE dropped SET number = ?, last_revision = ?, bytes_so_far = ?;

-- name: answers_newer
SELECT crc, answers FROM answers WHERE newest_ms > ? ORDER BY commit_number;

-- name: answer_counts
SELECT commit_number, newest_ms, count FROM answers ORDER BY commit_number DESC;

-- name: drop_answers -- as many rows as one short transaction takes
DELETE FROM answers WHERE commit_number IN
  (SELECT commit_number FROM answers WHERE commit_number <= ? ORDER BY commit_number LIMIT ?);

-- name: begin_snapshot
INSERT INTO snapshots VALUES (?, ?, 0);

-- name: insert_slice
INSERT INTO snapshot_slices VALUES (?, ?, ?, ?);

-- name: newest_part
SELECT max(part) FROM snapshot_slices WHERE generation = ?;

-- name: complete_snapshot
UPDATE snapshots SET complete = 1 WHERE generation = ?;

-- name: latest_snapshot
SELECT generation, first_commit FROM snapshots WHERE complete ORDER BY generation DESC LIMIT 1;

-- name: slice_after
SELECT part, crc, slice_rows FROM snapshot_slices
WHERE generation = ? AND part > ? ORDER BY part LIMIT 1;

-- name: drop_slices -- of every generation but one, as many as one short transaction takes
DELETE FROM snapshot_slices WHERE rowid IN
  (SELECT rowid FROM snapshot_slices WHERE generation <> ? LIMIT ?);

-- name: drop_snapshots
DELETE FROM snapshots WHERE generation <> ?;

-- name: archived_job
SELECT crc, job, lifecycle, status, definition, queue, robot, created_ms, ended_ms, record, history
FROM archived WHERE job = ?;

-- name: archived_count
SELECT count(*) FROM archived;

-- name: spilled_history
SELECT job, part, crc, entries FROM spilled WHERE job = ? ORDER BY part;

-- name: insert_kept -- again is the same, as above
INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?, ?);

-- name: insert_restart
INSERT OR IGNORE INTO restarts VALUES (?, ?);

-- name: insert_medium
INSERT OR REPLACE INTO media VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: drop_medium
DELETE FROM media WHERE job = ? AND name = ?;

-- name: expired_jobs
SELECT job FROM kept WHERE top = 0 AND keep_count = 0 AND expire_ms <= ?
ORDER BY expire_ms LIMIT ?;

-- name: next_counted
SELECT definition FROM kept WHERE top = 0 AND keep_count > 0 AND definition > ?
ORDER BY definition LIMIT 1;

-- name: counted_jobs
SELECT job, definition, ended_ms, top, keep_count, expire_ms FROM kept
WHERE top = 0 AND keep_count > 0 AND definition = ? AND (ended_ms, job) < (?, ?)
ORDER BY ended_ms DESC, job DESC LIMIT ?;

-- name: following_jobs
SELECT job, definition, ended_ms, top, keep_count, expire_ms FROM kept
WHERE top > 0 AND job > ? ORDER BY job LIMIT ?;

-- name: delete_archived
DELETE FROM archived WHERE job = ?;

-- name: delete_spilled
DELETE FROM spilled WHERE job = ?;

-- name: delete_kept
DELETE FROM kept WHERE job = ?;

-- name: delete_restart
DELETE FROM restarts WHERE job = ?;

-- name: delete_media
DELETE FROM media WHERE job = ?;

-- name: restarts_of
SELECT original, job FROM restarts WHERE original = ? ORDER BY job;

-- name: media_of
SELECT job, name, digest, size_bytes, content_type, at_ms, robot FROM media
WHERE job = ? ORDER BY name;

-- name: media_jobs
SELECT DISTINCT job FROM media WHERE job > ? ORDER BY job LIMIT ?;

-- name: uses_of_digest
SELECT 1 FROM media WHERE digest = ? LIMIT 1;

-- name: any_media
SELECT 1 FROM media LIMIT 1;
