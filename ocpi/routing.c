/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routing: the directory and the decision; what it knows of modules and roles is in routing_call.c.
 *
 * What a requester must not learn is decided first: a party without a contract and a party that
 * does not exist leave through the same lines (R-ROUTE-42).
 */
#include "ocpi/routing.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "ocpi/routing_call.h"

/* ---- the directory ---- */

struct routing_directory {
    struct party_id hub;
    const struct routing_party *ours; /* NULL: we have no eMSP */
    const struct routing_party **by_id, **by_partner;
    size_t count;
};

struct range {
    const struct routing_party *const *at;
    size_t count;
};

static int compare_ids(const struct party_id *a, const struct party_id *b)
{
    int order = text_compare_caseless(a->country_code, b->country_code);

    return order ? order : text_compare_caseless(a->party_id, b->party_id);
}

static int by_id(const void *a, const void *b)
{
    const struct routing_party *const *x = a, *const *y = b;
    int order = compare_ids(&(*x)->id, &(*y)->id);

    return order ? order : (*x > *y) - (*x < *y);
}

static int by_partner(const void *a, const void *b)
{
    const struct routing_party *const *x = a, *const *y = b;

    if ((*x)->partner_id != (*y)->partner_id)
        return (*x)->partner_id < (*y)->partner_id ? -1 : 1;
    return (*x > *y) - (*x < *y);
}

struct routing_directory *routing_directory_new(struct arena *a, struct party_id hub,
                                                const struct routing_party *parties, size_t count)
{
    struct routing_directory *ret = arena_alloc(a, sizeof *ret);

    ret->hub = hub;
    ret->count = count;
    ret->by_id = arena_alloc(a, (count + 1) * sizeof(struct routing_party *));
    ret->by_partner = arena_alloc(a, (count + 1) * sizeof(struct routing_party *));
    for (size_t i = 0; i < count; i++) {
        ret->by_id[i] = ret->by_partner[i] = &parties[i];
        if (parties[i].ours && !ret->ours)
            ret->ours = &parties[i];
    }
    qsort(ret->by_id, count, sizeof(struct routing_party *), by_id);
    qsort(ret->by_partner, count, sizeof(struct routing_party *), by_partner);
    return ret;
}

/* All entries of a party id, one per role and connection. */
static struct range find_party(const struct routing_directory *d, const struct party_id *id)
{
    size_t low = 0, high = d->count, end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_ids(&d->by_id[middle]->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < d->count && party_id_equal(&d->by_id[end]->id, id);)
        end++;
    return (struct range){d->by_id + low, end - low};
}

static struct range find_partner(const struct routing_directory *d, int64_t partner_id)
{
    size_t low = 0, high = d->count, end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (d->by_partner[middle]->partner_id < partner_id)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < d->count && d->by_partner[end]->partner_id == partner_id;)
        end++;
    return (struct range){d->by_partner + low, end - low};
}

/* ---- one decision ---- */

struct work {
    struct arena *arena;
    const struct routing_directory *directory;
    const struct routing_contracts *contracts;
    const struct routing_ask *ask;
    const struct routing_call *call;
    uint32_t offer; /* the interface that is addressed */
    struct routing_decision d;
};

/* R-ROUTE-03: in upper case, in the registered spelling. */
static struct party_id emitted(struct party_id id)
{
    text_to_upper(id.country_code);
    text_to_upper(id.party_id);
    return id;
}

/* The headers of an answer by `who`. 2.1.1 has none (R-BR-10). */
static struct routing answer_by(const struct work *w, const struct party_id *who)
{
    if (!w->d.from || w->ask->version == OCPI_2_1_1)
        return (struct routing){0};
    return (struct routing){.from = emitted(*who), .to = emitted(w->d.from->id)};
}

static void refuse(struct work *w, struct err e, const char *rule)
{
    w->d.kind = ROUTING_REFUSED;
    w->d.answer_by = ROUTING_ANSWER_OURS;
    w->d.err = err_rule(e, rule);
    w->d.answer = answer_by(w, &w->directory->hub);
    w->d.legs = w->d.missed = NULL;
    w->d.leg_count = w->d.missed_count = 0;
}

static struct routing_leg leg_to(const struct work *w, const struct routing_party *party)
{
    struct routing_leg ret = {.party = party, .answer = answer_by(w, &party->id)};

