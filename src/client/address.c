/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/address.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/num.h"

#include <netdb.h>
#include <sys/un.h>

/* ---- URIs ---- */

/* Text with its %XX resolved, NUL-terminated, the caller's; NULL if a %XX is none or is NUL. */
static char *unescape(struct bytes text) {
    struct buf out = {0};
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != '%') {
            buf_add_char(&out, text.data[i]);
            continue;
        }
        int high = i + 2 < text.size ? char_hex_digit(text.data[i + 1]) : -1;
        int low = high >= 0 ? char_hex_digit(text.data[i + 2]) : -1;
        if (low < 0 || high * 16 + low == 0) {
            buf_deinit(&out);
            return NULL;
        }
        buf_add_char(&out, (char)(high * 16 + low));
        i += 2;
    }
    return buf_take(&out);
}

struct uri {
    bool tls;
    struct bytes user, password, host, port, db; /* data NULL: not there */
};

static bool split_scheme(struct bytes *text, bool *tls) {
    static const struct {
        struct bytes text;
        bool tls;
    } schemes[] = {{BYTES("valkey://"), false},
                   {BYTES("redis://"), false},
                   {BYTES("valkeys://"), true},
                   {BYTES("rediss://"), true}};
    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        if (!bytes_starts_with(*text, schemes[i].text)) continue;
        *text = bytes_from(*text, schemes[i].text.size);
        *tls = schemes[i].tls;
        return true;
    }
    return false;
}

/* What is before the last '@' of the authority, if there is one. */
static void split_user(struct bytes *authority, struct uri *out) {
    size_t at = authority->size;
    while (at > 0 && authority->data[at - 1] != '@') {
        at--;
    }
    if (at == 0) return;
    struct bytes who = bytes_make(authority->data, at - 1);
    *authority = bytes_from(*authority, at);
    size_t colon = bytes_find_byte(who, ':');
    if (colon < who.size) {
        out->user = bytes_make(who.data, colon);
        out->password = bytes_from(who, colon + 1);
    } else {
        out->password = who; /* one word is the password */
    }
}

static bool split_host(struct bytes authority, struct uri *out) {
    size_t colon;
    if (authority.size > 0 && authority.data[0] == '[') {
        size_t end = bytes_find_byte(authority, ']');
        if (end == authority.size) return false;
        out->host = bytes_make(authority.data + 1, end - 1);
        authority = bytes_from(authority, end + 1);
        if (authority.size > 0 && authority.data[0] != ':') return false;
        colon = 0;
    } else {
        colon = bytes_find_byte(authority, ':');
        out->host = bytes_make(authority.data, colon);
    }
    if (colon < authority.size) out->port = bytes_from(authority, colon + 1);
    return true;
}

static bool split_uri(struct bytes text, struct uri *out) {
    if (!split_scheme(&text, &out->tls)) return false;
    size_t slash = bytes_find_byte(text, '/');
    struct bytes authority = bytes_make(text.data, slash);
    if (slash < text.size) out->db = bytes_from(text, slash + 1);
    split_user(&authority, out);
    if (!split_host(authority, out)) return false;
    size_t query = bytes_find_byte(out->db, '?');
    if (out->db.data) out->db.size = query;
    return true;
}

/* Sets *field unless the part is not there or empty. */
static bool set_part(char **field, struct bytes part) {
    if (part.size == 0) return true;
    char *text = unescape(part);
    if (!text) return false;
    mem_free(*field);
    *field = text;
    return true;
}

