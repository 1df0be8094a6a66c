/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids: unguessable names. All randomness comes from getrandom().
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UUID_TEXT = 37, SHA256_BYTES = 32, SHA256_HEX = 65 };

void id_random(void *bytes, size_t length);
void id_uuid_v4(char ret[UUID_TEXT]);
void id_uuid_v7(char ret[UUID_TEXT]); /* ordered by time: keys of tables */
/* Accepts any case, writes lower case; false if it is not a UUID. */
bool id_uuid_parse(const char *s, char ret[UUID_TEXT]);
/* `length` characters a-z A-Z 0-9, ret has room for length + 1. 22 of them hold 128 bits. */
void id_token(char *ret, size_t length);
uint64_t id_random_below(uint64_t limit); /* unbiased */

void id_sha256(const void *bytes, size_t length, unsigned char ret[SHA256_BYTES]);
void id_hex(const unsigned char *bytes, size_t length, char *ret); /* 2 * length + 1 */
void id_sha256_hex(const void *bytes, size_t length, char ret[SHA256_HEX]);
void id_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length,
                    unsigned char ret[SHA256_BYTES]);

/* SHA-256 of what comes piece by piece. */
struct id_digest;
struct id_digest *id_digest_begin(void);
void id_digest_add(struct id_digest *d, const void *bytes, size_t length);
void id_digest_end(struct id_digest *d, char ret[SHA256_HEX]); /* d is gone */

bool id_equal_constant_time(const void *a, const void *b, size_t length);

#endif
