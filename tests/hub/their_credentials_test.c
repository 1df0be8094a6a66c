/* SPDX-License-Identifier: Apache-2.0 */
/* What a partner says of itself, in each version; and the hosts that are its own. */
#include "hub/partner/their_credentials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/json.h"

enum { MEMORY = 4 * 1024 * 1024 };

/* Reading needs no more of a flow than its arena. */
struct bench {
    struct arena *arena;
    struct flow flow;
};

static int bench_make(void **state)
{
    struct bench *b = test_calloc(1, sizeof *b);

    b->arena = arena_new(MEMORY);
    b->flow.arena = b->arena;
    *state = b;
    return 0;
}

static int bench_end(void **state)
{
    struct bench *b = *state;

    arena_free(b->arena);
    test_free(b);
    return 0;
}

static const json_t *document(struct bench *b, const char *text)
{
    json_t *json;

    assert_false(failed(json_read(b->arena, text, strlen(text), 0, &json)));
    return json;
}

static struct err take(struct bench *b, enum face face, enum ocpi_version version,
                       const struct partner *p, const char *text, struct their_credentials *ret)
{
    return their_credentials_read(&b->flow, face, version, p, document(b, text), ret);
}

static const char OF_2_1_1[] =
    "{\"token\":\"t1\",\"url\":\"https://cpo.example/versions\",\"country_code\":\"NO\","
    "\"party_id\":\"ABC\",\"business_details\":{\"name\":\"ABC Power\"}}";

#define ROLE(role, party)                                                                          \
    "{\"role\":\"" role "\",\"country_code\":\"NO\",\"party_id\":\"" party                         \
    "\",\"business_details\":{\"name\":\"ABC Power\"}}"
#define WITH(more, roles)                                                                          \
    "{\"token\":\"t1\",\"url\":\"https://cpo.example/versions\"," more "\"roles\":[" roles "]}"

static void the_face_tells_the_role_of_2_1_1(void **state) /* R-VER-04 */
{
    struct their_credentials c;

    assert_false(failed(take(*state, FACE_EMSP, OCPI_2_1_1, NULL, OF_2_1_1, &c)));
    assert_int_equal(c.count, 1);
    assert_int_equal(c.items[0].role, OCPI_ROLE_CPO);
    assert_string_equal(c.items[0].party.party_id, "ABC");
    assert_string_equal(c.name, "ABC Power");
    assert_string_equal(json_text_of(json_array_get(c.roles, 0), "role"), "CPO");
    assert_false(failed(take(*state, FACE_CPO, OCPI_2_1_1, NULL, OF_2_1_1, &c)));
    assert_int_equal(c.items[0].role, OCPI_ROLE_EMSP);
}

static void an_agreed_role_of_2_1_1_stays(void **state)
{
    struct partner_party party = {.id = {"no", "abc"}, .role = OCPI_ROLE_NSP};
    struct partner p = {.parties = &party, .party_count = 1};
    struct their_credentials c;

    assert_false(failed(take(*state, FACE_CPO, OCPI_2_1_1, &p, OF_2_1_1, &c)));
    assert_int_equal(c.items[0].role, OCPI_ROLE_NSP);
    assert_false(failed(their_credentials_approved(&((struct bench *)*state)->flow, &p, &c)));
}

static void a_hub_is_known_by_its_role_or_its_party(void **state) /* R-CRED-13, 14 */
{
    struct their_credentials c;

    assert_false(failed(take(*state, FACE_PLATFORM, OCPI_2_2_1, NULL,
                             WITH("", ROLE("HUB", "HUB") "," ROLE("CPO", "ABC")), &c)));
    assert_true(c.hub);
    assert_int_equal(c.count, 2);
    assert_true(their_credentials_have(&c, OCPI_ROLE_CPO));
    assert_false(their_credentials_have(&c, OCPI_ROLE_EMSP));
    assert_false(failed(take(*state, FACE_PLATFORM, OCPI_2_3_0, NULL,
                             WITH("\"hub_party_id\":\"NOHUB\",", ROLE("CPO", "ABC")), &c)));
    assert_true(c.hub);
    assert_false(
        failed(take(*state, FACE_PLATFORM, OCPI_2_3_0, NULL, WITH("", ROLE("CPO", "ABC")), &c)));
    assert_false(c.hub);
    /* 2.2.1 does not know the member. */
    assert_false(failed(take(*state, FACE_PLATFORM, OCPI_2_2_1, NULL,
                             WITH("\"hub_party_id\":\"NOHUB\",", ROLE("CPO", "ABC")), &c)));
    assert_false(c.hub);
}

static void what_is_wrong_is_refused(void **state)
{
    static const struct {
        enum ocpi_version version;
        const char *text, *rule;
    } WRONG[] = {
        {OCPI_2_2_1, WITH("", ROLE("CPO", "ABC") "," ROLE("CPO", "abc")), "R-CRED-12"},
        {OCPI_2_3_0, WITH("\"hub_party_id\":\"NOH\",", ROLE("CPO", "ABC")), "R-CRED-17"},
        {OCPI_2_2_1,
         "{\"token\":\"a b\",\"url\":\"https://x.example/v\",\"roles\":[" ROLE("CPO", "ABC") "]}",
         "R-TRANS-05"},
        {OCPI_2_2_1, OF_2_1_1, NULL},
        {OCPI_2_1_1, WITH("", ROLE("CPO", "ABC")), NULL},
    };
    struct their_credentials c;

    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        struct err e = take(*state, FACE_EMSP, WRONG[i].version, NULL, WRONG[i].text, &c);
        assert_int_equal(e.kind, ERR_BAD_FIELD);
        assert_non_null(e.rule);
        if (WRONG[i].rule)
            assert_string_equal(e.rule, WRONG[i].rule);
    }
}

