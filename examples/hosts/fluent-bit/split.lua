-- Makes records of their own of the findings and incidents that ride on a record: the documents that
-- `backchannel replay --format jsonl` prints. Run on the copies that rewrite_tag makes, never on the records themselves.

function split(tag, timestamp, record)
    local documents = {}
    for _, kind in ipairs({ "findings", "incidents" }) do
        for _, document in ipairs(record["backchannel"][kind] or {}) do
            documents[#documents + 1] = document
        end
    end
    if #documents == 0 then
        return -1, timestamp, record
    end
    -- 2: the time stays. A list of records is taken as records one after the other.
    return 2, timestamp, documents
end
