/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JWT: is this token signed by one of these keys, and what does it claim?
 *
 * Pure: bytes and keys in, claims out. The algorithm is bound to the key; the header's alg must
 * fit it and is never believed alone. jku, jwk, x5u, x5c are ignored, crit is refused.
 */
#ifndef HUB_SERVER_JWT_H
#define HUB_SERVER_JWT_H

#include "hub/server/jwt_keys.h"

#include <stdbool.h>
#include <stdint.h>

enum { JWT_MAX = 8192, JWT_LEEWAY_S = 60, JWT_USER_S = 24 * 3600, JWT_ROBOT_S = 3600 };

struct jwt_rules {
    const char *issuer, *audience;
    int64_t now_s;
};

struct jwt_claims {
    const char *sub, *robot; /* robot: act.sub, or NULL */
    int64_t exp_s;
    /* Of staff: the known names in "roles", as enum role, and whether "amr" has "mfa". */
    unsigned roles;
    bool mfa;
};
/* 0: no such role. */
unsigned jwt_role(const char *name);

enum jwt_verdict {
    JWT_GOOD,
    JWT_INVALID,
    JWT_EXPIRED,     /* everything else about it is good */
    JWT_UNKNOWN_KEY, /* its kid is not among the keys: they may be fetched again */
};

/* Claims live in the arena; filled for JWT_GOOD only. */
enum jwt_verdict jwt_check(struct arena *a, const char *token, const struct jwt_keys *keys,
                           const struct jwt_rules *rules, struct jwt_claims *ret);

#endif
