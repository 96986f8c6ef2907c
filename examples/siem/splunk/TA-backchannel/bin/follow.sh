#!/bin/sh
# Follows a log through Backchannel: findings at once, incidents whenever they change, one JSON object a line.
# usage: follow.sh PROGRAM LOG [MORE ARGUMENTS OF backchannel replay]
set -eu
program=$1
log=$2
shift 2
# Exit status 1 means that something was found, which is no failure of an input.
tail -n 0 -F "$log" | "$program" replay - --follow --format jsonl --fail-on never "$@"
