# SPDX-License-Identifier: BSD-3-Clause
#
# The switches of the build and what they find on this machine. Takes the variables of the command
# line (see `make help`) and gives
#   VARIANT, BUILD        which build this is, and its folder
#   ALL_CFLAGS, ALL_LDFLAGS, ALL_LIBS
#   FOUND                 a line that says what was found
#   PYTHON                a python3 that has what the tests need, if there is one

ifeq ($(origin CC),default)
CC := $(if $(shell command -v gcc),gcc,cc)
endif
AR ?= ar
PKG_CONFIG ?= pkg-config

# --- the compiler, and whether it builds for another machine ---------------------------------

cc_version := $(shell $(CC) --version 2>/dev/null | head -n 1)
is_clang := $(findstring clang,$(cc_version))
cc_target := $(shell $(CC) -dumpmachine 2>/dev/null)
cc_machine := $(firstword $(subst -, ,$(cc_target)))
machine := $(shell uname -m)
ifneq ($(filter $(subst i686,i386,$(subst arm64,aarch64,$(machine))) $(machine),$(cc_machine)),)
CROSS :=
else
CROSS := $(if $(cc_target),$(cc_machine))
endif
ifneq ($(CROSS),)
# Never the libraries of the machine that compiles.
PKG_CONFIG := $(firstword $(shell command -v $(cc_target)-pkg-config) false)
endif

# --- which build -------------------------------------------------------------------------------

comma := ,
empty :=
space := $(empty) $(empty)
ifneq ($(SANITIZER),)
VARIANT ?= $(subst $(comma),-,$(SANITIZER))
else ifeq ($(DEBUG),1)
VARIANT ?= debug
else
VARIANT ?= release
endif
BUILD ?= build/$(VARIANT)$(if $(CROSS),-$(CROSS))

# --- optional parts --------------------------------------------------------------------------

version_of = $(if $(filter yes,$(STATIC)),,$(shell $(PKG_CONFIG) --modversion $(1) 2>/dev/null))
openssl_version := $(call version_of,openssl)
lua_package := $(firstword $(foreach p,lua5.4 lua-5.4 lua54,$(if $(call version_of,$(p)),$(p))))
lua_version := $(if $(lua_package),$(call version_of,$(lua_package)))
jemalloc_version := $(call version_of,jemalloc)
systemd_version := $(call version_of,libsystemd)
libedit_version := $(call version_of,libedit)
# Buffer rings and receiving without end came with 2.3.
uring_version := $(if $(STATIC),,$(shell $(PKG_CONFIG) --exists 'liburing >= 2.3' 2>/dev/null && \
    $(PKG_CONFIG) --modversion liburing))

yes_if = $(if $(strip $(1)),yes,no)
BUILD_TLS ?= $(call yes_if,$(openssl_version))
BUILD_LUA ?= $(call yes_if,$(lua_version))
USE_SYSTEMD ?= $(call yes_if,$(systemd_version))
USE_LIBEDIT ?= $(call yes_if,$(libedit_version))
USE_IO_URING ?= $(call yes_if,$(uring_version))
ifneq ($(SANITIZER),)
override MALLOC := libc
endif
MALLOC ?= $(if $(jemalloc_version),jemalloc,libc)

# $(call demand,SWITCH,its value,the value that needs the library,library,version found)
demand = $(if $(filter $(3),$(2)),$(if $(5),,\
    $(error $(1)=$(2) needs $(4), which pkg-config does not find; deps/install.sh build gets it)))
$(call demand,BUILD_TLS,$(BUILD_TLS),yes,openssl,$(openssl_version))
$(call demand,BUILD_LUA,$(BUILD_LUA),yes,lua 5.4,$(lua_version))
$(call demand,USE_SYSTEMD,$(USE_SYSTEMD),yes,libsystemd,$(systemd_version))
$(call demand,USE_LIBEDIT,$(USE_LIBEDIT),yes,libedit,$(libedit_version))
$(call demand,USE_IO_URING,$(USE_IO_URING),yes,liburing 2.3 or later,$(uring_version))
$(call demand,MALLOC,$(MALLOC),jemalloc,jemalloc,$(jemalloc_version))
ifeq ($(filter jemalloc libc,$(MALLOC)),)
$(error MALLOC is jemalloc or libc, not $(MALLOC))
endif

# Lua is looked for already; nothing is linked with it before scripting is there.
packages := \
    $(if $(filter yes,$(BUILD_TLS)),openssl) \
    $(if $(filter yes,$(USE_SYSTEMD)),libsystemd) \
    $(if $(filter yes,$(USE_LIBEDIT)),libedit) \
    $(if $(filter yes,$(USE_IO_URING)),liburing) \
    $(if $(filter jemalloc,$(MALLOC)),jemalloc)
