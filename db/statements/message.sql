-- The message log. Each statement is alone: it changes how its transaction commits, or holds locks
-- on whole tables until its end.

-- name: message_write alone
-- $1 a JSON array of rows, as message_insert of the schema names them. The same rows twice: once.
SELECT message_write($1::json);

-- name: message_forget alone
-- $1 days that rows are kept, $2 days that bodies are kept. Run by a timer, a few times a day.
SELECT message_forget($1::integer, $2::integer) AS dropped;

-- name: message_list
-- $1 partner, $2 module, $3 object, $4 correlation id, $5 session, $6 refused only, $7/$8 from/to, $9
-- older than that message, $10 limit. Indexes message_partner, message_object, message_correlation,
-- message_session, message_refused; else the partitions from the newest on.
SELECT coalesce(jsonb_agg(message_document(m, p.name) ORDER BY m.at DESC, m.id DESC), '[]')::text
           AS document
  FROM (SELECT * FROM message x
         WHERE ($1::bigint IS NULL OR x.partner_id = $1)
           AND ($2::text IS NULL OR x.module = $2)
           AND ($3::text IS NULL OR lower(x.object_id) = lower($3))
           AND ($4::text IS NULL OR x.correlation_id = $4)
           AND ($5::text IS NULL OR x.session_id = $5)
           AND (NOT $6::boolean OR x.refused)
           AND ($7::timestamptz IS NULL OR x.at >= $7)
           AND ($8::timestamptz IS NULL OR x.at < $8)
           AND ($9::uuid IS NULL
                OR (x.at, x.id) < (SELECT y.at, y.id FROM message y WHERE y.id = $9::uuid))
         ORDER BY x.at DESC, x.id DESC LIMIT $10::bigint) m
  LEFT JOIN partner p ON p.id = m.partner_id

-- name: message_show
-- The id is a UUID of version 7: it tells when the row was written, which is at most an hour after
-- the message began; so few partitions are looked at.
WITH found AS (
    SELECT m.* FROM message m
     WHERE m.id = $1::uuid
       AND m.at BETWEEN message_written($1::uuid) - interval '1 hour'
                    AND message_written($1::uuid) + interval '1 minute'
)
SELECT (message_document(f.*::message, p.name)
        || jsonb_build_object(
            'request_body', b.request_body, 'response_body', b.response_body,
            'same', (SELECT jsonb_build_object(
                         'count', count(*),
                         'first_at', to_char(min(o.at) AT TIME ZONE 'UTC',
                                             'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                         'last_at', to_char(max(o.at) AT TIME ZONE 'UTC',
                                            'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
                       FROM message o
                      WHERE f.refused AND o.refused AND o.partner_id = f.partner_id
                        AND o.outgoing = f.outgoing
                        AND o.at > now() - interval '30 days'
                        AND o.module IS NOT DISTINCT FROM f.module
                        AND o.rule IS NOT DISTINCT FROM f.rule
                        AND message_pointer(o.error_where)
                            IS NOT DISTINCT FROM message_pointer(f.error_where))))::text AS document
  FROM found f
  LEFT JOIN message_body b ON b.at = f.at AND b.message_id = f.id
  LEFT JOIN partner p ON p.id = f.partner_id
