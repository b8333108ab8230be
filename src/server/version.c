/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/version.h"

#include <assert.h>

#ifndef VERSION_GIT_SHA1
#define VERSION_GIT_SHA1 "00000000"
#endif
#ifndef VERSION_GIT_DIRTY
#define VERSION_GIT_DIRTY 0
#endif
#ifndef VERSION_BUILD_ID
#define VERSION_BUILD_ID "0000000000000000"
#endif

static_assert(sizeof(VERSION_GIT_SHA1) == 9, "8 hex digits");
static_assert(sizeof(VERSION_BUILD_ID) == 17, "16 hex digits");

const char *version_git_sha1(void) { return VERSION_GIT_SHA1; }

bool version_git_dirty(void) { return VERSION_GIT_DIRTY != 0; }

const char *version_build_id(void) { return VERSION_BUILD_ID; }