    if (!party->ours && party->version != OCPI_2_1_1)
        ret.request = (struct routing){.from = emitted(w->d.from->id), .to = emitted(party->id)};
    return ret;
}

static void send_to(struct work *w, enum routing_kind kind, const struct routing_party *party)
{
    struct routing_leg *leg = arena_alloc(w->arena, sizeof *leg);

    *leg = leg_to(w, party);
    w->d.kind = party->ours ? ROUTING_LOCAL : kind;
    w->d.answer_by = party->ours ? ROUTING_ANSWER_OURS : ROUTING_ANSWER_RELAYED;
    w->d.answer = answer_by(w, party->ours ? &party->id : &w->directory->hub);
    w->d.legs = leg;
    w->d.leg_count = 1;
}

/* Nobody's: configuration, or the store of the hub. */
static void keep_here(struct work *w)
{
    w->d.kind = ROUTING_LOCAL;
    w->d.answer_by = ROUTING_ANSWER_OURS;
    w->d.answer = answer_by(w, &w->directory->hub);
}

/* ---- may it be reached? ---- */

/* In the order of preference where a party has several entries. */
enum reach { REACHED, NOT_CONNECTED, NOT_OFFERED, SAME_CONNECTION, UNKNOWN };

static bool is_allowed(const struct work *w, const struct routing_party *to)
{
    return w->contracts->allowed(w->contracts->ctx, w->d.from, to, w->ask->module);
}

static bool has_call(const struct work *w, const struct routing_party *to)
{
    return to->ours || to->version >= w->call->since;
}

static enum reach reach(const struct work *w, const struct routing_party *to)
{
    if (!to->ours && to->partner_id == w->ask->partner_id)
        return SAME_CONNECTION;
    if (!is_allowed(w, to))
        return UNKNOWN;
    if (!to->ours && to->status != OCPI_CONNECTION_CONNECTED)
        return NOT_CONNECTED;
    return (to->offers & w->offer) && has_call(w, to) ? REACHED : NOT_OFFERED;
}

/* Of the entries of a party the one that is meant. */
static enum reach reach_party(const struct work *w, const struct party_id *id,
                              const struct routing_party **ret)
{
    struct range entries = find_party(w->directory, id);
    enum reach best = UNKNOWN;

    *ret = NULL;
    for (size_t i = 0; i < entries.count; i++) {
        const struct routing_party *party = entries.at[i];
        enum reach found = reach(w, party);
        if (found == UNKNOWN || found > best)
            continue;
        if (*ret && found == best &&
            (routing_is_typical((*ret)->role, w->offer) ||
             !routing_is_typical(party->role, w->offer)))
            continue;
        best = found;
        *ret = party;
    }
    return best;
}

static void refuse_unknown(struct work *w, const struct party_id *to)
{
    refuse(w,
           err_at(w->arena, ERR_UNKNOWN_RECEIVER, HEADER_TO_PARTY_ID, "%s-%s is not connected here",
                  to->country_code, to->party_id),
           "R-ROUTE-41");
}

/* A party that the requester knows cannot be asked. */
static void refuse_reach(struct work *w, enum reach why, const struct routing_party *party)
{
    char id[PARTY_TEXT];

    party_id_print(&party->id, id);
    switch (why) {
    case NOT_CONNECTED:
        refuse(w,
               err_at(w->arena, ERR_PEER_UNREACHABLE, NULL,
                      "%s is not connected at the moment (%s)", id,
                      ocpi_connection_status_name(party->status)),
               "R-ROUTE-46");
        break;
    case NOT_OFFERED:
        w->d.not_in_version = !has_call(w, party);
        refuse(
            w,
            err_at(w->arena, ERR_PEER_UNREACHABLE, NULL, "module not available at receiver %s", id),
            "R-ROUTE-42");
        break;
    default:
        refuse(w,
               err_at(w->arena, ERR_UNKNOWN_RECEIVER, NULL, "%s is a party of your own connection",
                      id),
               "R-ROUTE-63");
        break;
    }
}

/* ---- who asks ---- */

/* The party of the connection that can be meant, and how many different ones there are. A hub asks
 * for itself only where it says so. */
