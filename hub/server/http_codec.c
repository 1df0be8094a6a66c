/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP codec: one state per kind of byte that may come next.
 *
 *   START -> METHOD -> TARGET -> VERSION -> LINE_LF
 *                                              |
 *        .--------------------------------------
 *        v
 *   FIELD_START -> NAME -> VALUE_START -> VALUE -> VALUE_LF --.
 *    |   ^                                                     |
 *    |   '-----------------------------------------------------'
 *    v
 *   SECTION_LF ---- head: --> BODY -----------------------------> DONE -> START
 *                        \--> CHUNK_SIZE [-> CHUNK_EXTENSION] -> CHUNK_SIZE_LF
 *                        |        ^                                |        \
 *                        |        '- CHUNK_LF <- CHUNK_CR <- CHUNK_DATA      FIELD_START (trailers)
 *                        \--> DONE
 *
 * The strings of a head are gathered in one buffer, each ended by a NUL, and known by offsets: the
 * buffer may move until the head is complete. The order in which complaints are made depends on
 * the bytes only, never on how they were cut.
 */
#include "hub/server/http_codec.h"

#include <assert.h>

enum { METHOD_MAX = 32, CHUNK_DIGITS_MAX = 8, KEEP_BYTES = 4096 };

enum state {
    START,
    START_LF,
    METHOD,
    TARGET,
    VERSION,
    LINE_LF,
    FIELD_START,
    NAME,
    VALUE_START,
    VALUE,
    VALUE_LF,
    SECTION_LF,
    BODY,
    CHUNK_SIZE,
    CHUNK_EXTENSION,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_CR,
    CHUNK_LF,
    DONE,
    FAILED,
};

struct place { /* of a field in the text */
    uint32_t name, value;
};

/* Everything that begins anew with each request. */
struct request {
    size_t line_bytes, section_bytes, extension_bytes;
    size_t target_at;
    size_t version_length;
    char version[8];    /* "HTTP/1.1" without an end */
    size_t field_count; /* trailers included */
    struct place field; /* the one being read */
    size_t host_at;
    bool after_target; /* the target's first byte may be at target_at */
    bool in_trailers;
    bool has_host, has_length, has_encoding;
    bool says_close, says_keep_alive, says_expect, expects_other;
    bool has_head;
    uint64_t content_length;
    uint64_t body_max, body_bytes, piece_left;
    unsigned digits;
    struct http_head head;
};

struct http_codec {
    enum state state;
    enum err_kind error;
    bool stale;      /* `now` is that of a finished request */
    bool blank_line; /* the one empty line before a request has been */
    char *text;
    size_t text_length, text_capacity;
    struct request now;
    struct place places[HTTP_FIELDS_MAX];
    struct http_header headers[HTTP_FIELDS_MAX];
};

/* clang-format off */
enum { T = 1 /* token */, U = 2 /* request target */, V = 4 /* field value */, H = 8 /* host */ };
static const unsigned char classes[256] = {
    ['\t'] = V, [' '] = V,
    ['!'] = T|U|V|H, ['"'] = V,     ['#'] = T|V,     ['$'] = T|U|V|H, ['%'] = T|U|V|H,
    ['&'] = T|U|V|H, ['\''] = T|U|V|H, ['('] = U|V|H, [')'] = U|V|H,  ['*'] = T|U|V|H,
    ['+'] = T|U|V|H, [','] = U|V|H, ['-'] = T|U|V|H, ['.'] = T|U|V|H, ['/'] = U|V,
    ['0' ... '9'] = T|U|V|H,
    [':'] = U|V|H,   [';'] = U|V|H, ['<'] = V,       ['='] = U|V|H,   ['>'] = V,
    ['?'] = U|V,     ['@'] = U|V,
    ['A' ... 'Z'] = T|U|V|H,
    ['['] = U|V|H,   ['\\'] = V,    [']'] = U|V|H,   ['^'] = T|V,     ['_'] = T|U|V|H,
    ['`'] = T|V,
    ['a' ... 'z'] = T|U|V|H,
    ['{'] = V,       ['|'] = T|V,   ['}'] = V,       ['~'] = T|U|V|H,
    [0x80 ... 0xff] = V,
};
/* clang-format on */

