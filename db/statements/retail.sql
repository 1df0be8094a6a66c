-- SPDX-License-Identifier: Apache-2.0
-- What users are charged by; the functions stand in migrations/019_retail.sql.

-- name: retail_book
-- All that a price is chosen by. Few rows: read as a whole after each change.
SELECT jsonb_build_object(
    'tariffs', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                           'id', id, 'version', version, 'document', document)
                           ORDER BY id, version), '[]')
                  FROM retail_tariff WHERE withdrawn_at IS NULL),
    'vat', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                       'country', country, 'buyer', buyer, 'from', valid_from::text,
                       'until', valid_until::text, 'rate', rate::text)
                       ORDER BY country, buyer, valid_from), '[]')
              FROM vat_rate),
    'profiles', (SELECT coalesce(jsonb_agg(country ORDER BY country), '[]') FROM tax_profile),
    'groups', EXISTS (SELECT FROM user_group))::text AS document

-- name: retail_tariff_publish
SELECT retail_tariff_publish($1, $2::int, $3, $4, $5) AS outcome

-- name: retail_tariff_withdraw
-- $2 the version, NULL: all of them.
UPDATE retail_tariff SET withdrawn_at = hub_now(), withdrawn_by = $3
 WHERE id = $1 AND ($2::int IS NULL OR version = $2) AND withdrawn_at IS NULL
RETURNING version

-- name: retail_tariff_list
-- $1 an id, NULL: all; $2 a version of it. Index quote_of_tariff.
SELECT jsonb_build_object('items', coalesce(jsonb_agg(jsonb_build_object(
           'id', id, 'version', version, 'mode', mode,
           'state', CASE WHEN withdrawn_at IS NULL THEN 'published' ELSE 'withdrawn' END,
           'published_at', time_text(published_at), 'published_by', published_by,
           'withdrawn_at', time_text(withdrawn_at), 'withdrawn_by', withdrawn_by,
           'used', EXISTS (SELECT FROM quote q
                            WHERE (q.retail_tariff, q.retail_version) = (t.id, t.version)),
           'document', document::jsonb) ORDER BY id, version DESC), '[]'))::text AS document
  FROM retail_tariff t
 WHERE ($1::text IS NULL OR id = $1) AND ($2::int IS NULL OR version = $2)

-- name: vat_rate_set
SELECT vat_rate_set($1, $2, $3::numeric, $4::date, $5::date, $6) AS outcome

-- name: tax_profile_set
SELECT tax_profile_set($1, $2, $3, $4)

-- name: vat_list
-- $1 a country, NULL: all.
SELECT jsonb_build_object(
    'items', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                         'country', country, 'buyer', buyer, 'rate', trim_scale(rate),
                         'valid_from', valid_from::text, 'valid_until', valid_until::text,
                         'by', by) ORDER BY country, buyer, valid_from), '[]')
                FROM vat_rate WHERE $1::text IS NULL OR country = $1),
    'profiles', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                            'country', country, 'vat_id', vat_id, 'currency', currency)
                            ORDER BY country), '[]')
                   FROM tax_profile WHERE $1::text IS NULL OR country = $1))::text AS document

-- name: user_group_set
INSERT INTO user_group (name, credit_limit_minor, credit_currency) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE
   SET credit_limit_minor = EXCLUDED.credit_limit_minor, credit_currency = EXCLUDED.credit_currency

-- name: user_group_add
-- No row: there is no such group.
INSERT INTO user_group_member (user_id, user_group) SELECT $2, name FROM user_group WHERE name = $1
ON CONFLICT (user_id) DO UPDATE SET user_group = EXCLUDED.user_group
RETURNING user_group

-- name: user_group_remove
DELETE FROM user_group_member WHERE user_group = $1 AND user_id = $2 RETURNING user_group

-- name: user_group_list
SELECT jsonb_build_object('items', coalesce(jsonb_agg(jsonb_build_object(
           'name', g.name, 'credit_limit', trim_scale(money_u6(credit_limit_minor, credit_currency)
                                                      / 1000000.0),
           'currency', credit_currency,
           'members', (SELECT count(*) FROM user_group_member m WHERE m.user_group = g.name))
           ORDER BY g.name), '[]'))::text AS document
  FROM user_group g

