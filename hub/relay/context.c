/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts: our URL in place of the requester's. */
#include "hub/relay/context.h"

#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "hub/hub.h"
#include "ocpi/face.h"
#include "ocpi/url.h"

enum { ID_BYTES = 16 };

enum flow_next relay_context_open(struct flow *f, struct relay_context *c, const char **ret_url)
{
    unsigned char id[ID_BYTES];
    const char *url;

    _Static_assert(2 * ID_BYTES + 1 == RELAY_ID, "the id is 128 bits in hex");
    id_random(id, sizeof(id));
    id_hex(id, sizeof(id), c->id);
    url = arena_printf(f->arena, "%s/ocpi/%s/%s/cb/%s", hub_of(f)->public_url, face_name(FACE_EMSP),
                       version_name(c->receiver.version), c->id);
    *ret_url = url;
    if (strlen(url) > URL_MAX)
        return flow_fail(f, err_at(f->arena, ERR_INTERNAL, NULL,
                                   "our own response_url has more than %d characters", URL_MAX));
    return relay_context_insert(f, c);
}