static bool is(char byte, unsigned class)
{
    return (classes[(unsigned char)byte] & class) != 0;
}

static size_t run_of(unsigned class, const char *bytes, size_t length)
{
    size_t n = 0;

    while (n < length && is(bytes[n], class))
        n++;
    return n;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Without case, ASCII only, whatever the locale. */
static bool same(const char *a, const char *b, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (lower(a[i]) != lower(b[i]))
            return false;
    }
    return true;
}

static bool is_word(const char *s, const char *word)
{
    size_t length = strlen(word);

    return strlen(s) == length && same(s, word, length);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static enum http_event fail(struct http_codec *c, enum err_kind kind)
{
    c->state = FAILED;
    c->error = kind;
    return HTTP_ERROR;
}

static void reserve(struct http_codec *c, size_t length)
{
    size_t capacity = c->text_capacity ? c->text_capacity : 1024;

    if (c->text_length + length <= c->text_capacity)
        return;
    while (capacity < c->text_length + length)
        capacity *= 2;
    c->text = realloc(c->text, capacity);
    assert(c->text); /* bounded by the limits of the head */
    c->text_capacity = capacity;
}

static void gather(struct http_codec *c, const char *bytes, size_t length)
{
    reserve(c, length);
    memcpy(c->text + c->text_length, bytes, length);
    c->text_length += length;
}

/* Counts towards a limit first: *ret_fits is how many of the bytes may still be read. */
static bool count(size_t *counter, size_t length, size_t max, size_t *ret_fits)
{
    *ret_fits = smaller(length, max - *counter);
    *counter += *ret_fits;
    return *ret_fits == length;
}

/* The path inside a target: after the authority of an absolute-form. NULL: in neither form. */
static char *path_of_target(char *target, char **ret_authority)
{
    char *authority;

    *ret_authority = NULL;
    if (target[0] == '/')
        return target;
    if (strlen(target) >= 7 && same(target, "http://", 7))
        authority = target + 7;
    else if (strlen(target) >= 8 && same(target, "https://", 8))
        authority = target + 8;
    else
        return NULL;
    *ret_authority = authority;
    return authority + strcspn(authority, "/?");
}

static bool method_is_known(const char *method)
{
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(method, known[i]) == 0)
            return true;
    }
    return false;
}

/* The version comes first: what speaks another protocol should hear that, not a detail of it. */
static enum err_kind check_line(struct http_codec *c)
{
    struct request *now = &c->now;
    char *authority;

    if (now->version_length != sizeof now->version)
        return ERR_BAD_HTTP;
    if (now->version[5] != '1' || now->version[7] > '1')
        return ERR_HTTP_VERSION;
    now->head.minor = now->version[7] - '0';
    if (!method_is_known(c->text))
        return ERR_METHOD_NOT_ALLOWED;
    if (!path_of_target(c->text + now->target_at, &authority))
        return ERR_BAD_HTTP;
    return ERR_NONE;
}

static bool version_byte_fits(size_t at, char byte)
{
    static const char shape[] = "HTTP/0.0";

    if (at >= sizeof shape - 1)
        return false;
    return shape[at] == '0' ? byte >= '0' && byte <= '9' : byte == shape[at];
}

static enum err_kind take_content_length(struct request *now, const char *value)
{
    size_t length = strlen(value);
    uint64_t number = 0;

    if (now->has_length || length == 0 || strspn(value, "0123456789") != length)
        return ERR_BAD_HTTP;
    now->has_length = true;
    for (; *value; value++) {
        if (number > UINT64_MAX / 100)
            return ERR_TOO_LARGE;
        number = number * 10 + (uint64_t)(*value - '0');
    }
    now->content_length = number;
    return ERR_NONE;
}

