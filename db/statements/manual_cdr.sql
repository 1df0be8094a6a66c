-- SPDX-License-Identifier: Apache-2.0
-- What a manual CDR says of its session beside what the person tells.

-- name: manual_cdr_facts
-- The place as its network has told it; what is not known is "#NA" (R-CDR-14).
SELECT s.state, s.currency, s.country_code, s.party_id, s.token_uid,
       s.network_session_id,
       jsonb_build_object(
           'id', s.location_id, 'name', l.name, 'address', coalesce(l.address, '#NA'),
           'city', coalesce(l.city, '#NA'), 'postal_code', l.document::jsonb ->> 'postal_code',
           'country', coalesce(l.country, 'ZZZ'),
           'coordinates', jsonb_build_object('latitude', coalesce(l.latitude, '0.00000'),
                                             'longitude', coalesce(l.longitude, '0.00000')),
           'evse_uid', s.evse_uid, 'evse_id', coalesce(e.evse_id, s.evse_id),
           'connector_id', s.connector_id,
           'connector_standard', coalesce(k ->> 'standard', 'IEC_62196_T2'),
           'connector_format', coalesce(k ->> 'format', 'SOCKET'),
           'connector_power_type', coalesce(k ->> 'power_type', 'AC_3_PHASE'))::text AS place
  FROM session s
  LEFT JOIN location l ON l.partner_id = s.partner_id
                      AND lower(l.country_code) = lower(s.country_code)
                      AND lower(l.party_id) = lower(s.party_id)
                      AND lower(l.location_id) = lower(s.location_id)
  LEFT JOIN evse e ON e.location = l.id AND lower(e.uid) = lower(s.evse_uid)
  LEFT JOIN LATERAL (SELECT x FROM jsonb_array_elements(e.connectors) x
                      WHERE lower(x ->> 'id') = lower(s.connector_id) LIMIT 1) c (k) ON true
 WHERE s.id = uuid_or_null($1)
