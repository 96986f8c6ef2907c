#!/bin/sh
# Replays logs once and prints lines in the form for Wazuh. Install trim.jq in the same folder.
set -eu
backchannel replay "$@" --format jsonl --fail-on never --no-progress | jq -c -f "$(dirname "$0")/trim.jq"
