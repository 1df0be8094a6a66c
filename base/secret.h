/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets: a type of their own, so that no log prints one by accident. The bytes are reached only
 * by secret_reveal, which is easy to search for, and wiped when the secret ends.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct arena;

struct secret {
    char *bytes_; /* NULL: not set */
    size_t length_;
};

struct secret secret_from(const char *text, size_t length); /* heap; secret_wipe frees it */
/* First line of a file, without its line end. Errors name the file, never the content. */
struct err secret_read_file(struct arena *a, const char *path, struct secret *ret);
const char *secret_reveal(struct secret s);
size_t secret_length(struct secret s);
static inline bool secret_is_set(struct secret s)
{
    return s.bytes_ != 0;
}
void secret_wipe(struct secret *s);

/* AES-256-GCM with a 32-byte key; `bound_to` (may be "") must be the same when opening. The sealed
 * text is printable: "v1." + Base64(nonce, cipher text, tag). */
char *secret_seal(struct arena *a, const unsigned char key[32], const char *bound_to,
                  const char *plain);
/* NULL: wrong key, wrong bound_to, or damaged. Result in the arena. */
char *secret_open(struct arena *a, const unsigned char key[32], const char *bound_to,
                  const char *sealed);

#endif
