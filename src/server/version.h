/* SPDX-License-Identifier: BSD-3-Clause */
/* version -- which commit and build this program is. The build passes it to version.c alone, so
 * that a new commit recompiles one small file. */
#pragma once

#include "base/attr.h"

const char *version_git_sha1(void); /* 8 hex digits; "00000000" outside a repository */
bool version_git_dirty(void);       /* the sources differed from that commit */
/* 16 hex digits: the same commit, compiler and switches give the same. */
const char *version_build_id(void);
