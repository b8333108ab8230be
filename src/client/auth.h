/* SPDX-License-Identifier: BSD-3-Clause */
/* auth -- passwords from the environment and the keyboard, and what a new connection says first. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "client/options.h"

struct buf;

/* A variable of the environment by its name, or by the name it had before; NULL if neither is set.
 */
const char *client_environment(const char *name, const char *old_name);
/* Takes the password from VALKEYCLI_AUTH (or REDISCLI_AUTH) unless one was given. */
void client_auth_environment(struct client_options *options);
/* Asks for the password on the terminal, without showing it. */
must_use enum err client_ask_password(struct client_options *options, const char *prompt,
                                      struct diag *diag);

/* Adds a request as an array of strings. */
void client_encode(struct buf *out, size_t argc, const struct bytes *argv);
/* The same from NUL-terminated words, NULL after the last. */
void client_encode_words(struct buf *out, const char *const *words);

/* Adds what a new connection says before anything else, as options ask: AUTH, HELLO 3, SELECT.
 * Returns how many replies that will bring; in a pipeline each is a status or a map. */
size_t client_encode_greeting(const struct client_options *options, struct buf *out);
