-- SPDX-License-Identifier: Apache-2.0
-- Invoice reconciliation; the functions stand in migrations/023_invoice.sql.

-- name: invoice_put alone
-- It may have a hundred thousand CDRs, and starts and stops shall not wait for them.
SELECT invoice_put($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) AS outcome

-- name: invoice_get
-- Index invoice_record_key.
SELECT document FROM invoice_record
 WHERE partner_id = $1 AND NOT sent AND owner = party_key($2, $3) AND lower(record_id) = lower($4)
   AND deleted_at IS NULL

-- name: invoice_delete
UPDATE invoice_record SET deleted_at = hub_now(), changed_at = hub_now(), version = version + 1
 WHERE partner_id = $1 AND NOT sent AND owner = party_key($2, $3) AND lower(record_id) = lower($4)
   AND deleted_at IS NULL
RETURNING id

-- name: invoice_list
-- Ours for a party of the partner: $1 partner, $2 country, $3 party, $4 from, $5 until, $6 offset,
-- $7 limit; $8: no more bytes than that, but one document at least. A row without a document has the
-- number of all of them.
WITH mine AS (
    SELECT id, octet_length(document) AS bytes FROM invoice_record
     WHERE partner_id = $1::bigint AND sent AND reader = party_key($2, $3) AND deleted_at IS NULL
       AND ($4::timestamptz IS NULL OR last_updated >= $4)
       AND ($5::timestamptz IS NULL OR last_updated < $5)
), page AS (
    SELECT id, bytes FROM mine ORDER BY id OFFSET $6::bigint LIMIT $7::bigint
), fitting AS (
    SELECT id FROM (SELECT id, row_number() OVER o AS nth, sum(bytes) OVER o AS bytes
                      FROM page WINDOW o AS (ORDER BY id)) p
     WHERE nth = 1 OR bytes <= $8::bigint
)
SELECT NULL::text AS document, count(*) AS total, 0 AS id FROM mine
UNION ALL
SELECT i.document, NULL, i.id FROM fitting JOIN invoice_record i USING (id)
ORDER BY id

-- name: invoice_document
SELECT invoice_document($1::bigint)::text AS document

-- name: invoice_exists
SELECT FROM invoice_record WHERE id = $1::bigint

-- name: invoice_enter_total
SELECT invoice_enter_total($1, $2, $3, $4, $5) AS outcome

-- name: finance_invoices
-- $1 from, $2 until (of the arrival), $3 partner's id, $4 state
SELECT i.id, CASE WHEN i.sent THEN 'sent' ELSE 'received' END AS direction, p.name AS network,
       i.country_code, i.party_id, i.record_id, i.invoice_id,
       to_char(i.received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS received_at,
       s.state, n.cdrs, n.not_ok, t.kind AS total_kind,
       round(t.amount_u6::numeric / 1000000, 2) AS total, t.currency,
       round(t.expected_u6::numeric / 1000000, 2) AS expected,
       round((t.amount_u6 - t.expected_u6)::numeric / 1000000, 2) AS difference
  FROM invoice_record i LEFT JOIN partner p ON p.id = i.partner_id,
       LATERAL (SELECT invoice_state(i) AS state) s,
       LATERAL (SELECT count(*) AS cdrs, count(*) FILTER (WHERE class <> 'ok') AS not_ok
                  FROM invoice_cdrs(i.id)) n
  LEFT JOIN LATERAL (SELECT * FROM invoice_total x WHERE x.invoice = i.id
                      ORDER BY x.id DESC LIMIT 1) t ON true
 WHERE ($1::timestamptz IS NULL OR i.received_at >= $1)
   AND ($2::timestamptz IS NULL OR i.received_at < $2)
   AND ($3::bigint IS NULL OR i.partner_id = $3)
   AND ($4::text IS NULL OR s.state = $4)
 ORDER BY i.received_at, i.id

-- name: finance_invoice_cdrs
-- $1 invoice
SELECT c.cdr_id, c.class, c.cdr, c.other_invoice, c.currency, c.vat_treatment, c.vat_rate,
       round(c.net_u6::numeric / 1000000, 4) AS net,
       round(c.recalculated_u6::numeric / 1000000, 4) AS recalculated_net
  FROM invoice_cdrs($1::bigint) c
 ORDER BY c.position

-- name: finance_invoice_gaps
-- $1 partner's id, $2 kind
SELECT g.kind, p.name AS network, g.cdr_id, g.invoice, g.invoice_id, g.other_invoice,
       to_char(g.since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since, g.currency,
       round(g.net_u6::numeric / 1000000, 4) AS net
  FROM invoice_gaps($1::bigint) g LEFT JOIN partner p ON p.id = g.partner_id
 WHERE ($2::text IS NULL OR g.kind = $2)
 ORDER BY g.kind, g.since, g.cdr_id
