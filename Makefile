# SPDX-License-Identifier: BSD-3-Clause
#
# `make` builds the programs into src/, `make run` installs what that takes and starts the server,
# `make test` runs every check. `make help` lists the rest. What is built from what is in
# deps/programs.list; CMakeLists.txt reads the same list and has the same switches.

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# As many jobs as there are processors, unless the caller said otherwise.
processors := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(processors)
endif

PREFIX ?= /usr/local
PROG_SUFFIX ?=
USE_REDIS_SYMLINKS ?= yes
FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang
JOBS ?= $(processors)
CROSS_VARIANT ?= release

include deps/options.mk
include deps/sources.mk

submake := $(MAKE) --no-print-directory

# --- how it looks ----------------------------------------------------------------------------

ifneq ($(V),1)
quiet := @
ifneq ($(if $(NO_COLOR),,$(MAKE_TERMOUT)),)
say = @printf '  \033[34m%-5s\033[0m %s\n' '$(1)' '$(2)'
else
say = @printf '  %-5s %s\n' '$(1)' '$(2)'
endif
endif

# --- all -------------------------------------------------------------------------------------

# Sanitizer builds and builds for other machines stay in their folder: src/ has the programs for
# this one.
own_folder := $(or $(SANITIZER),$(CROSS),$(filter unit fuzz,$(VARIANT)))
built := $(PROGRAMS:%=$(BUILD)/%$(PROG_SUFFIX))
landed := $(if $(own_folder),,$(PROGRAMS:%=src/%$(PROG_SUFFIX)))

.PHONY: all
all: $(built) $(landed)

ifneq ($(filter all,$(or $(MAKECMDGOALS),all)),)
$(info $(FOUND))
$(info $(FOUND_PARTS))
endif

# A hard link: src/ always has the program of the variant built last.
$(landed): src/%: $(BUILD)/% FORCE
	@[ $@ -ef $< ] || ln -f $< $@ 2>/dev/null || cp -f $< $@

# --- objects ---------------------------------------------------------------------------------

# All objects depend on the flags they were made with. Objects made with warnings as errors are as
# good as others, but not the other way round.
flags := $(CC) $(cc_version) $(ALL_CFLAGS)
flags_file := $(BUILD)/flags
flags_now := $(flags)$(if $(filter yes,$(WERROR)), -Werror)
flags_then := $(if $(wildcard $(flags_file)),$(shell cat $(flags_file)))
# Goals that compile nothing leave the flags as they are, whatever the switches: make help.
compiles := $(filter-out help tidy lint uninstall,$(or $(MAKECMDGOALS),all))
ifneq ($(if $(compiles),$(strip $(flags_then))),$(if $(compiles),$(strip $(flags_now))))
ifeq ($(strip $(flags_then)),$(strip $(flags_now) -Werror))
flags_command := touch -r $(flags_file) $(flags_file).time; \
    cp $(flags_file).new $(flags_file); touch -r $(flags_file).time $(flags_file)
else
flags_command := cp $(flags_file).new $(flags_file)
endif
write_flags := $(if $(cc_version),$(shell mkdir -p $(BUILD); printf '%s\n' '$(flags_now)' \
    >$(flags_file).new; $(flags_command); rm -f $(flags_file).new $(flags_file).time))
endif

object = $(patsubst src/%.c,$(BUILD)/obj/%.o,$(call sources,$(1)))
werror := $(if $(filter yes,$(WERROR)),-Werror)
compile = $(CC) $(ALL_CFLAGS) $(werror) -MMD -MP -I src

$(BUILD)/obj/%.o: src/%.c $(flags_file)
	$(call say,CC,$*.c)
	@mkdir -p $(@D)
	$(quiet)$(compile) $(version_flags) -c $< -o $@

# Only this object knows the commit: a new one does not rebuild the world.
version_object := $(BUILD)/obj/server/version.o
version_file := $(BUILD)/version
git := $(if $(wildcard .git),git)
git_sha1 := $(or $(if $(git),$(shell git rev-parse --short=8 HEAD 2>/dev/null)),00000000)
git_dirty := $(if $(git),$(shell git diff --quiet HEAD -- 2>/dev/null; echo $$(($$? == 1))),0)
build_id := $(shell printf '%s' '$(git_sha1) $(git_dirty) $(flags)' | sha1sum | cut -c 1-16)
version_now := -DVERSION_GIT_SHA1="$(git_sha1)" -DVERSION_GIT_DIRTY=$(git_dirty) \
    -DVERSION_BUILD_ID="$(build_id)"
