/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cards: the tokens of an eMSP, and what is said when a network asks for one.
 *
 * The first three are always there: CARD-1 (RFID, valid), CARD-2 (RFID, not valid), APP-1
 * (APP_USER, to be asked for each time). Further ones are CARD-1001, CARD-1002, ...
 */
#ifndef TESTS_SIM_CARDS_H
#define TESTS_SIM_CARDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/pen.h"

struct card {
    char uid[40], type[16], contract_id[40], visual_number[64], issuer[64], group_id[40];
    char language[4], whitelist[20];
    bool valid;
    int64_t updated_us;
    char answer[20]; /* to an authorization; "": by `valid` */
};

struct sim_options;

struct cards {
    struct card *list; /* in order of creation */
    size_t count, capacity;
    json_t *by_key; /* "uid/type" in lower case -> index */
};

struct cards *cards_new(const struct sim_options *options);
void cards_free(struct cards *cards);
/* As in the beginning. */
void cards_reset(struct sim *sim);

/* type NULL or "": RFID. NULL: unknown. Borrowed until the next card_make. */
struct card *card_find(const struct cards *cards, const char *uid, const char *type);
/* The one there is, or a new one. NULL: texts that are too long. */
struct card *card_make(struct sim *sim, const char *uid, const char *type);
/* A Token object of the pen's version. */
void print_card(struct pen pen, const char *key, const struct card *card);

#endif
