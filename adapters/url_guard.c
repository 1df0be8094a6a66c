/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URL guard: two independent readers must agree about a URL (ours, which accepts little, and
 * curl's, which later decides where the bytes go), and the address that comes out of the name
 * service is judged once more, when the socket is opened.
 */
#include "adapters/url_guard.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/text.h"

enum {
    HOST_MAX = 253,
    LABEL_MAX = 63,
    ADDRESS_BYTES = 16,
    V4_OFFSET = 12, /* of a v4 address inside its v4-mapped form */
    ALL_BITS = 128,
};

/* Every address is kept as 16 bytes, v4 in its mapped form, so that one comparison serves both. */
struct range {
    unsigned char bytes[ADDRESS_BYTES];
    int prefix; /* of 128 bits */
    bool v4;
};

struct url_guard {
    struct range *allowed, *own; /* own: the addresses of this machine */
    size_t allowed_count, own_count;
};

/* clang-format off */
/* What is not public, by the registries of special-purpose addresses. */
static const char *const not_public_v4[] = {
    "0.0.0.0/8",       /* this network */
    "10.0.0.0/8",      /* private */
    "100.64.0.0/10",   /* carriers' NAT */
    "127.0.0.0/8",     /* loopback */
    "169.254.0.0/16",  /* link-local, cloud metadata */
    "172.16.0.0/12",   /* private */
    "192.0.0.0/24",    /* protocol assignments */
    "192.0.2.0/24",    /* documentation */
    "192.88.99.0/24",  /* 6to4 relays */
    "192.168.0.0/16",  /* private */
    "198.18.0.0/15",   /* benchmarking */
    "198.51.100.0/24", /* documentation */
    "203.0.113.0/24",  /* documentation */
    "224.0.0.0/4",     /* multicast */
    "240.0.0.0/4",     /* reserved, broadcast */
};
/* Only 2000::/3 is handed out; inside it these are not. */
static const char *const not_public_v6[] = {
    "2001::/23",       /* protocol assignments: Teredo, benchmarking, ORCHID */
    "2001:db8::/32",   /* documentation */
    "2002::/16",       /* 6to4: deprecated, hides a v4 address */
    "3fff::/20",       /* documentation */
};
/* clang-format on */

/* ---- addresses ---- */

static void from_v4(const void *four, struct range *ret)
{
    static const unsigned char mapped[V4_OFFSET] = {[10] = 0xff, [11] = 0xff};

    memcpy(ret->bytes, mapped, sizeof(mapped));
    memcpy(ret->bytes + V4_OFFSET, four, 4);
    ret->v4 = true;
    ret->prefix = ALL_BITS;
}

static void from_v6(const void *sixteen, struct range *ret)
{
    static const unsigned char mapped[V4_OFFSET] = {[10] = 0xff, [11] = 0xff};

    memcpy(ret->bytes, sixteen, ADDRESS_BYTES);
    ret->v4 = memcmp(sixteen, mapped, sizeof(mapped)) == 0;
    ret->prefix = ALL_BITS;
}

static bool from_sockaddr(const struct sockaddr *address, struct range *ret)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        from_v4(&in.sin_addr, ret);
        return true;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof(in6));
        from_v6(&in6.sin6_addr, ret);
        return true;
    }
    return false;
}

/* Only the one canonical spelling of an address: inet_pton knows no octal, hex or short forms. */
static bool from_text(const char *s, struct range *ret)
{
    unsigned char bytes[ADDRESS_BYTES];

    if (inet_pton(AF_INET, s, bytes) == 1) {
        from_v4(bytes, ret);
        return true;
    }
    if (inet_pton(AF_INET6, s, bytes) == 1) {
        from_v6(bytes, ret);
        return true;
    }
    return false;
}

static bool range_read(const char *s, struct range *ret)
{
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(s, '/');
    size_t length = slash ? (size_t)(slash - s) : strlen(s);

    if (length == 0 || length >= sizeof(address))
        return false;
    memcpy(address, s, length);
    address[length] = '\0';
    if (!from_text(address, ret))
        return false;
    if (!slash)
        return true;

    int bits = ret->v4 && !strchr(address, ':') ? 32 : ALL_BITS;
    int prefix = 0;
    const char *digit = slash + 1;
    if (!*digit || strlen(digit) > 3)
        return false;
    for (; *digit; digit++) {
        if (*digit < '0' || *digit > '9')
            return false;
        prefix = prefix * 10 + (*digit - '0');
    }
    if (prefix > bits)
        return false;
    ret->prefix = ALL_BITS - bits + prefix;
    return true;
}