features := \
    $(if $(filter yes,$(BUILD_TLS)),-DBUILD_TLS) \
    $(if $(filter yes,$(USE_SYSTEMD)),-DUSE_SYSTEMD) \
    $(if $(filter yes,$(USE_LIBEDIT)),-DUSE_LIBEDIT) \
    $(if $(filter yes,$(USE_IO_URING)),-DUSE_IO_URING) \
    $(if $(filter jemalloc,$(MALLOC)),-DUSE_JEMALLOC)
ifneq ($(strip $(packages)),)
package_cflags := $(shell $(PKG_CONFIG) --cflags $(packages))
package_libs := $(shell $(PKG_CONFIG) --libs $(packages))
endif

# --- flags -----------------------------------------------------------------------------------

# Whether the compiler makes a program with these flags.
accepts = $(shell printf 'int main(void){return 0;}\n' | \
    $(CC) $(1) -x c - -o /dev/null >/dev/null 2>&1 && echo '$(1)')

hardening := -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
ifneq ($(SANITIZER),)
optimisation := -O1 -DDCHECK -fsanitize=$(SANITIZER) -fno-sanitize-recover=all
sanitizer_link := -fsanitize=$(SANITIZER)
# Fences are invisible to the thread sanitizer; the queues do not rely on them alone.
ifneq ($(findstring thread,$(SANITIZER)),)
optimisation += $(if $(is_clang),,-Wno-tsan)
endif
else ifeq ($(VARIANT),debug)
optimisation := -Og -DDCHECK
else ifeq ($(VARIANT),unit)
optimisation := -O2 -DDCHECK
else ifeq ($(VARIANT),fuzz)
optimisation := -O1 -DDCHECK -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
sanitizer_link := -fsanitize=address,undefined
else
LTO ?= yes
ifeq ($(LTO),yes)
lto := $(if $(is_clang),$(call accepts,-flto=thin),$(call accepts,-flto=auto))
endif
optimisation := -O3 $(lto) $(hardening)
endif

warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
# gcc 10 warns of designated initialisers too.
ifeq ($(is_clang)$(shell $(CC) -dumpversion 2>/dev/null | cut -d. -f1),10)
warnings += -Wno-missing-field-initializers
endif
# Reports of sanitizers want lines, and nothing else: that compiles faster.
debug_info := $(if $(sanitizer_link),-g1,-g)
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE $(debug_info) -fno-omit-frame-pointer -pthread \
    $(if $(MARCH),-march=$(MARCH)) $(optimisation) $(warnings) $(features) $(package_cflags) $(CFLAGS)
ALL_LDFLAGS = -pthread -rdynamic -Wl,--as-needed -Wl,-z,relro,-z,now \
    $(if $(filter yes,$(STATIC)),-static) \
    $(if $(sanitizer_link),$(sanitizer_link),$(filter-out -D% -U%,$(optimisation))) $(LDFLAGS)
ALL_LIBS = $(package_libs) -lm $(LIBS)

# --- what was found ----------------------------------------------------------------------------

part = $(1) $(if $(filter no libc,$(2)),no,$(if $(3),$(3),$(2)))
FOUND = $(strip $(VARIANT)$(if $(CROSS), for $(CROSS)), $(if $(is_clang),clang,$(notdir $(CC))) \
    $(shell $(CC) -dumpversion 2>/dev/null)$(if $(lto), $(lto)))
FOUND_PARTS = malloc: $(if $(filter jemalloc,$(MALLOC)),jemalloc $(firstword \
    $(subst _, ,$(subst -, ,$(jemalloc_version)))),libc)$(comma) $(call part,TLS:,$(BUILD_TLS),$(if $(filter \
    yes,$(BUILD_TLS)),openssl $(openssl_version)))$(comma) $(call part,io_uring:,$(USE_IO_URING),$(if \
    $(filter yes,$(USE_IO_URING)),liburing $(uring_version)))$(comma) $(call \
    part,systemd:,$(USE_SYSTEMD),$(systemd_version))$(comma) $(call \
    part,line editing:,$(USE_LIBEDIT),$(if $(filter yes,$(USE_LIBEDIT)),libedit \
    $(libedit_version)))$(comma) $(call \
    part,Lua:,$(BUILD_LUA),$(lua_version) (nothing uses it yet))

# The first python3 that can run the integration tests, else any.
PYTHON ?= $(firstword $(shell for p in python3 /usr/bin/python3; do \
    $$p -c 'import pytest, redis' >/dev/null 2>&1 && echo $$p; done) python3)
