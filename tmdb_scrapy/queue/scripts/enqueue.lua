-- Put IDs that are in one given state into the queue: NUL (never seen) when seeding, f or k when retrying.
-- KEYS  1 queue (stream)  2 ledger (string)  3 counts (hash)
-- ARGV  1 the state to leave: a ledger byte, or "" for never seen  2 its label in counts, or ""
--       3... TMDb IDs, in the order they are to be fetched
-- Returns how many IDs were put into the queue.
local queue, ledger, counts = KEYS[1], KEYS[2], KEYS[3]
local leaving, label = ARGV[1], ARGV[2]
local added = 0
for i = 3, #ARGV do
    local id = ARGV[i]
    local state = redis.call('GETRANGE', ledger, id, id)
    if state == '\0' then state = '' end
    if state == leaving then
        redis.call('SETRANGE', ledger, id, 'q')
        redis.call('XADD', queue, '*', 'id', id)
        added = added + 1
    end
end
if added > 0 then
    redis.call('HINCRBY', counts, 'queued', added)
    if label ~= '' then redis.call('HINCRBY', counts, label, -added) end
end
return added
