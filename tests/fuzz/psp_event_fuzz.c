/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz: any bytes as the PSP's event, and as the signature of one. What is read holds its limits;
 * nothing is signed, since nobody here has the secret.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/time.h"
#include "ocpi/psp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_view(const struct psp_view *v)
{
    assert(v->psp_id && *v->psp_id && strlen(v->psp_id) <= PSP_ID_MAX);
    assert(v->amount_minor >= 0 && v->captured_minor >= 0 && v->refunded_minor >= 0);
    assert(v->fee_minor >= 0 && strlen(v->currency) == 3);
    assert(psp_status_name(v->status));
    assert(!v->last_four || strlen(v->last_four) == 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct secret secret;
    struct arena *a = arena_new(64 << 20);
    const char *text = arena_bytes(a, bytes, length);
    struct psp_event e;

    if (!secret_is_set(secret))
        secret = secret_from("a secret that no corpus stumbles on", 35);
    if (!failed(psp_event_read(a, text, length, &e))) {
        assert(e.id && strlen(e.id) <= PSP_ID_MAX && e.type);
        if (e.event)
            check_view(&e.view);
    }
    assert(!psp_signature_good(text, secret, "{}", 2, time_now_us()));
    arena_free(a);
    return 0;
}