static size_t infer_from(const struct work *w, const struct routing_party **ret)
{
    struct range parties = find_partner(w->directory, w->ask->partner_id);
    size_t count = 0;

    *ret = NULL;
    for (size_t i = 0; i < parties.count; i++) {
        const struct routing_party *party = parties.at[i];
        if (party->ours || party->role == OCPI_ROLE_HUB || !routing_may_ask(party->role, w->offer))
            continue;
        count += !*ret || !party_id_equal(&party->id, &(*ret)->id);
        if (!*ret)
            *ret = party;
    }
    return count;
}

/* R-ROUTE-06. Refuses and returns false if nobody can be meant. */
static bool settle_from(struct work *w)
{
    const struct party_id *named = &w->ask->headers.from;
    struct range entries = find_party(w->directory, named);
    const struct routing_party *inferred;
    char text[PARTY_TEXT];

    if (w->ask->version != OCPI_2_1_1 && party_id_is_set(named)) {
        for (size_t i = 0; i < entries.count; i++) {
            const struct routing_party *party = entries.at[i];
            if (!party->ours && party->partner_id == w->ask->partner_id &&
                routing_may_ask(party->role, w->offer)) {
                w->d.from = party;
                return true;
            }
        }
        if (!w->ask->lenient) {
            refuse(w,
                   err_at(w->arena, ERR_FORBIDDEN, HEADER_FROM_PARTY_ID,
                          "%s is not a party of this connection in a role that uses this address",
                          party_id_print(named, text)),
                   "R-ROUTE-06");
            return false;
        }
        w->d.headers_ignored = true;
    }
    size_t count = infer_from(w, &inferred);
    if (!count) {
        refuse(w,
               err_at(w->arena, ERR_FORBIDDEN, NULL,
                      "this connection has no party in a role that uses this address"),
               "R-ROUTE-06");
        return false;
    }
    if (count > 1 && w->ask->version != OCPI_2_1_1 && !w->ask->lenient) {
        refuse(w,
               err_at(w->arena, ERR_BAD_FIELD, HEADER_FROM_PARTY_ID,
                      "%s: is missing, and this connection has several parties",
                      HEADER_FROM_PARTY_ID),
               "R-ROUTE-06");
        return false;
    }
    w->d.from = inferred;
    return true;
}

/* ---- to many ---- */

/* A party in two roles of one connection is one receiver. The legs are in the order of the ids. */
static bool is_listed(const struct routing_leg *legs, size_t count,
                      const struct routing_party *party)
{
    while (count-- > 0 && party_id_equal(&legs[count].party->id, &party->id))
        if (legs[count].party->partner_id == party->partner_id)
            return true;
    return false;
}

/* Pushes to the opposite side, from the hub (BROADCAST) or from the requester (FAN_OUT). */
static void send_opposite(struct work *w, enum routing_kind kind)
{
    const struct routing_directory *d = w->directory;
    struct routing_leg *legs = arena_alloc(w->arena, (d->count + 1) * sizeof *legs);
    size_t count = 0, missed = 0;

    /* From the front those that it goes to, from the back those that miss it. */
    for (size_t i = 0; i < d->count; i++) {
        const struct routing_party *party = d->by_id[i];
        if (!routing_hears(party->role, w->ask->module))
            continue;
        bool neighbour = !party->ours && party->partner_id == w->ask->partner_id;
        if (neighbour && (!party->hears_neighbours ||
                          party_id_equal(&party->id, &w->d.from->id))) /* R-ROUTE-18 */
            continue;
        if (!(party->offers & w->offer) || !has_call(w, party) || is_listed(legs, count, party) ||
            !is_allowed(w, party))
            continue;
        if (!party->ours && party->status == OCPI_CONNECTION_OFFLINE)
            legs[d->count - ++missed].party = party;
        if (!party->ours && party->status != OCPI_CONNECTION_CONNECTED) /* R-ROUTE-46 */
            continue;
        legs[count] = leg_to(w, party);
        legs[count].answer = (struct routing){0};
        if (kind == ROUTING_BROADCAST && party_id_is_set(&legs[count].request.from))
            legs[count].request.from = emitted(d->hub);
        count++;
    }
    w->d.kind = kind;
    w->d.answer_by = ROUTING_ANSWER_OURS;
    w->d.answer = answer_by(w, &d->hub);
    w->d.legs = legs;
    w->d.leg_count = count;
    w->d.missed = legs + d->count - missed;
    w->d.missed_count = missed;
}

