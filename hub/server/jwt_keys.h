/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JWT keys: the public keys that may sign users' tokens, by kid, and the key that signs tokens in
 * development. A key fixes the algorithms it is used with: RSA (2048 bits or more) RS256 and
 * PS256, EC P-256 ES256. Symmetric keys do not exist here.
 */
#ifndef HUB_SERVER_JWT_KEYS_H
#define HUB_SERVER_JWT_KEYS_H

#include <cjose/cjose.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct arena;

enum { JWT_KEYS_MAX = 64, JWT_KID_MAX = 128 };

struct jwt_key {
    char kid[JWT_KID_MAX + 1]; /* "": none */
    cjose_jwk_t *jwk;          /* owned */
    bool ec;
    char alg[8]; /* the one it is for; "": any of its kind */
};

struct jwt_keys {
    struct jwt_key items[JWT_KEYS_MAX];
    size_t count;
};

void jwt_keys_clear(struct jwt_keys *keys);

/* Adds what a file holds: PEM public keys (kid ""), or a JWK set. */
struct err jwt_keys_read_file(struct arena *a, const char *path, struct jwt_keys *keys);
/* Adds the usable keys of a JWK set; others (wrong use, alg, kty, too small) are left out. Returns
 * how many were added; -1 if the text is no JWK set. */
int jwt_keys_add_set(struct arena *a, const char *json, size_t length, struct jwt_keys *keys);

/* A private PEM key: the whole key for signing, its public half added to keys with this kid. */
struct err jwt_keys_read_private(struct arena *a, const char *path, const char *kid,
                                 struct jwt_keys *keys, struct jwt_key *ret_private);

#endif
