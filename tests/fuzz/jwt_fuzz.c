/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz: any bytes as a token, and as a JWK set. No token can be good, since nobody here can sign
 * for the one key there is; what is no token must leave no claims behind.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "hub/server/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* The generator of P-256: on the curve, and a private key of 1 that no corpus stumbles on. */
static const char SET[] = "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"es\",\"crv\":\"P-256\","
                          "\"x\":\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\","
                          "\"y\":\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU\"}]}";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const struct jwt_rules rules = {"https://id.example", "ocpi-hub", 1774857600};
    static struct jwt_keys known;
    struct arena *a = arena_new(64 << 20);
    struct jwt_keys *given = arena_alloc(a, sizeof *given);
    struct jwt_claims claims;

    if (!known.count)
        jwt_keys_add_set(a, SET, sizeof SET - 1, &known);
    assert(known.count == 1);
    const char *text = arena_bytes(a, bytes, length);
    assert(jwt_check(a, text, &known, &rules, &claims) != JWT_GOOD);
    assert(!claims.sub && !claims.robot);

    /* The bytes as the issuer's keys, and a token against them. */
    int added = jwt_keys_add_set(a, text, length, given);
    assert(added <= JWT_KEYS_MAX && given->count == (size_t)(added > 0 ? added : 0));
    jwt_check(a,
              "eyJhbGciOiJFUzI1NiJ9.e30.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
              given, &rules, &claims);
    jwt_check(a, "eyJhbGciOiJSUzI1NiJ9.e30.AAAA", given, &rules, &claims);
    jwt_keys_clear(given);
    arena_free(a);
    return 0;
}
