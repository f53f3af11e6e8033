-- Put IDs that are in one given state into the queue: NUL (never seen) when seeding, f or k when retrying.
-- KEYS  1 queue (stream)  2 ledger (string)  3 counts (hash)
-- ARGV  1 the state to leave: a ledger byte, or "" for never seen  2 its label in counts, or ""
--       3... TMDb IDs, in the order they are to be fetched
-- Returns how many IDs were put into the queue.
local queue, ledger, counts = KEYS[1], KEYS[2], KEYS[3]
local leaving, label = string.byte(ARGV[1]) or 0, ARGV[2]
local queued = string.byte('q')
local AT_ONCE = 1000 -- IDs in one BITFIELD: Lua unpacks no more than some 8,000 values
local added = 0

for first = 3, #ARGV, AT_ONCE do
    local last = math.min(first + AT_ONCE - 1, #ARGV)
    local look, n = {'BITFIELD', ledger}, 2
    for i = first, last do
        look[n + 1], look[n + 2], look[n + 3] = 'GET', 'u8', '#' .. ARGV[i]
        n = n + 3
    end
    local ids, mark = {}, {'BITFIELD', ledger}
    n = 2
    for k, state in ipairs(redis.call(unpack(look))) do
        if state == leaving then
            local id = ARGV[first + k - 1]
            ids[#ids + 1] = id
            mark[n + 1], mark[n + 2], mark[n + 3], mark[n + 4] = 'SET', 'u8', '#' .. id, queued
            n = n + 4
        end
    end
    -- SET answers the state before: of an ID that was given twice, the second finds it queued.
    for k, state in ipairs(#ids > 0 and redis.call(unpack(mark)) or {}) do
        if state == leaving then
            redis.call('XADD', queue, '*', 'id', ids[k])
            added = added + 1
        end
    end
end
if added > 0 then
    redis.call('HINCRBY', counts, 'queued', added)
    if label ~= '' then redis.call('HINCRBY', counts, label, -added) end
end
return added
