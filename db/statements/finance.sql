-- SPDX-License-Identifier: Apache-2.0
-- Finance: the lists. Each is one statement, so that it is one snapshot however long its reading
-- takes (db/export.h); oldest first, because that is the order in which rows are written.

-- name: finance_receipts
-- $1 from, $2 until (of the issue date), $3 partner's id, $4 payment status, $5 user
SELECT r.id, r.number AS receipt_number, r.revision, r.kind,
       to_char(r.issued_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS issued_at,
       r.session_id, s.network, s.evse_id, s.user_id, c.cdr_id,
       (SELECT number FROM receipt o WHERE o.id = r.cancels) AS cancels,
       round(r.energy_mwh::numeric / 1000000, 3) AS energy_kwh, r.duration_s,
       to_char(r.start_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS start_time,
       to_char(r.end_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS end_time,
       r.currency, finance_amount(r.net_minor, r.currency) AS net,
       finance_amount(r.vat_minor, r.currency) AS vat,
       finance_amount(r.amount_minor, r.currency) AS gross,
       receipt_payment_status(r) AS payment_status
  FROM receipt r JOIN session s ON s.id = r.session_id JOIN cdr c ON c.id = r.cdr
 WHERE ($1::timestamptz IS NULL OR r.issued_at >= $1)
   AND ($2::timestamptz IS NULL OR r.issued_at < $2)
   AND ($3::bigint IS NULL OR s.partner_id = $3)
   AND ($4::text IS NULL OR receipt_payment_status(r) = $4)
   AND ($5::text IS NULL OR s.user_id = $5)
 ORDER BY r.issued_at, r.id

-- name: finance_cdrs
-- $1 from, $2 until (of the arrival), $3 partner's id, $4 source, $5 matched to a session, $6 filed
SELECT c.id, p.name AS network, c.country_code, c.party_id, c.cdr_id, c.source,
       to_char(c.received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS received_at,
       c.session_id, c.filed, c.class, c.credit, c.credit_reference_id,
       to_char(c.start_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS start_time,
       to_char(c.end_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS end_time,
       round(c.energy_mwh::numeric / 1000000, 6) AS energy_kwh, c.currency,
       round(c.total_cost_excl_u6::numeric / 1000000, 4) AS net,
       CASE WHEN c.has_incl_vat THEN round(c.total_cost_u6::numeric / 1000000, 4) END AS gross,
       round(c.recalculated_u6::numeric / 1000000, 4) AS recalculated_net,
       round(c.difference_u6::numeric / 1000000, 4) AS difference,
       to_char(c.period, 'YYYY-MM') AS month
  FROM cdr c LEFT JOIN partner p ON p.id = c.partner_id
 WHERE ($1::timestamptz IS NULL OR c.received_at >= $1)
   AND ($2::timestamptz IS NULL OR c.received_at < $2)
   AND ($3::bigint IS NULL OR c.partner_id = $3)
   AND ($4::text IS NULL OR c.source = $4)
   AND ($5::boolean IS NULL OR (c.session_id IS NOT NULL) = $5)
   AND ($6::text IS NULL OR c.filed = $6)
 ORDER BY c.received_at, c.id

-- name: finance_cdr
-- One CDR with its bytes as they came, what was made of them and what was found.
SELECT jsonb_build_object(
           'id', c.id, 'network', p.name, 'country_code', c.country_code, 'party_id', c.party_id,
           'cdr_id', c.cdr_id, 'source', c.source, 'ocpi', c.ocpi,
           'received_at', to_char(c.received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
           'session_id', c.session_id, 'filed', c.filed, 'class', c.class, 'credit', c.credit,
           'credit_reference_id', c.credit_reference_id,
           'credited_by', (SELECT cdr_id FROM cdr x WHERE x.id = c.credited_by),
           'start_time', to_char(c.start_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
           'end_time', to_char(c.end_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
           'energy_kwh', round(c.energy_mwh::numeric / 1000000, 6), 'currency', c.currency,
           'net', round(c.total_cost_excl_u6::numeric / 1000000, 4),
           'gross', CASE WHEN c.has_incl_vat
                         THEN round(c.total_cost_u6::numeric / 1000000, 4) END,
           'recalculated_net', round(c.recalculated_u6::numeric / 1000000, 4),
           'difference', round(c.difference_u6::numeric / 1000000, 4),
           'findings', c.findings, 'calculation', c.calculation, 'engine', c.engine,
           'tz_version', c.tz_version,
           'accepted_at', to_char(c.accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
           'owed_at', to_char(c.owed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
           'month', to_char(c.period, 'YYYY-MM'), 'decided_by', c.decided_by,
           'receipts', (SELECT coalesce(jsonb_agg(r.number ORDER BY r.id), '[]') FROM receipt r
                         WHERE r.cdr = c.id),
           'refused', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                                  'received_at', to_char(x.received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                                  'raw', convert_from(x.body, 'UTF8')) ORDER BY x.received_at), '[]')
                         FROM cdr_refused x WHERE x.cdr = c.id),
           'raw', convert_from(c.body, 'UTF8'))::text AS document
  FROM cdr c LEFT JOIN partner p ON p.id = c.partner_id
 WHERE c.id = $1::bigint

-- name: finance_cases
-- $1 open only, $2 kind, $3 partner's id
SELECT x.id, x.kind, x.detail, x.session_id, x.cdr, c.cdr_id,
       coalesce(s.network, p.name) AS network, c.class,
       to_char(x.opened_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS opened_at,
       to_char(x.resolved_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS resolved_at,
       x.resolution, x.by, c.currency,
       round(c.difference_u6::numeric / 1000000, 4) AS difference
  FROM finance_case x
  LEFT JOIN session s ON s.id = x.session_id
  LEFT JOIN cdr c ON c.id = x.cdr
  LEFT JOIN partner p ON p.id = c.partner_id
 WHERE (NOT $1::boolean OR x.resolved_at IS NULL)
   AND ($2::text IS NULL OR x.kind = $2)
   AND ($3::bigint IS NULL OR coalesce(s.partner_id, c.partner_id) = $3)
 ORDER BY x.id

-- name: finance_case
-- A late start or a forced end may have come before its CDR: then it is about the one that waits.
SELECT x.kind, x.session_id, c.id AS cdr, x.resolved_at IS NOT NULL AS resolved, c.filed, c.class
  FROM finance_case x
  LEFT JOIN cdr c ON c.id = coalesce(x.cdr, (
            SELECT max(w.id) FROM cdr w WHERE w.session_id = x.session_id AND w.filed = x.kind))
 WHERE x.id = $1::bigint

-- name: finance_case_resolve
-- A person has dealt with it outside: nothing follows from it here.
UPDATE finance_case SET resolved_at = hub_now(), resolution = $2, by = $3,
       detail = CASE WHEN $4::text IS NULL THEN detail
                     ELSE coalesce(detail || '; ', '') || $4 END
 WHERE id = $1::bigint AND resolved_at IS NULL
RETURNING id

-- name: finance_case_settled
-- What a person has decided has had its effect, which may have closed it: the rest is told here.
UPDATE finance_case SET resolved_at = coalesce(resolved_at, hub_now()),
       resolution = coalesce(resolution, $2), by = coalesce(by, $3),
       detail = CASE WHEN $4::text IS NULL THEN detail
                     ELSE coalesce(detail || '; ', '') || $4 END
 WHERE id = $1::bigint
RETURNING id

-- name: finance_refunds
-- $1 from, $2 until (when it was asked for), $3 partner's id, $4 status
SELECT x.reference AS refund_id, r.number AS receipt_number, x.session_id, s.network, s.user_id,
       x.cause, x.status, x.currency, finance_amount(x.amount_minor, x.currency) AS amount,
       finance_amount(x.done_minor, x.currency) AS done, x.reason, x.asked_by,
       to_char(x.asked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS asked_at,
       coalesce(x.confirmed_by, x.declined_by) AS decided_by,
       to_char(x.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS finished_at
  FROM (SELECT f.*, CASE f.state WHEN 'waiting' THEN 'awaiting_confirmation' ELSE f.state END AS status
          FROM refund f) x
  JOIN receipt r ON r.id = x.receipt JOIN session s ON s.id = x.session_id
 WHERE ($1::timestamptz IS NULL OR x.asked_at >= $1) AND ($2::timestamptz IS NULL OR x.asked_at < $2)
   AND ($3::bigint IS NULL OR s.partner_id = $3)
   AND ($4::text IS NULL OR x.status = $4)
 ORDER BY x.id

-- name: finance_ledger
-- $1 from, $2 until
SELECT e.id AS entry, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at, e.kind,
       e.currency, l.account, round(l.amount_u6::numeric / 1000000, 6) AS amount,
       r.number AS receipt_number, c.cdr_id
  FROM ledger_entry e JOIN ledger_line l ON l.entry = e.id
  LEFT JOIN receipt r ON r.id = e.receipt LEFT JOIN cdr c ON c.id = e.cdr
 WHERE ($1::timestamptz IS NULL OR e.at >= $1) AND ($2::timestamptz IS NULL OR e.at < $2)
 ORDER BY e.at, e.id, l.position
