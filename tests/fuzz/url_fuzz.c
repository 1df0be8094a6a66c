/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URL guard under any bytes. What it lets through has to be harmless whoever reads it: the parts
 * are printable, a literal address is public, and reading it again says the same.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/url_guard.h"
#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const struct url_guard *g, struct arena *a, const char *text)
{
    struct url url, again;
    unsigned char v4[4];

    if (failed(url_guard_parse(g, a, text, &url)))
        return;
    assert(strlen(text) <= URL_MAX && strlen(url.host) > 0);
    for (const char *c = text; *c; c++)
        assert(*c > ' ' && *c <= '~' && *c != '#' && *c != '\\');
    for (const char *c = url.host; *c; c++)
        assert((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || strchr("-.:", *c));
    if (inet_pton(AF_INET, url.host, v4) == 1)
        assert(v4[0] != 10 && v4[0] != 0 && v4[0] < 224 && (v4[0] != 169 || v4[1] != 254));

    bool v6 = strchr(url.host, ':');
    const char *rebuilt = arena_printf(a, "%s://%s%s%s:%u%s", url.tls ? "https" : "http",
                                       v6 ? "[" : "", url.host, v6 ? "]" : "", url.port, url.rest);
    struct err e = url_guard_parse_up_to(g, a, rebuilt, 1000, &again);
    assert(!failed(e) && strcmp(again.host, url.host) == 0 && again.port == url.port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const loopback[] = {"127.0.0.0/8", "::1", NULL};
    static struct url_guard *strict, *demo;

    if (!strict && (failed(url_guard_new(NULL, &strict)) || failed(url_guard_new(loopback, &demo))))
        abort();
    if (size > 400)
        return 0;
    struct arena *a = arena_new(1024 * 1024);
    const char *text = arena_bytes(a, data, size);
    judge(strict, a, text);
    judge(demo, a, text);
    arena_free(a);
    return 0;
}
