#!/bin/sh
# Replays logs once and prints lines as Wazuh takes them. Install trim.jq beside it.
set -eu
backchannel replay "$@" --format jsonl --fail-on never --no-progress | jq -c -f "$(dirname "$0")/trim.jq"
