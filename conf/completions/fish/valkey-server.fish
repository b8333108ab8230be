# SPDX-License-Identifier: BSD-3-Clause

complete -c valkey-server -s v -l version -d 'Show the version'
complete -c valkey-server -s h -l help -d 'Show a summary of the usage'
complete -c valkey-server -l test-memory -x -d 'Test the machine\'s memory, and end'
complete -c valkey-server -l check-config -r -F -d 'Say what is wrong with a file of options, and end'
complete -c redis-server -w valkey-server
