-- SPDX-License-Identifier: Apache-2.0
-- Tests of partners.

-- name: partner_test_begin
-- Unique index partner_test_running. NULL: one is running.
SELECT partner_test_begin($1, $2) AS id

-- name: partner_check_add
-- $2: a list of objects. The same rows again change nothing.
INSERT INTO partner_check (test_id, seq, name, module, result, rule, place, expected, got, advice)
SELECT $1, c.seq, c.name, c.module, c.result, c.rule, c.place, c.expected, c.got, c.advice
  FROM jsonb_to_recordset($2::jsonb)
       c (seq int, name text, module text, result text, rule text, place text, expected text,
          got text, advice text)
    ON CONFLICT DO NOTHING

-- name: partner_test_end
UPDATE partner_test SET finished_at = hub_now() WHERE id = $1 AND finished_at IS NULL

-- name: partner_test_get
SELECT t.id, t.full_test, t.started_at, t.finished_at,
       t.finished_at IS NULL AND t.started_at >= hub_now() - interval '6 minutes' AS running
  FROM partner_test t
 WHERE t.partner_id = $1 AND t.id = $2

-- name: partner_check_list
-- Primary key.
SELECT seq, name, module, result, rule, place, expected, got, advice
  FROM partner_check WHERE test_id = $1 ORDER BY seq
