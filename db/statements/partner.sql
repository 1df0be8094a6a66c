-- SPDX-License-Identifier: Apache-2.0
-- Partners; the functions stand in migrations/008_partner.sql and 011_partner_life.sql. Those that
-- deal in parties hold one advisory lock, so that two registrations cannot claim one party.

-- name: partner_register
-- The whole register, a row a partner: what a process keeps as its snapshot.
SELECT p.id, p.name, p.state, p.enabled, p.version, p.versions_url, p.token_out, p.auth_encoding,
       p.our_country, p.our_party, p.registered_at, p.last_contact_at, p.face, p.hub, p.host_asked,
       p.needs_resync, p.failures, p.state_since,
       jsonb_build_object(
           'endpoints', p.endpoints, 'hosts', to_jsonb(p.hosts), 'quirks', p.quirks,
           'parties', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                           'country_code', y.country_code, 'party_id', y.party_id, 'role', y.role,
                           'name', y.name, 'details', y.details) ORDER BY y.role, y.country_code, y.party_id), '[]')
                         FROM party y WHERE y.partner_id = p.id),
           'pending', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                           'country_code', y.country_code, 'party_id', y.party_id, 'role', y.role,
                           'name', y.name, 'details', y.details)
                           ORDER BY y.role, y.country_code, y.party_id), '[]')
                         FROM party_pending y WHERE y.partner_id = p.id),
           'tokens', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                          'hash', t.hash, 'kind', t.kind, 'used', t.first_used_at IS NOT NULL,
                          'lasts', t.expires_at IS NULL,
                          'expires_us', (extract(epoch FROM t.expires_at) * 1000000)::bigint)),
                          '[]') FROM partner_token t WHERE t.partner_id = p.id))::text AS more,
       (SELECT jsonb_object_agg(l.module, to_char(l.full_at AT TIME ZONE 'UTC',
                                                  'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
          FROM pull l WHERE l.partner_id = p.id AND l.full_at IS NOT NULL)::text AS pulled
  FROM partner p ORDER BY p.id

-- name: partner_token_find
-- For a token that the snapshot does not have yet.
SELECT partner_id FROM partner_token
 WHERE hash = ANY ($1::text[]) AND coalesce(expires_at > hub_now(), true)

-- name: partner_token_used
SELECT partner_token_used($1)

-- name: partner_invite
SELECT partner_invite($1, $2, $3, $4, $5, $6, $7) AS id

-- name: partner_reserve
-- The id for a partner we register at: the sealed token is bound to it.
SELECT partner_reserve($1, $2, $3) AS id

-- name: partner_registered
SELECT outcome, partner_id
  FROM partner_registered($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
                          $15)

-- name: partner_expect_token
SELECT partner_expect_token($1, $2, $3, $4) AS id

-- name: partner_unregistered
SELECT partner_unregistered($1)

-- name: partner_seen
SELECT partner_seen($1)

-- name: partner_probe_due
SELECT id FROM partner_probe_due($1, $2) id

-- name: partner_probed
SELECT partner_probed($1, $2)

-- name: partner_suspend
SELECT partner_suspend($1) AS found

-- name: partner_resume
SELECT partner_resume($1) AS found

-- name: partner_quirk_set
SELECT partner_quirk_set($1, $2, $3) AS found

-- name: partner_host_ask
SELECT partner_host_ask($1, $2) AS found

-- name: partner_host_approve
SELECT partner_host_approve($1, $2) AS found

-- name: partner_needs_resync
SELECT partner_needs_resync($1, $2)

-- name: partner_party_approve
SELECT partner_party_approve($1, $2, $3, $4) AS outcome