enum err client_parse_uri(const char *uri, struct client_options *options, struct diag *diag) {
    struct uri parts = {0};
    uint64_t port = 0;
    int64_t db = 0;
    if (!split_uri(bytes_of(uri), &parts)) {
        return diag_set(diag, ERR_SYNTAX,
                        "not of the form valkey://[user][:password]@host[:port][/db]");
    }
    if (parts.port.size > 0 &&
        (!num_parse_u64(parts.port, &port) || port == 0 || port > UINT16_MAX)) {
        return diag_set(diag, ERR_SYNTAX, "the port is no number from 1 to 65535");
    }
    if (parts.db.size > 0 && (!num_parse_i64(parts.db, &db) || db < 0 || db > INT32_MAX)) {
        return diag_set(diag, ERR_SYNTAX, "the database is no number");
    }
#ifndef BUILD_TLS
    if (parts.tls) {
        return diag_set(diag, ERR_UNSUPPORTED,
                        "this build has no TLS (make BUILD_TLS=yes adds it)");
    }
#endif
    struct client_options changed;
    client_options_copy(&changed, options);
    if (!set_part(&changed.user, parts.user) || !set_part(&changed.password, parts.password) ||
        !set_part(&changed.host, parts.host)) {
        client_options_deinit(&changed);
        return diag_set(diag, ERR_SYNTAX, "a %% is not followed by two hexadecimal digits");
    }
    if (port) changed.port = (uint16_t)port;
    if (parts.db.size > 0) changed.db = db;
    if (parts.tls) changed.tls.enabled = true;
    if (parts.password.size > 0) changed.password_on_command_line = true;
    client_options_deinit(options);
    *options = changed;
    return ERR_NONE;
}

/* ---- addresses ---- */

static enum err resolve_unix(const char *path, struct client_target *target, struct diag *diag) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = strlen(path);
    if (size >= sizeof(address.sun_path)) {
        return diag_set(diag, ERR_RANGE, "the path of the socket is longer than %zu bytes",
                        sizeof(address.sun_path) - 1);
    }
    memcpy(address.sun_path, path, size);
    memcpy(&target->address, &address, sizeof(address));
    target->size = sizeof(address);
    return ERR_NONE;
}

/* Adds the addresses of a family (or of all but it) in the order of the list. */
static size_t take_family(const struct addrinfo *list, int family, bool others,
                          struct client_target *targets, size_t count) {
    for (; list && count < CLIENT_TARGETS_MAX; list = list->ai_next) {
        if ((list->ai_family == family) == others) continue;
        if (list->ai_addrlen > sizeof(targets[count].address)) continue;
        memcpy(&targets[count].address, list->ai_addr, list->ai_addrlen);
        targets[count].size = list->ai_addrlen;
        count++;
    }
    return count;
}

enum err client_resolve(const struct client_options *options,
                        struct client_target targets[CLIENT_TARGETS_MAX], size_t *count,
                        struct diag *diag) {
    if (options->socket_path) {
        enum err err = resolve_unix(options->socket_path, &targets[0], diag);
        if (err == ERR_NONE) *count = 1;
        return err;
    }
    char port[NUM_I64_TEXT_MAX + 1];
    port[num_format_u64(port, options->port)] = '\0';
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    int failure = getaddrinfo(options->host, port, &hints, &list);
    if (failure != 0) {
        return diag_set(
            diag, ERR_NOT_FOUND, "%.200s",
            failure == EAI_SYSTEM ? "the name cannot be looked up" : gai_strerror(failure));
    }
    int family = options->family == CLIENT_FAMILY_V4   ? AF_INET
                 : options->family == CLIENT_FAMILY_V6 ? AF_INET6
                                                       : list->ai_family;
    size_t found = take_family(list, family, false, targets, 0);
    found = take_family(list, family, true, targets, found);
    freeaddrinfo(list);
    if (found == 0) return diag_set(diag, ERR_NOT_FOUND, "the name has no address");
    *count = found;
    return ERR_NONE;
}

void client_describe(const struct client_options *options, struct buf *out) {
    if (options->socket_path) {
        buf_add_text(out, options->socket_path);
    } else if (strchr(options->host, ':')) {
        buf_addf(out, "[%s]:%u", options->host, options->port);
    } else {
        buf_addf(out, "%s:%u", options->host, options->port);
    }
}