ifneq ($(strip $(version_now)),$(if $(wildcard $(version_file)),$(strip $(shell cat $(version_file)))))
write_version := $(shell mkdir -p $(BUILD); printf '%s\n' '$(strip $(version_now))' >$(version_file))
endif
$(version_object): $(version_file)
$(version_object): private version_flags = $(subst ",\",$(version_now))

define program_rule
$(BUILD)/$(1)$(PROG_SUFFIX): $(foreach f,$(PARTS_$(1)),$(call object,$(f)))
	$$(call say,LINK,$(1)$(PROG_SUFFIX))
	$$(quiet)$$(CC) $$(ALL_CFLAGS) $$(werror) $$^ -o $$@ $$(ALL_LDFLAGS) $$(ALL_LIBS)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rule,$(p))))

# One archive per folder, for the tests: each links its own folder and the lower ones, in the
# order of the ranks, so that a call upwards does not link.
archive = $(if $(call sources,$(1)),$(BUILD)/$(1).a)
define archive_rule
$(BUILD)/$(1).a: $(call object,$(1))
	$$(call say,AR,$$(@F))
	$$(quiet)rm -f $$@ && $$(AR) rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call archive_rule,$(f))))

# --- unit tests ------------------------------------------------------------------------------

unit_folders := $(if $(UNIT_FOLDERS),$(filter $(UNIT_FOLDERS),$(FOLDERS)),$(FOLDERS))
unit_sources = $(sort $(wildcard tests/unit/$(1)/*_test.c))
unit_programs = $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(call unit_sources,$(1)))
unit_all := $(foreach f,$(unit_folders),$(call unit_programs,$(f)))
unit_flags := $(if $(filter yes,$(NO_CMOCKA)),-DTEST_NO_CMOCKA)
unit_libs := $(if $(filter yes,$(NO_CMOCKA)),,-lcmocka)

define unit_rule
$(call unit_programs,$(1)): $(BUILD)/tests/%: tests/unit/%.c $(flags_file) \
        $(foreach f,$(1) $(LOWER_$(1)),$(call archive,$(f)))
	$$(call say,TEST,$$*)
	@mkdir -p $$(@D)
	$$(quiet)$$(compile) -I . $$(unit_flags) -MF $$@.d $$< $$(filter %.a,$$^) -o $$@ \
	    $$(ALL_LDFLAGS) $$(unit_libs) $$(ALL_LIBS)
endef
$(foreach f,$(FOLDERS),$(if $(call unit_programs,$(f)),$(eval $(call unit_rule,$(f)))))

# unit-here works in the variant that was asked for; test-unit takes one with dchecks and no LTO.
.PHONY: test-unit unit-here unit-build
unit-build: $(unit_all)
unit-here: $(unit_all)
	@JOBS=$(JOBS) tests/unit/run $(unit_all)
ifneq ($(filter release debug,$(VARIANT)),)
test-unit:
	+@$(submake) VARIANT=unit unit-here
else
test-unit: unit-here
endif

# --- the other tests -------------------------------------------------------------------------

server := $(if $(landed),src,$(BUILD))/valkey-server$(PROG_SUFFIX)

.PHONY: test test-conformance test-integration tidy lint asan ubsan tsan
test:
	@deps/install.sh build
	@deps/install.sh test
	@tests/run

# SERVER_ARGS go to the server: make test-integration SERVER_ARGS="--io-threads 4"; PYTEST_ARGS to
# pytest: PYTEST_ARGS="-k lists". As many tests at once as JOBS says, if pytest-xdist is there.
test-conformance: all
	@$(PYTHON) tests/conformance/check.py --server $(server) --jobs $(JOBS) \
	    $(CHECK_ARGS) -- $(SERVER_ARGS)

test-integration: all
	@side_by_side=; if $(PYTHON) -c 'import xdist' 2>/dev/null; then \
	    side_by_side='-n $(JOBS) --dist loadgroup'; fi; \
	VALKEY_SERVER=$(abspath $(server)) VALKEY_SERVER_ARGS="$(SERVER_ARGS)" \
	    $(PYTHON) -m pytest -q -p no:cacheprovider $$side_by_side $(PYTEST_ARGS) tests/e2e

tidy:
	@$(PYTHON) tests/tidy/tidy.py

# Slower advice, not part of `make test`: clang-tidy and cppcheck over everything.
lint_sources = $(foreach f,$(FOLDERS),$(call sources,$(f)))
lint:
	@printf '%s\n' $(lint_sources) | xargs -P $(JOBS) -n 4 sh -c 'clang-tidy --quiet "$$@" \
	    -- -std=c11 -D_GNU_SOURCE -I src $(features) 2>/dev/null' clang-tidy
	@cppcheck --quiet --enable=warning,portability --inline-suppr -j $(JOBS) -I src \
	    -D_GNU_SOURCE --suppress=missingIncludeSystem src

# Everything that runs code, once with the sanitizer.
asan:
	@tests/run asan-all
ubsan:
	@tests/run ubsan-all
tsan:
	@tests/run tsan-all

# --- fuzzers ---------------------------------------------------------------------------------

fuzz_programs := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))

.PHONY: fuzz fuzz-build
fuzz:
	+@$(submake) CC=$(FUZZ_CC) VARIANT=fuzz MALLOC=libc fuzz-build
	@JOBS=$(JOBS) tests/fuzz/run $(FUZZ_SECONDS) $(fuzz_programs)

fuzz-build: $(fuzz_programs)
build/fuzz/%: tests/fuzz/%.c $(flags_file) \
        $(foreach f,$(call reverse,$(FOLDERS)),$(call archive,$(f)))
	$(call say,FUZZ,$*)
	$(quiet)$(compile) -I . -MF $@.d -fsanitize=fuzzer $< $(filter %.a,$^) \
	    -o $@ $(ALL_LDFLAGS) $(ALL_LIBS)

# --- another machine -------------------------------------------------------------------------

# The server and the tests of the lower folders for aarch64; the tests run under qemu.
cross_folders := base ds sync resp
cross_make = $(submake) CC=aarch64-linux-gnu-gcc STATIC=yes NO_CMOCKA=yes MALLOC=libc
.PHONY: cross-aarch64
cross-aarch64:
	+@$(cross_make) VARIANT=$(CROSS_VARIANT) all
	+@$(cross_make) VARIANT=unit UNIT_FOLDERS='$(cross_folders)' unit-build
	+@RUNNER="qemu-aarch64" $(cross_make) VARIANT=unit UNIT_FOLDERS='$(cross_folders)' unit-here

# --- use -------------------------------------------------------------------------------------

.PHONY: run bench install install-docs uninstall uninstall-docs clean distclean help
run:
	@deps/install.sh build
	+@$(submake) all
	@exec src/valkey-server$(PROG_SUFFIX) ./valkey.conf

# PEER=path: what to compare with besides redis-server.
bench:
	@deps/install.sh build
	@deps/install.sh bench
	+@$(submake) all
	@if command -v redis-server >/dev/null; then peer=redis-server=redis-server; \
	else echo 'redis-server is not there to compare with'; fi; \
	$(PYTHON) tests/perf/bench.py --results tests/perf/results ours=$(server) $$peer \
	    $(if $(PEER),$(notdir $(PEER))=$(PEER)) $(BENCH_ARGS)

bindir = $(DESTDIR)$(PREFIX)/bin
install: all install-docs
	@mkdir -p $(bindir)
	$(quiet)for p in $(built); do install -m 755 $$p $(bindir)/ || exit 1; done
ifeq ($(USE_REDIS_SYMLINKS),yes)
	$(quiet)for p in $(PROGRAMS); do ln -sf $$p$(PROG_SUFFIX) \
	    $(bindir)/$$(echo $$p | sed 's/^valkey/redis/')$(PROG_SUFFIX) || exit 1; done
endif
	$(call say,DONE,installed in $(bindir))

# A redis-* name goes only if it is a link to ours.
uninstall: uninstall-docs
	$(quiet)for p in $(PROGRAMS); do rm -f $(bindir)/$$p$(PROG_SUFFIX); \
	    link=$(bindir)/$$(echo $$p | sed 's/^valkey/redis/')$(PROG_SUFFIX); \
	    if [ "$$(readlink $$link)" = $$p$(PROG_SUFFIX) ]; then rm -f $$link; fi; done
	$(call say,DONE,removed from $(bindir))

# Manual pages and completions of each program P, under the names and in the folders that man and the
# shells look into: SOURCE:TARGET. The redis-* links get links too where one goes by the name.
sharedir = $(DESTDIR)$(PREFIX)/share
docs = man/$(1).1:man/man1/$(1).1 completions/bash/$(1):bash-completion/completions/$(1) \
    completions/zsh/_$(1):zsh/site-functions/_$(1) \
    completions/fish/$(1).fish:fish/vendor_completions.d/$(1).fish
all_docs = $(foreach p,$(PROGRAMS),$(call docs,$(p)))
linked_docs = $(filter man/% completions/bash/%,$(all_docs))

install-docs:
	$(quiet)for d in $(all_docs); do to=$(sharedir)/$${d#*:}; \
	    mkdir -p $${to%/*} && install -m 644 conf/$${d%%:*} $$to || exit 1; done
ifeq ($(USE_REDIS_SYMLINKS),yes)
	$(quiet)for d in $(linked_docs); do to=$(sharedir)/$${d#*:}; \
	    ln -sf $${to##*/} $${to%/*}/$$(echo $${to##*/} | sed 's/^valkey/redis/') || exit 1; done
