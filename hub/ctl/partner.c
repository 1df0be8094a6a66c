/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies of the commands about partners. */
#include "hub/ctl/partner.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "hub/ctl/command.h"
#include "hub/ctl/print.h"

enum { BODY_MAX = 64 * 1024 };

static void put(struct text *t, const char *name, const char *value)
{
    if (value)
        json_put_text(t, name, value);
}

const char *partner_register_body(struct arena *a, const struct command_line *line)
{
    struct text t;

    text_init(&t, a, BODY_MAX);
    json_begin_object(&t, NULL);
    put(&t, "versions_url", line->versions_url);
    put(&t, "token_a", line->token_a);
    put(&t, "role", line->role);
    put(&t, "version", line->version);
    json_end_object(&t);
    return t.bytes;
}

const char *partner_invite_body(struct arena *a, const struct command_line *line)
{
    struct text t;

    text_init(&t, a, BODY_MAX);
    json_begin_object(&t, NULL);
    put(&t, "name", line->name);
    put(&t, "country_code", line->country);
    put(&t, "party_id", line->party);
    put(&t, "role", line->role);
    put(&t, "version", line->version);
    json_end_object(&t);
    return t.bytes;
}

const char *partner_approve_body(struct arena *a, const struct command_line *line)
{
    struct text t;

    text_init(&t, a, BODY_MAX);
    json_begin_object(&t, NULL);
    put(&t, "host", line->second);
    json_end_object(&t);
    return t.bytes;
}

const char *partner_quirk_body(struct arena *a, const struct command_line *line)
{
    const char *equals = strchr(line->second, '=');
    const char *name =
        equals ? arena_bytes(a, line->second, (size_t)(equals - line->second)) : line->second;
    const char *value = equals ? equals + 1 : "on";
    struct text t;

    text_init(&t, a, BODY_MAX);
    json_begin_object(&t, NULL);
    if (strcmp(value, "on") == 0 || strcmp(value, "true") == 0)
        json_put_bool(&t, name, true);
    else if (strcmp(value, "off") == 0 || strcmp(value, "false") == 0)
        json_put_bool(&t, name, false);
    else
        json_put_text(&t, name, value);
    json_end_object(&t);
    return t.bytes;
}

void partner_print_left(struct arena *a, json_t *answer)
{
    const char *name = print_cell(a, json_object_get(answer, "name"));

    if (json_is_true(json_object_get(answer, "told")))
        printf("%s is not connected any more, and knows it.\n", name);
    else
        printf("%s is not connected any more. It could not be told: tell it.\n", name);
}
