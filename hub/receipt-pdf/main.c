/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receipt-pdf: draws receipts for the hub, in a process of its own, because drawing takes
 * milliseconds and the libraries for it are large. It speaks pdf_frame.h over stdin and stdout,
 * which are one socket, and knows nothing but what it is asked.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "hub/finance/pdf_frame.h"
#include "hub/finance/receipt_view.h"
#include "hub/receipt-pdf/page.h"
#include "hub/receipt-pdf/sheet.h"

enum {
    ARENA_MAX = 64 * 1024 * 1024,
    MEMORY_MAX = 1024 * 1024 * 1024, /* of addresses: fonts are mapped */
};

/* AddressSanitizer maps terabytes. */
#if defined(__SANITIZE_ADDRESS__)
#define LIMITS_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIMITS_MEMORY 0
#endif
#endif
#ifndef LIMITS_MEMORY
#define LIMITS_MEMORY 1
#endif

/* ---- the socket ---- */

/* False at the end of the stream. */
static bool read_whole(void *to, size_t length)
{
    char *at = to;

    while (length) {
        ssize_t n = read(STDIN_FILENO, at, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        length -= (size_t)n;
    }
    return true;
}

static bool write_whole(const void *from, size_t length)
{
    const char *at = from;

    while (length) {
        ssize_t n = write(STDOUT_FILENO, at, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        length -= (size_t)n;
    }
    return true;
}

static bool answer(char kind, const void *bytes, size_t length)
{
    size_t whole = length + 1;
    unsigned char head[PDF_HEAD + 1] = {(unsigned char)(whole >> 24), (unsigned char)(whole >> 16),
                                        (unsigned char)(whole >> 8), (unsigned char)whole,
                                        (unsigned char)kind};

    return write_whole(head, sizeof head) && write_whole(bytes, length);
}

/* ---- a question ---- */

static const char *draw(struct arena *a, const char *question, size_t length,
                        const unsigned char **ret_bytes, size_t *ret_length)
{
    struct receipt_content content;
    struct receipt_document document = {.content = &content};
    struct receipt_view view;
    enum receipt_language language = RECEIPT_EN;
    char *content_text, created[TIME_TEXT];
    size_t content_length;
    json_t *root;

    struct err e = json_read(a, question, length, 0, &root);
    if (failed(e))
        return err_text(e);
    const char *word = json_text_of(root, "language"), *issued = json_text_of(root, "issued");
    for (int l = 0; l < RECEIPT_LANGUAGE_COUNT; l++)
        if (word && strcmp(word, receipt_languages[l]) == 0)
            language = (enum receipt_language)l;
    document.number = json_text_of(root, "number");
    if (!document.number || !issued || !time_parse(issued, TIME_RFC3339, &document.issued_us))
        return "a receipt has a number and an issue date";
    if (!json_object_of(root, "content"))
        return "the receipt has no content";
    content_text = json_text(a, json_object_of(root, "content"), &content_length);
    e = receipt_content_read(a, content_text, content_length, &content);
    if (failed(e))
        return err_text(e);
    receipt_view_make(a, &document, language, &view);
    return page_draw(a, &view, time_print_seconds(created, document.issued_us), PDF_ANSWER_MAX - 1,
                     ret_bytes, ret_length);
}

/* False: nobody is there any more. */
static bool serve_one(void)
{
    unsigned char head[PDF_HEAD];
    const unsigned char *bytes = NULL;
    size_t length, drawn = 0;

    if (!read_whole(head, sizeof head))
        return false;
    length = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    if (length > PDF_QUESTION_MAX)
        return false;
    struct arena *a = arena_new(ARENA_MAX);
    char *question = arena_alloc(a, length + 1);
    bool there = read_whole(question, length);
    if (there) {
        const char *wrong = draw(a, question, length, &bytes, &drawn);
        there = wrong ? answer(PDF_REFUSED, wrong, strlen(wrong)) : answer(PDF_DRAWN, bytes, drawn);
    }
    arena_free(a);
    return there;
}

/* What a mistake in here could cost is bounded; time is the hub's to watch. */
static void limit_ourselves(void)
{
    const struct rlimit memory = {MEMORY_MAX, MEMORY_MAX}, none = {0, 0};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 0);
    setrlimit(RLIMIT_CORE, &none);
    if (LIMITS_MEMORY)
        setrlimit(RLIMIT_AS, &memory);
}

int main(void)
{
    limit_ourselves();
    const char *wrong = sheet_fonts_open();
    if (wrong) {
        fprintf(stderr, "receipt-pdf: %s\n", wrong);
        return 1;
    }
    while (serve_one())
        ;
    _exit(0); /* what the libraries keep for next time goes with the process */
}
