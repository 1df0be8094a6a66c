/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets: their life in memory, reading them from files, and sealing them for the database.
 */
#include "base/secret.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"

enum { MAX_FILE = 64 * 1024, NONCE = 12, TAG = 16 };

static const char seal_prefix[] = "v1.";

struct secret secret_from(const char *text, size_t length)
{
    char *bytes = malloc(length + 1);

    if (!bytes) {
        fprintf(stderr, "secret: out of memory\n");
        abort();
    }
    memcpy(bytes, text, length);
    bytes[length] = '\0';
    return (struct secret){bytes, length};
}

const char *secret_reveal(struct secret s)
{
    return s.bytes_;
}

size_t secret_length(struct secret s)
{
    return s.length_;
}

void secret_wipe(struct secret *s)
{
    if (s->bytes_) {
        OPENSSL_cleanse(s->bytes_, s->length_);
        free(s->bytes_);
    }
    *s = (struct secret){0};
}

/* ---- files ---- */

/* At most `size` bytes; -1 and errno when it cannot be read. */
static ssize_t read_bytes(const char *path, char *buffer, size_t size, mode_t *ret_mode)
{
    struct stat st;
    size_t length = 0;
    ssize_t n;

    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    do {
        n = read(fd, buffer + length, size - length);
        length += n > 0 ? (size_t)n : 0;
    } while ((n > 0 && length < size) || (n < 0 && errno == EINTR));
    int problem = errno;
    *ret_mode = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? st.st_mode : 0;
    close(fd);
    errno = problem;
    return n < 0 ? -1 : (ssize_t)length;
}

struct err secret_read_file(struct arena *a, const char *path, struct secret *ret)
{
    char buffer[MAX_FILE];
    mode_t mode;
    ssize_t length = read_bytes(path, buffer, sizeof(buffer), &mode);

    if (length < 0)
        return err_at(a, ERR_BAD_FIELD, NULL, "%s: %s", path, strerror(errno));
    const char *end = memchr(buffer, '\n', (size_t)length);
    size_t line = end ? (size_t)(end - buffer) : (size_t)length;
    if (line && buffer[line - 1] == '\r')
        line--;

    struct err e = OK;
    if (!line)
        e = err_at(a, ERR_BAD_FIELD, NULL, "%s: the first line is empty", path);
    else if (!end && (size_t)length == sizeof(buffer))
        e = err_at(a, ERR_BAD_FIELD, NULL, "%s: the first line is too long", path);
    else if (memchr(buffer, '\0', line))
        e = err_at(a, ERR_BAD_FIELD, NULL, "%s: the first line contains a NUL byte", path);
    else
        *ret = secret_from(buffer, line);
    OPENSSL_cleanse(buffer, (size_t)length);
    if (failed(e))
        return e;
    if (mode & 077)
        log_line(LOG_WARN, "a secret file can be read by others than its owner",
                 LOG_TEXT("file", path));
    return OK;
}

/* ---- sealing ---- */

static void must(int ok)
{
    if (ok != 1) {
        fprintf(stderr, "secret: the cipher does not work\n");
        abort();
    }
}

static EVP_CIPHER_CTX *cipher_new(void)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();

    must(cipher != NULL);
    return cipher;
}

static int length_of(const char *s)
{
    size_t length = strlen(s);

    assert(length < INT32_MAX / 2);
    return (int)length;
}

char *secret_seal(struct arena *a, const unsigned char key[32], const char *bound_to,
                  const char *plain)
{
    int length = length_of(plain), n;
    size_t total = NONCE + (size_t)length + TAG;
    unsigned char *sealed = arena_alloc(a, total);
    EVP_CIPHER_CTX *cipher = cipher_new();

    id_random(sealed, NONCE);
    must(EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, sealed));
    must(EVP_EncryptUpdate(cipher, NULL, &n, (const unsigned char *)bound_to, length_of(bound_to)));
    must(EVP_EncryptUpdate(cipher, sealed + NONCE, &n, (const unsigned char *)plain, length));
    must(EVP_EncryptFinal_ex(cipher, sealed + NONCE + length, &n));
    must(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG, sealed + NONCE + length));
    EVP_CIPHER_CTX_free(cipher);
    return arena_printf(a, "%s%s", seal_prefix, text_base64(a, sealed, total));
}

char *secret_open(struct arena *a, const unsigned char key[32], const char *bound_to,
                  const char *sealed)
{
    size_t total;
    int n;

    if (strncmp(sealed, seal_prefix, sizeof(seal_prefix) - 1) != 0)
        return NULL;
    char *bytes = text_base64_decode(a, sealed + sizeof(seal_prefix) - 1, &total);
    if (!bytes || total < NONCE + TAG || total > INT32_MAX / 2)
        return NULL;

    const unsigned char *nonce = (const unsigned char *)bytes;
    int length = (int)(total - NONCE - TAG);
    char *plain = arena_alloc(a, (size_t)length + 1);
    EVP_CIPHER_CTX *cipher = cipher_new();
    must(EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce));
    must(EVP_DecryptUpdate(cipher, NULL, &n, (const unsigned char *)bound_to, length_of(bound_to)));
    must(EVP_DecryptUpdate(cipher, (unsigned char *)plain, &n, nonce + NONCE, length));
    must(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG, bytes + NONCE + length));
    bool intact = EVP_DecryptFinal_ex(cipher, (unsigned char *)plain + length, &n) == 1;
    EVP_CIPHER_CTX_free(cipher);
    if (!intact) {
        OPENSSL_cleanse(plain, (size_t)length);
        return NULL;
    }
    plain[length] = '\0';
    return plain;
}