static void take_connection(struct request *now, const char *value)
{
    while (*value) {
        size_t length = strcspn(value, ", \t");

        if (length == 5 && same(value, "close", length))
            now->says_close = true;
        if (length == 10 && same(value, "keep-alive", length))
            now->says_keep_alive = true;
        value += length;
        value += strspn(value, ", \t");
    }
}

/* The few fields that decide where a request ends and whom it is for. */
static enum err_kind take_field(struct http_codec *c)
{
    struct request *now = &c->now;
    const char *name = c->text + now->field.name;
    const char *value = c->text + now->field.value;

    switch (now->field.value - now->field.name - 1) { /* the length of the name */
    case 4:
        if (same(name, "host", 4)) {
            size_t length = strlen(value);

            if (now->has_host || length == 0 || run_of(H, value, length) != length)
                return ERR_BAD_HTTP;
            now->has_host = true;
            now->host_at = now->field.value;
        }
        break;
    case 6:
        if (same(name, "expect", 6)) {
            now->says_expect = true;
            if (!is_word(value, "100-continue"))
                now->expects_other = true;
        }
        break;
    case 10:
        if (same(name, "connection", 10))
            take_connection(now, value);
        break;
    case 14:
        if (same(name, "content-length", 14))
            return take_content_length(now, value);
        break;
    case 17:
        if (same(name, "transfer-encoding", 17)) {
            if (now->has_encoding || !is_word(value, "chunked"))
                return ERR_BAD_HTTP;
            now->has_encoding = true;
        }
        break;
    default:
        break;
    }
    return ERR_NONE;
}

static enum err_kind finish_field(struct http_codec *c)
{
    struct request *now = &c->now;

    now->field_count++;
    if (now->in_trailers)
        return ERR_NONE; /* dropped: nobody may learn anything from them */
    while (c->text_length > now->field.value &&
           (c->text[c->text_length - 1] == ' ' || c->text[c->text_length - 1] == '\t'))
        c->text_length--;
    gather(c, "", 1);
    c->places[now->field_count - 1] = now->field;
    return take_field(c);
}

static enum err_kind check_head(struct http_codec *c)
{
    struct request *now = &c->now;
    char *authority, *path = path_of_target(c->text + now->target_at, &authority);

    if (now->head.minor >= 1 && !now->has_host)
        return ERR_BAD_HTTP;
    if (now->has_encoding && (now->has_length || now->head.minor == 0))
        return ERR_BAD_HTTP;
    if (authority) {
        size_t length = (size_t)(path - authority);

        if (!now->has_host || strlen(c->text + now->host_at) != length ||
            !same(authority, c->text + now->host_at, length))
            return ERR_BAD_HTTP;
    }
    if (now->expects_other)
        return ERR_EXPECTATION;
    return ERR_NONE;
}

/* From here on the text stays where it is, and offsets become pointers. */
static void fix_head(struct http_codec *c)
{
    struct request *now = &c->now;
    size_t path_at = c->text_length;
    char *authority, *path;
    const char *query;

    reserve(c, HTTP_REQUEST_LINE_MAX); /* before pointing into it */
    path = path_of_target(c->text + now->target_at, &authority);
    query = path + strcspn(path, "?");
    gather(c, path == query ? "/" : path, path == query ? 1 : (size_t)(query - path));
    gather(c, "", 1);

    now->head.method = c->text;
    now->head.target = c->text + now->target_at;
    now->head.path = c->text + path_at;
    now->head.query = *query == '?' ? query + 1 : query;
    for (size_t i = 0; i < now->field_count; i++) {
        c->headers[i].name = c->text + c->places[i].name;
        c->headers[i].value = c->text + c->places[i].value;
    }
    now->head.headers = c->headers;
    now->head.header_count = now->field_count;
    now->head.chunked = now->has_encoding;
    now->head.content_length = now->content_length;
    /* 1.0 has no 100 (RFC 9110 10.1.1), and without a body there is nothing to wait for. */
    now->head.expect_continue =
        now->says_expect && now->head.minor >= 1 && (now->has_encoding || now->content_length > 0);
    now->head.keep_alive = !now->says_close && (now->head.minor >= 1 || now->says_keep_alive);
    now->has_head = true;
}

