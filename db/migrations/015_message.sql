-- SPDX-License-Identifier: Apache-2.0
-- Why a message was refused: the rule, what came and what was expected stand in the log beside the
-- words that the partner was told. What a translation could not carry is listed too.

ALTER TABLE message
    ADD COLUMN rule text,
    ADD COLUMN came text,
    ADD COLUMN expected text,
    ADD COLUMN losses jsonb, -- [{field, value, reason}]
    ADD COLUMN refused boolean NOT NULL DEFAULT false;

CREATE INDEX message_refused ON message (partner_id, at) WHERE refused;
CREATE INDEX message_object ON message (lower(object_id), at) WHERE object_id IS NOT NULL;

CREATE OR REPLACE FUNCTION message_insert(rows json) RETURNS void LANGUAGE sql AS $$
    WITH input AS (
        SELECT * FROM json_to_recordset(rows) AS r(
            at timestamptz, id uuid, outgoing boolean, partner_id bigint, from_party text,
            to_party text, module text, method text, path text, object_id text, request_id text,
            correlation_id text, session_id text, http_status integer, ocpi_status integer,
            duration_ms bigint, error text, error_where text, rule text, came text, expected text,
            losses jsonb, refused boolean, request_body text, response_body text)
    ), body AS (
        INSERT INTO message_body (at, message_id, request_body, response_body)
        SELECT at, id, request_body, response_body FROM input
         WHERE request_body IS NOT NULL OR response_body IS NOT NULL
        ON CONFLICT DO NOTHING
    )
    INSERT INTO message (at, id, outgoing, partner_id, from_party, to_party, module, method, path,
                         object_id, request_id, correlation_id, session_id, http_status, ocpi_status,
                         duration_ms, error, error_where, rule, came, expected, losses, refused)
    SELECT at, id, outgoing, partner_id, from_party, to_party, module, method, path, object_id,
           request_id, correlation_id, session_id, http_status, ocpi_status, duration_ms, error,
           error_where, rule, came, expected, losses, coalesce(refused, false)
      FROM input
    ON CONFLICT DO NOTHING;
$$;

-- A pointer without its list positions: /evses/3/connectors/0/standard is the same complaint as the
-- one about the next EVSE.
CREATE FUNCTION message_pointer(p_where text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT regexp_replace(p_where, '/[0-9]+(?=/|$)', '/*', 'g')
$$;

-- A row as people and programs read it. Times in the log are when the message began.
CREATE FUNCTION message_document(m message, p_partner text) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'id', m.id, 'at', to_char(m.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'direction', CASE WHEN m.outgoing THEN 'out' ELSE 'in' END,
        'partner', p_partner, 'partner_id', m.partner_id,
        'from', m.from_party, 'to', m.to_party, 'module', m.module, 'method', m.method,
        'path', m.path, 'object_id', m.object_id, 'session_id', m.session_id,
        'request_id', m.request_id, 'correlation_id', m.correlation_id,
        'http_status', m.http_status, 'ocpi_status', m.ocpi_status, 'duration_ms', m.duration_ms,
        'refused', m.refused, 'error', m.error, 'pointer', m.error_where, 'rule', m.rule,
        'came', m.came, 'expected', m.expected, 'losses', m.losses))
$$;

-- When a row was written: a UUID of version 7 begins with it, in milliseconds.
CREATE FUNCTION message_written(p_id uuid) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT to_timestamp(('x' || lpad(substr(replace(p_id::text, '-', ''), 1, 12), 16, '0'))
                        ::bit(64)::bigint / 1000.0)
$$;
