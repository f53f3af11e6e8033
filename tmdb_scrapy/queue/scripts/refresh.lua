-- Ask again for IDs whatever their state, and note what that concludes. Those that wait in the queue already are
-- left alone. What is concluded stands with the last of the IDs that it told of, or not at all.
-- KEYS  1 queue (stream)  2 ledger (string)  3 counts (hash)  4 failures (hash)  5 about (hash)  6 exported (string)
-- ARGV  1 JSON: ledger byte of each state that may be left, "" for never seen → {byte to enter, its label in counts,
--       labels of the state that is left, a comma between}
--       2 TMDb IDs with a comma between, in the order they are to be fetched
--       3 day until which the change feed was read, or ""  4 day of the export that was compared, or ""
--       5 which IDs that export has
-- Returns how many IDs were put into the queue.
local call = redis.call
local queue, ledger, counts, failures, about, exported = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local moves, changes, added = cjson.decode(ARGV[1]), {}, 0
local function count(label, by) changes[label] = (changes[label] or 0) + by end

for id in string.gmatch(ARGV[2], '%d+') do
    local before = call('GETRANGE', ledger, id, id)
    local move = moves[before == '\0' and '' or before]
    if move then
        call('SETRANGE', ledger, id, move[1])
        call('XADD', queue, '*', 'id', id)
        if before == 'f' or before == 'F' then call('HDEL', failures, id) end
        count(move[2], 1)
        for label in string.gmatch(move[3], '[^,]+') do count(label, -1) end
        added = added + 1
    end
end
for label, by in pairs(changes) do
    if by ~= 0 then call('HINCRBY', counts, label, by) end
end

-- Days in ISO form are in the order of their texts. Of two that refresh at once, the newer word stays.
local function note(field, day)
    if day == '' or day < (call('HGET', about, field) or '') then return false end
    call('HSET', about, field, day)
    return true
end
note('changes_read', ARGV[3])
if note('export_compared', ARGV[4]) then call('SET', exported, ARGV[5]) end
return added