static bool range_has(const struct range *r, const struct range *address)
{
    int whole = r->prefix / 8, rest = r->prefix % 8;

    /* ::/0 is a statement about v6 addresses; it does not open v4. */
    if (r->v4 != address->v4 || memcmp(r->bytes, address->bytes, (size_t)whole) != 0)
        return false;
    if (!rest)
        return true;
    unsigned mask = 0xffU << (8 - rest) & 0xffU;
    return ((unsigned)r->bytes[whole] & mask) == ((unsigned)address->bytes[whole] & mask);
}

static bool ranges_have(const struct range *ranges, size_t count, const struct range *address)
{
    for (size_t i = 0; i < count; i++)
        if (range_has(&ranges[i], address))
            return true;
    return false;
}

static bool texts_have(const char *const *texts, size_t count, const struct range *address)
{
    for (size_t i = 0; i < count; i++) {
        struct range r;
        if (range_read(texts[i], &r) && range_has(&r, address))
            return true;
    }
    return false;
}

static bool is_public(const struct range *address)
{
    static const unsigned char nat64[V4_OFFSET] = {0x00, 0x64, 0xff, 0x9b};

    if (address->v4)
        return !texts_have(not_public_v4, sizeof(not_public_v4) / sizeof(*not_public_v4), address);
    if (memcmp(address->bytes, nat64, sizeof(nat64)) == 0) {
        /* 64:ff9b::/96 is as public as the v4 address inside it. */
        struct range inner;
        from_v4(address->bytes + V4_OFFSET, &inner);
        return is_public(&inner);
    }
    if ((address->bytes[0] & 0xe0) != 0x20)
        return false;
    return !texts_have(not_public_v6, sizeof(not_public_v6) / sizeof(*not_public_v6), address);
}

bool url_guard_address_private(const struct url_guard *g, const struct sockaddr *address)
{
    struct range a;

    return from_sockaddr(address, &a) && ranges_have(g->allowed, g->allowed_count, &a);
}

static bool range_ok(const struct url_guard *g, const struct range *address)
{
    if (ranges_have(g->allowed, g->allowed_count, address))
        return true;
    return is_public(address) && !ranges_have(g->own, g->own_count, address);
}

bool url_guard_address_ok(const struct url_guard *g, const struct sockaddr *address)
{
    struct range a;

    return from_sockaddr(address, &a) && range_ok(g, &a);
}

/* ---- the guard ---- */

static void *or_stop(void *memory)
{
    if (!memory) {
        fprintf(stderr, "url_guard: out of memory\n");
        abort();
    }
    return memory;
}

/* A partner's URL that leads back to this machine would be a loop at best. */
static void note_own_addresses(struct url_guard *g)
{
    struct ifaddrs *all, *one;
    size_t count = 0;

    if (getifaddrs(&all) != 0)
        return;
    for (one = all; one; one = one->ifa_next)
        count++;
    g->own = or_stop(calloc(count + 1, sizeof(*g->own)));
    for (one = all; one; one = one->ifa_next)
        if (one->ifa_addr && from_sockaddr(one->ifa_addr, &g->own[g->own_count]))
            g->own_count++;
    freeifaddrs(all);
}

struct err url_guard_new(const char *const *allow_private_urls, struct url_guard **ret)
{
    struct url_guard *g = or_stop(calloc(1, sizeof(*g)));
    size_t count = 0;

    while (allow_private_urls && allow_private_urls[count])
        count++;
    g->allowed = or_stop(calloc(count + 1, sizeof(*g->allowed)));
    for (; g->allowed_count < count; g->allowed_count++) {
        if (!range_read(allow_private_urls[g->allowed_count], &g->allowed[g->allowed_count])) {
            url_guard_free(g);
            return (struct err){ERR_BAD_FIELD,
                                "allow_private_urls takes addresses and CIDR blocks, for instance "
                                "127.0.0.0/8 or fd00::/8",
                                "allow_private_urls"};
        }
    }
    note_own_addresses(g);
    *ret = g;
    return OK;
}

void url_guard_free(struct url_guard *g)
{
    if (!g)
        return;
    free(g->allowed);
    free(g->own);
    free(g);
}

/* ---- URLs ---- */

