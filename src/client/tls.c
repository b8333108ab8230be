/* SPDX-License-Identifier: BSD-3-Clause */
/* tls -- TLS sessions with OpenSSL, or the lack of them. */
#include "client/stream.h"
#include "client/tls_internal.h"

#include "base/check.h"
#include "base/mem.h"

#include <errno.h>
#include <poll.h>

#ifdef BUILD_TLS

#include <arpa/inet.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct client_tls {
    SSL_CTX *context;
    char *sni;
};

struct client_tls_session {
    SSL *ssl;
};

/* The oldest message of OpenSSL's queue, behind ours; the queue is empty afterwards. */
static enum err fail(struct diag *diag, enum err err, const char *what) {
    char text[256] = "";
    unsigned long code = ERR_get_error();
    if (code) {
        const char *reason = ERR_reason_error_string(code);
        if (reason) {
            diag_set(diag, err, "%s: %s", what, reason);
            ERR_clear_error();
            return err;
        }
        ERR_error_string_n(code, text, sizeof(text));
    }
    ERR_clear_error();
    return diag_set(diag, err, "%s%s%s", what, text[0] ? ": " : "", text);
}

static enum err load_authorities(SSL_CTX *context, const struct client_tls_options *options,
                                 struct diag *diag) {
    if (!options->cacert && !options->cacertdir) {
        if (SSL_CTX_set_default_verify_paths(context) == 1) return ERR_NONE;
        return fail(diag, ERR_IO, "the system's certificates cannot be loaded");
    }
    if (SSL_CTX_load_verify_locations(context, options->cacert, options->cacertdir) == 1) {
        return ERR_NONE;
    }
    return fail(diag, ERR_IO, "the certificates of --cacert or --cacertdir cannot be loaded");
}

static enum err load_own(SSL_CTX *context, const struct client_tls_options *options,
                         struct diag *diag) {
    if (!options->cert != !options->key) {
        return diag_set(diag, ERR_SYNTAX, "--cert and --key go together");
    }
    if (!options->cert) return ERR_NONE;
    if (SSL_CTX_use_certificate_chain_file(context, options->cert) != 1) {
        return fail(diag, ERR_IO, "the certificate of --cert cannot be loaded");
    }
    if (SSL_CTX_use_PrivateKey_file(context, options->key, SSL_FILETYPE_PEM) != 1) {
        return fail(diag, ERR_IO, "the private key of --key cannot be loaded");
    }
    return ERR_NONE;
}

static enum err set_up(SSL_CTX *context, const struct client_tls_options *options,
                       struct diag *diag) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
#ifdef SSL_OP_IGNORE_UNEXPECTED_EOF
    /* Replies say how long they are, so an end without goodbye cuts nothing off unnoticed. */
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
#endif
    SSL_CTX_set_verify(context, options->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    if (options->ciphers && SSL_CTX_set_cipher_list(context, options->ciphers) != 1) {
        return fail(diag, ERR_SYNTAX, "none of --tls-ciphers is known");
    }
    if (options->ciphersuites && SSL_CTX_set_ciphersuites(context, options->ciphersuites) != 1) {
        return fail(diag, ERR_SYNTAX, "--tls-ciphersuites is no list of cipher suites");
    }
    enum err err = options->insecure ? ERR_NONE : load_authorities(context, options, diag);
    if (err == ERR_NONE) err = load_own(context, options, diag);
    return err;
}

enum err client_tls_create(const struct client_tls_options *options, struct client_tls **out,
                           struct diag *diag) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context) return fail(diag, ERR_IO, "TLS cannot be set up");
    enum err err = set_up(context, options, diag);
    if (err != ERR_NONE) {
        SSL_CTX_free(context);
        return err;
    }
    struct client_tls *tls = mem_alloc(sizeof(*tls));
    *tls = (struct client_tls){.context = context, .sni = mem_strdup(options->sni)};
    *out = tls;
    return ERR_NONE;
}

void client_tls_destroy(struct client_tls **tls) {
    if (!*tls) return;
    SSL_CTX_free((*tls)->context);
    mem_free((*tls)->sni);
    mem_free(*tls);
    *tls = NULL;
}

enum err client__tls_start(struct client_tls *tls, int fd, struct client_tls_session **out,
                           struct diag *diag) {
    SSL *ssl = SSL_new(tls->context);
    if (!ssl || SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        return fail(diag, ERR_IO, "TLS cannot be set up");
    }
    if (tls->sni && SSL_set_tlsext_host_name(ssl, tls->sni) != 1) {
        SSL_free(ssl);
        return fail(diag, ERR_SYNTAX, "--sni is no host name");
    }
    SSL_set_connect_state(ssl);
    *out = mem_alloc(sizeof(**out));
    (*out)->ssl = ssl;
    return ERR_NONE;
}

