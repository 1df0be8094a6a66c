/* SPDX-License-Identifier: Apache-2.0 */
/*
 * price_bench: how much of the processor it takes to price a CDR (tests/bench/price.py).
 *
 *   price_bench FILE ZONE RETAIL
 *
 * FILE holds a CDR of OCPI 2.2.1 with its tariffs, RETAIL a retail tariff. Each step is done over
 * and over for a while, one after the other in several rounds, so that the noise of the machine
 * hits all of them; a line per step is printed: its name, then the microseconds of each round.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/zone.h"
#include "ocpi/bill.h"
#include "ocpi/cdr_check.h"
#include "ocpi/price.h"
#include "ocpi/retail.h"

enum { ROUNDS = 5, ARENA_MAX = 64 * 1024 * 1024, FILE_MAX = 1024 * 1024 };
#define ROUND_NS INT64_C(200000000)

/* What the steps work on; read before any of them begins. */
static struct {
    char *text;
    size_t length;
    json_t *document;
    struct price_record record;
    struct zone *zone;
    struct retail_tariff retail;
    int64_t sum; /* of the results: nothing is left out because nobody looks */
} given;

static void fail(const char *what, struct err e)
{
    fprintf(stderr, "price_bench: %s: %s\n", what, err_text(e));
    exit(1);
}

static void must(const char *what, struct err e)
{
    if (failed(e))
        fail(what, e);
}

/* ---- the yardsticks ---- */

static void hash_text(struct arena *a)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length;

    (void)a;
    EVP_Digest(given.text, given.length, digest, &length, EVP_sha256(), NULL);
    given.sum += digest[0];
}

static void parse_by_jansson(struct arena *a)
{
    json_t *document = json_loadb(given.text, given.length, 0, NULL);

    (void)a;
    given.sum += (int64_t)json_object_size(document);
    json_decref(document);
}

/* ---- the steps ---- */

static void read_json(struct arena *a)
{
    json_t *document;

    must("JSON", json_read(a, given.text, given.length, 0, &document));
    given.sum += (int64_t)json_object_size(document);
}

static void read_record(struct arena *a)
{
    struct price_record record;

    must("CDR", price_record_read(OCPI_2_2_1, given.document, a, &record));
    given.sum += record.kwh;
}

static void reckon(struct arena *a, const struct price_record *r, bool cut)
{
    struct price_history history;
    struct price price;

    must("history", price_history_of(r, r->tariffs.at, r->tariffs.count, a, &history));
    history.cut = cut;
    must("price", price_reckon(r->tariffs.at, r->tariffs.count, &history, given.zone, a, &price));
    given.sum += price.excl;
}

static void reckon_read(struct arena *a)
{
    reckon(a, &given.record, false);
}

static void estimate_read(struct arena *a)
{
    reckon(a, &given.record, true);
}

static void price_text(struct arena *a)
{
    struct price_record record;
    json_t *document;

    must("JSON", json_read(a, given.text, given.length, 0, &document));
    must("CDR", price_record_read(OCPI_2_2_1, document, a, &record));
    reckon(a, &record, false);
}

/* As a CDR that comes in is looked at: reckoned, compared, and all that may be wrong with it. */
static void check_read(struct arena *a)
{
    const struct cdr_facts facts = {
        .now_us = given.record.end_us,
        .zone = given.zone,
        .power_w = 50000,
        .session_energy_u6 = NUMBER_NONE,
        .signed_energy_u6 = NUMBER_NONE,
    };
    struct cdr_check check;

    cdr_check(&given.record, &facts, a, &check);
    given.sum += check.net_u6;
}

static void bill_user(struct arena *a)
{
    struct price_history history;
    struct retail_price price;

    must("history", price_history_of(&given.record, given.record.tariffs.at,
                                     given.record.tariffs.count, a, &history));
    struct retail_facts facts = retail_facts_of(&history);
    must("retail", retail_price(&given.retail, &facts, a, &price));
    given.sum += price.bill.gross_minor;
}

static const struct {
    const char *name;
    void (*run)(struct arena *a);
} steps[] = {
    {"sha256", hash_text},       {"jansson", parse_by_jansson}, {"json", read_json},
    {"read", read_record},       {"reckon", reckon_read},       {"price", price_text},
    {"estimate", estimate_read}, {"retail", bill_user},         {"check", check_read},
};
enum { STEPS = sizeof steps / sizeof steps[0] };

/* ---- measuring ---- */

static int64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Nanoseconds of one run, a fresh arena included as a flow of the hub has one. */
static int64_t measure(void (*run)(struct arena *a))
{
    int64_t began = cpu_ns(), used = 0, runs = 0;

    while (used < ROUND_NS) {
        for (int i = 0; i < 50; i++) {
            struct arena *a = arena_new(ARENA_MAX);
            run(a);
            arena_free(a);
        }
        runs += 50;
        used = cpu_ns() - began;
    }
    return used / runs;
}

static char *file_text(struct arena *a, const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "re");
    char *text = arena_alloc(a, FILE_MAX + 1);

    if (!file)
        fail(path, err_new(ERR_NOT_FOUND));
    *ret_length = fread(text, 1, FILE_MAX, file);
    fclose(file);
    return text;
}

int main(int argc, char **argv)
{
    struct arena *a = arena_new(ARENA_MAX);
    int64_t ns[STEPS][ROUNDS];
    json_t *retail;
    size_t length;

    if (argc != 4) {
        fprintf(stderr, "usage: price_bench FILE ZONE RETAIL\n");
        return 2;
    }
    given.text = file_text(a, argv[1], &given.length);
    must(argv[1], json_read(a, given.text, given.length, 0, &given.document));
    must(argv[1], price_record_read(OCPI_2_2_1, given.document, a, &given.record));
    must(argv[2], zone_load(a, argv[2], &given.zone));
    const char *text = file_text(a, argv[3], &length);
    must(argv[3], json_read(a, text, length, 0, &retail));
    must(argv[3], retail_tariff_read(retail, a, &given.retail));

    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < STEPS; i++)
            ns[i][round] = measure(steps[i].run);
    for (int i = 0; i < STEPS; i++) {
        printf("%s", steps[i].name);
        for (int round = 0; round < ROUNDS; round++)
            printf(" %.3f", (double)ns[i][round] / 1000);
        printf("\n");
    }
    fprintf(stderr, "%s", given.sum ? "" : "nothing was reckoned\n");
    arena_free(a);
    return given.sum ? 0 : 1;
}
