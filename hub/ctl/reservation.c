/* SPDX-License-Identifier: Apache-2.0 */
/* Reservation commands. */
#include "hub/ctl/reservation.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "hub/ctl/command.h"
#include "hub/ctl/print.h"

enum { BODY_MAX = 4096 };

static bool is_number(const char *text)
{
    return *text && strlen(text) <= 6 && strspn(text, "0123456789") == strlen(text);
}

/* What is no number is told by the hub, which knows the bounds too. */
const char *reservation_body(struct arena *a, const struct command_line *line)
{
    struct text t;

    text_init(&t, a, BODY_MAX);
    json_begin_object(&t, NULL);
    json_put_text(&t, "user_id", line->sub);
    if (is_number(line->minutes))
        json_put_int(&t, "minutes", strtol(line->minutes, NULL, 10));
    else
        json_put_text(&t, "minutes", line->minutes);
    if (line->reservation)
        json_put_text(&t, "reservation_id", line->reservation);
    json_end_object(&t);
    return t.bytes;
}

void reservation_print(struct arena *a, json_t *answer)
{
    const char *id = print_cell(a, json_object_get(answer, "reservation_id"));
    const char *state = json_text_of(answer, "state");

    if (state && strcmp(state, "reserved") == 0)
        printf("Reservation %s holds until %s.\n", id,
               print_cell(a, json_object_get(answer, "expires_at")));
    else if (state && strcmp(state, "cancelled") == 0)
        printf("Reservation %s is cancelled.\n", id);
    else
        printf("The network has not said yet what becomes of reservation %s.\n", id);
}
