-- SPDX-License-Identifier: Apache-2.0
-- Contracts; contract_set stands in migrations/013_outbox.sql, because it makes parties known to
-- each other.

-- name: contract_set
SELECT contract_set($1, $2, $3, $4, $5, $6)

-- name: contract_list
SELECT from_country, from_party, to_country, to_party, nullif(module, '') AS module, allowed, since
  FROM contract
 WHERE ($2::text IS NULL OR from_owner = party_key($1, $2))
   AND ($4::text IS NULL OR to_owner = party_key($3, $4))
 ORDER BY from_owner, to_owner, contract.module

-- name: contract_register
-- All, in the order in which they are looked up.
SELECT from_country, from_party, to_country, to_party, module, allowed FROM contract
