/* SPDX-License-Identifier: Apache-2.0 */
/* What is under way, by its ids. */
#include "hub/relay/loop.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/text.h"

enum { BUCKETS = 1024, MARK_AT = 24 }; /* the last group of a UUID */

/* In the arena of its flow, and out of the list before that ends. */
struct under_way {
    char hash[SHA256_HEX];
    struct under_way *next, **link;
};
static struct under_way *buckets[BUCKETS];

/* Of the pair with the first `length` characters of its request id. */
static bool hash_of(const struct relay_pair *p, const char *request_id, size_t length,
                    char ret[SHA256_HEX])
{
    char pair[1200], from_text[PARTY_TEXT], to_text[PARTY_TEXT];
    struct party_id from = p->from, to = p->to;

    if (!p->correlation_id || !*p->correlation_id || !request_id || !*request_id)
        return false;
    text_to_upper(from.country_code);
    text_to_upper(from.party_id);
    text_to_upper(to.country_code);
    text_to_upper(to.party_id);
    int printed =
        snprintf(pair, sizeof pair, "%s\n%s\n%.*s\n%s\n%s", p->hub, p->correlation_id, (int)length,
                 request_id, party_id_print(&from, from_text), party_id_print(&to, to_text));
    if (printed < 0 || (size_t)printed >= sizeof pair)
        return false;
    id_sha256_hex(pair, (size_t)printed, ret);
    return true;
}

void relay_loop_mark(const struct relay_pair *pair, char ret[UUID_TEXT])
{
    char hash[SHA256_HEX];

    id_uuid_v4(ret);
    if (hash_of(pair, ret, MARK_AT, hash))
        memcpy(ret + MARK_AT, hash, UUID_TEXT - 1 - MARK_AT);
}

static bool is_marked(const struct relay_pair *pair)
{
    char hash[SHA256_HEX], id[UUID_TEXT];

    return pair->request_id && id_uuid_parse(pair->request_id, id) &&
           hash_of(pair, id, MARK_AT, hash) &&
           memcmp(id + MARK_AT, hash, UUID_TEXT - 1 - MARK_AT) == 0;
}

static struct under_way **bucket_of(const char *hash)
{
    size_t n = 0;

    for (int i = 0; i < 4; i++)
        n = n * 31 + (unsigned char)hash[i * 3];
    return &buckets[n % BUCKETS];
}

static void forget(void *what)
{
    struct under_way *u = what;

    *u->link = u->next;
    if (u->next)
        u->next->link = u->link;
}

void relay_loop_note(struct flow *f, const struct relay_pair *pair)
{
    struct under_way *u = arena_alloc(f->arena, sizeof *u);

    if (!pair->request_id || !hash_of(pair, pair->request_id, strlen(pair->request_id), u->hash))
        return;
    u->link = bucket_of(u->hash);
    u->next = *u->link;
    if (u->next)
        u->next->link = &u->next;
    *u->link = u;
    arena_on_free(f->arena, forget, u);
}

bool relay_loop_seen(const struct relay_pair *pair)
{
    char hash[SHA256_HEX];

    if (is_marked(pair))
        return true;
    if (!pair->request_id || !hash_of(pair, pair->request_id, strlen(pair->request_id), hash))
        return false;
    for (const struct under_way *u = *bucket_of(hash); u; u = u->next)
        if (strcmp(u->hash, hash) == 0)
            return true;
    return false;
}
