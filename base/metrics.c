/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics: one table of series per process, in memory that all of them see.
 *
 * Only its own process writes a slot; readers may look at any moment. A series is therefore filled
 * in before the count of series covers it, and a number that is a moment old is good enough.
 * Series lie in the order in which they appeared; a hash index leads to them.
 */
#include "base/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/text.h"

enum {
    LABELS = 3,
    LABEL_SIZE = 48,
    SERIES_PER_METRIC = 250, /* and one more called "other" */
    SERIES = METRIC_COUNT * (SERIES_PER_METRIC + 1),
    INDEX = 16384,
};
_Static_assert(SERIES * 2 <= INDEX, "the index must stay half empty");

enum kind { COUNTER, GAUGE, HISTOGRAM };

static const char *const kind_names[] = {"counter", "gauge", "histogram"};

static const struct metric_info {
    const char *name;
    enum kind kind;
    const char *labels;
    const char *help;
} infos[METRIC_COUNT] = {
#define X(id, name, kind, labels, help) {name, kind, labels, help},
    METRICS(X)
#undef X
};

/* From a look into the cache to a command that a charger answers at its deadline. */
static const struct bucket {
    int64_t up_to_us;
    const char *text;
} buckets[] = {
    {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"},  {10000, "0.01"},
    {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"},
    {500000, "0.5"},  {1000000, "1"},   {2500000, "2.5"}, {5000000, "5"},
    {10000000, "10"}, {20000000, "20"}, {30000000, "30"}, {60000000, "60"},
};
enum { BUCKETS = sizeof(buckets) / sizeof(buckets[0]) };

struct series {
    char labels[LABELS][LABEL_SIZE];
    enum metric metric;
    uint64_t value;           /* counter; gauge as two's complement; histogram: observations */
    uint64_t sum_us;          /* histogram */
    uint64_t counts[BUCKETS]; /* histogram: in this bucket alone; beyond the last: in none */
};

struct slot {
    uint32_t count;
    uint32_t per_metric[METRIC_COUNT];
    uint16_t index[INDEX]; /* series number + 1; 0: free */
    struct series series[SERIES];
};

static struct slot *slots; /* shared */
static unsigned slot_count;
static struct slot *mine;

void metrics_setup(unsigned count)
{
    assert(count);
    if (slots)
        munmap(slots, slot_count * sizeof(*slots));
    void *memory = mmap(NULL, count * sizeof(*slots), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        perror("metrics: mmap");
        abort();
    }
    slots = memory;
    slot_count = count;
    mine = &slots[0];
}

/* A slot may have had an owner that died: its counters go on, its gauges say what is no more. */
void metrics_use_slot(unsigned slot)
{
    assert(slots && slot < slot_count);
    mine = &slots[slot];
    for (uint32_t i = 0; i < mine->count; i++)
        if (infos[mine->series[i].metric].kind == GAUGE)
            mine->series[i].value = 0;
}

/* ---- finding a series ---- */

/* The rest of the field is zeroed, so that labels compare as bytes. Cuts between characters. */
static void set_label(char to[LABEL_SIZE], const char *from)
{
    size_t length = from ? strnlen(from, LABEL_SIZE) : 0;

    if (length == LABEL_SIZE) {
        length--;
        while (length && ((unsigned char)from[length] & 0xC0) == 0x80)
            length--;
    }
    memset(to, 0, LABEL_SIZE);
    if (length)
        memcpy(to, from, length);
}

static uint32_t hash_of(enum metric m, char labels[LABELS][LABEL_SIZE])
{
    uint32_t hash = 2166136261U ^ (uint32_t)m;

    for (int i = 0; i < LABELS; i++) {
        for (const char *s = labels[i]; *s; s++)
            hash = (hash ^ (unsigned char)*s) * 16777619U;
        hash = (hash ^ 255U) * 16777619U;
    }
    return hash;
}

/* Finds the series or the free place of the index where it belongs. */
static struct series *look_up(struct slot *slot, enum metric m, char labels[LABELS][LABEL_SIZE],
                              uint16_t **ret_place)
{
    for (uint32_t at = hash_of(m, labels);; at++) {
        uint16_t *place = &slot->index[at % INDEX];
        *ret_place = place;
        if (!*place)
            return NULL;
        struct series *series = &slot->series[*place - 1];
        if (series->metric == m && memcmp(series->labels, labels, sizeof(series->labels)) == 0)
            return series;
    }
}

static unsigned label_count(enum metric m)
{
    const char *names = infos[m].labels;
    unsigned count = *names != '\0';

    for (; *names; names++)
        count += *names == ',';
    return count;
}

static struct series *series_get(struct slot *slot, enum metric m, char labels[LABELS][LABEL_SIZE])
{
    uint16_t *place;
    struct series *series = look_up(slot, m, labels, &place);

    if (series)
        return series;
    if (slot->per_metric[m] >= SERIES_PER_METRIC) {
        for (unsigned i = 0; i < LABELS; i++)
            set_label(labels[i], i < label_count(m) ? "other" : "");
        series = look_up(slot, m, labels, &place);
        if (series)
            return series;
    }
    assert(slot->count < SERIES);
    series = &slot->series[slot->count];
    memcpy(series->labels, labels, sizeof(series->labels));
    series->metric = m;
    slot->per_metric[m]++;
    __atomic_store_n(&slot->count, slot->count + 1, __ATOMIC_RELEASE);
    *place = (uint16_t)slot->count;
    return series;
}

/* NULL as long as nobody has called metrics_setup. */
static struct series *series_of(enum metric m, const char *l1, const char *l2, const char *l3)
{
    char labels[LABELS][LABEL_SIZE];

    if (!mine)
        return NULL;
    set_label(labels[0], l1);
    set_label(labels[1], l2);
    set_label(labels[2], l3);
    return series_get(mine, m, labels);
}

/* ---- writing ---- */

void metric_add(enum metric m, const char *l1, const char *l2, const char *l3, uint64_t n)
{
    struct series *series = series_of(m, l1, l2, l3);

    assert(infos[m].kind == COUNTER);
    if (series)
        series->value += n;
}

void metric_set(enum metric m, const char *l1, int64_t value)
{
    struct series *series = series_of(m, l1, "", "");

    assert(infos[m].kind == GAUGE);
    if (series)
        series->value = (uint64_t)value;
}

void metric_observe_us(enum metric m, const char *l1, const char *l2, int64_t us)
{
    struct series *series = series_of(m, l1, l2, "");

    assert(infos[m].kind == HISTOGRAM);
    if (!series)
        return;
    if (us < 0)
        us = 0;
    series->value++;
    series->sum_us += (uint64_t)us;
    for (int i = 0; i < BUCKETS; i++) {
        if (us <= buckets[i].up_to_us) {
            series->counts[i]++;
            break;
        }
    }
}

void metric_observe_ms(enum metric m, const char *l1, const char *l2, int64_t ms)
{
    metric_observe_us(m, l1, l2, ms < INT64_MAX / 1000 ? ms * 1000 : INT64_MAX / 2);
}

/* ---- printing ---- */

static void put_label_value(struct text *out, const char *value)
{
    if (!text_is_utf8(value, strlen(value)))
        value = "invalid";
    for (; *value; value++) {
        if (*value == '\\')
            text_add(out, "\\\\");
        else if (*value == '"')
            text_add(out, "\\\"");
        else if (*value == '\n')
            text_add(out, "\\n");
        else
            text_add_bytes(out, value, 1);
    }
}

/* {route="/v1/x",le="0.5"}, or nothing where there is no label. */
static void put_labels(struct text *out, const struct series *series, const char *le)
{
    const char *name = infos[series->metric].labels;
    const char *before = "{";

    for (int i = 0; i < LABELS && *name; i++) {
        size_t length = strcspn(name, ",");
        text_printf(out, "%s%.*s=\"", before, (int)length, name);
        put_label_value(out, series->labels[i]);
        text_add(out, "\"");
        before = ",";
        name += length + (name[length] == ',');
    }
    if (le) {
        text_printf(out, "%sle=\"%s\"", before, le);
        before = ",";
    }
    if (*before == ',')
        text_add(out, "}");
}

static void put_histogram(struct text *out, const struct series *series)
{
    const char *name = infos[series->metric].name;
    uint64_t so_far = 0;

    for (int i = 0; i < BUCKETS; i++) {
        so_far += series->counts[i];
        text_printf(out, "%s_bucket", name);
        put_labels(out, series, buckets[i].text);
        text_printf(out, " %" PRIu64 "\n", so_far);
    }
    /* A reader may see the bucket before the number of observations: never let it fall behind. */
    uint64_t all = series->value > so_far ? series->value : so_far;
    text_printf(out, "%s_bucket", name);
    put_labels(out, series, "+Inf");
    text_printf(out, " %" PRIu64 "\n%s_sum", all, name);
    put_labels(out, series, NULL);
    text_printf(out, " %" PRIu64 ".%06" PRIu64 "\n%s_count", series->sum_us / 1000000,
                series->sum_us % 1000000, name);
    put_labels(out, series, NULL);
    text_printf(out, " %" PRIu64 "\n", all);
}

static void put_series(struct text *out, const struct series *series)
{
    const struct metric_info *info = &infos[series->metric];

    if (info->kind == HISTOGRAM) {
        put_histogram(out, series);
        return;
    }
    text_add(out, info->name);
    put_labels(out, series, NULL);
    if (info->kind == GAUGE)
        text_printf(out, " %" PRId64 "\n", (int64_t)series->value);
    else
        text_printf(out, " %" PRIu64 "\n", series->value);
}

static void add_up(struct slot *sum, const struct slot *slot)
{
    uint32_t count = __atomic_load_n(&slot->count, __ATOMIC_ACQUIRE);

    for (uint32_t i = 0; i < count; i++) {
        const struct series *from = &slot->series[i];
        char labels[LABELS][LABEL_SIZE];
        memcpy(labels, from->labels, sizeof(labels));
        struct series *to = series_get(sum, from->metric, labels);
        to->value += from->value;
        to->sum_us += from->sum_us;
        for (int b = 0; b < BUCKETS; b++)
            to->counts[b] += from->counts[b];
    }
}

void metrics_print(struct text *out)
{
    struct slot *sum = calloc(1, sizeof(*sum));

    if (!sum)
        return;
    for (unsigned i = 0; i < slot_count; i++)
        add_up(sum, &slots[i]);
    for (unsigned m = 0; m < METRIC_COUNT; m++) {
        const struct metric_info *info = &infos[m];
        text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", info->name, info->help, info->name,
                    kind_names[info->kind]);
        /* What has no labels exists from the beginning, so that a rate can be computed. */
        if (!*info->labels && !sum->per_metric[m])
            text_printf(out, "%s 0\n", info->name);
        for (uint32_t i = 0; sum->per_metric[m] && i < sum->count; i++)
            if (sum->series[i].metric == m)
                put_series(out, &sum->series[i]);
    }
    free(sum);
}
