/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Authentication of people's programs: user and robot JWTs, and the admin token.
 *
 * JWS by cjose behind rules of our own: RS256, PS256, ES256; the algorithm is
 * bound to the key; iss, aud, exp, nbf, iat, sub with 60 s leeway; at most 24 h of life (robots
 * 1 h); jku, jwk, x5u, x5c ignored; crit refused; kid is only a look-up key in memory. A verdict
 * is cached by the token's SHA-256 until exp; the cache is bounded and dropped when keys change.
 *
 * Keys come from jwt_keys_file (PEM public keys or a JWK set), from dev_jwt_key_file (its public
 * half), and from jwks_url: fetched through the HTTP client, refreshed every 10 minutes with
 * jitter, an unknown kid asks for at most one fetch a minute, the last good set stays for 24 h.
 */
#ifndef HUB_SERVER_AUTHENTICATE_H
#define HUB_SERVER_AUTHENTICATE_H

#include <stdbool.h>

#include "base/flow.h"
#include "hub/request.h"

struct hub;
struct settings;
struct authenticator;

struct err authenticator_new(struct hub *hub, struct authenticator **ret);
void authenticator_free(struct authenticator *a);
bool authenticator_ready(const struct authenticator *a); /* it has at least one key */

/* `authorization` is the header or NULL. Fills kind, user_id, robot_id, name. Fails with
 * ERR_UNAUTHENTICATED, ERR_TOKEN_INVALID or ERR_TOKEN_EXPIRED. Usually answers at once (FLOW_NEXT);
 * waits only for a key set that is being fetched. */
enum flow_next authenticate_user(struct flow *f, const char *authorization, struct caller *ret);

/* The same of staff, whose tokens have the audience jwt_staff_audience, `roles`, and `amr` with
 * "mfa", without which it fails with ERR_FORBIDDEN. Fills kind, roles, user_id, name. */
enum flow_next authenticate_staff(struct flow *f, const char *authorization, struct caller *ret);

/* The admin token, in constant time. */
struct err authenticate_admin(const struct hub *hub, const char *authorization, struct caller *ret);

/* Signs a user's token with the development key, or with `role` that of a member of staff; NULL
 * where no key is configured. `robot` may be NULL. Valid for `seconds`. */
char *authenticator_mint(const struct authenticator *a, struct arena *arena, const char *sub,
                         const char *robot, const char *role, int64_t seconds);

#endif
