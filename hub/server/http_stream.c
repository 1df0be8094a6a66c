/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP stream: recv and sendmsg, or OpenSSL on the same socket.
 */
#include "hub/server/http_stream.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct err http_tls_new(const char *certificate_file, const char *key_file, struct ssl_ctx_st **ret)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    const char *why = NULL;

    if (!tls)
        return (struct err){ERR_INTERNAL, "TLS cannot be set up", 0};
    SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    /* Partial and moving: what could not be sent is copied and tried again from the copy. */
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(tls, 1);
    if (!SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) ||
        !SSL_CTX_set_cipher_list(tls, "ECDHE+AESGCM:ECDHE+CHACHA20"))
        why = "TLS cannot be set up";
    else if (!certificate_file || SSL_CTX_use_certificate_chain_file(tls, certificate_file) != 1)
        why = "the TLS certificate cannot be read";
    else if (!key_file || SSL_CTX_use_PrivateKey_file(tls, key_file, SSL_FILETYPE_PEM) != 1)
        why = "the TLS key cannot be read or is not the certificate's";
    else if (SSL_CTX_check_private_key(tls) != 1)
        why = "the TLS key is not the certificate's";
    ERR_clear_error();
    if (why) {
        SSL_CTX_free(tls);
        return (struct err){ERR_INTERNAL, why, 0};
    }
    *ret = tls;
    return OK;
}

void http_tls_free(struct ssl_ctx_st *tls)
{
    SSL_CTX_free(tls);
}

bool http_stream_init(struct http_stream *s, int fd, struct ssl_ctx_st *tls)
{
    *s = (struct http_stream){.fd = fd};
    if (!tls)
        return true;
    s->ssl = SSL_new(tls);
    if (!s->ssl || SSL_set_fd(s->ssl, fd) != 1) {
        http_stream_close(s);
        return false;
    }
    SSL_set_accept_state(s->ssl);
    return true;
}

static ssize_t word_of_errno(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? STREAM_AGAIN : STREAM_FAILED;
}

static ssize_t word_of_ssl(struct http_stream *s, int result)
{
    switch (SSL_get_error(s->ssl, result)) {
    case SSL_ERROR_WANT_WRITE:
    case SSL_ERROR_WANT_READ:
        return STREAM_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return STREAM_END;
    default:
        ERR_clear_error();
        return STREAM_FAILED;
    }
}

static int int_size(size_t size)
{
    return size > STREAM_RECORD * 4 ? STREAM_RECORD * 4 : (int)size;
}

ssize_t http_stream_read(struct http_stream *s, void *buffer, size_t size)
{
    ssize_t n;

    if (s->ssl) {
        int result;

        ERR_clear_error();
        result = SSL_read(s->ssl, buffer, int_size(size));
        s->read_needs_write = result <= 0 && SSL_want_write(s->ssl);
        return result > 0 ? result : word_of_ssl(s, result);
    }
    n = recv(s->fd, buffer, size, 0);
    if (n > 0)
        return n;
    return n == 0 ? STREAM_END : word_of_errno();
}

/* One record for what fits one: a head and a body apart would be two packets. */
static ssize_t write_record(struct http_stream *s, const struct iovec *pieces, int count,
                            char *record)
{
    size_t length = 0;
    int result;

    for (int i = 0; i < count && length < STREAM_RECORD; i++) {
        size_t n = pieces[i].iov_len;

        if (n > STREAM_RECORD - length)
            n = STREAM_RECORD - length;
        if (n > 0)
            memcpy(record + length, pieces[i].iov_base, n);
        length += n;
    }
    ERR_clear_error();
    result = SSL_write(s->ssl, record, (int)length);
    return result > 0 ? result : word_of_ssl(s, result);
}

ssize_t http_stream_write(struct http_stream *s, const struct iovec *pieces, int count,
                          char *record)
{
    struct msghdr message = {0};
    struct iovec copy[4];
    ssize_t n;

    if (s->ssl)
        return write_record(s, pieces, count, record);
    assert(count <= 4);
    memcpy(copy, pieces, (size_t)count * sizeof *copy);
    message.msg_iov = copy;
    message.msg_iovlen = (size_t)count;
    n = sendmsg(s->fd, &message, MSG_NOSIGNAL);
    return n >= 0 ? n : word_of_errno();
}

bool http_stream_holds_back(const struct http_stream *s)
{
    return s->ssl && SSL_has_pending(s->ssl);
}

void http_stream_finish(struct http_stream *s)
{
    if (s->ssl) {
        ERR_clear_error();
        SSL_shutdown(s->ssl);
        ERR_clear_error();
    }
    shutdown(s->fd, SHUT_WR);
}

ssize_t http_stream_discard(struct http_stream *s, void *buffer, size_t size)
{
    ssize_t n = recv(s->fd, buffer, size, 0);

    if (n > 0)
        return n;
    return n == 0 ? STREAM_END : word_of_errno();
}

void http_stream_close(struct http_stream *s)
{
    if (s->ssl)
        SSL_free(s->ssl);
    s->ssl = NULL;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}