/* R-ROUTE-31..33: whose objects it may hold; whether any came is for the store to know. */
static void list_all(struct work *w)
{
    const struct routing_directory *d = w->directory;
    struct routing_leg *legs = arena_alloc(w->arena, (d->count + 1) * sizeof *legs);
    size_t count = 0;

    for (size_t i = 0; i < d->count; i++) {
        const struct routing_party *party = d->by_id[i];
        if (!routing_is_owner(party->role, w->ask->module) ||
            (!party->ours && (party->partner_id == w->ask->partner_id ||
                              party->status == OCPI_CONNECTION_SUSPENDED)) ||
            is_listed(legs, count, party) || !is_allowed(w, party))
            continue;
        legs[count++].party = party;
    }
    w->d.kind = ROUTING_GET_ALL;
    w->d.answer_by = ROUTING_ANSWER_OURS;
    w->d.answer = answer_by(w, &d->hub);
    w->d.legs = legs;
    w->d.leg_count = count;
    w->d.own_tokens_only = w->ask->module == ROUTING_SESSIONS || w->ask->module == ROUTING_CDRS;
}

/* Several that can be asked, or the best reason why none can. */
static void ask_several(struct work *w, struct routing_leg *legs, size_t count, enum reach why,
                        const struct routing_party *example)
{
    if (!count && example)
        refuse_reach(w, why, example);
    else if (!count)
        refuse(w,
               err_at(w->arena, ERR_UNKNOWN_RECEIVER, NULL,
                      "nothing in this request names a party that is connected here"),
               w->call->resolve == RESOLVE_OWNER && w->ask->method == ROUTING_POST ? "R-ROUTE-24"
                                                                                   : "R-ROUTE-20");
    else if (count == 1)
        send_to(w, ROUTING_OPEN, legs[0].party);
    else {
        w->d.kind = ROUTING_FAN_OUT;
        w->d.answer_by = ROUTING_ANSWER_FIRST;
        w->d.answer = answer_by(w, &w->directory->hub);
        w->d.legs = legs;
        w->d.leg_count = count;
    }
}

/* All who can be meant where the content names nobody: the owners of such objects for a token that
 * is not known here, the holders of copies for an object that is. */
static void ask_any(struct work *w)
{
    const struct routing_directory *d = w->directory;
    struct routing_leg *legs = arena_alloc(w->arena, (d->count + 1) * sizeof *legs);
    const struct routing_party *example = NULL;
    size_t count = 0;

    for (size_t i = 0; i < d->count; i++) {
        const struct routing_party *party = d->by_id[i];
        if (w->call->resolve == RESOLVE_OPPOSITE ? !routing_hears(party->role, w->ask->module)
                                                 : !routing_is_owner(party->role, w->ask->module))
            continue;
        if (is_listed(legs, count, party))
            continue;
        enum reach found = reach(w, party);
        if (found == REACHED)
            legs[count++] = leg_to(w, party);
        else if (found == NOT_CONNECTED)
            example = party;
    }
    ask_several(w, legs, count, NOT_CONNECTED, example);
}

/* ---- open routing: TO is missing (R-ROUTE-20) ---- */

static bool is_named_before(const struct party_id *owners, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (party_id_equal(&owners[i], &owners[index]))
            return true;
    return false;
}

static void ask_owners(struct work *w)
{
    const struct routing_ask *ask = w->ask;
    struct routing_leg *legs = arena_alloc(w->arena, (ask->owner_count + 1) * sizeof *legs);
    const struct routing_party *example = NULL;
    enum reach why = UNKNOWN;
    size_t count = 0, known = 0;

    /* Owners that the requester has no contract with do not exist for it: an id that only one of
     * the others uses is not ambiguous, and nothing is said about the rest. */
    for (size_t i = 0; i < ask->owner_count; i++) {
        const struct routing_party *party;
        enum reach found =
            is_named_before(ask->owners, i) ? UNKNOWN : reach_party(w, &ask->owners[i], &party);
        if (found == UNKNOWN)
            continue;
        known++;
        if (found == REACHED)
            legs[count++] = leg_to(w, party);
        if (found < why) {
            why = found;
            example = party;
        }
    }
    if (!known && w->call->resolve == RESOLVE_OWNERS_OR_ANY)
        ask_any(w);
    else if (known > 1 && w->call->resolve == RESOLVE_OWNER)
        refuse(w,
               err_at(w->arena, ERR_BAD_FIELD, HEADER_TO_PARTY_ID,
                      "ambiguous: several parties have an object with this id; name one in %s",
                      HEADER_TO_PARTY_ID),
               "R-ROUTE-55");
    else
        ask_several(w, legs, count, why, example);
}

