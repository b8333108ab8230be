/* SPDX-License-Identifier: BSD-3-Clause */
/* option_table -- the options that all client programs have. */
#include "client/address.h"
#include "client/options.h"

static enum err set_port(void *ctx, const char *argument, struct diag *diag) {
    struct client_options *options = ctx;
    int64_t port = 0;
    enum err err = client_parse_i64(argument, 1, UINT16_MAX, &port, diag);
    if (err == ERR_NONE) options->port = (uint16_t)port;
    return err;
}

static enum err set_password(void *ctx, const char *argument, struct diag *diag) {
    struct client_options *options = ctx;
    (void)diag;
    client_option_set_text(&options->password, argument);
    options->password_on_command_line = true;
    return ERR_NONE;
}

static enum err set_ask_password(void *ctx, const char *argument, struct diag *diag) {
    struct client_options *options = ctx;
    (void)argument, (void)diag;
    options->ask_password = true;
    return ERR_NONE;
}

static enum err set_uri(void *ctx, const char *argument, struct diag *diag) {
    return client_parse_uri(argument, ctx, diag);
}

static enum err set_resp2(void *ctx, const char *argument, struct diag *diag) {
    struct client_options *options = ctx;
    (void)argument;
    if (options->resp == 3) return diag_set(diag, ERR_SYNTAX, "-2 and -3 exclude each other");
    options->resp = 2;
    return ERR_NONE;
}

static enum err set_resp3(void *ctx, const char *argument, struct diag *diag) {
    struct client_options *options = ctx;
    (void)argument;
    if (options->resp == 2) return diag_set(diag, ERR_SYNTAX, "-2 and -3 exclude each other");
    options->resp = 3;
    return ERR_NONE;
}

static enum err set_v4(void *ctx, const char *argument, struct diag *diag) {
    struct client_options *options = ctx;
    (void)argument, (void)diag;
    options->family = CLIENT_FAMILY_V4;
    return ERR_NONE;
}

static enum err set_v6(void *ctx, const char *argument, struct diag *diag) {
    struct client_options *options = ctx;
    (void)argument, (void)diag;
    options->family = CLIENT_FAMILY_V6;
    return ERR_NONE;
}

static enum err set_mptcp(void *ctx, const char *argument, struct diag *diag) {
    struct client_options *options = ctx;
    (void)argument, (void)diag;
    options->mptcp = true;
    return ERR_NONE;
}

static enum err refuse_rdma(void *ctx, const char *argument, struct diag *diag) {
    (void)ctx, (void)argument;
    return diag_set(diag, ERR_UNSUPPORTED,
                    "this build has no RDMA; TCP and Unix sockets are what there is");
}

/* ---- TLS ---- */

static enum err set_tls(void *ctx, const char *argument, struct diag *diag) {
    struct client_options *options = ctx;
    (void)argument;
#ifndef BUILD_TLS
    return diag_set(diag, ERR_UNSUPPORTED, "this build has no TLS (make BUILD_TLS=yes adds it)");
#endif
    (void)diag;
    options->tls.enabled = true;
    return ERR_NONE;
}

static enum err set_insecure(void *ctx, const char *argument, struct diag *diag) {
    struct client_options *options = ctx;
    (void)argument, (void)diag;
    options->tls.insecure = true;
    return ERR_NONE;
}

const struct client_option client_option_rows[] = {
    {.name = "-h",
     .argument = "host",
     .text = CLIENT_OPTION_TEXT(struct client_options, host),
     .help = "Name or address of the server (127.0.0.1)."},
    {.name = "-p", .argument = "port", .apply = set_port, .help = "Port of the server (6379)."},
    {.name = "-s",
     .argument = "socket",
     .text = CLIENT_OPTION_TEXT(struct client_options, socket_path),
     .help = "Path of the server's Unix socket; host and port do not matter then."},
    {.name = "-a",
     .alias = "--pass",
     .argument = "password",
     .apply = set_password,
     .help = "Password. The environment variable VALKEYCLI_AUTH (or REDISCLI_AUTH) takes one too, "
             "and other users of the machine do not see it there."},
    {.name = "--user",
     .argument = "name",
     .text = CLIENT_OPTION_TEXT(struct client_options, user),
     .help = "User whose password it is; without it the default user."},
    {.name = "--askpass",
     .apply = set_ask_password,
     .programs = CLIENT_CLI,
     .help = "Ask for the password, without showing it; -a and the environment do not count then."},
    {.name = "-u",
     .argument = "uri",
     .apply = set_uri,
     .help = "All at once: valkey://[user][:password]@host[:port][/db]. The scheme valkeys means "
             "TLS; redis and rediss are understood too."},
    {.name = "-2", .apply = set_resp2, .programs = CLIENT_CLI, .help = "Speak RESP2."},
    {.name = "-3", .apply = set_resp3, .help = "Speak RESP3."},
    {.name = "-4",
     .apply = set_v4,
     .programs = CLIENT_CLI,
     .help = "Try IPv4 addresses of a name first."},
    {.name = "-6",
     .apply = set_v6,
     .programs = CLIENT_CLI,
     .help = "Try IPv6 addresses of a name first."},
    {.name = "--mptcp",
     .apply = set_mptcp,
     .help = "Connect with Multipath TCP, if the kernel has it."},
    {.name = "--rdma", .apply = refuse_rdma, .help = "Connect over RDMA: not in this build."},
    {.name = "--tls", .apply = set_tls, .help = "Encrypt the connection."},
    {.name = "--sni",
     .argument = "host",
     .text = CLIENT_OPTION_TEXT(struct client_options, tls.sni),
     .help = "Host name to ask for in the TLS handshake."},
    {.name = "--cacert",
     .argument = "file",
     .text = CLIENT_OPTION_TEXT(struct client_options, tls.cacert),
     .help = "Certificates of the authorities to trust; without this and --cacertdir the "
             "system's."},
    {.name = "--cacertdir",
     .argument = "folder",
     .text = CLIENT_OPTION_TEXT(struct client_options, tls.cacertdir),
     .help = "Folder with such certificates."},
    {.name = "--insecure",
     .apply = set_insecure,
     .help = "Accept any certificate: encrypted, but with whom is not known."},
    {.name = "--cert",
     .argument = "file",
     .text = CLIENT_OPTION_TEXT(struct client_options, tls.cert),
     .help = "Our own certificate."},
    {.name = "--key",
     .argument = "file",
     .text = CLIENT_OPTION_TEXT(struct client_options, tls.key),
     .help = "Its private key."},
    {.name = "--tls-ciphers",
     .argument = "list",
     .text = CLIENT_OPTION_TEXT(struct client_options, tls.ciphers),
     .help = "Ciphers for TLS 1.2 and older, as openssl names them."},
    {.name = "--tls-ciphersuites",
     .argument = "list",
     .text = CLIENT_OPTION_TEXT(struct client_options, tls.ciphersuites),
     .help = "Cipher suites for TLS 1.3."},
    {0},
};
