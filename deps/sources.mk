# SPDX-License-Identifier: BSD-3-Clause
#
# Reads programs.list. Gives
#   FOLDERS            all folders of src/ that are listed, in the order of their rank
#   PROGRAMS           all programs
#   $(call sources,F)  the .c files of folder F
#   LOWER_F            the folders that F may use, highest rank first
#   PARTS_P            the folders of program P

list_file := deps/programs.list
list_folders := $(shell sed -n 's/^folder  *\([^ ]*\)  *\([0-9]*\).*/\1:\2/p' $(list_file))
list_programs := $(shell sed -n 's/^program  *//p' $(list_file) | tr -s ' ' ':')

name_of = $(firstword $(subst :, ,$(1)))
rest_of = $(wordlist 2,99,$(subst :, ,$(1)))

FOLDERS := $(foreach f,$(list_folders),$(call name_of,$(f)))
PROGRAMS := $(foreach p,$(list_programs),$(call name_of,$(p)))

$(foreach f,$(list_folders),$(eval RANK_$(call name_of,$(f)) := $(call rest_of,$(f))))
$(foreach p,$(list_programs),$(eval PARTS_$(call name_of,$(p)) := $(call rest_of,$(p))))

reverse = $(if $(1),$(call reverse,$(wordlist 2,99,$(1))) $(firstword $(1)))
ranks_below = $(wordlist 1,$(1),0 1 2 3 4 5 6 7 8 9 10)
is_below = $(filter $(call ranks_below,$(RANK_$(2))),$(RANK_$(1)))
$(foreach f,$(FOLDERS),$(eval LOWER_$(f) := \
    $(call reverse,$(foreach g,$(FOLDERS),$(if $(call is_below,$(g),$(f)),$(g))))))

sources = $(sort $(wildcard src/$(1)/*.c))