/* A CPO that registered at our eMSP and names nobody speaks to that eMSP: there is no hub between
 * them (R-ROUTE-01), unless the content names another party. */
static bool is_peer_to_peer(const struct work *w)
{
    const struct routing_party *ours = w->directory->ours, *party;
    const struct routing_ask *ask = w->ask;

    if (ask->version == OCPI_2_1_1 || ask->face != FACE_EMSP || !ours || !(ours->offers & w->offer))
        return false;
    for (size_t i = 0; i < ask->owner_count; i++) {
        if (party_id_equal(&ask->owners[i], &ours->id))
            continue;
        /* Where we looked up the owner, one without a contract must be as good as none. */
        if (w->call->resolve != RESOLVE_OWNERS_OR_ANY ||
            reach_party(w, &ask->owners[i], &party) != UNKNOWN)
            return false;
    }
    return true;
}

static void decide_open(struct work *w)
{
    const struct routing_ask *ask = w->ask;
    bool old = ask->version == OCPI_2_1_1;

    if (is_peer_to_peer(w) && reach(w, w->directory->ours) == REACHED) {
        send_to(w, ROUTING_OPEN, w->directory->ours);
        return;
    }
    if (ask->target == ROUTING_LIST && w->call->modes & ROUTING_MAY_GET_ALL &&
        (old || ask->lenient)) {
        w->d.headers_ignored |= !old;
        list_all(w); /* R-BR-06, R-ROUTE-22 */
        return;
    }
    if (ask->target == ROUTING_LIST) {
        struct err e = err_at(w->arena, ERR_BAD_FIELD, HEADER_TO_PARTY_ID,
                              "%s: a list needs the party it is asked of", HEADER_TO_PARTY_ID);
        e.expected = "the party of the hub for everybody's objects, or that of their owner";
        refuse(w, e, "R-ROUTE-22");
        return;
    }
    /* An owner of 2.1.1 that reads back what it pushed gets what we keep (R-BR-01). */
    if (old && ask->method == ROUTING_GET && ask->interface == OCPI_INTERFACE_RECEIVER &&
        (w->call->resolve == RESOLVE_NOWHERE || w->call->resolve == RESOLVE_OPPOSITE)) {
        keep_here(w);
        return;
    }
    if (!(w->call->modes & ROUTING_MAY_OPEN)) {
        refuse(w,
               err_at(w->arena, ERR_BAD_FIELD, HEADER_TO_PARTY_ID,
                      "%s: is missing, and this request says in no other way for whom it is",
                      HEADER_TO_PARTY_ID),
               "R-ROUTE-20");
        return;
    }
    if (w->call->resolve != RESOLVE_OPPOSITE)
        ask_owners(w);
    else if (ask->method == ROUTING_GET)
        ask_any(w);
    else
        send_opposite(w, ROUTING_FAN_OUT);
}

/* ---- TO is the hub ---- */

