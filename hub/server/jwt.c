/* SPDX-License-Identifier: Apache-2.0 */
/* JWT: the rules around cjose's verification. */
#include "hub/server/jwt.h"

#include "hub/request.h"

#include <openssl/err.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"

enum { SUB_MAX = 200, PARTS = 3 };

/* Strict base64url without padding: also refuses what other decoders would skip. */
static char *decode_part(struct arena *a, const char *part, size_t length, size_t *ret_length)
{
    static const char ALPHABET[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *padded = arena_alloc(a, length + 5);

    if (!length || length % 4 == 1 || strspn(part, ALPHABET) < length)
        return NULL;
    for (size_t i = 0; i < length; i++)
        padded[i] = part[i] == '-' ? '+' : part[i] == '_' ? '/' : part[i];
    while (length % 4)
        padded[length++] = '=';
    return text_base64_decode(a, padded, ret_length);
}

static json_t *decode_object(struct arena *a, const char *part, size_t length)
{
    size_t decoded_length;
    char *decoded = decode_part(a, part, length, &decoded_length);
    json_t *document;

    if (!decoded || failed(json_read(a, decoded, decoded_length, 0, &document)))
        return NULL;
    return json_is_object(document) ? document : NULL;
}

static bool alg_fits(const struct jwt_key *key, const char *alg)
{
    if (*key->alg && strcmp(alg, key->alg) != 0)
        return false;
    if (key->ec)
        return strcmp(alg, "ES256") == 0;
    return strcmp(alg, "RS256") == 0 || strcmp(alg, "PS256") == 0;
}

static bool signature_holds(const char *token, size_t length, const struct jwt_key *key)
{
    cjose_err err;
    cjose_jws_t *jws = cjose_jws_import(token, length, &err);
    bool holds = jws && cjose_jws_verify(jws, key->jwk, &err);

    if (jws)
        cjose_jws_release(jws);
    ERR_clear_error(); /* else a TLS connection of ours would take the complaint for its own */
    return holds;
}

static enum jwt_verdict check_signature(const char *token, size_t length, const json_t *header,
                                        const struct jwt_keys *keys)
{
    const char *alg = json_text_of(header, "alg"), *kid = json_text_of(header, "kid");
    const json_t *given = json_object_get(header, "kid");
    bool candidate = false;

    if (given && (!kid || strlen(kid) > JWT_KID_MAX))
        return JWT_INVALID;
    for (size_t i = 0; i < keys->count; i++) {
        const struct jwt_key *key = &keys->items[i];
        if (kid && *key->kid && strcmp(kid, key->kid) != 0)
            continue;
        candidate = true;
        if (alg_fits(key, alg) && signature_holds(token, length, key))
            return JWT_GOOD;
    }
    /* A kid that none of our keys has may be a new one of the issuer. */
    bool known = false;
    for (size_t i = 0; kid && i < keys->count; i++)
        known |= strcmp(kid, keys->items[i].kid) == 0;
    return (kid && !known) || !candidate ? JWT_UNKNOWN_KEY : JWT_INVALID;
}

static bool whole_number(const json_t *object, const char *name, bool required, int64_t *ret)
{
    const json_t *v = json_object_get(object, name);

    if (!v)
        return !required;
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return false;
    *ret = json_integer_value(v);
    return true;
}

static bool audience_fits(const json_t *claims, const char *audience)
{
    const json_t *aud = json_object_get(claims, "aud");

    if (json_is_string(aud))
        return strcmp(json_string_value(aud), audience) == 0;
    for (size_t i = 0; i < json_array_size(aud); i++) {
        const char *one = json_string_value(json_array_get(aud, i));
        if (one && strcmp(one, audience) == 0)
            return true;
    }
    return false;
}

static bool name_valid(const char *s)
{
    return s && *s && strlen(s) <= SUB_MAX && text_is_printable_ascii(s);
}

unsigned jwt_role(const char *name)
{
    static const struct {
        const char *name;
        enum role role;
    } roles[] = {
        {"operator", ROLE_OPERATOR}, {"lead", ROLE_LEAD},       {"admin", ROLE_ADMIN},
        {"finance", ROLE_FINANCE},   {"auditor", ROLE_AUDITOR},
    };

    for (size_t i = 0; name && i < sizeof roles / sizeof *roles; i++)
        if (strcmp(name, roles[i].name) == 0)
            return roles[i].role;
    return 0;
}

/* Roles that we do not know give no right. */
static void read_rights(const json_t *claims, struct jwt_claims *ret)
{
    const json_t *roles = json_object_get(claims, "roles"), *amr = json_object_get(claims, "amr");

    for (size_t i = 0; i < json_array_size(roles); i++)
        ret->roles |= jwt_role(json_string_value(json_array_get(roles, i)));
    for (size_t i = 0; i < json_array_size(amr); i++) {
        const char *how = json_string_value(json_array_get(amr, i));
        ret->mfa |= how && strcmp(how, "mfa") == 0;
    }
}

static enum jwt_verdict check_claims(const json_t *claims, const struct jwt_rules *rules,
                                     struct jwt_claims *ret)
{
    int64_t exp = 0, nbf = 0, iat = 0;
    const char *iss = json_text_of(claims, "iss");
    const json_t *act = json_object_get(claims, "act");

    if (!whole_number(claims, "exp", true, &exp) || !whole_number(claims, "nbf", false, &nbf) ||
        !whole_number(claims, "iat", true, &iat))
        return JWT_INVALID;
    if (!iss || strcmp(iss, rules->issuer) != 0 || !audience_fits(claims, rules->audience))
        return JWT_INVALID;
    ret->sub = json_text_of(claims, "sub");
    ret->robot = act ? json_text_of(act, "sub") : NULL;
    if (!name_valid(ret->sub) || (act && !name_valid(ret->robot)))
        return JWT_INVALID;
    if (nbf > rules->now_s + JWT_LEEWAY_S || iat > rules->now_s + JWT_LEEWAY_S)
        return JWT_INVALID;
    if (exp - iat > (act ? JWT_ROBOT_S : JWT_USER_S))
        return JWT_INVALID;
    ret->exp_s = exp;
    read_rights(claims, ret);
    return exp + JWT_LEEWAY_S <= rules->now_s ? JWT_EXPIRED : JWT_GOOD;
}

enum jwt_verdict jwt_check(struct arena *a, const char *token, const struct jwt_keys *keys,
                           const struct jwt_rules *rules, struct jwt_claims *ret)
{
    size_t length = strlen(token);
    const char *dots[PARTS - 1];

    *ret = (struct jwt_claims){0};
    if (length > JWT_MAX)
        return JWT_INVALID;
    dots[0] = strchr(token, '.');
    dots[1] = dots[0] ? strchr(dots[0] + 1, '.') : NULL;
    if (!dots[1] || strchr(dots[1] + 1, '.'))
        return JWT_INVALID;
    const json_t *header = decode_object(a, token, (size_t)(dots[0] - token));
    const json_t *claims = decode_object(a, dots[0] + 1, (size_t)(dots[1] - dots[0] - 1));
    size_t signature;
    if (!header || !claims ||
        !decode_part(a, dots[1] + 1, length - (size_t)(dots[1] + 1 - token), &signature))
        return JWT_INVALID;
    const char *typ = json_text_of(header, "typ");
    if (!json_text_of(header, "alg") || json_object_get(header, "crit") ||
        (json_object_get(header, "typ") && !typ) ||
        (typ && !text_equal_caseless(typ, "JWT") && !text_equal_caseless(typ, "at+jwt")))
        return JWT_INVALID;
    enum jwt_verdict verdict = check_signature(token, length, header, keys);
    if (verdict != JWT_GOOD)
        return verdict;
    verdict = check_claims(claims, rules, ret);
    if (verdict != JWT_GOOD)
        *ret = (struct jwt_claims){0};
    return verdict;
}