static struct err refuse(const char *why)
{
    return (struct err){ERR_URL_REFUSED, why, NULL};
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-';
}

/* A name by the rules of host names; what ends in a number is an address or nothing. */
static struct err check_name(const char *host)
{
    const char *label = host;

    if (strlen(host) > HOST_MAX)
        return refuse("the host name is too long");
    for (;;) {
        size_t length = strcspn(label, ".");
        if (length == 0 || length > LABEL_MAX || label[0] == '-' || label[length - 1] == '-')
            return refuse("the host name is not valid");
        for (size_t i = 0; i < length; i++)
            if (!name_char(label[i]))
                return refuse("the host name is not valid");
        if (!label[length])
            break;
        label += length + 1;
    }
    if (is_digit(label[0]))
        return refuse("the host is an odd form of a numeric address");
    return OK;
}

static bool ends_in_localhost(const char *host)
{
    static const char word[] = "localhost";
    size_t length = strlen(host), n = sizeof(word) - 1;

    return length >= n && strcmp(host + length - n, word) == 0 &&
           (length == n || host[length - n - 1] == '.');
}

/* For a name the address decides later: allow_private_urls at least has to name a network. */
static struct err check_host(const struct url_guard *g, const char *host, bool needs_private)
{
    struct range address;

    if (from_text(host, &address)) {
        if (!range_ok(g, &address))
            return refuse("the address is not public");
        if (needs_private && !ranges_have(g->allowed, g->allowed_count, &address))
            return refuse("only https on port 443 may be called at public addresses");
        return OK;
    }
    TRY(check_name(host));
    if (ends_in_localhost(host)) {
        struct range v4 = {0}, v6 = {0};
        from_text("127.0.0.1", &v4);
        from_text("::1", &v6);
        if (!ranges_have(g->allowed, g->allowed_count, &v4) &&
            !ranges_have(g->allowed, g->allowed_count, &v6))
            return refuse("the address is not public");
    }
    if (needs_private && g->allowed_count == 0)
        return refuse("only https on port 443 may be called");
    return OK;
}

/* curl decides where the bytes go, so it has to read the same host and port. */
static struct err ask_curl(struct arena *a, const char *text, const struct url *url)
{
    const char *host_wanted =
        strchr(url->host, ':') ? arena_printf(a, "[%s]", url->host) : url->host;
    const char *port_wanted = arena_printf(a, "%u", url->port);
    CURLU *u = curl_url();
    char *host = NULL, *port = NULL, *scheme = NULL;
    bool same = false;

    if (!u)
        return err_new(ERR_INTERNAL);
    if (!curl_url_set(u, CURLUPART_URL, text, CURLU_PATH_AS_IS) &&
        !curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) &&
        !curl_url_get(u, CURLUPART_HOST, &host, 0) &&
        !curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT)) {
        same = text_equal_caseless(scheme, url->tls ? "https" : "http") &&
               text_equal_caseless(host, host_wanted) && strcmp(port, port_wanted) == 0;
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
    return same ? OK : refuse("the URL can be read in two ways");
}

struct err url_guard_parse_up_to(const struct url_guard *g, struct arena *a, const char *url,
                                 size_t max, struct url *ret)
{
    struct url parts = {0};

    if (strlen(url) > max)
        return refuse("the URL is too long");
    for (const char *c = url; *c; c++) {
        if (*c <= ' ' || *c > '~' || *c == '\\')
            return refuse("the URL holds characters that must be encoded");
        if (*c == '#')
            return refuse("the URL holds a fragment");
    }
    size_t scheme = strcspn(url, ":");
    if (strncmp(url + scheme, "://", 3) != 0)
        return refuse("only https may be called");
    if (memchr(url + scheme + 3, '@', strcspn(url + scheme + 3, "/?")))
        return refuse("the URL holds user information");
    if (!url_parse(a, url, &parts))
        return refuse("this is not the URL of an https server");
    TRY(check_host(g, parts.host, url_guard_needs_private(&parts)));
    TRY(ask_curl(a, url, &parts));
    *ret = parts;
    return OK;
}

struct err url_guard_parse(const struct url_guard *g, struct arena *a, const char *url,
                           struct url *ret)
{
    return url_guard_parse_up_to(g, a, url, URL_MAX, ret);
}

bool url_guard_needs_private(const struct url *url)
{
    return !url->tls || url->port != 443;
}
