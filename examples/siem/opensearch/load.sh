#!/bin/sh
# Loads template, pipeline and monitor.
#   OPENSEARCH=https://localhost:9200 AUTH=admin:… CHANNEL=<id of a notification channel> ./load.sh
set -eu
cd "$(dirname "$0")"
: "${OPENSEARCH:?}" "${AUTH:?}" "${CHANNEL:?}"

send() {
    curl --fail-with-body --silent --show-error -X "$1" "$OPENSEARCH/$2" -u "$AUTH" \
        -H 'Content-Type: application/json' --data-binary @-
    echo
}

send PUT _ingest/pipeline/backchannel-alerts < ingest-pipeline.json
send PUT _index_template/backchannel-alerts < index-template.json
# A monitor needs an existing index.
send PUT backchannel-alerts < /dev/null
sed "s/CHANNEL_ID/$CHANNEL/" monitor.json | send POST _plugins/_alerting/monitors