static void decide_hub(struct work *w)
{
    const struct routing_ask *ask = w->ask;
    bool get = ask->method == ROUTING_GET, receiver = ask->interface == OCPI_INTERFACE_RECEIVER;
    const struct routing_party *ours;

    if (get && !receiver && ask->target == ROUTING_LIST && w->call->modes & ROUTING_MAY_GET_ALL) {
        list_all(w); /* R-ROUTE-30 */
        return;
    }
    if (w->call->modes & ROUTING_MAY_BROADCAST) {
        send_opposite(w, ROUTING_BROADCAST); /* R-ROUTE-11 */
        return;
    }
    /* The hub and our eMSP may share their id. */
    if (reach_party(w, &w->directory->hub, &ours) == REACHED && ours->ours) {
        send_to(w, ROUTING_DIRECT, ours);
        return;
    }
    if ((ask->broadcast_is_open && !get) || (ask->lenient && !(get && receiver))) {
        w->d.headers_ignored = true;
        decide_open(w);
        return;
    }
    if (get && receiver)
        refuse(w,
               err_at(w->arena, ERR_BAD_FIELD, HEADER_TO_PARTY_ID,
                      "GET never goes to everybody: name the receiver"),
               "R-ROUTE-14");
    else if (get)
        refuse(w,
               err_at(w->arena, ERR_BAD_FIELD, HEADER_TO_PARTY_ID,
                      "this is not one of the lists that the hub collects: name the receiver"),
               ask->target == ROUTING_LIST ? "R-ROUTE-32" : "R-ROUTE-30");
    else
        refuse(w,
               err_at(w->arena, ERR_BAD_FIELD, HEADER_TO_PARTY_ID,
                      "this is not meant for everybody: name the receiver"),
               "R-ROUTE-15");
}

/* ---- a URL of ours that stands for a party ---- */

/* Its contract was asked for when the URL was made; endpoints do not count, the party gave the URL
 * behind ours itself. */
static void decide_handed_out(struct work *w)
{
    struct range entries = {0};

    if (w->ask->owner_count == 1)
        entries = find_party(w->directory, &w->ask->owners[0]);
    const struct routing_party *party = NULL;
    for (size_t i = 0; i < entries.count; i++)
        if (!party || routing_is_typical(entries.at[i]->role, w->offer))
            party = entries.at[i];
    if (!party)
        refuse(w, err_at(w->arena, ERR_NOT_FOUND, NULL, "nothing waits at this address"),
               "R-ASYNC-14");
    else if (!party->ours && party->partner_id == w->ask->partner_id)
        refuse_reach(w, SAME_CONNECTION, party);
    else if (!party->ours && party->status != OCPI_CONNECTION_CONNECTED)
        refuse_reach(w, NOT_CONNECTED, party);
    else
        send_to(w, ROUTING_DIRECT, party);
}

/* ---- the story ---- */

static void decide_direct(struct work *w, const struct party_id *to)
{
    const struct routing_party *party;
    enum reach found = reach_party(w, to, &party);

    if (found == REACHED) {
        send_to(w, ROUTING_DIRECT, party);
    } else if (found != UNKNOWN) {
        refuse_reach(w, found, party);
    } else if (w->ask->lenient) {
        w->d.headers_ignored = true;
        decide_open(w);
    } else {
        refuse_unknown(w, to);
    }
}

struct routing_decision routing_decide(struct arena *a, const struct routing_directory *directory,
                                       const struct routing_contracts *contracts,
                                       const struct routing_ask *ask)
{
    static const struct party_id nobody;
    bool old = ask->version == OCPI_2_1_1;
    bool headed = party_id_is_set(&ask->headers.from) || party_id_is_set(&ask->headers.to);
    const struct party_id *to = old ? &ask->stands_for : &ask->headers.to;
    struct work w = {.arena = a,
                     .directory = directory,
                     .contracts = contracts,
                     .ask = ask,
                     .call = routing_call_find(ask),
                     .offer = ROUTING_OFFER(ask->module, ask->interface)};

    w.d.headers_ignored = headed && (old || ask->module == ROUTING_CONFIGURATION);
    if (ask->module == ROUTING_CONFIGURATION) {
        keep_here(&w); /* R-ROUTE-02 */
        return w.d;
    }
    if (!w.call) {
        refuse(&w, err_new(ERR_METHOD_NOT_ALLOWED), "R-TRANS-09");
        return w.d;
    }
    if (!settle_from(&w))
        return w.d;
    if (old && party_id_equal(to, &directory->hub))
        to = &nobody; /* the hub itself is what 2.1.1 meets anyway */
    if (ask->target == ROUTING_HANDED_OUT)
        decide_handed_out(&w);
    else if (!party_id_is_set(to))
        decide_open(&w);
    else if (party_id_is_set(&directory->hub) && party_id_equal(to, &directory->hub))
        decide_hub(&w);
    else
        decide_direct(&w, to);
    return w.d;
}