static void what_was_agreed_may_not_be_missing(void **state)
{
    struct partner_party agreed[] = {{.id = {"NO", "ABC"}, .role = OCPI_ROLE_CPO},
                                     {.id = {"NO", "XYZ"}, .role = OCPI_ROLE_CPO}};
    struct partner p = {.name = "p", .parties = agreed, .party_count = 2};
    struct bench *b = *state;
    struct their_credentials c;

    assert_false(failed(take(b, FACE_EMSP, OCPI_2_2_1, &p, WITH("", ROLE("CPO", "abc")), &c)));
    assert_true(failed(their_credentials_approved(&b->flow, &p, &c)));
    p.party_count = 1;
    assert_false(failed(their_credentials_approved(&b->flow, &p, &c)));
    assert_false(failed(their_credentials_approved(&b->flow, NULL, &c)));
}

static void an_unagreed_hub_role_is_no_party(void **state)
{
    struct partner_party agreed = {.id = {"NO", "ABC"}, .role = OCPI_ROLE_CPO};
    struct partner p = {.name = "p", .parties = &agreed, .party_count = 1};
    struct bench *b = *state;
    struct their_credentials c;

    assert_false(failed(
        take(b, FACE_EMSP, OCPI_2_2_1, &p,
             WITH("", ROLE("CPO", "ABC") "," ROLE("HUB", "HUB") "," ROLE("CPO", "NEW")), &c)));
    const json_t *stored = document(b, their_roles(&b->flow, &p, &c));
    assert_int_equal(json_array_size(stored), 2);
    assert_string_equal(json_text_of(json_array_get(stored, 1), "party_id"), "NEW");
    stored = document(b, their_roles(&b->flow, NULL, &c));
    assert_int_equal(json_array_size(stored), 3);
}

/* A number may be short here and very long where the store writes it out. */
static void what_no_table_knows_is_not_kept(void **state)
{
    static const enum ocpi_version NEWER[] = {OCPI_2_2_1, OCPI_2_3_0};
    static const char OLD[] =
        "{\"token\":\"t1\",\"url\":\"https://cpo.example/versions\",\"country_code\":\"NO\","
        "\"party_id\":\"ABC\",\"business_details\":{\"name\":\"ABC Power\",\"more\":1e200}}";
    static const char ROLES[] =
        WITH("", "{\"role\":\"CPO\",\"country_code\":\"NO\",\"party_id\":\"ABC\",\"more\":[1e200],"
                 "\"business_details\":{\"name\":\"ABC Power\",\"website\":\"https://abc.example\","
                 "\"more\":1e200,\"logo\":{\"url\":\"https://abc.example/l.png\",\"category\":"
                 "\"OPERATOR\",\"type\":\"png\",\"width\":64,\"more\":1e200}}}");
    struct bench *b = *state;
    struct their_credentials c;

    assert_false(failed(take(b, FACE_EMSP, OCPI_2_1_1, NULL, OLD, &c)));
    assert_null(strstr(their_roles(&b->flow, NULL, &c), "more"));
    for (size_t i = 0; i < sizeof NEWER / sizeof *NEWER; i++) {
        assert_false(failed(take(b, FACE_PLATFORM, NEWER[i], NULL, ROLES, &c)));
        const char *kept = their_roles(&b->flow, NULL, &c);
        assert_null(strstr(kept, "more"));
        assert_non_null(strstr(kept, "https://abc.example\""));
        assert_non_null(strstr(kept, "\"width\":64"));
        assert_non_null(strstr(kept, "\"party_id\":\"ABC\""));
    }
}

static void a_host_is_theirs_or_listed(void **state) /* R-CRED-19 */
{
    static const char *const LISTED[] = {"ocpi.cpo.example", "other.example:8443"};
    static const char BASE[] = "https://cpo.example/versions";
    struct partner p = {.peer = {.hosts = LISTED, .host_count = 2}};
    struct arena *a = ((struct bench *)*state)->arena;

    assert_null(foreign_host(a, BASE, NULL, "https://cpo.example/2.2.1"));
    assert_null(foreign_host(a, BASE, NULL, "https://CPO.example:443/2.2.1"));
    assert_string_equal(foreign_host(a, BASE, NULL, "https://ocpi.cpo.example/x"),
                        "ocpi.cpo.example");
    assert_null(foreign_host(a, BASE, &p, "https://ocpi.cpo.example/x"));
    assert_null(foreign_host(a, BASE, &p, "https://other.example:8443/x"));
    assert_string_equal(foreign_host(a, BASE, &p, "https://other.example/x"), "other.example");
    assert_string_equal(foreign_host(a, BASE, &p, "https://cpo.example:8443/x"),
                        "cpo.example:8443");
    assert_string_equal(foreign_host(a, BASE, &p, "https://cpo.example.evil.example/x"),
                        "cpo.example.evil.example");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_face_tells_the_role_of_2_1_1, bench_make, bench_end),
        cmocka_unit_test_setup_teardown(an_agreed_role_of_2_1_1_stays, bench_make, bench_end),
        cmocka_unit_test_setup_teardown(a_hub_is_known_by_its_role_or_its_party, bench_make,
                                        bench_end),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_refused, bench_make, bench_end),
        cmocka_unit_test_setup_teardown(what_was_agreed_may_not_be_missing, bench_make, bench_end),
        cmocka_unit_test_setup_teardown(an_unagreed_hub_role_is_no_party, bench_make, bench_end),
        cmocka_unit_test_setup_teardown(what_no_table_knows_is_not_kept, bench_make, bench_end),
        cmocka_unit_test_setup_teardown(a_host_is_theirs_or_listed, bench_make, bench_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