static enum http_event finish_head(struct http_codec *c)
{
    enum err_kind kind = check_head(c);

    if (kind != ERR_NONE)
        return fail(c, kind);
    fix_head(c);
    if (c->now.head.chunked)
        c->state = CHUNK_SIZE;
    else
        c->state = c->now.content_length > 0 ? BODY : DONE;
    c->now.piece_left = c->now.head.chunked ? 0 : c->now.content_length;
    return HTTP_HEAD;
}

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

static void begin_request(struct http_codec *c)
{
    memset(&c->now, 0, sizeof c->now);
    c->text_length = 0;
    c->stale = false;
}

/* One step: reads at least one byte (there is one) and says how many, or fails. HTTP_MORE: on. */
static enum http_event step_line(struct http_codec *c, const char *bytes, size_t length,
                                 size_t *used)
{
    struct request *now = &c->now;
    size_t n;
    enum err_kind kind;

    *used = 1;
    switch (c->state) {
    case START:
        if (bytes[0] == '\r' && !c->blank_line) {
            c->state = START_LF; /* RFC 9112 2.2: some clients end a body with one too many */
            return HTTP_MORE;
        }
        c->state = METHOD;
        *used = 0;
        return HTTP_MORE;
    case START_LF:
        if (bytes[0] != '\n')
            return fail(c, ERR_BAD_HTTP);
        c->blank_line = true;
        c->state = START;
        return HTTP_MORE;
    case METHOD:
        n = run_of(T, bytes, length);
        if (n == 0 && c->text_length > 0 && bytes[0] == ' ') {
            gather(c, "", 1);
            now->line_bytes++;
            now->target_at = c->text_length;
            now->after_target = true;
            c->state = TARGET;
            return HTTP_MORE;
        }
        if (n == 0 || c->text_length + n > METHOD_MAX)
            return fail(c, ERR_BAD_HTTP);
        gather(c, bytes, n);
        now->line_bytes += n;
        *used = n;
        return HTTP_MORE;
    case TARGET:
        n = run_of(U, bytes, length);
        if (n == 0) {
            if (bytes[0] != ' ' || c->text_length == now->target_at)
                return fail(c, ERR_BAD_HTTP);
            gather(c, "", 1);
            now->line_bytes++;
            c->state = VERSION;
            return HTTP_MORE;
        }
        if (!count(&now->line_bytes, n, HTTP_REQUEST_LINE_MAX - 1 - sizeof now->version, used)) {
            gather(c, bytes, *used);
            return fail(c, ERR_URI_TOO_LONG);
        }
        gather(c, bytes, n);
        return HTTP_MORE;
    case VERSION:
        if (bytes[0] == '\r') {
            c->state = LINE_LF;
            return HTTP_MORE;
        }
        if (!version_byte_fits(now->version_length, bytes[0]))
            return fail(c, ERR_BAD_HTTP);
        now->version[now->version_length++] = bytes[0];
        return HTTP_MORE;
    default: /* LINE_LF */
        kind = bytes[0] == '\n' ? check_line(c) : ERR_BAD_HTTP;
        if (kind != ERR_NONE)
            return fail(c, kind);
        c->state = FIELD_START;
        return HTTP_MORE;
    }
}