endif

uninstall-docs:
	$(quiet)for d in $(all_docs); do to=$(sharedir)/$${d#*:}; rm -f $$to; \
	    link=$${to%/*}/$$(echo $${to##*/} | sed 's/^valkey/redis/'); \
	    if [ "$$(readlink $$link)" = $${to##*/} ]; then rm -f $$link; fi; done

clean:
	$(quiet)rm -rf $(BUILD) $(landed)

distclean:
	$(quiet)rm -rf build $(PROGRAMS:%=src/%*)

define help_text
make                  build everything; the programs land in src/
make run              install what the build needs, build, start the server with ./valkey.conf
make test             install what the tests need and run every check
make test-unit        unit tests               make test-conformance   recorded behaviour
make test-integration tests/e2e with pytest    make fuzz               FUZZ_SECONDS=60 each
make tidy             the house style          make lint               clang-tidy and cppcheck
make asan ubsan tsan  everything that runs code, under a sanitizer
make cross-aarch64    build for aarch64, run the unit tests of the lower folders under qemu
make bench            side by side with redis-server, with chart; PEER=path, BENCH_ARGS="--workloads set,get"
make install          to DESTDIR/PREFIX/bin, with redis-* links, manual pages, completions of shells;
                      make uninstall takes them away
make clean distclean  remove this build; remove all builds

BUILD_TLS=yes|no      TLS, with openssl                 (each of these: yes if it is found)
BUILD_LUA=yes|no      Lua 5.4
USE_SYSTEMD=yes|no    readiness messages, with libsystemd
USE_LIBEDIT=yes|no    editing of lines in valkey-cli, with libedit
USE_IO_URING=yes|no   the io_uring engine, with liburing
MALLOC=jemalloc|libc  the allocator                     (jemalloc if it is found)
SANITIZER=address|undefined|thread|address,undefined    programs land in build/SANITIZER/
DEBUG=1               for a debugger, with the costly checks
MARCH=native          for this processor only           LTO=no   quicker links
WERROR=yes            warnings are errors               V=1      show the commands
CC=clang              or a cross compiler; what it builds stays in build/
PREFIX=/usr/local  DESTDIR=  PROG_SUFFIX=  USE_REDIS_SYMLINKS=yes|no
SERVER_ARGS="..."     more options for the server in the conformance and integration tests
endef
help:
	$(info $(help_text))
	@:

.PHONY: FORCE
FORCE:

-include $(foreach f,$(FOLDERS),$(patsubst %.o,%.d,$(call object,$(f))))
-include $(unit_all:%=%.d) $(if $(filter fuzz,$(VARIANT)),$(fuzz_programs:%=%.d))