-- name: offer_context
-- Whose user it is, and the network's tariffs of a connector, as many as are reckoned with at a time.
-- Indexes user_group_member's key and tariff_key.
SELECT g.name AS user_group, g.credit_limit_minor, g.credit_currency,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'tariff', x.id, 'version', x.version, 'document', x.document, 'ocpi', x.ocpi)
                   ORDER BY x.id), '[]')::text
          FROM (SELECT t.id, t.version, t.document, t.ocpi,
                       row_number() OVER (ORDER BY t.id) AS n,
                       sum(octet_length(t.document)) OVER (ORDER BY t.id) AS bytes
                  FROM tariff t
                  JOIN tariff_version v ON v.tariff = t.id AND v.version = t.version
                 WHERE t.partner_id = $2 AND lower(t.country_code) = lower($3)
                   AND lower(t.party_id) = lower($4)
                   AND lower(t.tariff_id) IN (SELECT lower(i) FROM unnest($5::text[]) i)
                   AND t.deleted_at IS NULL AND NOT v.held) x
         WHERE tariffs_fit(x.n, x.bytes)) AS tariffs
  FROM (VALUES ($1::text)) u (id)
  LEFT JOIN user_group_member m ON m.user_id = u.id
  LEFT JOIN user_group g ON g.name = m.user_group

-- name: limit_claim
-- Index session_limit_due. Rows that another process works on are skipped.
SELECT max_minutes, credit_minor, credit_currency, (session).* FROM limit_claim($1::int)

-- name: limit_done
-- Relies on the session's row lock.
SELECT r.* FROM limit_done($1::uuid, $2, $3, $4) r

-- name: tariff_lint_due
-- Index tariff_version_unread.
SELECT tariff, version, document, ocpi, country, currency, vat FROM tariff_lint_due($1::int)

-- name: tariff_lint_put
SELECT tariff_lint_put($1, $2, $3, $4)

-- name: tariff_lint_list
-- Of the tariffs as they stand: those with findings, of a partner ($1) or of all, $2: only what is
-- held. With the ids that connectors name and nobody knows.
SELECT jsonb_build_object(
    'items', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                         'tariff', t.id, 'version', t.version, 'partner', t.partner_id,
                         'owner', upper(t.owner), 'tariff_id', t.tariff_id, 'held', v.held,
                         'approved_at', time_text(v.approved_at), 'approved_by', v.approved_by,
                         'seen_at', time_text(v.seen_at), 'findings', v.lint)
                         ORDER BY v.held DESC, t.owner, t.tariff_id), '[]')
                FROM tariff t JOIN tariff_version v ON v.tariff = t.id AND v.version = t.version
               WHERE t.deleted_at IS NULL AND v.lint <> '[]'
                 AND ($1::bigint IS NULL OR t.partner_id = $1)
                 AND (v.held OR NOT $2::boolean)),
    'unknown', (SELECT coalesce(jsonb_agg(x.found ORDER BY x.found), '[]')
                  FROM (SELECT jsonb_build_object(
                                   'partner', l.partner_id, 'owner', upper(l.owner),
                                   'tariff_id', min(i), 'evses', count(DISTINCT (l.id, e.uid)),
                                   'for_example', min(e.evse_id)) AS found
                          FROM location l JOIN evse e ON e.location = l.id,
                               jsonb_array_elements(e.connectors) c,
                               jsonb_array_elements_text(c -> 'tariff_ids') i
                         WHERE NOT $2::boolean AND e.status <> 'REMOVED'
                           AND ($1::bigint IS NULL OR l.partner_id = $1)
                           AND NOT EXISTS (SELECT FROM tariff t
                                            WHERE t.partner_id = l.partner_id AND t.owner = l.owner
                                              AND lower(t.tariff_id) = lower(i)
                                              AND t.deleted_at IS NULL)
                         GROUP BY l.partner_id, l.owner, lower(i) LIMIT 200) x),
    'waiting', (SELECT count(*) FROM tariff_version WHERE lint IS NULL))::text AS document

-- name: tariff_approve
SELECT tariff_approve($1, $2, $3) AS approved

-- name: session_price_context
-- For the look at a session that is under way: what the network last told, and the tariffs that
-- stood at its start.
SELECT n.document, n.ocpi, n.cost_u6, n.currency AS network_currency, l.time_zone,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'tariff', v.tariff, 'version', v.version, 'document', v.document, 'ocpi', v.ocpi)
                   ORDER BY v.tariff), '[]')::text
          FROM session_tariffs(s.id) v WHERE v.document IS NOT NULL) AS tariffs,
       r.*
  FROM session s
  LEFT JOIN network_session n ON n.partner_id = s.partner_id
        AND lower(n.network_session_id) = lower(s.network_session_id) AND n.session_id = s.id
  LEFT JOIN location l ON l.partner_id = s.partner_id
        AND lower(l.country_code) = lower(s.country_code) AND lower(l.party_id) = lower(s.party_id)
        AND lower(l.location_id) = lower(s.location_id),
       LATERAL session_as_row(s, false, false) r
 WHERE s.id = $1::uuid LIMIT 1