static enum http_event step_fields(struct http_codec *c, const char *bytes, size_t length,
                                   size_t *used)
{
    struct request *now = &c->now;
    bool fits = true;
    size_t n = 1;
    enum err_kind kind;

    switch (c->state) {
    case FIELD_START:
        if (bytes[0] == '\r') {
            c->state = SECTION_LF;
            *used = 1;
            return HTTP_MORE;
        }
        if (!is(bytes[0], T))
            return fail(c, ERR_BAD_HTTP); /* folding, an empty name, a control byte */
        if (now->field_count == HTTP_FIELDS_MAX)
            return fail(c, ERR_HEADERS_TOO_LARGE);
        now->field.name = (uint32_t)c->text_length;
        c->state = NAME;
        *used = 0;
        return HTTP_MORE;
    case SECTION_LF:
        *used = 1;
        if (bytes[0] != '\n')
            return fail(c, ERR_BAD_HTTP);
        if (!now->in_trailers)
            return finish_head(c);
        c->state = DONE;
        return HTTP_MORE;
    case NAME:
        n = run_of(T, bytes, length);
        if (n == 0) {
            if (bytes[0] != ':')
                return fail(c, ERR_BAD_HTTP);
            fits = count(&now->section_bytes, 1, HTTP_HEADERS_MAX, used);
            c->state = VALUE_START;
            if (!now->in_trailers)
                gather(c, "", 1);
            now->field.value = (uint32_t)c->text_length;
            break;
        }
        fits = count(&now->section_bytes, n, HTTP_HEADERS_MAX, used);
        if (!now->in_trailers)
            gather(c, bytes, *used);
        break;
    case VALUE_START:
        if (bytes[0] != ' ' && bytes[0] != '\t') {
            c->state = VALUE;
            *used = 0;
            return HTTP_MORE;
        }
        fits = count(&now->section_bytes, 1, HTTP_HEADERS_MAX, used);
        break;
    case VALUE:
        n = run_of(V, bytes, length);
        if (n == 0) {
            if (bytes[0] != '\r')
                return fail(c, ERR_BAD_HTTP);
            fits = count(&now->section_bytes, 1, HTTP_HEADERS_MAX, used);
            c->state = VALUE_LF;
            break;
        }
        fits = count(&now->section_bytes, n, HTTP_HEADERS_MAX, used);
        if (!now->in_trailers)
            gather(c, bytes, *used);
        break;
    default: /* VALUE_LF */
        if (bytes[0] != '\n')
            return fail(c, ERR_BAD_HTTP);
        fits = count(&now->section_bytes, 1, HTTP_HEADERS_MAX, used);
        kind = fits ? finish_field(c) : ERR_NONE;
        if (kind != ERR_NONE)
            return fail(c, kind);
        c->state = FIELD_START;
        break;
    }
    return fits ? HTTP_MORE : fail(c, ERR_HEADERS_TOO_LARGE);
}

static enum http_event step_body(struct http_codec *c, const char *bytes, size_t length,
                                 size_t *used, struct http_piece *piece)
{
    struct request *now = &c->now;
    size_t n;

    if (now->content_length > now->body_max)
        return fail(c, ERR_TOO_LARGE);
    *used = 1;
    switch (c->state) {
    case CHUNK_SIZE:
        if (hex_digit(bytes[0]) >= 0) {
            if (now->digits++ == CHUNK_DIGITS_MAX)
                return fail(c, ERR_BAD_HTTP);
            now->piece_left = now->piece_left * 16 + (uint64_t)hex_digit(bytes[0]);
            return HTTP_MORE;
        }
        if (now->digits == 0 || (bytes[0] != '\r' && bytes[0] != ';'))
            return fail(c, ERR_BAD_HTTP);
        c->state = bytes[0] == ';' ? CHUNK_EXTENSION : CHUNK_SIZE_LF;
        return HTTP_MORE;
    case CHUNK_EXTENSION:
        n = run_of(V, bytes, length);
        if (n > 0)
            return count(&now->extension_bytes, n, HTTP_CHUNK_EXTENSIONS_MAX, used)
                       ? HTTP_MORE
                       : fail(c, ERR_TOO_LARGE);
        if (bytes[0] != '\r')
            return fail(c, ERR_BAD_HTTP);
        c->state = CHUNK_SIZE_LF;
        return HTTP_MORE;
    case CHUNK_SIZE_LF:
        if (bytes[0] != '\n')
            return fail(c, ERR_BAD_HTTP);
        if (now->piece_left > now->body_max - now->body_bytes)
            return fail(c, ERR_TOO_LARGE);
        now->digits = 0;
        now->in_trailers = now->piece_left == 0;
        c->state = now->in_trailers ? FIELD_START : CHUNK_DATA;
        return HTTP_MORE;
    case CHUNK_CR:
        c->state = CHUNK_LF;
        return bytes[0] == '\r' ? HTTP_MORE : fail(c, ERR_BAD_HTTP);
    case CHUNK_LF:
        c->state = CHUNK_SIZE;
        return bytes[0] == '\n' ? HTTP_MORE : fail(c, ERR_BAD_HTTP);
    default: /* BODY, CHUNK_DATA */
        *used = now->piece_left < length ? (size_t)now->piece_left : length;
        *piece = (struct http_piece){bytes, *used};
        now->piece_left -= *used;
        now->body_bytes += *used;
        if (now->piece_left == 0)
            c->state = c->state == BODY ? DONE : CHUNK_CR;
        return HTTP_BODY;
    }
}

