#!/bin/sh
# Loads templates, pipeline and rules.
#   ELASTICSEARCH=https://localhost:9200 KIBANA=https://localhost:5601 API_KEY=… ./load.sh
# The rules are disabled: review them in Security > Rules, then enable them.
set -eu
cd "$(dirname "$0")"
: "${ELASTICSEARCH:?}" "${KIBANA:?}" "${API_KEY:?}"

put() {
    curl --fail-with-body --silent --show-error -X PUT "$ELASTICSEARCH/$1" \
        -H "Authorization: ApiKey $API_KEY" -H 'Content-Type: application/json' --data-binary "@$2"
    echo
}

put _ingest/pipeline/backchannel-alert ingest-pipeline.json
put _component_template/backchannel-alert@mappings component-template.json
put _index_template/logs-backchannel.alert index-template.json
curl --fail-with-body --silent --show-error -X POST "$KIBANA/api/detection_engine/rules/_import?overwrite=true" \
    -H "Authorization: ApiKey $API_KEY" -H 'kbn-xsrf: true' --form file=@rules.ndjson
echo
