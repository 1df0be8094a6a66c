/* SPDX-License-Identifier: Apache-2.0 */
/* The directory: one for each snapshot, counted; flows keep the one they began with. */
#include "hub/relay/directory.h"

#include <stdlib.h>
#include <string.h>

#include "db/contract.h"
#include "db/partner.h"
#include "hub/hub.h"

enum { DIRECTORY_BYTES = 64 * 1024 * 1024 };

struct held {
    unsigned refs;
    uint64_t number; /* of the snapshot */
    struct arena *arena;
    const struct routing_directory *directory;
};

static struct held *newest;

static void held_unref(void *what)
{
    struct held *h = what;

    if (!h || --h->refs > 0)
        return;
    arena_free(h->arena);
    free(h);
}

static enum ocpi_connection_status status_of(const struct partner *p)
{
    static const struct {
        const char *state;
        enum ocpi_connection_status status;
    } states[] = {{"connected", OCPI_CONNECTION_CONNECTED},
                  {"offline", OCPI_CONNECTION_OFFLINE},
                  {"suspended", OCPI_CONNECTION_SUSPENDED}};

    if (!p->enabled)
        return OCPI_CONNECTION_SUSPENDED;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(states[i].state, p->state) == 0)
            return states[i].status;
    return OCPI_CONNECTION_PLANNED;
}

/* Our own eMSP, whose id is the hub's as well: what an eMSP implements, in every version. */
static struct routing_party our_party(struct party_id id)
{
    static const struct peer_endpoint OURS[] = {
        {MODULE_LOCATIONS, OCPI_INTERFACE_RECEIVER, NULL},
        {MODULE_TARIFFS, OCPI_INTERFACE_RECEIVER, NULL},
        {MODULE_SESSIONS, OCPI_INTERFACE_RECEIVER, NULL},
        {MODULE_CDRS, OCPI_INTERFACE_RECEIVER, NULL},
        {MODULE_TOKENS, OCPI_INTERFACE_SENDER, NULL},
        {MODULE_COMMANDS, OCPI_INTERFACE_SENDER, NULL},
        {MODULE_CHARGING_PROFILES, OCPI_INTERFACE_SENDER, NULL},
    };

    return (struct routing_party){
        .id = id,
        .role = OCPI_ROLE_EMSP,
        .status = OCPI_CONNECTION_CONNECTED,
        .version = OCPI_2_3_0,
        .ours = true,
        .offers = routing_offers_of(OURS, sizeof OURS / sizeof *OURS, OCPI_ROLE_EMSP, OCPI_2_3_0),
    };
}

static size_t add_parties(struct routing_party *list, size_t count, const struct partner *p)
{
    for (size_t i = 0; i < p->party_count; i++) {
        const struct partner_party *party = &p->parties[i];
        list[count++] = (struct routing_party){
            .id = party->id,
            .role = party->role,
            .partner_id = p->id,
            .status = status_of(p),
            .version = p->peer.version,
            .offers = routing_offers_of(p->peer.endpoints, p->peer.endpoint_count, party->role,
                                        p->peer.version),
        };
    }
    return count;
}

static struct held *build(struct flow *f, uint64_t number)
{
    const struct settings *s = hub_of(f)->settings;
    struct partners all = partner_all(f);
    struct held *h = calloc(1, sizeof *h);
    struct routing_party *list;
    struct party_id ours = {0};
    size_t count = 0, room = 1;

    if (!h)
        abort();
    for (size_t i = 0; i < all.count; i++)
        room += all.items[i]->party_count;
    h->refs = 1;
    h->number = number;
    h->arena = arena_new(DIRECTORY_BYTES);
    list = arena_alloc(h->arena, room * sizeof *list);
    if (party_id_make(s->country_code, s->party_id, &ours))
        list[count++] = our_party(ours);
    for (size_t i = 0; i < all.count; i++)
        count = add_parties(list, count, all.items[i]);
    h->directory = routing_directory_new(h->arena, ours, list, count);
    return h;
}

const struct routing_directory *relay_directory(struct flow *f)
{
    uint64_t number = partner_register_number();

    if (!newest || newest->number != number) {
        struct held *fresh = build(f, number);
        held_unref(newest);
        newest = fresh;
    }
    newest->refs++;
    arena_on_free(f->arena, held_unref, newest);
    return newest->directory;
}

/* ---- contracts ---- */

static const char *module_name(enum routing_module module)
{
    static const char *const names[ROUTING_MODULE_COUNT] = {
        [ROUTING_LOCATIONS] = MODULE_LOCATIONS,
        [ROUTING_TARIFFS] = MODULE_TARIFFS,
        [ROUTING_TOKENS] = MODULE_TOKENS,
        [ROUTING_SESSIONS] = MODULE_SESSIONS,
        [ROUTING_CDRS] = MODULE_CDRS,
        [ROUTING_COMMANDS] = MODULE_COMMANDS,
        [ROUTING_CHARGING_PROFILES] = MODULE_CHARGING_PROFILES,
    };

    return names[module];
}

static bool allowed_of_sender(void *ctx, const struct routing_party *from,
                              const struct routing_party *to, enum routing_module module)
{
    const char *name = module_name(module);

    return to->ours || (name && contract_allows(ctx, &to->id, &from->id, name));
}

static bool allowed_of_receiver(void *ctx, const struct routing_party *from,
                                const struct routing_party *to, enum routing_module module)
{
    const char *name = module_name(module);

    return to->ours || (name && contract_allows(ctx, &from->id, &to->id, name));
}

struct routing_contracts relay_contracts(struct flow *f, enum ocpi_interface interface)
{
    return (struct routing_contracts){
        .allowed = interface == OCPI_INTERFACE_SENDER ? allowed_of_sender : allowed_of_receiver,
        .ctx = f,
    };
}