enum http_event http_codec_feed(struct http_codec *c, const char *bytes, size_t length,
                                size_t *ret_used, struct http_piece *ret_piece)
{
    size_t at = 0;
    enum http_event event = HTTP_MORE;

    *ret_used = 0;
    if (c->state == FAILED)
        return HTTP_ERROR;
    if (c->stale && length > 0)
        begin_request(c);
    while (event == HTTP_MORE && c->state != DONE && at < length) {
        size_t used = 0;

        if (c->state <= LINE_LF)
            event = step_line(c, bytes + at, length - at, &used);
        else if (c->state <= SECTION_LF)
            event = step_fields(c, bytes + at, length - at, &used);
        else
            event = step_body(c, bytes + at, length - at, &used, ret_piece);
        at += used;
    }
    *ret_used = at;
    if (event == HTTP_MORE && c->state == DONE) {
        c->state = START;
        c->stale = true;
        c->blank_line = false;
        return HTTP_END;
    }
    return event;
}

bool http_codec_limit_body(struct http_codec *c, uint64_t max)
{
    assert(c->now.has_head);
    c->now.body_max = max;
    if (c->now.content_length > max)
        fail(c, ERR_TOO_LARGE);
    return c->state != FAILED;
}

const struct http_head *http_codec_head(const struct http_codec *c)
{
    return &c->now.head;
}

const struct http_head *http_codec_copy_head(const struct http_codec *c, struct arena *a)
{
    return http_head_copy(&c->now.head, c->text, c->text_length, a);
}

enum err_kind http_codec_error(const struct http_codec *c)
{
    return c->error;
}

bool http_codec_is_idle(const struct http_codec *c)
{
    return c->state == START || c->state == START_LF;
}

bool http_codec_in_body(const struct http_codec *c)
{
    return c->now.has_head && !c->stale;
}

const char *http_codec_path_so_far(struct http_codec *c)
{
    char *authority, *path;

    if (c->now.has_head)
        return c->now.head.path;
    if (!c->now.after_target)
        return NULL;
    gather(c, "", 1);
    path = path_of_target(c->text + c->now.target_at, &authority);
    if (path)
        path[strcspn(path, "?")] = '\0';
    return path;
}

void http_codec_trim(struct http_codec *c)
{
    assert(http_codec_is_idle(c));
    if (c->text_capacity <= KEEP_BYTES)
        return;
    free(c->text);
    c->text = NULL;
    c->text_capacity = 0;
    begin_request(c);
}

struct http_codec *http_codec_new(void)
{
    struct http_codec *c = calloc(1, sizeof *c);

    assert(c);
    return c;
}

void http_codec_free(struct http_codec *c)
{
    if (!c)
        return;
    free(c->text);
    free(c);
}