void client__tls_end(struct client_tls_session **session) {
    if (!*session) return;
    ERR_clear_error();
    if (SSL_is_init_finished((*session)->ssl)) (void)SSL_shutdown((*session)->ssl);
    ERR_clear_error();
    SSL_free((*session)->ssl);
    mem_free(*session);
    *session = NULL;
}

/* What a call that returned n means; done is 1 or more. */
static enum err outcome(struct client_tls_session *session, int n, short *events,
                        struct diag *diag) {
    int system_error = errno;
    switch (SSL_get_error(session->ssl, n)) {
    case SSL_ERROR_NONE: return ERR_NONE;
    case SSL_ERROR_WANT_READ: *events = POLLIN; return ERR_AGAIN;
    case SSL_ERROR_WANT_WRITE: *events = POLLOUT; return ERR_AGAIN;
    case SSL_ERROR_ZERO_RETURN: return diag_set(diag, ERR_CLOSED, "Server closed the connection");
    case SSL_ERROR_SYSCALL:
        ERR_clear_error();
        errno = system_error ? system_error : ECONNRESET;
        return diag_errno(diag, ERR_CLOSED, "the connection is gone");
    }
    long verified = SSL_get_verify_result(session->ssl);
    if (verified != X509_V_OK && !SSL_is_init_finished(session->ssl)) {
        ERR_clear_error();
        return diag_set(diag, ERR_DENIED, "the server's certificate is not trusted: %s",
                        X509_verify_cert_error_string(verified));
    }
    return fail(diag, ERR_IO, "TLS");
}

enum err client__tls_handshake(struct client_tls_session *session, short *events,
                               struct diag *diag) {
    ERR_clear_error();
    errno = 0;
    int n = SSL_connect(session->ssl);
    return outcome(session, n, events, diag);
}

enum err client__tls_read(struct client_tls_session *session, struct bytes room, size_t *got,
                          short *events, struct diag *diag) {
    ERR_clear_error();
    errno = 0;
    int n = SSL_read(session->ssl, (char *)room.data, (int)size_min(room.size, INT_MAX));
    if (n > 0) *got = (size_t)n;
    return outcome(session, n, events, diag);
}

enum err client__tls_write(struct client_tls_session *session, struct bytes data, size_t *sent,
                           short *events, struct diag *diag) {
    ERR_clear_error();
    errno = 0;
    int n = SSL_write(session->ssl, data.data, (int)size_min(data.size, INT_MAX));
    if (n > 0) *sent = (size_t)n;
    return outcome(session, n, events, diag);
}

bool client__tls_has_pending(const struct client_tls_session *session) {
    return SSL_pending(session->ssl) > 0;
}

#else

enum err client_tls_create(const struct client_tls_options *options, struct client_tls **out,
                           struct diag *diag) {
    (void)options, (void)out;
    return diag_set(diag, ERR_UNSUPPORTED, "this build has no TLS (make BUILD_TLS=yes adds it)");
}

void client_tls_destroy(struct client_tls **tls) { *tls = NULL; }

enum err client__tls_start(struct client_tls *tls, int fd, struct client_tls_session **out,
                           struct diag *diag) {
    (void)tls, (void)fd, (void)out;
    return diag_set(diag, ERR_UNSUPPORTED, "this build has no TLS");
}

void client__tls_end(struct client_tls_session **session) { check(!*session); }

enum err client__tls_handshake(struct client_tls_session *session, short *events,
                               struct diag *diag) {
    (void)session, (void)events;
    return diag_set(diag, ERR_UNSUPPORTED, "this build has no TLS");
}

enum err client__tls_read(struct client_tls_session *session, struct bytes room, size_t *got,
                          short *events, struct diag *diag) {
    (void)session, (void)room, (void)got, (void)events;
    return diag_set(diag, ERR_UNSUPPORTED, "this build has no TLS");
}

enum err client__tls_write(struct client_tls_session *session, struct bytes data, size_t *sent,
                           short *events, struct diag *diag) {
    (void)session, (void)data, (void)sent, (void)events;
    return diag_set(diag, ERR_UNSUPPORTED, "this build has no TLS");
}

bool client__tls_has_pending(const struct client_tls_session *session) {
    (void)session;
    return false;
}

#endif
