/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/address.h"

#include "base/buf.h"
#include "base/mem.h"
#include "tests/unit/test.h"

/* "user password host port db tls" of a URI, or "refused". */
static void expect_uri(const char *uri, const char *expected) {
    struct client_options options;
    struct diag diag = {0};
    struct buf text = {0};
    client_options_init(&options);
    if (client_parse_uri(uri, &options, &diag) == ERR_NONE) {
        buf_addf(&text, "%s %s %s %u %lld%s", options.user ? options.user : "-",
                 options.password ? options.password : "-", options.host, options.port,
                 (long long)options.db, options.tls.enabled ? " tls" : "");
    } else {
        expect_true(diag.text[0] != '\0');
        buf_add_text(&text, "refused");
    }
    expect_str_eq(text.data, expected);
    buf_deinit(&text);
    client_options_deinit(&options);
}

TEST(uris_say_everything_or_a_part) {
    expect_uri("valkey://h", "- - h 6379 0");
    expect_uri("redis://h:7000", "- - h 7000 0");
    expect_uri("redis://h:7000/", "- - h 7000 0");
    expect_uri("valkey://h/3", "- - h 6379 3");
    expect_uri("valkey://secret@h", "- secret h 6379 0");
    expect_uri("valkey://me:secret@h:1/2", "me secret h 1 2");
    expect_uri("valkey://:secret@h", "- secret h 6379 0");
    expect_uri("valkey://me:a%40b%3a@h", "me a@b: h 6379 0");
    expect_uri("valkey://[::1]:7000/1", "- - ::1 7000 1");
    expect_uri("valkey://", "- - 127.0.0.1 6379 0");
    expect_uri("valkey:///5", "- - 127.0.0.1 6379 5");
    expect_uri("valkey://h/4?x=y", "- - h 6379 4");
#ifdef BUILD_TLS
    expect_uri("valkeys://h", "- - h 6379 0 tls");
    expect_uri("rediss://h", "- - h 6379 0 tls");
#endif
}

TEST(what_is_no_uri_is_refused) {
    expect_uri("http://h", "refused");
    expect_uri("h:6379", "refused");
    expect_uri("valkey://h:0", "refused");
    expect_uri("valkey://h:70000", "refused");
    expect_uri("valkey://h:x", "refused");
    expect_uri("valkey://h/x", "refused");
    expect_uri("valkey://h/-1", "refused");
    expect_uri("valkey://a%zz@h", "refused");
    expect_uri("valkey://a%4", "refused");
    expect_uri("valkey://a%00@h", "refused");
    expect_uri("valkey://[::1", "refused");
    expect_uri("valkey://[::1]x", "refused");
}

TEST(the_preferred_family_comes_first) {
    struct client_options options;
    struct client_target targets[CLIENT_TARGETS_MAX];
    struct diag diag = {0};
    size_t count = 0;
    client_options_init(&options);
    expect_eq(client_resolve(&options, targets, &count, &diag), ERR_NONE);
    expect_eq(count, 1);
    expect_eq(targets[0].address.ss_family, AF_INET);
    client_option_set_text(&options.host, "::1");
    options.family = CLIENT_FAMILY_V4; /* a preference, not a demand */
    expect_eq(client_resolve(&options, targets, &count, &diag), ERR_NONE);
    expect_eq(targets[0].address.ss_family, AF_INET6);
    client_option_set_text(&options.socket_path, "/somewhere/a.sock");
    expect_eq(client_resolve(&options, targets, &count, &diag), ERR_NONE);
    expect_eq(targets[0].address.ss_family, AF_UNIX);
    char longer[200];
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    client_option_set_text(&options.socket_path, longer);
    expect_eq(client_resolve(&options, targets, &count, &diag), ERR_RANGE);
    client_options_deinit(&options);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
